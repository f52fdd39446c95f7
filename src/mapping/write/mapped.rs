//! All mapped fields of an object: for applications whose every update wants certain fields.

use serde_json::{Map, Value};

use crate::{
    mapping::{
        model::{AttributeRule, FieldPlace, TypeMapping},
        names::Names,
    },
    scim::Resource,
};

use super::{elements, fields::field_value};

/// The mapped fields of an object as it is, as far as an update may send them: neither what only a create writes nor secrets.
pub fn mapped_as_read(t: &TypeMapping, object: &Value) -> Map<String, Value> {
    let mut fields = Value::Object(Map::new());
    for place in rules(t).filter_map(place_of) {
        let whole = place.list();
        let place = whole.as_ref().unwrap_or(place);
        if let Some(value) = place.read(object) {
            place.write(&mut fields, value.clone());
        }
    }
    into_map(fields)
}

/// The same, as the object will be: with the resource's values put in, and without those that it has no more. A value that
/// cannot be worked out stays as it was read.
pub fn mapped(
    t: &TypeMapping,
    resource: &Resource,
    old: &Resource,
    present: &Value,
    names: &Names<'_>,
) -> Map<String, Value> {
    let mut fields = Value::Object(mapped_as_read(t, present));
    for rule in rules(t) {
        if let Some(each) = &rule.each {
            let list = elements::list(t, rule, each, resource, Some(present));
            if let Some(list) = list.ok().flatten() {
                each.items.write(&mut fields, Value::Array(list));
            }
        } else if let Some(write) = &rule.write {
            let value = |of| field_value(t, rule, of, names).ok().flatten();
            match (value(resource), value(old)) {
                (Some(value), _) => write.place.write(&mut fields, value),
                (None, Some(_)) => write.place.remove(&mut fields),
                (None, None) => {}
            }
        }
    }
    into_map(fields)
}

fn rules(t: &TypeMapping) -> impl Iterator<Item = &AttributeRule> {
    let is_read = |rule: &&AttributeRule| rule.is_read();
    let lines = t.attributes.iter().filter(|rule| rule.is_written());
    lines.filter(|rule| !rule.is_create_only).filter(is_read)
}

fn place_of(rule: &AttributeRule) -> Option<&FieldPlace> {
    match (&rule.each, &rule.write) {
        (Some(each), _) => Some(&each.items),
        (None, write) => write.as_ref().map(|write| &write.place),
    }
}

fn into_map(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
