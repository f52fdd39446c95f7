//! Who: Entra (ENTRA-16). Roles come with `displayName`: it becomes `display`, the name RFC 7643 §2.4 has for it. Case:
//! `entra/role_display_name.json`.

use super::{Mending, everyone};
use crate::{dialect::context::Mender, scim::Attribute};

pub(in crate::dialect) const MENDING: Mending = everyone("ENTRA-16", &["ENTRA-16"]);

/// The sub-attribute `display`, if that is what an unknown sub-attribute means.
pub(in crate::dialect) fn meant<'a>(
    m: &mut Mender<'_>,
    attribute: &'a Attribute,
    name: &str,
    unknown: &str,
) -> Option<&'a Attribute> {
    let display = attribute
        .sub("display")
        .filter(|_| unknown.eq_ignore_ascii_case("displayName") && m.is_on(&MENDING))?;
    m.note(
        &MENDING,
        format!("`{name}.displayName` was read as `{name}.display`"),
    );
    Some(display)
}
