//! The identifiers of design §3: four types that never turn into one another.
//!
//! Systems that took one kind of identifier for another let a client become the administrator; here that does not compile.

use std::fmt;
use std::sync::Arc;

/// Proof of whom a request belongs to; every method of the store takes it.
///
/// The text is the tenant's name in its file. There is no way to get one from a request's path, header or body.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// For the edge only: authentication, once a credential has been verified, and start-up code that walks the tenant files.
    ///
    /// Calling it with anything a client can choose breaks the isolation of tenants.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The tenant's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SCIM `id` of a resource (RFC 7643 §3.1): ours, never changes, what clients address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScimId(String);

impl ScimId {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, as in `id` and in the location.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The target's own key of a resource, as text; what calls to the target address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId(String);

impl TargetId {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, not yet encoded for any place in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The client's `externalId` (RFC 7643 §3.1): data that is kept and echoed, never a key of ours or of the target.
///
/// Compared case-exactly. Two resources may carry the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(String);

impl ExternalId {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
