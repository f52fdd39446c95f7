//! Rows cut out of a reply's text, so that no tree is made of them.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};

use crate::mapping::{
    model::{Call, ReplyRule, Target},
    path::JsonPath,
};

/// An object of the application as it came.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// As JSON text: valid, and nothing is known about what it is.
    Text(Bytes),
    /// As a tree.
    Tree(Value),
}

/// Where in a reply's body the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut<'c> {
    /// Member names from the outside in; none: the body is it.
    pub names: Vec<&'c str>,
    /// Whether there is a list of rows, or one row.
    pub is_list: bool,
}

impl Row {
    /// The row as a tree; absent if its text goes beyond what a tree holds: nested too deeply, a number too large.
    pub fn into_tree(self) -> Option<Value> {
        match self {
            Self::Text(text) => serde_json::from_slice(&text).ok(),
            Self::Tree(tree) => Some(tree),
        }
    }

    /// The same, without keeping the reply it came with in memory.
    pub fn detached(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(Bytes::copy_from_slice(text)),
            Self::Tree(tree) => Self::Tree(tree.clone()),
        }
    }
}

impl<'c> Cut<'c> {
    /// Of a list at a path; absent if the path may find anything but one list.
    pub fn of_list(items: &'c JsonPath) -> Option<Self> {
        let names = plain_names(items)?;
        Some(Self {
            names,
            is_list: true,
        })
    }

    /// Whether a path looks for something that is left when the rows are cut out.
    pub fn leaves(&self, path: &JsonPath) -> bool {
        let names = path.names().map(|(names, _)| names);
        names.is_some_and(|names| !names.starts_with(&self.names))
    }

    /// Whether a name of a condition on the reply is of something that is left as it is when the rows are cut out.
    pub fn leaves_named(&self, name: &[String]) -> bool {
        let is_same = name.iter().zip(&self.names).all(|(a, b)| a == b);
        !is_same && name.first().is_none_or(|first| first != "body")
    }

    /// The rows in a body, and the rest of it as a tree with an empty list, or null, in their place. Absent if they are not
    /// there, or the body is not JSON.
    pub(super) fn take(&self, body: &Bytes) -> Option<(Vec<Bytes>, Value)> {
        let text = std::str::from_utf8(body).ok()?;
        let mut rows = None;
        let rest = Rest {
            names: &self.names,
            is_list: self.is_list,
            rows: &mut rows,
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        let rest = rest.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        let bytes = |row: &RawValue| body.slice_ref(row.get().as_bytes());
        Some((rows?.into_iter().map(bytes).collect(), rest))
    }
}

/// What rules look at in a reply with this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looks {
    /// At its body as data: then it must be whole.
    pub at_body: bool,
    /// At its text.
    pub at_text: bool,
}

impl Looks {
    pub(super) fn of(call: &Call, target: &Target, status: u16) -> Self {
        let is_of_status = |rule: &&ReplyRule| {
            let mut ranges = rule.status.iter();
            rule.status.is_empty()
                || ranges.any(|range| (range.first..=range.last).contains(&status))
        };
        let rules = || call.rules.iter().chain(&target.rules).filter(is_of_status);
        let at_text = rules().any(|rule| rule.contains.is_some() || rule.matches.is_some());
        Self {
            at_body: rules().any(|rule| rule.when.is_some())
                || (at_text && target.detail.is_some()),
            at_text,
        }
    }
}

/// The member names of a path that leads to one list: `$.users[*]`, `$.users`, `$`. Absent for any other.
pub fn plain_names(path: &JsonPath) -> Option<Vec<&str>> {
    let source = path.source();
    let source = source.strip_suffix("[*]").unwrap_or(source);
    let source = source.strip_prefix('$').unwrap_or(source);
    let is_plain = |name: &&str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-@".contains(c))
    };
    let names: Vec<&str> = source.split('.').filter(|name| !name.is_empty()).collect();
    (!source.contains("..") && names.iter().all(is_plain)).then_some(names)
}

/// Reads everything but the rows.
struct Rest<'c, 'o, 'de> {
    names: &'c [&'c str],
    is_list: bool,
    rows: &'o mut Option<Vec<&'de RawValue>>,
}

impl<'de> DeserializeSeed<'de> for Rest<'_, '_, 'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        // Of two members of one name the last counts.
        *self.rows = None;
        if !self.names.is_empty() {
            return reader.deserialize_map(self);
        }
        if self.is_list {
            *self.rows = Some(serde::Deserialize::deserialize(reader)?);
            return Ok(Value::Array(Vec::new()));
        }
        let row: &RawValue = serde::Deserialize::deserialize(reader)?;
        if !row.get().starts_with('{') {
            return Err(D::Error::custom("no object"));
        }
        *self.rows = Some(vec![row]);
        Ok(Value::Null)
    }
}

impl<'de> Visitor<'de> for Rest<'_, '_, 'de> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut rest = Map::new();
        let (first, below) = self
            .names
            .split_first()
            .ok_or_else(|| A::Error::custom("no name"))?;
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            let value = match name == *first {
                true => members.next_value_seed(Rest {
                    names: below,
                    is_list: self.is_list,
                    rows: self.rows,
                })?,
                false => members.next_value()?,
            };
            rest.insert(name.into_owned(), value);
        }
        Ok(Value::Object(rest))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> JsonPath {
        JsonPath::parse(text).unwrap()
    }

    fn taken(path_text: &str, body: &str) -> Option<(Vec<String>, Value)> {
        let path = path(path_text);
        let cut = Cut::of_list(&path).unwrap();
        let (rows, rest) = cut.take(&Bytes::copy_from_slice(body.as_bytes()))?;
        let rows = rows
            .iter()
            .map(|row| String::from_utf8(row.to_vec()).unwrap());
        Some((rows.collect(), rest))
    }

    #[test]
    fn rows_are_cut_out_and_the_rest_stays() {
        let two = vec!["{\"id\": 1}".to_owned(), "2".to_owned()];
        for (path, body, rest) in [
            (
                "$.users[*]",
                "{\"total\":2,\"users\":[ {\"id\": 1}, 2 ]}",
                json!({"total": 2, "users": []}),
            ),
            (
                "$.users",
                "{\"users\":[{\"id\": 1},2]}",
                json!({"users": []}),
            ),
            ("$[*]", " [{\"id\": 1},2] ", json!([])),
            (
                "$.a.b[*]",
                "{\"a\":{\"b\":[{\"id\": 1},2],\"n\":\"x\"}}",
                json!({"a": {"b": [], "n": "x"}}),
            ),
            ("$.u", "{\"u\":[7],\"u\":[{\"id\": 1},2]}", json!({"u": []})),
            ("$.u", "{\"\\u0075\":[{\"id\": 1},2]}", json!({"u": []})),
        ] {
            assert_eq!(
                taken(path, body),
                Some((two.clone(), rest)),
                "{path} {body}"
            );
        }
        for (path, body) in [
            ("$.users", "{\"users\":{\"id\":1}}"),
            ("$.users", "{\"users\":null}"),
            ("$.users", "{}"),
            ("$.users", "[1]"),
            ("$.a.b", "{\"a\":{\"b\":[1]},\"a\":{}}"),
            ("$", "{broken"),
            ("$", "[1]x"),
            ("$", "[1,]"),
            ("$", "\u{feff}[1]"),
        ] {
            assert_eq!(taken(path, body), None, "{path} {body}");
        }
    }

    #[test]
    fn one_row_is_an_object() {
        let cut = |names| Cut {
            names,
            is_list: false,
        };
        let take =
            |names, body: &'static str| cut(names).take(&Bytes::from_static(body.as_bytes()));
        let row = Bytes::from_static(b"{\"id\":1}");
        assert_eq!(
            take(vec![], " {\"id\":1}\n"),
            Some((vec![row.clone()], Value::Null))
        );
        assert_eq!(
            take(vec!["user"], "{\"user\":{\"id\":1},\"x\":2}"),
            Some((vec![row], json!({"user": null, "x": 2})))
        );
        assert_eq!(take(vec!["user"], "{\"user\":[1]}"), None);
        assert_eq!(take(vec![], "7"), None);
    }

    #[test]
    fn paths_into_the_rows_are_known() {
        let items = path("$.users[*]");
        let cut = Cut::of_list(&items).unwrap();
        for (text, is_left) in [
            ("$.total", true),
            ("$.meta.users", true),
            ("$.users", false),
            ("$.users[0].id", false),
            ("$.users[-1].id", false),
            ("$..id", false),
        ] {
            assert_eq!(cut.leaves(&path(text)), is_left, "{text}");
        }
        assert!(Cut::of_list(&path("$.users[?@.on==true]")).is_none());
        assert!(
            !Cut {
                names: vec![],
                is_list: true
            }
            .leaves(&path("$.next"))
        );
    }
}
