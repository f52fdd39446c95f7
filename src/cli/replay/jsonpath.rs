//! The part of JSONPath that sessions use: `$ .name ['name'] [0] [-1] [*] .* [?(@.name=='value')]`.

use serde_json::Value;

use super::assertion::same;

/// A parsed path.
///
/// ```
/// use scimgate::cli::replay::JsonPath;
/// let path = JsonPath::parse("$.emails[?(@.type=='work')].value").unwrap();
/// let user = serde_json::json!({"emails": [{"type": "work", "value": "a@example.com"}]});
/// assert_eq!(path.find(&user), [&serde_json::json!("a@example.com")]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    steps: Vec<PathStep>,
}

/// A path that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the path `{path}` at byte {position}")]
pub struct PathError {
    /// The whole path.
    pub path: String,
    /// Where reading stopped, in bytes from 0.
    pub position: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum PathStep {
    Key(String),
    Index(i64),
    All,
    Filter {
        name: String,
        is_equal: bool,
        value: Value,
    },
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// The place of the first character that is not part of a path.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        let mut reader = Reader { rest: path };
        let mut steps = Vec::new();
        let mut is_good = reader.take("$");
        while is_good && !reader.rest.is_empty() {
            match reader.step() {
                Some(step) => steps.push(step),
                None => is_good = false,
            }
        }
        if is_good {
            return Ok(Self { steps });
        }
        Err(PathError {
            path: path.to_owned(),
            position: path.len() - reader.rest.len(),
        })
    }

    /// Whether it points at one place at most: it has no `[*]` and no filter.
    pub fn is_definite(&self) -> bool {
        self.steps
            .iter()
            .all(|step| matches!(step, PathStep::Key(_) | PathStep::Index(_)))
    }

    /// Every value it finds, in document order.
    pub fn find<'v>(&self, document: &'v Value) -> Vec<&'v Value> {
        let mut nodes = vec![document];
        for step in &self.steps {
            nodes = nodes
                .into_iter()
                .flat_map(|node| step.follow(node))
                .collect();
        }
        nodes
    }
}

impl PathStep {
    fn follow<'v>(&self, node: &'v Value) -> Vec<&'v Value> {
        match (self, node) {
            (Self::Key(name), Value::Object(members)) => members.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => {
                element(items, *index).into_iter().collect()
            }
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(members)) => members.values().collect(),
            (
                Self::Filter {
                    name,
                    is_equal,
                    value,
                },
                Value::Array(items),
            ) => items
                .iter()
                .filter(|item| item.is_object())
                .filter(|item| {
                    item.get(name)
                        .is_some_and(|found| same(found, value, false))
                        == *is_equal
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The element at an index; negative ones count from the end.
fn element(items: &[Value], index: i64) -> Option<&Value> {
    let position = match usize::try_from(index) {
        Ok(position) => position,
        Err(_) => items
            .len()
            .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(position)
}

struct Reader<'p> {
    rest: &'p str,
}

impl<'p> Reader<'p> {
    fn step(&mut self) -> Option<PathStep> {
        // The place of a failure is the step's beginning.
        let start = self.rest;
        let step = self.dotted().or_else(|| {
            self.rest = start;
            self.bracketed()
        });
        if step.is_none() {
            self.rest = start;
        }
        step
    }

    fn dotted(&mut self) -> Option<PathStep> {
        if !self.take(".") {
            return None;
        }
        if self.take("*") {
            return Some(PathStep::All);
        }
        let name = self.name()?;
        (!name.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
            .then(|| PathStep::Key(name.to_owned()))
    }

    fn bracketed(&mut self) -> Option<PathStep> {
        if !self.take("[") {
            return None;
        }
        if self.take("?(@.") {
            let step = self.filter()?;
            return self.take(")]").then_some(step);
        }
        self.skip_spaces();
        let step = if self.take("*") {
            PathStep::All
        } else if self.rest.starts_with('\'') {
            PathStep::Key(self.quoted()?)
        } else {
            PathStep::Index(self.integer()?)
        };
        self.skip_spaces();
        self.take("]").then_some(step)
    }

    fn filter(&mut self) -> Option<PathStep> {
        let name = self.name()?.to_owned();
        self.skip_spaces();
        let is_equal = if self.take("==") {
            true
        } else if self.take("!=") {
            false
        } else {
            return None;
        };
        self.skip_spaces();
        let value = self.literal()?;
        self.skip_spaces();
        Some(PathStep::Filter {
            name,
            is_equal,
            value,
        })
    }

    fn literal(&mut self) -> Option<Value> {
        if self.rest.starts_with('\'') {
            return self.quoted().map(Value::String);
        }
        let words = [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ];
        for (word, value) in words {
            if self.take(word) {
                return Some(value);
            }
        }
        self.integer().map(Value::from)
    }

    fn name(&mut self) -> Option<&'p str> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((position, letter)) = letters.next() {
            match letter {
                '\'' => {
                    self.rest = self.rest.get(position + 1..)?;
                    return Some(text);
                }
                '\\' => text.push(letters.next()?.1),
                other => text.push(other),
            }
        }
        None
    }

    fn integer(&mut self) -> Option<i64> {
        let is_part = |c: char| c.is_ascii_digit() || c == '-';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        digits.parse().ok()
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_what_it_says() {
        let document = json!({
            "id": "7",
            "urn:x:1.0:User": {"a-b": 1},
            "emails": [{"type": "work", "value": "w"}, {"type": "home", "value": "h"}, {"value": "n"}],
            "it's": true,
        });
        let cases = [
            ("$", json!([document])),
            ("$.id", json!(["7"])),
            ("$['urn:x:1.0:User'].a-b", json!([1])),
            ("$['it\\'s']", json!([true])),
            ("$.emails[0].value", json!(["w"])),
            ("$.emails[-1].value", json!(["n"])),
            ("$.emails[-4].value", json!([])),
            ("$.emails[3]", json!([])),
            ("$.emails[*].value", json!(["w", "h", "n"])),
            ("$.emails[?(@.type=='work')].value", json!(["w"])),
            ("$.emails[?(@.type != 'work')].value", json!(["h", "n"])),
            ("$.emails[?(@.type==null)].value", json!([])),
            ("$.nothing.at.all", json!([])),
            ("$.id[0]", json!([])),
        ];
        for (path, expected) in cases {
            let found = JsonPath::parse(path).unwrap();
            let found: Vec<Value> = found.find(&document).into_iter().cloned().collect();
            assert_eq!(Value::Array(found), expected, "{path}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_refused_with_its_place() {
        for (path, position) in [
            ("", 0),
            ("id", 0),
            ("$id", 1),
            ("$.", 1),
            ("$.a[", 3),
            ("$.a['x]", 3),
            ("$.a[1-]", 3),
            ("$.a[?(@.b=1)]", 3),
            ("$.a.0", 3),
            ("$..a", 1),
        ] {
            assert_eq!(
                JsonPath::parse(path).unwrap_err().position,
                position,
                "{path}"
            );
        }
    }

    #[test]
    fn only_a_path_without_a_star_or_a_filter_is_definite() {
        for (path, is_definite) in [
            ("$.a[0]['b']", true),
            ("$.a[*]", false),
            ("$.*", false),
            ("$.a[?(@.b==1)]", false),
        ] {
            assert_eq!(
                JsonPath::parse(path).unwrap().is_definite(),
                is_definite,
                "{path}"
            );
        }
    }
}
