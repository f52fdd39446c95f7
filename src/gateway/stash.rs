//! What `deactivate` takes away and `activate` gives back (`stash`): kept with the record, from the deactivation to the activation.
//!
//! It is written down before the call that takes it away. A deactivation that is repeated since it stopped halfway keeps what
//! the first attempt found; a new one finds anew, so that nobody gets back what somebody has changed meanwhile.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    mapping::{
        model::{Operation, TypeMapping},
        names::Names,
        plan::Plan,
    },
    scim::{Error, Resource},
    store::Record,
};

use super::{
    apply, confirm,
    context::Context,
    create::located,
    get::object_of,
    identity::new_record,
    join::{Joined, outbound},
    unfinished,
};

/// Puts aside what the plan's `deactivate` is to take away; nothing if it takes nothing, or if there is no such operation in
/// the plan. What is known of the resource has it afterwards, and the store, unless the resource is new.
///
/// # Errors
///
/// Those of the store, of the reading of an object that is not known, and of the templates.
pub async fn take(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan<'_>,
    old: &mut Joined,
    is_new: bool,
) -> Result<(), Error> {
    let mut operations = plan.steps.iter().map(|step| step.operation);
    let Some(deactivate) = operations.find(|operation| !operation.stash.is_empty()) else {
        return Ok(());
    };
    if unfinished::is_marked_at(old, &confirm::active()) && of(old.record.as_ref()).is_some() {
        return Ok(());
    }
    let stash = found(ctx, t, deactivate, old).await?;
    let mut record = old
        .record
        .clone()
        .unwrap_or_else(|| new_record(ctx, old.scim_id.clone(), Some(old.target_id.clone())));
    record.shadow.insert(STASH.into(), stash);
    if !ctx.journey.is_dry && !is_new {
        let name = &t.resource_type.name;
        ctx.store.put(ctx.id(), name, &record).await?;
    }
    old.record = Some(record);
    Ok(())
}

/// What is to be put aside, as the object is now.
async fn found(
    ctx: &Context,
    t: &TypeMapping,
    deactivate: &Operation,
    old: &Joined,
) -> Result<Value, Error> {
    let object = match old.object.is_object() || ctx.journey.is_dry {
        true => Cow::Borrowed(&old.object),
        false => Cow::Owned(object_of(ctx, t, &located(old)).await?.unwrap_or_default()),
    };
    let resource = outbound(ctx, t, &old.resource).await?;
    let names = apply::names(ctx, t, &old.target_id, &old.scim_id, &resource, &object);
    let mut stash = Value::Object(Map::new());
    for (place, tree) in &deactivate.stash {
        if let Some(value) = tree.render(&names)? {
            place.write(&mut stash, value);
        }
    }
    Ok(stash)
}

/// What was put aside; absent if nothing was.
pub fn of(record: Option<&Record>) -> Option<&Value> {
    record?.shadow.get(STASH)
}

/// Gives `activate` the name `stash`.
pub fn name_in<'r>(
    t: &TypeMapping,
    operation: &Operation,
    record: Option<&'r Record>,
    names: &mut Names<'r>,
) {
    let is_activate = t
        .activate
        .as_ref()
        .is_some_and(|own| std::ptr::eq(own, operation));
    if is_activate && let Some(stash) = of(record) {
        names.with("stash", Cow::Borrowed(stash));
    }
}

/// Keeps what was put aside in what is kept next, as long as the account is deactivated.
pub fn carry(from: Option<&Record>, to: &mut Map<String, Value>, new: &Resource) {
    let is_locked = new.0.get("active") == Some(&Value::Bool(false));
    if let Some(stash) = of(from).filter(|_| is_locked) {
        to.insert(STASH.into(), stash.clone());
    }
}

/// No attribute's name: it has a character that names cannot have.
const STASH: &str = "$stash";
