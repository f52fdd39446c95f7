//! Values in the type their attribute has (RFC 7643 §2.3).

use jiff::tz::TimeZone;
use serde_json::{Number, Value};

use crate::{mapping::expression::text_of, scim::AttributeType};

use super::time::parse_instant;

/// The value in the attribute's type. Absent if it cannot be: a list, null, a word where a number belongs.
///
/// Applications write booleans as 0 and 1, numbers as text, and times without an offset (taken as UTC).
pub(crate) fn coerce(value: &Value, kind: AttributeType) -> Option<Value> {
    match kind {
        AttributeType::String | AttributeType::Binary | AttributeType::Reference => {
            text_of(value).map(|text| Value::String(text.into_owned()))
        }
        AttributeType::Boolean => boolean(value).map(Value::Bool),
        AttributeType::Integer => integer(value),
        AttributeType::Decimal => match value {
            Value::Number(_) => Some(value.clone()),
            Value::String(text) => number(text),
            _ => None,
        },
        AttributeType::DateTime => date_time(value.as_str()?),
        AttributeType::Complex => value.is_object().then(|| value.clone()),
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match text_of(value)?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Number(number) => number.clone(),
        Value::String(text) => match number(text)? {
            Value::Number(number) => number,
            _ => return None,
        },
        _ => return None,
    };
    let is_whole = number.is_i64() || number.is_u64();
    is_whole.then_some(Value::Number(number))
}

/// A number from text, a whole one exact.
pub(super) fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::from(whole));
    }
    Number::from_f64(text.parse().ok()?).map(Value::Number)
}

/// A text that is RFC 3339 stays as it is; other spellings of ISO 8601 become it.
fn date_time(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.parse::<jiff::Timestamp>().is_ok() && text.contains('T') {
        return Some(Value::from(text));
    }
    let instant = parse_instant(text, &TimeZone::UTC)?;
    Some(Value::String(instant.to_string()))
}
