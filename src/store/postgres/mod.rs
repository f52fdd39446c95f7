//! The engine for several replicas: one PostgreSQL that all of them use.
//!
//! In: the store's operations. Out: rows, once they are committed. Knows nothing of the gateway; needs a database of its own.
//!
//! `session` is a connection and its transactions, `pool` has a few of them and knows when there are none, `lock` has those that hold over
//! all replicas, `migrate` makes the tables, `place` says whose rows are meant, and `record`, `intent`, `held` and `key` have the
//! statements.
//!
//! Rows have no seals as SQLite's have: PostgreSQL checks its own pages and its log (`data_checksums`, asked for at the start), and a
//! seal would cost every deletion and every mark a read before the write. That a row is the tenant's is checked by the server as
//! well: row-level security stands behind every `WHERE`.

mod fault;
mod held;
mod intent;
mod key;
mod lock;
mod migrate;
mod place;
mod pool;
mod record;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod tls;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use self::lock::Locks;
use self::place::{Place, read_all};
use self::pool::Pool;
use self::session::{Scope, step};
pub use settings::{PostgresSettings, PostgresTls};

use super::{
    ExternalId, Held, Intent, KeyRecord, Prepared, Record, ScimId, Store, StoreError, StoreFuture,
    StoreLock, TargetId, TenantId,
};

/// A store in a PostgreSQL database that several processes share.
pub struct PostgresStore {
    pool: Arc<Pool>,
    locks: Locks,
}

impl PostgresStore {
    /// Connects, and brings the database up to this version.
    ///
    /// # Errors
    ///
    /// `Unusable` if the settings or the database cannot be used, `Unavailable` if there is no connection.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool::new(settings)?);
        let (mut client, _ended) = pool.first().await?;
        migrate::migrate(&mut client).await?;
        Ok(Self {
            pool,
            locks: Locks::default(),
        })
    }

    /// The rows of a tenant, of one resource type; of all, if that is empty.
    fn place<'a>(&'a self, tenant: &'a TenantId, resource_type: &'a str) -> Place<'a> {
        Place::new(&self.pool, tenant, resource_type)
    }
}

impl Store for PostgresStore {
    fn record<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { record::by_id(&self.place(tenant, resource_type), id).await })
    }

    fn record_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        Box::pin(
            async move { record::by_target(&self.place(tenant, resource_type), target_id).await },
        )
    }

    fn record_by_either<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            record::by_either(&self.place(tenant, resource_type), id, target_id).await
        })
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        ids: &'a [ScimId],
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move { record::by_ids(&self.place(tenant, resource_type), ids).await })
    }

    fn records_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_ids: &'a [TargetId],
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(
            async move { record::by_targets(&self.place(tenant, resource_type), target_ids).await },
        )
    }

    fn records_by_external_id<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        external_id: &'a ExternalId,
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            record::by_external_id(&self.place(tenant, resource_type), external_id).await
        })
    }

    fn records_page<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        after: Option<&'a ScimId>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(
            async move { record::page(&self.place(tenant, resource_type), after, limit).await },
        )
    }

    fn put<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move { record::put(&self.place(tenant, resource_type), record).await })
    }

    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        keep_tombstone: bool,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            record::delete(&self.place(tenant, resource_type), id, keep_tombstone).await
        })
    }

    fn prepare<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        intent: &'a Intent,
        now: Timestamp,
    ) -> StoreFuture<'a, Prepared> {
        Box::pin(
            async move { intent::prepare(&self.place(tenant, resource_type), intent, now).await },
        )
    }

    fn applied<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            intent::applied(&self.place(tenant, resource_type), match_key, record).await
        })
    }

    fn acknowledge<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            intent::acknowledge(&self.place(tenant, resource_type), match_key, id).await
        })
    }

    fn abandon<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        Box::pin(
            async move { intent::abandon(&self.place(tenant, resource_type), match_key, id).await },
        )
    }

    fn intent<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
    ) -> StoreFuture<'a, Option<Intent>> {
        Box::pin(async move {
            intent::by_match_key(&self.place(tenant, resource_type), match_key).await
        })
    }

    fn open_intents<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        older_than: Timestamp,
    ) -> StoreFuture<'a, Vec<Intent>> {
        Box::pin(async move { intent::open(&self.place(tenant, resource_type), older_than).await })
    }

    fn hold<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        held: &'a Held,
        most: u64,
        not_before: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            held::hold(&self.place(tenant, resource_type), held, most, not_before).await
        })
    }

    fn held<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        names: &'a [String],
        not_before: Timestamp,
    ) -> StoreFuture<'a, Vec<Held>> {
        Box::pin(
            async move { held::find(&self.place(tenant, resource_type), names, not_before).await },
        )
    }

    fn let_go<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        attribute: Option<&'a str>,
        named: Option<&'a str>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            held::let_go(&self.place(tenant, resource_type), id, attribute, named).await
        })
    }

    fn held_count<'a>(
        &'a self,
        tenant: &'a TenantId,
        not_before: Timestamp,
    ) -> StoreFuture<'a, u64> {
        Box::pin(async move { held::count(&self.place(tenant, ""), not_before).await })
    }

    fn create_key<'a>(&'a self, tenant: &'a TenantId, key: &'a KeyRecord) -> StoreFuture<'a, ()> {
        Box::pin(async move { key::create(&self.place(tenant, ""), key).await })
    }

    fn keys<'a>(&'a self, tenant: &'a TenantId) -> StoreFuture<'a, Vec<KeyRecord>> {
        Box::pin(async move { key::of_tenant(&self.place(tenant, "")).await })
    }

    fn all_keys(&self) -> StoreFuture<'_, Vec<KeyRecord>> {
        Box::pin(async {
            let rows = self
                .pool
                .transact("read keys", Scope::Keys, &[step!(key::ALL)])
                .await?;
            read_all("read keys", rows.iter().flatten(), key::read)
        })
    }

    fn revoke_key<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { key::revoke(&self.place(tenant, ""), id, at).await })
    }

    fn lock<'a>(
        &'a self,
        tenant: &'a TenantId,
        name: &'a str,
        deadline: Instant,
    ) -> StoreFuture<'a, StoreLock> {
        Box::pin(self.locks.lock(&self.pool, tenant, name, deadline))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        Box::pin(async {
            // It ends with a COMMIT on a server that takes writes: others are not connected to.
            self.pool.transact("answer", Scope::Keys, &[]).await?;
            Ok(())
        })
    }
}
