//! Zabbix: what it must have. Its API is described in `zabbix/API.md`.

use std::collections::BTreeMap;

use scimgate::cli::replay::{HttpTransport, Request, Transport};
use serde_json::{Value, json};

use super::compare::{Application, Table, field, translated};

const ENDPOINT: &str = "/api_jsonrpc.php";

pub async fn application(started: &BTreeMap<String, String>) -> Application {
    let base_url = started["BASE_URL"].trim_end_matches(ENDPOINT).to_owned();
    let (user, password) = (started["USERNAME"].clone(), started["PASSWORD"].clone());
    Application {
        name: "zabbix",
        header: (
            "X-Session".to_owned(),
            session(&base_url, &user, &password).await,
        ),
        environment: vec![
            ("ZABBIX_URL", base_url.clone()),
            ("ZABBIX_USER", user),
            ("ZABBIX_PASSWORD", password),
        ],
        base_url,
        tenant: TENANT,
        sessions: vec!["okta/", "entra/"],
        cannot: Vec::new(),
        users: Table {
            path: r#"POST /api_jsonrpc.php {"jsonrpc": "2.0", "id": 1, "auth": "{credential}", "method": "user.get", "params":
                {"userids": "{key}", "output": "extend", "selectMedias": "extend", "getAccess": true}}"#,
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.id", "$.result[0].userid"),
                field("$.userName", "$.result[0].username"),
                field("$.name.givenName", "$.result[0].name"),
                field("$.name.familyName", "$.result[0].surname"),
                field(
                    "$.emails[?(@.type=='work')].value",
                    "$.result[0].medias[0].sendto[0]",
                ),
                translated(
                    "$.active",
                    "$.result[0].users_status",
                    vec![(json!(true), json!("0")), (json!(false), json!("1"))],
                ),
            ],
            sets: Vec::new(),
        },
        groups: Table {
            path: r#"POST /api_jsonrpc.php {"jsonrpc": "2.0", "id": 1, "auth": "{credential}", "method": "usergroup.get", "params":
                {"usrgrpids": "{key}", "selectUsers": ["userid"]}}"#,
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![field("$.displayName", "$.result[0].name")],
            sets: vec![("$.members[*].value", "$.result[0].users[*].userid")],
        },
    }
}

/// A session of the administrator's, apart from the gateway's own.
async fn session(base_url: &str, user: &str, password: &str) -> String {
    let login = json!({
        "jsonrpc": "2.0", "id": 1, "method": "user.login", "params": {"username": user, "password": password}
    });
    let request = Request {
        method: "POST".to_owned(),
        path_and_query: ENDPOINT.to_owned(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: Some(login.to_string().into()),
    };
    let transport = HttpTransport::new(base_url, None).expect("the application's address");
    let reply = transport.send(request).await.expect("an answer");
    let reply: Value = serde_json::from_slice(&reply.body).expect("JSON");
    reply["result"].as_str().expect("a session").to_owned()
}

/// The sessions read back more than Zabbix can hold.
const TENANT: &str = concat!(
    include_str!("kept.toml"),
    "'title' = { keep = true }\n'preferredLanguage' = { keep = true }\n",
    "'displayName' = { keep = true }\n'nickName' = { keep = true }\n'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization' = { keep = true }\n",
);
