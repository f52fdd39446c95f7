//! Members of a group, as the client knows them.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    mapping::{
        model::{MemberOnUser, MemberRead, Members, PageStyle, Rows, TypeMapping},
        names::Names,
        read::{self, is_nobody, listed_members},
    },
    scim::Error,
    store::TargetId,
    target::ScanSource,
};

use super::super::{
    context::Context,
    get::id_value,
    identity::{Standing, scim_id_of, standings},
    join::Joined,
    list::{PARALLEL_ROWS, whole_row},
    parallel::in_order,
    user_groups::{chosen, id_of, names_of_items, text_of, without_id},
};
use super::change::{InField, located_members};

/// Whether a change of members must know who is a member already: the target can only set the list as a whole, or
/// would repeat a row. Where users' own lists say it, those whom a change names are read for it, whatever their rows say.
pub fn needs_reading(members: &Members) -> bool {
    let has_deltas =
        members.written_on_user().is_some() || (members.add.is_some() && members.remove.is_some());
    !has_deltas
        || members
            .read
            .as_ref()
            .is_some_and(|read| read.is_read_before_add)
}

/// The members that a group's own field lists now, as the application calls them.
pub fn present_in_field(ctx: &Context, members: &Members, object: &Value) -> InField {
    let names = ctx.names();
    let listed = members
        .field
        .iter()
        .flat_map(|field| listed_members(field, object, &names));
    let known = listed.filter_map(|member| {
        let of = type_of(ctx, members, member.is_group)?;
        Some((id_value(of, &member.id?), of.resource_type.name.as_str()))
    });
    known.collect()
}

/// What the members listed in a group are: groups where the mapping says so, or else of the first of its `types`.
fn type_of<'c>(ctx: &'c Context, members: &Members, is_group: bool) -> Option<&'c TypeMapping> {
    let name = match is_group {
        true => members.types.iter().find(|name| *name == "Group"),
        false => members.types.first(),
    };
    ctx.type_named(name?)
}

/// The members of a group.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those the client knows, each with value, `$ref`, type and display.
    pub values: Vec<Value>,
    /// The SCIM ids of those that were deleted through here.
    pub deleted: Vec<String>,
}

/// Reads the members of a group.
pub async fn read(ctx: &Context, t: &TypeMapping, group: &Joined) -> Result<Listed, Error> {
    let Some(members) = &t.members else {
        return Ok(Listed::default());
    };
    let found = found(ctx, t, members, (&group.target_id, &group.object)).await?;
    values_of(ctx, members, found).await
}

/// The application's ids of the accounts that are members of a group; groups in it are not counted.
pub async fn account_ids(
    ctx: &Context,
    t: &TypeMapping,
    group: (&TargetId, &Value),
) -> Result<Vec<TargetId>, Error> {
    let Some(members) = &t.members else {
        return Ok(Vec::new());
    };
    let found = found(ctx, t, members, group).await?;
    let accounts = found.into_iter().filter(|item| !item.is_group);
    let ids = accounts.map(|item| item.id.map(TargetId::new).ok_or_else(nobody));
    ids.collect()
}

/// A group, by its id and as it was read.
type Group<'a> = (&'a TargetId, &'a Value);

async fn found(
    ctx: &Context,
    t: &TypeMapping,
    members: &Members,
    group: Group<'_>,
) -> Result<Found, Error> {
    if let Some(field) = &members.field {
        let listed = listed_members(field, group.1, &ctx.names());
        let items = listed.into_iter().map(|member| Item {
            id: member.id,
            display: None,
            is_group: member.is_group,
        });
        return Ok(items.collect());
    }
    match (&members.read, &members.on_user) {
        (Some(read), _) => by_call(ctx, t, read, group).await,
        (None, Some(on_user)) => on_users(ctx, on_user, group).await,
        (None, None) => Ok(Vec::new()),
    }
}

fn nobody() -> Error {
    without_id("a group's members", "`[group.members]`")
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
        let listed = self::read(ctx, t, group).await?;
        return Ok(Some(listed.values));
    };
    let names = names_of(ctx, t, (&group.target_id, &group.object));
    let mut scan = ctx.driver().scan(ScanSource::Members(read), &names);
    let Some(page) = scan.next_page(&ctx.journey).await? else {
        return Ok(Some(Vec::new()));
    };
    let is_all = match page.total {
        Some(total) => total <= page.items.len() as u64,
        None => matches!(read.page.style, PageStyle::None),
    };
    if !is_all {
        return Ok(None);
    }
    let own = names_of_items(ctx, &read.call, &names, &group.object)?;
    let listed = values_of(ctx, members, found_in(ctx, read, &own, page.items)).await?;
    Ok(Some(listed.values))
}

async fn values_of(ctx: &Context, members: &Members, found: Found) -> Result<Listed, Error> {
    let Some(of) = members.types.first().and_then(|name| ctx.type_named(name)) else {
        return Ok(Listed::default());
    };
    // Nested groups are not accounts: only these can be hidden.
    let mut accounts = Vec::with_capacity(found.len());
    for item in &found {
        let id = item.id.as_ref().ok_or_else(nobody)?;
        if !item.is_group {
            accounts.push(TargetId::new(id));
        }
    }
    let mut standings = standings(ctx, of, &accounts).await?.into_iter();
    let mut listed = Listed::default();
    for item in found {
        let standing = (!item.is_group).then(|| standings.next()).flatten();
        match standing.unwrap_or(Standing::Known) {
            Standing::Hidden => {}
            Standing::Deleted(id) => listed.deleted.push(id.as_str().to_owned()),
            Standing::Known => listed
                .values
                .extend(member_value(ctx, members, item).await?),
        }
    }
    Ok(listed)
}

/// A member as the target lists it.
#[derive(Default)]
struct Item {
    /// Its target id; without one it is nobody.
    id: Option<String>,
    display: Option<String>,
    /// Whether it is a nested group.
    is_group: bool,
}

type Found = Vec<Item>;

async fn by_call(
    ctx: &Context,
    t: &TypeMapping,
    read: &MemberRead,
    group: Group<'_>,
) -> Result<Found, Error> {
    let names = names_of(ctx, t, group);
    let own = names_of_items(ctx, &read.call, &names, group.1)?;
    let mut scan = ctx.driver().scan(ScanSource::Members(read), &names);
    let mut found = Vec::new();
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        found.extend(found_in(ctx, read, &own, page.items));
    }
    Ok(found)
}

fn names_of<'a>(ctx: &'a Context, t: &TypeMapping, (id, object): Group<'a>) -> Names<'a> {
    let id = id_value(t, id.as_str());
    let mut names = ctx.names();
    names.with("old", Cow::Borrowed(object));
    names.object(object);
    names.with("group", Cow::Owned(id.clone()));
    names.with("id", Cow::Owned(id));
    names
}

fn found_in(ctx: &Context, read: &MemberRead, own: &Names<'_>, items: Vec<Value>) -> Found {
    let items = chosen(own, read.only.as_ref(), items);
    let somebody = items.iter().filter(|item| !is_nobody(item));
    let found = somebody.map(|item| {
        let is_group = read.is_group.as_ref();
        let is_group = is_group.is_some_and(|rule| rule.holds_for(item, own));
        Item {
            id: id_of(ctx, read.id.as_ref(), item),
            display: text_of(read.display.as_ref().and_then(|path| path.first(item))),
            is_group,
        }
    });
    found.collect()
}

/// Reads all users and keeps those that list the group.
///
/// Users whose rows are references, or lack their groups, are read by themselves. So are those whose rows do not have the
/// field where no row has it: then the list does not show it, and says nothing about anybody.
async fn on_users(
    ctx: &Context,
    on_user: &MemberOnUser,
    (group_id, group): Group<'_>,
) -> Result<Found, Error> {
    let Some(users) = ctx.type_named("User") else {
        return Ok(Vec::new());
    };
    let wanted = super::on_user::name_of(ctx, on_user, group_id, group)?;
    let wanted = on_user.compared(&wanted);
    let mut found = Vec::new();
    let mut keep = |user: &Value| -> Result<(), Error> {
        let listed = super::on_user::listed(on_user, user)?;
        let mut names = listed.iter().map(|listed| on_user.compared(&listed.name));
        if names.any(|name| name == wanted) {
            found.push(Item {
                id: read::target_id(users, user),
                ..Item::default()
            });
        }
        Ok(())
    };
    let must_read = users.lists.iter().any(|list| lack_groups(&list.rows));
    let mut is_field_shown = false;
    let mut unknown = Vec::new();
    let names = ctx.names();
    let mut scan = ctx.driver().scan(ScanSource::Lists(&users.lists), &names);
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        for user in page.items {
            let is_shown = on_user.place.read(&user).is_some();
            is_field_shown |= is_shown;
            match users.get.is_some() && (must_read || !is_shown) {
                true => unknown.push(user),
                false => keep(&user)?,
            }
        }
        if is_field_shown && !must_read {
            unknown.clear(); // A row without the field has no group.
        }
    }
    let reads = unknown.iter().map(|row| whole_row(ctx, users, row));
    let whole = Box::pin(in_order(reads.collect(), PARALLEL_ROWS)).await?;
    whole.iter().flatten().try_for_each(&mut keep)?;
    Ok(found)
}

/// Whether the mapping says that a list's rows do not hold users' groups.
fn lack_groups(rows: &Rows) -> bool {
    match rows {
        Rows::Complete => false,
        Rows::Reference => true,
        Rows::Lacking(paths) => paths
            .iter()
            .any(|path| path.schema.is_none() && path.attribute == "groups"),
    }
}

/// Members that were wished, as a read will show them: each with its `$ref` and type, whatever the client called them, and
/// without those that were left out because nobody has their id.
pub async fn as_wished(
    ctx: &Context,
    t: &TypeMapping,
    wished: &[Value],
) -> Result<Vec<Value>, Error> {
    let Some(members) = &t.members else {
        return Ok(Vec::new());
    };
    let named = wished
        .iter()
        .filter_map(|member| Some((member, member.get("value")?.as_str()?)))
        .filter(|(_, id)| !ctx.is_left_out(id));
    let named: Vec<(&Value, &str)> = named.collect();
    let types = match members.types.as_slice() {
        [one] => vec![ctx.type_named(one); named.len()],
        _ => {
            let ids: Vec<String> = named.iter().map(|(_, id)| (*id).to_owned()).collect();
            let found = located_members(ctx, members, &ids).await?.into_iter();
            found.map(|found| found.map(|(of, _)| of)).collect()
        }
    };
    let shown = named.into_iter().zip(types).map(|((member, id), of)| {
        let mut shown = json!({ "value": id });
        if let Some(of) = of {
            shown["$ref"] = json!(ctx.location(of, id));
            shown["type"] = json!(of.resource_type.name);
        }
        if let Some(display) = member.get("display").filter(|display| display.is_string()) {
            shown["display"] = display.clone();
        }
        shown
    });
    Ok(shown.collect())
}

async fn member_value(
    ctx: &Context,
    members: &Members,
    item: Item,
) -> Result<Option<Value>, Error> {
    let Some((of, target_id)) = type_of(ctx, members, item.is_group).zip(item.id) else {
        return Ok(None);
    };
    let name = &of.resource_type.name;
    let id = scim_id_of(ctx, of, &TargetId::new(target_id)).await?;
    let mut value =
        json!({ "value": id.as_str(), "$ref": ctx.location(of, id.as_str()), "type": name });
    if let Some(display) = item.display {
        value["display"] = json!(display);
    }
    Ok(Some(value))
}
