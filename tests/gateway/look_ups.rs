//! Tables of the application (`[values.NAME]`): a user's team is a number there and a name to the client.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

const TEAMS: &str = r#"
[values.teams]
MORE
call  = "GET /groups"
items = '$.items[*]'
scim  = '$.name'
value = '$.id'
[values.teams.page.number]
number = "page"
size   = { parameter = "per_page", most = 2 }

[[user.find]]
filter = "userType eq"
call   = "GET /users?team={value}"
items  = '$.items[*]'

[user.attributes]
'userType' = { field = 'team', values = "teams" }
'roles'    = { items = 'roles', each = { value = { field = 'role', values = "teams" } } }
"#;

/// Teams 1 to 3: north, south, east.
async fn stage(more: &str) -> Stage {
    let stage = Setup::tenant(&TEAMS.replace("MORE", more)).start().await;
    for name in ["north", "south", "east"] {
        stage.app.add_group(json!({ "name": name }), []);
    }
    stage
}

fn table_calls(stage: &Stage) -> usize {
    let calls = stage.app.calls();
    calls
        .iter()
        .filter(|call| call.starts_with("GET /groups"))
        .count()
}

fn hired(team: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "userType": team })
}

#[tokio::test]
async fn a_name_is_written_as_the_applications_id_and_read_as_the_name() {
    let stage = stage("").await;
    let made = stage.post("/Users", hired("South")).await.is(201);
    assert_eq!(made.body["userType"], "south");
    let id: u64 = made.id().parse().unwrap();
    assert_eq!(stage.app.user(id).unwrap()["team"], 2);
    assert_eq!(table_calls(&stage), 2, "two pages, read once");

    let path = format!("/Users/{id}");
    let changed = stage
        .patch(&path, json!([{ "op": "add", "path": "roles", "value": [{ "value": "east" }, { "value": "north" }] }]))
        .await
        .is(200);
    assert_eq!(
        changed.body["roles"],
        json!([{ "value": "east" }, { "value": "north" }])
    );
    assert_eq!(
        stage.app.user(id).unwrap()["roles"],
        json!([{ "role": 3 }, { "role": 1 }])
    );
    stage.app.forget_calls();
    let again = json!([{ "op": "replace", "path": "userType", "value": "south" }]);
    stage.patch(&path, again).await.is(200);
    assert!(stage.app.writes().is_empty());
    assert_eq!(table_calls(&stage), 0, "remembered");
}

#[tokio::test]
async fn who_needs_no_table_reads_none() {
    let stage = stage("").await;
    let user = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    stage.get(&format!("/Users/{user}")).await.is(200);
    let title = json!([{ "op": "replace", "path": "title", "value": "Countess" }]);
    stage.patch(&format!("/Users/{user}"), title).await.is(200);
    assert_eq!(table_calls(&stage), 0);
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_what_there_is_and_asks_again_once() {
    let stage = stage("").await;
    for _ in 0..3 {
        let refused = stage
            .post("/Users", hired("west"))
            .await
            .refused(400, "invalidValue");
        assert_eq!(
            refused.body["detail"],
            "The application does not know this value of `userType`; it has `north`, `south`, `east`."
        );
    }
    assert_eq!(
        table_calls(&stage),
        2,
        "nonsense makes no calls without end"
    );
    assert!(stage.app.writes().is_empty());
}

#[tokio::test]
async fn a_new_row_is_found_once_the_table_may_be_read_again() {
    let stage = stage("remember = \"1s\"").await;
    stage
        .post("/Users", hired("west"))
        .await
        .refused(400, "invalidValue");
    stage.app.add_group(json!({ "name": "west" }), []);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    stage.post("/Users", hired("west")).await.is(201);
}

#[tokio::test]
async fn an_id_without_a_row_is_left_out_of_what_is_read() {
    let stage = stage("").await;
    let user = stage.app.add_user(
        json!({ "login": "ada", "state": 1, "team": 77, "roles": [{ "role": 1 }, { "role": 78 }] }),
    );
    let read = stage.get(&format!("/Users/{user}")).await.is(200);
    assert_eq!(read.body.get("userType"), None);
    assert_eq!(read.body["roles"], json!([{ "value": "north" }]));
}

#[tokio::test]
async fn a_filter_goes_down_with_the_applications_id() {
    let stage = stage("").await;
    stage
        .app
        .add_user(json!({ "login": "ada", "state": 1, "team": 2 }));
    stage
        .app
        .add_user(json!({ "login": "bob", "state": 1, "team": 1 }));
    let found = stage
        .get("/Users?filter=userType%20eq%20%22south%22")
        .await
        .is(200);
    assert_eq!(found.each("userName"), ["ada"]);
    assert!(
        stage
            .app
            .calls()
            .iter()
            .any(|call| call.starts_with("GET /users?team=2&"))
    );
    stage.app.forget_calls();
    let none = stage
        .get("/Users?filter=userType%20eq%20%22nowhere%22")
        .await
        .is(200);
    assert_eq!(none.body["totalResults"], 0);
    assert!(
        stage
            .app
            .calls()
            .iter()
            .all(|call| !call.starts_with("GET /users"))
    );
}

#[tokio::test]
async fn many_that_wait_read_the_table_once() {
    let stage = stage("").await;
    let users: Vec<u64> = (0..8)
        .map(|n| {
            stage
                .app
                .add_user(json!({ "login": format!("u{n}"), "state": 1, "team": 3 }))
        })
        .collect();
    let paths: Vec<String> = users.iter().map(|id| format!("/Users/{id}")).collect();
    let reads = paths.iter().map(|path| stage.get(path));
    for reply in futures_util::future::join_all(reads).await {
        assert_eq!(reply.is(200).body["userType"], "east");
    }
    assert_eq!(table_calls(&stage), 2);
}

#[tokio::test]
async fn a_table_that_is_too_large_is_refused_in_words() {
    let stage = stage("most = 2").await;
    let refused = stage.post("/Users", hired("north")).await.is(502);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("`teams` has more than 2 rows"), "{detail}");
    assert!(stage.app.writes().is_empty());
}

#[tokio::test]
async fn what_was_read_before_does_while_the_table_cannot_be_read() {
    let stage = stage("remember = \"1s\"").await;
    let user = stage
        .app
        .add_user(json!({ "login": "ada", "state": 1, "team": 2 }));
    let path = format!("/Users/{user}");
    stage.get(&path).await.is(200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let broken = Fault::Before(Act::Say(Answer::json(400, json!({ "message": "no" }))));
    stage.app.plan("GET /groups", 100, broken);
    assert_eq!(stage.get(&path).await.is(200).body["userType"], "south");
    let tries = table_calls(&stage);
    stage.get(&path).await.is(200);
    assert_eq!(table_calls(&stage), tries, "not tried at once again");
}
