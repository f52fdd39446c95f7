//! Membership of a group: read from the target, and changed by differences.
//!
//! In: a group's object, and who is to be added or removed by SCIM id. Out: member values, and the calls made. The cost
//! of a change depends on the change, never on the size of the group, wherever the target has calls for members.

use serde_json::{Value, json};

use crate::scim::{Error, Resource, ScimType};

use super::join::Joined;

mod calls;
mod change;
mod exist;
mod on_user;
mod read;
mod tally;

pub use change::{Change, InField, apply, apply_unseen, field_ids};
pub use on_user::{among, is_default, name_of, names_on};
pub use read::{account_ids, as_wished, needs_reading, present_in_field, read, read_short};

/// Sees that every member names somebody: without a `value` it would be passed over, and the client believe that it is in.
///
/// # Errors
///
/// `invalidValue` for a member without a `value`.
pub fn named(group: &Resource) -> Result<(), Error> {
    let mut members = group
        .0
        .get("members")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    match members.all(|member| member.get("value").is_some_and(Value::is_string)) {
        true => Ok(()),
        false => Err(Error::of(
            ScimType::InvalidValue,
            "A member needs a `value`.",
        )),
    }
}

/// Counts these, whom a read of the group does not show, among its members: a wish without them takes them out.
pub fn show(group: &mut Joined, ids: Vec<String>) {
    if ids.is_empty() {
        return;
    }
    let members = group.resource.0.entry("members");
    if let Value::Array(members) = members.or_insert_with(|| json!([])) {
        members.extend(ids.into_iter().map(|id| json!({ "value": id })));
    }
}
