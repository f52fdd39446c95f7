//! (placeholder)

use std::collections::BTreeSet;

/// Which provider a tenant's client is. (placeholder)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Idp {
    Okta,
    Entra,
}

/// Which habits of a tenant's client are mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The provider; absent: recognised (`"auto"`).
    pub idp: Option<Idp>,
    /// Nothing is mended.
    pub is_strict: bool,
    /// Ids of quirks that are switched off.
    pub off: BTreeSet<String>,
}
