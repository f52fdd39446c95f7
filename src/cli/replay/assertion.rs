//! One assertion on a response body.

use serde::Deserialize;
use serde_json::Value;

use super::jsonpath::{JsonPath, PathError};

/// What must hold at a path. Every member that is given is looked at.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Assertion {
    pub path: String,
    exists: Option<bool>,
    // `null` is a value to compare with, not an absent member.
    #[serde(default, deserialize_with = "given")]
    equals: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    not_equals: Option<Value>,
    #[serde(rename = "in")]
    one_of: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "given")]
    contains: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    lacks: Option<Value>,
    count: Option<usize>,
    min_count: Option<usize>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    matches: Option<String>,
    #[serde(default)]
    fold: bool,
    #[serde(default)]
    or_absent: bool,
}

/// The names of every member, as the session reader checks them.
pub(super) const MEMBERS: &[&str] = &[
    "path",
    "exists",
    "equals",
    "notEquals",
    "in",
    "contains",
    "lacks",
    "count",
    "minCount",
    "type",
    "matches",
    "fold",
    "orAbsent",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    String,
    Boolean,
    Integer,
    Array,
    Object,
    Null,
}

/// An assertion that cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssertionError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("`matches` is not a regular expression")]
    Pattern(#[from] regex::Error),
}

fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Assertion {
    /// What does not hold, as a sentence; `None` when it holds.
    pub fn check(&self, document: &Value) -> Result<Option<String>, AssertionError> {
        let path = JsonPath::parse(&self.path)?;
        let nodes = path.find(document);
        if self.or_absent && is_empty(&nodes, path.is_definite()) {
            return Ok(None);
        }
        if let Some(wanted) = self.exists {
            let is_present = nodes.iter().any(|node| !node.is_null());
            if is_present != wanted || !wanted {
                return Ok((is_present != wanted).then(|| self.existence(wanted, &nodes)));
            }
        }
        if let Some(problem) = self
            .size(&nodes, path.is_definite())
            .or_else(|| self.values(&nodes))
        {
            return Ok(Some(problem));
        }
        self.pattern(&nodes)
    }

    fn existence(&self, wanted: bool, nodes: &[&Value]) -> String {
        match wanted {
            true => format!("{}: expected a value", self.path),
            false => format!("{}: expected nothing, got {}", self.path, short(nodes)),
        }
    }

    fn size(&self, nodes: &[&Value], is_definite: bool) -> Option<String> {
        let size = if is_definite {
            nodes.first().map_or(0, |node| length(node))
        } else {
            nodes.len()
        };
        if let Some(count) = self.count.filter(|count| *count != size) {
            let got = short(nodes);
            return Some(format!(
                "{}: expected {count} item(s), got {size}: {got}",
                self.path
            ));
        }
        let least = self.min_count.filter(|least| size < *least)?;
        Some(format!(
            "{}: expected at least {least} item(s), got {size}",
            self.path
        ))
    }

    fn values(&self, nodes: &[&Value]) -> Option<String> {
        let is_there = |wanted: &Value| nodes.iter().any(|node| same(node, wanted, self.fold));
        let path = &self.path;
        if let Some(wanted) = self.equals.as_ref().filter(|wanted| !is_there(wanted)) {
            return Some(format!(
                "{path}: expected {}, got {}",
                short(wanted),
                short(nodes)
            ));
        }
        if let Some(unwanted) = self
            .not_equals
            .as_ref()
            .filter(|unwanted| is_there(unwanted))
        {
            return Some(format!("{path}: must not be {}", short(unwanted)));
        }
        if let Some(wanted) = self.one_of.as_ref().filter(|all| !all.iter().any(is_there)) {
            return Some(format!(
                "{path}: expected one of {}, got {}",
                short(wanted),
                short(nodes)
            ));
        }
        if let Some(part) = self
            .contains
            .as_ref()
            .filter(|part| !self.holds(nodes, part))
        {
            let (part, got) = (short(part), short(nodes));
            return Some(format!("{path}: expected to contain {part}, got {got}"));
        }
        if let Some(part) = self.lacks.as_ref().filter(|part| self.holds(nodes, part)) {
            return Some(format!(
                "{path}: must not contain {}, got {}",
                short(part),
                short(nodes)
            ));
        }
        let kind = self.kind?;
        let is_kind = nodes.first().is_some_and(|node| kind.is_of(node));
        (!is_kind).then(|| {
            format!("{path}: expected the type {kind:?}, got {}", short(nodes)).to_lowercase()
        })
    }

    /// Whether an array found has that item, or a string found that part.
    fn holds(&self, nodes: &[&Value], part: &Value) -> bool {
        nodes.iter().any(|node| match (node, part) {
            (Value::Array(items), _) => items.iter().any(|item| same(item, part, self.fold)),
            (Value::String(text), Value::String(part)) if self.fold => {
                text.to_lowercase().contains(&part.to_lowercase())
            }
            (Value::String(text), Value::String(part)) => text.contains(part),
            _ => false,
        })
    }

    fn pattern(&self, nodes: &[&Value]) -> Result<Option<String>, AssertionError> {
        let Some(pattern) = &self.matches else {
            return Ok(None);
        };
        let regex = regex::Regex::new(pattern)?;
        let is_found = nodes
            .iter()
            .filter_map(|node| node.as_str())
            .any(|text| regex.is_match(text));
        Ok((!is_found).then(|| {
            format!(
                "{}: expected to match /{pattern}/, got {}",
                self.path,
                short(nodes)
            )
        }))
    }
}

impl Kind {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::Null => value.is_null(),
        }
    }
}

fn is_empty(nodes: &[&Value], is_definite: bool) -> bool {
    match nodes.first() {
        None => true,
        Some(Value::Null) => is_definite,
        Some(Value::String(text)) => is_definite && text.is_empty(),
        Some(Value::Array(items)) => is_definite && items.is_empty(),
        Some(Value::Object(members)) => is_definite && members.is_empty(),
        Some(_) => false,
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 1,
    }
}

/// Whether two values are the same; `1` and `1.0` are, a boolean and a number or string never.
/// With `fold`, two strings are compared without regard to case.
pub(super) fn same(left: &Value, right: &Value, fold: bool) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) if fold => {
            left.to_lowercase() == right.to_lowercase()
        }
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right, false))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right
                        .get(key)
                        .is_some_and(|other| same(value, other, false))
                })
        }
        _ => left == right,
    }
}

/// A value for a sentence: JSON, cut after 300 characters.
fn short(value: impl serde::Serialize) -> String {
    let text = serde_json::to_string(&value).unwrap_or_default();
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(assertion: Value) -> bool {
        let document = json!({
            "active": true, "n": 1, "zero": 0, "name": "Ada", "none": null, "empty": [], "text": "",
            "list": ["a", "B", 1], "items": [{"v": "x"}, {"v": "y"}, {"v": null}], "o": {"a": 1, "b": [2.0]},
        });
        let assertion: Assertion = serde_json::from_value(assertion).unwrap();
        assertion.check(&document).unwrap().is_none()
    }

    #[test]
    fn each_kind_of_assertion_can_hold_and_can_fail() {
        let cases = [
            (json!({"path": "$.name", "exists": true}), true),
            (json!({"path": "$.none", "exists": true}), false),
            (json!({"path": "$.none", "exists": false}), true),
            (json!({"path": "$.name", "exists": false}), false),
            (
                json!({"path": "$.absent", "exists": false, "equals": 1}),
                true,
            ),
            (json!({"path": "$.name", "equals": "Ada"}), true),
            (json!({"path": "$.name", "equals": "ada"}), false),
            (
                json!({"path": "$.name", "equals": "ada", "fold": true}),
                true,
            ),
            (
                json!({"path": "$.active", "equals": "true", "fold": true}),
                false,
            ),
            (json!({"path": "$.active", "equals": 1}), false),
            (json!({"path": "$.n", "equals": 1.0}), true),
            (json!({"path": "$.none", "equals": null}), true),
            (json!({"path": "$.absent", "equals": null}), false),
            (json!({"path": "$.o", "equals": {"b": [2], "a": 1}}), true),
            (json!({"path": "$.items[*].v", "equals": "y"}), true),
            (json!({"path": "$.items[*].v", "notEquals": "y"}), false),
            (json!({"path": "$.items[*].v", "notEquals": "z"}), true),
            (json!({"path": "$.name", "in": ["x", "Ada"]}), true),
            (json!({"path": "$.name", "in": ["x"]}), false),
            (json!({"path": "$.list", "contains": "b"}), false),
            (
                json!({"path": "$.list", "contains": "b", "fold": true}),
                true,
            ),
            (json!({"path": "$.list", "lacks": "b"}), true),
            (json!({"path": "$.name", "contains": "d"}), true),
            (json!({"path": "$.name", "lacks": "d"}), false),
            (json!({"path": "$.list", "count": 3}), true),
            (json!({"path": "$.absent", "count": 0}), true),
            (json!({"path": "$.none", "count": 0}), true),
            (json!({"path": "$.name", "count": 1}), true),
            (json!({"path": "$.items[*].v", "count": 3}), true),
            (json!({"path": "$.items[*].v", "minCount": 4}), false),
            (json!({"path": "$.n", "type": "integer"}), true),
            (json!({"path": "$.active", "type": "integer"}), false),
            (json!({"path": "$.absent", "type": "null"}), false),
            (json!({"path": "$.name", "matches": "^A"}), true),
            (json!({"path": "$.n", "matches": "1"}), false),
            (
                json!({"path": "$.absent", "equals": 1, "orAbsent": true}),
                true,
            ),
            (
                json!({"path": "$.empty", "count": 2, "orAbsent": true}),
                true,
            ),
            (
                json!({"path": "$.text", "equals": "x", "orAbsent": true}),
                true,
            ),
            (
                json!({"path": "$.zero", "equals": 1, "orAbsent": true}),
                false,
            ),
            (
                json!({"path": "$.items[*].v", "equals": 1, "orAbsent": true}),
                false,
            ),
            (
                json!({"path": "$.name", "equals": "Ada", "type": "array"}),
                false,
            ),
        ];
        for (assertion, expected) in cases {
            assert_eq!(holds(assertion.clone()), expected, "{assertion}");
        }
    }

    #[test]
    fn the_list_of_members_is_the_whole_list() {
        for member in MEMBERS {
            let error = serde_json::from_value::<Assertion>(json!({"path": "$", *member: []}));
            let message = error
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(!message.contains("unknown field"), "{member}");
        }
        assert!(serde_json::from_value::<Assertion>(json!({"path": "$", "equal": 1})).is_err());
    }
}
