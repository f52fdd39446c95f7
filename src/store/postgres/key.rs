//! The table of clients' keys.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::fault::Fault;
use super::place::Place;
use super::session::step;
use super::text::{given, stored};
use crate::store::{KeyRecord, StoreError, TenantId};

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

const CREATE: &str = "INSERT INTO scimgate.client_key (id, tenant, name, sha256, created, expires, revoked) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const OF_TENANT: &str = "SELECT id, tenant, name, sha256, created, expires, revoked FROM scimgate.client_key \
    WHERE tenant = $1 ORDER BY created, id";
pub(super) const ALL: &str = "SELECT id, tenant, name, sha256, created, expires, revoked FROM scimgate.client_key \
    ORDER BY created, id";
const REVOKE: &str = "UPDATE scimgate.client_key SET revoked = COALESCE(revoked, $3) \
    WHERE tenant = $1 AND id = $2 RETURNING 1";

pub(super) const STATEMENTS: [&str; 4] = [CREATE, OF_TENANT, ALL, REVOKE];

pub(super) async fn create(place: &Place<'_>, key: &KeyRecord) -> Result<(), StoreError> {
    let (id, name, hash) = (stored(&key.id), stored(&key.name), &key.sha256.as_slice());
    let created = key.created.as_microsecond();
    let expires = key.expires.map(Timestamp::as_microsecond);
    let revoked = key.revoked.map(Timestamp::as_microsecond);
    let step = step!(
        CREATE,
        &id,
        &place.tenant,
        &name,
        hash,
        &created,
        &expires,
        &revoked
    );
    place.transact("write a key", &[step]).await?;
    Ok(())
}

pub(super) async fn of_tenant(place: &Place<'_>) -> Result<Vec<KeyRecord>, StoreError> {
    let query = step!(OF_TENANT, &place.tenant);
    place.find("read keys", query, read).await
}

pub(super) async fn revoke(place: &Place<'_>, id: &str, at: Timestamp) -> Result<bool, StoreError> {
    let id = stored(id);
    let at = at.as_microsecond();
    let step = step!(REVOKE, &place.tenant, &id, &at);
    let rows = place.transact("revoke a key", &[step]).await?;
    Ok(rows.iter().any(|revoked| !revoked.is_empty()))
}
