//! What only this engine has: row-level security, migrations by several at once, locks over replicas, outages.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Map;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::*;
use crate::test_postgres::{Server, shared, skipped};

const USER: &str = "User";

fn settings(url: &str) -> PostgresSettings {
    PostgresSettings {
        tls: PostgresTls::Off,
        connections: 4,
        connect_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(2),
        wait: Duration::from_secs(1),
        ..PostgresSettings::new(url)
    }
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&settings(url)).await.unwrap()
}

fn acme() -> TenantId {
    TenantId::new("acme")
}

fn record(id: &str) -> Record {
    Record {
        scim_id: ScimId::new(id),
        target_id: Some(TargetId::new(id)),
        external_id: None,
        shadow: Map::new(),
        created: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        revision: 1,
        is_deleted: false,
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[tokio::test]
async fn s2_rls() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let store = open(&url).await;
    let key = KeyRecord {
        id: "k".into(),
        name: "okta".into(),
        tenant: acme(),
        sha256: [1; 32],
        created: Timestamp::UNIX_EPOCH,
        expires: None,
        revoked: None,
    };
    store.create_key(&acme(), &key).await.unwrap();
    store.put(&acme(), USER, &record("1")).await.unwrap();
    let held = Held {
        from_type: "Group".into(),
        from_id: ScimId::new("g"),
        attribute: "members".into(),
        named: "ada".into(),
        since: Timestamp::UNIX_EPOCH,
    };
    store
        .hold(&acme(), USER, &held, 9, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let intent = Intent {
        match_key: "ada".into(),
        digest: [7; 32],
        scim_id: ScimId::new("1"),
        state: crate::store::IntentState::Prepared,
        prepared_at: Timestamp::UNIX_EPOCH,
        target_id: None,
    };
    store
        .prepare(&acme(), USER, &intent, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();

    // The gateway's own role, the owner of the tables, with every WHERE forgotten.
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    for (tenant, expected) in [("", 0_i64), ("globex", 0), ("acme", 1)] {
        for table in ["record", "intent", "held", "client_key"] {
            let mut client = client_transaction(&client, tenant).await;
            let seen = client
                .count(&format!("SELECT count(*) FROM scimgate.{table}"))
                .await;
            assert_eq!(seen, expected, "{table} for {tenant:?}");
            let changed = client
                .change(&format!("UPDATE scimgate.{table} SET tenant = tenant"))
                .await;
            assert_eq!(
                changed,
                u64::try_from(expected).unwrap(),
                "{table} for {tenant:?}"
            );
            let deleted = client
                .change(&format!("DELETE FROM scimgate.{table}"))
                .await;
            assert_eq!(
                deleted,
                u64::try_from(expected).unwrap(),
                "{table} for {tenant:?}"
            );
            client.undo().await;
        }
    }
    // Nor can a row be given to somebody else.
    let transaction = client_transaction(&client, "acme").await;
    let given_away = client
        .batch_execute("UPDATE scimgate.record SET tenant = 'globex'")
        .await;
    assert!(given_away.is_err());
    transaction.undo().await;
    assert_eq!(
        store
            .record(&acme(), USER, &ScimId::new("1"))
            .await
            .unwrap(),
        Some(record("1"))
    );
    // The setting ends with its transaction, so that a pooled connection takes nobody's rows to the next.
    assert_eq!(
        Broken(&client)
            .count("SELECT count(*) FROM scimgate.record")
            .await,
        0
    );
}

/// A transaction of a tenant whose statements have no WHERE.
struct Broken<'a>(&'a tokio_postgres::Client);

async fn client_transaction<'a>(client: &'a tokio_postgres::Client, tenant: &str) -> Broken<'a> {
    client.batch_execute("BEGIN").await.unwrap();
    let name = "SELECT set_config('scimgate.tenant', $1, true)";
    client.query(name, &[&tenant]).await.unwrap();
    Broken(client)
}

impl Broken<'_> {
    async fn count(&self, sql: &str) -> i64 {
        self.0.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn change(&mut self, sql: &str) -> u64 {
        self.0.execute(sql, &[]).await.unwrap()
    }

    async fn undo(self) {
        self.0.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn replicas_that_start_at_once_make_the_tables_once() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let opening = (0..6).map(|_| open(&url));
    let stores = futures_util::future::join_all(opening).await;
    stores[0].put(&acme(), USER, &record("1")).await.unwrap();
    let read = stores[5].record(&acme(), USER, &ScimId::new("1")).await;
    assert_eq!(read.unwrap(), Some(record("1")));
}

#[tokio::test]
async fn a_later_database_is_used_while_it_allows_it_and_refused_after() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let before = open(&url).await;
    let owner = server.owner_of(&url).await;
    let next = "ALTER TABLE scimgate.record ADD COLUMN later text DEFAULT 'x'; INSERT INTO scimgate.migration VALUES (2, 1)";
    owner.batch_execute(next).await.unwrap();
    let beside = open(&url).await;
    before.put(&acme(), USER, &record("1")).await.unwrap();
    assert_eq!(
        beside
            .record(&acme(), USER, &ScimId::new("1"))
            .await
            .unwrap(),
        Some(record("1"))
    );
    owner
        .batch_execute("INSERT INTO scimgate.migration VALUES (3, 3)")
        .await
        .unwrap();
    let refused = PostgresStore::open(&settings(&url)).await.err().unwrap();
    let StoreError::Unusable { what } = refused else {
        panic!("{refused}")
    };
    assert!(what.contains("version 3"), "{what}");
}

#[tokio::test]
async fn an_unknown_host_or_password_is_told_without_the_password() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let elsewhere = url.rsplit_once('/').unwrap().0.to_owned() + "/nowhere";
    for url in [
        elsewhere.as_str(),
        "postgresql://u:s3cret@127.0.0.1:1/x",
        "postgresql://u:s3cret/@x:y",
    ] {
        let error = PostgresStore::open(&settings(url)).await.err().unwrap();
        let mut told = format!("{error} {error:?} {:?}", settings(url));
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            told += &next.to_string();
            cause = next.source();
        }
        assert!(
            !told.contains("s3cret") && !told.contains("a%3Ab") && !told.contains("a:b/c"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_lock_holds_over_replicas_and_ends_with_them() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let (one, two) = (open(&url).await, open(&url).await);
    let first = one.lock(&acme(), "User/1", soon()).await.unwrap();
    let other_name = two.lock(&acme(), "User/2", soon()).await.unwrap();
    let other_tenant = two
        .lock(&TenantId::new("globex"), "User/1", soon())
        .await
        .unwrap();
    drop((other_name, other_tenant));
    let brief = Instant::now() + Duration::from_millis(200);
    assert!(two.lock(&acme(), "User/1", brief).await.is_err());
    let tenant = acme();
    let (waited, ()) = tokio::join!(two.lock(&tenant, "User/1", soon()), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(first);
    });
    drop(waited.unwrap());
    // A hundred locks take no connection from anybody: the pool has four.
    let mut held = Vec::new();
    for number in 0..100 {
        held.push(
            one.lock(&acme(), &format!("Group/{number}"), soon())
                .await
                .unwrap(),
        );
    }
    one.put(&acme(), USER, &record("1")).await.unwrap();
    // Its connection is killed: whoever relied on a lock is told, and the other replica gets it.
    let lost = Arc::new(Notify::new());
    held[7].tell_loss(&lost);
    let owner = server.owner_of(&url).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    owner.query(kill, &[]).await.unwrap();
    timeout(Duration::from_secs(3), lost.notified())
        .await
        .expect("the loss is told");
    let taken = two.lock(&acme(), "Group/7", soon()).await;
    drop(taken.unwrap());
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_no_lock_and_no_half_write() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let (one, two) = (open(&url).await, open(&url).await);
    one.health().await.unwrap();
    drop(one.lock(&acme(), "User/0", soon()).await.unwrap());
    for number in 0..30 {
        let id = number.to_string();
        let patience = Duration::from_micros(100 * number);
        let name = format!("User/{number}");
        drop(timeout(patience, one.lock(&acme(), &name, soon())).await);
        drop(timeout(patience, one.applied(&acme(), USER, &id, &record(&id))).await);
    }
    for number in 0..30 {
        drop(
            two.lock(&acme(), &format!("User/{number}"), soon())
                .await
                .unwrap(),
        );
    }
    one.put(&acme(), USER, &record("x")).await.unwrap();
}

#[tokio::test]
async fn r22_pg_outage() {
    let Some(server) = Server::start() else {
        return;
    };
    if !server.is_own() {
        return skipped("a server that is not ours is not stopped");
    }
    let url = server.database().await;
    let store = Arc::new(open(&url).await);
    let id = ScimId::new("1");
    store.put(&acme(), USER, &record("1")).await.unwrap();
    for is_frozen in [false, true] {
        match is_frozen {
            true => server.freeze(),
            false => server.crash(),
        }
        // A hundred requests at once: none waits longer than a connection and a statement may take, none piles up.
        let begun = Instant::now();
        let requests = (0..100).map(|_| {
            let (store, id) = (Arc::clone(&store), id.clone());
            tokio::spawn(async move { store.record(&acme(), USER, &id).await })
        });
        for request in futures_util::future::join_all(requests).await {
            assert!(request.unwrap().is_err(), "frozen: {is_frozen}");
        }
        assert!(
            begun.elapsed() < Duration::from_secs(6),
            "{:?}",
            begun.elapsed()
        );
        assert!(store.health().await.is_err());
        // By now it is known, and told at once.
        let begun = Instant::now();
        let told = store.record(&acme(), USER, &id).await;
        assert!(
            begun.elapsed() < Duration::from_millis(2500),
            "{:?}",
            begun.elapsed()
        );
        assert!(matches!(
            told,
            Err(StoreError::Away { .. } | StoreError::Unavailable { .. })
        ));
        match is_frozen {
            true => server.thaw(),
            false => server.restart(),
        }
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match store.record(&acme(), USER, &id).await {
                Ok(found) => break assert_eq!(found, Some(record("1"))),
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(store.lock(&acme(), "User/1", soon()).await.unwrap());
        store.put(&acme(), USER, &record("1")).await.unwrap();
    }
}

#[tokio::test]
async fn over_tls_the_server_must_show_whom_it_is() {
    let Some(server) = Server::start() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let made = crate::server::dev_certificate::ensure(directory.path()).unwrap();
    server.offer_tls(&made.tls.certificate, &made.tls.key);
    let with = |url: &str, tls| PostgresSettings {
        tls,
        ..settings(url)
    };
    let url = server.database().await;
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match PostgresStore::open(&with(&url, PostgresTls::Authority(made.ca.clone()))).await {
            Ok(store) => break store.put(&acme(), USER, &record("1")).await.unwrap(),
            Err(error) => assert!(Instant::now() < end, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Whose authority is not known is not talked to, and without encryption nothing is said where it is asked for.
    let unknown = PostgresStore::open(&with(&url, PostgresTls::System)).await;
    assert!(matches!(unknown, Err(StoreError::Unavailable { .. })));
    let Some(plain) = shared() else { return };
    let url = plain.database().await;
    let unencrypted =
        PostgresStore::open(&with(&url, PostgresTls::Authority(made.ca.clone()))).await;
    assert!(matches!(unencrypted, Err(StoreError::Unavailable { .. })));
}

/// `cargo test --release --lib store::postgres -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn how_long_operations_take() {
    let Some(server) = shared() else { return };
    let url = server.database().await;
    let store = open(&url).await;
    let owner = server.owner_of(&url).await;
    let bare = owner.prepare("SELECT 1").await.unwrap();
    let mut told = Vec::new();
    for (name, count) in [
        ("one bare statement", 2000),
        ("record", 2000),
        ("put", 2000),
        ("lock", 2000),
    ] {
        let begun = Instant::now();
        for number in 0..count {
            let record = record(&number.to_string());
            match name {
                "record" => drop(store.record(&acme(), USER, &record.scim_id).await.unwrap()),
                "put" => store.put(&acme(), USER, &record).await.unwrap(),
                "lock" => drop(store.lock(&acme(), "User/1", soon()).await.unwrap()),
                _ => drop(owner.query(&bare, &[]).await.unwrap()),
            }
        }
        told.push(format!("{name} {:?}", begun.elapsed() / count));
    }
    eprintln!("{}", told.join(", "));
}
