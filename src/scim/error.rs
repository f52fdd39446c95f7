//! SCIM errors (RFC 7644 §3.12): the only file that knows SCIM's status codes.

use std::time::Duration;

use serde_json::{Value, json};

use super::filter::FilterError;
use super::path::PathError;

/// The URN of the error message.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Longer than every URN with an attribute that is in use.
const MAX_SHOWN_CHARS: usize = 120;

/// The `scimType` of an error (RFC 7644 §3.12 table 9, RFC 9865 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    InvalidCursor,
    ExpiredCursor,
    InvalidCount,
}

/// A name out of a request, fit for an error's detail: attribute names are short and plain, anything else is cut
/// and loses its control characters.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(MAX_SHOWN_CHARS)
        .collect()
}

/// A request that failed, as the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// HTTP status.
    pub status: u16,
    /// The machine-readable kind, where RFC 7644 has one.
    pub scim_type: Option<ScimType>,
    /// A complete sentence for the client's administrator: no internals, no secrets, no attribute values.
    pub detail: String,
    /// When to try again; sent as whole seconds.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// An error with a status of its own and no `scimType`.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// An error of a kind; the kind decides the status.
    pub fn of(kind: ScimType, detail: impl Into<String>) -> Self {
        Self {
            status: kind.status(),
            scim_type: Some(kind),
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// A filter that is not understood or not allowed.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidFilter, detail)
    }

    /// A PATCH path that is malformed or names no attribute.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidPath, detail)
    }

    /// A body that does not have the form the RFC wants.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidSyntax, detail)
    }

    /// A value that its attribute cannot have, or a required one that is missing.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::of(ScimType::InvalidValue, detail)
    }

    /// A write to an attribute that cannot be written, or not any more.
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::of(ScimType::Mutability, detail)
    }

    /// A PATCH path that matches nothing.
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::of(ScimType::NoTarget, detail)
    }

    /// The message for the client (RFC 7644 §3.12); `status` is a JSON string there.
    pub fn to_json(&self) -> Value {
        let mut message = json!({ "schemas": [ERROR], "status": self.status.to_string() });
        if let Some(kind) = self.scim_type {
            message["scimType"] = kind.as_str().into();
        }
        if !self.detail.is_empty() {
            message["detail"] = self.detail.as_str().into();
        }
        message
    }
}

impl From<FilterError> for Error {
    fn from(e: FilterError) -> Self {
        Self::invalid_filter(format!(
            "The filter is not valid at byte {}: {}.",
            e.position, e.message
        ))
    }
}

impl From<PathError> for Error {
    fn from(e: PathError) -> Self {
        Self::invalid_path(format!(
            "The path is not valid at byte {}: {}.",
            e.position, e.message
        ))
    }
}

impl ScimType {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            _ => 400,
        }
    }

    /// Its spelling in the message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.detail)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::{Filter, PatchPath};

    /// RFC 7644 §3.12, the example for a readOnly attribute.
    #[test]
    fn the_message_has_the_rfcs_form() {
        let error = Error::mutability("Attribute 'id' is readOnly");
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "400", "scimType": "mutability", "detail": "Attribute 'id' is readOnly",
        });
        assert_eq!(error.to_json(), expected);
        let bare = json!({ "schemas": [ERROR], "status": "404" });
        assert_eq!(Error::new(404, "").to_json(), bare);
    }

    #[test]
    fn errors_of_parsers_keep_the_place() {
        let error = Error::from(Filter::parse("userName is 1").unwrap_err());
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
        let beginning = "The filter is not valid at byte 9: an operator";
        assert!(error.detail.starts_with(beginning), "{error}");
        let error = Error::from(PatchPath::parse("a.b.c").unwrap_err());
        assert_eq!(error.scim_type, Some(ScimType::InvalidPath));
        assert!(error.detail.contains("byte 2"), "{error}");
    }

    #[test]
    fn names_in_details_are_short_and_plain() {
        assert_eq!(shown("a\nb\u{1b}[1m"), "ab[1m");
        assert_eq!(shown(&"x".repeat(5000)).len(), MAX_SHOWN_CHARS);
    }
}
