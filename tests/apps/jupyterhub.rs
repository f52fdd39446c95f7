//! JupyterHub: what it must have. Its API is described in `jupyterhub/API.md`.

use std::collections::BTreeMap;

use super::compare::{Application, Table, field};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let (base_url, token) = (started["BASE_URL"].clone(), started["TOKEN"].clone());
    Application {
        name: "jupyterhub",
        header: ("Authorization".to_owned(), format!("token {token}")),
        environment: vec![
            ("JUPYTERHUB_URL", base_url.clone()),
            ("JUPYTERHUB_TOKEN", token),
        ],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: Vec::new(),
        users: Table {
            path: "/users/{key}",
            key: "$.userName",
            gone: None,
            beside: Vec::new(),
            // What is inactive is read from the groups there every time: the sessions see it.
            fields: vec![field("$.userName", "$.name")],
            sets: Vec::new(),
        },
        groups: Table {
            path: "/groups/{key}",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.name"),
                field("$.displayName", "$.properties.display_name"),
            ],
            sets: vec![("$.members[*].value", "$.users[*]")],
        },
    }
}

/// The sessions read back more than JupyterHub can hold: the rest is kept by the gateway.
const TENANT: &str = concat!(
    include_str!("kept.toml"),
    "'displayName' = { keep = true }\n",
    "'name.givenName' = { keep = true }\n",
    "'name.familyName' = { keep = true }\n",
    "'nickName' = { keep = true }\n",
    "'title' = { keep = true }\n",
    "'preferredLanguage' = { keep = true }\n",
    "'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization' = { keep = true }\n",
);
