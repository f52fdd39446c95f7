//! Membership that the application keeps on the user: the list of groups, or the one group, in the user object.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{Form, MemberOnUser, OnMissingReference, TypeMapping},
        reply::CallClass,
        value::names_in,
        write::mapped_as_read,
    },
    scim::{Error, ScimType},
    store::TargetId,
};

use super::super::{
    context::Context,
    get::{id_value, object_of},
    identity::{Located, locate, unknown},
    user_groups::text_of,
};
use super::change::{Change, unknown_member};

/// Membership kept on the user: each user's list is read, changed and written.
pub async fn apply(
    ctx: &Context,
    t: &TypeMapping,
    on_user: &MemberOnUser,
    group: &Located,
    change: &Change,
) -> Result<(), Error> {
    let object = object_of(ctx, t, group).await?.ok_or_else(|| unknown(t))?;
    let name = group_name(ctx, on_user, group.target_id.as_str(), &object)?;
    let rejects = ctx.mapping().policy.on_missing_reference == OnMissingReference::Reject;
    for (ids, is_added) in [(&change.remove, false), (&change.add, true)] {
        for id in ids {
            match on_one_user(ctx, on_user, &name, id, is_added).await {
                Err(error) if error.status == 404 && (!is_added || !rejects) => {}
                Err(error) if error.status == 404 => return Err(unknown_member()),
                result => result?,
            }
        }
    }
    Ok(())
}

async fn on_one_user(
    ctx: &Context,
    on_user: &MemberOnUser,
    group: &str,
    user_id: &str,
    is_added: bool,
) -> Result<(), Error> {
    let users = ctx.type_named("User").ok_or_else(unknown_member)?;
    let _lock = ctx.lock(format!("User/{user_id}")).await?;
    let located = locate(ctx, users, user_id).await?;
    let user = object_of(ctx, users, &located)
        .await?
        .ok_or_else(|| unknown(users))?;
    let present = groups_on(on_user, &user);
    if present.iter().any(|name| name == group) == is_added {
        return Ok(());
    }
    let list: Vec<String> = if is_added {
        if on_user.is_single {
            vec![group.to_owned()]
        } else {
            present.into_iter().chain([group.to_owned()]).collect()
        }
    } else {
        present.into_iter().filter(|name| name != group).collect()
    };
    let value = list_on(on_user, list)?;
    write_on_user(ctx, users, on_user, &located.target_id, user, value).await
}

/// A user's groups as the field holds them.
fn list_on(on_user: &MemberOnUser, list: Vec<String>) -> Result<Value, Error> {
    if let (true, Some(default)) = (list.is_empty(), &on_user.default) {
        return Ok(default.clone());
    }
    let separator = match &on_user.form {
        Form::Joined(separator) => separator,
        _ if on_user.is_single => {
            return Ok(list.into_iter().next().map_or(Value::Null, Value::from));
        }
        _ => return Ok(json!(list)),
    };
    // It would be read back as two groups.
    if list
        .iter()
        .any(|name| !separator.is_empty() && name.contains(separator.as_str()))
    {
        return Err(Error::of(
            ScimType::InvalidValue,
            "The group's name holds what the application puts between names.",
        ));
    }
    Ok(json!(list.join(separator)))
}

async fn write_on_user(
    ctx: &Context,
    users: &TypeMapping,
    on_user: &MemberOnUser,
    target_id: &TargetId,
    user: Value,
    value: Value,
) -> Result<(), Error> {
    let Some(update) = users.updates.last() else {
        return Err(Error::new(
            501,
            "The application cannot change a user's groups.",
        ));
    };
    let mut mapped = Value::Object(mapped_as_read(users, &user));
    let mut fields = match update.send {
        crate::mapping::model::Send::Merged => user.clone(),
        crate::mapping::model::Send::All => mapped.clone(),
        crate::mapping::model::Send::Changed => json!({}),
    };
    on_user.place.write(&mut mapped, value.clone());
    on_user.place.write(&mut fields, value);
    let mut names = ctx.names();
    names.with("id", Cow::Owned(id_value(users, target_id.as_str())));
    names.with("old", Cow::Borrowed(&user));
    names.with("mapped", Cow::Owned(mapped));
    ctx.driver()
        .run(
            &ctx.journey,
            update,
            CallClass::Update,
            &names,
            Some(fields),
            &[],
        )
        .await?;
    Ok(())
}

/// The names of the groups on a user object.
pub fn groups_on(on_user: &MemberOnUser, user: &Value) -> Vec<String> {
    let found = on_user
        .place
        .read(user)
        .map(|value| names_in(&on_user.form, value))
        .unwrap_or_default();
    found
        .iter()
        .filter_map(|value| text_of(Some(value)))
        .collect()
}

/// How a group is named on a user.
pub fn group_name(
    ctx: &Context,
    on_user: &MemberOnUser,
    target_id: &str,
    object: &Value,
) -> Result<String, Error> {
    let Some(template) = &on_user.name else {
        return Ok(target_id.to_owned());
    };
    let mut names = ctx.names();
    names.with("id", Cow::Owned(json!(target_id)));
    names.object(object);
    Ok(template
        .render(&names)?
        .unwrap_or_else(|| target_id.to_owned()))
}
