//! What a deactivation takes away comes back with the activation.

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

const UPDATE: &str = "[user.update]\ncall = \"PATCH /users/{id}\"";

/// An application without a flag for the state: who has no roles cannot log in.
fn by_roles(deactivate: &str) -> Setup {
    let calls = format!(
        "{UPDATE}\n[user.deactivate]\n{deactivate}\nstash = {{ roles = \"{{old.roles}}\", team = \"{{old.team}}\" }}\n\
         [user.activate]\ncall = \"PATCH /users/{{id}}\"\nbody = {{ roles = \"{{stash.roles | default(['guest'])}}\", team = \"{{stash.team}}\" }}\n"
    );
    Setup::default()
        .with(UPDATE, &calls)
        .with(
            "'active'                       = { field = 'state', values = { true = 1, false = 3 } }",
            "'active' = { read = \"{(roles | length) > 0}\" }",
        )
        .lasting()
}

const ONE_CALL: &str = "call = \"PATCH /users/{id}\"\nbody = { roles = [], team = \"{null}\" }";
const TWO_CALLS: &str = "steps = [{ call = \"PATCH /users/{id}\", body = { roles = [], team = \"{null}\" } }, \"POST /users/{id}/end-sessions\"]\nreply = \"none\"";

async fn started(deactivate: &str) -> Stage {
    let stage = by_roles(deactivate).start().await;
    stage.app.add_user(
        json!({ "login": "ada", "title": "Analyst", "team": "north", "roles": ["author", "editor"] }),
    );
    stage
}

fn active(state: bool) -> Value {
    json!([{ "op": "replace", "path": "active", "value": state }])
}

fn roles(stage: &Stage) -> Value {
    stage.app.user(1).unwrap()["roles"].clone()
}

#[tokio::test]
async fn what_a_deactivation_takes_away_comes_back_with_the_activation() {
    for deactivate in [ONE_CALL, TWO_CALLS] {
        let mut stage = started(deactivate).await;
        let reply = stage.patch("/Users/1", active(false)).await.is(200);
        assert_eq!(reply.body["active"], false);
        assert_eq!(roles(&stage), json!([]));
        // Other changes meanwhile, and a restart, leave it alone; the client sees nothing of it.
        let title = json!([{ "op": "replace", "path": "title", "value": "Dr." }]);
        stage.patch("/Users/1", title).await.is(200);
        stage.restart().await;
        let shown = stage.get("/Users/1").await.is(200);
        assert!(!shown.body.to_string().contains("author"), "{}", shown.body);
        let reply = stage.patch("/Users/1", active(true)).await.is(200);
        assert_eq!(reply.body["active"], true);
        assert_eq!(roles(&stage), json!(["author", "editor"]));
        assert_eq!(stage.app.user(1).unwrap()["team"], "north");
    }
}

#[tokio::test]
async fn a_deactivation_that_stopped_halfway_does_the_rest_and_keeps_what_it_took() {
    let mut stage = started(TWO_CALLS).await;
    stage.app.refuse("POST /users/1/end-sessions", 1, 500);
    let reply = stage.patch("/Users/1", active(false)).await;
    assert!(reply.status >= 500, "{}", reply.body);
    assert_eq!(roles(&stage), json!([]));
    stage.restart().await;
    stage.patch("/Users/1", active(false)).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["end-sessions"], true);
    stage.patch("/Users/1", active(true)).await.is(200);
    assert_eq!(roles(&stage), json!(["author", "editor"]));
}

#[tokio::test]
async fn an_activation_that_failed_is_made_by_the_same_request() {
    let stage = started(ONE_CALL).await;
    stage.patch("/Users/1", active(false)).await.is(200);
    let fault = Fault::Before(Act::Say(Answer::empty(500)));
    stage.app.plan("PATCH /users/1", 1, fault);
    assert!(stage.patch("/Users/1", active(true)).await.status >= 500);
    stage.patch("/Users/1", active(true)).await.is(200);
    assert_eq!(roles(&stage), json!(["author", "editor"]));
}

#[tokio::test]
async fn nobody_gets_back_what_was_taken_at_another_time() {
    let stage = started(ONE_CALL).await;
    stage.patch("/Users/1", active(false)).await.is(200);
    // Somebody opens the account in the application, with less.
    stage.app.change_user(1, "roles", json!(["guest"]));
    stage.patch("/Users/1", active(false)).await.is(200);
    stage.patch("/Users/1", active(true)).await.is(200);
    assert_eq!(roles(&stage), json!(["guest"]));
    // What was given back is not kept; who was never deactivated through here gets what the mapping says.
    stage.app.change_user(1, "roles", json!([]));
    stage.patch("/Users/1", active(true)).await.is(200);
    assert_eq!(roles(&stage), json!(["guest"]));
}
