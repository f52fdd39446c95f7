//! What is kept here of a resource, and how it is joined with what the application has.
//!
//! The aim is that values come back as they were sent. What is kept is the client's own spelling; what the application says
//! counts wherever it differs in more than spelling.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    mapping::{
        location::{chosen, definition, element_rules, in_object, value_for},
        model::{AttributeRule, Each, Location, TypeMapping},
        names::Names,
        value::is_same_value,
    },
    scim::{Resource, Returned},
};

use super::{
    covers::rules_at,
    fields::encode,
    guard::{is_emptied, is_overtaken},
};

/// The part of a resource that is kept here, laid out as in the resource. Attributes that are never returned, such as
/// `password`, are not kept whatever the file says.
pub fn kept_values(t: &TypeMapping, resource: &Resource) -> Map<String, Value> {
    kept_by(t, resource, |_| true)
}

/// What of a resource these lines keep, as [`kept_values`].
pub(super) fn kept_by(
    t: &TypeMapping,
    resource: &Resource,
    keeps: impl Fn(&AttributeRule) -> bool,
) -> Map<String, Value> {
    let mut kept = Map::new();
    let rules = t.attributes.iter().filter(|rule| rule.is_kept);
    for rule in rules.filter(|rule| keeps(rule)) {
        let (attribute, sub) = definition(t, &rule.location);
        let is_secret = |a: &crate::scim::Attribute| a.returned == Returned::Never;
        if attribute.is_some_and(is_secret) || sub.is_some_and(is_secret) {
            continue;
        }
        if let Some(value) = value_for(t, &rule.location, resource) {
            rule.location.put(&mut kept, value.clone());
        }
    }
    kept
}

/// Puts what is kept into a resource that has its mapped attributes, which were read from `object`.
///
/// - An attribute without a field is what is kept. One that is mapped and marked `keep` by the same line too: the client's
///   own value is shown.
///   Once the application shows another value than it did when that was written, the application's; once it shows the field
///   empty, none.
/// - A whole attribute kept beside lines for parts of it (`emails` beside `emails[type eq "work"].value`): the application
///   says what the parts are, the rest is what is kept. An element that stood in for the mapped one when it was written
///   stands in for it here.
/// - A list mapped as a whole: the application says which elements there are; what it does not know of them is kept.
/// - A part that differs in spelling only (case, punctuation of telephone numbers, what the field's form takes away) is
///   shown as the client spelled it.
pub fn join_kept(
    t: &TypeMapping,
    resource: &mut Resource,
    kept: &Map<String, Value>,
    object: &Value,
) {
    for rule in t.attributes.iter().filter(|rule| rule.is_kept) {
        let Some(own) = rule.location.read(kept) else {
            continue;
        };
        if is_overtaken(rule, kept, resource) || is_emptied(rule, kept, object) {
            continue;
        }
        let is_whole = !rule.location.is_element() && rule.location.path.sub_attribute.is_none();
        let read = rule.location.attribute_in(&resource.0);
        let joined = match (own, read) {
            (Value::Array(own), read) if is_whole => {
                let read = read.and_then(Value::as_array).map(Vec::as_slice);
                Value::Array(join_list(t, rule, own, read.unwrap_or_default()))
            }
            (Value::Object(own), read) if is_whole => {
                let read = read.and_then(Value::as_object);
                Value::Object(join_object(t, rule, own, read))
            }
            (own, _) => own.clone(),
        };
        match is_whole && is_empty(&joined) {
            true => remove(&rule.location, &mut resource.0),
            false => rule.location.put(&mut resource.0, joined),
        }
    }
}

/// A complex attribute kept as a whole beside rules for its sub-attributes.
fn join_object(
    t: &TypeMapping,
    rule: &AttributeRule,
    own: &Map<String, Value>,
    read: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    if rule.read.is_some() {
        return own.clone();
    }
    let mut joined = own.clone();
    for part in rules_at(t, &rule.location.path) {
        let Some(sub) = &part.location.path.sub_attribute else {
            continue;
        };
        if part.read.is_some() && !part.is_kept {
            settle(t, part, &mut joined, sub, read.and_then(|r| r.get(sub)));
        }
    }
    for (name, value) in read.into_iter().flatten() {
        joined.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    joined
}

/// A list kept as a whole.
fn join_list(t: &TypeMapping, rule: &AttributeRule, own: &[Value], read: &[Value]) -> Vec<Value> {
    if rule.is_read() {
        return join_by_value(t, rule, own, read);
    }
    let mut joined = own.to_vec();
    let mut removed = HashSet::new();
    let mut made = Vec::new();
    for group in element_groups(t, &rule.location) {
        let Some(first) = group.first() else { continue };
        let from_application = read.iter().find(|e| first.location.matches(e));
        match (chosen(t, &first.location, own), from_application) {
            (Some(index), application) => {
                let Some(Value::Object(element)) = joined.get_mut(index) else {
                    continue;
                };
                for part in &group {
                    join_part(t, part, element, application);
                }
                if is_gone(&group, element, application) {
                    removed.insert(index);
                }
            }
            (None, Some(application)) => made.push(application.clone()),
            (None, None) => {}
        }
    }
    let remaining = joined.into_iter().enumerate();
    remaining
        .filter(|(index, _)| !removed.contains(index))
        .map(|(_, element)| element)
        .chain(made)
        .collect()
}

/// A mapped part of a kept element.
fn join_part(
    t: &TypeMapping,
    part: &AttributeRule,
    element: &mut Map<String, Value>,
    application: Option<&Value>,
) {
    match (&part.location.sub_attribute, application) {
        (Some(sub), application) => {
            settle(t, part, element, sub, application.and_then(|a| a.get(sub)));
        }
        (None, Some(Value::Object(members))) => {
            for (name, value) in members {
                settle(t, part, element, name, Some(value));
            }
        }
        (None, _) => {}
    }
}

/// One value that both sides may have: the application's, unless it differs from the kept one in spelling only.
fn settle(
    t: &TypeMapping,
    part: &AttributeRule,
    members: &mut Map<String, Value>,
    name: &str,
    application: Option<&Value>,
) {
    match (members.get(name), application) {
        (Some(own), Some(application)) if is_same(t, part, own, application) => {}
        (_, Some(application)) => {
            members.insert(name.to_owned(), application.clone());
        }
        (_, None) => {
            members.shift_remove(name);
        }
    }
}

/// Whether the application has taken the element away: it has no mapped part of it any more, `value` among them.
fn is_gone(
    group: &[&AttributeRule],
    element: &Map<String, Value>,
    application: Option<&Value>,
) -> bool {
    let maps_value = group.iter().any(|part| {
        part.location
            .sub_attribute
            .as_deref()
            .is_none_or(|sub| sub == "value")
    });
    application.is_none() && maps_value && !element.contains_key("value")
        || application.is_none()
            && group
                .iter()
                .any(|part| part.location.sub_attribute.is_none())
}

/// Rules about elements that are read, those about one element together.
fn element_groups<'t>(t: &'t TypeMapping, location: &Location) -> Vec<Vec<&'t AttributeRule>> {
    let mut groups: Vec<Vec<&AttributeRule>> = Vec::new();
    let read = element_rules(t, location).filter(|rule| rule.read.is_some() && !rule.is_kept);
    for rule in read {
        let same = groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|first| first.location.constants() == rule.location.constants())
        });
        match same {
            Some(group) => group.push(rule),
            None => groups.push(vec![rule]),
        }
    }
    groups
}

/// A list that the application has as a whole: its elements in the order they were sent in, each with what is kept of it.
fn join_by_value(
    t: &TypeMapping,
    rule: &AttributeRule,
    own: &[Value],
    read: &[Value],
) -> Vec<Value> {
    let key = rule.each.as_ref().map_or("value", key_of);
    let key_in = |element: &Value| element.get(key).unwrap_or(element).clone();
    let mut rest: Vec<&Value> = read.iter().collect();
    let mut joined = Vec::with_capacity(read.len());
    for element in own {
        let wanted = key_in(element);
        let Some(index) = rest
            .iter()
            .position(|e| is_same(t, rule, &wanted, &key_in(e)))
        else {
            continue;
        };
        joined.push(overlay(t, rule, element, rest.remove(index)));
    }
    joined.extend(rest.into_iter().cloned());
    joined
}

/// The sub-attribute by which elements are recognised.
fn key_of(each: &Each) -> &str {
    let has_value = each.parts.iter().any(|part| part.sub_attribute == "value");
    match each.parts.first() {
        Some(part) if !has_value => &part.sub_attribute,
        _ => "value",
    }
}

/// A kept element with the application's values of the parts that it has.
fn overlay(t: &TypeMapping, rule: &AttributeRule, own: &Value, application: &Value) -> Value {
    let (Value::Object(own), Value::Object(members)) = (own, application) else {
        return own.clone();
    };
    let mut joined = own.clone();
    let parts = rule.each.iter().flat_map(|each| &each.parts);
    for part in parts {
        let name = &part.sub_attribute;
        settle(t, rule, &mut joined, name, members.get(name));
    }
    for (name, value) in members {
        joined.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Value::Object(joined)
}

/// Whether a kept value and one that was read are the same but for spelling: to SCIM, or once written.
fn is_same(t: &TypeMapping, rule: &AttributeRule, own: &Value, read: &Value) -> bool {
    let (attribute, sub) = definition(t, &rule.location);
    let leaf = match (sub, attribute) {
        (Some(sub), _) => Some(sub),
        (None, Some(attribute)) => attribute.sub("value").or(Some(attribute)),
        (None, None) => None,
    };
    let is_phone_number = rule.location.path.attribute == "phoneNumbers";
    is_same_value(own, read, leaf, is_phone_number) || is_written_alike(t, rule, own, read)
}

/// Whether both values make the same field.
pub(super) fn is_written_alike(
    t: &TypeMapping,
    rule: &AttributeRule,
    own: &Value,
    read: &Value,
) -> bool {
    if rule.each.is_some() {
        return false;
    }
    let Some(write) = &rule.write else {
        return false;
    };
    let field = |value: &Value| {
        let value = match &write.value {
            None => value.clone(),
            Some(template) => {
                let mut names = Names::new();
                names.with("value", std::borrow::Cow::Borrowed(value));
                template.value(&names).ok().flatten()?
            }
        };
        encode(t, rule, &value).ok()
    };
    let own = field(own);
    own.is_some() && own == field(read)
}

fn remove(location: &Location, resource: &mut Map<String, Value>) {
    match &location.path.schema {
        Some(urn) if resource.contains_key(urn) => in_object(resource, urn, |holder| {
            holder.shift_remove(&location.path.attribute);
        }),
        Some(_) => {}
        None => {
            resource.shift_remove(&location.path.attribute);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        other => other.is_null(),
    }
}
