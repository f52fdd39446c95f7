//! The rules of the store, on the rows of one resource type of one tenant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use jiff::Timestamp;

use crate::store::record::to_microseconds;
use crate::store::{
    ExternalId, Intent, IntentState, OPEN_INTENTS_LIMIT, Prepared, Record, ScimId, StoreError,
    TargetId,
};

/// The resources of one type of one tenant.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    records: BTreeMap<ScimId, Record>,
    by_target: HashMap<TargetId, ScimId>,
    by_external: HashMap<ExternalId, BTreeSet<ScimId>>,
    intents: BTreeMap<String, Intent>,
}

impl Shelf {
    pub(super) fn holder(&self, target_id: &TargetId) -> Option<&Record> {
        self.records.get(self.by_target.get(target_id)?)
    }

    pub(super) fn by_id(&self, id: &ScimId) -> Option<&Record> {
        self.records.get(id)
    }

    pub(super) fn put(&mut self, record: &Record) -> Result<(), StoreError> {
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

    pub(super) fn delete(&mut self, id: &ScimId, keep_tombstone: bool) {
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

    pub(super) fn prepare(&mut self, intent: &Intent, now: Timestamp) -> Prepared {
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

    pub(super) fn applied(&mut self, match_key: &str, record: &Record) -> Result<(), StoreError> {
        let holder = self.intents.get(match_key);
        if holder.is_some_and(|intent| !intent.may_become(&record.scim_id)) {
            return Err(StoreError::Conflict { what: "match key" });
        }
        self.put(record)?;
        if let Some(intent) = self.intents.get_mut(match_key) {
            intent.state = intent.state.max(IntentState::Applied);
            intent.scim_id = record.scim_id.clone();
            intent.target_id = record.target_id.clone();
        }
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, match_key: &str, id: &ScimId) {
        if let Some(intent) = self.intents.get_mut(match_key)
            && intent.scim_id == *id
            && intent.state == IntentState::Applied
        {
            intent.state = IntentState::Acknowledged;
        }
    }

    pub(super) fn abandon(&mut self, match_key: &str, id: &ScimId) {
        if self
            .intents
            .get(match_key)
            .is_some_and(|intent| intent.scim_id == *id)
        {
            self.intents.remove(match_key);
        }
    }

    pub(super) fn page(&self, after: Option<&ScimId>, limit: usize) -> Vec<Record> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.records.range((start, Bound::Unbounded));
        range
            .take(limit)
            .map(|(_, record)| record.clone())
            .collect()
    }

    pub(super) fn with_external_id(&self, external_id: &ExternalId) -> Vec<Record> {
        let ids = self.by_external.get(external_id).into_iter().flatten();
        let records = ids.filter_map(|id| self.records.get(id));
        records
            .filter(|record| !record.is_deleted)
            .cloned()
            .collect()
    }

    pub(super) fn intent(&self, match_key: &str) -> Option<Intent> {
        self.intents.get(match_key).cloned()
    }

    pub(super) fn open_intents(&self, older_than: Timestamp) -> Vec<Intent> {
        let older_than = to_microseconds(older_than);
        let is_open = |intent: &&Intent| {
            intent.state == IntentState::Prepared && intent.prepared_at < older_than
        };
        let mut open: Vec<Intent> = self.intents.values().filter(is_open).cloned().collect();
        open.sort_by_key(|intent| intent.prepared_at);
        open.truncate(OPEN_INTENTS_LIMIT);
        open
    }
}
