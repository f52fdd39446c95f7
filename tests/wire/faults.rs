//! Handlers that panic, clients that leave, answers without bodies.

use std::sync::atomic::Ordering;

use crate::kit::{eventually, settings, start};

#[tokio::test]
async fn p13_a_panic_costs_one_request_and_not_the_connection() {
    let server = start(settings()).await;
    let mut wire = server.connect().await;
    for path in ["/panic", "/admit-panic"] {
        for method in ["GET", "DELETE"] {
            wire.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
                .await;
            let answer = wire.answer().await.unwrap();
            assert_eq!(answer.status, 500);
            assert!(!answer.text().contains("asked to"));
            assert!(wire.is_alive().await);
        }
    }
    assert_eq!(server.stats.panics(), 4);
    assert_eq!(server.stats.requests_in_flight(), 0);
}

#[tokio::test]
async fn head_says_the_length_that_get_would_have() {
    let server = start(settings()).await;
    let mut wire = server.connect().await;
    wire.send("GET /same HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let get = wire.answer().await.unwrap();
    wire.send("HEAD /same HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = wire.answer_to_head().await.unwrap();
    // The text names the method, which is one letter longer.
    assert_eq!(
        head.header("content-length")
            .unwrap()
            .parse::<usize>()
            .unwrap(),
        get.body.len() + 1
    );
    assert!(wire.is_alive().await);
    wire.send("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (204, None)
    );
    assert!(wire.is_alive().await);
}

#[tokio::test]
async fn answers_are_acknowledged_once_they_are_sent() {
    let server = start(settings()).await;
    let mut wire = server.connect().await;
    for (count, path) in ["/echo", "/nothing", "/large"].iter().enumerate() {
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        wire.answer().await.unwrap();
        eventually("it is acknowledged", || {
            server.echo.sent.load(Ordering::SeqCst) == count + 1
        })
        .await;
    }
}

#[tokio::test]
async fn a_write_runs_to_its_end_without_its_client_and_a_read_does_not() {
    let server = start(settings()).await;
    for (method, finishes) in [("GET", 0), ("PATCH", 1)] {
        let mut wire = server.connect().await;
        wire.send(format!("{method} /slow?100 HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        eventually("it is with the handler", || {
            server.stats.requests_in_flight() == 1
        })
        .await;
        drop(wire);
        eventually("it has left the handler", || {
            server.stats.requests_in_flight() == 0
        })
        .await;
        assert_eq!(
            server.echo.finished.load(Ordering::SeqCst),
            finishes,
            "{method}"
        );
    }
    assert_eq!(server.echo.sent.load(Ordering::SeqCst), 0);
}
