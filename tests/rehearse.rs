//! `scimgate rehearse` against the demo's application: what is reported, and that nothing is left behind.

#[path = "support/demo.rs"]
mod demo;

use std::path::Path;
use std::process::Command;

use demo::Demo;
use scimgate::cli::demo::application::EXAMPLE_API_KEY;
use scimgate::cli::replay::{HttpTransport, Request, Transport};
use serde_json::Value;

const PROVIDERS: [&str; 9] = [
    "okta",
    "entra",
    "onelogin",
    "jumpcloud",
    "google",
    "ping",
    "authentik",
    "keycloak",
    "sailpoint",
];

#[tokio::test]
async fn every_provider_rehearses_and_leaves_the_application_as_it_was() {
    let demo = Demo::start("rehearse", &[]);
    let before = state(&demo).await;
    for provider in PROVIDERS {
        let rehearsal = Rehearsal::of(&demo, &["demo", "--as", provider]);
        assert!(rehearsal.is_success, "{}", rehearsal.text);
        assert!(
            rehearsal.text.contains("nothing is left behind"),
            "{}",
            rehearsal.text
        );
        assert!(!rehearsal.text.contains("FAILED"), "{}", rehearsal.text);
        assert_eq!(state(&demo).await, before, "{provider}");
    }
}

#[tokio::test]
async fn a_dry_rehearsal_writes_nothing_and_says_what_it_would() {
    let demo = Demo::start("rehearse-dry", &[]);
    let before = state(&demo).await;
    for provider in PROVIDERS {
        let rehearsal = Rehearsal::of(&demo, &["demo", "--as", provider, "--dry-run"]);
        assert!(rehearsal.is_success, "{}", rehearsal.text);
        for part in [
            "Nothing is written",
            "planned  POST /users",
            "it is about the user that would have been created",
        ] {
            assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
        }
    }
    assert_eq!(state(&demo).await, before);
}

#[tokio::test]
async fn what_the_administrator_would_see_is_told_and_accounts_that_must_stay_are_named() {
    let demo = Demo::start("rehearse-limits", &[]);
    // A customer with one domain, whose operator lets nobody be deleted.
    let limits = "[client]\nidp = \"okta\"\ndomains = [\"acme.example\"]\n";
    tenant(
        &demo,
        "keeper",
        &format!("{limits}[policy]\non-delete = \"refuse\"\n"),
    );
    let rehearsal = Rehearsal::of(&demo, &["keeper", "--as", "okta"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "test accounts in acme.example",
        "21 steps held",
        "left behind in the application, to be removed by hand:",
        "It is deactivated.",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }

    tenant(
        &demo,
        "softer",
        &format!("{limits}[policy]\non-delete = \"deactivate\"\n"),
    );
    let rehearsal = Rehearsal::of(&demo, &["softer", "--as", "google"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "reads its client as Okta, whoever calls",
        "deleted accounts stay in the application, deactivated",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }

    let rehearsal = Rehearsal::of(
        &demo,
        &["keeper", "--as", "okta", "--domain", "elsewhere.example"],
    );
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "FAILED   create Ilse",
        "Okta is told 400: An address is outside the domains that this tenant may provision.",
        "skipped  update: she married",
        "nothing is left behind",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }
}

#[tokio::test]
async fn groups_that_the_application_does_not_have_are_left_out() {
    let demo = Demo::start("rehearse-users", &[]);
    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let text = std::fs::read_to_string(&app).unwrap();
    let (users, _) = text.split_once("\n[group]").expect("the demo has groups");
    let users_only = demo.config.with_file_name("mappings/apps/people.toml");
    let users = users.replacen("app = \"demo\"", "app = \"people\"", 1);
    std::fs::write(users_only, users).unwrap();
    let text = "tenant = \"people\"\napp = \"people\"\n[client]\nidp = \"auto\"\n";
    std::fs::write(demo.config.with_file_name("mappings/people.toml"), text).unwrap();

    let rehearsal = Rehearsal::of(&demo, &["people", "--as", "jumpcloud"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);
    assert!(
        rehearsal.text.contains("the mapping has no groups"),
        "{}",
        rehearsal.text
    );
}

/// One run of the command.
struct Rehearsal {
    is_success: bool,
    text: String,
}

impl Rehearsal {
    fn of(demo: &Demo, arguments: &[&str]) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_scimgate"))
            .arg("rehearse")
            .args(arguments)
            .arg("--config")
            .arg(&demo.config)
            .output()
            .expect("the command runs");
        let mut text = String::from_utf8(output.stdout).expect("text");
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Self {
            is_success: output.status.success(),
            text,
        }
    }
}

/// Adds a tenant of the demo's application; it needs no key, as nobody calls from outside.
fn tenant(demo: &Demo, name: &str, text: &str) {
    let path: &Path = &demo.config.with_file_name(format!("mappings/{name}.toml"));
    let text = format!("tenant = \"{name}\"\napp = \"demo\"\n{text}");
    std::fs::write(path, text).expect("the demo's mappings can be written");
}

/// Users and groups of the application, without what changes by being counted.
async fn state(demo: &Demo) -> (Value, Value) {
    let transport = HttpTransport::new(&demo.target_url, None).unwrap();
    let request = Request {
        method: "GET".to_owned(),
        path_and_query: "/_state".to_owned(),
        headers: vec![("X-Api-Key".to_owned(), EXAMPLE_API_KEY.to_owned())],
        body: None,
    };
    let reply = transport
        .send(request)
        .await
        .expect("the application answers");
    let state: Value = serde_json::from_slice(&reply.body).expect("JSON");
    (state["users"].clone(), state["groups"].clone())
}
