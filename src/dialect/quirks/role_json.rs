//! N13. Who: Entra (ENTRA-17). A role's `value` is a JSON object inside a string, `{"id":"…","value":"approver",
//! "displayName":"Approver"}`: `value` and `display` are taken out of it. Case: `entra/role_json.json`.
//!
//! A conforming server would keep the string, so a client recognised as another is taken at its word.

use serde_json::{Map, Value};

use super::{Mending, Scope};
use crate::{
    dialect::context::Mender,
    scim::{Attribute, intake},
};

pub(in crate::dialect) const MENDING: Mending = Mending {
    rule: "N13",
    ids: &["ENTRA-17"],
    scope: Scope::UnlessAnother,
};

/// Unpacks the `value` of one element of `roles`. What the element says beside it stays.
pub(in crate::dialect) fn mend(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    element: &mut Map<String, Value>,
) {
    if !attribute.name.eq_ignore_ascii_case("roles") || !m.is_on(&MENDING) {
        return;
    }
    let Some((value, display)) = element
        .get("value")
        .and_then(Value::as_str)
        .and_then(unpack)
    else {
        return;
    };
    m.note(&MENDING, "`roles.value` was JSON inside a string");
    element.insert("value".to_owned(), Value::String(value));
    if let Some(display) = display {
        element.entry("display").or_insert(Value::String(display));
    }
}

/// `value` and `displayName` of an object inside a string that has a `value`.
fn unpack(text: &str) -> Option<(String, Option<String>)> {
    if !text.starts_with('{') {
        return None;
    }
    let role = intake::parse_json(text.as_bytes(), &intake::JsonLimits::default()).ok()?;
    let value = role.get("value")?.as_str()?.to_owned();
    let display = role
        .get("displayName")
        .and_then(Value::as_str)
        .map(str::to_owned);
    Some((value, display))
}
