//! One place of a resource, given by an attribute path: its value put back, or taken out.

use serde_json::{Map, Value};

use super::{AttributePath, Resource};

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

pub(crate) fn holder<'r>(
    resource: &'r mut Map<String, Value>,
    path: &AttributePath,
) -> Option<&'r mut Map<String, Value>> {
    match &path.schema {
        Some(schema) => resource.get_mut(schema)?.as_object_mut(),
        None => Some(resource),
    }
}
