//! Directus: what it must have. Its API is described in `directus/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Table, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].clone();
    let token = started["TOKEN"].clone();
    Application {
        name: "directus",
        header: ("Authorization".to_owned(), format!("Bearer {token}")),
        environment: vec![
            ("DIRECTUS_URL", base_url.clone()),
            ("DIRECTUS_TOKEN", token),
        ],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: Vec::new(),
        users: Table {
            path: "/users/{key}",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.data.id"),
                field("$.userName", "$.data.email"),
                field("$.externalId", "$.data.external_identifier"),
                field("$.name.givenName", "$.data.first_name"),
                field("$.name.familyName", "$.data.last_name"),
                field("$.title", "$.data.title"),
                field("$.preferredLanguage", "$.data.language"),
                translated(
                    "$.active",
                    "$.data.status",
                    vec![
                        (json!(true), json!("active")),
                        (json!(false), json!("suspended")),
                    ],
                ),
            ],
            sets: Vec::new(),
        },
        groups: Table {
            path: "/policies/{key}?fields=id,name,users.user",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.data.id"),
                field("$.displayName", "$.data.name"),
            ],
            sets: vec![("$.members[*].value", "$.data.users[*].user")],
        },
    }
}

const TENANT: &str = concat!(
    include_str!("kept.toml"),
    "'displayName' = { keep = true }\n'nickName' = { keep = true }\n'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization' = { keep = true }\n",
);
