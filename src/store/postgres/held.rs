//! The table of references that wait for what they name.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::fault::Fault;
use super::text::given;
use crate::store::{Held, ScimId};

/// A row of [`FIND`].
pub(super) fn read(row: &Row) -> Result<Held, Fault> {
    Ok(Held {
        named: given(row.get(0)),
        from_type: given(row.get(1)),
        from_id: ScimId::new(given(row.get(2))),
        attribute: given(row.get(3)),
        since: Timestamp::from_microsecond(row.get(4)).map_err(|_| Fault::damaged_row("held"))?,
    })
}

pub(super) const FORGET_OLD: &str = "DELETE FROM scimgate.held WHERE tenant = $1 AND since < $2";
/// Holds a reference and gives a row, unless it is a new one and there are `$8` already. Two at the very same time may both be
/// the last.
pub(super) const HOLD: &str = "INSERT INTO scimgate.held (tenant, resource_type, named, from_type, from_id, attribute, since) \
    SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint \
    WHERE EXISTS (SELECT FROM scimgate.held WHERE tenant = $1 AND resource_type = $2 AND named = $3 AND from_type = $4 \
                  AND from_id = $5 AND attribute = $6) \
       OR (SELECT count(*) FROM scimgate.held WHERE tenant = $1) < $8 \
    ON CONFLICT (tenant, resource_type, named, from_type, from_id, attribute) DO UPDATE SET since = excluded.since \
    RETURNING 1";
pub(super) const FIND: &str = "SELECT named, from_type, from_id, attribute, since FROM scimgate.held \
    WHERE tenant = $1 AND resource_type = $2 AND named = ANY ($3::text[]) AND since >= $4 ORDER BY since LIMIT $5";
pub(super) const LET_GO: &str = "DELETE FROM scimgate.held WHERE tenant = $1 AND from_type = $2 AND from_id = $3 \
    AND ($4::text IS NULL OR attribute = $4) AND ($5::text IS NULL OR named = $5)";
pub(super) const COUNT: &str =
    "SELECT count(*) FROM scimgate.held WHERE tenant = $1 AND since >= $2";

pub(super) const STATEMENTS: [&str; 5] = [FORGET_OLD, HOLD, FIND, LET_GO, COUNT];
