//! Steps over a list (`each`): where they may stand, and what they cannot do.

use super::calls;
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::model::{Call, Mapping},
};

pub(super) fn check(mapping: &Mapping, complaints: &mut Diagnostics) {
    let types = mapping.types.iter();
    let operations = types.flat_map(|t| super::writes(t).chain(&t.delete));
    let steps: Vec<&Call> = operations.flat_map(|of| &of.steps).collect();
    for call in calls::of_mapping(mapping) {
        if call.each.is_none() {
            continue;
        }
        let is_step = steps.iter().any(|step| std::ptr::eq(*step, call));
        let said = if !is_step {
            (
                "`each` is for the steps of an operation that writes.",
                "let a step of `create`, `update`, `deactivate` or `delete` take the list, and the next one go through it",
            )
        } else if !call.take.is_empty() || call.into.is_some() || call.remember.is_some() {
            (
                "A step with `each` has many replies: nothing can be taken from them.",
                "leave `take`, `into` and `remember` out",
            )
        } else {
            continue;
        };
        let diagnostic = Diagnostic::error("mapping::conflicting-keys", said.0);
        complaints.add(diagnostic.at(&call.place).mend(said.1));
    }
}
