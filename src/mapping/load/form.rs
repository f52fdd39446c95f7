//! Value tables and spellings: `values`, `unknown`, `as`.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    diagnostic::closest,
    mapping::{
        model::{Form, OnUnknown, TablePairs, ValueTable},
        value::time::PLAIN,
    },
    scim::{Attribute, AttributeType},
};

use super::{
    reader::Reader,
    shape::{Key, Kind, Shape, key},
    syntax,
    tree::{Content, Entry, Node},
};

static UNKNOWN_VALUE: Shape = Shape {
    name: "a replacement",
    about: "A value that stands for every unknown one.",
    keys: &[key(
        "value",
        Kind::Any,
        "required",
        "The value.",
        "\"other\"",
    )],
    base: None,
    others: None,
};

const UNKNOWN_KIND: Kind = Kind::OneOf(&[
    Kind::Choice(&["pass", "drop", "refuse"]),
    Kind::Table(&UNKNOWN_VALUE),
]);

static UNKNOWN: Shape = Shape {
    name: "`unknown`",
    about: "What happens to a value that is in no pair of `values`.",
    keys: &[
        key(
            "read",
            UNKNOWN_KIND,
            "\"drop\"",
            "The application's value is in no pair: passed on, left out, or `{ value = … }` instead.",
            "\"pass\"",
        ),
        key(
            "write",
            UNKNOWN_KIND,
            "\"refuse\"",
            "The client's value is in no pair: passed on, left out, refused with 400 `invalidValue`, or `{ value = … }` instead.",
            "\"drop\"",
        ),
    ],
    base: None,
    others: None,
};

static AS: Shape = Shape {
    name: "`as`",
    about: "A spelling with parameters.",
    keys: &[
        key(
            "time",
            Kind::Text,
            "",
            "A `strftime` pattern.",
            "\"%Y-%m-%d\"",
        ),
        key(
            "zone",
            Kind::Text,
            "\"UTC\"",
            "The time zone of times that name none, by its IANA name; with `time`.",
            "\"Europe/Vienna\"",
        ),
        key(
            "joined",
            Kind::Text,
            "",
            "A list as one text with this separator.",
            "\",\"",
        ),
        key(
            "boolean-text",
            Kind::Many(&Kind::Text),
            "",
            "The texts for true and false.",
            "[\"Y\", \"N\"]",
        ),
    ],
    base: None,
    others: None,
};

static FORM_WORDS: &[&str] = &[
    "string",
    "integer",
    "boolean-text",
    "epoch-seconds",
    "epoch-milliseconds",
    "joined",
    "lower",
    "time",
];

const UNKNOWN_KINDS: Kind = Kind::OneOf(&[
    Kind::Choice(&["pass", "drop", "refuse"]),
    Kind::Table(&UNKNOWN),
]);
pub(super) const AS_KINDS: Kind = Kind::OneOf(&[Kind::Choice(FORM_WORDS), Kind::Table(&AS)]);

pub(super) const VALUES_KEY: Key = key(
    "values",
    Kind::OneOf(&[Kind::Named(&Kind::Any), Kind::Text]),
    "values are the same on both sides",
    "Pairs of SCIM value and the application's value; or the name of a table `[values.NAME]`, which is read from the application.",
    "{ true = 1, false = 3 }",
);
pub(super) const UNKNOWN_KEY: Key = key(
    "unknown",
    UNKNOWN_KINDS,
    "left out when read, refused when written",
    "What happens to a value that is in no pair.",
    "{ read = \"drop\", write = \"refuse\" }",
);
pub(super) const AS_KEY: Key = key(
    "as",
    AS_KINDS,
    "spelled as in SCIM",
    "How the application spells the value: `string` and `integer` force the JSON type, `boolean-text` is \"1\" and \"0\", `joined` a list as text with commas, `lower` is lower case when written, `time` a time without zone (read with a fraction, a blank for the `T` and a zone as well).",
    "\"epoch-seconds\"",
);

/// The value table of a line whose SCIM side is the given attribute.
pub(super) fn values(reader: &Reader<'_>, leaf: &Attribute) -> Option<ValueTable> {
    if !reader.has("values") {
        if let Some(entry) = reader.entry("unknown") {
            reader.context.error(
                "mapping::conflicting-keys",
                &entry.place,
                "`unknown` has no meaning without `values`.".to_owned(),
                "add `values = { … }`",
            );
        }
        return None;
    }
    let pairs = pairs(reader, leaf)?;
    let (unknown_read, unknown_write) = unknown(reader);
    Some(ValueTable {
        pairs,
        unknown_read,
        unknown_write,
    })
}

/// Pairs in the line itself, or those of `[values.NAME]`.
fn pairs(reader: &Reader<'_>, leaf: &Attribute) -> Option<TablePairs> {
    let node = reader.node("values")?;
    let Some(name) = node.as_text() else {
        let pairs = reader.named("values").iter().filter_map(|entry| {
            Some((
                scim_value(reader, entry, leaf)?,
                syntax::data(reader.context, &entry.node),
            ))
        });
        return Some(TablePairs::Fixed(pairs.collect()));
    };
    let known = reader.context.look_ups.borrow();
    if let Some(found) = known.iter().find(|table| table.name == name) {
        return Some(TablePairs::LookedUp(Arc::clone(found)));
    }
    let mending = match closest(name, known.iter().map(|table| table.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "add `[values.{name}]`: `call` and `items` read its rows, `scim` and `value` are the two sides in a row"
        ),
    };
    reader.context.error(
        "mapping::unknown-value-table",
        &node.place,
        format!("There is no table `[values.{name}]`."),
        &mending,
    );
    None
}

/// A key of `values` in the attribute's type.
fn scim_value(reader: &Reader<'_>, entry: &Entry, leaf: &Attribute) -> Option<Value> {
    let text = entry.key.as_str();
    let (value, expected) = match leaf.kind {
        AttributeType::Boolean => (
            text.parse::<bool>().ok().map(Value::from),
            "`true` or `false`",
        ),
        AttributeType::Integer => (text.parse::<i64>().ok().map(Value::from), "a whole number"),
        AttributeType::Decimal => (text.parse::<f64>().ok().map(Value::from), "a number"),
        _ => return Some(Value::from(text)),
    };
    if value.is_none() {
        reader.context.error(
            "mapping::bad-value",
            &entry.place,
            format!("`{text}` is not a value of `{}`.", leaf.name),
            &format!(
                "the keys are SCIM's values, {expected} here; the values are the application's"
            ),
        );
    }
    value
}

fn unknown(reader: &Reader<'_>) -> (OnUnknown, OnUnknown) {
    let defaults = (OnUnknown::Drop, OnUnknown::Refuse);
    let Some(node) = reader.node("unknown") else {
        return defaults;
    };
    if node.as_text().is_some() {
        return match on_unknown(reader, "unknown") {
            Some(one) => (one.clone(), one),
            None => defaults,
        };
    }
    let Some(both) = reader.table("unknown") else {
        return defaults;
    };
    (
        on_unknown(&both, "read").unwrap_or(defaults.0),
        on_unknown(&both, "write").unwrap_or(defaults.1),
    )
}

fn on_unknown(reader: &Reader<'_>, key: &str) -> Option<OnUnknown> {
    let node = reader.node(key)?;
    if node.as_text().is_none() {
        let table = reader.table(key)?;
        let Some(value) = table.node("value") else {
            table.missing("value");
            return None;
        };
        return Some(OnUnknown::Value(syntax::data(reader.context, value)));
    }
    let words = [("pass", 0_u8), ("drop", 1), ("refuse", 2)];
    Some(match reader.choice(key, &words)? {
        0 => OnUnknown::Pass,
        1 => OnUnknown::Drop,
        _ => OnUnknown::Refuse,
    })
}

/// The spelling of a list of names under `as`: joined to one text, or a list.
pub(super) fn list_form(reader: &Reader<'_>) -> Form {
    let form = form(reader);
    if let (Some(node), false) = (
        reader.node("as"),
        matches!(form, Form::Same | Form::Joined(_)),
    ) {
        reader.context.error(
            "mapping::bad-value",
            &node.place,
            "A list of groups can only be `joined`.".to_owned(),
            "`as = \"joined\"` for commas, or `as = { joined = \";\" }`",
        );
        return Form::Same;
    }
    form
}

/// The spelling under `as`.
pub(super) fn form(reader: &Reader<'_>) -> Form {
    form_of(reader).unwrap_or(Form::Same)
}

fn form_of(reader: &Reader<'_>) -> Option<Form> {
    let node = reader.node("as")?;
    if let Some(word) = node.as_text() {
        let form = word_form(word);
        if form.is_none() {
            reader.unknown_word("as", node, word, FORM_WORDS);
        }
        return form;
    }
    let table = reader.table("as")?;
    if let Some(separator) = table.text("joined") {
        return Some(Form::Joined(separator));
    }
    if let Some(node) = table.node("boolean-text") {
        return boolean_texts(&table, node);
    }
    let pattern = table.required_text("time")?;
    let zone = table.text("zone").unwrap_or_else(|| "UTC".to_owned());
    if jiff::tz::TimeZone::get(&zone).is_err() {
        reader.context.error(
            "mapping::bad-zone",
            table.node("zone").map_or(table.place, |node| &node.place),
            format!("`{zone}` is not a time zone."),
            "an IANA name: `Europe/Vienna`",
        );
    }
    Some(Form::Time { pattern, zone })
}

fn word_form(word: &str) -> Option<Form> {
    Some(match word {
        "string" => Form::String,
        "integer" => Form::Integer,
        "boolean-text" => Form::BooleanText("1".to_owned(), "0".to_owned()),
        "epoch-seconds" => Form::EpochSeconds,
        "epoch-milliseconds" => Form::EpochMilliseconds,
        "joined" => Form::Joined(",".to_owned()),
        "lower" => Form::Lower,
        "time" => Form::Time {
            pattern: PLAIN.to_owned(),
            zone: "UTC".to_owned(),
        },
        _ => return None,
    })
}

fn boolean_texts(reader: &Reader<'_>, node: &Node) -> Option<Form> {
    let Content::List(_) = node.content else {
        reader.wrong_type("boolean-text", node);
        return None;
    };
    let texts = reader.texts("boolean-text");
    match texts.as_slice() {
        [(_, yes), (_, no)] if yes != no => Some(Form::BooleanText(yes.clone(), no.clone())),
        _ => {
            reader.context.error(
                "mapping::bad-value",
                &node.place,
                "`boolean-text` is not two different texts.".to_owned(),
                "first the one for true, then the one for false: `[\"Y\", \"N\"]`",
            );
            None
        }
    }
}
