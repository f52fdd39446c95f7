//! Cases about intents: the create protocol.

use super::*;

pub(super) async fn of_many_creates_at_once_exactly_one_is_fresh(store: Arc<dyn Store>) {
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

pub(super) async fn an_intent_goes_from_prepared_to_acknowledged(store: Arc<dyn Store>) {
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

pub(super) async fn an_intent_answers_to_its_own_id_only(store: Arc<dyn Store>) {
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

pub(super) async fn an_applied_create_conflicts_without_a_trace(store: Arc<dyn Store>) {
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

pub(super) async fn a_create_is_recorded_even_if_its_intent_was_abandoned(store: Arc<dyn Store>) {
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

pub(super) async fn only_old_acknowledged_intents_expire(store: Arc<dyn Store>) {
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

pub(super) async fn a_deletion_frees_the_name(store: Arc<dyn Store>) {
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

pub(super) async fn open_intents_are_the_old_prepared_ones(store: Arc<dyn Store>) {
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

pub(super) async fn an_intent_without_an_id_takes_the_one_the_target_chose(store: Arc<dyn Store>) {
    let (tenant, chosen) = (acme(), ScimId::new("9"));
    prepare(&store, &intent("ada", ""), at(0)).await;
    store
        .applied(&tenant, USER, "ada", &record("9", "9"))
        .await
        .unwrap();
    assert_eq!(standing(&store, "ada").await.scim_id, chosen);
    store
        .acknowledge(&tenant, USER, "ada", &chosen)
        .await
        .unwrap();
    assert_eq!(
        standing(&store, "ada").await.state,
        IntentState::Acknowledged
    );
}
