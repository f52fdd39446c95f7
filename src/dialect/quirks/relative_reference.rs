//! Who: Keycloak (KEYCLOAK-05). A member's `$ref` is relative, such as `Users/u1`: it is dropped, and the `value`
//! beside it counts. Case: `keycloak/relative_ref.json`.

use serde_json::{Map, Value};

use super::{Mending, everyone};
use crate::dialect::context::Mender;

pub(in crate::dialect) const MENDING: Mending = everyone("KEYCLOAK-05", &["KEYCLOAK-05"]);

/// Drops a `$ref` that is no absolute URI from an element that has a `value`.
pub(in crate::dialect) fn mend(m: &mut Mender<'_>, name: &str, element: &mut Map<String, Value>) {
    let is_relative = element
        .get("$ref")
        .and_then(Value::as_str)
        .is_some_and(|uri| !uri.contains(':'));
    if is_relative && element.contains_key("value") && m.is_on(&MENDING) {
        element.shift_remove("$ref");
        m.note(
            &MENDING,
            format!("`{name}.$ref` was relative and was dropped"),
        );
    }
}
