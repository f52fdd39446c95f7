//! Which calls change something although their method only reads: an API may write with GET.

use crate::mapping::model::{Call, MemberCall, TypeMapping};

/// Marks them: of an operation that is there to change something and has no other call that does, those whose reply nobody
/// takes anything from; if there is none, the last.
pub(super) fn settle(mapping: &mut TypeMapping) {
    let single = [
        &mut mapping.create,
        &mut mapping.activate,
        &mut mapping.deactivate,
        &mut mapping.rename,
        &mut mapping.set_password,
        &mut mapping.delete,
    ];
    let operations = single.into_iter().flatten().chain(&mut mapping.updates);
    for operation in operations {
        mark(operation.steps.iter_mut().collect());
    }
    if let Some(members) = &mut mapping.members {
        let changes = [&mut members.add, &mut members.remove, &mut members.replace];
        for MemberCall { before, call, .. } in changes.into_iter().flatten() {
            mark(before.iter_mut().chain([call]).collect());
        }
    }
}

fn mark(mut steps: Vec<&mut Call>) {
    if !steps.iter().all(|step| step.is_safe()) {
        return;
    }
    let mut is_found = false;
    for step in &mut steps {
        step.has_effect = step.take.is_empty() && step.into.is_none() && step.remember.is_none();
        is_found |= step.has_effect;
    }
    if let (false, Some(last)) = (is_found, steps.last_mut()) {
        last.has_effect = true;
    }
}
