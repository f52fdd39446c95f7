//! An account that a deletion only deactivates leaves its groups: who comes back under its name has no right that nobody
//! granted.
//!
//! It leaves them at once where the application says which they are: by the user's `groups`, or by its own list. Otherwise
//! it leaves them before it comes back: then every group is looked at.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{
    mapping::model::{Members, TypeMapping},
    scim::{AttributePath, Error, Resource},
    store::ScimId,
    target::ScanSource,
};

use super::{
    Answer, Call, Route, apply, confirm,
    context::Context,
    create::located,
    dispatch,
    get::{Want, fetch_located, object_of},
    join::{Joined, join_all},
    members::{self, Change},
    parallel::in_order,
    user_groups,
};

/// How far groups are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Only where the application says a user's groups.
    Known,
    /// Everywhere: the members of each group are read, if need be.
    Everywhere,
}

/// The SCIM ids of the groups that a user is in and can be taken out of. The user's object must be whole.
///
/// # Errors
///
/// What the calls fail with.
pub async fn groups_of(
    ctx: &Context,
    t: &TypeMapping,
    user: &Joined,
    search: Search,
) -> Result<Vec<String>, Error> {
    let Some((_, groups, members)) = changeable(ctx) else {
        return Ok(Vec::new());
    };
    if let Some(listed) = Box::pin(user_groups::read(ctx, t, user)).await? {
        let direct = listed.iter().filter(|group| group["type"] != "indirect");
        let ids = direct.filter_map(|group| Some(group["value"].as_str()?.to_owned()));
        return Ok(ids.collect());
    }
    let names: Option<HashSet<String>> = match &members.on_user {
        Some(on_user) => Some(members::names_on(on_user, &user.object)?),
        None if search == Search::Known => return Ok(Vec::new()),
        None => None,
    };
    if names.as_ref().is_some_and(HashSet::is_empty) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for group in all(ctx, groups).await? {
        let is_named = match (&members.on_user, &names) {
            (Some(on_user), Some(names)) => {
                let name = members::name_of(ctx, on_user, &group.target_id, &group.object)?;
                names.contains(on_user.compared(&name).as_ref())
            }
            _ => true,
        };
        if is_named {
            found.push(group);
        }
    }
    if names.is_none() {
        let looks = found.into_iter();
        let looks = looks.map(|group| with_member(ctx, groups, group, &user.scim_id));
        let found = in_order(looks.collect(), AT_ONCE).await?;
        return Ok(found.into_iter().flatten().collect());
    }
    let ids = found.iter().map(|group| group.scim_id.as_str().to_owned());
    Ok(ids.collect())
}

/// The id of a group if it has the user as a member.
async fn with_member(
    ctx: &Context,
    t: &TypeMapping,
    group: Joined,
    user: &ScimId,
) -> Result<Option<String>, Error> {
    let whole = Want {
        members: true,
        groups: false,
    };
    let group = match Box::pin(fetch_located(ctx, t, located(&group), whole)).await {
        Err(error) if error.status == 404 => return Ok(None),
        group => group?,
    };
    let shown = super::create::member_ids(group.resource.0.get("members"));
    let mut all = shown.iter().chain(&group.deleted_members);
    let is_member = all.any(|id| id == user.as_str());
    Ok(is_member.then(|| group.scim_id.as_str().to_owned()))
}

/// All groups that the client may see.
async fn all(ctx: &Context, t: &TypeMapping) -> Result<Vec<Joined>, Error> {
    if t.is_fixed() {
        return join_all(ctx, t, t.fixed.clone()).await;
    }
    let names = ctx.names();
    let mut scan = ctx.driver().scan(ScanSource::Lists(&t.lists), &names);
    let mut found = Vec::new();
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        found.extend(join_all(ctx, t, page.items).await?);
    }
    Ok(found)
}

/// Takes a user out of a group, as a client would. Nobody may hold the user's lock.
///
/// # Errors
///
/// What the application refuses.
pub async fn leave(ctx: &Context, user: &ScimId, group: &str) -> Result<(), Error> {
    let Some((at, t, members)) = changeable(ctx) else {
        return Ok(());
    };
    ctx.record(|exchange| {
        let path = AttributePath::of("groups").to_string();
        if !exchange.changed.contains(&path) {
            exchange.changed.push(path);
        }
    });
    if let Some(on_user) = members.written_on_user() {
        // The user's own list says it: nobody has to list all users to know who is in the group.
        let change = Change {
            remove: vec![user.as_str().to_owned()],
            ..Change::default()
        };
        let group = super::identity::locate(ctx, t, group).await?;
        if members::is_default(ctx, t, on_user, &group).await? {
            return Ok(()); // Whoever is in no group has it.
        }
        return members::apply(ctx, t, &group, &change).await;
    }
    match patch_group(ctx, at, group, removal_of(user.as_str())).await {
        // A group that has gone has no members.
        Err(error) if error.status == 404 => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// A PATCH operation that takes a member out of a group.
pub fn removal_of(user: &str) -> Value {
    let path = format!("members[value eq {}]", json!(user));
    json!({ "op": "remove", "path": path })
}

/// What came of taking an account that nobody is to have any more out of a group. One that the application does not let it leave
/// is told in the log: the account leaves it before it comes back, or does not come back.
///
/// # Errors
///
/// What may be otherwise later.
pub fn leave_if_let(ctx: &Context, outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error) if error.status < 500 && error.status != 429 => {
            let (tenant, status) = (ctx.id().as_str(), error.status);
            tracing::warn!(tenant, status, detail = %error.detail, "a locked account could not be taken out of a group");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Sees that an account which left its groups is locked still: in some applications the groups of an account are its state.
///
/// # Errors
///
/// 502 if it stays open; what the calls fail with.
pub async fn stays_locked(
    ctx: &Context,
    t: &TypeMapping,
    account: &Joined,
    locked: &Resource,
) -> Result<(), Error> {
    let is_open = |object: Option<Value>| {
        object.is_some_and(|object| confirm::is_open_unwished(ctx, t, locked, &object))
    };
    if is_open(object_of(ctx, t, &located(account)).await?) {
        apply::set_active(ctx, t, account, false).await?;
        if is_open(object_of(ctx, t, &located(account)).await?) {
            return Err(confirm::still_open());
        }
    }
    Ok(())
}

/// The type of groups, with its place among the types, if members can be taken out of one.
fn changeable(ctx: &Context) -> Option<(usize, &TypeMapping, &Members)> {
    let types = ctx.mapping().types.iter().enumerate();
    let mut with_members = types.filter_map(|(at, t)| Some((at, t, t.members.as_ref()?)));
    let (at, t, members) = with_members.next()?;
    let can_remove = members.remove.is_some()
        || members.replace.is_some()
        || members.field.is_some()
        || members.written_on_user().is_some();
    can_remove.then_some((at, t, members))
}

/// Groups whose members are read at the same time; the target's budget bounds the calls further.
const AT_ONCE: usize = 8;

/// One change of a group, made as if the client had asked for it: with its lock, its policy and its record.
pub async fn patch_group(
    ctx: &Context,
    at: usize,
    group: &str,
    operation: Value,
) -> Result<Answer, Error> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    });
    let call = Call {
        method: http::Method::PATCH,
        route: Route::Resource(at, group.to_owned()),
        query: None,
        body: Some(body),
        if_match: None,
        if_none_match: None,
    };
    Box::pin(dispatch(ctx, call)).await
}
