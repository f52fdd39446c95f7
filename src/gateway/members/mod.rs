//! Membership of a group: read from the target, and changed by differences.
//!
//! In: a group's object, and who is to be added or removed by SCIM id. Out: member values, and the calls made. The cost
//! of a change depends on the change, never on the size of the group, wherever the target has calls for members.

mod change;
mod read;

pub use change::{Change, apply, field_ids};
pub use read::{needs_reading, present_in_field, read, read_short};
