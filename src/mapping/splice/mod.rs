//! Rows spliced into resources: the text of an object of the application becomes the text of a resource, without a tree between.
//!
//! In: a [`Splice`], made once when a mapping is loaded, and a row's JSON text. Out: the resource as JSON text, with `schemas`, `id`,
//! `meta` and version. Knows nothing of what the store keeps about a resource except what a [`Frame`](super::frame::Frame) holds, and of no projection but
//! the one by default.
//!
//! What a line of the mapping means is said in [`read`](super::read), and only there. This folder is the quick way to the same result
//! for what rows mostly are: a text is copied from the row to the answer as it stands, a value of a table is looked up by its text.
//! Whatever is not that simple goes back to `read`, in three steps:
//!
//! - a *value* that is not as its attribute mostly is (a number written `1.0`, an escape in a text, an unknown word where a table
//!   belongs) is parsed and decoded by itself;
//! - an *attribute* whose lines are more than fields (templates, lists, `each`) is evaluated on the row as a tree;
//! - a *row* with something that only the gateway knows (a reference, a name with an escape in it) is [`Odd`]: the caller takes it
//!   the long way. So is a whole *type* for which [`Splice::new`] finds nothing to gain.
//!
//! The long way and this one write the same bytes and the same version; `tests.rs` holds both against each other.
//!
//! ```text
//!  scan     members of an object's text          plan     a mapping's lines as parts of the answer
//!  fields   the values that are read, numbered    write    a row's fields through the parts
//!  leaf     one value                                sift     a filter on what was written
//! ```

mod fields;
mod leaf;
mod plan;
mod scan;
mod sift;
mod write;

pub use fields::Fields;
pub use plan::Splice;
pub use sift::Sift;
pub use write::Spliced;

/// A row that is not for the quick way. No fault of anybody's: the long way knows what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Odd;

#[cfg(test)]
mod tests;
