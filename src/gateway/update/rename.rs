//! A new identifier for an account whose application cannot change it (`on-rename = "recreate"`, TRESORIT-01).
//!
//! The old account is locked first, so that nobody has two; then the new one is made. The SCIM id stays.

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
            }
            return Err(error);
        }
    };
    // The locked account is nobody's any more: it is not shown beside the new one.
    let grave = ScimId::new(uuid::Uuid::new_v4().to_string());
    let mut tombstone = Record {
        is_deleted: true,
        ..new_record(ctx, grave.clone(), Some(old.target_id))
    };
    create::leave_to(&mut tombstone, &scim_id);
    ctx.store
        .put(ctx.id(), &t.resource_type.name, &tombstone)
        .await?;
    hand_groups_on(ctx, &groups, &scim_id).await?;
    Ok(joined)
}

/// The account as it is when it is locked.
fn locked(resource: &Resource) -> Resource {
    let mut locked = resource.clone();
    locked.0.insert("active".into(), false.into());
    locked
}

/// The new account becomes a member where the old one was: to the client they are one. The old one, which is locked, stays.
async fn hand_groups_on(ctx: &Context, groups: &[String], user: &ScimId) -> Result<(), Error> {
    let mut types = ctx.mapping().types.iter().enumerate();
    let Some((at, t, members)) = types.find_map(|(at, t)| Some((at, t, t.members.as_ref()?)))
    else {
        return Ok(());
    };
    for id in groups {
        if members.are_in_object() {
            // The group's own update writes the list.
            add_as_client(ctx, at, id, user).await?;
            continue;
        }
        let mut located = locate(ctx, t, id).await?;
        let mut change = members::Change {
            add: vec![user.as_str().to_owned()],
            // The update that this is part of.
            held: Some(user.as_str().to_owned()),
            ..members::Change::default()
        };
        if members::needs_reading(members) {
            let whole = Want {
                members: true,
                groups: false,
            };
            let group = fetch_located(ctx, t, located, whole).await?;
            let present = create::member_ids(group.resource.0.get("members"));
            change.all = Some(present.into_iter().chain(change.add.clone()).collect());
            located = create::located(&group);
        }
        members::apply(ctx, t, &located, &change).await?;
    }
    Ok(())
}

/// Adds a member as a client would.
async fn add_as_client(ctx: &Context, at: usize, group: &str, user: &ScimId) -> Result<(), Error> {
    let value = json!([{ "value": user.as_str() }]);
    let operation = json!({ "op": "add", "path": "members", "value": value });
    leave::patch_group(ctx, at, group, operation)
        .await
        .map(drop)
}
