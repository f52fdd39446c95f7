//! The application by its API: calls in, answers out, and a few bytes over a real connection.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::api::{Answer, Application, Received};
use super::serve::{Edge, accept, listen};
use super::*;

struct Caller {
    application: Application,
    seconds: i64,
}

impl Caller {
    fn with_users(users: u64) -> Self {
        Self {
            application: Application::new(users, EXAMPLE_API_KEY, jiff::Timestamp::UNIX_EPOCH),
            seconds: 0,
        }
    }

    /// `"POST /users"` with a body; a second passes with every call.
    fn call(&mut self, request: &str, body: Value) -> Answer {
        self.raw(request, &body.to_string(), Some(EXAMPLE_API_KEY))
    }

    fn get(&mut self, path: &str) -> Value {
        self.call(&format!("GET {path}"), Value::Null).body.unwrap()
    }

    fn raw(&mut self, request: &str, body: &str, api_key: Option<&str>) -> Answer {
        self.seconds += 1;
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(path, query)| (path, Some(query)));
        self.application.answer(&Received {
            method,
            path,
            query,
            api_key: api_key.map(str::as_bytes),
            body: body.as_bytes(),
            now: jiff::Timestamp::from_second(self.seconds).unwrap(),
        })
    }

    fn create(&mut self, login: &str) -> u64 {
        let mail = format!("{login}@example.com");
        let answer = self.call(
            "POST /users",
            json!({"login": login, "mail": mail, "password": "long enough"}),
        );
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body.unwrap()["id"].as_u64().unwrap()
    }
}

#[test]
fn only_health_is_answered_without_the_key() {
    let mut caller = Caller::with_users(1);
    assert_eq!(caller.raw("GET /health", "", None).status, 200);
    for request in [
        "GET /users",
        "POST /users",
        "GET /_state",
        "GET /_log",
        "POST /_attach",
        "GET /nowhere",
    ] {
        for key in [
            None,
            Some(""),
            Some("staffbook"),
            Some("Staffbook-example-key"),
        ] {
            assert_eq!(
                caller.raw(request, "{}", key).status,
                401,
                "{request} {key:?}"
            );
        }
    }
}

#[test]
fn a_user_is_created_changed_in_part_and_deleted() {
    let mut caller = Caller::with_users(0);
    let created = caller.call(
        "POST /users",
        json!({"login": "ada", "mail": "ada@example.com", "first": "Ada", "last": "Quist", "password": "long enough",
               "department": "", "no_such_field": 1, "id": 99}),
    );
    let expected = json!({"id": 1, "login": "ada", "mail": "ada@example.com", "first": "Ada", "last": "Quist",
        "phone": null, "job_title": null, "department": null, "state": 1, "manager_id": null, "language": null,
        "created_at": "1970-01-01T00:00:01Z", "updated_at": "1970-01-01T00:00:01Z"});
    assert_eq!(created, Answer::created(expected.clone()));
    let changed = caller.call(
        "PATCH /users/1",
        json!({"last": "Marsh", "state": 3, "first": null, "job_title": "Clerk"}),
    );
    let mut expected = expected;
    for (field, value) in [
        ("last", json!("Marsh")),
        ("state", json!(3)),
        ("first", Value::Null),
        ("job_title", json!("Clerk")),
        ("updated_at", json!("1970-01-01T00:00:02Z")),
    ] {
        expected[field] = value;
    }
    assert_eq!(changed, Answer::ok(expected.clone()));
    assert_eq!(caller.get("/users/1"), expected);
    assert_eq!(caller.call("DELETE /users/1", Value::Null), Answer::empty());
    for request in [
        "GET /users/1",
        "DELETE /users/1",
        "PATCH /users/1",
        "GET /users/1/groups",
    ] {
        assert_eq!(caller.call(request, json!({})).status, 404, "{request}");
    }
    assert_eq!(caller.create("ada"), 2, "an id is never given twice");
}

#[test]
fn what_is_wrong_is_listed_field_by_field() {
    let mut caller = Caller::with_users(0);
    caller.create("ada");
    caller.create("bob");
    caller.call("POST /groups", json!({"name": "Night shift"}));
    let long = "x".repeat(201);
    type Messages = &'static [(&'static str, &'static str)];
    let cases: [(&str, Value, Messages); 12] = [
        (
            "POST /users",
            json!({}),
            &[
                ("login", "cannot be blank"),
                ("password", "cannot be blank"),
            ],
        ),
        (
            "POST /users",
            json!({"login": "ADA", "mail": "Bob@Example.com", "password": "short"}),
            &[
                ("login", "has already been taken"),
                ("mail", "has already been taken"),
                ("password", "is too short (minimum is 8 characters)"),
            ],
        ),
        (
            "PATCH /users/2",
            json!({"login": "ada"}),
            &[("login", "has already been taken")],
        ),
        (
            "PATCH /users/2",
            json!({"login": null}),
            &[("login", "cannot be blank")],
        ),
        (
            "PATCH /users/2",
            json!({"login": "a b"}),
            &[("login", "must not contain spaces")],
        ),
        (
            "PATCH /users/2",
            json!({"mail": "a@b@c"}),
            &[("mail", "is not an e-mail address")],
        ),
        (
            "PATCH /users/2",
            json!({"first": 1, "login": long}),
            &[
                ("login", "is too long (maximum is 200 characters)"),
                ("first", "must be a string"),
            ],
        ),
        (
            "PATCH /users/2",
            json!({"state": 4}),
            &[("state", "is not 1 (active), 2 (invited) or 3 (locked)")],
        ),
        (
            "PATCH /users/2",
            json!({"state": true}),
            &[("state", "must be an integer")],
        ),
        (
            "PATCH /users/2",
            json!({"manager_id": 9}),
            &[("manager_id", "does not exist")],
        ),
        (
            "POST /groups",
            json!({"name": "night SHIFT"}),
            &[("name", "has already been taken")],
        ),
        (
            "POST /groups/1/members",
            json!({"user_ids": [1, 9]}),
            &[("user_ids", "contains an unknown user (9)")],
        ),
    ];
    for (request, body, expected) in cases {
        let errors: Vec<Value> = expected
            .iter()
            .map(|(field, message)| json!({"field": field, "message": message}))
            .collect();
        let answer = caller.call(request, body.clone());
        assert_eq!(
            (answer.status, answer.body),
            (422, Some(json!({ "errors": errors }))),
            "{request} {body}"
        );
    }
    assert_eq!(
        caller.get("/users/2")["login"],
        "bob",
        "a refused change changes nothing"
    );
    assert_eq!(caller.get("/groups/1")["member_count"], 0);
}

#[test]
fn what_is_given_back_is_free_again() {
    let mut caller = Caller::with_users(0);
    caller.create("ada");
    caller.call(
        "PATCH /users/1",
        json!({"login": "ida", "mail": "ida@example.com"}),
    );
    assert_eq!(caller.create("ada"), 2);
    assert_eq!(
        caller
            .call("PATCH /users/1", json!({"login": "IDA"}))
            .status,
        200,
        "its own login is not taken"
    );
    caller.call("DELETE /users/2", Value::Null);
    assert_eq!(caller.create("ada"), 3);
    caller.call("POST /groups", json!({"name": "A"}));
    caller.call("PATCH /groups/1", json!({"name": "B"}));
    assert_eq!(
        caller.call("POST /groups", json!({"name": "a"})).status,
        201
    );
}

#[test]
fn a_filter_is_exact_but_for_case_and_an_unknown_one_finds_everybody() {
    let mut caller = Caller::with_users(0);
    for login in ["ada", "ada2", "bob"] {
        caller.create(login);
    }
    for (query, logins) in [
        ("login=ADA", vec!["ada"]),
        ("login=ad", vec![]),
        ("mail=Bob%40example.com", vec!["bob"]),
        ("login=ada&mail=ada@example.com", vec!["ada"]),
        ("login=ada&mail=bob@example.com", vec![]),
        ("login=nobody&mail=nobody", vec![]),
        ("username=ada", vec!["ada", "ada2", "bob"]),
        ("per_page=2&page=2", vec!["bob"]),
    ] {
        let page = caller.get(&format!("/users?{query}"));
        let found: Vec<&str> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["login"].as_str().unwrap())
            .collect();
        assert_eq!(found, logins, "{query}");
    }
    assert_eq!(caller.get("/users?login=nobody")["total"], 0);
}

#[test]
fn members_are_added_in_a_list_and_removed_one_by_one() {
    let mut caller = Caller::with_users(0);
    for login in ["ada", "bob", "eve"] {
        caller.create(login);
    }
    caller.call("POST /groups", json!({"name": "A", "description": "first"}));
    caller.call("POST /groups", json!({"name": "B"}));
    let added = caller.call("POST /groups/1/members", json!({"user_ids": [3, 1, 3]}));
    assert_eq!(added, Answer::ok(json!({"added": 2, "total": 2})));
    let again = caller.call("POST /groups/1/members", json!({"user_ids": [1, 2]}));
    assert_eq!(again, Answer::ok(json!({"added": 1, "total": 3})));
    caller.call("POST /groups/2/members", json!({"user_ids": [1]}));
    assert_eq!(
        caller.get("/groups/1/members?per_page=2"),
        json!({"items": [{"user_id": 1, "login": "ada"}, {"user_id": 2, "login": "bob"}],
               "page": 1, "per_page": 2, "total": 3})
    );
    assert_eq!(caller.get("/users/1/groups")["total"], 2);
    assert_eq!(
        caller
            .call("DELETE /groups/1/members/2", Value::Null)
            .status,
        204
    );
    assert_eq!(
        caller
            .call("DELETE /groups/1/members/2", Value::Null)
            .status,
        404
    );
    caller.call("DELETE /users/3", Value::Null);
    assert_eq!(caller.get("/groups/1")["member_count"], 1);
    caller.call("DELETE /groups/2", Value::Null);
    assert_eq!(caller.get("/users/1/groups")["items"][0]["name"], "A");
    assert_eq!(caller.get("/groups?name=a")["total"], 1);
    assert_eq!(caller.get("/groups?name=B")["total"], 0);
}

#[test]
fn roles_and_entitlements_are_flat_lists() {
    let mut caller = Caller::with_users(0);
    for list in ["roles", "entitlements"] {
        assert_eq!(
            caller.get(&format!("/{list}?per_page=2"))["items"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        assert_eq!(caller.get(&format!("/{list}"))["total"], 3);
        let created = caller.call(
            &format!("POST /{list}"),
            json!({"label": "Guest", "note": "n"}),
        );
        assert_eq!(
            created,
            Answer::created(json!({"id": 4, "label": "Guest", "note": "n", "kind": null}))
        );
        assert_eq!(
            caller
                .call(&format!("POST /{list}"), json!({"label": "guest"}))
                .status,
            422
        );
        let changed = caller.call(
            &format!("PATCH /{list}/4"),
            json!({"note": null, "kind": "k"}),
        );
        assert_eq!(
            changed,
            Answer::ok(json!({"id": 4, "label": "Guest", "note": null, "kind": "k"}))
        );
        assert_eq!(
            caller
                .call(&format!("DELETE /{list}/4"), Value::Null)
                .status,
            204
        );
        assert_eq!(
            caller.call(&format!("GET /{list}/4"), Value::Null).status,
            404
        );
    }
}

#[test]
fn a_method_or_a_path_that_is_not_there_is_said_to_be_so() {
    let mut caller = Caller::with_users(1);
    for (request, allow) in [
        ("PUT /users/1", "GET, PATCH, DELETE"),
        ("DELETE /users", "GET, POST"),
        ("PATCH /groups", "GET, POST"),
        ("PUT /groups/1", "GET, PATCH, DELETE"),
        ("PATCH /groups/1/members", "GET, POST"),
        ("GET /groups/1/members/1", "DELETE"),
        ("POST /users/1/groups", "GET"),
        ("PUT /roles/1", "GET, PATCH, DELETE"),
        ("POST /_state", "GET"),
        ("GET /_attach", "POST"),
    ] {
        let answer = caller.call(request, json!({}));
        assert_eq!(
            (answer.status, answer.allow),
            (405, Some(allow)),
            "{request}"
        );
    }
    for path in [
        "/",
        "/user",
        "/users/x",
        "/users/-1",
        "/users/1/roles",
        "/groups/1/members/x",
        "/_secret",
    ] {
        assert_eq!(
            caller.call(&format!("GET {path}"), Value::Null).status,
            404,
            "{path}"
        );
    }
    for body in ["", "{", "[]", "1", "{\"a\":1}x"] {
        assert_eq!(
            caller
                .raw("POST /users", body, Some(EXAMPLE_API_KEY))
                .status,
            400,
            "{body}"
        );
    }
}

#[test]
fn the_log_tells_the_calls_but_no_password() {
    let mut caller = Caller::with_users(0);
    caller.call(
        "POST /users",
        json!({"login": "ada", "password": "canary-secret"}),
    );
    caller.get("/users?login=ada");
    caller.get("/_state");
    let log = caller.get("/_log");
    assert_eq!(
        log,
        json!({"last": 2, "calls": [
            {"n": 1, "method": "POST", "path": "/users", "body": {"login": "ada", "password": "***"}, "status": 201},
            {"n": 2, "method": "GET", "path": "/users?login=ada", "body": null, "status": 200},
        ]})
    );
    assert_eq!(
        caller.get("/_log?since=1")["calls"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(caller.get("/_log?since=2")["calls"], json!([]));
    let state = caller.get("/_state");
    assert_eq!(
        state["users"][0]["password_changed_at"],
        "1970-01-01T00:00:01Z"
    );
    assert!(!state.to_string().contains("canary-secret"));
}

#[test]
fn the_log_forgets_the_oldest_calls_and_long_bodies() {
    let mut log = super::inspect::CallLog::default();
    log.add("POST", "/users", Some(&json!({"login": "x"})), 20_000, 201);
    assert_eq!(log.since(0)["calls"][0]["body"], "(20000 bytes)");
    for _ in 0..10_000 {
        log.add("GET", "/users", None, 0, 200);
    }
    assert_eq!(log.since(0)["calls"][0]["n"], 2);
    assert_eq!(log.since(10_000)["calls"].as_array().unwrap().len(), 1);
}

#[test]
fn the_seeded_staff_is_the_same_every_time_and_all_different() {
    let mut caller = Caller::with_users(2_000);
    let mut other = Caller::with_users(2_000);
    assert_eq!(caller.get("/_state"), other.get("/_state"));
    let state = caller.get("/_state");
    let logins: std::collections::BTreeSet<&str> = state["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["login"].as_str().unwrap())
        .collect();
    assert_eq!(logins.len(), 2_000);
    assert_eq!(state["groups"][0]["member_count"], 100);
    let last = caller.get("/users?page=10&per_page=200");
    assert_eq!(last["items"][199]["id"], 2_000);
}

#[tokio::test]
async fn another_machine_cannot_reach_it() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let error = listen(&settings(address)).await.unwrap_err();
        assert!(
            matches!(error, ApplicationError::NotLoopback(_)),
            "{address}"
        );
    }
}

#[tokio::test]
async fn calls_sent_at_once_on_one_connection_are_answered_in_order() {
    let settings = settings("127.0.0.1:0");
    let listener = listen(&settings).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(accept(listener, Arc::new(Edge::new(&settings))));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let key = EXAMPLE_API_KEY;
    let calls = format!(
        "GET /users/1 HTTP/1.1\r\nHost: a\r\nX-Api-Key: {key}\r\n\r\n\
         PATCH /users/1 HTTP/1.1\r\nHost: a\r\nX-Api-Key: {key}\r\nContent-Length: 11\r\n\r\n{{\"state\":3}}\
         DELETE /users/1 HTTP/1.1\r\nHost: a\r\nX-Api-Key: {key}\r\n\r\n\
         POST /users HTTP/1.1\r\nHost: a\r\nX-Api-Key: {key}\r\nContent-Length: 9000000\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(calls.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let statuses: Vec<&str> = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|answer| answer.split(' ').next())
        .collect();
    assert_eq!(statuses, ["200", "200", "204", "413"]);
    assert!(answers.contains("\"state\":3"));
    server.abort();
}

fn settings(address: &str) -> ApplicationSettings {
    ApplicationSettings {
        address: address.parse().unwrap(),
        users: 3,
        api_key: EXAMPLE_API_KEY.to_owned(),
        lifetime: Lifetime::UntilKilled,
    }
}
