//! What a client sends is data: it opens nothing, names nothing in the application, and is told to nobody.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    application::{Fault, Lost, html},
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

#[tokio::test]
async fn s1_external_id_is_inert() {
    for setup in ["", "[user]\nid = { from = '$.login', stable = false }\n"] {
        let stage = Setup::tenant(setup).start().await;
        stage
            .app
            .add_user(json!({ "login": "admin", "role": "superadmin", "state": 1 }));
        stage.app.add_users(99);
        let admin = stage.app.user(1);
        let values = [
            json!("1"),
            json!("01"),
            json!(" 1"),
            json!("1e0"),
            json!("0x1"),
            json!("１"),
            json!("-1"),
            json!("1.0"),
            json!(1),
            json!("admin"),
            json!("../1"),
            json!("1/../1"),
            json!("1?x=1"),
            json!("%31"),
            json!("1%00"),
            json!("g-1"),
            json!("*"),
            json!("1\" or id eq \"1"),
            json!(["1"]),
            json!({ "id": "1" }),
        ];
        for (number, value) in values.into_iter().enumerate() {
            stage.app.forget_calls();
            let name = format!("new{number}");
            let body = json!({ "userName": name, "externalId": value, "title": "t" });
            let made = stage.post("/Users", body).await;
            let id = match made.status {
                201 => made.id(),
                400 => {
                    let plain = stage.post("/Users", json!({ "userName": name })).await;
                    plain.is(201).id()
                }
                other => panic!("{value}: {other} {}", made.body),
            };
            let path = format!("/Users/{id}");
            let set = json!([{ "op": "replace", "path": "externalId", "value": value }]);
            stage.patch(&path, set).await;
            stage
                .put(
                    &path,
                    json!({ "userName": name, "externalId": value, "title": "x" }),
                )
                .await;
            if let Some(text) = value.as_str() {
                let filter = format!("externalId eq {}", json!(text));
                let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
                let found = stage.get(&format!("/Users?filter={query}")).await.is(200);
                let own = found.each("id");
                assert!(own.iter().all(|own| *own == id), "{value}: {own:?}");
            }
            stage.delete(&path).await.is(204);
            assert_eq!(stage.app.user(1), admin, "{value}");
            let to_admin = |(call, _): &(String, Value)| {
                call.ends_with("/users/1") || call.ends_with("/users/admin")
            };
            assert_eq!(
                stage.app.writes().into_iter().find(to_admin),
                None,
                "{value}"
            );
        }
    }
}

/// Names that a mapping of this application can send.
const FIELDS: [&str; 8] = [
    "login",
    "first",
    "last",
    "mail",
    "title",
    "state",
    "password",
    "manager_id",
];

fn extra() -> Vec<(String, Value)> {
    let names = [
        "is_admin",
        "role",
        "roles",
        "admin",
        "__proto__",
        "constructor",
        "toString",
        "id",
        "ID",
        "meta",
        "groups",
        "state",
        "login",
        "Login",
        "first",
        "mail",
        "manager_id",
        "password_hash",
        "user",
        "data.role",
        "data[role]",
        "$ref",
        "$.role",
        "'; drop table users",
        "userName.role",
        "name.role",
        "role\u{0}",
        "ро\u{43b}ь",
        "",
        "urn:ietf:params:scim:schemas:core:2.0:User:role",
        "urn:x:y:role",
        "emails.role",
        "{role}",
        "${BOOK_KEY}",
    ];
    let values = [
        json!(true),
        json!("superadmin"),
        json!({ "role": "admin" }),
        json!(["admin"]),
        json!(1),
    ];
    let pairs = names.iter().enumerate();
    pairs
        .map(|(index, name)| ((*name).to_owned(), values[index % values.len()].clone()))
        .collect()
}

#[tokio::test]
async fn s10_closed_world() {
    let stage = Setup::default().start().await;
    let allowed = BTreeSet::from(FIELDS);
    let check = |what: &str| {
        for (call, body) in stage.app.writes() {
            let own = body.as_object().cloned().unwrap_or_default();
            let foreign: Vec<_> = own
                .keys()
                .filter(|key| !allowed.contains(key.as_str()))
                .collect();
            assert!(foreign.is_empty(), "{what}: {call} {foreign:?}");
            assert!(!body.to_string().contains("admin"), "{what}: {call} {body}");
            assert!(
                !body.to_string().contains("book-api-key"),
                "{what}: {call} {body}"
            );
        }
        stage.app.forget_calls();
    };
    for (number, (name, value)) in extra().into_iter().enumerate() {
        let mut body = Map::from_iter([("userName".to_owned(), json!(format!("u{number}")))]);
        body.insert(name.clone(), value.clone());
        body.insert(
            "name".into(),
            json!({ "givenName": "G", name.clone(): value.clone() }),
        );
        body.insert(
            "emails".into(),
            json!([{ "type": "work", "value": "a@b.example", name.clone(): value.clone() }]),
        );
        let made = stage.post("/Users", Value::Object(body.clone())).await;
        check(&name);
        let id = match made.status {
            201 => made.id(),
            _ => stage
                .post("/Users", json!({ "userName": format!("u{number}") }))
                .await
                .is(201)
                .id(),
        };
        let path = format!("/Users/{id}");
        stage.put(&path, Value::Object(body)).await;
        for op in ["add", "replace"] {
            stage
                .patch(&path, json!([{ "op": op, "path": name, "value": value }]))
                .await;
            stage
                .patch(
                    &path,
                    json!([{ "op": op, "value": { name.clone(): value } }]),
                )
                .await;
        }
        check(&name);
        let read = stage.get(&path).await.is(200);
        assert!(
            !read.body.to_string().contains("superadmin"),
            "{name}: {}",
            read.body
        );
    }
}

#[tokio::test]
async fn s16_a_value_stays_one_parameter() {
    let stage = Setup::default().start().await;
    let values = [
        "a&role=admin",
        "a%26role=admin",
        "a#x",
        "a?x=1",
        "a=b",
        "a b",
        "a+b",
        "a%00b",
        "a\u{0}b",
        "a\r\nX-Evil: 1",
        "*",
        "%",
        "_",
        "' or '1'='1",
        "{value}",
        "${BOOK_KEY}",
        "\u{1F600}",
        "a/../b",
        "\\",
        "\"",
        ";",
        "a%2526b",
    ];
    for value in values {
        stage.app.forget_calls();
        let filter = format!("userName eq {}", json!(value));
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let reply = stage.get(&format!("/Users?filter={query}")).await;
        for seen in stage.app.seen() {
            assert_eq!(
                seen.parameter("login").as_deref(),
                Some(value),
                "{}",
                seen.path
            );
            assert_eq!(seen.path.split(['?', '&']).count(), 4, "{}", seen.path);
            assert_eq!(seen.header("x-evil"), None);
        }
        assert!(
            matches!(reply.status, 200 | 400),
            "{value:?}: {}",
            reply.body
        );
    }
}

/// Everything that is logged, at every level, by everybody.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn private() -> Value {
    json!({
        "userName": "canary-login",
        "externalId": "canary-external",
        "name": { "givenName": "canary-first", "familyName": "canary-last" },
        "emails": [{ "type": "work", "value": "canary-mail@corp.example" }],
        "title": "canary-title",
        "nickName": "canary-nick",
        "password": "canary-password",
    })
}

async fn live(stage: &Stage) -> Vec<String> {
    let mut errors = Vec::new();
    let requests = [
        ("POST", "/Users".to_owned(), private()),
        ("POST", "/Users".to_owned(), private()),
        (
            "GET",
            "/Users?filter=userName%20eq%20%22canary-login%22".to_owned(),
            Value::Null,
        ),
        (
            "GET",
            "/Users?filter=userName%20canary%20%22canary-login%22".to_owned(),
            Value::Null,
        ),
        ("GET", "/Users/canary-id".to_owned(), Value::Null),
        (
            "GET",
            "/canary-path?canary=canary-query".to_owned(),
            Value::Null,
        ),
        ("PUT", "/Users/1".to_owned(), private()),
        (
            "PATCH",
            "/Users/1".to_owned(),
            crate::stage::patch(json!([
                { "op": "replace", "path": "title", "value": "canary-other-title" },
                { "op": "replace", "path": "password", "value": "canary-other-password" },
            ])),
        ),
        (
            "PATCH",
            "/Users/1".to_owned(),
            crate::stage::patch(json!([
                { "op": "replace", "path": "active", "value": "canary-active" },
            ])),
        ),
        (
            "PATCH",
            "/Users/1".to_owned(),
            json!({ "canary-key": "canary-value" }),
        ),
        ("GET", "/Users".to_owned(), Value::Null),
        ("DELETE", "/Users/1".to_owned(), Value::Null),
    ];
    for (method, path, body) in requests {
        let ask = stage
            .ask(method, &path)
            .header("x-canary", "canary-header")
            .header("cookie", "canary-cookie")
            .header("user-agent", "canary-agent");
        let reply = ask.body(body).send().await;
        if reply.status >= 400 {
            errors.push(format!("{method} {path} {}: {}", reply.status, reply.body));
        }
    }
    let wrong = stage
        .ask("GET", "/Users")
        .header("authorization", "Bearer canary-token");
    errors.push(wrong.send().await.body.to_string());
    errors
}

#[tokio::test]
async fn s19_canary() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let auth = "[target.auth.header]\nname = \"X-Secret\"\nvalue = \"canary-secret\"\n";
    let canary_answer = || Answer::json(500, json!({ "message": "no", "trace": "canary-trace" }));
    let faults = [
        None,
        Some(("*", Fault::Before(Act::Say(canary_answer())))),
        Some(("*", Fault::AfterEffect(Lost::Cut(60)))),
        Some((
            "GET",
            Fault::Before(Act::Say(html(200, "<p>canary-page</p>"))),
        )),
        Some((
            "GET",
            Fault::Before(Act::Say(Answer::json(
                401,
                json!({ "message": "canary-words" }),
            ))),
        )),
        Some((
            "GET",
            Fault::Before(Act::Say(Answer::json(200, json!("canary-shape")))),
        )),
        Some(("GET", Fault::Before(Act::Reset))),
    ];
    for fault in faults {
        let stage = Setup::tenant(auth).start().await;
        if let Some((call, fault)) = fault {
            stage.app.plan(call, 100, fault);
        }
        for error in live(&stage).await {
            for private in [
                "canary-secret",
                "canary-token",
                "canary-password",
                "canary-other",
                "canary-trace",
                "canary-page",
                "canary-header",
                "canary-cookie",
                "canary-mail",
                "canary-login",
                "canary-first",
            ] {
                // A request's own path and words are the test's part of the line.
                let body = error
                    .split_once(": ")
                    .map_or(error.as_str(), |(_, body)| body);
                assert!(!body.contains(private), "{error}");
            }
        }
        // Something is logged at all, and a restart's reload too.
        stage.registry.reload().await.unwrap();
        for finished in stage.heard.all() {
            scimgate::observe::log_exchange(&finished);
        }
    }
    let text = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(text.contains("exchange"), "nothing was logged");
    for line in text.lines() {
        let is_silent = !line.contains("canary") && !line.contains("token-of-acme");
        assert!(is_silent, "{line}");
    }
}

/// A secret that an application wants in a place of its own, without a name: in a body, a query, or within a longer text.
#[tokio::test]
async fn a_secret_of_the_environment_is_in_no_record_wherever_the_mapping_puts_it() {
    let update = "[user.update]\ncall = \"PATCH /users/{id}\"\n";
    let with_key = format!(
        "{update}query = {{ by = \"${{BOOK_KEY}}\" }}\nbody = {{ \"...\" = \"{{fields}}\", args = [1, \"k:${{BOOK_KEY}}\"] }}\n"
    );
    let stage = Setup::default().with(update, &with_key).start().await;
    let id = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    stage.patch(&format!("/Users/{id}"), title).await.is(200);
    let (_, sent) = stage.app.writes().remove(0);
    let key = sent["args"][1]
        .as_str()
        .unwrap()
        .strip_prefix("k:")
        .unwrap();
    assert!(key.len() > 3, "{sent}");
    for finished in stage.heard.all() {
        for call in &finished.exchange.calls {
            let record = format!("{call:?}");
            assert!(!record.contains(key), "{record}");
        }
    }
}
