//! A store for dry runs: reads come from the real one, writes are forgotten.

use std::sync::Arc;

use jiff::Timestamp;

use crate::store::{
    ExternalId, Held, Intent, KeyRecord, Prepared, Record, ScimId, Store, StoreFuture, TargetId,
    TenantId,
};

/// Puts a dry store in front of a real one.
pub fn store(real: Arc<dyn Store>) -> Arc<dyn Store> {
    Arc::new(DryStore { real })
}

struct DryStore {
    real: Arc<dyn Store>,
}

fn forgotten<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(async move { Ok(value) })
}

impl Store for DryStore {
    fn record<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
    ) -> StoreFuture<'a, Option<Record>> {
        self.real.record(tenant, resource_type, id)
    }

    fn record_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        self.real.record_by_target(tenant, resource_type, target_id)
    }

    fn record_by_either<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        id: &'a ScimId,
        target_id: &'a TargetId,
    ) -> StoreFuture<'a, Option<Record>> {
        self.real
            .record_by_either(tenant, resource_type, id, target_id)
    }

    fn records<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        ids: &'a [ScimId],
    ) -> StoreFuture<'a, Vec<Record>> {
        self.real.records(tenant, resource_type, ids)
    }

    fn records_by_target<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        target_ids: &'a [TargetId],
    ) -> StoreFuture<'a, Vec<Record>> {
        self.real
            .records_by_target(tenant, resource_type, target_ids)
    }

    fn records_by_external_id<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        external_id: &'a ExternalId,
    ) -> StoreFuture<'a, Vec<Record>> {
        self.real
            .records_by_external_id(tenant, resource_type, external_id)
    }

    fn records_page<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        after: Option<&'a ScimId>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Record>> {
        self.real.records_page(tenant, resource_type, after, limit)
    }

    fn put<'a>(&'a self, _: &'a TenantId, _: &'a str, _: &'a Record) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn delete<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a ScimId,
        _: bool,
    ) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn prepare<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a Intent,
        _: Timestamp,
    ) -> StoreFuture<'a, Prepared> {
        forgotten(Prepared::Fresh)
    }

    fn applied<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a str,
        _: &'a Record,
    ) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn acknowledge<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a str,
        _: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn abandon<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a str,
        _: &'a ScimId,
    ) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn intent<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        match_key: &'a str,
    ) -> StoreFuture<'a, Option<Intent>> {
        self.real.intent(tenant, resource_type, match_key)
    }

    fn open_intents<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        older_than: Timestamp,
    ) -> StoreFuture<'a, Vec<Intent>> {
        self.real.open_intents(tenant, resource_type, older_than)
    }

    fn hold<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a Held,
        _: u64,
        _: Timestamp,
    ) -> StoreFuture<'a, bool> {
        forgotten(true)
    }

    fn held<'a>(
        &'a self,
        tenant: &'a TenantId,
        resource_type: &'a str,
        names: &'a [String],
        not_before: Timestamp,
    ) -> StoreFuture<'a, Vec<Held>> {
        self.real.held(tenant, resource_type, names, not_before)
    }

    fn let_go<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: &'a ScimId,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn held_count<'a>(
        &'a self,
        tenant: &'a TenantId,
        not_before: Timestamp,
    ) -> StoreFuture<'a, u64> {
        self.real.held_count(tenant, not_before)
    }

    fn create_key<'a>(&'a self, _: &'a TenantId, _: &'a KeyRecord) -> StoreFuture<'a, ()> {
        forgotten(())
    }

    fn keys<'a>(&'a self, tenant: &'a TenantId) -> StoreFuture<'a, Vec<KeyRecord>> {
        self.real.keys(tenant)
    }

    fn all_keys(&self) -> StoreFuture<'_, Vec<KeyRecord>> {
        self.real.all_keys()
    }

    fn revoke_key<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a str,
        _: Timestamp,
    ) -> StoreFuture<'a, bool> {
        forgotten(false)
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        self.real.health()
    }
}
