//! PUT and PATCH (RFC 7644 §3.5): a wish, compared with what is, and the difference made true.
//!
//! 1. Lock the resource.
//! 2. Read what the target has, if the request or the mapping needs it.
//! 3. Apply the whole request in memory, all or nothing.
//! 4. List what changed; run the policies on the list.
//! 5. Plan and make the calls.
//! 6. Commit what is kept here, then answer.

mod grants;
mod group;
mod rename;

use serde_json::{Map, Value};

use crate::{
    dialect::PatchAnswer,
    mapping::{
        model::{TypeMapping, WhenRemoved},
        write::{self, Wish},
    },
    scim::{
        AttributePath, Error, PatchKind, Projection, Resource, ScimType, diff,
        patch::{self, PatchRequest},
        replace::{self, ReplaceRules},
        version::Precondition,
    },
    store::Record,
};

use super::{
    answer::{Answer, Meta},
    apply::{self, Applied},
    context::Context,
    get::{Want, fetch_located, object_of, with_parts},
    identity::{Located, locate, new_record},
    intake,
    join::{Joined, complete, external_id, folded, join_one, keeps_wished_state},
    members, plan, policy, prune,
    taste::season,
    unfinished,
};

/// How a request says what it wants.
pub enum Change {
    /// PUT: the whole resource, and what stays although it is left out.
    Replace(Resource, ReplaceRules),
    /// PATCH: operations.
    Patch(PatchRequest),
}

/// Answers a PUT.
pub async fn replace(
    ctx: &Context,
    t: &TypeMapping,
    id: &str,
    body: Value,
    projection: &Projection,
    if_match: Option<&Precondition>,
) -> Result<Answer, Error> {
    let (wish, rules) = intake::replacing(ctx, t, body)?;
    Update {
        ctx,
        t,
        projection,
        if_match,
    }
    .run(id, Change::Replace(wish, rules))
    .await
}

/// Answers a PATCH.
pub async fn patch(
    ctx: &Context,
    t: &TypeMapping,
    id: &str,
    body: Value,
    projection: &Projection,
    if_match: Option<&Precondition>,
) -> Result<Answer, Error> {
    let (request, grants) = ctx.noting(|notes| {
        let mut request = ctx.dialect.patch(&t.resource_type, Some(id), body, notes)?;
        let grants = ctx
            .dialect
            .group_grants(&t.resource_type, &mut request, notes);
        Ok((request, grants))
    })?;
    grants::carry_out(ctx, id, &grants).await?;
    Update {
        ctx,
        t,
        projection,
        if_match,
    }
    .run(id, Change::Patch(request))
    .await
}

/// One update on its way.
struct Update<'a> {
    ctx: &'a Context,
    t: &'a TypeMapping,
    projection: &'a Projection,
    if_match: Option<&'a Precondition>,
}

impl Update<'_> {
    async fn run(&self, id: &str, change: Change) -> Result<Answer, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let _guard = ctx
            .tenant
            .locks
            .hold(format!("{}/{id}", t.resource_type.name))
            .await;
        let located = locate(ctx, t, id).await?;
        let is_patch = matches!(change, Change::Patch(_));
        if let Change::Patch(request) = &change
            && let Some(split) = self.membership_only(request)
        {
            return self.change_membership(located, split).await;
        }
        let old = fetch_located(
            ctx,
            t,
            located,
            Want {
                members: self.must_read_members(&change),
                groups: false,
            },
        )
        .await?;
        self.check_version(&old)?;
        let says_so = says_whole_list(&change);
        let wanted = self.wanted(&old, change)?;
        // Policies look at all that is wanted, also at what nobody would store.
        let asked = diff::changed(&t.resource_type, &old.resource, &wanted);
        policy::check(ctx, t, &wanted, &asked, false)?;
        let mut new = self.stored(wanted);
        let changed = self.changed(&old, &mut new);
        apply::record_changes(ctx, &changed);
        if changed.is_empty() {
            return self.answer(old, is_patch).await;
        }
        let is_locked = new.0.get("active") == Some(&Value::Bool(false));
        if is_locked
            && changed
                .iter()
                .any(|path| path.schema.is_none() && path.attribute == "active")
        {
            policy::count_loss(ctx, t)?;
        }
        if !says_so && let Some(members) = self.member_change(&old, &new, &changed)? {
            let before = old
                .resource
                .0
                .get("members")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            policy::shrink(
                ctx.mapping().policy.max_shrink,
                before,
                members.remove.len(),
            )?;
        }
        write::check(
            t,
            &new,
            &Wish::Update {
                changed: &changed,
                old: &old.resource,
            },
        )?;
        let joined = self.bring_about(old, new, &changed).await?;
        self.answer(joined, is_patch).await
    }

    /// Members are read only where the change cannot be told without them.
    fn must_read_members(&self, change: &Change) -> bool {
        if self.t.members.is_none() {
            return false;
        }
        match change {
            Change::Replace(wish, rules) => {
                wish.0.contains_key("members")
                    || !rules
                        .keep_absent_multivalued
                        .iter()
                        .any(|name| name == "members")
            }
            Change::Patch(request) => request
                .attributes(&self.t.resource_type)
                .iter()
                .any(|path| path.schema.is_none() && path.attribute == "members"),
        }
    }

    fn check_version(&self, old: &Joined) -> Result<(), Error> {
        let version = Meta::of(&old.resource.0).version;
        match self.if_match {
            Some(condition) if !condition.matches(version.as_deref()) => Err(Error::new(
                412,
                "The resource has changed since the version in `If-Match`; read it again.",
            )),
            _ => Ok(()),
        }
    }

    /// The resource as it should be.
    fn wanted(&self, old: &Joined, change: Change) -> Result<Resource, Error> {
        let rt = &self.t.resource_type;
        let new = match change {
            Change::Replace(wish, rules) => {
                let new = replace::replace(rt, &old.resource, wish, &rules)?;
                self.ctx.noting(|notes| {
                    Ok(self
                        .ctx
                        .dialect
                        .settle_replace(rt, &old.resource, new, notes))
                })?
            }
            Change::Patch(request) => patch::apply(&request, rt, &old.resource)?,
        };
        policy::state(self.t, Some(&old.resource), &new)?;
        Ok(new)
    }

    /// As far as somebody stores it; the password too, which nobody shows.
    fn stored(&self, mut wanted: Resource) -> Resource {
        let password = wanted.0.shift_remove("password");
        let mut stored = prune::prune(self.ctx, self.t, wanted);
        if let Some(password) = password {
            stored.0.insert("password".into(), password);
        }
        stored
    }

    /// Makes the calls and commits.
    async fn bring_about(
        &self,
        mut old: Joined,
        new: Resource,
        changed: &[AttributePath],
    ) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        if rename::must_recreate(ctx, t, changed) {
            return rename::recreate(ctx, t, old, new, changed).await;
        }
        let members = self.member_change(&old, &new, changed)?;
        let plan = plan::update(t, &new, changed);
        if let Some(path) = plan.dropped.first() {
            return Err(Error::of(
                ScimType::Mutability,
                format!("The application cannot change `{path}` once the resource exists."),
            ));
        }
        unfinished::mark(ctx, t, &plan, &mut old).await?;
        let applied = apply::apply(ctx, t, &plan, &old, &new).await?;
        if let Some(change) = &members {
            members::apply(ctx, t, &located(&old), change).await?;
        }
        let record = self.commit(&old, &new, &applied, members.is_some()).await?;
        self.joined(old, new, applied, record).await
    }

    /// What changed, as far as somebody writes or keeps it. The rest goes back to what it was, with a note: an answer
    /// never shows what a later GET would not.
    fn changed(&self, old: &Joined, new: &mut Resource) -> Vec<AttributePath> {
        let t = self.t;
        let mut changed = diff::changed(&t.resource_type, &unfinished::known(old), new);
        let mut dropped = plan::update(t, new, &changed).dropped;
        dropped.retain(|path| !plan::is_written_at_create(t, path));
        changed.retain(|path| !dropped.contains(path));
        for path in &dropped {
            prune::put_back(&old.resource, new, path);
        }
        let told: Vec<String> = dropped
            .iter()
            .filter(|path| !plan::is_derived(t, path))
            .map(ToString::to_string)
            .collect();
        if !told.is_empty() {
            self.ctx.note(
                "N11",
                format!(
                    "not changed, since the application cannot: {}",
                    told.join(", ")
                ),
            );
        }
        changed
    }

    fn member_change(
        &self,
        old: &Joined,
        new: &Resource,
        changed: &[AttributePath],
    ) -> Result<Option<members::Change>, Error> {
        if !changed
            .iter()
            .any(|path| path.schema.is_none() && path.attribute == "members")
        {
            return Ok(None);
        }
        let list = |resource: &Resource| {
            resource
                .0
                .get("members")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let (before, after) = (list(&old.resource), list(new));
        let delta = diff::member_delta(&before, &after);
        let all = after
            .iter()
            .filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()))
            .collect();
        let add = delta
            .add
            .iter()
            .filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()))
            .collect();
        Ok(Some(members::Change {
            add,
            remove: delta.remove,
            all: Some(all),
        }))
    }

    /// Writes down what is kept here, if anything is: shadow attributes, `externalId`, the revision, a new key.
    async fn commit(
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
            external_id: external_id(new),
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
        let shows_times = !t
            .attributes
            .iter()
            .any(|rule| rule.location.path.attribute == "meta");
        if keeps_nothing || (is_same && !has_new_members && !shows_times) {
            return Ok(old.record.clone());
        }
        let revision = record.revision + u64::from(has_new_members);
        let record = Record { revision, ..record };
        ctx.store
            .put(ctx.id(), &t.resource_type.name, &record)
            .await?;
        self.free_old_name(old, new).await?;
        Ok(Some(record))
    }

    /// A name that was given up may be created again at once.
    async fn free_old_name(&self, old: &Joined, new: &Resource) -> Result<(), Error> {
        let name = |resource: &Resource| {
            resource
                .0
                .get(&self.t.match_attribute.attribute)
                .and_then(Value::as_str)
                .map(folded)
                .unwrap_or_default()
        };
        let before = name(&old.resource);
        if before != name(new) {
            self.ctx
                .store
                .abandon(
                    self.ctx.id(),
                    &self.t.resource_type.name,
                    &before,
                    &old.scim_id,
                )
                .await?;
        }
        Ok(())
    }

    /// The resource after the calls: as the application showed it, read again, or as it was wished.
    async fn joined(
        &self,
        old: Joined,
        new: Resource,
        applied: Applied,
        record: Option<Record>,
    ) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let target_id = applied
            .target_id
            .clone()
            .unwrap_or_else(|| old.target_id.clone());
        let members = new.0.get("members").cloned();
        let located = Located {
            scim_id: old.scim_id.clone(),
            target_id: target_id.clone(),
            record: record.clone(),
        };
        let object = match applied.object {
            _ if ctx.journey.is_dry => None,
            _ if applied.must_read => object_of(ctx, t, &located).await?,
            object => object,
        };
        if let Some(object) = object
            && let Some(mut joined) = join_one(ctx, t, object, record.clone()).await?
        {
            if let Some(members) = members {
                joined.resource.0.insert("members".into(), members);
            }
            return Ok(joined);
        }
        let mut resource = new;
        resource.0.shift_remove("password");
        complete(ctx, t, &mut resource, &old.scim_id, record.as_ref());
        Ok(Joined {
            resource,
            record,
            object: old.object,
            target_id,
            scim_id: old.scim_id,
        })
    }

    /// 200 with the resource, or 204 where the client's provider wants that.
    async fn answer(&self, joined: Joined, is_patch: bool) -> Result<Answer, Error> {
        let meta = Meta::of(&joined.resource.0);
        let taste = self.ctx.dialect.answers(&self.t.resource_type);
        if is_patch
            && taste.patch_answers == PatchAnswer::NoContent
            && !self.projection.is_explicit()
        {
            return Ok(Answer {
                version: meta.version,
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
        season(self.ctx, self.t, &mut joined.resource);
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
    let mut shadow = write::kept_values(t, new);
    if keeps_wished_state(ctx, t)
        && let Some(active) = new.0.get("active")
    {
        shadow.insert("active".into(), active.clone());
    }
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

/// Whether a request says outright what the whole list of members is to be: then it may shrink as far as it says.
fn says_whole_list(change: &Change) -> bool {
    match change {
        Change::Replace(..) => true,
        Change::Patch(request) => request
            .operations
            .iter()
            .any(|operation| operation.op == PatchKind::Replace),
    }
}

fn located(joined: &Joined) -> Located {
    Located {
        scim_id: joined.scim_id.clone(),
        target_id: joined.target_id.clone(),
        record: joined.record.clone(),
    }
}
