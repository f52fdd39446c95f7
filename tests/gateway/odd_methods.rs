//! Methods that HTTP does not have, and writes by a method that should only read.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::{
    application::{Fault, Lost},
    fake_target::Answer,
    stage::{Setup, Stage},
};

/// Keys alone, listed by a method that HTTP itself does not have (a secrets' store does so); a write with another.
#[tokio::test]
async fn methods_beside_those_of_http_are_sent_as_they_are() {
    let book = Setup::default().app;
    let (start, rest) = book.split_once("[user.list]").unwrap();
    let (_, rest) = rest.split_once("[user.get]").unwrap();
    let list = "[user.list]\ncall = \"LIST /keys\"\nitems = '$.data.keys[*]'\nrows = \"reference\"\nset = { id = \"{value}\" }\n";
    let setup = Setup {
        app: format!("{start}{list}[user.get]{rest}"),
        ..Setup::default()
    };
    let update = "[user.update]\ncall = \"PATCH /users/{id}\"";
    let stage = setup
        .with(update, "[user.update]\ncall = \"MERGE /users/{id}\"")
        .start()
        .await;
    stage.app.answer_by(|seen| match seen.method.as_str() {
        "LIST" => Answer::json(200, json!({ "data": { "keys": [1, 2] } })),
        "MERGE" => Answer::json(
            200,
            json!({ "id": 1, "login": "ada", "title": seen.json()["title"], "state": 1 }),
        ),
        _ if seen.path.contains("groups") => Answer::json(200, json!({ "items": [] })),
        _ => Answer::json(200, json!({ "id": 1, "login": "ada", "state": 1 })),
    });
    let list = stage.get("/Users?attributes=userName").await.is(200);
    assert_eq!(list.body["totalResults"], 2);
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    let changed = stage.patch("/Users/1", title).await.is(200);
    assert_eq!(changed.body["title"], "Dr");
    let writes = stage.app.writes();
    assert!(
        writes
            .iter()
            .any(|(call, body)| call == "MERGE /users/1" && body["title"] == "Dr"),
        "{writes:?}"
    );
}

/// An application of which every call is a GET.
async fn pad(tenant: &str) -> (Stage, Arc<Mutex<Vec<String>>>) {
    let book = Setup::default().app;
    let (target, _) = book.split_once("[user]").unwrap();
    let user = "[user]\nid = '$.id'\nlist = { call = \"GET /listAuthors\", items = '$.authors[*]' }\nget = \"GET /author?id={id}\"\n\
                create = { call = \"GET /createAuthor?login={userName}&name={displayName}\" }\n\
                update = { call = \"GET /setAuthorName?id={id}&name={displayName}\", read-back = true }\n\
                deactivate = false\n\
                delete = { steps = [{ call = \"GET /author?id={id}\", take = { own = '$.login' } }, \"GET /deleteAuthor?login={own}\"] }\n\
                [user.attributes]\n'userName' = { field = 'login', create-only = true }\n'displayName' = 'name'\n";
    let stage = Setup {
        app: format!("{target}{user}"),
        ..Setup::tenant(tenant)
    }
    .start()
    .await;
    let written = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&written);
    stage.app.answer_by(move |seen| {
        let call = seen.path.split('?').next().unwrap_or_default().to_owned();
        if !["/author", "/listAuthors"].contains(&call.as_str()) {
            log.lock().unwrap().push(call);
        }
        Answer::json(200, json!({ "id": "a.1", "login": "ada", "name": "Ada" }))
    });
    (stage, written)
}

#[tokio::test]
async fn writes_by_get_are_made_and_are_not_made_in_a_dry_run() {
    for (tenant, made) in [
        ("", vec!["/createAuthor", "/setAuthorName", "/deleteAuthor"]),
        ("mode = \"shadow\"\n", vec![]),
    ] {
        let (stage, written) = pad(tenant).await;
        let ada = json!({ "userName": "ada", "displayName": "Ada" });
        let is_live = tenant.is_empty();
        let made_one = stage.post("/Users", ada).await;
        assert_eq!(made_one.status == 201, is_live, "{}", made_one.body);
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "Ada L" }]);
        stage.patch("/Users/a.1", rename).await;
        let deleted = stage.delete("/Users/a.1").await;
        assert_eq!(deleted.status == 204, is_live, "{}", deleted.body);
        assert_eq!(*written.lock().unwrap(), made, "{tenant}");
    }
}

#[tokio::test]
async fn a_write_by_get_whose_answer_is_lost_is_not_repeated() {
    let (stage, written) = pad("").await;
    let lost = Fault::AfterEffect(Lost::Reset);
    stage.app.plan("GET /createAuthor", 9, lost);
    let ada = json!({ "userName": "ada", "displayName": "Ada" });
    let reply = stage.post("/Users", ada).await;
    assert!(reply.status >= 500, "{}", reply.body);
    assert_eq!(*written.lock().unwrap(), ["/createAuthor"]);
}
