//! A plan is carried out: call by call, each outcome recorded in the exchange.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        model::{Operation, ReplyKind, Send, TypeMapping},
        names::Names,
        plan::{self, Plan, Step},
        write::{self, Wish},
    },
    scim::{AttributePath, Error, Resource},
    store::{Record, TargetId},
    target::TargetError,
};

use super::{
    confirm,
    context::Context,
    get::{id_value, object_of},
    identity::Located,
    join::{Joined, outbound},
    members,
    rekey::Rekey,
    unfinished,
};

/// What a plan left behind.
#[derive(Debug, Default)]
pub struct Applied {
    /// The target's object, if the last reply gave it whole.
    pub object: Option<Value>,
    /// Whether the object should be read again before answering.
    pub must_read: bool,
    /// The target's id afterwards; it changes where the key is a name.
    pub target_id: Option<TargetId>,
}

/// Why a plan was not carried out to its end.
#[derive(Debug)]
pub enum Stopped {
    /// Somebody else changed the object since it was read: the plan is worth nothing any more.
    Changed,
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<TargetError> for Stopped {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Changed => Self::Changed,
            error => Self::Failed(error.into()),
        }
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Changed => TargetError::Changed.into(),
            Stopped::Failed(error) => error,
        }
    }
}

/// How often a write is made in all when each time somebody else was faster: read again, compared again, sent again.
pub const ATTEMPTS: u8 = 3;

/// Runs a plan against a resource that exists. The first write names the version that `old` was read with; a later one that
/// of the reply before it.
///
/// # Errors
///
/// The first failure; what was done stays done, and the same request sent again does only what is missing.
pub async fn apply(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan<'_>,
    old: &Joined,
    new: &Resource,
) -> Result<Applied, Stopped> {
    let mut applied = Applied::default();
    if plan.steps.is_empty() {
        return Ok(applied);
    }
    let wanted = outbound(ctx, t, new).await?;
    let known = unfinished::known(old);
    let before = outbound_lossy(ctx, t, &known).await;
    let mut target_id = old.target_id.clone();
    let mut etag = old.etag.clone().map(Value::from);
    for step in &plan.steps {
        let wish = Wish::Update {
            changed: &step.covers,
            old: &before,
        };
        let present = present(ctx, t, step.operation, old, &target_id).await?;
        let members = members_in_field(ctx, t, step, &present, new).await?;
        let mut names = names(ctx, t, &target_id, &old.scim_id, &wanted, &present);
        if ctx.journey.is_dry && *present == planned_object() {
            names.with("etag", Cow::Owned(Value::from("(of the new object)")));
        }
        if let Some(members) = members {
            members.name_in(&mut names);
        }
        if let Some(etag) = &etag {
            names.with("etag", Cow::Borrowed(etag));
        }
        let fields = write::fields(t, step.operation, &wanted, wish, Some(&present), &names)
            .map_err(Error::from)?;
        if uses_mapped(step.operation) {
            let mapped = write::mapped(t, &wanted, &before, &present, &names);
            names.with("mapped", Cow::Owned(Value::Object(mapped)));
        }
        if fields.is_empty() && sends_fields_only(t, step.operation) {
            // What changed is nothing to the application: a part that it has no field for.
            applied.must_read = true;
            continue;
        }
        let expected_id = key_in(t, &fields);
        let rekey = Rekey::begin(ctx, t, old, &target_id, expected_id.as_deref()).await?;
        let body = Some(Value::Object(fields));
        let done = ctx
            .driver()
            .run(
                &ctx.journey,
                step.operation,
                step.class,
                &names,
                body,
                &step.covers,
            )
            .await;
        drop(names);
        let renamed = match (&done, rekey) {
            (Ok(done), rekey) => {
                let key = done.id.clone().or(expected_id).map(TargetId::new);
                keep_key(ctx, t, old, &target_id, key, rekey).await?
            }
            (Err(error), Some(rekey)) => rekey.after(error).await?,
            (Err(_), None) => None,
        };
        if let Some(id) = renamed {
            target_id = id;
        }
        let done = done?;
        etag = done.etag.map(Value::from);
        match step.operation.reply {
            ReplyKind::Object => applied.object = done.object.filter(Value::is_object),
            ReplyKind::ReadBack => applied.must_read = true,
            ReplyKind::Nothing => applied.object = None,
        }
    }
    applied.must_read |= plan.steps.len() > 1
        && plan
            .steps
            .iter()
            .any(|step| step.operation.reply == ReplyKind::Object);
    applied.target_id = Some(target_id);
    Ok(applied)
}

/// Sets the state of an account, whatever the resource says that it is.
///
/// # Errors
///
/// As for [`apply`]. Nothing is called if no operation sets it.
pub async fn set_active(
    ctx: &Context,
    t: &TypeMapping,
    old: &Joined,
    is_active: bool,
) -> Result<Applied, Error> {
    let mut wanted = old.resource.clone();
    wanted.0.insert("active".into(), is_active.into());
    let plan = plan::update(t, &wanted, &[confirm::active()]);
    // What is there now is the other state.
    let mut present = old.clone();
    let state = &mut present.resource.0;
    state.insert("active".into(), (!is_active).into());
    Ok(apply(ctx, t, &plan, &present, &wanted).await?)
}

/// Writes a new key down as soon as the application has it, and gives it: whatever fails after it, the client's id still names
/// the object.
async fn keep_key(
    ctx: &Context,
    t: &TypeMapping,
    old: &Joined,
    before: &TargetId,
    key: Option<TargetId>,
    rekey: Option<Rekey<'_>>,
) -> Result<Option<TargetId>, Error> {
    let key = key.filter(|key| key != before);
    if let Some(rekey) = rekey {
        rekey.end(key.as_ref()).await?;
        return Ok(key);
    }
    let record = old.record.as_ref();
    if let (Some(record), Some(key)) = (record.filter(|_| !t.id.is_stable), &key)
        && !ctx.journey.is_dry
    {
        let record = Record {
            target_id: Some(key.clone()),
            ..record.clone()
        };
        ctx.store
            .put(ctx.id(), &t.resource_type.name, &record)
            .await?;
    }
    Ok(key)
}

/// What stands for an object that a dry run only planned: nothing of it can be read.
pub fn planned_object() -> Value {
    Value::Object(Map::new())
}

/// Whether a body of an operation names all mapped fields.
fn uses_mapped(operation: &Operation) -> bool {
    let bodies = operation.steps.iter().filter_map(|call| call.body.as_ref());
    let mut names = bodies.flat_map(|body| body.names());
    names.any(|name| name.names.first().is_some_and(|first| first == "mapped"))
}

/// Whether all that an operation sends are fields: without any there is nothing to say.
fn sends_fields_only(t: &TypeMapping, operation: &Operation) -> bool {
    let is_update = t.updates.iter().any(|own| std::ptr::eq(own, operation));
    is_update && operation.steps.iter().all(|call| call.body.is_none())
}

/// The list of members, where it is a field of the group that this operation sends.
async fn members_in_field(
    ctx: &Context,
    t: &TypeMapping,
    step: &Step<'_>,
    present: &Value,
    new: &Resource,
) -> Result<Option<members::InField>, Error> {
    let Some(members) = t.members.as_ref().filter(|m| m.field.is_some()) else {
        return Ok(None);
    };
    let is_changed = step
        .covers
        .iter()
        .any(|path| path.schema.is_none() && path.attribute == "members");
    if !is_changed {
        return Ok(Some(members::present_in_field(ctx, members, present)));
    }
    let wished = new.0.get("members").and_then(Value::as_array);
    let wished: Vec<String> = wished
        .into_iter()
        .flatten()
        .filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()))
        .collect();
    members::field_ids(ctx, members, &wished).await.map(Some)
}

/// The names that a write's templates may use.
pub fn names<'a>(
    ctx: &'a Context,
    t: &TypeMapping,
    target_id: &TargetId,
    scim_id: &crate::store::ScimId,
    resource: &'a Resource,
    present: &'a Value,
) -> Names<'a> {
    let mut names = ctx.names();
    names.resource(resource);
    names.with("id", Cow::Owned(id_value(t, target_id.as_str())));
    names.with("scim", Cow::Owned(json!({ "id": scim_id.as_str() })));
    names.with("old", Cow::Borrowed(present));
    names
}

/// The object as it is now, for operations that send it back with changes.
async fn present<'o>(
    ctx: &Context,
    t: &TypeMapping,
    operation: &Operation,
    old: &'o Joined,
    target_id: &TargetId,
) -> Result<Cow<'o, Value>, Error> {
    let must_be_whole = operation.send == Send::Merged || operation.gets_first;
    if !must_be_whole || old.object.is_object() {
        return Ok(Cow::Borrowed(&old.object));
    }
    let located = Located {
        scim_id: old.scim_id.clone(),
        target_id: target_id.clone(),
        record: old.record.clone(),
    };
    let object = object_of(ctx, t, &located).await?;
    object
        .map(Cow::Owned)
        .ok_or_else(|| super::identity::unknown(t))
}

/// The id that the fields give the object, where the id is one of them.
pub fn key_in(t: &TypeMapping, fields: &Map<String, Value>) -> Option<String> {
    if t.id.is_stable {
        return None;
    }
    let place = t.id.from.as_place()?;
    super::user_groups::text_of(place.read(&Value::Object(fields.clone())))
}

/// References of the old state; one that dangles is left as it is, since it is only compared with.
async fn outbound_lossy<'r>(
    ctx: &Context,
    t: &TypeMapping,
    resource: &'r Resource,
) -> Cow<'r, Resource> {
    outbound(ctx, t, resource)
        .await
        .unwrap_or(Cow::Borrowed(resource))
}

/// Which attributes changed, for the exchange.
pub fn record_changes(ctx: &Context, changed: &[AttributePath]) {
    ctx.record(|exchange| {
        exchange
            .changed
            .extend(changed.iter().map(ToString::to_string))
    });
}
