//! The table of references that wait for what they name.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::fault::{Fault, time};
use super::place::Place;
use crate::store::{HELD_LIMIT, Held, ScimId, TenantId};

pub(super) fn hold(
    conn: &Connection,
    place: &Place,
    held: &Held,
    most: u64,
    not_before: Timestamp,
) -> Result<bool, Fault> {
    let mut forget = conn.prepare_cached("DELETE FROM held WHERE tenant = ?1 AND since < ?2")?;
    forget.execute(params![place.tenant(), not_before.as_microsecond()])?;
    let mut known = conn.prepare_cached(
        "SELECT count(*) FROM held WHERE tenant = ?1 AND resource_type = ?2 AND named = ?3 \
         AND from_type = ?4 AND from_id = ?5 AND attribute = ?6",
    )?;
    let key = params![
        place.tenant(),
        place.resource_type(),
        held.named,
        held.from_type,
        held.from_id.as_str(),
        held.attribute
    ];
    let is_known: bool = known.query_row(key, |row| row.get(0))?;
    if !is_known && count_of(conn, place.tenant(), not_before)? >= most {
        return Ok(false);
    }
    let mut write = conn.prepare_cached(
        "INSERT OR REPLACE INTO held \
         (tenant, resource_type, named, from_type, from_id, attribute, since, seal) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    write.execute(params![
        place.tenant(),
        place.resource_type(),
        held.named,
        held.from_type,
        held.from_id.as_str(),
        held.attribute,
        held.since.as_microsecond(),
        seal(place, held),
    ])?;
    Ok(true)
}

pub(super) fn find(
    conn: &Connection,
    place: &Place,
    names: &[String],
    not_before: Timestamp,
) -> Result<Vec<Held>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT named, from_type, from_id, attribute, since, seal FROM held \
         WHERE tenant = ?1 AND resource_type = ?2 AND named = ?3 AND since >= ?4",
    )?;
    let mut found = Vec::new();
    for name in names {
        let mut rows = statement.query(params![
            place.tenant(),
            place.resource_type(),
            name,
            not_before.as_microsecond()
        ])?;
        while let Some(row) = rows.next()? {
            found.push(read(row, place)?);
        }
    }
    found.sort_by_key(|held| held.since);
    found.truncate(HELD_LIMIT);
    Ok(found)
}

/// The resource type is that of the resource that refers.
pub(super) fn let_go(
    conn: &Connection,
    place: &Place,
    id: &ScimId,
    attribute: Option<&str>,
    named: Option<&str>,
) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM held WHERE tenant = ?1 AND from_type = ?2 AND from_id = ?3 \
         AND (?4 IS NULL OR attribute = ?4) AND (?5 IS NULL OR named = ?5)",
    )?;
    statement.execute(params![
        place.tenant(),
        place.resource_type(),
        id.as_str(),
        attribute,
        named
    ])?;
    Ok(())
}

pub(super) fn count(
    conn: &Connection,
    tenant: &TenantId,
    not_before: Timestamp,
) -> Result<u64, Fault> {
    count_of(conn, tenant.as_str(), not_before)
}

/// Reads every row of every tenant and checks its seal.
pub(super) fn check_all(conn: &Connection) -> Result<(), Fault> {
    let mut statement = conn.prepare(
        "SELECT named, from_type, from_id, attribute, since, seal, tenant, resource_type FROM held",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        read(row, &Place::of_row(row, 6)?)?;
    }
    Ok(())
}

fn count_of(conn: &Connection, tenant: &str, not_before: Timestamp) -> Result<u64, Fault> {
    let mut statement =
        conn.prepare_cached("SELECT count(*) FROM held WHERE tenant = ?1 AND since >= ?2")?;
    let count: i64 = statement.query_row(params![tenant, not_before.as_microsecond()], |row| {
        row.get(0)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn read(row: &Row<'_>, place: &Place) -> Result<Held, Fault> {
    let held = Held {
        named: row.get(0)?,
        from_type: row.get(1)?,
        from_id: ScimId::new(row.get::<_, String>(2)?),
        attribute: row.get(3)?,
        since: time(row, 4, "held")?,
    };
    if row.get::<_, i64>(5)? != seal(place, &held) {
        return Err(Fault::damaged_row("held"));
    }
    Ok(held)
}

fn seal(place: &Place, held: &Held) -> i64 {
    place
        .seal("held")
        .text(&held.named)
        .text(&held.from_type)
        .text(held.from_id.as_str())
        .text(&held.attribute)
        .time(held.since)
        .finish()
}
