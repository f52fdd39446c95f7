//! Members of a group, as the client knows them.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{MemberRead, Members, PageStyle, TypeMapping},
        names::Names,
    },
    scim::Error,
    store::TargetId,
    target::ScanSource,
};

use super::super::{
    context::Context,
    get::id_value,
    identity::scim_id_of,
    join::Joined,
    user_groups::{chosen, flattened, id_of, names_of_items, text_of},
};

/// Whether a change of members must know who is a member already: the target can only set the list as a whole, or
/// would repeat a row.
pub fn needs_reading(members: &Members) -> bool {
    let has_deltas = members.add.is_some() && members.remove.is_some();
    !has_deltas
        || members
            .read
            .as_ref()
            .is_some_and(|read| read.is_read_before_add)
}

/// The members that a group's own field lists now, as the application calls them.
pub fn present_in_field(ctx: &Context, members: &Members, object: &Value) -> Value {
    let of = members.types.first().and_then(|name| ctx.type_named(name));
    let ids = members
        .field
        .iter()
        .flat_map(|field| crate::mapping::read::member_ids(field, object));
    ids.map(|id| match of {
        Some(of) => id_value(of, &id),
        None => json!(id),
    })
    .collect()
}

/// The members of a group, each with value, `$ref`, type and display.
pub async fn read(ctx: &Context, t: &TypeMapping, group: &Joined) -> Result<Vec<Value>, Error> {
    let Some(members) = &t.members else {
        return Ok(Vec::new());
    };
    let found = if let Some(field) = &members.field {
        let items = field
            .place
            .read(&group.object)
            .map(|list| flattened(vec![list]))
            .unwrap_or_default();
        items
            .iter()
            .map(|item| {
                (
                    text_of(
                        field
                            .id
                            .as_ref()
                            .map_or(Some(item), |path| path.first(item)),
                    ),
                    None,
                )
            })
            .collect()
    } else if members.read.is_some() {
        by_call(ctx, t, members, group).await?
    } else if members.on_user.is_some() {
        on_users(ctx, members, group).await?
    } else {
        Vec::new()
    };
    values_of(ctx, members, found).await
}

/// The members of a group if one page of the target's has them all; absent if there are more.
pub async fn read_short(
    ctx: &Context,
    t: &TypeMapping,
    group: &Joined,
) -> Result<Option<Vec<Value>>, Error> {
    let Some(members) = t.members.as_ref() else {
        return Ok(None);
    };
    let Some(read) = members.read.as_ref().filter(|_| members.field.is_none()) else {
        return self::read(ctx, t, group).await.map(Some);
    };
    let names = names_of(ctx, t, group);
    let mut scan = ctx.driver().scan(ScanSource::Members(read), &names);
    let Some(page) = scan.next_page(&ctx.journey).await? else {
        return Ok(Some(Vec::new()));
    };
    let is_all = match page.total {
        Some(total) => total <= page.items.len() as u64,
        None => matches!(read.page, PageStyle::None),
    };
    if !is_all {
        return Ok(None);
    }
    let own = names_of_items(ctx, &read.call, &names, &group.object)?;
    values_of(ctx, members, found_in(ctx, read, &own, page.items))
        .await
        .map(Some)
}

async fn values_of(ctx: &Context, members: &Members, found: Found) -> Result<Vec<Value>, Error> {
    let mut values = Vec::with_capacity(found.len());
    for (target_id, display) in found {
        let Some(target_id) = target_id else { continue };
        if let Some(value) = member_value(ctx, members, &target_id, display).await? {
            values.push(value);
        }
    }
    Ok(values)
}

type Found = Vec<(Option<String>, Option<String>)>;

async fn by_call(
    ctx: &Context,
    t: &TypeMapping,
    members: &Members,
    group: &Joined,
) -> Result<Found, Error> {
    let Some(read) = &members.read else {
        return Ok(Vec::new());
    };
    let names = names_of(ctx, t, group);
    let own = names_of_items(ctx, &read.call, &names, &group.object)?;
    let mut scan = ctx.driver().scan(ScanSource::Members(read), &names);
    let mut found = Vec::new();
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        found.extend(found_in(ctx, read, &own, page.items));
    }
    Ok(found)
}

fn names_of<'a>(ctx: &'a Context, t: &TypeMapping, group: &'a Joined) -> Names<'a> {
    let id = id_value(t, group.target_id.as_str());
    let mut names = ctx.names();
    names.with("old", Cow::Borrowed(&group.object));
    names.object(&group.object);
    names.with("group", Cow::Owned(id.clone()));
    names.with("id", Cow::Owned(id));
    names
}

fn found_in(ctx: &Context, read: &MemberRead, own: &Names<'_>, items: Vec<Value>) -> Found {
    let items = chosen(own, read.only.as_ref(), items);
    let found = items.iter().map(|item| {
        let id = id_of(ctx, read.id.as_ref(), item);
        let display = text_of(read.display.as_ref().and_then(|path| path.first(item)));
        (id, display)
    });
    found.collect()
}

/// Reads all users and keeps those that list the group.
async fn on_users(ctx: &Context, members: &Members, group: &Joined) -> Result<Found, Error> {
    let (Some(on_user), Some(users)) = (&members.on_user, ctx.type_named("User")) else {
        return Ok(Vec::new());
    };
    let wanted = super::change::group_name(ctx, on_user, group.target_id.as_str(), &group.object)?;
    let mut found = Vec::new();
    let names = ctx.names();
    let mut scan = ctx.driver().scan(ScanSource::Lists(&users.lists), &names);
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        for user in &page.items {
            if super::change::groups_on(on_user, user).contains(&wanted) {
                found.push((crate::mapping::read::target_id(users, user), None));
            }
        }
    }
    Ok(found)
}

async fn member_value(
    ctx: &Context,
    members: &Members,
    target_id: &str,
    display: Option<String>,
) -> Result<Option<Value>, Error> {
    let Some(name) = members.types.first() else {
        return Ok(None);
    };
    let Some(of) = ctx.type_named(name) else {
        return Ok(None);
    };
    let id = scim_id_of(ctx, of, &TargetId::new(target_id)).await?;
    let mut value =
        json!({ "value": id.as_str(), "$ref": ctx.location(of, id.as_str()), "type": name });
    if let Some(display) = display {
        value["display"] = json!(display);
    }
    Ok(Some(value))
}
