//! `[group.members]`.

use crate::{
    mapping::{
        model::{MemberCall, MemberField, MemberRead, Members},
        path::JsonPath,
    },
    scim::ResourceType,
};

use super::{
    call::{self, CALL},
    list::PAGE_LIKE_LIST,
    on_user::{ON_USER, on_user},
    operation, page,
    reader::Reader,
    shape::{Key, Kind, Shape, key},
    syntax,
    tree::Node,
};

const ITEMS: Key = key(
    "items",
    Kind::Path,
    "the whole reply",
    "One value or object a member.",
    "'$.group.users[*]'",
);
pub(super) const DISPLAY: Key = key(
    "display",
    Kind::Path,
    "none",
    "The display name within an item.",
    "'$.name'",
);
pub(super) const ID: Key = key(
    "id",
    Kind::OneOf(&[Kind::Path, Kind::Template]),
    "the item itself",
    "The id within an item: a path, or a template over the item's members (`value` is the item itself).",
    "'$.id'",
);
pub(super) const ONLY: Key = key(
    "only",
    Kind::Expression,
    "all",
    "Only items for which this holds; the names are the item's members, `value` is the item itself.",
    "'value not in [\"*\", \"user\"]'",
);
const IS_GROUP: Key = key(
    "is-group",
    Kind::Expression,
    "no item is",
    "Holds for items that are groups, where `types` has both: nested groups. The names are as for `only`.",
    "kind == 'group'",
);

static READ_KEYS: &[Key] = &[
    ITEMS,
    ID,
    DISPLAY,
    PAGE_LIKE_LIST,
    ONLY,
    IS_GROUP,
    key(
        "before-add",
        Kind::Flag,
        "false",
        "Reads the members before adding, for applications that would list a member twice.",
        "true",
    ),
];

static READ: Shape = Shape {
    name: "`[group.members.read]`",
    about: "Reads the members of a group; `{group}` is its id, `{old}` the group as read.",
    keys: READ_KEYS,
    base: Some(&CALL),
    others: None,
};

static CHANGE_KEYS: &[Key] = &[
    key(
        "batch",
        Kind::Count,
        "one (`{member}`)",
        "The most members in one call (`{members}`), 1 to 10000.",
        "100",
    ),
    key(
        "element",
        Kind::Tree,
        "the bare id",
        "What each of `{members}` is; in it `{member}` is one member's id and `{type}` is `User` or `Group`.",
        "{ type = \"users\", id = \"{member}\" }",
    ),
    key(
        "steps",
        Kind::Many(&call::CALL_KIND),
        "the one call",
        "Several calls, in order, where a membership has an id of its own: a later one can use what an earlier one took. Beside them stand `batch` and `element` alone: the keys of a call are said in the step that they are about.",
        "[{ call = \"GET /members?user={member}\", take = { row = '$[0].id' } }, \"DELETE /members/{row}\"]",
    ),
];

static CHANGE: Shape = Shape {
    name: "a change of members",
    about: "Adds, removes or sets members. `{group}` is the group's id, `{member}` one member, `{members}` a list; `{type}` is `User` \
            or `Group`, what all of the call's members are (absent where `replace` sets both).",
    keys: CHANGE_KEYS,
    base: Some(&CALL),
    others: None,
};

static FIELD: Shape = Shape {
    name: "`[group.members.field]`",
    about: "The list of members in the group object itself. A text `'user_ids'` stands for `{ field = 'user_ids' }`.",
    keys: &[
        key("field", Kind::Place, "required", "The list.", "'user_ids'"),
        key(
            "groups",
            Kind::Place,
            "they are among the others",
            "The list of nested groups, where they have one of their own; `id` and `element` hold for both.",
            "'subgroup_ids'",
        ),
        key(
            "id",
            Kind::Path,
            "the element itself",
            "The member's id within an element.",
            "'$.user.id'",
        ),
        IS_GROUP,
        key(
            "element",
            Kind::Tree,
            "the bare id",
            "An element as written; `{member}` is the id, `{type}` is `User` or `Group`.",
            "{ user = { id = \"{member}\" } }",
        ),
    ],
    base: None,
    others: None,
};

const CHANGE_KIND: Kind = Kind::OneOf(&[Kind::CallLine, Kind::Table(&CHANGE)]);

/// `[group.members]`.
pub static MEMBERS: Shape = Shape {
    name: "`[group.members]`",
    about: "How members of a group are read and changed. Give `read` with `add` and `remove`, or `read` with `replace`, \
            or `field`, or `on-user`, alone or with calls.",
    keys: &[
        key(
            "read",
            Kind::OneOf(&[Kind::CallLine, Kind::Table(&READ)]),
            "`field` or `on-user` says it",
            "Reads the members.",
            "",
        ),
        key(
            "add",
            CHANGE_KIND,
            "`replace` is used",
            "Adds members.",
            "{ call = \"POST /groups/{group}/users\", body = { user_id = \"{member}\" } }",
        ),
        key(
            "remove",
            CHANGE_KIND,
            "`replace` is used",
            "Removes members.",
            "\"DELETE /groups/{group}/users/{member}\"",
        ),
        key(
            "replace",
            CHANGE_KIND,
            "`add` and `remove` are used",
            "Sets the whole list.",
            "{ call = \"PUT /groups/{group}/users\", body = { ids = \"{members}\" }, batch = 10000 }",
        ),
        key(
            "field",
            Kind::OneOf(&[Kind::Place, Kind::Table(&FIELD)]),
            "",
            "The list in the group object itself: read there, written by the group's create and update.",
            "'user_ids'",
        ),
        key(
            "on-user",
            Kind::Table(&ON_USER),
            "",
            "The list of groups in the user object: read there, and written by the user's update unless there are calls to change members.",
            "{ field = 'roles' }",
        ),
        key(
            "name",
            Kind::Template,
            "its id",
            "How a member is named to the application; the names are the user object's members.",
            "\"{login}\"",
        ),
        key(
            "types",
            Kind::Many(&Kind::Choice(&["User", "Group"])),
            "[\"User\"]",
            "What members may be.",
            "[\"User\", \"Group\"]",
        ),
        key(
            "unknown",
            Kind::Choice(&["looked-up", "refused"]),
            "\"looked-up\"",
            "Who finds out that a member to be added does not exist: the gateway, by reading whoever it has no record of, or the application, which refuses such a member itself.",
            "\"refused\"",
        ),
        key(
            "get-first",
            Kind::Flag,
            "false",
            "Reads the group before a change of its members; a missing one is answered 404. For applications whose member calls succeed for any group.",
            "true",
        ),
    ],
    base: None,
    others: None,
};

/// `[group.members]` of a section.
pub(super) fn members(section: &Reader<'_>, resource_type: &ResourceType) -> Option<Members> {
    let reader = section.table("members")?;
    let members = Members {
        name: syntax::template_at(&reader, "name"),
        read: read(section, &reader, resource_type),
        field: field(&reader),
        add: change(&reader, "add", resource_type),
        remove: change(&reader, "remove", resource_type),
        replace: change(&reader, "replace", resource_type),
        on_user: on_user(&reader, has_calls(&reader)),
        types: types(&reader),
        refuses_unknown: reader
            .choice("unknown", &[("looked-up", false), ("refused", true)])
            .unwrap_or(false),
        gets_first: reader.flag("get-first").unwrap_or(false),
    };
    complain_about_gaps(&reader);
    complain_about_unwritten(&reader);
    Some(members)
}

fn read(
    section: &Reader<'_>,
    reader: &Reader<'_>,
    resource_type: &ResourceType,
) -> Option<MemberRead> {
    let node = reader.node("read")?;
    if node.as_text().is_some() {
        return Some(MemberRead {
            call: call::call(reader.context, node, Some(resource_type))?,
            items: call::root_path()?,
            id: None,
            display: None,
            page: crate::mapping::model::Paging::default(),
            only: None,
            is_group: None,
            is_read_before_add: false,
        });
    }
    let read = reader.table("read")?;
    Some(MemberRead {
        call: call::from_table(&read, Some(resource_type))?,
        items: items(&read)?,
        id: syntax::read_at(&read, "id"),
        display: syntax::path_at(&read, "display"),
        page: page::page(&read, Some(section)),
        only: syntax::expression_at(&read, "only"),
        is_group: syntax::expression_at(&read, "is-group"),
        is_read_before_add: read.flag("before-add").unwrap_or(false),
    })
}

pub(super) fn items(reader: &Reader<'_>) -> Option<JsonPath> {
    match reader.node("items") {
        Some(node) => syntax::path(reader.context, node),
        None => call::root_path(),
    }
}

fn change(reader: &Reader<'_>, key: &str, resource_type: &ResourceType) -> Option<MemberCall> {
    let node = reader.node(key)?;
    if node.as_text().is_some() {
        let call = call::call(reader.context, node, Some(resource_type))?;
        return Some(MemberCall {
            before: Vec::new(),
            call,
            batch: None,
            element: None,
        });
    }
    let change = reader.table(key)?;
    let mut before = operation::steps(&change, resource_type)?;
    let call = before.pop()?;
    let batch = change
        .count("batch", 1, 10_000)
        .and_then(|batch| usize::try_from(batch).ok());
    Some(MemberCall {
        before,
        call,
        batch,
        element: change
            .node("element")
            .and_then(|node| syntax::tree(reader.context, node)),
    })
}

fn field(reader: &Reader<'_>) -> Option<MemberField> {
    let node = reader.node("field")?;
    if node.as_text().is_some() {
        let place = syntax::place(reader.context, node)?;
        return Some(MemberField {
            place,
            groups: None,
            id: None,
            is_group: None,
            element: None,
            at: node.place.clone(),
        });
    }
    let field = reader.table("field")?;
    Some(MemberField {
        place: required_place(&field)?,
        groups: syntax::place_at(&field, "groups"),
        id: syntax::path_at(&field, "id"),
        is_group: syntax::expression_at(&field, "is-group"),
        at: node.place.clone(),
        element: field
            .node("element")
            .and_then(|node| syntax::tree(reader.context, node)),
    })
}

fn has_calls(reader: &Reader<'_>) -> bool {
    CALLS
        .iter()
        .any(|key| reader.has(key) || reader.is_misspelt(key))
}

/// What changes members by calls of their own.
const CALLS: [&str; 3] = ["add", "remove", "replace"];

pub(super) fn required_place(reader: &Reader<'_>) -> Option<crate::mapping::path::FieldPlace> {
    if !reader.has("field") {
        reader.missing("field");
    }
    syntax::place_at(reader, "field")
}

fn types(reader: &Reader<'_>) -> Vec<String> {
    if !reader.has("types") {
        return vec!["User".to_owned()];
    }
    let texts: Vec<(&Node, String)> = reader.texts("types");
    for (node, text) in &texts {
        if !["User", "Group"].contains(&text.as_str()) {
            reader.unknown_word("types", node, text, &["User", "Group"]);
        }
    }
    texts.into_iter().map(|(_, text)| text).collect()
}

/// What says how users' lists are written, where calls change members and nothing else writes the lists.
fn complain_about_unwritten(reader: &Reader<'_>) {
    let Some(on_user) = reader.table("on-user").filter(|_| has_calls(reader)) else {
        return;
    };
    for key in ["element", "default", "single"] {
        if let Some(node) = on_user.node(key) {
            reader.context.error(
                "mapping::conflicting-keys",
                &node.place,
                format!("`{key}` is about writing the user's list, and calls (`add`, `remove`, `replace`) change the members."),
                "leave it out; or leave out the calls, if the user's update is to write the list",
            );
        }
    }
}

/// Members that could be changed but not read, or read but only half changed.
fn complain_about_gaps(reader: &Reader<'_>) {
    let complain = |sentence: &str, mending: &str| {
        reader.context.gap(
            "mapping::members-incomplete",
            reader.place,
            sentence.to_owned(),
            mending,
        );
    };
    let has = |key| reader.has(key) || reader.is_misspelt(key);
    if has("field") {
        return;
    }
    if !has("read") && !has("on-user") {
        complain(
            "Members cannot be read: `group.members` has no `read`, `field` or `on-user`.",
            "add `read = { call = \"GET /groups/{group}\", items = '$.members[*].id' }`",
        );
        return;
    }
    match (has("add"), has("remove"), has("replace")) {
        (true, false, false) => complain(
            "Members can be added but not removed.",
            "add `remove` or `replace`",
        ),
        (false, true, false) => complain(
            "Members can be removed but not added.",
            "add `add` or `replace`",
        ),
        _ => {}
    }
}
