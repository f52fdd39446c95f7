//! Clients that take their time.

use std::time::Duration;

use scimgate::server::ServerSettings;
use tokio::{
    io::AsyncReadExt,
    time::{Instant, sleep},
};

use crate::kit::{eventually, settings, start};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(30);

fn impatient() -> ServerSettings {
    let mut settings = settings();
    let limits = &mut settings.limits;
    limits.first_byte = LONG;
    limits.head = LONG;
    limits.idle = LONG;
    limits.write_stall = LONG;
    limits.body = LONG;
    settings
}

fn is_about(took: Duration, expected: Duration) -> bool {
    // A deadline is overshot by a quarter at most; the rest is for a busy machine.
    took >= expected.mul_f64(0.9) && took < expected * 2 + Duration::from_millis(500)
}

#[tokio::test]
async fn p4_a_connection_that_sends_nothing_is_closed() {
    let mut settings = impatient();
    settings.limits.first_byte = SHORT;
    let server = start(settings).await;
    let took = server.connect().await.closed_after().await;
    assert!(is_about(took, SHORT), "{took:?}");
    assert_eq!(server.stats.timed_out(), 1);
    eventually("all are closed", || server.stats.connections() == 0).await;
}

#[tokio::test]
async fn p4_a_head_that_does_not_end_is_cut_however_steadily_it_comes() {
    let mut settings = impatient();
    settings.limits.head = SHORT;
    let server = start(settings).await;
    for is_second_request in [false, true] {
        let mut wire = server.connect().await;
        if is_second_request {
            assert!(wire.is_alive().await);
        }
        let began = Instant::now();
        wire.send("GET /echo HTTP/1.1\r\nHost: a\r\nX: ").await;
        let mut byte = [0];
        loop {
            tokio::select! {
                _ = wire.0.read(&mut byte) => break,
                () = sleep(Duration::from_millis(20)) => {
                    let _ = tokio::io::AsyncWriteExt::write_all(&mut wire.0, b"a").await;
                }
            }
        }
        let took = began.elapsed();
        assert!(is_about(took, SHORT), "{took:?}");
    }
}

#[tokio::test]
async fn p4_an_idle_connection_is_closed_and_a_used_one_is_not() {
    let mut settings = impatient();
    settings.limits.idle = SHORT * 2;
    let server = start(settings).await;
    let mut wire = server.connect().await;
    for _ in 0..4 {
        assert!(wire.is_alive().await);
        sleep(SHORT).await;
    }
    assert!(wire.is_alive().await);
    let took = wire.closed_after().await;
    assert!(is_about(took, SHORT * 2), "{took:?}");
    assert_eq!(server.stats.timed_out(), 0);
}

#[tokio::test]
async fn p4_a_body_that_trickles_is_refused_and_one_that_keeps_the_pace_is_not() {
    let mut settings = impatient();
    settings.limits.body_grace = SHORT;
    settings.limits.body_min_rate = 100;
    let server = start(settings).await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n";
    let mut slow = server.connect().await;
    let mut steady = server.connect().await;
    slow.send(head).await;
    steady.send(head).await;
    let began = Instant::now();
    for _ in 0..10 {
        steady.send([b'a'; 10]).await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut slow.0, b"a").await;
        sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(steady.answer().await.unwrap().status, 200);
    let answer = slow.answer().await.unwrap();
    assert_eq!(answer.status, 408);
    assert!(answer.is_close());
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn p4_a_body_must_end_even_if_it_keeps_the_pace() {
    let mut settings = impatient();
    settings.limits.body = SHORT;
    settings.limits.body_min_rate = 1;
    let server = start(settings).await;
    let mut wire = server.connect().await;
    let began = Instant::now();
    wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    assert_eq!(wire.answer().await.unwrap().status, 408);
    assert!(is_about(began.elapsed(), SHORT));
}

#[tokio::test]
async fn p4_a_client_that_does_not_read_is_cut() {
    let mut settings = impatient();
    settings.limits.write_stall = SHORT;
    let server = start(settings).await;
    let mut wire = server.connect().await;
    wire.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("it is cut", || server.stats.timed_out() == 1).await;
    eventually("it is closed", || server.stats.connections() == 0).await;
    assert_eq!(
        server.echo.sent.load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn r5_a_handler_that_hangs_is_answered_for() {
    let mut settings = impatient();
    settings.limits.answer = SHORT;
    let server = start(settings).await;
    let mut wire = server.connect().await;
    wire.send("GET /slow?20000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert!(wire.is_alive().await);
}
