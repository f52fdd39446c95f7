//! PATCH (RFC 7644 §3.5.2).
//!
//! In: a PATCH request, a resource. Out: the changed resource, or why nothing changed. Knows nothing of clients' spellings or of how a change is carried out.

mod draft;
mod elements;
mod members;
mod remove;
mod request;
mod target;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Value;

pub use self::members::MemberSplit;
pub use self::request::MAX_PATCH_OPERATIONS;

use self::draft::Draft;
use super::{Error, PatchPath, Resource, ResourceType};

/// A PATCH request: its operations apply in order, all or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PatchRequest {
    pub operations: Vec<PatchOp>,
}

/// One operation of a PATCH request.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchOp {
    pub op: PatchKind,
    /// What is changed; absent if the value's keys say it.
    pub path: Option<PatchPath>,
    /// Absent for `remove`.
    pub value: Option<Value>,
    /// What happens if the path's value filter matches no element.
    pub on_no_match: OnNoMatch,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatchKind {
    Add,
    Replace,
    Remove,
}

/// What an add or a replace does whose value filter matches no element. A remove then has nothing to do and succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnNoMatch {
    /// It fails with `noTarget`, as RFC 7644 §3.5.2.3 has it.
    #[default]
    NoTarget,
    /// It makes the element from what the filter says by `eq`, joined by `and`.
    Create,
    /// It does nothing.
    Ignore,
}

/// Applies a PATCH request to a resource in the schema's spelling.
///
/// The cost grows with the sizes of the request and the resource added, not multiplied.
/// `schemas` is not changed by operations; it follows the content.
///
/// # Errors
///
/// `invalidPath` for a path that names no attribute, `noTarget` for an add or replace whose value
/// filter matches nothing and for a remove without path, `mutability` for a readOnly attribute, for an immutable one that has
/// a value and for the removal of a required one, `invalidValue` for a value of another type. Setting
/// what is there already is never an error.
pub fn apply(
    request: &PatchRequest,
    resource_type: &ResourceType,
    resource: &Resource,
) -> Result<Resource, Error> {
    let mut draft = Draft::new(resource_type, resource.clone());
    let mut operations = request.operations.as_slice();
    while let Some((operation, rest)) = operations.split_first() {
        let removed = draft.remove_values(operations)?;
        if removed > 0 {
            operations = operations.get(removed..).unwrap_or_default();
            continue;
        }
        draft.apply(operation)?;
        operations = rest;
    }
    draft.finish()
}
