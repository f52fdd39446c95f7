//! Values where an application wants them: a page within a parameter, elements of a list of its own form, data in a query,
//! a call for each element of a list.

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{BOOK, Setup, Stage},
};

/// The application answers every call that begins like this with this.
fn say(stage: &Stage, call: &str, body: Value) {
    let answer = Fault::Before(Act::Say(Answer::json(200, body)));
    stage.app.plan(call, usize::MAX, answer);
}

const LIST: &str = "call  = \"GET /users\"\nitems = '$.items[*]'\n[user.list.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n";
const FIND: &str = "call   = \"GET /users?login={value}\"\nitems  = '$.items[*]'";

/// Five users, two a page.
fn page(number: u64, next: Option<&str>) -> Value {
    let rows = (number * 2 + 1..=5).take(2);
    let rows = rows.map(|id| json!({ "id": id, "login": format!("u{id}"), "state": 1 }));
    json!({ "items": rows.collect::<Value>(), "total": 5, "next": next })
}

#[tokio::test]
async fn a_page_is_named_within_a_parameter() {
    let stage = Setup::default()
        .with(
            LIST,
            "call = \"GET /users?q=(page:{page.number},page_size:{page.size})\"\nitems = '$.items[*]'\n[user.list.page.number]\nfirst = 0\nsize  = { most = 2 }\ntotal = '$.total'\n",
        )
        .with(
            FIND,
            "call = \"GET /users?q=(login:{value},page:{page.number},page_size:{page.size})\"",
        )
        .start()
        .await;
    for number in 0..3 {
        let call = format!("GET /users?q=(page:{number},page_size:2)");
        say(&stage, &call, page(number, None));
    }
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.body["totalResults"], 5);
    assert_eq!(list.each("userName"), ["u1", "u2", "u3", "u4", "u5"]);
    let before = stage.app.calls().len();
    let window = stage.get("/Users?startIndex=3&count=2").await.is(200);
    assert_eq!(window.each("userName"), ["u3", "u4"]);
    assert_eq!(
        stage.app.calls()[before..],
        ["GET /users?q=(page:1,page_size:2)"]
    );
    let found = json!({ "items": [{ "id": 4, "login": "u4", "state": 1 }], "total": 1 });
    say(&stage, "GET /users?q=(login:u4,page:0,page_size:2)", found);
    let found = stage
        .get("/Users?filter=userName%20eq%20%22u4%22")
        .await
        .is(200);
    assert_eq!(found.each("userName"), ["u4"]);
}

/// The first page has no cursor: the member is left out.
#[tokio::test]
async fn a_cursor_is_named_within_a_body() {
    let stage = Setup::default()
        .with(
            LIST,
            "call = \"POST /users/search\"\nrepeatable = true\nbody = { window = { after = \"{page.cursor}\", most = \"{page.size}\" } }\nitems = '$.items[*]'\n[user.list.page.cursor]\nnext = '$.next'\nsize = { most = 2 }\n",
        )
        .start()
        .await;
    for (number, next) in [(0, Some("b")), (1, Some("c")), (2, None)] {
        let answer = Fault::Before(Act::Say(Answer::json(200, page(number, next))));
        stage.app.plan("POST /users/search", 1, answer);
    }
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("userName"), ["u1", "u2", "u3", "u4", "u5"]);
    let bodies: Vec<Value> = stage
        .app
        .writes()
        .into_iter()
        .map(|(_, body)| body)
        .collect();
    let window = |window: Value| json!({ "window": window });
    assert_eq!(
        bodies,
        [
            window(json!({ "most": 2 })),
            window(json!({ "after": "b", "most": 2 })),
            window(json!({ "after": "c", "most": 2 })),
        ]
    );
}

#[tokio::test]
async fn data_in_a_query_is_sent_as_json() {
    let stage = Setup::default()
        .with(
            FIND,
            "call = \"GET /users\"\nquery = { where = { login = { \"$regex\" = '^{value | regex}$', \"$options\" = \"i\" } } }\nitems = '$.items[*]'",
        )
        .start()
        .await;
    say(
        &stage,
        "GET /users?where=",
        json!({ "items": [{ "id": 4, "login": "a.b+c\\E", "state": 1 }], "total": 1 }),
    );
    let found = stage
        .get("/Users?filter=userName%20eq%20%22a.b%2Bc%5C%5CE%22")
        .await
        .is(200);
    assert_eq!(found.body["totalResults"], 1, "{:?}", stage.app.calls());
    let sent = stage.app.seen()[0].parameter("where").unwrap();
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(
        sent,
        json!({ "login": { "$regex": "^a\\.b\\+c\\\\E$", "$options": "i" } })
    );
}

/// An application's file with other members.
fn with_members(text: &str) -> Setup {
    let (before, _) = BOOK.split_once("[group.members]").unwrap();
    Setup {
        app: format!("{before}[group.members]\n{text}"),
        ..Setup::default()
    }
}

#[tokio::test]
async fn members_are_sent_as_the_objects_that_the_application_wants() {
    let stage = with_members(
        "add = { call = \"POST /groups/{group}/members\", batch = 2, element = { type = \"users\", id = \"{member}\", of = \"{type}\" }, body = { data = \"{members}\" } }\n\
         remove = { call = \"DELETE /groups/{group}/members\", batch = 2, element = { id = \"{member}\" }, body = { data = \"{members}\" } }\n\
         read = { call = \"GET /groups/{group}/members\", items = '$.items[*]', id = '$.user_id' }\n",
    )
    .start()
    .await;
    stage.app.add_users(3);
    let id = stage.app.add_group(json!({ "name": "team" }), []);
    for method in ["POST", "DELETE"] {
        let call = format!("{method} /groups/{id}/members");
        say(&stage, &call, json!({}));
    }
    let path = format!("/Groups/g-{id}");
    let members = json!([{ "value": "1" }, { "value": "2" }, { "value": "3" }]);
    let change = |op: &str| json!([{ "op": op, "path": "members", "value": members }]);
    let added = stage.patch(&path, change("add")).await;
    assert!(added.status < 300, "{}", added.body);
    let element = |id: u64| json!({ "type": "users", "id": id, "of": "User" });
    let writes = stage.app.writes().into_iter();
    let mut bodies: Vec<Value> = writes.map(|(_, body)| body).collect();
    // The batches go side by side.
    bodies.sort_by_key(|body| body["data"][0]["id"].as_u64());
    assert_eq!(
        bodies,
        [
            json!({ "data": [element(1), element(2)] }),
            json!({ "data": [element(3)] }),
        ]
    );
}

const ON_USER: &str = "on-user = { field = 'teams', id = '$.id', element = \"{group}\" }\n";

#[tokio::test]
async fn groups_read_as_objects_and_written_as_ids() {
    let stage = with_members(ON_USER).start().await;
    stage.app.add_users(1);
    let ids: Vec<u64> = ["a", "b", "c"]
        .into_iter()
        .map(|name| stage.app.add_group(json!({ "name": name }), []))
        .collect();
    // It shows objects, and takes ids.
    stage.app.expand("teams");
    let teams = json!([{ "id": ids[0], "name": "a" }, { "id": ids[1], "name": "b" }]);
    stage.app.change_user(1, "teams", teams);
    let change = |op: &str| json!([{ "op": op, "path": "members", "value": [{ "value": "1" }] }]);
    let last = |stage: &Stage| stage.app.writes().last().unwrap().1["teams"].clone();

    let path = format!("/Groups/g-{}", ids[2]);
    assert!(stage.patch(&path, change("add")).await.status < 300);
    assert_eq!(last(&stage), json!(ids));

    let path = format!("/Groups/g-{}", ids[1]);
    let without = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
    assert!(stage.patch(&path, without).await.status < 300);
    assert_eq!(last(&stage), json!([ids[0], ids[2]]));
}

const SESSIONS: &str = r#"[user.deactivate]
steps = [
  { call = "GET /sessions", query = { where = { user = "{id}" } }, take = { sessions = '$.results' } },
  { call = "DELETE /sessions/{item.token}", each = "{sessions}", if = 'item.user == id', tolerate = [404] },
  { call = "PATCH /users/{id}", body = "{fields}" },
]
[user.delete]"#;

#[tokio::test]
async fn a_step_is_made_for_each_element_of_a_list() {
    for count in [0, 1, 30] {
        let stage = Setup::default()
            .with("[user.delete]", SESSIONS)
            .start()
            .await;
        stage.app.add_users(1);
        let sessions = (0..count).map(|n| json!({ "token": format!("t{n}"), "user": 1 }));
        let others = [json!({ "token": "other", "user": 2 })];
        let sessions: Value = sessions.chain(others).collect();
        say(&stage, "GET /sessions", json!({ "results": sessions }));
        stage.app.refuse("DELETE /sessions/t1", 1, 404);
        say(&stage, "DELETE /sessions/", json!({}));
        let change = json!([{ "op": "replace", "path": "active", "value": false }]);
        let reply = stage.patch("/Users/1", change).await.is(200);
        assert_eq!(reply.body["active"], false);
        let calls = stage.app.calls();
        let mut ended: Vec<&str> = calls
            .iter()
            .filter_map(|call| call.strip_prefix("DELETE /sessions/"))
            .collect();
        ended.sort_unstable();
        let mut expected: Vec<String> = (0..count).map(|n| format!("t{n}")).collect();
        expected.sort_unstable();
        assert_eq!(ended, expected, "{calls:?}");
    }
}

#[tokio::test]
async fn a_failure_in_the_midst_of_a_list_is_told_and_repeated() {
    let stage = Setup::default()
        .with("[user.delete]", SESSIONS)
        .start()
        .await;
    stage.app.add_users(1);
    let sessions = (0..12).map(|n| json!({ "token": format!("t{n}"), "user": 1 }));
    let sessions: Value = sessions.collect();
    say(&stage, "GET /sessions", json!({ "results": sessions }));
    stage.app.refuse("DELETE /sessions/t3", 1, 500);
    say(&stage, "DELETE /sessions/", json!({}));
    let change = json!([{ "op": "replace", "path": "active", "value": false }]);
    stage.patch("/Users/1", change.clone()).await.is(502);
    let ended = |stage: &Stage| {
        let calls = stage.app.calls();
        calls
            .iter()
            .filter(|call| call.starts_with("DELETE "))
            .count()
    };
    let before = ended(&stage);
    assert!((8..=12).contains(&before), "{:?}", stage.app.calls());
    assert!(!stage.app.calls().contains(&"PATCH /users/1".to_owned()));
    stage.patch("/Users/1", change).await.is(200);
    assert_eq!(ended(&stage) - before, 12);
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
}

#[tokio::test]
async fn too_long_a_list_makes_no_call() {
    let stage = Setup::default()
        .with("[user.delete]", SESSIONS)
        .start()
        .await;
    stage.app.add_users(1);
    let sessions: Value = (0..1001)
        .map(|n| json!({ "token": format!("t{n}"), "user": 1 }))
        .collect();
    say(&stage, "GET /sessions", json!({ "results": sessions }));
    let change = json!([{ "op": "replace", "path": "active", "value": false }]);
    let reply = stage.patch("/Users/1", change).await;
    assert!(reply.status >= 400, "{}", reply.body);
    let calls = stage.app.calls();
    assert!(
        !calls.iter().any(|call| call.starts_with("DELETE")),
        "{calls:?}"
    );
}
