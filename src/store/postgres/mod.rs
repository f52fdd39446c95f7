//! The engine for several replicas: one PostgreSQL that all of them use.
//!
//! In: the store's operations. Out: rows, once they are committed. Knows nothing of the gateway; needs a database of its own.
//!
//! `session` is a connection and its transactions, `pool` has a few of them and knows when there are none, `lock` has those that hold over
//! all replicas, `migrate` makes the tables, and `record`, `intent`, `held` and `key` have the statements.
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
mod pool;
mod record;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod tls;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::Row;

use self::fault::Fault;
use self::lock::Locks;
use self::pool::Pool;
use self::record::Columns;
use self::session::{Scope, Step, step};
use self::text::stored;
pub use settings::{PostgresSettings, PostgresTls};

use super::{
    ExternalId, HELD_LIMIT, Held, Intent, KeyRecord, OPEN_INTENTS_LIMIT, Prepared, Record, ScimId,
    Store, StoreError, StoreFuture, StoreLock, TargetId, TenantId,
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

    /// One transaction of a tenant; gives the rows of each step.
    async fn transact(
        &self,
        what: &'static str,
        place: &Place<'_>,
        steps: &[Step<'_>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        self.pool
            .transact(what, Scope::Tenant(&place.tenant), steps)
            .await
    }

    /// One query of a tenant, read row by row.
    async fn find<T>(
        &self,
        what: &'static str,
        place: &Place<'_>,
        query: Step<'_>,
        read: impl Fn(&Row) -> Result<T, Fault>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.transact(what, place, &[query]).await?;
        read_all(what, rows.iter().flatten(), read)
    }

    async fn put_for(
        &self,
        place: &Place<'_>,
        record: &Record,
        match_key: Option<&str>,
    ) -> Result<(), StoreError> {
        let Columns {
            scim_id,
            target_id,
            external_id,
            shadow,
            created,
            modified,
            revision,
            is_deleted,
        } = Columns::of(record)?;
        let (tenant, kind) = (&place.tenant, &place.resource_type);
        let match_key = match_key.map(stored);
        let mut steps = Vec::with_capacity(3);
        if target_id.is_some() {
            steps.push(step!(
                record::RELEASE,
                tenant,
                kind,
                &target_id,
                &scim_id,
                &match_key
            ));
        }
        let written = steps.len();
        steps.push(step!(
            record::WRITE,
            tenant,
            kind,
            &scim_id,
            &target_id,
            &external_id,
            &shadow,
            &created,
            &modified,
            &revision,
            &is_deleted,
            &match_key,
        ));
        if match_key.is_some() {
            steps.push(step!(
                intent::APPLY,
                tenant,
                kind,
                &match_key,
                &scim_id,
                &target_id
            ));
        }
        let rows = self.transact("write a record", place, &steps).await?;
        match rows.get(written).is_some_and(|rows| !rows.is_empty()) {
            true => Ok(()),
            false => Err(StoreError::Conflict { what: "match key" }),
        }
    }
}

/// Whose rows, and of which resource type, as they are stored.
struct Place<'a> {
    tenant: Cow<'a, str>,
    resource_type: Cow<'a, str>,
}

impl<'a> Place<'a> {
    fn new(tenant: &'a TenantId, resource_type: &'a str) -> Self {
        Self {
            tenant: stored(tenant.as_str()),
            resource_type: stored(resource_type),
        }
    }
}

fn read_all<'a, T>(
    what: &'static str,
    rows: impl Iterator<Item = &'a Row>,
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Vec<T>, StoreError> {
    rows.map(read)
        .collect::<Result<_, _>>()
        .map_err(|fault| fault.named(what))
}

fn whole(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Store for PostgresStore {
    fn record<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let (place, id) = (Place::new(tenant, resource_type), stored(id.as_str()));
            let query = step!(record::BY_ID, &place.tenant, &place.resource_type, &id);
            let found = self
                .find("read a record", &place, query, record::read)
                .await?;
            Ok(found.into_iter().next())
        })
    }

    fn record_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let target_id = stored(target_id.as_str());
            let query = step!(
                record::BY_TARGET,
                &place.tenant,
                &place.resource_type,
                &target_id
            );
            let found = self
                .find("read a record", &place, query, record::read)
                .await?;
            Ok(found.into_iter().next())
        })
    }

    fn record_by_either<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let (stored_id, target_id) = (stored(id.as_str()), stored(target_id.as_str()));
            let query = step!(
                record::BY_EITHER,
                &place.tenant,
                &place.resource_type,
                &stored_id,
                &target_id
            );
            let found = self
                .find("read a record", &place, query, record::read)
                .await?;
            let by_id = found.iter().position(|record| record.scim_id == *id);
            Ok(found.into_iter().nth(by_id.unwrap_or(0)))
        })
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        ids: &'a [ScimId],
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let ids: Vec<_> = ids.iter().map(|id| stored(id.as_str())).collect();
            let query = step!(record::BY_IDS, &place.tenant, &place.resource_type, &ids);
            self.find("read records", &place, query, record::read).await
        })
    }

    fn records_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_ids: &'a [TargetId],
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let ids: Vec<_> = target_ids.iter().map(|id| stored(id.as_str())).collect();
            let query = step!(
                record::BY_TARGETS,
                &place.tenant,
                &place.resource_type,
                &ids
            );
            self.find("read records", &place, query, record::read).await
        })
    }

    fn records_by_external_id<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        external_id: &'a ExternalId,
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let external_id = stored(external_id.as_str());
            let query = step!(
                record::BY_EXTERNAL_ID,
                &place.tenant,
                &place.resource_type,
                &external_id
            );
            self.find("read records", &place, query, record::read).await
        })
    }

    fn records_page<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        after: Option<&'a ScimId>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let (place, limit) = (Place::new(tenant, resource_type), whole(limit));
            let after = after.map(|id| stored(id.as_str()));
            let query = match &after {
                Some(after) => step!(
                    record::PAGE_AFTER,
                    &place.tenant,
                    &place.resource_type,
                    after,
                    &limit
                ),
                None => step!(
                    record::FIRST_PAGE,
                    &place.tenant,
                    &place.resource_type,
                    &limit
                ),
            };
            self.find("read records", &place, query, record::read).await
        })
    }

    fn put<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            self.put_for(&place, record, None).await
        })
    }

    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        keep_tombstone: bool,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let (place, id) = (Place::new(tenant, resource_type), stored(id.as_str()));
            let (tenant, kind) = (&place.tenant, &place.resource_type);
            let removal = match keep_tombstone {
                true => record::BURY,
                false => record::DELETE,
            };
            let steps = [
                step!(removal, tenant, kind, &id),
                step!(intent::FORGET_FINISHED, tenant, kind, &id),
            ];
            self.transact("delete a record", &place, &steps).await?;
            Ok(())
        })
    }

    fn prepare<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        intent: &'a Intent,
        now: Timestamp,
    ) -> StoreFuture<'a, Prepared> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let (tenant, kind) = (&place.tenant, &place.resource_type);
            let match_key = stored(&intent.match_key);
            let scim_id = stored(intent.scim_id.as_str());
            let (digest, prepared_at) = (
                &intent.digest.as_slice(),
                intent.prepared_at.as_microsecond(),
            );
            let oldest_kept = now
                .checked_sub(Intent::LIFETIME)
                .unwrap_or(Timestamp::MIN)
                .as_microsecond();
            let steps = [
                step!(
                    intent::FILE,
                    tenant,
                    kind,
                    &match_key,
                    digest,
                    &scim_id,
                    &prepared_at,
                    &oldest_kept
                ),
                step!(intent::BY_MATCH_KEY, tenant, kind, &match_key),
                step!(
                    intent::FORGET_EXPIRED,
                    tenant,
                    &oldest_kept,
                    kind,
                    &match_key,
                    &prepared_at
                ),
            ];
            for _ in 0..ATTEMPTS {
                let rows = self.transact("write an intent", &place, &steps).await?;
                let mut rows = rows.iter();
                if rows.next().is_some_and(|filed| !filed.is_empty()) {
                    return Ok(Prepared::Fresh);
                }
                if let Some(row) = rows.next().and_then(|found| found.first()) {
                    let existing =
                        intent::read(row).map_err(|fault| fault.named("read an intent"))?;
                    return Ok(Prepared::Existing(existing));
                }
                // It was there for the first statement and gone for the second: somebody has abandoned it.
            }
            Err(StoreError::Unavailable {
                what: "write an intent",
                cause: None,
            })
        })
    }

    fn applied<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            self.put_for(&place, record, Some(match_key)).await
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
            let place = Place::new(tenant, resource_type);
            let (match_key, id) = (stored(match_key), stored(id.as_str()));
            let step = step!(
                intent::ACKNOWLEDGE,
                &place.tenant,
                &place.resource_type,
                &match_key,
                &id
            );
            self.transact("acknowledge an intent", &place, &[step])
                .await?;
            Ok(())
        })
    }

    fn abandon<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let (match_key, id) = (stored(match_key), stored(id.as_str()));
            let step = step!(
                intent::ABANDON,
                &place.tenant,
                &place.resource_type,
                &match_key,
                &id
            );
            self.transact("abandon an intent", &place, &[step]).await?;
            Ok(())
        })
    }

    fn intent<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
    ) -> StoreFuture<'a, Option<Intent>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let match_key = stored(match_key);
            let query = step!(
                intent::BY_MATCH_KEY,
                &place.tenant,
                &place.resource_type,
                &match_key
            );
            let found = self.find("read an intent", &place, query, intent::read);
            Ok(found.await?.pop())
        })
    }

    fn open_intents<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        older_than: Timestamp,
    ) -> StoreFuture<'a, Vec<Intent>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let (older_than, limit) = (older_than.as_microsecond(), whole(OPEN_INTENTS_LIMIT));
            let query = step!(
                intent::OPEN,
                &place.tenant,
                &place.resource_type,
                &older_than,
                &limit
            );
            self.find("read intents", &place, query, intent::read).await
        })
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
            let place = Place::new(tenant, resource_type);
            let (tenant, kind) = (&place.tenant, &place.resource_type);
            let (named, from_type) = (stored(&held.named), stored(&held.from_type));
            let (from_id, attribute) = (stored(held.from_id.as_str()), stored(&held.attribute));
            let (since, not_before) = (held.since.as_microsecond(), not_before.as_microsecond());
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let steps = [
                step!(held::FORGET_OLD, tenant, &not_before),
                step!(
                    held::HOLD,
                    tenant,
                    kind,
                    &named,
                    &from_type,
                    &from_id,
                    &attribute,
                    &since,
                    &most
                ),
            ];
            let rows = self.transact("hold a reference", &place, &steps).await?;
            Ok(rows.last().is_some_and(|held| !held.is_empty()))
        })
    }

    fn held<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        names: &'a [String],
        not_before: Timestamp,
    ) -> StoreFuture<'a, Vec<Held>> {
        Box::pin(async move {
            let place = Place::new(tenant, resource_type);
            let names: Vec<_> = names.iter().map(|name| stored(name)).collect();
            let (not_before, limit) = (not_before.as_microsecond(), whole(HELD_LIMIT));
            let query = step!(
                held::FIND,
                &place.tenant,
                &place.resource_type,
                &names,
                &not_before,
                &limit
            );
            self.find("read held references", &place, query, held::read)
                .await
        })
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
            let (place, id) = (Place::new(tenant, resource_type), stored(id.as_str()));
            let (attribute, named) = (attribute.map(stored), named.map(stored));
            let step = step!(
                held::LET_GO,
                &place.tenant,
                &place.resource_type,
                &id,
                &attribute,
                &named
            );
            self.transact("let a reference go", &place, &[step]).await?;
            Ok(())
        })
    }

    fn held_count<'a>(
        &'a self,
        tenant: &'a TenantId,
        not_before: Timestamp,
    ) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let (place, not_before) = (Place::new(tenant, ""), not_before.as_microsecond());
            let query = step!(held::COUNT, &place.tenant, &not_before);
            let count = |row: &Row| Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0));
            let counts = self
                .find("count held references", &place, query, count)
                .await?;
            Ok(counts.into_iter().sum())
        })
    }

    fn create_key<'a>(&'a self, tenant: &'a TenantId, key: &'a KeyRecord) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let place = Place::new(tenant, "");
            let (id, name, hash) = (stored(&key.id), stored(&key.name), &key.sha256.as_slice());
            let created = key.created.as_microsecond();
            let expires = key.expires.map(Timestamp::as_microsecond);
            let revoked = key.revoked.map(Timestamp::as_microsecond);
            let step = step!(
                key::CREATE,
                &id,
                &place.tenant,
                &name,
                hash,
                &created,
                &expires,
                &revoked
            );
            self.transact("write a key", &place, &[step]).await?;
            Ok(())
        })
    }

    fn keys<'a>(&'a self, tenant: &'a TenantId) -> StoreFuture<'a, Vec<KeyRecord>> {
        Box::pin(async move {
            let place = Place::new(tenant, "");
            let query = step!(key::OF_TENANT, &place.tenant);
            self.find("read keys", &place, query, key::read).await
        })
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
        Box::pin(async move {
            let (place, id, at) = (Place::new(tenant, ""), stored(id), at.as_microsecond());
            let step = step!(key::REVOKE, &place.tenant, &id, &at);
            let rows = self.transact("revoke a key", &place, &[step]).await?;
            Ok(rows.iter().any(|revoked| !revoked.is_empty()))
        })
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

/// How often a create that finds an intent which is gone at the next look is tried.
const ATTEMPTS: usize = 3;
