//! N15. Who: Ping (PING-06). Two elements of one list are flagged primary: the first keeps the flag (RFC 7643 §2.4 allows
//! one). Case: `ping/two_primaries.json`.

use serde_json::Value;

use super::{Mending, everyone};
use crate::{dialect::context::Mender, scim::Attribute};

pub(in crate::dialect) const MENDING: Mending = everyone("N15", &["PING-06"]);

/// Takes the flag from every primary element but the first.
pub(in crate::dialect) fn mend(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    elements: &mut [Value],
) {
    let Some(flag) = attribute.sub("primary") else {
        return;
    };
    let is_primary = |element: &Value| element.get(&flag.name) == Some(&Value::Bool(true));
    let is_doubled = elements.iter().filter(|e| is_primary(e)).count() > 1;
    if !is_doubled || !m.is_on(&MENDING) {
        return;
    }
    m.note(
        &MENDING,
        format!("`{name}` had more than one primary element; the first keeps the flag"),
    );
    for element in elements
        .iter_mut()
        .filter(|element| is_primary(element))
        .skip(1)
    {
        if let Some(primary) = element.get_mut(&flag.name) {
            *primary = Value::Bool(false);
        }
    }
}
