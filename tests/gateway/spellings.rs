//! A change in any spelling makes the same calls, and the same ruling about them (promise S12).

use serde_json::{Value, json};

use crate::stage::{Ask, Setup, Stage, patch};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Users 1 to 4, and a group of the first three.
async fn staffed(text: &str) -> Stage {
    let stage = Setup::tenant(text).start().await;
    stage.app.add_users(4);
    stage.app.add_group(json!({ "name": "crew" }), [1, 2, 3]);
    stage
}

/// Every spelling makes the calls of the first one; under the policy every one is refused with this status, without a call.
async fn all_the_same(
    spellings: Vec<Value>,
    policy: &str,
    refusal: u16,
    ask: impl Fn(&Stage, Value) -> Ask,
) {
    assert!(spellings.len() >= 12, "{}", spellings.len());
    let mut expected = None;
    for body in spellings {
        let stage = staffed("").await;
        let reply = ask(&stage, body.clone()).send().await;
        assert!(reply.status < 300, "{body}: {}", reply.body);
        let writes = stage.app.writes();
        assert!(!writes.is_empty(), "{body} made no call");
        assert_eq!(
            expected.get_or_insert_with(|| writes.clone()),
            &writes,
            "{body}"
        );

        let stage = staffed(policy).await;
        // The one deactivation that a policy below lets pass.
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        stage.patch("/Users/4", off).await.is(200);
        stage.app.forget_calls();
        let reply = ask(&stage, body.clone()).send().await;
        assert_eq!(reply.status, refusal, "{body}: {}", reply.body);
        assert_eq!(stage.app.writes(), [], "{body}");
    }
}

fn operations(all: impl IntoIterator<Item = Value>) -> Vec<Value> {
    all.into_iter().map(patch).collect()
}

#[tokio::test]
async fn a_deactivation() {
    let with_path = ["active", "Active", "ACTIVE"].map(|path| (path, json!(false)));
    let with_word = [
        json!("False"),
        json!("false"),
        json!([false]),
        json!(["False"]),
    ];
    let with_word = with_word.map(|value| ("active", value));
    let pathed = with_path.into_iter().chain(with_word);
    let pathed =
        pathed.map(|(path, value)| json!([{ "op": "replace", "path": path, "value": value }]));
    let others = [
        json!([{ "op": "Replace", "path": "active", "value": false }]),
        json!([{ "op": "add", "path": "active", "value": false }]),
        json!([{ "op": "replace", "value": { "active": false } }]),
        json!([{ "op": "replace", "value": { "ACTIVE": "False" } }]),
        json!([{ "op": "replace", "value": [{ "active": false }] }]),
        json!([{ "op": "replace", "value": "{\"active\":false}" }]),
        json!([{ "op": "replace", "path": format!("{CORE}:active"), "value": false }]),
        json!([{ "op": "replace", "path": CORE, "value": { "active": false } }]),
        json!([{ "op": "replace", "value": { "id": "1", "schemas": [CORE], "active": false } }]),
        json!([{ "op": "replace", "value": { format!("{CORE}:active"): "FALSE" } }]),
        json!([{ "op": "replace", "path": "/active", "value": 0 }]),
        json!([{ "op": "replace", "path": "active", "value": [{ "$ref": null, "value": "0" }] }]),
    ];
    let policy = "[policy]\nmost-changes = { deactivations = 1, window = \"1h\" }\n";
    all_the_same(
        operations(pathed.chain(others)),
        policy,
        503,
        |stage, body| stage.ask("PATCH", "/Users/1").body(body),
    )
    .await;
}

#[tokio::test]
async fn a_removal_of_a_member() {
    let removals = [
        json!({ "op": "remove", "path": "members[value eq \"2\"]" }),
        json!({ "op": "Remove", "path": "members[value eq \"2\"]" }),
        json!({ "op": "remove", "path": "Members[Value EQ \"2\"]" }),
        json!({ "op": "remove", "path": "members[value eq '2']" }),
        json!({ "op": "remove", "path": "members[value eq 2]" }),
        json!({ "op": "remove", "path": "members[(value eq \"2\")]" }),
        json!({ "op": "remove", "path": "members", "value": [{ "value": "2" }] }),
        json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "2" }] }),
        json!({ "op": "remove", "path": "members", "value": { "value": "2" } }),
        json!({ "op": "remove", "path": "members", "value": ["2"] }),
        json!({ "op": "remove", "path": "members", "value": "2" }),
        json!({ "op": "remove", "path": "members", "value": [{ "value": 2, "display": "x" }] }),
        json!({ "op": "remove", "path": "members", "value": [{ "$ref": "https://scim.example/scim/v2/Users/2" }] }),
        json!({ "op": "remove", "path": "/members", "value": [{ "value": "2" }] }),
        json!({ "op": "remove", "path": "members[value == “2”]" }),
        json!({ "op": "remove", "value": { "members": [{ "value": "2" }] } }),
    ];
    let policy = "[policy]\nmax-shrink = { percent = 10, members = 0 }\n";
    let spellings = operations(removals.map(|one| json!([one])));
    all_the_same(spellings, policy, 403, |stage, body| {
        stage.ask("PATCH", "/Groups/g-5").body(body)
    })
    .await;
}

#[tokio::test]
async fn a_creation() {
    let plain = json!({ "userName": "eve", "title": "Dr.", "active": true,
        "emails": [{ "value": "eve@evil.example", "type": "work" }] });
    let with = |changes: Value| {
        let mut body = plain.clone();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let without = |name: &str, changes: Value| {
        let mut body = with(changes);
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let spellings = vec![
        plain.clone(),
        with(json!({ "schemas": [CORE, ENTERPRISE] })),
        with(json!({ "schemas": CORE })),
        with(json!({ "schemas": ["urn:scim:schemas:core:1.0"] })),
        with(json!({ "active": "True" })),
        with(json!({ "active": ["true"] })),
        with(json!({ "active": 1, "title": { "value": "Dr." } })),
        with(json!({ "id": "x", "meta": { "resourceType": "User" }, "groups": [] })),
        with(json!({ "nickName": null, "displayName": "", "phoneNumbers": [] })),
        with(json!({ "emails": { "value": "eve@evil.example", "type": "work" } })),
        with(
            json!({ "emails": [{ "value": "eve@evil.example", "type": "work" }, { "value": "", "type": "home" }] }),
        ),
        with(json!({ "shoeSize": 38, "urn:nobody:knows": { "a": 1 } })),
        without("userName", json!({ "USERNAME": "eve" })),
        without("title", json!({ format!("{CORE}:title"): "Dr." })),
        without("title", json!({ "Title": ["Dr."] })),
    ];
    let policy = "[client]\ndomains = [\"corp.example\"]\n";
    all_the_same(spellings, policy, 400, |stage, body| {
        stage.ask("POST", "/Users").body(body)
    })
    .await;
}

#[tokio::test]
async fn a_replacement() {
    let plain = json!({ "userName": "renamed", "title": "Dr.",
        "emails": [{ "value": "user1@corp.example", "type": "work" }] });
    let with = |changes: Value| {
        let mut body = plain.clone();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let spellings = vec![
        plain.clone(),
        with(json!({ "schemas": [CORE] })),
        with(json!({ "schemas": null })),
        with(json!({ "id": "1" })),
        with(json!({ "id": "1", "meta": { "version": "x" }, "groups": [{ "value": "1" }] })),
        with(json!({ "active": true })),
        with(json!({ "active": "True" })),
        with(json!({ "active": ["true"] })),
        with(json!({ "nickName": null, "phoneNumbers": [] })),
        with(json!({ "emails": { "value": "user1@corp.example", "type": "work" } })),
        with(
            json!({ "emails": [{ "value": "user1@corp.example", "type": "work", "display": null }] }),
        ),
        with(json!({ "shoeSize": 38 })),
        with(json!({ "title": ["Dr."] })),
    ];
    let policy = "[policy]\non-rename = \"reject\"\n";
    all_the_same(spellings, policy, 400, |stage, body| {
        stage.ask("PUT", "/Users/1").body(body)
    })
    .await;
}

#[tokio::test]
async fn a_new_address() {
    let mail = "eve@evil.example";
    let spellings = operations([
        json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": mail }]),
        json!([{ "op": "Add", "path": "Emails[Type Eq \"work\"].Value", "value": mail }]),
        json!([{ "op": "replace", "path": "emails[type eq work].value", "value": [mail] }]),
        json!([{ "op": "replace", "path": "emails[type == 'work']", "value": { "value": mail } }]),
        json!([{ "op": "replace", "path": "emails", "value": [{ "type": "work", "value": mail }] }]),
        json!([{ "op": "replace", "path": "emails", "value": { "type": "work", "value": mail } }]),
        json!([{ "op": "replace", "path": "/emails", "value": [{ "type": "work", "value": mail }] }]),
        json!([{ "op": "replace", "value": { "emails": [{ "type": "work", "value": mail }] } }]),
        json!([{ "op": "replace", "value": { "emails[type eq \"work\"].value": mail } }]),
        json!([{ "op": "replace", "value": { format!("{CORE}:emails"): [{ "type": "work", "value": mail }] } }]),
        json!([{ "op": "replace", "path": CORE, "value": { "emails": { "type": "work", "value": mail } } }]),
        json!([{ "op": "replace", "value": json!({ "emails": [{ "type": "work", "value": mail }] }).to_string() }]),
        json!([{ "op": "remove", "path": "emails" }, { "op": "add", "path": "emails", "value": [{ "type": "work", "value": mail }] }]),
    ]);
    let policy = "[client]\ndomains = [\"corp.example\"]\n";
    all_the_same(spellings, policy, 400, |stage, body| {
        stage.ask("PATCH", "/Users/1").body(body)
    })
    .await;
}

#[tokio::test]
async fn a_manager_who_is_not_there() {
    let path = format!("{ENTERPRISE}:manager");
    let spellings = |id: &str| {
        operations([
            json!([{ "op": "replace", "path": path, "value": { "value": id } }]),
            json!([{ "op": "Add", "path": path, "value": id }]),
            json!([{ "op": "replace", "path": "manager", "value": [{ "$ref": null, "value": id }] }]),
            json!([{ "op": "replace", "path": "manager.value", "value": id }]),
            json!([{ "op": "replace", "path": format!("{path}.value"), "value": id }]),
            json!([{ "op": "replace", "path": format!("{ENTERPRISE}.manager"), "value": id }]),
            json!([{ "op": "replace", "path": format!("/{ENTERPRISE}/manager"), "value": id }]),
            json!([{ "op": "replace", "path": "manager", "value": { "$ref": format!("../Users/{id}") } }]),
            json!([{ "op": "replace", "value": { "manager": id } }]),
            json!([{ "op": "replace", "value": { path.clone(): id } }]),
            json!([{ "op": "replace", "value": { ENTERPRISE: { "manager": { "value": id } } } }]),
            json!([{ "op": "replace", "path": ENTERPRISE, "value": { "manager": id } }]),
            json!([{ "op": "replace", "value": { "urn:scim:schemas:extension:enterprise:1.0": { "manager": { "value": id } } } }]),
        ])
    };
    // The same calls for one who is there; for one who is not the same refusal, which is policy of its own.
    all_the_same(spellings("3"), "[user.attributes]\n'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager' = { field = 'manager_id', reference = \"User\", as = \"integer\", create-only = true }\n", 400, |stage, body| {
        stage.ask("PATCH", "/Users/1").body(body)
    })
    .await;
    for body in spellings("no-such") {
        let stage = staffed("").await;
        let ask = stage.ask("PATCH", "/Users/1").body(body.clone());
        ask.send().await.refused(400, "invalidValue");
        assert_eq!(stage.app.writes(), [], "{body}");
    }
}

#[tokio::test]
async fn a_composed_name_is_shown_as_composed_and_a_clients_own_until_a_part_changes() {
    let lines = "[user.attributes]\n'name.givenName' = { keep = true }\n'name.familyName' = { keep = true }\n\
                 'name.formatted' = { field = 'fullname', value = '{name.givenName} {name.familyName}', keep = true }\n";
    let stage = Setup::tenant(lines).start().await;
    let name = json!({ "givenName": "Ada", "familyName": "Love" });
    let made = stage.post("/Users", json!({ "userName": "ada", "name": name }));
    let id = made.await.is(201).body["id"].as_str().unwrap().to_owned();
    let user = format!("/Users/{id}");
    let set = |path: &str, value: &str| json!([{ "op": "replace", "path": path, "value": value }]);
    for (path, value, shown) in [
        ("name.givenName", "Grace", "Grace Love"),
        ("name.formatted", "Wholly New", "Wholly New"),
        ("name.familyName", "Hopper", "Grace Hopper"),
    ] {
        let reply = stage.patch(&user, set(path, value)).await.is(200);
        assert_eq!(reply.body["name"]["formatted"], shown, "{path}");
        let read = stage.get(&user).await.is(200);
        assert_eq!(read.body["name"]["formatted"], shown, "{path}");
        let list = stage.get("/Users").await.is(200);
        assert_eq!(list.body["Resources"][0]["name"]["formatted"], shown);
    }
}

#[tokio::test]
async fn a_kept_value_that_was_taken_away_in_the_application_is_shown_no_more_and_written_again() {
    let lines = "[user.attributes]\n'title' = { field = 'title', as = \"lower\", keep = true }\n\
                 'emails[type eq \"work\"].value' = { field = 'contacts[kind=\"mail\"].address', as = \"lower\", keep = true }\n";
    for emptied in [
        json!({ "title": null, "contacts": [] }),
        json!({ "title": null, "contacts": null }),
        json!({ "title": null, "contacts": [{ "kind": "fax", "address": "1" }] }),
    ] {
        let stage = Setup::tenant(lines).start().await;
        let ada = json!({
            "userName": "ada", "title": "Dr.",
            "emails": [{ "type": "work", "value": "Ada@Corp.example" }],
        });
        stage.post("/Users", ada.clone()).await.is(201);
        let read = stage.get("/Users/1").await.is(200);
        assert_eq!(read.body["emails"][0]["value"], "Ada@Corp.example");
        for (name, value) in emptied.as_object().unwrap() {
            stage.app.change_user(1, name, value.clone());
        }
        let read = stage.get("/Users/1").await.is(200).body;
        assert_eq!(
            (&read["title"], &read["emails"]),
            (&Value::Null, &Value::Null),
            "{emptied}"
        );
        stage.put("/Users/1", ada).await.is(200);
        let user = stage.app.user(1).unwrap();
        assert_eq!(user["title"], "dr.");
        assert!(
            user["contacts"].to_string().contains("ada@corp.example"),
            "{user}"
        );
    }
}
