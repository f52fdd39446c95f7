//! What follows the calls of an update: what is kept here is committed, and the answer is made.

use serde_json::{Map, Value};

use crate::{
    dialect::PatchAnswer,
    gateway::{
        answer::{Answer, Meta},
        apply::Applied,
        confirm::{self, Shown},
        context::Context,
        get::{Want, object_of, show_members, with_parts},
        identity::{Located, new_record},
        join::{
            Joined, complete, external_id, folded, guard, join_one, keeps_wished_state,
            shown_by_application,
        },
        members, stash,
        taste::season,
        unfinished,
    },
    mapping::{
        model::{TypeMapping, WhenRemoved},
        write,
    },
    scim::{AttributePath, Error, Resource},
    store::{Intent, IntentState, Prepared, Record},
    target::Version,
};

use super::Update;

impl Update<'_> {
    /// Writes down what is kept here, if anything is: shadow attributes, `externalId`, the revision, a new key.
    pub(super) async fn commit(
        &self,
        old: &Joined,
        new: &Resource,
        applied: &Applied,
        has_new_members: bool,
    ) -> Result<Option<Record>, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let target_id = applied
            .target_id
            .clone()
            .unwrap_or_else(|| old.target_id.clone());
        let record = Record {
            target_id: Some(target_id),
            external_id: external_id(t, new),
            shadow: shadow(ctx, t, old, new),
            modified: ctx.now,
            ..old
                .record
                .clone()
                .unwrap_or_else(|| new_record(ctx, old.scim_id.clone(), None))
        };
        let is_same = old.record.as_ref().is_some_and(|before| {
            before.target_id == record.target_id
                && before.external_id == record.external_id
                && before.shadow == record.shadow
        });
        let keeps_nothing = old.record.is_none()
            && record.external_id.is_none()
            && record.shadow.is_empty()
            && !has_new_members;
        let shows_times = !t.attributes.iter().any(|rule| {
            let path = &rule.location.path;
            path.attribute == "meta" && path.sub_attribute.as_deref() == Some("lastModified")
        });
        if keeps_nothing || (is_same && !has_new_members && !shows_times) {
            if let Some(record) = &old.record {
                self.remember_name(old, new, record).await?;
            }
            return Ok(old.record.clone());
        }
        let revision = record.revision + u64::from(has_new_members);
        let record = Record { revision, ..record };
        ctx.store
            .put(ctx.id(), &t.resource_type.name, &record)
            .await?;
        self.remember_name(old, new, &record).await?;
        Ok(Some(record))
    }

    /// A name that was given up may be created again at once, and the new one counts as one that was created: no create makes
    /// a namesake that differs in letter case alone.
    async fn remember_name(
        &self,
        old: &Joined,
        new: &Resource,
        record: &Record,
    ) -> Result<(), Error> {
        let (store, tenant) = (&self.ctx.store, self.ctx.id());
        let type_name = &self.t.resource_type.name;
        let name = |resource: &Resource| {
            resource
                .0
                .get(&self.t.match_attribute.attribute)
                .and_then(Value::as_str)
                .map(folded)
                .unwrap_or_default()
        };
        let (before, after) = (name(&old.resource), name(new));
        if before == after || self.ctx.journey.is_dry {
            return Ok(());
        }
        let id = &record.scim_id;
        store.abandon(tenant, type_name, &before, id).await?;
        let intent = Intent {
            match_key: after,
            // No wish's: whoever asks for the name asks for another resource.
            digest: [0; 32],
            scim_id: id.clone(),
            state: IntentState::Prepared,
            prepared_at: self.ctx.now,
            target_id: None,
        };
        let prepared = store.prepare(tenant, type_name, &intent, self.ctx.now);
        if prepared.await? == Prepared::Fresh {
            let name = &intent.match_key;
            store.applied(tenant, type_name, name, record).await?;
            store.acknowledge(tenant, type_name, name, id).await?;
        }
        Ok(())
    }

    /// The resource after the calls: as the application showed it, read again, or as it was wished.
    pub(super) async fn joined(
        &self,
        old: Joined,
        new: Resource,
        changed: &[AttributePath],
        applied: Applied,
        record: Option<Record>,
    ) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let target_id = applied
            .target_id
            .clone()
            .unwrap_or_else(|| old.target_id.clone());
        let members = new.0.get("members").and_then(Value::as_array);
        let members = match members {
            Some(wished) => Some(members::as_wished(ctx, t, wished).await?),
            None => None,
        };
        let located = Located {
            scim_id: old.scim_id.clone(),
            target_id: target_id.clone(),
            record: record.clone(),
        };
        let (mut shown, mut object) = match applied.object {
            _ if ctx.journey.is_dry => (Shown::ByReply, None),
            _ if applied.must_read => (Shown::ByGet, object_of(ctx, t, &located).await?),
            object => (Shown::ByReply, object),
        };
        if changed.iter().any(confirm::is_active)
            && let Some(seen) = &object
            && confirm::is_open_unwished(ctx, t, &new, seen)
        {
            // A reply may tell of the state before.
            (shown, object) = (Shown::ByGet, self.locked(&located, &new).await?);
        }
        if let Some(object) = object
            && let Some(mut joined) = join_one(ctx, t, object, record.clone()).await?
        {
            confirm::tell_differences(ctx, t, &new, Some(changed), &joined, shown);
            if let Some(record) = &mut joined.record
                && guard(ctx, t, record, &joined.object)
            {
                let kind = &t.resource_type.name;
                ctx.store.put(ctx.id(), kind, record).await?;
            }
            if let Some(members) = members {
                show_members(&mut joined.resource.0, members);
            }
            return Ok(joined);
        }
        let mut resource = new;
        resource.0.shift_remove("password");
        let kept = record.as_ref().map(|record| &record.shadow);
        write::show_composed(t, &mut resource, kept, &ctx.names());
        // The time of the state before.
        if let Some(Value::Object(meta)) = resource.0.get_mut("meta") {
            meta.shift_remove("lastModified");
        }
        complete(ctx, t, &mut resource, &old.scim_id, record.as_ref());
        if let Some(members) = members {
            show_members(&mut resource.0, members);
        }
        Ok(Joined {
            resource,
            record,
            object: old.object,
            version: Version::default(),
            target_id,
            scim_id: old.scim_id,
            deleted_members: Vec::new(),
        })
    }

    /// The object read again, of an account that was locked: one that is open still is no success (promise S17), and counts
    /// as changed when the request is sent again.
    async fn locked(&self, located: &Located, new: &Resource) -> Result<Option<Value>, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let object = object_of(ctx, t, located).await?;
        if !object
            .as_ref()
            .is_some_and(|seen| confirm::is_open_unwished(ctx, t, new, seen))
        {
            return Ok(object);
        }
        let mut record = located.record.clone().unwrap_or_else(|| {
            new_record(
                ctx,
                located.scim_id.clone(),
                Some(located.target_id.clone()),
            )
        });
        unfinished::mark_in(&mut record, [confirm::active()].iter());
        ctx.store
            .put(ctx.id(), &t.resource_type.name, &record)
            .await?;
        Err(confirm::still_open())
    }

    /// 200 with the resource, or 204 where the client's provider wants that.
    ///
    /// With `knows_members` a resource without members has none; otherwise they were not looked at.
    pub(super) async fn answer(
        &self,
        joined: Joined,
        is_patch: bool,
        knows_members: bool,
    ) -> Result<Answer, Error> {
        let taste = self.ctx.dialect.answers(&self.t.resource_type);
        if is_patch
            && taste.patch_answers == PatchAnswer::NoContent
            && !self.projection.is_explicit()
        {
            return Ok(Answer {
                version: Meta::of(&joined.resource.0).version,
                ..Answer::empty()
            });
        }
        let want = Want {
            members: self.projection.wants("members")
                && !joined.resource.0.contains_key("members")
                && self.projection.is_explicit(),
            groups: self.projection.wants("groups"),
        };
        let mut joined = with_parts(self.ctx, self.t, joined, want).await?;
        let lacks_members = self.projection.wants("members")
            && self.t.members.is_some()
            && !knows_members
            && !self.ctx.journey.is_dry
            && !joined.resource.0.contains_key("members");
        // A long list is not read for an answer (R8).
        let is_told = is_patch || taste.echo_members;
        if is_told && lacks_members {
            match members::read_short(self.ctx, self.t, &joined).await? {
                Some(members) => show_members(&mut joined.resource.0, members),
                // 200 would have to be the whole resource (RFC 7644 §3.5.2).
                None if is_patch && !self.projection.is_explicit() => {
                    return Ok(Answer::empty());
                }
                None => {}
            }
        }
        season(self.ctx, self.t, &mut joined.resource);
        let meta = Meta::of(&joined.resource.0);
        if !is_patch && !taste.echo_members && !self.projection.is_explicit() {
            joined.resource.0.shift_remove("members");
        }
        let body = self
            .projection
            .apply(&self.t.resource_type, joined.resource.0);
        Ok(Answer::resource(200, body, meta))
    }
}

/// What is kept here: the client's own values, and a null for what it removed although the application has it still.
fn shadow(ctx: &Context, t: &TypeMapping, old: &Joined, new: &Resource) -> Map<String, Value> {
    let names = ctx.names();
    let kept_before = old.record.as_ref().map(|record| &record.shadow);
    let resources = (&old.resource, new);
    let mut shadow = write::kept_after(t, kept_before, resources, &names);
    let read = shown_by_application(ctx, t, &old.object);
    write::guard_unchanged(t, &mut shadow, &read, resources, &names);
    if keeps_wished_state(ctx, t)
        && let Some(active) = new.0.get("active")
    {
        shadow.insert("active".into(), active.clone());
    }
    stash::carry(old.record.as_ref(), &mut shadow, new);
    let before = old.record.iter().flat_map(|record| &record.shadow);
    let withheld_before = before
        .filter(|(_, value)| value.is_null())
        .map(|(name, _)| name.as_str());
    let cannot_be_cleared = t.attributes.iter().filter(|rule| {
        let path = &rule.location.path;
        rule.read.is_some()
            && rule.when_removed == WhenRemoved::Skip
            && path.schema.is_none()
            && path.sub_attribute.is_none()
    });
    let removed_now = cannot_be_cleared
        .filter(|rule| rule.location.element.is_none())
        .map(|rule| rule.location.path.attribute.as_str())
        .filter(|name| old.resource.0.contains_key(*name));
    for name in withheld_before
        .chain(removed_now)
        .filter(|name| !new.0.contains_key(*name))
    {
        shadow.insert(name.to_owned(), Value::Null);
    }
    shadow
}
