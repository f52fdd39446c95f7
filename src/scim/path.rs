//! Attribute paths (RFC 7644 §3.10) and PATCH paths (§3.5.2).

use super::Filter;

/// `name.givenName`, with or without the schema URN in front.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AttributePath {
    /// The schema URN, as written; absent for the resource type's own schema.
    pub schema: Option<String>,
    /// The attribute's name, as written; empty if the path is a schema URN alone.
    pub attribute: String,
    /// The sub-attribute's name, as written.
    pub sub_attribute: Option<String>,
}

/// What a PATCH path points at: `members[value eq "x"]`, `emails[type eq "work"].value`, `name.familyName`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute; its `sub_attribute` is the one in front of the brackets (always absent when `filter` is there).
    pub path: AttributePath,
    /// The value filter in brackets.
    pub filter: Option<Filter>,
    /// The sub-attribute behind the brackets.
    pub sub_attribute: Option<String>,
}
