//! Whose rows, and of which resource type.

use rusqlite::Row;

use super::fault::Fault;
use super::seal::Seal;
use crate::store::TenantId;

/// The first two columns of every key: there is no statement without them, except those of start-up.
#[derive(Debug, Clone)]
pub(super) struct Place {
    tenant: TenantId,
    resource_type: String,
}

impl Place {
    pub(super) fn new(tenant: &TenantId, resource_type: &str) -> Self {
        Self {
            tenant: tenant.clone(),
            resource_type: resource_type.to_owned(),
        }
    }

    /// The place a row says it belongs to, for the check at start-up.
    pub(super) fn of_row(row: &Row<'_>, index: usize) -> Result<Self, Fault> {
        Ok(Self {
            tenant: TenantId::new(row.get::<_, String>(index)?),
            resource_type: row.get(index + 1)?,
        })
    }

    pub(super) fn tenant(&self) -> &str {
        self.tenant.as_str()
    }

    pub(super) fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// A seal that has the place in it.
    pub(super) fn seal(&self, table: &str) -> Seal {
        Seal::of(table)
            .text(self.tenant())
            .text(&self.resource_type)
    }
}
