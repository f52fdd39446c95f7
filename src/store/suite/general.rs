//! Cases about the store as a whole: tenants, keys, odd texts.

use super::*;

pub(super) async fn unknown_rows_are_absent_not_errors(store: Arc<dyn Store>) {
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

pub(super) async fn tenants_and_resource_types_never_see_each_others_rows(store: Arc<dyn Store>) {
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

pub(super) async fn keys_belong_to_their_tenant(store: Arc<dyn Store>) {
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

pub(super) async fn odd_texts_are_just_texts(store: Arc<dyn Store>) {
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

pub(super) async fn a_healthy_store_says_so(store: Arc<dyn Store>) {
    store.health().await.unwrap();
}
