//! HTTP/2 that is no use of HTTP/2: each flood ends its own connection, and nobody else notices.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, split},
    time::{Instant, timeout},
};

use crate::{
    kit::{PATIENCE, Running, Wire, eventually, start},
    tls::{Secure, client, connect, frame, http2_client, request, secure, text},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0x77;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// Most that one flood may send before it is over. Only one that is never ended comes so far.
const MOST_BYTES: usize = 64 * 1024 * 1024;

fn a_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The preface and a SETTINGS frame with the given parameters.
fn hello(parameters: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in parameters {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(a_frame(SETTINGS, 0, 0, &payload));
    bytes
}

/// Header block: a method of the static table, https, a path, the authority `a`.
fn head(is_post: bool, path: &str) -> Vec<u8> {
    let mut block = vec![0x82 + u8::from(is_post), 0x87, 0x44];
    block.push(u8::try_from(path.len()).unwrap());
    block.extend(path.bytes());
    block.extend([0x41, 1, b'a']);
    block
}

fn get(stream: u32, path: &str) -> Vec<u8> {
    a_frame(
        HEADERS,
        END_STREAM | END_HEADERS,
        stream,
        &head(false, path),
    )
}

fn post(stream: u32, path: &str) -> Vec<u8> {
    a_frame(HEADERS, END_HEADERS, stream, &head(true, path))
}

/// What a flood sends first, and then its n-th part for ever; each part is of its own stream if it opens one.
struct Flood {
    name: &'static str,
    first: Vec<u8>,
    part: fn(u32) -> Vec<u8>,
}

fn flood(name: &'static str, first: Vec<u8>, part: fn(u32) -> Vec<u8>) -> Flood {
    Flood { name, first, part }
}

fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// Literal field with a new name, so many bytes long, that goes into the dynamic table.
fn big_field() -> Vec<u8> {
    let mut block = vec![0x40, 1, b'x', 0x7f, 0x81, 0x1d];
    block.extend([b'z'; 3840]);
    block
}

fn floods() -> Vec<Flood> {
    vec![
        flood("rapid reset", vec![], |n| {
            let cancel = a_frame(RST_STREAM, 0, stream(n), &8_u32.to_be_bytes());
            [get(stream(n), "/echo"), cancel].concat()
        }),
        flood(
            "CONTINUATION",
            a_frame(HEADERS, END_STREAM, 1, &head(false, "/")),
            |_| a_frame(CONTINUATION, 0, 1, &[0, 1, b'x', 1, b'y'].repeat(100)),
        ),
        flood(
            "empty CONTINUATION",
            a_frame(HEADERS, END_STREAM, 1, &head(false, "/")),
            |_| a_frame(CONTINUATION, 0, 1, &[]).repeat(100),
        ),
        flood("empty DATA", post(1, "/echo"), |_| {
            a_frame(DATA, 0, 1, &[]).repeat(100)
        }),
        flood("padding", post(1, "/echo"), |_| {
            let mut padded = vec![255];
            padded.extend([0; 255]);
            a_frame(DATA, PADDED, 1, &padded).repeat(10)
        }),
        flood("SETTINGS", vec![], |_| {
            a_frame(SETTINGS, 0, 0, &[]).repeat(100)
        }),
        flood("PING", vec![], |_| {
            a_frame(PING, 0, 0, b"12345678").repeat(100)
        }),
        flood("PRIORITY", vec![], |_| {
            a_frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 16]).repeat(100)
        }),
        flood("window updates that reset", vec![], |n| {
            let overflow = a_frame(WINDOW_UPDATE, 0, stream(n), &0x7fff_ffff_u32.to_be_bytes());
            [post(stream(n), "/slow?100"), overflow].concat()
        }),
        flood("priorities that reset", vec![], |n| {
            let mut itself = stream(n).to_be_bytes().to_vec();
            itself.push(16);
            let circle = a_frame(PRIORITY, 0, stream(n), &itself);
            [post(stream(n), "/slow?100"), circle].concat()
        }),
        flood("DATA after the end", vec![], |n| {
            [
                get(stream(n), "/slow?100"),
                a_frame(DATA, 0, stream(n), b"more"),
            ]
            .concat()
        }),
        flood("frames of no known type", vec![], |_| {
            a_frame(UNKNOWN, 0, 0, &[0; 1000])
        }),
        flood(
            "a small block that becomes a large head",
            a_frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                1,
                &[head(false, "/"), big_field()].concat(),
            ),
            |n| {
                let block = [head(false, "/"), vec![0xbe; 16_000]].concat();
                a_frame(HEADERS, END_STREAM | END_HEADERS, stream(n + 1), &block)
            },
        ),
    ]
}

/// Sends a flood until the server ends the connection; how many bytes that took, absent if it never did.
async fn is_ended_after(server: &Running, secure: &Secure, flood: &Flood) -> Option<usize> {
    let tls = connect(server, &client(&secure.ca, &[b"h2"]))
        .await
        .unwrap();
    let (mut reading, mut writing) = split(tls);
    // An attacker that does not read would soon wait for itself.
    let reader = tokio::spawn(async move {
        let mut scratch = vec![0; 64 * 1024];
        while matches!(reading.read(&mut scratch).await, Ok(1..)) {}
    });
    let mut sent = 0;
    let mut bytes = [hello(&[]), flood.first.clone()].concat();
    for n in 0.. {
        if sent > MOST_BYTES {
            reader.abort();
            return None;
        }
        if writing.write_all(&bytes).await.is_err() || reader.is_finished() {
            break;
        }
        sent += bytes.len();
        bytes = (flood.part)(n);
    }
    reader.await.unwrap();
    Some(sent)
}

#[tokio::test]
async fn p3_h2_floods() {
    let secure = secure();
    let server = start(secure.settings.clone()).await;
    let mut polite = http2_client(&server, &client(&secure.ca, &[b"h2"])).await;
    for flood in floods() {
        let ended = timeout(PATIENCE * 4, is_ended_after(&server, &secure, &flood)).await;
        let sent = ended.unwrap_or(None);
        assert!(sent.is_some(), "{} goes on", flood.name);
        let response = polite.send_request(request("GET", "/echo", "")).await;
        assert_eq!(response.unwrap().status(), 200, "{}", flood.name);
        eventually("the attacker is gone", || server.stats.connections() == 1).await;
        eventually("nothing is held", || {
            server.stats.body_bytes() == 0 && server.stats.requests_in_flight() == 0
        })
        .await;
    }
    assert!(server.stats.flooded() >= 4, "{}", server.stats.flooded());
}

#[tokio::test]
async fn p3_many_small_frames_of_a_real_client_are_no_flood() {
    let mut secure = secure();
    secure.settings.limits.body_min_rate = 0;
    let server = start(secure.settings.clone()).await;
    let tls = connect(&server, &client(&secure.ca, &[b"h2"]))
        .await
        .unwrap();
    let mut wire = Wire(tls);
    wire.send(hello(&[])).await;
    for n in 0..20 {
        // 60 000 bytes, which is within the first window, in frames of 100.
        let piece = a_frame(DATA, 0, stream(n), &[b'a'; 100]).repeat(600);
        let end = a_frame(DATA, END_STREAM, stream(n), &[]);
        let all = [post(stream(n), "/echo"), piece, end].concat();
        wire.send(all).await;
        loop {
            let (kind, flags, _) = timeout(PATIENCE, frame(&mut wire)).await.unwrap();
            assert_ne!(kind, RST_STREAM);
            if kind == DATA && flags & END_STREAM != 0 {
                break;
            }
        }
    }
    assert_eq!(server.stats.flooded(), 0);
}

#[tokio::test]
async fn p3_an_answer_that_is_not_taken_ends_its_connection() {
    let mut secure = secure();
    secure.settings.limits.write_stall = Duration::from_millis(400);
    let server = start(secure.settings.clone()).await;
    let client = client(&secure.ca, &[b"h2"]);
    // A window of nothing, and of less than one piece of a large answer.
    for (window, path) in [(0, "/echo"), (0, "/large"), (100_000, "/large")] {
        let mut wire = Wire(connect(&server, &client).await.unwrap());
        let mut bytes = hello(&[(4, window)]);
        for n in 0..50 {
            bytes.extend(get(stream(n), path));
        }
        let began = Instant::now();
        wire.send(bytes).await;
        wire.closed_after().await;
        assert!(began.elapsed() >= Duration::from_millis(350), "{path}");
        eventually("it is gone", || server.stats.connections() == 0).await;
        eventually("nothing is held", || server.stats.answer_bytes() == 0).await;
    }
    assert_eq!(server.stats.timed_out(), 3);
    // Whoever takes it slowly but steadily gets it.
    let mut polite = http2_client(&server, &client).await;
    let response = polite.send_request(request("GET", "/large", "")).await;
    assert_eq!(text(response.unwrap()).await.len(), 8 * 1024 * 1024);
}

#[tokio::test]
async fn p5_answers_that_are_not_taken_have_a_common_budget() {
    let mut secure = secure();
    secure.settings.limits.max_answers_in_flight_bytes = 20 * 1024 * 1024;
    let server = start(secure.settings.clone()).await;
    let client = client(&secure.ca, &[b"h2"]);
    let mut hoarder = Wire(connect(&server, &client).await.unwrap());
    let mut bytes = hello(&[(4, 0)]);
    for n in 0..50 {
        bytes.extend(get(stream(n), "/large"));
    }
    hoarder.send(bytes).await;
    eventually("as much is held as may be", || {
        server.stats.answer_bytes() >= 16 * 1024 * 1024
    })
    .await;
    assert!(server.stats.answer_bytes() <= 21 * 1024 * 1024);
    // For somebody else there is room again as soon as the hoarder is plainly one.
    let mut polite = http2_client(&server, &client).await;
    let began = Instant::now();
    loop {
        let response = polite.send_request(request("GET", "/large", "")).await;
        let response = response.unwrap();
        let status = response.status();
        text(response).await;
        if status == 200 {
            break;
        }
        assert_eq!(status, 503);
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(hoarder.closed_after().await < PATIENCE);
}
