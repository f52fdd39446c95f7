//! A session played against answers written down beforehand, without a socket.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::json;

use super::super::transport::{SendFuture, TransportError};
use super::*;

/// Answers what it was told to, in order, and keeps what it was sent.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    sent: Mutex<Vec<Request>>,
}

impl Script {
    fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            sent: Mutex::default(),
        }
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter()
            .map(|request| format!("{} {}", request.method, request.path_and_query))
            .collect()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> SendFuture<'_> {
        self.sent.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            let (status, body) =
                answer.ok_or_else(|| TransportError::Other("nobody answers".to_owned()))?;
            let body = match body {
                Value::Null => Vec::new(),
                body => body.to_string().into_bytes(),
            };
            Ok(Reply {
                status,
                headers: Vec::new(),
                body,
            })
        })
    }
}

fn session(steps: Value, cleanup: Value) -> Session {
    let session = json!({
        "format": "scim-replay/1", "idp": "okta", "title": "t",
        "vars": {"login": "a b+c@example.com"},
        "headers": {"Accept": "application/scim+json", "X-Gone": "1"},
        "steps": steps, "cleanup": cleanup,
    });
    Session::parse("test", &session.to_string()).unwrap()
}

fn step(request: Value) -> Value {
    json!({"name": "n", "request": request, "expect": {"status": [200, 201, 204]}})
}

fn settings() -> Settings {
    Settings {
        base_url: "https://host:8443/scim/v2/".to_owned(),
        token: "secret".to_owned(),
        user: "scim".to_owned(),
        only: Vec::new(),
        variables: Map::new(),
    }
}

async fn outcomes(session: &Session, script: &Script) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    play(session, &settings(), script, &mut |record| {
        outcomes.push(record.outcome.clone())
    })
    .await;
    outcomes
}

#[tokio::test]
async fn a_captured_value_is_carried_forward_and_cleaned_up() {
    let mut create =
        step(json!({"method": "POST", "path": "/Users", "body": {"userName": "{{login}}"}}));
    create["capture"] = json!({"uid": "$.id"});
    let read = step(json!({"method": "GET", "path": "/Users/{{uid}}"}));
    let cleanup = json!([{"request": {"method": "DELETE", "path": "/Users/{{uid}}"}},
                         {"request": {"method": "DELETE", "path": "/Groups/{{gid}}"}}]);
    let session = session(json!([create, read]), cleanup);
    let script = Script::answering([
        (201, json!({"id": 7})),
        (200, json!({})),
        (204, Value::Null),
    ]);
    assert_eq!(
        outcomes(&session, &script).await,
        [Outcome::Passed, Outcome::Passed]
    );
    assert_eq!(
        script.sent(),
        [
            "POST /scim/v2/Users",
            "GET /scim/v2/Users/7",
            "DELETE /scim/v2/Users/7"
        ]
    );
}

#[tokio::test]
async fn a_step_whose_variable_was_never_captured_is_skipped() {
    let mut create = step(json!({"method": "POST", "path": "/Users", "body": {}}));
    create["capture"] = json!({"uid": "$.id"});
    let read = step(json!({"method": "GET", "path": "/Users/{{uid}}"}));
    for (answer, first) in [
        (
            (500, json!({"id": 7})),
            "status: expected 200 or 201 or 204, got 500",
        ),
        ((201, json!({"id": null})), "capture uid: nothing at $.id"),
    ] {
        let script = Script::answering([answer]);
        let session = session(json!([create, read]), json!([]));
        assert_eq!(
            outcomes(&session, &script).await,
            [
                Outcome::Failed(vec![first.to_owned()]),
                Outcome::Skipped("no value for {{uid}}".to_owned())
            ]
        );
    }
}

#[tokio::test]
async fn a_broken_connection_fails_one_step_and_the_next_is_tried() {
    let read = step(json!({"method": "GET", "path": "/Users"}));
    let session = session(json!([read, read]), json!([]));
    let script = Script::default();
    let failed = Outcome::Failed(vec!["nobody answers".to_owned()]);
    assert_eq!(outcomes(&session, &script).await, [failed.clone(), failed]);
}

#[tokio::test]
async fn a_request_is_spelt_as_the_session_says() {
    let cases = [
        (
            json!({"path": "/U", "query": {"f.x": "a eq \"{{login}}\"", "count": 2}}),
            "/scim/v2/U?f.x=a%20eq%20%22a%20b%2Bc%40example.com%22&count=2",
        ),
        (
            json!({"path": "/U", "query": {"f": "a eq {{login}}"}, "queryStyle": "plus"}),
            "/scim/v2/U?f=a+eq+a+b%2Bc%40example.com",
        ),
        (json!({"path": "/U", "rawQuery": ""}), "/scim/v2/U?"),
        (
            json!({"path": "/U", "rawQuery": "a+b&{{q:login}}"}),
            "/scim/v2/U?a+b&a%20b%2Bc%40example.com",
        ),
        (json!({"path": "/other", "absolutePath": true}), "/other"),
        (
            json!({"path": "/U/{{login}} ü%20"}),
            "/scim/v2/U/a%20b+c@example.com%20%C3%BC%20",
        ),
    ];
    for (mut request, expected) in cases {
        request["method"] = json!("GET");
        let script = Script::answering([(200, Value::Null)]);
        outcomes(&session(json!([step(request)]), json!([])), &script).await;
        assert_eq!(script.sent(), [format!("GET {expected}")]);
    }
}

#[tokio::test]
async fn headers_body_and_credential_are_what_the_step_asks_for() {
    let json_body =
        json!({"method": "POST", "path": "/", "body": {"a": 1}, "headers": {"x-gone": null}});
    let form = json!({"method": "POST", "path": "/", "form": {"a b": "c&d"}, "headers": {"ACCEPT": "text/plain"}});
    let raw = json!({"method": "POST", "path": "/", "rawBody": "{{login}}", "headers": {"Authorization": "Own"}});
    let cases = [
        (
            json_body,
            "bearer",
            "{\"a\":1}",
            vec![
                ("Accept", "application/scim+json"),
                ("Authorization", "Bearer secret"),
                ("Content-Type", "application/scim+json"),
            ],
        ),
        (
            form,
            "none",
            "a+b=c%26d",
            vec![
                ("X-Gone", "1"),
                ("ACCEPT", "text/plain"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ],
        ),
        (
            raw.clone(),
            "bearer",
            "a b+c@example.com",
            vec![
                ("Accept", "application/scim+json"),
                ("X-Gone", "1"),
                ("Authorization", "Own"),
            ],
        ),
        (
            raw,
            "basic",
            "a b+c@example.com",
            vec![
                ("Accept", "application/scim+json"),
                ("X-Gone", "1"),
                ("Authorization", "Basic c2NpbTpzZWNyZXQ="),
            ],
        ),
    ];
    for (request, auth, body, headers) in cases {
        let mut step = step(request);
        step["auth"] = json!(auth);
        let script = Script::answering([(200, Value::Null)]);
        outcomes(&session(json!([step]), json!([])), &script).await;
        let sent = script.sent.lock().unwrap().remove(0);
        let sent_headers: Vec<(&str, &str)> = sent
            .headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(sent_headers, headers);
        assert_eq!(String::from_utf8(sent.body.unwrap()).unwrap(), body);
    }
}

#[tokio::test]
async fn only_the_classes_asked_for_are_sent() {
    let mut odd = step(json!({"method": "GET", "path": "/odd"}));
    odd["class"] = json!("quirk");
    let session = session(
        json!([odd, step(json!({"method": "GET", "path": "/plain"}))]),
        json!([]),
    );
    let script = Script::answering([(200, Value::Null)]);
    let mut only = settings();
    only.only = vec![Class::Standard];
    let summary = play(&session, &only, &script, &mut |record| {
        assert_eq!(record.number, 2)
    })
    .await;
    assert_eq!(summary.to_string(), "1 passed, 0 failed");
    assert_eq!(script.sent(), ["GET /scim/v2/plain"]);
}

#[test]
fn a_summary_names_what_was_skipped_only_if_something_was() {
    let mut summary = Summary::default();
    summary.add(&Outcome::Passed);
    summary.add(&Outcome::Failed(Vec::new()));
    assert_eq!(summary.to_string(), "1 passed, 1 failed");
    summary.merge(Summary {
        passed: 1,
        failed: 0,
        skipped: 2,
    });
    assert_eq!(summary.to_string(), "2 passed, 1 failed, 2 skipped");
    assert!(!summary.all_held());
}
