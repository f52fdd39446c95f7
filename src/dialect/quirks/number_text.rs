//! N12. Who: Okta (OKTA-25). A JSON number where the schema has a string becomes its decimal text. Case:
//! `okta/numbers_as_strings.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::dialect::context::Mender;

pub(in crate::dialect) const MENDING: Mending = everyone("N12", &["OKTA-25"]);

/// Writes a number out for an attribute that is a string.
pub(in crate::dialect) fn mend(m: &mut Mender<'_>, name: &str, value: Value) -> Value {
    let Value::Number(number) = &value else {
        return value;
    };
    if !m.is_on(&MENDING) {
        return value;
    }
    m.note(
        &MENDING,
        format!("`{name}` came as a number instead of a text"),
    );
    Value::String(number.to_string())
}
