//! Heads and bodies that two readers could take for different requests: what follows them is never taken for one of ours.

use crate::kit::{Answer, settings, start};

/// Hidden behind or in the body of a request that goes before.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

/// What may become of a request with a body in dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Refused, and the connection closed.
    Refused,
    /// Refused or taken, which hyper decides before we see the head (RFC 9112 §6.1 allows both), and the connection closed.
    Last,
    /// Taken with a body of so many bytes; what is behind it is a request of its own.
    Taken(usize),
}

fn post(lines: &str, body: &str) -> String {
    let lines = lines.replace('|', "\r\n");
    format!("POST /outer HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}")
}

fn is_for(answer: &Answer, path: &str) -> bool {
    answer.status == 200 && answer.text().contains(path)
}

#[tokio::test]
async fn p1_smuggling() {
    use Fate::{Last, Refused, Taken};
    let server = start(settings()).await;
    let long = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(20_000));
    let cases = [
        // Two lengths.
        (
            "Content-Length: 0|Transfer-Encoding: chunked",
            "0\r\n\r\n",
            Last,
        ),
        (
            "Transfer-Encoding: chunked|Content-Length: 100",
            "0\r\n\r\n",
            Last,
        ),
        ("Content-Length: 3|Content-Length: 0", "abc", Refused),
        ("Content-Length: 3, 3", "abc", Refused),
        ("Content-Length: 0x3", "abc", Refused),
        ("Content-Length: 3 4", "abc", Refused),
        ("Content-Length: ", "abc", Refused),
        ("Content-Length: 00000000000000000000003", "abc", Taken(3)),
        ("Content-Length: 99999999999999999999999", "abc", Refused),
        ("Content-Length: 18446744073709551615", "", Refused),
        ("content-length: 3|CONTENT-LENGTH: 3", "abc", Taken(3)),
        // Codings that are nearly `chunked`.
        ("Transfer-Encoding: identity", "0\r\n\r\n", Refused),
        ("Transfer-Encoding: gzip, chunked", "0\r\n\r\n", Refused),
        ("Transfer-Encoding: chunked, chunked", "0\r\n\r\n", Refused),
        (
            "Transfer-Encoding: chunked|Transfer-Encoding: identity",
            "0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: identity|Transfer-Encoding: chunked",
            "0\r\n\r\n",
            Refused,
        ),
        ("Transfer-Encoding: \"chunked\"", "0\r\n\r\n", Refused),
        ("Transfer-Encoding:\u{b}chunked", "0\r\n\r\n", Refused),
        ("Transfer-Encoding: chunked;q=1", "0\r\n\r\n", Refused),
        ("Transfer-Encoding : chunked", "0\r\n\r\n", Refused),
        (" Transfer-Encoding: chunked", "0\r\n\r\n", Refused),
        ("X: 1| Transfer-Encoding: chunked", "0\r\n\r\n", Refused),
        ("Transfer_Encoding: chunked", "", Refused),
        ("Transfer-Encoding: Chunked", "0\r\n\r\n", Taken(0)),
        // Chunks that are nearly chunks.
        (
            "Transfer-Encoding: chunked",
            "3\r\nabc\r\n0\r\n\r\n",
            Taken(3),
        ),
        (
            "Transfer-Encoding: chunked",
            "0003\r\nabc\r\n000\r\n\r\n",
            Taken(3),
        ),
        (
            "Transfer-Encoding: chunked",
            "3;name=value\r\nabc\r\n0\r\n\r\n",
            Taken(3),
        ),
        (
            "Transfer-Encoding: chunked",
            "3\r\nabc\r\n0\r\nX: trailer\r\n\r\n",
            Taken(3),
        ),
        (
            "Transfer-Encoding: chunked",
            "3\r\nabcX\n0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "3\r\nabcd\r\n0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "0x3\r\nabc\r\n0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "+3\r\nabc\r\n0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "-3\r\nabc\r\n0\r\n\r\n",
            Refused,
        ),
        ("Transfer-Encoding: chunked", "3\nabc\n0\n\n", Refused),
        ("Transfer-Encoding: chunked", "3\rabc\r\n0\r\n\r\n", Refused),
        (
            "Transfer-Encoding: chunked",
            "3;a\nb\r\nabc\r\n0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "\r\n3\r\nabc\r\n0\r\n\r\n",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "ffffffffffffffff\r\nabc",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "fffffffffffffffff\r\nabc",
            Refused,
        ),
        (
            "Transfer-Encoding: chunked",
            "g\r\nabc\r\n0\r\n\r\n",
            Refused,
        ),
        ("Transfer-Encoding: chunked", long.as_str(), Refused),
        // Changes of protocol.
        (
            "Connection: Upgrade|Upgrade: h2c|HTTP2-Settings: AAMAAABk|Content-Length: 0",
            "",
            Refused,
        ),
        (
            "Connection: Upgrade|Upgrade: websocket|Content-Length: 3",
            "abc",
            Refused,
        ),
    ];
    for (lines, body, fate) in cases {
        let bytes = [post(lines, body), HIDDEN.to_owned()].concat();
        let answers = server.answers(bytes).await;
        let is_hidden_answered = answers.iter().any(|answer| is_for(answer, "/hidden"));
        let outer = answers.first();
        match fate {
            Refused => {
                let status = outer.map_or(400, |answer| answer.status);
                assert!(
                    matches!(status, 400 | 413 | 431 | 501),
                    "{lines} {body:?}: {answers:?}"
                );
                // A refused head without a body of its own leaves a clean connection.
                let is_clean = body.is_empty() && lines.contains("Content-Length: 0");
                let is_bare = !lines.contains("ength") && !lines.contains("Encoding");
                let may_go_on = is_clean || is_bare || lines.starts_with("Transfer_");
                assert!(
                    !is_hidden_answered || may_go_on,
                    "{lines} {body:?}: {answers:?}"
                );
            }
            Last => {
                let is_closed = answers.last().is_none_or(Answer::is_close);
                assert!(is_closed && !is_hidden_answered, "{lines}: {answers:?}");
            }
            Taken(length) => {
                let said = format!("with {length} bytes");
                let is_taken = outer.is_some_and(|answer| is_for(answer, &said));
                assert!(is_taken, "{lines} {body:?}: {answers:?}");
                assert_eq!(answers.len(), 2, "{lines} {body:?}: {answers:?}");
                assert!(is_hidden_answered, "{lines} {body:?}");
            }
        }
    }
}

#[tokio::test]
async fn p1_heads_with_odd_ends_hide_no_header() {
    let server = start(settings()).await;
    // What hyper does with bare line feeds is known and harmless here, since no bytes are passed on: one request or none.
    for (bytes, most) in [
        ("GET /a HTTP/1.1\nHost: a\n\n", 1),
        (
            "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\rContent-Length: 5\r\n\r\n",
            0,
        ),
        ("GET /a HTTP/1.1\rHost: a\r\n\r\n", 0),
        ("\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        ("GET /a HTTP/1.1 \r\nHost: a\r\n\r\n", 0),
        ("GET /a HTTP/1.1\r\n Host: a\r\n\r\n", 0),
        ("GET /a HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", 0),
        ("GET /a HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 0),
        ("GET /a HTTP/1.1\r\nHost: a\r\nX\u{0}: 1\r\n\r\n", 0),
        ("GET /a HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", 0),
        ("GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n", 0),
        ("GET /a\u{b}b HTTP/1.1\r\nHost: a\r\n\r\n", 0),
        ("GET /a HTTP/1.1\r\nHost: a\r\n\r\n\u{16}\u{3}\u{1}", 1),
        ("GET /a HTTP/0.9\r\n\r\n", 0),
        ("GET /a\r\n\r\n", 0),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
    ] {
        let answers = server.answers(bytes).await;
        let served = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(served <= most, "{bytes:?}: {answers:?}");
        assert!(
            answers.iter().all(|answer| answer.status < 500),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn p10_hop_by_hop_headers_change_nothing() {
    let server = start(settings()).await;
    let plain = server.answers("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await;
    for lines in [
        "Connection: close, Authorization, Host, X-Forwarded-For",
        "Connection: keep-alive, Content-Length",
        "Keep-Alive: timeout=9999999999999",
        "Proxy-Connection: keep-alive",
        "TE: trailers, deflate",
        "Trailer: Authorization, Host",
        "Forwarded: for=203.0.113.9;host=evil.example;proto=https",
        "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https",
        "X-Original-URL: /admin\r\nX-Rewrite-URL: /admin",
        "X-HTTP-Method-Override: DELETE",
    ] {
        let bytes = format!("GET /a HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        let answers = server.answers(bytes).await;
        assert_eq!(answers[0].status, 200, "{lines}");
        assert_eq!(answers[0].text(), plain[0].text(), "{lines}");
    }
    let under = "GET /a HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 203.0.113.9\r\n\r\n";
    assert_eq!(server.status(under).await, 400);
}
