//! The table of intents: the create protocol's memory.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::fault::{Fault, time};
use super::place::Place;
use super::record;
use crate::store::{Intent, IntentState, OPEN_INTENTS_LIMIT, Prepared, Record, ScimId, TargetId};

pub(super) fn prepare(
    conn: &Connection,
    place: &Place,
    intent: &Intent,
    now: Timestamp,
) -> Result<Prepared, Fault> {
    if let Some(existing) = by_match_key(conn, place, &intent.match_key)?
        && !existing.is_expired(now)
    {
        return Ok(Prepared::Existing(existing));
    }
    let filed = Intent {
        state: IntentState::Prepared,
        target_id: None,
        ..intent.clone()
    };
    write(conn, place, &filed)?;
    forget_expired(conn, now)?;
    Ok(Prepared::Fresh)
}

pub(super) fn applied(
    conn: &Connection,
    place: &Place,
    match_key: &str,
    record: &Record,
) -> Result<(), Fault> {
    let intent = by_match_key(conn, place, match_key)?;
    if intent
        .as_ref()
        .is_some_and(|intent| !intent.may_become(&record.scim_id))
    {
        return Err(Fault::conflict("match key"));
    }
    record::put(conn, place, record)?;
    let Some(intent) = intent else {
        return Ok(());
    };
    let applied = Intent {
        state: intent.state.max(IntentState::Applied),
        scim_id: record.scim_id.clone(),
        target_id: record.target_id.clone(),
        ..intent
    };
    write(conn, place, &applied)
}

pub(super) fn acknowledge(
    conn: &Connection,
    place: &Place,
    match_key: &str,
    id: &ScimId,
) -> Result<(), Fault> {
    match by_match_key(conn, place, match_key)? {
        Some(intent) if intent.scim_id == *id && intent.state == IntentState::Applied => {
            let acknowledged = Intent {
                state: IntentState::Acknowledged,
                ..intent
            };
            write(conn, place, &acknowledged)
        }
        _ => Ok(()),
    }
}

pub(super) fn abandon(
    conn: &Connection,
    place: &Place,
    match_key: &str,
    id: &ScimId,
) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM intent \
         WHERE tenant = ?1 AND resource_type = ?2 AND match_key = ?3 AND scim_id = ?4",
    )?;
    statement.execute(params![
        place.tenant(),
        place.resource_type(),
        match_key,
        id.as_str()
    ])?;
    Ok(())
}

/// Removes what stands in the way of a new create after a deletion. A `Prepared` intent stays: its call may be on its way.
pub(super) fn forget_finished(conn: &Connection, place: &Place, id: &ScimId) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(FORGET_FINISHED)?;
    statement.execute(params![place.tenant(), place.resource_type(), id.as_str()])?;
    Ok(())
}

pub(super) fn open(
    conn: &Connection,
    place: &Place,
    older_than: Timestamp,
) -> Result<Vec<Intent>, Fault> {
    let mut statement = conn.prepare_cached(OPEN)?;
    let mut rows = statement.query(params![
        place.tenant(),
        place.resource_type(),
        older_than.as_microsecond(),
        i64::try_from(OPEN_INTENTS_LIMIT).unwrap_or(i64::MAX),
    ])?;
    let mut intents = Vec::new();
    while let Some(row) = rows.next()? {
        intents.push(read(row, place)?);
    }
    Ok(intents)
}

/// Reads every row of every tenant and checks its seal.
pub(super) fn check_all(conn: &Connection) -> Result<(), Fault> {
    let mut statement = conn.prepare(
        "SELECT match_key, digest, scim_id, state, prepared_at, target_id, seal, tenant, resource_type FROM intent",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        read(row, &Place::of_row(row, 7)?)?;
    }
    Ok(())
}

pub(super) fn by_match_key(
    conn: &Connection,
    place: &Place,
    match_key: &str,
) -> Result<Option<Intent>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT match_key, digest, scim_id, state, prepared_at, target_id, seal FROM intent \
         WHERE tenant = ?1 AND resource_type = ?2 AND match_key = ?3",
    )?;
    let mut rows = statement.query(params![place.tenant(), place.resource_type(), match_key])?;
    rows.next()?.map(|row| read(row, place)).transpose()
}

/// Every create takes some old ones along, whoever's they are, so that the table does not grow for ever and no create takes long.
fn forget_expired(conn: &Connection, now: Timestamp) -> Result<(), Fault> {
    let Ok(oldest_kept) = now.checked_sub(Intent::LIFETIME) else {
        return Ok(());
    };
    let mut statement = conn.prepare_cached(FORGET_EXPIRED)?;
    statement.execute(params![oldest_kept.as_microsecond()])?;
    Ok(())
}

fn read(row: &Row<'_>, place: &Place) -> Result<Intent, Fault> {
    let damaged = || Fault::damaged_row(TABLE);
    let state = match row.get(3)? {
        0 => IntentState::Prepared,
        1 => IntentState::Applied,
        2 => IntentState::Acknowledged,
        _ => return Err(damaged()),
    };
    let intent = Intent {
        match_key: row.get(0)?,
        digest: row.get(1)?,
        scim_id: ScimId::new(row.get::<_, String>(2)?),
        state,
        prepared_at: time(row, 4, TABLE)?,
        target_id: row.get::<_, Option<String>>(5)?.map(TargetId::new),
    };
    let sealed: i64 = row.get(6)?;
    if seal(place, &intent) != sealed {
        return Err(damaged());
    }
    Ok(intent)
}

fn write(conn: &Connection, place: &Place, intent: &Intent) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO intent (tenant, resource_type, match_key, digest, scim_id, state, prepared_at, target_id, seal) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (tenant, resource_type, match_key) DO UPDATE SET digest = ?4, scim_id = ?5, state = ?6, \
             prepared_at = ?7, target_id = ?8, seal = ?9",
    )?;
    statement.execute(params![
        place.tenant(),
        place.resource_type(),
        intent.match_key,
        intent.digest,
        intent.scim_id.as_str(),
        number(intent.state),
        intent.prepared_at.as_microsecond(),
        intent.target_id.as_ref().map(TargetId::as_str),
        seal(place, intent),
    ])?;
    Ok(())
}

fn seal(place: &Place, intent: &Intent) -> i64 {
    place
        .seal(TABLE)
        .text(&intent.match_key)
        .bytes(&intent.digest)
        .text(intent.scim_id.as_str())
        .number(number(intent.state))
        .time(intent.prepared_at)
        .optional(intent.target_id.as_ref().map(TargetId::as_str))
        .finish()
}

fn number(state: IntentState) -> i64 {
    match state {
        IntentState::Prepared => 0,
        IntentState::Applied => 1,
        IntentState::Acknowledged => 2,
    }
}

const TABLE: &str = "intent";

// Left alone, the planner walks the tenant's whole primary key.
pub(super) const FORGET_FINISHED: &str = "DELETE FROM intent INDEXED BY intent_by_scim_id \
    WHERE tenant = ?1 AND resource_type = ?2 AND scim_id = ?3 AND state <> 0";
pub(super) const OPEN: &str = "SELECT match_key, digest, scim_id, state, prepared_at, target_id, seal FROM intent \
    WHERE tenant = ?1 AND resource_type = ?2 AND state = 0 AND prepared_at < ?3 \
    ORDER BY prepared_at, match_key LIMIT ?4";
pub(super) const FORGET_EXPIRED: &str = "DELETE FROM intent WHERE (tenant, resource_type, match_key) IN \
    (SELECT tenant, resource_type, match_key FROM intent \
     WHERE state = 2 AND prepared_at < ?1 ORDER BY prepared_at LIMIT 16)";
