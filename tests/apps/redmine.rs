//! Redmine: what it must have. Its API is described in `redmine/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Cannot, Table, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].clone();
    let key = started["API_KEY"].clone();
    Application {
        name: "redmine",
        header: ("X-Redmine-API-Key".to_owned(), key.clone()),
        environment: vec![("REDMINE_URL", base_url.clone()), ("REDMINE_API_KEY", key)],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: vec![Cannot {
            session: "entra/matching-filters",
            step: "a userName with a plus sign",
            status: 400,
            because: "a login has letters, digits and `_-@.` only",
        }],
        users: Table {
            path: "/users/{key}.json",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.user.id"),
                field("$.userName", "$.user.login"),
                field("$.name.givenName", "$.user.firstname"),
                field("$.name.familyName", "$.user.lastname"),
                field("$.emails[?(@.type=='work')].value", "$.user.mail"),
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
