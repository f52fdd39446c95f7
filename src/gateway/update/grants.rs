//! Groups granted through the user (SAILPOINT-04): member changes of the groups that are named.

use serde_json::Value;

use crate::{
    dialect::GroupGrant,
    mapping::model::TypeMapping,
    scim::{Error, ScimType},
};

use super::super::{
    context::Context,
    get::{Want, fetch},
    identity::locate,
    members,
};

/// Carries out the grants of one request, in order.
///
/// # Errors
///
/// `invalidValue` if a group does not exist; what the target refuses.
pub async fn carry_out(ctx: &Context, user_id: &str, grants: &[GroupGrant]) -> Result<(), Error> {
    if grants.is_empty() {
        return Ok(());
    }
    let Some(groups) = ctx.mapping().types.iter().find(|t| t.members.is_some()) else {
        return Err(Error::new(501, "The application has no groups."));
    };
    for grant in grants {
        let (add, remove) = match grant {
            GroupGrant::Add(groups) => (groups.clone(), Vec::new()),
            GroupGrant::Remove(groups) => (Vec::new(), groups.clone()),
            GroupGrant::Exactly(wanted) => difference(ctx, user_id, wanted).await?,
        };
        for id in remove {
            change(
                ctx,
                groups,
                &id,
                members::Change {
                    remove: vec![user_id.to_owned()],
                    ..Default::default()
                },
            )
            .await?;
        }
        for id in add {
            change(
                ctx,
                groups,
                &id,
                members::Change {
                    add: vec![user_id.to_owned()],
                    ..Default::default()
                },
            )
            .await?;
        }
    }
    Ok(())
}

/// Groups to join and to leave, so that the user is in exactly the wanted ones.
async fn difference(
    ctx: &Context,
    user_id: &str,
    wanted: &[String],
) -> Result<(Vec<String>, Vec<String>), Error> {
    let users = ctx
        .type_named("User")
        .ok_or_else(|| Error::new(404, "There is no User with this id."))?;
    let user = fetch(
        ctx,
        users,
        user_id,
        Want {
            members: false,
            groups: true,
        },
    )
    .await?;
    let groups = user
        .resource
        .0
        .get("groups")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let present: Vec<String> = groups
        .filter_map(|group| Some(group.get("value")?.as_str()?.to_owned()))
        .collect();
    let add = wanted
        .iter()
        .filter(|id| !present.contains(id))
        .cloned()
        .collect();
    let remove = present
        .into_iter()
        .filter(|id| !wanted.contains(id))
        .collect();
    Ok((add, remove))
}

async fn change(
    ctx: &Context,
    t: &TypeMapping,
    group_id: &str,
    mut change: members::Change,
) -> Result<(), Error> {
    let _lock = ctx
        .lock(format!("{}/{group_id}", t.resource_type.name))
        .await?;
    let unknown = |error: Error| match error.status {
        404 => Error::of(
            ScimType::InvalidValue,
            "A group that does not exist is named.",
        ),
        _ => error,
    };
    let located = locate(ctx, t, group_id).await.map_err(unknown)?;
    let is_read = t.members.as_ref().is_some_and(members::needs_reading);
    if is_read {
        let group = fetch(
            ctx,
            t,
            group_id,
            Want {
                members: true,
                groups: false,
            },
        )
        .await
        .map_err(unknown)?;
        let present = group
            .resource
            .0
            .get("members")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut all: Vec<String> = present
            .filter_map(|member| Some(member.get("value")?.as_str()?.to_owned()))
            .collect();
        all.retain(|id| !change.remove.contains(id));
        change.add.retain(|id| !all.contains(id));
        all.extend(change.add.iter().cloned());
        change.all = Some(all);
    }
    match is_read {
        true => members::apply(ctx, t, &located, &change).await,
        false => members::apply_unseen(ctx, t, &located, &change).await,
    }
    .map_err(unknown)
}
