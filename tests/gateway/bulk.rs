//! Many operations in one request (RFC 7644 §3.7).

use serde_json::{Value, json};

use crate::{
    application::{Fault, Lost},
    fake_target::Act,
    stage::{Reply, Setup, Stage},
};

fn request(operations: Value, fail_on_errors: Option<u64>) -> Value {
    let mut message = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    if let Some(most) = fail_on_errors {
        message["failOnErrors"] = json!(most);
    }
    message
}

async fn bulk(stage: &Stage, operations: Value) -> Reply {
    stage.post("/Bulk", request(operations, None)).await
}

fn statuses(reply: &Reply) -> Vec<String> {
    let operations = reply.body["Operations"].as_array().unwrap();
    operations
        .iter()
        .map(|operation| operation["status"].as_str().unwrap_or("?").to_owned())
        .collect()
}

fn user(bulk_id: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "userName": bulk_id } })
}

fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": { "displayName": bulk_id, "members": members } })
}

#[tokio::test]
async fn s13_references_are_resolved_in_whatever_order_they_stand() {
    let ways = [
        json!([
            user("ada"),
            user("bob"),
            group("staff", &["bulkId:ada", "bulkId:bob"])
        ]),
        json!([
            group("staff", &["bulkId:ada", "bulkId:bob"]),
            user("ada"),
            user("bob")
        ]),
        json!([
            user("ada"),
            group("staff", &["bulkId:bob", "bulkId:ada"]),
            user("bob")
        ]),
    ];
    for operations in ways {
        let stage = Setup::default().start().await;
        let reply = bulk(&stage, operations.clone()).await.is(200);
        assert_eq!(statuses(&reply), ["201", "201", "201"], "{}", reply.body);
        let staff = (1..=3).find(|id| stage.app.group(*id).is_some()).unwrap();
        assert_eq!(stage.app.members(staff).len(), 2, "{operations}");
        let answered = reply.body["Operations"].as_array().unwrap();
        for (asked, answered) in operations.as_array().unwrap().iter().zip(answered) {
            assert_eq!(asked["bulkId"], answered["bulkId"]);
            assert!(
                answered["location"]
                    .as_str()
                    .unwrap()
                    .starts_with("https://scim.example/scim/v2/")
            );
            assert!(answered["version"].is_string());
        }
    }
}

#[tokio::test]
async fn s13_circles_are_closed_once_everything_exists() {
    let stage = Setup::default().start().await;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let with_manager = |id: &str, manager: &str| {
        let manager = json!({ "manager": { "value": format!("bulkId:{manager}") } });
        json!({ "method": "POST", "path": "/Users", "bulkId": id, "data": { "userName": id, enterprise: manager } })
    };
    let reply = bulk(
        &stage,
        json!([with_manager("a", "b"), with_manager("b", "a")]),
    )
    .await
    .is(200);
    assert_eq!(statuses(&reply), ["201", "201"], "{}", reply.body);
    let (a, b) = (stage.app.ids_of("a")[0], stage.app.ids_of("b")[0]);
    assert_eq!(stage.app.user(a).unwrap()["manager_id"], b);
    assert_eq!(stage.app.user(b).unwrap()["manager_id"], a);
}

#[tokio::test]
async fn s13_what_depends_on_a_failure_fails_and_what_does_not_goes_on() {
    let stage = Setup::default().start().await;
    stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(201);
    let operations = json!([
        user("ada"),
        group("staff", &["bulkId:ada"]),
        group("crew", &["bulkId:nobody"]),
        user("bob"),
        { "method": "PATCH", "path": "/Users/bulkId:ada", "data": {} },
    ]);
    let reply = bulk(&stage, operations).await.is(200);
    let statuses = statuses(&reply);
    assert_eq!(statuses[0], "409", "{}", reply.body);
    assert!(
        statuses[1].starts_with('4')
            && statuses[2].starts_with('4')
            && statuses[4].starts_with('4')
    );
    assert_eq!(statuses[3], "201");
    let response = &reply.body["Operations"][0]["response"];
    assert_eq!(
        (&response["scimType"], &response["status"]),
        (&json!("uniqueness"), &json!("409"))
    );
}

#[tokio::test]
async fn fail_on_errors_stops_after_so_many() {
    for (most, expected) in [(None, 5), (Some(1), 2), (Some(2), 3), (Some(9), 5)] {
        let stage = Setup::default().start().await;
        let bad = json!({ "method": "POST", "path": "/Users", "bulkId": "x", "data": { "title": "nameless" } });
        let operations = json!([user("a"), bad, bad, user("b"), user("c")]);
        let operations: Vec<Value> = operations
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(index, operation)| {
                let mut operation = operation.clone();
                operation["bulkId"] = json!(format!("id{index}"));
                operation
            })
            .collect();
        let reply = stage
            .post("/Bulk", request(json!(operations), most))
            .await
            .is(200);
        assert_eq!(statuses(&reply).len(), expected, "{most:?}: {}", reply.body);
    }
}

#[tokio::test]
async fn s13_limits_and_nonsense_are_refused_as_a_whole() {
    let mut setup = Setup::default();
    setup.limits.max_bulk_operations = 10;
    let stage = setup.start().await;
    let many: Vec<Value> = (0..11).map(|number| user(&format!("u{number}"))).collect();
    bulk(&stage, json!(many)).await.is(413);
    bulk(&stage, json!(many[..10])).await.is(200);
    stage.app.forget_calls();
    let refused = [
        json!([user("same"), user("same")]),
        json!([{ "method": "POST", "path": "/Users", "data": { "userName": "x" } }]),
        json!([{ "method": "TRACE", "path": "/Users" }]),
        json!([{ "path": "/Users" }]),
        json!("x"),
    ];
    for operations in refused {
        let reply = bulk(&stage, operations.clone()).await;
        let is_refused = reply.status == 400
            || statuses(&reply)
                .iter()
                .all(|status| status.starts_with('4'))
            || operations[0] == operations[1];
        assert!(is_refused, "{operations}: {}", reply.body);
    }
    assert!(stage.app.ids_of("same").len() <= 1);
    let nested = json!([{ "method": "POST", "path": "/Bulk", "bulkId": "n", "data": request(json!([]), None) }]);
    let reply = bulk(&stage, nested).await;
    assert!(reply.status == 400 || statuses(&reply)[0].starts_with('4'));
}

#[tokio::test]
async fn every_method_works_in_bulk_with_versions() {
    let stage = Setup::default().start().await;
    let ada = stage
        .post("/Users", json!({ "userName": "ada", "title": "a" }))
        .await
        .is(201);
    let version = ada.header("etag").unwrap();
    let patch = |value: &str| {
        crate::stage::patch(json!([{ "op": "replace", "path": "title", "value": value }]))
    };
    let operations = json!([
        { "method": "PATCH", "path": "/Users/1", "version": version, "data": patch("b") },
        { "method": "PATCH", "path": "/Users/1", "version": version, "data": patch("c") },
        { "method": "PUT", "path": "/Users/1", "data": { "userName": "ada", "title": "d" } },
    ]);
    let reply = bulk(&stage, operations).await.is(200);
    assert_eq!(statuses(&reply), ["200", "412", "200"], "{}", reply.body);
    assert_eq!(stage.app.user(1).unwrap()["title"], "d");
    let operations = json!([
        { "method": "DELETE", "path": "/Users/1" },
        { "method": "DELETE", "path": "/Users/1" },
        user("ada"),
    ]);
    let reply = bulk(&stage, operations).await.is(200);
    assert_eq!(statuses(&reply), ["204", "404", "201"], "{}", reply.body);
}

#[tokio::test]
async fn s13_a_policy_holds_in_bulk_as_it_does_alone() {
    let text = "[client]\ndomains = [\"corp.example\"]\n[policy]\nprotected = [\"root\"]\non-delete = \"refuse\"\n";
    let stage = Setup::tenant(text).start().await;
    stage.app.add_users(1);
    let operations = json!([
        user("root"),
        { "method": "POST", "path": "/Users", "bulkId": "e", "data": { "userName": "eve@evil.example" } },
        { "method": "DELETE", "path": "/Users/1" },
        { "method": "PATCH", "path": "/Users/1", "data": crate::stage::patch(json!([{ "op": "replace", "path": "userName", "value": "root" }])) },
    ]);
    let reply = bulk(&stage, operations).await.is(200);
    assert!(
        statuses(&reply)
            .iter()
            .all(|status| status.starts_with('4')),
        "{}",
        reply.body
    );
    assert!(stage.app.writes().is_empty());
}

/// The words of each operation that failed.
fn details(reply: &Reply) -> Vec<&str> {
    let operations = reply.body["Operations"].as_array().unwrap();
    let details = operations
        .iter()
        .map(|one| one["response"]["detail"].as_str());
    details.map(Option::unwrap_or_default).collect()
}

#[tokio::test]
async fn each_failure_names_the_applications_call_as_it_does_alone() {
    let retitled = |path: &str| {
        let data = crate::stage::patch(json!([{ "op": "replace", "path": "title", "value": "b" }]));
        json!({ "method": "PATCH", "path": path, "data": data })
    };
    let stage = Setup::default().start().await;
    stage.app.add_users(2);
    stage.app.refuse("PATCH /users/1", 2, 500);
    stage.app.refuse("POST /users", 1, 401);
    let operations = json!([
        retitled("/Users/1"),
        user("ada"),
        { "method": "POST", "path": "/Users", "bulkId": "n", "data": { "title": "nameless" } },
        retitled("/Users/2"),
        { "method": "DELETE", "path": "/Users/7" },
    ]);
    let reply = bulk(&stage, operations).await.is(200);
    assert_eq!(
        statuses(&reply),
        ["502", "502", "400", "200", "404"],
        "{}",
        reply.body
    );
    let details = details(&reply);
    assert!(
        details[0].ends_with("(`user.update`: `PATCH /users/{id}` was answered 500)."),
        "{}",
        details[0]
    );
    assert!(details[1].ends_with("(`user.create`)."), "{}", details[1]);
    assert!(!reply.body.to_string().contains("book-api-key"));
    // Word for word what it is alone.
    let alone = retitled("/Users/1")["data"].clone();
    let alone = stage
        .ask("PATCH", "/Users/1")
        .body(alone)
        .send()
        .await
        .is(502);
    assert_eq!(alone.body["detail"], details[0]);
}

#[tokio::test]
async fn an_operation_whose_time_is_over_says_whether_it_may_have_changed_anything() {
    let mut setup = Setup::default().with("deadline = \"5s\"", "deadline = \"300ms\"");
    setup.limits.request_deadline = std::time::Duration::from_secs(3);
    let stage = setup.start().await;
    stage.app.add_users(2);
    stage
        .app
        .plan("POST /users", 1, Fault::AfterEffect(Lost::Hanging));
    stage.app.plan("GET /users/1", 2, Fault::Before(Act::Hang));
    let data = crate::stage::patch(json!([{ "op": "replace", "path": "title", "value": "b" }]));
    let operations = json!([
        user("ada"),
        { "method": "PATCH", "path": "/Users/1", "data": data },
        { "method": "PATCH", "path": "/Users/2", "data": data },
    ]);
    let reply = bulk(&stage, operations).await.is(200);
    assert_eq!(statuses(&reply), ["504", "504", "200"], "{}", reply.body);
    let details = details(&reply);
    assert!(details[0].contains("may have been made"), "{}", details[0]);
    assert!(details[1].contains("Nothing was changed"), "{}", details[1]);
}
