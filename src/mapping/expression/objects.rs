//! Objects and lists: merged, pairs of name and value, without some of what they have, operations of a JSON Patch.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    EvaluateErrorKind, Fault, MAX_RESULT_BYTES,
    text::{kind_of, text_of},
};

/// Each member as an object with its name under `name` and its value under `value`, in order.
///
/// # Errors
///
/// If it is no object, or the list would be too large.
pub(super) fn pairs(object: &Value, name: &str, value: &str) -> Result<Value, Fault> {
    let members = members_of(object)?;
    if members.len() * (name.len() + value.len() + 8) > MAX_RESULT_BYTES {
        return Err(Fault::too_large());
    }
    let pair = |(key, content): (&String, &Value)| {
        let key = (name.to_owned(), Value::String(key.clone()));
        Value::Object(Map::from_iter([key, (value.to_owned(), content.clone())]))
    };
    Ok(members.iter().map(pair).collect())
}

/// The members of several objects as one object; a later one replaces an earlier one of its name, null is none.
///
/// # Errors
///
/// If one of them is no object.
pub(super) fn merged<'v>(objects: impl Iterator<Item = &'v Value>) -> Result<Value, Fault> {
    let mut merged = Map::new();
    for object in objects.filter(|object| !object.is_null()) {
        let members = members_of(object)?.iter();
        merged.extend(members.map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(Value::Object(merged))
}

/// A list without the elements that are `unwanted`, an object without the members of that name; of a list each is meant, and
/// absent or null is nothing. A number and a text that spells it are the same: what is to go must not stay for its type.
///
/// # Errors
///
/// If it is neither a list nor an object.
pub(super) fn without(value: &Value, unwanted: Option<&Value>) -> Result<Value, Fault> {
    let unwanted = match unwanted {
        None | Some(Value::Null) => &[],
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    match value {
        Value::Array(elements) => {
            let unwanted: HashSet<String> = unwanted.iter().map(spelling).collect();
            let kept = elements.iter();
            let kept = kept.filter(|element| !unwanted.contains(&spelling(element)));
            Ok(kept.cloned().collect())
        }
        Value::Object(members) => {
            let names: HashSet<_> = unwanted.iter().filter_map(text_of).collect();
            let kept = members
                .iter()
                .filter(|(name, _)| !names.contains(name.as_str()));
            let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
            Ok(Value::Object(kept.collect()))
        }
        other => {
            let message = format!(
                "A list or an object is needed here, not {}.",
                kind_of(other)
            );
            Err(Fault::new(EvaluateErrorKind::Type, message))
        }
    }
}

/// The same for values that are the same here.
fn spelling(value: &Value) -> String {
    match value {
        Value::String(text) => format!("={text}"),
        Value::Number(number) => format!("={number}"),
        other => other.to_string(),
    }
}

/// What makes these members so, as a JSON Patch (RFC 6902): an `add` for each, which replaces what is there, and a `remove`
/// for one that is null. Of an object in an object the members alone, so that what it has besides stays; a list is one value.
///
/// # Errors
///
/// If it is no object, or the list would be too large.
pub(super) fn json_patch(object: &Value) -> Result<Value, Fault> {
    let mut operations = Vec::new();
    let mut room = MAX_RESULT_BYTES;
    collect(members_of(object)?, "", &mut operations, &mut room)?;
    Ok(Value::Array(operations))
}

fn members_of(object: &Value) -> Result<&Map<String, Value>, Fault> {
    object.as_object().ok_or_else(|| {
        let message = format!("An object is needed here, not {}.", kind_of(object));
        Fault::new(EvaluateErrorKind::Type, message)
    })
}

/// Adds the operations for members below a path. `room` is how many bytes of paths there may be.
fn collect(
    members: &Map<String, Value>,
    parent: &str,
    operations: &mut Vec<Value>,
    room: &mut usize,
) -> Result<(), Fault> {
    for (name, value) in members {
        let path = format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"));
        *room = room.checked_sub(path.len()).ok_or_else(Fault::too_large)?;
        match value {
            Value::Null => operations.push(json!({ "op": "remove", "path": path })),
            Value::Object(inner) if !inner.is_empty() => {
                collect(inner, &path, operations, room)?;
            }
            value => operations.push(json!({ "op": "add", "path": path, "value": value })),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_list_of_pairs() {
        let object = json!({ "b": 1, "a": { "c": null } });
        let expected =
            json!([{ "Name": "b", "Value": 1 }, { "Name": "a", "Value": { "c": null } }]);
        assert_eq!(pairs(&object, "Name", "Value").ok(), Some(expected));
        assert_eq!(pairs(&json!({}), "n", "v").ok(), Some(json!([])));
        assert!(pairs(&json!([1]), "n", "v").is_err());
    }

    #[test]
    fn several_objects_become_one() {
        let merge = |list: Value| merged(list.as_array().unwrap().iter()).ok();
        let list = json!([{ "a": 1, "b": 1 }, null, {}, { "b": 2 }]);
        assert_eq!(merge(list), Some(json!({ "a": 1, "b": 2 })));
        assert_eq!(merge(json!([])), Some(json!({})));
        assert_eq!(merge(json!([{ "a": 1 }, "a"])), None);
    }

    #[test]
    fn a_patch_touches_nothing_but_what_is_named() {
        let fields = json!({
            "name": "Ada",
            "phone": null,
            "address": { "city": "Wien", "a/b~c": null },
            "empty": {},
            "tags": ["x", { "y": null }],
        });
        let expected = json!([
            { "op": "add", "path": "/name", "value": "Ada" },
            { "op": "remove", "path": "/phone" },
            { "op": "add", "path": "/address/city", "value": "Wien" },
            { "op": "remove", "path": "/address/a~1b~0c" },
            { "op": "add", "path": "/empty", "value": {} },
            { "op": "add", "path": "/tags", "value": ["x", { "y": null }] },
        ]);
        assert_eq!(json_patch(&fields).ok(), Some(expected));
        assert!(json_patch(&json!("x")).is_err());
    }
}
