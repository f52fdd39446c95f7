//! A new identifier for an account whose application cannot change it (`on-rename = "recreate"`, TRESORIT-01).
//!
//! The old account is locked first, so that nobody has two; then the new one is made. The SCIM id stays. The new one takes the old
//! one's places in groups.

use serde_json::json;

use crate::{
    gateway::{
        apply, confirm,
        context::Context,
        create,
        get::{Want, fetch_located},
        identity::{locate, new_record},
        join::Joined,
        leave::{self, Search},
        members, policy, stash, unfinished,
    },
    mapping::{
        model::{OnRename, TypeMapping},
        plan,
    },
    scim::{AttributePath, Error, Resource, ScimType},
    store::{Record, ScimId},
};

/// Whether a change is to be carried out as a new account.
pub fn must_recreate(
    ctx: &Context,
    t: &TypeMapping,
    old: &Resource,
    new: &Resource,
    changed: &[AttributePath],
) -> bool {
    t.resource_type.name == "User"
        && ctx.mapping().policy.on_rename == OnRename::Recreate
        && policy::is_renamed(ctx, t, old, new, changed)
}

/// Locks the old account, makes the new one, and hands the SCIM id on.
///
/// # Errors
///
/// What the target refuses; sent again, the request finishes what is missing.
pub async fn recreate(
    ctx: &Context,
    t: &TypeMapping,
    mut old: Joined,
    mut new: Resource,
    changed: &[AttributePath],
) -> Result<Joined, Error> {
    if t.id.is_stable {
        return Err(Error::of(
            ScimType::Mutability,
            "The application identifies an account by a name that cannot be changed, and its mapping has no id of its own for it.",
        ));
    }
    // Nobody is locked for a name that cannot be had: in some applications a lock alone takes groups and sessions away.
    create::must_be_free(ctx, t, &new, &old.scim_id).await?;
    let groups = leave::groups_of(ctx, t, &old, Search::Everywhere).await?;
    unfinished::remember_state(ctx, t, &old, &mut new, changed).await?;
    let was_open = old.resource.0.get("active") != Some(&false.into());
    if was_open {
        // Given back if the new account cannot be made.
        let plan = plan::update(t, &locked(&old.resource), &[confirm::active()]);
        stash::take(ctx, t, &plan, &mut old, true).await?;
        apply::set_active(ctx, t, &old, false).await?;
    }
    let scim_id = old.scim_id.clone();
    let joined = match create::under_id(ctx, t, new, &scim_id).await {
        Ok(joined) => joined,
        Err(error) => {
            // Nothing was made and nothing will be by asking again: nobody is locked out for a name that cannot be had.
            if was_open && error.status < 500 {
                apply::set_active(ctx, t, &old, true).await?;
                hand_groups_on(ctx, &groups, &scim_id).await?;
            }
            return Err(error);
        }
    };
    // The locked account is nobody's any more: it is not shown beside the new one.
    let grave = ScimId::new(uuid::Uuid::new_v4().to_string());
    let mut tombstone = Record {
        is_deleted: true,
        ..new_record(ctx, grave.clone(), Some(old.target_id.clone()))
    };
    create::leave_to(&mut tombstone, &scim_id);
    ctx.store
        .put(ctx.id(), &t.resource_type.name, &tombstone)
        .await?;
    hand_groups_on(ctx, &groups, &scim_id).await?;
    let left = Joined {
        scim_id: grave,
        record: Some(tombstone),
        ..old
    };
    leave_behind(ctx, t, &left, &groups).await?;
    Ok(joined)
}

/// The old account leaves its groups, where its rights are, and is locked still: nobody sees it there, who could take it out.
async fn leave_behind(
    ctx: &Context,
    t: &TypeMapping,
    left: &Joined,
    groups: &[String],
) -> Result<(), Error> {
    for id in groups {
        let outcome = change_members(ctx, id, &left.scim_id, Verb::Remove).await;
        leave::leave_if_let(ctx, outcome)?;
    }
    match groups.is_empty() {
        true => Ok(()),
        false => leave::stays_locked(ctx, t, left, &locked(&left.resource)).await,
    }
}

/// The account as it is when it is locked.
fn locked(resource: &Resource) -> Resource {
    let mut locked = resource.clone();
    locked.0.insert("active".into(), false.into());
    locked
}

/// The new account becomes a member where the old one was: to the client they are one.
async fn hand_groups_on(ctx: &Context, groups: &[String], user: &ScimId) -> Result<(), Error> {
    for id in groups {
        change_members(ctx, id, user, Verb::Add).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Remove,
}

/// Adds or removes one member of a group, whose lock is not taken: those who have it may wait for this user's.
async fn change_members(
    ctx: &Context,
    group: &str,
    user: &ScimId,
    verb: Verb,
) -> Result<(), Error> {
    let mut types = ctx.mapping().types.iter().enumerate();
    let Some((at, t, members)) = types.find_map(|(at, t)| Some((at, t, t.members.as_ref()?)))
    else {
        return Ok(());
    };
    let user = user.as_str().to_owned();
    if members.are_in_object() {
        // The group's own update writes the list.
        let operation = match verb {
            Verb::Add => json!({ "op": "add", "path": "members", "value": [{ "value": user }] }),
            Verb::Remove => leave::removal_of(&user),
        };
        return leave::patch_group(ctx, at, group, operation)
            .await
            .map(drop);
    }
    let mut located = locate(ctx, t, group).await?;
    let named = vec![user.clone()];
    let mut change = members::Change {
        // The update that this is part of.
        held: Some(user.clone()),
        ..members::Change::default()
    };
    match verb {
        Verb::Add => change.add = named,
        Verb::Remove => change.remove = named,
    }
    if members::needs_reading(members) {
        let whole = Want {
            members: true,
            groups: false,
        };
        let group = fetch_located(ctx, t, located, whole).await?;
        let mut all = create::member_ids(group.resource.0.get("members"));
        all.retain(|id| *id != user);
        all.extend(change.add.iter().cloned());
        change.all = Some(all);
        located = create::located(&group);
    }
    members::apply(ctx, t, &located, &change).await
}
