//! Request Tracker: what it must have. Its API is described in `rt/API.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::compare::{Application, Cannot, Table, field, translated};

pub fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].clone();
    let token = started["TOKEN"].clone();
    let no_password = "RT 5.0 fails when it is to change a password";
    let cannot = |session, step| Cannot {
        session,
        step,
        status: 400,
        because: no_password,
    };
    Application {
        name: "rt",
        header: ("Authorization".to_owned(), format!("token {token}")),
        environment: vec![("RT_URL", base_url.clone()), ("RT_TOKEN", token)],
        base_url,
        tenant: TENANT,
        // A call takes RT a second: all of them would take a quarter of an hour.
        sessions: vec![
            "okta/oin",
            "okta/group-push-patch",
            "entra/matching",
            "entra/user-lifecycle-default",
        ],
        cannot: vec![cannot("okta/oin", "password sync")],
        users: Table {
            path: "/user/{key}",
            key: "$.id",
            gone: Some(("$.Disabled", "1")),
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.id"),
                field("$.userName", "$.Name"),
                field("$.displayName", "$.RealName"),
                field("$.emails[?(@.type=='work')].value", "$.EmailAddress"),
                field("$.phoneNumbers[?(@.type=='work')].value", "$.WorkPhone"),
                field("$.phoneNumbers[?(@.type=='mobile')].value", "$.MobilePhone"),
                field("$.addresses[?(@.type=='work')].locality", "$.City"),
                translated(
                    "$.active",
                    "$.Disabled",
                    vec![(json!(true), json!("0")), (json!(false), json!("1"))],
                ),
            ],
            sets: Vec::new(),
        },
        groups: Table {
            path: "/group/{key}",
            key: "$.id",
            gone: Some(("$.Disabled", "1")),
            beside: vec![("members", "/group/{key}/members?per_page=100")],
            fields: vec![field("$.id", "$.id"), field("$.displayName", "$.Name")],
            sets: vec![("$.members[*].value", "$.members.items[*].id")],
        },
    }
}

const TENANT: &str = concat!(
    "[policy]\non-delete = \"deactivate\"\n\n",
    include_str!("kept.toml"),
    "'title' = { keep = true }\n'name.givenName' = { keep = true }\n'name.familyName' = { keep = true }\n",
);
