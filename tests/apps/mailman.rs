//! Mailman: what it must have. Its API is described in `mailman/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Table, basic, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].clone();
    let (user, password) = (started["USERNAME"].clone(), started["PASSWORD"].clone());
    Application {
        name: "mailman",
        header: basic(&user, &password),
        environment: vec![
            ("MAILMAN_URL", base_url.clone()),
            ("MAILMAN_USER", user),
            ("MAILMAN_PASSWORD", password),
            ("MAILMAN_DOMAIN", "legacy.example".to_owned()),
        ],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: Vec::new(),
        users: Table {
            path: "/users/{key}",
            key: "$.id",
            gone: None,
            beside: vec![
                ("addresses", "/users/{key}/addresses"),
                ("preferred", "/users/{key}/preferred_address"),
                ("preferences", "/users/{key}/preferences"),
            ],
            fields: vec![
                field("$.id", "$.user_id"),
                field("$.userName", "$.preferred.original_email"),
                field("$.displayName", "$.display_name"),
                translated(
                    "$.active",
                    // Nothing, until it is set for the first time.
                    "$.preferences.delivery_status",
                    vec![
                        (json!(true), json!("")),
                        (json!(true), json!("enabled")),
                        (json!(false), json!("by_moderator")),
                    ],
                ),
            ],
            sets: vec![("$.userName", "$.addresses.entries[*].original_email")],
        },
        groups: Table {
            path: "/lists/{key}",
            key: "$.id",
            gone: None,
            beside: vec![("members", "/lists/{key}/roster/member")],
            fields: vec![
                field("$.id", "$.list_id"),
                field("$.displayName", "$.display_name"),
            ],
            sets: vec![("$.members[*].value", "$.members.entries[*].user")],
        },
    }
}

/// The sessions read back more than Mailman can hold: the rest is kept by the gateway.
const TENANT: &str = concat!(
    include_str!("kept.toml"),
    "'name.givenName' = { keep = true }\n",
    "'name.familyName' = { keep = true }\n",
    "'nickName' = { keep = true }\n",
    "'title' = { keep = true }\n",
    "'preferredLanguage' = { keep = true }\n",
    "'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization' = { keep = true }\n",
);
