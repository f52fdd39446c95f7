//! Who calls a tenant, and what may happen to accounts.

use std::time::Duration;

use crate::{diagnostic::Place, dialect::Settings, mapping::address::Domains};

/// The client of a tenant: `[client]`.
#[derive(Debug, Clone)]
pub struct Client {
    /// Which provider, and which quirks are mended.
    pub dialect: Settings,
    /// Domains that userName (where it is an address) and emails may have; empty: any. `*.` in front admits sub-domains.
    pub domains: Domains,
    /// The userName that `/Me` stands for; absent: `/Me` is 501.
    pub me: Option<String>,
    /// Credentials in the file: hashes only.
    pub keys: Vec<FileKey>,
}

/// A credential's hash in a tenant file.
#[derive(Debug, Clone)]
pub struct FileKey {
    /// Shown in logs and audit.
    pub name: String,
    /// SHA-256 of the whole token.
    pub sha256: [u8; 32],
    /// Not accepted from then on; absent: no end (a warning).
    pub expires: Option<jiff::Timestamp>,
    /// Where it stands.
    pub place: Place,
}

/// What may happen to accounts: `[policy]`.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Accounts that are invisible and never written: values of the match attribute, compared without regard to case.
    pub protected: Vec<String>,
    /// Where the files say them, in the same order.
    pub protected_at: Vec<Place>,
    /// A create that meets an account which exists in the application.
    pub on_existing: OnExisting,
    /// A change of the identifier.
    pub on_rename: OnRename,
    /// A DELETE of a user.
    pub on_delete: OnDelete,
    /// What the client is shown as `active`.
    pub active_is: ActiveIs,
    /// Too many changes in a window pause the tenant.
    pub most_changes: Option<MostChanges>,
    /// A reference to a resource that does not exist.
    pub on_missing_reference: OnMissingReference,
    /// A group may not shrink by more than this part of its members in one request unless it is an explicit replace or
    /// remove-all; absent: no guard.
    pub max_shrink: Option<Shrink>,
}

/// A create that meets an account which exists in the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// 409 `uniqueness`.
    Conflict,
    /// The account becomes the client's, in verified domains only; its identity attributes are not written.
    Adopt,
    /// As `Adopt`, for inactive accounts only, which are activated; others are a conflict.
    Reactivate,
}

/// A change of the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRename {
    /// Written like any attribute.
    InPlace,
    /// 400 `mutability`.
    Reject,
    /// The old account is deactivated or deleted and a new one made, under the same SCIM id.
    Recreate,
}

/// A DELETE of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The account is deleted.
    Delete,
    /// The account is deactivated and no longer shown.
    Deactivate,
    /// Refused with 403.
    Refuse,
}

/// What the client is shown as `active`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveIs {
    /// The application's state.
    Target,
    /// What the client wished last; a suspension in the application stays hidden and is not lifted by an unrelated write.
    Client,
}

/// Too many changes in a window pause the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct MostChanges {
    /// Deactivations and deletions within the window; absent: `percent` alone.
    pub deactivations: Option<u64>,
    /// Percent of the users that the application has, 1 to 100; absent: `deactivations` alone. Of both the smaller counts.
    pub percent: Option<u8>,
    /// The window.
    pub window: Duration,
}

/// A reference to a resource that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMissingReference {
    /// 400 `invalidValue`.
    Reject,
    /// Left out.
    Drop,
    /// Left out, and set when the resource appears.
    Hold {
        /// How long it is waited for.
        life: Duration,
        /// References that are held for the tenant at most; further ones are left out.
        most: u64,
    },
}

/// How far a group may shrink in one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrink {
    /// Percent of the members, 0 to 100.
    pub percent: u8,
    /// Groups that lose at most this many members are never refused.
    pub members: usize,
}
