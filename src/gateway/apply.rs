//! A plan is carried out: call by call, each outcome recorded in the exchange.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        expression::{Expression, NamePath},
        model::{IfMatch, Operation, ReplyKind, Send, TypeMapping},
        names::Names,
        plan::{self, Plan, Step},
        read,
        template::Template,
        write::{self, Wish},
    },
    scim::{AttributePath, Error, Resource},
    store::{Record, TargetId},
    target::{Done, TargetError, Version},
};

use super::{
    confirm,
    context::Context,
    create,
    error::{changed, of_write},
    get::{id_value, versioned_object_of},
    identity::Located,
    join::{Joined, outbound},
    key, members,
    rekey::Rekey,
    stash, unfinished,
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
    Changed {
        /// Whether a part of it was made before.
        is_halfway: bool,
    },
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
            TargetError::Changed { is_halfway } => Self::Changed { is_halfway },
            error => Self::Failed(error.into()),
        }
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Changed { is_halfway } => changed(is_halfway),
            Stopped::Failed(error) => error,
        }
    }
}

/// How often a write is made in all when each time somebody else was faster: read again, compared again, sent again.
pub const ATTEMPTS: u8 = 3;

/// Runs a plan against a resource that exists. The first operation works on what `old` was read as, and names its version; a
/// later one on the object as it is after those before it, as far as it speaks of it.
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
    let mut seen = Seen {
        object: Cow::Borrowed(&old.object),
        version: Cow::Borrowed(&old.version),
        is_outdated: false,
    };
    let mut has_written = false;
    for step in &plan.steps {
        let wish = Wish::Update {
            changed: &step.covers,
            old: &before,
        };
        seen.look(ctx, t, step.operation, old, &target_id).await?;
        let present = &*seen.object;
        let members = members_in_field(ctx, t, step, present, (&old.resource, new)).await?;
        let mut names = names(ctx, t, &target_id, &old.scim_id, &wanted, present);
        if ctx.journey.is_dry && *present == planned_object() {
            names.with("etag", Cow::Owned(Value::from("(of the new object)")));
        }
        if let Some(members) = members {
            members.name_in(&mut names);
        }
        seen.version.name_in(step.operation, &mut names);
        stash::name_in(t, step.operation, old.record.as_ref(), &mut names);
        let fields = write::fields(t, step.operation, &wanted, wish, Some(present), &names)
            .map_err(Error::from)?;
        if uses_mapped(step.operation) {
            let mapped = write::mapped(t, &wanted, &before, present, &names);
            names.with("mapped", Cow::Owned(Value::Object(mapped)));
        }
        if fields.is_empty() && plan::sends_fields_only(t, step.operation) {
            // What changed is nothing to the application: a part that it has no field for.
            applied.must_read = true;
            continue;
        }
        key::check(ctx, t, &fields)?;
        let expected_id = key::in_fields(t, &fields);
        let rekey = Rekey::begin(ctx, t, old, &target_id, expected_id.as_deref()).await?;
        let body = Some(Value::Object(fields));
        let writes_before = writes(ctx);
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
            (Ok(_), Some(rekey)) if writes(ctx) == writes_before => {
                rekey.end(None).await?;
                None
            }
            (Ok(done), Some(rekey)) => Some(rekey.done(shown_id(t, step.operation, done)).await?),
            (Ok(done), None) => {
                let key = done.id.clone().or(expected_id).map(TargetId::new);
                keep_key(ctx, t, old, &target_id, key).await?
            }
            (Err(error), Some(rekey)) => rekey.after(error).await?,
            (Err(_), None) => None,
        };
        if let Some(id) = renamed {
            target_id = id;
        }
        let done = done.map_err(|error| match error {
            TargetError::Changed { is_halfway } => Stopped::Changed {
                is_halfway: is_halfway || has_written,
            },
            error => Stopped::Failed(of_write(error, t, step.operation)),
        })?;
        let is_made = writes(ctx) > writes_before;
        if !is_made && !done.is_planned_only {
            note_left_out(ctx, step);
        }
        if is_made {
            has_written = true;
            seen.is_outdated = true;
            seen.version = Cow::Owned(Version {
                etag: done.etag,
                taken: Map::new(),
            });
        }
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
) -> Result<Option<TargetId>, Error> {
    let key = key.filter(|key| key != before);
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

/// The id that the reply to a write gives the object; absent if it shows none.
fn shown_id(t: &TypeMapping, operation: &Operation, done: &Done) -> Option<TargetId> {
    let shown = done
        .object
        .as_ref()
        .filter(|_| operation.reply == ReplyKind::Object);
    let shown = || read::target_id(t, shown?);
    done.id.clone().or_else(shown).map(TargetId::new)
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

/// The list of members, where it is a field of the group that this operation sends.
async fn members_in_field(
    ctx: &Context,
    t: &TypeMapping,
    step: &Step<'_>,
    present: &Value,
    (old, new): (&Resource, &Resource),
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
    let ids = |resource: &Resource| create::member_ids(resource.0.get("members"));
    members::field_ids(ctx, members, &ids(new), &ids(old))
        .await
        .map(Some)
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

/// What is known of the object in the application while a plan runs.
struct Seen<'o> {
    object: Cow<'o, Value>,
    version: Cow<'o, Version>,
    /// Whether an operation has changed it since it was read.
    is_outdated: bool,
}

impl Seen<'_> {
    /// Reads the object for an operation that works on it as a whole, or that speaks of it after others have changed it.
    async fn look(
        &mut self,
        ctx: &Context,
        t: &TypeMapping,
        operation: &Operation,
        old: &Joined,
        target_id: &TargetId,
    ) -> Result<(), Error> {
        let must_be_whole = operation.send == Send::Merged || operation.gets_first;
        let is_missing = must_be_whole && !self.object.is_object();
        let is_stale = self.is_outdated && speaks_of_old(t, operation);
        if !is_missing && !is_stale {
            return Ok(());
        }
        let located = Located {
            scim_id: old.scim_id.clone(),
            target_id: target_id.clone(),
            record: old.record.clone(),
        };
        let found = versioned_object_of(ctx, t, &located).await?;
        let (object, version) = found.ok_or_else(|| super::identity::unknown(t))?;
        *self = Self {
            object: Cow::Owned(object),
            version: Cow::Owned(version),
            is_outdated: false,
        };
        Ok(())
    }
}

/// Whether an operation sends the object as read back, or names it, or what `get` took beside it.
fn speaks_of_old(t: &TypeMapping, operation: &Operation) -> bool {
    let mut names: Vec<NamePath> = Vec::new();
    for step in &operation.steps {
        names.extend(step.names());
        names.extend(step.each.iter().flat_map(Template::names));
        names.extend(step.condition.iter().flat_map(Expression::names));
    }
    if let Some(IfMatch::Template(template)) = &operation.if_match {
        names.extend(template.names());
    }
    let taken = t.get.iter().flat_map(|get| &get.steps);
    let taken: Vec<&str> = taken
        .flat_map(|step| step.take.iter().map(|(name, _)| name.as_str()))
        .collect();
    let is_about_it = |name: &NamePath| name.is_of(&["old"]) || name.is_of(&taken);
    operation.send == Send::Merged || names.iter().any(is_about_it)
}

/// Tells that the conditions of an operation left out all calls that would write.
fn note_left_out(ctx: &Context, step: &Step<'_>) {
    let names: Vec<String> = step.covers.iter().map(ToString::to_string).collect();
    let message = format!(
        "not changed, since the conditions of `{}` leave its calls out: {}",
        step.operation.name,
        names.join(", ")
    );
    ctx.note("N11", message);
}

/// How many calls so far may have changed something.
fn writes(ctx: &Context) -> usize {
    let mut writes = 0;
    ctx.record(|exchange| writes = exchange.writes);
    writes
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
