//! Elements of a multi-valued attribute (`each`), written as a whole list.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    mapping::{
        location::element_rules,
        model::{AttributeRule, Each, EachPart, TypeMapping},
        names::Names,
        path::is_same_scalar,
        value::{Spelling, Untranslatable},
    },
    scim::Resource,
};

use super::WriteError;

/// The list of the application for the attribute of a rule: elements that are none of its own as they are, then its own.
///
/// An element that was there before keeps the fields that the mapping does not know. Elements that a rule of their own
/// writes (`emails[type eq "work"]`) are left out. Absent if the resource has no value and the application no list.
pub(super) fn list(
    t: &TypeMapping,
    rule: &AttributeRule,
    each: &Each,
    resource: &Resource,
    present: Option<&Value>,
) -> Result<Option<Vec<Value>>, WriteError> {
    let found = rule.location.attribute_in(&resource.0);
    // One element of XML stands alone; it is read as a list of one.
    let present_list = match present.and_then(|p| each.items.read(p)) {
        Some(Value::Array(items)) => Some(items.as_slice()),
        Some(element @ Value::Object(_)) => Some(std::slice::from_ref(element)),
        _ => None,
    };
    if found.is_none() && present_list.is_none() {
        return Ok(None);
    }
    let before = present_list.unwrap_or_default();
    let (mut own, mut list): (Vec<_>, Vec<_>) = before
        .iter()
        .cloned()
        .partition(|element| is_own(each, element));
    let wished = found
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is_elsewhere = |element: &Value| {
        element_rules(t, &rule.location)
            .any(|r| !r.location.constants().is_empty() && r.location.matches(element))
    };
    for value in wished.iter().filter(|element| !is_elsewhere(element)) {
        let fields = encode(each, value)
            .map_err(|why| WriteError::untranslatable(&rule.location.leaf(), why))?;
        list.push(element(each, &fields, &mut own));
    }
    Ok(Some(list))
}

/// Whether every value of an element has a spelling in the application.
pub(super) fn check(each: &Each, value: &Value) -> Result<(), Untranslatable> {
    encode(each, value).map(drop)
}

type Fields<'e> = Vec<(&'e EachPart, Value)>;

fn is_own(each: &Each, element: &Value) -> bool {
    let Some(condition) = &each.condition else {
        return true;
    };
    let mut names = Names::new();
    names.object(element);
    condition.holds(&names).unwrap_or(false)
}

/// The parts of an element that have a value, in the application's spelling.
fn encode<'e>(each: &'e Each, value: &Value) -> Result<Fields<'e>, Untranslatable> {
    let mut fields = Vec::new();
    for part in &each.parts {
        let Some(value) = part_of(value, &part.sub_attribute) else {
            continue;
        };
        let spelling = Spelling {
            values: part.values.as_ref(),
            form: &part.form,
            kind: None,
        };
        match spelling.encode(&value) {
            Ok(value) => fields.push((part, value)),
            Err(Untranslatable::Dropped) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(fields)
}

/// A sub-attribute of an element; a simple value is its own `value`.
fn part_of<'v>(value: &'v Value, sub: &str) -> Option<Cow<'v, Value>> {
    match value {
        Value::Object(members) => members.get(sub).map(Cow::Borrowed),
        simple if sub == "value" => Some(Cow::Borrowed(simple)),
        _ => None,
    }
}

/// One element as the application will have it: the one it has, with the values put in, or a new one.
fn element(each: &Each, fields: &Fields<'_>, own: &mut Vec<Value>) -> Value {
    let key = fields
        .iter()
        .find(|(part, _)| part.sub_attribute == "value")
        .or(fields.first());
    let known = key.and_then(|(part, value)| {
        own.iter()
            .position(|e| part.place.read(e).is_some_and(|v| is_same_scalar(v, value)))
    });
    let mut element = match known {
        Some(index) => own.swap_remove(index),
        None => {
            let mut made = Value::Object(Map::new());
            for (place, value) in &each.constants {
                place.write(&mut made, value.clone());
            }
            made
        }
    };
    for (part, value) in fields {
        part.place.write(&mut element, value.clone());
    }
    element
}
