//! Lines of `[….attributes]`: a SCIM location and a field.

use crate::{
    mapping::model::{AttributeRule, Form, Read, WhenRemoved, Write},
    scim::{Attribute, Mutability, ResourceType},
};

use super::{
    context::Context,
    each::{PART, each},
    form::{self, AS_KEY, UNKNOWN_KEY, VALUES_KEY},
    location::{self, Found},
    reader::Reader,
    shape::{Kind, Shape, key},
    spelling, syntax,
    tree::{Content, Entry, Table},
    ways::{Ways, both_ways, contradictions},
};

static REMOVED_VALUE: Shape = Shape {
    name: "a value for removal",
    about: "What the field gets instead.",
    keys: &[key(
        "value",
        Kind::Tree,
        "required",
        "The value. Templates in it know `settings` alone.",
        "\"{settings.nobody}\"",
    )],
    base: None,
    others: None,
};

/// A line as a table.
pub(super) static LINE: Shape = Shape {
    name: "a line of `[….attributes]`",
    about: "Ties a place in the SCIM resource to a field. A text `'login'` stands for `{ field = 'login' }`.",
    keys: &[
        key(
            "field",
            Kind::Path,
            "",
            "The field, for reading and for writing: `a.b[0]`, `list[key=value].member`, or a JSONPath that names one place.",
            "'login'",
        ),
        key(
            "read",
            Kind::OneOf(&[Kind::Path, Kind::Template]),
            "`field`",
            "Where it is read: a JSONPath, a field, or text put together from fields.",
            "\"{firstname} {lastname}\"",
        ),
        key(
            "write",
            Kind::Place,
            "`field`",
            "Where it is written.",
            "'profile.mail'",
        ),
        key(
            "value",
            Kind::Template,
            "the attribute's value",
            "What is written; the names are the resource's attributes and `value`.",
            "\"{value | lower}\"",
        ),
        VALUES_KEY,
        UNKNOWN_KEY,
        AS_KEY,
        key(
            "required",
            Kind::Flag,
            "false",
            "A create without it is refused with 400 before any call.",
            "true",
        ),
        key(
            "read-only",
            Kind::Flag,
            "what the schema says",
            "Never written.",
            "true",
        ),
        key(
            "write-only",
            Kind::Flag,
            "what the schema says",
            "Never read. The line needs no field if a call that writes names the attribute: `{password}` in `set-password`.",
            "true",
        ),
        key(
            "create-only",
            Kind::Flag,
            "false",
            "Written by a create only; a later change is refused with 400 `mutability`. The line needs no field if a call of `create` names the attribute, as in `PUT /users/{userName}`.",
            "true",
        ),
        key(
            "unique",
            Kind::Flag,
            "false: the application refuses it, or does not mind",
            "Looked up by the attribute's `find` before it is written; if another object has the value, the client gets 409 `uniqueness`.",
            "true",
        ),
        key(
            "on-create",
            Kind::Template,
            "nothing",
            "What the field gets at creation when the client gives no value.",
            "\"{random(24)}\"",
        ),
        key(
            "when-removed",
            Kind::OneOf(&[
                Kind::Choice(&["null", "empty", "element", "skip", "refuse"]),
                Kind::Table(&REMOVED_VALUE),
            ]),
            "\"null\"; \"empty\" for lists, \"element\" for a field in a keyed element (`mails[kind=\"work\"].address`), \"skip\" for `active` and secrets, \"refuse\" for required ones",
            "What the field gets when the attribute is removed: null, `\"\"` or `[]`, the list without the element that holds it (`element`), nothing at all (`skip`), or the client gets 400 `mutability`; `{ value = … }` for a value.",
            "\"empty\"",
        ),
        key(
            "when-absent",
            Kind::Any,
            "the attribute is absent",
            "What the attribute reads as when the field is absent or null.",
            "true",
        ),
        key(
            "keep",
            Kind::Flag,
            "false",
            "The gateway keeps the client's value. Without a field the attribute is kept here alone; with one the client is shown its own spelling.",
            "true",
        ),
        key(
            "reference",
            Kind::Text,
            "the value is no reference",
            "The value names a resource of this type: SCIM ids and the application's ids are exchanged.",
            "\"User\"",
        ),
        key(
            "pattern",
            Kind::Pattern,
            "any",
            "What a value must look like; checked before any call.",
            "'^[a-z0-9_]+$'",
        ),
        key(
            "max-length",
            Kind::Count,
            "any",
            "Characters at most; checked before any call.",
            "60",
        ),
        key(
            "items",
            Kind::Place,
            "",
            "For an attribute with several values, as a whole: the list.",
            "'contacts'",
        ),
        key(
            "each",
            Kind::OneOf(&[
                Kind::Place,
                Kind::Named(&Kind::OneOf(&[Kind::Place, Kind::Table(&PART)])),
            ]),
            "the value itself",
            "With `items`: sub-attributes and their fields in an element. `''` is the element itself.",
            "{ value = 'address', type = 'label' }",
        ),
        key(
            "if",
            Kind::Expression,
            "all",
            "With `items`: only elements for which this holds.",
            "'kind == \"mail\"'",
        ),
        key(
            "constants",
            Kind::Named(&Kind::Tree),
            "none",
            "With `items`: fields of each new element: texts, numbers, booleans, lists, tables. Templates in it know `settings` alone; `\"{null}\"` is null.",
            "{ kind = \"mail\", verified = true }",
        ),
    ],
    base: None,
    others: None,
};

/// The lines of a section.
pub(super) fn rules(
    context: &Context<'_>,
    table: &Table,
    resource_type: &ResourceType,
) -> Vec<AttributeRule> {
    table
        .entries
        .iter()
        .filter(|entry| !entry.node.is_false())
        .filter_map(|entry| rule(context, entry, resource_type))
        .collect()
}

fn rule(
    context: &Context<'_>,
    entry: &Entry,
    resource_type: &ResourceType,
) -> Option<AttributeRule> {
    if spelling::is_unquoted(context, entry, resource_type) {
        return None;
    }
    let found = location::location(context, entry, resource_type);
    if entry.node.as_text().is_some() {
        return short_line(context, entry, found?);
    }
    if !matches!(entry.node.content, Content::Table(_)) {
        context.error(
            "mapping::wrong-type",
            &entry.node.place,
            format!(
                "The line of `{}` is a field or a table, not {}.",
                entry.key,
                entry.node.kind()
            ),
            "`'attribute' = 'field'`, or `'attribute' = { field = 'field', … }`",
        );
        return None;
    }
    let reader = Reader::new(context, &entry.node, &LINE)?;
    let mut found = found?;
    let is_kept = reader.flag("keep").unwrap_or(false);
    let ways = Ways::of(&reader, entry, &found)?;
    // A call may name the attribute itself: what none names is told of the whole section.
    let is_sent_by_calls = ["write-only", "create-only"]
        .iter()
        .any(|key| reader.flag(key) == Some(true));
    if !ways.has_field && !is_kept && !is_sent_by_calls {
        // A `keep` that is no flag was complained about.
        if !reader.has("keep") && !reader.has("value") {
            reader.missing("field");
        }
        return None;
    }
    let each = each(&reader, found.resolved.attribute?, &ways);
    if ways.has_field && each.is_none() && !reader.has("items") {
        whole_value(context, entry, &mut found)?;
    }
    contradictions(&reader, &ways);
    let when_removed = when_removed(&reader, &found, ways.write.as_ref(), each.is_some());
    Some(AttributeRule {
        read: ways.read,
        write: ways.write,
        values: form::values(&reader, found.leaf),
        form: form::form(&reader),
        reference: reader.text("reference"),
        is_kept,
        is_required: reader.flag("required").unwrap_or(false),
        is_create_only: reader.flag("create-only").unwrap_or(false),
        is_unique: reader.flag("unique").unwrap_or(false),
        on_create: syntax::template_at(&reader, "on-create"),
        when_removed,
        when_absent: reader
            .node("when-absent")
            .map(|node| syntax::data(context, node)),
        pattern: syntax::pattern_at(&reader, "pattern"),
        max_length: reader
            .count("max-length", 1, 1_000_000)
            .and_then(|most| usize::try_from(most).ok()),
        each,
        location: found.location,
        place: entry.place.clone(),
    })
}

/// `'userName' = 'login'`.
fn short_line(context: &Context<'_>, entry: &Entry, mut found: Found<'_>) -> Option<AttributeRule> {
    let is_read_only = found.resolved.is_read_only();
    let (read, write) = both_ways(context, &entry.node, is_read_only)?;
    whole_value(context, entry, &mut found)?;
    let is_secret = found.leaf.mutability == Mutability::WriteOnly;
    let write = write
        .filter(|_| !is_read_only)
        .map(|place| Write { place, value: None });
    Some(AttributeRule {
        read: (!is_secret).then_some(Read::Path(read)),
        when_removed: default_removal(&found, write.as_ref(), false, false),
        write,
        values: None,
        form: Form::Same,
        each: None,
        reference: None,
        is_kept: false,
        is_required: false,
        is_create_only: false,
        is_unique: false,
        on_create: None,
        when_absent: None,
        pattern: None,
        max_length: None,
        location: found.location,
        place: entry.place.clone(),
    })
}

/// A line about one value: a complex attribute stands for its `value`, and must have one.
fn whole_value(context: &Context<'_>, entry: &Entry, found: &mut Found<'_>) -> Option<()> {
    let leaf: &Attribute = found.leaf;
    if !leaf.is_complex() {
        return Some(());
    }
    let has_value = leaf.sub("value").is_some();
    if found.location.element.is_some() && has_value {
        found.location.sub_attribute = Some("value".to_owned());
    } else if !leaf.is_multi_valued && has_value {
        found.location.path.sub_attribute = Some("value".to_owned());
    } else {
        let mending = if leaf.is_multi_valued {
            format!(
                "name one: `'{0}[type eq \"work\"].value' = 'field'`; for all of them `{0} = {{ items = 'list', each = {{ value = 'field' }} }}`",
                leaf.name
            )
        } else {
            let first = leaf
                .sub_attributes
                .first()
                .map_or("value", |sub| sub.name.as_str());
            format!("name a sub-attribute: `{}.{first}`", leaf.name)
        };
        let sentence = format!(
            "`{}` has parts: a field cannot hold it as a whole.",
            entry.key
        );
        context.error(
            "mapping::attribute-with-parts",
            &entry.place,
            sentence,
            &mending,
        );
        return None;
    }
    found.leaf = leaf.sub("value")?;
    Some(())
}

fn when_removed(
    reader: &Reader<'_>,
    found: &Found<'_>,
    write: Option<&Write>,
    is_list: bool,
) -> WhenRemoved {
    let is_required = reader.flag("required").unwrap_or(false);
    let default = default_removal(found, write, is_list, is_required);
    let Some(node) = reader.node("when-removed") else {
        return default;
    };
    if node.as_text().is_none() {
        let value = reader.table("when-removed").and_then(|table| {
            if !table.has("value") {
                table.missing("value");
            }
            table.node("value")
        });
        let value = value.and_then(|node| syntax::constant(reader.context, node));
        return value.map_or(default, WhenRemoved::Value);
    }
    let words = [
        ("null", 0_u8),
        ("empty", 1),
        ("element", 2),
        ("skip", 3),
        ("refuse", 4),
    ];
    match reader.choice("when-removed", &words) {
        Some(0) => WhenRemoved::Null,
        Some(1) => WhenRemoved::Empty,
        Some(2) => WhenRemoved::Element,
        Some(3) => WhenRemoved::Skip,
        Some(_) => WhenRemoved::Refuse,
        None => default,
    }
}

fn default_removal(
    found: &Found<'_>,
    write: Option<&Write>,
    is_list: bool,
    is_required: bool,
) -> WhenRemoved {
    let is_active =
        found.location.path.schema.is_none() && found.location.path.attribute == "active";
    if is_required {
        WhenRemoved::Refuse
    } else if is_active || found.leaf.mutability == Mutability::WriteOnly {
        WhenRemoved::Skip
    } else if is_list || (found.leaf.is_multi_valued && found.location.element.is_none()) {
        WhenRemoved::Empty
    } else if write.is_some_and(|write| write.place.is_in_keyed_element()) {
        // An address of null beside the kind of address is what applications refuse or fail on.
        WhenRemoved::Element
    } else {
        WhenRemoved::Null
    }
}
