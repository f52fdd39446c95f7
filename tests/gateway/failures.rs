//! Applications that answer every call with 200, and say in the body that it failed, where the mapping has no rule for it.

use serde_json::{Value, json};

use crate::{
    fake_target::Answer,
    stage::{Setup, Stage},
};

/// A service of JSON-RPC calls, whose mapping says where the result is and nothing of failures.
const RPC: &str = r#"
app = "book"

[target]
base-url = "${BOOK_URL}"
deadline = "5s"
content  = '$.result'

[user]
id = '$.id'

[user.list]
call       = "POST /rpc/user.list"
repeatable = true
items      = '$.users[*]'

[user.get]
call       = "POST /rpc/user.get"
body       = { id = "{id}" }
repeatable = true

[user.create]
call = "POST /rpc/user.create"

[user.update]
call  = "POST /rpc/user.update"
body  = { id = "{id}", fields = "{fields}" }
reply = "none"

[user.set-password]
call  = "POST /rpc/user.password"
body  = { id = "{id}", password = "{password}" }
reply = "none"

[user.delete]
call = "POST /rpc/user.delete"
body = { id = "{id}" }

[user.attributes]
'userName' = { field = 'login', required = true }
'title'    = 'title'
'password' = { write-only = true }
"#;

/// The service with one user, whose calls of this name are answered with this body.
async fn answering(call: &'static str, body: Value) -> Stage {
    let stage = Setup {
        app: RPC.to_owned(),
        ..Setup::default()
    }
    .start()
    .await;
    stage.app.answer_by(move |seen| {
        let ada = json!({ "id": "u1", "login": "ada", "title": "Dr." });
        let called = seen.path.trim_start_matches("/rpc/");
        let result = match called {
            _ if called == call => return Answer::json(200, body.clone()),
            "user.list" => json!({ "users": [ada] }),
            "user.get" | "user.create" => ada,
            _ => Value::Null,
        };
        Answer::json(200, json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
    });
    stage
}

fn failed() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32001, "message": "session expired" } })
}

#[tokio::test]
async fn a_failure_in_the_body_is_no_empty_list_and_nobody_missing() {
    let stage = answering("user.list", failed()).await;
    let reply = stage.get("/Users").await.is(502);
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .contains("`$.result`"),
        "{}",
        reply.body
    );
    let stage = answering("user.get", failed()).await;
    stage.get("/Users/u1").await.is(502);
    // What holds nothing at all says that there is nothing.
    let none = json!({ "jsonrpc": "2.0", "id": 1, "result": null });
    let stage = answering("user.get", none.clone()).await;
    stage.get("/Users/u1").await.is(404);
    let stage = answering("user.list", none).await;
    assert_eq!(stage.get("/Users").await.is(200).body["totalResults"], 0);
}

#[tokio::test]
async fn a_failure_in_the_body_is_no_write() {
    let title = json!([{ "op": "replace", "path": "title", "value": "Prof." }]);
    let password = json!([{ "op": "replace", "path": "password", "value": "Long-enough-1" }]);
    for (call, change) in [("user.update", title.clone()), ("user.password", password)] {
        let stage = answering(call, failed()).await;
        stage.patch("/Users/u1", change).await.is(502);
    }
    let stage = answering("user.create", failed()).await;
    stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(502);
    let stage = answering("user.delete", failed()).await;
    stage.delete("/Users/u1").await.is(502);
    // A write may be answered without a result.
    for done in [
        json!({ "ok": true }),
        json!({ "error": null }),
        json!({ "error": false, "id": 1 }),
    ] {
        let stage = answering("user.update", done).await;
        stage.patch("/Users/u1", title.clone()).await.is(200);
    }
}

#[tokio::test]
async fn a_failure_in_the_body_is_no_empty_list_where_the_content_is_the_whole_body() {
    for (body, status) in [
        (json!({ "error": "token expired" }), 502),
        (json!({ "errors": [{ "message": "no" }] }), 502),
        (json!({ "next": "" }), 200),
        (json!({}), 200),
        (json!({ "items": [], "error": "nobody" }), 200),
    ] {
        let stage = Setup::default().start().await;
        stage
            .app
            .answer_by(move |_| Answer::json(200, body.clone()));
        stage.get("/Users").await.is(status);
    }
}
