//! Redmine: what it must have. Its API is described in `redmine/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Field, Table, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].clone();
    let key = started["API_KEY"].clone();
    Application {
        name: "redmine",
        header: ("X-Redmine-API-Key".to_owned(), key.clone()),
        environment: vec![("REDMINE_URL", base_url.clone()), ("REDMINE_API_KEY", key)],
        base_url,
        tenant: TENANT,
        // All of them.
        sessions: Vec::new(),
        cannot: Vec::new(),
        users: Table {
            path: "/users/{key}.json",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.user.id"),
                Field {
                    spelling: |name| name.replace("_plus", "_plus0").replace('+', "_plus_"),
                    ..field("$.userName", "$.user.login")
                },
                field("$.name.givenName", "$.user.firstname"),
                Field {
                    spelling: |name| if name.is_empty() { "-".into() } else { name },
                    ..field("$.name.familyName", "$.user.lastname")
                },
                Field {
                    otherwise: vec!["$.emails[?(@.primary==true)].value", "$.emails[*].value"],
                    ..field("$.emails[?(@.type=='work')].value", "$.user.mail")
                },
                translated(
                    "$.active",
                    "$.user.status",
                    vec![(json!(true), json!(1)), (json!(false), json!(3))],
                ),
            ],
            sets: Vec::new(),
        },
        groups: Table {
            path: "/groups/{key}.json?include=users",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.group.id"),
                field("$.displayName", "$.group.name"),
            ],
            sets: vec![("$.members[*].value", "$.group.users[*].id")],
        },
    }
}

/// The sessions read back more than Redmine can hold: the rest is kept by the gateway.
const TENANT: &str = concat!(
    include_str!("kept.toml"),
    "'displayName' = { keep = true }\n",
    "'nickName' = { keep = true }\n",
    "'title' = { keep = true }\n",
    "'preferredLanguage' = { keep = true }\n",
    "'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization' = { keep = true }\n",
);
