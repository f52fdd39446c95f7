//! Calls whose method says the opposite of what they are for.

use http::Method;

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::model::{Call, TypeMapping},
};

/// Complaints about reads that would change something, and about changes that are the call of a read.
pub(super) fn check(resource_type: &TypeMapping, complaints: &mut Diagnostics) {
    for (what, call) in reads(resource_type) {
        if [Method::PUT, Method::PATCH, Method::DELETE].contains(&call.method) {
            let sentence = format!(
                "`{}.{what}` reads with {}, which changes what it is sent to.",
                resource_type.section, call.method
            );
            let complaint = Diagnostic::warning("mapping::unusual-method", sentence);
            complaints.add(
                complaint
                    .at(&call.place)
                    .mend("read with GET, or POST where the application wants a body"),
            );
        }
    }
    let changes = super::writes(resource_type).chain(&resource_type.delete);
    for operation in changes {
        let [call] = operation.steps.as_slice() else {
            continue;
        };
        let is_same = |read: &Call| {
            read.path.source() == call.path.source() && call.body.is_none() && call.query.is_empty()
        };
        let reads = reads(resource_type);
        if call.method != Method::GET || !reads.iter().any(|(_, read)| is_same(read)) {
            continue;
        }
        let sentence = format!(
            "`{}` has the call of a read: it changes nothing.",
            operation.name
        );
        let complaint = Diagnostic::warning("mapping::unusual-method", sentence);
        complaints.add(
            complaint
                .at(&call.place)
                .mend("write the method of the change: POST, PUT, PATCH or DELETE"),
        );
    }
}

/// The calls that read, and what they are called.
fn reads(resource_type: &TypeMapping) -> Vec<(&'static str, &Call)> {
    let lists = resource_type.lists.iter().map(|list| ("list", &list.call));
    let finds = resource_type.finds.iter().map(|find| ("find", &find.call));
    let get = resource_type.get.iter().flat_map(|get| &get.steps);
    let members = resource_type.members.iter();
    let members =
        members.filter_map(|members| Some(("members.read", &members.read.as_ref()?.call)));
    lists
        .chain(finds)
        .chain(get.map(|step| ("get", step)))
        .chain(members)
        .collect()
}
