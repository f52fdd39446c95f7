//! Operations of several calls that stopped halfway.
//!
//! Their first calls may show in the object already (the account is locked) while the later ones are missing (its sessions
//! go on): the difference alone would not tell. So the attributes such an operation is for are written down before it
//! starts, and count as changed until it came to its end (promises R3, S17).

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    mapping::{model::TypeMapping, plan::Plan},
    scim::{AttributePath, Error, Resource, place},
    store::Record,
};

use super::{
    context::Context,
    identity::{Located, new_record},
    join::Joined,
};

/// Writes down what is about to be changed by operations of several calls; nothing if there are none.
///
/// What is kept when everything is done does not have the mark: that takes it off.
pub async fn mark(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan<'_>,
    old: &mut Joined,
) -> Result<(), Error> {
    let steps = plan
        .steps
        .iter()
        .filter(|step| step.operation.steps.len() > 1);
    let paths: Vec<String> = steps
        .flat_map(|step| step.covers.iter().map(ToString::to_string))
        .collect();
    if paths.is_empty() || ctx.journey.is_dry {
        return Ok(());
    }
    let mut record = old
        .record
        .clone()
        .unwrap_or_else(|| new_record(ctx, old.scim_id.clone(), Some(old.target_id.clone())));
    mark_in(&mut record, paths.iter());
    ctx.store
        .put(ctx.id(), &t.resource_type.name, &record)
        .await?;
    old.record = Some(record);
    Ok(())
}

/// Marks attributes in what is kept, beside those that are marked already.
pub fn mark_in(record: &mut Record, paths: impl Iterator<Item = impl ToString>) {
    let mut paths: Vec<String> = paths.map(|path| path.to_string()).collect();
    paths.extend(marked(record));
    paths.sort();
    paths.dedup();
    record.shadow.insert(MARK.into(), json!(paths));
}

/// Writes down that a change of many members was done in part: the next one reads who is in first, so that it comes further
/// instead of making the same calls again.
///
/// # Errors
///
/// What the store fails with.
pub async fn mark_members(ctx: &Context, t: &TypeMapping, group: &Located) -> Result<(), Error> {
    let kind = &t.resource_type.name;
    let mut record = group
        .record
        .clone()
        .unwrap_or_else(|| new_record(ctx, group.scim_id.clone(), Some(group.target_id.clone())));
    mark_in(&mut record, [MEMBERS].iter());
    ctx.store.put(ctx.id(), kind, &record).await?;
    Ok(())
}

/// Whether a change of many members was done in part.
pub fn has_marked_members(group: &Located) -> bool {
    let marked = group.record.iter().flat_map(marked);
    marked.into_iter().any(|path| path == MEMBERS)
}

const MEMBERS: &str = "members";

/// The state to compare a wish with: without the attributes whose change stopped halfway.
pub fn known(old: &Joined) -> Cow<'_, Resource> {
    let mut known = Cow::Borrowed(&old.resource);
    for path in old.record.iter().flat_map(marked) {
        if let Ok(path) = AttributePath::parse(&path) {
            place::remove(&mut known.to_mut().0, &path);
        }
    }
    known
}

/// Writes down the state that the account is to have in the end, before it is locked on the way there; or, if that was
/// done by an attempt that did not come to its end, wishes that state again.
pub async fn remember_state(
    ctx: &Context,
    t: &TypeMapping,
    old: &Joined,
    new: &mut Resource,
    changed: &[AttributePath],
) -> Result<(), Error> {
    let says_state = changed
        .iter()
        .any(|path| path.schema.is_none() && path.attribute == "active");
    let record = old
        .record
        .clone()
        .unwrap_or_else(|| new_record(ctx, old.scim_id.clone(), Some(old.target_id.clone())));
    if let Some(state) = record.shadow.get(STATE).filter(|_| !says_state) {
        match state.is_boolean() {
            true => new.0.insert("active".into(), state.clone()),
            false => new.0.shift_remove("active"),
        };
        return Ok(());
    }
    if ctx.journey.is_dry {
        return Ok(());
    }
    let mut record = record;
    let state = new.0.get("active").cloned();
    record
        .shadow
        .insert(STATE.into(), state.unwrap_or_default());
    Ok(ctx
        .store
        .put(ctx.id(), &t.resource_type.name, &record)
        .await?)
}

/// Whether anything is marked.
pub fn is_marked(old: &Joined) -> bool {
    old.record
        .as_ref()
        .is_some_and(|record| record.shadow.contains_key(MARK))
}

/// Whether the change of an attribute stopped halfway.
pub fn is_marked_at(old: &Joined, path: &AttributePath) -> bool {
    let mut paths = old.record.iter().flat_map(marked);
    paths.any(|marked| marked == path.to_string())
}

fn marked(record: &Record) -> Vec<String> {
    let paths = record.shadow.get(MARK).and_then(Value::as_array);
    let paths = paths.into_iter().flatten();
    paths
        .filter_map(|path| path.as_str().map(str::to_owned))
        .collect()
}

/// No attribute's name: it has a character that names cannot have.
const MARK: &str = "$unfinished";

/// The state an account is to have in the end.
const STATE: &str = "$state";
