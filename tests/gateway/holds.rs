//! References to resources that do not exist yet (`on-missing-reference = "hold"`): set when these appear.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::stage::{Setup, Stage};

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn setup() -> Setup {
    Setup::tenant("[policy]\non-missing-reference = \"hold\"\n")
}

fn person(name: &str, external_id: &str, manager: Option<&str>) -> Value {
    let mut person = json!({ "userName": name, "externalId": external_id });
    if let Some(manager) = manager {
        person[MANAGER] = json!({ "manager": { "value": manager } });
    }
    person
}

fn held(stage: &Stage) -> u64 {
    let tenant = stage.registry.tenant("acme").unwrap();
    tenant.held.load(Ordering::Relaxed)
}

async fn manager_of(stage: &Stage, id: &str) -> Value {
    let user = stage.get(&format!("/Users/{id}")).await.is(200);
    user.body[MANAGER]["manager"]["value"].clone()
}

#[tokio::test]
async fn a_manager_who_comes_later_is_set_then_by_external_id_or_name() {
    for named in ["hr-17", "Grace"] {
        let stage = setup().start().await;
        let ada = stage
            .post("/Users", person("ada", "hr-1", Some(named)))
            .await
            .is(201)
            .id();
        assert_eq!(held(&stage), 1);
        assert_eq!(manager_of(&stage, &ada).await, Value::Null);
        // The same wish again holds nothing more.
        stage
            .put(&format!("/Users/{ada}"), person("ada", "hr-1", Some(named)))
            .await
            .is(200);
        assert_eq!(held(&stage), 1);
        stage
            .post("/Users", person("bob", "hr-2", None))
            .await
            .is(201);
        assert_eq!(held(&stage), 1, "bob is nobody's manager");
        let grace = stage
            .post("/Users", person("grace", "hr-17", None))
            .await
            .is(201)
            .id();
        assert_eq!(manager_of(&stage, &ada).await, json!(grace), "{named}");
        assert_eq!(
            stage.app.user(ada.parse().unwrap()).unwrap()["manager_id"],
            json!(grace.parse::<u64>().unwrap())
        );
        assert_eq!(held(&stage), 0);
    }
}

#[tokio::test]
async fn members_who_come_later_are_added_then_and_only_those_still_wanted() {
    let stage = setup().start().await;
    let ada = stage
        .post("/Users", person("ada", "hr-1", None))
        .await
        .is(201)
        .id();
    let members =
        json!([{ "value": ada }, { "value": "hr-2" }, { "value": "hr-3" }, { "value": "hr-4" }]);
    let group = stage
        .post(
            "/Groups",
            json!({ "displayName": "staff", "members": members }),
        )
        .await
        .is(201)
        .id();
    let path = format!("/Groups/{group}");
    let number: u64 = group.trim_start_matches("g-").parse().unwrap();
    assert_eq!(stage.app.members(number), [ada.parse::<u64>().unwrap()]);
    assert_eq!(held(&stage), 3);
    stage
        .patch(
            &path,
            json!([{ "op": "add", "path": "members", "value": [{ "value": "hr-5" }] }]),
        )
        .await;
    stage
        .patch(
            &path,
            json!([{ "op": "remove", "path": "members[value eq \"hr-3\"]" }]),
        )
        .await;
    assert_eq!(held(&stage), 3, "one more, one less");
    for number in 2..=5 {
        let name = format!("user-{number}");
        stage
            .post("/Users", person(&name, &format!("hr-{number}"), None))
            .await
            .is(201);
    }
    assert_eq!(held(&stage), 0);
    let found: Vec<String> = stage.get(&path).await.is(200).body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect();
    let mut names = Vec::new();
    for id in found {
        names.push(
            stage.get(&format!("/Users/{id}")).await.is(200).body["userName"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(names, ["ada", "user-2", "user-4", "user-5"]);
}

#[tokio::test]
async fn what_the_client_takes_back_is_let_go() {
    let stage = setup().start().await;
    let waiting = || async {
        stage
            .post("/Users", person("ada", "hr-1", Some("hr-9")))
            .await
            .is(201)
            .id()
    };
    let ada = waiting().await;
    let path = format!("/Users/{ada}");
    stage
        .patch(
            &path,
            json!([{ "op": "replace", "path": "title", "value": "x" }]),
        )
        .await
        .is(200);
    assert_eq!(held(&stage), 1, "nothing was said about the manager");
    stage
        .patch(
            &path,
            json!([{ "op": "remove", "path": format!("{MANAGER}:manager") }]),
        )
        .await;
    assert_eq!(held(&stage), 0, "removed");
    stage
        .put(&path, person("ada", "hr-1", Some("hr-9")))
        .await
        .is(200);
    assert_eq!(held(&stage), 1);
    stage.put(&path, person("ada", "hr-1", None)).await.is(200);
    assert_eq!(held(&stage), 0, "replaced by nobody");
    stage
        .put(&path, person("ada", "hr-1", Some("hr-9")))
        .await
        .is(200);
    stage
        .put(&path, person("ada", "hr-1", Some("hr-8")))
        .await
        .is(200);
    assert_eq!(held(&stage), 1, "replaced by another");
    stage.delete(&path).await.is(204);
    assert_eq!(held(&stage), 0, "deleted");
    stage
        .post("/Users", person("grace", "hr-8", None))
        .await
        .is(201);
}

#[tokio::test]
async fn what_is_held_outlives_a_crash() {
    let mut stage = setup().lasting().start().await;
    let ada = stage
        .post("/Users", person("ada", "hr-1", Some("hr-9")))
        .await
        .is(201)
        .id();
    stage.restart().await;
    let grace = stage
        .post("/Users", person("grace", "hr-9", None))
        .await
        .is(201)
        .id();
    assert_eq!(manager_of(&stage, &ada).await, json!(grace));
}

#[tokio::test]
async fn no_more_is_held_than_the_operator_allows_and_reject_and_drop_hold_nothing() {
    let text = "[policy]\non-missing-reference = { hold = \"7d\", most = 1 }\n";
    let stage = Setup::tenant(text).start().await;
    stage
        .post("/Users", person("ada", "hr-1", Some("hr-9")))
        .await
        .is(201);
    stage
        .post("/Users", person("bob", "hr-2", Some("hr-9")))
        .await
        .is(201);
    assert_eq!(held(&stage), 1);
    let stage = Setup::default().start().await;
    stage
        .post("/Users", person("ada", "hr-1", Some("hr-9")))
        .await
        .refused(400, "invalidValue");
    let stage = Setup::tenant("[policy]\non-missing-reference = \"drop\"\n")
        .start()
        .await;
    stage
        .post("/Users", person("ada", "hr-1", Some("hr-9")))
        .await
        .is(201);
    let members = json!([{ "value": "hr-9" }]);
    stage
        .post(
            "/Groups",
            json!({ "displayName": "staff", "members": members }),
        )
        .await
        .is(201);
    assert_eq!(held(&stage), 0);
}

/// Whoever is left out is in no answer, whatever the operation; nor is a member that waits to be created.
#[tokio::test]
async fn a_member_that_is_left_out_is_in_no_answer() {
    let shown = |reply: &crate::stage::Reply| {
        let members = reply.body["members"].as_array().cloned();
        let ids = members.into_iter().flatten();
        ids.map(|member| member["value"].clone())
            .collect::<Vec<_>>()
    };
    for policy in ["drop", "hold"] {
        for is_field in [false, true] {
            let case = format!("{policy}, {is_field}");
            let policy_text = format!("[policy]\non-missing-reference = \"{policy}\"\n");
            let setup = Setup::tenant(&policy_text);
            let (before, _) = setup.app.split_once("[group.members]").unwrap();
            let app = match is_field {
                true => format!("{before}[group.members]\nfield = 'user_ids'\n"),
                false => setup.app.clone(),
            };
            let stage = Setup { app, ..setup }.start().await;
            let ada = stage.post("/Users", person("ada", "hr-1", None)).await;
            let ada = json!(ada.is(201).id());
            let only = vec![ada.clone()];
            let mut members = vec![json!({ "value": ada }), json!({ "value": "hr-9" })];
            if policy == "drop" {
                // What could be an id of the application is not held.
                members.push(json!({ "value": "999" }));
            }
            let body = json!({ "displayName": "staff", "members": members });
            let made = stage.post("/Groups", body.clone()).await.is(201);
            assert_eq!(shown(&made), only, "POST, {case}");
            let path = format!("/Groups/{}", made.id());
            let put = stage.put(&path, body).await.is(200);
            assert_eq!(shown(&put), only, "PUT, {case}");
            let change = json!([
                { "op": "replace", "path": "displayName", "value": "crew" },
                { "op": "replace", "path": "members", "value": members },
            ]);
            let patched = stage.patch(&path, change).await.is(200);
            assert_eq!(shown(&patched), only, "PATCH, {case}");
            let read = stage.get(&path).await.is(200);
            assert_eq!(shown(&read), only, "GET, {case}");
        }
    }
}
