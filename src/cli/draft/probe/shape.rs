//! The schemas that replies would have.

use serde_json::{Map, Value, json};

use super::super::names::normal;

/// The schema a value would have.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(text) if is_address(text) => json!({"type": "string", "format": "email"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let items = items.iter().map(shape).fold(Value::Null, merged);
            json!({"type": "array", "items": if items.is_null() { json!({}) } else { items }})
        }
        Value::Object(members) => {
            let properties: Map<String, Value> = members
                .iter()
                .map(|(name, value)| (name.clone(), shape(value)))
                .collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

/// Two schemas of the same thing as one: what one row lacks another has.
pub(super) fn merged(one: Value, other: Value) -> Value {
    let is_vague = |schema: &Value| schema.as_object().is_none_or(Map::is_empty);
    if is_vague(&one) {
        return other;
    }
    if is_vague(&other) {
        return one;
    }
    let mut result = one;
    if let (Some(mine), Some(theirs)) = (
        result.get_mut("properties").and_then(Value::as_object_mut),
        other.get("properties").and_then(Value::as_object),
    ) {
        for (name, schema) in theirs {
            let known = mine.get(name).cloned().unwrap_or(Value::Null);
            mine.insert(name.clone(), merged(known, schema.clone()));
        }
    }
    result
}

/// The schema of an object as it is written: its id is not.
pub(super) fn writable(mut schema: Value, id: Option<&str>) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| {
            Some(name.as_str()) != id && !["id", "uuid", "guid"].contains(&normal(name).as_str())
        });
    }
    schema
}

/// Whether a text looks like an e-mail address: what holds one is the address, whatever its name.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !text.contains(char::is_whitespace)
            && !domain.contains('@')
    })
}
