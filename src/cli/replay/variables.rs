//! `{{name}}` in a session: what is given from the start, what steps captured, how it is put into text.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// The variables of one run of a session.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(BTreeMap<String, Value>);

/// A variable that has no value (yet).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingVariable(pub String);

impl Variables {
    /// The variables a session starts with: `run`, `uuid`, `base`, `now`, and the file's own in their order.
    /// One of `given` takes the place of the file's own of that name.
    pub fn start(
        own: &Map<String, Value>,
        given: &Map<String, Value>,
        base: &str,
    ) -> Result<Self, MissingVariable> {
        let run: String = uuid::Uuid::new_v4()
            .simple()
            .to_string()
            .chars()
            .take(10)
            .collect();
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        let mut variables = Self::default();
        variables.set("run", Value::String(run));
        variables.set("base", Value::String(base.to_owned()));
        variables.set("uuid", new_uuid());
        variables.set("now", Value::String(now));
        for (name, value) in own {
            // Each such variable is a UUID of its own, not the run's.
            let value = match given.get(name).unwrap_or(value).as_str() {
                Some("{{uuid}}") => new_uuid(),
                _ => variables.expand(given.get(name).unwrap_or(value))?,
            };
            variables.set(name, value);
        }
        Ok(variables)
    }

    /// Gives a variable a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Replaces the variables in every string of a value, keys included.
    pub fn expand(&self, node: &Value) -> Result<Value, MissingVariable> {
        match node {
            Value::String(text) => self.expand_text(text),
            Value::Array(items) => items.iter().map(|item| self.expand(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| Ok((plain(&self.expand_text(key)?), self.expand(value)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            other => Ok(other.clone()),
        }
    }

    fn expand_text(&self, text: &str) -> Result<Value, MissingVariable> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(found) = Placeholder::first_in(rest) {
            let value = self.value(found.name)?;
            // A string that is nothing but a variable takes its type too.
            if found.kind.is_empty()
                && found.before.len() + found.after.len() == 0
                && rest.len() == text.len()
            {
                return Ok(value.clone());
            }
            expanded.push_str(found.before);
            expanded.push_str(&encode(found.kind, plain(value)));
            rest = found.after;
        }
        expanded.push_str(rest);
        Ok(Value::String(expanded))
    }

    fn value(&self, name: &str) -> Result<&Value, MissingVariable> {
        self.0
            .get(name)
            .ok_or_else(|| MissingVariable(name.to_owned()))
    }
}

fn new_uuid() -> Value {
    Value::String(uuid::Uuid::new_v4().to_string())
}

/// One `{{name}}` or `{{kind:name}}` in a text.
struct Placeholder<'t> {
    before: &'t str,
    kind: &'t str,
    name: &'t str,
    after: &'t str,
}

impl<'t> Placeholder<'t> {
    fn first_in(text: &'t str) -> Option<Self> {
        text.char_indices().find_map(|(start, _)| {
            let (before, rest) = text.split_at_checked(start)?;
            Self::at(before, rest.strip_prefix("{{")?)
        })
    }

    /// What stands between `{{` and `}}`, if it is a variable; other braces are text.
    fn at(before: &'t str, rest: &'t str) -> Option<Self> {
        let (inner, after) = rest.split_once("}}")?;
        let inner = inner.trim();
        let (kind, name) = inner.split_once(':').unwrap_or(("", inner));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        (is_name && KINDS.contains(&kind)).then_some(Self {
            before,
            kind,
            name,
            after,
        })
    }
}

/// A value as text: a string as it is, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn encode(kind: &str, text: String) -> String {
    match kind {
        "q" => percent_encoded(&text),
        "qplus" => plus_encoded(&text),
        "json" => {
            let quoted = Value::String(text).to_string();
            quoted
                .strip_prefix('"')
                .and_then(|inner| inner.strip_suffix('"'))
                .unwrap_or_default()
                .to_owned()
        }
        _ => text,
    }
}

/// Percent-encoded, a space as `%20`.
pub(super) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NOT_UNRESERVED).to_string()
}

/// Percent-encoded the way forms are, a space as `+`.
pub(super) fn plus_encoded(text: &str) -> String {
    percent_encoded(text).replace("%20", "+")
}

/// A path with what no URI can hold percent-encoded: ids may have spaces and letters of any alphabet.
pub fn in_uri(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_URI).to_string()
}

/// What RFC 3986 lets stand nowhere in a URI.
const NOT_IN_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Everything but the unreserved characters of RFC 3986 §2.3.
const NOT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a variable can be put in: as it is, percent-encoded, form-encoded, escaped for a JSON string.
const KINDS: [&str; 5] = ["", "raw", "q", "qplus", "json"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("name", json!("Zoë \"&+\""));
        variables.set("number", json!(7));
        variables.set("key", json!("urn:x"));
        variables
    }

    #[test]
    fn a_variable_is_put_in_as_its_place_needs_it() {
        let cases = [
            (json!("{{number}}"), json!(7)),
            (json!(" {{number}}"), json!(" 7")),
            (json!("{{ name }}"), json!("Zoë \"&+\"")),
            (json!("f={{q:name}}"), json!("f=Zo%C3%AB%20%22%26%2B%22")),
            (
                json!("f={{qplus:name}}&g={{number}}"),
                json!("f=Zo%C3%AB+%22%26%2B%22&g=7"),
            ),
            (json!("[\"{{json:name}}\"]"), json!("[\"Zoë \\\"&+\\\"\"]")),
            (
                json!({"{{key}}": ["{{number}}", null]}),
                json!({"urn:x": [7, null]}),
            ),
            (json!("{{q:number}}"), json!("7")),
            (json!("{ {name} }"), json!("{ {name} }")),
            (json!("{{{number}}{{not this}}"), json!("{7{{not this}}")),
        ];
        for (given, expected) in cases {
            assert_eq!(variables().expand(&given), Ok(expected), "{given}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        let missing = variables().expand(&json!({"path": ["/Users/{{uid}}"]}));
        assert_eq!(missing, Err(MissingVariable("uid".to_owned())));
    }

    #[test]
    fn a_session_gets_its_own_uuids_and_sees_what_stands_before() {
        let own = json!({"a": "{{uuid}}", "b": "{{uuid}}", "c": "x-{{run}}", "d": "{{c}}-{{base}}{{e}}", "e": "own"});
        let own = json!({"e": "own", "a": own["a"], "b": own["b"], "c": own["c"], "d": own["d"]});
        let given = Map::from_iter([("e".to_owned(), json!("")), ("unused".to_owned(), json!(1))]);
        let variables =
            Variables::start(own.as_object().unwrap(), &given, "https://h/scim").unwrap();
        let text = |name: &str| variables.value(name).unwrap().as_str().unwrap().to_owned();
        assert_ne!(text("a"), text("b"));
        assert_ne!(text("a"), text("uuid"));
        assert_eq!(text("d"), format!("{}-https://h/scim", text("c")));
        assert_eq!(text("run").len(), 10);
    }
}
