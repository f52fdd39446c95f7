//! What single providers need in an answer beyond what RFC 7644 asks, through the whole product.

#[path = "support/demo.rs"]
mod demo;

use demo::Demo;
use scimgate::cli::replay::{Reply, Request, Transport};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

#[tokio::test]
async fn keycloak_finds_a_name_for_display_in_every_answer_and_others_what_is_so() {
    let demo = Demo::start_with(
        "answers-keycloak",
        &[],
        &[
            ("keycloak", "[client]\nidp = \"keycloak\""),
            ("duo", "[client]\nidp = \"duo\""),
            // An application that knows no inactive accounts.
            (
                "always",
                "[client]\nidp = \"keycloak\"\n[policy]\non-delete = \"delete\"\n[user.attributes]\nactive = false",
            ),
        ],
    );
    let reply = send(&demo, "always", "GET", "/Users/1", None).await;
    assert_eq!(document(&reply)["active"], true);
    // KEYCLOAK-02: without `displayName` the plugin throws the link away, and posts again at every sync.
    let body = json!({"schemas": [USER], "userName": "sanna", "name": {"givenName": "Sanna", "familyName": "Aalto"}, "emails": [{"value": "sanna@example.com"}], "active": true});
    let created = send(&demo, "keycloak", "POST", "/Users", Some(&body)).await;
    assert_eq!(created.status, 201);
    let user = document(&created);
    assert_eq!(user["displayName"], "Sanna Aalto");
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    for (method, body) in [("GET", None), ("PUT", Some(&body))] {
        let reply = send(&demo, "keycloak", method, &path, body).await;
        assert_eq!(document(&reply)["displayName"], "Sanna Aalto", "{method}");
    }
    let found = "/Users?filter=userName%20eq%20%22sanna%22";
    let reply = send(&demo, "keycloak", "GET", found, None).await;
    assert_eq!(
        document(&reply)["Resources"][0]["displayName"],
        "Sanna Aalto"
    );
    let fewer = send(
        &demo,
        "keycloak",
        "GET",
        &format!("{path}?attributes=userName"),
        None,
    )
    .await;
    assert_eq!(document(&fewer).get("displayName"), None);
    // It was never stored.
    let reply = send(&demo, "duo", "GET", &path, None).await;
    assert_eq!(document(&reply)["name"]["givenName"], "Sanna");
    assert_eq!(document(&reply).get("displayName"), None);
}

#[tokio::test]
async fn okta_does_not_get_the_members_it_just_sent() {
    let demo = Demo::start_with(
        "answers-okta",
        &[],
        &[
            ("okta", "[client]\nidp = \"okta\""),
            ("duo", "[client]\nidp = \"duo\""),
        ],
    );
    let group = json!({"schemas": [GROUP], "displayName": "Field", "members": []});
    let created = send(&demo, "okta", "POST", "/Groups", Some(&group)).await;
    assert_eq!(created.status, 201);
    let path = format!("/Groups/{}", document(&created)["id"].as_str().unwrap());
    let group = json!({"schemas": [GROUP], "displayName": "Field", "members": [{"value": "1"}]});
    for (tenant, shows) in [("okta", false), ("duo", true)] {
        let reply = send(&demo, tenant, "PUT", &path, Some(&group)).await;
        assert_eq!(reply.status, 200, "{tenant}");
        let shown = document(&reply);
        assert_eq!(shown["displayName"], "Field", "{tenant}");
        assert_eq!(shown.get("members").is_some(), shows, "{tenant}");
        let asked = send(&demo, tenant, "GET", &path, None).await;
        assert_eq!(document(&asked)["members"][0]["value"], "1", "{tenant}");
    }
    let asked = format!("{path}?attributes=members");
    let reply = send(&demo, "okta", "PUT", &asked, Some(&group)).await;
    assert_eq!(document(&reply)["members"][0]["value"], "1");
}

#[tokio::test]
async fn a_wait_is_told_in_whole_seconds_and_to_sailpoint_in_its_own_header_too() {
    let demo = Demo::start_with(
        "answers-wait",
        &[],
        &[
            (
                "sailpoint",
                "mode = \"paused\"\n[client]\nidp = \"sailpoint\"",
            ),
            ("okta", "mode = \"paused\"\n[client]\nidp = \"okta\""),
        ],
    );
    for (tenant, own) in [("sailpoint", Some("300".to_owned())), ("okta", None)] {
        let reply = send(&demo, tenant, "GET", "/Users", None).await;
        assert_eq!(reply.status, 503, "{tenant}");
        assert_eq!(reply.header("Retry-After").as_deref(), Some("300"));
        assert_eq!(reply.header("x-rate-limit-retry-after-seconds"), own);
    }
}

async fn send(demo: &Demo, tenant: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
    let request = Request {
        method: method.to_owned(),
        path_and_query: format!("/scim/v2{path}"),
        headers: vec![
            (
                "Authorization".to_owned(),
                format!("Bearer token-of-{tenant}"),
            ),
            (
                "Content-Type".to_owned(),
                "application/scim+json".to_owned(),
            ),
        ],
        body: body.map(|body| body.to_string().into_bytes()),
    };
    demo.transport().send(request).await.expect("an answer")
}

fn document(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}
