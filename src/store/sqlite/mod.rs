//! The default engine: one SQLite file.
//!
//! In: the store's operations. Out: rows, once they are on the disk. Knows nothing beyond its file.
//!
//! `worker` has the threads, `file` opens and checks, `record`, `intent`, `held` and `key` have the statements.

mod fault;
mod file;
mod held;
mod intent;
mod key;
mod place;
mod record;
mod seal;
#[cfg(test)]
mod tests;
mod worker;

use std::fs::File;
use std::path::Path;
use std::thread::available_parallelism;

use jiff::Timestamp;

use self::place::Place;
use self::worker::{Here, Worker};
use super::{
    ExternalId, Held, Intent, KeyRecord, Prepared, Record, ScimId, Store, StoreError, StoreFuture,
    TargetId, TenantId,
};

/// A store in one SQLite file. Several processes may have it open; closing it (by dropping) waits for what is being written.
pub struct SqliteStore {
    writer: Worker,
    readers: Worker,
    here: Here,
}

impl SqliteStore {
    /// Opens the file, creating, checking and migrating it as needed. Blocks while it reads the whole file.
    ///
    /// # Errors
    ///
    /// `Damaged` or `Unusable` if the file must not be used, `Unavailable` or `Full` if it cannot be.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = file::open_writer(path)?;
        let cores = available_parallelism().map_or(1, usize::from);
        let connections = || {
            let each = (0..cores.clamp(1, MOST_READERS)).map(|_| file::open_reader(path));
            each.collect::<Result<_, _>>()
        };
        Ok(Self {
            writer: Worker::writer(writer)?,
            readers: Worker::readers(connections()?)?,
            here: Here::new(connections()?),
        })
    }

    /// Takes the one place of a serving process: locks over resources are held within it.
    ///
    /// # Errors
    ///
    /// `Unusable` if another process has it.
    pub fn serve_alone(path: &Path) -> Result<File, StoreError> {
        file::serve_alone(path)
    }

    /// A look at so many rows by their key.
    async fn look<T, F>(&self, count: usize, what: &'static str, find: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, fault::Fault> + Send + 'static,
    {
        match count <= MOST_ROWS_HERE {
            true => self.here.run(&self.readers, what, find).await,
            false => self.readers.run(what, find).await,
        }
    }
}

impl Store for SqliteStore {
    fn record<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, Option<Record>> {
        let (place, id) = (Place::new(tenant, resource_type), id.clone());
        let find = move |conn: &_| record::by_id(conn, &place, &id);
        Box::pin(self.look(1, "read a record", find))
    }

    fn record_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        let (place, target_id) = (Place::new(tenant, resource_type), target_id.clone());
        let find = move |conn: &_| record::by_target(conn, &place, &target_id);
        Box::pin(self.look(1, "read a record", find))
    }

    fn record_by_either<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        let place = Place::new(tenant, resource_type);
        let (id, target_id) = (id.clone(), target_id.clone());
        let find = move |conn: &_| record::by_either(conn, &place, &id, &target_id);
        Box::pin(self.look(1, "read a record", find))
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        ids: &'a [ScimId],
    ) -> StoreFuture<'a, Vec<Record>> {
        let (place, ids) = (Place::new(tenant, resource_type), ids.to_vec());
        let count = ids.len();
        let find = move |conn: &_| record::by_ids(conn, &place, &ids);
        Box::pin(self.look(count, "read records", find))
    }

    fn records_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_ids: &'a [TargetId],
    ) -> StoreFuture<'a, Vec<Record>> {
        let (place, target_ids) = (Place::new(tenant, resource_type), target_ids.to_vec());
        let count = target_ids.len();
        let find = move |conn: &_| record::by_targets(conn, &place, &target_ids);
        Box::pin(self.look(count, "read records", find))
    }

    fn records_by_external_id<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        external_id: &'a ExternalId,
    ) -> StoreFuture<'a, Vec<Record>> {
        let (place, external_id) = (Place::new(tenant, resource_type), external_id.clone());
        let find = move |conn: &_| record::by_external_id(conn, &place, &external_id);
        Box::pin(self.readers.run("read records", find))
    }

    fn records_page<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        after: Option<&'a ScimId>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Record>> {
        let (place, after) = (Place::new(tenant, resource_type), after.cloned());
        let find = move |conn: &_| record::page(conn, &place, after.as_ref(), limit);
        Box::pin(self.readers.run("read records", find))
    }

    fn put<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        let (place, record) = (Place::new(tenant, resource_type), record.clone());
        let put = move |conn: &_| record::put(conn, &place, &record);
        Box::pin(self.writer.run("write a record", put))
    }

    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        keep_tombstone: bool,
    ) -> StoreFuture<'a, ()> {
        let (place, id) = (Place::new(tenant, resource_type), id.clone());
        let delete = move |conn: &_| {
            record::delete(conn, &place, &id, keep_tombstone)?;
            intent::forget_finished(conn, &place, &id)
        };
        Box::pin(self.writer.run("delete a record", delete))
    }

    fn prepare<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        intent: &'a Intent,
        now: Timestamp,
    ) -> StoreFuture<'a, Prepared> {
        let (place, intent) = (Place::new(tenant, resource_type), intent.clone());
        let prepare = move |conn: &_| intent::prepare(conn, &place, &intent, now);
        Box::pin(self.writer.run("write an intent", prepare))
    }

    fn applied<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        let (place, record) = (Place::new(tenant, resource_type), record.clone());
        let match_key = match_key.to_owned();
        let apply = move |conn: &_| intent::applied(conn, &place, &match_key, &record);
        Box::pin(self.writer.run("write a record", apply))
    }

    fn acknowledge<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        let (place, id) = (Place::new(tenant, resource_type), id.clone());
        let match_key = match_key.to_owned();
        let acknowledge = move |conn: &_| intent::acknowledge(conn, &place, &match_key, &id);
        Box::pin(self.writer.run("acknowledge an intent", acknowledge))
    }

    fn abandon<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        let (place, id) = (Place::new(tenant, resource_type), id.clone());
        let match_key = match_key.to_owned();
        let abandon = move |conn: &_| intent::abandon(conn, &place, &match_key, &id);
        Box::pin(self.writer.run("abandon an intent", abandon))
    }

    fn intent<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
    ) -> StoreFuture<'a, Option<Intent>> {
        let (place, match_key) = (Place::new(tenant, resource_type), match_key.to_owned());
        let find = move |conn: &_| intent::by_match_key(conn, &place, &match_key);
        Box::pin(self.readers.run("read an intent", find))
    }

    fn open_intents<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        older_than: Timestamp,
    ) -> StoreFuture<'a, Vec<Intent>> {
        let place = Place::new(tenant, resource_type);
        let find = move |conn: &_| intent::open(conn, &place, older_than);
        Box::pin(self.readers.run("read intents", find))
    }

    fn hold<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        held: &'a Held,
        most: u64,
        not_before: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let (place, held) = (Place::new(tenant, resource_type), held.clone());
        let hold = move |conn: &_| held::hold(conn, &place, &held, most, not_before);
        Box::pin(self.writer.run("hold a reference", hold))
    }

    fn held<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        names: &'a [String],
        not_before: Timestamp,
    ) -> StoreFuture<'a, Vec<Held>> {
        let (place, names) = (Place::new(tenant, resource_type), names.to_vec());
        let find = move |conn: &_| held::find(conn, &place, &names, not_before);
        Box::pin(self.readers.run("read held references", find))
    }

    fn let_go<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        attribute: Option<&'a str>,
        named: Option<&'a str>,
    ) -> StoreFuture<'a, ()> {
        let (place, id) = (Place::new(tenant, resource_type), id.clone());
        let (attribute, named) = (attribute.map(str::to_owned), named.map(str::to_owned));
        let let_go =
            move |conn: &_| held::let_go(conn, &place, &id, attribute.as_deref(), named.as_deref());
        Box::pin(self.writer.run("let a reference go", let_go))
    }

    fn held_count<'a>(
        &'a self,
        tenant: &'a TenantId,
        not_before: Timestamp,
    ) -> StoreFuture<'a, u64> {
        let tenant = tenant.clone();
        let count = move |conn: &_| held::count(conn, &tenant, not_before);
        Box::pin(self.readers.run("count held references", count))
    }

    fn create_key<'a>(&'a self, tenant: &'a TenantId, key: &'a KeyRecord) -> StoreFuture<'a, ()> {
        let (tenant, key) = (tenant.clone(), key.clone());
        let create = move |conn: &_| key::create(conn, &tenant, &key);
        Box::pin(self.writer.run("write a key", create))
    }

    fn keys<'a>(&'a self, tenant: &'a TenantId) -> StoreFuture<'a, Vec<KeyRecord>> {
        let tenant = tenant.clone();
        let find = move |conn: &_| key::of_tenant(conn, &tenant);
        Box::pin(self.readers.run("read keys", find))
    }

    fn all_keys(&self) -> StoreFuture<'_, Vec<KeyRecord>> {
        Box::pin(self.readers.run("read keys", key::all))
    }

    fn revoke_key<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        let revoke = move |conn: &_| key::revoke(conn, &tenant, &id, at);
        Box::pin(self.writer.run("revoke a key", revoke))
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        Box::pin(async {
            let read = |conn: &rusqlite::Connection| {
                Ok(conn.query_row("SELECT count(*) FROM pragma_user_version", [], |_| Ok(()))?)
            };
            self.readers.run("answer a read", read).await?;
            // An empty transaction takes the write lock and writes nothing.
            self.writer.run("take a write", |_| Ok(())).await
        })
    }
}

/// A point read takes microseconds; more threads would not help.
const MOST_READERS: usize = 4;
/// Rows looked at on the caller's thread at most: a page of a list, some 200 µs. More are for the readers.
const MOST_ROWS_HERE: usize = 200;
