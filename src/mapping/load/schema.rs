//! The operator's own schemas, and the resource types that sections serve.

use std::sync::Arc;

use crate::scim::{
    Attribute, AttributeType, Mutability, ResourceType, Returned, Schema, Uniqueness,
    schema::{Extension, builtin},
};

use super::{
    context::Context,
    reader::Reader,
    shape::{Kind, Shape, key},
    tree::{Content, Entry, Node, Table},
};

/// An attribute of the operator's own.
pub(super) static ATTRIBUTE: Shape = Shape {
    name: "an attribute definition",
    about: "An attribute of the operator's own (RFC 7643 §7).",
    keys: &[
        key(
            "name",
            Kind::Text,
            "required",
            "Letters, digits, `-` and `_`, a letter first.",
            "\"costCenterOwner\"",
        ),
        key(
            "type",
            Kind::Choice(&[
                "string",
                "boolean",
                "decimal",
                "integer",
                "dateTime",
                "binary",
                "reference",
                "complex",
            ]),
            "\"string\"",
            "The type of its values.",
            "\"boolean\"",
        ),
        key(
            "multi-valued",
            Kind::Flag,
            "false",
            "It has several values.",
            "true",
        ),
        key(
            "description",
            Kind::Text,
            "empty",
            "For people.",
            "\"Who pays.\"",
        ),
        key(
            "required",
            Kind::Flag,
            "false",
            "Every resource must have it.",
            "true",
        ),
        key(
            "case-exact",
            Kind::Flag,
            "false",
            "Letter case counts in comparisons.",
            "true",
        ),
        key(
            "mutability",
            Kind::Choice(&["readOnly", "readWrite", "immutable", "writeOnly"]),
            "\"readWrite\"",
            "Who may write it, and when.",
            "\"readOnly\"",
        ),
        key(
            "returned",
            Kind::Choice(&["always", "never", "default", "request"]),
            "\"default\"; \"never\" if it is writeOnly",
            "When it is shown.",
            "\"request\"",
        ),
        key(
            "uniqueness",
            Kind::Choice(&["none", "server", "global"]),
            "\"none\"",
            "How far a value is unique.",
            "\"server\"",
        ),
        key(
            "canonical-values",
            Kind::Many(&Kind::Text),
            "none",
            "Suggested values.",
            "[\"a\", \"b\"]",
        ),
        key(
            "sub-attributes",
            Kind::Many(&Kind::Any),
            "none",
            "Of a complex attribute: definitions like this one.",
            "[{ name = \"value\" }]",
        ),
    ],
    base: None,
    others: None,
};

/// `[schema."urn:…"]`.
pub(super) static SCHEMA: Shape = Shape {
    name: "`[schema.\"urn:…\"]`",
    about: "A schema of the operator's own, named by its URN. A line of `[….attributes]` that begins with the URN makes it \
            an extension of that resource type.",
    keys: &[
        key(
            "name",
            Kind::Text,
            "the URN's last part",
            "Its name.",
            "\"Payroll\"",
        ),
        key(
            "description",
            Kind::Text,
            "empty",
            "For people.",
            "\"What payroll knows.\"",
        ),
        key(
            "attributes",
            Kind::Tables(&ATTRIBUTE),
            "required",
            "Its attributes.",
            "[{ name = \"costCenterOwner\" }]",
        ),
    ],
    base: None,
    others: None,
};

/// The schemas that can be used: the operator's own and those built in.
pub(super) struct Schemas {
    own: Vec<Arc<Schema>>,
}

impl Schemas {
    /// Reads `[schema."urn:…"]`.
    pub fn read(root: &Reader<'_>) -> Self {
        let own = root
            .named("schema")
            .iter()
            .filter_map(|entry| schema(root.context, entry))
            .map(Arc::new)
            .collect();
        Self { own }
    }

    /// The schema of this URN.
    fn of(&self, urn: &str) -> Option<Arc<Schema>> {
        if let Some(own) = self
            .own
            .iter()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        {
            return Some(Arc::clone(own));
        }
        [
            builtin::enterprise_user(),
            builtin::role(),
            builtin::entitlement(),
        ]
        .into_iter()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(Arc::new)
    }

    fn urns(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|schema| schema.id.as_str()).chain([
            builtin::ENTERPRISE_USER,
            builtin::ROLE,
            builtin::ENTITLEMENT,
        ])
    }
}

/// The resource type of a section; extensions are those that are listed and those that lines mention.
pub(super) fn resource_type(
    section: &Reader<'_>,
    name: &str,
    schemas: &Schemas,
) -> Option<ResourceType> {
    let mut resource_type = match name {
        "user" => ResourceType::user(Vec::new()),
        "group" => ResourceType::group(Vec::new()),
        _ => own_type(section, name, schemas)?,
    };
    for urn in mentioned(section, schemas) {
        if let (None, Some(schema)) = (resource_type.extension(&urn), schemas.of(&urn)) {
            resource_type.extensions.push(Extension {
                schema,
                is_required: false,
            });
        }
    }
    if let Some(text) = section.text("description") {
        resource_type.description = text;
    }
    Some(resource_type)
}

/// A type of the operator's own: `[resource.NAME]`.
fn own_type(section: &Reader<'_>, name: &str, schemas: &Schemas) -> Option<ResourceType> {
    let short = name.strip_prefix("resource.").unwrap_or(name);
    let mut characters = short.chars();
    let capitalised: String = characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default();
    let type_name = section.text("name").unwrap_or(capitalised);
    let endpoint = section
        .text("endpoint")
        .unwrap_or_else(|| format!("/{type_name}s"));
    let is_plain = endpoint.strip_prefix('/').is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    });
    if !is_plain
        || RESERVED_ENDPOINTS
            .iter()
            .any(|taken| taken.eq_ignore_ascii_case(&endpoint))
    {
        section.context.error(
            "mapping::bad-endpoint",
            section
                .node("endpoint")
                .map_or(section.place, |node| &node.place),
            format!("`{endpoint}` cannot be the endpoint of a resource type."),
            "one segment of its own: `/Roles`",
        );
    }
    let urn = section.required_text("schema")?;
    if !section.has("schema-attributes") {
        let Some(schema) = schemas.of(&urn) else {
            unknown_schema(
                section.context,
                section.node("schema"),
                section,
                &urn,
                schemas,
            );
            return None;
        };
        let mut resource_type =
            ResourceType::new(type_name, endpoint, Schema::clone(&schema), Vec::new());
        resource_type.description.clone_from(&schema.description);
        return Some(resource_type);
    }
    let attributes = definitions(section, "schema-attributes");
    let description = section.text("description").unwrap_or_default();
    let schema = Schema::new(urn, type_name.clone(), description, attributes);
    Some(ResourceType::new(type_name, endpoint, schema, Vec::new()))
}

/// Endpoints of the protocol itself.
const RESERVED_ENDPOINTS: [&str; 7] = [
    "/Users",
    "/Groups",
    "/Me",
    "/Bulk",
    "/Schemas",
    "/ResourceTypes",
    "/ServiceProviderConfig",
];

/// URNs in `extensions` and in front of attribute lines.
fn mentioned(section: &Reader<'_>, schemas: &Schemas) -> Vec<String> {
    let mut urns = Vec::new();
    for (node, urn) in section.texts("extensions") {
        if schemas.of(&urn).is_some() {
            urns.push(urn);
        } else {
            unknown_schema(section.context, Some(node), section, &urn, schemas);
        }
    }
    let lines = section.node("attributes").and_then(Node::as_table);
    let lines = lines.map_or(&[][..], |table| table.entries.as_slice());
    for urn in schemas.urns() {
        let is_mentioned = lines.iter().any(|entry| {
            entry
                .key
                .get(..urn.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(urn))
        });
        if is_mentioned {
            urns.push(urn.to_owned());
        }
    }
    urns
}

fn unknown_schema(
    context: &Context<'_>,
    node: Option<&Node>,
    section: &Reader<'_>,
    urn: &str,
    schemas: &Schemas,
) {
    let mending = match crate::diagnostic::closest(urn, schemas.urns()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("define it: `[schema.\"{urn}\"]`"),
    };
    context.error(
        "mapping::unknown-schema",
        node.map_or(section.place, |node| &node.place),
        format!("`{urn}` is not a schema that is known here."),
        &mending,
    );
}

fn schema(context: &Context<'_>, entry: &Entry) -> Option<Schema> {
    let urn = entry.key.as_str();
    if !urn.to_ascii_lowercase().starts_with("urn:") || urn.contains(char::is_whitespace) {
        context.error(
            "mapping::bad-urn",
            &entry.place,
            format!("`{urn}` is not a URN."),
            "`[schema.\"urn:example:params:scim:schemas:extension:hr:1.0:User\"]`",
        );
        return None;
    }
    let reader = Reader::new(context, &entry.node, &SCHEMA)?;
    if !reader.has("attributes") {
        reader.missing("attributes");
    }
    let name = reader
        .text("name")
        .unwrap_or_else(|| urn.rsplit(':').next().unwrap_or(urn).to_owned());
    let description = reader.text("description").unwrap_or_default();
    Some(Schema::new(
        urn,
        name,
        description,
        definitions(&reader, "attributes"),
    ))
}

fn definitions(reader: &Reader<'_>, key: &str) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = Vec::new();
    for definition in reader.tables(key) {
        let Some(attribute) = definition_of(&definition, true) else {
            continue;
        };
        if attributes
            .iter()
            .any(|a| a.name.eq_ignore_ascii_case(&attribute.name))
        {
            definition.context.error(
                "mapping::two-definitions",
                definition.place,
                format!("`{}` is defined twice.", attribute.name),
                "names differ by more than letter case",
            );
        }
        attributes.push(attribute);
    }
    attributes
}

fn definition_of(reader: &Reader<'_>, may_be_complex: bool) -> Option<Attribute> {
    let name = reader.required_text("name")?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !is_name {
        reader.context.error(
            "mapping::bad-name",
            reader.node("name").map_or(reader.place, |node| &node.place),
            format!("`{name}` cannot be the name of an attribute."),
            "letters, digits, `-` and `_`, a letter first",
        );
    }
    let kind = reader
        .choice("type", &TYPES)
        .unwrap_or(AttributeType::String);
    let mutability = reader
        .choice("mutability", &MUTABILITIES)
        .unwrap_or(Mutability::ReadWrite);
    let is_secret = mutability == Mutability::WriteOnly;
    let mut attribute = Attribute::new(name, kind)
        .described(reader.text("description").unwrap_or_default())
        .mutability(mutability)
        .unique(
            reader
                .choice("uniqueness", &UNIQUENESSES)
                .unwrap_or(Uniqueness::None),
        );
    attribute.is_multi_valued = reader.flag("multi-valued").unwrap_or(false);
    attribute.is_required = reader.flag("required").unwrap_or(false);
    attribute.is_case_exact = reader.flag("case-exact").unwrap_or(false);
    attribute.returned = reader
        .choice("returned", &RETURNED)
        .unwrap_or(if is_secret {
            Returned::Never
        } else {
            Returned::Default
        });
    attribute.canonical_values = reader
        .texts("canonical-values")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    attribute.sub_attributes = sub_attributes(reader, kind, may_be_complex);
    Some(attribute)
}

/// Definitions below a complex attribute; there is no third level (RFC 7643 §2.3.8).
fn sub_attributes(
    reader: &Reader<'_>,
    kind: AttributeType,
    may_be_complex: bool,
) -> Vec<Attribute> {
    if kind != AttributeType::Complex {
        return Vec::new();
    }
    if !may_be_complex {
        reader.context.error(
            "mapping::bad-value",
            reader.place,
            "A sub-attribute cannot be complex itself.".to_owned(),
            "RFC 7643 §2.3.8 has no third level",
        );
        return Vec::new();
    }
    let Some(node) = reader.node("sub-attributes") else {
        reader.missing("sub-attributes");
        return Vec::new();
    };
    let Content::List(items) = &node.content else {
        reader.wrong_type("sub-attributes", node);
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| Reader::new(reader.context, item, &ATTRIBUTE))
        .filter_map(|sub| definition_of(&sub, false))
        .collect()
}

static TYPES: [(&str, AttributeType); 8] = [
    ("string", AttributeType::String),
    ("boolean", AttributeType::Boolean),
    ("decimal", AttributeType::Decimal),
    ("integer", AttributeType::Integer),
    ("dateTime", AttributeType::DateTime),
    ("binary", AttributeType::Binary),
    ("reference", AttributeType::Reference),
    ("complex", AttributeType::Complex),
];

static MUTABILITIES: [(&str, Mutability); 4] = [
    ("readOnly", Mutability::ReadOnly),
    ("readWrite", Mutability::ReadWrite),
    ("immutable", Mutability::Immutable),
    ("writeOnly", Mutability::WriteOnly),
];

static RETURNED: [(&str, Returned); 4] = [
    ("always", Returned::Always),
    ("never", Returned::Never),
    ("default", Returned::Default),
    ("request", Returned::Request),
];

static UNIQUENESSES: [(&str, Uniqueness); 3] = [
    ("none", Uniqueness::None),
    ("server", Uniqueness::Server),
    ("global", Uniqueness::Global),
];

/// The lines of a section, empty if it has none.
pub(super) fn lines<'t>(section: &Reader<'t>) -> Option<&'t Table> {
    section.node("attributes").and_then(Node::as_table)
}
