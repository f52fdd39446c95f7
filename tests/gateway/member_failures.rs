//! Changes of members that are done in part: what is told is so, and the same request again does the rest.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    application::{Fault, Lost},
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

const ADD: &str =
    "add    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }";

fn batches(more: &str) -> Setup {
    let call = format!(
        "add = {{ call = \"POST /groups/{{group}}/members\", batch = 2, body = {{ user_ids = \"{{members}}\" }}{more} }}"
    );
    Setup::default().with(ADD, &call)
}

/// So many users, and a group.
async fn with_group(setup: Setup, users: u64) -> (Stage, u64) {
    let stage = setup.start().await;
    stage.app.add_users(users);
    let group = stage.app.add_group(json!({ "name": "team" }), []);
    (stage, group)
}

fn add(ids: impl IntoIterator<Item = u64>) -> Value {
    let values = ids.into_iter().map(|id| json!({ "value": id.to_string() }));
    json!([{ "op": "add", "path": "members", "value": values.collect::<Value>() }])
}

/// The next change of members is answered so, whatever it does.
fn say(stage: &Stage, group: u64, status: u16, body: Value) {
    let call = format!("POST /groups/{group}/members");
    let answer = Fault::Before(Act::Say(Answer::json(status, body)));
    stage.app.plan(&call, 1, answer);
}

#[tokio::test]
async fn a_reply_with_a_status_for_each_member_is_compared_with_the_group() {
    let results = json!({ "results": [{ "id": 1, "status": 204 }, { "id": 2, "status": 422 }] });
    for (done, left) in [(vec![1, 2], 0), (vec![1], 1), (vec![], 2)] {
        let (stage, group) = with_group(batches(""), 2).await;
        let path = format!("/Groups/g-{group}");
        stage.app.set_members(group, done);
        say(&stage, group, 207, results.clone());
        let reply = stage.patch(&path, add([1, 2])).await;
        if left == 0 {
            reply.is(200);
        } else {
            let reply = reply.refused(400, "invalidValue");
            let detail = reply.body["detail"].as_str().unwrap();
            let words = format!("{left} of these members");
            assert!(
                detail.starts_with(&words) && detail.contains("207"),
                "{detail}"
            );
        }
        stage.patch(&path, add([1, 2])).await.is(200);
        assert_eq!(stage.app.members(group), [1, 2]);
    }
}

#[tokio::test]
async fn a_rule_says_what_a_status_for_each_member_means() {
    let (stage, group) = with_group(batches(", rules = [{ status = 207, is = \"ok\" }]"), 2).await;
    say(&stage, group, 207, json!({}));
    stage.app.forget_calls();
    let entra = "Azure-AD-SCIM/1.0";
    let request = stage
        .ask("PATCH", &format!("/Groups/g-{group}"))
        .header("user-agent", entra)
        .body(crate::stage::patch(add([1, 2])));
    assert!(request.send().await.status < 300);
    assert_eq!(stage.app.writes().len(), 1);
}

#[tokio::test]
async fn failures_in_a_success_are_told_in_the_applications_words() {
    let rules = ", rules = [{ when = \"(failed | length) > 0\", is = \"invalid-value\", say = \"{failed | values('why') | join('; ')}\" }]";
    let (stage, group) = with_group(batches(rules), 3).await;
    let path = format!("/Groups/g-{group}");
    stage.patch(&path, add([3])).await.is(200);
    say(
        &stage,
        group,
        200,
        json!({ "failed": [{ "id": 2, "why": "user2 has no licence" }] }),
    );
    let reply = stage.patch(&path, add([1, 2])).await;
    let reply = reply.refused(400, "invalidValue");
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains("user2 has no licence"), "{detail}");
    stage.patch(&path, add([1, 2])).await.is(200);
    assert_eq!(stage.app.members(group), [1, 2, 3]);
}

/// More members than the time of a request allows: every repetition comes further, until all are in.
#[tokio::test]
async fn a_repetition_makes_what_there_was_no_time_for() {
    for tenant in ["", "[client]\nidp = \"entra\"\n"] {
        let setup = Setup::tenant(tenant)
            .with("deadline = \"5s\"", "deadline = \"1s\"")
            .with(ADD, &format!("unknown = \"refused\"\n{ADD}"));
        let (stage, group) = with_group(setup, 120).await;
        let path = format!("/Groups/g-{group}");
        let call = format!("POST /groups/{group}/members");
        let late = Fault::AfterEffect(Lost::Late(Duration::from_millis(200)));
        stage.app.plan(&call, usize::MAX, late);
        let mut before = 0;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let reply = stage.patch(&path, add(1..=120)).await;
            let now = stage.app.members(group).len();
            if reply.status < 300 {
                assert_eq!(now, 120);
                break;
            }
            let reply = reply.is(504);
            let detail = reply.body["detail"].as_str().unwrap();
            assert!(detail.contains("sent again"), "{detail}");
            assert!(now > before, "attempt {attempts} came no further: {detail}");
            before = now;
        }
        assert!(attempts > 1, "there was time for all");
        // One more costs what it did before.
        stage.app.mend();
        stage.app.add_users(1);
        stage.app.forget_calls();
        stage.patch(&path, add([122])).await;
        let calls = stage.app.calls();
        assert!(calls.len() <= 3, "{calls:?}");
        assert!(stage.app.members(group).contains(&122));
    }
}
