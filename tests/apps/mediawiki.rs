//! MediaWiki: what it must have. Its API is described in `mediawiki/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Cannot, Table, field, translated};

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
        cannot: cannot(),
        users: Table {
            path: "/api.php?action=query&list=users&format=json&formatversion=2&usprop=groups%7Cblockinfo&ususerids={key}",
            key: "$.id",
            gone: Some("$.query.users[0].blockid"),
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.query.users[0].userid"),
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

fn cannot() -> Vec<Cannot> {
    let groups = "groups are part of the wiki's configuration";
    let name = "an account cannot be renamed by the API";
    let password = "nobody's password can be set by the API but one's own";
    let cannot = |session, step, status, because| Cannot {
        session,
        step,
        status,
        because,
    };
    let case = "the case of a name counts there, but for the first letter";
    // What follows a refused rename asks for the new name, too.
    vec![
        cannot("entra/create-forms", "a group with", 501, groups),
        cannot("entra/group-lifecycle-aad", "create", 501, groups),
        cannot(
            "entra/group-lifecycle-default",
            "create, without",
            501,
            groups,
        ),
        cannot(
            "entra/group-lifecycle-default",
            "same name again",
            501,
            groups,
        ),
        cannot("entra/matching-filters", "create a group", 501, groups),
        cannot("entra/matching-filters", "in another case", 200, case),
        cannot("entra/user-lifecycle", "rename", 400, name),
        cannot("entra/user-lifecycle-aad", "same id", 200, name),
        cannot(
            "entra/user-lifecycle-default",
            "under the new name",
            200,
            name,
        ),
        cannot(
            "entra/user-lifecycle-default",
            "is still matched",
            200,
            name,
        ),
        cannot("okta/group-push", "push: create", 501, groups),
        cannot("okta/aiw", "rename", 400, name),
        cannot("okta/aiw", "password sync", 400, password),
        cannot("okta/aiw", "leaves active out", 400, name),
        cannot("okta/aiw", "unassign: PUT", 400, name),
        cannot("okta/aiw", "assign again", 400, name),
        cannot("okta/aiw", "still found by filter", 200, name),
        cannot("okta/oin", "password sync", 400, password),
        cannot("okta/connection-test", "in capitals", 200, case),
    ]
}

const TENANT: &str = concat!(
    "[policy]\non-delete = \"deactivate\"\n",
    include_str!("kept.toml"),
    "'title' = { keep = true }\n'preferredLanguage' = { keep = true }\n"
);
