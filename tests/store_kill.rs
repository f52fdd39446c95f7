//! R16: what the store acknowledged survives SIGKILL, whole.
//!
//! The test starts itself as a child that writes, kills it in the middle, and looks at what is left; again and again on the same file.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use scimgate::store::{
    Intent, IntentState, Prepared, Record, ScimId, Store, StoreSettings, TargetId, TenantId, open,
};

const KILLS: usize = 20;
const WRITERS: usize = 16;
const USER: &str = "User";
/// Names the directory to the child; without it the child's part does nothing.
const DIRECTORY: &str = "SCIMGATE_TEST_KILL_DIRECTORY";

#[tokio::test]
async fn r16_every_acknowledged_write_survives_sigkill() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..KILLS {
        let mut child = start(directory.path(), round);
        wait_for_first_write(directory.path(), round, &mut child);
        std::thread::sleep(Duration::from_millis((round as u64 * 37) % 100));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&settings(directory.path())).await.unwrap();
        acknowledged += check_round(&*store, directory.path(), round).await;
    }
    let store = open(&settings(directory.path())).await.unwrap();
    for round in 0..KILLS {
        check_round(&*store, directory.path(), round).await;
    }
    check_whole(&*store).await;
    assert!(
        acknowledged >= KILLS * 2,
        "only {acknowledged} writes: the test tests nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child's part of the test above"]
async fn child_writes_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let (directory, round) = directory.split_once(':').unwrap();
    let (directory, round) = (Path::new(directory), round.parse().unwrap());
    let store = open(&settings(directory)).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, log) = (Arc::clone(&store), log_of(directory, round));
            tokio::spawn(async move { write_for_ever(&*store, &log, round, writer).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Creates users one after the other; each is noted in the log after the store has acknowledged it.
async fn write_for_ever(store: &dyn Store, log: &Path, round: usize, writer: usize) {
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    for number in 0.. {
        let name = format!("{round}-{writer}-{number}");
        let intent = intent(&name);
        let prepared = store
            .prepare(&tenant(), USER, &intent, Timestamp::UNIX_EPOCH)
            .await;
        assert_eq!(prepared.unwrap(), Prepared::Fresh);
        store
            .applied(&tenant(), USER, &name, &record(&name))
            .await
            .unwrap();
        // One write call: the kernel has the line or it has not.
        log.write_all(format!("{name}\n").as_bytes()).unwrap();
    }
}

/// How many writes of a round were acknowledged; panics if one of them is not there.
async fn check_round(store: &dyn Store, directory: &Path, round: usize) -> usize {
    let log = fs::read_to_string(log_of(directory, round)).unwrap();
    for name in log.lines() {
        let found = store
            .record(&tenant(), USER, &ScimId::new(name))
            .await
            .unwrap();
        assert_eq!(found, Some(record(name)), "{name} was acknowledged");
    }
    log.lines().count()
}

/// Panics if anything is half there.
async fn check_whole(store: &dyn Store) {
    let mut after = None;
    loop {
        let page = store
            .records_page(&tenant(), USER, after.as_ref(), 500)
            .await
            .unwrap();
        for record in &page {
            assert_intent_is_applied(store, record).await;
        }
        match page.last() {
            Some(record) => after = Some(record.scim_id.clone()),
            None => return,
        }
    }
}

/// A record and the state of its intent are written together or not at all.
async fn assert_intent_is_applied(store: &dyn Store, record: &Record) {
    let name = record.scim_id.as_str();
    let found = store
        .prepare(&tenant(), USER, &intent(name), Timestamp::UNIX_EPOCH)
        .await;
    let applied = Intent {
        state: IntentState::Applied,
        target_id: record.target_id.clone(),
        ..intent(name)
    };
    assert_eq!(found.unwrap(), Prepared::Existing(applied));
}

fn start(directory: &Path, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child_writes_until_killed", "--exact", "--ignored"])
        .env(DIRECTORY, format!("{}:{round}", directory.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for_first_write(directory: &Path, round: usize, child: &mut Child) {
    let begin = Instant::now();
    while fs::metadata(log_of(directory, round)).map_or(0, |log| log.len()) == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "the child ended by itself");
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the child writes nothing"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn settings(directory: &Path) -> StoreSettings {
    StoreSettings::Sqlite {
        path: directory.join("store.sqlite"),
    }
}

fn log_of(directory: &Path, round: usize) -> PathBuf {
    directory.join(format!("acknowledged-{round}"))
}

fn tenant() -> TenantId {
    TenantId::new("acme")
}

fn intent(name: &str) -> Intent {
    Intent {
        match_key: name.to_owned(),
        digest: [1; 32],
        scim_id: ScimId::new(name),
        state: IntentState::Prepared,
        prepared_at: Timestamp::UNIX_EPOCH,
        target_id: None,
    }
}

fn record(name: &str) -> Record {
    Record {
        scim_id: ScimId::new(name),
        target_id: Some(TargetId::new(format!("t-{name}"))),
        external_id: None,
        shadow: serde_json::Map::new(),
        created: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        revision: 1,
        is_deleted: false,
    }
}
