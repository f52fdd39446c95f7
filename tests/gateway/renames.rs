//! Keys that change: whatever fails after the renaming call, the client's id still names the object.

use serde_json::{Value, json};

use crate::{
    application::{Fault, Lost},
    stage::{Setup, Stage},
};

const GROUP_ID: &str = "id = { from = '$.id', type = \"number\", prefix = \"g-\" }";

/// Groups that the application knows by their name: `old` with the first of three users; and its SCIM id.
async fn named_groups() -> (Stage, u64, String) {
    let by_name = "id = { from = '$.name', stable = false }";
    let stage = Setup::default().with(GROUP_ID, by_name).start().await;
    stage.app.add_users(3);
    let group = stage.app.add_group(json!({ "name": "old" }), [1]);
    let found = "/Groups?filter=displayName%20eq%20%22old%22";
    let found = stage.get(found).await.is(200);
    let id = found.body["Resources"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    stage.app.forget_calls();
    (stage, group, format!("/Groups/{id}"))
}

fn renamed(members: &[&str]) -> Value {
    let members: Value = members.iter().map(|id| json!({ "value": id })).collect();
    json!({ "displayName": "new", "members": members })
}

async fn is_new(stage: &Stage, path: &str) {
    let read = stage.get(path).await.is(200);
    assert_eq!(read.body["displayName"], "new");
}

#[tokio::test]
async fn a_group_that_is_renamed_gets_and_loses_members_under_its_new_key() {
    let (stage, group, path) = named_groups().await;
    stage.put(&path, renamed(&["2"])).await.is(200);
    assert_eq!(stage.app.members(group), [2]);
    let writes = stage.app.writes().into_iter();
    let writes: Vec<String> = writes.map(|(call, _)| call).collect();
    let expected = [
        "PATCH /groups/old",
        "DELETE /groups/new/members/1",
        "POST /groups/new/members",
    ];
    assert_eq!(writes, expected);
    is_new(&stage, &path).await;
}

#[tokio::test]
async fn a_failure_after_the_renaming_call_does_not_lose_the_group() {
    for failing in ["POST /groups/new/members", "DELETE /groups/new/members"] {
        let (stage, group, path) = named_groups().await;
        stage.app.refuse(failing, 1, 500);
        let reply = stage.put(&path, renamed(&["2"])).await;
        assert!(reply.status >= 500, "{}", reply.body);
        is_new(&stage, &path).await;
        stage.put(&path, renamed(&["2"])).await.is(200);
        assert_eq!(stage.app.members(group), [2]);
    }
}

#[tokio::test]
async fn a_renaming_call_whose_answer_is_lost_does_not_lose_the_group() {
    let (stage, group, path) = named_groups().await;
    let lost = Fault::AfterEffect(Lost::Closed);
    stage.app.plan("PATCH /groups/old", 1, lost);
    let reply = stage.put(&path, renamed(&["2"])).await;
    assert!(reply.status >= 500, "{}", reply.body);
    is_new(&stage, &path).await;
    stage.put(&path, renamed(&["2"])).await.is(200);
    assert_eq!(stage.app.members(group), [2]);
}

#[tokio::test]
async fn a_renaming_call_that_is_refused_leaves_the_key_as_it_is() {
    let (stage, _, path) = named_groups().await;
    stage.app.refuse("PATCH /groups/old", 1, 500);
    let reply = stage.put(&path, renamed(&["1"])).await;
    assert!(reply.status >= 500, "{}", reply.body);
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["displayName"], "old");
}

#[tokio::test]
async fn a_failure_after_a_users_renaming_call_does_not_lose_the_user() {
    let stage = Setup::default()
        .with(
            "[user]\nid = { from = '$.id', type = \"number\" }",
            "[user]\nid = { from = '$.login', stable = false }",
        )
        .with(
            "[user.delete]",
            "[user.set-password]\ncall = \"POST /users/{id}/set\"\nbody = { password = \"{password}\" }\nreply = \"none\"\n[user.delete]",
        )
        .start()
        .await;
    stage.app.add_user(json!({ "login": "old", "state": 1 }));
    let found = "/Users?filter=userName%20eq%20%22old%22";
    let found = stage.get(found).await.is(200);
    let path = format!(
        "/Users/{}",
        found.body["Resources"][0]["id"].as_str().unwrap()
    );
    let change =
        json!([{ "op": "replace", "value": { "userName": "new", "password": "Long-enough-1" } }]);
    stage.app.refuse("POST /users/new/set", 1, 500);
    let reply = stage.patch(&path, change.clone()).await;
    assert!(reply.status >= 500, "{}", reply.body);
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["userName"], "new");
    stage.patch(&path, change).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["set"], true);
}

#[tokio::test]
async fn a_new_name_is_remembered_like_one_that_was_created() {
    // The application compares names letter by letter, and would take both.
    let stage = Setup::default().start().await;
    let group = |name: &str| json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
    let alpha = stage.post("/Groups", group("Alpha")).await.is(201).id();
    let rename = |name: &str| json!([{ "op": "replace", "path": "displayName", "value": name }]);
    let path = format!("/Groups/{alpha}");
    stage.patch(&path, rename("Beta")).await.is(200);
    for name in ["beta", "Beta", "BETA"] {
        let refused = stage.post("/Groups", group(name)).await;
        let refused = refused.refused(409, "uniqueness");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("(id {alpha})")), "{detail}");
    }
    // The old name is free, and so is the new one once it is given up.
    let other = stage.post("/Groups", group("alpha")).await.is(201).id();
    assert_ne!(other, alpha);
    stage.patch(&path, rename("Gamma")).await.is(200);
    stage.post("/Groups", group("beta")).await.is(201);
}
