//! The elements of multi-valued attributes: which are the same, which is primary.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::scim::intake::value::is_primary;
use crate::scim::{Attribute, CompareOp, Filter};

/// Where the elements of a list are, by their `value`.
#[derive(Debug, Default)]
pub(super) struct Index {
    positions: HashMap<String, Vec<usize>>,
}

impl Index {
    pub(super) fn of(elements: &[Value]) -> Self {
        let mut index = Self::default();
        for (position, element) in elements.iter().enumerate() {
            index.note(element, position);
        }
        index
    }

    fn note(&mut self, element: &Value, position: usize) {
        if let Some(key) = key(element) {
            self.positions.entry(key).or_default().push(position);
        }
    }

    /// Where an element is that says all that the new one says, `primary` apart.
    fn find(&self, elements: &[Value], attribute: &Attribute, new: &Value) -> Option<usize> {
        let Some(key) = key(new) else {
            return elements.iter().position(|e| says_all(e, new));
        };
        let positions = self.positions.get(&key)?;
        if attribute.is_reference_list() {
            return positions.first().copied();
        }
        let mut positions = positions.iter().copied();
        positions.find(|p| elements.get(*p).is_some_and(|e| says_all(e, new)))
    }

    /// Appends what is not there yet. A new primary element takes the flag from the old one
    /// (RFC 7644 §3.5.2), also if it was there without the flag.
    pub(super) fn append(
        &mut self,
        elements: &mut Vec<Value>,
        attribute: &Attribute,
        new: Vec<Value>,
    ) {
        for element in new {
            let found = self.find(elements, attribute, &element);
            let becomes_primary = is_primary(&element);
            let position = found.unwrap_or(elements.len());
            if found.is_none() {
                self.note(&element, position);
                elements.push(element);
            }
            if becomes_primary {
                make_primary(elements, position);
            }
        }
    }
}

/// Makes one element the primary one.
pub(super) fn make_primary(elements: &mut [Value], primary: usize) {
    for (position, element) in elements.iter_mut().enumerate() {
        let is_the_one = position == primary;
        if let Some(object) = element.as_object_mut()
            && (is_the_one || object.get("primary") == Some(&Value::Bool(true)))
        {
            object.insert("primary".to_owned(), Value::Bool(is_the_one));
        }
    }
}

/// What a value filter says about an element by `eq` joined by `and`, in the schema's spelling;
/// absent if it says something else too.
pub(super) fn described(filter: &Filter, attribute: &Attribute) -> Option<Map<String, Value>> {
    let mut element = Map::new();
    let terms = match filter {
        Filter::And(terms) => terms.as_slice(),
        term => std::slice::from_ref(term),
    };
    for term in terms {
        let Filter::Compare(path, CompareOp::Eq, value) = term else {
            return None;
        };
        let sub = attribute.sub(&path.attribute)?;
        if !value.is_null() {
            element.insert(sub.name.clone(), value.clone());
        }
    }
    Some(element)
}

/// The values a value filter lists: `value eq "a"`, or several joined by `or`; absent if it says something else.
pub(super) fn listed_values(filter: &Filter) -> Option<Vec<&str>> {
    match filter {
        Filter::Compare(path, CompareOp::Eq, Value::String(value)) => {
            let is_value = path.schema.is_none()
                && path.sub_attribute.is_none()
                && path.attribute.eq_ignore_ascii_case("value");
            is_value.then(|| vec![value.as_str()])
        }
        Filter::Or(filters) => {
            let mut values = Vec::with_capacity(filters.len());
            for filter in filters {
                match filter {
                    Filter::Compare(..) => values.extend(listed_values(filter)?),
                    _ => return None,
                }
            }
            Some(values)
        }
        _ => None,
    }
}

/// An element's `value`, or the element itself if it is simple.
pub(super) fn key(element: &Value) -> Option<String> {
    match element {
        Value::Object(object) => key(object.get("value").filter(|v| !v.is_object())?),
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Whether `present` has every sub-attribute of `new` with the same value, `primary` apart.
fn says_all(present: &Value, new: &Value) -> bool {
    match (present, new) {
        (Value::Object(present), Value::Object(new)) => {
            let mut said = new.iter().filter(|(name, _)| *name != "primary");
            said.all(|(name, value)| present.get(name) == Some(value))
        }
        _ => present == new,
    }
}
