//! Membership kept on the user: each user's list of groups is read, changed and written.

use std::{borrow::Cow, collections::HashSet};

use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{Form, MemberOnUser, OnMissingReference, ReplyKind, Send, TypeMapping},
        read::{self, is_nobody},
        reply::CallClass,
        value::names_in,
        write::{self, mapped_as_read},
    },
    scim::{Error, ScimType},
    store::{ScimId, TargetId},
};

use super::super::{
    context::Context,
    get::{id_value, object_of},
    identity::{Located, deleted_target_ids_of, locate, unknown},
    join::Joined,
    list::PARALLEL_ROWS,
    parallel::in_order,
    policy::can_deactivate,
    user_groups::text_of,
};
use super::{
    change::{Change, unknown_member},
    tally::Tally,
};

/// A group as users have it in their lists.
struct Group {
    name: String,
    /// What stands for it in a user's list; absent: its name.
    element: Option<Value>,
}

impl Group {
    /// Whether lists of users are written as texts or numbers, whatever they are read as.
    fn is_scalar(&self) -> bool {
        let element = self.element.as_ref();
        element.is_some_and(|element| !element.is_object() && !element.is_array())
    }
}

/// Changes the users one after the other.
pub(super) async fn change(
    ctx: &Context,
    t: &TypeMapping,
    on_user: &MemberOnUser,
    group: &Located,
    change: &Change,
    tally: &mut Tally,
) -> Result<(), Error> {
    let object = match object_of(ctx, t, group).await? {
        Some(object) => object,
        // In a dry run nobody has given it its new key.
        None if ctx.journey.is_dry => Value::Null,
        None => return Err(unknown(t)),
    };
    let group = group_of(ctx, t, on_user, &group.target_id, &object)?;
    let rejects = ctx.mapping().policy.on_missing_reference == OnMissingReference::Reject;
    for (ids, is_added) in [(&change.remove, false), (&change.add, true)] {
        for id in ids {
            let is_held = change.held.as_deref() == Some(id.as_str());
            match on_one_user(ctx, on_user, &group, id, is_added, is_held).await {
                Err(error) if error.status == 404 && (!is_added || !rejects) => {
                    ctx.leave_out(id, is_added);
                }
                Err(error) if error.status == 404 => return Err(unknown_member()),
                outcome => match outcome? {
                    Outcome::AsWished => {
                        ctx.leave_out(id, false);
                        tally.done += 1;
                        // The group was read.
                        tally.taken += 1;
                    }
                    Outcome::WouldActivate => tally.inactive += 1,
                    Outcome::IsDefault => tally.in_default += 1,
                    Outcome::NotTaken => tally.not_taken += 1,
                },
            }
        }
    }
    Ok(())
}

enum Outcome {
    AsWished,
    /// The user is deactivated, and whoever has a group is active: nothing was written (promise S17).
    WouldActivate,
    /// The user is in no other group, and whoever is in none has this one: nothing was written.
    IsDefault,
    /// The application took the change for done, and shows the user as before.
    NotTaken,
}

async fn on_one_user(
    ctx: &Context,
    on_user: &MemberOnUser,
    group: &Group,
    user_id: &str,
    is_added: bool,
    is_held: bool,
) -> Result<Outcome, Error> {
    let users = ctx.type_named("User").ok_or_else(unknown_member)?;
    let _lock = match is_held {
        true => None,
        false => Some(ctx.lock(format!("User/{user_id}")).await?),
    };
    let located = match locate(ctx, users, user_id).await {
        Err(error) if error.status == 404 && !is_added => deleted(ctx, users, user_id).await?,
        located => located?,
    };
    let user = object_of(ctx, users, &located)
        .await?
        .ok_or_else(|| unknown(users))?;
    let present = listed(on_user, &user)?;
    let own = on_user.compared(&group.name);
    let is_own = |listed: &Listed| on_user.compared(&listed.name) == own;
    if present.iter().any(is_own) == is_added {
        return Ok(Outcome::AsWished);
    }
    let list: Vec<Value> = match (is_added, on_user.is_single) {
        (true, true) => vec![element(group, &[])],
        (true, false) => {
            let new = element(group, &present);
            let mut list = as_written(ctx, on_user, group, present)?;
            list.push(new);
            list
        }
        (false, _) => {
            let others = present.into_iter().filter(|listed| !is_own(listed));
            as_written(ctx, on_user, group, others)?
        }
    };
    if list.is_empty() && read::default_groups(on_user).contains(&own.clone().into_owned()) {
        return Ok(Outcome::IsDefault);
    }
    let is_emptied = list.is_empty();
    let value = list_on(on_user, list)?;
    let mut after = user.clone();
    on_user.place.write(&mut after, value.clone());
    if is_added && would_activate(ctx, users, &user, &after) {
        return Ok(Outcome::WouldActivate);
    }
    let shown = write(ctx, users, on_user, &located, (&user, after), value).await?;
    // An application that cannot leave a user without any often says yes, and leaves what there was.
    let shown = match shown {
        None if is_emptied && !ctx.journey.is_dry => object_of(ctx, users, &located).await?,
        shown => shown,
    };
    // A reply may have the list in another form than a read: then it shows nothing.
    let names = shown.and_then(|user| names_on(on_user, &user).ok());
    let is_taken = match names {
        Some(names) if names.contains(own.as_ref()) != is_added => {
            // Whoever is deactivated may have it under another name until the activation.
            let is_inactive = is_active(ctx, users, &user) == Some(false);
            is_added && is_inactive && names != names_on(on_user, &user)?
        }
        Some(_) | None => true,
    };
    Ok(match is_taken {
        true => Outcome::AsWished,
        false => Outcome::NotTaken,
    })
}

/// Those of the users whose own lists name the group, each read by itself; none where users' lists do not say who is in it.
///
/// # Errors
///
/// What the calls fail with; not for users who are not there.
pub async fn among(
    ctx: &Context,
    t: &TypeMapping,
    group: &Joined,
    ids: &[String],
) -> Result<Vec<String>, Error> {
    let on_user = t
        .members
        .as_ref()
        .and_then(|members| members.on_user.as_ref());
    let (Some(on_user), Some(users), false) = (on_user, ctx.type_named("User"), ids.is_empty())
    else {
        return Ok(Vec::new());
    };
    let own = name_of(ctx, on_user, &group.target_id, &group.object)?;
    let own = on_user.compared(&own);
    let is_in = |id: &String| {
        let (id, own) = (id.clone(), own.as_ref());
        async move {
            let located = match locate(ctx, users, &id).await {
                Err(error) if error.status == 404 => return Ok(None),
                located => located?,
            };
            let Some(user) = object_of(ctx, users, &located).await? else {
                return Ok(None);
            };
            let names = names_on(on_user, &user)?;
            Ok(names.contains(own).then_some(id))
        }
    };
    let found = Box::pin(in_order(ids.iter().map(is_in).collect(), PARALLEL_ROWS)).await?;
    Ok(found.into_iter().flatten().collect())
}

/// An account that was deleted through here and goes on in the application: its groups can be taken from it.
async fn deleted(ctx: &Context, users: &TypeMapping, user_id: &str) -> Result<Located, Error> {
    let found = deleted_target_ids_of(ctx, users, &[user_id.to_owned()]).await?;
    let target_id = found.into_iter().flatten().next();
    Ok(Located {
        scim_id: ScimId::new(user_id),
        target_id: target_id.ok_or_else(|| unknown(users))?,
        record: None,
    })
}

/// Whether a user that the mapping reads as inactive would be read as active afterwards.
fn would_activate(ctx: &Context, users: &TypeMapping, before: &Value, after: &Value) -> bool {
    can_deactivate(users)
        && is_active(ctx, users, before) == Some(false)
        && is_active(ctx, users, after) == Some(true)
}

/// `active` as the mapping reads it; absent if the object does not say it.
fn is_active(ctx: &Context, users: &TypeMapping, object: &Value) -> Option<bool> {
    let read = read::read(users, object, &ctx.mapping().settings, |path| {
        path.schema.is_none() && path.attribute == "active"
    });
    read.resource.0.get("active").and_then(Value::as_bool)
}

/// What stands for a group in a list that has these already: a number where they are numbers.
fn element(group: &Group, present: &[Listed]) -> Value {
    if let Some(element) = &group.element {
        return element.clone();
    }
    let are_numbers = !present.is_empty() && present.iter().all(|one| one.element.is_number());
    match group.name.parse::<i64>() {
        Ok(number) if are_numbers => json!(number),
        _ => json!(group.name),
    }
}

/// The groups that a user keeps: the elements as they are, or, where the application lists objects and takes texts or numbers,
/// each made as the new one is.
fn as_written(
    ctx: &Context,
    on_user: &MemberOnUser,
    group: &Group,
    kept: impl IntoIterator<Item = Listed>,
) -> Result<Vec<Value>, Error> {
    let kept = kept.into_iter().map(|listed| listed.element);
    let (Some(path), Some(tree), true) = (&on_user.id, &on_user.element, group.is_scalar()) else {
        return Ok(kept.collect());
    };
    let mut list = Vec::new();
    for element in kept {
        let own = path.first(&element).filter(|_| element.is_object());
        let Some(own) = own else {
            list.push(element);
            continue;
        };
        let mut names = ctx.names();
        names.with("group", Cow::Borrowed(own));
        list.extend(tree.render(&names)?);
    }
    Ok(list)
}

/// A user's groups as the field holds them.
fn list_on(on_user: &MemberOnUser, list: Vec<Value>) -> Result<Value, Error> {
    if let (true, Some(default)) = (list.is_empty(), &on_user.default) {
        return Ok(default.clone());
    }
    let separator = match &on_user.form {
        Form::Joined(separator) => separator,
        _ if on_user.is_single => return Ok(list.into_iter().next().unwrap_or_default()),
        _ => return Ok(Value::Array(list)),
    };
    let names: Vec<String> = list.iter().filter_map(|name| text_of(Some(name))).collect();
    // It would be read back as two groups.
    if names
        .iter()
        .any(|name| !separator.is_empty() && name.contains(separator.as_str()))
    {
        return Err(Error::of(
            ScimType::InvalidValue,
            "The group's name holds what the application puts between names.",
        ));
    }
    Ok(json!(names.join(separator)))
}

/// Writes the user's list. Gives the user as the application shows it then; absent if it shows nothing of its groups.
async fn write(
    ctx: &Context,
    users: &TypeMapping,
    on_user: &MemberOnUser,
    located: &Located,
    (before, after): (&Value, Value),
    value: Value,
) -> Result<Option<Value>, Error> {
    let Some(update) = write::update_of_groups(users) else {
        return Err(Error::new(
            501,
            "The application cannot change a user's groups.",
        ));
    };
    let mut mapped = Value::Object(mapped_as_read(users, &after));
    on_user.place.write(&mut mapped, value.clone());
    let fields = match update.send {
        Send::Merged => after,
        Send::All => mapped.clone(),
        Send::Changed => {
            let mut fields = json!({});
            on_user.place.write(&mut fields, value);
            fields
        }
    };
    let mut names = ctx.names();
    names.with(
        "id",
        Cow::Owned(id_value(users, located.target_id.as_str())),
    );
    names.with("old", Cow::Borrowed(before));
    names.with("mapped", Cow::Owned(mapped));
    let done = ctx
        .driver()
        .run(
            &ctx.journey,
            update,
            CallClass::Update,
            &names,
            Some(fields),
            &[],
        )
        .await?;
    let shown = match update.reply {
        _ if done.is_planned_only => None,
        ReplyKind::Object => done.object,
        ReplyKind::ReadBack => object_of(ctx, users, located).await?,
        ReplyKind::Nothing => None,
    };
    Ok(shown.filter(|user| on_user.place.read(user).is_some()))
}

/// A group in a user's list.
pub(super) struct Listed {
    /// What the list names it by.
    pub name: String,
    /// The element as it is: what the mapping does not know of it stays.
    element: Value,
}

/// The groups that a user object lists.
///
/// # Errors
///
/// 502 for an element that names no group where the mapping looks for it: it would be lost with the next change.
pub(super) fn listed(on_user: &MemberOnUser, user: &Value) -> Result<Vec<Listed>, Error> {
    let found = on_user.place.read(user);
    let found = found.map(|value| names_in(&on_user.form, value));
    let elements = found.into_iter().flatten();
    let listed = elements
        .filter(|element| !is_nobody(element))
        .map(|element| {
            let name = text_of(on_user.name_in(&element)).ok_or_else(|| nameless(on_user))?;
            Ok(Listed { name, element })
        });
    listed.collect()
}

/// What a user's own list names its groups by, as names are compared.
///
/// # Errors
///
/// 502 for an element that names no group where the mapping looks for it.
pub fn names_on(on_user: &MemberOnUser, user: &Value) -> Result<HashSet<String>, Error> {
    let listed = listed(on_user, user)?;
    let names = listed.iter().map(|group| on_user.compared(&group.name));
    Ok(names.map(Cow::into_owned).collect())
}

/// What cannot be told must not be written back without.
fn nameless(on_user: &MemberOnUser) -> Error {
    let (field, section) = (on_user.place.source(), "`[group.members.on-user]`");
    let detail = match &on_user.id {
        Some(path) => format!(
            "An element of `{field}` of a user has no text or number at `{}`, where {section} looks for the group's name, and nothing is written; the application's operator must look at it.",
            path.source()
        ),
        None => format!(
            "An element of `{field}` of a user is neither a text nor a number, and nothing is written; the operator must say in {section} where in it the group's name is (`id`) and how one is made (`element`)."
        ),
    };
    Error::new(502, detail)
}

/// What the lists of users name a group by.
pub fn name_of(
    ctx: &Context,
    on_user: &MemberOnUser,
    target_id: &TargetId,
    object: &Value,
) -> Result<String, Error> {
    let name = read::name_on_users(on_user, target_id.as_str(), object, ctx.names())?;
    Ok(name)
}

/// Whether whoever is in no other group has this one.
///
/// # Errors
///
/// What the calls fail with.
pub async fn is_default(
    ctx: &Context,
    t: &TypeMapping,
    on_user: &MemberOnUser,
    group: &Located,
) -> Result<bool, Error> {
    let defaults = read::default_groups(on_user);
    if defaults.is_empty() {
        return Ok(false);
    }
    let Some(object) = object_of(ctx, t, group).await? else {
        return Ok(false);
    };
    let name = name_of(ctx, on_user, &group.target_id, &object)?;
    Ok(defaults.contains(&on_user.compared(&name).into_owned()))
}

fn group_of(
    ctx: &Context,
    t: &TypeMapping,
    on_user: &MemberOnUser,
    target_id: &TargetId,
    object: &Value,
) -> Result<Group, Error> {
    let name = name_of(ctx, on_user, target_id, object)?;
    let Some(tree) = &on_user.element else {
        return Ok(Group {
            name,
            element: None,
        });
    };
    let own = match &on_user.name {
        Some(_) => json!(name),
        None => id_value(t, target_id.as_str()),
    };
    let mut names = ctx.names();
    names.object(object);
    names.with("id", Cow::Owned(id_value(t, target_id.as_str())));
    names.with("group", Cow::Owned(own));
    let element = tree.render(&names)?;
    Ok(Group { name, element })
}
