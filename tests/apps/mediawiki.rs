//! MediaWiki: what it must have. Its API is described in `mediawiki/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Table, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].trim_end_matches("/api.php").to_owned();
    Application {
        name: "mediawiki",
        // Anybody may look.
        header: ("Accept".to_owned(), "application/json".to_owned()),
        environment: vec![
            ("MEDIAWIKI_URL", base_url.clone()),
            ("MEDIAWIKI_USER", started["USERNAME"].clone()),
            ("MEDIAWIKI_PASSWORD", started["PASSWORD"].clone()),
        ],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: Vec::new(),
        users: Table {
            path: "/api.php?action=query&list=users&format=json&formatversion=2&usprop=groups%7Cblockinfo&ususerids={key}",
            key: "$.id",
            gone: Some("$.query.users[0].blockid"),
            beside: Vec::new(),
            fields: vec![
                field("$.userName", "$.query.users[0].name"),
                translated(
                    "$.active",
                    "$.query.users[0].blockpartial",
                    vec![(json!(true), json!(null))],
                ),
            ],
            sets: Vec::new(),
        },
        groups: Table {
            path: "/api.php?action=query&list=allusers&format=json&formatversion=2&augroup={key}",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![],
            sets: vec![("$.members[*].value", "$.query.allusers[*].userid")],
        },
    }
}

const TENANT: &str = concat!(
    "[policy]\non-delete = \"deactivate\"\n",
    include_str!("kept.toml"),
    "'title' = { keep = true }\n'preferredLanguage' = { keep = true }\n"
);
