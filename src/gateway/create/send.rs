//! The calls of a create, and what follows them.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    gateway::{
        apply,
        confirm::{self, Shown},
        error::of_write,
        get::{object_of, show_members},
        identity::{Located, new_record},
        join::{Joined, complete, external_id, guard, join_one, keeps_wished_state, outbound},
        key, members, prune, stash, unfinished,
    },
    mapping::{
        model::{Members, OnDelete, OnExisting, OnRename, Operation, ReplyKind, TypeMapping},
        names::Names,
        plan,
        reply::CallClass,
        write::{self, Wish},
    },
    scim::{Error, Resource, diff},
    store::{Record, ScimId, TargetId},
    target::{TargetError, Version},
};

use super::{Create, cannot_create};

/// What the create call made.
struct Made {
    target_id: TargetId,
    object: Option<Value>,
    is_planned_only: bool,
}

impl Create<'_> {
    /// Makes the object, unless one is there under this name.
    pub(super) async fn make(&self, scim_id: &ScimId) -> Result<Joined, Error> {
        if self.must_look_first()
            && let Some(found) = self.look_up().await?
        {
            return self.meet(found, scim_id).await;
        }
        self.make_new(scim_id).await
    }

    /// Makes the object; nobody is there under this name, as far as anybody has to know.
    pub(super) async fn make_new(&self, scim_id: &ScimId) -> Result<Joined, Error> {
        match self.send(scim_id).await {
            Ok(made) => self.complete(made, scim_id).await,
            Err(Failure::Duplicate(error)) => self.met_by_refusal(error, scim_id).await,
            Err(Failure::Certain(error)) => {
                self.give_up(scim_id).await?;
                Err(error)
            }
            Err(Failure::Halfway { id, error }) => self.stop_halfway(id, error, scim_id).await,
            // Its fate is unknown: the intent stays, and the repetition looks the account up.
            Err(Failure::Unknown(error)) => Err(error),
        }
    }

    /// Where the application would overwrite, or is not known to refuse a second one of a name, or the policy wants to know, or a tombstone may hold the name.
    fn must_look_first(&self) -> bool {
        let (t, mapping) = (self.t, self.ctx.mapping());
        let policy = &mapping.policy;
        let relies_on_us = !t.refuses_duplicates(&mapping.target) && t.find_of_name().is_some();
        t.create.as_ref().is_some_and(|create| create.gets_first)
            || relies_on_us
            || policy.on_existing != OnExisting::Conflict
            || policy.on_delete == OnDelete::Deactivate
            || policy.on_rename == OnRename::Recreate
    }

    /// The application says that it has such an object.
    async fn met_by_refusal(&self, error: Error, scim_id: &ScimId) -> Result<Joined, Error> {
        self.give_up(scim_id).await?;
        // Whose name it is says more than that there is one, where nobody who looks it up finds it.
        if self.t.gone.is_some() && self.can_look_up() && !self.ctx.journey.is_dry {
            self.look_up().await?;
        }
        Err(error)
    }

    /// Nothing was made: the name is free for another intent.
    pub(super) async fn give_up(&self, scim_id: &ScimId) -> Result<(), Error> {
        Ok(self
            .ctx
            .store
            .abandon(self.ctx.id(), self.type_name(), &self.match_key, scim_id)
            .await?)
    }

    async fn send(&self, scim_id: &ScimId) -> Result<Made, Failure> {
        let (ctx, t) = (self.ctx, self.t);
        let Some(operation) = &t.create else {
            return Err(Failure::Certain(cannot_create(t)));
        };
        let wish = outbound(ctx, t, &self.wish)
            .await
            .map_err(Failure::Certain)?;
        let mut names = self.names(scim_id);
        names.resource(&wish);
        if let Some(members) = t.members.as_ref().filter(|m| m.are_in_object()) {
            let ids = member_ids(self.wish.0.get("members"));
            let ids = members::field_ids(ctx, members, &ids, &[]).await;
            ids.map_err(Failure::Certain)?.name_in(&mut names);
        }
        let fields = write::fields(t, operation, &wish, Wish::Create, None, &names)
            .map_err(|error| Failure::Certain(error.into()))?;
        key::check(ctx, t, &fields).map_err(Failure::Certain)?;
        let own_key = key::in_fields(t, &fields);
        let fields = Value::Object(fields);
        let present = diff::changed(&t.resource_type, &Resource::default(), &self.wish);
        // Whether something is there already was looked up before.
        names.with("old", Cow::Owned(Value::Null));
        let done = ctx
            .driver()
            .run(
                &ctx.journey,
                operation,
                CallClass::Create,
                &names,
                Some(fields.clone()),
                &present,
            )
            .await
            .map_err(|error| Failure::of(error, t, operation))?;
        let target_id = match done.id.clone().or(own_key) {
            Some(id) => TargetId::new(id),
            None if done.is_planned_only => TargetId::new("(new)"),
            None => self.found_id().await?,
        };
        let object = done
            .object
            .filter(|object| operation.reply == ReplyKind::Object && object.is_object());
        Ok(Made {
            target_id,
            object,
            is_planned_only: done.is_planned_only,
        })
    }

    /// The names of the edge, and the SCIM id where the gateway makes it: the application's own is not known before the call.
    pub(super) fn names(&self, scim_id: &ScimId) -> Names<'_> {
        let mut names = self.ctx.names();
        if !self.t.id.is_stable {
            names.with("scim", Cow::Owned(json!({ "id": scim_id.as_str() })));
        }
        names
    }

    /// The application did not say the id: it is looked up by name.
    async fn found_id(&self) -> Result<TargetId, Failure> {
        match self.look_up().await {
            Ok(Some(found)) => Ok(found.target_id),
            Ok(None) => Err(Failure::Unknown(Error::new(
                502,
                "The application said that it made the object, and does not show it.",
            ))),
            Err(error) => Err(Failure::Unknown(error)),
        }
    }

    /// What the create call could not set is set now; then everything is committed.
    async fn complete(&self, made: Made, scim_id: &ScimId) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let mut record = self.record(scim_id, &made.target_id);
        let mut joined = self.joined(&made, &record).await?;
        if let Err(error) = self.set_the_rest(&mut joined).await {
            return self.undo(&joined, error).await;
        }
        stash::carry(joined.record.as_ref(), &mut record.shadow, &self.wish);
        if joined.object.is_object() {
            guard(ctx, t, &mut record, &joined.object);
        }
        self.commit(&record).await?;
        if joined.object.is_object() {
            let shown = match made.object {
                Some(_) => Shown::ByReply,
                None => Shown::ByGet,
            };
            confirm::tell_differences(ctx, t, &self.wish, None, &joined, shown);
        }
        Ok(joined)
    }

    /// What an earlier resource left behind under the same key of the application: a tombstone, or the link of an object
    /// that was deleted there without our knowledge. It leads nowhere now.
    async fn forget_predecessor(&self, record: &Record) -> Result<(), Error> {
        let (ctx, Some(target_id)) = (self.ctx, &record.target_id) else {
            return Ok(());
        };
        if self.t.id.is_stable {
            return Ok(());
        }
        let holder = ctx
            .store
            .record_by_target(ctx.id(), self.type_name(), target_id)
            .await?;
        match holder.filter(|holder| holder.scim_id != record.scim_id) {
            Some(stale) => Ok(ctx
                .store
                .delete(ctx.id(), self.type_name(), &stale.scim_id, false)
                .await?),
            None => Ok(()),
        }
    }

    async fn set_the_rest(&self, joined: &mut Joined) -> Result<(), Error> {
        let (ctx, t) = (self.ctx, self.t);
        let plan = plan::after_create(t, &self.wish);
        stash::take(ctx, t, &plan, joined, true).await?;
        let applied = apply::apply(ctx, t, &plan, joined, &self.wish).await?;
        if !plan.steps.is_empty() {
            self.refresh(joined, applied.target_id).await?;
        }
        let was_set = plan.steps.iter().flat_map(|step| &step.covers);
        let was_set = was_set.into_iter().any(confirm::is_active);
        self.lock_if_open(joined, was_set).await?;
        let add = member_ids(self.wish.0.get("members"));
        let is_in_body = t.members.as_ref().is_some_and(Members::are_in_object);
        if !add.is_empty() && !is_in_body {
            let change = members::Change {
                all: Some(add.clone()),
                add,
                remove: Vec::new(),
                held: None,
            };
            members::apply(ctx, t, &located(joined), &change).await?;
        }
        self.show_members(joined).await?;
        Ok(())
    }

    /// An account that was wished inactive and is shown open, since the application does not regard that in a create, is
    /// locked by the update, once; if it is open even then, that is no success (promise S17).
    async fn lock_if_open(&self, joined: &mut Joined, was_set: bool) -> Result<(), Error> {
        let (ctx, t) = (self.ctx, self.t);
        if !confirm::is_open_unwished(ctx, t, &self.wish, &joined.object) {
            return Ok(());
        }
        if was_set {
            return Err(confirm::still_open());
        }
        let applied = apply::set_active(ctx, t, joined, false).await?;
        self.refresh(joined, applied.target_id).await?;
        match confirm::is_open_unwished(ctx, t, &self.wish, &joined.object) {
            true => Err(confirm::still_open()),
            false => Ok(()),
        }
    }

    /// After further calls the object is another one: read it again, or go by the wish.
    async fn refresh(&self, joined: &mut Joined, target_id: Option<TargetId>) -> Result<(), Error> {
        if let Some(target_id) = target_id {
            joined.target_id = target_id;
        }
        if self.ctx.journey.is_dry {
            return Ok(());
        }
        if let Some(object) = object_of(self.ctx, self.t, &located(joined)).await?
            && let Some(fresh) = join_one(self.ctx, self.t, object, joined.record.clone()).await?
        {
            *joined = fresh;
        }
        Ok(())
    }

    /// The members that were wished are there: told without asking again.
    async fn show_members(&self, joined: &mut Joined) -> Result<(), Error> {
        if let Some(Value::Array(wished)) = self.wish.0.get("members") {
            let members = members::as_wished(self.ctx, self.t, wished).await?;
            show_members(&mut joined.resource.0, members);
        }
        Ok(())
    }

    /// A step failed after an earlier one had made the object.
    async fn stop_halfway(
        &self,
        id: Option<String>,
        error: Error,
        scim_id: &ScimId,
    ) -> Result<Joined, Error> {
        let target_id = match id {
            Some(id) => TargetId::new(id),
            // Where it cannot be found either, the repetition may.
            None => match self.look_up().await {
                Ok(Some(found)) => found.target_id,
                Ok(None) | Err(_) => return Err(error),
            },
        };
        let record = self.record(scim_id, &target_id);
        let made = Made {
            target_id,
            object: None,
            is_planned_only: false,
        };
        self.undo(&self.as_wished(&made, &record), error).await
    }

    /// A later step failed: the half-made object is taken back if the client has to change its wish, so that nobody meets
    /// it. Otherwise it is the client's already, and the same request sent again finishes it.
    async fn undo(&self, joined: &Joined, error: Error) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        if ctx.journey.is_dry {
            return Err(error);
        }
        let mut record = joined
            .record
            .clone()
            .unwrap_or_else(|| self.record(&joined.scim_id, &joined.target_id));
        if error.status < 500 && t.delete.is_some() {
            let located = located(joined);
            if crate::gateway::delete::remove(ctx, t, &located, None)
                .await
                .is_ok()
            {
                self.give_up(&self.new_intent().scim_id).await?;
                self.give_up(&record.scim_id).await?;
                return Err(error);
            }
        }
        let wished = diff::changed(&t.resource_type, &Resource::default(), &self.wish);
        unfinished::mark_in(
            &mut record,
            wished.iter().filter(|path| **path != t.match_attribute),
        );
        // The first error is the one to tell; without the link the repetition looks the object up.
        if let Err(failed) = self.commit(&record).await {
            tracing::warn!(error = %failed.detail, "a half-made object could not be linked");
        }
        Err(error)
    }

    /// What is kept here about the new resource.
    pub(super) fn record(&self, scim_id: &ScimId, target_id: &TargetId) -> Record {
        let scim_id = if self.t.id.is_stable {
            ScimId::new(self.t.id.to_scim(target_id.as_str()))
        } else {
            scim_id.clone()
        };
        let mut record = new_record(self.ctx, scim_id, Some(target_id.clone()));
        record.created = self.ctx.now;
        record.external_id = external_id(self.t, &self.wish);
        record.shadow = write::kept_values(self.t, &self.wish);
        if keeps_wished_state(self.ctx, self.t) {
            let active = self
                .wish
                .0
                .get("active")
                .cloned()
                .unwrap_or(Value::Bool(true));
            record.shadow.insert("active".into(), active);
        }
        record
    }

    pub(super) async fn commit(&self, record: &Record) -> Result<(), Error> {
        self.forget_predecessor(record).await?;
        Ok(self
            .ctx
            .store
            .applied(self.ctx.id(), self.type_name(), &self.match_key, record)
            .await?)
    }

    /// The new resource: as the application shows it, or as it was wished.
    async fn joined(&self, made: &Made, record: &Record) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let reads_back = t
            .create
            .as_ref()
            .is_some_and(|create| create.reply == ReplyKind::ReadBack);
        let object = match &made.object {
            Some(object) => Some(object.clone()),
            None if reads_back && !made.is_planned_only => {
                let located = Located {
                    scim_id: record.scim_id.clone(),
                    target_id: made.target_id.clone(),
                    record: None,
                };
                object_of(ctx, t, &located).await?
            }
            None => None,
        };
        if let Some(object) = object
            && let Some(joined) = join_one(ctx, t, object, Some(record.clone())).await?
        {
            return Ok(joined);
        }
        let mut joined = self.as_wished(made, record);
        if made.is_planned_only {
            joined.object = apply::planned_object();
        }
        Ok(joined)
    }

    /// The new resource as it was wished, where the application does not show it.
    fn as_wished(&self, made: &Made, record: &Record) -> Joined {
        let (ctx, t) = (self.ctx, self.t);
        let mut resource = prune::prune(ctx, t, self.wish.clone());
        complete(ctx, t, &mut resource, &record.scim_id, Some(record));
        Joined {
            resource,
            record: Some(record.clone()),
            object: Value::Null,
            version: Version::default(),
            target_id: made.target_id.clone(),
            scim_id: record.scim_id.clone(),
            deleted_members: Vec::new(),
        }
    }
}

/// Where the resource is.
pub fn located(joined: &Joined) -> Located {
    Located {
        scim_id: joined.scim_id.clone(),
        target_id: joined.target_id.clone(),
        record: joined.record.clone(),
    }
}

/// The ids of member values.
pub fn member_ids(members: Option<&Value>) -> Vec<String> {
    let members = members.and_then(Value::as_array).into_iter().flatten();
    members
        .filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()))
        .collect()
}

/// How a create call failed: what matters is whether something may have been made.
enum Failure {
    /// Nothing was made: the application has such an object.
    Duplicate(Error),
    /// Nothing was made.
    Certain(Error),
    /// Something was made, and not all of it; with the application's id, if it is known.
    Halfway { id: Option<String>, error: Error },
    /// Nobody knows.
    Unknown(Error),
}

impl Failure {
    fn of(error: TargetError, t: &TypeMapping, operation: &Operation) -> Self {
        use crate::scim::ScimType;
        let error = match error {
            TargetError::Halfway { id, cause } => {
                let error = of_write(*cause, t, operation);
                return Self::Halfway { id, error };
            }
            error => error,
        };
        let is_in_doubt = error.is_in_doubt();
        let error = of_write(error, t, operation);
        match () {
            () if is_in_doubt => Self::Unknown(error),
            () if error.scim_type == Some(ScimType::Uniqueness) => Self::Duplicate(error),
            () => Self::Certain(error),
        }
    }
}
