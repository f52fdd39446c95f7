//! The table of intents: the create protocol's memory.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::fault::Fault;
use super::place::{Place, whole};
use super::record;
use super::session::step;
use super::text::{given, stored};
use crate::store::{
    Intent, IntentState, OPEN_INTENTS_LIMIT, Prepared, Record, ScimId, StoreError, TargetId,
};

/// A row of [`BY_MATCH_KEY`] or [`OPEN`].
fn read(row: &Row) -> Result<Intent, Fault> {
    let damaged = || Fault::damaged_row("intent");
    let digest: &[u8] = row.get(1);
    Ok(Intent {
        match_key: given(row.get(0)),
        digest: digest.try_into().map_err(|_| damaged())?,
        scim_id: ScimId::new(given(row.get(2))),
        state: match row.get::<_, i16>(3) {
            0 => IntentState::Prepared,
            1 => IntentState::Applied,
            2 => IntentState::Acknowledged,
            _ => return Err(damaged()),
        },
        prepared_at: Timestamp::from_microsecond(row.get(4)).map_err(|_| damaged())?,
        target_id: row
            .get::<_, Option<String>>(5)
            .map(|id| TargetId::new(given(id))),
    })
}

/// Files an intent and gives a row, unless there is one that has not expired (`$7`).
///
/// The unique key decides among callers at the same time: the others wait here for the first one's commit.
const FILE: &str = "INSERT INTO scimgate.intent AS i (tenant, resource_type, match_key, digest, scim_id, state, prepared_at) \
    VALUES ($1, $2, $3, $4, $5, 0, $6) \
    ON CONFLICT (tenant, resource_type, match_key) DO UPDATE SET digest = excluded.digest, scim_id = excluded.scim_id, state = 0, \
        prepared_at = excluded.prepared_at, target_id = NULL \
    WHERE i.state = 2 AND i.prepared_at < $7 RETURNING 1";
const BY_MATCH_KEY: &str = "SELECT match_key, digest, scim_id, state, prepared_at, target_id FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3";
/// The target has it: `$4` is its SCIM id, `$5` the target's.
pub(super) const APPLY: &str = "UPDATE scimgate.intent SET state = GREATEST(state, 1), scim_id = $4, target_id = $5 \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3 AND scim_id IN ('', $4)";
const ACKNOWLEDGE: &str = "UPDATE scimgate.intent SET state = 2 \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3 AND scim_id = $4 AND state = 1";
const ABANDON: &str = "DELETE FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3 AND scim_id = $4";
/// Removes what stands in the way of a new create after a deletion. A `Prepared` intent stays: its call may be on its way.
pub(super) const FORGET_FINISHED: &str = "DELETE FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND scim_id = $3 AND state <> 0";
const OPEN: &str = "SELECT match_key, digest, scim_id, state, prepared_at, target_id FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND state = 0 AND prepared_at < $3 ORDER BY prepared_at, match_key LIMIT $4";
/// Every create that is fresh (`$3` to `$5`: its type, match key and time) takes some old ones of its tenant along, so that the table does
/// not grow for ever and no create takes long.
const FORGET_EXPIRED: &str = "DELETE FROM scimgate.intent WHERE (tenant, resource_type, match_key) IN \
    (SELECT tenant, resource_type, match_key FROM scimgate.intent \
     WHERE tenant = $1 AND state = 2 AND prepared_at < $2 ORDER BY prepared_at LIMIT 16 FOR UPDATE SKIP LOCKED) \
    AND EXISTS (SELECT FROM scimgate.intent WHERE tenant = $1 AND resource_type = $3 AND match_key = $4 AND state = 0 AND prepared_at = $5)";

pub(super) const STATEMENTS: [&str; 8] = [
    FILE,
    BY_MATCH_KEY,
    APPLY,
    ACKNOWLEDGE,
    ABANDON,
    FORGET_FINISHED,
    OPEN,
    FORGET_EXPIRED,
];

pub(super) async fn prepare(
    place: &Place<'_>,
    intent: &Intent,
    now: Timestamp,
) -> Result<Prepared, StoreError> {
    let (tenant, kind) = (&place.tenant, &place.resource_type);
    let match_key = stored(&intent.match_key);
    let scim_id = stored(intent.scim_id.as_str());
    let (digest, prepared_at) = (
        &intent.digest.as_slice(),
        intent.prepared_at.as_microsecond(),
    );
    let oldest_kept = now
        .checked_sub(Intent::LIFETIME)
        .unwrap_or(Timestamp::MIN)
        .as_microsecond();
    let steps = [
        step!(
            FILE,
            tenant,
            kind,
            &match_key,
            digest,
            &scim_id,
            &prepared_at,
            &oldest_kept
        ),
        step!(BY_MATCH_KEY, tenant, kind, &match_key),
        step!(
            FORGET_EXPIRED,
            tenant,
            &oldest_kept,
            kind,
            &match_key,
            &prepared_at
        ),
    ];
    for _ in 0..ATTEMPTS {
        let rows = place.transact("write an intent", &steps).await?;
        let mut rows = rows.iter();
        if rows.next().is_some_and(|filed| !filed.is_empty()) {
            return Ok(Prepared::Fresh);
        }
        if let Some(row) = rows.next().and_then(|found| found.first()) {
            let existing = read(row).map_err(|fault| fault.named("read an intent"))?;
            return Ok(Prepared::Existing(existing));
        }
        // It was there for the first statement and gone for the second: somebody has abandoned it.
    }
    Err(StoreError::Unavailable {
        what: "write an intent",
        cause: None,
    })
}

pub(super) async fn applied(
    place: &Place<'_>,
    match_key: &str,
    record: &Record,
) -> Result<(), StoreError> {
    record::write(place, record, Some(match_key)).await
}

pub(super) async fn acknowledge(
    place: &Place<'_>,
    match_key: &str,
    id: &ScimId,
) -> Result<(), StoreError> {
    let (match_key, id) = (stored(match_key), stored(id.as_str()));
    let step = step!(
        ACKNOWLEDGE,
        &place.tenant,
        &place.resource_type,
        &match_key,
        &id
    );
    place.transact("acknowledge an intent", &[step]).await?;
    Ok(())
}

pub(super) async fn abandon(
    place: &Place<'_>,
    match_key: &str,
    id: &ScimId,
) -> Result<(), StoreError> {
    let (match_key, id) = (stored(match_key), stored(id.as_str()));
    let step = step!(
        ABANDON,
        &place.tenant,
        &place.resource_type,
        &match_key,
        &id
    );
    place.transact("abandon an intent", &[step]).await?;
    Ok(())
}

pub(super) async fn by_match_key(
    place: &Place<'_>,
    match_key: &str,
) -> Result<Option<Intent>, StoreError> {
    let match_key = stored(match_key);
    let query = step!(
        BY_MATCH_KEY,
        &place.tenant,
        &place.resource_type,
        &match_key
    );
    let found = place.find("read an intent", query, read);
    Ok(found.await?.pop())
}

pub(super) async fn open(
    place: &Place<'_>,
    older_than: Timestamp,
) -> Result<Vec<Intent>, StoreError> {
    let (older_than, limit) = (older_than.as_microsecond(), whole(OPEN_INTENTS_LIMIT));
    let query = step!(
        OPEN,
        &place.tenant,
        &place.resource_type,
        &older_than,
        &limit
    );
    place.find("read intents", query, read).await
}

/// How often a create that finds an intent which is gone at the next look is tried.
const ATTEMPTS: usize = 3;
