//! N2. Who: Entra (ENTRA-10, ENTRA-15), Keycloak (KEYCLOAK-07). A boolean comes as the word `"False"` or `"true"`, in
//! any letter case: it becomes the boolean. Cases: `entra/disable_user.json`, `entra/primary_role.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::dialect::context::Mender;

/// In POST, PUT and PATCH.
pub(in crate::dialect) const IN_VALUES: Mending = everyone("N2", &["ENTRA-10", "KEYCLOAK-07"]);

/// In filters and in the brackets of a path.
pub(in crate::dialect) const IN_FILTERS: Mending = everyone("N2", &["ENTRA-15"]);

/// Reads a word where the attribute is a boolean. Any other text stays, to be refused.
pub(in crate::dialect) fn mend(
    m: &mut Mender<'_>,
    mending: &'static Mending,
    name: &str,
    value: Value,
) -> Value {
    let Some(boolean) = value.as_str().and_then(read) else {
        return value;
    };
    if !m.is_on(mending) {
        return value;
    }
    m.note(
        mending,
        format!("`{name}` came as a word instead of a boolean"),
    );
    Value::Bool(boolean)
}

fn read(word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case("true") {
        Some(true)
    } else if word.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
