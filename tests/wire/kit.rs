//! A trivial handler, a running server, and clients that send exactly the bytes they are told.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{StatusCode, request::Parts};
use scimgate::{
    scim::Error,
    server::{Admission, Drained, Handler, Request, Response, ServerSettings, ServerStats, bind},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// Longest wait for anything in these tests.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Says what it was asked.
#[derive(Default)]
pub struct Echo {
    /// Requests that came to their end in the handler.
    pub finished: AtomicUsize,
    /// Answers acknowledged as sent.
    pub sent: Arc<AtomicUsize>,
}

impl Handler for Echo {
    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let mut response = match request.path.as_str() {
                "/panic" => panic!("asked to"),
                "/slow" => {
                    let millis = request.query.as_deref().unwrap_or("0").parse().unwrap();
                    sleep(Duration::from_millis(millis)).await;
                    text("slow")
                }
                "/large" => text("x".repeat(8 * 1024 * 1024)),
                "/nothing" => Response::empty(StatusCode::NO_CONTENT),
                _ => text(format!(
                    "{} {} q={:?} from {} at {} with {} bytes",
                    request.method,
                    request.path,
                    request.query,
                    request.peer.ip(),
                    request.scheme_host.as_deref().unwrap_or("-"),
                    request.body.len(),
                )),
            };
            let sent = Arc::clone(&self.sent);
            response.on_sent = Some(Box::new(move || {
                sent.fetch_add(1, Ordering::SeqCst);
            }));
            self.finished.fetch_add(1, Ordering::SeqCst);
            response
        })
    }

    fn admit(&self, head: &Parts, _: SocketAddr) -> Result<Admission, Response> {
        match head.uri.path() {
            "/refuse" => Err(Response::error(&Error::new(401, "Who are you?"))),
            "/admit-panic" => panic!("asked to"),
            "/small" => Ok(Admission {
                max_body_bytes: 10,
                admitted: None,
            }),
            _ => Ok(Admission {
                max_body_bytes: usize::MAX,
                admitted: None,
            }),
        }
    }
}

fn text(text: impl Into<bytes::Bytes>) -> Response {
    Response::new(StatusCode::OK, "text/plain", text)
}

/// A server in this process.
pub struct Running {
    pub address: SocketAddr,
    pub echo: Arc<Echo>,
    pub stats: Arc<ServerStats>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Drained>,
}

/// Short deadlines, plain HTTP.
pub fn settings() -> ServerSettings {
    let mut settings = ServerSettings::new(([127, 0, 0, 1], 0).into(), None);
    settings.accept_lag = Duration::ZERO;
    settings.drain = Duration::from_secs(3);
    settings
}

pub async fn start(settings: ServerSettings) -> Running {
    let server = bind(settings).await.unwrap();
    let address = server.local_addrs()[0];
    let stats = server.stats();
    let echo = Arc::new(Echo::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let handler = Arc::clone(&echo);
    let ended =
        tokio::spawn(async move { server.run(handler, async { drop(stopped.await) }).await });
    Running {
        address,
        echo,
        stats,
        stop: Some(stop),
        ended,
    }
}

impl Running {
    pub async fn connect(&self) -> Wire<TcpStream> {
        Wire(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends bytes on a connection of their own and reads all answers until the server closes or is silent.
    pub async fn answers(&self, bytes: impl AsRef<[u8]>) -> Vec<Answer> {
        let mut wire = self.connect().await;
        wire.send(bytes).await;
        let mut answers = Vec::new();
        while let Ok(Some(answer)) = timeout(Duration::from_millis(500), wire.answer()).await {
            let is_last = answer.is_close();
            answers.push(answer);
            if is_last {
                break;
            }
        }
        answers
    }

    pub async fn status(&self, bytes: impl AsRef<[u8]>) -> u16 {
        let mut wire = self.connect().await;
        wire.send(bytes).await;
        wire.answer().await.expect("an answer").status
    }

    pub fn ask_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn ended(self) -> Drained {
        timeout(PATIENCE, self.ended).await.unwrap().unwrap()
    }
}

/// A connection on which bytes are sent as they are.
pub struct Wire<S>(pub S);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn is_close(&self) -> bool {
        self.header("connection") == Some("close")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The next answer with its body as announced; absent if the server closed before one.
    pub async fn answer(&mut self) -> Option<Answer> {
        self.answer_to(true).await
    }

    /// An answer to HEAD has a length but no body.
    pub async fn answer_to_head(&mut self) -> Option<Answer> {
        self.answer_to(false).await
    }

    async fn answer_to(&mut self, has_body: bool) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.0.read_u8())
                .await
                .expect("an answer in time");
            head.push(byte.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        if status == 100 {
            return Some(answer);
        }
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        if has_body {
            answer.body.resize(length, 0);
            timeout(PATIENCE, self.0.read_exact(&mut answer.body))
                .await
                .unwrap()
                .unwrap();
        }
        Some(answer)
    }

    /// Waits for the server to close; how long that took.
    pub async fn closed_after(&mut self) -> Duration {
        let began = Instant::now();
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest))
            .await
            .expect("the server closes in time");
        began.elapsed()
    }

    /// Whether the connection is still usable.
    pub async fn is_alive(&mut self) -> bool {
        self.0
            .write_all(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .is_ok()
            && self
                .answer()
                .await
                .is_some_and(|answer| answer.status == 200)
    }
}

/// Waits until something is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
