//! N8. Who: Entra (ENTRA-19). A complex attribute with a `value` sub-attribute comes as a bare string, the manager first
//! of all: `"manager": "u1"` becomes `"manager": {"value": "u1"}`. Case: `entra/manager_forms.json`.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{Mending, everyone};
use crate::{dialect::context::Mender, scim::Attribute};

pub(in crate::dialect) const MENDING: Mending = everyone("N8", &["ENTRA-19"]);

/// Wraps a bare string or number for a complex attribute that has a `value`.
pub(in crate::dialect) fn mend(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    value: Value,
) -> Value {
    let is_bare = matches!(value, Value::String(_) | Value::Number(_));
    let Some(sub) = attribute.sub("value").filter(|_| is_bare) else {
        return value;
    };
    if !m.is_on(&MENDING) {
        return value;
    }
    m.note(
        &MENDING,
        format!(
            "`{name}` came as a bare value and was read as its `{}`",
            sub.name
        ),
    );
    Value::Object(Map::from_iter([(sub.name.clone(), value)]))
}

/// Reads the `value` of a reference out of its `$ref` where that is all it has: `…/Users/u1` names the user `u1`.
pub(in crate::dialect) fn from_location(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    element: &mut Map<String, Value>,
) {
    let is_reference = attribute.sub("value").is_some() && attribute.sub("$ref").is_some();
    if !is_reference || element.contains_key("value") || !m.is_on(&MENDING) {
        return;
    }
    let location = element.get("$ref").and_then(Value::as_str);
    let Some((kind, id)) = location.and_then(named) else {
        return;
    };
    // Without a place for the type only users are meant.
    if attribute.sub("type").is_some() {
        element.entry("type").or_insert_with(|| Value::from(kind));
    } else if kind != "User" {
        return;
    }
    element.shift_remove("$ref");
    element.insert("value".to_owned(), Value::String(id));
    m.note(
        &MENDING,
        format!("`{name}` had a `$ref` alone, which was read as its `value`"),
    );
}

/// The type and id at the end of a location.
fn named(location: &str) -> Option<(&'static str, String)> {
    let (front, id) = location.rsplit_once('/')?;
    let endpoint = front.rsplit('/').next()?;
    let kind = match endpoint.to_ascii_lowercase().as_str() {
        "users" => "User",
        "groups" => "Group",
        _ => return None,
    };
    let id = percent_decode_str(id).decode_utf8().ok()?;
    (!id.is_empty() && !id.contains(['?', '#'])).then(|| (kind, id.into_owned()))
}
