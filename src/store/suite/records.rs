//! Cases about records: what comes back, and what must be unique.

use super::*;

pub(super) async fn a_record_comes_back_as_it_was_written(store: Arc<dyn Store>) {
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

pub(super) async fn a_record_written_again_is_replaced(store: Arc<dyn Store>) {
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

pub(super) async fn a_target_id_has_one_record(store: Arc<dyn Store>) {
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

pub(super) async fn a_target_id_passes_from_a_tombstone_to_a_living_record(store: Arc<dyn Store>) {
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

pub(super) async fn a_page_of_targets_is_joined_in_its_order(store: Arc<dyn Store>) {
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

pub(super) async fn external_ids_are_data_compared_case_exactly(store: Arc<dyn Store>) {
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

pub(super) async fn pages_cover_all_records_once_in_order(store: Arc<dyn Store>) {
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

pub(super) async fn a_deletion_leaves_nothing_or_a_bare_tombstone(store: Arc<dyn Store>) {
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

pub(super) async fn many_writers_lose_nothing(store: Arc<dyn Store>) {
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

pub(super) async fn a_record_is_found_by_either_id_and_many_by_theirs(store: Arc<dyn Store>) {
    put(&store, &record("1", "9")).await;
    put(&store, &record("2", "1")).await;
    let (tenant, id) = (acme(), |id: &str| ScimId::new(id));
    for (scim_id, target_id, expected) in [
        ("1", "1", Some("1")),
        ("x", "1", Some("2")),
        ("x", "9", Some("1")),
        ("x", "x", None),
    ] {
        let (scim_id, target_id) = (id(scim_id), TargetId::new(target_id));
        let found = store.record_by_either(&tenant, USER, &scim_id, &target_id);
        let found = found.await.unwrap().map(|record| record.scim_id);
        assert_eq!(found, expected.map(id), "{scim_id:?} {target_id:?}");
    }
    let ids = [id("2"), id("x"), id("1")];
    let found = store.records(&tenant, USER, &ids).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|r| r.scim_id).collect();
    assert_eq!(found, [id("2"), id("1")]);
}
