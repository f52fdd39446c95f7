//! Who: Okta (OKTA-05). Its PUT is an earlier answer with the mapped attributes changed, so `name.formatted` is stale when a
//! part of the name changed: it is made from the parts again. Case: `okta/put_stale_formatted_name.json`.
//!
//! Any other client that sends the formatted name means it.

use serde_json::Value;

use super::{Mending, Scope};
use crate::{dialect::context::Mender, scim::Resource};

pub(in crate::dialect) const MENDING: Mending = Mending {
    rule: "OKTA-05",
    ids: &["OKTA-05"],
    scope: Scope::Recognised,
};

/// The parts of a name in the order in which they are spoken (RFC 7643 §4.1.1).
const PARTS: [&str; 5] = [
    "honorificPrefix",
    "givenName",
    "middleName",
    "familyName",
    "honorificSuffix",
];

/// Makes `name.formatted` again if it did not change while a part of the name did.
pub(in crate::dialect) fn settle(
    m: &mut Mender<'_>,
    old: &Resource,
    mut new: Resource,
) -> Resource {
    if !m.is_on(&MENDING) {
        return new;
    }
    let (Some(before), Some(after)) = (old.0.get("name"), new.0.get_mut("name")) else {
        return new;
    };
    let is_repeated =
        after.get("formatted").is_some() && before.get("formatted") == after.get("formatted");
    let is_renamed = PARTS.iter().any(|part| before.get(part) != after.get(part));
    if is_repeated && is_renamed {
        let parts: Vec<&str> = PARTS
            .iter()
            .filter_map(|part| after.get(part).and_then(Value::as_str))
            .collect();
        let formatted = parts.join(" ");
        if let Some(stale) = after.get_mut("formatted").filter(|_| !formatted.is_empty()) {
            *stale = Value::String(formatted);
            m.note(
                &MENDING,
                "`name.formatted` was stale and was made from its parts",
            );
        }
    }
    new
}
