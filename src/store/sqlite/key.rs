//! The table of clients' keys.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Rows, params};

use super::fault::{Fault, optional_time, time};
use super::seal::Seal;
use crate::store::{KeyRecord, TenantId};

pub(super) fn create(conn: &Connection, tenant: &TenantId, key: &KeyRecord) -> Result<(), Fault> {
    let key = KeyRecord {
        tenant: tenant.clone(),
        ..key.clone()
    };
    if is_taken(conn, "SELECT 1 FROM client_key WHERE id = ?1", &key.id)? {
        return Err(Fault::conflict("key id"));
    }
    if is_taken(
        conn,
        "SELECT 1 FROM client_key WHERE sha256 = ?1",
        key.sha256,
    )? {
        return Err(Fault::conflict("key hash"));
    }
    let mut statement = conn.prepare_cached(
        "INSERT INTO client_key (id, tenant, name, sha256, created, expires, revoked, seal) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    statement.execute(params![
        key.id,
        key.tenant.as_str(),
        key.name,
        key.sha256,
        key.created.as_microsecond(),
        key.expires.map(Timestamp::as_microsecond),
        key.revoked.map(Timestamp::as_microsecond),
        seal(&key),
    ])?;
    Ok(())
}

pub(super) fn of_tenant(conn: &Connection, tenant: &TenantId) -> Result<Vec<KeyRecord>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT id, tenant, name, sha256, created, expires, revoked, seal FROM client_key \
         WHERE tenant = ?1 ORDER BY created, id",
    )?;
    read_all(statement.query(params![tenant.as_str()])?)
}

/// All keys; reading them checks their seals.
pub(super) fn all(conn: &Connection) -> Result<Vec<KeyRecord>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT id, tenant, name, sha256, created, expires, revoked, seal FROM client_key \
         ORDER BY created, id",
    )?;
    read_all(statement.query([])?)
}

pub(super) fn revoke(
    conn: &Connection,
    tenant: &TenantId,
    id: &str,
    at: Timestamp,
) -> Result<bool, Fault> {
    let keys = of_tenant(conn, tenant)?;
    let Some(key) = keys.into_iter().find(|key| key.id == id) else {
        return Ok(false);
    };
    let revoked = KeyRecord {
        revoked: key.revoked.or(Some(at)),
        ..key
    };
    let mut statement = conn.prepare_cached(
        "UPDATE client_key SET revoked = ?3, seal = ?4 WHERE tenant = ?1 AND id = ?2",
    )?;
    statement.execute(params![
        tenant.as_str(),
        id,
        revoked.revoked.map(Timestamp::as_microsecond),
        seal(&revoked),
    ])?;
    Ok(true)
}

fn is_taken(
    conn: &Connection,
    query: &'static str,
    value: impl rusqlite::ToSql,
) -> Result<bool, Fault> {
    Ok(conn.prepare_cached(query)?.exists(params![value])?)
}

fn read_all(mut rows: Rows<'_>) -> Result<Vec<KeyRecord>, Fault> {
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(read(row)?);
    }
    Ok(keys)
}

fn read(row: &Row<'_>) -> Result<KeyRecord, Fault> {
    let key = KeyRecord {
        id: row.get(0)?,
        tenant: TenantId::new(row.get::<_, String>(1)?),
        name: row.get(2)?,
        sha256: row.get(3)?,
        created: time(row, 4, TABLE)?,
        expires: optional_time(row, 5, TABLE)?,
        revoked: optional_time(row, 6, TABLE)?,
    };
    let sealed: i64 = row.get(7)?;
    if seal(&key) != sealed {
        return Err(Fault::damaged_row(TABLE));
    }
    Ok(key)
}

fn seal(key: &KeyRecord) -> i64 {
    Seal::of(TABLE)
        .text(&key.id)
        .text(key.tenant.as_str())
        .text(&key.name)
        .bytes(&key.sha256)
        .time(key.created)
        .optional_time(key.expires)
        .optional_time(key.revoked)
        .finish()
}

const TABLE: &str = "client_key";
