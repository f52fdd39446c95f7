//! `[user.groups]`.

use crate::{
    mapping::{
        model::{MemberOnUser, Read, TypeMapping, UserGroups},
        path::JsonPath,
    },
    scim::ResourceType,
};

use super::{
    call::{self, CALL},
    form,
    list::PAGE_LIKE_LIST,
    members::{DISPLAY, ID, ONLY, items},
    page,
    reader::Reader,
    shape::{Key, Kind, Shape, key},
    syntax,
};

static GROUPS_KEYS: &[Key] = &[
    key(
        "from",
        Kind::Choice(&["members"]),
        "`items`",
        "`\"members\"`: what `[group.members]` reads says who is in which group. Instead of `items` and `call`; all groups are read once a \
         request.",
        "\"members\"",
    ),
    key(
        "most",
        Kind::Count,
        "100",
        "With `from`: groups at most, 1 to 10000. Where there are more, no user's groups are shown, never some of them.",
        "500",
    ),
    key(
        "items",
        Kind::Path,
        "required, but for `from`",
        "One value or object a group: in the reply of `call`, or without one in the user object.",
        "'$.groups[*]'",
    ),
    ID,
    DISPLAY,
    PAGE_LIKE_LIST,
    ONLY,
    key(
        "is-indirect",
        Kind::Expression,
        "no item is",
        "Holds for groups that have the user only through a group in them: their `type` is `indirect`. The names are as for `only`.",
        "via != null",
    ),
    key(
        "as",
        form::AS_KINDS,
        "a list",
        "In the user object: `\"joined\"` or `{ joined = \";\" }` where the names are one text.",
        "\"joined\"",
    ),
];

/// `[user.groups]`.
pub static GROUPS: Shape = Shape {
    name: "`[user.groups]`",
    about: "How a user's `groups` are read: by a `call` of its own (`{id}` is the user's id, `{old}` the user as read), or from \
            the user object. Absent: they are not shown. Groups that do not exist for the client are left out: what is none of the `fixed`, \
            and what `[group] hide` or `scope` keeps out. Where an item does not have what these conditions name, the list of groups is \
            read for it, once a request; with `only` it is not, and `only` alone decides.",
    keys: GROUPS_KEYS,
    base: Some(&CALL),
    others: None,
};

/// `[user.groups]` of a section.
pub(super) fn groups(section: &Reader<'_>, resource_type: &ResourceType) -> Option<UserGroups> {
    let reader = section.table("groups")?;
    if reader.has("from") {
        return from_members(&reader);
    }
    if !reader.has("items") && !reader.has("call") {
        reader.missing("items");
    }
    let items = items(&reader)?;
    let id = syntax::read_at(&reader, "id");
    let display = syntax::path_at(&reader, "display");
    let only = syntax::expression_at(&reader, "only");
    let is_indirect = syntax::expression_at(&reader, "is-indirect");
    if let (true, Some(entry)) = (reader.has("call"), reader.entry("as")) {
        reader.context.error(
            "mapping::conflicting-keys",
            &entry.place,
            "`as` is about names in the user object, and has no meaning beside `call`.".to_owned(),
            "leave it out",
        );
    }
    if !reader.has("call") {
        return Some(UserGroups::Field {
            items,
            form: form::list_form(&reader),
            id,
            display,
            only,
            is_indirect,
        });
    }
    Some(UserGroups::Call {
        call: Box::new(call::from_table(&reader, Some(resource_type))?),
        items,
        id,
        display,
        page: Box::new(page::page(&reader, Some(section))),
        only,
        is_indirect,
    })
}

/// `[user.groups]` with `from`.
fn from_members(reader: &Reader<'_>) -> Option<UserGroups> {
    reader.choice("from", &[("members", ())])?;
    let others = GROUPS_KEYS.iter().chain(CALL.keys).map(|key| key.name);
    let besides = others.filter(|name| !["from", "most"].contains(name));
    for entry in besides.filter_map(|name| reader.entry(name)) {
        reader.context.error(
            "mapping::conflicting-keys",
            &entry.place,
            format!("`{}` has no meaning beside `from`.", entry.key),
            "leave out one of the two",
        );
    }
    let most = reader.count("most", 1, MOST_GROUPS_EVER);
    let most = most.and_then(|most| usize::try_from(most).ok());
    Some(UserGroups::Members {
        most: most.unwrap_or(MOST_GROUPS),
    })
}

/// Finds out where `from = "members"` leads: users' own lists, where these say who is in a group, or the groups.
pub(super) fn settle(root: &Reader<'_>, types: &mut [TypeMapping]) {
    let members = types.iter().find_map(|t| t.members.as_ref());
    let has_members = members.is_some();
    let on_users = members.and_then(|members| in_the_user(members.on_user.as_ref()?));
    let from_members = |t: &&mut TypeMapping| matches!(t.groups, Some(UserGroups::Members { .. }));
    let Some(users) = types.iter_mut().find(from_members) else {
        return;
    };
    if on_users.is_some() {
        users.groups = on_users;
    }
    if !has_members && !root.context.is_broken() {
        root.context.error(
            "mapping::members-incomplete",
            root.place,
            "A user's groups are to be read from the groups, and their members are not read."
                .to_owned(),
            "add `[group.members]`, or leave out `[user.groups]`",
        );
    }
}

fn in_the_user(on_user: &MemberOnUser) -> Option<UserGroups> {
    Some(UserGroups::Field {
        items: JsonPath::parse(&format!("$.{}", on_user.place)).ok()?,
        form: on_user.form.clone(),
        id: on_user.id.clone().map(Read::Path),
        display: None,
        only: None,
        is_indirect: None,
    })
}

/// Groups whose members are read for a user's `groups`, unless the mapping says otherwise.
const MOST_GROUPS: usize = 100;

/// More would make one answer a large part of an hour.
const MOST_GROUPS_EVER: u64 = 10_000;
