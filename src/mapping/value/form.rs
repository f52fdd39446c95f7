//! Forms: how one value is spelled over there.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Number, Value};

use crate::mapping::{expression::text_of, model::Form};

use super::{
    kind::number,
    time::{format_time, parse_instant, parse_time, time_zone},
};

/// The SCIM value of a field; its type is still the field's. Absent if it is not of the form.
pub(super) fn decode<'v>(form: &Form, raw: &'v Value) -> Option<Cow<'v, Value>> {
    match form {
        Form::Same | Form::String | Form::Integer | Form::Lower => Some(Cow::Borrowed(raw)),
        Form::BooleanText(yes, no) => match raw {
            Value::Bool(_) => Some(Cow::Borrowed(raw)),
            other => truth(&text_of(other)?, yes, no).map(|b| Cow::Owned(Value::Bool(b))),
        },
        Form::EpochSeconds => epoch(raw, 1000.0).map(|t| Cow::Owned(instant(t))),
        Form::EpochMilliseconds => epoch(raw, 1.0).map(|t| Cow::Owned(instant(t))),
        Form::Time { pattern, zone } => {
            let zone = time_zone(zone)?;
            parse_time(&text_of(raw)?, pattern, &zone).map(|t| Cow::Owned(instant(t)))
        }
        Form::Joined(separator) => match raw {
            Value::Array(_) => Some(Cow::Borrowed(raw)),
            scalar => Some(Cow::Owned(parts(&text_of(scalar)?, separator))),
        },
    }
}

/// The field's value of a SCIM value. Absent if the value has none in this form.
pub(super) fn encode(form: &Form, value: &Value) -> Option<Value> {
    match form {
        Form::Same => Some(value.clone()),
        Form::String => text_of(value).map(|text| Value::String(text.into_owned())),
        Form::Integer => whole(value),
        Form::BooleanText(yes, no) => {
            let is_true = match value {
                Value::Bool(b) => *b,
                other => truth(&text_of(other)?, "true", "false")?,
            };
            Some(Value::from(if is_true { yes.as_str() } else { no }))
        }
        Form::EpochSeconds => moment(value).map(|t| Value::from(t.as_second())),
        Form::EpochMilliseconds => moment(value).map(|t| Value::from(t.as_millisecond())),
        Form::Time { pattern, zone } => {
            format_time(moment(value)?, pattern, &time_zone(zone)?).map(Value::String)
        }
        Form::Joined(separator) => joined(value, separator),
        Form::Lower => match value {
            Value::String(text) => Some(Value::String(text.to_lowercase())),
            other => Some(other.clone()),
        },
    }
}

fn truth(text: &str, yes: &str, no: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(yes) {
        return Some(true);
    }
    text.eq_ignore_ascii_case(no).then_some(false)
}

fn instant(time: Timestamp) -> Value {
    Value::String(time.to_string())
}

fn moment(value: &Value) -> Option<Timestamp> {
    parse_instant(value.as_str()?, &TimeZone::UTC)
}

/// A point in time from a number or its text, of which `unit` milliseconds are one.
fn epoch(raw: &Value, unit: f64) -> Option<Timestamp> {
    let number = match raw {
        Value::String(text) => number(text)?,
        other => other.clone(),
    };
    let milliseconds = match number.as_i64() {
        Some(whole) => whole.checked_mul(unit as i64)?,
        None => {
            let milliseconds = (number.as_f64()? * unit).round();
            // Far beyond every calendar, and still exact as an integer.
            if milliseconds.abs() > 1e15 {
                return None;
            }
            milliseconds as i64
        }
    };
    Timestamp::from_millisecond(milliseconds).ok()
}

fn whole(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(b) => Some(Value::from(u8::from(*b))),
        Value::Number(n) if n.is_i64() || n.is_u64() => Some(value.clone()),
        Value::Number(n) => {
            let float = n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15)?;
            Some(Value::Number(Number::from(float as i64)))
        }
        Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
        _ => None,
    }
}

/// The parts of a joined text, without space around and without empty ones.
fn parts(text: &str, separator: &str) -> Value {
    let part = |part: &str| (!part.trim().is_empty()).then(|| Value::from(part.trim()));
    match separator.is_empty() {
        true => part(text).into_iter().collect(),
        false => text.split(separator).filter_map(part).collect(),
    }
}

/// A list as one text; an element of a complex attribute counts by its `value`.
fn joined(value: &Value, separator: &str) -> Option<Value> {
    let Value::Array(items) = value else {
        return text_of(value).map(|text| Value::String(text.into_owned()));
    };
    let texts: Option<Vec<_>> = items
        .iter()
        .map(|item| text_of(item.get("value").unwrap_or(item)))
        .collect();
    Some(Value::String(texts?.join(separator)))
}
