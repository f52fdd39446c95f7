//! One line of `[….attributes]`: which field an attribute is, and what is said about it.

use serde_json::Value;

use super::{
    document::type_of,
    fields::Field,
    names::Usual,
    sheet::{Row, literal},
};

/// The field that has the likeliest of an attribute's usual names: one that is shown, if there is one. Where it cannot be
/// written and another one of these names can, that is written.
pub(super) fn pick<'f, 'd>(
    usual: &Usual,
    fields: &'f [Field<'d>],
    used: &[&str],
) -> Option<(&'f Field<'d>, Option<&'f Field<'d>>)> {
    let can_be = |field: &Field<'_>| match usual.attribute {
        "password" => field.is_written(),
        attribute if attribute.starts_with("meta.") => field.is_read,
        _ => true,
    };
    let is_plain = |field: &&Field<'_>| {
        !used.contains(&field.path.as_str())
            && can_be(field)
            && ["string", "integer", "number", ""].contains(&type_of(field.schema))
    };
    let named: Vec<&Field<'_>> = usual
        .fields
        .iter()
        .flat_map(|name| {
            fields
                .iter()
                .filter(is_plain)
                .filter(|field| field.is_named(name))
        })
        .collect();
    let is_address = |field: &&Field<'_>| {
        usual.attribute == WORK_MAIL
            && field.is_own()
            && field.schema.get("format").is_some_and(|f| f == "email")
    };
    let shown = named.iter().find(|field| field.is_read);
    let Some(found) = shown.or(named.first()).copied() else {
        return Some((fields.iter().filter(is_plain).find(is_address)?, None));
    };
    // Another one that is only written is the same thing by another name.
    let writer = named
        .iter()
        .find(|field| field.is_written() && !field.is_read)
        .filter(|_| !found.is_written());
    Some((found, writer.copied()))
}

/// A line whose value is read at one place and written to another.
pub(super) struct Source<'f, 'd> {
    /// Where it is read.
    pub path: &'f str,
    /// Where it is written.
    pub field: &'f Field<'d>,
}

impl Source<'_, '_> {
    /// The line.
    pub fn row(&self, attribute: &'static str, can_update: bool, is_person: bool) -> Row {
        let shown = Field {
            is_read: true,
            ..self.field.clone()
        };
        let mut row = row(attribute, &shown, can_update, is_person);
        let written = literal(&self.field.path);
        let read = literal(&format!("$.{}", self.path));
        let both = format!("write = {written}, read = {read}");
        row.value = if row.value == written {
            format!("{{ {both} }}")
        } else {
            row.value.replacen(&format!("field = {written}"), &both, 1)
        };
        let words = format!("shown as `{}`, written as `{}`", self.path, self.field.path);
        row.remark = match row.remark {
            Some(known) => Some(format!("{known}; {words}")),
            None => Some(format!("guess: {words}")),
        };
        row
    }
}

/// One line. What a person's record must have and SCIM need not is made of the user name.
pub(super) fn row(
    attribute: &'static str,
    field: &Field<'_>,
    can_update: bool,
    is_person: bool,
) -> Row {
    let mut parts = vec![format!("field = {}", literal(&field.path))];
    let mut remarks = Vec::new();
    let is_meta = attribute.starts_with("meta.");
    let is_number = type_of(field.schema) == "integer";
    if is_meta || !field.is_written() {
        parts.push("read-only = true".into());
    }
    if !field.is_read {
        parts.push("write-only = true".into());
    }
    if field.is_created && !field.is_updated && can_update && !is_meta {
        parts.push("create-only = true".into());
        remarks.push("the update's body has no such field".to_owned());
    }
    match attribute {
        "password" => parts.push("on-create = \"{random(24)}\"".into()),
        "userName" | WORK_MAIL if field.is_required => parts.push("required = true".into()),
        _ if is_person
            && field.is_required
            && (attribute == "displayName" || attribute.starts_with("name.")) =>
        {
            parts.push(fallback(attribute).into());
        }
        _ if field.is_required => parts.push("required = true".into()),
        _ => {}
    }
    if attribute.ends_with(":manager") {
        parts.push("reference = \"User\"".into());
    }
    if is_number {
        let (form, remark) = if is_meta {
            (
                "epoch-seconds",
                Some("seconds since 1970; \"epoch-milliseconds\" otherwise"),
            )
        } else {
            ("integer", None)
        };
        parts.push(format!("as = \"{form}\""));
        remarks.extend(remark.map(str::to_owned));
    }
    let is_limited = field.is_written() && !is_meta && attribute != "password";
    let most = field.schema.get("maxLength").and_then(Value::as_u64);
    if let Some(most) = most.filter(|most| is_limited && (1..=100_000).contains(most)) {
        parts.push(format!("max-length = {most}"));
    }
    let value = match parts.as_slice() {
        [_] => literal(&field.path),
        _ => format!("{{ {} }}", parts.join(", ")),
    };
    let row = Row::new(literal(attribute), value);
    if remarks.is_empty() {
        row
    } else {
        row.guess(remarks.join("; "))
    }
}

/// What SCIM need not have and the application must.
fn fallback(attribute: &str) -> &'static str {
    match attribute {
        "displayName" => {
            "on-create = \"{name.formatted | default(userName)}\", when-removed = \"skip\""
        }
        _ => "on-create = \"{userName}\", when-removed = \"skip\"",
    }
}

/// The attribute that an address is.
pub(super) const WORK_MAIL: &str = "emails[type eq \"work\"].value";
