//! What a client's provider needs in an answer beyond what RFC 7644 asks, put in before the projection.

use serde_json::Value;

use crate::{mapping::model::TypeMapping, scim::Resource};

use super::context::Context;

/// Whether this client may get anything put in.
pub fn adds(ctx: &Context, t: &TypeMapping) -> bool {
    let taste = ctx.dialect.answers(&t.resource_type);
    taste.display_name_falls_back || taste.active_falls_back
}

/// Puts in what this client cannot do without.
pub fn season(ctx: &Context, t: &TypeMapping, resource: &mut Resource) {
    let taste = ctx.dialect.answers(&t.resource_type);
    let lacks = |resource: &Resource, name: &str| {
        t.resource_type.schema.attribute(name).is_some() && !resource.0.contains_key(name)
    };
    if taste.display_name_falls_back
        && lacks(resource, "displayName")
        && let Some(name) = formatted(resource)
    {
        insert(resource, "displayName", name.into());
    }
    if taste.active_falls_back && lacks(resource, "active") {
        insert(resource, "active", Value::Bool(true));
    }
}

/// In front of `meta`, where attributes stand.
fn insert(resource: &mut Resource, name: &str, value: Value) {
    let meta = resource.0.shift_remove("meta");
    resource.0.insert(name.to_owned(), value);
    if let Some(meta) = meta {
        resource.0.insert("meta".into(), meta);
    }
}

/// The formatted name; without one its parts, and without these the `userName`.
fn formatted(resource: &Resource) -> Option<String> {
    let text = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let name = resource.0.get("name");
    let part = |part: &str| text(name.and_then(|name| name.get(part)));
    if let Some(formatted) = part("formatted") {
        return Some(formatted);
    }
    match (part("givenName"), part("familyName")) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => text(resource.0.get("userName")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_for_display_is_made_of_what_there_is() {
        for (resource, expected) in [
            (
                json!({"userName": "u", "name": {"formatted": "F", "givenName": "G"}}),
                Some("F"),
            ),
            (
                json!({"userName": "u", "name": {"givenName": "G", "familyName": "N"}}),
                Some("G N"),
            ),
            (
                json!({"userName": "u", "name": {"formatted": "", "familyName": "N"}}),
                Some("N"),
            ),
            (json!({"userName": "u"}), Some("u")),
            (json!({}), None),
        ] {
            let Value::Object(map) = resource else {
                panic!("an object");
            };
            assert_eq!(formatted(&Resource(map)).as_deref(), expected);
        }
    }
}
