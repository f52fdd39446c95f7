//! `bulkId:…`: what one operation says of a resource that another one creates (RFC 7644 §3.7.2).

use std::collections::HashMap;

use serde_json::Value;

/// A place where an operation refers to what another one creates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The operation that refers, from 0.
    pub operation: usize,
    /// Where in its data, as a JSON pointer; absent if it is in the path.
    pub pointer: Option<String>,
    /// What it refers to.
    pub bulk_id: String,
}

/// The references in a JSON document: each with its JSON pointer and `bulkId`.
pub fn references(data: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(data, &mut String::new(), &mut found);
    found
}

/// Puts ids in the place of references; those without an id stay.
pub fn substitute(data: &mut Value, ids: &HashMap<String, String>) {
    match data {
        Value::String(text) => {
            if text.contains(PREFIX) {
                *text = substitute_text(text, ids);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|e| substitute(e, ids)),
        Value::Object(object) => object.values_mut().for_each(|v| substitute(v, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts an id in the place of a reference in an operation's path: `/Users/bulkId:qwerty`.
pub fn substitute_path(path: &str, ids: &HashMap<String, String>) -> String {
    substitute_text(path, ids)
}

/// Takes out of data what refers to resources that do not exist yet: the element or the
/// attribute each JSON pointer lies in. They are sent in a second step.
pub fn detach<'p>(data: &mut Value, pointers: impl IntoIterator<Item = &'p str>) {
    for pointer in pointers {
        let container = match pointer.rsplit_once('/') {
            Some((container, _)) if !container.is_empty() => container,
            _ => pointer,
        };
        if let Some(place) = data.pointer_mut(container) {
            *place = Value::Null;
        }
    }
    remove_nulls(data);
}

/// The `bulkId`s in a text: all of it, or a part behind `/` or `"` (in a URL, in a value filter).
pub(super) fn bulk_ids(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|(id, is_id)| is_id.then_some(id))
        .collect()
}

fn substitute_text(text: &str, ids: &HashMap<String, String>) -> String {
    let mut substituted = String::with_capacity(text.len());
    for (piece, is_id) in pieces(text) {
        match (is_id, ids.get(piece)) {
            (true, Some(id)) => substituted.push_str(id),
            (true, None) => {
                substituted.push_str(PREFIX);
                substituted.push_str(piece);
            }
            (false, _) => substituted.push_str(piece),
        }
    }
    substituted
}

/// Cuts a text into plain pieces and `bulkId`s (without the prefix), in order.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    if let Some(id) = text.strip_prefix(PREFIX) {
        return vec![(id, true)];
    }
    let mut pieces = Vec::new();
    let (mut start, mut search) = (0, 0);
    while let Some(found) = text.get(search..).and_then(|rest| rest.find(PREFIX)) {
        let at = search + found;
        let id_start = at + PREFIX.len();
        search = id_start;
        let is_bounded = text.get(..at).is_some_and(|t| t.ends_with(['/', '"']));
        if !is_bounded {
            continue;
        }
        let rest = text.get(id_start..).unwrap_or_default();
        let length = rest.find(['/', '"']).unwrap_or(rest.len());
        pieces.push((text.get(start..at).unwrap_or_default(), false));
        pieces.push((rest.get(..length).unwrap_or_default(), true));
        start = id_start + length;
        search = start;
    }
    pieces.push((text.get(start..).unwrap_or_default(), false));
    pieces
}

fn collect(data: &Value, pointer: &mut String, found: &mut Vec<(String, String)>) {
    let length = pointer.len();
    match data {
        Value::String(text) if text.contains(PREFIX) => {
            let ids = bulk_ids(text).into_iter();
            found.extend(ids.map(|id| (pointer.clone(), id.to_owned())));
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                collect(element, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                collect(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn remove_nulls(data: &mut Value) {
    match data {
        Value::Array(elements) => {
            elements.retain(|e| !e.is_null());
            elements.iter_mut().for_each(remove_nulls);
        }
        Value::Object(object) => {
            object.retain(|_, v| !v.is_null());
            object.values_mut().for_each(remove_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

const PREFIX: &str = "bulkId:";
