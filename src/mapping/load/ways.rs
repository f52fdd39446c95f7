//! How an attribute line is read and written, and keys of it that contradict each other.

use crate::{
    mapping::{
        model::{Read, Write},
        path::{FieldPlace, JsonPath},
        template::Template,
    },
    scim::Mutability,
};

use super::{
    context::Context,
    location::Found,
    reader::Reader,
    syntax,
    tree::{Entry, Node},
};

/// A field for reading and writing.
pub(super) fn both_ways(
    context: &Context<'_>,
    node: &Node,
    is_read_only: bool,
) -> Option<(JsonPath, Option<FieldPlace>)> {
    let text = node.as_text().unwrap_or("");
    if node.as_text().is_some_and(str::is_empty) {
        context.error(
            "mapping::bad-place",
            &node.place,
            "The field has no name.".to_owned(),
            "name the field: `'login'`; `{ keep = true }` needs none",
        );
        return None;
    }
    if text.contains('{') && !text.starts_with('$') {
        context.error(
            "mapping::bad-place",
            &node.place,
            format!("`{text}` is a template, not a field."),
            "a template is read only: `{ read = \"…\" }`; to write one: `{ write = 'field', value = \"…\" }`",
        );
        return None;
    }
    let read = syntax::path(context, node)?;
    let write = if is_read_only {
        None
    } else {
        Some(syntax::place(context, node)?)
    };
    Some((read, write))
}

/// How a line is read and written.
pub(super) struct Ways {
    pub read: Option<Read>,
    pub write: Option<Write>,
    /// Whether the line names a field at all.
    pub has_field: bool,
    /// Whether the schema and the line let a field be read.
    pub may_read: bool,
    /// Whether the schema and the line let a field be written.
    pub may_write: bool,
}

impl Ways {
    pub fn of(reader: &Reader<'_>, entry: &Entry, found: &Found<'_>) -> Option<Self> {
        let context = reader.context;
        let is_read_only = reader.flag("read-only").unwrap_or(false);
        let is_write_only = reader.flag("write-only").unwrap_or(false);
        let schema_reads = found.leaf.mutability != Mutability::WriteOnly;
        let schema_writes = !found.resolved.is_read_only();
        if let (false, Some(write)) = (schema_writes, reader.entry("write")) {
            let sentence = format!(
                "`{}` is read-only in SCIM: nothing would ever be written.",
                entry.key
            );
            context.error(
                "mapping::read-only-attribute",
                &write.place,
                sentence,
                "leave out `write`",
            );
        }
        if let (false, Some(read)) = (schema_reads, reader.entry("read")) {
            let sentence = format!(
                "`{}` is never shown: reading it would put a secret into answers.",
                entry.key
            );
            context.error(
                "mapping::secret-attribute-read",
                &read.place,
                sentence,
                "leave out `read`",
            );
        }
        let may_read = schema_reads && !is_write_only;
        let may_write = schema_writes && !is_read_only;
        let (mut read, mut place) = (None, None);
        if let Some(node) = reader.node("field") {
            let (path, field) = both_ways(context, node, !may_write || reader.has("write"))?;
            read = Some(Read::Path(path));
            place = field;
        }
        if let Some(node) = reader.node("read") {
            read = Some(syntax::read(context, node)?);
        }
        if reader.has("write") {
            place = Some(syntax::place_at(reader, "write")?);
        }
        let value = value(reader);
        let has_field = read.is_some() || place.is_some() || reader.has("items");
        Some(Self {
            read: read.filter(|_| may_read),
            write: place
                .filter(|_| may_write)
                .map(|place| Write { place, value }),
            has_field,
            may_read,
            may_write,
        })
    }
}

/// What is written instead of the value.
fn value(reader: &Reader<'_>) -> Option<Template> {
    let node = reader.node("value")?;
    if node.as_table().is_some() {
        reader.context.error(
            "mapping::wrong-type",
            &node.place,
            "`value` is a text with `{…}` in it, not a table.".to_owned(),
            "pairs of SCIM's value and the application's are `values`",
        );
        return None;
    }
    syntax::template(reader.context, node)
}

/// Keys that contradict each other.
pub(super) fn contradictions(reader: &Reader<'_>, ways: &Ways) {
    let both = |one: &str, other: &str| {
        let is_other = if ["write-only", "unique", "required"].contains(&other) {
            reader.flag(other) == Some(true)
        } else {
            reader.has(other)
        };
        reader.flag(one) == Some(true) && is_other
    };
    for (one, other) in [
        ("read-only", "write-only"),
        ("read-only", "write"),
        ("read-only", "value"),
        ("read-only", "on-create"),
        ("read-only", "create-only"),
        ("read-only", "unique"),
        ("read-only", "required"),
        ("read-only", "pattern"),
        ("read-only", "max-length"),
        ("read-only", "when-removed"),
        ("write-only", "read"),
    ] {
        if both(one, other) {
            conflict(
                reader,
                other,
                &format!("`{one}` and `{other}` contradict each other."),
                "keep one of them",
            );
        }
    }
    for key in ["each", "if", "constants"] {
        if reader.has(key) && !reader.has("items") {
            conflict(
                reader,
                key,
                &format!("`{key}` has no meaning without `items`."),
                "name the list: `items = 'contacts'`",
            );
        }
    }
    for key in ["field", "read", "write"] {
        if reader.has(key) && reader.has("items") {
            conflict(
                reader,
                key,
                &format!("`{key}` and `items` contradict each other."),
                "`items` with `each` says both directions",
            );
        }
    }
    for key in ["on-create", "when-removed"] {
        let is_contradicted = reader.flag("read-only") == Some(true);
        if reader.has(key) && ways.write.is_none() && !reader.has("items") && !is_contradicted {
            conflict(
                reader,
                key,
                &format!("`{key}` has no meaning for a line that writes nothing."),
                "name the field: `write = 'field'`",
            );
        }
    }
    if reader.has("value") && ways.write.is_none() && reader.flag("read-only") != Some(true) {
        conflict(
            reader,
            "value",
            "`value` is written nowhere.",
            "name the field: `write = 'field'`",
        );
    }
}

/// Complains about a key that does not go with the others.
pub(super) fn conflict(reader: &Reader<'_>, key: &str, sentence: &str, mending: &str) {
    let place = reader.entry(key).map_or(reader.place, |entry| &entry.place);
    reader.context.error(
        "mapping::conflicting-keys",
        place,
        sentence.to_owned(),
        mending,
    );
}
