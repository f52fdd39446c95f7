//! Leaves out of a resource what nobody stores: an answer never shows what a later GET would not.

use serde_json::{Map, Value};

use crate::{
    mapping::{model::TypeMapping, write},
    scim::{AttributePath, Resource, diff},
};

use super::context::Context;

/// The resource without attributes that are neither mapped nor kept; they are named in a note.
pub fn prune(ctx: &Context, t: &TypeMapping, mut resource: Resource) -> Resource {
    resource.0.shift_remove("password");
    let leaves = diff::changed(&t.resource_type, &Resource::default(), &resource);
    let (mut dropped, mut stands_in) = (Vec::new(), Vec::new());
    for path in leaves {
        if is_common(&path) || write::is_kept(t, &path) {
            continue;
        }
        let rules = write::rules_for(t, &path);
        if rules.is_empty() {
            dropped.push(path.to_string());
            remove(&mut resource.0, &path);
        } else {
            let outcome = keep_mapped_elements(t, &mut resource.0, &path);
            if outcome.drops {
                dropped.push(format!("{path} but for the mapped ones"));
            }
            if outcome.stands_in {
                stands_in.push(path.to_string());
            }
        }
    }
    if !stands_in.is_empty() {
        ctx.note(
            "N11",
            format!(
                "stored in the one field that there is, whose type is another (a line with `keep = true` for the list would show it as it was sent): {}",
                stands_in.join(", ")
            ),
        );
    }
    if !dropped.is_empty() {
        ctx.note(
            "N11",
            format!("not stored by the application: {}", dropped.join(", ")),
        );
    }
    resource
}

/// Gives one place of a resource the value it has in another resource.
pub fn put_back(from: &Resource, to: &mut Resource, path: &AttributePath) {
    let mut before = from.0.clone();
    let old = holder(&mut before, path)
        .and_then(|holder| holder.get(&path.attribute))
        .cloned();
    let Some(sub) = &path.sub_attribute else {
        match old {
            Some(value) => put(&mut to.0, path, value),
            None => remove(&mut to.0, path),
        }
        return;
    };
    match old.as_ref().and_then(|value| value.get(sub)) {
        // A part of what is gone as a whole does not come back by itself.
        Some(_)
            if holder(&mut to.0, path)
                .is_none_or(|holder| !holder.contains_key(&path.attribute)) => {}
        Some(value) => {
            let whole = holder(&mut to.0, path).and_then(|holder| holder.get_mut(&path.attribute));
            if let Some(Value::Object(whole)) = whole {
                whole.insert(sub.clone(), value.clone());
            }
        }
        None => remove(&mut to.0, path),
    }
}

fn put(resource: &mut Map<String, Value>, path: &AttributePath, value: Value) {
    let place = match &path.schema {
        Some(schema) => resource
            .entry(schema.clone())
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut(),
        None => Some(resource),
    };
    if let Some(place) = place {
        place.insert(path.attribute.clone(), value);
    }
}

fn is_common(path: &AttributePath) -> bool {
    path.schema.is_none()
        && matches!(
            path.attribute.as_str(),
            "id" | "schemas" | "meta" | "externalId" | "members" | "groups" | "active"
        )
}

/// Takes one place out of a resource, and what is empty without it.
pub fn remove(resource: &mut Map<String, Value>, path: &AttributePath) {
    let Some(holder) = holder(resource, path) else {
        return;
    };
    match &path.sub_attribute {
        None => {
            holder.shift_remove(&path.attribute);
        }
        Some(sub) => {
            let is_empty = match holder.get_mut(&path.attribute) {
                Some(Value::Object(value)) => {
                    value.shift_remove(sub);
                    value.is_empty()
                }
                _ => false,
            };
            if is_empty {
                holder.shift_remove(&path.attribute);
            }
        }
    }
    if let Some(schema) = &path.schema
        && resource
            .get(schema)
            .and_then(Value::as_object)
            .is_some_and(Map::is_empty)
    {
        resource.shift_remove(schema);
    }
}

/// Where single elements are mapped (`emails[type eq "work"]`), the list is shown as it will read.
fn keep_mapped_elements(
    t: &TypeMapping,
    resource: &mut Map<String, Value>,
    path: &AttributePath,
) -> Elements {
    let list = holder(resource, path).and_then(|holder| {
        let elements = holder.get(&path.attribute)?.as_array()?;
        let shown = write::shown_elements(t, path, elements)?;
        Some((holder, shown))
    });
    let Some((holder, shown)) = list else {
        return Elements::default();
    };
    let before = match shown.is_empty() {
        true => holder.shift_remove(&path.attribute),
        false => holder.insert(path.attribute.clone(), Value::Array(shown.clone())),
    };
    let wished = before.as_ref().and_then(Value::as_array);
    Elements::compare(wished.map_or(&[], Vec::as_slice), &shown)
}

/// What became of the elements of a list of which only some are mapped.
#[derive(Default)]
struct Elements {
    drops: bool,
    /// One took the place of another type's.
    stands_in: bool,
}

impl Elements {
    fn compare(wished: &[Value], shown: &[Value]) -> Self {
        let mut outcome = Self::default();
        for element in wished {
            match shown
                .iter()
                .find(|other| other["value"] == element["value"])
            {
                None => outcome.drops = true,
                Some(other) => {
                    let has_type = element.get("type").is_some();
                    outcome.stands_in |= has_type && other.get("type") != element.get("type");
                }
            }
        }
        outcome
    }
}

fn holder<'r>(
    resource: &'r mut Map<String, Value>,
    path: &AttributePath,
) -> Option<&'r mut Map<String, Value>> {
    match &path.schema {
        Some(schema) => resource.get_mut(schema)?.as_object_mut(),
        None => Some(resource),
    }
}
