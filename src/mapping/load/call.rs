//! One HTTP call: `"METHOD /path?query"` or a table with `call` and more.

use std::{sync::OnceLock, time::Duration};

use http::Method;

use crate::{
    diagnostic::{Place, closest},
    mapping::{
        model::{BodyFormat, Call, FormLists, Poll, QueryValue, Source, With},
        path::JsonPath,
        template::{PathTemplate, Template},
    },
    scim::ResourceType,
};

use super::{
    context::Context,
    reader::Reader,
    rules,
    shape::{Kind, Shape, key},
    syntax,
    tree::{Content, Node},
};

/// A place in a body, a header, a cookie, or an expression.
pub(super) static SOURCE: Shape = Shape {
    name: "a source",
    about: "Where a value is taken from a reply: `'$.path'`, a text with `{…}`, or one of these.",
    keys: &[
        key(
            "header",
            Kind::Text,
            "",
            "A header's whole value.",
            "\"X-Token\"",
        ),
        key(
            "header-segment",
            Kind::Text,
            "",
            "The last path segment of a header that holds a URL, decoded.",
            "\"Location\"",
        ),
        key(
            "cookie",
            Kind::Text,
            "",
            "A cookie set by the reply.",
            "\"session\"",
        ),
        key(
            "body",
            Kind::Path,
            "",
            "The same as a bare `'$.path'`.",
            "'$.token'",
        ),
    ],
    base: None,
    others: None,
};

static POLL: Shape = Shape {
    name: "`poll`",
    about: "Repeats the call until a condition holds for its reply; for work the application does in the background.",
    keys: &[
        key(
            "until",
            Kind::Expression,
            "required",
            "Done when it holds for the reply's members.",
            "'status == \"done\"'",
        ),
        key(
            "every",
            Kind::Duration,
            "1s",
            "The pause in between.",
            "\"2s\"",
        ),
        key(
            "most",
            Kind::Count,
            "30",
            "Given up after so many calls, 1 to 1000.",
            "60",
        ),
    ],
    base: None,
    others: None,
};

/// The kind of a source.
pub(super) const SOURCE_KIND: Kind =
    Kind::OneOf(&[Kind::Path, Kind::Template, Kind::Table(&SOURCE)]);

/// A call as a table.
pub(super) static CALL: Shape = Shape {
    name: "a call",
    about: "One HTTP call. A text `\"GET /users\"` stands for `{ call = \"GET /users\" }`.",
    keys: &[
        key(
            "call",
            Kind::CallLine,
            "required, unless there are `steps`",
            "Method, path below the base URL, and query. A `{…}` in the path is one segment, percent-encoded. A query parameter whose value is absent is left out.",
            "\"GET /users/{id}\"",
        ),
        key(
            "body",
            Kind::Tree,
            "create and update send the mapped fields, others nothing",
            "The body as data, whole: no `envelope` is put around it. `{fields}` alone stands for the mapped fields.",
            "{ user_id = \"{member}\" }",
        ),
        key(
            "headers",
            Kind::Named(&Kind::Template),
            "none",
            "Headers of this call.",
            "{ Accept = \"application/json\" }",
        ),
        key(
            "query",
            Kind::Named(&Kind::Tree),
            "none",
            "Further query parameters. A table or a list is sent as JSON text.",
            "{ expand = \"groups\" }",
        ),
        key(
            "format",
            Kind::Choice(&["json", "form", "multipart", "xml"]),
            "the target's",
            "How the body is written.",
            "\"form\"",
        ),
        key(
            "content-type",
            Kind::Text,
            "the format's own",
            "A media type of the application's own.",
            "\"application/vnd.api+json\"",
        ),
        key(
            "with",
            Kind::Named(&Kind::Tree),
            "none",
            "Names for this call's templates, and for `query`, `headers` and `wrap` of `[target]`; on top of those of the section.",
            "{ method = \"user.create\" }",
        ),
        key(
            "when-changed",
            Kind::Many(&Kind::Attribute),
            "always",
            "Only if one of these attributes changed, of those that the operation is made for: what lines write, or what its `covers` name.",
            "[\"emails\"]",
        ),
        key(
            "if",
            Kind::Expression,
            "always",
            "Only if this holds.",
            "'old.status != 3'",
        ),
        key(
            "each",
            Kind::Template,
            "made once",
            "Of a step of a write: it is made for every element of this list, which is the name `item`; at most 1000, several at a time. What is no list is a list of one.",
            "\"{sessions}\"",
        ),
        key(
            "take",
            Kind::Named(&SOURCE_KIND),
            "nothing",
            "Names for values of the reply, for later steps.",
            "{ job = '$.id' }",
        ),
        key(
            "into",
            Kind::Place,
            "the reply is the object",
            "Among the `steps` of a `get`: the reply becomes this member of the object that the other steps read.",
            "'preferences'",
        ),
        key(
            "rules",
            Kind::Tables(&rules::RULE),
            "none",
            "What replies mean, tried before the target's rules.",
            "[{ status = 409, is = \"already-so\" }]",
        ),
        key(
            "wrap",
            Kind::Flag,
            "true",
            "`false`: `[target.wrap]` is not put around this call's body.",
            "false",
        ),
        key(
            "tolerate",
            Kind::Many(&Kind::Count),
            "none",
            "Statuses that count as done.",
            "[404]",
        ),
        key(
            "poll",
            Kind::Table(&POLL),
            "asked once",
            "Repeats the call until a condition holds.",
            "{ until = 'status == \"done\"', every = \"1s\", most = 30 }",
        ),
        key(
            "repeatable",
            Kind::Flag,
            "`true` for what only reads; `false` for the rest",
            "Whether the call may be sent again when its fate is unknown.",
            "true",
        ),
        key(
            "remember",
            Kind::Duration,
            "asked each time",
            "Of a step that looks something up for later ones: how long what it takes is used again, 1s to 1d.",
            "\"1m\"",
        ),
    ],
    base: None,
    others: None,
};

/// The kind of a call: text or table.
pub(super) const CALL_KIND: Kind = Kind::OneOf(&[Kind::CallLine, Kind::Table(&CALL)]);

/// A call from a text or a table.
pub(super) fn call(
    context: &Context<'_>,
    node: &Node,
    resource_type: Option<&ResourceType>,
) -> Option<Call> {
    match &node.content {
        Content::Text(_) => bare(context, node),
        _ => from_table(&Reader::new(context, node, &CALL)?, resource_type),
    }
}

/// A call from the keys of a table that may have others as well.
///
/// Attribute paths in it are of the given resource type; where there is none (login steps) `when-changed` is not read.
pub(super) fn from_table(
    reader: &Reader<'_>,
    resource_type: Option<&ResourceType>,
) -> Option<Call> {
    let Some(line) = reader.node("call") else {
        reader.missing("call");
        return None;
    };
    let mut call = bare(reader.context, line)?;
    call.body = reader
        .node("body")
        .and_then(|node| syntax::tree(reader.context, node));
    call.headers = syntax::headers(reader, "headers");
    call.query.extend(own_query(reader));
    call.format = format(reader, reader.context.form_lists.get());
    call.content_type = reader.text("content-type");
    let own = with(reader);
    call.with
        .retain(|with| own.iter().all(|given| given.name != with.name));
    call.with.extend(own);
    if let Some(resource_type) = resource_type {
        call.when_changed = syntax::attributes(reader, "when-changed", resource_type);
    }
    let condition = reader.node("if");
    call.condition = condition.and_then(|node| syntax::expression(reader.context, node));
    call.each = syntax::template_at(reader, "each");
    call.take = take(reader);
    call.into = syntax::place_at(reader, "into");
    call.rules = rules::rules(reader, "rules");
    call.tolerate = tolerate(reader);
    call.poll = poll(reader);
    call.is_wrapped = reader.flag("wrap").unwrap_or(true);
    if let Some(repeatable) = reader.flag("repeatable") {
        call.is_repeatable = repeatable;
    }
    call.remember = remember(reader);
    Some(call)
}

/// `query = { expand = "groups", where = { name = "{value}" } }`.
fn own_query(reader: &Reader<'_>) -> Vec<(String, QueryValue)> {
    let value = |node: &Node| match &node.content {
        Content::List(_) | Content::Table(_) => {
            syntax::tree(reader.context, node).map(QueryValue::Json)
        }
        _ => syntax::template(reader.context, node).map(QueryValue::Text),
    };
    let entries = reader.named("query").iter();
    entries
        .inspect(|entry| syntax::doubt_clear(reader.context, &entry.key, &entry.node))
        .filter_map(|entry| Some((entry.key.clone(), value(&entry.node)?)))
        .collect()
}

/// How long an answer is used: `remember = "1m"`.
pub(super) fn remember(reader: &Reader<'_>) -> Option<Duration> {
    let remember = reader.duration("remember")?;
    if !(SHORTEST_LIFE..=LONGEST_LIFE).contains(&remember) {
        let place = reader
            .node("remember")
            .map_or(reader.place, |node| &node.place);
        let sentence = format!(
            "`{}` is not between 1s and 1d.",
            reader.table.full_name("remember")
        );
        let context = reader.context;
        context.error("mapping::out-of-range", place, sentence, "");
    }
    Some(remember)
}

const SHORTEST_LIFE: Duration = Duration::from_secs(1);
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// `format = "form"`; lists in forms as given.
pub(super) fn format(reader: &Reader<'_>, lists: FormLists) -> Option<BodyFormat> {
    reader.choice(
        "format",
        &[
            ("json", BodyFormat::Json),
            ("form", BodyFormat::Form(lists)),
            ("multipart", BodyFormat::Multipart),
            ("xml", BodyFormat::Xml),
        ],
    )
}

/// Where a value is taken: `'$.path'`, `"{expression}"`, `{ header = … }`.
pub(super) fn source(context: &Context<'_>, node: &Node) -> Option<Source> {
    if let Content::Text(text) = &node.content {
        if !text.starts_with('$') && text.contains('{') {
            return syntax::template(context, node).map(Source::Computed);
        }
        return syntax::path(context, node).map(Source::Body);
    }
    let reader = Reader::new(context, node, &SOURCE)?;
    if let Some(name) = reader.text("header") {
        return Some(Source::Header(name));
    }
    if let Some(name) = reader.text("header-segment") {
        return Some(Source::HeaderSegment(name));
    }
    if let Some(name) = reader.text("cookie") {
        return Some(Source::Cookie(name));
    }
    if reader.has("body") {
        return syntax::path_at(&reader, "body").map(Source::Body);
    }
    context.error(
        "mapping::missing-key",
        &node.place,
        "A source has no `header`, `header-segment`, `cookie` or `body`.".to_owned(),
        "say where the value is: `{ header = \"X-Token\" }`",
    );
    None
}

/// A call of a text alone.
fn bare(context: &Context<'_>, node: &Node) -> Option<Call> {
    let Some(text) = node.as_text() else {
        let sentence = format!("A call is text such as `GET /users`, not {}.", node.kind());
        context.error("mapping::wrong-type", &node.place, sentence, "");
        return None;
    };
    let text = context.expand(node, text, true);
    let bad = |sentence: String, mending: &str| {
        context.error("mapping::bad-call", &node.place, sentence, mending);
    };
    let Some((method, rest)) = text.split_once(' ') else {
        bad(
            format!("`{text}` is not a call."),
            "a method and a path: `GET /users/{id}`",
        );
        return None;
    };
    let Some(method) = known_method(method) else {
        let mending = match closest(method, METHODS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "GET, POST, PUT, PATCH or DELETE, in capitals; docs/mapping.md has the others"
                .to_owned(),
        };
        context.error(
            "mapping::bad-call",
            &context.within(node, &text, 0..method.len()),
            format!("`{method}` is not an HTTP method."),
            &mending,
        );
        return None;
    };
    let target = rest.trim();
    if !target.starts_with('/') {
        let mending = if target.contains("://") {
            "leave out the origin: paths are below `target.base-url`"
        } else {
            "begin the path with `/`"
        };
        bad(format!("`{target}` is not a path."), mending);
        return None;
    }
    let (path, query) = split_query(target);
    let offset = text.len().saturating_sub(rest.trim_start().len());
    if let Some((at, written, meant)) = foreign_value(path) {
        let part = offset + at..offset + at + written.len();
        context.error(
            "mapping::bad-call",
            &context.within(node, &text, part),
            format!("`{written}` in a path is sent as it stands."),
            &format!("did you mean `{meant}`?"),
        );
        return None;
    }
    let path = match PathTemplate::parse(path) {
        Ok(path) => path,
        Err(error) => {
            syntax::syntax_error(context, node, &text, "mapping::bad-call", offset, &error);
            return None;
        }
    };

    Some(Call {
        is_repeatable: false,
        has_effect: false,
        is_wrapped: true,
        apart: OnceLock::new(),
        method,
        path,
        query: query_parameters(context, node, query?)?,
        headers: Vec::new(),
        body: None,
        format: None,
        content_type: None,
        with: context.with.borrow().clone(),
        when_changed: Vec::new(),
        condition: None,
        each: None,
        take: Vec::new(),
        into: None,
        rules: Vec::new(),
        tolerate: Vec::new(),
        poll: None,
        remember: None,
        place: node.place.clone(),
    })
}

/// `<id>`, `:id`, `$id`, `%s`: how other templates write a value in a path.
fn foreign_value(path: &str) -> Option<(usize, &str, String)> {
    let mut at = 0;
    for segment in path.split('/') {
        let name = segment
            .strip_prefix(':')
            // OData's `/users/$count` is meant as it stands.
            .or_else(|| {
                segment
                    .strip_prefix('$')
                    .filter(|name| name.to_ascii_lowercase().ends_with("id"))
            })
            .or_else(|| segment.strip_prefix('<')?.strip_suffix('>'));
        let is_name = |name: &str| {
            let mut characters = name.chars();
            characters.next().is_some_and(|c| c.is_ascii_alphabetic())
                && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match name.filter(|name| is_name(name)) {
            Some(name) => return Some((at, segment, format!("{{{name}}}"))),
            // Google's `/users/1:undelete` has its colon elsewhere.
            None if ["%s", "%d"].contains(&segment) => {
                return Some((at, segment, "{id}".to_owned()));
            }
            None => at += segment.len() + 1,
        }
    }
    None
}

/// Those of RFC 9110, and of the IANA registry and of APIs those that users and groups are kept by.
const METHODS: [&str; 18] = [
    "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "COPY", "LINK", "LIST", "MERGE",
    "MKCOL", "MOVE", "PROPFIND", "QUERY", "REPORT", "SEARCH", "UNLINK",
];

fn known_method(text: &str) -> Option<Method> {
    METHODS
        .contains(&text)
        .then(|| Method::from_bytes(text.as_bytes()).ok())
        .flatten()
}

/// Path and query; a `?` inside braces belongs to an expression.
fn split_query(target: &str) -> (&str, Option<&str>) {
    match outside_braces(target, '?').first() {
        Some(&at) => {
            let (path, query) = target.split_at(at);
            (path, Some(query.get(1..).unwrap_or("")))
        }
        None => (target, Some("")),
    }
}

/// Where a character stands outside of braces, in bytes. Quoted text inside braces may hold braces itself.
fn outside_braces(text: &str, wanted: char) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut found = Vec::new();
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if depth > 0 => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && character == wanted => found.push(at),
            _ => {}
        }
    }
    found
}

fn query_parameters(
    context: &Context<'_>,
    node: &Node,
    query: &str,
) -> Option<Vec<(String, QueryValue)>> {
    let mut parameters = Vec::new();
    let mut start = 0;
    let mut ends = outside_braces(query, '&');
    ends.push(query.len());
    for end in ends {
        let part = query.get(start..end).unwrap_or("");
        start = end + 1;
        if part.is_empty() {
            continue;
        }
        let (name, value) = match outside_braces(part, '=').first() {
            Some(&at) => (
                part.get(..at).unwrap_or(""),
                part.get(at + 1..).unwrap_or(""),
            ),
            None => (part, ""),
        };
        if let Some(at) = node.place.text().find(part) {
            let start = node.place.span.start + at + part.len() - value.len();
            let place = Place::new(&node.place.file, start..start + value.len());
            context.doubt_clear(name, value, &place);
        }
        let value = decoded(value);
        let template = syntax::checked(
            context,
            node,
            &value,
            "mapping::bad-call",
            Template::parse(&value),
        )?;
        parameters.push((decoded(name), QueryValue::Text(template)));
    }
    Some(parameters)
}

/// A literal query text without its percent-encoding; it is encoded again when it is sent. Braces are left alone.
fn decoded(text: &str) -> String {
    if !text.contains(['%', '+']) || text.contains('{') {
        return text.to_owned();
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy();
    // What was encoded is text, never the beginning of an expression.
    decoded.replace('{', "{{").replace('}', "}}")
}

/// Names for calls: `with = { method = "user.create" }`.
pub(super) fn with(reader: &Reader<'_>) -> Vec<With> {
    reader
        .named("with")
        .iter()
        .filter_map(|entry| {
            Some(With {
                name: entry.key.clone(),
                tree: syntax::tree(reader.context, &entry.node)?,
                is_plain: !entry.node.place.text().contains("${"),
            })
        })
        .collect()
}

fn take(reader: &Reader<'_>) -> Vec<(String, Source)> {
    reader
        .named("take")
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), source(reader.context, &entry.node)?)))
        .collect()
}

fn tolerate(reader: &Reader<'_>) -> Vec<u16> {
    rules::statuses(reader, "tolerate")
        .iter()
        .flat_map(|range| range.first..=range.last)
        .collect()
}

fn poll(reader: &Reader<'_>) -> Option<Poll> {
    let poll = reader.table("poll")?;
    if !poll.has("until") {
        poll.missing("until");
    }
    Some(Poll {
        until: syntax::expression_at(&poll, "until")?,
        every: poll.duration("every").unwrap_or(Duration::from_secs(1)),
        most: poll
            .count("most", 1, 1000)
            .and_then(|most| u32::try_from(most).ok())
            .unwrap_or(30),
    })
}

/// The path to a list in a reply that is the list itself: `$`.
pub(super) fn root_path() -> Option<JsonPath> {
    JsonPath::parse("$").ok()
}
