//! Lists and finds.

use crate::{
    mapping::{
        model::{Find, ListOperation, Paging, Rows},
        path::FieldPlace,
        template::{SPREAD, Tree},
    },
    scim::{CompareOp, ResourceType},
};

use super::{
    call::{self, CALL},
    context::Context,
    operation,
    page::{self, PAGE},
    reader::Reader,
    shape::{Key, Kind, Shape, key, one_of},
    syntax,
    tree::{Content, Node},
};

pub(super) const ITEMS: Key = key(
    "items",
    Kind::Path,
    "the whole reply",
    "Where the objects are in the reply; absent there: none.",
    "'$.users[*]'",
);
const ROWS: Key = key(
    "rows",
    Kind::Choice(&["complete", "reference"]),
    "\"complete\"",
    "What an item is: the whole object, or a reference that is read by itself when more than its id is asked for.",
    "\"reference\"",
);
const LACKS: Key = key(
    "lacks",
    Kind::Many(&Kind::Attribute),
    "nothing",
    "Attributes that the items lack; the object is read by itself only when one of them is asked for.",
    "[\"active\"]",
);
pub(super) const PAGE_KEY: Key = key(
    "page",
    Kind::Table(&PAGE),
    "one reply holds all",
    "How to read on.",
    "",
);
/// Of what belongs to a section that has a list.
pub(super) const PAGE_LIKE_LIST: Key = key(
    "page",
    PAGE_OR_LIST,
    "one reply holds all",
    "How to read on; `\"list\"`: as the section's list is read on; `false`: one reply holds all.",
    "\"list\"",
);
const PAGE_OR_LIST: Kind = Kind::OneOf(&[Kind::Choice(&["list"]), Kind::False, Kind::Table(&PAGE)]);

const SET: Key = key(
    "set",
    Kind::Named(&Kind::Tree),
    "none",
    "Fields put into each item, as data with templates; the names are the item's members, `value` is the item itself. What has no \
     value is left out; `\"{null}\"` is null; `\"...\"` stands for the members of another object.",
    "{ status = 1, created = '{since | date(\"%Y-%m-%dT%H:%M:%SZ\")}' }",
);

static LIST_KEYS: &[Key] = &[
    ITEMS,
    key(
        "keyed-by",
        Kind::Text,
        "items are in a list",
        "Items are members of an object, their names the keys: the name becomes this member of the item.",
        "\"id\"",
    ),
    PAGE_KEY,
    ROWS,
    LACKS,
    SET,
];

/// `[….list]`.
pub(super) static LIST: Shape = Shape {
    name: "`[….list]`",
    about: "Reads all objects of a type. Several (`[[….list]]`) are put together in order.",
    keys: LIST_KEYS,
    base: Some(&CALL),
    others: None,
};

static FIND_KEYS: &[Key] = &[
    key(
        "steps",
        Kind::Many(&call::CALL_KIND),
        "the one call",
        "Several calls, in order; the last one answers the filter. One before it that is answered \"not found\" ends it: nothing is found. A later one can use what an earlier one took.",
        "[{ call = \"POST /check\", body = { user = \"{value}\" } }, \"GET /users/{value}\"]",
    ),
    key(
        "filter",
        Kind::Text,
        "required",
        "The attribute and operator this call answers: eq, ne, co, sw, ew, gt, ge, lt or le.",
        "\"userName eq\"",
    ),
    key(
        "items",
        Kind::Path,
        "the list's, if the call has the list's path; else the reply is the one object",
        "Where the found objects are.",
        "'$.users[*]'",
    ),
    key(
        "page",
        PAGE_OR_LIST,
        "the list's, if the call has the list's path; else one reply holds all",
        "How to read on; `\"list\"`: as the section's list is read on; `false`: one reply holds all.",
        "false",
    ),
    key(
        "id",
        call::SOURCE_KIND,
        "found objects hold their ids",
        "The id of what is found, where the reply does not hold it as the section's `id` says: a place in the reply, or a template. `\"{value}\"` \
         where the reply says no more than yes. It is put into the one object that is found; if there is none, it is the row.",
        "\"{value}\"",
    ),
    key(
        "rows",
        Kind::Choice(&["complete", "reference"]),
        "\"reference\" beside `id`; the list's, if the call has the list's path; else \"complete\"",
        "What an item is.",
        "\"reference\"",
    ),
    LACKS,
    key(
        "else",
        Kind::Choice(&["list"]),
        "nothing is found then",
        "Where to look when the call finds nothing that fits, for a search that may not know all: `list` reads the whole list.",
        "\"list\"",
    ),
    key(
        "set",
        Kind::Named(&Kind::Tree),
        "the list's, if the call has the list's path",
        "Fields put into each item, as in the list.",
        "{ status = 1 }",
    ),
];

/// `[[….find]]`.
pub(super) static FIND: Shape = Shape {
    name: "`[[….find]]`",
    about: "A filter that the application can answer; `{value}` is what is compared with, as the attribute's line would write it. What comes back is always \
            checked again by SCIM's rules, so an answer with too many objects does no harm, and one with too few does.",
    keys: FIND_KEYS,
    base: Some(&CALL),
    others: None,
};

/// The lists of a section.
pub(super) fn lists(
    reader: &Reader<'_>,
    section: &str,
    resource_type: &ResourceType,
) -> Vec<ListOperation> {
    let Some(node) = reader.node("list") else {
        return Vec::new();
    };
    let items: Vec<&Node> = match &node.content {
        Content::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    items
        .into_iter()
        .filter(|item| !item.is_false())
        .filter_map(|item| list(reader.context, item, section, resource_type))
        .collect()
}

fn list(
    context: &Context<'_>,
    node: &Node,
    section: &str,
    resource_type: &ResourceType,
) -> Option<ListOperation> {
    let name = format!("{section}.list");
    if node.as_text().is_some() {
        return Some(ListOperation {
            name,
            call: call::call(context, node, Some(resource_type))?,
            items: call::root_path()?,
            keyed_by: None,
            page: Paging::default(),
            set: Vec::new(),
            rows: Rows::Complete,
        });
    }
    let reader = Reader::new(context, node, &LIST)?;
    let call = call::from_table(&reader, Some(resource_type));
    let items = match reader.node("items") {
        Some(node) => syntax::path(context, node),
        None => call::root_path(),
    };
    let page = page::page(&reader, None);
    let set = set(&reader);
    let rows = rows(&reader, resource_type);
    Some(ListOperation {
        name,
        call: call?,
        items: items?,
        keyed_by: reader.text("keyed-by"),
        page,
        set,
        rows,
    })
}

/// Fields that are put into each row, in the order of the file; `"..."` stands for the members of another object, and a key with
/// `{…}` for the member of that name.
pub(super) fn set(reader: &Reader<'_>) -> Vec<(FieldPlace, Tree)> {
    let context = reader.context;
    let entries = reader.named("set").iter();
    entries
        .filter_map(|entry| {
            let tree = syntax::tree(context, &entry.node)?;
            if entry.key == SPREAD || entry.key.contains('{') {
                let members = Tree::Object(vec![(syntax::member_name(context, entry)?, tree)]);
                return Some((FieldPlace::parse("").ok()?, members));
            }
            Some((syntax::place(context, &entry.as_node())?, tree))
        })
        .collect()
}

fn rows(reader: &Reader<'_>, resource_type: &ResourceType) -> Rows {
    let lacks = syntax::attributes(reader, "lacks", resource_type);
    let rows = reader.choice("rows", &[("complete", false), ("reference", true)]);
    match rows {
        Some(true) => Rows::Reference,
        _ if !lacks.is_empty() => Rows::Lacking(lacks),
        _ => Rows::Complete,
    }
}

/// The finds of a section. One whose path is the list's takes over what it does not say itself.
pub(super) fn finds(
    reader: &Reader<'_>,
    section: &str,
    resource_type: &ResourceType,
    lists: &[ListOperation],
) -> Vec<Find> {
    reader
        .tables("find")
        .iter()
        .filter_map(|find| self::find(find, reader, section, resource_type, lists))
        .collect()
}

fn find(
    reader: &Reader<'_>,
    around: &Reader<'_>,
    section: &str,
    resource_type: &ResourceType,
    lists: &[ListOperation],
) -> Option<Find> {
    if !reader.has("filter") {
        reader.missing("filter");
    }
    let filter = filter(reader, resource_type);
    let mut before = operation::steps(reader, resource_type)?;
    let call = before.pop()?;
    let list = lists
        .iter()
        .position(|list| list.call.path.source() == call.path.source());
    let (attribute, operator) = filter?;
    let items = match reader.node("items") {
        Some(node) => Some(syntax::path(reader.context, node)?),
        None => list
            .and_then(|at| lists.get(at))
            .map(|list| list.items.clone()),
    };
    let page = if reader.has("page") {
        page::page(reader, Some(around))
    } else {
        list.map_or_else(Paging::default, |at| page::of_list(around, at))
    };
    let id = reader
        .node("id")
        .and_then(|node| call::source(reader.context, node));
    let rows = if reader.has("rows") || reader.has("lacks") {
        rows(reader, resource_type)
    } else if id.is_some() {
        Rows::Reference
    } else {
        list.and_then(|at| lists.get(at))
            .map_or(Rows::Complete, |list| list.rows.clone())
    };
    let else_list = reader.choice("else", &[("list", true)]).unwrap_or(false);
    if else_list && !around.has("list") {
        around.missing("list");
    }
    let set = match (reader.has("set"), list) {
        (false, Some(at)) => page::list_at(around, at, set),
        _ => Some(set(reader)),
    };
    Some(Find {
        else_list,
        name: format!("{section}.find"),
        attribute,
        operator,
        before,
        call,
        items,
        id,
        page,
        set: set.unwrap_or_default(),
        rows,
    })
}

fn filter(
    reader: &Reader<'_>,
    resource_type: &ResourceType,
) -> Option<(crate::scim::AttributePath, CompareOp)> {
    let (node, text) = reader.raw_text("filter")?;
    let mut words = text.split_whitespace();
    let (Some(path), Some(operator), None) = (words.next(), words.next(), words.next()) else {
        reader.context.error(
            "mapping::bad-filter",
            &node.place,
            format!("`{text}` is not an attribute and an operator."),
            "`userName eq`: the value is `{value}` in the call",
        );
        return None;
    };
    let found = CompareOp::parse(operator);
    if found.is_none() {
        let operators: Vec<&str> = CompareOp::ALL
            .iter()
            .map(|operator| operator.as_str())
            .collect();
        reader.context.error(
            "mapping::bad-filter",
            &reader
                .context
                .within(node, text, text.len() - operator.len()..text.len()),
            format!("`{operator}` is not an operator."),
            &format!("it can be {}", one_of(&operators)),
        );
    }
    Some((
        syntax::attribute(reader.context, node, path, resource_type)?,
        found?,
    ))
}
