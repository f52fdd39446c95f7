//! The engine that keeps nothing: for tests, `explain` and the demo. It is also the model the other engines are compared with.

mod held;
mod shelf;

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::{held::Waiting, shelf::Shelf};
use super::record::to_microseconds;
use super::{
    ExternalId, Held, Intent, KeyRecord, Prepared, Record, ScimId, Store, StoreError, StoreFuture,
    TargetId, TenantId,
};

/// A store in memory: the same rules as the others, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    tenants: HashMap<TenantId, HashMap<String, Shelf>>,
    keys: BTreeMap<String, KeyRecord>,
    held: HashMap<TenantId, Waiting>,
}

impl MemoryStore {
    fn content(&self) -> MutexGuard<'_, Content> {
        // No method stops halfway, so what a panicking thread leaves behind is whole.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<'a, T: Default + Send + 'a>(
        &self,
        tenant: &TenantId,
        resource_type: &str,
        find: impl FnOnce(&Shelf) -> T,
    ) -> StoreFuture<'a, T> {
        let content = self.content();
        let shelf = content
            .tenants
            .get(tenant)
            .and_then(|t| t.get(resource_type));
        let found = shelf.map(find).unwrap_or_default();
        Box::pin(ready(Ok(found)))
    }

    fn write<'a, T: Send + 'a>(
        &self,
        tenant: &TenantId,
        resource_type: &str,
        change: impl FnOnce(&mut Shelf) -> Result<T, StoreError>,
    ) -> StoreFuture<'a, T> {
        let mut content = self.content();
        let types = content.tenants.entry(tenant.clone()).or_default();
        let shelf = types.entry(resource_type.to_owned()).or_default();
        Box::pin(ready(change(shelf)))
    }
}

impl Content {
    fn create_key(&mut self, tenant: &TenantId, key: &KeyRecord) -> Result<(), StoreError> {
        if self.keys.contains_key(&key.id) {
            return Err(StoreError::Conflict { what: "key id" });
        }
        if self.keys.values().any(|held| held.sha256 == key.sha256) {
            return Err(StoreError::Conflict { what: "key hash" });
        }
        let filed = KeyRecord {
            tenant: tenant.clone(),
            created: to_microseconds(key.created),
            expires: key.expires.map(to_microseconds),
            revoked: key.revoked.map(to_microseconds),
            ..key.clone()
        };
        self.keys.insert(key.id.clone(), filed);
        Ok(())
    }

    fn keys(&self, tenant: Option<&TenantId>) -> Vec<KeyRecord> {
        let is_asked = |key: &&KeyRecord| tenant.is_none_or(|tenant| key.tenant == *tenant);
        let mut keys: Vec<KeyRecord> = self.keys.values().filter(is_asked).cloned().collect();
        keys.sort_by_key(|key| key.created);
        keys
    }

    fn revoke_key(&mut self, tenant: &TenantId, id: &str, at: Timestamp) -> bool {
        let key = self.keys.get_mut(id).filter(|key| key.tenant == *tenant);
        if let Some(key) = key {
            key.revoked.get_or_insert(to_microseconds(at));
            return true;
        }
        false
    }
}

impl Store for MemoryStore {
    fn record<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, Option<Record>> {
        self.read(tenant, resource_type, |shelf| shelf.by_id(id).cloned())
    }

    fn record_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        self.read(tenant, resource_type, |shelf| {
            shelf.holder(target_id).cloned()
        })
    }

    fn record_by_either<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        self.read(tenant, resource_type, |shelf| {
            let found = shelf.by_id(id).or_else(|| shelf.holder(target_id));
            found.cloned()
        })
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        ids: &'a [ScimId],
    ) -> StoreFuture<'a, Vec<Record>> {
        self.read(tenant, resource_type, |shelf| {
            let found = ids.iter().filter_map(|id| shelf.by_id(id));
            found.cloned().collect()
        })
    }

    fn records_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_ids: &'a [TargetId],
    ) -> StoreFuture<'a, Vec<Record>> {
        self.read(tenant, resource_type, |shelf| {
            let holders = target_ids.iter().filter_map(|id| shelf.holder(id));
            holders.cloned().collect()
        })
    }

    fn records_by_external_id<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        external_id: &'a ExternalId,
    ) -> StoreFuture<'a, Vec<Record>> {
        self.read(tenant, resource_type, |shelf| {
            shelf.with_external_id(external_id)
        })
    }

    fn records_page<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        after: Option<&'a ScimId>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Record>> {
        self.read(tenant, resource_type, |shelf| shelf.page(after, limit))
    }

    fn put<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        self.write(tenant, resource_type, |shelf| shelf.put(record))
    }

    fn delete<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        keep_tombstone: bool,
    ) -> StoreFuture<'a, ()> {
        self.write(tenant, resource_type, |shelf| {
            shelf.delete(id, keep_tombstone);
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
        self.write(
            tenant,
            resource_type,
            |shelf| Ok(shelf.prepare(intent, now)),
        )
    }

    fn applied<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        record: &'a Record,
    ) -> StoreFuture<'a, ()> {
        self.write(tenant, resource_type, |shelf| {
            shelf.applied(match_key, record)
        })
    }

    fn acknowledge<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        self.write(tenant, resource_type, |shelf| {
            shelf.acknowledge(match_key, id);
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
        self.write(tenant, resource_type, |shelf| {
            shelf.abandon(match_key, id);
            Ok(())
        })
    }

    fn intent<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
    ) -> StoreFuture<'a, Option<Intent>> {
        self.read(tenant, resource_type, |shelf| shelf.intent(match_key))
    }

    fn open_intents<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        older_than: Timestamp,
    ) -> StoreFuture<'a, Vec<Intent>> {
        self.read(tenant, resource_type, |shelf| {
            shelf.open_intents(older_than)
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
        let mut content = self.content();
        let waiting = content.held.entry(tenant.clone()).or_default();
        let is_held = waiting.hold(resource_type, held, most, to_microseconds(not_before));
        Box::pin(ready(Ok(is_held)))
    }

    fn held<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        names: &'a [String],
        not_before: Timestamp,
    ) -> StoreFuture<'a, Vec<Held>> {
        let content = self.content();
        let waiting = content.held.get(tenant);
        let found =
            waiting.map(|waiting| waiting.find(resource_type, names, to_microseconds(not_before)));
        Box::pin(ready(Ok(found.unwrap_or_default())))
    }

    fn let_go<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        attribute: Option<&'a str>,
        named: Option<&'a str>,
    ) -> StoreFuture<'a, ()> {
        if let Some(waiting) = self.content().held.get_mut(tenant) {
            waiting.let_go(resource_type, id, attribute, named);
        }
        Box::pin(ready(Ok(())))
    }

    fn held_count<'a>(
        &'a self,
        tenant: &'a TenantId,
        not_before: Timestamp,
    ) -> StoreFuture<'a, u64> {
        let content = self.content();
        let count = content
            .held
            .get(tenant)
            .map_or(0, |w| w.count(to_microseconds(not_before)));
        Box::pin(ready(Ok(count)))
    }

    fn create_key<'a>(&'a self, tenant: &'a TenantId, key: &'a KeyRecord) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.content().create_key(tenant, key)))
    }

    fn keys<'a>(&'a self, tenant: &'a TenantId) -> StoreFuture<'a, Vec<KeyRecord>> {
        Box::pin(ready(Ok(self.content().keys(Some(tenant)))))
    }

    fn all_keys(&self) -> StoreFuture<'_, Vec<KeyRecord>> {
        Box::pin(ready(Ok(self.content().keys(None))))
    }

    fn revoke_key<'a>(
        &'a self,
        tenant: &'a TenantId,
        id: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(ready(Ok(self.content().revoke_key(tenant, id, at))))
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        Box::pin(ready(Ok(())))
    }
}
