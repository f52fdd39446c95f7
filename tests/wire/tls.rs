//! TLS, HTTP/2 and certificates.

use std::{fs, path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use scimgate::server::{Drained, ServerSettings, TlsSettings, dev_certificate};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::kit::{PATIENCE, Running, Wire, eventually, settings, start};

pub fn client(ca: &Path, alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

pub async fn connect(
    server: &Running,
    client: &TlsConnector,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    client.connect(name, tcp).await
}

pub struct Secure {
    pub directory: tempfile::TempDir,
    pub ca: std::path::PathBuf,
    pub settings: ServerSettings,
}

pub fn secure() -> Secure {
    let directory = tempfile::tempdir().unwrap();
    let made = dev_certificate::ensure(directory.path()).unwrap();
    let mut settings = settings();
    settings.tls = Some(made.tls);
    Secure {
        directory,
        ca: made.ca,
        settings,
    }
}

pub type Sender = http2::SendRequest<Full<bytes::Bytes>>;

pub async fn http2_client(server: &Running, client: &TlsConnector) -> Sender {
    let stream = connect(server, client).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub fn request(method: &str, path: &str, body: &'static str) -> http::Request<Full<bytes::Bytes>> {
    http::Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .body(Full::from(body))
        .unwrap()
}

pub async fn text(response: http::Response<hyper::body::Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn alpn_decides_the_protocol() {
    let secure = secure();
    let server = start(secure.settings).await;
    for alpn in [&[b"http/1.1".as_slice()][..], &[]] {
        let stream = connect(&server, &client(&secure.ca, alpn)).await.unwrap();
        let mut wire = Wire(stream);
        wire.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            .await;
        let answer = wire.answer().await.unwrap();
        assert!(
            answer.text().contains("at https://localhost with 3 bytes"),
            "{}",
            answer.text()
        );
    }
    let both = client(&secure.ca, &[b"h2", b"http/1.1"]);
    let mut sender = http2_client(&server, &both).await;
    let response = sender
        .send_request(request("POST", "/echo?a=b", "abc"))
        .await
        .unwrap();
    let text = text(response).await;
    assert!(text.starts_with("POST /echo q=Some(\"a=b\")"), "{text}");
    assert!(text.contains("at https://localhost with 3 bytes"), "{text}");
    let strange = client(&secure.ca, &[b"spdy/3"]);
    assert!(connect(&server, &strange).await.is_err());
}

#[tokio::test]
async fn p2_http2_obeys_the_same_rules() {
    let mut secure = secure();
    secure.settings.limits.max_body_bytes = 3;
    let server = start(secure.settings).await;
    let mut sender = http2_client(&server, &client(&secure.ca, &[b"h2"])).await;
    for (method, path, body, expected) in [
        ("GET", "/echo", "", 200),
        ("POST", "/echo", "abc", 200),
        ("POST", "/echo", "abcd", 413),
        ("GET", "/a/%2e%2e/b", "", 400),
        ("TRACE", "/", "", 400),
        ("GET", "/panic", "", 500),
        ("GET", "/refuse", "", 401),
        ("GET", "/nothing", "", 204),
        ("HEAD", "/echo", "", 200),
    ] {
        let response = sender
            .send_request(request(method, path, body))
            .await
            .unwrap();
        assert_eq!(response.status(), expected, "{method} {path}");
        if method == "HEAD" {
            assert!(response.headers().contains_key("content-length"));
        }
    }
    let mut other_host = request("GET", "/echo", "");
    other_host
        .headers_mut()
        .insert("host", "other.example".parse().unwrap());
    assert_eq!(sender.send_request(other_host).await.unwrap().status(), 400);
    let mut named = request("GET", "/echo", "");
    for n in 0..65 {
        let name = http::HeaderName::try_from(format!("x-{n}")).unwrap();
        named.headers_mut().insert(name, "1".parse().unwrap());
    }
    assert_eq!(sender.send_request(named).await.unwrap().status(), 431);
    let answered = server.echo.sent.load(std::sync::atomic::Ordering::SeqCst);
    assert!(answered >= 4, "{answered}");
}

#[tokio::test]
async fn http2_requests_in_flight_survive_the_stop() {
    let mut secure = secure();
    secure.settings.accept_lag = Duration::from_millis(100);
    let mut server = start(secure.settings).await;
    let client = client(&secure.ca, &[b"h2"]);
    let mut sender = http2_client(&server, &client).await;
    let slow: Vec<_> = (0..10)
        .map(|_| tokio::spawn(sender.send_request(request("GET", "/slow?400", ""))))
        .collect();
    eventually("all are in flight", || {
        server.stats.requests_in_flight() == 10
    })
    .await;
    server.ask_to_stop();
    for response in slow {
        assert_eq!(text(response.await.unwrap().unwrap()).await, "slow");
    }
    // The connection was told to go and takes no more.
    assert!(
        sender
            .send_request(request("GET", "/echo", ""))
            .await
            .is_err()
    );
    let clean = Drained {
        cut_connections: 0,
        unfinished_requests: 0,
    };
    assert_eq!(server.ended().await, clean);
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed_although_it_answers_pings() {
    let mut secure = secure();
    secure.settings.limits.idle = Duration::from_millis(200);
    secure.settings.limits.http2.ping_interval = Duration::from_millis(50);
    let server = start(secure.settings).await;
    let mut sender = http2_client(&server, &client(&secure.ca, &[b"h2"])).await;
    sender
        .send_request(request("GET", "/echo", ""))
        .await
        .unwrap();
    eventually("it is closed", || server.stats.connections() == 0).await;
    assert_eq!(server.stats.timed_out(), 0);
}

#[tokio::test]
async fn p4_silence_before_during_and_after_the_handshake_is_cut() {
    let mut secure = secure();
    secure.settings.limits.tls_handshake = Duration::from_millis(200);
    secure.settings.limits.first_byte = Duration::from_millis(200);
    let server = start(secure.settings).await;
    let mut silent = server.connect().await;
    let mut half = server.connect().await;
    // The beginning of a ClientHello record that announces 512 bytes.
    half.send([0x16, 3, 1, 2, 0, 1, 0, 1]).await;
    let mut plain = server.connect().await;
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let stream = connect(&server, &client(&secure.ca, &[b"h2"]))
        .await
        .unwrap();
    let mut shaken = Wire(stream);
    for wire in [&mut silent, &mut half, &mut plain] {
        assert!(wire.closed_after().await < Duration::from_secs(1));
    }
    assert!(shaken.closed_after().await < Duration::from_secs(1));
    eventually("all are closed", || server.stats.connections() == 0).await;
    assert_eq!(server.stats.failed_handshakes(), 3);
}

fn write_pair(tls: &TlsSettings, ca: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let replace = |path: &Path, text: String| {
        let draft = path.with_extension("draft");
        fs::write(&draft, text).unwrap();
        fs::rename(&draft, path).unwrap();
    };
    replace(&tls.certificate, certificate.pem());
    replace(&tls.key, key.serialize_pem());
    replace(ca, certificate.pem());
}

#[tokio::test]
async fn r15_a_new_certificate_is_served_without_a_failed_handshake() {
    let secure = secure();
    let tls = secure.settings.tls.clone().unwrap();
    let old_ca = secure.directory.path().join("old-ca.pem");
    fs::copy(&secure.ca, &old_ca).unwrap();
    let server = start(secure.settings).await;
    let old = client(&old_ca, &[b"http/1.1"]);
    let mut kept = Wire(connect(&server, &old).await.unwrap());

    // Half a rotation changes nothing: the key does not match yet.
    fs::write(&tls.certificate, "half a file").unwrap();
    sleep(Duration::from_millis(2300)).await;
    assert!(connect(&server, &old).await.is_ok());

    write_pair(&tls, &secure.ca);
    let new = client(&secure.ca, &[b"http/1.1"]);
    let began = tokio::time::Instant::now();
    loop {
        // One of the two certificates is served at any time.
        if connect(&server, &new).await.is_ok() {
            break;
        }
        assert!(connect(&server, &old).await.is_ok() || connect(&server, &new).await.is_ok());
        assert!(began.elapsed() < PATIENCE);
        sleep(Duration::from_millis(50)).await;
    }
    assert!(connect(&server, &old).await.is_err());
    assert!(kept.is_alive().await);
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let secure = secure();
    let server = start(secure.settings).await;
    let client = client(&secure.ca, &[b"http/1.1"]);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let mut wire = Wire(connect(&server, &client).await.unwrap());
        assert!(wire.is_alive().await);
        kinds.push(wire.0.get_ref().1.handshake_kind());
    }
    assert_eq!(
        kinds,
        [
            Some(rustls::HandshakeKind::Full),
            Some(rustls::HandshakeKind::Resumed)
        ]
    );
}

/// Type, flags and payload of the next HTTP/2 frame.
pub async fn frame(wire: &mut Wire<TlsStream<TcpStream>>) -> (u8, u8, Vec<u8>) {
    let mut head = [0; 9];
    wire.0.read_exact(&mut head).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    wire.0.read_exact(&mut payload).await.unwrap();
    (head[3], head[4], payload)
}

#[tokio::test]
async fn a_refusal_over_http2_is_no_reset_for_a_client_that_goes_on_sending() {
    const DATA: u8 = 0;
    const RST_STREAM: u8 = 3;
    const PING: u8 = 6;
    const END_STREAM: u8 = 1;
    let mut secure = secure();
    secure.settings.limits.max_body_bytes = 10;
    let server = start(secure.settings).await;
    let client = client(&secure.ca, &[b"h2"]);
    for path in ["/refuse", "/a/../b", "/echo"] {
        let mut wire = Wire(connect(&server, &client).await.unwrap());
        // The preface, SETTINGS, and HEADERS of a POST whose body is still to come.
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        let mut block = vec![0x83, 0x87, 0x44, path.len() as u8];
        block.extend(path.bytes());
        block.extend([0x41, 0x01, b'a']);
        bytes.extend([0, 0, block.len() as u8, 1, 4, 0, 0, 0, 1]);
        bytes.extend(&block);
        bytes.extend([0, 0, 20, DATA, 0, 0, 0, 0, 1]);
        bytes.extend([b'a'; 20]);
        wire.send(bytes).await;
        let mut is_answered = false;
        while !is_answered {
            let (kind, flags, _) = timeout(PATIENCE, frame(&mut wire)).await.unwrap();
            assert_ne!(kind, RST_STREAM, "{path}");
            is_answered = kind == DATA && flags & END_STREAM != 0;
        }
        // The rest of the body, and a PING that is answered after whatever comes of it.
        let mut rest = vec![0, 0, 1, DATA, END_STREAM, 0, 0, 0, 1, b'a'];
        rest.extend([0, 0, 8, PING, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        wire.send(rest).await;
        loop {
            let (kind, _, _) = timeout(PATIENCE, frame(&mut wire)).await.unwrap();
            assert_ne!(kind, RST_STREAM, "{path}");
            if kind == PING {
                break;
            }
        }
    }
}

#[tokio::test]
async fn http2_over_a_plain_connection_is_not_understood() {
    let server = start(settings()).await;
    let mut wire = server.connect().await;
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let answer = wire.answer().await;
    assert!(answer.is_none_or(|answer| answer.status == 400));
}

/// The records of a ClientHello, its payload cut into pieces of so many bytes.
fn client_hello(name: ServerName<'static>, piece: usize) -> Vec<u8> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    let mut records = Vec::new();
    for part in hello[5..].chunks(piece) {
        records.extend([22, 3, 1]);
        records.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        records.extend(part);
    }
    records
}

#[tokio::test]
async fn p12_tls() {
    const HANDSHAKE: u8 = 22;
    let mut secure = secure();
    secure.settings.limits.tls_handshake = Duration::from_millis(500);
    let server = start(secure.settings).await;
    let named = || ServerName::try_from("localhost").unwrap();
    let stranger = ServerName::try_from("somebody.else.example").unwrap();
    let address = ServerName::try_from("127.0.0.1").unwrap();
    // An unknown name or none is shown the one certificate there is.
    for (hello, is_answered) in [
        (client_hello(named(), 16_000), true),
        (client_hello(named(), 1), true),
        (client_hello(stranger, 100), true),
        (client_hello(address, 7), true),
        (client_hello(named(), 1)[..300].to_vec(), false),
        // A handshake message of 16 MiB that begins, a record of nothing again and again, an alert, SSL 2, HTTP.
        (
            [&[22, 3, 1, 64, 0, 1, 255, 255, 255][..], &[0; 16_380]].concat(),
            false,
        ),
        ([22, 3, 1, 0, 0].repeat(1000), false),
        (vec![21, 3, 1, 0, 2, 2, 40], false),
        (vec![128, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16], false),
        (vec![255; 70_000], false),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), false),
    ] {
        let mut wire = server.connect().await;
        // The server may be done with it before the last byte.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut wire.0, &hello).await;
        let mut first = [0; 1];
        let read = timeout(PATIENCE, wire.0.read(&mut first)).await.unwrap();
        let shown = &hello[..hello.len().min(12)];
        let is_hello = matches!(read, Ok(1)) && first[0] == HANDSHAKE;
        assert_eq!(is_hello, is_answered, "{shown:?}");
    }
    eventually("all are closed", || server.stats.connections() == 0).await;
    assert_eq!(server.stats.panics(), 0);
    let polite = connect(&server, &client(&secure.ca, &[b"http/1.1"])).await;
    assert!(Wire(polite.unwrap()).is_alive().await);
}

#[tokio::test]
async fn p12_versions_before_1_2_are_refused() {
    let secure = secure();
    let server = start(secure.settings).await;
    let mut hello = client_hello(ServerName::try_from("localhost").unwrap(), 16_000);
    // TLS 1.1 in the hello, and no extension that offers more.
    let session = 5 + 4 + 2 + 32;
    let suites = session + 1 + usize::from(hello[session]);
    let list = usize::from(u16::from_be_bytes([hello[suites], hello[suites + 1]]));
    hello.truncate(suites + 2 + list + 2);
    hello[10] = 2;
    let length = u16::try_from(hello.len() - 5).unwrap();
    hello[3..5].copy_from_slice(&length.to_be_bytes());
    hello[7..9].copy_from_slice(&(length - 4).to_be_bytes());
    let mut wire = server.connect().await;
    wire.send(&hello).await;
    let mut alert = [0; 7];
    timeout(PATIENCE, wire.0.read_exact(&mut alert))
        .await
        .unwrap()
        .unwrap();
    // A fatal alert.
    assert_eq!(alert[..6], [21, 3, alert[2], 0, 2, 2]);
}
