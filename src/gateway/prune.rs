//! Leaves out of a resource what nobody stores: an answer never shows what a later GET would not.

use serde_json::{Map, Value};

use crate::{
    mapping::{model::TypeMapping, write},
    scim::{
        AttributePath, Resource, diff,
        place::{holder, remove},
    },
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

fn is_common(path: &AttributePath) -> bool {
    path.schema.is_none()
        && matches!(
            path.attribute.as_str(),
            "id" | "schemas" | "meta" | "externalId" | "members" | "groups" | "active"
        )
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
