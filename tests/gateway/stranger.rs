//! What operators met who had only the documentation: names in another letter case, names of the dead, ids that cannot be.

use serde_json::json;

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::Setup,
};

/// The login is set once, and the application lower-cases it.
fn once() -> Setup {
    Setup::default().with(
        "'userName'                     = 'login'",
        "'userName' = { field = 'login', create-only = true }",
    )
}

#[tokio::test]
async fn the_body_that_created_a_user_is_no_change_of_a_create_only_name() {
    let stage = once().start().await;
    let body = json!({ "userName": "Ada@corp.example", "title": "Dr." });
    stage.post("/Users", body.clone()).await.is(201);
    stage.app.change_user(1, "login", json!("ada@corp.example"));
    stage.app.forget_calls();
    let reply = stage.put("/Users/1", body).await.is(200);
    assert_eq!(reply.body["userName"], "ada@corp.example");
    assert_eq!(stage.app.writes(), []);
    let body = json!({ "userName": "ADA@corp.example", "title": "Prof." });
    stage.put("/Users/1", body).await.is(200);
    let written = ("PATCH /users/1".to_owned(), json!({ "title": "Prof." }));
    assert_eq!(stage.app.writes(), [written]);
    let body = json!({ "userName": "eva@corp.example" });
    stage.put("/Users/1", body).await.refused(400, "mutability");
}

#[tokio::test]
async fn a_name_that_only_the_path_of_the_create_has_is_create_only_too() {
    let stage = Setup::default()
        .with("call = \"POST /users\"", "call = \"POST /users?login={userName}\"\nbody = { login = \"{userName}\", \"...\" = \"{fields}\" }")
        .with(
            "'userName'                     = 'login'",
            "'userName' = { read = '$.login', create-only = true }",
        )
        .start()
        .await;
    let body = json!({ "userName": "Ada", "title": "Dr." });
    stage.post("/Users", body.clone()).await.is(201);
    stage.put("/Users/1", body).await.is(200);
    let other = json!({ "userName": "eva", "title": "Dr." });
    stage
        .put("/Users/1", other)
        .await
        .refused(400, "mutability");
}

#[tokio::test]
async fn a_removed_address_takes_its_keyed_element_with_it() {
    let stage = Setup::default()
        .with(
            "'emails[type eq \"work\"].value' = 'mail'",
            "'emails[type eq \"work\"].value' = 'mails[kind=\"work\"].address'",
        )
        .start()
        .await;
    let body = json!({ "userName": "ada", "emails": [{ "value": "a@x.example", "type": "work" }] });
    stage.post("/Users", body).await.is(201);
    let phone = json!({ "kind": "phone", "address": "1" });
    let work = json!({ "kind": "work", "address": "a@x.example" });
    stage.app.change_user(1, "mails", json!([phone, work]));
    stage.app.forget_calls();
    let remove = json!([{ "op": "remove", "path": "emails" }]);
    stage.patch("/Users/1", remove).await.is(200);
    let written = ("PATCH /users/1".to_owned(), json!({ "mails": [phone] }));
    assert_eq!(stage.app.writes(), [written]);
}

fn with_erased(policy: &str) -> Setup {
    let text = format!("[client]\ndomains = [\"corp.example\"]\n[policy]\n{policy}\n");
    Setup::tenant(&text).with("[user.list]", "gone = 'state == 9'\n[user.list]")
}

fn ada() -> serde_json::Value {
    json!({ "userName": "ada@corp.example", "title": "Dr.", "active": true })
}

#[tokio::test]
async fn a_name_that_an_erased_account_holds_is_refused_in_words_that_say_so() {
    for policy in ["", "on-existing = \"adopt\""] {
        let stage = with_erased(policy).start().await;
        let erased = json!({ "login": "ada@corp.example", "state": 9 });
        stage.app.add_user(erased.clone());
        for _ in 0..2 {
            let reply = stage.post("/Users", ada()).await.refused(409, "uniqueness");
            let detail = reply.body["detail"].as_str().unwrap();
            assert!(detail.contains("`gone`"), "{policy}: {detail}");
        }
        assert_eq!(stage.app.user(1).unwrap()["state"], 9);
    }
}

#[tokio::test]
async fn an_erased_account_is_brought_back_where_the_policy_says_so() {
    let stage = with_erased("on-existing = \"reactivate\"").start().await;
    stage
        .app
        .add_user(json!({ "login": "ada@corp.example", "state": 9 }));
    let back = stage.post("/Users", ada()).await.is(201);
    assert_eq!(
        (back.id(), &back.body["active"]),
        ("1".into(), &json!(true))
    );
    assert_eq!(stage.app.user(1).unwrap()["state"], 1);
    // One that the application does not bring back is not said to be there.
    let stage = with_erased("on-existing = \"reactivate\"").start().await;
    stage.app.ignore("PATCH", "state");
    stage
        .app
        .add_user(json!({ "login": "ada@corp.example", "state": 9 }));
    stage.post("/Users", ada()).await.refused(409, "uniqueness");
    stage.post("/Users", ada()).await.refused(409, "uniqueness");
}

#[tokio::test]
async fn a_400_to_the_reading_of_an_id_leads_to_its_pattern() {
    let stage = Setup::default().start().await;
    let answer = Answer::json(400, json!({ "message": "no number" }));
    stage
        .app
        .plan("GET /users/77", 1, Fault::Before(Act::Say(answer)));
    let reply = stage.get("/Users/77").await.is(502);
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains("pattern"), "{detail}");
}

#[tokio::test]
async fn a_membership_on_the_user_sends_the_mapped_fields_alone_where_all_are_sent() {
    let stage = Setup::default()
        .with(
            "[user.update]\ncall = \"PATCH /users/{id}\"",
            "[user.update]\ncall = \"PATCH /users/{id}\"\nsend = \"all\"",
        )
        .with(
            "[group.members]",
            "[group.members]\non-user = { field = 'groups' }\n[unused]",
        );
    let end = setup_without_member_calls(stage);
    let stage = end.start().await;
    let user =
        json!({ "login": "ada", "title": "Dr.", "state": 1, "login_count": 7, "groups": ["x"] });
    stage.app.add_user(user);
    stage.app.add_group(json!({ "name": "dev" }), []);
    stage.app.forget_calls();
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "1" }] }]);
    stage.patch("/Groups/g-2", add).await;
    let body = json!({ "login": "ada", "title": "Dr.", "state": 1, "groups": ["x", "2"] });
    assert_eq!(stage.app.writes(), [("PATCH /users/1".to_owned(), body)]);
}

/// Members by calls and on the user exclude each other.
fn setup_without_member_calls(mut setup: Setup) -> Setup {
    let at = setup.app.find("[unused]").unwrap();
    setup.app.truncate(at);
    setup
}

#[tokio::test]
async fn a_deactivation_can_send_all_mapped_fields_as_they_will_be() {
    let stage = Setup::default()
        .with(
            "'active'                       = { field = 'state', values = { true = 1, false = 3 } }",
            "'active' = { read = '$.state', values = { true = 1, false = 3 } }",
        )
        .with(
            "[user.delete]",
            "[user.deactivate]\ncall = \"PATCH /users/{id}\"\nbody = { state = 3, \"...\" = \"{mapped}\" }\n[user.delete]",
        )
        .start()
        .await;
    let user =
        json!({ "login": "ada", "title": "Dr.", "state": 1, "login_count": 7, "password": "x" });
    stage.app.add_user(user);
    let change = json!([
        { "op": "replace", "path": "active", "value": false },
        { "op": "replace", "path": "name.givenName", "value": "Ada" },
        { "op": "remove", "path": "title" },
    ]);
    stage.patch("/Users/1", change).await.is(200);
    let (call, body) = stage.app.writes().remove(0);
    assert_eq!(call, "PATCH /users/1");
    assert_eq!(body, json!({ "login": "ada", "first": "Ada", "state": 3 }));
}

#[tokio::test]
async fn an_application_whose_file_is_missing_is_told_as_that_and_as_nothing_else() {
    let stage = Setup::default().start().await;
    let text = "tenant = \"other\"\napp = \"nowhere\"\n";
    stage.rewrite("other", text).await;
    let complaints = stage.registry.diagnostics();
    let codes: Vec<&str> = complaints.iter().map(|c| c.code).collect();
    assert!(codes.contains(&"mapping::missing-app"), "{codes:?}");
    assert!(!codes.contains(&"mapping::missing-key"), "{codes:?}");
}
