//! A step with `remember` is answered from memory: for its time, until something is written that it may be about, and never
//! against what the application says.

use serde_json::{Value, json};

use crate::stage::{Setup, Stage};

const REMOVE: &str =
    "remove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }";

/// Members are removed by a number of their own, which is looked up. Users 1 to 3, in groups 4 and 5.
async fn stage(remember: &str, more: &str) -> Stage {
    let by_number = format!(
        "remove = {{ steps = [{{ call = \"GET /users/{{member}}\", take = {{ number = '$.badge' }}{remember} }}, \
         {{ call = \"DELETE /groups/{{group}}/members/{{number}}\", tolerate = [404] }}] }}"
    );
    let mut setup = Setup::tenant(more).with(REMOVE, &by_number);
    setup.app = setup.app.replace("deadline = \"5s\"", "deadline = \"9s\"");
    let stage = setup.start().await;
    for (name, badge) in [("ada", 1), ("bob", 2), ("eve", 3)] {
        stage
            .app
            .add_user(json!({ "login": name, "badge": badge, "state": 1 }));
    }
    for name in ["north", "south"] {
        stage.app.add_group(json!({ "name": name }), 1..=3);
    }
    stage
}

const MINUTE: &str = ", remember = \"1m\"";

async fn leave(stage: &Stage, group: u64, user: u64) {
    let change = json!([{ "op": "remove", "path": format!("members[value eq \"{user}\"]") }]);
    let reply = stage.patch(&format!("/Groups/g-{group}"), change).await;
    assert!(matches!(reply.status, 200 | 204), "{}", reply.body);
}

fn asked(stage: &Stage, user: u64) -> usize {
    let call = format!("GET /users/{user}");
    stage
        .app
        .calls()
        .iter()
        .filter(|made| **made == call)
        .count()
}

#[tokio::test]
async fn what_was_looked_up_is_not_asked_again() {
    for (remember, expected) in [(MINUTE, 1), ("", 2)] {
        let stage = stage(remember, "").await;
        leave(&stage, 4, 1).await;
        leave(&stage, 5, 1).await;
        assert_eq!(asked(&stage, 1), expected, "{remember}");
        assert_eq!(stage.app.members(4), [2, 3]);
        assert_eq!(stage.app.members(5), [2, 3]);
    }
}

#[tokio::test]
async fn a_write_to_a_user_makes_it_be_asked_again_and_a_new_user_does_not() {
    let stage = stage(MINUTE, "").await;
    leave(&stage, 4, 1).await;
    let dan =
        json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "dan" });
    stage.post("/Users", dan).await.is(201);
    leave(&stage, 5, 1).await;
    assert_eq!(asked(&stage, 1), 1);

    let title = json!([{ "op": "replace", "path": "title", "value": "Analyst" }]);
    stage.patch("/Users/2", title).await.is(200);
    stage.app.forget_calls();
    leave(&stage, 5, 1).await;
    assert_eq!(asked(&stage, 1), 1);
}

#[tokio::test]
async fn what_the_application_contradicts_is_asked_again_at_once() {
    let stage = stage(MINUTE, "").await;
    leave(&stage, 4, 1).await;
    stage.app.forget_calls();
    // Ada's number is another one now, and that is tolerated as "gone already" if the old one is sent.
    stage.app.change_user(1, "badge", json!(3));
    leave(&stage, 4, 1).await;
    assert_eq!(asked(&stage, 1), 1, "{:?}", stage.app.calls());
    assert_eq!(stage.app.members(4), [2]);
}

#[tokio::test]
async fn an_answer_without_what_is_taken_is_not_remembered() {
    let stage = stage(MINUTE, "").await;
    stage.app.change_user(1, "badge", Value::Null);
    let leave_north = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
    stage.patch("/Groups/g-4", leave_north).await;
    stage.app.change_user(1, "badge", json!(1));
    leave(&stage, 4, 1).await;
    assert_eq!(stage.app.members(4), [2, 3]);
}

#[tokio::test]
async fn the_memory_is_bounded() {
    let one = "[target.budget]\nremembered = 1\n";
    let stage = stage(MINUTE, one).await;
    leave(&stage, 4, 1).await;
    leave(&stage, 4, 2).await;
    leave(&stage, 5, 1).await;
    assert_eq!(asked(&stage, 1), 2);
    assert_eq!(asked(&stage, 2), 1);
}

#[tokio::test]
async fn one_tenants_memory_is_not_anothers() {
    let tenants = ["acme", "other"].map(|name| (name.to_owned(), String::new()));
    let by_number = format!(
        "remove = {{ steps = [{{ call = \"GET /users/{{member}}\", take = {{ number = '$.badge' }}{MINUTE} }}, \
         {{ call = \"DELETE /groups/{{group}}/members/{{number}}\", tolerate = [404] }}] }}"
    );
    let setup = Setup {
        tenants: tenants.to_vec(),
        ..Setup::default()
    };
    let stage = setup.with(REMOVE, &by_number).start().await;
    for (app, badge) in stage.apps.iter().zip([1, 2]) {
        app.add_user(json!({ "login": "ada", "badge": badge, "state": 1 }));
        app.add_user(json!({ "login": "bob", "badge": badge, "state": 1 }));
        app.add_group(json!({ "name": "north" }), 1..=2);
    }
    let change =
        crate::stage::patch(json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]));
    for tenant in ["acme", "other"] {
        let ask = stage.ask("PATCH", "/Groups/g-3").by(tenant);
        ask.body(change.clone()).send().await.is(200);
    }
    assert_eq!(stage.apps[0].members(3), [2]);
    assert_eq!(stage.apps[1].members(3), [1]);
}
