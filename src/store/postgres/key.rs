//! The table of clients' keys.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::fault::Fault;
use super::text::given;
use crate::store::{KeyRecord, TenantId};

/// A row of [`OF_TENANT`] or [`ALL`].
pub(super) fn read(row: &Row) -> Result<KeyRecord, Fault> {
    let damaged = || Fault::damaged_row("client_key");
    let time = |number| Timestamp::from_microsecond(number).map_err(|_| damaged());
    let hash: &[u8] = row.get(3);
    Ok(KeyRecord {
        id: given(row.get(0)),
        tenant: TenantId::new(given(row.get(1))),
        name: given(row.get(2)),
        sha256: hash.try_into().map_err(|_| damaged())?,
        created: time(row.get(4))?,
        expires: row.get::<_, Option<i64>>(5).map(time).transpose()?,
        revoked: row.get::<_, Option<i64>>(6).map(time).transpose()?,
    })
}

pub(super) const CREATE: &str = "INSERT INTO scimgate.client_key (id, tenant, name, sha256, created, expires, revoked) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const OF_TENANT: &str = "SELECT id, tenant, name, sha256, created, expires, revoked FROM scimgate.client_key \
    WHERE tenant = $1 ORDER BY created, id";
pub(super) const ALL: &str = "SELECT id, tenant, name, sha256, created, expires, revoked FROM scimgate.client_key \
    ORDER BY created, id";
pub(super) const REVOKE: &str = "UPDATE scimgate.client_key SET revoked = COALESCE(revoked, $3) \
    WHERE tenant = $1 AND id = $2 RETURNING 1";

pub(super) const STATEMENTS: [&str; 4] = [CREATE, OF_TENANT, ALL, REVOKE];
