use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

struct Fixed(Readiness);

impl Observed for Fixed {
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Readiness> + Send + '_>> {
        Box::pin(async { self.0.clone() })
    }

    fn tenants(&self) -> Vec<TenantStatus> {
        let tenant = |name: &str, state, errors| TenantStatus {
            tenant: name.to_owned(),
            state,
            app: Some("redmine".to_owned()),
            errors,
            warnings: 0,
            target: None,
            probe: None,
            are_deactivations_paused: false,
            held_references: 0,
            detail: None,
        };
        vec![
            tenant("acme", "ready", 0),
            tenant("bolt", "broken", 2),
            tenant("coil", "ready", 0),
        ]
    }
}

fn admin(reasons: &[&str], credential: Option<&str>) -> Admin {
    let readiness = Readiness {
        reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
        warnings: Vec::new(),
    };
    let credential = credential.map(AdminCredential::from_token);
    let state = AdminState::new(Arc::default(), Arc::new(Fixed(readiness)), credential);
    Admin(Arc::new(state))
}

async fn ask(admin: &Admin, method: Method, path: &str, authorization: &[&str]) -> (u16, Bytes) {
    let mut request = http::Request::builder().method(method.clone()).uri(path);
    for value in authorization {
        request = request.header("authorization", *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let response = match admin.admit(&parts, ([127, 0, 0, 1], 9).into()) {
        Err(response) => response,
        Ok(_) => {
            let request = Request {
                method,
                path: path.to_owned(),
                query: None,
                headers: parts.headers,
                body: Bytes::new(),
                peer: ([127, 0, 0, 1], 1).into(),
                scheme_host: None,
                admitted: None,
                received: Instant::now(),
            };
            admin.handle(request).await
        }
    };
    (response.status.as_u16(), response.body)
}

#[tokio::test]
async fn readiness_follows_the_gateway_and_ends_with_the_signal_to_stop() {
    let ready = admin(&[], None);
    assert_eq!(ask(&ready, Method::GET, "/readyz", &[]).await.0, 200);
    ready.0.start_draining();
    let (status, body) = ask(&ready, Method::GET, "/readyz", &[]).await;
    assert_eq!(status, 503);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body,
        json!({ "reasons": ["The gateway is stopping."], "warnings": [] })
    );
    assert_eq!(ask(&ready, Method::GET, "/livez", &[]).await.0, 200);
    let broken = admin(&["The store does not answer."], None);
    assert_eq!(ask(&broken, Method::GET, "/readyz", &[]).await.0, 503);
}

#[tokio::test]
async fn only_health_is_open_when_there_is_a_credential() {
    let admin = admin(&[], Some("s3cret"));
    for (path, authorization, expected) in [
        ("/livez", &[][..], 200),
        ("/readyz", &[], 200),
        ("/metrics", &[], 401),
        ("/status", &["Bearer wrong"], 401),
        ("/status", &["Basic s3cret"], 401),
        ("/status", &["Bearers3cret"], 401),
        ("/status", &["Bearer s3cret", "Bearer s3cret"], 401),
        ("/status", &["Bearer "], 401),
        ("/status", &["bearer s3cret"], 200),
        ("/metrics", &["Bearer s3cret"], 200),
        ("/nothing", &["Bearer s3cret"], 404),
    ] {
        let (status, _) = ask(&admin, Method::GET, path, authorization).await;
        assert_eq!(status, expected, "{path} {authorization:?}");
    }
    assert_eq!(ask(&admin, Method::POST, "/livez", &[]).await.0, 405);
    assert!(!format!("{:?}", AdminCredential::from_token("s3cret")).contains("s3cret"));
}

#[tokio::test]
async fn status_and_metrics_show_the_tenants() {
    let admin = admin(&[], None);
    let (_, body) = ask(&admin, Method::GET, "/status", &[]).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["tenants"][1]["tenant"], "bolt");
    assert_eq!(body["tenants"][1]["errors"], 2);
    let (_, metrics) = ask(&admin, Method::GET, "/metrics", &[]).await;
    let metrics = String::from_utf8(metrics.to_vec()).unwrap();
    assert!(
        metrics.contains("scimgate_tenants{state=\"ready\"} 2"),
        "{metrics}"
    );
    assert!(
        metrics.contains("scimgate_tenants{state=\"broken\"} 1"),
        "{metrics}"
    );
}
