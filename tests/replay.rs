//! Plays every session of `tests/sessions` against the SCIM server of `SCIMGATE_TEST_SERVER` (a base URL), with the
//! token of `SCIMGATE_TEST_TOKEN`. Without them nothing is played. `SCIMGATE_TEST_SESSIONS=okta,entra` chooses folders.

#[path = "support/replay.rs"]
mod replay;

use scimgate::cli::replay::{HttpTransport, Settings};

#[tokio::test]
async fn every_session_holds_against_the_given_server() {
    let Ok(base_url) = std::env::var("SCIMGATE_TEST_SERVER") else {
        println!("SCIMGATE_TEST_SERVER is not set: nothing played");
        return;
    };
    let ca = std::env::var_os("SCIMGATE_TEST_CA").map(std::path::PathBuf::from);
    let transport = HttpTransport::new(&base_url, ca.as_deref()).unwrap();
    let settings = Settings {
        base_url,
        token: std::env::var("SCIMGATE_TEST_TOKEN").unwrap_or_default(),
        user: "scim".to_owned(),
        ..Settings::default()
    };
    let folders = std::env::var("SCIMGATE_TEST_SESSIONS").unwrap_or_default();
    let folders: Vec<&str> = folders
        .split(',')
        .filter(|folder| !folder.is_empty())
        .collect();
    let report = replay::Report::of(&replay::sessions(&folders), &settings, &transport).await;
    for (class, summary) in &report.by_class {
        println!("{class:?}: {summary}");
    }
    assert!(
        report.summary().all_held(),
        "{}",
        report.complaints.join("\n")
    );
}
