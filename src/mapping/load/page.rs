//! How a list is read on.

use crate::mapping::model::{Mark, PageSize, PageStyle, Paging, Total};

use super::{
    call::{self, CALL, CALL_KIND},
    list::LIST,
    reader::Reader,
    shape::{Key, Kind, Shape, key},
    syntax,
    tree::{Content, Entry, Node, Table},
};

static SIZE: Shape = Shape {
    name: "a page's `size`",
    about: "How many objects a page has: the parameter for it, and the most the application gives.",
    keys: &[
        key(
            "parameter",
            Kind::Text,
            "none: the call names `{page.size}`",
            "The query parameter; `'$.…'` is a place in the call's body.",
            "\"limit\"",
        ),
        key(
            "most",
            Kind::Count,
            "100",
            "The most the application gives in one page, 1 to 10000.",
            "100",
        ),
    ],
    base: None,
    others: None,
};

static TOTAL: Shape = Shape {
    name: "a page's `total`",
    about: "Where the number of all objects is; a text is a path in the body. With `call` it is in the reply of that call, and the keys \
            of a call are that call's.",
    keys: &[
        key(
            "body",
            Kind::OneOf(&[Kind::Path, Kind::Tree]),
            "",
            "A place in the list's reply; with `call`, that call's body as data.",
            "'$.total_count'",
        ),
        key("header", Kind::Text, "", "A header.", "\"X-Total\""),
        key(
            "call",
            CALL_KIND,
            "",
            "A call of its own; `path` says where in its reply.",
            "\"GET /users/count\"",
        ),
        key(
            "path",
            Kind::Path,
            "the whole reply",
            "Where in the reply of `call`.",
            "'$.result'",
        ),
    ],
    base: Some(&CALL),
    others: None,
};

const SIZE_KIND: Kind = Kind::OneOf(&[Kind::Text, Kind::Table(&SIZE)]);
const TOTAL_KIND: Kind = Kind::OneOf(&[Kind::Path, Kind::Table(&TOTAL)]);
const SIZE_KEY: Key = key(
    "size",
    SIZE_KIND,
    "the application decides",
    "The parameter for a page's size.",
    "{ parameter = \"limit\", most = 100 }",
);
const TOTAL_KEY: Key = key(
    "total",
    TOTAL_KIND,
    "counted by reading on",
    "Where the number of all objects is.",
    "'$.total_count'",
);

const MORE_KEY: Key = key(
    "more",
    Kind::Expression,
    "the style alone knows where the list ends",
    "Holds for the reply of every page but the last; the names are as in a rule's `when`.",
    "'has_more'",
);

static MARK: Shape = Shape {
    name: "a page's `next`",
    about: "Where the reply says what the next page is; a text is a path in the body.",
    keys: &[key(
        "header",
        Kind::Text,
        "required",
        "A header's whole value.",
        "\"X-Next-Page\"",
    )],
    base: None,
    others: None,
};

const MARK_KIND: Kind = Kind::OneOf(&[Kind::Path, Kind::Table(&MARK)]);

static OFFSET: Shape = Shape {
    name: "`[….page.offset]`",
    about: "A parameter says how many objects to leave out.",
    keys: &[
        key(
            "start",
            Kind::Text,
            "none: the call names `{page.offset}`",
            "The parameter for the first object's index; `'$.…'` is a place in the call's body.",
            "\"offset\"",
        ),
        key(
            "first",
            Kind::Count,
            "0",
            "The index of the very first object: 0 or 1.",
            "1",
        ),
        SIZE_KEY,
        TOTAL_KEY,
        MORE_KEY,
    ],
    base: None,
    others: None,
};

static NUMBER: Shape = Shape {
    name: "`[….page.number]`",
    about: "A parameter says which page.",
    keys: &[
        key(
            "number",
            Kind::Text,
            "none: the call names `{page.number}`",
            "The parameter for the page's number; `'$.…'` is a place in the call's body.",
            "\"page\"",
        ),
        key(
            "first",
            Kind::Count,
            "1",
            "The number of the very first page: 0 or 1.",
            "0",
        ),
        SIZE_KEY,
        TOTAL_KEY,
        MORE_KEY,
    ],
    base: None,
    others: None,
};

static CURSOR: Shape = Shape {
    name: "`[….page.cursor]`",
    about: "The reply holds a value that asks for the next page.",
    keys: &[
        key(
            "parameter",
            Kind::Text,
            "none: the call names `{page.cursor}`",
            "The parameter the value is sent in; `'$.…'` is a place in the call's body.",
            "\"cursor\"",
        ),
        key(
            "next",
            MARK_KIND,
            "required",
            "Where the value is; absent, null or `\"\"` there: no more pages.",
            "'$.next_token'",
        ),
        key(
            "call",
            CALL_KIND,
            "the list's own call",
            "The call for every page but the first, where it is another one.",
            "{ call = \"POST /members/continue\", body = { cursor = \"{page.cursor}\" } }",
        ),
        SIZE_KEY,
        TOTAL_KEY,
        MORE_KEY,
    ],
    base: None,
    others: None,
};

static CONTINUE: Shape = Shape {
    name: "`[….page.continue]`",
    about: "The reply holds an object whose members are sent back as parameters.",
    keys: &[
        key(
            "from",
            Kind::Path,
            "required",
            "Where the object is; absent there: no more pages.",
            "'$.continue'",
        ),
        SIZE_KEY,
        TOTAL_KEY,
        MORE_KEY,
    ],
    base: None,
    others: None,
};

static NEXT_URL: Shape = Shape {
    name: "`[….page.next-url]`",
    about: "The reply holds the next page's URL, of the same origin.",
    keys: &[
        key(
            "next",
            MARK_KIND,
            "required",
            "Where the URL is; absent or null there: no more pages.",
            "'$.links.next'",
        ),
        SIZE_KEY,
        TOTAL_KEY,
        MORE_KEY,
    ],
    base: None,
    others: None,
};

static LINK: Shape = Shape {
    name: "`[….page.link]`",
    about: "The header `Link` names the next page with `rel=\"next\"` (RFC 8288).",
    keys: &[SIZE_KEY, TOTAL_KEY, MORE_KEY],
    base: None,
    others: None,
};

static LIMIT: Shape = Shape {
    name: "`[….page.limit]`",
    about: "Only the first so many can be had; more than that is an error, never a short list.",
    keys: &[
        key(
            "size",
            SIZE_KIND,
            "required",
            "The most that one reply holds (`most`), and the parameter that asks for so many, if there is one.",
            "{ most = 100 }",
        ),
        TOTAL_KEY,
        MORE_KEY,
    ],
    base: None,
    others: None,
};

/// A choice of one.
pub(super) static PAGE: Shape = Shape {
    name: "`[….page]`",
    about: "How a list is read on: one of these. Absent: one reply holds all.",
    keys: &[
        key(
            "offset",
            Kind::Table(&OFFSET),
            "",
            "Leave out so many objects.",
            "",
        ),
        key("number", Kind::Table(&NUMBER), "", "Page so and so.", ""),
        key(
            "cursor",
            Kind::Table(&CURSOR),
            "",
            "A value in the reply.",
            "",
        ),
        key(
            "continue",
            Kind::Table(&CONTINUE),
            "",
            "Several values in the reply.",
            "",
        ),
        key(
            "next-url",
            Kind::Table(&NEXT_URL),
            "",
            "A URL in the reply.",
            "",
        ),
        key(
            "link",
            Kind::Table(&LINK),
            "",
            "A URL in the header `Link`.",
            "",
        ),
        key("limit", Kind::Table(&LIMIT), "", "No second page.", ""),
    ],
    base: None,
    others: None,
};

/// The page style under `page`. `section` is where `page = "list"` finds the list that it means.
pub(super) fn page(reader: &Reader<'_>, section: Option<&Reader<'_>>) -> Paging {
    if let Some((node, text)) = reader.node("page").and_then(|n| Some((n, n.as_text()?))) {
        return match section.filter(|section| text == "list" && section.has("list")) {
            Some(section) => of_list(section, 0),
            None => {
                complain_about_name(reader, node, text, section.is_some());
                Paging::default()
            }
        };
    }
    if let Some(flat) = reader.node("page").and_then(Node::as_table).and_then(flat) {
        let name = format!("{}.{}", reader.table.full_name("page"), flat.key);
        reader.context.error(
            "mapping::wrong-type",
            &flat.place,
            format!("`{name}` is a table of its own, the page style."),
            &format!(
                "put its keys below `[{name}]`: `{} = …`",
                first_key(&flat.key)
            ),
        );
        return Paging::default();
    }
    let Some(page) = reader.table("page") else {
        return Paging::default();
    };
    if let Some(second) = page.second() {
        page.context.error(
            "mapping::conflicting-keys",
            &second.place,
            format!("`{}` has more than one page style.", page.table.name),
            "keep one of them",
        );
    }
    style(&page).unwrap_or_default()
}

/// The page style of a section's list at this position, read again.
pub(super) fn of_list(section: &Reader<'_>, position: usize) -> Paging {
    list_at(section, position, |list| page(list, None)).unwrap_or_default()
}

/// What is read of a section's list at this position, once more; absent if it is a call alone.
pub(super) fn list_at<T>(
    section: &Reader<'_>,
    position: usize,
    read: impl FnOnce(&Reader<'_>) -> T,
) -> Option<T> {
    let node = section.node("list").and_then(|node| match &node.content {
        Content::List(items) => items.get(position),
        _ => Some(node),
    });
    let node = node.filter(|node| node.as_table().is_some())?;
    section
        .context
        .muted(|| Reader::new(section.context, node, &LIST).map(|list| read(&list)))
}

/// `page` is a text that names no list.
fn complain_about_name(reader: &Reader<'_>, node: &Node, text: &str, has_section: bool) {
    if text != "list" {
        reader.wrong_type("page", node);
        return;
    }
    let name = reader.table.full_name("page");
    let sentence = match has_section {
        true => format!("`{name}` is the list's, and there is no `list` in this section."),
        false => format!("`{name}` cannot be the list's: there is no other list here."),
    };
    let mending = "say how to read on in a table of its own: `[….page.offset]`";
    let context = reader.context;
    context.error("mapping::unknown-value", &node.place, sentence, mending);
}

/// A page style that was written as a value.
fn flat(page: &Table) -> Option<&Entry> {
    let is_style = |entry: &&Entry| PAGE.key(&entry.key).is_some();
    let mut styles = page.entries.iter().filter(is_style);
    styles.find(|entry| entry.node.as_text().is_some())
}

/// The first key of a page style's table.
fn first_key(style: &str) -> &'static str {
    let shape = PAGE.key(style).and_then(|key| match key.kind {
        Kind::Table(shape) => Some(shape),
        _ => None,
    });
    shape
        .and_then(|shape| shape.keys.first())
        .map_or("size", |key| key.name)
}

fn style(page: &Reader<'_>) -> Option<Paging> {
    let entry = page
        .table
        .entries
        .iter()
        .find(|entry| PAGE.key(&entry.key).is_some())?;
    let table = page.table(&entry.key)?;
    let size = size(&table);
    let style = match entry.key.as_str() {
        "offset" => PageStyle::Offset {
            start: parameter(&table, "start"),
            first: table.count("first", 0, 1).unwrap_or(0),
        },
        "number" => PageStyle::Number {
            number: parameter(&table, "number"),
            first: table.count("first", 0, 1).unwrap_or(1),
        },
        "cursor" => PageStyle::Cursor {
            next: mark(&table)?,
            parameter: parameter(&table, "parameter"),
        },
        "continue" => PageStyle::Continue {
            from: required_path(&table, "from")?,
        },
        "next-url" => PageStyle::NextUrl {
            next: mark(&table)?,
        },
        "link" => PageStyle::Link,
        _ => {
            if !table.has("size") {
                table.missing("size");
            }
            size.as_ref()?;
            PageStyle::Limit
        }
    };
    let following = match style {
        PageStyle::Cursor { .. } => table.node("call"),
        _ => None,
    };
    let following = following.and_then(|node| call::call(table.context, node, None));
    Some(Paging {
        style,
        size,
        total: total(&table),
        more: syntax::expression_at(&table, "more"),
        following: following.map(Box::new),
    })
}

/// Where the reply says what the next page is.
fn mark(reader: &Reader<'_>) -> Option<Mark> {
    match reader.node("next") {
        Some(node) if node.as_table().is_some() => {
            let mark = reader.table("next")?;
            if !mark.has("header") {
                mark.missing("header");
            }
            mark.text("header").map(Mark::Header)
        }
        _ => required_path(reader, "next").map(Mark::Body),
    }
}

fn required_path(reader: &Reader<'_>, key: &str) -> Option<crate::mapping::path::JsonPath> {
    if !reader.has(key) {
        reader.missing(key);
    }
    syntax::path_at(reader, key)
}

/// A parameter of the query; absent: none, the call itself names what would be in it. Or, if it begins with `$`, a place in the body, which must be a definite one.
fn parameter(reader: &Reader<'_>, key: &str) -> Option<String> {
    let text = reader.text(key)?;
    if text.starts_with('$') {
        syntax::place_at(reader, key)?;
    }
    Some(text)
}

fn size(reader: &Reader<'_>) -> Option<PageSize> {
    let node = reader.node("size")?;
    if node.as_text().is_some() {
        return Some(PageSize {
            parameter: Some(parameter(reader, "size")?),
            most: 100,
        });
    }
    let size = reader.table("size")?;
    let most = size.count("most", 1, 10_000).unwrap_or(100);
    Some(PageSize {
        parameter: parameter(&size, "parameter"),
        most,
    })
}

fn total(reader: &Reader<'_>) -> Option<Total> {
    let node = reader.node("total")?;
    if let Some(text) = node.as_text() {
        if text.len() > 2
            && text
                .get(..2)
                .is_some_and(|start| start.eq_ignore_ascii_case("x-"))
        {
            reader.context.error(
                "mapping::bad-path",
                &node.place,
                format!("`{text}` looks like a header, and a text is a path in the body."),
                &format!("`{{ header = \"{text}\" }}`"),
            );
            return None;
        }
        return syntax::path(reader.context, node).map(Total::Body);
    }
    let total = reader.table("total")?;
    if let Some(header) = total.text("header") {
        return Some(Total::Header(header));
    }
    if let Some(call_node) = total.node("call") {
        return total_call(&total, call_node);
    }
    if !total.has("body") {
        total.missing("body");
    }
    syntax::path_at(&total, "body").map(Total::Body)
}

fn total_call(total: &Reader<'_>, call_node: &Node) -> Option<Total> {
    // The keys of the call beside it, or in a table of its own.
    let call = match call_node.as_text() {
        Some(_) => call::from_table(total, None)?,
        None => call::call(total.context, call_node, None)?,
    };
    let path = match total.node("path") {
        Some(node) => syntax::path(total.context, node)?,
        None => call::root_path()?,
    };
    Some(Total::Call(Box::new(call), path))
}
