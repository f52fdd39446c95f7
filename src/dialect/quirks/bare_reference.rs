//! N8. Who: Entra (ENTRA-19). A complex attribute with a `value` sub-attribute comes as a bare string, the manager first
//! of all: `"manager": "u1"` becomes `"manager": {"value": "u1"}`. Case: `entra/manager_forms.json`.

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
