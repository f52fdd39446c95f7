//! An account that a deletion only deactivates (`on-delete = "deactivate"`): it is gone for the client, and keeps nothing that
//! it had.

use serde_json::{Value, json};

use crate::stage::{Setup, Stage};

const ADD: &str =
    "add    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }";
const REMOVE: &str =
    "remove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }";
const READ: &str = "[group.members.read]\ncall  = \"GET /groups/{group}/members\"\nitems = '$.items[*]'\nid    = '$.user_id'\n[group.members.read.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n";
const REPLACE: &str =
    "replace = { call = \"PUT /groups/{group}/members\", body = { user_ids = \"{members}\" } }";

fn soft() -> Setup {
    Setup::tenant("[policy]\non-delete = \"deactivate\"\n")
}

fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "active": true,
    })
}

fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": members,
    })
}

/// `ada` (1), who was deleted, and `bea` (2); `ada` is in the group again, as whoever was there before all this.
async fn with_leaver(setup: Setup) -> (Stage, u64, String) {
    let stage = setup.start().await;
    for name in ["ada", "bea"] {
        stage.post("/Users", user(name)).await.is(201);
    }
    stage.delete("/Users/1").await.is(204);
    let number = stage.app.add_group(json!({ "name": "admins" }), [1, 2]);
    (stage, number, format!("/Groups/g-{number}"))
}

#[tokio::test]
async fn a_member_that_was_deleted_is_removed_where_it_is_there() {
    let by_name = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
    let by_value = json!([{ "op": "remove", "path": "members", "value": [{ "value": "1" }] }]);
    let all = json!([{ "op": "remove", "path": "members" }]);
    let whole = json!([{ "op": "replace", "path": "members", "value": [{ "value": "2" }] }]);
    for (operations, rest) in [
        (by_name, vec![2]),
        (by_value, vec![2]),
        (all, vec![]),
        (whole, vec![2]),
    ] {
        let (deltas, list) = (soft(), soft().with(ADD, REPLACE).with(REMOVE, ""));
        for setup in [deltas, list] {
            let (stage, number, path) = with_leaver(setup).await;
            let reply = stage.patch(&path, operations.clone()).await;
            assert!(reply.status < 300, "{}: {}", reply.status, reply.body);
            assert_eq!(stage.app.members(number), rest, "{operations}");
        }
    }
}

#[tokio::test]
async fn a_list_that_is_put_is_the_whole_list() {
    for (wished, rest) in [(vec![], vec![]), (vec!["2"], vec![2])] {
        let (stage, number, path) = with_leaver(soft()).await;
        let reply = stage.put(&path, group("admins", &wished)).await.is(200);
        assert_eq!(
            reply.body["members"].as_array().map_or(0, Vec::len),
            rest.len()
        );
        assert_eq!(stage.app.members(number), rest);
    }
}

#[tokio::test]
async fn who_was_deleted_is_nobody_to_be_added() {
    let (stage, number, path) = with_leaver(soft()).await;
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "1" }] }]);
    stage.patch(&path, add).await.refused(400, "invalidValue");
    let put = stage.put(&path, group("admins", &["1", "2"])).await;
    put.refused(400, "invalidValue");
    // An addition takes nobody out.
    let reply = stage.get(&path).await.is(200);
    assert_eq!(reply.body["members"].as_array().map_or(0, Vec::len), 1);
    assert_eq!(stage.app.members(number), [1, 2]);
}

#[tokio::test]
async fn a_deleted_account_loses_a_group_that_is_in_its_own_list() {
    let setup = soft()
        .with(ADD, "on-user = { field = 'roles', name = \"{name}\" }")
        .with(REMOVE, "")
        .with(READ, "");
    let (stage, _, path) = with_leaver(setup).await;
    stage
        .app
        .change_user(1, "roles", json!(["other", "admins"]));
    stage.app.change_user(2, "roles", json!(["admins"]));
    stage.put(&path, group("admins", &[])).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!(["other"]));
    assert_eq!(stage.app.user(2).unwrap()["roles"], json!([]));
}

const GROUPS: &str = "[user.groups]\ncall    = \"GET /users/{id}/groups\"\nitems   = '$.items[*]'\nid      = '$.id'\ndisplay = '$.name'\n";

/// `ada` (1) and `bea` (2), both in the group (3).
async fn with_both(setup: Setup) -> (Stage, u64) {
    let stage = setup.start().await;
    for name in ["ada", "bea"] {
        stage.post("/Users", user(name)).await.is(201);
    }
    let number = stage.app.add_group(json!({ "name": "admins" }), [1, 2]);
    (stage, number)
}

#[tokio::test]
async fn a_deleted_account_leaves_its_groups_at_once_where_they_are_known() {
    let (stage, number) = with_both(soft()).await;
    stage.delete("/Users/1").await.is(204);
    assert_eq!(stage.app.members(number), [2]);
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
}

#[tokio::test]
async fn a_deletion_that_could_not_finish_the_groups_is_finished_by_another() {
    let (stage, number) = with_both(soft()).await;
    stage.app.refuse("DELETE /groups", 9, 500);
    let status = stage.delete("/Users/1").await.status;
    assert!(status >= 500, "{status}");
    // Nobody waits for it to be locked out.
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
    stage.app.mend();
    stage.delete("/Users/1").await.is(204);
    assert_eq!(stage.app.members(number), [2]);
}

#[tokio::test]
async fn who_comes_back_has_no_group_that_nobody_granted() {
    let unknown = soft().with(GROUPS, "");
    let list = soft().with(GROUPS, "").with(ADD, REPLACE).with(REMOVE, "");
    for setup in [soft(), unknown, list] {
        let (stage, number) = with_both(setup).await;
        stage.delete("/Users/1").await.is(204);
        // Also one that the application gave it while it was locked.
        let other = stage.app.add_group(json!({ "name": "others" }), [1, 2]);
        stage.post("/Users", user("ada")).await.is(201);
        assert_eq!(stage.app.user(1).unwrap()["state"], 1);
        assert_eq!(stage.app.members(number), [2]);
        assert_eq!(stage.app.members(other), [2]);
    }
}

#[tokio::test]
async fn who_comes_back_has_no_group_in_its_own_list() {
    let setup = soft()
        .with(GROUPS, "")
        .with(ADD, "on-user = { field = 'roles', name = \"{name}\" }")
        .with(REMOVE, "")
        .with(READ, "");
    let (stage, _) = with_both(setup).await;
    stage
        .app
        .change_user(1, "roles", json!(["other", "admins"]));
    stage.delete("/Users/1").await.is(204);
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!(["other"]));
    stage
        .app
        .change_user(1, "roles", json!(["other", "admins"]));
    stage.post("/Users", user("ada")).await.is(201);
    assert_eq!(stage.app.user(1).unwrap()["roles"], json!(["other"]));
}

#[tokio::test]
async fn who_cannot_leave_a_group_does_not_come_back() {
    let (stage, number) = with_both(soft()).await;
    stage.app.refuse("DELETE /groups", 9, 422);
    stage.delete("/Users/1").await.is(204);
    assert_eq!(stage.app.members(number), [1, 2]);
    let reply = stage.post("/Users", user("ada")).await;
    assert!(reply.status >= 400, "{}", reply.status);
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
    stage.app.mend();
    stage.post("/Users", user("ada")).await.is(201);
    assert_eq!(stage.app.members(number), [2]);
}

#[tokio::test]
async fn who_comes_back_gets_what_a_new_account_gets() {
    let setup = soft()
        .with(
            "'title'                        = 'title'",
            "'title' = { field = 'title', on-create = \"Newcomer\" }",
        )
        .with(
            "{ field = 'password', write-only = true }",
            "{ field = 'password', write-only = true, on-create = \"{random(24)}\" }",
        )
        .with(
            "'name.familyName'              = 'last'",
            "'name.familyName' = { field = 'last', on-create = \"{userName}\" }",
        );
    let (stage, _) = with_both(setup).await;
    let old = stage.app.user(1).unwrap();
    stage.app.change_user(1, "title", json!("Boss"));
    stage.app.change_user(1, "last", Value::Null);
    stage.delete("/Users/1").await.is(204);
    let mut wish = user("ada");
    wish.as_object_mut().unwrap().remove("active");
    let back = stage.post("/Users", wish.clone()).await.is(201);
    let new = stage.app.user(1).unwrap();
    assert_eq!(
        (&new["title"], &new["last"]),
        (&json!("Newcomer"), &json!("ada"))
    );
    assert_eq!(new["state"], 1);
    assert_eq!(back.body["title"], "Newcomer");
    assert_eq!(new["password"].as_str().unwrap().len(), 24);
    assert_ne!(new["password"], old["password"]);
    // What the client says counts.
    stage.delete("/Users/1").await.is(204);
    wish["title"] = json!("Chief");
    wish["password"] = json!("of-the-client");
    stage.post("/Users", wish).await.is(201);
    let new = stage.app.user(1).unwrap();
    assert_eq!(
        (&new["title"], &new["password"]),
        (&json!("Chief"), &json!("of-the-client"))
    );
}

#[tokio::test]
async fn who_comes_back_has_nothing_of_the_one_who_was_deleted() {
    let stage = soft().start().await;
    let mut ada = user("ada");
    ada["title"] = json!("Boss");
    ada["nickName"] = json!("A");
    ada["externalId"] = json!("e-1");
    ada["name"] = json!({ "givenName": "Ada", "familyName": "Love" });
    stage.post("/Users", ada).await.is(201);
    stage.app.change_user(1, "shoe_size", json!(42));
    stage.delete("/Users/1").await.is(204);
    let mut other = user("ada");
    other["name"] = json!({ "familyName": "Byron" });
    let back = stage.post("/Users", other).await.is(201);
    for (path, expected) in [
        ("/title", None),
        ("/nickName", None),
        ("/externalId", None),
        ("/name/givenName", None),
        ("/name/familyName", Some("Byron")),
    ] {
        let shown = back.body.pointer(path).and_then(Value::as_str);
        assert_eq!(shown, expected, "{path}: {}", back.body);
    }
    let there = stage.app.user(1).unwrap();
    assert_eq!(
        (&there["title"], &there["first"]),
        (&Value::Null, &Value::Null)
    );
    // What the mapping does not speak of is the application's.
    assert_eq!(there["shoe_size"], 42);
}

/// A group that the application deletes only when nobody is in it, with `bea` and 150 more, and somebody who was deleted.
async fn kept_group(setup: Setup) -> (Stage, u64, String) {
    let (stage, _, _) = with_leaver(setup).await;
    stage.app.add_users(150);
    let kept = json!({ "name": "kept", "kept": true });
    let number = stage.app.add_group(kept, 1..=152);
    (stage, number, format!("/Groups/g-{number}"))
}

#[tokio::test]
async fn a_group_is_emptied_before_it_is_deleted_where_the_application_wants_it_so() {
    let (stage, number, path) = kept_group(soft()).await;
    let refused = stage.delete(&path).await;
    assert!(
        refused.body.to_string().contains("somebody is in it"),
        "{}",
        refused.body
    );
    assert_eq!(stage.app.members(number).len(), 152);

    let empty_first = "[group.delete]\nempty-first = true\n";
    let list = || soft().with(ADD, REPLACE).with(REMOVE, "");
    for setup in [soft(), list()] {
        let (stage, number, path) = kept_group(setup.with("[group.delete]\n", empty_first)).await;
        stage.delete(&path).await.is(204);
        assert_eq!(stage.app.group(number), None);
        stage.delete(&path).await.is(404);
    }
}

#[tokio::test]
async fn nobody_leaves_a_group_whose_deletion_names_another_version() {
    let empty_first = "[group.delete]\nempty-first = true\n";
    let (stage, number, path) = kept_group(soft().with("[group.delete]\n", empty_first)).await;
    let ask = stage.ask("DELETE", &path);
    let reply = ask.header("if-match", "W/\"other\"").send().await;
    assert_eq!(reply.status, 412, "{}", reply.body);
    assert_eq!(stage.app.members(number).len(), 152);
}
