//! The engine that keeps nothing: for tests, `explain` and the demo. It is also the model the other engines are compared with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::record::to_microseconds;
use super::{
    ExternalId, Intent, IntentState, KeyRecord, OPEN_INTENTS_LIMIT, Prepared, Record, ScimId,
    Store, StoreError, StoreFuture, TargetId, TenantId,
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
}

/// The resources of one type of one tenant.
#[derive(Debug, Default)]
struct Shelf {
    records: BTreeMap<ScimId, Record>,
    by_target: HashMap<TargetId, ScimId>,
    by_external: HashMap<ExternalId, BTreeSet<ScimId>>,
    intents: BTreeMap<String, Intent>,
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

impl Shelf {
    fn holder(&self, target_id: &TargetId) -> Option<&Record> {
        self.records.get(self.by_target.get(target_id)?)
    }

    fn put(&mut self, record: &Record) -> Result<(), StoreError> {
        if let Some(target_id) = &record.target_id
            && let Some(holder) = self.holder(target_id).map(|held| held.scim_id.clone())
            && holder != record.scim_id
        {
            self.release(&holder)?;
        }
        self.remove(&record.scim_id);
        self.insert(Record {
            created: to_microseconds(record.created),
            modified: to_microseconds(record.modified),
            ..record.clone()
        });
        Ok(())
    }

    /// Takes the target id from a tombstone.
    fn release(&mut self, holder: &ScimId) -> Result<(), StoreError> {
        match self.records.get_mut(holder) {
            Some(tombstone) if tombstone.is_deleted => {
                tombstone.target_id = None;
                Ok(())
            }
            _ => Err(StoreError::Conflict { what: "target id" }),
        }
    }

    fn insert(&mut self, record: Record) {
        let id = &record.scim_id;
        if let Some(target_id) = &record.target_id {
            self.by_target.insert(target_id.clone(), id.clone());
        }
        if let Some(external_id) = &record.external_id {
            let ids = self.by_external.entry(external_id.clone()).or_default();
            ids.insert(id.clone());
        }
        self.records.insert(id.clone(), record);
    }

    fn remove(&mut self, id: &ScimId) -> Option<Record> {
        let record = self.records.remove(id)?;
        if let Some(target_id) = &record.target_id {
            self.by_target.remove(target_id);
        }
        if let Some(external_id) = &record.external_id
            && let Some(ids) = self.by_external.get_mut(external_id)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.by_external.remove(external_id);
            }
        }
        Some(record)
    }

    fn delete(&mut self, id: &ScimId, keep_tombstone: bool) {
        self.intents
            .retain(|_, intent| intent.scim_id != *id || intent.state == IntentState::Prepared);
        let Some(record) = self.remove(id) else {
            return;
        };
        if keep_tombstone {
            self.insert(Record {
                external_id: None,
                shadow: serde_json::Map::new(),
                revision: record.revision.saturating_add(1),
                is_deleted: true,
                ..record
            });
        }
    }

    fn prepare(&mut self, intent: &Intent, now: Timestamp) -> Prepared {
        if let Some(existing) = self.intents.get(&intent.match_key)
            && !existing.is_expired(now)
        {
            return Prepared::Existing(existing.clone());
        }
        let filed = Intent {
            state: IntentState::Prepared,
            prepared_at: to_microseconds(intent.prepared_at),
            target_id: None,
            ..intent.clone()
        };
        self.intents.insert(intent.match_key.clone(), filed);
        Prepared::Fresh
    }

    fn applied(&mut self, match_key: &str, record: &Record) -> Result<(), StoreError> {
        let holder = self.intents.get(match_key).map(|intent| &intent.scim_id);
        if holder.is_some_and(|id| *id != record.scim_id) {
            return Err(StoreError::Conflict { what: "match key" });
        }
        self.put(record)?;
        if let Some(intent) = self.intents.get_mut(match_key) {
            intent.state = intent.state.max(IntentState::Applied);
            intent.target_id = record.target_id.clone();
        }
        Ok(())
    }

    fn acknowledge(&mut self, match_key: &str, id: &ScimId) {
        if let Some(intent) = self.intents.get_mut(match_key)
            && intent.scim_id == *id
            && intent.state == IntentState::Applied
        {
            intent.state = IntentState::Acknowledged;
        }
    }

    fn abandon(&mut self, match_key: &str, id: &ScimId) {
        if self
            .intents
            .get(match_key)
            .is_some_and(|intent| intent.scim_id == *id)
        {
            self.intents.remove(match_key);
        }
    }

    fn page(&self, after: Option<&ScimId>, limit: usize) -> Vec<Record> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.records.range((start, Bound::Unbounded));
        range
            .take(limit)
            .map(|(_, record)| record.clone())
            .collect()
    }

    fn with_external_id(&self, external_id: &ExternalId) -> Vec<Record> {
        let ids = self.by_external.get(external_id).into_iter().flatten();
        let records = ids.filter_map(|id| self.records.get(id));
        records
            .filter(|record| !record.is_deleted)
            .cloned()
            .collect()
    }

    fn open_intents(&self, older_than: Timestamp) -> Vec<Intent> {
        let is_open = |intent: &&Intent| {
            intent.state == IntentState::Prepared && intent.prepared_at < older_than
        };
        let mut open: Vec<Intent> = self.intents.values().filter(is_open).cloned().collect();
        open.sort_by_key(|intent| intent.prepared_at);
        open.truncate(OPEN_INTENTS_LIMIT);
        open
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
        self.read(tenant, resource_type, |shelf| {
            shelf.records.get(id).cloned()
        })
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
