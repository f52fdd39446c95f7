//! Definite places: where a value is written.

use std::fmt;

use serde_json::{Map, Value};

use super::{SyntaxError, is_same_scalar, parse};

/// One definite place: member names, indexes, keyed elements (`custom_fields[id=4].value`: found or made).
///
/// The empty place is the value itself.
#[derive(Debug, Clone)]
pub struct FieldPlace {
    pub(super) source: String,
    pub(super) steps: Vec<Step>,
}

/// One step of a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A member of an object.
    Member(String),
    /// An element of a list, counted from 0.
    Index(usize),
    /// The first element of a list whose member `key` has this value.
    Keyed { key: String, value: Value },
}

impl FieldPlace {
    /// Reads `a.b[0]`, `custom_fields[id=4].value`, `['first name']`, or the empty text.
    ///
    /// # Errors
    ///
    /// The place of the first byte that fits none of these, with how to write it.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self {
            source: text.to_owned(),
            steps: parse::bare(text)?,
        })
    }

    /// The value at the place; absent if any step leads nowhere. Null is a value.
    pub fn read<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.steps.iter().try_fold(value, |at, step| step.read(at))
    }

    /// Whether the value says that there is nothing at the place: null or empty text there or on the way, or a list without the
    /// element. Not if a member on the way is not spoken of.
    pub fn is_told_empty(&self, value: &Value) -> bool {
        let mut at = value;
        for step in &self.steps {
            at = match (step.read(at), step) {
                (Some(next), _) => next,
                (None, Step::Member(_)) => return at.is_null(),
                (None, Step::Index(_) | Step::Keyed { .. }) => {
                    return at.is_array() || at.is_null();
                }
            };
        }
        at.is_null() || at.as_str().is_some_and(str::is_empty)
    }

    /// Puts a value at the place. Objects, lists and keyed elements on the way are made where there are none; what is
    /// in the way and is neither object nor list is replaced. An object that becomes a keyed element keeps the key.
    pub fn write(&self, root: &mut Value, value: Value) {
        let at = self.steps.iter().fold(root, |at, step| step.enter(at));
        let value = match (self.steps.last(), value) {
            (Some(Step::Keyed { key, value: id }), Value::Object(members)) => {
                let mut element = Map::from_iter([(key.clone(), id.clone())]);
                element.extend(members);
                Value::Object(element)
            }
            (_, value) => value,
        };
        *at = value;
    }

    /// Takes the value at the place away, if there is one; a list gets shorter. The empty place becomes null.
    pub fn remove(&self, root: &mut Value) {
        let Some((last, front)) = self.steps.split_last() else {
            *root = Value::Null;
            return;
        };
        let mut at = root;
        for step in front {
            match step.find(at) {
                Some(next) => at = next,
                None => return,
            }
        }
        last.remove(at);
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is the empty place: the value itself.
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    /// The name of the outermost member: the field that holds the place. Absent if the place is empty or begins in a list.
    pub fn root(&self) -> Option<&str> {
        match self.steps.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether writing one may change what is at the other: one lies within the other, or they are the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    /// Whether it lies within a keyed element (`mails[kind="work"].address`), which is the outermost list's on the way.
    pub fn is_in_keyed_element(&self) -> bool {
        let mut steps = self.steps.iter();
        let outermost = steps.find(|step| !matches!(step, Step::Member(_)));
        matches!(outermost, Some(Step::Keyed { .. })) && steps.next().is_some()
    }

    /// The element of the outermost list on the way, as a place; absent if there is no list.
    pub fn element(&self) -> Option<Self> {
        let end = self
            .steps
            .iter()
            .position(|s| !matches!(s, Step::Member(_)))?;
        Some(self.up_to(end + 1))
    }

    /// The list that the first index or keyed element is taken of, as a place; absent if there is no such step.
    pub fn list(&self) -> Option<Self> {
        let end = self
            .steps
            .iter()
            .position(|s| !matches!(s, Step::Member(_)))?;
        Some(self.up_to(end))
    }

    /// The first steps.
    fn up_to(&self, end: usize) -> Self {
        let steps: Vec<Step> = self.steps.iter().take(end).cloned().collect();
        let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
        Self {
            source: names.join(".").replace(".[", "["),
            steps,
        }
    }
}

impl PartialEq for FieldPlace {
    /// Two spellings of one place are equal.
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
    }
}

impl fmt::Display for FieldPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl Step {
    pub(super) fn read<'v>(&self, at: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Member(name) => at.as_object()?.get(name),
            Self::Index(index) => at.as_array()?.get(*index),
            Self::Keyed { key, value } => at.as_array()?.iter().find(|e| has(e, key, value)),
        }
    }

    /// What it finds where what is no list is taken for a list of one.
    pub(super) fn read_alone<'v>(&self, at: &'v Value) -> Option<&'v Value> {
        let is_alone = !at.is_array() && !at.is_null();
        let is_meant = match self {
            Self::Member(_) => false,
            Self::Index(index) => *index == 0,
            Self::Keyed { key, value } => has(at, key, value),
        };
        (is_alone && is_meant).then_some(at)
    }

    fn find<'v>(&self, at: &'v mut Value) -> Option<&'v mut Value> {
        match self {
            Self::Member(name) => at.as_object_mut()?.get_mut(name),
            Self::Index(index) => at.as_array_mut()?.get_mut(*index),
            Self::Keyed { key, value } => at
                .as_array_mut()?
                .iter_mut()
                .find(|element| has(element, key, value)),
        }
    }

    /// The value there, made if it is missing.
    fn enter<'v>(&self, at: &'v mut Value) -> &'v mut Value {
        match self {
            Self::Member(name) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                match at {
                    Value::Object(map) => map.entry(name.as_str()).or_insert(Value::Null),
                    other => other,
                }
            }
            Self::Index(index) => {
                let list = as_list(at);
                match list {
                    Value::Array(items) => {
                        if items.len() <= *index {
                            items.resize(index + 1, Value::Null);
                        }
                        &mut items[*index]
                    }
                    other => other,
                }
            }
            Self::Keyed { key, value } => match as_list(at) {
                Value::Array(items) => {
                    let index = items
                        .iter()
                        .position(|e| has(e, key, value))
                        .unwrap_or_else(|| {
                            let made = Map::from_iter([(key.clone(), value.clone())]);
                            items.push(Value::Object(made));
                            items.len() - 1
                        });
                    &mut items[index]
                }
                other => other,
            },
        }
    }

    fn remove(&self, at: &mut Value) {
        match (self, at) {
            (Self::Member(name), Value::Object(map)) => {
                map.shift_remove(name);
            }
            (Self::Index(index), Value::Array(items)) if *index < items.len() => {
                items.remove(*index);
            }
            (Self::Keyed { key, value }, Value::Array(items)) => {
                items.retain(|e| !has(e, key, value))
            }
            _ => {}
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) if parse::is_bare_name(name) => f.write_str(name),
            Self::Member(name) => write!(f, "[{}]", Value::String(name.clone())),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Keyed { key, value } => write!(f, "[{key}={value}]"),
        }
    }
}

/// A list; an object in its place is its one element, as in XML.
fn as_list(at: &mut Value) -> &mut Value {
    if !at.is_array() {
        let is_element = at.as_object().is_some_and(|members| !members.is_empty());
        let alone = is_element.then(|| at.take());
        *at = Value::Array(alone.into_iter().collect());
    }
    at
}

fn has(element: &Value, key: &str, value: &Value) -> bool {
    element.get(key).is_some_and(|v| is_same_scalar(v, value))
}
