//! Where a reply has its list, and whether it is a refusal though its status is 200.

use std::cmp::Reverse;

use serde_json::Value;

use super::super::{
    fields, id,
    names::{self, normal},
};

/// A list and the steps to it.
type Found<'v> = (Vec<String>, &'v Vec<Value>);

/// Where the rows are, and the rows: the reply itself, or the likeliest list of objects in it; or else a list of texts or
/// numbers, which are ids.
pub(super) fn rows(body: &Value) -> Option<Found<'_>> {
    let all = lists(body);
    let of_objects = all
        .iter()
        .filter(|(_, rows)| rows.iter().all(Value::is_object));
    let best = of_objects.max_by_key(|(path, rows)| likelihood(path, rows));
    if let Some(found) = best {
        return Some(found.clone());
    }
    let is_id = |row: &Value| row.is_string() || row.is_u64();
    let mut bare = all.into_iter().filter(|(path, rows)| {
        path.len() <= DEEPEST_IDS && !rows.is_empty() && rows.iter().all(is_id)
    });
    bare.next()
}

/// The list in the reply itself is the rows; then the one whose rows have an id and a name; then the outermost, and of two
/// beside each other the longer one.
fn likelihood(path: &[String], rows: &[Value]) -> (bool, usize, Reverse<usize>, usize) {
    let likeness = match (rows.first(), path.last()) {
        (Some(row), _) => likeness(row),
        (None, Some(name)) if names::is_noun(name) => 1,
        (None, _) => 0,
    };
    (path.is_empty(), likeness, Reverse(path.len()), rows.len())
}

/// 2 if a row has an id and a name, 1 if it has one of them.
fn likeness(row: &Value) -> usize {
    let members: Vec<String> = row
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys().map(|name| normal(name)))
        .collect();
    let is_named = |name: &String| {
        [&names::USER, &names::GROUP].iter().any(|kind| {
            let usual = kind
                .fields
                .iter()
                .filter(|usual| IS_NAME.contains(&usual.attribute));
            usual
                .flat_map(|usual| usual.fields)
                .any(|known| known == name)
        })
    };
    let is_id = |name: &String| !name.is_empty() && id::USUAL.contains(&name.as_str());
    usize::from(members.iter().any(is_id)) + usize::from(members.iter().any(is_named))
}

/// All lists, the outermost first; none of complaints.
fn lists(body: &Value) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut waiting = vec![(Vec::new(), body)];
    let mut at = 0;
    while let Some((path, value)) = waiting.get(at).cloned() {
        at += 1;
        if let Some(rows) = value.as_array() {
            found.push((path, rows));
            continue;
        }
        let members = value.as_object().filter(|_| path.len() < DEEPEST);
        for (name, value) in members.into_iter().flatten() {
            if !is_complaint(name) {
                let path = path.iter().cloned().chain([name.clone()]);
                waiting.push((path.collect(), value));
            }
        }
    }
    found
}

/// Whether a member says what went wrong.
fn is_complaint(name: &str) -> bool {
    COMPLAINTS.contains(&normal(name).as_str())
}

/// What a reply says that is a refusal whatever its status: complaints, and nothing else. With it whether it is GraphQL's.
pub(super) fn refusal(body: &Value) -> Option<(String, bool)> {
    let members = body.as_object()?;
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(Value::is_null),
        _ => false,
    };
    let (name, complaint) = members.iter().find(|(name, value)| {
        ["errors", "error"].contains(&normal(name).as_str()) && !is_empty(value)
    })?;
    let has_more = members.iter().any(|(name, value)| {
        !is_complaint(name) && !is_empty(value) && !value.is_string() && !value.is_number()
    });
    if has_more && rows(body).is_some() {
        return None;
    }
    let is_graphql = is_graphql(body);
    let words = words(complaint).unwrap_or_else(|| format!("`{name}` is not empty"));
    Some((words, is_graphql))
}

/// Whether a reply has GraphQL's form of a refusal: `errors`, each with a `message`.
pub(super) fn is_graphql(body: &Value) -> bool {
    let errors = body.get("errors").and_then(Value::as_array);
    errors.is_some_and(|errors| {
        !errors.is_empty()
            && errors
                .iter()
                .all(|error| error.get("message").is_some_and(Value::is_string))
    })
}

/// The first text of a complaint, and its code.
fn words(complaint: &Value) -> Option<String> {
    let first = complaint.get(0).unwrap_or(complaint);
    let text = match first {
        Value::String(text) => Some(text.as_str()),
        _ => ["message", "msg", "detail", "error", "title", "description"]
            .iter()
            .find_map(|name| first.get(name)?.as_str()),
    }?;
    let text: String = text.lines().next()?.chars().take(MOST_WORDS).collect();
    let code = first
        .pointer("/extensions/code")
        .or_else(|| first.get("code"));
    Some(match code.and_then(Value::as_str) {
        Some(code) => format!("{text} ({code})"),
        None => text,
    })
}

/// Says that there is no list, and where it was looked for.
pub(super) fn none(body: &Value) -> String {
    let mut places = Vec::new();
    let mut waiting = vec![(String::from("$"), 0, body)];
    let mut at = 0;
    while let Some((path, depth, value)) = waiting.get(at).cloned() {
        at += 1;
        let members = value.as_object().filter(|_| depth < DEEPEST);
        for (name, value) in members.into_iter().flatten() {
            let path = format!("{path}.{name}");
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                Value::String(_) => "a text",
                Value::Array(_) if is_complaint(name) => "a list of complaints",
                Value::Array(_) => "a list of neither objects nor ids",
                Value::Object(_) => "an object",
            };
            places.push(format!("`{path}` is {kind}"));
            waiting.push((path, depth + 1, value));
        }
    }
    let looked = if body.is_null() {
        "It is no JSON, or null.".to_owned()
    } else if places.is_empty() {
        "Nothing is in it.".to_owned()
    } else {
        let more = places.len().saturating_sub(MOST_PLACES);
        places.truncate(MOST_PLACES);
        let rest = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        format!(
            "Looked at, {DEEPEST} levels deep: {}{rest}.",
            places.join("; ")
        )
    };
    format!("the reply has no list: neither objects nor ids (texts or numbers). {looked}")
}

/// Takes out of a refusal what nobody should be shown: traces, and whatever is no short text on one line.
pub(super) fn short(refusal: &mut Value) {
    match refusal {
        Value::Object(members) => {
            members.retain(|name, value| !fields::is_trace(name) && is_short(value));
            members.values_mut().for_each(short);
        }
        Value::Array(items) => {
            items.retain(is_short);
            items.iter_mut().for_each(short);
        }
        _ => {}
    }
}

fn is_short(value: &Value) -> bool {
    let text = value.as_str();
    text.is_none_or(|text| text.chars().count() <= MOST_WORDS && !text.trim().contains('\n'))
}

/// Members that are no rows, whatever they hold.
const COMPLAINTS: &[&str] = &["errors", "error", "messages", "warnings"];
/// Attributes whose fields are names.
const IS_NAME: &[&str] = &[
    "userName",
    "displayName",
    "name.givenName",
    "name.familyName",
    "emails[type eq \"work\"].value",
];
/// How deep a list stands in a reply at most: `$.data.customers.items` is 3.
const DEEPEST: usize = 4;
/// How deep a list of ids alone does.
const DEEPEST_IDS: usize = 2;
/// How many characters of a refusal are words for people.
const MOST_WORDS: usize = 300;
/// How many places are named where no list was found.
const MOST_PLACES: usize = 12;
