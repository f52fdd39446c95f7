//! A user's groups where only the groups say who is in them: `from = "members"`.

use serde_json::json;

use crate::stage::{BOOK, Setup, Stage};

fn from_members(more: &str) -> Setup {
    let (before, rest) = BOOK.split_once("[user.groups]").unwrap();
    let (_, rest) = rest.split_once("[user.attributes]").unwrap();
    Setup {
        app: format!("{before}[user.groups]\nfrom = \"members\"\n{more}\n[user.attributes]{rest}"),
        ..Setup::default()
    }
}

/// Three users; the first in two of three groups, the second in one.
async fn stage(more: &str) -> Stage {
    let stage = from_members(more).start().await;
    stage.app.add_users(3);
    stage.app.add_group(json!({ "name": "crew" }), [1]);
    stage.app.add_group(json!({ "name": "nobody" }), []);
    stage.app.add_group(json!({ "name": "team" }), [1, 2]);
    stage.app.forget_calls();
    stage
}

#[tokio::test]
async fn all_groups_are_read_once_for_a_page_of_users() {
    let stage = stage("").await;
    let listed = stage.get("/Users").await.is(200);
    let groups = |user: usize| {
        let own = listed.body["Resources"][user]["groups"].as_array().cloned();
        let own = own.unwrap_or_default();
        let names = own
            .iter()
            .map(|group| group["display"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(groups(0), ["crew", "team"]);
    assert_eq!(groups(1), ["team"]);
    assert!(groups(2).is_empty());
    // The users, the groups, and the members of each.
    assert_eq!(stage.app.calls().len(), 5, "{:?}", stage.app.calls());
    let own = &listed.body["Resources"][1]["groups"][0];
    assert_eq!(own["type"], "direct");
    let shown = stage
        .get(&format!("/Groups/{}", own["value"].as_str().unwrap()))
        .await;
    assert_eq!(shown.is(200).body["displayName"], "team");
}

#[tokio::test]
async fn nothing_is_read_for_who_does_not_want_them() {
    let stage = stage("").await;
    for query in ["?attributes=userName", "?excludedAttributes=groups"] {
        stage.get(&format!("/Users{query}")).await.is(200);
        stage.get(&format!("/Users/1{query}")).await.is(200);
    }
    let calls = stage.app.calls();
    assert!(
        calls.iter().all(|call| call.starts_with("GET /users")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn with_too_many_groups_none_is_shown() {
    let stage = stage("most = 2").await;
    let user = stage.get("/Users/1").await.is(200);
    assert!(user.body.get("groups").is_none(), "{}", user.body);
    let calls = stage.app.calls();
    assert!(
        !calls.iter().any(|call| call.contains("/members")),
        "{calls:?}"
    );
    // Who is in one group is found all the same.
    let found = stage
        .get("/Users?filter=groups.value%20eq%20%22g-6%22")
        .await
        .is(200);
    assert_eq!(found.each("id"), ["1", "2"]);
    // What cannot be told is no empty list.
    let refused = stage
        .get("/Users?filter=groups.display%20eq%20%22team%22")
        .await;
    assert_eq!(refused.is(400).body["scimType"], "invalidFilter");
}

#[tokio::test]
async fn filters_look_at_all_that_the_groups_say() {
    let stage = stage("").await;
    for (filter, found) in [
        ("groups.display%20eq%20%22team%22", vec!["1", "2"]),
        ("groups%20pr", vec!["1", "2"]),
        ("groups.value%20eq%20%22g-4%22", vec!["1"]),
        ("not%20(groups%20pr)", vec!["3"]),
    ] {
        let users = stage.get(&format!("/Users?filter={filter}")).await.is(200);
        assert_eq!(users.each("id"), found, "{filter}");
    }
    let user = stage
        .get("/Users?filter=groups.value%20eq%20%22g-4%22")
        .await;
    let groups = user.body["Resources"][0]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2, "all of them: {groups:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_not_a_group_less() {
    let stage = stage("").await;
    stage.app.refuse("GET /groups/6/members", 9, 500);
    stage.get("/Users/1").await.is(502);
    stage.app.mend();
    // A group that goes meanwhile has no members.
    stage.app.refuse("GET /groups/6/members", 1, 404);
    let user = stage.get("/Users/1").await.is(200);
    assert_eq!(user.body["groups"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bulk_request_sees_what_it_has_changed() {
    let stage = stage("").await;
    let add = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "members", "value": [{ "value": "3" }] }],
    });
    let rename = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "title", "value": "Captain" }],
    });
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "PATCH", "path": "/Users/3", "data": rename },
            { "method": "PATCH", "path": "/Groups/g-4", "data": add },
        ],
    });
    stage.post("/Bulk", bulk).await.is(200);
    let user = stage.get("/Users/3").await.is(200);
    assert_eq!(user.body["groups"][0]["display"], "crew");
}

#[tokio::test]
async fn who_is_in_a_group_is_found_where_users_groups_are_not_shown() {
    let (before, rest) = BOOK.split_once("[user.groups]").unwrap();
    let (_, rest) = rest.split_once("[user.attributes]").unwrap();
    let setup = Setup {
        app: format!("{before}[user.attributes]{rest}"),
        ..Setup::default()
    };
    let stage = setup.start().await;
    stage.app.add_users(3);
    let group = stage.app.add_group(json!({ "name": "team" }), [1, 2]);
    for filter in [
        format!("groups.value%20eq%20%22g-{group}%22"),
        format!("groups%20eq%20%22g-{group}%22"),
        format!("groups%5Bvalue%20eq%20%22g-{group}%22%5D"),
        format!("groups.value%20eq%20%22g-{group}%22%20and%20active%20eq%20true"),
    ] {
        let found = stage.get(&format!("/Users?filter={filter}")).await.is(200);
        assert_eq!(found.each("id"), ["1", "2"], "{filter}");
    }
    // Neither are they shown for having been asked for.
    let found = stage
        .get(&format!(
            "/Users?filter=groups.value%20eq%20%22g-{group}%22"
        ))
        .await;
    assert!(found.body["Resources"][0].get("groups").is_none());
    let third = stage.app.user(3).unwrap()["login"].clone();
    let third = third.as_str().unwrap();
    let either =
        format!("groups.value%20eq%20%22g-{group}%22%20or%20userName%20eq%20%22{third}%22");
    let found = stage.get(&format!("/Users?filter={either}")).await.is(200);
    assert_eq!(found.each("id"), ["1", "2", "3"]);
    let others = format!("not%20(groups.value%20eq%20%22g-{group}%22)");
    let found = stage.get(&format!("/Users?filter={others}")).await.is(200);
    assert_eq!(found.each("id"), ["3"]);
    for untold in [
        "groups%20pr",
        "groups.display%20eq%20%22team%22",
        "groups.value%20ne%20%22g-4%22",
    ] {
        let refused = stage.get(&format!("/Users?filter={untold}")).await.is(400);
        assert_eq!(refused.body["scimType"], "invalidFilter", "{untold}");
    }
}
