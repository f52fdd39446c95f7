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
        let attributes = schema.attributes.iter();
        let (before, after) = (content(old, schema), content(new, schema));
        compare(attributes, Some(schema), before, after, &mut paths);
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

fn content<'a>(resource: &'a Resource, extension: &Schema) -> Option<&'a Map<String, Value>> {
    resource.0.get(&extension.id)?.as_object()
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
        if before.is_none() && after.is_none() {
            continue;
        }
        let path = || AttributePath {
            schema: extension.map(|e| e.id.clone()),
            attribute: attribute.name.clone(),
            sub_attribute: None,
        };
        if !attribute.is_complex() || attribute.is_multi_valued {
            if !is_same(before, after) {
                paths.push(path());
            }
            continue;
        }
        for sub in &attribute.sub_attributes {
            let before = before.and_then(|b| b.get(&sub.name));
            let after = after.and_then(|a| a.get(&sub.name));
            if !is_same(before, after) {
                paths.push(path().with_sub(sub.name.clone()));
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
    let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
    for element in old {
        *counts.entry(canonical_bytes(element)).or_default() += 1;
    }
    new.iter().all(|element| {
        let count = counts.get_mut(&canonical_bytes(element));
        count.is_some_and(|left| {
            let is_there = *left > 0;
            *left = left.saturating_sub(1);
            is_there
        })
    })
}

fn canonical_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_canonical(value, &mut bytes);
    bytes
}

/// Writes JSON with the keys in order, so that equal values become equal bytes.
pub(crate) fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => write_canonical_object(object.iter(), out),
        Value::Array(elements) => {
            out.push(b'[');
            for element in elements {
                write_canonical(element, out);
                out.push(b',');
            }
            out.push(b']');
        }
        // Writing to a vector cannot fail.
        scalar => drop(serde_json::to_writer(out, scalar)),
    }
}

/// Writes an object's members with the keys in order.
pub(crate) fn write_canonical_object<'a>(
    members: impl Iterator<Item = (&'a String, &'a Value)>,
    out: &mut Vec<u8>,
) {
    let mut members: Vec<_> = members.collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (key, value) in members {
        drop(serde_json::to_writer(&mut *out, key));
        out.push(b':');
        write_canonical(value, out);
        out.push(b',');
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::builtin;

    #[test]
    fn changes_are_told_by_canonical_paths() {
        let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
        let enterprise = builtin::ENTERPRISE_USER;
        let old = json!({
            "schemas": ["x"], "id": "1", "userName": "a", "title": "t", "active": true, "meta": { "version": "1" },
            "name": { "givenName": "g", "familyName": "f" },
            "emails": [{ "value": "a", "type": "w" }, { "value": "b" }], "roles": [{ "value": "r" }], "ims": [],
            enterprise: { "department": "d", "costCenter": "c", "manager": { "value": "1", "displayName": "M" } },
        });
        let cases = [
            (
                "/emails",
                json!([{ "value": "b" }, { "type": "w", "value": "a" }]),
                vec![],
            ),
            (
                "/emails",
                json!([{ "value": "b" }, { "value": "b" }]),
                vec!["emails"],
            ),
            ("/emails", json!([{ "value": "b" }]), vec!["emails"]),
            ("/meta", json!({ "version": "2" }), vec![]),
            ("/schemas", json!([]), vec![]),
            ("/ims", Value::Null, vec![]),
            ("/roles", json!([]), vec!["roles"]),
            ("/userName", json!("A"), vec!["userName"]),
            ("/active", json!(false), vec!["active"]),
            ("/name/givenName", json!("G"), vec!["name.givenName"]),
            (
                "/name",
                Value::Null,
                vec!["name.familyName", "name.givenName"],
            ),
            ("/title", Value::Null, vec!["title"]),
        ];
        let resource = |value: &Value| Resource(value.as_object().cloned().unwrap());
        for (pointer, value, expected) in cases {
            let mut new = old.clone();
            *new.pointer_mut(pointer).unwrap() = value;
            let paths = changed(&user_type, &resource(&old), &resource(&new));
            let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
            assert_eq!(paths, expected, "{pointer}");
        }
        let mut new = old.clone();
        new[enterprise] =
            json!({ "department": "e", "costCenter": "c", "manager": { "value": "2" } });
        let paths = changed(&user_type, &resource(&old), &resource(&new));
        let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
        let expected = ["department", "manager.value", "manager.displayName"];
        assert_eq!(paths, expected.map(|p| format!("{enterprise}:{p}")));
    }

    #[test]
    fn a_delta_has_each_member_once() {
        let members = |values: &[&str]| -> Vec<Value> {
            values.iter().map(|v| json!({ "value": v })).collect()
        };
        let delta = member_delta(
            &members(&["a", "b", "b", "c"]),
            &members(&["c", "d", "d", "a"]),
        );
        assert_eq!(delta.add, members(&["d"]));
        assert_eq!(delta.remove, ["b"]);
        assert_eq!(
            member_delta(&members(&["a"]), &members(&["a"])),
            MemberDelta::default()
        );
    }
}
