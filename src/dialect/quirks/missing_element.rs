//! N5. Who: Entra. A value path that matches nothing creates the element, piece by piece; a removal by one does nothing.
//! Cases: `entra/value_path_without_target.json`, `entra/address_in_pieces.json`.

use super::{Mending, everyone};
use crate::{
    dialect::context::Mender,
    scim::{ElementMatcher, OnNoMatch, PatchOp, PatchRequest, Resource},
};

pub(in crate::dialect) const MENDING: Mending = everyone("N5", &["ENTRA-13", "ENTRA-14"]);

/// Notes the elements that a PATCH makes: only the resource tells whether there was a target.
pub(in crate::dialect) fn note(m: &mut Mender<'_>, request: &PatchRequest, old: &Resource) {
    let creates = |op: &&PatchOp| op.on_no_match == OnNoMatch::Create;
    for operation in request.operations.iter().filter(creates) {
        if is_missing(m, operation, old) == Some(true) {
            let text = format!(
                "no element of `{}` was there, so it was made",
                operation
                    .path
                    .as_ref()
                    .map(|p| p.target())
                    .unwrap_or_default()
            );
            m.note(&MENDING, text);
        }
    }
}

/// Whether no element matches the path; absent if the path has no value filter.
fn is_missing(m: &Mender<'_>, operation: &PatchOp, old: &Resource) -> Option<bool> {
    let path = operation.path.as_ref()?;
    let filter = path.filter.as_ref()?;
    let attribute = m.rt.resolve(&path.path)?.attribute?;
    let matcher = ElementMatcher::compile(filter, attribute).ok()?;
    let holder = match &path.path.schema {
        Some(urn) if *urn != m.rt.schema.id => old.0.get(urn)?.as_object(),
        _ => Some(&old.0),
    };
    let elements = holder.and_then(|holder| holder.get(&attribute.name)?.as_array());
    Some(!elements.is_some_and(|all| all.iter().any(|element| matcher.matches(element))))
}
