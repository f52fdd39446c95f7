//! What the application's troubles look like to the client.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    application::{ANY_WRITE, Fault, Lost, html},
    fake_target::{Act, Answer},
    stage::{Reply, Setup, Stage},
};

/// A stage with user 1 (ada), user 2 (bob) and group 3 (staff, with bob in it).
async fn staffed(setup: Setup) -> Stage {
    let stage = setup.start().await;
    stage
        .app
        .add_user(json!({ "login": "ada", "mail": "ada@corp.example", "state": 1 }));
    stage
        .app
        .add_user(json!({ "login": "bob", "mail": "bob@corp.example", "state": 1 }));
    stage.app.add_group(json!({ "name": "staff" }), [2]);
    stage
}

fn member(id: &str) -> Value {
    json!([{ "value": id }])
}

/// What a client asks, and the call that goes wrong.
const OPERATIONS: [(&str, &str); 13] = [
    ("list", "GET /users?"),
    ("list, members", "GET /groups/3/members"),
    ("list, groups", "GET /users/1/groups"),
    ("find", "GET /users?login"),
    ("get", "GET /users/1"),
    ("create", "POST /users"),
    ("patch", "PATCH /users/1"),
    ("patch, reading", "GET /users/1"),
    ("replace", "PATCH /users/1"),
    ("delete", "DELETE /users/1"),
    ("add member", "POST /groups/3/members"),
    ("remove member", "DELETE /groups/3/members"),
    ("read members", "GET /groups/3/members"),
];

async fn perform(stage: &Stage, operation: &str) -> Reply {
    let title = json!([{ "op": "replace", "path": "title", "value": "Analyst" }]);
    match operation {
        "list" => stage.get("/Users").await,
        "list, members" => stage.get("/Groups").await,
        "list, groups" => stage.get("/Users?attributes=userName,groups").await,
        "find" => stage.get("/Users?filter=userName%20eq%20%22ada%22").await,
        "get" => stage.get("/Users/1").await,
        "create" => stage.post("/Users", json!({ "userName": "eve" })).await,
        "patch" | "patch, reading" => stage.patch("/Users/1", title).await,
        "replace" => {
            stage
                .put("/Users/1", json!({ "userName": "ada", "title": "Dr." }))
                .await
        }
        "delete" => stage.delete("/Users/1").await,
        "add member" => {
            let add = json!([{ "op": "add", "path": "members", "value": member("1") }]);
            stage.patch("/Groups/g-3", add).await
        }
        "remove member" => {
            let remove = json!([{ "op": "remove", "path": "members[value eq \"2\"]" }]);
            stage.patch("/Groups/g-3", remove).await
        }
        _ => stage.get("/Groups/g-3").await,
    }
}

/// The answers of the application that are tried; 429 comes with the time to wait.
fn answers() -> Vec<(&'static str, Answer)> {
    let mut answers = vec![("200 html", html(200, "<html>Log in</html>"))];
    for (name, status) in [
        ("301", 301),
        ("302", 302),
        ("307", 307),
        ("400", 400),
        ("401", 401),
        ("403", 403),
        ("404", 404),
        ("405", 405),
        ("408", 408),
        ("409", 409),
        ("410", 410),
        ("412", 412),
        ("415", 415),
        ("418", 418),
        ("422", 422),
        ("500", 500),
        ("501", 501),
        ("502", 502),
        ("503", 503),
        ("504", 504),
    ] {
        let answer = Answer::json(status, json!({ "message": "no" }));
        answers.push((
            name,
            answer.header("Location", "http://127.0.0.1:1/elsewhere"),
        ));
    }
    // From then on everything waits.
    let slow_down = Answer::json(429, json!({})).header("Retry-After", "30");
    answers.push(("429", slow_down));
    answers
}

#[tokio::test]
async fn r7_status_table() {
    let mut table = String::new();
    for (operation, call) in OPERATIONS {
        let stage = staffed(Setup::default()).await;
        for (name, answer) in answers() {
            stage.app.plan(call, 9, Fault::Before(Act::Say(answer)));
            let reply = perform(&stage, operation).await;
            stage.app.mend();
            // The application is well otherwise, so that it is not left alone for a while.
            for _ in 0..3 {
                let other = stage.get("/Users/2").await;
                assert!(name == "429" || other.status == 200, "{other:?}");
            }
            let is_of_the_client = matches!(reply.status, 401 | 403)
                || (reply.status == 404 && operation.starts_with("list"))
                || (reply.status == 404 && operation == "find");
            assert!(
                !is_of_the_client,
                "{operation} {name}: Entra would quarantine the customer"
            );
            if matches!(reply.status, 429 | 503 | 504) {
                let wait = reply
                    .header("retry-after")
                    .and_then(|wait| wait.parse::<u64>().ok());
                assert!(
                    wait.is_some_and(|wait| wait > 0),
                    "{operation} {name}: {reply:?}"
                );
            }
            let kind = reply.body["scimType"].as_str().unwrap_or_default();
            let line = format!("{operation:14} {name:8} -> {} {kind}", reply.status);
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn r8_a_query_without_a_match_is_an_empty_list() {
    let stage = staffed(Setup::default()).await;
    for filter in [
        "userName%20eq%20%22nobody%22",
        "externalId%20eq%20%22nobody%22",
        "id%20eq%20%22999%22",
        "id%20eq%20%22no-number%22",
        "title%20eq%20%22nothing%22",
        "groups.value%20eq%20%22g-999%22",
    ] {
        let reply = stage.get(&format!("/Users?filter={filter}")).await.is(200);
        assert_eq!(reply.body["totalResults"], 0, "{filter}: {}", reply.body);
        assert_eq!(
            reply.body["schemas"][0],
            "urn:ietf:params:scim:api:messages:2.0:ListResponse"
        );
    }
}

#[tokio::test]
async fn r8_a_search_that_the_application_answers_404_finds_nothing() {
    let stage = staffed(Setup::default()).await;
    stage.app.refuse("GET /users?login", 9, 404);
    let reply = stage
        .get("/Users?filter=userName%20eq%20%22x%22")
        .await
        .is(200);
    assert_eq!(reply.body["totalResults"], 0);
}

/// A write of several calls, and how the application looks when it is done.
struct Writing {
    name: &'static str,
    setup: fn() -> Setup,
    ask: fn(&Stage) -> crate::stage::Ask,
    is_done: fn(&Stage) -> bool,
}

const DEACTIVATION: &str = "
[user.deactivate]
steps = [
  { call = \"POST /users/{id}/lock\" },
  { call = \"POST /users/{id}/end-sessions\" },
  { call = \"POST /users/{id}/revoke-tokens\" },
]
[user.activate]
call = \"POST /users/{id}/unlock\"
";

fn writings() -> [Writing; 5] {
    [
        Writing {
            name: "a deletion that is a deactivation",
            setup: || {
                let policy = "[policy]\non-delete = \"deactivate\"\n";
                Setup::tenant(&format!("{DEACTIVATION}{policy}"))
            },
            ask: |stage| stage.ask("DELETE", "/Users/1"),
            is_done: |stage| {
                let ada = stage.app.user(1).unwrap();
                ada["state"] == 3 && ada["end-sessions"] == true && ada["revoke-tokens"] == true
            },
        },
        Writing {
            name: "a deactivation of three calls",
            setup: || Setup::tenant(DEACTIVATION),
            ask: |stage| {
                let off = json!([{ "op": "replace", "path": "active", "value": false }]);
                stage
                    .ask("PATCH", "/Users/1")
                    .body(crate::stage::patch(off))
            },
            is_done: |stage| {
                let ada = stage.app.user(1).unwrap();
                ada["state"] == 3 && ada["end-sessions"] == true && ada["revoke-tokens"] == true
            },
        },
        Writing {
            name: "a change of state and name",
            setup: || Setup::tenant(DEACTIVATION),
            ask: |stage| {
                let body =
                    json!({ "userName": "ada", "name": { "givenName": "A" }, "active": false });
                stage.ask("PUT", "/Users/1").body(body)
            },
            is_done: |stage| {
                let ada = stage.app.user(1).unwrap();
                ada["state"] == 3 && ada["revoke-tokens"] == true && ada["first"] == "A"
            },
        },
        Writing {
            name: "a group with a new name and other members",
            setup: Setup::default,
            ask: |stage| {
                let body = json!({ "displayName": "crew", "members": [{ "value": "1" }] });
                stage.ask("PUT", "/Groups/g-3").body(body)
            },
            is_done: |stage| {
                stage.app.group(3).unwrap()["name"] == "crew" && stage.app.members(3) == [1]
            },
        },
        Writing {
            name: "a new group with two members",
            setup: Setup::default,
            ask: |stage| {
                let members = json!([{ "value": "1" }, { "value": "2" }]);
                let body = json!({ "displayName": "crew", "members": members });
                stage.ask("POST", "/Groups").body(body)
            },
            is_done: |stage| {
                let crew = (4..9).find(|id| stage.app.group(*id).is_some());
                crew.is_some_and(|id| stage.app.members(id) == [1, 2])
            },
        },
    ]
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::Before(Act::Close),
        Fault::Before(Act::Hang),
        Fault::Before(Act::Say(Answer::json(500, json!({})))),
        Fault::AfterEffect(Lost::Closed),
        Fault::AfterEffect(Lost::Hanging),
    ]
}

#[tokio::test]
async fn r3_a_write_that_is_not_whole_is_never_acknowledged_and_the_same_request_finishes_it() {
    for writing in &writings() {
        let stage = staffed((writing.setup)()).await;
        let reply = (writing.ask)(&stage).send().await;
        let is_done = (writing.is_done)(&stage);
        assert!(reply.status < 300 && is_done, "{}: {reply:?}", writing.name);
        let count = stage.app.writes().len();
        let mut cases = Vec::new();
        for number in 0..count {
            for fault in faults() {
                let stage = staffed(impatient((writing.setup)())).await;
                cases.push((format!("{}, call {number}, {fault:?}", writing.name), stage));
                let (_, stage) = &cases[cases.len() - 1];
                stage.app.plan_after(number, ANY_WRITE, fault);
            }
        }
        let cases = cases
            .iter()
            .map(|(name, stage)| fail_and_repeat(writing, name, stage));
        futures_util::future::join_all(cases).await;
    }
}

async fn fail_and_repeat(writing: &Writing, name: &str, stage: &Stage) {
    let reply = (writing.ask)(stage).send().await;
    assert!(
        reply.status >= 500,
        "{name}: {} {}",
        reply.status,
        reply.body
    );
    stage.app.mend();
    let reply = (writing.ask)(stage).send().await;
    assert!(
        reply.status < 300,
        "{name}: {} {}",
        reply.status,
        reply.body
    );
    assert!((writing.is_done)(stage), "{name}: {:?}", stage.app.writes());
}

/// Waits for the application no longer than a test wants to.
fn impatient(setup: Setup) -> Setup {
    setup.with("deadline = \"5s\"", "deadline = \"1s\"")
}

#[tokio::test]
async fn r5_every_request_is_answered_before_the_deadline_whatever_hangs() {
    let mut cases = Vec::new();
    for (operation, call) in OPERATIONS {
        let stage = staffed(impatient(Setup::default())).await;
        stage.app.plan(call, 9, Fault::Before(Act::Hang));
        cases.push((operation, stage));
    }
    let cases = cases.iter().map(async |(operation, stage)| {
        let start = Instant::now();
        let reply = perform(stage, operation).await;
        assert_eq!(reply.status, 504, "{operation}: {}", reply.body);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(3), "{operation}: {took:?}");
    });
    futures_util::future::join_all(cases).await;
}

#[tokio::test]
async fn r2_a_write_that_may_have_arrived_is_not_sent_again_by_itself() {
    let writes = ["create", "patch", "delete", "add member", "remove member"];
    let mut cases = Vec::new();
    let operations = OPERATIONS.into_iter();
    for (operation, call) in operations.filter(|(name, _)| writes.contains(name)) {
        for fault in faults() {
            let stage = staffed(impatient(Setup::default())).await;
            stage.app.plan(call, 9, fault.clone());
            cases.push((operation, fault, stage));
        }
    }
    let cases = cases.iter().map(async |(operation, fault, stage)| {
        let reply = perform(stage, operation).await;
        assert!(reply.status >= 500, "{operation} {fault:?}: {}", reply.body);
        let writes = stage.app.writes();
        assert_eq!(writes.len(), 1, "{operation} {fault:?}: {writes:?}");
    });
    futures_util::future::join_all(cases).await;
}

#[tokio::test]
async fn r6_an_application_that_is_down_is_left_alone_and_found_again() {
    let stage = staffed(Setup::default()).await;
    stage.app.plan("GET", 1000, Fault::Before(Act::Reset));
    for _ in 0..5 {
        stage.get("/Users/1").await.is(503);
    }
    stage.app.forget_calls();
    let reply = stage.get("/Users/1").await.is(503);
    let wait = reply.header("retry-after").unwrap().parse::<u64>().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    stage
        .post("/Users", json!({ "userName": "new" }))
        .await
        .is(503);
    assert!(stage.app.calls().is_empty(), "{:?}", stage.app.calls());
    stage.app.mend();
    let start = Instant::now();
    while stage.get("/Users/1").await.status != 200 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "it is not found again"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Nothing was begun meanwhile.
    stage
        .post("/Users", json!({ "userName": "new" }))
        .await
        .is(201);
    assert_eq!(stage.app.ids_of("new").len(), 1);
}

#[tokio::test]
async fn a_502_says_what_was_wrong_and_where_and_the_record_of_it_which_call_failed() {
    for (answer, words, status, by) in [
        (
            html(200, "<html>log in</html>"),
            "its reply is no JSON (text/html) (`user.get`).",
            200,
            "which is no data",
        ),
        (
            Answer::json(401, json!({})),
            "own credential for this; its operator must look at it (`user.get`).",
            401,
            "its status",
        ),
        (
            Answer::json(500, json!({})),
            "The application failed (`user.get`: `GET /users/{id}` was answered 500).",
            500,
            "its status",
        ),
    ] {
        let stage = staffed(Setup::default()).await;
        stage
            .app
            .plan("GET /users/1", 3, Fault::Before(Act::Say(answer)));
        let reply = stage.get("/Users/1").await.is(502);
        let detail = reply.body["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with(words), "{detail}");
        let finished = stage.heard.all();
        let call = finished[0].exchange.calls.last().unwrap().clone();
        assert_eq!(
            (call.status, &*call.template),
            (Some(status), "GET /users/{id}")
        );
        let judged = call.judged.unwrap();
        assert!(judged.by.contains(by) && !judged.is_done, "{judged:?}");
    }
}

#[tokio::test]
async fn a_reply_without_the_etag_that_an_update_needs_is_told_with_the_operations_name() {
    let setup = Setup::default().with(
        "call = \"PATCH /users/{id}\"",
        "call = \"PATCH /users/{id}\"\nif-match = true",
    );
    let stage = staffed(setup).await;
    let title = json!([{ "op": "replace", "path": "title", "value": "Analyst" }]);
    let reply = stage.patch("/Users/1", title).await.is(502);
    let detail = reply.body["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("`ETag`") && detail.ends_with("(`user.update`)."),
        "{detail}"
    );
    let finished = stage.heard.all();
    let trouble = finished[0].exchange.trouble.clone().unwrap();
    assert_eq!(trouble.operation, "user.update");
    assert!(trouble.cause.contains("ETag"), "{trouble:?}");
}
