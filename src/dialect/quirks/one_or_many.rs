//! N12. Who: OneLogin (ONELOGIN-04), Keycloak (KEYCLOAK-07), Entra (ENTRA-19). A single value where a list belongs is a
//! list of one; a list of one where a single value belongs is that value. Cases: `onelogin/emails_object.json`,
//! `keycloak/wrapped_values.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::dialect::context::Mender;

/// A single value where a list belongs.
pub(in crate::dialect) const ONE_FOR_LIST: Mending = everyone("N12", &["ONELOGIN-04"]);

/// A list where a single value belongs.
pub(in crate::dialect) const LIST_FOR_ONE: Mending = everyone("N12", &["KEYCLOAK-07", "ENTRA-19"]);

/// The elements of a list, for a multi-valued attribute.
///
/// # Errors
///
/// What is no list and cannot be made one, unchanged. The empty text is such: it may be a template gone wrong, and
/// reading it as an empty list would clear the attribute.
pub(in crate::dialect) fn elements(
    m: &mut Mender<'_>,
    name: &str,
    value: Value,
) -> Result<Vec<Value>, Value> {
    match value {
        Value::Array(elements) => Ok(elements),
        Value::Null => Err(Value::Null),
        Value::String(text) if text.is_empty() => Err(Value::String(text)),
        one if m.is_on(&ONE_FOR_LIST) => {
            m.note(
                &ONE_FOR_LIST,
                format!("`{name}` came as a single value instead of a list"),
            );
            Ok(vec![one])
        }
        other => Err(other),
    }
}

/// The value in a list of one, for a single-valued attribute; null for an empty list. Longer lists stay, to be refused.
pub(in crate::dialect) fn single(m: &mut Mender<'_>, name: &str, value: Value) -> Value {
    match value {
        Value::Array(mut elements) if elements.len() <= 1 && m.is_on(&LIST_FOR_ONE) => {
            m.note(
                &LIST_FOR_ONE,
                format!("`{name}` came as a list instead of a single value"),
            );
            elements.pop().unwrap_or(Value::Null)
        }
        other => other,
    }
}
