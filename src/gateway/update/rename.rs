//! A new identifier for an account whose application cannot change it (`on-rename = "recreate"`, TRESORIT-01).
//!
//! The old account is locked first, so that nobody has two; then the new one is made. The SCIM id stays.

use crate::{
    gateway::{apply, context::Context, create, identity::new_record, join::Joined, unfinished},
    mapping::{
        model::{OnRename, TypeMapping},
        plan,
    },
    scim::{AttributePath, Error, Resource, ScimType},
    store::{Record, ScimId},
};

/// Whether a change is to be carried out as a new account.
pub fn must_recreate(ctx: &Context, t: &TypeMapping, changed: &[AttributePath]) -> bool {
    let is_renamed = |path: &AttributePath| {
        path.schema.is_none() && path.attribute == t.match_attribute.attribute
    };
    t.resource_type.name == "User"
        && ctx.mapping().policy.on_rename == OnRename::Recreate
        && changed.iter().any(is_renamed)
}

/// Locks the old account, makes the new one, and hands the SCIM id on.
///
/// # Errors
///
/// What the target refuses; sent again, the request finishes what is missing.
pub async fn recreate(
    ctx: &Context,
    t: &TypeMapping,
    old: Joined,
    mut new: Resource,
    changed: &[AttributePath],
) -> Result<Joined, Error> {
    if t.id.is_stable {
        return Err(Error::of(
            ScimType::Mutability,
            "The application identifies an account by a name that cannot be changed, and its mapping has no id of its own for it.",
        ));
    }
    unfinished::remember_state(ctx, t, &old, &mut new, changed).await?;
    lock(ctx, t, &old).await?;
    let scim_id = old.scim_id.clone();
    let joined = create::under_id(ctx, t, new, &scim_id).await?;
    // The locked account is nobody's any more: it is not shown beside the new one.
    let grave = ScimId::new(uuid::Uuid::new_v4().to_string());
    let tombstone = Record {
        is_deleted: true,
        ..new_record(ctx, grave, Some(old.target_id))
    };
    ctx.store
        .put(ctx.id(), &t.resource_type.name, &tombstone)
        .await?;
    Ok(joined)
}

async fn lock(ctx: &Context, t: &TypeMapping, old: &Joined) -> Result<(), Error> {
    if old.resource.0.get("active") == Some(&false.into()) {
        return Ok(());
    }
    let mut locked = old.resource.clone();
    locked.0.insert("active".into(), false.into());
    let changed = [AttributePath {
        attribute: "active".into(),
        ..AttributePath::default()
    }];
    let plan = plan::update(t, &locked, &changed);
    apply::apply(ctx, t, &plan, old, &locked).await.map(|_| ())
}
