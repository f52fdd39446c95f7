//! Values with a syntax of their own: paths, places, templates, expressions, patterns, attribute paths.

use http::HeaderName;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{
    mapping::{
        expression::Expression,
        model::Read,
        names::Names,
        path::{FieldPlace, JsonPath, SyntaxError},
        template::{Key, SPREAD, Template, Tree},
    },
    scim::{AttributePath, ResourceType},
};

use super::{
    context::Context,
    reader::Reader,
    tree::{Content, Entry, Node},
};

/// A JSONPath out of a text value.
pub(super) fn path(context: &Context<'_>, node: &Node) -> Option<JsonPath> {
    let text = text_of(context, node, "a path such as `'$.a.b'`")?;
    if let Some(mending) = foreign_path(text) {
        let sentence = format!("`{text}` is not a JSONPath.");
        context.error("mapping::bad-path", &node.place, sentence, &mending);
        return None;
    }
    if !text.starts_with('$') && (text.contains("[*]") || text.contains("[?")) {
        let sentence = format!("`{text}` is neither a path nor a field.");
        let mending = format!("a path begins with `$`: `'$.{text}'`");
        context.error("mapping::bad-path", &node.place, sentence, &mending);
        return None;
    }
    let path = checked(
        context,
        node,
        text,
        "mapping::bad-path",
        JsonPath::parse(text),
    )?;
    Some(match context.is_xml.get() {
        true => path.in_xml(),
        false => path,
    })
}

/// A template, a JSON pointer or a path of `jq` where a path is wanted, and how it is written.
fn foreign_path(text: &str) -> Option<String> {
    if let Some(name) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        return Some(format!("a path has no braces: `'$.{name}'`"))
            .filter(|_| !name.contains(['{', '|', ' ', '(']));
    }
    if let Some(pointer) = text.strip_prefix('/') {
        return Some(format!("did you mean `'$.{}'`?", pointer.replace('/', ".")));
    }
    let jq = text
        .strip_prefix('.')
        .filter(|rest| !rest.starts_with('.'))?;
    Some(format!("did you mean `'$.{}'`?", jq.replace("[]", "[*]")))
}

/// A definite place out of a text value: `a.b`, or the same as a path, `$.a.b`.
pub(super) fn place(context: &Context<'_>, node: &Node) -> Option<FieldPlace> {
    let text = text_of(context, node, "a field such as `'a.b'`")?;
    place_of(context, node, text)
}

/// Whether there is an expression in a text that should be a place: `{name}`, `role-{name}`.
fn is_template(text: &str) -> bool {
    let is_made = || Template::parse(text).is_ok_and(|template| !template.is_constant());
    text.contains('{') && !text.contains('[') && is_made()
}

/// A definite place out of a text that stands in a node.
pub(super) fn place_of(context: &Context<'_>, node: &Node, text: &str) -> Option<FieldPlace> {
    if is_template(text) {
        let sentence = format!("`{text}` is a template, and a field is wanted here.");
        let mending = "what is written is `write = 'field'` and `value = \"{…}\"`; a template to read from is `read`";
        context.error("mapping::bad-place", &node.place, sentence, mending);
        return None;
    }
    if text.starts_with('$') {
        let path = checked(
            context,
            node,
            text,
            "mapping::bad-path",
            JsonPath::parse(text),
        )?;
        let place = path.as_place();
        if place.is_none() {
            let list = text.strip_suffix("[*]");
            let list = list.filter(|list| FieldPlace::parse(list.trim_start_matches("$.")).is_ok());
            let mending = match list {
                Some(list) => format!(
                    "for all of a list name the list itself, `items = '{list}'`; else give `read` and `write` apart, or `read-only = true`"
                ),
                None => "give `read` and `write` apart, or `read-only = true`".to_owned(),
            };
            context.error(
                "mapping::not-one-place",
                &node.place,
                format!(
                    "`{text}` can be read, but not written: it does not name one definite place."
                ),
                &mending,
            );
        }
        return place;
    }
    checked(
        context,
        node,
        text,
        "mapping::bad-place",
        FieldPlace::parse(text),
    )
}

/// A template out of a text value; numbers and booleans stand for themselves.
pub(super) fn template(context: &Context<'_>, node: &Node) -> Option<Template> {
    let written = match &node.content {
        Content::Text(text) => context.expand(node, text, true),
        Content::Integer(_) | Content::Number(_) | Content::Flag(_) => node.to_json().to_string(),
        _ => {
            text_of(context, node, "text with `{…}` in it")?;
            return None;
        }
    };
    if is_json(&written) && Template::parse(&written).is_err() {
        context.error(
            "mapping::bad-template",
            &node.place,
            "This is JSON as text, and the braces of a template hold expressions.".to_owned(),
            "write it as data, `body = { login = \"{userName}\" }`; JSON as text has its own braces doubled, `{{\"a\": …}}`",
        );
        return None;
    }
    let template = checked(
        context,
        node,
        &written,
        "mapping::bad-template",
        Template::parse(&written),
    )?;
    doubt_sum(context, node, template.filtered_operand());
    Some(template)
}

/// Whether a text begins as a JSON object does: `{"login": …`.
fn is_json(text: &str) -> bool {
    let inside = text.trim_start().trim_start_matches('[').trim_start();
    let name = inside.strip_prefix('{').map(str::trim_start);
    let name = name.and_then(|rest| rest.strip_prefix('"'));
    name.and_then(|rest| rest.split_once('"'))
        .is_some_and(|(_, behind)| behind.trim_start().starts_with(':'))
}

/// `a + b | lower`: the filter is of `b` alone, which is seldom meant.
fn doubt_sum(context: &Context<'_>, node: &Node, operand: Option<&str>) {
    let Some(operand) = operand else {
        return;
    };
    context.warning(
        "mapping::filter-of-operand",
        &node.place,
        format!("The filter in `{operand}` is of that operand alone: `|` comes before `+`."),
        &format!("write `(a + b) | filter` for the whole sum, or `({operand})` if this is meant"),
    );
}

/// An expression out of a text value.
pub(super) fn expression(context: &Context<'_>, node: &Node) -> Option<Expression> {
    let text = text_of(context, node, "an expression")?;
    let bare = text.trim();
    if bare.starts_with('{') && bare.ends_with('}') {
        context.error(
            "mapping::bad-expression",
            &node.place,
            "An expression stands here without braces.".to_owned(),
            "leave out `{` and `}`",
        );
        return None;
    }
    let text = context.expand(node, text, false);
    let expression = checked(
        context,
        node,
        &text,
        "mapping::bad-expression",
        Expression::parse(&text),
    )?;
    doubt_sum(context, node, expression.filtered_operand());
    Some(expression)
}

/// A regular expression out of a text value, its compiled size bounded.
pub(super) fn pattern(context: &Context<'_>, node: &Node) -> Option<Regex> {
    let text = text_of(context, node, "a regular expression")?;
    let text = context.expand(node, text, false);
    if let Some(pattern) = context.patterns.borrow().get(&text) {
        return Some(pattern.clone());
    }
    let built = RegexBuilder::new(&text)
        .size_limit(MOST_PATTERN_BYTES)
        .dfa_size_limit(MOST_PATTERN_BYTES)
        .build();
    match built {
        Ok(pattern) => {
            let mut patterns = context.patterns.borrow_mut();
            patterns.insert(text, pattern.clone());
            Some(pattern)
        }
        Err(error) => {
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or("").trim();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason).to_owned();
            context.error(
                "mapping::bad-pattern",
                &node.place,
                format!(
                    "`{text}` is not a regular expression: {}.",
                    reason.trim_end_matches('.')
                ),
                "",
            );
            None
        }
    }
}

/// Compiled patterns of mappings are small; one that is not would cost memory in every tenant.
const MOST_PATTERN_BYTES: usize = 256 * 1024;

/// The name of a header.
pub(super) fn header_name(context: &Context<'_>, node: &Node, name: &str) -> Option<String> {
    if HeaderName::from_bytes(name.as_bytes()).is_ok() {
        return Some(name.to_owned());
    }
    context.error(
        "mapping::bad-header",
        &node.place,
        format!("`{name}` cannot be the name of a header."),
        "letters, digits and `-`",
    );
    None
}

/// Data whose texts and members' names are templates.
pub(super) fn tree(context: &Context<'_>, node: &Node) -> Option<Tree> {
    match &node.content {
        Content::Text(_) => template(context, node).map(Tree::Leaf),
        Content::List(items) => {
            let items = items
                .iter()
                .filter_map(|item| tree(context, item))
                .collect();
            Some(Tree::List(items))
        }
        Content::Table(table) => {
            let members = table
                .entries
                .iter()
                .filter_map(|entry| {
                    Some((member_name(context, entry)?, tree(context, &entry.node)?))
                })
                .collect();
            Some(Tree::Object(members))
        }
        _ => Some(Tree::Constant(node.to_json())),
    }
}

/// The name of a member of data, a template.
pub(super) fn member_name(context: &Context<'_>, entry: &Entry) -> Option<Key> {
    match entry.key.as_str() {
        SPREAD => Some(Key::Spread),
        _ => template(context, &entry.as_node()).map(Key::of),
    }
}

/// Data without templates; `${NAME}` is replaced in texts.
pub(super) fn data(context: &Context<'_>, node: &Node) -> Value {
    match &node.content {
        Content::Text(text) => Value::from(context.expand(node, text, false)),
        Content::List(items) => items.iter().map(|item| data(context, item)).collect(),
        Content::Table(table) => Value::Object(
            table
                .entries
                .iter()
                .map(|entry| (entry.key.clone(), data(context, &entry.node)))
                .collect(),
        ),
        _ => node.to_json(),
    }
}

/// Names with templates: headers, query parameters.
pub(super) fn named_templates(reader: &Reader<'_>, key: &str) -> Vec<(String, Template)> {
    reader
        .named(key)
        .iter()
        .filter_map(|entry| {
            doubt_clear(reader.context, &entry.key, &entry.node);
            Some((entry.key.clone(), template(reader.context, &entry.node)?))
        })
        .collect()
}

/// Warns of a secret among what is sent as it is written.
pub(super) fn doubt_clear(context: &Context<'_>, name: &str, node: &Node) {
    if let Some(text) = node.as_text() {
        context.doubt_clear(name, text, &node.place);
    }
}

/// Headers with templates; the names are checked.
pub(super) fn headers(reader: &Reader<'_>, key: &str) -> Vec<(String, Template)> {
    let mut headers = Vec::new();
    for entry in reader.named(key) {
        if matches!(entry.node.content, Content::List(_) | Content::Table(_)) {
            reader.context.error(
                "mapping::wrong-type",
                &entry.node.place,
                format!(
                    "The header `{}` has one value, and this is {}.",
                    entry.key,
                    entry.node.kind()
                ),
                "give it as one text: `\"a, b\"`",
            );
            continue;
        }
        if let Some(value) = template(reader.context, &entry.node) {
            doubt_clear(reader.context, &entry.key, &entry.node);
            headers.push((entry.key.clone(), value));
        }

        if header_name(reader.context, &entry.as_node(), &entry.key).is_none() {
            headers.retain(|(name, _)| *name != entry.key);
        }
    }
    headers
}

/// Fields whose values are data with templates in its texts: `{ role = "{settings.role}" }`.
pub(super) fn named_trees(reader: &Reader<'_>, key: &str) -> Vec<(FieldPlace, Tree)> {
    let entries = reader.named(key).iter();
    entries
        .filter_map(|entry| {
            let place = place(reader.context, &entry.as_node())?;
            Some((place, tree(reader.context, &entry.node)?))
        })
        .collect()
}

/// Fields with constant values: `{ kind = "mail", verified = true, note = "{null}" }`.
pub(super) fn constants(reader: &Reader<'_>, key: &str) -> Vec<(FieldPlace, Value)> {
    reader
        .named(key)
        .iter()
        .filter_map(|entry| {
            let place = place(reader.context, &entry.as_node())?;
            Some((place, constant(reader.context, &entry.node)?))
        })
        .collect()
}

/// Data that is the same for every object: templates in it know `settings` alone, and `"{null}"` is null.
pub(super) fn constant(context: &Context<'_>, node: &Node) -> Option<Value> {
    let tree = tree(context, node)?;
    let other = tree.names().into_iter().find(|name| {
        let first = name.names.first();
        first.is_some_and(|name| name != "settings")
    });
    let settings = context.settings.borrow();
    let mut names = Names::new();
    names.settings(&settings);
    let value = tree.render(&names).ok().flatten();
    if other.is_some() || value.is_none() {
        let sentence = match other {
            Some(name) => format!("`{}` is not known in a constant.", name.names.join(".")),
            None => "This constant has no value.".to_owned(),
        };
        let mending = "a constant is made of `settings.NAME` at most; `{{` is a brace";
        context.error("mapping::unknown-name", &node.place, sentence, mending);
    }
    value
}

/// The path under a key.
pub(super) fn path_at(reader: &Reader<'_>, key: &str) -> Option<JsonPath> {
    path(reader.context, reader.node(key)?)
}

/// The path under a key, or the list of them.
pub(super) fn paths_at(reader: &Reader<'_>, key: &str) -> Vec<JsonPath> {
    let Some(node) = reader.node(key) else {
        return Vec::new();
    };
    let paths = match &node.content {
        Content::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let paths = paths.iter();
    paths
        .filter_map(|node| path(reader.context, node))
        .collect()
}

/// What reads a value: `'$.a.b'`, `'a.b'` or `"{a} {b}"`.
pub(super) fn read(context: &Context<'_>, node: &Node) -> Option<Read> {
    match node.as_text() {
        Some(text) if !text.starts_with('$') && text.contains('{') => {
            let template = template(context, node)?;
            refuse_anew(context, node, template.is_made_anew());
            if template.is_constant() {
                context.warning(
                    "mapping::no-expression",
                    &node.place,
                    "This template names nothing: every object reads the same.".to_owned(),
                    "a name stands in one brace: `\"{first} {last}\"`; `{{` is the character",
                );
            }
            Some(Read::Template(template))
        }
        _ => path(context, node).map(Read::Path),
    }
}

/// What reads a value, under a key.
pub(super) fn read_at(reader: &Reader<'_>, key: &str) -> Option<Read> {
    read(reader.context, reader.node(key)?)
}

/// The place under a key.
pub(super) fn place_at(reader: &Reader<'_>, key: &str) -> Option<FieldPlace> {
    place(reader.context, reader.node(key)?)
}

/// The template under a key.
pub(super) fn template_at(reader: &Reader<'_>, key: &str) -> Option<Template> {
    template(reader.context, reader.node(key)?)
}

/// The expression under a key.
///
/// It is about what was read, and must say the same each time.
pub(super) fn expression_at(reader: &Reader<'_>, key: &str) -> Option<Expression> {
    let node = reader.node(key)?;
    let expression = expression(reader.context, node)?;
    refuse_anew(reader.context, node, expression.is_made_anew());
    Some(expression)
}

/// `random` and `now` are for what is sent.
fn refuse_anew(context: &Context<'_>, node: &Node, is_made_anew: bool) {
    if is_made_anew {
        context.error(
            "mapping::bad-expression",
            &node.place,
            "`now` and `random` are not known where something is read: the same object must read the same each time.".to_owned(),
            "use them in calls, in `value` and in `on-create`",
        );
    }
}

/// The pattern under a key.
pub(super) fn pattern_at(reader: &Reader<'_>, key: &str) -> Option<Regex> {
    pattern(reader.context, reader.node(key)?)
}

/// Attribute paths of a resource type, in the schema's spelling.
pub(super) fn attributes(
    reader: &Reader<'_>,
    key: &str,
    resource_type: &ResourceType,
) -> Vec<AttributePath> {
    reader
        .texts(key)
        .iter()
        .filter_map(|(node, text)| attribute(reader.context, node, text, resource_type))
        .collect()
}

/// An attribute path of a resource type, in the schema's spelling.
pub(super) fn attribute(
    context: &Context<'_>,
    node: &Node,
    text: &str,
    resource_type: &ResourceType,
) -> Option<AttributePath> {
    let path = match AttributePath::parse(text) {
        Ok(path) => path,
        Err(error) => {
            let place = context.within(node, text, error.position..text.len());
            let sentence = format!("`{text}` is not an attribute path: {}.", error.message);
            context.error("mapping::bad-attribute-path", &place, sentence, "");
            return None;
        }
    };
    match resource_type.resolve(&path) {
        Some(resolved) if resolved.attribute.is_some() => Some(resolved.canonical()),
        _ => {
            super::location::complain_unknown(context, &node.place, &path, resource_type);
            None
        }
    }
}

fn text_of<'n>(context: &Context<'_>, node: &'n Node, expected: &str) -> Option<&'n str> {
    let text = node.as_text();
    if text.is_none() {
        let sentence = format!("{} stands where {expected} is wanted.", node.kind());
        let mut sentence = sentence;
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        context.error("mapping::wrong-type", &node.place, sentence, "");
    }
    text
}

/// The parsed value, or a complaint that points at the part of the text that is wrong.
pub(super) fn checked<T>(
    context: &Context<'_>,
    node: &Node,
    text: &str,
    code: &'static str,
    result: Result<T, SyntaxError>,
) -> Option<T> {
    match result {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            syntax_error(context, node, text, code, 0, &error);
            None
        }
    }
}

/// Complains about a syntax error in a text that begins `offset` bytes into the node's text.
pub(super) fn syntax_error(
    context: &Context<'_>,
    node: &Node,
    text: &str,
    code: &'static str,
    offset: usize,
    error: &SyntaxError,
) {
    let start = offset.saturating_add(error.position);
    let part = start..start.saturating_add(error.length.max(1));
    let place = context.within(node, text, part);
    let mut sentence = error.message.clone();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    context.error(
        code,
        &place,
        sentence,
        error.mending.as_deref().unwrap_or(""),
    );
}
