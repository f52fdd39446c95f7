//! PUT and PATCH (RFC 7644 §3.5): a wish, compared with what is, and the difference made true.
//!
//! 1. Lock the resource.
//! 2. Read what the target has, if the request or the mapping needs it.
//! 3. Apply the whole request in memory, all or nothing.
//! 4. List what changed; run the policies on the list.
//! 5. Plan and make the calls.
//! 6. Commit what is kept here, then answer.

mod finish;
mod grants;
mod group;
mod rename;

use serde_json::Value;

use crate::{
    mapping::{
        model::TypeMapping,
        plan,
        write::{self, Wish},
    },
    scim::{
        AttributePath, Error, PatchKind, Projection, Resource, ScimType, diff,
        patch::{self, PatchRequest},
        place,
        replace::{self, ReplaceRules},
        version::Precondition,
    },
    store::ScimId,
};

use super::{
    answer::{Answer, Meta},
    apply::{self, ATTEMPTS, Stopped},
    context::Context,
    create,
    error::changed,
    get::{Want, fetch_located},
    hold::{self, Said},
    identity::{Located, locate},
    intake,
    join::{Joined, folded},
    look_up, members, policy, prune, rekey, stash, unfinished,
    unique::{self, Own},
};

/// How a request says what it wants.
#[derive(Clone)]
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

/// Which attempt at an update this is.
#[derive(Debug, Clone, Copy, Default)]
struct Attempt {
    /// From 1.
    number: u8,
    /// Whether an earlier one made a part of the change.
    is_halfway: bool,
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
        let _lock = ctx.lock(format!("{}/{id}", t.resource_type.name)).await?;
        let located = rekey::settle(ctx, t, locate(ctx, t, id).await?).await?;
        if let Change::Patch(request) = &change
            && let Some(split) = self.membership_only(&located, request)
        {
            return self.change_membership(located, split).await;
        }
        let mut located = Some(located);
        let mut attempt = Attempt::default();
        loop {
            let located = match located.take() {
                Some(located) => located,
                None => locate(ctx, t, id).await?,
            };
            attempt.number += 1;
            match self.make(located, change.clone(), attempt).await {
                Err(Stopped::Changed { is_halfway }) => attempt.is_halfway |= is_halfway,
                outcome => return Ok(outcome?),
            }
            if attempt.number == ATTEMPTS {
                return Err(changed(attempt.is_halfway));
            }
        }
    }

    /// Reads, compares, and makes the difference true.
    async fn make(
        &self,
        located: Located,
        change: Change,
        attempt: Attempt,
    ) -> Result<Answer, Stopped> {
        let (ctx, t) = (self.ctx, self.t);
        let is_first = attempt.number == 1;
        let is_patch = matches!(change, Change::Patch(_));
        let knows_members = self.must_read_members(&change);
        let mut old = fetch_located(
            ctx,
            t,
            located,
            Want {
                members: knows_members || self.if_match.is_some_and(Precondition::names_members),
                groups: false,
            },
        )
        .await?;
        self.check_version(&old, attempt)?;
        self.ask_whom_it_removes(&mut old, &change).await?;
        let says_so = says_whole_list(&change);
        let said = self.said(&change);
        let mut deleted = self.deleted_to_remove(&old, &change)?;
        let wanted = self.wanted(&old, change)?;
        let named = create::member_ids(wanted.0.get("members"));
        deleted.retain(|id| !named.contains(id));
        members::show(&mut old, deleted);
        let held = said.map(|said| (said, old.scim_id.clone(), wanted.clone()));
        // Policies look at all that is wanted, also at what nobody would store.
        let asked = diff::changed(&t.resource_type, &old.resource, &wanted);
        policy::check(ctx, t, Some(&old.resource), &wanted, &asked)?;
        let mut new = self.stored(wanted);
        let changed = self.changed(&old, &mut new)?;
        if is_first {
            apply::record_changes(ctx, &changed);
        }
        if changed.is_empty() {
            self.hold(held).await?;
            return Ok(self.answer(old, is_patch, knows_members).await?);
        }
        let is_locked = new.0.get("active") == Some(&Value::Bool(false));
        if is_locked
            && is_first
            && changed
                .iter()
                .any(|path| path.schema.is_none() && path.attribute == "active")
        {
            policy::count_loss(ctx, t).await?;
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
        let is_new = rename::must_recreate(ctx, t, &old.resource, &new, &changed);
        let written = (!is_new).then_some(changed.as_slice());
        look_up::before_writing(ctx, t, &new, written).await?;
        let wish = match is_new {
            true => Wish::Create,
            false => Wish::Update {
                changed: &changed,
                old: &old.resource,
            },
        };
        write::check(t, &new, &wish).map_err(Error::from)?;
        let own = Own::Object(&old.target_id, &old.resource);
        let _unique = unique::check(ctx, t, &new, &changed, own).await?;
        let joined = self.bring_about(old, new, &changed).await?;
        self.hold(held).await?;
        Ok(self.answer(joined, is_patch, knows_members).await?)
    }

    /// Asks the users whom a request takes out by name: the list of users, which the members were read from, may not tell of each.
    async fn ask_whom_it_removes(&self, old: &mut Joined, change: &Change) -> Result<(), Error> {
        let Change::Patch(request) = change else {
            return Ok(());
        };
        let Some(split) = request.split_members(&self.t.resource_type, "members") else {
            return Ok(());
        };
        let known = create::member_ids(old.resource.0.get("members"));
        let mut named = split.remove;
        named.retain(|id| !known.contains(id) && !old.deleted_members.contains(id));
        let among = members::among(self.ctx, self.t, old, &named).await?;
        members::show(old, among);
        Ok(())
    }

    /// Those of the members who were deleted through here that the request takes out, by name or with all others. The client
    /// does not see them, and what it is told must be so in the application.
    fn deleted_to_remove(&self, old: &Joined, change: &Change) -> Result<Vec<String>, Error> {
        if old.deleted_members.is_empty() {
            return Ok(Vec::new());
        }
        let Change::Patch(request) = change else {
            return Ok(old.deleted_members.clone());
        };
        let mut whole = old.clone();
        members::show(&mut whole, old.deleted_members.clone());
        let rest = patch::apply(request, &self.t.resource_type, &whole.resource)?;
        let rest = create::member_ids(rest.0.get("members"));
        let deleted = old.deleted_members.iter();
        Ok(deleted.filter(|id| !rest.contains(id)).cloned().collect())
    }

    /// What the request speaks of; absent where references are not held.
    fn said(&self, change: &Change) -> Option<Said> {
        if !hold::is_wanted(self.ctx) {
            return None;
        }
        let Change::Patch(request) = change else {
            return Some(Said::everything());
        };
        let rt = &self.t.resource_type;
        let split = request.split_members(rt, "members");
        let removed = split.map(|split| split.remove).unwrap_or_default();
        let is_whole_list = says_whole_list(change);
        Some(Said::of(request.attributes(rt), removed, is_whole_list))
    }

    /// Holds what was left out since it names nothing yet.
    async fn hold(&self, held: Option<(Said, ScimId, Resource)>) -> Result<(), Error> {
        match held {
            Some((said, id, wished)) => hold::keep(self.ctx, self.t, &id, &wished, &said).await,
            None => Ok(()),
        }
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

    /// Whether the resource is what the client says it is; not 412 for a version that this very request has changed.
    fn check_version(&self, old: &Joined, attempt: Attempt) -> Result<(), Error> {
        let Some(condition) = self.if_match else {
            return Ok(());
        };
        let checked = Meta::of(&old.resource.0).check(condition);
        match attempt.is_halfway {
            true => checked.map_err(|_| changed(true)),
            false => checked,
        }
    }

    /// The resource as it should be.
    fn wanted(&self, old: &Joined, change: Change) -> Result<Resource, Error> {
        let rt = &self.t.resource_type;
        let mut new = match change {
            Change::Replace(wish, rules) => {
                let new = replace::replace(rt, &old.resource, wish, &rules)?;
                self.ctx.noting(|notes| {
                    Ok(self
                        .ctx
                        .dialect
                        .settle_replace(rt, &old.resource, new, notes))
                })?
            }
            Change::Patch(request) => {
                self.ctx.noting(|notes| {
                    let dialect = &self.ctx.dialect;
                    dialect.note_made_elements(rt, &request, &old.resource, notes);
                    Ok(())
                })?;
                patch::apply(&request, rt, &old.resource)?
            }
        };
        // `Ada@x` created an account that the application calls `ada@x`: that is no change of what cannot be changed.
        let names = self.ctx.names();
        for rule in write::unchanged_to_application(self.t, &old.resource, &new, &names) {
            place::put_back(&old.resource, &mut new, &rule.location.leaf());
        }
        if policy::is_only_other_case(self.ctx, self.t, &old.resource, &new) {
            place::put_back(&old.resource, &mut new, &self.t.match_attribute);
        }
        policy::state(self.t, Some(&old.resource), &new)?;
        members::named(&new)?;
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
    ) -> Result<Joined, Stopped> {
        let (ctx, t) = (self.ctx, self.t);
        if rename::must_recreate(ctx, t, &old.resource, &new, changed) {
            return Ok(rename::recreate(ctx, t, old, new, changed).await?);
        }
        let members = self.member_change(&old, &new, changed)?;
        let plan = plan::update(t, &new, changed);
        if let Some(path) = plan.dropped.first() {
            return Err(Error::of(
                ScimType::Mutability,
                format!("The application cannot change `{path}` once the resource exists."),
            )
            .into());
        }
        stash::take(ctx, t, &plan, &mut old, false).await?;
        unfinished::mark(ctx, t, &plan, &mut old).await?;
        let applied = apply::apply(ctx, t, &plan, &old, &new).await?;
        if let Some(change) = &members {
            let target_id = applied.target_id.as_ref().unwrap_or(&old.target_id);
            let group = Located {
                target_id: target_id.clone(),
                ..located(&old)
            };
            members::apply(ctx, t, &group, change).await?;
        }
        let record = self.commit(&old, &new, &applied, members.is_some()).await?;
        Ok(self.joined(old, new, changed, applied, record).await?)
    }

    /// What changed, as far as somebody writes or keeps it. The rest goes back to what it was, with a note: an answer
    /// never shows what a later GET would not.
    ///
    /// # Errors
    ///
    /// `mutability` for a group's name: whoever was told that it is renamed would look for it under the new name.
    fn changed(&self, old: &Joined, new: &mut Resource) -> Result<Vec<AttributePath>, Error> {
        let t = self.t;
        let known = unfinished::known(old);
        let mut changed = diff::changed(&t.resource_type, &known, new);
        if changed.iter().any(is_members) {
            let (before, after) = (listed_members(&known), listed_members(new));
            // Who is a member is all that a list of members says: the same ones told in other words are no change.
            if diff::member_delta(before, after) == diff::MemberDelta::default() {
                changed.retain(|path| !is_members(path));
                place::put_back(&old.resource, new, &AttributePath::of("members"));
            }
        }
        let dropped = plan::left_alone(t, new, &changed);
        changed.retain(|path| !dropped.contains(path));
        let own_name = &t.match_attribute;
        if dropped.contains(own_name) && self.is_other_name(old, new) {
            let detail = format!(
                "The application cannot rename a {}: `{}` stays as it is.",
                t.resource_type.name, own_name.attribute
            );
            return Err(Error::of(ScimType::Mutability, detail));
        }
        for path in &dropped {
            place::put_back(&old.resource, new, path);
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
        Ok(changed)
    }

    /// Whether what is no account is to be found under another name. Letter case makes none: clients find groups without it.
    fn is_other_name(&self, old: &Joined, new: &Resource) -> bool {
        let name = |resource: &Resource| {
            let name = resource.0.get(&self.t.match_attribute.attribute);
            name.and_then(Value::as_str).map(folded)
        };
        self.t.resource_type.name != "User" && name(new) != name(&old.resource)
    }

    fn member_change(
        &self,
        old: &Joined,
        new: &Resource,
        changed: &[AttributePath],
    ) -> Result<Option<members::Change>, Error> {
        if !changed.iter().any(is_members) {
            return Ok(None);
        }
        let (before, after) = (listed_members(&old.resource), listed_members(new));
        let delta = diff::member_delta(before, after);
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
            held: None,
        }))
    }
}

fn is_members(path: &AttributePath) -> bool {
    path.schema.is_none() && path.attribute == "members"
}

fn listed_members(resource: &Resource) -> &[Value] {
    let members = resource.0.get("members").and_then(Value::as_array);
    members.map_or(&[], Vec::as_slice)
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
