//! What filters do with a value.
//!
//! Absent stays absent through every filter but `default`, and null stays null.

use std::{borrow::Cow, collections::HashSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, tz::TimeZone};
use regex::Regex;
use serde_json::{Number, Value};

use crate::mapping::{
    address,
    value::time::{format_time, parse_instant},
};

use super::{
    EvaluateErrorKind, Fault, MAX_RESULT_BYTES,
    ast::{Filter, Node},
    evaluate::{Outcome, Scope, into_element},
    is_true, objects,
    operators::is_blank,
    text::{kind_of, text_of},
};

/// The most elements a filter may make of a text.
const MAX_PARTS: usize = MAX_RESULT_BYTES / 8;

/// Epoch numbers from here on are milliseconds: as seconds they would lie in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

pub(super) fn apply<'v>(
    filter: &'v Filter,
    value: Option<Cow<'v, Value>>,
    scope: Scope<'v>,
) -> Outcome<'v> {
    if let Filter::Default(fallback) = filter {
        return match value.filter(|v| !is_blank(v)) {
            Some(value) => Ok(Some(value)),
            None => scope.value(fallback),
        };
    }
    let Some(value) = value else {
        return Ok(None);
    };
    if value.is_null() && !matches!(filter, Filter::Json) {
        return Ok(Some(value));
    }
    match filter {
        Filter::First => Ok(end(value, 0)),
        Filter::Last => Ok(end(value, -1)),
        Filter::Primary => Ok(primary(value)),
        _ => match with_arguments(filter, &value, scope) {
            Some(outcome) => outcome,
            None => Ok(convert(filter, &value)?.map(Cow::Owned)),
        },
    }
}

/// The filters that take arguments; absent for the others.
fn with_arguments<'v>(filter: &'v Filter, value: &Value, scope: Scope<'v>) -> Option<Outcome<'v>> {
    let text_of_argument = |node: &'v Node| argument(scope.value(node)?);
    let outcome = match filter {
        Filter::Split(separator, index) => text_of_argument(separator)
            .and_then(|separator| split(value, &separator, index.as_ref(), scope)),
        Filter::Join(separator) => text_of_argument(separator)
            .and_then(|separator| join(value, &separator))
            .map(some),
        Filter::Replace(from, to) => text_of_argument(from)
            .and_then(|from| replace(value, &from, &text_of_argument(to)?))
            .map(some),
        Filter::Cut(count) => scope
            .value(count)
            .and_then(|count| cut(value, count.and_then(|c| c.as_u64())))
            .map(some),
        Filter::Where(key, wanted) => text_of_argument(key)
            .and_then(|key| Ok(matching(value, &key, scope.value(wanted)?.as_deref(), true)))
            .map(some),
        Filter::Without(key, unwanted) => text_of_argument(key)
            .and_then(|key| {
                Ok(matching(
                    value,
                    &key,
                    scope.value(unwanted)?.as_deref(),
                    false,
                ))
            })
            .map(some),
        Filter::Less(unwanted) => scope
            .value(unwanted)
            .and_then(|unwanted| objects::without(value, unwanted.as_deref()))
            .map(some),
        Filter::Values(key) => text_of_argument(key).map(|key| some(values(value, &key))),
        Filter::Wrap(key) => text_of_argument(key)
            .and_then(|key| wrapped(value, &key))
            .map(some),
        Filter::Pairs(name, content) => text_of_argument(name)
            .and_then(|name| objects::pairs(value, &name, &text_of_argument(content)?))
            .map(some),
        Filter::Quoted(sign, escape) => text_of_argument(sign)
            .and_then(|sign| {
                let escape = escape.as_ref().map(text_of_argument).transpose()?;
                quoted(&text(value)?, &sign, escape.as_deref())
            })
            .map(some),
        Filter::Lookup(table) => scope
            .value(table)
            .and_then(|table| lookup(value, table.as_deref())),
        _ => return None,
    };
    Some(outcome)
}

/// The filters that look at nothing but the value.
fn convert(filter: &Filter, value: &Value) -> Result<Option<Value>, Fault> {
    Ok(match filter {
        Filter::Lower => Some(Value::String(text(value)?.to_lowercase())),
        Filter::Upper => Some(Value::String(text(value)?.to_uppercase())),
        Filter::Trim => Some(Value::String(text(value)?.trim().to_owned())),
        Filter::String => Some(Value::String(text(value)?.into_owned())),
        Filter::Match(regex, group) => found(regex, *group, &text(value)?),
        Filter::Date(format, zone) => date(value, format, zone),
        Filter::Int => integer(value),
        Filter::Bool => truth(value),
        Filter::Length => Some(Value::from(length(value)?)),
        Filter::Base64 => {
            let text = text(value)?;
            if text.len() > MAX_RESULT_BYTES / 4 * 3 {
                return Err(Fault::too_large());
            }
            Some(Value::String(STANDARD.encode(text.as_bytes())))
        }
        Filter::Json => {
            let json = value.to_string();
            if json.len() > MAX_RESULT_BYTES {
                return Err(Fault::too_large());
            }
            Some(Value::String(json))
        }
        Filter::Unique => Some(unique(value)),
        Filter::Slug => Some(Value::String(slug(&text(value)?))),
        Filter::Local => Some(Value::from(address::local_of(&text(value)?))),
        Filter::Domain => address::domain_of(&text(value)?).map(Value::String),
        Filter::Untagged => Some(Value::String(address::untagged(&text(value)?))),
        Filter::Merge => Some(objects::merged(elements(value))?),
        Filter::Patch => Some(objects::json_patch(value)?),
        Filter::Regex => Some(Value::String(escaped(&text(value)?, REGEX_SIGNS)?)),
        Filter::Like => Some(Value::String(escaped(&text(value)?, LIKE_SIGNS)?)),
        _ => None,
    })
}

fn some<'v>(value: Value) -> Option<Cow<'v, Value>> {
    Some(Cow::Owned(value))
}

/// Lower-case ASCII letters and digits, and one hyphen for each run of anything else in between: `Sales & Co` is
/// `sales-co`. May be empty.
fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// What means something in every common kind of regular expression; anything else stands for itself with and without `\`.
const REGEX_SIGNS: &[char] = &[
    '\\', '^', '$', '.', '|', '?', '*', '+', '(', ')', '[', ']', '{', '}',
];

/// What means something in SQL's `LIKE`.
const LIKE_SIGNS: &[char] = &['\\', '%', '_'];

/// A text with `\` before each of these signs.
fn escaped(text: &str, signs: &[char]) -> Result<String, Fault> {
    if text.len().saturating_mul(2) > MAX_RESULT_BYTES {
        return Err(Fault::too_large());
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if signs.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    Ok(escaped)
}

/// A text between two quote signs. A quote sign in it is doubled, or has the escape sign before it, as an escape sign
/// in it has then.
fn quoted(text: &str, sign: &str, escape: Option<&str>) -> Result<Value, Fault> {
    if sign.is_empty() || escape == Some("") {
        let message = "The quote sign and the escape sign of `quoted` are not empty.";
        return Err(Fault::new(EvaluateErrorKind::Type, message));
    }
    let longest = escape.map_or(0, str::len) + sign.len() + 1;
    if text.len().saturating_add(2).saturating_mul(longest) > MAX_RESULT_BYTES {
        return Err(Fault::too_large());
    }
    let inner = match escape.filter(|escape| *escape != sign) {
        None => text.replace(sign, &sign.repeat(2)),
        Some(escape) => text
            .replace(escape, &escape.repeat(2))
            .replace(sign, &format!("{escape}{sign}")),
    };
    Ok(Value::String(format!("{sign}{inner}{sign}")))
}

/// A scalar as text.
fn text(value: &Value) -> Result<Cow<'_, str>, Fault> {
    text_of(value).ok_or_else(|| {
        let message = format!("A text is needed here, not {}.", kind_of(value));
        Fault::new(EvaluateErrorKind::Type, message)
    })
}

/// An argument that must be a text.
fn argument(value: Option<Cow<'_, Value>>) -> Result<String, Fault> {
    match value {
        Some(value) => text(&value).map(Cow::into_owned),
        None => {
            let message = "An argument of a filter is absent.";
            Err(Fault::new(EvaluateErrorKind::Absent, message))
        }
    }
}

/// The elements of a list; anything else is its own only element.
fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

/// The first or last element; a single value is both.
fn end(value: Cow<'_, Value>, index: i64) -> Option<Cow<'_, Value>> {
    match value.is_array() {
        true => into_element(value, index),
        false => Some(value),
    }
}

/// The element flagged primary, else the one of type work, else the first.
fn primary(value: Cow<'_, Value>) -> Option<Cow<'_, Value>> {
    let Some(items) = value.as_array() else {
        return Some(value);
    };
    let flagged = |e: &Value| e.get("primary") == Some(&Value::Bool(true));
    let is_work = |e: &Value| e.get("type").and_then(Value::as_str) == Some("work");
    let index = items
        .iter()
        .position(flagged)
        .or_else(|| items.iter().position(is_work))
        .unwrap_or(0);
    into_element(value, i64::try_from(index).unwrap_or(0))
}

fn split<'v>(
    value: &Value,
    separator: &str,
    index: Option<&'v Node>,
    scope: Scope<'v>,
) -> Outcome<'v> {
    let text = text(value)?;
    if separator.is_empty() {
        let message = "The separator of `split` is empty.";
        return Err(Fault::new(EvaluateErrorKind::Type, message));
    }
    let parts: Vec<Value> = text
        .split(separator)
        .take(MAX_PARTS + 1)
        .map(Value::from)
        .collect();
    if parts.len() > MAX_PARTS {
        return Err(Fault::too_large());
    }
    let parts = Cow::Owned(Value::Array(parts));
    let Some(index) = index else {
        return Ok(Some(parts));
    };
    let index = scope.value(index)?.and_then(|v| v.as_i64());
    Ok(index.and_then(|index| into_element(parts, index)))
}

/// The first characters; none without a count.
fn cut(value: &Value, count: Option<u64>) -> Result<Value, Fault> {
    let count = usize::try_from(count.unwrap_or(0)).unwrap_or(usize::MAX);
    let front: String = text(value)?.chars().take(count).collect();
    Ok(Value::String(front))
}

/// The member of each element that has it.
fn values(value: &Value, key: &str) -> Value {
    elements(value)
        .filter_map(|e| e.get(key))
        .cloned()
        .collect()
}

/// The member of a table that the value names.
fn lookup<'v>(value: &Value, table: Option<&Value>) -> Outcome<'v> {
    let key = text(value)?;
    let found = table.and_then(|table| table.get(&*key));
    Ok(found.cloned().map(Cow::Owned))
}

/// The elements as one text; those that are null are left out.
fn join(value: &Value, separator: &str) -> Result<Value, Fault> {
    let mut joined = String::new();
    let mut is_first = true;
    for element in elements(value).filter(|e| !e.is_null()) {
        let part = text(element)?;
        if joined.len() + separator.len() + part.len() > MAX_RESULT_BYTES {
            return Err(Fault::too_large());
        }
        if !is_first {
            joined.push_str(separator);
        }
        is_first = false;
        joined.push_str(&part);
    }
    Ok(Value::String(joined))
}

fn replace(value: &Value, from: &str, to: &str) -> Result<Value, Fault> {
    let text = text(value)?;
    if from.is_empty() {
        return Ok(Value::String(text.into_owned()));
    }
    let count = text.matches(from).count();
    let longer = to.len().saturating_sub(from.len());
    if text.len().saturating_add(count.saturating_mul(longer)) > MAX_RESULT_BYTES {
        return Err(Fault::too_large());
    }
    Ok(Value::String(text.replace(from, to)))
}

/// The elements whose member has the value, or those whose member has not.
fn matching(value: &Value, key: &str, wanted: Option<&Value>, has_it: bool) -> Value {
    let is_chosen = |element: &&Value| {
        let member = element.get(key).unwrap_or(&Value::Null);
        (member == wanted.unwrap_or(&Value::Null)) == has_it
    };
    Value::Array(elements(value).filter(is_chosen).cloned().collect())
}

/// Each element as the only member of an object.
fn wrapped(value: &Value, key: &str) -> Result<Value, Fault> {
    let items: Vec<&Value> = elements(value).collect();
    if items.len() * (key.len() + 8) > MAX_RESULT_BYTES {
        return Err(Fault::too_large());
    }
    let object =
        |item: &Value| Value::Object([(key.to_owned(), item.clone())].into_iter().collect());
    Ok(Value::Array(items.into_iter().map(object).collect()))
}

/// What a regular expression matches: the group asked for, else its first group, else the whole match.
fn found(regex: &Regex, group: Option<usize>, text: &str) -> Option<Value> {
    let captures = regex.captures(text)?;
    let group = group.unwrap_or(usize::from(regex.captures_len() > 1));
    captures.get(group).map(|m| Value::from(m.as_str()))
}

/// A time as text; absent if the value is no time. Numbers are seconds since 1970, large ones milliseconds.
fn date(value: &Value, format: &str, zone: &TimeZone) -> Option<Value> {
    let instant = match value {
        Value::Number(number) => match number.as_i64()? {
            ms if ms.abs() >= FIRST_MILLISECONDS => Timestamp::from_millisecond(ms).ok()?,
            seconds => Timestamp::from_second(seconds).ok()?,
        },
        other => parse_instant(other.as_str()?, &TimeZone::UTC)?,
    };
    format_time(instant, format, zone).map(Value::String)
}

/// A whole number; absent if the value is none.
fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(b) => Some(Value::from(u8::from(*b))),
        Value::Number(n) if n.is_i64() || n.is_u64() => Some(value.clone()),
        Value::Number(n) => whole(n.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<i64>() {
                Ok(number) => Some(Value::from(number)),
                Err(_) => whole(text.parse().ok()?),
            }
        }
        _ => None,
    }
}

/// A number without its fraction; absent beyond 2^53, where it would not be exact.
fn whole(number: f64) -> Option<Value> {
    let number = number.trunc();
    let is_exact = number.abs() <= 9_007_199_254_740_992.0;
    is_exact.then(|| Value::Number(Number::from(number as i64)))
}

/// True or false; absent for a text that is neither.
fn truth(value: &Value) -> Option<Value> {
    let truth = match value {
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" | "t" => true,
            "false" | "0" | "no" | "n" | "off" | "f" | "" => false,
            _ => return None,
        },
        other => is_true(other),
    };
    Some(Value::Bool(truth))
}

/// Elements, members, or characters.
fn length(value: &Value) -> Result<usize, Fault> {
    match value {
        Value::Array(items) => Ok(items.len()),
        Value::Object(members) => Ok(members.len()),
        other => text(other).map(|t| t.chars().count()),
    }
}

/// Each element once, in order of first appearance.
fn unique(value: &Value) -> Value {
    let mut seen = HashSet::new();
    let once = elements(value).filter(|e| seen.insert(e.to_string()));
    Value::Array(once.cloned().collect())
}
