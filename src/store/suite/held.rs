//! Cases about references that wait for what they name.

use super::*;

fn held(from: &str, attribute: &str, named: &str, since: i64) -> Held {
    Held {
        from_type: "Group".to_owned(),
        from_id: ScimId::new(from),
        attribute: attribute.to_owned(),
        named: named.to_owned(),
        since: at(since),
    }
}

async fn hold(store: &Arc<dyn Store>, tenant: &TenantId, held: &Held, most: u64) -> bool {
    store.hold(tenant, USER, held, most, at(0)).await.unwrap()
}

async fn waiting(store: &Arc<dyn Store>, names: &[&str], since: i64) -> Vec<Held> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    store.held(&acme(), USER, &names, at(since)).await.unwrap()
}

pub(super) async fn a_held_reference_is_found_by_what_it_names(store: Arc<dyn Store>) {
    let (a, b) = (
        held("g1", "members", "ada", 2),
        held("g2", "members", "x-17", 1),
    );
    assert!(hold(&store, &acme(), &a, 10).await);
    assert!(hold(&store, &acme(), &b, 10).await);
    assert!(hold(&store, &globex(), &held("g9", "members", "ada", 1), 10).await);
    assert_eq!(
        waiting(&store, &["ada", "x-17", "bob"], 0).await,
        [b.clone(), a.clone()]
    );
    assert_eq!(waiting(&store, &["ada", "x-17"], 2).await, [a]);
    assert!(waiting(&store, &["bob"], 0).await.is_empty());
    let groups = store
        .held(&acme(), "Group", &["ada".to_owned()], at(0))
        .await;
    assert!(groups.unwrap().is_empty());
    assert_eq!(store.held_count(&acme(), at(0)).await.unwrap(), 2);
    assert_eq!(store.held_count(&acme(), at(2)).await.unwrap(), 1);
}

pub(super) async fn the_same_reference_is_held_once_and_no_more_than_so_many(
    store: Arc<dyn Store>,
) {
    assert!(hold(&store, &acme(), &held("g1", "members", "ada", 1), 2).await);
    assert!(hold(&store, &acme(), &held("g1", "members", "bob", 1), 2).await);
    assert!(hold(&store, &acme(), &held("g1", "members", "ada", 5), 2).await);
    assert!(!hold(&store, &acme(), &held("g1", "members", "cyd", 5), 2).await);
    assert_eq!(
        waiting(&store, &["ada"], 0).await,
        [held("g1", "members", "ada", 5)]
    );
    // What is too old makes room.
    let fresh = held("g1", "members", "cyd", 6);
    assert!(store.hold(&acme(), USER, &fresh, 2, at(3)).await.unwrap());
    assert!(waiting(&store, &["bob"], 0).await.is_empty());
}

pub(super) async fn what_a_resource_holds_is_let_go_whole_or_in_part(store: Arc<dyn Store>) {
    let all = [
        held("g1", "members", "ada", 1),
        held("g1", "members", "bob", 2),
        held("g1", "owner", "ada", 3),
        held("g2", "members", "ada", 4),
    ];
    for one in &all {
        assert!(hold(&store, &acme(), one, 10).await);
    }
    let g1 = ScimId::new("g1");
    let let_go = |attribute, named| {
        let (store, g1) = (Arc::clone(&store), g1.clone());
        async move {
            let done = store.let_go(&acme(), "Group", &g1, attribute, named).await;
            done.unwrap();
        }
    };
    let_go(Some("members"), Some("bob")).await;
    assert!(waiting(&store, &["bob"], 0).await.is_empty());
    let_go(Some("members"), None).await;
    assert_eq!(waiting(&store, &["ada"], 0).await, all[2..]);
    let_go(None, None).await;
    assert_eq!(waiting(&store, &["ada"], 0).await, all[3..]);
}
