//! The field that says whether an account may be used: a flag, its opposite, or a word among several.

use serde_json::Value;

use super::{
    document::{list, type_of},
    fields::Field,
    names::normal,
    sheet::{Row, literal, scalar},
};

/// The line of `active` and its field. With `has_switch` there are calls of their own for it, and the field is read only.
pub(super) fn line<'f>(
    fields: &'f [Field<'_>],
    used: &[&str],
    has_switch: bool,
) -> Option<(Row, &'f str)> {
    let mut free = fields
        .iter()
        .filter(|field| !used.contains(&field.path.as_str()));
    let (field, pairs) = free.find_map(|field| Some((field, meaning(field)?)))?;
    let mut parts = vec![format!("field = {}", literal(&field.path))];
    let mut guess = None;
    if let Meaning::Pairs { yes, no, others } = &pairs {
        parts.push(format!("values = {{ true = {yes}, false = {no} }}"));
        if !others.is_empty() {
            // An account that is invited or pending is not locked.
            parts.push("unknown = { read = { value = true } }".into());
            guess = Some(format!("{} count as active", others.join(", ")));
        } else if type_of(field.schema) != "boolean" {
            guess = Some("by the words".to_owned());
        }
    }
    if has_switch || !field.is_written() {
        parts.push("read-only = true".into());
    }
    let value = match parts.as_slice() {
        [_] => literal(&field.path),
        _ => format!("{{ {} }}", parts.join(", ")),
    };
    let row = Row::new("'active'", value);
    let row = match guess {
        Some(guess) => row.guess(guess),
        None => row,
    };
    Some((row, &field.path))
}

/// A field that is named like a state, whose values are not known.
pub(super) fn state<'f>(fields: &'f [Field<'_>]) -> Option<&'f str> {
    let is_state = |field: &&Field<'_>| {
        field.is_read
            && field.is_own()
            && ["string", "integer", ""].contains(&type_of(field.schema))
            && STATES.iter().any(|name| field.is_named(name))
    };
    fields
        .iter()
        .find(is_state)
        .map(|field| field.path.as_str())
}

/// What a field's values mean.
enum Meaning {
    /// The flag itself.
    Same,
    /// As TOML.
    Pairs {
        yes: String,
        no: String,
        others: Vec<String>,
    },
}

fn meaning(field: &Field<'_>) -> Option<Meaning> {
    let name = normal(field.path.rsplit('.').next().unwrap_or(&field.path));
    let bare = name.strip_prefix("is").unwrap_or(&name);
    match type_of(field.schema) {
        "boolean" if YES.contains(&bare) => Some(Meaning::Same),
        "boolean" if NO.contains(&bare) => Some(Meaning::Pairs {
            yes: "false".into(),
            no: "true".into(),
            others: Vec::new(),
        }),
        "string" | "integer" | "" if STATES.contains(&bare) => words(field.schema),
        _ => None,
    }
}

/// A word for active and one for inactive among the values.
fn words(schema: &Value) -> Option<Meaning> {
    let values: Vec<(Value, String)> = list(schema, "enum")
        .enumerate()
        .map(|(at, value)| (value.clone(), word(schema, at, value)))
        .collect();
    let find = |words: &[&str]| {
        words
            .iter()
            .find_map(|wanted| values.iter().find(|(_, word)| word == wanted))
    };
    let (yes, no) = (find(YES)?, find(NO)?);
    let others = values
        .iter()
        .filter(|value| *value != yes && *value != no)
        .map(|(value, word)| {
            if value.is_string() {
                format!("`{word}`")
            } else {
                format!("{value} ({word})")
            }
        })
        .collect();
    Some(Meaning::Pairs {
        yes: scalar(&yes.0)?,
        no: scalar(&no.0)?,
        others,
    })
}

/// The word for a value: text itself; a number by `x-enum-varnames` or by a description such as `1 active, 3 locked`.
fn word(schema: &Value, at: usize, value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return normal(text);
    }
    let named = ["x-enum-varnames", "x-enumNames"]
        .iter()
        .find_map(|key| list(schema, key).nth(at)?.as_str());
    if let Some(name) = named {
        return normal(name);
    }
    let description = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or("");
    let number = value.to_string();
    let mut words = description
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .by_ref()
        .find(|word| *word == number)
        .and_then(|_| words.next())
        .map(normal)
        .unwrap_or_default()
}

const STATES: &[&str] = &[
    "status",
    "state",
    "accountstatus",
    "userstatus",
    "accountstate",
    "lifecyclestate",
];
const YES: &[&str] = &[
    "active",
    "enabled",
    "activated",
    "accountenabled",
    "activeuser",
];
const NO: &[&str] = &[
    "inactive",
    "disabled",
    "deactivated",
    "suspended",
    "locked",
    "blocked",
    "banned",
    "accountdisabled",
    "archived",
    "terminated",
    "closed",
];
