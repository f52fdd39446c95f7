//! Operations by intent: get, create, update, activate, deactivate, rename, set-password, delete.

use crate::{
    mapping::model::{Call, IfMatch, Operation, ReplyKind, Send},
    scim::ResourceType,
};

use super::{
    call::{self, CALL, CALL_KIND},
    context::Context,
    list,
    reader::Reader,
    rules,
    shape::{Key, Kind, Shape, key},
    syntax,
    tree::{Content, Node},
};

static OPERATION_KEYS: &[Key] = &[
    key(
        "steps",
        Kind::Many(&CALL_KIND),
        "the one call",
        "Several calls, in order; a later one can use what an earlier one took.",
        "[{ call = \"POST /users\", take = { id = '$.id' } }, \"POST /users/{id}/invite\"]",
    ),
    key(
        "covers",
        Kind::Many(&Kind::Attribute),
        "every attribute that has a field",
        "The attributes this update can write.",
        "[\"emails\", \"name\"]",
    ),
    key(
        "send",
        Kind::Choice(&["changed", "all", "merged"]),
        "\"changed\"",
        "Which fields an update sends: those that changed, all that are mapped, or the object as read with the changes put in.",
        "\"all\"",
    ),
    key(
        "reply",
        Kind::Choice(&["object", "none"]),
        "\"object\"",
        "Whether the last reply holds the object; `none` where it is empty or a message: the answer is composed.",
        "\"none\"",
    ),
    key(
        "read-back",
        Kind::Flag,
        "false",
        "Reads the object again after the write.",
        "true",
    ),
    key(
        "object",
        Kind::Path,
        "the envelope, or the whole reply",
        "Where the object is in the reply.",
        "'$.user'",
    ),
    key(
        "id",
        call::SOURCE_KIND,
        "the section's `id` in the object",
        "Where the object's id is in the reply of a create, of a change of the key, or of a `get` whose object does not hold it: there it is put in.",
        "{ header-segment = \"Location\" }",
    ),
    key(
        "set",
        Kind::Named(&Kind::Tree),
        "none",
        "Fields put into the object that the reply shows, as into the rows of a list; its members are names, and what the operation knows (`id`).",
        "{ mail = \"{contact.mail}\" }",
    ),
    key(
        "envelope",
        Kind::Text,
        "the section's",
        "The single member that holds the fields in body and reply; `\"\"` for none.",
        "\"user\"",
    ),
    key(
        "if-match",
        Kind::OneOf(&[Kind::Flag, Kind::Template]),
        "false",
        "Sends the version of the object as it was read as `If-Match`: its ETag, or what the text makes of `old`.",
        "true",
    ),
    key(
        "get-first",
        Kind::Flag,
        "false",
        "Reads the object first; a missing one is answered 404.",
        "true",
    ),
    key(
        "empty-first",
        Kind::Flag,
        "false",
        "In `[group.delete]` only: everybody is taken out of the group first, by what `[group.members]` says, where the application deletes only empty groups.",
        "true",
    ),
    key(
        "constants",
        Kind::Named(&Kind::Tree),
        "none",
        "Fields always written; in `create` only. Texts are templates; `{{` is a brace.",
        "{ mail_notification = \"none\" }",
    ),
    key(
        "stash",
        Kind::Named(&Kind::Tree),
        "nothing",
        "In `deactivate` only: what it takes away, kept here until `activate` gives it back as `{stash.NAME}`.",
        "{ roles = \"{old.roles}\" }",
    ),
    key(
        "supported",
        Kind::Flag,
        "true",
        "`false`: the operation is not there, and a client is told so with 501.",
        "false",
    ),
];

/// An operation as a table.
pub(super) static OPERATION_SHAPE: Shape = Shape {
    name: "an operation",
    about: "One intent, carried out by a call or by several `steps`. A text `\"GET /users/{id}\"` stands for \
            `{ call = \"GET /users/{id}\" }`.",
    keys: OPERATION_KEYS,
    base: Some(&CALL),
    others: None,
};

/// What a section gives its operations.
pub(super) struct Surroundings<'s> {
    /// `user`.
    pub section: &'s str,
    pub resource_type: &'s ResourceType,
    /// The section's `envelope`.
    pub envelope: Option<&'s str>,
}

/// The operation under a key; absent too if it is not supported.
pub(super) fn operation(
    reader: &Reader<'_>,
    key: &str,
    around: &Surroundings<'_>,
) -> Option<Operation> {
    from_node(reader.context, reader.node(key)?, key, around)
}

/// The operations under a key: one, or a list.
pub(super) fn operations(
    reader: &Reader<'_>,
    key: &str,
    around: &Surroundings<'_>,
) -> Vec<Operation> {
    let Some(node) = reader.node(key) else {
        return Vec::new();
    };
    match &node.content {
        Content::List(items) => items
            .iter()
            .filter_map(|item| from_node(reader.context, item, key, around))
            .collect(),
        _ => from_node(reader.context, node, key, around)
            .into_iter()
            .collect(),
    }
}

fn from_node(
    context: &Context<'_>,
    node: &Node,
    key: &str,
    around: &Surroundings<'_>,
) -> Option<Operation> {
    if node.is_false() {
        return None;
    }
    let name = format!("{}.{key}", around.section);
    if node.as_text().is_some() {
        let call = call::call(context, node, Some(around.resource_type))?;
        return Some(Operation {
            name,
            steps: vec![call],
            covers: Vec::new(),
            send: Send::Changed,
            reply: ReplyKind::Object,
            object: None,
            id: None,
            set: Vec::new(),
            envelope: around.envelope.map(str::to_owned),
            if_match: None,
            gets_first: false,
            empties_first: false,
            stash: Vec::new(),
            place: node.place.clone(),
        });
    }
    let reader = Reader::new(context, node, &OPERATION_SHAPE)?;
    if reader.flag("supported") == Some(false) {
        return None;
    }
    from_table(&reader, name, key, around)
}

fn from_table(
    reader: &Reader<'_>,
    name: String,
    key: &str,
    around: &Surroundings<'_>,
) -> Option<Operation> {
    if key != "deactivate" && reader.has("stash") {
        reader.context.error(
            "mapping::conflicting-keys",
            reader
                .node("stash")
                .map_or(reader.place, |node| &node.place),
            format!("`stash` belongs to `deactivate`, not to `{key}`."),
            "write it there; `activate` has it as `{stash.…}`",
        );
    }
    if key != "create" && reader.has("constants") {
        reader.context.error(
            "mapping::conflicting-keys",
            reader
                .node("constants")
                .map_or(reader.place, |node| &node.place),
            format!("`constants` belongs to `create`, not to `{key}`."),
            "give the field in the `body`",
        );
    }
    if name != "group.delete"
        && let Some(entry) = reader.entry("empty-first")
    {
        let sentence = format!("`empty-first` belongs to `[group.delete]`, not to `{name}`.");
        let mending = "take it away: only a group has members";
        let place = &entry.place;
        reader
            .context
            .error("mapping::conflicting-keys", place, sentence, mending);
    }
    let envelope = match envelope(reader) {
        Some(name) => Some(name).filter(|name| !name.is_empty()),
        None => around.envelope.map(str::to_owned),
    };
    Some(Operation {
        name,
        steps: steps(reader, around.resource_type)?,
        covers: syntax::attributes(reader, "covers", around.resource_type),
        send: reader.choice("send", &SENDS).unwrap_or(Send::Changed),
        reply: reply(reader),
        object: syntax::path_at(reader, "object"),
        id: reader
            .node("id")
            .and_then(|node| call::source(reader.context, node)),
        set: list::set(reader),
        envelope,
        if_match: if_match(reader),
        gets_first: reader.flag("get-first").unwrap_or(false),
        empties_first: reader.flag("empty-first").unwrap_or(false),
        stash: syntax::named_trees(reader, "stash"),
        place: reader.place.clone(),
    })
}

/// `true`, or text with `{…}` in it.
fn if_match(reader: &Reader<'_>) -> Option<IfMatch> {
    match reader.node("if-match")?.content {
        Content::Flag(true) => Some(IfMatch::Etag),
        Content::Flag(false) => None,
        _ => syntax::template_at(reader, "if-match").map(IfMatch::Template),
    }
}

static SENDS: [(&str, Send); 3] = [
    ("changed", Send::Changed),
    ("all", Send::All),
    ("merged", Send::Merged),
];

/// The member that holds an object; a path names none.
pub(super) fn envelope(reader: &Reader<'_>) -> Option<String> {
    let name = reader.text("envelope")?;
    let Some(path) = name.strip_prefix('$') else {
        return Some(name);
    };
    let path = path.trim_start_matches('.');
    let mending = match path.split_once('.') {
        None => format!("did you mean `\"{path}\"`?"),
        Some((outer, inner)) => format!(
            "for one that lies deeper write `object = '{name}'`, and in writing calls `body = {{ {outer} = {{ {inner} = \"{{fields}}\" }} }}`"
        ),
    };
    let place = reader
        .node("envelope")
        .map_or(reader.place, |node| &node.place);
    let sentence = "`envelope` is the name of a member, not a path.".to_owned();
    reader
        .context
        .error("mapping::bad-value", place, sentence, &mending);
    None
}

/// The calls of `steps`, or the one call.
pub(super) fn steps(reader: &Reader<'_>, resource_type: &ResourceType) -> Option<Vec<Call>> {
    let Some(node) = reader.node("steps") else {
        return Some(vec![call::from_table(reader, Some(resource_type))?]);
    };
    for key in CALL_ONLY {
        if let Some(entry) = reader.entry(key) {
            reader.context.error(
                "mapping::conflicting-keys",
                &entry.place,
                format!("`{key}` stands beside `steps` and would belong to no call."),
                "move it into the step it is about",
            );
        }
    }
    let Content::List(items) = &node.content else {
        reader.wrong_type("steps", node);
        return None;
    };
    if items.is_empty() {
        reader.missing("call");
        return None;
    }
    let steps: Vec<Option<Call>> = items
        .iter()
        .map(|item| {
            let mut call = call::call(reader.context, item, Some(resource_type))?;
            // Rules beside `steps` are about all of them.
            call.rules
                .extend(reader.context.muted(|| rules::rules(reader, "rules")));
            Some(call)
        })
        .collect();
    if items.len() > MOST_STEPS {
        reader.context.error(
            "mapping::out-of-range",
            &node.place,
            format!("More than {MOST_STEPS} steps."),
            "",
        );
    }
    rules::rules(reader, "rules");
    steps.into_iter().collect()
}

/// A request that needs more calls than this would outlast any deadline.
const MOST_STEPS: usize = 20;

/// Keys that are about one call and so have no meaning beside `steps`.
const CALL_ONLY: [&str; 16] = [
    "call",
    "body",
    "headers",
    "query",
    "format",
    "content-type",
    "with",
    "wrap",
    "when-changed",
    "if",
    "take",
    "into",
    "tolerate",
    "poll",
    "repeatable",
    "remember",
];

fn reply(reader: &Reader<'_>) -> ReplyKind {
    let reply = reader.choice(
        "reply",
        &[("object", ReplyKind::Object), ("none", ReplyKind::Nothing)],
    );
    match (reader.flag("read-back"), reply) {
        (Some(true), _) => ReplyKind::ReadBack,
        (_, reply) => reply.unwrap_or(ReplyKind::Object),
    }
}
