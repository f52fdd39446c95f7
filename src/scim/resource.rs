//! A resource as data (RFC 7643 §3): attributes under their schema's spelling, extensions under their URN.

use serde_json::{Map, Value};

/// A SCIM resource. Once taken in, attribute names are in the schema's spelling and no value is null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource(pub Map<String, Value>);
