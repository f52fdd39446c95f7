//! The planner: a difference becomes the fewest calls that cover it (`design.md` section 2).
//!
//! In: what the target has, what the client wants, which attributes changed. Out: the mapping's operations to run, in
//! order, with the attributes each is for. Makes no call.

use serde_json::Value;

use super::{
    expression::NamePath,
    model::{Call, Members, Operation, TypeMapping},
    reply::CallClass,
    write,
};
use crate::scim::{AttributePath, Resource};

/// One operation of the plan.
#[derive(Debug)]
pub struct Step<'m> {
    /// What runs.
    pub operation: &'m Operation,
    /// What kind of call it is to the rules about replies.
    pub class: CallClass,
    /// The changed attributes that it writes.
    pub covers: Vec<AttributePath>,
}

/// What is to be done to the target.
#[derive(Debug, Default)]
pub struct Plan<'m> {
    /// In order.
    pub steps: Vec<Step<'m>>,
    /// Changed attributes that no operation writes and nobody keeps: told to the client by leaving them out.
    pub dropped: Vec<AttributePath>,
}

/// Plans a change of a resource that exists.
///
/// The state (`active`) comes first: a leaver is locked out even if a later call fails, and an account that is to be
/// edited is open. The key comes last: the calls before it still use the old one.
pub fn update<'m>(t: &'m TypeMapping, new: &Resource, changed: &[AttributePath]) -> Plan<'m> {
    let mut rest: Vec<AttributePath> = changed
        .iter()
        .filter(|path| !is_the_gateways(t, path) && !has_member_calls(t, path))
        .cloned()
        .collect();
    let mut plan = Plan::default();
    let is_active = new.0.get("active").and_then(Value::as_bool).unwrap_or(true);
    let state = if is_active {
        &t.activate
    } else {
        &t.deactivate
    };
    take(&mut plan, &mut rest, state.as_ref(), |path| {
        path.schema.is_none() && path.attribute == "active"
    });
    let rename = t.rename.as_ref();
    let mut renamed = Plan::default();
    take(&mut renamed, &mut rest, rename, |path| {
        path.schema.is_none() && path.attribute == t.match_attribute.attribute
    });
    let mut password = Plan::default();
    take(&mut password, &mut rest, t.set_password.as_ref(), |path| {
        path.schema.is_none() && path.attribute == "password"
    });
    for operation in &t.updates {
        take(&mut plan, &mut rest, Some(operation), |path| {
            write::covers(operation, t, path)
        });
    }
    plan.steps.append(&mut password.steps);
    plan.steps.append(&mut renamed.steps);
    plan.dropped = rest
        .into_iter()
        .filter(|path| !write::is_kept(t, path))
        .collect();
    plan
}

/// The changes that nothing ever writes or keeps: they are left as they are, and the client is not refused for them.
pub fn left_alone(
    t: &TypeMapping,
    new: &Resource,
    changed: &[AttributePath],
) -> Vec<AttributePath> {
    let mut dropped = update(t, new, changed).dropped;
    dropped.retain(|path| !is_written_at_create(t, path));
    dropped
}

/// What a create leaves open: attributes that only operations of their own can set.
pub fn after_create<'m>(t: &'m TypeMapping, new: &Resource) -> Plan<'m> {
    let mut changed = Vec::new();
    let is_inactive = new.0.get("active") == Some(&Value::Bool(false));
    if is_inactive && t.deactivate.is_some() && !is_set_at_create(t, "active") {
        changed.push(AttributePath {
            attribute: "active".into(),
            ..AttributePath::default()
        });
    }
    if new.0.contains_key("password")
        && t.set_password.is_some()
        && !is_set_at_create(t, "password")
    {
        changed.push(AttributePath {
            attribute: "password".into(),
            ..AttributePath::default()
        });
    }
    update(t, new, &changed)
}

fn is_set_at_create(t: &TypeMapping, name: &str) -> bool {
    t.attributes
        .iter()
        .any(|rule| rule.location.path.attribute == name && rule.write.is_some())
}

fn take<'m>(
    plan: &mut Plan<'m>,
    rest: &mut Vec<AttributePath>,
    operation: Option<&'m Operation>,
    covers: impl Fn(&AttributePath) -> bool,
) {
    let Some(operation) = operation else { return };
    let (covered, left): (Vec<_>, Vec<_>) = std::mem::take(rest)
        .into_iter()
        .partition(|path| covers(path));
    *rest = left;
    if !covered.is_empty() {
        plan.steps.push(Step {
            operation,
            class: CallClass::Update,
            covers: covered,
        });
    }
}

/// What follows from a reference's `value`: its `$ref` and its display name.
pub fn is_derived(t: &TypeMapping, path: &AttributePath) -> bool {
    let is_reference = t.attributes.iter().any(|rule| {
        rule.reference.is_some()
            && rule.location.path.attribute == path.attribute
            && rule.location.path.schema == path.schema
    });
    is_reference
        && path
            .sub_attribute
            .as_deref()
            .is_some_and(|sub| sub != "value")
}

/// Members that are not a list in the group object: calls of their own change them.
fn has_member_calls(t: &TypeMapping, path: &AttributePath) -> bool {
    path.attribute == "members"
        && path.schema.is_none()
        && !t.members.as_ref().is_some_and(Members::are_in_object)
}

/// Whether an attribute has a field that is written when the resource is made.
fn is_written_at_create(t: &TypeMapping, path: &AttributePath) -> bool {
    let is_derived = is_derived(t, path);
    !is_derived
        && write::rules_for(t, path)
            .iter()
            .any(|rule| rule.write.is_some() || rule.is_create_only)
}

/// Attributes that the gateway itself keeps. An `externalId` that an update can write is the application's too.
fn is_the_gateways(t: &TypeMapping, path: &AttributePath) -> bool {
    let is_written = || {
        t.updates
            .iter()
            .any(|update| write::covers(update, t, path))
    };
    path.schema.is_none()
        && match path.attribute.as_str() {
            "id" | "meta" | "schemas" | "groups" => true,
            "externalId" => !is_written(),
            _ => false,
        }
}

/// Whether all that an update sends are fields: without any there is nothing to say.
pub fn sends_fields_only(t: &TypeMapping, operation: &Operation) -> bool {
    let is_update = t.updates.iter().any(|own| std::ptr::eq(own, operation));
    is_update && operation.steps.iter().all(says_fields_only)
}

/// Whether a call has nothing to say but fields: no part of the wish otherwise, and no body of its own making. What it says of
/// the object itself, and constants beside the fields, are no change.
fn says_fields_only(call: &Call) -> bool {
    if call.is_safe() {
        return true;
    }
    let has_fields = match &call.body {
        None => call.carries_fields(),
        Some(body) => body.names().iter().any(|name| name.is_of(&["fields"])),
    };
    has_fields && !call.names().iter().any(|name| is_of_resource(call, name))
}

/// Whether a name may be an attribute of the wish.
fn is_of_resource(call: &Call, name: &NamePath) -> bool {
    let others = [
        "fields", "mapped", "changed", "id", "scim", "old", "settings", "login",
    ];
    let own = call.with.iter().any(|with| name.is_of(&[&with.name]));
    !own && !name.is_of(&others)
}
