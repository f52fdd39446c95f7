//! Memberships that the user carries, or that a condition leaves out: nothing is lost, and nothing is told that is not so.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    application::{Fault, Lost},
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

const ADD: &str =
    "add    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }";
const REMOVE: &str =
    "remove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }";
const READ: &str = "[group.members.read]\ncall  = \"GET /groups/{group}/members\"\nitems = '$.items[*]'\nid    = '$.user_id'\n[group.members.read.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n";

fn change(op: &str, ids: &[&str]) -> Value {
    let values: Value = ids.iter().map(|id| json!({ "value": id })).collect();
    json!([{ "op": op, "path": "members", "value": values }])
}

fn on_user(rule: &str) -> Setup {
    Setup::default()
        .with(ADD, &format!("on-user = {rule}"))
        .with(REMOVE, "")
        .with(READ, "")
}

/// Two users, the first with these roles, and the group `team`.
async fn with_roles(rule: &str, roles: Value) -> (Stage, String) {
    let stage = on_user(rule).start().await;
    stage.app.add_users(2);
    stage.app.change_user(1, "roles", roles);
    let group = stage.app.add_group(json!({ "name": "team" }), []);
    (stage, format!("/Groups/g-{group}"))
}

#[tokio::test]
async fn elements_that_name_no_group_are_never_written_back_without() {
    let lists = [
        json!([{ "name": "other" }]),
        json!(["other", { "name": "x" }]),
        json!([true]),
    ];
    for roles in lists {
        let rule = "{ field = 'roles', name = \"{name}\" }";
        let (stage, path) = with_roles(rule, roles.clone()).await;
        for op in ["add", "remove"] {
            let reply = stage.patch(&path, change(op, &["1"])).await.is(502);
            let detail = reply.body["detail"].as_str().unwrap();
            assert!(
                detail.contains("`roles`") && detail.contains("`id`"),
                "{detail}"
            );
        }
        // Neither does the group look empty.
        stage.get(&path).await.is(502);
        assert_eq!(stage.app.user(1).unwrap()["roles"], roles);
        assert_eq!(stage.app.writes(), []);
    }
}

#[tokio::test]
async fn a_list_of_objects_is_changed_by_one_element_and_keeps_the_others_whole() {
    let rule = "{ field = 'roles', name = \"{name}\", id = '$.name', element = { name = \"{group}\", of = \"{id}\" } }";
    let others = json!([{ "name": "other", "since": 3 }, null]);
    let (stage, path) = with_roles(rule, others).await;
    stage.patch(&path, change("add", &["1", "2"])).await.is(200);
    let element = json!({ "name": "team", "of": 3 });
    assert_eq!(
        stage.app.user(1).unwrap()["roles"],
        json!([{ "name": "other", "since": 3 }, element])
    );
    assert_eq!(stage.app.user(2).unwrap()["roles"], json!([element]));
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["members"].as_array().unwrap().len(), 2);
    stage.patch(&path, change("remove", &["1"])).await.is(200);
    assert_eq!(
        stage.app.user(1).unwrap()["roles"],
        json!([{ "name": "other", "since": 3 }])
    );
    // An element without a name is none to lose either.
    stage.app.change_user(1, "roles", json!([{ "title": "x" }]));
    let reply = stage.patch(&path, change("add", &["1"])).await.is(502);
    assert!(reply.body["detail"].as_str().unwrap().contains("$.name"));
}

#[tokio::test]
async fn a_list_of_numbers_stays_one() {
    let (stage, path) = with_roles("{ field = 'roles' }", json!([8, 9])).await;
    stage.patch(&path, change("add", &["1"])).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!([8, 9, 3]));
    stage.patch(&path, change("remove", &["1"])).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!([8, 9]));
}

#[tokio::test]
async fn steps_that_read_and_write_the_member_lose_no_group_that_comes_at_the_same_time() {
    let steps = "add = { steps = [{ call = \"GET /users/{member}\", take = { roles = '$.roles' } }, { call = \"PATCH /users/{member}\", body = { roles = \"{roles + [group]}\" } }] }";
    let stage = Setup::default().with(ADD, steps).start().await;
    stage.app.add_users(1);
    stage.app.change_user(1, "roles", json!([]));
    let groups: Vec<u64> = ["a", "b", "c"]
        .map(|name| stage.app.add_group(json!({ "name": name }), []))
        .into();
    let late = Fault::AfterEffect(Lost::Late(Duration::from_millis(100)));
    stage.app.plan("GET /users/1", 3, late);
    let paths: Vec<String> = groups.iter().map(|id| format!("/Groups/g-{id}")).collect();
    let add = || change("add", &["1"]);
    let (first, second, third) = tokio::join!(
        stage.patch(&paths[0], add()),
        stage.patch(&paths[1], add()),
        stage.patch(&paths[2], add()),
    );
    for reply in [first, second, third] {
        reply.is(200);
    }
    let roles = stage.app.user(1).unwrap()["roles"].clone();
    let mut roles: Vec<u64> = serde_json::from_value(roles).unwrap();
    roles.sort_unstable();
    assert_eq!(roles, groups);
}

#[tokio::test]
async fn a_member_whose_call_is_left_out_is_not_told_as_there() {
    let steps = "add = { steps = [{ call = \"GET /users/{member}\", take = { state = '$.state' } }, { call = \"POST /groups/{group}/members\", if = 'state == 1', body = { user_ids = [\"{member}\"] } }] }";
    let stage = Setup::default().with(ADD, steps).start().await;
    stage.app.add_users(3);
    stage.app.change_user(2, "state", json!(3));
    stage.app.change_user(3, "state", json!(3));
    let group = stage.app.add_group(json!({ "name": "team" }), [3]);
    let path = format!("/Groups/g-{group}");
    let reply = stage.patch(&path, change("add", &["2", "1"])).await;
    let reply = reply.refused(400, "invalidValue");
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("1 of these members") && detail.contains("`if`"),
        "{detail}"
    );
    // The other one is in.
    assert_eq!(stage.app.members(group), [1, 3]);
    // Left out since there is nothing to do: as wished.
    stage.patch(&path, change("add", &["3"])).await.is(200);
}

#[tokio::test]
async fn s17_a_group_does_not_activate_who_was_deactivated() {
    let setup = on_user("{ field = 'roles' }")
        .with(
            "'active'                       = { field = 'state', values = { true = 1, false = 3 } }",
            "'active' = { read = \"{(roles | length) > 0}\" }",
        )
        .with(
            "[user.delete]",
            "[user.deactivate]\ncall = \"PATCH /users/{id}\"\nbody = { roles = [] }\n[user.activate]\ncall = \"PATCH /users/{id}\"\nbody = { roles = [\"guest\"] }\n[user.delete]",
        );
    let stage = setup.start().await;
    stage.app.add_users(2);
    stage.app.change_user(1, "roles", json!([]));
    stage.app.change_user(2, "roles", json!(["guest"]));
    let group = stage.app.add_group(json!({ "name": "team" }), []);
    let path = format!("/Groups/g-{group}");
    let reply = stage.patch(&path, change("add", &["1", "2"])).await;
    let reply = reply.refused(400, "invalidValue");
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .contains("deactivated")
    );
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!([]));
    assert_eq!(stage.app.user(2).unwrap()["roles"], json!(["guest", "3"]));
    assert_eq!(stage.get("/Users/1").await.is(200).body["active"], false);
    // Once activated, the group is hers.
    let activate = json!([{ "op": "replace", "path": "active", "value": true }]);
    stage.patch("/Users/1", activate).await.is(200);
    stage.patch(&path, change("add", &["1"])).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!(["guest", "3"]));
}

#[tokio::test]
async fn a_change_that_fails_halfway_says_how_far_it_came_and_why() {
    let answers = [
        (json!({ "message": "out of quota" }), "out of quota"),
        (json!({}), "status 500"),
    ];
    for (answer, words) in answers {
        let stage = Setup::default().start().await;
        stage.app.add_users(2);
        let group = stage.app.add_group(json!({ "name": "team" }), []);
        let path = format!("/Groups/g-{group}");
        let failure = Fault::Before(Act::Say(Answer::json(500, answer)));
        let call = format!("POST /groups/{group}/members");
        stage.app.plan_after(1, &call, failure);
        let reply = stage.patch(&path, change("add", &["1", "2"])).await.is(502);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(
            detail.contains(words) && detail.contains("1 of 2"),
            "{detail}"
        );
        stage.patch(&path, change("add", &["1", "2"])).await.is(200);
        assert_eq!(stage.app.members(group), [1, 2]);
    }
}

#[tokio::test]
async fn a_put_without_members_shows_those_that_stay() {
    let stage = Setup::default().start().await;
    stage.app.add_users(2);
    let group = stage.app.add_group(json!({ "name": "team" }), [2]);
    let path = format!("/Groups/g-{group}");
    for name in ["team", "crew"] {
        let put = stage
            .put(&path, json!({ "displayName": name }))
            .await
            .is(200);
        assert_eq!(put.body["members"][0]["value"], "2", "{}", put.body);
        let read = stage.get(&path).await.is(200);
        assert_eq!(read.body["members"], put.body["members"]);
        assert_eq!(read.header("etag"), put.header("etag"));
    }
    assert_eq!(stage.app.members(group), [2]);
}

#[tokio::test]
async fn users_whose_rows_do_not_hold_their_groups_are_read_for_it() {
    let rows = [
        "items = '$.items[*]'",
        "items = '$.items[*].id'\nrows = \"reference\"",
        "items = '$.items[*]'\nrows = \"reference\"\nset = { roles = [] }",
        "items = '$.items[*]'\nlacks = [\"groups\"]\nset = { roles = [] }",
        "items = '$.items[*].short'",
    ];
    for rows in rows {
        let setup = on_user("{ field = 'roles' }").with(
            "call    = \"GET /users/{id}/groups\"\nitems   = '$.items[*]'\nid      = '$.id'\ndisplay = '$.name'",
            "items = '$.roles[*]'",
        );
        let (before, after) = setup.app.split_once("items = '$.items[*]'").unwrap();
        let app = format!("{before}{rows}{after}");
        let stage = Setup { app, ..setup }.start().await;
        stage.app.add_users(3);
        let group = stage.app.add_group(json!({ "name": "team" }), []);
        for id in 1..=3 {
            stage
                .app
                .change_user(id, "short", json!({ "id": id, "login": "x" }));
            let roles = json!(["other", group.to_string()]);
            stage.app.change_user(id, "roles", roles);
        }
        let path = format!("/Groups/g-{group}");
        let members = stage.get(&path).await.is(200).body["members"].clone();
        assert_eq!(members.as_array().map(Vec::len), Some(3), "{rows}");
        let filter = format!("/Users?filter=groups.value%20eq%20%22g-{group}%22");
        let found = stage.get(&filter).await.is(200);
        assert_eq!(found.body["totalResults"], 3, "{rows}");
        let filter = "/Groups?filter=members.value%20eq%20%221%22";
        let found = stage.get(filter).await.is(200);
        assert_eq!(found.body["totalResults"], 1, "{rows}");
        let remove = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
        stage.patch(&path, remove).await.is(200);
        assert_eq!(stage.app.user(1).unwrap()["roles"], json!(["other"]));
        let put = json!({ "displayName": "team", "members": [{ "value": "3" }] });
        stage.put(&path, put).await.is(200);
        assert_eq!(
            stage.app.user(2).unwrap()["roles"],
            json!(["other"]),
            "{rows}"
        );
        let members = stage.get(&path).await.is(200).body["members"].clone();
        assert_eq!(members[0]["value"], "3", "{rows}");
    }
}

/// The list's row of the second user does not tell; her own object does.
#[tokio::test]
async fn whoever_is_taken_out_by_name_is_asked_and_not_only_the_list() {
    for section in [
        "hide = 'name == \"nobody\"'",
        "scope = 'name != \"nobody\"'",
    ] {
        let rule = "{ field = 'roles', default = [] }";
        let setup = on_user(rule).with("[group]\n", &format!("[group]\n{section}\n"));
        let stage = setup.start().await;
        stage.app.add_users(2);
        let group = stage.app.add_group(json!({ "name": "team" }), []);
        let roles = json!([group.to_string()]);
        stage.app.change_user(1, "roles", roles.clone());
        stage.app.change_user(2, "roles", roles);
        let (first, mut second) = (stage.app.user(1).unwrap(), stage.app.user(2).unwrap());
        second.as_object_mut().unwrap().remove("roles");
        let rows = Answer::json(200, json!({ "items": [first, second], "total": 2 }));
        let told = Fault::AfterEffect(Lost::Instead(rows));
        stage.app.plan("GET /users?", 9, told);
        let path = format!("/Groups/g-{group}");
        stage.patch(&path, change("remove", &["2"])).await.is(200);
        let left = stage.app.user(2).unwrap();
        assert_eq!(left["roles"], json!([]), "{section}");
        assert_eq!(
            stage.app.user(1).unwrap()["roles"],
            json!([group.to_string()])
        );
        // The same again makes no call that writes.
        stage.app.forget_calls();
        stage.patch(&path, change("remove", &["2"])).await.is(200);
        assert_eq!(stage.app.writes(), []);
    }
}

#[tokio::test]
async fn a_group_that_waits_under_another_name_for_an_activation_is_given() {
    // The application's own way to keep what a deactivated user had: the mapping writes another name.
    let update = "[user.update]\ncall = \"PATCH /users/{id}\"\n";
    let aside = format!(
        "{update}body = {{ roles = \"{{['off-team'] if old.state == 3 and fields.roles else fields.roles}}\" }}\n"
    );
    let stage = on_user("{ field = 'roles', name = \"{name}\" }")
        .with(update, &aside)
        .start()
        .await;
    stage.app.add_users(2);
    stage.app.change_user(1, "state", json!(3));
    let group = stage.app.add_group(json!({ "name": "team" }), []);
    let path = format!("/Groups/g-{group}");
    let group = stage.patch(&path, change("add", &["1", "2"])).await.is(200);
    let shown = group.body["members"].as_array().unwrap();
    assert_eq!(shown.len(), 1, "what a read shows: {shown:?}");
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!(["off-team"]));
    // Where nothing at all has changed, or the user is active, it is none.
    stage.app.change_user(1, "roles", json!([]));
    stage.app.ignore("PATCH", "roles");
    for refused in ["1", "2"] {
        stage.app.change_user(2, "roles", json!([]));
        stage.patch(&path, change("add", &[refused])).await.is(502);
    }
}
