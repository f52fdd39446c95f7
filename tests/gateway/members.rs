//! Membership: the cost of a change depends on the change.

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

const ADD: &str =
    "add    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }";
const REMOVE: &str =
    "remove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }";

/// A stage with so many users, and a group of all of them but the first; gives the group's SCIM id.
async fn crowd(setup: Setup, users: u64) -> (Stage, String) {
    let stage = setup.start().await;
    stage.app.add_users(users);
    let group = stage.app.add_group(json!({ "name": "crowd" }), 2..=users);
    (stage, format!("/Groups/g-{group}"))
}

/// An application that refuses members that do not exist, and a mapping that says so.
fn refusing(setup: Setup) -> Setup {
    setup.with(ADD, &format!("unknown = \"refused\"\n{ADD}"))
}

fn values(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

#[tokio::test]
async fn adding_or_removing_one_member_costs_the_same_whatever_the_groups_size() {
    let add = json!([{ "op": "add", "path": "members", "value": values(&["1"]) }]);
    let remove = json!([{ "op": "remove", "path": "members[value eq \"2\"]" }]);
    let mut costs = Vec::new();
    for users in [500, 50_000] {
        let setup = Setup::tenant("[client]\nidp = \"entra\"\n");
        let (stage, group) = crowd(refusing(setup), users).await;
        for change in [&add, &remove] {
            let reply = stage.patch(&group, change.clone()).await;
            assert!(matches!(reply.status, 200 | 204), "{}", reply.body);
        }
        let calls = stage.app.calls();
        assert!(calls.len() <= 2, "{calls:?}");
        costs.push(calls.len());
        let members = stage.app.members(users + 1);
        assert!(members.contains(&1) && !members.contains(&2));
    }
    assert_eq!(costs[0], costs[1]);
    // A client that wants the group as an answer does not make it dearer either.
    let mut costs = Vec::new();
    for users in [500, 5_000] {
        let (stage, group) = crowd(Setup::default(), users).await;
        // Without the members 200 would not be the whole group.
        stage.patch(&group, add.clone()).await.is(204);
        costs.push(stage.app.calls().len());
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn a_present_member_added_and_an_absent_one_removed_are_as_wished() {
    let (stage, group) = crowd(Setup::default(), 3).await;
    stage
        .patch(
            &group,
            json!([{ "op": "add", "path": "members", "value": values(&["2"]) }]),
        )
        .await
        .is(200);
    stage
        .patch(
            &group,
            json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]),
        )
        .await
        .is(200);
    stage
        .patch(
            &group,
            json!([{ "op": "remove", "path": "members", "value": values(&["1", "99"]) }]),
        )
        .await
        .is(200);
    assert_eq!(stage.app.members(4), [2, 3]);
}

#[tokio::test]
async fn replacing_the_members_sends_the_difference() {
    let (stage, group) = crowd(Setup::default(), 6).await;
    let wish =
        json!([{ "op": "replace", "path": "members", "value": values(&["1", "3", "4", "5"]) }]);
    stage.patch(&group, wish.clone()).await.is(200);
    let mut calls: Vec<String> = stage
        .app
        .writes()
        .into_iter()
        .map(|(call, _)| call)
        .collect();
    calls.sort();
    let expected = [
        "DELETE /groups/7/members/2",
        "DELETE /groups/7/members/6",
        "POST /groups/7/members",
    ];
    assert_eq!(calls, expected);
    assert_eq!(stage.app.members(7), [1, 3, 4, 5]);
    stage.app.forget_calls();
    stage.patch(&group, wish).await.is(200);
    assert_eq!(stage.app.writes(), []);
    let whole = json!({ "displayName": "crowd", "members": values(&["3"]) });
    stage.put(&group, whole).await.is(200);
    assert_eq!(stage.app.members(7), [3]);
}

#[tokio::test]
async fn a_member_that_does_not_exist_is_refused_by_name_of_the_attribute() {
    let setups: [Setup; 3] = [
        Setup::default(),
        replace_only(),
        Setup::tenant("[user]\nid = { from = '$.login', stable = false }\n"),
    ];
    for setup in setups {
        let (stage, group) = crowd(setup, 3).await;
        for unknown in ["99", "no-number", "g-4", "../users/1"] {
            let add = json!([{ "op": "add", "path": "members", "value": values(&[unknown]) }]);
            let reply = stage.patch(&group, add).await.refused(400, "invalidValue");
            assert!(!reply.body["detail"].as_str().unwrap().contains(unknown));
        }
        assert_eq!(stage.app.members(4), [2, 3]);
        let new = json!({ "displayName": "new", "members": values(&["99"]) });
        stage
            .post("/Groups", new)
            .await
            .refused(400, "invalidValue");
        // Nobody meets a group that was made by halves.
        let found = stage
            .get("/Groups?filter=displayName%20eq%20%22new%22")
            .await
            .is(200);
        assert_eq!(found.body["totalResults"], 0);
    }
}

#[tokio::test]
async fn s18_removing_some_members_never_removes_the_others() {
    let ways = [
        json!([{ "op": "remove", "path": "members[value eq \"2\"]" }]),
        json!([{ "op": "remove", "path": "members", "value": values(&["2"]) }]),
        json!([{ "op": "Remove", "path": "members", "value": [{ "value": "2", "display": "x" }] }]),
        json!([{ "op": "remove", "value": { "members": values(&["2"]) } }]),
        json!([{ "op": "remove", "path": "members", "value": { "value": "2" } }]),
        json!([{ "op": "remove", "path": "members.value eq \"2\"" }]),
    ];
    for way in ways {
        let (stage, group) = crowd(Setup::default(), 4).await;
        let reply = stage.patch(&group, way.clone()).await;
        let members = stage.app.members(5);
        match reply.status {
            200 | 204 => assert_eq!(members, [3, 4], "{way}"),
            400 => assert_eq!(members, [2, 3, 4], "{way}"),
            other => panic!("{way}: {other} {}", reply.body),
        }
    }
}

#[tokio::test]
async fn s18_a_group_does_not_lose_most_of_its_members_by_accident() {
    let guard = "[policy]\nmax-shrink = { percent = 50, members = 3 }\n";
    let ids: Vec<String> = (2..=8).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let many = json!([{ "op": "remove", "path": "members", "value": values(&ids) }]);
    let all = json!([{ "op": "remove", "path": "members" }]);
    for change in [many, all] {
        let (stage, group) = crowd(Setup::tenant(guard), 10).await;
        stage.patch(&group, change.clone()).await.is(403);
        assert_eq!(stage.app.members(11).len(), 9, "{change}");
    }
    let (stage, group) = crowd(Setup::tenant(guard), 10).await;
    let few = json!([{ "op": "remove", "path": "members", "value": values(&["2", "3"]) }]);
    stage.patch(&group, few).await.is(200);
    let outright = json!([{ "op": "replace", "path": "members", "value": values(&["5"]) }]);
    stage.patch(&group, outright).await.is(200);
    assert_eq!(stage.app.members(11), [5]);
}

fn replace_only() -> Setup {
    Setup::default()
        .with(ADD, "replace = { call = \"PUT /groups/{group}/members\", body = { user_ids = \"{members}\" } }")
        .with(REMOVE, "")
}

#[tokio::test]
async fn an_application_that_takes_whole_lists_only_gets_one_whole_list() {
    let (stage, group) = crowd(replace_only(), 5).await;
    stage
        .patch(
            &group,
            json!([
                { "op": "add", "path": "members", "value": values(&["1"]) },
                { "op": "remove", "path": "members[value eq \"4\"]" },
            ]),
        )
        .await
        .is(200);
    let writes = stage.app.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(stage.app.members(6), [1, 2, 3, 5]);
    stage.app.forget_calls();
    stage
        .patch(
            &group,
            json!([{ "op": "add", "path": "members", "value": values(&["1"]) }]),
        )
        .await
        .is(200);
    assert_eq!(stage.app.writes(), []);
    stage
        .patch(&group, json!([{ "op": "remove", "path": "members" }]))
        .await
        .is(200);
    assert_eq!(stage.app.members(6), [0; 0]);
}

#[tokio::test]
async fn members_are_sent_in_batches_where_the_application_takes_them() {
    let setup = Setup::default().with(
        ADD,
        "add = { call = \"POST /groups/{group}/members\", body = { user_ids = \"{members}\" }, batch = 4 }",
    );
    let stage = setup.start().await;
    stage.app.add_users(10);
    let group = stage.app.add_group(json!({ "name": "crowd" }), []);
    let ids: Vec<String> = (1..=10).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let add = json!([{ "op": "add", "path": "members", "value": values(&ids) }]);
    stage
        .patch(&format!("/Groups/g-{group}"), add)
        .await
        .is(200);
    assert_eq!(stage.app.writes().len(), 3);
    assert_eq!(stage.app.members(group).len(), 10);
}

#[tokio::test]
async fn members_are_named_by_the_keys_of_an_object() {
    let one =
        "{ call = \"POST /groups/{group}/members\", body = { users = { \"{member}\" = true } } }";
    let several = "{ call = \"POST /groups/{group}/members\", element = { \"{member}\" = true }, \
                   body = { users = \"{members | merge}\" }, batch = 4 }";
    let bodies = |add: &str| {
        let add = format!("add = {add}");
        async move {
            let stage = Setup::default().with(ADD, &add).start().await;
            stage.app.add_users(3);
            let group = stage.app.add_group(json!({ "name": "crowd" }), []);
            stage.app.plan(
                &format!("POST /groups/{group}/members"),
                usize::MAX,
                Fault::Before(Act::Say(Answer::empty(204))),
            );
            let add = json!([{ "op": "add", "path": "members", "value": values(&["1", "3"]) }]);
            stage
                .patch(&format!("/Groups/g-{group}"), add)
                .await
                .is(200);
            let sent = stage.app.seen().into_iter();
            let sent = sent.filter(|call| call.method == "POST");
            sent.map(|call| call.json()["users"].clone())
                .collect::<Vec<_>>()
        }
    };
    let mut single = bodies(one).await;
    single.sort_by_key(Value::to_string);
    assert_eq!(single, [json!({ "1": true }), json!({ "3": true })]);
    assert_eq!(bodies(several).await, [json!({ "1": true, "3": true })]);
}

#[tokio::test]
async fn membership_that_the_user_carries_is_changed_on_the_user() {
    let setup = Setup::default()
        .with(ADD, "on-user = { field = 'teams' }")
        .with(REMOVE, "")
        .with("[group.members.read]\ncall  = \"GET /groups/{group}/members\"\nitems = '$.items[*]'\nid    = '$.user_id'\n[group.members.read.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n", "");
    let stage = setup.start().await;
    stage.app.add_users(3);
    let group = stage.app.add_group(json!({ "name": "team" }), []);
    stage
        .app
        .change_user(2, "teams", json!([group.to_string(), "other"]));
    let path = format!("/Groups/g-{group}");
    let change = json!([
        { "op": "add", "path": "members", "value": values(&["1"]) },
        { "op": "remove", "path": "members[value eq \"2\"]" },
    ]);
    stage.patch(&path, change).await.is(200);
    assert_eq!(
        stage.app.user(1).unwrap()["teams"],
        json!([group.to_string()])
    );
    assert_eq!(stage.app.user(2).unwrap()["teams"], json!(["other"]));
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["members"][0]["value"], "1");
    assert_eq!(read.body["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn members_that_are_a_field_of_the_group_go_with_the_group() {
    let setup = Setup::default()
        .with(ADD, "field = 'user_ids'")
        .with(REMOVE, "")
        .with("[group.members.read]\ncall  = \"GET /groups/{group}/members\"\nitems = '$.items[*]'\nid    = '$.user_id'\n[group.members.read.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n", "");
    let stage = setup.start().await;
    stage.app.add_users(3);
    let new = json!({ "displayName": "team", "members": values(&["1", "2"]) });
    let made = stage.post("/Groups", new).await.is(201);
    assert_eq!(stage.app.group(4).unwrap()["user_ids"], json!([1, 2]));
    let path = format!("/Groups/{}", made.id());
    let change = json!([
        { "op": "add", "path": "members", "value": values(&["3"]) },
        { "op": "remove", "path": "members[value eq \"1\"]" },
    ]);
    stage.app.forget_calls();
    stage.patch(&path, change).await.is(200);
    assert_eq!(stage.app.group(4).unwrap()["user_ids"], json!([2, 3]));
    assert_eq!(stage.app.writes().len(), 1);
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "crew" }]);
    stage.patch(&path, renamed).await.is(200);
    let group = stage.app.group(4).unwrap();
    assert_eq!(
        (&group["name"], &group["user_ids"]),
        (&json!("crew"), &json!([2, 3]))
    );
}

#[tokio::test]
async fn a_member_change_counts_as_a_new_version_of_the_group() {
    let (stage, group) = crowd(Setup::default(), 3).await;
    let before = stage.get(&group).await.is(200);
    stage
        .patch(
            &group,
            json!([{ "op": "add", "path": "members", "value": values(&["1"]) }]),
        )
        .await
        .is(200);
    let after = stage.get(&group).await.is(200);
    assert_ne!(before.header("etag"), after.header("etag"));
    let version = before.header("etag").unwrap();
    let late = stage.ask("PATCH", &group).header("if-match", version);
    let remove = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
    late.body(crate::stage::patch(remove)).send().await.is(412);
    assert!(stage.app.members(4).contains(&1));
}

#[tokio::test]
async fn a_member_without_a_value_is_refused_and_nobody_is_added() {
    let stage = crate::stage::Setup::default().start().await;
    let one = stage
        .app
        .add_user(serde_json::json!({ "login": "ada", "state": 1 }));
    let group = stage
        .app
        .add_group(serde_json::json!({ "name": "staff" }), []);
    let members = serde_json::json!([{ "value": one.to_string() }, { "type": "User" }]);
    for path in [Some("members"), None] {
        let operation = match path {
            Some(path) => serde_json::json!({ "op": "add", "path": path, "value": members }),
            None => serde_json::json!({ "op": "add", "value": { "members": members } }),
        };
        let reply = stage
            .patch(
                &format!("/Groups/g-{group}"),
                serde_json::json!([operation]),
            )
            .await;
        reply.refused(400, "invalidValue");
    }
    assert!(stage.app.members(group).is_empty());
}

#[tokio::test]
async fn a_group_in_a_group_is_a_member_of_type_group() {
    let read = "items = '$.items[*]'\nid    = '$.user_id'";
    let stage = crate::stage::Setup::default()
        .with(
            "[group.members]\n",
            "[group.members]\ntypes = [\"User\", \"Group\"]\n",
        )
        .with(read, &format!("{read}\nis-group = \"kind == 'group'\""))
        .start()
        .await;
    let ada = stage
        .app
        .add_user(serde_json::json!({ "login": "ada", "state": 1 }));
    let inner = stage
        .app
        .add_group(serde_json::json!({ "name": "inner" }), [ada]);
    let outer = stage
        .app
        .add_group(serde_json::json!({ "name": "outer" }), []);
    let path = format!("/Groups/g-{outer}");
    let members =
        serde_json::json!([{ "value": ada.to_string() }, { "value": format!("g-{inner}") }]);
    let add = serde_json::json!([{ "op": "add", "path": "members", "value": members }]);
    stage.patch(&path, add).await.is(200);
    assert_eq!(stage.app.members(outer), [ada, inner]);
    let group = stage.get(&path).await.is(200);
    let expected = serde_json::json!([
        { "value": ada.to_string(), "$ref": format!("https://scim.example/scim/v2/Users/{ada}"), "type": "User" },
        { "value": format!("g-{inner}"), "$ref": format!("https://scim.example/scim/v2/Groups/g-{inner}"), "type": "Group" },
    ]);
    assert_eq!(group.body["members"], expected);
    // By its value it is found and removed, and the user stays.
    let filter = format!("/Groups?filter=members.value%20eq%20%22g-{inner}%22");
    assert_eq!(
        stage.get(&filter).await.is(200).each("displayName"),
        ["outer"]
    );
    let remove =
        serde_json::json!([{ "op": "remove", "path": format!("members[value eq \"g-{inner}\"]") }]);
    stage.patch(&path, remove).await.is(200);
    assert_eq!(stage.app.members(outer), [ada]);
}

#[tokio::test]
async fn protected_accounts_are_no_members_to_the_client() {
    let stage = Setup::tenant("[policy]\nprotected = [\"root\"]\n")
        .start()
        .await;
    let root = stage.app.add_user(json!({ "login": "Root", "state": 1 }));
    let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let group = stage.app.add_group(json!({ "name": "crew" }), [root, ada]);
    let path = format!("/Groups/g-{group}");
    let listed = |body: &Value| -> Vec<Value> {
        let members = body["members"].as_array().cloned().unwrap_or_default();
        members
            .iter()
            .map(|member| member["value"].clone())
            .collect()
    };
    let read = stage.get(&path).await.is(200).body;
    assert_eq!(listed(&read), [json!(ada.to_string())]);
    // One question for the whole list.
    let found = stage
        .app
        .calls()
        .iter()
        .filter(|call| call.contains("login=root"))
        .count();
    assert_eq!(found, 1);
    stage
        .put(&path, json!({ "displayName": "crew", "members": [] }))
        .await
        .is(200);
    assert_eq!(stage.app.members(group), [root]);
    stage.get(&path).await.is(200);
}

#[tokio::test]
async fn a_list_of_members_that_cannot_be_told_is_no_empty_group() {
    let stage = Setup::tenant("[group.members]\nread = { call = \"GET /groups/{group}/members\", items = '$.items[*]', id = '$.nothing' }\n")
        .start()
        .await;
    let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let group = stage.app.add_group(json!({ "name": "crew" }), [ada]);
    let reply = stage.get(&format!("/Groups/g-{group}")).await.is(502);
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains("[group.members]"), "{detail}");
}

const ENTRA: &str = "[client]\nidp = \"entra\"\n";

/// Adds and removes a member of a group that the application does not know.
async fn changed_missing_group(stage: &Stage) -> [u16; 2] {
    let add = json!([{ "op": "add", "path": "members", "value": values(&["1"]) }]);
    let remove = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
    let added = stage.patch("/Groups/g-99", add).await;
    [
        added.status,
        stage.patch("/Groups/g-99", remove).await.status,
    ]
}

#[tokio::test]
async fn a_missing_group_is_404_though_its_removals_answer_is_tolerated() {
    for text in [ENTRA, ""] {
        let (stage, _) = crowd(Setup::tenant(text), 2).await;
        assert_eq!(changed_missing_group(&stage).await, [404, 404]);
        // Nothing is kept of what is not there.
        let id = scimgate::store::ScimId::new("g-99");
        let tenant = scimgate::store::TenantId::new("acme");
        let kept = stage.store.record(&tenant, "Group", &id).await.unwrap();
        assert_eq!(kept, None);
    }
}

#[tokio::test]
async fn a_missing_group_is_404_where_every_member_call_succeeds_and_the_mapping_says_so() {
    let setup = Setup::tenant(ENTRA).with(
        ADD,
        &format!("unknown = \"refused\"\nget-first = true\n{ADD}"),
    );
    let (stage, group) = crowd(setup, 2).await;
    for call in ["POST /groups/99/members", "DELETE /groups/99/members"] {
        stage.app.refuse(call, 1, 204);
    }
    assert_eq!(changed_missing_group(&stage).await, [404, 404]);
    assert_eq!(stage.app.writes(), []);
    stage.app.forget_calls();
    let add = json!([{ "op": "add", "path": "members", "value": values(&["1"]) }]);
    stage.patch(&group, add).await.is(204);
    assert_eq!(
        stage.app.calls(),
        ["GET /groups/3", "POST /groups/3/members"]
    );
}

#[tokio::test]
async fn a_change_that_the_application_takes_is_one_call() {
    let (stage, group) = crowd(refusing(Setup::tenant(ENTRA)), 3).await;
    let change = json!([
        { "op": "add", "path": "members", "value": values(&["1"]) },
        { "op": "remove", "path": "members", "value": values(&["2"]) },
    ]);
    stage.patch(&group, change).await.is(204);
    assert_eq!(stage.app.calls().len(), 2, "{:?}", stage.app.calls());
}

#[tokio::test]
async fn a_membership_changed_in_the_application_is_another_version_where_members_are_shown() {
    let (stage, group) = crowd(Setup::default(), 4).await;
    let id = 5;
    let bare = format!("{group}?excludedAttributes=members");
    let tag = |reply: crate::stage::Reply| reply.header("etag").unwrap().to_owned();
    let (shown, hidden) = (
        tag(stage.get(&group).await.is(200)),
        tag(stage.get(&bare).await.is(200)),
    );
    let again = |path: &str, tag: &str| stage.ask("GET", path).header("if-none-match", tag).send();
    again(&group, &shown).await.is(304);
    again(&bare, &hidden).await.is(304);
    let listed = stage.get("/Groups").await.is(200);
    assert_eq!(listed.body["Resources"][0]["meta"]["version"], shown);

    stage.app.set_members(id, [1, 2, 3]);
    let now = again(&group, &shown).await.is(200);
    assert_ne!(now.header("etag"), Some(shown.as_str()));
    again(&bare, &hidden).await.is(304);
    // No update is lost: what was shown is not there any more.
    let whole = json!({ "displayName": "crowd", "members": values(&["2", "3", "4"]) });
    let operations = json!([{ "op": "replace", "path": "displayName", "value": "mass" }]);
    let with = |method: &str, tag: &str| stage.ask(method, &group).header("if-match", tag);
    with("PUT", &shown).body(whole.clone()).send().await.is(412);
    let renaming = with("PATCH", &shown).body(crate::stage::patch(operations));
    renaming.send().await.is(412);
    with("DELETE", &shown).send().await.is(412);
    assert_eq!(stage.app.writes(), []);
    // The version that is shown now is met, and so is the one of the answer.
    let put = with("PUT", &tag(now))
        .body(whole.clone())
        .send()
        .await
        .is(200);
    let answered = tag(put);
    assert_eq!(tag(stage.get(&group).await.is(200)), answered);
    stage.app.set_members(id, []);
    let emptied = tag(stage.get(&group).await.is(200));
    assert_ne!(emptied, answered);
    with("PUT", &answered)
        .body(whole.clone())
        .send()
        .await
        .is(412);
    stage.app.set_members(id, [1]);
    with("PUT", &emptied).body(whole).send().await.is(412);
    let version = tag(stage.get(&group).await.is(200));
    with("DELETE", &version).send().await.is(204);
}

/// A group of an application that takes any text for a member, with two users whom the gateway has no record of.
async fn with_strangers(setup: Setup) -> (Stage, u64, String) {
    let stage = setup.start().await;
    stage.app.add_users(2);
    let group = stage.app.add_group(json!({ "name": "team" }), [1]);
    let path = format!("/Groups/g-{group}");
    (stage, group, path)
}

fn added(ids: &[&str]) -> Value {
    json!([{ "op": "add", "path": "members", "value": values(ids) }])
}

fn put(ids: &[&str]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "team",
        "members": values(ids),
    })
}

#[tokio::test]
async fn who_does_not_exist_becomes_no_member() {
    // Whatever else the tenant's file says.
    for policy in ["", "[policy]\nprotected = [\"svc\"]\n"] {
        for ghost in ["99", "g-3"] {
            let (stage, group, path) = with_strangers(Setup::tenant(policy)).await;
            let patched = stage.patch(&path, added(&["2", ghost])).await;
            patched.refused(400, "invalidValue");
            let replaced = stage.put(&path, put(&["1", ghost])).await;
            replaced.refused(400, "invalidValue");
            let mut other = put(&[ghost]);
            other["displayName"] = json!("other");
            let created = stage.post("/Groups", other).await;
            created.refused(400, "invalidValue");
            assert_eq!(stage.app.members(group), [1]);
        }
    }
}

#[tokio::test]
async fn an_id_of_another_type_is_no_call() {
    let text = Setup::default().with(
        "type = \"number\" }\n\n[user.list]",
        "pattern = '^[a-z0-9-]+$' }\n\n[user.list]",
    );
    let (stage, group, path) = with_strangers(text).await;
    stage.app.forget_calls();
    let patched = stage.patch(&path, added(&[&format!("g-{group}")])).await;
    patched.refused(400, "invalidValue");
    assert_eq!(stage.app.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_member_is_looked_up_only_if_nothing_is_known_of_it() {
    let (stage, group, path) = with_strangers(Setup::default()).await;
    let made = stage
        .post("/Users", json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "made" }))
        .await
        .is(201)
        .id();
    stage.app.forget_calls();
    stage.patch(&path, added(&[&made])).await;
    let looks = |stage: &Stage| {
        let calls = stage.app.calls().into_iter();
        calls.filter(|call| call.starts_with("GET /users/")).count()
    };
    assert_eq!(looks(&stage), 0);
    stage.patch(&path, added(&["2"])).await;
    assert_eq!(looks(&stage), 1);
    assert!(stage.app.members(group).contains(&2));

    let (stage, group, path) = with_strangers(refusing(Setup::default())).await;
    stage.app.forget_calls();
    stage.patch(&path, added(&["2"])).await;
    assert_eq!(looks(&stage), 0);
    assert!(stage.app.members(group).contains(&2));
}

#[tokio::test]
async fn who_is_a_member_already_is_not_looked_up_for_a_list_that_is_set() {
    let list =
        "replace = { call = \"PUT /groups/{group}/members\", body = { user_ids = \"{members}\" } }";
    let setup = Setup::default().with(ADD, list).with(REMOVE, "");
    let (stage, group, path) = with_strangers(setup).await;
    stage.app.forget_calls();
    stage.put(&path, put(&["1", "2"])).await.is(200);
    assert_eq!(stage.app.members(group), [1, 2]);
    let calls = stage.app.calls();
    assert!(calls.contains(&"GET /users/2".into()), "{calls:?}");
    assert!(!calls.contains(&"GET /users/1".into()), "{calls:?}");
    let ghost = stage.put(&path, put(&["1", "2", "99"])).await;
    ghost.refused(400, "invalidValue");
}

#[tokio::test]
async fn a_patch_whose_answer_would_lack_members_has_no_body() {
    let stage = Setup::default().start().await;
    stage.app.add_users(150);
    let group = stage.app.add_group(json!({ "name": "team" }), 2..=140);
    let path = format!("/Groups/g-{group}");
    let reply = stage.patch(&path, added(&["1"])).await.is(204);
    assert_eq!(reply.body, Value::Null);
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "other" }]);
    stage.patch(&path, rename).await.is(204);
    // Whoever asks for attributes gets them.
    let asked = stage
        .patch(&format!("{path}?attributes=displayName"), added(&["141"]))
        .await
        .is(200);
    assert_eq!(asked.body["displayName"], "other");
    // A short list is told.
    let short = stage.app.add_group(json!({ "name": "short" }), [1]);
    let reply = stage
        .patch(&format!("/Groups/g-{short}"), added(&["2"]))
        .await
        .is(200);
    assert_eq!(reply.body["members"].as_array().unwrap().len(), 2);
}
