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
