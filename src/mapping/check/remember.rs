//! `remember` where nothing could be remembered, or would be wrong.

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::model::{Call, Mapping, MemberCall, Operation, TypeMapping},
};

use super::{calls, writes};

/// Complaints about `remember`: it is for a step that looks something up for those after it.
pub(super) fn check(mapping: &Mapping, complaints: &mut Diagnostics) {
    for call in calls::of_mapping(mapping) {
        if call.remember.is_none() {
            continue;
        }
        let is_step = mapping
            .types
            .iter()
            .flat_map(look_ups)
            .any(|step| std::ptr::eq(step, call));
        let (sentence, mending) = if !is_step {
            (
                "`remember` has no meaning here: the answer is not for a later step of a write.",
                "put it at a step with `take` that stands before the write in its `steps`",
            )
        } else if call.take.is_empty() {
            (
                "A step with `remember` takes nothing that could be remembered.",
                "say what later steps need: `take = { number = '$.id' }`",
            )
        } else if call.into.is_some() || call.poll.is_some() {
            (
                "A step with `into` or `poll` cannot be answered from memory.",
                "take `remember` out",
            )
        } else if !call.is_safe() && !call.is_repeatable {
            (
                "A step with `remember` may change something: it is neither a GET nor `repeatable`.",
                "say `repeatable = true` if it only looks something up; otherwise take `remember` out",
            )
        } else {
            continue;
        };
        complaints.add(
            Diagnostic::error("mapping::idle-remember", sentence)
                .at(&call.place)
                .mend(mending),
        );
    }
}

/// The steps before the last of everything that writes.
fn look_ups(t: &TypeMapping) -> impl Iterator<Item = &Call> {
    let operations = writes(t).chain(&t.delete).flat_map(before_last);
    let members = t.members.iter().flat_map(|members| {
        let changes = [&members.add, &members.remove, &members.replace];
        changes.into_iter().flatten().flat_map(before)
    });
    operations.chain(members)
}

fn before_last(operation: &Operation) -> &[Call] {
    let steps = operation.steps.split_last();
    steps.map_or(&[], |(_, before)| before)
}

fn before(change: &MemberCall) -> &[Call] {
    &change.before
}
