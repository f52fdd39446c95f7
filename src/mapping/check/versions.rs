//! What `if-match` sends: a version that comes with the object that is written.

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::model::{Call, IfMatch, Operation, TypeMapping},
};

use super::{place_of, writes};

/// Complaints about the versions that the writes of a section name.
pub(super) fn check(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    for operation in writes(resource_type).chain(&resource_type.delete) {
        of_another(resource_type, operation, complaints);
    }
}

/// The names that an `if-match` may use beside the operation's own: what the steps of `get` take.
pub(super) fn taken_by_get(resource_type: &TypeMapping) -> impl Iterator<Item = &str> {
    let steps = resource_type.get.iter().flat_map(|get| &get.steps);
    steps.flat_map(|step| step.take.iter().map(|(name, _)| name.as_str()))
}

/// An ETag that comes with something else than what is written: `if-match = true` means that of the last step of `get` that
/// gives the object, and another step reads what the write is about.
fn of_another(resource_type: &TypeMapping, operation: &Operation, complaints: &mut Diagnostics) {
    let (Some(IfMatch::Etag), Some(get)) = (&operation.if_match, &resource_type.get) else {
        return;
    };
    let Some(counts) = get.steps.iter().rfind(|step| step.into.is_none()) else {
        return;
    };
    let is_read_by = |step: &Call| {
        let mut writes = operation.steps.iter().filter(|call| !call.is_safe());
        writes.any(|write| write.path.source() == step.path.source())
    };
    let Some(read) = get.steps.iter().find(|step| is_read_by(step)) else {
        return;
    };
    if is_read_by(counts) {
        return;
    }
    let sentence = format!(
        "`if-match = true` of `{}` sends the `ETag` of `{} {}`, but what it writes is read by `{} {}`.",
        operation.name,
        counts.method,
        counts.path.source(),
        read.method,
        read.path.source()
    );
    complaints.add(
        Diagnostic::warning("mapping::version-of-another", sentence)
            .at(place_of(operation))
            .mend(format!(
                "add `take = {{ version = {{ header = \"ETag\" }} }}` to `{} {}` in `{}`, and write `if-match = \"{{version}}\"`",
                read.method,
                read.path.source(),
                get.name
            )),
    );
}
