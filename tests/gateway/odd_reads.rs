//! Applications that have no object of a person: one that says yes or no, lists of bare names, and details in pieces.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    fake_target::{Answer, Seen},
    stage::{Setup, Stage},
};

/// A chat server: commands by POST, users by name, a card for each, nothing that gives a user as an object.
const CHAT: &str = r#"
app = "book"

[target]
base-url = "${BOOK_URL}"
deadline = "5s"
errors.detail = ['$.message', '$']

[user]
id = { from = '$.user', stable = false }

[user.list]
call       = "POST /registered_users"
repeatable = true
items      = '$'
lacks      = ["name", "active"]

[[user.find]]
filter     = "userName eq"
call       = "POST /check_account"
body       = { user = "{value}" }
repeatable = true
rules      = [{ when = 'value == 1', is = "not-found" }]
id         = "{value}"

[user.get]
steps = [
  { call = "POST /check_account", body = { user = "{id}" }, repeatable = true, into = 'there', rules = [{ when = 'value == 1', is = "not-found" }] },
  { call = "POST /get_card", body = { user = "{id}" }, repeatable = true, into = 'card' },
]

[user.create]
call  = "POST /register"
body  = { user = "{userName}" }
reply = "none"
id    = "{userName}"

[user.update]
call = "POST /set_card"
body = { user = "{id}", given = "{name.givenName}" }
reply = "none"

[user.delete]
call = "POST /unregister"
body = { user = "{id}" }

[user.attributes]
'userName'       = { field = 'user', required = true, create-only = true }
'name.givenName' = 'card.given'
'active'         = { read = '$.there', values = { true = 0 } }
"#;

/// The users of the chat server with their cards.
fn chat(mut cards: BTreeMap<String, Value>) -> impl FnMut(&Seen) -> Answer + Send {
    move |seen| {
        let body = seen.json();
        let user = body["user"].as_str().unwrap_or_default().to_owned();
        match seen.path.as_str() {
            "/registered_users" => Answer::json(200, cards.keys().cloned().collect()),
            "/check_account" => Answer::json(200, json!(i32::from(!cards.contains_key(&user)))),
            "/get_card" => Answer::json(200, cards.get(&user).cloned().unwrap_or_default()),
            "/register" if cards.contains_key(&user) => {
                Answer::json(409, json!(format!("User {user} is there")))
            }
            "/register" => {
                cards.insert(user, json!({}));
                Answer::json(200, json!("done"))
            }
            "/set_card" => {
                cards.insert(user, json!({ "given": body["given"] }));
                Answer::json(200, json!(0))
            }
            "/unregister" => {
                cards.remove(&user);
                Answer::json(200, json!(0))
            }
            _ => Answer::json(404, json!({ "message": "no such command" })),
        }
    }
}

async fn stage(app: &str, tenant: &str) -> Stage {
    let setup = Setup {
        app: app.into(),
        ..Setup::tenant(tenant)
    };
    let stage = setup.start().await;
    let cards = ["admin", "ada", "bob"]
        .map(|name| (name.to_owned(), json!({ "given": name.to_uppercase() })));
    stage.app.answer_by(chat(cards.into()));
    stage
}

/// The commands since the last look.
fn commands(stage: &Stage) -> Vec<String> {
    let seen = stage.app.seen();
    stage.app.forget_calls();
    let line = |seen: &Seen| match seen.json()["user"].as_str() {
        Some(user) => format!("{} {user}", &seen.path[1..]),
        None => seen.path[1..].to_owned(),
    };
    seen.iter().map(line).collect()
}

#[tokio::test]
async fn an_object_may_be_nothing_but_its_parts() {
    let stage = stage(CHAT, "").await;
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("userName"), ["ada", "admin", "bob"]);
    assert_eq!(list.body["Resources"][0]["name"]["givenName"], "ADA");
    let id = list.each("id")[0].clone();
    let one = stage.get(&format!("/Users/{id}")).await.is(200);
    assert_eq!(one.body["userName"], "ada");
    assert_eq!(one.body["active"], true);
    assert_eq!(
        one.body["meta"]["version"],
        list.body["Resources"][0]["meta"]["version"]
    );
    let change = json!([{ "op": "replace", "path": "name.givenName", "value": "Augusta" }]);
    stage.patch(&format!("/Users/{id}"), change).await.is(200);
    let one = stage.get(&format!("/Users/{id}")).await.is(200);
    assert_eq!(one.body["name"]["givenName"], "Augusta");
    stage.delete(&format!("/Users/{id}")).await.is(204);
    stage.get(&format!("/Users/{id}")).await.is(404);
    assert_eq!(
        stage.get("/Users").await.is(200).each("userName"),
        ["admin", "bob"]
    );
}

#[tokio::test]
async fn a_get_of_which_conditions_leave_nothing_says_nothing_about_anybody() {
    let app = CHAT
        .replace("into = 'there'", "into = 'there', if = 'settings.asks'")
        .replace("into = 'card'", "into = 'card', if = 'settings.asks'")
        .replace("[target]\n", "[settings]\nasks = false\n[target]\n");
    let stage = stage(&app, "").await;
    let names = stage.get("/Users?attributes=userName").await.is(200);
    assert_eq!(names.each("userName"), ["ada", "admin", "bob"]);
    let id = names.each("id")[0].clone();
    let reply = stage.get(&format!("/Users/{id}")).await.is(502);
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(
        detail.contains("`if` of every step") && detail.contains("`user.get`"),
        "{detail}"
    );
    stage.get("/Users").await.is(502);
}

#[tokio::test]
async fn a_find_may_answer_yes_or_no() {
    let stage = stage(CHAT, "").await;
    let find = |name: &str| format!("/Users?filter=userName%20eq%20%22{name}%22");
    let found = stage.get(&find("bob")).await.is(200);
    assert_eq!(found.each("userName"), ["bob"]);
    assert_eq!(found.body["Resources"][0]["name"]["givenName"], "BOB");
    assert_eq!(
        commands(&stage),
        ["check_account bob", "check_account bob", "get_card bob"]
    );
    let found = stage.get(&find("eve")).await.is(200);
    assert_eq!(found.body["totalResults"], 0);
    assert_eq!(commands(&stage), ["check_account eve"]);
    // Nothing of the object but its name is asked for.
    let found = stage
        .get(&format!("{}&attributes=userName", find("bob")))
        .await
        .is(200);
    assert_eq!(found.each("userName"), ["bob"]);
    assert_eq!(commands(&stage), ["check_account bob"]);
    let body = json!({ "userName": "eve" });
    stage.post("/Users", body.clone()).await.is(201);
    assert_eq!(commands(&stage), ["check_account eve", "register eve"]);
    stage.post("/Users", body).await.refused(409, "uniqueness");
    assert!(!commands(&stage).contains(&"register eve".to_owned()));
}

/// `HEAD /accounts/{name}`: 200 or 404, and no body.
#[tokio::test]
async fn a_find_may_be_a_head_request() {
    let find = "call       = \"POST /check_account\"\nbody       = { user = \"{value}\" }\nrepeatable = true\nrules      = [{ when = 'value == 1', is = \"not-found\" }]\nid ";
    assert!(CHAT.contains(find));
    let app = CHAT.replace(find, "call = \"HEAD /accounts/{value}\"\nid ");
    let stage = stage(&app, "").await;
    let mut of_chat = chat([("ada".to_owned(), json!({ "given": "Ada" }))].into());
    stage.app.answer_by(move |seen| match seen.path.as_str() {
        "/accounts/ada" => Answer::empty(200),
        "/accounts/eve" => Answer::empty(404),
        _ => of_chat(seen),
    });
    for (name, count) in [("ada", 1), ("eve", 0)] {
        let path = format!("/Users?filter=userName%20eq%20%22{name}%22");
        assert_eq!(
            stage.get(&path).await.is(200).body["totalResults"],
            count,
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_id_of_what_is_found_may_stand_anywhere_in_the_reply() {
    let app = CHAT.replace(
        "id         = \"{value}\"",
        "id         = '$.result.account'",
    );
    let stage = stage(&app, "").await;
    let mut of_chat = chat([("ada".to_owned(), json!({ "given": "Ada" }))].into());
    let find = "/Users?filter=userName%20eq%20%22ada%22";
    stage.app.answer_by(
        move |seen| match (&*seen.path, seen.json()["user"].as_str()) {
            ("/check_account", Some("ada")) => {
                Answer::json(200, json!({ "result": { "account": "ada" } }))
            }
            _ => of_chat(seen),
        },
    );
    assert_eq!(stage.get(find).await.is(200).each("userName"), ["ada"]);
    // Nothing there is nobody; another thing there is no answer.
    for (reply, status) in [
        (json!({ "result": {} }), 200),
        (json!({ "result": null }), 200),
        (json!({ "found": "ada" }), 502),
    ] {
        stage
            .app
            .answer_by(move |_| Answer::json(200, reply.clone()));
        let answer = stage.get(find).await.is(status);
        match status {
            200 => assert_eq!(answer.body["totalResults"], 0),
            _ => assert!(
                answer.body["detail"]
                    .as_str()
                    .unwrap()
                    .contains("`$.result.account`"),
                "{}",
                answer.body
            ),
        }
    }
}

#[tokio::test]
async fn names_that_the_list_gives_alone_answer_a_look_up_by_name() {
    for rows in [
        "lacks      = [\"name\", \"active\"]",
        "rows       = \"reference\"",
    ] {
        let app = CHAT.replace("lacks      = [\"name\", \"active\"]", rows);
        let at = app.find("[[user.find]]").unwrap();
        let rest = at + app[at..].find("[user.get]").unwrap();
        let stage = stage(
            &format!("{}{}", &app[..at], &app[rest..]),
            "[policy]\nprotected = [\"admin\"]\n",
        )
        .await;
        let names = stage.get("/Users?attributes=userName").await.is(200);
        assert_eq!(names.each("userName"), ["ada", "bob"]);
        assert_eq!(commands(&stage), ["registered_users"], "{rows}");
        let found = stage
            .get("/Users?filter=userName%20eq%20%22BOB%22")
            .await
            .is(200);
        assert_eq!(found.each("userName"), ["bob"]);
        assert_eq!(
            commands(&stage),
            ["registered_users", "check_account bob", "get_card bob"],
            "{rows}"
        );
        let found = stage
            .get("/Users?filter=userName%20eq%20%22admin%22")
            .await
            .is(200);
        assert_eq!(found.body["totalResults"], 0);
        stage
            .post("/Users", json!({ "userName": "Admin" }))
            .await
            .is(403);
    }
}

/// Where some accounts are protected, one that does not say its name may be one of them.
#[tokio::test]
async fn an_account_whose_name_is_not_known_is_not_shown_where_some_are_protected() {
    let stage = Setup::tenant("[policy]\nprotected = [\"admin\"]\n")
        .start()
        .await;
    let nameless = stage.app.add_user(json!({ "login": null, "state": 1 }));
    let nobody = stage.get("/Users").await.is(502);
    assert!(
        nobody.body["detail"]
            .as_str()
            .unwrap()
            .contains("`userName`"),
        "{}",
        nobody.body
    );
    let admin = stage.app.add_user(json!({ "login": "admin", "state": 1 }));
    let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    assert_eq!(
        stage.get("/Users").await.is(200).each("id"),
        [ada.to_string()]
    );
    stage.get(&format!("/Users/{admin}")).await.is(404);
    stage.get(&format!("/Users/{nameless}")).await.is(502);
}

#[tokio::test]
async fn the_first_place_that_holds_a_text_says_why() {
    let stage = stage(CHAT, "").await;
    for (body, words) in [
        (json!({ "message": "no space left" }), "no space left"),
        (
            json!("Request have missing argument"),
            "Request have missing argument",
        ),
    ] {
        stage.app.answer_by(move |seen| match seen.path.as_str() {
            "/check_account" => Answer::json(200, json!(1)),
            _ => Answer::json(400, body.clone()),
        });
        let reply = stage
            .post("/Users", json!({ "userName": "eve" }))
            .await
            .is(400);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.ends_with(words), "{detail}");
    }
}

/// An application whose single object does not show that it is retired: only its list goes without it.
fn retiring(mut retired: bool) -> impl FnMut(&Seen) -> Answer + Send {
    move |seen| {
        let person = |id: u64| json!({ "id": id, "login": format!("u{id}"), "state": 1 });
        let path = seen.path.split('?').next().unwrap_or_default();
        match (seen.method.as_str(), path) {
            ("DELETE", "/users/2") => {
                retired = true;
                Answer::json(200, json!({}))
            }
            ("GET", "/users") => {
                let asked = seen.parameter("id").or_else(|| seen.parameter("login"));
                let is_asked = |id: &u64| {
                    let asked = asked.as_deref();
                    asked.is_none_or(|asked| asked.trim_start_matches('u') == id.to_string())
                };
                let living = (1..=3).filter(|id| !retired || *id != 2);
                let rows: Vec<Value> = living.filter(is_asked).map(person).collect();
                Answer::json(200, json!({ "items": rows, "total": rows.len() }))
            }
            ("GET", "/users/9") => Answer::json(404, json!({})),
            _ => Answer::json(200, person(path[7..].parse().unwrap_or(0))),
        }
    }
}

#[tokio::test]
async fn a_deletion_that_only_the_list_shows_is_seen_by_asking_the_list() {
    let get = "[user.get]\ncall = \"GET /users/{id}\"\n";
    let asked_first = "[user.get]\nsteps = [\n  { call = \"GET /users?id={id}\", rules = [{ when = 'total == 0', is = \"not-found\" }] },\n  \"GET /users/{id}\",\n]\n";
    let found = "[[user.find]]\nfilter = \"id eq\"\ncall   = \"GET /users?id={value}\"\nitems  = '$.items[*]'\npage   = false\n";
    for (instead, calls) in [
        (asked_first, vec!["GET /users?id=1", "GET /users/1"]),
        (found, vec!["GET /users?id=1"]),
    ] {
        let setup = Setup::default().with(get, instead);
        let setup = match instead == found {
            true => setup.with("[user]\n", "[user]\nget = false\n"),
            false => setup,
        };
        let stage = setup.start().await;
        stage.app.answer_by(retiring(false));
        stage
            .get("/Users/1?excludedAttributes=groups")
            .await
            .is(200);
        assert_eq!(stage.app.calls(), calls);
        stage.get("/Users/9").await.is(404);
        stage.delete("/Users/2").await.is(204);
        stage.get("/Users/2").await.is(404);
        stage.app.forget_calls();
        let list = stage.get("/Users").await.is(200);
        assert_eq!(list.each("id"), ["1", "3"]);
        assert_eq!(stage.app.calls().len(), 1, "{:?}", stage.app.calls());
    }
}

/// Groups that only a list shows: what is written is read back from it, and one that is missing is missed.
#[tokio::test]
async fn what_only_a_list_shows_is_read_back_from_it() {
    let stage = Setup::default()
        .with("[group]\n", "[group]\nget = false\n")
        .with("[group.get]\ncall = \"GET /groups/{id}\"\n", "")
        .with(
            "[group.create]\ncall = \"POST /groups\"\n",
            "[group.create]\ncall = \"POST /groups\"\nid = '$.id'\nread-back = true\n",
        )
        .with(
            "[group.update]\ncall = \"PATCH /groups/{id}\"\n",
            "[group.update]\ncall = \"PATCH /groups/{id}\"\nread-back = true\n",
        )
        .start()
        .await;
    let made = stage.post("/Groups", json!({ "displayName": "team" }));
    let id = made.await.is(201).id();
    let lists = |calls: Vec<String>| calls.iter().filter(|call| call.starts_with("GET ")).count();
    assert_eq!(lists(stage.app.calls()), 1, "{:?}", stage.app.calls());
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "crew" }]);
    let renamed = stage.patch(&format!("/Groups/{id}"), rename).await.is(200);
    assert_eq!(renamed.body["displayName"], "crew");
    let nobody = json!([{ "op": "replace", "path": "displayName", "value": "x" }]);
    stage.patch("/Groups/g-99", nobody).await.is(404);
}

/// Objects that do not repeat what they were asked by, and replies of writes in another form than reads.
#[tokio::test]
async fn what_a_reply_leaves_out_or_calls_otherwise_is_put_in() {
    let operations = "[user.get]\ncall = \"GET /users/{id}\"\nset = { id = \"{id}\", state = '{1 if enabled else 3}', \"...\" = \"{profile}\" }\n\
                      [user.create]\ncall = \"POST /users\"\nset = { login = \"{account}\", state = 1 }\n\
                      [user.update]\ncall = \"PATCH /users/{id}\"\nset = { login = \"{old.login}\", state = \"{old.state}\", title = \"{job}\" }\n";
    let stage = Setup::default()
        .with("[user.get]\ncall = \"GET /users/{id}\"\n", operations)
        .with(
            "[user.create]\ncall = \"POST /users\"\n[user.update]",
            "[unused]",
        )
        .with("[unused]\ncall = \"PATCH /users/{id}\"\n", "")
        .start()
        .await;
    stage.app.answer_by(|seen| {
        let title = seen.json()["job"].clone();
        match seen.method.as_str() {
            "POST" => Answer::json(201, json!({ "id": 7, "account": "ada" })),
            "PATCH" => Answer::json(200, json!({ "id": 7, "job": seen.json()["title"] })),
            _ if seen.path.contains("groups") => Answer::json(200, json!({ "items": [] })),
            _ if seen.path.starts_with("/users?") => {
                Answer::json(200, json!({ "items": [], "total": 0 }))
            }
            _ => Answer::json(
                200,
                json!({ "enabled": false, "profile": { "login": "ada", "title": title } }),
            ),
        }
    });
    let made = stage.post("/Users", json!({ "userName": "ada" })).await;
    let made = made.is(201);
    assert_eq!(
        (&made.body["id"], &made.body["active"]),
        (&json!("7"), &json!(true))
    );
    let read = stage.get("/Users/7").await.is(200);
    assert_eq!(read.body["userName"], "ada");
    assert_eq!(read.body["active"], false);
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    let changed = stage.patch("/Users/7", title).await.is(200);
    assert_eq!(changed.body["title"], "Dr");
    assert_eq!(changed.body["active"], false);
}

#[tokio::test]
async fn a_condition_that_cannot_be_worked_out_for_anybody_is_no_empty_list() {
    let stage = Setup::default()
        .with("[user]\n", "[user]\nhide = 'flags + 1 > 2'\n")
        .start()
        .await;
    let ada = json!({ "login": "ada", "state": 1, "flags": ["vip"] });
    let ada = stage.app.add_user(ada);
    for path in ["/Users".to_owned(), format!("/Users/{ada}")] {
        let reply = stage.get(&path).await.is(502);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains("`hide`"), "{path}: {detail}");
    }
    // Of some it is not known, and of others it is.
    let bob = json!({ "login": "bob", "state": 1, "flags": 0 });
    let bob = stage.app.add_user(bob);
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("id"), [bob.to_string()]);
}

/// Bare names in the list, and an object that does not say whose it is: what the list says it has read is known by its id.
#[tokio::test]
async fn an_object_without_its_id_is_known_by_a_list_that_puts_ids_into_its_rows() {
    let at = CHAT.find("[[user.find]]").unwrap();
    let rest = at + CHAT[at..].find("[user.create]").unwrap();
    let get =
        "[user.get]\ncall = \"POST /get_card\"\nbody = { user = \"{id}\" }\nrepeatable = true\n\n";
    let app = format!("{}{get}{}", &CHAT[..at], &CHAT[rest..]);
    let app = app.replace("'card.given'", "'given'");
    for (set, status) in [("", 502), ("set = { user = \"{value}\" }\n", 200)] {
        let app = app.replace("items      = '$'\n", &format!("items = '$'\n{set}"));
        let stage = stage(&app, "").await;
        let list = stage.get("/Users").await.is(200);
        assert_eq!(list.each("userName"), ["ada", "admin", "bob"]);
        assert_eq!(list.body["Resources"][0]["name"]["givenName"], "ADA");
        let id = list.each("id")[0].clone();
        let one = stage.get(&format!("/Users/{id}")).await.is(status);
        match status {
            200 => assert_eq!(one.body["name"]["givenName"], "ADA"),
            _ => assert!(one.body["detail"].as_str().unwrap().contains("`$.user`")),
        }
    }
}
