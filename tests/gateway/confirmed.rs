//! A 2xx means that the application has it (promises R3, S17): what it shows after a write is held against the wish.

use serde_json::{Value, json};

use crate::stage::{Reply, Setup, Stage};

fn leaver() -> Value {
    json!({ "userName": "ina", "title": "Analyst", "active": false })
}

/// A create that answers nothing, and is read back.
fn reading_back() -> Setup {
    Setup::default().with(
        "call = \"POST /users\"",
        "call = \"POST /users\"\nread-back = true",
    )
}

/// What the exchange of the last request noted.
fn notes(stage: &Stage) -> String {
    let all = stage.heard.all();
    let notes = &all.last().unwrap().exchange.notes.0;
    let notes: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
    notes.join("; ")
}

fn is_no_success(reply: &Reply) {
    assert_eq!(reply.status, 502, "{}", reply.body);
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains("`active`"), "{detail}");
}

#[tokio::test]
async fn s17_a_create_that_ignores_active_is_followed_by_the_update_that_sets_it() {
    for setup in [
        Setup::default().lasting(),
        reading_back(),
        Setup::tenant("[policy]\nactive-is = \"client\""),
    ] {
        let stage = setup.start().await;
        stage.app.ignore("POST", "state");
        let made = stage.post("/Users", leaver()).await.is(201);
        assert_eq!(made.body["active"], json!(false));
        assert_eq!(stage.app.user(1).unwrap()["state"], 3);
        let follow_up = ("PATCH /users/1".to_owned(), json!({ "state": 3 }));
        let writes = stage.app.writes();
        assert_eq!((writes.len(), &writes[1]), (2, &follow_up));
    }
}

#[tokio::test]
async fn a_create_that_regards_active_makes_no_further_call() {
    let stage = Setup::default().start().await;
    stage.post("/Users", leaver()).await.is(201);
    assert_eq!(stage.app.calls(), ["POST /users"]);
}

#[tokio::test]
async fn s17_an_account_that_stays_open_is_no_201_and_the_same_request_finishes_it() {
    for with_restart in [false, true] {
        let mut stage = Setup::default().lasting().start().await;
        stage.app.ignore("POST", "state");
        stage.app.ignore("PATCH", "state");
        is_no_success(&stage.post("/Users", leaver()).await);
        assert_eq!(stage.app.writes().len(), 2, "one follow-up");
        is_no_success(&stage.post("/Users", leaver()).await);
        stage.app.regard_all();
        if with_restart {
            stage.restart().await;
        }
        let made = stage.post("/Users", leaver()).await.is(201);
        assert_eq!(
            (made.id(), &made.body["active"]),
            ("1".into(), &json!(false))
        );
        assert_eq!(stage.app.user(1).unwrap()["state"], 3);
        assert_eq!(stage.app.ids_of("ina").len(), 1);
    }
}

#[tokio::test]
async fn s17_an_update_that_locks_nobody_out_is_no_success_and_counts_as_missing() {
    for policy in ["", "[policy]\nactive-is = \"client\""] {
        let stage = Setup::tenant(policy).start().await;
        let body = json!({ "userName": "ina", "active": true });
        stage.post("/Users", body).await.is(201);
        stage.app.ignore("PATCH", "state");
        let lock = json!([{ "op": "replace", "path": "active", "value": false }]);
        is_no_success(&stage.patch("/Users/1", lock.clone()).await);
        stage.app.regard_all();
        stage.app.forget_calls();
        let reply = stage.patch("/Users/1", lock).await.is(200);
        assert_eq!(reply.body["active"], json!(false), "{policy}");
        assert_eq!(stage.app.user(1).unwrap()["state"], 3, "{policy}");
    }
}

#[tokio::test]
async fn an_account_that_the_application_makes_inactive_by_itself_is_no_failure() {
    let stage = Setup::default().start().await;
    stage.app.ignore("PATCH", "state");
    stage.app.add_user(json!({ "login": "ina", "state": 3 }));
    let open = json!([{ "op": "replace", "path": "active", "value": true }]);
    let reply = stage.patch("/Users/1", open).await.is(200);
    assert_eq!(reply.body["active"], json!(false));
    assert!(notes(&stage).contains("active"), "{}", notes(&stage));
}

#[tokio::test]
async fn what_the_application_shows_otherwise_than_it_was_wished_is_noted_by_name() {
    let stage = reading_back().start().await;
    stage.app.ignore("POST", "title");
    stage.post("/Users", leaver()).await.is(201);
    assert!(
        notes(&stage).ends_with("gave back: title"),
        "{}",
        notes(&stage)
    );
    stage.app.ignore("PATCH", "first");
    let change = json!([
        { "op": "replace", "path": "name.givenName", "value": "Secretive" },
        { "op": "replace", "path": "name.familyName", "value": "Quiet" },
    ]);
    stage.app.change_user(1, "first", json!("Ina"));
    stage.patch("/Users/1", change).await.is(200);
    assert!(
        notes(&stage).ends_with("gave back: name.givenName"),
        "{}",
        notes(&stage)
    );
    assert!(!notes(&stage).contains("Secretive"));
}

#[tokio::test]
async fn what_is_as_it_was_wished_is_not_noted() {
    let stage = reading_back().start().await;
    let body = json!({
        "userName": "INA",
        "name": { "givenName": "Ina", "familyName": "Quiet" },
        "emails": [{ "value": "Ina@corp.example", "type": "work", "primary": true, "display": "x" }],
        "nickName": "I",
        "password": "Correct-horse-9",
        "active": true,
    });
    stage.post("/Users", body).await.is(201);
    assert!(!notes(&stage).contains("gave back"), "{}", notes(&stage));
}
