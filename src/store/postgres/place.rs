//! Whose rows a statement is about, and what runs it.

use std::borrow::Cow;

use tokio_postgres::Row;

use super::fault::Fault;
use super::pool::Pool;
use super::session::{Scope, Step};
use super::text::stored;
use crate::store::{StoreError, TenantId};

/// Whose rows, and of which resource type, as they are stored.
pub(super) struct Place<'a> {
    pool: &'a Pool,
    pub(super) tenant: Cow<'a, str>,
    pub(super) resource_type: Cow<'a, str>,
}

impl<'a> Place<'a> {
    pub(super) fn new(pool: &'a Pool, tenant: &'a TenantId, resource_type: &'a str) -> Self {
        Self {
            pool,
            tenant: stored(tenant.as_str()),
            resource_type: stored(resource_type),
        }
    }

    /// One transaction of a tenant; gives the rows of each step.
    pub(super) async fn transact(
        &self,
        what: &'static str,
        steps: &[Step<'_>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        self.pool
            .transact(what, Scope::Tenant(&self.tenant), steps)
            .await
    }

    /// One query of a tenant, read row by row.
    pub(super) async fn find<T>(
        &self,
        what: &'static str,
        query: Step<'_>,
        read: impl Fn(&Row) -> Result<T, Fault>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.transact(what, &[query]).await?;
        read_all(what, rows.iter().flatten(), read)
    }
}

pub(super) fn read_all<'a, T>(
    what: &'static str,
    rows: impl Iterator<Item = &'a Row>,
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Vec<T>, StoreError> {
    rows.map(read)
        .collect::<Result<_, _>>()
        .map_err(|fault| fault.named(what))
}

pub(super) fn whole(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
