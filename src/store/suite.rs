//! What every engine must do: one list of cases, run against each.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;

/// Makes a test of every case for one engine; `$open` gives a fresh store and whatever must outlive it.
macro_rules! conformance {
    ($engine:ident, $open:expr) => {
        mod $engine {
            use super::*;
            conformance!(@cases $open;
                a_record_comes_back_as_it_was_written
                a_record_written_again_is_replaced
                unknown_rows_are_absent_not_errors
                tenants_and_resource_types_never_see_each_others_rows
                a_target_id_has_one_record
                a_target_id_passes_from_a_tombstone_to_a_living_record
                a_page_of_targets_is_joined_in_its_order
                external_ids_are_data_compared_case_exactly
                pages_cover_all_records_once_in_order
                a_deletion_leaves_nothing_or_a_bare_tombstone
                of_many_creates_at_once_exactly_one_is_fresh
                an_intent_goes_from_prepared_to_acknowledged
                an_intent_answers_to_its_own_id_only
                an_applied_create_conflicts_without_a_trace
                a_create_is_recorded_even_if_its_intent_was_abandoned
                only_old_acknowledged_intents_expire
                a_deletion_frees_the_name
                open_intents_are_the_old_prepared_ones
                keys_belong_to_their_tenant
                odd_texts_are_just_texts
                many_writers_lose_nothing
                a_healthy_store_says_so
            );
        }
    };
    (@cases $open:expr; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (store, _keep) = $open;
                super::$case(store).await;
            }
        )*
    };
}

conformance!(
    memory,
    (Arc::new(MemoryStore::default()) as Arc<dyn Store>, ())
);
conformance!(sqlite, {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let store = open(&StoreSettings::Sqlite { path }).await.unwrap();
    (store, directory)
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
    match prepare(store, &intent(match_key, "somebody-else"), at(0)).await {
        Prepared::Existing(intent) => intent,
        Prepared::Fresh => panic!("there was no intent"),
    }
}

fn assert_conflict(result: Result<(), StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Conflict { .. })),
        "{result:?}"
    );
}

async fn a_record_comes_back_as_it_was_written(store: Arc<dyn Store>) {
    let shadow = json!({
        "title": "Ingénieure ✓",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "7"}},
        "x": [null, true, -3, 1.5, "", {"": {}}],
    });
    let record = Record {
        external_id: Some(ExternalId::new("00u1")),
        shadow: shadow.as_object().unwrap().clone(),
        created: "2026-11-22T01:02:03.123456789Z".parse().unwrap(),
        modified: "1969-12-31T23:59:59.999999Z".parse().unwrap(),
        revision: 41,
        ..record("1", "9")
    };
    put(&store, &record).await;
    let kept = Record {
        created: "2026-11-22T01:02:03.123456Z".parse().unwrap(),
        ..record.clone()
    };
    assert_eq!(by_id(&store, "1").await, Some(kept.clone()));
    assert_eq!(by_target(&store, "9").await, Some(kept));
    let read = by_id(&store, "1").await.unwrap();
    assert_eq!(
        serde_json::to_string(&read.shadow).unwrap(),
        serde_json::to_string(&record.shadow).unwrap(),
        "the order of members stays"
    );
}

async fn a_record_written_again_is_replaced(store: Arc<dyn Store>) {
    put(
        &store,
        &Record {
            external_id: Some(ExternalId::new("old")),
            ..record("1", "9")
        },
    )
    .await;
    let second = Record {
        external_id: Some(ExternalId::new("new")),
        revision: 2,
        ..record("1", "10")
    };
    put(&store, &second).await;
    assert_eq!(by_id(&store, "1").await, Some(second.clone()));
    assert_eq!(by_target(&store, "9").await, None);
    assert_eq!(by_target(&store, "10").await, Some(second));
    let old = ExternalId::new("old");
    let found = store
        .records_by_external_id(&acme(), USER, &old)
        .await
        .unwrap();
    assert_eq!(found, []);
    // The target id it gave up is free.
    put(&store, &record("2", "9")).await;
}

async fn unknown_rows_are_absent_not_errors(store: Arc<dyn Store>) {
    let (tenant, id) = (acme(), ScimId::new("1"));
    assert_eq!(by_id(&store, "1").await, None);
    assert_eq!(by_target(&store, "1").await, None);
    assert_eq!(
        store.records_by_target(&tenant, USER, &[]).await.unwrap(),
        []
    );
    assert_eq!(
        store.records_page(&tenant, USER, None, 10).await.unwrap(),
        []
    );
    assert_eq!(store.open_intents(&tenant, USER, at(9)).await.unwrap(), []);
    assert_eq!(store.keys(&tenant).await.unwrap(), []);
    assert!(!store.revoke_key(&tenant, "none", at(0)).await.unwrap());
    store.delete(&tenant, USER, &id, false).await.unwrap();
    store.delete(&tenant, USER, &id, true).await.unwrap();
    store.acknowledge(&tenant, USER, "ada", &id).await.unwrap();
    store.abandon(&tenant, USER, "ada", &id).await.unwrap();
    assert_eq!(by_id(&store, "1").await, None, "no tombstone of nothing");
}

async fn tenants_and_resource_types_never_see_each_others_rows(store: Arc<dyn Store>) {
    let (id, target, external) = (ScimId::new("1"), TargetId::new("9"), ExternalId::new("e"));
    let mine = Record {
        external_id: Some(external.clone()),
        ..record("1", "9")
    };
    put(&store, &mine).await;
    prepare(&store, &intent("ada", "1"), at(0)).await;
    store.create_key(&acme(), &key("k", 1)).await.unwrap();

    for (tenant, resource_type) in [(globex(), USER), (acme(), "Group"), (acme(), "user")] {
        let (tenant, rt) = (&tenant, resource_type);
        assert_eq!(store.record(tenant, rt, &id).await.unwrap(), None);
        assert_eq!(
            store.record_by_target(tenant, rt, &target).await.unwrap(),
            None
        );
        let targets = std::slice::from_ref(&target);
        assert_eq!(
            store.records_by_target(tenant, rt, targets).await.unwrap(),
            []
        );
        assert_eq!(
            store
                .records_by_external_id(tenant, rt, &external)
                .await
                .unwrap(),
            []
        );
        assert_eq!(store.records_page(tenant, rt, None, 10).await.unwrap(), []);
        assert_eq!(store.open_intents(tenant, rt, at(9)).await.unwrap(), []);
        store.delete(tenant, rt, &id, false).await.unwrap();
        store.abandon(tenant, rt, "ada", &id).await.unwrap();
        store.put(tenant, rt, &record("1", "9")).await.unwrap();
        let other = intent("ada", "1");
        assert_eq!(
            store.prepare(tenant, rt, &other, at(0)).await.unwrap(),
            Prepared::Fresh
        );
        store.delete(tenant, rt, &id, true).await.unwrap();
    }
    assert_eq!(store.keys(&globex()).await.unwrap(), []);
    assert!(!store.revoke_key(&globex(), "k", at(5)).await.unwrap());

    assert_eq!(by_id(&store, "1").await, Some(mine));
    assert_eq!(standing(&store, "ada").await.state, IntentState::Prepared);
    assert_eq!(store.keys(&acme()).await.unwrap()[0].revoked, None);
}

async fn a_target_id_has_one_record(store: Arc<dyn Store>) {
    put(&store, &record("1", "9")).await;
    assert_conflict(store.put(&acme(), USER, &record("2", "9")).await);
    let tombstone = Record {
        is_deleted: true,
        ..record("2", "9")
    };
    assert_conflict(store.put(&acme(), USER, &tombstone).await);
    assert_eq!(by_id(&store, "2").await, None);
    assert_eq!(by_target(&store, "9").await, Some(record("1", "9")));
    // Records without a target id are many.
    for id in ["3", "4"] {
        put(
            &store,
            &Record {
                target_id: None,
                ..record(id, "")
            },
        )
        .await;
    }
}

async fn a_target_id_passes_from_a_tombstone_to_a_living_record(store: Arc<dyn Store>) {
    put(&store, &record("1", "9")).await;
    store
        .delete(&acme(), USER, &ScimId::new("1"), true)
        .await
        .unwrap();
    assert!(by_target(&store, "9").await.unwrap().is_deleted);
    put(&store, &record("2", "9")).await;
    assert_eq!(by_target(&store, "9").await, Some(record("2", "9")));
    let tombstone = by_id(&store, "1").await.unwrap();
    assert!(tombstone.is_deleted);
    assert_eq!(tombstone.target_id, None);
    // The tombstone can go without taking the other's link along.
    store
        .delete(&acme(), USER, &ScimId::new("1"), false)
        .await
        .unwrap();
    assert_eq!(by_target(&store, "9").await, Some(record("2", "9")));
}

async fn a_page_of_targets_is_joined_in_its_order(store: Arc<dyn Store>) {
    for number in 0..600 {
        put(&store, &record(&format!("id{number}"), &number.to_string())).await;
    }
    let wanted = [599, 3, 1000, 0, 77];
    let targets: Vec<TargetId> = wanted
        .iter()
        .map(|n| TargetId::new(n.to_string()))
        .collect();
    let found = store
        .records_by_target(&acme(), USER, &targets)
        .await
        .unwrap();
    assert_eq!(ids(&found), ["id599", "id3", "id0", "id77"]);
    let all: Vec<TargetId> = (0..600).map(|n| TargetId::new(n.to_string())).collect();
    assert_eq!(
        store
            .records_by_target(&acme(), USER, &all)
            .await
            .unwrap()
            .len(),
        600
    );
}

async fn external_ids_are_data_compared_case_exactly(store: Arc<dyn Store>) {
    let with = |id: &str, external: &str| Record {
        external_id: Some(ExternalId::new(external)),
        ..record(id, id)
    };
    // Two resources may share one, and one that looks like another's id is nobody's id.
    for (id, external) in [("1", "2"), ("2", "E"), ("4", "e"), ("3", "e"), ("5", "e")] {
        put(&store, &with(id, external)).await;
    }
    store
        .delete(&acme(), USER, &ScimId::new("5"), true)
        .await
        .unwrap();
    let dead = Record {
        is_deleted: true,
        ..with("6", "e")
    };
    put(&store, &dead).await;
    for (external, expected) in [
        ("e", vec!["3", "4"]),
        ("E", vec!["2"]),
        ("2", vec!["1"]),
        ("é", vec![]),
    ] {
        let external = ExternalId::new(external);
        let found = store
            .records_by_external_id(&acme(), USER, &external)
            .await
            .unwrap();
        assert_eq!(ids(&found), expected, "{external:?}");
    }
}

async fn pages_cover_all_records_once_in_order(store: Arc<dyn Store>) {
    let mut expected: Vec<String> = (0..25).map(|number| format!("id{number}")).collect();
    expected.extend(["ID".to_owned(), "ä".to_owned()]);
    for id in &expected {
        put(&store, &record(id, id)).await;
    }
    store
        .delete(&acme(), USER, &ScimId::new("id7"), true)
        .await
        .unwrap();
    expected.sort();
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(|id: &String| ScimId::new(id.clone()));
        let page = store
            .records_page(&acme(), USER, after.as_ref(), 10)
            .await
            .unwrap();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        if page.len() < 10 {
            break;
        }
    }
    assert_eq!(seen, expected);
    assert_eq!(
        store.records_page(&acme(), USER, None, 0).await.unwrap(),
        []
    );
}

async fn a_deletion_leaves_nothing_or_a_bare_tombstone(store: Arc<dyn Store>) {
    let personal = Record {
        external_id: Some(ExternalId::new("e")),
        shadow: json!({"title": "Dr"}).as_object().unwrap().clone(),
        ..record("1", "9")
    };
    put(&store, &personal).await;
    store
        .delete(&acme(), USER, &personal.scim_id, true)
        .await
        .unwrap();
    let tombstone = Record {
        revision: 2,
        is_deleted: true,
        ..record("1", "9")
    };
    assert_eq!(by_id(&store, "1").await, Some(tombstone));
    store
        .delete(&acme(), USER, &personal.scim_id, false)
        .await
        .unwrap();
    assert_eq!(by_id(&store, "1").await, None);
    assert_eq!(by_target(&store, "9").await, None);
}

async fn of_many_creates_at_once_exactly_one_is_fresh(store: Arc<dyn Store>) {
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mine = intent("ada", &number.to_string());
                (mine.scim_id.clone(), prepare(&store, &mine, at(0)).await)
            })
        })
        .collect();
    let (mut fresh, mut named) = (Vec::new(), HashSet::new());
    for task in tasks {
        match task.await.unwrap() {
            (id, Prepared::Fresh) => fresh.push(id),
            (_, Prepared::Existing(intent)) => {
                named.insert(intent.scim_id);
            }
        }
    }
    assert_eq!(fresh.len(), 1);
    assert_eq!(
        named,
        HashSet::from_iter(fresh),
        "the others learn of the winner"
    );
}

async fn an_intent_goes_from_prepared_to_acknowledged(store: Arc<dyn Store>) {
    let (tenant, id) = (acme(), ScimId::new("1"));
    let odd = Intent {
        state: IntentState::Acknowledged,
        target_id: Some(TargetId::new("no")),
        ..intent("ada", "1")
    };
    assert_eq!(prepare(&store, &odd, at(0)).await, Prepared::Fresh);
    assert_eq!(standing(&store, "ada").await, intent("ada", "1"));

    // An answer before the target's is no answer.
    store.acknowledge(&tenant, USER, "ada", &id).await.unwrap();
    assert_eq!(standing(&store, "ada").await.state, IntentState::Prepared);

    store
        .applied(&tenant, USER, "ada", &record("1", "9"))
        .await
        .unwrap();
    let applied = standing(&store, "ada").await;
    assert_eq!(applied.state, IntentState::Applied);
    assert_eq!(applied.target_id, Some(TargetId::new("9")));
    assert_eq!(applied.digest, [7; 32]);
    assert_eq!(by_id(&store, "1").await, Some(record("1", "9")));

    store.acknowledge(&tenant, USER, "ada", &id).await.unwrap();
    assert_eq!(
        standing(&store, "ada").await.state,
        IntentState::Acknowledged
    );
    store
        .applied(&tenant, USER, "ada", &record("1", "9"))
        .await
        .unwrap();
    assert_eq!(
        standing(&store, "ada").await.state,
        IntentState::Acknowledged
    );
}

async fn an_intent_answers_to_its_own_id_only(store: Arc<dyn Store>) {
    let (tenant, other) = (acme(), ScimId::new("2"));
    prepare(&store, &intent("ada", "1"), at(0)).await;
    store
        .applied(&tenant, USER, "ada", &record("1", "9"))
        .await
        .unwrap();
    store
        .acknowledge(&tenant, USER, "ada", &other)
        .await
        .unwrap();
    store.abandon(&tenant, USER, "ada", &other).await.unwrap();
    assert_eq!(standing(&store, "ada").await.state, IntentState::Applied);
    store
        .abandon(&tenant, USER, "ada", &ScimId::new("1"))
        .await
        .unwrap();
    assert_eq!(
        prepare(&store, &intent("ada", "2"), at(0)).await,
        Prepared::Fresh
    );
}

async fn an_applied_create_conflicts_without_a_trace(store: Arc<dyn Store>) {
    let tenant = acme();
    put(&store, &record("0", "9")).await;
    prepare(&store, &intent("ada", "1"), at(0)).await;
    assert_conflict(
        store
            .applied(&tenant, USER, "ada", &record("2", "10"))
            .await,
    );
    assert_eq!(by_id(&store, "2").await, None, "the intent is another id's");
    assert_conflict(store.applied(&tenant, USER, "ada", &record("1", "9")).await);
    assert_eq!(
        by_id(&store, "1").await,
        None,
        "the target id is another record's"
    );
    assert_eq!(standing(&store, "ada").await, intent("ada", "1"));
}

async fn a_create_is_recorded_even_if_its_intent_was_abandoned(store: Arc<dyn Store>) {
    prepare(&store, &intent("ada", "1"), at(0)).await;
    store
        .abandon(&acme(), USER, "ada", &ScimId::new("1"))
        .await
        .unwrap();
    store
        .applied(&acme(), USER, "ada", &record("1", "9"))
        .await
        .unwrap();
    assert_eq!(by_target(&store, "9").await, Some(record("1", "9")));
}

async fn only_old_acknowledged_intents_expire(store: Arc<dyn Store>) {
    let tenant = acme();
    let late = at(0) + Intent::LIFETIME + SignedDuration::from_secs(1);
    for (name, state) in [("p", 0), ("ap", 1), ("ack", 2)] {
        prepare(&store, &intent(name, name), at(0)).await;
        if state >= 1 {
            store
                .applied(&tenant, USER, name, &record(name, name))
                .await
                .unwrap();
        }
        if state >= 2 {
            store
                .acknowledge(&tenant, USER, name, &ScimId::new(name))
                .await
                .unwrap();
        }
    }
    let again = |name| Intent {
        prepared_at: late,
        ..intent(name, "new")
    };
    let on_time = at(0) + Intent::LIFETIME;
    for (name, now, is_fresh) in [
        ("p", late, false),
        ("ap", late, false),
        ("ack", on_time, false),
        ("ack", late, true),
        ("ack", late, false),
    ] {
        let found = prepare(&store, &again(name), now).await;
        assert_eq!(
            found == Prepared::Fresh,
            is_fresh,
            "{name} at {now}: {found:?}"
        );
    }
    assert_eq!(standing(&store, "ack").await, again("ack"));
}

async fn a_deletion_frees_the_name(store: Arc<dyn Store>) {
    let (tenant, id) = (acme(), ScimId::new("1"));
    for keep_tombstone in [true, false] {
        prepare(&store, &intent("ada", "1"), at(0)).await;
        store
            .applied(&tenant, USER, "ada", &record("1", "9"))
            .await
            .unwrap();
        store.acknowledge(&tenant, USER, "ada", &id).await.unwrap();
        store
            .delete(&tenant, USER, &id, keep_tombstone)
            .await
            .unwrap();
        assert_eq!(
            prepare(&store, &intent("ada", "1"), at(0)).await,
            Prepared::Fresh
        );
        // A call may be on its way: this one is not freed.
        store
            .delete(&tenant, USER, &id, keep_tombstone)
            .await
            .unwrap();
        assert_eq!(standing(&store, "ada").await.scim_id, id);
        store.abandon(&tenant, USER, "ada", &id).await.unwrap();
    }
}

async fn open_intents_are_the_old_prepared_ones(store: Arc<dyn Store>) {
    let tenant = acme();
    for (name, seconds) in [("c", 1), ("b", 1), ("a", 2), ("later", 10), ("done", 0)] {
        let begun = Intent {
            prepared_at: at(seconds),
            ..intent(name, name)
        };
        prepare(&store, &begun, at(seconds)).await;
    }
    store
        .applied(&tenant, USER, "done", &record("done", "9"))
        .await
        .unwrap();
    let open = store.open_intents(&tenant, USER, at(10)).await.unwrap();
    let names: Vec<&str> = open
        .iter()
        .map(|intent| intent.match_key.as_str())
        .collect();
    assert_eq!(names, ["b", "c", "a"]);
}

async fn keys_belong_to_their_tenant(store: Arc<dyn Store>) {
    store.create_key(&acme(), &key("b", 2)).await.unwrap();
    store.create_key(&acme(), &key("a", 1)).await.unwrap();
    // The proof decides whose key it is, not the record.
    store.create_key(&globex(), &key("c", 3)).await.unwrap();
    assert_conflict(store.create_key(&globex(), &key("a", 9)).await);
    assert_conflict(store.create_key(&globex(), &key("d", 1)).await);

    assert_eq!(
        store.keys(&acme()).await.unwrap(),
        [key("a", 1), key("b", 2)]
    );
    assert!(!store.revoke_key(&globex(), "a", at(5)).await.unwrap());
    assert!(store.revoke_key(&acme(), "a", at(5)).await.unwrap());
    assert!(store.revoke_key(&acme(), "a", at(6)).await.unwrap());
    let revoked = KeyRecord {
        revoked: Some(at(5)),
        ..key("a", 1)
    };
    assert!(revoked.is_active(at(4)) && !revoked.is_active(at(5)));
    let foreign = KeyRecord {
        tenant: globex(),
        ..key("c", 3)
    };
    let all = store.all_keys().await.unwrap();
    assert_eq!(all, [revoked, key("b", 2), foreign]);
}

async fn odd_texts_are_just_texts(store: Arc<dyn Store>) {
    let odd = [
        "",
        "' OR 1=1 --",
        "%",
        "a\0b",
        "a\0c",
        "\"",
        "\u{1F600}",
        "?1",
        " a",
        "a ",
    ];
    for text in odd {
        let record = Record {
            external_id: Some(ExternalId::new(text)),
            shadow: json!({ text: text }).as_object().unwrap().clone(),
            ..record(text, text)
        };
        put(&store, &record).await;
        prepare(&store, &intent(text, text), at(0)).await;
        assert_eq!(by_target(&store, text).await, Some(record));
    }
    for text in odd {
        assert_eq!(standing(&store, text).await.scim_id.as_str(), text);
        let external = ExternalId::new(text);
        let found = store
            .records_by_external_id(&acme(), USER, &external)
            .await
            .unwrap();
        assert_eq!(ids(&found), [text]);
    }
    let page = store.records_page(&acme(), USER, None, 100).await.unwrap();
    assert_eq!(page.len(), odd.len());
}

async fn many_writers_lose_nothing(store: Arc<dyn Store>) {
    let tasks: Vec<_> = (0..300)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                // Every third one wants a target id that its predecessor has or will have.
                let target = if number % 3 == 2 { number - 1 } else { number };
                let record = record(&format!("{number:03}"), &target.to_string());
                (number, store.put(&acme(), USER, &record).await.is_ok())
            })
        })
        .collect();
    let mut written = Vec::new();
    for task in tasks {
        let (number, is_written) = task.await.unwrap();
        assert!(is_written || number % 3 != 0, "{number} has no rival");
        if is_written {
            written.push(format!("{number:03}"));
        }
    }
    written.sort();
    assert_eq!(written.len(), 200, "of two rivals one wins");
    let page = store.records_page(&acme(), USER, None, 1000).await.unwrap();
    assert_eq!(ids(&page), written);
}

async fn a_healthy_store_says_so(store: Arc<dyn Store>) {
    store.health().await.unwrap();
}
