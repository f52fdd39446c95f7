//! Keys that change: whatever fails after the renaming call, the client's id still names the object.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    application::{Fault, Lost},
    fake_target::Act,
    stage::{Setup, Stage},
};

const GROUP_ID: &str = "id = { from = '$.id', type = \"number\", prefix = \"g-\" }";

/// Groups that the application knows by their name: `old` with the first of three users; and its SCIM id.
async fn named_groups() -> (Stage, u64, String) {
    let by_name = "id = { from = '$.name', stable = false }";
    let stage = Setup::default().with(GROUP_ID, by_name).lasting();
    let stage = stage.start().await;
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

/// The same for people, where the find asks for one spelling only.
#[tokio::test]
async fn a_persons_new_name_is_remembered_in_any_letter_case() {
    let exact = "rules  = [{ status = 422, contains = \"has been taken\", is = \"uniqueness\" }]";
    for refuses in [true, false] {
        let setup = Setup::default();
        let setup = match refuses {
            true => setup,
            false => setup.with(exact, "rules = [{ status = 422, is = \"failed\" }]"),
        };
        let stage = setup.start().await;
        let body = |name: &str| json!({ "userName": name });
        let id = stage.post("/Users", body("trio")).await.is(201).id();
        let change = json!([{ "op": "replace", "path": "userName", "value": "trio9" }]);
        stage.patch(&format!("/Users/{id}"), change).await.is(200);
        for name in ["TRIO9", "Trio9", "trio9"] {
            let refused = stage.post("/Users", body(name)).await;
            let refused = refused.refused(409, "uniqueness");
            let detail = refused.body["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("(id {id})")), "{detail}");
        }
        stage.post("/Users", body("TRIO")).await.is(201);
    }
}

/// Sends a request whose renaming call takes effect, and ends the gateway before it hears of it.
async fn killed_after(stage: &mut Stage, call: &str, path: &str, body: Value) {
    stage.app.plan(call, 1, Fault::AfterEffect(Lost::Hanging));
    let cut = tokio::time::timeout(Duration::from_millis(500), stage.put(path, body));
    assert!(cut.await.is_err(), "it was answered");
    stage.restart().await;
    let calls = stage.app.calls();
    assert!(calls.iter().any(|seen| seen.starts_with(call)), "{calls:?}");
    stage.app.forget_calls();
}

#[tokio::test]
async fn a_gateway_killed_after_the_renaming_call_finds_the_group_under_its_new_key() {
    let look_up = "/Groups?filter=displayName%20eq%20%22new%22";
    // What is asked first after the restart.
    for first in ["get", "list", "filter", "put", "patch"] {
        let (mut stage, group, path) = named_groups().await;
        killed_after(&mut stage, "PATCH /groups/old", &path, renamed(&["2"])).await;
        match first {
            "get" => is_new(&stage, &path).await,
            "list" => drop(stage.get("/Groups").await.is(200)),
            "put" => drop(stage.put(&path, renamed(&["2"])).await.is(200)),
            "patch" => {
                let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "3" }] }]);
                assert!(stage.patch(&path, add).await.status < 300);
                assert_eq!(stage.app.members(group), [1, 3]);
            }
            _ => {}
        }
        let found = stage.get(look_up).await.is(200);
        let ids = found.each("id");
        assert_eq!(ids, [path.trim_start_matches("/Groups/")], "after {first}");
        is_new(&stage, &path).await;
        stage.put(&path, renamed(&["2"])).await.is(200);
        assert_eq!(stage.app.members(group), [2]);
        // Nothing is left to settle: a reading costs one call again.
        stage.app.forget_calls();
        stage
            .get(&format!("{path}?excludedAttributes=members"))
            .await
            .is(200);
        assert_eq!(stage.app.calls(), ["GET /groups/new"], "after {first}");
    }
}

#[tokio::test]
async fn a_gateway_killed_after_the_renaming_call_deletes_the_group_under_its_new_key() {
    let (mut stage, group, path) = named_groups().await;
    killed_after(&mut stage, "PATCH /groups/old", &path, renamed(&["1"])).await;
    stage.delete(&path).await.is(204);
    assert_eq!(stage.app.group(group), None);
    stage.get(&path).await.is(404);
}

#[tokio::test]
async fn a_key_that_was_to_be_given_and_is_somebody_elses_leads_nobody_astray() {
    let (mut stage, group, path) = named_groups().await;
    stage
        .app
        .plan("PATCH /groups/old", 1, Fault::Before(Act::Hang));
    let rename = stage.put(&path, renamed(&["1"]));
    let cut = tokio::time::timeout(Duration::from_millis(500), rename).await;
    assert!(cut.is_err(), "it was answered");
    stage.restart().await;
    let other = stage.app.add_group(json!({ "name": "new" }), []);
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["displayName"], "old");
    let found = stage
        .get("/Groups?filter=displayName%20eq%20%22new%22")
        .await;
    let others = found.is(200).each("id");
    assert_ne!(others, [path.trim_start_matches("/Groups/")]);
    assert_eq!(others.len(), 1);
    stage.delete(&path).await.is(204);
    assert_eq!(
        (stage.app.group(group), stage.app.group(other).is_some()),
        (None, true)
    );
    stage.get(&format!("/Groups/{}", others[0])).await.is(200);
}

/// Users whose logins cannot change; a rename makes another account.
async fn recreated_users() -> (Stage, String) {
    let minted = "[user]\nid = { from = '$.id', type = \"number\", stable = false }";
    let setup = Setup::tenant("[policy]\non-rename = \"recreate\"");
    let stage = setup
        .with("[user]\nid = { from = '$.id', type = \"number\" }", minted)
        .lasting()
        .start()
        .await;
    stage.app.add_user(json!({ "login": "old", "state": 1 }));
    let found = stage.get("/Users?filter=userName%20eq%20%22old%22").await;
    let path = format!("/Users/{}", found.is(200).each("id")[0]);
    (stage, path)
}

#[tokio::test]
async fn a_gateway_killed_after_the_call_that_makes_the_new_account_hands_the_id_on() {
    for is_listed in [false, true] {
        let (mut stage, path) = recreated_users().await;
        let new = json!({ "userName": "new", "active": true });
        killed_after(&mut stage, "POST /users", &path, new.clone()).await;
        if is_listed {
            stage.get("/Users").await.is(200);
        }
        stage.put(&path, new).await.is(200);
        assert_eq!(stage.app.ids_of("new").len(), 1, "listed: {is_listed}");
        let read = stage.get(&path).await.is(200);
        assert_eq!(read.body["userName"], "new");
        let all = stage.get("/Users").await.is(200);
        assert_eq!(all.each("id"), [path.trim_start_matches("/Users/")]);
    }
}

#[tokio::test]
async fn s1_the_account_that_a_rename_leaves_is_nobody_elses() {
    let (stage, path) = recreated_users().await;
    stage.app.change_user(1, "title", json!("Captain"));
    let rename = |name: &str| json!([{ "op": "replace", "path": "userName", "value": name }]);
    stage.patch(&path, rename("new")).await.is(200);
    let other = json!({ "userName": "old", "active": true });
    let refused = stage.post("/Users", other).await;
    refused.refused(409, "uniqueness");
    assert_eq!(stage.app.user(1).unwrap()["state"], 3, "it stays locked");
    // Who left it may go back to it.
    let back = stage.patch(&path, rename("old")).await.is(200);
    assert_eq!(back.body["userName"], "old");
    assert_eq!(stage.app.ids_of("old").len(), 1);
}

#[tokio::test]
async fn the_account_that_a_rename_leaves_is_in_no_group() {
    let (stage, path) = recreated_users().await;
    let group = stage.app.add_group(json!({ "name": "admins" }), [1]);
    let rename = |name: &str| json!([{ "op": "replace", "path": "userName", "value": name }]);
    stage.patch(&path, rename("new")).await.is(200);
    let made = stage.app.ids_of("new")[0];
    assert_eq!(stage.app.members(group), [made]);
    // Whoever goes back to it takes the places with them.
    stage.patch(&path, rename("old")).await.is(200);
    assert_eq!(stage.app.members(group), [1]);
    assert_eq!(stage.app.user(made).unwrap()["state"], 3);
}

#[tokio::test]
async fn a_rename_to_a_name_that_is_taken_touches_nobody() {
    let (stage, path) = recreated_users().await;
    let group = stage.app.add_group(json!({ "name": "admins" }), [1]);
    stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    stage.app.forget_calls();
    let rename = json!([{ "op": "replace", "path": "userName", "value": "Ada" }]);
    let refused = stage.patch(&path, rename).await;
    refused.refused(409, "uniqueness");
    assert_eq!(stage.app.writes(), []);
    assert_eq!(stage.app.members(group), [1]);
}

#[tokio::test]
async fn a_key_that_is_taken_is_refused_although_the_application_would_answer_success() {
    let (stage, group, path) = named_groups().await;
    let other = stage
        .app
        .add_group(json!({ "name": "new", "precious": true }), [3]);
    let refused = stage.put(&path, renamed(&["2"])).await;
    refused.refused(409, "uniqueness");
    assert_eq!(stage.app.writes(), []);
    assert_eq!(
        (stage.app.members(group), stage.app.members(other)),
        (vec![1], vec![3])
    );
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["displayName"], "old");
}

#[tokio::test]
async fn a_renaming_call_that_is_answered_with_success_and_does_nothing_is_told() {
    for shown in [
        json!({ "name": "old" }),
        json!({ "name": "new" }),
        json!({}),
    ] {
        let (stage, _, path) = named_groups().await;
        let nothing = Fault::Before(Act::Say(crate::fake_target::Answer::json(
            200,
            shown.clone(),
        )));
        stage.app.plan("PATCH /groups/old", 1, nothing);
        let reply = stage.put(&path, renamed(&["1"])).await;
        assert_eq!(reply.status, 502, "{shown}: {}", reply.body);
        let read = stage.get(&path).await.is(200);
        assert_eq!(read.body["displayName"], "old");
        stage.put(&path, renamed(&["1"])).await.is(200);
        is_new(&stage, &path).await;
    }
}

#[tokio::test]
async fn a_group_that_keeps_the_account_left_by_a_rename_does_not_stop_it() {
    let (stage, path) = recreated_users().await;
    let group = stage.app.add_group(json!({ "name": "admins" }), [1]);
    stage
        .app
        .refuse(&format!("DELETE /groups/{group}/members"), 1, 422);
    let rename = json!([{ "op": "replace", "path": "userName", "value": "new" }]);
    let reply = stage.patch(&path, rename).await.is(200);
    assert_eq!(reply.body["userName"], "new");
    let made = stage.app.ids_of("new")[0];
    assert_eq!(stage.app.members(group), [1, made]);
    // It is still shown to nobody.
    let read = stage.get(&format!("/Groups/g-{group}")).await.is(200);
    assert_eq!(read.body["members"].as_array().map_or(0, Vec::len), 1);
}

#[tokio::test]
async fn a_create_that_was_cut_off_keeps_its_id_though_a_list_shows_the_account_first() {
    let (mut stage, _) = recreated_users().await;
    let user = json!({ "userName": "ada", "active": true });
    stage
        .app
        .plan("POST /users", 1, Fault::AfterEffect(Lost::Hanging));
    let cut = tokio::time::timeout(
        Duration::from_millis(500),
        stage.post("/Users", user.clone()),
    );
    assert!(cut.await.is_err(), "it was answered");
    stage.restart().await;
    let found = stage
        .get("/Users?filter=userName%20eq%20%22ada%22")
        .await
        .is(200);
    let made = stage.post("/Users", user).await.is(201);
    assert_eq!(found.each("id"), [made.id()]);
}

/// Where membership is told and written in other ways than by calls for each member.
fn other_memberships() -> [Setup; 2] {
    let minted = "[user]\nid = { from = '$.id', type = \"number\", stable = false }";
    [
        // A field of the group, and nothing that says a user's groups.
        "[group.members]\nfield = 'user_ids'\n",
        "[group.members]\non-user = { field = 'team_ids' }\n",
    ]
    .map(|members| {
        let mut setup = Setup::tenant("[policy]\non-rename = \"recreate\"")
            .with("[user]\nid = { from = '$.id', type = \"number\" }", minted)
            .lasting();
        let at = setup.app.find("[group.members]").unwrap();
        setup.app.truncate(at);
        setup.app.push_str(members);
        let start = setup.app.find("[user.groups]").unwrap();
        let end = setup.app.find("[user.attributes]").unwrap();
        setup.app.replace_range(start..end, "");
        setup
    })
}

#[tokio::test]
async fn a_new_account_is_a_member_where_the_old_one_was_however_that_is_written() {
    for (setup, is_field) in other_memberships().into_iter().zip([true, false]) {
        let stage = setup.start().await;
        let user = stage
            .app
            .add_user(json!({ "login": "old", "state": 1, "team_ids": [2] }));
        let group = stage
            .app
            .add_group(json!({ "name": "team", "user_ids": [user] }), []);
        stage
            .app
            .add_group(json!({ "name": "other", "user_ids": [] }), []);
        let found = stage
            .get("/Users?filter=userName%20eq%20%22old%22")
            .await
            .is(200);
        let id = found.each("id")[0].clone();
        let rename = json!([{ "op": "replace", "path": "userName", "value": "new" }]);
        stage.patch(&format!("/Users/{id}"), rename).await.is(200);
        let made = stage.app.ids_of("new")[0];
        match is_field {
            true => {
                let members = stage.app.group(group).unwrap()["user_ids"].clone();
                assert_eq!(members, json!([made]));
            }
            false => {
                let teams = stage.app.user(made).unwrap()["team_ids"].clone();
                assert_eq!(teams, json!([group.to_string()]));
                let left = stage.app.user(user).unwrap();
                assert_eq!((&left["team_ids"], &left["state"]), (&json!([]), &json!(3)));
            }
        }
        let read = stage.get(&format!("/Groups/g-{group}")).await.is(200);
        let members = read.body["members"].as_array().unwrap();
        assert!(
            members.iter().any(|member| member["value"] == id.as_str()),
            "{}",
            read.body
        );
    }
}
