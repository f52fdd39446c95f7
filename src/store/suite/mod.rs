//! What every engine must do: one list of cases, run against each.

mod general;
mod held;
mod intents;
mod records;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;

/// Makes a test of every case for one engine; `$open` gives a fresh store and whatever must outlive it, or nothing
/// where its server is not installed.
macro_rules! conformance {
    ($engine:ident, $open:expr) => {
        mod $engine {
            use super::*;
            conformance!(@cases $open;
                records::a_record_comes_back_as_it_was_written
                records::a_record_written_again_is_replaced
                general::unknown_rows_are_absent_not_errors
                general::tenants_and_resource_types_never_see_each_others_rows
                records::a_target_id_has_one_record
                records::a_target_id_passes_from_a_tombstone_to_a_living_record
                records::a_page_of_targets_is_joined_in_its_order
                records::external_ids_are_data_compared_case_exactly
                records::a_record_is_found_by_either_id_and_many_by_theirs
                records::pages_cover_all_records_once_in_order
                records::a_deletion_leaves_nothing_or_a_bare_tombstone
                intents::of_many_creates_at_once_exactly_one_is_fresh
                intents::an_intent_goes_from_prepared_to_acknowledged
                intents::an_intent_answers_to_its_own_id_only
                intents::an_applied_create_conflicts_without_a_trace
                intents::a_create_is_recorded_even_if_its_intent_was_abandoned
                intents::an_intent_without_an_id_takes_the_one_the_target_chose
                intents::only_old_acknowledged_intents_expire
                intents::a_deletion_frees_the_name
                intents::open_intents_are_the_old_prepared_ones
                held::a_held_reference_is_found_by_what_it_names
                held::the_same_reference_is_held_once_and_no_more_than_so_many
                held::what_a_resource_holds_is_let_go_whole_or_in_part
                general::keys_belong_to_their_tenant
                general::odd_texts_are_just_texts
                records::many_writers_lose_nothing
                general::a_healthy_store_says_so
            );
        }
    };
    (@cases $open:expr; $($group:ident :: $case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let opened = $open;
                let Some((store, _keep)) = opened else { return };
                $group::$case(store).await;
            }
        )*
    };
}

conformance!(
    memory,
    Some((Arc::new(MemoryStore::default()) as Arc<dyn Store>, ()))
);
conformance!(sqlite, {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let store = open(&StoreSettings::Sqlite { path }).await.unwrap();
    Some((store, directory))
});
#[cfg(feature = "postgres")]
conformance!(postgres, {
    match crate::test_postgres::shared() {
        Some(server) => {
            let settings = PostgresSettings {
                tls: PostgresTls::Off,
                ..PostgresSettings::new(server.database().await)
            };
            Some((open(&StoreSettings::Postgres(settings)).await.unwrap(), ()))
        }
        None => None,
    }
});

const USER: &str = "User";

fn acme() -> TenantId {
    TenantId::new("acme")
}

fn globex() -> TenantId {
    TenantId::new("globex")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn record(id: &str, target: &str) -> Record {
    Record {
        scim_id: ScimId::new(id),
        target_id: Some(TargetId::new(target)),
        external_id: None,
        shadow: serde_json::Map::new(),
        created: at(0),
        modified: at(1),
        revision: 1,
        is_deleted: false,
    }
}

fn intent(match_key: &str, id: &str) -> Intent {
    Intent {
        match_key: match_key.to_owned(),
        digest: [7; 32],
        scim_id: ScimId::new(id),
        state: IntentState::Prepared,
        prepared_at: at(0),
        target_id: None,
    }
}

fn key(id: &str, hash: u8) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        name: "okta".to_owned(),
        tenant: acme(),
        sha256: [hash; 32],
        created: at(i64::from(hash)),
        expires: Some("9999-12-30T00:00:00Z".parse().unwrap()),
        revoked: None,
    }
}

fn ids(records: &[Record]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record.scim_id.as_str())
        .collect()
}

async fn by_id(store: &Arc<dyn Store>, id: &str) -> Option<Record> {
    store.record(&acme(), USER, &ScimId::new(id)).await.unwrap()
}

async fn by_target(store: &Arc<dyn Store>, target: &str) -> Option<Record> {
    let target = TargetId::new(target);
    store
        .record_by_target(&acme(), USER, &target)
        .await
        .unwrap()
}

async fn put(store: &Arc<dyn Store>, record: &Record) {
    store.put(&acme(), USER, record).await.unwrap();
}

async fn prepare(store: &Arc<dyn Store>, intent: &Intent, now: Timestamp) -> Prepared {
    store.prepare(&acme(), USER, intent, now).await.unwrap()
}

/// The intent as it stands, without changing anything.
async fn standing(store: &Arc<dyn Store>, match_key: &str) -> Intent {
    let found = store.intent(&acme(), USER, match_key).await.unwrap();
    let found = found.expect("there is an intent");
    let again = prepare(store, &intent(match_key, "somebody-else"), at(0)).await;
    assert_eq!(again, Prepared::Existing(found.clone()));
    found
}

fn assert_conflict(result: Result<(), StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Conflict { .. })),
        "{result:?}"
    );
}
