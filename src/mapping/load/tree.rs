//! TOML text as an owned tree in which every key and value knows its place.

use std::sync::Arc;

use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::diagnostic::{Place, SourceFile};

use super::{context::Context, not_toml};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub content: Content,
    /// The value; for a table with a header the header's last name.
    pub place: Place,
}

/// A TOML value.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    /// A date or time, as written.
    Time(String),
    List(Vec<Node>),
    Table(Table),
}

/// Keys and values in file order.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Dotted name from the root, for sentences: `user.list.page`. Empty for the root.
    pub name: String,
    pub entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    /// The key.
    pub place: Place,
    pub node: Node,
}

impl Node {
    /// The value's text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.content {
            Content::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Whether it is `false`, which takes away what the application's file says.
    pub fn is_false(&self) -> bool {
        matches!(self.content, Content::Flag(false))
    }

    /// What it is, for sentences: `a list`.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Text(_) => "text",
            Content::Integer(_) => "an integer",
            Content::Number(_) => "a number with a point",
            Content::Flag(_) => "a boolean",
            Content::Time(_) => "a date or time",
            Content::List(_) => "a list",
            Content::Table(_) => "a table",
        }
    }

    /// The value as JSON; times become text.
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Text(text) | Content::Time(text) => Value::from(text.as_str()),
            Content::Integer(number) => Value::from(*number),
            Content::Number(number) => Value::from(*number),
            Content::Flag(flag) => Value::from(*flag),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Table(table) => Value::Object(table.to_json()),
        }
    }
}

impl Entry {
    /// The key as a text in its place.
    pub fn as_node(&self) -> Node {
        Node {
            content: Content::Text(self.key.clone()),
            place: self.place.clone(),
        }
    }
}

impl Table {
    /// The entry of this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// A key's full name, for sentences: `user.list.call`.
    pub fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    /// The table as JSON.
    pub fn to_json(&self) -> Map<String, Value> {
        self.entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.node.to_json()))
            .collect()
    }
}

/// Reads a file. Every syntax error is a complaint; what could be read all the same is returned.
pub(super) fn parse(context: &Context<'_>, file: &Arc<SourceFile>) -> Table {
    let (root, errors) = DeTable::parse_recoverable(&file.text);
    for complaint in not_toml::complaints(file, &errors) {
        context.add(complaint);
    }
    convert_table(file, root.get_ref(), String::new())
}

fn convert_table(file: &Arc<SourceFile>, table: &DeTable<'_>, name: String) -> Table {
    let mut converted = Table {
        name,
        entries: Vec::with_capacity(table.len()),
    };
    for (key, value) in table.iter() {
        let place = Place::new(file, key.span());
        let key = key.get_ref().to_string();
        let name = converted.full_name(&key);
        let mut node = convert(file, value, name);
        if matches!(node.content, Content::Table(_)) && !node.place.text().starts_with('{') {
            node.place = place.clone();
        }
        converted.entries.push(Entry { key, place, node });
    }
    // The parser's map is ordered by name; rules and parameters keep the order of the file.
    converted
        .entries
        .sort_by_key(|entry| entry.place.span.start);
    converted
}

fn convert(file: &Arc<SourceFile>, value: &Spanned<DeValue<'_>>, name: String) -> Node {
    let content = match value.get_ref() {
        DeValue::String(text) => Content::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Content::Integer(number),
            Err(_) => Content::Number(number.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(number) => Content::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Content::Flag(*flag),
        DeValue::Datetime(time) => Content::Time(time.to_string()),
        DeValue::Array(items) => Content::List(
            items
                .iter()
                .map(|item| convert(file, item, name.clone()))
                .collect(),
        ),
        DeValue::Table(table) => Content::Table(convert_table(file, table, name)),
    };
    Node {
        content,
        place: Place::new(file, value.span()),
    }
}
