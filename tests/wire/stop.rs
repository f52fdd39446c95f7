//! Stopping without losing a request.

use std::{sync::atomic::Ordering, time::Duration};

use scimgate::server::Drained;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::kit::{Wire, eventually, settings, start};

const CLEAN: Drained = Drained {
    cut_connections: 0,
    unfinished_requests: 0,
};

#[tokio::test]
async fn requests_in_flight_finish_and_idle_connections_close() {
    let mut server = start(settings()).await;
    let mut idle = server.connect().await;
    assert!(idle.is_alive().await);
    let mut busy = server.connect().await;
    busy.send("GET /slow?1000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    eventually("it is busy", || server.stats.requests_in_flight() == 1).await;
    server.ask_to_stop();
    let took = idle.closed_after().await;
    assert!(took < Duration::from_millis(800), "{took:?}");
    let answer = busy.answer().await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.is_close());
    let address = server.address;
    assert_eq!(server.ended().await, CLEAN);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn for_a_while_new_connections_are_served_and_old_ones_are_told() {
    let mut settings = settings();
    settings.accept_lag = Duration::from_millis(300);
    let mut server = start(settings).await;
    let mut old = server.connect().await;
    assert!(old.is_alive().await);
    let began = Instant::now();
    server.ask_to_stop();
    sleep(Duration::from_millis(50)).await;
    let mut new = server.connect().await;
    for wire in [&mut new, &mut old] {
        wire.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status, answer.is_close()), (200, true));
    }
    assert_eq!(server.ended().await, CLEAN);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_and_counted() {
    let mut settings = settings();
    settings.drain = Duration::from_millis(200);
    let mut server = start(settings).await;
    let mut busy = server.connect().await;
    busy.send("GET /slow?20000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    eventually("it is busy", || server.stats.requests_in_flight() == 1).await;
    server.ask_to_stop();
    let expected = Drained {
        cut_connections: 1,
        unfinished_requests: 1,
    };
    assert_eq!(server.ended().await, expected);
    assert!(busy.closed_after().await < Duration::from_secs(1));
}

#[tokio::test]
async fn a_write_whose_client_has_left_is_waited_for() {
    let mut server = start(settings()).await;
    let mut wire: Wire<TcpStream> = server.connect().await;
    wire.send("POST /slow?300 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    eventually("it is busy", || server.stats.requests_in_flight() == 1).await;
    drop(wire);
    eventually("the client is gone", || server.stats.connections() == 0).await;
    server.ask_to_stop();
    let echo = std::sync::Arc::clone(&server.echo);
    assert_eq!(server.ended().await, CLEAN);
    assert_eq!(echo.finished.load(Ordering::SeqCst), 1);
}
