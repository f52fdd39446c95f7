//! `[user]`, `[group]`, `[resource.NAME]`: how one resource type is kept in the application.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    mapping::{
        model::{AttributeRule, IdRule, TypeMapping},
        path::{FieldPlace, JsonPath},
        splice::Splice,
        template::Tree,
        write,
    },
    scim::{AttributePath, Projection},
};

use super::{
    attributes::{self, LINE},
    call, effects, gaps,
    list::{self, FIND, LIST},
    members::{self, MEMBERS},
    on_user,
    operation::{self, OPERATION_SHAPE, Surroundings},
    reader::Reader,
    schema::{self, ATTRIBUTE, Schemas},
    shape::{Key, Kind, Shape, key},
    syntax,
    tree::Content,
    user_groups::{self, GROUPS},
};

pub(super) static ID: Shape = Shape {
    name: "`id`",
    about: "Where the application's id of an object is.",
    keys: &[
        key(
            "from",
            Kind::Path,
            "required",
            "The place in an object.",
            "'$.name'",
        ),
        key(
            "stable",
            Kind::Flag,
            "true",
            "Whether it never changes. If it can, the gateway makes an id of its own and keeps the link.",
            "false",
        ),
        key(
            "type",
            Kind::Choice(&["number", "string"]),
            "\"string\"",
            "How it is written into bodies.",
            "\"number\"",
        ),
        key(
            "pattern",
            Kind::Pattern,
            "`[target] id-pattern`",
            "What an id of this type must look like: any other is unknown here, and never sent. Where it stands in a path, \
             `[target] id-pattern` counts as well.",
            "'^[0-9]+$'",
        ),
        key(
            "prefix",
            Kind::Text,
            "nothing",
            "Put in front of it in the SCIM id. A SCIM id is unique among all resource types: needed where the application \
             counts users and groups each from 1.",
            "\"g-\"",
        ),
    ],
    base: None,
    others: None,
};

const OPERATION: Kind = Kind::OneOf(&[Kind::CallLine, Kind::Table(&OPERATION_SHAPE)]);
const LINES: Kind = Kind::Named(&Kind::OneOf(&[Kind::Place, Kind::Table(&LINE)]));

static SECTION: Shape = Shape {
    name: "a section",
    about: "How one resource type is kept in the application: `[user]`, `[group]`, `[resource.NAME]`.",
    keys: &[
        key(
            "id",
            Kind::OneOf(&[Kind::Path, Kind::Table(&ID)]),
            "required",
            "Where the application's id of an object is.",
            "'$.id'",
        ),
        key(
            "envelope",
            Kind::Text,
            "none",
            "The single member that holds an object in bodies and replies.",
            "\"user\"",
        ),
        key(
            "with",
            Kind::Named(&Kind::Tree),
            "none",
            "Names for all calls of the section, as a call's own `with`, which comes first; they can be named in `query`, `headers` and \
             `wrap` of `[target]` too.",
            "{ kind = \"person\" }",
        ),
        key(
            "match",
            Kind::Attribute,
            "\"userName\" for users, \"displayName\" otherwise",
            "The attribute that makes a second create a duplicate.",
            "\"userName\"",
        ),
        key(
            "scope",
            Kind::Expression,
            "every object",
            "Objects for which this is false do not exist for the tenant; the names are the object's members.",
            "'org_id == settings.org'",
        ),
        key(
            "hide",
            Kind::Expression,
            "none",
            "Objects for which this is true are not shown: system users, built-in groups. The names are the object's members; where \
             the list's rows are bare texts and no object is read for them, `value` is the text, as in `scope` and `gone`.",
            "'login in [\"admin\", \"guest\"]'",
        ),
        key(
            "gone",
            Kind::Expression,
            "none",
            "An object for which this is true is answered 404: soft deletion.",
            "'deleted == true'",
        ),
        key(
            "empty-is-absent",
            Kind::Flag,
            "false: `\"\"` is a value",
            "A field that is `\"\"` is an absent attribute, for applications that have no null. How a removed one is written is the \
             line's `when-removed = \"empty\"`.",
            "true",
        ),
        key(
            "list",
            Kind::OneOf(&[Kind::CallLine, Kind::Table(&LIST), Kind::Tables(&LIST)]),
            "the type cannot be listed",
            "Reads all objects.",
            "",
        ),
        key(
            "find",
            Kind::Tables(&FIND),
            "filters are decided here, on the list",
            "Filters that the application can answer.",
            "",
        ),
        key(
            "get",
            OPERATION,
            "objects are found in the list",
            "Reads one object.",
            "\"GET /users/{id}\"",
        ),
        key(
            "create",
            OPERATION,
            "501",
            "Makes an object.",
            "\"POST /users\"",
        ),
        key(
            "update",
            Kind::OneOf(&[
                Kind::CallLine,
                Kind::Table(&OPERATION_SHAPE),
                Kind::Tables(&OPERATION_SHAPE),
            ]),
            "501",
            "Changes an object. Of several, each `covers` some attributes; the last may cover the rest.",
            "\"PATCH /users/{id}\"",
        ),
        key(
            "activate",
            OPERATION,
            "`active` is a field",
            "Sets `active` to true by calls of its own.",
            "\"POST /users/{id}/enable\"",
        ),
        key(
            "deactivate",
            OPERATION,
            "`active` is a field",
            "Sets `active` to false by calls of its own.",
            "\"POST /users/{id}/disable\"",
        ),
        key(
            "rename",
            OPERATION,
            "the match attribute is written by `update`",
            "Changes the attribute that is the application's key.",
            "{ call = \"POST /users/{id}/rename\", body = { name = \"{userName}\" } }",
        ),
        key(
            "set-password",
            OPERATION,
            "`password` is a field",
            "Sets the password by calls of its own.",
            "{ call = \"PUT /users/{id}/password\", body = { password = \"{password}\" } }",
        ),
        key(
            "delete",
            OPERATION,
            "501",
            "Removes an object.",
            "\"DELETE /users/{id}\"",
        ),
        key(
            "attributes",
            LINES,
            "required",
            "One line an attribute.",
            "",
        ),
        key(
            "fixed",
            Kind::Many(&Kind::Any),
            "none",
            "Objects that exist in configuration only; `id` is the SCIM id. The lines of `attributes` read their other members, `[group] id = '$.id'` is said as well, `list` and `get` are not needed, and members go by `members.on-user` or by calls.",
            "[{ id = \"1\", name = \"admins\" }]",
        ),
        key(
            "extensions",
            Kind::Many(&Kind::Text),
            "those that lines mention",
            "URNs of the type's extensions.",
            "[\"urn:example:hr:1.0:User\"]",
        ),
        key(
            "description",
            Kind::Text,
            "the schema's",
            "Shown to clients below `/ResourceTypes`.",
            "\"Staff\"",
        ),
    ],
    base: None,
    others: None,
};

static USER_KEYS: &[Key] = &[key(
    "groups",
    Kind::Table(&GROUPS),
    "not shown",
    "How a user's groups are read.",
    "",
)];
static GROUP_KEYS: &[Key] = &[key(
    "members",
    Kind::Table(&MEMBERS),
    "groups without members",
    "How members are read and changed.",
    "",
)];
static RESOURCE_KEYS: &[Key] = &[
    key(
        "name",
        Kind::Text,
        "the section's name with a capital",
        "The resource type's name.",
        "\"Role\"",
    ),
    key(
        "endpoint",
        Kind::Text,
        "a slash, the name, an s",
        "The endpoint.",
        "\"/Roles\"",
    ),
    key(
        "schema",
        Kind::Text,
        "required",
        "The schema's URN: one of `[schema.\"urn:…\"]`, Okta's Role and Entitlement, or one of its own with `schema-attributes`.",
        "\"urn:okta:scim:schemas:core:1.0:Role\"",
    ),
    key(
        "schema-attributes",
        Kind::Tables(&ATTRIBUTE),
        "the schema is known",
        "The attributes of a schema of its own.",
        "",
    ),
];

/// `[user]`.
pub(super) static USER: Shape = Shape {
    name: "`[user]`",
    about: "How users are kept.",
    keys: USER_KEYS,
    base: Some(&SECTION),
    others: None,
};
/// `[group]`.
pub(super) static GROUP: Shape = Shape {
    name: "`[group]`",
    about: "How groups are kept.",
    keys: GROUP_KEYS,
    base: Some(&SECTION),
    others: None,
};
/// `[resource.NAME]`.
pub(super) static RESOURCE: Shape = Shape {
    name: "`[resource.NAME]`",
    about: "A resource type of the operator's own: roles, entitlements, devices.",
    keys: RESOURCE_KEYS,
    base: Some(&SECTION),
    others: None,
};

/// The sections of a file, compiled.
pub(super) fn sections(root: &Reader<'_>, schemas: &Schemas) -> Vec<TypeMapping> {
    let mut types = Vec::new();
    for name in ["user", "group"] {
        if root.node(name).is_some_and(|node| !node.is_false()) {
            types.extend(
                root.table(name)
                    .and_then(|reader| section(&reader, name, schemas)),
            );
        }
    }
    for entry in root.named("resource") {
        if let Some(reader) = Reader::new(root.context, &entry.node, &RESOURCE) {
            types.extend(section(
                &reader,
                &format!("resource.{}", entry.key),
                schemas,
            ));
        }
    }
    types
}

fn section(reader: &Reader<'_>, name: &str, schemas: &Schemas) -> Option<TypeMapping> {
    reader.context.with.replace(call::with(reader));
    let section = compiled(reader, name, schemas);
    reader.context.with.take();
    let section = section?;
    if !reader.context.is_broken() {
        gaps::check(reader, &section);
    }
    Some(section)
}

fn compiled(reader: &Reader<'_>, name: &str, schemas: &Schemas) -> Option<TypeMapping> {
    let resource_type = schema::resource_type(reader, name, schemas)?;
    let envelope = operation::envelope(reader).filter(|name| !name.is_empty());
    let around = Surroundings {
        section: name,
        resource_type: &resource_type,
        envelope: envelope.as_deref(),
    };
    let id = id(reader);
    let one = |key: &str| operation::operation(reader, key, &around);
    let lists = list::lists(reader, name, &resource_type);
    let lines = schema::lines(reader);
    match reader.node("attributes") {
        None => reader.missing("attributes"),
        Some(node) if lines.is_none() => reader.wrong_type("attributes", node),
        Some(_) => {}
    }
    let rules = lines.map(|table| attributes::rules(reader.context, table, &resource_type));
    let mut mapping = TypeMapping {
        section: name.to_owned(),
        id: id.or_else(default_id)?,
        scope: syntax::expression_at(reader, "scope"),
        hide: syntax::expression_at(reader, "hide"),
        gone: syntax::expression_at(reader, "gone"),
        conditions_at: ["scope", "hide", "gone"]
            .into_iter()
            .filter_map(|key| Some((key, reader.node(key)?.place.clone())))
            .collect(),
        empty_is_absent: reader.flag("empty-is-absent").unwrap_or(false),
        match_attribute: match_attribute(reader, name, &around),
        finds: list::finds(reader, name, &resource_type, &lists),
        lists,
        get: one("get"),
        create: one("create"),
        updates: operation::operations(reader, "update", &around),
        activate: one("activate"),
        deactivate: one("deactivate"),
        rename: one("rename"),
        set_password: one("set-password"),
        delete: one("delete"),
        attributes: rules.unwrap_or_default(),
        constants: constants(reader),
        members: (name == "group")
            .then(|| members::members(reader, &resource_type))
            .flatten(),
        groups: (name == "user")
            .then(|| user_groups::groups(reader, &resource_type))
            .flatten(),
        fixed: fixed(reader),
        usual: Arc::new(Projection::usual(&resource_type)),
        resource_type: Arc::new(resource_type),
        splice: None,
    };
    on_user::settle_case(reader, &mut mapping);
    effects::settle(&mut mapping);
    mapping.splice = Splice::new(&mapping);
    create_only_without_field(reader, &mapping);
    write_only_without_field(reader, &mapping);
    Some(mapping)
}

/// `create-only` says nothing of a line that writes nothing, unless a call of the create names the attribute itself.
fn create_only_without_field(reader: &Reader<'_>, mapping: &TypeMapping) {
    let Some(lines) = schema::lines(reader) else {
        return;
    };
    let writes = |rule: &AttributeRule| rule.is_written();
    for rule in mapping.attributes.iter().filter(|rule| rule.is_create_only) {
        let mut create = mapping.create.iter();
        if writes(rule) || create.any(|create| write::is_named_by(create, &rule.location.leaf())) {
            continue;
        }
        let line = lines.entries.iter().find(|entry| entry.place == rule.place);
        let line = line.and_then(|entry| entry.node.as_table());
        let place = line.and_then(|table| table.entry("create-only"));
        if line.is_some_and(|line| line.entry("read-only").is_some()) {
            continue;
        }
        reader.context.error(
            "mapping::conflicting-keys",
            place.map_or(&rule.place, |entry| &entry.place),
            "`create-only` has no meaning for a line that writes nothing.".to_owned(),
            "name the field: `write = 'field'`, or name the attribute in a call of `create`: `PUT /users/{userName}`",
        );
    }
}

/// A line that is never read and has no field is for calls that name the attribute: one must.
fn write_only_without_field(reader: &Reader<'_>, mapping: &TypeMapping) {
    let create = mapping.create.iter().chain(&mapping.updates);
    let others = [
        &mapping.activate,
        &mapping.deactivate,
        &mapping.rename,
        &mapping.set_password,
    ];
    let operations: Vec<_> = create.chain(others.into_iter().flatten()).collect();
    for rule in mapping.attributes.iter().filter(|rule| rule.is_for_calls()) {
        let leaf = rule.location.leaf();
        if operations.iter().any(|one| write::is_named_by(one, &leaf)) {
            continue;
        }
        // A line whose field could not be read, or that contradicts itself, was complained about.
        let lines = schema::lines(reader);
        let line =
            lines.and_then(|lines| lines.entries.iter().find(|line| line.place == rule.place));
        let is_bare = line
            .and_then(|line| line.node.as_table())
            .is_some_and(|line| {
                ["field", "read", "write", "items", "read-only"]
                    .iter()
                    .all(|key| line.entry(key).is_none())
            });
        if !is_bare {
            continue;
        }
        reader.context.gap(
            "mapping::missing-key",
            &rule.place,
            format!("The line of `{leaf}` has no `field`, and no call that writes names it."),
            &format!("add `field = '…'`, or name it where a call sends it: `{{{leaf}}}`"),
        );
    }
}

fn id(reader: &Reader<'_>) -> Option<IdRule> {
    let Some(node) = reader.node("id") else {
        reader.missing("id");
        return None;
    };
    if node.as_text().is_some() {
        return Some(IdRule {
            from: syntax::path(reader.context, node)?,
            is_stable: true,
            is_number: false,
            pattern: None,
            prefix: String::new(),
        });
    }
    let id = reader.table("id")?;
    if !id.has("from") {
        id.missing("from");
    }
    Some(IdRule {
        from: syntax::path_at(&id, "from")?,
        is_stable: id.flag("stable").unwrap_or(true),
        is_number: id
            .choice("type", &[("number", true), ("string", false)])
            .unwrap_or(false),
        pattern: syntax::pattern_at(&id, "pattern"),
        prefix: id.text("prefix").unwrap_or_default(),
    })
}

/// Stands for an id that could not be read, so that loading goes on.
fn default_id() -> Option<IdRule> {
    Some(IdRule {
        from: JsonPath::parse("$.id").ok()?,
        is_stable: true,
        is_number: false,
        pattern: None,
        prefix: String::new(),
    })
}

fn match_attribute(reader: &Reader<'_>, name: &str, around: &Surroundings<'_>) -> AttributePath {
    let default = || {
        let attribute = if name == "user" {
            "userName"
        } else {
            "displayName"
        };
        AttributePath::of(attribute)
    };
    let Some((node, text)) = reader.raw_text("match") else {
        return default();
    };
    syntax::attribute(reader.context, node, text, around.resource_type).unwrap_or_else(default)
}

fn constants(reader: &Reader<'_>) -> Vec<(FieldPlace, Tree)> {
    let create = reader
        .node("create")
        .filter(|node| node.as_table().is_some());
    let create = create.and_then(|_| reader.context.muted(|| reader.table("create")));
    create
        .map(|create| syntax::named_trees(&create, "constants"))
        .unwrap_or_default()
}

/// Objects of the configuration; each must have an id of its own.
fn fixed(reader: &Reader<'_>) -> Vec<Value> {
    let Some(node) = reader.node("fixed") else {
        return Vec::new();
    };
    let Content::List(items) = &node.content else {
        reader.wrong_type("fixed", node);
        return Vec::new();
    };
    let mut seen: Vec<Value> = Vec::new();
    for item in items {
        let id = item
            .as_table()
            .and_then(|table| table.entry("id"))
            .map(|entry| entry.node.to_json());
        match id {
            Some(id) if !seen.contains(&id) => seen.push(id),
            found => {
                let what = if found.is_some() {
                    "the same `id` as another"
                } else {
                    "no `id`"
                };
                reader.context.error(
                    "mapping::bad-fixed-object",
                    &item.place,
                    format!("A fixed object has {what}."),
                    "`fixed = [{ id = \"1\", name = \"admins\" }]`",
                );
            }
        }
    }
    items
        .iter()
        .map(|item| syntax::data(reader.context, item))
        .collect()
}
