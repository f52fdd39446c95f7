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
const TENANT: &str = r#"
[user.attributes]
'displayName'      = { keep = true }
'name.formatted'   = { keep = true }
'name.givenName'   = { keep = true }
'name.familyName'  = { keep = true }
'nickName'         = { keep = true }
'title'            = { keep = true }
'userType'         = { keep = true }
'locale'           = { keep = true }
'timezone'         = { keep = true }
'preferredLanguage' = { keep = true }
'profileUrl'       = { keep = true }
'emails'           = { keep = true }
'phoneNumbers'     = { keep = true }
'addresses'        = { keep = true }
'roles'            = { keep = true }
'entitlements'     = { keep = true }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber' = { keep = true }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter'     = { keep = true }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization'   = { keep = true }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division'       = { keep = true }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'     = { keep = true }
'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager'        = { keep = true }
"#;
