//! Which heads are answered how, hyper's own checks included: what we rely on in it is tested here too.

use crate::kit::{Running, eventually, settings, start};

const GOOD: &str = "GET /echo HTTP/1.1\r\nHost: a.example\r\n\r\n";

async fn server() -> Running {
    start(settings()).await
}

#[tokio::test]
async fn p1_ambiguous_and_hiding_heads_are_refused() {
    let server = server().await;
    for (lines, expected) in [
        ("GET /echo HTTP/1.1|Host: a.example", 200),
        ("GET /echo HTTP/1.1|Host: a.example|Host: a.example", 400),
        ("GET /echo HTTP/1.1|Host: a.example|Host: b.example", 400),
        ("GET /echo HTTP/1.1|Accept: */*", 400),
        ("GET /echo HTTP/1.0|Accept: */*", 200),
        ("GET http://a.example/echo HTTP/1.1|Host: a.example", 200),
        ("GET http://b.example/echo HTTP/1.1|Host: a.example", 400),
        (
            "GET /Users/../Groups/%2e%2e%2fadmin;x=1 HTTP/1.1|Host: a",
            400,
        ),
        ("GET /Users/%00 HTTP/1.1|Host: a", 400),
        ("GET /Users/\u{e9} HTTP/1.1|Host: a", 400),
        ("GET /Users\\x HTTP/1.1|Host: a", 400),
        ("GET /Users/..%2fx HTTP/1.1|Host: a", 400),
        ("GET /Users?filter=%00 HTTP/1.1|Host: a", 400),
        ("GET * HTTP/1.1|Host: a", 400),
        ("OPTIONS * HTTP/1.1|Host: a", 400),
        ("TRACE / HTTP/1.1|Host: a", 400),
        ("CONNECT a:443 HTTP/1.1|Host: a:443", 400),
        (
            "GET / HTTP/1.1|Host: a|Connection: Upgrade|Upgrade: websocket",
            400,
        ),
        ("GET / HTTP/1.1|Host: a|X_Tenant: b", 400),
        ("GET / HTTP/1.1|Host: a|Expect: a-pony", 417),
        (
            "POST / HTTP/1.1|Host: a|Content-Encoding: gzip|Content-Length: 0",
            415,
        ),
        (
            "POST / HTTP/1.1|Host: a|Content-Encoding: identity|Content-Length: 0",
            200,
        ),
        (
            "POST / HTTP/1.1|Host: a|Content-Length: 1|Content-Length: 2",
            400,
        ),
        (
            "POST / HTTP/1.1|Host: a|Content-Length: 0|Content-Length: 0",
            200,
        ),
        ("POST / HTTP/1.1|Host: a|Content-Length: +5", 400),
        ("POST / HTTP/1.1|Host: a|Content-Length: -1", 400),
        ("POST / HTTP/1.1|Host: a|Transfer-Encoding: xchunked", 400),
        (
            "POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked, identity",
            400,
        ),
        ("POST / HTTP/1.0|Host: a|Transfer-Encoding: chunked", 400),
        ("POST / HTTP/1.1|Host: a|Content-Length : 0", 400),
        ("GET / HTTP/1.1|Host: a|X: 1| folded", 400),
        ("GET / HTTP/1.1|Host: a\u{0}b", 400),
        ("GET / HTTP/3.0|Host: a", 400),
        ("GET  / HTTP/1.1|Host: a", 400),
    ] {
        let head = format!("{}\r\n\r\n", lines.replace('|', "\r\n"));
        assert_eq!(server.status(head).await, expected, "{lines}");
    }
}

#[tokio::test]
async fn refusals_of_the_edge_are_scim_errors_and_keep_a_clean_connection() {
    let server = server().await;
    let mut wire = server.connect().await;
    wire.send("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    let message: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        message["schemas"][0],
        "urn:ietf:params:scim:api:messages:2.0:Error"
    );
    assert_eq!(message["status"], "400");
    assert!(wire.is_alive().await);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n")
        .await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(answer.header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_raw_quote_in_the_query_is_refused_by_hyper_itself_and_counted() {
    let server = server().await;
    // The rest of what RFC 3986 forbids and people type is understood.
    for (query, expected) in [("a=[b]{c}|d^e`f\\g", 200), ("a=\"b\"", 400), ("a=<b>", 400)] {
        let before = server.stats.refused_requests();
        let head = format!("GET /echo?{query} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(server.status(head).await, expected, "{query}");
        let refused = usize::from(expected != 200) as u64;
        eventually("it is counted", || {
            server.stats.refused_requests() == before + refused
        })
        .await;
    }
}

#[tokio::test]
async fn p1_a_length_beside_chunks_never_makes_two_requests_of_one() {
    let server = server().await;
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ] {
        let bytes = format!("POST /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\n{GOOD}");
        let mut wire = server.connect().await;
        wire.send(bytes).await;
        // Either reading is allowed (RFC 9112 §6.1): refused, or taken as chunked. Then the connection is closed.
        let answer = wire.answer().await.unwrap();
        assert!(
            answer.status == 400 || answer.text().contains("with 0 bytes"),
            "{answer:?}"
        );
        assert!(wire.answer().await.is_none());
    }
}

#[tokio::test]
async fn p1_pipelined_requests_are_answered_in_order_and_body_bytes_are_never_requests() {
    let server = server().await;
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = inner.len();
    let bytes = format!(
        "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{inner}GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    );
    let answers = server.answers(bytes).await;
    let texts: Vec<_> = answers.iter().map(|answer| answer.text()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("POST /first") && texts[1].starts_with("GET /second"));
}

#[tokio::test]
async fn p1_what_came_before_a_refused_body_is_never_followed_by_its_bytes_as_a_request() {
    let server = server().await;
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = inner.len();
    let bytes =
        format!("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{inner}");
    let answers = server.answers(bytes).await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].status, 413);
    assert!(answers[0].is_close());
}

#[tokio::test]
async fn p11_the_client_behind_a_trusted_proxy_is_told_apart_from_the_proxy() {
    let head = "GET /echo HTTP/1.1\r\nHost: inner:8080\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: scim.example\r\n\r\n";
    for (trusted, expected) in [
        (
            vec!["127.0.0.0/8".parse().unwrap()],
            "from 203.0.113.7 at https://scim.example",
        ),
        (vec![], "from 127.0.0.1 at http://inner:8080"),
    ] {
        let mut settings = settings();
        settings.trusted_proxies = trusted;
        let server = start(settings).await;
        let answer = &server.answers(head).await[0];
        assert!(answer.text().contains(expected), "{}", answer.text());
    }
}
