//! PostgreSQL goes and comes back under a running gateway (promise R22).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::application::Application;
use crate::postgres::Server;
use crate::process::{Place, TOKEN, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_pg_outage() {
    let Some(server) = Server::start() else {
        return;
    };
    let application = Application::start().await;
    let place = Place::new(&Place::postgres(&server.database().await), &application);
    let replica = place.replica(0);
    let user = |name: &str| json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "nickName": name });
    let create = |name: &str| {
        let (base, ca, body) = (replica.base.clone(), place.ca().to_owned(), user(name));
        async move {
            send(&base, &ca, TOKEN, "POST", "/scim/v2/Users", Some(&body))
                .await
                .unwrap()
        }
    };
    let ready = || async {
        let reply = send(&place.admin(0), place.ca(), "", "GET", "/readyz", None).await;
        reply.unwrap().status
    };
    assert_eq!(create("before").await.status, 201);
    assert_eq!(ready().await, 200);

    server.crash();
    let calls = application.calls();
    let begun = Instant::now();
    let creates = (0..50).map(|number| create(&format!("during{number}")));
    let replies = futures_util::future::join_all(creates.collect::<Vec<_>>()).await;
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    for reply in &replies {
        assert_eq!(reply.status, 503, "{reply:?}");
        assert!(reply.retry_after.is_some());
    }
    assert_eq!(application.calls(), calls, "the application is left alone");
    assert_eq!(ready().await, 503);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let log = place.log(0);
    assert_eq!(
        log.matches("PostgreSQL cannot be reached").count(),
        1,
        "{log}"
    );
    assert!(
        !log.contains("a%3Ab") && !log.contains("a:b/c"),
        "no password"
    );
    let failures =
        log.matches("the store failed").count() + log.matches("could not be read again").count();
    assert!(failures <= 12, "not a line for each request: {log}");

    server.restart();
    let end = Instant::now() + Duration::from_secs(15);
    while create("after").await.status == 503 {
        assert!(Instant::now() < end, "{}", place.log(0));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ready().await, 200);
    assert!(place.log(0).contains("PostgreSQL can be reached again"));
    assert_eq!(
        create("before").await.status,
        409,
        "what was answered is known"
    );
}
