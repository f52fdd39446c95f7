//! What must be remembered between requests: id links, `externalId`, shadow attributes, versions, intents, keys.
//!
//! In: a tenant's proof and what is to be kept. Out: what was kept, or a precise error. Knows nothing of SCIM's rules, of targets or of
//! HTTP; decides nothing. Never holds a password, a token or a target's credential.
//!
//! One trait, engines behind it. Every method is one transaction: when it returns `Ok`, the write survives the process and the
//! power supply (not in the memory engine, which keeps nothing).

mod error;
mod id;
mod lock;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod sqlite;
#[cfg(test)]
mod suite;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

pub use error::StoreError;
pub use id::{ExternalId, ScimId, TargetId, TenantId};
pub use lock::StoreLock;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresSettings, PostgresStore, PostgresTls};
pub use record::{Held, Intent, IntentState, KeyRecord, Prepared, Record};
pub use sqlite::SqliteStore;

/// The answer of a store's method, later.
pub type StoreFuture<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// How many intents [`Store::open_intents`] returns at most.
pub const OPEN_INTENTS_LIMIT: usize = 1000;

/// How many references [`Store::held`] returns at most.
pub const HELD_LIMIT: usize = 1000;

/// The store: every method is one transaction of one tenant.
///
/// A future that is dropped before it is ready leaves the write either done or not done, never half done. Resource types are named as in
/// the mapping (`User`), case-exactly. All methods fail with [`StoreError::Unavailable`] or [`StoreError::Damaged`] where the engine can.
pub trait Store: Send + Sync + 'static {
    /// The record of an id, tombstones included.
    fn record<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, Option<Record>>;

    /// The one record that holds this target id, tombstones included.
    fn record_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>>;

    /// The record of an id or, if it has none, the one that holds the target id, tombstones included.
    ///
    /// For ids of the target's own that serve as SCIM ids: one look instead of two.
    fn record_by_either<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>>;

    /// The records of these ids, tombstones included, in the order of the ids; unknown ones are left out.
    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        ids: &'a [ScimId],
    ) -> StoreFuture<'a, Vec<Record>>;

    /// The records that hold any of these target ids, tombstones included, in the order of the ids; ids nobody holds are left out.
    ///
    /// For joining a page of the target's list: a hit that is a tombstone is an object the client has deleted.
    fn records_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_ids: &'a [TargetId],
    ) -> StoreFuture<'a, Vec<Record>>;

    /// The records with this `externalId`, case-exactly, without tombstones, ordered by SCIM id.
    fn records_by_external_id<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        external_id: &'a ExternalId,
    ) -> StoreFuture<'a, Vec<Record>>;

    /// At most `limit` records after an id (from the first one if absent), tombstones included, ordered by the bytes of the SCIM id.
    ///
    /// Fewer than `limit` means that there are no more.
    fn records_page<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        after: Option<&'a ScimId>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Record>>;

    /// Writes the record, over the one with the same SCIM id if there is one.
    ///
    /// A target id that only a tombstone holds passes to this record; the tombstone loses it.
    ///
    /// # Errors
    ///
    /// `Conflict` if another record, not a tombstone, holds the target id.
    fn put<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()>;

    /// Removes the record and its finished intents, so that the same name can be created again. An unknown id is no error.
    ///
    /// With `keep_tombstone` the ids, times and revision (plus 1) stay, marked as deleted; `externalId` and shadow attributes go.
    /// To keep more or to set `modified`, `put` a record with `is_deleted`.
    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        keep_tombstone: bool,
    ) -> StoreFuture<'a, ()>;

    /// Begins a create, or a call that gives an object another key: files the intent as `Prepared`, unless there is one with the same match key, which is then returned.
    ///
    /// Of any number of callers at the same time, over all replicas, exactly one gets [`Prepared::Fresh`]. An
    /// [expired](Intent::is_expired) intent counts as none. State and target id of the intent given are not looked at.
    fn prepare<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        intent: &'a Intent,
        now: Timestamp,
    ) -> StoreFuture<'a, Prepared>;

    /// The target has the resource: writes the record as [`put`](Self::put) does and marks the intent as `Applied`, together.
    ///
    /// The record is written even if the intent has been abandoned meanwhile: the target's object is a fact. An intent that is
    /// acknowledged already stays so.
    ///
    /// # Errors
    ///
    /// `Conflict` if the intent belongs to another SCIM id by now, or as for `put`. Nothing is written then.
    fn applied<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()>;

    /// The client has its answer: `Applied` becomes `Acknowledged`, if the intent is this id's. Anything else changes nothing.
    fn acknowledge<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()>;

    /// Removes the intent in whatever state, if it is this id's: the target refused, or the resource was deleted or renamed.
    fn abandon<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()>;

    /// The intent with this match key, in whatever state.
    fn intent<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
    ) -> StoreFuture<'a, Option<Intent>>;

    /// `Prepared` intents begun before a time, oldest first, at most [`OPEN_INTENTS_LIMIT`]: what the reconciler has to look up.
    fn open_intents<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        older_than: Timestamp,
    ) -> StoreFuture<'a, Vec<Intent>>;

    /// Holds a reference to a resource of this type; the same one again only counts its age anew. Those of the tenant that are
    /// older than `not_before` are forgotten.
    ///
    /// False if the tenant has `most` of them already: then it is not held.
    fn hold<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        held: &'a Held,
        most: u64,
        not_before: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// What is held, since `not_before`, for a resource of this type that has any of these names (in lower case), oldest first, at
    /// most [`HELD_LIMIT`].
    fn held<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        names: &'a [String],
        not_before: Timestamp,
    ) -> StoreFuture<'a, Vec<Held>>;

    /// Lets go of what a resource holds: all of it, or that of an attribute, or that of an attribute with this name (in lower case).
    /// `resource_type` is the type of the resource that refers.
    fn let_go<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        attribute: Option<&'a str>,
        named: Option<&'a str>,
    ) -> StoreFuture<'a, ()>;

    /// How many references a tenant holds since `not_before`.
    fn held_count<'a>(
        &'a self,
        tenant: &'a TenantId,
        not_before: Timestamp,
    ) -> StoreFuture<'a, u64>;

    /// Files a key under `tenant`, whatever `key.tenant` says.
    ///
    /// # Errors
    ///
    /// `Conflict` if the id or the hash is taken, by any tenant.
    fn create_key<'a>(&'a self, tenant: &'a TenantId, key: &'a KeyRecord) -> StoreFuture<'a, ()>;

    /// A tenant's keys, also expired and revoked ones, ordered by creation.
    fn keys<'a>(&'a self, tenant: &'a TenantId) -> StoreFuture<'a, Vec<KeyRecord>>;

    /// Everybody's keys: for authentication, which finds the tenant by the key. Ordered by creation.
    fn all_keys(&self) -> StoreFuture<'_, Vec<KeyRecord>>;

    /// Revokes a key from `at` on; true if the tenant has such a key. One that is revoked already keeps its first time.
    fn revoke_key<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// Waits for the lock of a name, such as `User/7`, over all replicas, until `deadline`.
    ///
    /// Whoever asks holds the lock within the process already: of one process at most one waits here for a name. An engine that no second
    /// process serves from has nothing to add to that, and gives it at once.
    ///
    /// # Errors
    ///
    /// `Busy` if another replica has it until the deadline.
    fn lock<'a>(
        &'a self,
        tenant: &'a TenantId,
        name: &'a str,
        deadline: Instant,
    ) -> StoreFuture<'a, StoreLock> {
        let _ = (tenant, name, deadline);
        Box::pin(async { Ok(StoreLock::of_one_process()) })
    }

    /// Whether other processes may serve from this store at the same time.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether reads and writes get through; for readiness.
    fn health(&self) -> StoreFuture<'_, ()>;
}

/// Which engine, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// Keeps nothing beyond the process: tests, `explain`, the demo.
    Memory,
    /// One file, with its `-wal` and `-shm` beside it.
    Sqlite {
        /// The file. Missing directories are created, readable by the owner only.
        path: PathBuf,
    },
    /// A PostgreSQL server: several replicas behave as one.
    #[cfg(feature = "postgres")]
    Postgres(PostgresSettings),
}

/// Makes sure that no second process serves from a store that only one may serve from; holds for as long as what it gives lives.
///
/// Commands beside the running gateway (`keys`, `explain`) need no leave.
///
/// # Errors
///
/// `Unusable` if there is another one.
pub fn serve_alone(settings: &StoreSettings) -> Result<Option<File>, StoreError> {
    match settings {
        StoreSettings::Sqlite { path } => SqliteStore::serve_alone(path).map(Some),
        _ => Ok(None),
    }
}

/// Opens the store, creating it if there is none, bringing it up to this version, and checking it for damage.
///
/// # Errors
///
/// `Damaged` or `Unusable` if the file must not be used (the process should stop and say so), `Unavailable` or `Full` if it cannot be.
pub async fn open(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    match settings {
        StoreSettings::Memory => Ok(Arc::new(MemoryStore::default())),
        StoreSettings::Sqlite { path } => {
            let path = path.clone();
            let opening = tokio::task::spawn_blocking(move || SqliteStore::open(&path));
            let opened = opening
                .await
                .map_err(|error| StoreError::unavailable("open", error))?;
            Ok(Arc::new(opened?))
        }
        #[cfg(feature = "postgres")]
        StoreSettings::Postgres(settings) => Ok(Arc::new(PostgresStore::open(settings).await?)),
    }
}
