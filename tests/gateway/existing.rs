//! A create that meets an account that is there already: by policy a conflict, or the account becomes the client's; never
//! a way to take one over.

use serde_json::{Value, json};

use crate::stage::{Setup, Stage};

fn wish(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "externalId": "of-the-client",
        "name": { "givenName": "New", "familyName": "Name" },
        "emails": [{ "value": "attacker@corp.example", "type": "work" }],
        "password": "chosen-by-the-client",
        "title": "Engineer",
        "active": true,
    })
}

async fn with_account(policy: &str, state: u64, mail: &str) -> (Stage, u64) {
    let text = format!("[client]\ndomains = [\"corp.example\"]\n[policy]\n{policy}\n");
    let stage = Setup::tenant(&text).start().await;
    let account = json!({
        "login": "ada", "first": "Ada", "last": "Lovelace", "mail": mail, "state": state,
    });
    let id = stage.app.add_user(account);
    (stage, id)
}

#[tokio::test]
async fn s4_an_account_that_is_there_is_a_conflict_unless_the_operator_says_otherwise() {
    let (stage, id) = with_account("", 1, "ada@corp.example").await;
    let before = stage.app.user(id);
    stage
        .post("/Users", wish("ada"))
        .await
        .refused(409, "uniqueness");
    // Asked again it still is: nothing was begun.
    stage
        .post("/Users", wish("ada"))
        .await
        .refused(409, "uniqueness");
    assert_eq!(stage.app.user(id), before);
}

#[tokio::test]
async fn s4_adoption_writes_no_attribute_that_identifies_the_account() {
    let (stage, id) = with_account("on-existing = \"adopt\"", 1, "ada@corp.example").await;
    let adopted = stage.post("/Users", wish("Ada")).await.is(201);
    assert_eq!(adopted.id(), id.to_string());
    let user = stage.app.user(id).unwrap();
    assert_eq!(user["mail"], "ada@corp.example");
    assert_eq!(user["login"], "ada");
    assert!(user.get("password").is_none(), "{user}");
    assert_eq!(user["title"], "Engineer");
    assert_eq!(adopted.body["externalId"], "of-the-client");
    // The answer shows the account as it is.
    assert_eq!(adopted.body["emails"][0]["value"], "ada@corp.example");
}

#[tokio::test]
async fn s4_an_account_outside_the_verified_domains_is_not_adopted() {
    for mail in ["ada@elsewhere.example", "ada@corp.example.evil.example"] {
        let (stage, id) = with_account("on-existing = \"adopt\"", 1, mail).await;
        let before = stage.app.user(id);
        stage
            .post("/Users", wish("ada"))
            .await
            .refused(409, "uniqueness");
        assert_eq!(stage.app.user(id), before, "{mail}");
    }
}

#[tokio::test]
async fn s4_a_linked_account_is_not_adopted_a_second_time() {
    let (stage, _) = with_account("on-existing = \"adopt\"", 1, "ada@corp.example").await;
    stage.post("/Users", wish("ada")).await.is(201);
    let mut other = wish("ada");
    other["title"] = json!("Other");
    stage.post("/Users", other).await.refused(409, "uniqueness");
}

#[tokio::test]
async fn s4_a_protected_account_is_neither_met_nor_written_nor_seen() {
    for policy in ["adopt", "reactivate", "conflict"] {
        let text = format!("on-existing = \"{policy}\"\nprotected = [\"ada\"]");
        let (stage, id) = with_account(&text, 3, "ada@corp.example").await;
        let before = stage.app.user(id);
        stage.post("/Users", wish("ada")).await.is(403);
        stage.post("/Users", wish("ADA")).await.is(403);
        let path = format!("/Users/{id}");
        stage.get(&path).await.is(404);
        stage
            .patch(
                &path,
                json!([{ "op": "replace", "path": "active", "value": false }]),
            )
            .await
            .is(404);
        stage.put(&path, wish("eve")).await.is(404);
        stage.delete(&path).await.is(404);
        assert_eq!(stage.get("/Users").await.is(200).body["totalResults"], 0);
        let by_name = stage
            .get("/Users?filter=userName%20eq%20%22ada%22")
            .await
            .is(200);
        assert_eq!(by_name.body["totalResults"], 0);
        assert_eq!(stage.app.user(id), before);
        assert!(stage.app.writes().is_empty(), "{:?}", stage.app.calls());
        // Nor can another account take the name.
        let eve = stage
            .post("/Users", json!({ "userName": "eve" }))
            .await
            .is(201);
        let rename = json!([{ "op": "replace", "path": "userName", "value": "Ada" }]);
        stage
            .patch(&format!("/Users/{}", eve.id()), rename)
            .await
            .is(403);
    }
}

#[tokio::test]
async fn reactivation_takes_a_locked_account_back_and_leaves_an_open_one_alone() {
    let (stage, id) = with_account("on-existing = \"reactivate\"", 3, "ada@corp.example").await;
    let back = stage.post("/Users", wish("ada")).await.is(201);
    assert_eq!(back.id(), id.to_string());
    assert_eq!(back.body["active"], true);
    assert_eq!(stage.app.user(id).unwrap()["state"], 1);
    // As a new one would be, unless the client says otherwise.
    for (said, state) in [(None, 1), (Some(false), 3)] {
        let (stage, id) = with_account("on-existing = \"reactivate\"", 3, "ada@corp.example").await;
        let mut wish = wish("ada");
        match said {
            Some(said) => wish["active"] = json!(said),
            None => drop(wish.as_object_mut().unwrap().remove("active")),
        }
        stage.post("/Users", wish).await.is(201);
        assert_eq!(stage.app.user(id).unwrap()["state"], state);
    }
    let (stage, id) = with_account("on-existing = \"reactivate\"", 1, "ada@corp.example").await;
    let before = stage.app.user(id);
    stage
        .post("/Users", wish("ada"))
        .await
        .refused(409, "uniqueness");
    assert_eq!(stage.app.user(id), before);
}

#[tokio::test]
async fn a_deletion_that_deactivates_is_a_deletion_to_the_client_and_undone_by_a_create() {
    for id_rule in ["", "[user]\nid = { from = '$.login', stable = false }"] {
        let text = format!("{id_rule}\n[policy]\non-delete = \"deactivate\"\n");
        let stage = Setup::tenant(&text).start().await;
        let ada = stage.post("/Users", wish("ada")).await.is(201);
        let number = stage.app.ids_of("ada")[0];
        let path = format!("/Users/{}", ada.id());
        stage.delete(&path).await.is(204);
        let user = stage.app.user(number).unwrap();
        assert_eq!(user["state"], 3);
        stage.get(&path).await.is(404);
        stage.delete(&path).await.is(404);
        stage
            .patch(
                &path,
                json!([{ "op": "replace", "path": "title", "value": "x" }]),
            )
            .await
            .is(404);
        assert_eq!(stage.get("/Users").await.body["totalResults"], 0);
        let filter = "/Users?filter=userName%20eq%20%22ada%22";
        assert_eq!(stage.get(filter).await.body["totalResults"], 0);

        let again = stage.post("/Users", wish("ada")).await.is(201);
        assert_eq!(stage.app.ids_of("ada"), [number]);
        assert_eq!(again.body["active"], true);
        assert_eq!(stage.app.user(number).unwrap()["state"], 1);
        let path = format!("/Users/{}", again.id());
        assert_eq!(
            stage.get(&path).await.is(200).body["externalId"],
            "of-the-client"
        );
    }
}

#[tokio::test]
async fn a_refused_deletion_changes_nothing() {
    let stage = Setup::tenant("[policy]\non-delete = \"refuse\"\n")
        .start()
        .await;
    let ada = stage.post("/Users", wish("ada")).await.is(201);
    let before = stage.app.user(1);
    stage.delete(&format!("/Users/{}", ada.id())).await.is(403);
    assert_eq!(stage.app.user(1), before);
}

#[tokio::test]
async fn an_adoption_that_was_interrupted_is_finished_by_the_same_request() {
    let (stage, id) = with_account("on-existing = \"adopt\"", 3, "ada@corp.example").await;
    stage.app.refuse("PATCH /users", 1, 500);
    assert_eq!(stage.post("/Users", wish("ada")).await.status, 502);
    stage.post("/Users", wish("ada")).await.is(201);
    let user = stage.app.user(id).unwrap();
    assert_eq!(
        (&user["title"], &user["state"]),
        (&json!("Engineer"), &json!(1))
    );
    assert_eq!(user["mail"], "ada@corp.example");
}

#[tokio::test]
async fn bringing_a_deleted_account_back_can_be_interrupted_and_repeated() {
    for id_rule in ["", "[user]\nid = { from = '$.login', stable = false }"] {
        let text = format!("{id_rule}\n[policy]\non-delete = \"deactivate\"\n");
        let stage = Setup::tenant(&text).start().await;
        let ada = stage.post("/Users", wish("ada")).await.is(201);
        stage.delete(&format!("/Users/{}", ada.id())).await.is(204);
        stage.app.refuse("PATCH /users", 1, 500);
        assert_eq!(stage.post("/Users", wish("ada")).await.status, 502);
        let back = stage.post("/Users", wish("ada")).await.is(201);
        assert_eq!(back.body["active"], true);
        assert_eq!(stage.app.ids_of("ada").len(), 1);
    }
}
