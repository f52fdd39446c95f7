//! Which operations a change takes, in which order.

use serde_json::Value;

use crate::{
    mapping::{
        model::{Operation, TypeMapping},
        write,
    },
    scim::{AttributePath, Resource},
};

/// An operation, and the changed attributes that it writes.
pub(super) struct Step<'t> {
    pub operation: &'t Operation,
    pub covers: Vec<AttributePath>,
}

/// The operations for a change: the state first, then updates, the password, and the key last. The second list is what
/// nothing writes and nobody keeps.
pub(super) fn update<'t>(
    section: &'t TypeMapping,
    new: &Resource,
    changed: &[AttributePath],
) -> (Vec<Step<'t>>, Vec<AttributePath>) {
    let is_active = new.0.get("active").and_then(Value::as_bool).unwrap_or(true);
    let state = if is_active {
        &section.activate
    } else {
        &section.deactivate
    };
    let mut rest: Vec<AttributePath> = changed
        .iter()
        .filter(|path| !is_kept_anyway(path))
        .cloned()
        .collect();
    let key = section.match_attribute.clone();
    let mut steps = Vec::new();
    steps.extend(take(&mut rest, state.as_ref(), |path| {
        is_own(path, "active")
    }));
    let renamed = take(&mut rest, section.rename.as_ref(), |path| {
        path.is_same_attribute(&key)
    });
    let password = take(&mut rest, section.set_password.as_ref(), |path| {
        is_own(path, "password")
    });
    for operation in &section.updates {
        steps.extend(take(&mut rest, Some(operation), |path| {
            write::covers(operation, section, path)
        }));
    }
    steps.extend(password);
    steps.extend(renamed);
    rest.retain(|path| !write::is_kept(section, path));
    (steps, rest)
}

fn take<'t>(
    rest: &mut Vec<AttributePath>,
    operation: Option<&'t Operation>,
    covers: impl Fn(&AttributePath) -> bool,
) -> Option<Step<'t>> {
    let operation = operation?;
    let (covered, left): (Vec<_>, Vec<_>) = std::mem::take(rest).into_iter().partition(covers);
    *rest = left;
    (!covered.is_empty()).then_some(Step {
        operation,
        covers: covered,
    })
}

fn is_own(path: &AttributePath, name: &str) -> bool {
    path.schema.is_none() && path.attribute == name
}

/// Attributes that the gateway itself keeps, and members, which have calls of their own.
fn is_kept_anyway(path: &AttributePath) -> bool {
    ["externalId", "id", "meta", "schemas", "groups", "members"]
        .iter()
        .any(|name| is_own(path, name))
}
