//! A key made or revoked by any process is known to every replica within five seconds (promise S8); of SQLite's one process
//! there is no second.

use std::time::{Duration, Instant};

use crate::application::Application;
use crate::postgres::shared;
use crate::process::{Place, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_revocation_latency() {
    let Some(server) = shared() else { return };
    let application = Application::start().await;
    let place = Place::new(&Place::postgres(&server.database().await), &application);
    let replicas = [place.replica(0), place.replica(1), place.replica(2)];
    let made = place
        .command(&["keys", "create", "acme", "--name", "new"])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let listed = place.command(&["keys", "list", "acme"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let id = listed
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    for revoked in [false, true] {
        if revoked {
            assert!(
                place
                    .command(&["keys", "revoke", "acme", &id])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let begun = Instant::now();
        for replica in &replicas {
            loop {
                let reply = send(
                    &replica.base,
                    place.ca(),
                    &token,
                    "GET",
                    "/scim/v2/Users?count=0",
                    None,
                )
                .await;
                if (reply.unwrap().status == 401) == revoked {
                    break;
                }
                assert!(
                    begun.elapsed() < Duration::from_secs(5),
                    "revoked: {revoked}"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_does_not_serve_from_one_sqlite_file() {
    let application = Application::start().await;
    let place = Place::new("[store]\npath = \"store.sqlite\"\n", &application);
    let mut first = place.replica(0);
    let second = place.command(&["serve"]).output().unwrap();
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        told.contains("another scimgate serves from this file already"),
        "{told}"
    );
    assert!(
        place.command(&["keys", "list"]).status().unwrap().success(),
        "beside it"
    );
    first.kill();
    drop(place.replica(1));
}
