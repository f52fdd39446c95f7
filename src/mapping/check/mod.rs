//! What only a whole mapping shows.
//!
//! In: a compiled mapping. Out: complaints. Knows nothing of TOML, sockets or stores.

use crate::{diagnostic::Diagnostic, mapping::model::Mapping};

/// Every complaint about a mapping.
///
/// `is_complete` is false if parts of the files could not be read: then nothing is said to be missing.
pub fn mapping(mapping: &Mapping, is_complete: bool) -> Vec<Diagnostic> {
    let _ = (mapping, is_complete);
    Vec::new()
}
