//! Places in the application's JSON: RFC 9535 paths for reading, definite places for writing.

/// A JSONPath, compiled once. Singular paths (`$.a.b[0]`) are walked without the engine.
#[derive(Debug, Clone)]
pub struct JsonPath {
    source: String,
}

/// One definite place: member names, indexes, keyed elements (`custom_fields[id=4].value`: found or made).
#[derive(Debug, Clone, PartialEq)]
pub struct FieldPlace {
    source: String,
}
