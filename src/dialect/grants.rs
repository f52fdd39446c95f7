//! Groups granted through the user. Who: SailPoint with `updateGroupsViaUsers` (SAILPOINT-04): PATCH on a user with the path
//! `groups`, which RFC 7643 §4.1.2 has read-only. It becomes member operations on the groups. Case:
//! `sailpoint/groups_through_user.json`.

use serde_json::Value;

use super::{context::Mender, quirks::GROUPS_THROUGH_USER};
use crate::scim::{
    CompareOp, Filter, Mutability,
    patch::{PatchKind, PatchOp, PatchRequest},
};

/// A change of a user's groups, as ids of groups in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupGrant {
    /// The user becomes a member of these.
    Add(Vec<String>),
    /// The user ceases to be a member of these.
    Remove(Vec<String>),
    /// The user is a member of these and no others. Empty: of none.
    Exactly(Vec<String>),
}

/// The attribute that lists a user's groups.
const GROUPS: &str = "groups";

/// Takes the operations on `groups` out of a PATCH. What cannot be read as a grant stays, to be refused.
pub(super) fn take(m: &mut Mender<'_>, request: &mut PatchRequest) -> Vec<GroupGrant> {
    let groups = m.rt.schema.attribute(GROUPS);
    let is_derived = groups.is_some_and(|groups| groups.mutability == Mutability::ReadOnly);
    if !is_derived || !m.is_on(&GROUPS_THROUGH_USER) {
        return Vec::new();
    }
    let mut grants = Vec::new();
    request
        .operations
        .retain(|operation| match grant(operation) {
            Some(grant) => {
                grants.push(grant);
                false
            }
            None => true,
        });
    if !grants.is_empty() {
        m.note(
            &GROUPS_THROUGH_USER,
            "an operation on `groups` was read as one on the members of these groups",
        );
    }
    grants
}

fn grant(operation: &PatchOp) -> Option<GroupGrant> {
    let path = operation.path.as_ref()?;
    let is_groups = path.path.schema.is_none()
        && path.path.attribute == GROUPS
        && path.path.sub_attribute.is_none()
        && path.sub_attribute.is_none();
    if !is_groups {
        return None;
    }
    match (operation.op, &path.filter) {
        (PatchKind::Add, None) => ids(operation.value.as_ref()?).map(GroupGrant::Add),
        (PatchKind::Replace, None) => ids(operation.value.as_ref()?).map(GroupGrant::Exactly),
        (PatchKind::Remove, None) => Some(GroupGrant::Exactly(Vec::new())),
        (PatchKind::Remove, Some(filter)) => named(filter).map(GroupGrant::Remove),
        (PatchKind::Add | PatchKind::Replace, Some(_)) => None,
    }
}

/// The `value` of every element; absent if one has none.
fn ids(elements: &Value) -> Option<Vec<String>> {
    let value = |element: &Value| element.get("value")?.as_str().map(str::to_owned);
    elements.as_array()?.iter().map(value).collect()
}

/// The ids that a filter names by `value eq`, alone or joined by `or`; absent for any other filter.
fn named(filter: &Filter) -> Option<Vec<String>> {
    match filter {
        Filter::Compare(path, CompareOp::Eq, Value::String(id)) if path.attribute == "value" => {
            Some(vec![id.clone()])
        }
        Filter::Or(filters) => {
            let ids: Option<Vec<Vec<String>>> = filters.iter().map(named).collect();
            Some(ids?.concat())
        }
        _ => None,
    }
}
