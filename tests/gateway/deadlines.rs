//! The time of a request ends before its client gives up.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    application::{ANY_WRITE, Fault, Lost},
    fake_target::Act,
    stage::{Reply, Setup, Stage},
};

/// A slow application, and an operator who allows for it.
fn slow(client: &str) -> Setup {
    Setup::tenant(&format!("[client]\n{client}\n")).with("deadline = \"5s\"", "deadline = \"5m\"")
}

fn title() -> Value {
    json!([{ "op": "replace", "path": "title", "value": "x" }])
}

/// What comes of a change while the application hangs, and how long it takes by the paused clock.
async fn hanging(stage: &Stage, agent: Option<&str>) -> (Reply, Duration) {
    let ask = stage
        .ask("PATCH", "/Users/1")
        .body(crate::stage::patch(title()));
    let ask = match agent {
        Some(agent) => ask.header("user-agent", agent),
        None => ask,
    };
    // The connection is there already: with the clock at rest only the hanging call waits.
    stage.get("/Users/1").await.is(200);
    tokio::time::pause();
    let begun = Instant::now();
    let reply = ask.send().await.is(504);
    let took = begun.elapsed();
    tokio::time::resume();
    (reply, took)
}

async fn with_a_hanging_write(setup: Setup) -> Stage {
    let stage = setup.start().await;
    stage.app.add_users(1);
    stage
        .app
        .plan(ANY_WRITE, 9, Fault::AfterEffect(Lost::Hanging));
    stage
}

#[tokio::test]
async fn a_client_is_answered_before_it_gives_up() {
    for (client, agent, seconds) in [
        ("idp = \"keycloak\"", None, 4),
        ("idp = \"keycloak\"\nstrict = true", None, 4),
        ("idp = \"auto\"", Some("Keycloak/26"), 4),
        (
            "idp = \"keycloak\"\nquirks = { KEYCLOAK-08 = \"off\" }",
            None,
            20,
        ),
        ("idp = \"keycloak\"\nquirks = { R11 = \"off\" }", None, 20),
        // The time for the head of one reply is shorter than what is left for Okta and the others.
        ("idp = \"okta\"", None, 20),
        ("idp = \"auto\"", None, 20),
    ] {
        let stage = with_a_hanging_write(slow(client)).await;
        let (_, took) = hanging(&stage, agent).await;
        let expected = Duration::from_secs(seconds);
        let late = took.saturating_sub(expected);
        assert!(
            took >= expected && late < Duration::from_secs(1),
            "{client} {agent:?}: {took:?}"
        );
    }
}

#[tokio::test]
async fn a_client_never_makes_the_operators_time_longer() {
    for (client, deadline) in [("idp = \"okta\"", "3s"), ("idp = \"keycloak\"", "3s")] {
        let setup = Setup::tenant(&format!("[client]\n{client}\n"))
            .with("deadline = \"5s\"", &format!("deadline = \"{deadline}\""));
        let stage = with_a_hanging_write(setup).await;
        let (_, took) = hanging(&stage, None).await;
        assert!(
            took >= Duration::from_secs(3) && took < Duration::from_secs(4),
            "{took:?}"
        );
    }
}

#[tokio::test]
async fn the_answer_says_what_may_have_happened_and_the_request_can_be_sent_again() {
    let stage = with_a_hanging_write(slow("idp = \"keycloak\"")).await;
    let (reply, _) = hanging(&stage, None).await;
    let detail = reply.body["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("may have been made"), "{detail}");
    assert!(detail.contains("can be sent again"), "{detail}");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    let noted = stage.heard.all().pop().unwrap().exchange.notes.0;
    let ids: Vec<_> = noted.iter().map(|note| note.quirk).collect();
    assert_eq!(ids, ["KEYCLOAK-08"]);
    assert_eq!(
        noted[0].message,
        "given up after 4 s, since the client waits 5 s"
    );

    stage.app.mend();
    stage.app.forget_calls();
    stage.patch("/Users/1", title()).await.is(200);
    assert_eq!(stage.app.writes(), [], "what was done is not done again");
}

#[tokio::test]
async fn where_nothing_was_sent_the_answer_says_so() {
    let stage = slow("idp = \"keycloak\"").start().await;
    stage.app.add_users(1);
    stage.get("/Users/1").await.is(200);
    stage.app.plan("GET", 9, Fault::Before(Act::Hang));
    tokio::time::pause();
    for ask in [
        stage.ask("GET", "/Users/1"),
        stage
            .ask("PATCH", "/Users/1")
            .body(crate::stage::patch(title())),
    ] {
        let reply = ask.send().await.is(504);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains("Nothing was changed."), "{detail}");
    }
}

#[tokio::test]
async fn a_bulk_request_tells_what_it_has_done_when_the_time_is_over() {
    let stage = Setup::tenant("")
        .with("deadline = \"5s\"", "deadline = \"3s\"")
        .start()
        .await;
    stage.app.add_users(20);
    for user in 2..=20 {
        let call = format!("DELETE /users/{user}");
        stage.app.plan(&call, 9, Fault::AfterEffect(Lost::Hanging));
    }
    let operations: Vec<Value> = (1..=20)
        .map(|user| json!({ "method": "DELETE", "path": format!("/Users/{user}") }))
        .collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    stage.get("/Users/1").await.is(200);
    tokio::time::pause();
    let begun = Instant::now();
    let reply = stage.ask("POST", "/Bulk").body(body).send().await.is(200);
    let took = begun.elapsed();
    tokio::time::resume();
    let results = reply.body["Operations"].as_array().unwrap();
    assert_eq!(results.len(), 20);
    let statuses: Vec<&str> = results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses[..3], ["204", "504", "504"]);
    assert_eq!(statuses[19], "503");
    // The request's own limit, not the application's 3 s.
    assert!(
        took > Duration::from_secs(25) && took < Duration::from_secs(31),
        "{took:?}"
    );
}
