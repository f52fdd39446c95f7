//! Limits at, below and above their value.

use std::{sync::atomic::Ordering, time::Duration};

use crate::kit::{eventually, settings, start};

#[tokio::test]
async fn p5_bodies_are_limited_to_the_byte_with_and_without_a_length() {
    let mut settings = settings();
    settings.limits.max_body_bytes = 1000;
    let server = start(settings).await;
    for (bytes, expected) in [(999, 200), (1000, 200), (1001, 413)] {
        let body = "a".repeat(bytes);
        let with_length =
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n{body}");
        assert_eq!(server.status(with_length).await, expected, "{bytes}");
        let (first, second) = body.split_at(500);
        let chunked = format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
            second.len()
        );
        assert_eq!(server.status(chunked).await, expected, "{bytes} chunked");
    }
}

#[tokio::test]
async fn a_route_can_lower_the_limit_but_not_raise_it() {
    let mut settings = settings();
    settings.limits.max_body_bytes = 20;
    let server = start(settings).await;
    for (path, bytes, expected) in [("/small", 10, 200), ("/small", 11, 413), ("/echo", 21, 413)] {
        let body = "a".repeat(bytes);
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n{body}");
        assert_eq!(server.status(request).await, expected, "{path} {bytes}");
    }
}

#[tokio::test]
async fn p1_a_refusal_reaches_a_client_that_goes_on_sending() {
    let server = start(settings()).await;
    let mut wire = server.connect().await;
    let bytes = 3 * 1024 * 1024;
    wire.send(format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n"
    ))
    .await;
    for _ in 0..30 {
        // A server that just closed would reset the connection here.
        wire.send(vec![b'a'; bytes / 30]).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let answer = wire.answer().await.unwrap();
    assert_eq!(answer.status, 413);
    assert!(answer.is_close());
}

#[tokio::test]
async fn a_refused_request_is_not_asked_for_its_body() {
    let server = start(settings()).await;
    for (path, expected) in [("/refuse", 401), ("/echo", 413)] {
        let mut wire = server.connect().await;
        wire.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n")).await;
        assert_eq!(wire.answer().await.unwrap().status, expected);
    }
    let mut wire = server.connect().await;
    wire.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.unwrap().status, 100);
    wire.send("ab").await;
    assert_eq!(wire.answer().await.unwrap().status, 200);
    assert_eq!(server.echo.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn p5_heads_are_limited_in_lines_bytes_and_url() {
    let server = start(settings()).await;
    for (count, expected) in [(63, 200), (64, 200), (65, 431)] {
        let mut head = "GET /echo HTTP/1.1\r\nHost: a\r\n".to_owned();
        for n in 1..count {
            head.push_str(&format!("X-{n}: 1\r\n"));
        }
        assert_eq!(
            server.status(head + "\r\n").await,
            expected,
            "{count} headers"
        );
    }
    let limit = 64 * 1024;
    for (bytes, expected) in [
        (limit - 1, 200),
        (limit, 200),
        (limit + 1, 431),
        (limit * 4, 431),
    ] {
        let (start, end) = ("GET /echo HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n");
        let filling = "a".repeat(bytes - start.len() - end.len());
        let head = format!("{start}{filling}{end}");
        assert_eq!(server.status(head).await, expected, "{bytes} bytes");
    }
    for (count, expected) in [(101, 431), (1000, 431)] {
        let head = format!(
            "GET /echo HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: 1\r\n".repeat(count)
        );
        assert_eq!(server.status(head).await, expected, "{count} headers");
    }
    for (bytes, expected) in [(16 * 1024, 200), (16 * 1024 + 1, 414)] {
        let head = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(bytes - 1));
        assert_eq!(server.status(head).await, expected, "{bytes} bytes of URL");
    }
}

#[tokio::test]
async fn p5_bodies_in_flight_have_a_common_budget() {
    let mut settings = settings();
    settings.limits.max_bodies_in_flight_bytes = 150;
    let server = start(settings).await;
    let body = "a".repeat(100);
    let mut first = server.connect().await;
    first
        .send(format!(
            "POST /slow?300 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{body}"
        ))
        .await;
    eventually("the first body is held", || {
        server.stats.body_bytes() == 100
    })
    .await;
    let second = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{body}");
    let answer = &server.answers(&second).await[0];
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(first.answer().await.unwrap().status, 200);
    eventually("the room is given back", || server.stats.body_bytes() == 0).await;
    assert_eq!(server.status(&second).await, 200);
}

#[tokio::test]
async fn p4_one_client_has_a_share_of_the_connections() {
    let mut settings = settings();
    settings.limits.max_connections_per_peer = 2;
    let server = start(settings).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    assert!(first.is_alive().await && second.is_alive().await);
    let took = server.connect().await.closed_after().await;
    assert!(took < Duration::from_secs(1));
    assert!(first.is_alive().await && second.is_alive().await);
    assert_eq!(server.stats.turned_away(), 1);
}

#[tokio::test]
async fn p4_at_the_limit_the_longest_idle_connection_makes_room() {
    let mut settings = settings();
    settings.limits.max_connections = 2;
    let server = start(settings).await;
    let mut oldest = server.connect().await;
    assert!(oldest.is_alive().await);
    let mut busy = server.connect().await;
    busy.send("GET /slow?300 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("it is busy", || server.stats.requests_in_flight() == 1).await;
    let mut newcomer = server.connect().await;
    assert!(newcomer.is_alive().await);
    assert!(oldest.closed_after().await < Duration::from_secs(1));
    assert_eq!(busy.answer().await.unwrap().status, 200);
    assert_eq!(server.stats.evicted(), 1);
}
