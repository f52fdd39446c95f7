//! DELETE (RFC 7644 §3.6).

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{Meaning, OnDelete, TypeMapping},
        plan,
        reply::CallClass,
    },
    scim::{AttributePath, Error, Resource, version::Precondition},
    store::Record,
    target::{TargetError, Version},
};

use super::{
    answer::{Answer, Meta},
    apply::{self, ATTEMPTS, Stopped},
    context::{Context, Lock},
    create::{self, member_ids},
    get::{Want, fetch_located, id_value},
    hold,
    identity::{Located, locate, new_record, unknown},
    join::{Joined, folded},
    leave::{self, Search},
    members::{self, Change},
    policy, rekey, unfinished,
};

/// Answers a DELETE: 204, and 404 the second time.
///
/// # Errors
///
/// 403 if the operator refuses deletions, 501 if the application has none, 412 if the version has changed.
pub async fn delete(
    ctx: &Context,
    t: &TypeMapping,
    id: &str,
    if_match: Option<&Precondition>,
) -> Result<Answer, Error> {
    let lock = ctx.lock(format!("{}/{id}", t.resource_type.name)).await?;
    let located = rekey::settle(ctx, t, locate(ctx, t, id).await?).await?;
    let is_user = t.resource_type.name == "User";
    let on_delete = if is_user {
        ctx.mapping().policy.on_delete
    } else {
        OnDelete::Delete
    };
    if on_delete != OnDelete::Refuse {
        policy::count_loss(ctx, t).await?;
    }
    match on_delete {
        OnDelete::Refuse => Err(Error::new(
            403,
            "The operator does not let accounts be deleted; deactivate them instead.",
        )),
        OnDelete::Deactivate => deactivate(ctx, t, located, if_match, lock).await,
        OnDelete::Delete => {
            let mut version = see(ctx, t, &located, if_match).await?;
            if t.delete.as_ref().is_some_and(|delete| delete.empties_first) {
                empty(ctx, t, &located).await?;
                version = see(ctx, t, &located, None).await?;
            }
            for _ in 1..ATTEMPTS {
                match remove(ctx, t, &located, version).await {
                    // What the client's version differs from now is our own doing.
                    Err(Stopped::Changed { is_halfway: true }) if if_match.is_some() => {
                        return Err(super::error::changed(true));
                    }
                    Err(Stopped::Changed { .. }) => {
                        version = see(ctx, t, &located, if_match).await?;
                    }
                    outcome => {
                        outcome?;
                        forget(ctx, t, &located).await?;
                        return Ok(Answer::empty());
                    }
                }
            }
            remove(ctx, t, &located, version).await?;
            forget(ctx, t, &located).await?;
            Ok(Answer::empty())
        }
    }
}

/// Reads the resource first where its version is asked for, or where some objects are not the tenant's to delete. Gives the
/// version that the application showed, if it was read and has one.
async fn see(
    ctx: &Context,
    t: &TypeMapping,
    located: &Located,
    if_match: Option<&Precondition>,
) -> Result<Option<Version>, Error> {
    let hides = t.scope.is_some()
        || t.hide.is_some()
        || t.gone.is_some()
        || !ctx.mapping().policy.protected.is_empty();
    let gets_first = t.delete.as_ref().is_some_and(|delete| delete.gets_first);
    if if_match.is_none() && !hides && !gets_first {
        return Ok(None);
    }
    let want = Want {
        members: if_match.is_some_and(Precondition::names_members),
        groups: false,
    };
    let joined = fetch_located(ctx, t, located.clone(), want).await?;
    if let Some(condition) = if_match {
        Meta::of(&joined.resource.0).check(condition)?;
    }
    Ok(Some(joined.version))
}

/// Takes everybody out of a group, also those who are not shown any more: the application deletes only empty ones.
async fn empty(ctx: &Context, t: &TypeMapping, group: &Located) -> Result<(), Error> {
    let whole = Want {
        members: true,
        groups: false,
    };
    let group = fetch_located(ctx, t, group.clone(), whole).await?;
    let mut remove = member_ids(group.resource.0.get("members"));
    remove.extend(group.deleted_members.iter().cloned());
    let change = Change {
        remove,
        all: Some(Vec::new()),
        ..Change::default()
    };
    members::apply(ctx, t, &create::located(&group), &change).await
}

/// Deletes the target's object; with `if-match` only in this version, or in the one that it has now.
pub async fn remove(
    ctx: &Context,
    t: &TypeMapping,
    located: &Located,
    version: Option<Version>,
) -> Result<(), Stopped> {
    let Some(delete) = &t.delete else {
        return Err(Error::new(
            501,
            format!(
                "The application cannot delete a {} through its API.",
                t.resource_type.name
            ),
        )
        .into());
    };
    let mut names = ctx.names();
    names.with("id", Cow::Owned(id_value(t, located.target_id.as_str())));
    names.with(
        "scim",
        Cow::Owned(json!({ "id": located.scim_id.as_str() })),
    );
    if let Some(version) = &version {
        version.name_in(delete, &mut names);
    }
    match ctx
        .driver()
        .run(&ctx.journey, delete, CallClass::Delete, &names, None, &[])
        .await
    {
        Ok(_) => Ok(()),
        Err(TargetError::Refused {
            meaning: Meaning::NotFound,
            ..
        }) => {
            forget(ctx, t, located).await?;
            Err(unknown(t).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Nothing is kept of what is gone.
async fn forget(ctx: &Context, t: &TypeMapping, located: &Located) -> Result<(), Error> {
    hold::forget(ctx, t, &located.scim_id).await?;
    Ok(ctx
        .store
        .delete(ctx.id(), &t.resource_type.name, &located.scim_id, false)
        .await?)
}

/// The account is deactivated, leaves its groups, and is no longer shown; a create under the same name brings it back.
async fn deactivate(
    ctx: &Context,
    t: &TypeMapping,
    located: Located,
    if_match: Option<&Precondition>,
    lock: Lock,
) -> Result<Answer, Error> {
    let mut old = fetch_located(ctx, t, located, Want::NEITHER).await?;
    if let Some(condition) = if_match {
        Meta::of(&old.resource.0).check(condition)?;
    }
    hold::forget(ctx, t, &old.scim_id).await?;
    let mut new: Resource = old.resource.clone();
    new.0.insert("active".into(), false.into());
    let changed = [AttributePath {
        attribute: "active".into(),
        ..AttributePath::default()
    }];
    let is_inactive = old.resource.0.get("active") == Some(&Value::Bool(false));
    if !is_inactive || unfinished::is_marked(&old) {
        let plan = plan::update(t, &new, &changed);
        if plan.steps.is_empty() {
            return Err(Error::new(
                501,
                "The application can neither deactivate nor delete an account.",
            ));
        }
        unfinished::mark(ctx, t, &plan, &mut old).await?;
        apply::apply(ctx, t, &plan, &old, &new).await?;
    }
    let _lock = leave_groups(ctx, t, &old, &new, lock).await?;
    let record = old
        .record
        .clone()
        .unwrap_or_else(|| new_record(ctx, old.scim_id.clone(), Some(old.target_id.clone())));
    let record = Record {
        is_deleted: true,
        external_id: None,
        shadow: serde_json::Map::new(),
        modified: ctx.now,
        ..record
    };
    ctx.store
        .put(ctx.id(), &t.resource_type.name, &record)
        .await?;
    let name = old
        .resource
        .0
        .get(&t.match_attribute.attribute)
        .and_then(|name| name.as_str())
        .map(folded);
    if let Some(name) = name {
        ctx.store
            .abandon(ctx.id(), &t.resource_type.name, &name, &old.scim_id)
            .await?;
    }
    Ok(Answer::empty())
}

/// Takes a locked account out of the groups that the application says it is in, and sees that it is locked still: in some
/// applications the groups of an account are its state. Gives the account's lock back.
async fn leave_groups(
    ctx: &Context,
    t: &TypeMapping,
    old: &Joined,
    locked: &Resource,
    lock: Lock,
) -> Result<Lock, Error> {
    let groups = leave::groups_of(ctx, t, old, Search::Known).await?;
    if groups.is_empty() {
        return Ok(lock);
    }
    // Changes of members take the lock of the account themselves.
    drop(lock);
    for group in &groups {
        leave::leave_if_let(ctx, leave::leave(ctx, &old.scim_id, group).await)?;
    }
    let lock = ctx
        .lock(format!("{}/{}", t.resource_type.name, old.scim_id.as_str()))
        .await?;
    leave::stays_locked(ctx, t, old, locked).await?;
    Ok(lock)
}
