//! What an operator can rule about accounts.

use serde_json::{Value, json};

use crate::{
    application::{ANY_WRITE, Fault, Lost},
    fake_target::{Act, Answer},
    stage::Setup,
};

fn off() -> Value {
    json!([{ "op": "replace", "path": "active", "value": false }])
}

fn title(text: &str) -> Value {
    json!([{ "op": "replace", "path": "title", "value": text }])
}

#[tokio::test]
async fn too_many_deactivations_are_paused_and_everything_else_goes_on() {
    let text = "[policy]\nmost-changes = { deactivations = 2, window = \"1h\" }\n";
    let stage = Setup::tenant(text).start().await;
    stage.app.add_users(5);
    stage.patch("/Users/1", off()).await.is(200);
    // Asked again it is no second one.
    stage.patch("/Users/1", off()).await.is(200);
    stage.delete("/Users/2").await.is(204);
    let before = stage.app.user(3);
    let reply = stage.patch("/Users/3", off()).await.is(503);
    assert!(reply.header("retry-after").is_some());
    stage
        .put("/Users/3", json!({ "userName": "user3", "active": false }))
        .await
        .is(503);
    stage.delete("/Users/3").await.is(503);
    assert_eq!(stage.app.user(3), before);
    stage.patch("/Users/3", title("x")).await.is(200);
    stage
        .post("/Users", json!({ "userName": "new" }))
        .await
        .is(201);
    let on = json!([{ "op": "replace", "path": "active", "value": true }]);
    stage.patch("/Users/1", on).await.is(200);
}

#[tokio::test]
async fn a_share_of_the_users_is_counted_once_a_window_and_more_is_paused() {
    for (limit, lost) in [
        ("percent = 10", 2),
        ("deactivations = 1, percent = 10", 1),
        ("deactivations = 50, percent = 10", 2),
        ("percent = 1", 1),
    ] {
        let text = format!("[policy]\nmost-changes = {{ {limit}, window = \"1h\" }}\n");
        let stage = Setup::tenant(&text).start().await;
        stage.app.add_users(25);
        for user in 1..=lost {
            stage.patch(&format!("/Users/{user}"), off()).await.is(200);
        }
        let tenant = stage.registry.tenant("acme").unwrap();
        assert!(!tenant.pace.is_paused(jiff::Timestamp::now()));
        stage.patch("/Users/20", off()).await.is(503);
        assert!(tenant.pace.is_paused(jiff::Timestamp::now()), "{limit}");
        let calls = stage.app.calls();
        let counts = calls.iter().filter(|call| call.starts_with("GET /users?"));
        assert_eq!(counts.count(), 1, "{limit}: {calls:?}");
    }
}

#[tokio::test]
async fn an_operator_resumes_by_a_larger_number() {
    let text =
        |most| format!("[policy]\nmost-changes = {{ deactivations = {most}, window = \"1h\" }}\n");
    let stage = Setup::tenant(&text(1)).start().await;
    stage.app.add_users(5);
    stage.patch("/Users/1", off()).await.is(200);
    stage.patch("/Users/2", off()).await.is(503);
    stage
        .rewrite("acme", &stage.file_of("acme", &text(3)))
        .await;
    let tenant = stage.registry.tenant("acme").unwrap();
    assert!(!tenant.pace.is_paused(jiff::Timestamp::now()));
    stage.patch("/Users/2", off()).await.is(200);
    stage.patch("/Users/3", off()).await.is(200);
    stage.patch("/Users/4", off()).await.is(503);
}

#[tokio::test]
async fn users_of_an_application_without_a_total_are_counted() {
    let text = "[policy]\nmost-changes = { percent = 10, window = \"1h\" }\n";
    let setup = Setup::tenant(text).with(
        "size   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'",
        "size   = { parameter = \"per_page\", most = 10 }",
    );
    let stage = setup.start().await;
    stage.app.add_users(31);
    for user in 1..=3 {
        stage.patch(&format!("/Users/{user}"), off()).await.is(200);
    }
    stage.patch("/Users/4", off()).await.is(503);
}

#[tokio::test]
async fn an_administrators_suspension_stays_whatever_the_client_sees() {
    for (policy, shown) in [("target", false), ("client", true)] {
        let stage = Setup::tenant(&format!("[policy]\nactive-is = \"{policy}\"\n"))
            .start()
            .await;
        let made = stage
            .post("/Users", json!({ "userName": "ada", "active": true }))
            .await
            .is(201);
        let path = format!("/Users/{}", made.id());
        stage.app.change_user(1, "state", json!(3));
        assert_eq!(
            stage.get(&path).await.is(200).body["active"],
            shown,
            "{policy}"
        );
        stage.patch(&path, title("Dr.")).await.is(200);
        let whole = json!({ "userName": "ada", "title": "Prof." });
        stage.put(&path, whole).await.is(200);
        assert_eq!(stage.app.user(1).unwrap()["state"], 3, "{policy}");
        assert_eq!(stage.app.user(1).unwrap()["title"], "Prof.", "{policy}");
        // Said outright, it holds.
        stage.patch(&path, off()).await.is(200);
        let on = json!([{ "op": "replace", "path": "active", "value": true }]);
        stage.patch(&path, on).await.is(200);
        assert_eq!(stage.app.user(1).unwrap()["state"], 1, "{policy}");
    }
}

fn recreating() -> Setup {
    let text = "[user]\nid = { from = '$.id', type = \"number\", stable = false }\n[policy]\non-rename = \"recreate\"\n";
    Setup::tenant(text)
}

#[tokio::test]
async fn a_rename_by_a_new_account_keeps_the_id_and_locks_the_old_one_however_often_it_is_interrupted()
 {
    let rename = json!([{ "op": "replace", "path": "userName", "value": "augusta" }]);
    let faults = [
        None,
        Some(Fault::Before(Act::Close)),
        Some(Fault::Before(Act::Say(Answer::json(500, json!({}))))),
        Some(Fault::AfterEffect(Lost::Closed)),
    ];
    for number in 0..2 {
        for fault in faults.clone() {
            let stage = recreating().start().await;
            let ada = json!({ "userName": "ada", "externalId": "e", "title": "Dr.", "nickName": "N", "active": true });
            let made = stage.post("/Users", ada).await.is(201);
            let path = format!("/Users/{}", made.id());
            if let Some(fault) = fault.clone() {
                stage.app.plan_after(number, ANY_WRITE, fault);
                let reply = stage.patch(&path, rename.clone()).await;
                assert!(reply.status >= 500, "{}", reply.body);
            }
            let name = format!("call {number}, {fault:?}");
            let reply = stage.patch(&path, rename.clone()).await;
            assert_eq!(reply.status, 200, "{name}: {}", reply.body);
            assert_eq!(reply.body["id"], made.body["id"], "{name}");
            let (old, new) = (stage.app.user(1).unwrap(), stage.app.user(2).unwrap());
            assert_eq!(
                (&old["login"], &old["state"]),
                (&json!("ada"), &json!(3)),
                "{name}"
            );
            assert_eq!(
                (&new["login"], &new["state"]),
                (&json!("augusta"), &json!(1)),
                "{name}"
            );
            assert_eq!(new["title"], "Dr.", "{name}");
            assert!(stage.app.user(3).is_none(), "{name}");
            let read = stage.get(&path).await.is(200).body;
            assert_eq!(
                (&read["userName"], &read["active"]),
                (&json!("augusta"), &json!(true)),
                "{name}"
            );
            assert_eq!(
                (&read["externalId"], &read["nickName"]),
                (&json!("e"), &json!("N")),
                "{name}"
            );
            assert_eq!(
                stage.get("/Users").await.is(200).body["totalResults"],
                1,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_address_is_told_apart_from_one_of_another_domain() {
    let text = "[client]\ndomains = [\"corp.example\"]\n";
    let stage = Setup::tenant(text).start().await;
    for (name, mail, words) in [
        (
            "a b c@corp.example",
            "a@corp.example",
            "`userName` has a value that is no plain",
        ),
        (
            "eve",
            "not-an-address",
            "`emails` has a value that is no plain",
        ),
        ("eve", "eve@other.example", "outside the domains"),
    ] {
        let emails = json!([{ "type": "work", "value": mail }]);
        let user = json!({ "userName": name, "emails": emails });
        let reply = stage
            .post("/Users", user)
            .await
            .refused(400, "invalidValue");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
        assert!(!detail.contains(mail) && !detail.contains(name), "{detail}");
    }
}

#[tokio::test]
async fn a_rename_to_a_name_that_is_taken_locks_nobody_out() {
    let stage = recreating().start().await;
    let made = stage.post("/Users", json!({ "userName": "ada" })).await;
    let path = format!("/Users/{}", made.is(201).id());
    stage
        .post("/Users", json!({ "userName": "bob" }))
        .await
        .is(201);
    let rename = json!([{ "op": "replace", "path": "userName", "value": "bob" }]);
    stage.patch(&path, rename).await.refused(409, "uniqueness");
    assert_eq!(stage.app.user(1).unwrap()["state"], 1);
    let read = stage.get(&path).await.is(200).body;
    assert_eq!(
        (&read["userName"], &read["active"]),
        (&json!("ada"), &json!(true))
    );
}

#[tokio::test]
async fn a_rename_back_takes_the_first_account_up_again_and_groups_follow() {
    let stage = recreating().start().await;
    let made = stage
        .post("/Users", json!({ "userName": "ada", "active": true }))
        .await
        .is(201);
    let (id, path) = (made.id(), format!("/Users/{}", made.id()));
    let group = json!({ "displayName": "crew", "members": [{ "value": id }] });
    let group = stage.post("/Groups", group).await.is(201).id();
    for (name, old, new) in [("augusta", 1, 3), ("ada", 3, 1)] {
        let rename = json!([{ "op": "replace", "path": "userName", "value": name }]);
        stage.patch(&path, rename).await.is(200);
        assert_eq!(stage.app.user(old).unwrap()["state"], 3, "{name}");
        assert_eq!(stage.app.user(new).unwrap()["state"], 1, "{name}");
        assert_eq!(stage.app.user(new).unwrap()["login"], name);
        let members = stage.get(&format!("/Groups/{group}")).await.is(200).body;
        let listed: Vec<&Value> = members["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| &m["value"])
            .collect();
        assert_eq!(listed, [&json!(id)], "{name}");
        assert_eq!(
            stage.get("/Users").await.is(200).body["totalResults"],
            1,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_name_that_is_set_once_is_renamed_by_a_new_account() {
    let once = "[user.attributes]\n'userName' = { field = 'login', create-only = true }\n";
    let text = "[user]\nid = { from = '$.id', type = \"number\", stable = false }\n[policy]\non-rename = \"recreate\"\n";
    let stage = Setup::tenant(&format!("{text}{once}")).start().await;
    let made = stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(201);
    let rename = json!([{ "op": "replace", "path": "userName", "value": "augusta" }]);
    let reply = stage
        .patch(&format!("/Users/{}", made.id()), rename)
        .await
        .is(200);
    assert_eq!(
        (reply.id(), &reply.body["userName"]),
        (made.id(), &json!("augusta"))
    );
}

#[tokio::test]
async fn a_dry_run_says_which_line_of_which_file_hides_an_object() {
    let text = "[policy]\nprotected = [\"root\", \"admin\"]\non-delete = \"deactivate\"\n";
    let conditions = "[user]\nscope = 'title != \"alien\"'\nhide = 'title == \"robot\"'";
    let stage = Setup::tenant(text).with("[user]", conditions).start().await;
    for (login, title) in [("Admin", "a"), ("x", "alien"), ("r", "robot"), ("ada", "b")] {
        stage
            .app
            .add_user(json!({ "login": login, "title": title, "state": 1 }));
    }
    stage.delete("/Users/4").await.is(204);
    let expected = [
        ("/Users/1", "protected", Some("\"admin\"")),
        ("/Users/2", "scope", Some("'title != \"alien\"'")),
        ("/Users/3", "hide", Some("'title == \"robot\"'")),
        ("/Users/4", "the client has deleted it", None),
    ];
    for (path, by, line) in expected {
        let finished = stage.explain(path).await;
        assert_eq!(finished.status, 404, "{path}");
        let [hidden] = finished.exchange.hidden.as_slice() else {
            panic!("{path}: {:?}", finished.exchange.hidden)
        };
        assert!(hidden.by.starts_with(by), "{hidden:?}");
        assert_eq!(hidden.at.as_ref().map(|at| at.text()), line, "{path}");
    }
    let finished = stage
        .explain("/Users?filter=userName%20eq%20%22admin%22")
        .await;
    assert_eq!(finished.exchange.hidden[0].by, "protected");
    // Nobody else learns of it.
    stage.get("/Users/1").await.is(404);
    let heard = stage.heard.all();
    assert_eq!(heard.last().unwrap().exchange.hidden, []);
}

#[tokio::test]
async fn a_name_in_other_letter_case_is_the_name_that_the_account_has() {
    let recreate = "[user]\nid = { from = '$.id', type = \"number\", stable = false }\n[policy]\non-rename = \"recreate\"\n";
    for text in ["[policy]\non-rename = \"reject\"\n", recreate] {
        let stage = Setup::tenant(text).start().await;
        let ada = json!({ "userName": "ada", "active": true });
        let path = format!("/Users/{}", stage.post("/Users", ada).await.is(201).id());
        stage.app.forget_calls();
        let rename = json!([{ "op": "replace", "path": "userName", "value": "Ada" }]);
        let reply = stage.patch(&path, rename).await.is(200);
        assert_eq!(reply.body["userName"], "ada");
        assert_eq!(stage.app.writes(), []);
        // What else a request asks for is done.
        let whole = json!({ "userName": "ADA", "active": true, "title": "Dr." });
        let reply = stage.put(&path, whole).await.is(200);
        assert_eq!(
            (&reply.body["userName"], &reply.body["title"]),
            (&json!("ada"), &json!("Dr."))
        );
        let writes = [("PATCH /users/1".to_owned(), json!({ "title": "Dr." }))];
        assert_eq!(stage.app.writes(), writes);
    }
    // Where names are written in place, the application gets the new spelling.
    let stage = Setup::default().start().await;
    stage.app.add_users(1);
    let rename = json!([{ "op": "replace", "path": "userName", "value": "USER1" }]);
    let reply = stage.patch("/Users/1", rename).await.is(200);
    assert_eq!(reply.body["userName"], "USER1");
}
