//! RabbitMQ: what it must have. Its API is described in `rabbitmq/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Cannot, Table, basic, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].clone();
    let (user, password) = (started["USERNAME"].clone(), started["PASSWORD"].clone());
    Application {
        name: "rabbitmq",
        header: basic(&user, &password),
        environment: vec![
            ("RABBITMQ_URL", base_url.clone()),
            ("RABBITMQ_USER", user),
            ("RABBITMQ_PASSWORD", password),
        ],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: cannot(),
        users: Table {
            path: "/users/{key}",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.name"),
                field("$.userName", "$.name"),
                translated(
                    "$.active",
                    "$.limits.max-connections",
                    vec![(json!(true), json!("")), (json!(false), json!(0))],
                ),
            ],
            // The groups are the tags that are not set aside: read there every time, the session of its own sees them.
            sets: Vec::new(),
        },
        groups: Table {
            path: "/whoami?{key}",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: Vec::new(),
            sets: Vec::new(),
        },
    }
}

fn cannot() -> Vec<Cannot> {
    let no_rename = "a name is the key and cannot be changed";
    let no_groups = "the groups are RabbitMQ's tags, which are fixed";
    let cannot = |session, step, status, because| Cannot {
        session,
        step,
        status,
        because,
    };
    vec![
        cannot("entra/create-forms", "a group with", 501, no_groups),
        cannot("entra/group-lifecycle-aad", "create", 501, no_groups),
        cannot(
            "entra/group-lifecycle-default",
            "create, without members",
            501,
            no_groups,
        ),
        cannot(
            "entra/group-lifecycle-default",
            "the same name again",
            501,
            no_groups,
        ),
        cannot("entra/matching-filters", "create a group", 501, no_groups),
        cannot("okta/group-push", "push: create", 501, no_groups),
        cannot("entra/user-lifecycle", "rename", 400, no_rename),
        cannot("entra/user-lifecycle-aad", "same id", 200, no_rename),
        cannot(
            "entra/user-lifecycle-default",
            "under the new name",
            200,
            no_rename,
        ),
        cannot(
            "entra/user-lifecycle-default",
            "a disabled user is still matched",
            200,
            no_rename,
        ),
        cannot("okta/aiw", "rename", 400, no_rename),
        // The steps after it wish the new name.
        cannot("okta/aiw", "password sync", 400, no_rename),
        cannot("okta/aiw", "leaves active out", 400, no_rename),
        cannot("okta/aiw", "unassign: PUT", 400, no_rename),
        cannot("okta/aiw", "still found by filter", 200, no_rename),
        cannot("okta/aiw", "assign again", 400, no_rename),
    ]
}

/// The sessions read back more than RabbitMQ can hold: the rest is kept by the gateway.
const TENANT: &str = concat!(
    "[policy]\nprotected = [\"admin\"]\n",
    include_str!("kept.toml"),
    "'displayName' = { keep = true }\n",
    "'name.givenName' = { keep = true }\n",
    "'name.familyName' = { keep = true }\n",
    "'nickName' = { keep = true }\n",
    "'title' = { keep = true }\n",
    "'preferredLanguage' = { keep = true }\n",
    "'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization' = { keep = true }\n",
);
