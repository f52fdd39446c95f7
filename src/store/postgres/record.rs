//! The table of records.

use jiff::Timestamp;
use serde_json::Map;
use tokio_postgres::Row;

use super::fault::Fault;
use super::intent;
use super::place::{Place, whole};
use super::session::step;
use super::text::{given, stored};
use crate::store::record::to_microseconds;
use crate::store::{ExternalId, Record, ScimId, StoreError, TargetId};

/// A record's columns as parameters.
struct Columns<'a> {
    scim_id: std::borrow::Cow<'a, str>,
    target_id: Option<std::borrow::Cow<'a, str>>,
    external_id: Option<std::borrow::Cow<'a, str>>,
    shadow: String,
    created: i64,
    modified: i64,
    revision: i64,
    is_deleted: bool,
}

impl<'a> Columns<'a> {
    fn of(record: &'a Record) -> Result<Self, StoreError> {
        Ok(Self {
            scim_id: stored(record.scim_id.as_str()),
            target_id: record.target_id.as_ref().map(|id| stored(id.as_str())),
            external_id: record.external_id.as_ref().map(|id| stored(id.as_str())),
            shadow: serde_json::to_string(&record.shadow)
                .map_err(|error| StoreError::unavailable("write the shadow attributes", error))?,
            created: to_microseconds(record.created).as_microsecond(),
            modified: to_microseconds(record.modified).as_microsecond(),
            revision: i64::try_from(record.revision).unwrap_or(i64::MAX),
            is_deleted: record.is_deleted,
        })
    }
}

/// A row of one of the queries below.
fn read(row: &Row) -> Result<Record, Fault> {
    let damaged = |_| Fault::damaged_row("record");
    let time = |index| -> Result<Timestamp, Fault> {
        Timestamp::from_microsecond(row.get(index)).map_err(|_| Fault::damaged_row("record"))
    };
    let shadow: Map<_, _> =
        serde_json::from_str(row.get(3)).map_err(|_| Fault::damaged_row("record"))?;
    Ok(Record {
        scim_id: ScimId::new(given(row.get(0))),
        target_id: row
            .get::<_, Option<String>>(1)
            .map(|id| TargetId::new(given(id))),
        external_id: row
            .get::<_, Option<String>>(2)
            .map(|id| ExternalId::new(given(id))),
        shadow,
        created: time(4)?,
        modified: time(5)?,
        revision: u64::try_from(row.get::<_, i64>(6)).map_err(damaged)?,
        is_deleted: row.get(7),
    })
}

/// A query for records; columns as [`read`] expects them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.scim_id, r.target_id, r.external_id, r.shadow, r.created, r.modified, r.revision, r.is_deleted ",
            $rest
        )
    };
}

const BY_ID: &str =
    select!("FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 AND scim_id = $3");
const BY_TARGET: &str =
    select!("FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 AND target_id = $3");
const BY_EITHER: &str = concat!(
    select!("FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 AND scim_id = $3"),
    " UNION ALL ",
    select!(
        "FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 AND target_id = $4 AND scim_id <> $3"
    )
);
/// In the order that was asked for, all with one look each at the index.
const BY_IDS: &str = select!(
    "FROM unnest($3::text[]) WITH ORDINALITY AS asked (id, place) \
     JOIN scimgate.record r ON r.tenant = $1 AND r.resource_type = $2 AND r.scim_id = asked.id ORDER BY asked.place"
);
const BY_TARGETS: &str = select!(
    "FROM unnest($3::text[]) WITH ORDINALITY AS asked (id, place) \
     JOIN scimgate.record r ON r.tenant = $1 AND r.resource_type = $2 AND r.target_id = asked.id ORDER BY asked.place"
);
const BY_EXTERNAL_ID: &str = select!(
    "FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 AND external_id = $3 AND NOT is_deleted ORDER BY scim_id"
);
const FIRST_PAGE: &str = select!(
    "FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 ORDER BY scim_id LIMIT $3"
);
const PAGE_AFTER: &str = select!(
    "FROM scimgate.record r WHERE tenant = $1 AND resource_type = $2 AND scim_id > $3 ORDER BY scim_id LIMIT $4"
);
/// Takes the target id from a tombstone, unless the intent of `$5` (NULL: none) belongs to another id.
const RELEASE: &str = "UPDATE scimgate.record SET target_id = NULL \
    WHERE tenant = $1 AND resource_type = $2 AND target_id = $3 AND scim_id <> $4 AND is_deleted \
    AND NOT EXISTS (SELECT FROM scimgate.intent WHERE tenant = $1 AND resource_type = $2 AND match_key = $5 AND scim_id NOT IN ('', $4))";
/// Writes a record, unless the intent of `$11` (NULL: none) belongs to another id: then it gives no row.
const WRITE: &str = "INSERT INTO scimgate.record (tenant, resource_type, scim_id, target_id, external_id, shadow, created, modified, \
        revision, is_deleted) \
    SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::bigint, $9::bigint, $10::boolean \
    WHERE NOT EXISTS (SELECT FROM scimgate.intent WHERE tenant = $1 AND resource_type = $2 AND match_key = $11 AND scim_id NOT IN ('', $3)) \
    ON CONFLICT (tenant, resource_type, scim_id) DO UPDATE SET target_id = excluded.target_id, external_id = excluded.external_id, \
        shadow = excluded.shadow, created = excluded.created, modified = excluded.modified, revision = excluded.revision, \
        is_deleted = excluded.is_deleted \
    RETURNING 1";
const DELETE: &str =
    "DELETE FROM scimgate.record WHERE tenant = $1 AND resource_type = $2 AND scim_id = $3";
const BURY: &str = "UPDATE scimgate.record SET external_id = NULL, shadow = '{}', is_deleted = true, \
        revision = LEAST(revision, 9223372036854775806) + 1 \
    WHERE tenant = $1 AND resource_type = $2 AND scim_id = $3";

pub(super) const STATEMENTS: [&str; 12] = [
    BY_ID,
    BY_TARGET,
    BY_EITHER,
    BY_IDS,
    BY_TARGETS,
    BY_EXTERNAL_ID,
    FIRST_PAGE,
    PAGE_AFTER,
    RELEASE,
    WRITE,
    DELETE,
    BURY,
];

pub(super) async fn by_id(place: &Place<'_>, id: &ScimId) -> Result<Option<Record>, StoreError> {
    let id = stored(id.as_str());
    let query = step!(BY_ID, &place.tenant, &place.resource_type, &id);
    let found = place.find("read a record", query, read).await?;
    Ok(found.into_iter().next())
}

pub(super) async fn by_target(
    place: &Place<'_>,
    target_id: &TargetId,
) -> Result<Option<Record>, StoreError> {
    let target_id = stored(target_id.as_str());
    let query = step!(BY_TARGET, &place.tenant, &place.resource_type, &target_id);
    let found = place.find("read a record", query, read).await?;
    Ok(found.into_iter().next())
}

pub(super) async fn by_either(
    place: &Place<'_>,
    id: &ScimId,
    target_id: &TargetId,
) -> Result<Option<Record>, StoreError> {
    let (stored_id, target_id) = (stored(id.as_str()), stored(target_id.as_str()));
    let query = step!(
        BY_EITHER,
        &place.tenant,
        &place.resource_type,
        &stored_id,
        &target_id
    );
    let found = place.find("read a record", query, read).await?;
    let by_id = found.iter().position(|record| record.scim_id == *id);
    Ok(found.into_iter().nth(by_id.unwrap_or(0)))
}

pub(super) async fn by_ids(place: &Place<'_>, ids: &[ScimId]) -> Result<Vec<Record>, StoreError> {
    let ids: Vec<_> = ids.iter().map(|id| stored(id.as_str())).collect();
    let query = step!(BY_IDS, &place.tenant, &place.resource_type, &ids);
    place.find("read records", query, read).await
}

pub(super) async fn by_targets(
    place: &Place<'_>,
    target_ids: &[TargetId],
) -> Result<Vec<Record>, StoreError> {
    let ids: Vec<_> = target_ids.iter().map(|id| stored(id.as_str())).collect();
    let query = step!(BY_TARGETS, &place.tenant, &place.resource_type, &ids);
    place.find("read records", query, read).await
}

pub(super) async fn by_external_id(
    place: &Place<'_>,
    external_id: &ExternalId,
) -> Result<Vec<Record>, StoreError> {
    let external_id = stored(external_id.as_str());
    let query = step!(
        BY_EXTERNAL_ID,
        &place.tenant,
        &place.resource_type,
        &external_id
    );
    place.find("read records", query, read).await
}

pub(super) async fn page(
    place: &Place<'_>,
    after: Option<&ScimId>,
    limit: usize,
) -> Result<Vec<Record>, StoreError> {
    let limit = whole(limit);
    let after = after.map(|id| stored(id.as_str()));
    let query = match &after {
        Some(after) => step!(
            PAGE_AFTER,
            &place.tenant,
            &place.resource_type,
            after,
            &limit
        ),
        None => step!(FIRST_PAGE, &place.tenant, &place.resource_type, &limit),
    };
    place.find("read records", query, read).await
}

pub(super) async fn put(place: &Place<'_>, record: &Record) -> Result<(), StoreError> {
    write(place, record, None).await
}

pub(super) async fn delete(
    place: &Place<'_>,
    id: &ScimId,
    keep_tombstone: bool,
) -> Result<(), StoreError> {
    let id = stored(id.as_str());
    let (tenant, kind) = (&place.tenant, &place.resource_type);
    let removal = match keep_tombstone {
        true => BURY,
        false => DELETE,
    };
    let steps = [
        step!(removal, tenant, kind, &id),
        step!(intent::FORGET_FINISHED, tenant, kind, &id),
    ];
    place.transact("delete a record", &steps).await?;
    Ok(())
}

/// Writes a record; for a create also that its intent is done, which must not belong to another id.
pub(super) async fn write(
    place: &Place<'_>,
    record: &Record,
    match_key: Option<&str>,
) -> Result<(), StoreError> {
    let Columns {
        scim_id,
        target_id,
        external_id,
        shadow,
        created,
        modified,
        revision,
        is_deleted,
    } = Columns::of(record)?;
    let (tenant, kind) = (&place.tenant, &place.resource_type);
    let match_key = match_key.map(stored);
    let mut steps = Vec::with_capacity(3);
    if target_id.is_some() {
        steps.push(step!(
            RELEASE, tenant, kind, &target_id, &scim_id, &match_key
        ));
    }
    let written = steps.len();
    steps.push(step!(
        WRITE,
        tenant,
        kind,
        &scim_id,
        &target_id,
        &external_id,
        &shadow,
        &created,
        &modified,
        &revision,
        &is_deleted,
        &match_key,
    ));
    if match_key.is_some() {
        steps.push(step!(
            intent::APPLY,
            tenant,
            kind,
            &match_key,
            &scim_id,
            &target_id
        ));
    }
    let rows = place.transact("write a record", &steps).await?;
    match rows.get(written).is_some_and(|rows| !rows.is_empty()) {
        true => Ok(()),
        false => Err(StoreError::Conflict { what: "match key" }),
    }
}
