//! SCIM errors (RFC 7644 §3.12): the only file that knows SCIM's status codes.

use std::time::Duration;

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
