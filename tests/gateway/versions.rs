//! No lost update: a write names the version that was read, and what somebody else changed meanwhile stays.

use serde_json::{Value, json};

use crate::{
    application::{Fault, Versions},
    stage::{Setup, Stage},
};

const UPDATE: &str = "[user.update]\ncall = \"PATCH /users/{id}\"";
const DELETE: &str = "[user.delete]\ncall = \"DELETE /users/{id}\"";

/// A gateway before an application that refuses every write without the right version.
async fn versioned(versions: Versions) -> Stage {
    let if_match = match versions {
        Versions::Field => "if-match = \"{old.rev}\"",
        _ => "if-match = true",
    };
    let rule = "rules  = [{ status = 409, contains = \"not the last one\", is = \"changed\" }, ";
    let stage = Setup::default()
        .with(UPDATE, &format!("{UPDATE}\n{if_match}"))
        .with(DELETE, &format!("{DELETE}\n{if_match}"))
        .with("rules  = [", rule)
        .start()
        .await;
    stage
        .app
        .add_user(json!({ "login": "ada", "first": "Ada", "title": "Analyst", "state": 1 }));
    stage.app.version_users(versions);
    stage
}

/// The calls about the user itself.
fn calls(stage: &Stage) -> Vec<String> {
    let mut calls = stage.app.calls();
    calls.retain(|call| call.ends_with("/users/1"));
    calls
}

fn title(value: &str) -> Value {
    json!([{ "op": "replace", "path": "title", "value": value }])
}

#[tokio::test]
async fn a_write_names_the_version_that_it_was_compared_with() {
    for versions in [Versions::Etag, Versions::Field] {
        let stage = versioned(versions).await;
        stage.patch("/Users/1", title("Dr.")).await.is(200);
        // One read for comparing and for the version; the answer is the reply to the write.
        assert_eq!(
            calls(&stage),
            ["GET /users/1", "PATCH /users/1"],
            "{versions:?}"
        );
        assert_eq!(stage.app.user(1).unwrap()["title"], "Dr.");
        stage.delete("/Users/1").await.is(204);
        assert_eq!(stage.app.user(1), None, "{versions:?}");
    }
}

#[tokio::test]
async fn what_somebody_else_changed_between_reading_and_writing_stays() {
    for versions in [Versions::Etag, Versions::Field] {
        let stage = versioned(versions).await;
        stage
            .app
            .plan("PATCH", 1, Fault::Meanwhile(1, "first", json!("Augusta")));
        let reply = stage.patch("/Users/1", title("Dr.")).await.is(200);
        assert_eq!(reply.body["name"]["givenName"], "Augusta", "{versions:?}");
        let user = stage.app.user(1).unwrap();
        assert_eq!(
            (&user["first"], &user["title"]),
            (&json!("Augusta"), &json!("Dr."))
        );
        assert_eq!(
            calls(&stage),
            [
                "GET /users/1",
                "PATCH /users/1",
                "GET /users/1",
                "PATCH /users/1"
            ]
        );
    }
}

#[tokio::test]
async fn a_change_is_decided_anew_on_what_somebody_else_has_made() {
    let stage = versioned(Versions::Etag).await;
    // The same wish was fulfilled meanwhile: nothing is left to write.
    stage
        .app
        .plan("PATCH", 1, Fault::Meanwhile(1, "title", json!("Dr.")));
    stage.patch("/Users/1", title("Dr.")).await.is(200);
    assert_eq!(
        calls(&stage),
        ["GET /users/1", "PATCH /users/1", "GET /users/1"]
    );
}

#[tokio::test]
async fn a_client_that_names_a_version_is_told_that_it_is_old() {
    let stage = versioned(Versions::Etag).await;
    let version = stage
        .get("/Users/1")
        .await
        .is(200)
        .header("etag")
        .unwrap()
        .to_owned();
    for (method, body) in [("PATCH", Some(title("Dr."))), ("DELETE", None)] {
        let meanwhile = Fault::Meanwhile(1, "first", json!(format!("By {method}")));
        stage.app.plan(method, 1, meanwhile);
        let version = match method {
            "PATCH" => version.clone(),
            _ => stage
                .get("/Users/1")
                .await
                .header("etag")
                .unwrap()
                .to_owned(),
        };
        let ask = stage.ask(method, "/Users/1").header("if-match", &version);
        let ask = match body {
            Some(operations) => ask.body(crate::stage::patch(operations)),
            None => ask,
        };
        ask.send().await.is(412);
        let user = stage.app.user(1).unwrap();
        assert_eq!(user["first"], format!("By {method}"));
        assert_eq!(user["title"], "Analyst");
    }
}

#[tokio::test]
async fn a_delete_goes_on_when_the_client_named_no_version() {
    let stage = versioned(Versions::Etag).await;
    stage
        .app
        .plan("DELETE", 1, Fault::Meanwhile(1, "first", json!("Augusta")));
    stage.delete("/Users/1").await.is(204);
    assert_eq!(stage.app.user(1), None);
}

#[tokio::test]
async fn who_is_always_too_late_is_asked_to_come_back() {
    let stage = versioned(Versions::Etag).await;
    for number in 0..3 {
        let meanwhile = Fault::Meanwhile(1, "first", json!(format!("Ada {number}")));
        stage.app.plan("PATCH", 1, meanwhile);
    }
    let reply = stage.patch("/Users/1", title("Dr.")).await.is(503);
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(stage.app.writes().len(), 3);
    stage.patch("/Users/1", title("Dr.")).await.is(200);
}

#[tokio::test]
async fn a_put_and_a_deactivation_keep_to_it_too() {
    let stage = versioned(Versions::Etag).await;
    stage.app.plan(
        "PATCH",
        1,
        Fault::Meanwhile(1, "mail", json!("a@corp.example")),
    );
    let wish = json!({ "userName": "ada", "name": { "givenName": "Ada" }, "title": "Dr.", "active": false });
    let reply = stage.put("/Users/1", wish).await.is(200);
    // PUT says all: the address that came meanwhile is not in it.
    assert_eq!(reply.body.get("emails"), None);
    let user = stage.app.user(1).unwrap();
    assert_eq!((&user["state"], &user["mail"]), (&json!(3), &Value::Null));
}

/// Operations of their own for the state, which change the version, beside the update; all name it by this.
fn with_state_calls(if_match: &str) -> Setup {
    let state = |name: &str, state: u8| {
        format!(
            "[user.{name}]\ncall = \"PATCH /users/{{id}}\"\nbody = {{ state = {state} }}\n{if_match}\n"
        )
    };
    let calls = format!(
        "{UPDATE}\n{if_match}\n{}{}",
        state("deactivate", 3),
        state("activate", 1)
    );
    Setup::default()
        .with(UPDATE, &calls)
        .with(DELETE, &format!("{DELETE}\n{if_match}"))
        .with(
            "'active'                       = { field = 'state'",
            "'active' = { read = '$.state'",
        )
        .with(
            "rules  = [",
            "rules  = [{ status = 409, contains = \"not the last one\", is = \"changed\" }, ",
        )
}

async fn started(setup: Setup, versions: Versions) -> Stage {
    let stage = setup.start().await;
    stage
        .app
        .add_user(json!({ "login": "ada", "first": "Ada", "title": "Analyst", "state": 1 }));
    stage.app.version_users(versions);
    stage
}

fn locked_and_titled() -> Value {
    json!([
        { "op": "replace", "path": "active", "value": false },
        { "op": "replace", "path": "title", "value": "Dr." },
    ])
}

const TAKEN: &str =
    "[user.get]\ncall = \"GET /users/{id}\"\ntake = { version = { header = \"ETag\" } }";

/// Ways to say the version: the `ETag`, what the object holds, what `get` takes.
fn ways() -> [(Setup, Versions); 3] {
    let get = "[user.get]\ncall = \"GET /users/{id}\"";
    [
        (with_state_calls("if-match = true"), Versions::Etag),
        (
            with_state_calls("if-match = \"{old.rev}\""),
            Versions::Field,
        ),
        (
            with_state_calls("if-match = \"{version}\"").with(get, TAKEN),
            Versions::Etag,
        ),
    ]
}

#[tokio::test]
async fn operations_of_one_request_name_the_version_after_those_before_them() {
    for (setup, versions) in ways() {
        let stage = started(setup, versions).await;
        let version = stage.get("/Users/1").await.is(200);
        let version = version.header("etag").unwrap().to_owned();
        stage.app.forget_calls();
        let ask = stage.ask("PATCH", "/Users/1").header("if-match", &version);
        let reply = ask
            .body(crate::stage::patch(locked_and_titled()))
            .send()
            .await
            .is(200);
        assert_eq!(reply.body["active"], false);
        assert_eq!(reply.body["title"], "Dr.");
        let user = stage.app.user(1).unwrap();
        assert_eq!(
            (&user["state"], &user["title"]),
            (&json!(3), &json!("Dr.")),
            "{versions:?}"
        );
        let writes = stage.app.writes();
        assert_eq!(writes.len(), 2, "{versions:?}: {writes:?}");
        // Who changes one thing alone pays for no further read.
        stage.app.forget_calls();
        stage.patch("/Users/1", title("Prof.")).await.is(200);
        assert_eq!(
            calls(&stage),
            ["GET /users/1", "PATCH /users/1"],
            "{versions:?}"
        );
        stage.delete("/Users/1").await.is(204);
        assert_eq!(stage.app.user(1), None, "{versions:?}");
    }
}

#[tokio::test]
async fn a_change_of_somebody_else_between_two_operations_is_not_the_clients_old_version() {
    for (setup, versions) in ways() {
        let stage = started(setup, versions).await;
        let meanwhile = Fault::Meanwhile(1, "first", json!("Augusta"));
        stage.app.plan_after(1, "PATCH", meanwhile.clone());
        // Without a version of the client's: worked out again.
        stage.patch("/Users/1", locked_and_titled()).await.is(200);
        let user = stage.app.user(1).unwrap();
        assert_eq!(
            (&user["state"], &user["title"], &user["first"]),
            (&json!(3), &json!("Dr."), &json!("Augusta")),
            "{versions:?}"
        );
        // With one: a part was made, so 412 would be untrue.
        stage.app.change_user(1, "state", json!(1));
        stage.app.change_user(1, "title", json!("Analyst"));
        let version = stage.get("/Users/1").await.is(200);
        let version = version.header("etag").unwrap().to_owned();
        stage
            .app
            .plan_after(1, "PATCH", Fault::Meanwhile(1, "first", json!("Ada")));
        let ask = stage.ask("PATCH", "/Users/1").header("if-match", &version);
        let reply = ask
            .body(crate::stage::patch(locked_and_titled()))
            .send()
            .await
            .is(503);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("A part of the change was made"),
            "{detail}"
        );
        assert_eq!(stage.app.user(1).unwrap()["state"], 3);
    }
}

#[tokio::test]
async fn a_later_step_names_the_version_after_the_earlier_ones() {
    let get = "[user.get]\ncall = \"GET /users/{id}\"";
    for (if_match, versions) in [
        ("if-match = true", Versions::Etag),
        ("if-match = \"{version}\"", Versions::Etag),
        ("if-match = \"{old.rev}\"", Versions::Field),
    ] {
        let steps = format!(
            "[user.deactivate]\nsteps = [\"GET /users/{{id}}/groups\", \"POST /users/{{id}}/end-sessions\", {{ call = \"PATCH /users/{{id}}\", body = {{ state = 3 }} }}]\n{if_match}"
        );
        let steps =
            format!("{steps}\n[user.activate]\ncall = \"POST /users/{{id}}/unlock\"\n{UPDATE}");
        let setup = Setup::default().with(UPDATE, &steps).with(get, TAKEN);
        let stage = started(setup, versions).await;
        let change = json!([{ "op": "replace", "path": "active", "value": false }]);
        stage.patch("/Users/1", change).await.is(200);
        let user = stage.app.user(1).unwrap();
        assert_eq!(
            (&user["state"], &user["end-sessions"]),
            (&json!(3), &json!(true)),
            "{if_match}"
        );
        assert_eq!(stage.app.writes().len(), 2, "{if_match}");
        // A read of something else has no version to name.
        let seen = stage
            .app
            .seen()
            .into_iter()
            .find(|seen| seen.path.ends_with("/groups"));
        assert_eq!(seen.unwrap().header("If-Match"), None);
    }
}

#[tokio::test]
async fn a_version_may_come_with_another_step_than_the_object() {
    let get = "[user.get]\ncall = \"GET /users/{id}\"";
    let steps = "[user.get]\nobject = '$.items[0]'\nsteps = [\n\
        { call = \"GET /users/{id}\", into = 'own', take = { version = { header = \"ETag\" } } },\n\
        \"GET /users?id={id}\",\n]";
    let stage = started(
        with_state_calls("if-match = \"{version}\"").with(get, steps),
        Versions::Etag,
    )
    .await;
    stage.patch("/Users/1", locked_and_titled()).await.is(200);
    let user = stage.app.user(1).unwrap();
    assert_eq!((&user["state"], &user["title"]), (&json!(3), &json!("Dr.")));
}

#[tokio::test]
async fn what_is_sent_back_whole_does_not_undo_what_was_done_before() {
    let merged = format!("{UPDATE}\nsend = \"merged\"");
    let stage = started(with_state_calls("").with(UPDATE, &merged), Versions::None).await;
    stage.patch("/Users/1", locked_and_titled()).await.is(200);
    let user = stage.app.user(1).unwrap();
    assert_eq!((&user["state"], &user["title"]), (&json!(3), &json!("Dr.")));
}
