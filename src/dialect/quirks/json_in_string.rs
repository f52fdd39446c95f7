//! N3. Who: SCIM for Keycloak (KEYCLOAK-12). The value object of an operation without a path is JSON inside a string:
//! it becomes the object. Case: `keycloak/json_in_string.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::{dialect::context::Mender, scim::intake};

pub(in crate::dialect) const MENDING: Mending = everyone("N3", &["KEYCLOAK-12"]);

/// Unpacks a string that holds an object, by the same rules as a body. Anything else stays, to be refused.
pub(in crate::dialect) fn mend(m: &mut Mender<'_>, value: Value) -> Value {
    let Value::String(text) = &value else {
        return value;
    };
    if !m.is_on(&MENDING) {
        return value;
    }
    match intake::parse_json(text.as_bytes(), &intake::JsonLimits::default()) {
        Ok(object @ Value::Object(_)) => {
            m.note(&MENDING, "an operation's value was JSON inside a string");
            object
        }
        _ => value,
    }
}
