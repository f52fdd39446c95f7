//! N3. Who: clients that know JSON Patch (RFC 6902). A path is a JSON Pointer (RFC 6901): `/name/familyName`. Case:
//! `any/json_pointer.json`.
//!
//! A pointer into a list (`/emails/0/value`, `/members/-`) counts elements, and SCIM's lists have no order: it is refused.

use super::{Mending, everyone};
use crate::dialect::context::Mender;

pub(in crate::dialect) const MENDING: Mending = everyone("N3", &["ANY-03"]);

/// The path that a pointer means; absent if the text is none, or one into a list.
pub(in crate::dialect) fn mend(m: &mut Mender<'_>, path: &str) -> Option<String> {
    let pointer = path.strip_prefix('/')?;
    if !m.is_on(&MENDING) {
        return None;
    }
    let steps: Vec<String> = pointer
        .split('/')
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    let is_name = |step: &String| step.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$');
    if !steps.iter().all(is_name) {
        return None;
    }
    let (first, rest) = steps.split_first()?;
    let rest = rest.join(".");
    let meant = match (first.contains(':'), rest.as_str()) {
        (_, "") => first.clone(),
        (true, rest) => format!("{first}:{rest}"),
        (false, rest) => format!("{first}.{rest}"),
    };
    m.note(&MENDING, "a path was a JSON Pointer");
    Some(meant)
}
