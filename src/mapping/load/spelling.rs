//! Attribute paths as other tools spell them, and what is meant.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    diagnostic::Place,
    scim::{PatchPath, ResourceType, schema::builtin},
};

use super::{
    context::Context,
    tree::{Entry, Table},
};

/// The attribute path that is probably meant, such as `emails[type eq "work"].value` for `emails[type="work"]`.
pub(super) fn meant(text: &str, resource_type: &ResourceType) -> Option<String> {
    of_enterprise(text, resource_type)
        .or_else(|| of_brackets(text, resource_type))
        .or_else(|| of_dots(text, resource_type))
}

/// An attribute of the enterprise extension under a short or a wrong name of it.
fn of_enterprise(text: &str, resource_type: &ResourceType) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if resource_type.name != "User" || !lower.contains("enterprise") {
        return None;
    }
    let enterprise = builtin::enterprise_user();
    let parts: Vec<&str> = text.split(['.', ':', '/']).collect();
    let last = parts.len().checked_sub(1)?;
    let of = |at: usize| enterprise.attribute(parts.get(at)?);
    if let Some(attribute) = of(last) {
        return Some(format!("{}:{}", enterprise.id, attribute.name));
    }
    let attribute = of(last.checked_sub(1)?)?;
    let sub = attribute.sub(parts.get(last)?)?;
    Some(format!("{}:{}.{}", enterprise.id, attribute.name, sub.name))
}

/// Brackets with another operator, other quotes, none, or as in JSONPath.
fn of_brackets(text: &str, resource_type: &ResourceType) -> Option<String> {
    let parts = BRACKETS.as_ref()?.captures(text)?;
    let part = |name: &str| parts.name(name).map_or("", |found| found.as_str());
    let attribute = resource_type.schema.attribute(part("attribute"))?;
    let (name, value) = match (part("name"), part("value")) {
        ("", value) if value.is_empty() || value == "*" || value.parse::<u32>().is_ok() => {
            let kinds = &attribute.sub("type")?.canonical_values;
            ("type", kinds.first().map_or("work", String::as_str))
        }
        ("", value) if value.contains(char::is_whitespace) => return None,
        ("", value) => ("type", value),
        pair => pair,
    };
    let value = match value {
        "true" | "false" => value.to_owned(),
        value => format!("\"{value}\""),
    };
    let rest = match part("rest") {
        "" if attribute.sub("value").is_some() => ".value",
        rest => rest,
    };
    known(
        format!("{}[{name} eq {value}]{rest}", attribute.name),
        resource_type,
    )
}

/// `emails.work`, `emails.work.value`, `workEmail`.
fn of_dots(text: &str, resource_type: &ResourceType) -> Option<String> {
    let mut parts = text.split(['.', '/', ':']);
    let attribute = resource_type.schema.attribute(parts.next()?)?;
    let kind = parts.next()?;
    let kinds = &attribute.sub("type")?.canonical_values;
    let kind = kinds.iter().find(|one| one.eq_ignore_ascii_case(kind))?;
    let rest = parts.next().unwrap_or("value");
    known(
        format!("{}[type eq \"{kind}\"].{rest}", attribute.name),
        resource_type,
    )
}

/// The path, if the resource type has it.
fn known(path: String, resource_type: &ResourceType) -> Option<String> {
    let parsed = PatchPath::parse(&path).ok()?;
    let attribute = resource_type.resolve(&parsed.path)?.attribute?;
    let sub = parsed.sub_attribute.as_deref();
    sub.is_none_or(|sub| attribute.sub(sub).is_some())
        .then_some(path)
}

static BRACKETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^(?<attribute>\w+)\[\??\(?\s*(?:@?\.?(?<name>\w+)\s*(?:===?|=|:|\beq\b|\bEQ\b|\bis\b)\s*)?
        ["']?(?<value>[^"'\])]*?)["']?\s*\)?\](?<rest>(?:\.\w+)?)$"#,
    )
    .ok()
});

/// Complains about `name.givenName = …` without quotes: TOML reads a table `name` with a key `givenName`.
pub(super) fn is_unquoted(
    context: &Context<'_>,
    entry: &Entry,
    resource_type: &ResourceType,
) -> bool {
    let Some(table) = entry.node.as_table() else {
        return false;
    };
    let mut found = Vec::new();
    parts(&entry.key, table, resource_type, &mut found);
    for (path, part) in &found {
        let sentence = format!(
            "`{path}` is not quoted as a whole: TOML reads a key `{}` in a table `{}`.",
            part.key, entry.key
        );
        let mending = format!("put the whole name in quotes: `'{path}' = …`");
        let place = whole(&part.place, &entry.key);
        context.error("mapping::unquoted-attribute", &place, sentence, &mending);
    }
    !found.is_empty()
}

/// The place of a dotted key from its first part on.
fn whole(last: &Place, first: &str) -> Place {
    let before = last.file.text.get(..last.span.start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let start = before
        .get(line..)
        .and_then(|before| before.find(first))
        .map_or(last.span.start, |at| line + at);
    Place::new(&last.file, start..last.span.end)
}

/// The keys of a table that make an attribute path with its name, at any depth.
fn parts<'t>(
    name: &str,
    table: &'t Table,
    resource_type: &ResourceType,
    found: &mut Vec<(String, &'t Entry)>,
) {
    let is_field_or_line = ["field", "read", "write", "items", "keep"]
        .iter()
        .any(|key| table.entry(key).is_some());
    for entry in table.entries.iter().filter(|_| !is_field_or_line) {
        let path = format!("{name}.{}", entry.key);
        let meant = match known(path.clone(), resource_type) {
            Some(path) => Some(path),
            None => meant(&path, resource_type),
        };
        match (meant, entry.node.as_table()) {
            (Some(meant), _) => found.push((meant, entry)),
            (None, Some(below)) => parts(&path, below, resource_type, found),
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_other_spellings_are_known() {
        let user = ResourceType::user(Vec::new());
        let work = "emails[type eq \"work\"].value";
        for text in [
            "emails[type=\"work\"].value",
            "emails[type == 'work'].value",
            "emails[type eq work]",
            "emails[?(@.type==\"work\")].value",
            "emails[0].value",
            "emails[*]",
            "emails[work].value",
            "emails.work",
            "emails.work.value",
        ] {
            assert_eq!(meant(text, &user).as_deref(), Some(work), "{text}");
        }
        let department = format!("{}:department", builtin::enterprise_user().id);
        for text in [
            "enterprise.department",
            "enterprise:Department",
            "urn:enterprise:User.department",
        ] {
            assert_eq!(
                meant(text, &user).as_deref(),
                Some(department.as_str()),
                "{text}"
            );
        }
        assert_eq!(
            meant("emails[primary = true].value", &user).as_deref(),
            Some("emails[primary eq true].value")
        );
        for text in [
            "",
            "name.first",
            "emails[",
            "emails[type gt 5].value",
            "enterprise",
            "shoe.size",
        ] {
            assert_eq!(meant(text, &user), None, "{text}");
        }
    }
}
