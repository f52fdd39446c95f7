//! Names and addresses: what a tenant may provision, and what the application makes of them (promise S5, TRESORIT-01).

use serde_json::{Value, json};

use crate::stage::{Reply, Setup, Stage};

fn user(name: &str, mail: &str) -> Value {
    json!({ "userName": name, "emails": [{ "value": mail, "type": "work" }], "active": true })
}

/// A tenant whose `userName` is this line.
fn named(line: &str) -> Setup {
    Setup::tenant(&format!("[user.attributes]\n'userName' = {line}\n"))
}

async fn found(stage: &Stage, name: &str) -> Vec<String> {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let path = format!("/Users?filter=userName+eq+%22{name}%22");
    stage.get(&path).await.is(200).each("userName")
}

#[tokio::test]
async fn s5_domains_are_held_to_by_every_write() {
    let text = "[client]\ndomains = [\"Acme.example\", \"*.corp.example\", \"bücher.example\"]\n";
    for (address, passes) in [
        ("ada@ACME.example", true),
        ("ada@x.corp.example", true),
        ("ada@xn--bcher-kva.example", true),
        ("ada@acme.example.evil.com", false),
        ("ada@acme\u{ff0e}example", false),
        ("ada\u{ff20}evil.com", false),
        ("\"ada@acme.example\"@evil.com", false),
        ("ada@p\u{0430}y.corp.example", false),
        ("ada@acme.example.", false),
        ("ada\u{200b}@acme.example", false),
    ] {
        let stage = Setup::tenant(text).start().await;
        stage
            .app
            .add_user(json!({ "login": "bob", "mail": "bob@acme.example", "state": 1 }));
        stage.app.forget_calls();
        let is_told = |reply: Reply| match passes {
            true => assert!(reply.status < 300, "{address}: {}", reply.body),
            false => drop(reply.refused(400, "invalidValue")),
        };
        is_told(stage.post("/Users", user("eve", address)).await);
        is_told(stage.post("/Users", json!({ "userName": address })).await);
        stage.app.remove_user(3);
        for path in ["userName", "emails[type eq \"work\"].value"] {
            let change = json!([{ "op": "replace", "path": path, "value": address }]);
            is_told(stage.patch("/Users/1", change).await);
        }
        is_told(stage.put("/Users/1", user("bob", address)).await);
        if !passes {
            assert_eq!(stage.app.writes(), [], "{address}");
        }
    }
}

#[tokio::test]
async fn an_application_in_lower_case_is_written_once_and_found_in_any_case() {
    let stage = Setup::tenant(
        "[user.attributes]\n\
         'userName' = { field = 'login', as = \"lower\", keep = true }\n\
         'emails[type eq \"work\"].value' = { field = 'mail', as = \"lower\", keep = true }\n",
    )
    .start()
    .await;
    let ada = user("Ada@Acme.example", "Ada@Acme.example");
    let made = stage.post("/Users", ada.clone()).await.is(201);
    assert_eq!(stage.app.user(1).unwrap()["login"], "ada@acme.example");
    let path = format!("/Users/{}", made.id());
    stage.app.forget_calls();
    let again = stage.put(&path, ada).await.is(200).body;
    assert_eq!(again["userName"], "Ada@Acme.example");
    assert_eq!(again["emails"][0]["value"], "Ada@Acme.example");
    assert_eq!(stage.app.writes(), []);
    for name in ["Ada@Acme.example", "ada@acme.example", "ADA@ACME.EXAMPLE"] {
        stage.app.forget_calls();
        assert_eq!(found(&stage, name).await, ["Ada@Acme.example"]);
        let asked = &stage.app.calls()[0];
        assert!(
            asked.starts_with("GET /users?login=ada@acme.example&"),
            "{asked}"
        );
    }
    stage
        .post("/Users", user("ADA@acme.example", "x@acme.example"))
        .await
        .refused(409, "uniqueness");
}

#[tokio::test]
async fn two_addresses_that_differ_by_their_tag_are_one_account_and_never_one_user() {
    let line =
        "{ field = 'login', value = '{value | untagged | local}@{value | domain}', keep = true }";
    let stage = named(line).start().await;
    let first = user("ada+a@Bücher.example", "ada@acme.example");
    let made = stage.post("/Users", first.clone()).await.is(201);
    assert_eq!(made.body["userName"], "ada+a@Bücher.example");
    let login = "ada@xn--bcher-kva.example";
    assert_eq!(stage.app.user(1).unwrap()["login"], login);
    assert_eq!(
        found(&stage, "ada+a@Bücher.example").await,
        ["ada+a@Bücher.example"]
    );
    for other in ["ada+b@bücher.example", "ada@bücher.example", login] {
        assert_eq!(found(&stage, other).await, [""; 0], "{other}");
    }
    stage.app.forget_calls();
    stage
        .post("/Users", user("ada+b@bücher.example", "b@acme.example"))
        .await
        .refused(409, "uniqueness");
    assert_eq!(stage.app.ids_of(login), [1]);
    // Sent again, nothing is written.
    stage.app.forget_calls();
    stage
        .put(&format!("/Users/{}", made.id()), first)
        .await
        .is(200);
    assert_eq!(stage.app.writes(), []);
}

#[tokio::test]
async fn a_bare_name_becomes_an_address_where_the_application_wants_one() {
    let line = "{ field = 'login', value = '{value if \"@\" in value else value + \"@acme.example\"}', keep = true }";
    let stage = named(line).start().await;
    for (number, name, login) in [
        (1, "ada", "ada@acme.example"),
        (2, "bob@x.example", "bob@x.example"),
    ] {
        stage
            .post("/Users", user(name, "a@acme.example"))
            .await
            .is(201);
        assert_eq!(stage.app.user(number).unwrap()["login"], login);
        assert_eq!(found(&stage, name).await, [name]);
    }
}

#[tokio::test]
async fn a_name_that_is_made_of_the_address_follows_it_and_cannot_change_where_names_cannot() {
    let line = "{ field = 'login', value = '{emails[type==\"work\"].value | default(userName)}', keep = true }";
    let stage = named(line).start().await;
    let made = stage
        .post("/Users", user("ada", "ada@acme.example"))
        .await
        .is(201);
    assert_eq!(stage.app.user(1).unwrap()["login"], "ada@acme.example");
    // The find by login cannot be asked, since nobody knows the address of an `ada`.
    assert_eq!(found(&stage, "ada").await, ["ada"]);
    stage
        .post("/Users", user("eve", "ada@acme.example"))
        .await
        .refused(409, "uniqueness");
    let move_to = |mail: &str| json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": mail }]);
    let path = format!("/Users/{}", made.id());
    stage
        .patch(&path, move_to("augusta@acme.example"))
        .await
        .is(200);
    assert_eq!(stage.app.user(1).unwrap()["login"], "augusta@acme.example");

    let text =
        format!("[policy]\non-rename = \"reject\"\n[user.attributes]\n'userName' = {line}\n");
    let stage = Setup::tenant(&text).start().await;
    let made = stage
        .post("/Users", user("ada", "ada@acme.example"))
        .await
        .is(201);
    let path = format!("/Users/{}", made.id());
    stage.app.forget_calls();
    stage
        .patch(&path, move_to("augusta@acme.example"))
        .await
        .refused(400, "mutability");
    assert_eq!(stage.app.writes(), []);
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr." }]);
    stage.patch(&path, title).await.is(200);
    let name = json!([{ "op": "replace", "path": "userName", "value": "augusta" }]);
    assert_eq!(
        stage.patch(&path, name).await.is(200).body["userName"],
        "augusta"
    );
}

#[tokio::test]
async fn another_letter_case_is_no_rename_where_names_are_in_lower_case() {
    let text = "[policy]\non-rename = \"reject\"\n[user.attributes]\n'userName' = { field = 'login', as = \"lower\", keep = true }\n";
    let stage = Setup::tenant(text).start().await;
    let made = stage
        .post("/Users", user("ada", "ada@acme.example"))
        .await
        .is(201);
    let path = format!("/Users/{}", made.id());
    let rename = |name: &str| json!([{ "op": "replace", "path": "userName", "value": name }]);
    assert_eq!(
        stage.patch(&path, rename("Ada")).await.is(200).body["userName"],
        "Ada"
    );
    stage
        .patch(&path, rename("augusta"))
        .await
        .refused(400, "mutability");
    assert_eq!(stage.get(&path).await.body["userName"], "Ada");
}

#[tokio::test]
async fn a_protected_account_is_recognised_by_the_applications_name() {
    let text = "[policy]\nprotected = [\"admin@acme.example\"]\n[user.attributes]\n'userName' = { field = 'login', value = '{value | untagged}', keep = true }\n";
    let stage = Setup::tenant(text).start().await;
    stage
        .app
        .add_user(json!({ "login": "bob@acme.example", "state": 1 }));
    stage.app.forget_calls();
    let name = "Admin+x@acme.example";
    stage
        .post("/Users", json!({ "userName": name }))
        .await
        .is(403);
    let rename = json!([{ "op": "replace", "path": "userName", "value": name }]);
    stage.patch("/Users/1", rename).await.is(403);
    assert_eq!(stage.app.writes(), []);
}
