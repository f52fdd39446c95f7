//! N12. Who: clients that send every value as Entra's old library does: `[{"$ref": null, "value": "x"}]`, for a simple
//! attribute too. Case: `any/wrapped_value.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::dialect::context::Mender;

pub(in crate::dialect) const MENDING: Mending = everyone("N12", &["ANY-07"]);

/// Takes the `value` out of an object that has nothing else. Any other object stays, to be refused.
pub(in crate::dialect) fn mend(m: &mut Mender<'_>, name: &str, value: Value) -> Value {
    let Value::Object(members) = &value else {
        return value;
    };
    let is_alone = members
        .iter()
        .all(|(key, member)| key == "value" || member.is_null());
    let Some(inner) = members.get("value").filter(|_| is_alone) else {
        return value;
    };
    if matches!(inner, Value::Object(_) | Value::Array(_)) || !m.is_on(&MENDING) {
        return value;
    }
    m.note(
        &MENDING,
        format!("`{name}` came as an object with its value"),
    );
    inner.clone()
}
