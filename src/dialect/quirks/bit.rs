//! N2. Who: clients of databases without booleans. `1`, `0`, `"1"` and `"0"` for a boolean. Case: `any/bits.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::dialect::context::Mender;

pub(in crate::dialect) const MENDING: Mending = everyone("N2", &["ANY-04"]);

/// Reads a bit where the attribute is a boolean. Any other number or text stays, to be refused.
pub(in crate::dialect) fn mend(m: &mut Mender<'_>, name: &str, value: Value) -> Value {
    let bit = match &value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.len() == 1 => text.parse().ok(),
        _ => None,
    };
    let Some(bit @ (0 | 1)) = bit else {
        return value;
    };
    if !m.is_on(&MENDING) {
        return value;
    }
    m.note(
        &MENDING,
        format!("`{name}` came as 0 or 1 instead of a boolean"),
    );
    Value::Bool(bit == 1)
}
