//! What the store keeps: records, intents and keys.
//!
//! Times are kept to the microsecond by every engine; finer digits are cut off.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{ExternalId, ScimId, TargetId, TenantId};

/// What the gateway knows of one resource that the target does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The SCIM `id`.
    pub scim_id: ScimId,
    /// The target's key; absent while the target has no such object, or if a tombstone's key has passed to another record.
    pub target_id: Option<TargetId>,
    /// The client's `externalId`; absent if it never sent one or if the target has a field for it.
    pub external_id: Option<ExternalId>,
    /// Shadow attributes: the kept ones, in the schema's spelling, extensions under their URN. Never a password.
    pub shadow: Map<String, Value>,
    /// `meta.created`; [`Record::UNKNOWN`] for what was not created through the gateway.
    pub created: Timestamp,
    /// `meta.lastModified`: of what was never changed through the gateway, since when it is known here.
    pub modified: Timestamp,
    /// Counts the writes through the gateway, from 1. The caller adds the 1; the store keeps what it is given, up to `i64::MAX`.
    pub revision: u64,
    /// A tombstone: the client deleted the resource, the target may still have the object.
    pub is_deleted: bool,
}

impl Record {
    /// A time that nobody knows: the Unix epoch.
    pub const UNKNOWN: Timestamp = Timestamp::UNIX_EPOCH;
}

/// A reference to a resource that does not exist yet, kept until it appears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The type of the resource that refers, such as `Group`.
    pub from_type: String,
    /// Its id.
    pub from_id: ScimId,
    /// The attribute that holds the reference: `members`, or a manager with the URN of its schema.
    pub attribute: String,
    /// What the client named, in lower case: an id, an `externalId` or a name.
    pub named: String,
    /// When it was held; its age counts from here.
    pub since: Timestamp,
}

/// A create that was begun: what lets the same request, sent again, end with one account and the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What makes two creates the same resource, such as the folded userName. Unique per tenant and resource type.
    pub match_key: String,
    /// SHA-256 of the normalized request: the same request again, or another one for the same name.
    pub digest: [u8; 32],
    /// The id the resource has or will have; empty while only the target can choose it.
    pub scim_id: ScimId,
    /// How far it came.
    pub state: IntentState,
    /// When it was begun; its age counts from here.
    pub prepared_at: Timestamp,
    /// The target's key; present from `Applied` on, if the record has one.
    pub target_id: Option<TargetId>,
}

/// How far a create came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntentState {
    /// The target may or may not have the object: look it up before creating.
    Prepared,
    /// The target has it and the record is kept; the client may not know.
    Applied,
    /// The client was answered.
    Acknowledged,
}

impl Intent {
    /// Whether its resource can turn out to have this id: it was chosen, or is still open.
    pub fn may_become(&self, id: &ScimId) -> bool {
        self.scim_id.as_str().is_empty() || self.scim_id == *id
    }

    /// How long an acknowledged intent is remembered.
    pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

    /// Whether it is acknowledged and more than [`Self::LIFETIME`] old: a new create of the same name begins afresh.
    ///
    /// ```
    /// # use scimgate::store::{Intent, IntentState, ScimId};
    /// # let epoch = jiff::Timestamp::UNIX_EPOCH;
    /// # let mut intent = Intent { match_key: "ada".into(), digest: [0; 32], scim_id: ScimId::new("1"),
    /// #     state: IntentState::Prepared, prepared_at: epoch, target_id: None };
    /// let next_week = epoch + jiff::SignedDuration::from_hours(168);
    /// assert!(!intent.is_expired(next_week)); // it may still have to be looked up
    /// intent.state = IntentState::Acknowledged;
    /// assert!(intent.is_expired(next_week));
    /// ```
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.state == IntentState::Acknowledged
            && now.duration_since(self.prepared_at) > Self::LIFETIME
    }
}

/// What [`prepare`](super::Store::prepare) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// The intent is ours and is on the disk: go on and create.
    Fresh,
    /// Somebody was there before: the intent as it stands, possibly our own from before a crash.
    Existing(Intent),
}

/// A client's key as the store has it: a hash, never the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The public part of the key, unique over all tenants.
    pub id: String,
    /// The operator's name for it.
    pub name: String,
    /// Whose key it is.
    pub tenant: TenantId,
    /// SHA-256 of the whole token.
    pub sha256: [u8; 32],
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused; absent means never.
    pub expires: Option<Timestamp>,
    /// Since when it is refused; absent means it is not revoked.
    pub revoked: Option<Timestamp>,
}

impl KeyRecord {
    /// Whether the key opens anything at `now`: neither expired nor revoked.
    pub fn is_active(&self, now: Timestamp) -> bool {
        let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        !is_over(self.expires) && !is_over(self.revoked)
    }
}

/// The time as every engine keeps it: whole microseconds.
pub(super) fn to_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
