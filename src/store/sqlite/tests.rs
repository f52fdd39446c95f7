//! What only this engine promises: the file, restarts, damage, a full disk. What all engines promise is in `store/suite`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::store::{IntentState, StoreSettings, open};

const USER: &str = "User";

fn acme() -> TenantId {
    TenantId::new("acme")
}

fn fresh_path() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/scimgate.sqlite");
    (directory, path)
}

fn record(number: usize) -> Record {
    Record {
        scim_id: ScimId::new(format!("id-{number}")),
        target_id: Some(TargetId::new(format!("t-{number}"))),
        external_id: Some(ExternalId::new(format!("e-{number}"))),
        shadow: json!({"title": "x".repeat(60)})
            .as_object()
            .unwrap()
            .clone(),
        created: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        revision: 1,
        is_deleted: false,
    }
}

fn intent(number: usize) -> Intent {
    Intent {
        match_key: format!("name-{number}"),
        digest: [3; 32],
        scim_id: ScimId::new(format!("id-{number}")),
        state: IntentState::Prepared,
        prepared_at: Timestamp::UNIX_EPOCH,
        target_id: None,
    }
}

fn key() -> KeyRecord {
    KeyRecord {
        id: "k1".to_owned(),
        name: "okta".to_owned(),
        tenant: acme(),
        sha256: [5; 32],
        created: Timestamp::UNIX_EPOCH,
        expires: None,
        revoked: None,
    }
}

async fn put(store: &SqliteStore, number: usize) -> Result<(), StoreError> {
    store.put(&acme(), USER, &record(number)).await
}

async fn read(store: &SqliteStore, number: usize) -> Result<Option<Record>, StoreError> {
    store.record(&acme(), USER, &record(number).scim_id).await
}

/// A file with some of everything, closed.
async fn filled_file(records: usize) -> (TempDir, PathBuf) {
    let (directory, path) = fresh_path();
    let store = SqliteStore::open(&path).unwrap();
    for number in 0..records {
        let tenant = acme();
        store
            .prepare(&tenant, USER, &intent(number), Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        let name = intent(number).match_key;
        store
            .applied(&tenant, USER, &name, &record(number))
            .await
            .unwrap();
    }
    store.create_key(&acme(), &key()).await.unwrap();
    (directory, path)
}

/// Changes the file behind the store's back.
fn tamper(path: &Path, sql: &str) {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let (_keep, path) = filled_file(3).await;
    let store = open(&StoreSettings::Sqlite { path }).await.unwrap();
    let page = store.records_page(&acme(), USER, None, 10).await.unwrap();
    assert_eq!(page, [record(0), record(1), record(2)]);
    assert_eq!(store.keys(&acme()).await.unwrap(), [key()]);
    let again = store
        .prepare(&acme(), USER, &intent(1), Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let applied = Intent {
        state: IntentState::Applied,
        target_id: record(1).target_id,
        ..intent(1)
    };
    assert_eq!(again, Prepared::Existing(applied));
}

#[tokio::test]
async fn the_files_are_the_owners_alone() {
    let (directory, path) = filled_file(1).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    put(&store, 9).await.unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "scimgate.sqlite",
            "scimgate.sqlite-shm",
            "scimgate.sqlite-wal"
        ]
    );
    drop((store, directory));
}

#[tokio::test]
async fn durability_is_switched_on() {
    let (_keep, path) = fresh_path();
    let store = SqliteStore::open(&path).unwrap();
    let settings = |conn: &rusqlite::Connection| {
        let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let names = [
            "synchronous",
            "foreign_keys",
            "busy_timeout",
            "trusted_schema",
            "cell_size_check",
        ];
        let numbers = names.map(|name| number(name).unwrap());
        Ok((mode, numbers))
    };
    let expected = ("wal".to_owned(), [2, 1, 5000, 0, 1]);
    assert_eq!(store.writer.run("ask", settings).await.unwrap(), expected);
    assert_eq!(store.readers.run("ask", settings).await.unwrap(), expected);
    let write = |conn: &rusqlite::Connection| Ok(conn.execute("DELETE FROM record", [])?);
    store.readers.run("write", write).await.unwrap_err();
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let (directory, _) = fresh_path();
    let other = directory.path().join("other.sqlite");
    tamper(&other, "CREATE TABLE t (x)");
    let empty = directory.path().join("empty.sqlite");
    fs::write(&empty, "").unwrap();
    let text = directory.path().join("notes.txt");
    fs::write(&text, "not a database\n".repeat(400)).unwrap();
    for (path, sentence) in [
        (
            other,
            "The store cannot be used: the file is a database of another program. Name another path.",
        ),
        (
            empty,
            "The store is damaged: the file is empty. Restore the last backup, or remove the file to begin with nothing.",
        ),
        (
            text,
            "The store is damaged: the file is not an SQLite database, or its first page is overwritten.",
        ),
    ] {
        let before = fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).err().unwrap();
        assert_eq!(error.to_string(), sentence);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let nowhere = directory.path().join("notes.txt/below.sqlite");
    assert!(matches!(
        SqliteStore::open(&nowhere).err().unwrap(),
        StoreError::Unavailable { .. }
    ));
}

#[tokio::test]
async fn a_row_moved_to_another_tenant_is_damage_not_an_answer() {
    for sql in [
        "UPDATE record SET tenant = 'globex' WHERE scim_id = 'id-0'",
        "UPDATE record SET target_id = 't-7' WHERE scim_id = 'id-0'",
        "UPDATE record SET shadow = replace(shadow, 'x', 'y')",
        "UPDATE record SET is_deleted = 1",
        "UPDATE intent SET scim_id = 'id-9'",
        "UPDATE client_key SET revoked = 7",
        "UPDATE client_key SET tenant = 'globex'",
    ] {
        let (_keep, path) = filled_file(1).await;
        let store = SqliteStore::open(&path).unwrap();
        tamper(&path, sql);
        for tenant in [acme(), TenantId::new("globex")] {
            let record = store.record(&tenant, USER, &record(0).scim_id).await;
            assert!(
                !matches!(record, Ok(Some(_))) || !sql.contains("record"),
                "{sql}"
            );
            let keys = store.keys(&tenant).await;
            assert!(
                keys.is_err() || keys.unwrap().is_empty() || !sql.contains("key"),
                "{sql}"
            );
        }
        drop(store);
        let error = SqliteStore::open(&path).err().unwrap();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{sql}: {error}"
        );
    }
}

/// A generator for tests: the same numbers on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[tokio::test]
async fn r17_a_flipped_bit_or_a_cut_is_detected_or_does_no_harm() {
    let (_keep, path) = filled_file(60).await;
    let sound = fs::read(&path).unwrap();
    let mut dice = Dice(1);
    let mut detected = 0;
    for round in 0..200 {
        let mut bytes = sound.clone();
        let place = dice.below(bytes.len());
        if round % 10 == 0 {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1 << dice.below(8);
        }
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(path.with_extension(format!("sqlite{suffix}")));
        }
        fs::write(&path, &bytes).unwrap();
        let Ok(store) = SqliteStore::open(&path) else {
            detected += 1;
            continue;
        };
        for number in 0..60 {
            let (record, target) = (record(number), record(number).target_id.unwrap());
            let found = store.record_by_target(&acme(), USER, &target).await;
            assert_eq!(
                found.unwrap(),
                Some(record),
                "byte {place} of round {round}"
            );
        }
        assert_eq!(store.all_keys().await.unwrap(), [key()]);
    }
    assert!(
        detected > 60,
        "only {detected} detected: does the test reach anything?"
    );
}

#[tokio::test]
async fn r18_a_full_disk_fails_writes_only_and_heals_by_itself() {
    let (_keep, path) = fresh_path();
    let store = SqliteStore::open(&path).unwrap();
    put(&store, 0).await.unwrap();
    let limit = |pages: i64| {
        move |conn: &rusqlite::Connection| {
            Ok(conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
        }
    };
    store.writer.run("limit", limit(1)).await.unwrap();
    let mut written = 0;
    let error = loop {
        match put(&store, written + 1).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "the limit has no effect");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "The store could not write a record: no space is left."
    );
    assert_eq!(read(&store, written).await.unwrap(), Some(record(written)));
    assert_eq!(read(&store, written + 1).await.unwrap(), None);

    store.writer.run("limit", limit(100_000)).await.unwrap();
    put(&store, written + 1).await.unwrap();
    assert_eq!(
        read(&store, written + 1).await.unwrap(),
        Some(record(written + 1))
    );
}

#[tokio::test]
async fn a_panic_in_one_operation_leaves_its_neighbours_alone() {
    let (_keep, path) = fresh_path();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let broken = |conn: &rusqlite::Connection| -> Result<(), _> {
        record::put(conn, &Place::new(&acme(), USER), &record(77))?;
        panic!("on purpose")
    };
    let (before, panicked, after) = tokio::join!(
        put(&store, 1),
        store.writer.run("break", broken),
        put(&store, 2)
    );
    before.unwrap();
    after.unwrap();
    assert!(matches!(panicked, Err(StoreError::Unavailable { .. })));
    let in_a_read = store
        .readers
        .run("break", |_| -> Result<(), _> { panic!("on purpose") });
    in_a_read.await.unwrap_err();
    let page = store.records_page(&acme(), USER, None, 9).await.unwrap();
    assert_eq!(page, [record(1), record(2)], "and nothing half done");
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_write_whole() {
    let (_keep, path) = fresh_path();
    let store = SqliteStore::open(&path).unwrap();
    for number in 0..20 {
        let (record, tenant) = (record(number), acme());
        let mut write = Box::pin(store.put(&tenant, USER, &record));
        // One poll files the write; then the caller is gone.
        let is_pending =
            std::future::poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx).is_pending())).await;
        assert!(is_pending);
    }
    put(&store, 20).await.unwrap();
    let page = store.records_page(&acme(), USER, None, 100).await.unwrap();
    assert_eq!(page.len(), 21);
    drop(store);
    SqliteStore::open(&path).unwrap();
}

#[tokio::test]
async fn two_processes_on_one_file_agree_on_the_first() {
    let (_keep, path) = fresh_path();
    let stores = [
        SqliteStore::open(&path).unwrap(),
        SqliteStore::open(&path).unwrap(),
    ];
    for number in 0..50 {
        let (tenant, intent) = (acme(), intent(number));
        let [one, two] = &stores;
        let (one, two) = tokio::join!(
            one.prepare(&tenant, USER, &intent, Timestamp::UNIX_EPOCH),
            two.prepare(&tenant, USER, &intent, Timestamp::UNIX_EPOCH),
        );
        let fresh = [one.unwrap(), two.unwrap()];
        assert_eq!(
            fresh
                .iter()
                .filter(|found| **found == Prepared::Fresh)
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_still_works() {
    let (_keep, path) = filled_file(1).await;
    tamper(
        &path,
        "ALTER TABLE record ADD COLUMN later TEXT DEFAULT 'x'; PRAGMA user_version = 2",
    );
    let store = SqliteStore::open(&path).unwrap();
    put(&store, 5).await.unwrap();
    assert_eq!(read(&store, 0).await.unwrap(), Some(record(0)));
    assert_eq!(read(&store, 5).await.unwrap(), Some(record(5)));
    drop(store);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let version: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 2, "it is not turned back");
}

#[tokio::test]
async fn expired_intents_do_not_pile_up() {
    let (_keep, path) = filled_file(100).await;
    let store = SqliteStore::open(&path).unwrap();
    for number in 0..100 {
        let (tenant, intent) = (acme(), intent(number));
        store
            .acknowledge(&tenant, USER, &intent.match_key, &intent.scim_id)
            .await
            .unwrap();
    }
    let later = Timestamp::UNIX_EPOCH + Intent::LIFETIME + Intent::LIFETIME;
    for number in 200..210 {
        let begun = Intent {
            prepared_at: later,
            ..intent(number)
        };
        store
            .prepare(&TenantId::new("globex"), USER, &begun, later)
            .await
            .unwrap();
    }
    let count = |conn: &rusqlite::Connection| {
        Ok(conn.query_row("SELECT count(*) FROM intent", [], |row| {
            row.get::<_, i64>(0)
        })?)
    };
    assert_eq!(store.readers.run("count", count).await.unwrap(), 10);
}

#[tokio::test]
async fn lookups_use_their_indexes() {
    let (_keep, path) = filled_file(1).await;
    let conn = rusqlite::Connection::open(&path).unwrap();
    for (sql, index) in [
        (record::BY_ID, "PRIMARY KEY"),
        (record::BY_TARGET, "record_by_target"),
        (record::BY_EITHER, "PRIMARY KEY"),
        (record::BY_EITHER, "record_by_target"),
        (record::BY_EXTERNAL_ID, "record_by_external_id"),
        (record::FIRST_PAGE, "PRIMARY KEY"),
        (record::PAGE_AFTER, "PRIMARY KEY"),
        (intent::FORGET_FINISHED, "intent_by_scim_id"),
        (intent::OPEN, "intent_open"),
        (intent::FORGET_EXPIRED, "intent_acknowledged"),
    ] {
        let mut statement = conn
            .prepare(&["EXPLAIN QUERY PLAN ", sql].concat())
            .unwrap();
        let parameters = statement.parameter_count();
        let parameters = rusqlite::params_from_iter(std::iter::repeat_n("x", parameters));
        let plan: Vec<String> = statement
            .query_map(parameters, |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(plan.join("\n").contains(index), "{sql}: {plan:?}");
        assert!(!plan.join("\n").contains("TEMP B-TREE"), "{sql}: {plan:?}");
    }
}
