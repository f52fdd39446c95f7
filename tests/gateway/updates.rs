//! A write is a wish: only the difference reaches the application, once, whole.

use serde_json::{Value, json};

use crate::stage::{Setup, Stage, patch};

fn ada() -> Value {
    json!({
        "userName": "ada",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": "ada@corp.example", "type": "work", "primary": true }],
        "title": "Analyst",
        "nickName": "Countess",
        "active": true,
    })
}

async fn with_ada(setup: Setup) -> Stage {
    let stage = setup.start().await;
    stage.post("/Users", ada()).await.is(201);
    stage.app.forget_calls();
    stage
}

#[tokio::test]
async fn one_request_is_one_call_with_the_changed_fields_only() {
    let cases = [
        (
            json!([{ "op": "replace", "path": "title", "value": "Dr." }]),
            json!({ "title": "Dr." }),
        ),
        (
            json!([
                { "op": "replace", "path": "title", "value": "Dr." },
                { "op": "replace", "path": "name.givenName", "value": "Augusta" },
                { "op": "replace", "value": { "active": false } },
            ]),
            json!({ "first": "Augusta", "title": "Dr.", "state": 3 }),
        ),
        (
            json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@x.example" }]),
            json!({ "mail": "a@x.example" }),
        ),
        // What ends as it began is no change.
        (
            json!([
                { "op": "replace", "path": "title", "value": "x" },
                { "op": "replace", "path": "title", "value": "Analyst" },
                { "op": "replace", "path": "name.familyName", "value": "King" },
            ]),
            json!({ "last": "King" }),
        ),
    ];
    for (operations, expected) in cases {
        let stage = with_ada(Setup::default()).await;
        stage.patch("/Users/1", operations.clone()).await.is(200);
        assert_eq!(
            stage.app.writes(),
            [("PATCH /users/1".to_owned(), expected)],
            "{operations}"
        );
        stage.app.forget_calls();
        stage.patch("/Users/1", operations.clone()).await.is(200);
        assert_eq!(stage.app.writes(), [], "{operations}");
    }
}

#[tokio::test]
async fn an_external_id_that_the_application_has_a_place_for_is_the_applications() {
    let setup = Setup::default().with("'title' ", "'externalId' = 'ref'\n'title' ");
    let stage = with_ada(setup).await;
    let operations = json!([{ "op": "add", "path": "externalId", "value": "e-7" }]);
    let reply = stage.patch("/Users/1", operations).await.is(200);
    assert_eq!(reply.body["externalId"], "e-7");
    assert_eq!(stage.app.user(1).unwrap()["ref"], "e-7");

    // Somebody changes it there: that is what the client sees, alone and in a list, and what it finds.
    stage.app.change_user(1, "ref", json!("e-8"));
    assert_eq!(stage.get("/Users/1").await.body["externalId"], "e-8");
    assert_eq!(stage.get("/Users").await.each("externalId"), ["e-8"]);
    for (value, found) in [("e-7", 0), ("e-8", 1)] {
        let filter = format!("/Users?filter=externalId%20eq%20%22{value}%22");
        assert_eq!(stage.get(&filter).await.body["totalResults"], found);
    }
    let operations = json!([{ "op": "remove", "path": "externalId" }]);
    let reply = stage.patch("/Users/1", operations).await.is(200);
    assert_eq!(reply.body["externalId"], Value::Null);
}

#[tokio::test]
async fn a_list_that_is_only_read_is_never_written() {
    let line = "'roles' = { read-only = true, items = 'roles', each = { value = 'name' } }";
    let setup = Setup::default().with("'title' ", &format!("{line}\n'title' "));
    let stage = with_ada(setup).await;
    let roles = json!([{ "name": "Auditor", "since": 2020 }]);
    stage.app.change_user(1, "roles", roles.clone());
    let shown = stage.get("/Users/1").await.is(200);
    assert_eq!(shown.body["roles"], json!([{ "value": "Auditor" }]));
    // A replacement that does not speak of it, one that does, and a change of it alone.
    stage.put("/Users/1", ada()).await.is(200);
    let mut other = ada();
    other["roles"] = json!([{ "value": "Admin" }]);
    stage.put("/Users/1", other).await.is(200);
    for operation in ["add", "replace", "remove"] {
        let mut one = json!({ "op": operation, "path": "roles" });
        if operation != "remove" {
            one["value"] = json!([{ "value": "Admin" }]);
        }
        stage.patch("/Users/1", json!([one])).await;
    }
    assert_eq!(stage.app.writes(), []);
    assert_eq!(stage.app.user(1).unwrap()["roles"], roles);
    let mut bob = ada();
    bob["userName"] = json!("bob");
    bob["roles"] = json!([{ "value": "Admin" }]);
    stage.post("/Users", bob).await.is(201);
    assert_eq!(stage.app.user(2).unwrap()["roles"], Value::Null);
}

#[tokio::test]
async fn times_are_told_as_far_as_they_are_known() {
    let stage = Setup::default().start().await;
    let made = stage.post("/Users", ada()).await.is(201).body["meta"].clone();
    assert!(made["created"].is_string(), "{made}");
    // Made in the application, and changed there and here: nobody knows when it was created.
    stage
        .app
        .add_user(json!({ "login": "bob", "state": 1, "first": "Bob", "last": "Ray" }));
    let meta = stage.get("/Users/2").await.is(200).body["meta"].clone();
    assert_eq!(
        (&meta["created"], &meta["lastModified"]),
        (&Value::Null, &Value::Null)
    );
    let operations = json!([{ "op": "add", "path": "nickName", "value": "Bobby" }]);
    let meta = stage.patch("/Users/2", operations).await.is(200).body["meta"].clone();
    assert_eq!(meta["created"], Value::Null);
    assert!(meta["lastModified"].is_string(), "{meta}");
}

#[tokio::test]
async fn a_change_in_the_application_alone_moves_the_time() {
    // A mapped `created` says nothing of the other time.
    let line = "'meta.created' = { field = 'made', read-only = true }";
    let setup = Setup::default().with("'title' ", &format!("{line}\n'title' "));
    let stage = with_ada(setup).await;
    let before = stage.get("/Users/1").await.is(200).body["meta"]["lastModified"].clone();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let operations = json!([{ "op": "replace", "path": "title", "value": "Dr." }]);
    let after =
        stage.patch("/Users/1", operations).await.is(200).body["meta"]["lastModified"].clone();
    assert!(
        before.is_string() && after.as_str() > before.as_str(),
        "{before} {after}"
    );
}

#[tokio::test]
async fn replacing_a_resource_by_itself_makes_no_call_and_keeps_its_version() {
    let stage = with_ada(Setup::default()).await;
    let before = stage.get("/Users/1").await.is(200);
    let after = stage.put("/Users/1", before.body.clone()).await.is(200);
    assert_eq!(
        after.body["meta"]["version"],
        before.body["meta"]["version"]
    );
    assert_eq!(after.body, before.body);
    // The client's own spelling of the same wish as well.
    stage.put("/Users/1", ada()).await.is(200);
    assert_eq!(stage.app.writes(), []);
}

#[tokio::test]
async fn what_only_the_gateway_keeps_makes_no_call() {
    let stage = with_ada(Setup::default()).await;
    let change = json!([
        { "op": "replace", "path": "nickName", "value": "Ada" },
        { "op": "add", "path": "externalId", "value": "e-7" },
    ]);
    let reply = stage.patch("/Users/1", change).await.is(200);
    assert_eq!(
        (&reply.body["nickName"], &reply.body["externalId"]),
        (&json!("Ada"), &json!("e-7"))
    );
    assert_eq!(stage.app.writes(), []);
    let found = stage
        .get("/Users?filter=externalId%20eq%20%22e-7%22")
        .await
        .is(200);
    assert_eq!(found.each("id"), ["1"]);
}

#[tokio::test]
async fn an_answer_to_a_write_is_what_a_get_shows() {
    let stage = with_ada(Setup::default()).await;
    let change = json!([
        { "op": "replace", "path": "title", "value": "Dr." },
        { "op": "add", "path": "nickName", "value": "Enchantress" },
        { "op": "add", "path": "timezone", "value": "Europe/London" },
        { "op": "add", "path": "emails", "value": [{ "value": "home@x.example", "type": "home" }] },
    ]);
    let answered = stage.patch("/Users/1", change).await.is(200);
    let read = stage.get("/Users/1").await.is(200);
    assert_eq!(answered.body, read.body);
    assert_eq!(answered.header("etag"), read.header("etag"));
    let listed = stage.get("/Users").await.is(200);
    assert_eq!(listed.body["Resources"][0], read.body);
}

#[tokio::test]
async fn r28_preconditions_keep_a_writer_from_losing_anothers_change() {
    let stage = with_ada(Setup::default()).await;
    let first = stage.get("/Users/1").await.is(200);
    let version = first.header("etag").unwrap().to_owned();
    let title = |text: &str| patch(json!([{ "op": "replace", "path": "title", "value": text }]));
    let ask =
        |method: &str, version: &str| stage.ask(method, "/Users/1").header("if-match", version);
    let second = ask("PATCH", &version)
        .body(title("One"))
        .send()
        .await
        .is(200);
    ask("PATCH", &version)
        .body(title("Two"))
        .send()
        .await
        .is(412);
    ask("PUT", &version).body(ada()).send().await.is(412);
    ask("DELETE", &version).send().await.is(412);
    assert_eq!(stage.app.user(1).unwrap()["title"], "One");
    let newer = second.header("etag").unwrap();
    assert_ne!(newer, version);
    let unchanged = stage.ask("GET", "/Users/1").header("if-none-match", newer);
    unchanged.send().await.is(304);
    let changed = stage
        .ask("GET", "/Users/1")
        .header("if-none-match", &version);
    changed.send().await.is(200);
    // A change in the application itself counts too.
    stage.app.change_user(1, "title", json!("Three"));
    ask("PATCH", newer).body(title("Four")).send().await.is(412);
    ask("PATCH", "*").body(title("Five")).send().await.is(200);
}

#[tokio::test]
async fn two_writers_at_once_both_get_what_they_asked_for() {
    let stage = with_ada(Setup::default()).await;
    let changes = [
        ("title", "Dr."),
        ("name.givenName", "A"),
        ("name.familyName", "L"),
        ("nickName", "N"),
    ];
    let asks = changes.map(|(path, value)| {
        stage.patch(
            "/Users/1",
            json!([{ "op": "replace", "path": path, "value": value }]),
        )
    });
    for reply in futures_util::future::join_all(asks).await {
        reply.is(200);
    }
    let user = stage.get("/Users/1").await.body;
    assert_eq!(
        (&user["title"], &user["nickName"]),
        (&json!("Dr."), &json!("N"))
    );
    assert_eq!(user["name"], json!({ "givenName": "A", "familyName": "L" }));
}

#[tokio::test]
async fn s17_an_update_that_does_not_speak_of_active_leaves_it_alone() {
    let stage = with_ada(Setup::default()).await;
    stage.app.change_user(1, "state", json!(3));
    let changes = [
        json!([{ "op": "replace", "path": "title", "value": "a" }]),
        json!([{ "op": "add", "value": { "title": "b", "nickName": "c" } }]),
        json!([{ "op": "remove", "path": "title" }]),
        json!([{ "op": "replace", "path": "name", "value": { "givenName": "G" } }]),
    ];
    for change in changes {
        stage.patch("/Users/1", change.clone()).await.is(200);
        assert_eq!(stage.app.user(1).unwrap()["state"], 3, "{change}");
    }
    let mut silent = ada();
    silent.as_object_mut().unwrap().remove("active");
    stage.put("/Users/1", silent).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
}

/// Ways to say that the title is to be `Dr.` and the account locked.
fn spellings() -> Vec<Value> {
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let whole = |op: &str| json!([{ "op": op, "value": { "title": "Dr.", "active": false } }]);
    let parts = |op: &str, title: String, active: String, state: Value| json!([{ "op": op, "path": title, "value": "Dr." }, { "op": op, "path": active, "value": state }]);
    let plain = |op, state| parts(op, "title".into(), "active".into(), state);
    vec![
        whole("replace"),
        whole("add"),
        whole("Replace"),
        whole("ADD"),
        plain("replace", json!(false)),
        plain("add", json!(false)),
        plain("Replace", json!("False")),
        plain("replace", json!("false")),
        parts(
            "replace",
            format!("{core}:title"),
            format!("{core}:active"),
            json!(false),
        ),
        parts("replace", "Title".into(), "ACTIVE".into(), json!(false)),
        json!([{ "op": "replace", "value": { format!("{core}:title"): "Dr.", format!("{core}:active"): false } }]),
        json!([{ "op": "replace", "value": { "TITLE": "Dr.", "Active": false } }]),
        json!([
            { "op": "remove", "path": "title" },
            { "op": "add", "path": "title", "value": "Dr." },
            { "op": "replace", "path": "active", "value": false },
        ]),
    ]
}

#[tokio::test]
async fn s12_every_spelling_of_a_change_makes_the_same_calls() {
    let expected = [(
        "PATCH /users/1".to_owned(),
        json!({ "title": "Dr.", "state": 3 }),
    )];
    let spellings = spellings();
    assert!(spellings.len() >= 12);
    for operations in spellings {
        let stage = with_ada(Setup::default()).await;
        stage.patch("/Users/1", operations.clone()).await.is(200);
        assert_eq!(stage.app.writes(), expected, "{operations}");
    }
    let stage = with_ada(Setup::default()).await;
    let mut whole = ada();
    (whole["title"], whole["active"]) = (json!("Dr."), json!(false));
    stage.put("/Users/1", whole).await.is(200);
    assert_eq!(stage.app.writes(), expected);
}

#[tokio::test]
async fn s12_no_spelling_gets_past_a_policy() {
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let text = "[client]\ndomains = [\"corp.example\"]\n[policy]\non-rename = \"reject\"\nprotected = [\"root\"]\n";
    let outside = json!([{ "value": "ada@evil.example", "type": "work" }]);
    let forbidden = [
        json!([{ "op": "replace", "path": "userName", "value": "eve" }]),
        json!([{ "op": "add", "value": { "username": "eve" } }]),
        json!([{ "op": "replace", "path": format!("{core}:userName"), "value": "eve" }]),
        json!([{ "op": "replace", "path": "userName", "value": "Root" }]),
        json!([{ "op": "replace", "path": "emails", "value": outside }]),
        json!([{ "op": "add", "path": "emails", "value": outside }]),
        json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@evil.example" }]),
        json!([{ "op": "replace", "value": { "emails[type eq \"work\"].value": "ada@evil.example" } }]),
        json!([{ "op": "replace", "value": { format!("{core}:emails"): outside } }]),
        json!([{ "op": "replace", "path": "emails[value eq \"ada@corp.example\"].value", "value": "ada@corp.example.evil.example" }]),
    ];
    for operations in forbidden {
        let stage = with_ada(Setup::tenant(text)).await;
        let before = stage.app.user(1);
        let reply = stage.patch("/Users/1", operations.clone()).await;
        // A second address of a kind that the application has one of changes nothing.
        let is_refused = (400..404).contains(&reply.status);
        assert!(
            is_refused || !reply.body.to_string().contains("evil"),
            "{operations}: {} {}",
            reply.status,
            reply.body
        );
        assert_eq!(stage.app.user(1), before, "{operations}");
        assert_eq!(stage.app.writes(), [], "{operations}");
    }
}

#[tokio::test]
async fn a_request_of_which_one_part_is_refused_changes_nothing() {
    for refused in [
        json!({ "op": "replace", "path": "noSuchThing", "value": 1 }),
        json!({ "op": "replace", "path": "emails[type eq \"other\"].value", "value": "x@y.example" }),
        json!({ "op": "replace", "path": "active", "value": "perhaps" }),
        json!({ "op": "remove" }),
    ] {
        let stage = with_ada(Setup::default()).await;
        let before = stage.app.user(1);
        let change = json!([{ "op": "replace", "path": "title", "value": "Dr." }, refused]);
        let reply = stage.patch("/Users/1", change).await;
        if reply.status != 400 {
            // Mended by what is known of clients: then the rest must hold too.
            assert_eq!(reply.status, 200, "{refused}: {}", reply.body);
            continue;
        }
        assert_eq!(stage.app.user(1), before, "{refused}");
    }
}

#[tokio::test]
async fn a_manager_is_written_by_the_applications_id_and_read_by_ours() {
    let stage = with_ada(Setup::default()).await;
    let boss = stage
        .post("/Users", json!({ "userName": "boss" }))
        .await
        .is(201);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let set =
        |id: &str| json!([{ "op": "add", "path": format!("{enterprise}:manager"), "value": id }]);
    stage.patch("/Users/1", set(&boss.id())).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["manager_id"], 2);
    let read = stage.get("/Users/1").await.body;
    let manager = &read[enterprise]["manager"];
    assert_eq!(manager["value"], boss.body["id"]);
    assert!(manager["$ref"].as_str().unwrap().ends_with("/Users/2"));
}

#[tokio::test]
async fn the_answer_to_a_change_of_kept_values_has_the_address_that_stands_for_the_mapped_one() {
    let line = "'nickName'                     = { keep = true }";
    let stage = Setup::default()
        .with(line, &format!("{line}\n'emails' = {{ keep = true }}"))
        .start()
        .await;
    let emails = json!([
        { "value": "ada@home.example", "type": "other", "primary": true },
        { "value": "ada@club.example", "type": "home" },
    ]);
    let mut ada = ada();
    ada["emails"] = emails.clone();
    stage.post("/Users", ada.clone()).await.is(201);
    ada["nickName"] = json!("Enchantress");
    let reply = stage.put("/Users/1", ada).await.is(200);
    assert_eq!(reply.body["emails"], emails);
    assert_eq!(stage.get("/Users/1").await.body["emails"], emails);
}

#[tokio::test]
async fn an_update_that_has_nothing_to_say_makes_no_call() {
    // The application has one name field, which a display name of the client's own takes: the parts are kept.
    let kept = "'name.givenName' = { keep = true }\n'displayName' = { field = 'first', value = '{displayName | default(name.givenName + \" \" + name.familyName)}' }";
    let bodies = [
        "",
        "body = [[\"{id}\"], \"{fields}\", { notify = false }]\n",
    ];
    for body in bodies {
        let update = format!("[user.update]\ncall = \"PATCH /users/{{id}}\"\n{body}");
        let stage = Setup::default()
            .with("'name.givenName'               = 'first'", kept)
            .with(
                "'name.familyName'              = 'last'",
                "'name.familyName' = { keep = true }",
            )
            .with("[user.update]\ncall = \"PATCH /users/{id}\"\n", &update)
            .start()
            .await;
        stage
            .app
            .add_user(json!({ "login": "ada", "first": "Ada L.", "state": 1 }));
        let change = json!([{ "op": "replace", "path": "name.familyName", "value": "Lovelace" }]);
        let reply = stage.patch("/Users/1", change).await.is(200);
        assert_eq!(reply.body["name"]["familyName"], "Lovelace");
        assert_eq!(stage.app.writes(), [], "{body}");
    }
    // What says something besides is sent.
    let update = "[user.update]\ncall = \"PATCH /users/{id}\"\nbody = { seen = \"{name.familyName}\", \"...\" = \"{fields}\" }\n";
    let stage = Setup::default()
        .with("'name.givenName'               = 'first'", kept)
        .with(
            "'name.familyName'              = 'last'",
            "'name.familyName' = { keep = true }",
        )
        .with("[user.update]\ncall = \"PATCH /users/{id}\"\n", update)
        .start()
        .await;
    stage
        .app
        .add_user(json!({ "login": "ada", "first": "Ada L.", "state": 1 }));
    let change = json!([{ "op": "replace", "path": "name.familyName", "value": "Lovelace" }]);
    stage.patch("/Users/1", change).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["seen"], "Lovelace");
}
