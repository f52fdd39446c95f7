//! Many operations in one request (RFC 7644 §3.7).

use serde_json::{Value, json};

use crate::stage::{Reply, Setup, Stage};

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
