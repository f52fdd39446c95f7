//! N10. Who: Entra (ENTRA-07, ENTRA-27, ENTRA-42), OneLogin (ONELOGIN-09), Rauthy (RAUTHY-04, RAUTHY-05), authentik
//! (AUTHENTIK-06). `null` and the empty text are no value: ignored in POST, clearing in PUT and in PATCH `replace`.
//! Cases: `onelogin/empty_macros.json`, `rauthy/null_external_id.json`, `entra/remove_manager_by_empty_string.json`.
//!
//! An empty text where a list belongs clears nothing: that might be a template gone wrong. It is refused.

use serde_json::Value;

use super::{Mending, everyone};
use crate::{dialect::context::Mender, scim::Attribute};

/// The empty text in an optional attribute.
pub(in crate::dialect) const EMPTY_TEXT: Mending = everyone(
    "N10",
    &["ENTRA-42", "ONELOGIN-09", "AUTHENTIK-06", "RAUTHY-05"],
);

/// A null in a PATCH, where RFC 7644 does not speak of it.
pub(in crate::dialect) const NULL: Mending = everyone("N10", &["ENTRA-27", "RAUTHY-04"]);

/// Reads the empty text as null. A required attribute keeps it, to be refused by name.
pub(in crate::dialect) fn mend(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    value: Value,
) -> Value {
    let is_empty = value.as_str().is_some_and(str::is_empty);
    if !is_empty || attribute.is_required || !m.is_on(&EMPTY_TEXT) {
        return value;
    }
    m.note(
        &EMPTY_TEXT,
        format!("`{name}` was an empty text and was read as no value"),
    );
    Value::Null
}
