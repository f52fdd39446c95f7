//! Comparisons and sums.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{
    EvaluateErrorKind, Fault, MAX_RESULT_BYTES,
    ast::Comparison,
    text::{kind_of, text_of},
};

/// Whether a value counts as none for `default` and `coalesce`: null or `""`.
pub(super) fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str() == Some("")
}

/// Compares two values. Absent equals null; an order there is between two numbers or two texts only.
pub(super) fn compare(left: Option<&Value>, how: Comparison, right: Option<&Value>) -> bool {
    let order = || order(left?, right?);
    match how {
        Comparison::Equal => is_equal(left, right),
        Comparison::Unequal => !is_equal(left, right),
        Comparison::Less => order() == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order() == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
        Comparison::In => is_in(left, right),
        Comparison::NotIn => !is_in(left, right),
    }
}

fn is_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null)) {
        (Value::Number(a), Value::Number(b)) => number_order(a, b) == Some(Ordering::Equal),
        (a, b) => a == b,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => number_order(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn number_order(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), _, _) => Some(a.cmp(&b)),
        (_, _, Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// An element of a list, a part of a text, a member of an object.
fn is_in(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(Value::Array(items))) => {
            items.iter().any(|item| is_equal(Some(left), Some(item)))
        }
        (Some(Value::String(part)), Some(Value::String(text))) => text.contains(part.as_str()),
        (Some(Value::String(name)), Some(Value::Object(members))) => members.contains_key(name),
        _ => false,
    }
}

/// The sum of two numbers, two lists put together, or text with a scalar. Null on a side gives null.
pub(super) fn add(left: &Value, right: &Value) -> Result<Value, Fault> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Number(a), Value::Number(b)) => add_numbers(a, b),
        (Value::Array(a), Value::Array(b)) => {
            if a.len() + b.len() > MAX_RESULT_BYTES / 8 {
                return Err(Fault::too_large());
            }
            Ok(Value::Array(a.iter().chain(b).cloned().collect()))
        }
        (a, b) if a.is_string() || b.is_string() => match (text_of(a), text_of(b)) {
            (Some(a), Some(b)) if a.len() + b.len() > MAX_RESULT_BYTES => Err(Fault::too_large()),
            (Some(a), Some(b)) => Ok(Value::String(a.into_owned() + &b)),
            _ => Err(not_addable(left, right)),
        },
        _ => Err(not_addable(left, right)),
    }
}

fn add_numbers(a: &Number, b: &Number) -> Result<Value, Fault> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64())
        && let Some(sum) = a.checked_add(b)
    {
        return Ok(Value::from(sum));
    }
    let sum = a.as_f64().unwrap_or_default() + b.as_f64().unwrap_or_default();
    Number::from_f64(sum)
        .map(Value::Number)
        .ok_or_else(Fault::too_large)
}

fn not_addable(left: &Value, right: &Value) -> Fault {
    let message = format!("{} and {} cannot be added.", kind_of(left), kind_of(right));
    Fault::new(EvaluateErrorKind::Type, message)
}
