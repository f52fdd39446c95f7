//! Nobody in particular: forms that clients written by hand send, and whose meaning is plain.

use super::{Quirk, widens};

#[rustfmt::skip]
pub(super) const QUIRKS: &[Quirk] = &[
    widens("ANY-01", Some("N16"), "Signs in a filter: `==`, `=`, `!=`, `&&`, `||`.", "`eq`, `ne`, `and`, `or`.", "any/filter_signs.json"),
    widens("ANY-02", Some("N16"), "A filter value in the quotes of a word processor.", "A string.", "any/filter_typographic_quotes.json"),
    widens("ANY-03", Some("N3"), "A path as a JSON Pointer: `/name/familyName`.", "The path; a pointer into a list, which counts its elements, is refused.", "any/json_pointer.json"),
    widens("ANY-04", Some("N2"), "`1`, `0`, `\"1\"` and `\"0\"` for a boolean.", "A boolean.", "any/bits.json"),
    widens("ANY-05", Some("N3"), "A removal without a path, whose value names what goes.", "A removal of each attribute named, of a list the elements named.", "any/removal_without_path.json"),
    widens("ANY-06", Some("N3"), "A PATCH that is a list of operations, or one operation, without the message around it.", "The message.", "any/bare_operations.json"),
    widens("ANY-07", Some("N12"), "A simple value as `{\"value\": …}`, also within a list of one.", "The value.", "any/wrapped_value.json"),
];
