//! The table of references that wait for what they name.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::fault::Fault;
use super::place::{Place, whole};
use super::session::step;
use super::text::{given, stored};
use crate::store::{HELD_LIMIT, Held, ScimId, StoreError};

/// A row of [`FIND`].
fn read(row: &Row) -> Result<Held, Fault> {
    Ok(Held {
        named: given(row.get(0)),
        from_type: given(row.get(1)),
        from_id: ScimId::new(given(row.get(2))),
        attribute: given(row.get(3)),
        since: Timestamp::from_microsecond(row.get(4)).map_err(|_| Fault::damaged_row("held"))?,
    })
}

const FORGET_OLD: &str = "DELETE FROM scimgate.held WHERE tenant = $1 AND since < $2";
/// Holds a reference and gives a row, unless it is a new one and there are `$8` already. Two at the very same time may both be
/// the last.
const HOLD: &str = "INSERT INTO scimgate.held (tenant, resource_type, named, from_type, from_id, attribute, since) \
    SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint \
    WHERE EXISTS (SELECT FROM scimgate.held WHERE tenant = $1 AND resource_type = $2 AND named = $3 AND from_type = $4 \
                  AND from_id = $5 AND attribute = $6) \
       OR (SELECT count(*) FROM scimgate.held WHERE tenant = $1) < $8 \
    ON CONFLICT (tenant, resource_type, named, from_type, from_id, attribute) DO UPDATE SET since = excluded.since \
    RETURNING 1";
const FIND: &str = "SELECT named, from_type, from_id, attribute, since FROM scimgate.held \
    WHERE tenant = $1 AND resource_type = $2 AND named = ANY ($3::text[]) AND since >= $4 ORDER BY since LIMIT $5";
const LET_GO: &str = "DELETE FROM scimgate.held WHERE tenant = $1 AND from_type = $2 AND from_id = $3 \
    AND ($4::text IS NULL OR attribute = $4) AND ($5::text IS NULL OR named = $5)";
const COUNT: &str = "SELECT count(*) FROM scimgate.held WHERE tenant = $1 AND since >= $2";

pub(super) const STATEMENTS: [&str; 5] = [FORGET_OLD, HOLD, FIND, LET_GO, COUNT];

pub(super) async fn hold(
    place: &Place<'_>,
    held: &Held,
    most: u64,
    not_before: Timestamp,
) -> Result<bool, StoreError> {
    let (tenant, kind) = (&place.tenant, &place.resource_type);
    let (named, from_type) = (stored(&held.named), stored(&held.from_type));
    let (from_id, attribute) = (stored(held.from_id.as_str()), stored(&held.attribute));
    let (since, not_before) = (held.since.as_microsecond(), not_before.as_microsecond());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let steps = [
        step!(FORGET_OLD, tenant, &not_before),
        step!(
            HOLD, tenant, kind, &named, &from_type, &from_id, &attribute, &since, &most
        ),
    ];
    let rows = place.transact("hold a reference", &steps).await?;
    Ok(rows.last().is_some_and(|held| !held.is_empty()))
}

pub(super) async fn find(
    place: &Place<'_>,
    names: &[String],
    not_before: Timestamp,
) -> Result<Vec<Held>, StoreError> {
    let names: Vec<_> = names.iter().map(|name| stored(name)).collect();
    let (not_before, limit) = (not_before.as_microsecond(), whole(HELD_LIMIT));
    let query = step!(
        FIND,
        &place.tenant,
        &place.resource_type,
        &names,
        &not_before,
        &limit
    );
    place.find("read held references", query, read).await
}

pub(super) async fn let_go(
    place: &Place<'_>,
    id: &ScimId,
    attribute: Option<&str>,
    named: Option<&str>,
) -> Result<(), StoreError> {
    let id = stored(id.as_str());
    let (attribute, named) = (attribute.map(stored), named.map(stored));
    let step = step!(
        LET_GO,
        &place.tenant,
        &place.resource_type,
        &id,
        &attribute,
        &named
    );
    place.transact("let a reference go", &[step]).await?;
    Ok(())
}

pub(super) async fn count(place: &Place<'_>, not_before: Timestamp) -> Result<u64, StoreError> {
    let not_before = not_before.as_microsecond();
    let query = step!(COUNT, &place.tenant, &not_before);
    let count = |row: &Row| Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0));
    let counts = place.find("count held references", query, count).await?;
    Ok(counts.into_iter().sum())
}
