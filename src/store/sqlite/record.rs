//! The table of records.

use rusqlite::{Connection, Row, Statement, params};
use serde_json::{Map, Value};

use super::fault::{Fault, time};
use super::place::Place;
use crate::store::record::to_microseconds;
use crate::store::{ExternalId, Record, ScimId, StoreError, TargetId};

pub(super) fn by_id(
    conn: &Connection,
    place: &Place,
    id: &ScimId,
) -> Result<Option<Record>, Fault> {
    let mut statement = conn.prepare_cached(BY_ID)?;
    with_id(&mut statement, place, id)
}

fn with_id(by_id: &mut Statement<'_>, place: &Place, id: &ScimId) -> Result<Option<Record>, Fault> {
    let mut rows = by_id.query(params![place.tenant(), place.resource_type(), id.as_str()])?;
    rows.next()?.map(|row| read(row, place)).transpose()
}

pub(super) fn by_target(
    conn: &Connection,
    place: &Place,
    target_id: &TargetId,
) -> Result<Option<Record>, Fault> {
    let mut statement = conn.prepare_cached(BY_TARGET)?;
    with_target(&mut statement, place, target_id)
}

fn with_target(
    by_target: &mut Statement<'_>,
    place: &Place,
    target_id: &TargetId,
) -> Result<Option<Record>, Fault> {
    let mut rows = by_target.query(params![
        place.tenant(),
        place.resource_type(),
        target_id.as_str()
    ])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let record = read(row, place)?;
    // A damaged index can lead to a sound row that is another one.
    if record.target_id.as_ref() != Some(target_id) {
        return Err(Fault::damaged_row(TABLE));
    }
    Ok(Some(record))
}

/// By its id or, failing that, by the target's: in one statement, so that the file is locked once.
pub(super) fn by_either(
    conn: &Connection,
    place: &Place,
    id: &ScimId,
    target_id: &TargetId,
) -> Result<Option<Record>, Fault> {
    let mut statement = conn.prepare_cached(BY_EITHER)?;
    let (tenant, kind) = (place.tenant(), place.resource_type());
    let mut rows = statement.query(params![tenant, kind, id.as_str(), target_id.as_str()])?;
    let mut by_target = None;
    while let Some(row) = rows.next()? {
        let record = read(row, place)?;
        if record.scim_id == *id {
            return Ok(Some(record));
        }
        if record.target_id.as_ref() != Some(target_id) {
            return Err(Fault::damaged_row(TABLE));
        }
        by_target = Some(record);
    }
    Ok(by_target)
}

pub(super) fn by_ids(
    conn: &Connection,
    place: &Place,
    ids: &[ScimId],
) -> Result<Vec<Record>, Fault> {
    each(conn, BY_ID, ids, |statement, id| {
        with_id(statement, place, id)
    })
}

pub(super) fn by_targets(
    conn: &Connection,
    place: &Place,
    target_ids: &[TargetId],
) -> Result<Vec<Record>, Fault> {
    each(conn, BY_TARGET, target_ids, |statement, id| {
        with_target(statement, place, id)
    })
}

/// One look-up for each id: about 2 µs each, less than a list of changing length costs to prepare.
fn each<I>(
    conn: &Connection,
    statement: &str,
    ids: &[I],
    find: impl Fn(&mut Statement<'_>, &I) -> Result<Option<Record>, Fault>,
) -> Result<Vec<Record>, Fault> {
    let all = || {
        let mut statement = conn.prepare_cached(statement)?;
        let found = ids.iter().map(|id| find(&mut statement, id));
        found.filter_map(Result::transpose).collect()
    };
    // One statement is a snapshot by itself.
    if ids.len() < 2 {
        return all();
    }
    let snapshot = conn.unchecked_transaction()?;
    let records = all();
    snapshot.finish()?;
    records
}

pub(super) fn by_external_id(
    conn: &Connection,
    place: &Place,
    external_id: &ExternalId,
) -> Result<Vec<Record>, Fault> {
    let mut statement = conn.prepare_cached(BY_EXTERNAL_ID)?;
    let mut rows = statement.query(params![
        place.tenant(),
        place.resource_type(),
        external_id.as_str()
    ])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let record = read(row, place)?;
        if record.external_id.as_ref() != Some(external_id) {
            return Err(Fault::damaged_row(TABLE));
        }
        records.push(record);
    }
    Ok(records)
}

pub(super) fn page(
    conn: &Connection,
    place: &Place,
    after: Option<&ScimId>,
    limit: usize,
) -> Result<Vec<Record>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut records = Vec::new();
    let mut statement;
    let mut rows = match after {
        Some(after) => {
            statement = conn.prepare_cached(PAGE_AFTER)?;
            statement.query(params![
                place.tenant(),
                place.resource_type(),
                after.as_str(),
                limit
            ])?
        }
        None => {
            statement = conn.prepare_cached(FIRST_PAGE)?;
            statement.query(params![place.tenant(), place.resource_type(), limit])?
        }
    };
    while let Some(row) = rows.next()? {
        records.push(read(row, place)?);
    }
    Ok(records)
}

pub(super) fn put(conn: &Connection, place: &Place, record: &Record) -> Result<(), Fault> {
    if let Some(target_id) = &record.target_id
        && let Some(holder) = by_target(conn, place, target_id)?
        && holder.scim_id != record.scim_id
    {
        if !holder.is_deleted {
            return Err(Fault::conflict("target id"));
        }
        let released = Record {
            target_id: None,
            ..holder
        };
        write(conn, place, &released)?;
    }
    write(conn, place, record)
}

pub(super) fn delete(
    conn: &Connection,
    place: &Place,
    id: &ScimId,
    keep_tombstone: bool,
) -> Result<(), Fault> {
    if keep_tombstone {
        let Some(record) = by_id(conn, place, id)? else {
            return Ok(());
        };
        let tombstone = Record {
            external_id: None,
            shadow: Map::new(),
            revision: record.revision.saturating_add(1),
            is_deleted: true,
            ..record
        };
        return write(conn, place, &tombstone);
    }
    let mut statement = conn.prepare_cached(
        "DELETE FROM record WHERE tenant = ?1 AND resource_type = ?2 AND scim_id = ?3",
    )?;
    statement.execute(params![place.tenant(), place.resource_type(), id.as_str()])?;
    Ok(())
}

/// Reads every row of every tenant and checks its seal.
pub(super) fn check_all(conn: &Connection) -> Result<(), Fault> {
    let mut statement = conn.prepare(
        "SELECT scim_id, target_id, external_id, shadow, created, modified, revision, is_deleted, seal, \
         tenant, resource_type FROM record",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let seal: i64 = row.get(8)?;
        let place = Place::of_row(row, 9)?;
        if Columns::of_row(row)?.seal(&place) != seal {
            return Err(Fault::damaged_row(TABLE));
        }
    }
    Ok(())
}

/// A row as the table has it, borrowed.
struct Columns<'a> {
    scim_id: &'a str,
    target_id: Option<&'a str>,
    external_id: Option<&'a str>,
    shadow: &'a str,
    created: i64,
    modified: i64,
    revision: i64,
    is_deleted: bool,
}

impl<'a> Columns<'a> {
    fn of_row(row: &'a Row<'_>) -> Result<Self, Fault> {
        let text = |index| -> Result<Option<&'a str>, Fault> {
            let value = row.get_ref(index)?;
            value
                .as_str_or_null()
                .map_err(|_| Fault::damaged_row(TABLE))
        };
        let required = |index| text(index)?.ok_or_else(|| Fault::damaged_row(TABLE));
        Ok(Self {
            scim_id: required(0)?,
            target_id: text(1)?,
            external_id: text(2)?,
            shadow: required(3)?,
            created: row.get(4)?,
            modified: row.get(5)?,
            revision: row.get(6)?,
            is_deleted: row.get(7)?,
        })
    }

    fn seal(&self, place: &Place) -> i64 {
        place
            .seal(TABLE)
            .text(self.scim_id)
            .optional(self.target_id)
            .optional(self.external_id)
            .text(self.shadow)
            .number(self.created)
            .number(self.modified)
            .number(self.revision)
            .number(i64::from(self.is_deleted))
            .finish()
    }
}

fn read(row: &Row<'_>, place: &Place) -> Result<Record, Fault> {
    let columns = Columns::of_row(row)?;
    let damaged = || Fault::damaged_row(TABLE);
    let seal: i64 = row.get(8)?;
    if columns.seal(place) != seal {
        return Err(damaged());
    }
    let shadow: Map<String, Value> = serde_json::from_str(columns.shadow).map_err(|_| damaged())?;
    Ok(Record {
        scim_id: ScimId::new(columns.scim_id),
        target_id: columns.target_id.map(TargetId::new),
        external_id: columns.external_id.map(ExternalId::new),
        shadow,
        created: time(row, 4, TABLE)?,
        modified: time(row, 5, TABLE)?,
        revision: u64::try_from(columns.revision).map_err(|_| damaged())?,
        is_deleted: columns.is_deleted,
    })
}

fn write(conn: &Connection, place: &Place, record: &Record) -> Result<(), Fault> {
    let shadow = serde_json::to_string(&record.shadow)
        .map_err(|error| StoreError::unavailable("write the shadow attributes", error))?;
    let columns = Columns {
        scim_id: record.scim_id.as_str(),
        target_id: record.target_id.as_ref().map(TargetId::as_str),
        external_id: record.external_id.as_ref().map(ExternalId::as_str),
        shadow: &shadow,
        created: to_microseconds(record.created).as_microsecond(),
        modified: record.modified.as_microsecond(),
        revision: i64::try_from(record.revision).unwrap_or(i64::MAX),
        is_deleted: record.is_deleted,
    };
    let mut statement = conn.prepare_cached(
        "INSERT INTO record (tenant, resource_type, scim_id, target_id, external_id, shadow, created, modified, \
                             revision, is_deleted, seal) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (tenant, resource_type, scim_id) DO UPDATE SET target_id = ?4, external_id = ?5, \
             shadow = ?6, created = ?7, modified = ?8, revision = ?9, is_deleted = ?10, seal = ?11",
    )?;
    statement.execute(params![
        place.tenant(),
        place.resource_type(),
        columns.scim_id,
        columns.target_id,
        columns.external_id,
        columns.shadow,
        columns.created,
        columns.modified,
        columns.revision,
        columns.is_deleted,
        columns.seal(place),
    ])?;
    Ok(())
}

const TABLE: &str = "record";

/// A query for records; columns as [`read`] expects them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT scim_id, target_id, external_id, shadow, created, modified, revision, is_deleted, seal FROM record ",
            $rest
        )
    };
}

pub(super) const BY_ID: &str = select!("WHERE tenant = ?1 AND resource_type = ?2 AND scim_id = ?3");
pub(super) const BY_TARGET: &str =
    select!("WHERE tenant = ?1 AND resource_type = ?2 AND target_id = ?3");
pub(super) const BY_EITHER: &str = concat!(
    select!("WHERE tenant = ?1 AND resource_type = ?2 AND scim_id = ?3"),
    " UNION ALL ",
    select!("WHERE tenant = ?1 AND resource_type = ?2 AND target_id = ?4")
);
// Left alone, the planner walks the tenant's whole primary key, because that needs no sorting either.
pub(super) const BY_EXTERNAL_ID: &str = select!(
    "INDEXED BY record_by_external_id WHERE tenant = ?1 AND resource_type = ?2 AND external_id = ?3 \
     AND is_deleted = 0 ORDER BY scim_id"
);
pub(super) const FIRST_PAGE: &str =
    select!("WHERE tenant = ?1 AND resource_type = ?2 ORDER BY scim_id LIMIT ?3");
pub(super) const PAGE_AFTER: &str =
    select!("WHERE tenant = ?1 AND resource_type = ?2 AND scim_id > ?3 ORDER BY scim_id LIMIT ?4");
