//! Keys of `[….attributes]`: places in a resource.

use serde_json::Value;

use crate::{
    diagnostic::{Place, closest},
    mapping::model::Location,
    scim::{
        Attribute, AttributePath, CompareOp, Filter, PatchPath, Resolved, ResourceType,
        schema::builtin,
    },
};

use super::{context::Context, spelling, tree::Entry};

/// A place in a resource, and what the schema says about it.
pub(super) struct Found<'r> {
    pub location: Location,
    pub resolved: Resolved<'r>,
    /// The definition the location ends at.
    pub leaf: &'r Attribute,
}

/// Reads a key such as `emails[type eq "work"].value`.
pub(super) fn location<'r>(
    context: &Context<'_>,
    entry: &Entry,
    resource_type: &'r ResourceType,
) -> Option<Found<'r>> {
    let text = entry.key.as_str();
    let parsed = match PatchPath::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let node = super::tree::Node {
                content: super::tree::Content::Text(entry.key.clone()),
                place: entry.place.clone(),
            };
            let at = error.position.min(text.len().saturating_sub(1));
            let place = context.within(&node, text, at..text.len());
            let sentence = format!("`{text}` is not an attribute path: {}.", error.message);
            let mending = spelling::meant(text, resource_type);
            let mending =
                mending.map_or_else(String::new, |meant| format!("did you mean `{meant}`?"));
            context.error("mapping::bad-attribute-path", &place, sentence, &mending);
            return None;
        }
    };
    let Some(resolved) = resource_type
        .resolve(&parsed.path)
        .filter(|r| r.attribute.is_some())
    else {
        complain_unknown(context, &entry.place, &parsed.path, resource_type);
        return None;
    };
    let attribute = resolved.attribute?;
    if is_elsewhere(context, entry, attribute) {
        return None;
    }
    match &parsed.filter {
        Some(filter) => element(context, entry, &parsed, filter, resolved),
        None => single(context, entry, resolved),
    }
}

/// A path without brackets.
fn single<'r>(context: &Context<'_>, entry: &Entry, resolved: Resolved<'r>) -> Option<Found<'r>> {
    let leaf = resolved.leaf()?;
    let attribute = resolved.attribute?;
    if attribute.is_multi_valued && resolved.sub_attribute.is_some() {
        let kind = attribute
            .sub("type")
            .and_then(|sub| sub.canonical_values.first());
        let kind = kind.map_or("work", String::as_str);
        context.error(
            "mapping::several-values",
            &entry.place,
            format!(
                "`{}` has several values: `{}` does not say which.",
                attribute.name, entry.key
            ),
            &format!(
                "name one, `{}[type eq \"{kind}\"].{}`, or all, `{} = {{ items = …, each = … }}`",
                attribute.name, leaf.name, attribute.name
            ),
        );
        return None;
    }
    let location = Location {
        path: resolved.canonical(),
        element: None,
        sub_attribute: None,
    };
    Some(Found {
        location,
        resolved,
        leaf,
    })
}

/// A path with brackets.
fn element<'r>(
    context: &Context<'_>,
    entry: &Entry,
    parsed: &PatchPath,
    filter: &Filter,
    resolved: Resolved<'r>,
) -> Option<Found<'r>> {
    let attribute = resolved.attribute?;
    let complain = |code, sentence: String, mending: &str| {
        context.error(code, &entry.place, sentence, mending);
    };
    if !attribute.is_multi_valued {
        let sentence = format!(
            "`{}` has one value: brackets choose nothing.",
            attribute.name
        );
        complain("mapping::one-value", sentence, "leave out the brackets");
        return None;
    }
    let Some(conditions) = equalities(filter) else {
        let sentence = format!("`{}` does not name one value for sure.", entry.key);
        complain(
            "mapping::bad-attribute-path",
            sentence,
            "compare with `eq` and join with `and`: `emails[type eq \"work\"].value`",
        );
        return None;
    };
    let mut element = Vec::new();
    for (name, value) in conditions {
        let Some(sub) = attribute.sub(&name) else {
            unknown_sub(context, &entry.place, attribute, &name);
            return None;
        };
        element.push((sub.name.clone(), value));
    }
    let (leaf, sub_attribute) = match &parsed.sub_attribute {
        None => (attribute, None),
        Some(name) => match attribute.sub(name) {
            Some(sub) => (sub, Some(sub.name.clone())),
            None => {
                unknown_sub(context, &entry.place, attribute, name);
                return None;
            }
        },
    };
    let path = AttributePath {
        sub_attribute: None,
        ..resolved.canonical()
    };
    let location = Location {
        path,
        element: Some(element),
        sub_attribute,
    };
    Some(Found {
        location,
        resolved,
        leaf,
    })
}

/// The terms of a filter that is nothing but `a eq x and b eq y`.
fn equalities(filter: &Filter) -> Option<Vec<(String, Value)>> {
    match filter {
        Filter::Compare(path, CompareOp::Eq, value)
            if path.schema.is_none() && path.sub_attribute.is_none() && !value.is_null() =>
        {
            Some(vec![(path.attribute.clone(), value.clone())])
        }
        Filter::And(filters) => {
            let parts: Option<Vec<_>> = filters.iter().map(equalities).collect();
            Some(parts?.concat())
        }
        _ => None,
    }
}

/// Attributes that are said elsewhere in the section.
fn is_elsewhere(context: &Context<'_>, entry: &Entry, attribute: &Attribute) -> bool {
    let mending = match attribute.name.as_str() {
        "id" => "say where it is with `id = '$.…'` in the section",
        "schemas" => "it is made from the attributes that are there",
        "groups" => "say how they are read in `[user.groups]`",
        "members" => "say how they are read and written in `[group.members]`",
        _ => return false,
    };
    context.error(
        "mapping::not-an-attribute-line",
        &entry.place,
        format!("`{}` is not mapped by a line of its own.", attribute.name),
        mending,
    );
    true
}

/// Complains about an attribute that the schemas do not have.
pub(super) fn complain_unknown(
    context: &Context<'_>,
    place: &Place,
    path: &AttributePath,
    resource_type: &ResourceType,
) {
    let urn = path.schema.as_deref();
    let is_known_urn = urn.is_none_or(|urn| {
        resource_type.schema.id.eq_ignore_ascii_case(urn) || resource_type.extension(urn).is_some()
    });
    if !is_known_urn {
        let urn = urn.unwrap_or("");
        let extensions = resource_type.extensions.iter();
        let near = closest(urn, extensions.map(|e| e.schema.id.as_str()));
        let meant = spelling::meant(&path.to_string(), resource_type);
        let mending = match meant.as_deref().or(near) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("define it: `[schema.\"{urn}\"]`"),
        };
        context.error(
            "mapping::unknown-schema",
            place,
            format!("`{urn}` is not a schema of `{}`.", resource_type.name),
            &mending,
        );
        return;
    }
    let mending = match suggestion(path, resource_type) {
        Some(near) => format!("did you mean `{near}`?"),
        None => elsewhere(path, resource_type),
    };
    context.error(
        "mapping::unknown-attribute",
        place,
        format!("`{path}` is not an attribute of `{}`.", resource_type.name),
        &mending,
    );
}

/// What to do about an attribute that nothing here is like.
fn elsewhere(path: &AttributePath, resource_type: &ResourceType) -> String {
    let of_users = || builtin::user().attribute(&path.attribute).is_some();
    match resource_type.name.as_str() {
        "Group" if path.attribute == "name" => "did you mean `displayName`?".to_owned(),
        "User" if path.attribute == "members" => {
            "members belong to groups: `[group.members]`".to_owned()
        }
        "Group" if of_users() => format!(
            "`{}` is an attribute of users: move the line to `[user.attributes]`",
            path.attribute
        ),
        _ => "the attributes are those of RFC 7643 and of `[schema.\"urn:…\"]`; the application's field stands on the right"
            .to_owned(),
    }
}

/// The attribute that was probably meant.
fn suggestion(path: &AttributePath, resource_type: &ResourceType) -> Option<String> {
    let sub = path.sub_attribute.as_deref();
    if path.schema.is_none() {
        if let Some(found) = resource_type
            .resolve_in_extensions(&path.attribute, sub)
            .first()
        {
            return Some(found.canonical().to_string());
        }
        let enterprise = builtin::enterprise_user();
        if resource_type.name == "User"
            && sub.is_none()
            && let Some(found) = enterprise.attribute(&path.attribute)
        {
            return Some(format!("{}:{}", enterprise.id, found.name));
        }
    }
    if let Some(meant) = spelling::meant(&path.to_string(), resource_type) {
        return Some(meant);
    }
    let known = known_paths(resource_type, path.schema.as_deref());
    let wanted = AttributePath {
        schema: None,
        ..path.clone()
    }
    .to_string();
    if let Some(near) = KNOWN_ALIASES
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(&wanted))
    {
        return Some(near.1.to_owned());
    }
    let near = closest(&wanted, known.iter().map(String::as_str))?;
    Some(match &path.schema {
        Some(schema) => format!("{schema}:{near}"),
        None => near.to_owned(),
    })
}

/// Names that people use for attributes that are called otherwise.
const KNOWN_ALIASES: [(&str, &str); 14] = [
    ("name.firstName", "name.givenName"),
    ("name.lastName", "name.familyName"),
    ("firstName", "name.givenName"),
    ("lastName", "name.familyName"),
    ("givenName", "name.givenName"),
    ("familyName", "name.familyName"),
    ("email", "emails[type eq \"work\"].value"),
    ("mail", "emails[type eq \"work\"].value"),
    ("login", "userName"),
    ("enabled", "active"),
    ("status", "active"),
    ("phone", "phoneNumbers[type eq \"work\"].value"),
    ("phoneNumber", "phoneNumbers[type eq \"work\"].value"),
    ("meta.modified", "meta.lastModified"),
];

fn known_paths(resource_type: &ResourceType, urn: Option<&str>) -> Vec<String> {
    let schema = urn
        .and_then(|urn| resource_type.extension(urn))
        .unwrap_or(&resource_type.schema);
    let common = crate::scim::schema::resolve::common_attributes();
    let mut paths = Vec::new();
    for attribute in schema.attributes.iter().chain(common) {
        paths.push(attribute.name.clone());
        for sub in &attribute.sub_attributes {
            paths.push(format!("{}.{}", attribute.name, sub.name));
        }
    }
    paths
}

pub(super) fn unknown_sub(context: &Context<'_>, place: &Place, attribute: &Attribute, name: &str) {
    let names = attribute.sub_attributes.iter().map(|sub| sub.name.as_str());
    let mending = match closest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "it has {}",
            super::shape::one_of(&names.collect::<Vec<_>>())
        ),
    };
    context.error(
        "mapping::unknown-attribute",
        place,
        format!("`{name}` is not a sub-attribute of `{}`.", attribute.name),
        &mending,
    );
}
