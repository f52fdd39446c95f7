//! The HTTP edge of the application: accepts, reads bodies within a limit, answers, and knows when to end.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::api::{Answer, Application, Received};
use super::{ApplicationError, ApplicationSettings, Lifetime};

/// Runs the application until its [`Lifetime`] is over. Prints `ADDRESS=http://…` on standard output once it listens.
///
/// # Errors
///
/// The address is not a loopback address or cannot be had, or standard output is closed.
pub async fn run(settings: ApplicationSettings) -> Result<(), ApplicationError> {
    let listener = listen(&settings).await?;
    let address = listener.local_addr().map_err(ApplicationError::Print)?;
    let edge = Arc::new(Edge::new(&settings));
    let mut output = std::io::stdout();
    writeln!(output, "ADDRESS=http://{address}").map_err(ApplicationError::Print)?;
    output.flush().map_err(ApplicationError::Print)?;
    tokio::select! {
        () = accept(listener, edge.clone()) => {}
        () = end(settings.lifetime, &edge) => {}
    }
    Ok(())
}

pub(super) async fn listen(
    settings: &ApplicationSettings,
) -> Result<TcpListener, ApplicationError> {
    let address = settings.address;
    if !address.ip().is_loopback() {
        return Err(ApplicationError::NotLoopback(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|source| ApplicationError::Listen { address, source })
}

/// What connections share.
pub(super) struct Edge {
    application: Mutex<Application>,
    started: Instant,
    /// Milliseconds from `started` to the last request.
    last_request_ms: AtomicU64,
}

impl Edge {
    pub fn new(settings: &ApplicationSettings) -> Self {
        Self {
            application: Mutex::new(Application::new(
                settings.users,
                &settings.api_key,
                Timestamp::now(),
            )),
            started: Instant::now(),
            last_request_ms: AtomicU64::new(0),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn idle(&self) -> Duration {
        let last = self.last_request_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.now_ms().saturating_sub(last))
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.last_request_ms.store(self.now_ms(), Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let body = match collect(body).await {
            Ok(body) => body,
            Err(answer) => return response(answer),
        };
        let received = Received {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query(),
            api_key: head.headers.get("x-api-key").map(|value| value.as_bytes()),
            body: &body,
            now: Timestamp::now(),
        };
        // The answer is made under the lock, turned into bytes after it.
        let answer = self
            .application
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .answer(&received);
        response(answer)
    }
}

/// The whole body, or what is answered instead.
async fn collect(body: Incoming) -> Result<Bytes, Answer> {
    let is_announced_too_large = body.size_hint().lower() > LARGEST_BODY as u64;
    if is_announced_too_large {
        return Err(Answer::refused(413, "the body is too large"));
    }
    let body = Limited::new(body, LARGEST_BODY).collect();
    match tokio::time::timeout(LONGEST_BODY, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Answer::refused(413, "the body is too large or was cut off")),
        Err(_) => Err(Answer::refused(408, "the body took too long")),
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let body = answer.body.map(|body| body.to_string()).unwrap_or_default();
    let mut response = Response::builder().status(answer.status);
    if !body.is_empty() {
        response = response.header("Content-Type", "application/json");
    }
    if let Some(allow) = answer.allow {
        response = response.header("Allow", allow);
    }
    response
        .body(Full::new(Bytes::from(body)))
        .unwrap_or_default()
}

pub(super) async fn accept(listener: TcpListener, edge: Arc<Edge>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, edge.clone()))),
            // Out of file descriptors, usually: there will be some when connections end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, edge: Arc<Edge>) {
    // Without it, small answers wait for an acknowledgement; with an error the connection is gone anyway.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let edge = edge.clone();
        async move { Ok::<_, Infallible>(edge.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_IDLE)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    // A client that hangs up is no news to anybody.
    drop(connection.await);
}

/// Waits until the application should end.
async fn end(lifetime: Lifetime, edge: &Edge) {
    let Lifetime::WithParent { linger } = lifetime else {
        return std::future::pending().await;
    };
    input_ended().await;
    while let Some(remaining) = linger
        .checked_sub(edge.idle())
        .filter(|left| !left.is_zero())
    {
        tokio::time::sleep(remaining).await;
    }
}

/// Waits until standard input is at its end. A thread of its own reads, because a blocked read of the runtime
/// would keep the process from ending.
async fn input_ended() {
    let (ended, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut ignored = [0; 256];
        while matches!(input.read(&mut ignored), Ok(length) if length > 0) {}
        ended.send(()).ok();
    });
    drop(wait.await);
}

const LARGEST_BODY: usize = 4 * 1024 * 1024;
const LONGEST_BODY: Duration = Duration::from_secs(30);
const LONGEST_IDLE: Duration = Duration::from_secs(75);
