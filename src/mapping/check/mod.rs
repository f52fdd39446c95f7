//! What only a whole mapping shows.
//!
//! In: a compiled mapping. Out: complaints, the outcome of its examples, and what it can do. Knows nothing of TOML,
//! sockets or stores.

mod calls;
mod capabilities;
mod each;
mod examples;
mod lines;
mod login;
mod look_ups;
mod members;
mod names;
mod operations;
mod pages;
mod place;
mod remember;
mod reversible;
mod settings;
mod verbs;
mod versions;

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place},
    mapping::model::{Call, Mapping, Operation, TypeMapping},
};

pub use capabilities::{Ability, Capabilities, capabilities};
pub use examples::examples;

/// Every complaint about a mapping.
///
/// `is_complete` is false if parts of the files could not be read: then nothing is said to be missing.
pub fn mapping(mapping: &Mapping, is_complete: bool) -> Vec<Diagnostic> {
    let mut complaints = Diagnostics::default();
    for resource_type in &mapping.types {
        lines::check(resource_type, mapping, is_complete, &mut complaints);
        operations::check(resource_type, is_complete, &mut complaints);
        verbs::check(resource_type, &mut complaints);
        versions::check(resource_type, &mut complaints);
        reversible::check(mapping, resource_type, &mut complaints);
        members::check(mapping, resource_type, is_complete, &mut complaints);
    }
    same_endpoints(mapping, &mut complaints);
    look_ups::check(mapping, is_complete, &mut complaints);
    remember::check(mapping, &mut complaints);
    pages::check(mapping, is_complete, &mut complaints);
    each::check(mapping, &mut complaints);
    names::check(mapping, is_complete, &mut complaints);
    complaints.into_sorted()
}

/// The client's keys that are not accepted any more.
pub fn expired_keys(mapping: &Mapping, now: jiff::Timestamp) -> Vec<Diagnostic> {
    let keys = mapping.client.keys.iter();
    let expired = keys.filter(|key| key.expires.is_some_and(|end| end <= now));
    expired
        .map(|key| {
            let sentence = format!("The key `{}` has expired: it is refused.", key.name);
            Diagnostic::warning("mapping::expired-key", sentence)
                .at(&key.place)
                .mend("make another with `scimgate keys`, and take this one out")
        })
        .collect()
}

/// Two types at one address: the second could never be reached.
fn same_endpoints(mapping: &Mapping, complaints: &mut Diagnostics) {
    for (at, one) in mapping.types.iter().enumerate() {
        let is_taken = mapping.types.iter().take(at).any(|other| {
            let (a, b) = (&one.resource_type, &other.resource_type);
            a.endpoint.eq_ignore_ascii_case(&b.endpoint) || a.name.eq_ignore_ascii_case(&b.name)
        });
        if is_taken {
            let sentence = format!(
                "`{}` has the name or the endpoint of another resource type.",
                one.section
            );
            let diagnostic = Diagnostic::error("mapping::two-types-one-endpoint", sentence);
            complaints.add(pointing(diagnostic, one));
        }
    }
}

/// A complaint about a section as a whole: it points at the first thing of it that has a place.
fn pointing(diagnostic: Diagnostic, resource_type: &TypeMapping) -> Diagnostic {
    let line = resource_type.attributes.first().map(|line| &line.place);
    match line.or_else(|| {
        calls::of_type(resource_type)
            .first()
            .map(|call| &call.place)
    }) {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}

/// The operations that change an object, with their names.
fn writes(resource_type: &TypeMapping) -> impl Iterator<Item = &Operation> {
    let single = [
        &resource_type.create,
        &resource_type.activate,
        &resource_type.deactivate,
        &resource_type.rename,
        &resource_type.set_password,
    ];
    single
        .into_iter()
        .filter_map(Option::as_ref)
        .chain(&resource_type.updates)
}

/// Where an operation's first call stands.
fn place_of(operation: &Operation) -> &Place {
    operation
        .steps
        .first()
        .map_or(&operation.place, |call: &Call| &call.place)
}
