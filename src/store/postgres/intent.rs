//! The table of intents: the create protocol's memory.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::fault::Fault;
use super::text::given;
use crate::store::{Intent, IntentState, ScimId, TargetId};

/// A row of [`BY_MATCH_KEY`] or [`OPEN`].
pub(super) fn read(row: &Row) -> Result<Intent, Fault> {
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
pub(super) const FILE: &str = "INSERT INTO scimgate.intent AS i (tenant, resource_type, match_key, digest, scim_id, state, prepared_at) \
    VALUES ($1, $2, $3, $4, $5, 0, $6) \
    ON CONFLICT (tenant, resource_type, match_key) DO UPDATE SET digest = excluded.digest, scim_id = excluded.scim_id, state = 0, \
        prepared_at = excluded.prepared_at, target_id = NULL \
    WHERE i.state = 2 AND i.prepared_at < $7 RETURNING 1";
pub(super) const BY_MATCH_KEY: &str = "SELECT match_key, digest, scim_id, state, prepared_at, target_id FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3";
/// The target has it: `$4` is its SCIM id, `$5` the target's.
pub(super) const APPLY: &str = "UPDATE scimgate.intent SET state = GREATEST(state, 1), scim_id = $4, target_id = $5 \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3 AND scim_id IN ('', $4)";
pub(super) const ACKNOWLEDGE: &str = "UPDATE scimgate.intent SET state = 2 \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3 AND scim_id = $4 AND state = 1";
pub(super) const ABANDON: &str = "DELETE FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND match_key = $3 AND scim_id = $4";
/// Removes what stands in the way of a new create after a deletion. A `Prepared` intent stays: its call may be on its way.
pub(super) const FORGET_FINISHED: &str = "DELETE FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND scim_id = $3 AND state <> 0";
pub(super) const OPEN: &str = "SELECT match_key, digest, scim_id, state, prepared_at, target_id FROM scimgate.intent \
    WHERE tenant = $1 AND resource_type = $2 AND state = 0 AND prepared_at < $3 ORDER BY prepared_at, match_key LIMIT $4";
/// Every create that is fresh (`$3` to `$5`: its type, match key and time) takes some old ones of its tenant along, so that the table does
/// not grow for ever and no create takes long.
pub(super) const FORGET_EXPIRED: &str = "DELETE FROM scimgate.intent WHERE (tenant, resource_type, match_key) IN \
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
