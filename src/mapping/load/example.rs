//! `[[example]]`: what `check` runs without a network.

use serde_json::{Map, Value};

use crate::{
    diagnostic::closest,
    mapping::model::{Example, ExampleKind, ExpectedCall},
};

use super::{
    reader::Reader,
    shape::{Kind, Shape, key},
    syntax,
    tree::{Entry, Node},
};

static REQUEST: Shape = Shape {
    name: "an example's `request`",
    about: "A SCIM request.",
    keys: &[
        key(
            "method",
            Kind::Choice(&["POST", "PUT", "PATCH", "DELETE"]),
            "required",
            "Its method.",
            "\"PATCH\"",
        ),
        key(
            "path",
            Kind::Text,
            "required",
            "Its path below the tenant's address.",
            "\"/Users/9\"",
        ),
        key(
            "body",
            Kind::Any,
            "none",
            "Its body. `schemas` may be left out.",
            "{ userName = \"ada\" }",
        ),
    ],
    base: None,
    others: None,
};

static EXPECTED_CALL: Shape = Shape {
    name: "an expected call",
    about: "A call that the request makes.",
    keys: &[
        key(
            "call",
            Kind::Text,
            "required",
            "Method, path and query as sent, without the base URL.",
            "\"PUT /users/9.json\"",
        ),
        key(
            "body",
            Kind::Any,
            "not looked at",
            "The body as data, or a part of it; a JSON text can have null.",
            "{ user = { status = 3 } }",
        ),
    ],
    base: None,
    others: None,
};

/// `[[example]]`.
pub(super) static EXAMPLE: Shape = Shape {
    name: "`[[example]]`",
    about: "Run by `scimgate check` without a network. Three kinds: `reply` with `expect` (what an object reads as), \
            `request` with `calls` (what a request sends), `status` with `expect` (what an error means).",
    keys: &[
        key(
            "title",
            Kind::Text,
            "required",
            "What it shows.",
            "\"a locked user reads as inactive\"",
        ),
        key(
            "section",
            Kind::Text,
            "\"user\"",
            "The section it is about: `user`, `group` or `resource.NAME`.",
            "\"group\"",
        ),
        key(
            "values",
            Kind::Named(&Kind::Named(&Kind::Any)),
            "the tables are empty",
            "What the application has in `[values.NAME]`: by NAME, pairs of SCIM value and the application's.",
            "{ roles = { Editor = 7 } }",
        ),
        key(
            "settings",
            Kind::Named(&Kind::Any),
            "those of `[settings]`",
            "The tenant's settings while the example runs; those it does not name are as in `[settings]`.",
            "{ default_role = 7 }",
        ),
        key(
            "reply",
            Kind::Any,
            "none",
            "A reply of the application, as it comes: as TOML, or as JSON text (TOML has no null).",
            "{ user = { id = 9, login = \"ada\" } }",
        ),
        key(
            "expect",
            Kind::Any,
            "required with `reply` and `status`",
            "The resource, or a part of it; for an error `{ status = 409, scimType = \"uniqueness\" }`.",
            "{ id = \"9\", userName = \"ada\" }",
        ),
        key(
            "request",
            Kind::Table(&REQUEST),
            "",
            "A SCIM request.",
            "{ method = \"DELETE\", path = \"/Users/9\" }",
        ),
        key(
            "stored",
            Kind::Any,
            "none",
            "The object as the application has it before the request: as TOML, or as JSON text.",
            "{ id = 9, login = \"ada\" }",
        ),
        key(
            "calls",
            Kind::Tables(&EXPECTED_CALL),
            "required with `request`",
            "The writing calls that the request makes, in order (reads are left out); texts are calls without a look at the body.",
            "[{ call = \"DELETE /users/9.json\" }]",
        ),
        key(
            "operation",
            Kind::Text,
            "\"create\"",
            "With `status`: the operation whose reply it is.",
            "\"update\"",
        ),
        key(
            "status",
            Kind::Count,
            "",
            "An error's status, 100 to 599.",
            "422",
        ),
    ],
    base: None,
    others: None,
};

/// The examples of the files, which have `settings`.
pub(super) fn examples(root: &Reader<'_>, settings: &Map<String, Value>) -> Vec<Example> {
    let tables = root.tables("example");
    tables
        .iter()
        .filter_map(|table| example(table, settings))
        .collect()
}

fn example(reader: &Reader<'_>, common: &Map<String, Value>) -> Option<Example> {
    let title = reader.required_text("title");
    let settings = settings(reader, common);
    let kind = kind(reader)?;
    Some(Example {
        title: title?,
        section: section(reader)?,
        settings,
        values: values(reader),
        kind,
        place: reader
            .node("title")
            .map_or(reader.place, |node| &node.place)
            .clone(),
    })
}

fn section(reader: &Reader<'_>) -> Option<String> {
    let Some((node, text)) = reader.raw_text("section") else {
        return Some("user".to_owned());
    };
    if ["user", "group"].contains(&text) || text.starts_with("resource.") {
        return Some(text.to_owned());
    }
    reader.unknown_word("section", node, text, &["user", "group", "resource.NAME"]);
    None
}

/// The tenant's settings, and over them the example's own; a name that `[settings]` does not have is complained about.
fn settings(reader: &Reader<'_>, common: &Map<String, Value>) -> Map<String, Value> {
    let mut settings = common.clone();
    for entry in reader.named("settings") {
        if !common.contains_key(&entry.key) {
            let mending = match closest(&entry.key, common.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{}` to `[settings]`", entry.key),
            };
            let sentence = format!("`settings.{}` is not set.", entry.key);
            let place = &entry.place;
            reader
                .context
                .error("mapping::unknown-setting", place, sentence, &mending);
        }
        settings.insert(entry.key.clone(), syntax::data(reader.context, &entry.node));
    }
    settings
}

/// The pairs of `[values.NAME]`; a name that is no table's is complained about.
fn values(reader: &Reader<'_>) -> Vec<(String, Vec<(Value, Value)>)> {
    let context = reader.context;
    let mut tables = Vec::new();
    for entry in reader.named("values") {
        let known = context.look_ups.borrow();
        if !known.iter().any(|table| table.name == entry.key) {
            let names: Vec<&str> = known.iter().map(|table| table.name.as_str()).collect();
            let mending = match closest(&entry.key, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `[values.{}]`", entry.key),
            };
            let sentence = format!("There is no table `[values.{}]`.", entry.key);
            context.error(
                "mapping::unknown-value-table",
                &entry.place,
                sentence,
                &mending,
            );
            continue;
        }
        let Some(table) = entry.node.as_table() else {
            reader.wrong_type("values", &entry.node);
            continue;
        };
        let pair = |pair: &Entry| {
            let scim = Value::from(pair.key.as_str());
            (scim, syntax::data(context, &pair.node))
        };
        let pairs = table.entries.iter().map(pair).collect();
        tables.push((entry.key.clone(), pairs));
    }
    tables
}

fn kind(reader: &Reader<'_>) -> Option<ExampleKind> {
    if reader.has("request") {
        return request(reader);
    }
    if reader.has("status") {
        return error(reader);
    }
    if !reader.has("reply") {
        reader.missing("reply");
        return None;
    }
    if !reader.has("expect") {
        reader.missing("expect");
    }
    Some(ExampleKind::Reply {
        reply: data(reader, "reply")?,
        expect: data(reader, "expect")?,
    })
}

fn request(reader: &Reader<'_>) -> Option<ExampleKind> {
    let request = reader.table("request")?;
    let methods = [
        ("POST", "POST"),
        ("PUT", "PUT"),
        ("PATCH", "PATCH"),
        ("DELETE", "DELETE"),
    ];
    if !request.has("method") {
        request.missing("method");
    }
    let method = request.choice("method", &methods);
    let path = request.required_text("path");
    if !reader.has("calls") {
        reader.missing("calls");
    }
    Some(ExampleKind::Request {
        method: method?.to_owned(),
        path: path?,
        body: data(&request, "body"),
        stored: data(reader, "stored"),
        calls: calls(reader)?,
    })
}

fn calls(reader: &Reader<'_>) -> Option<Vec<ExpectedCall>> {
    let node = reader.node("calls")?;
    let super::tree::Content::List(items) = &node.content else {
        reader.wrong_type("calls", node);
        return None;
    };
    let calls: Vec<Option<ExpectedCall>> = items
        .iter()
        .map(|item| {
            if let Some(text) = item.as_text() {
                return Some(ExpectedCall {
                    call: text.to_owned(),
                    body: None,
                });
            }
            let call = Reader::new(reader.context, item, &EXPECTED_CALL)?;
            Some(ExpectedCall {
                call: call.required_text("call")?,
                body: data(&call, "body"),
            })
        })
        .collect();
    calls.into_iter().collect()
}

fn error(reader: &Reader<'_>) -> Option<ExampleKind> {
    let status = reader
        .count("status", 100, 599)
        .and_then(|status| u16::try_from(status).ok())?;
    if !reader.has("expect") {
        reader.missing("expect");
    }
    let expect = data(reader, "expect")?;
    let scim_status = expect
        .get("status")
        .and_then(Value::as_u64)
        .and_then(|s| u16::try_from(s).ok());
    let Some(scim_status) = scim_status else {
        reader.context.error(
            "mapping::missing-key",
            reader
                .node("expect")
                .map_or(reader.place, |node| &node.place),
            "An error's `expect` has no `status`.".to_owned(),
            "`expect = { status = 409, scimType = \"uniqueness\" }`",
        );
        return None;
    };
    Some(ExampleKind::Error {
        operation: reader
            .text("operation")
            .unwrap_or_else(|| "create".to_owned()),
        status,
        reply: data(reader, "reply").unwrap_or(Value::Null),
        scim_status,
        scim_type: expect
            .get("scimType")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

fn data(reader: &Reader<'_>, key: &str) -> Option<Value> {
    let node = reader.node(key)?;
    let data = syntax::data(reader.context, node);
    match data.as_str().filter(|text| is_json(text)) {
        Some(text) => json(reader, node, text),
        None => Some(data),
    }
}

/// Whether a text is meant as JSON: an object or a list.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Data that is given as JSON text, since TOML has no null.
fn json(reader: &Reader<'_>, node: &Node, text: &str) -> Option<Value> {
    let parsed = serde_json::from_str(text);
    if let Err(error) = &parsed {
        reader.context.error(
            "mapping::bad-example-json",
            &node.place,
            format!("This text begins like JSON and is none: {error}."),
            "give the data as TOML, or as JSON text without a fault",
        );
    }
    parsed.ok()
}
