//! What changed between two states of a resource.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::schema::resolve::common_attributes;
use super::{Attribute, AttributePath, Resource, ResourceType, Schema};

/// The attributes whose values differ: canonical paths in the order of the schemas.
///
/// A single complex attribute is told by its sub-attributes, a multi-valued one as a whole; the
/// order of elements says nothing. `schemas` and `meta` follow the content and are left out.
pub fn changed(resource_type: &ResourceType, old: &Resource, new: &Resource) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    let common = common_attributes().iter();
    let common = common.filter(|a| a.name != "schemas" && a.name != "meta");
    let own = common.chain(&resource_type.schema.attributes);
    compare(own, None, Some(&old.0), Some(&new.0), &mut paths);
    for extension in &resource_type.extensions {
        let schema = &extension.schema;
        let content = |r: &'_ Resource| r.0.get(&schema.id).and_then(Value::as_object).cloned();
        let (old, new) = (content(old), content(new));
        let attributes = schema.attributes.iter();
        compare(
            attributes,
            Some(schema),
            old.as_ref(),
            new.as_ref(),
            &mut paths,
        );
    }
    paths
}

/// What must be added and removed to make one list of references the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberDelta {
    /// Elements of the new list whose `value` the old one does not have, each once.
    pub add: Vec<Value>,
    /// Values of the old list that the new one does not have, each once.
    pub remove: Vec<String>,
}

/// Compares two lists of references by `value`; elements without one are passed over. Linear.
pub fn member_delta(old: &[Value], new: &[Value]) -> MemberDelta {
    let mut before: HashSet<&str> = old.iter().filter_map(reference).collect();
    let after: HashSet<&str> = new.iter().filter_map(reference).collect();
    let mut delta = MemberDelta::default();
    for value in old.iter().filter_map(reference) {
        if !after.contains(value) && before.remove(value) {
            delta.remove.push(value.to_owned());
        }
    }
    for element in new {
        if reference(element).is_some_and(|value| before.insert(value)) {
            delta.add.push(element.clone());
        }
    }
    delta
}

fn reference(element: &Value) -> Option<&str> {
    element.get("value")?.as_str()
}

fn compare<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    extension: Option<&Schema>,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
    paths: &mut Vec<AttributePath>,
) {
    for attribute in attributes {
        let before = old.and_then(|o| o.get(&attribute.name));
        let after = new.and_then(|n| n.get(&attribute.name));
        let path = AttributePath {
            schema: extension.map(|e| e.id.clone()),
            attribute: attribute.name.clone(),
            sub_attribute: None,
        };
        if !attribute.is_complex() || attribute.is_multi_valued {
            if !is_same(before, after) {
                paths.push(path);
            }
            continue;
        }
        for sub in &attribute.sub_attributes {
            let before = before.and_then(|b| b.get(&sub.name));
            let after = after.and_then(|a| a.get(&sub.name));
            if !is_same(before, after) {
                paths.push(path.with_sub(sub.name.clone()));
            }
        }
    }
}

/// Null and an empty list are no value (RFC 7643 §2.5).
fn is_same(old: Option<&Value>, new: Option<&Value>) -> bool {
    let is_value = |v: &&Value| !matches!(v, Value::Null) && *v != &Value::Array(Vec::new());
    match (old.filter(is_value), new.filter(is_value)) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => has_same_elements(old, new),
        (old, new) => old == new,
    }
}

/// Whether two lists have the same elements, each as often. Serialized text stands for an element:
/// values are short, and text can be counted in one pass.
fn has_same_elements(old: &[Value], new: &[Value]) -> bool {
    if old.len() != new.len() {
        return false;
    }
    if old == new {
        return true;
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for element in old {
        *counts.entry(canonical_text(element)).or_default() += 1;
    }
    new.iter().all(|element| {
        let count = counts.get_mut(&canonical_text(element));
        count.is_some_and(|left| {
            let is_there = *left > 0;
            *left = left.saturating_sub(1);
            is_there
        })
    })
}

/// JSON with the keys in order.
pub(crate) fn canonical_text(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    sorted.to_string()
}
