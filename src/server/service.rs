//! The steps of one request, as a tower service for each connection.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, Method, Version, header, request::Parts};
use http_body::Body;
use hyper::body::Incoming;

use crate::{observe::method_name, scim::Error};

use super::{
    Admission, Handler, Request, Response,
    activity::Activity,
    answer,
    body::{self, AnswerBody, HeldBody, Payload, Room},
    forwarded,
    head::{self, CheckedHead},
    line_pace::LinePace,
    registry::Registry,
    settings::{IpNet, Limits, ProxyHeaders},
    stats::{Counted, ServerStats},
};

/// What all connections of a listener share.
pub(super) struct Edge {
    pub handler: Arc<dyn Handler>,
    pub limits: Limits,
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_headers: ProxyHeaders,
    pub is_tls: bool,
    pub stats: Arc<ServerStats>,
    pub registry: Arc<Registry>,
    pub refusal_lines: LinePace,
    pub is_stopping: AtomicBool,
}

/// Answers the requests of one connection.
#[derive(Clone)]
pub(super) struct EdgeService(Arc<Connection>);

struct Connection {
    edge: Arc<Edge>,
    activity: Arc<Activity>,
    peer: SocketAddr,
}

/// An answer instead of the handler's, and the request's body if it is still coming.
struct Refusal {
    response: Response,
    unread: Option<Payload<Incoming>>,
    /// In words without values, for the log; absent where the status says it.
    reason: Option<String>,
}

impl Refusal {
    fn of(response: Response, body: Payload<Incoming>) -> Self {
        Self {
            response,
            unread: Some(body).filter(|body| !body.is_end_stream()),
            reason: None,
        }
    }
}

impl EdgeService {
    pub(super) fn new(edge: Arc<Edge>, activity: Arc<Activity>, peer: SocketAddr) -> Self {
        Self(Arc::new(Connection {
            edge,
            activity,
            peer,
        }))
    }
}

impl tower::Service<http::Request<Incoming>> for EdgeService {
    type Response = http::Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Incoming>) -> Self::Future {
        let connection = Arc::clone(&self.0);
        Box::pin(async move { Ok(connection.respond(request).await) })
    }
}

impl Connection {
    async fn respond(&self, request: http::Request<Incoming>) -> http::Response<AnswerBody> {
        let in_flight = self.activity.request_began();
        let is_head = *request.method() == Method::HEAD;
        let is_http1 = request.version() < Version::HTTP_2;
        let method = method_name(request.method());
        let mut must_close = false;
        let response = match self.exchange(request).await {
            Ok(response) => response,
            Err(refusal) => {
                self.edge
                    .stats
                    .refused_requests
                    .fetch_add(1, Ordering::Relaxed);
                // No exchange was begun, so that this is its only line.
                if let Some(left_out) = self.edge.refusal_lines.line(Instant::now()) {
                    tracing::info!(
                        method,
                        status = refusal.response.status.as_u16(),
                        reason = refusal.reason,
                        left_out = (left_out > 0).then_some(left_out),
                        "request refused at the edge"
                    );
                }
                if let Some(unread) = refusal.unread {
                    self.activity.linger();
                    must_close = true;
                    // HTTP/1 reads the rest when the connection is closed.
                    if !is_http1 {
                        tokio::spawn(body::discard(unread));
                    }
                }
                refusal.response
            }
        };
        must_close |= self.edge.is_stopping.load(Ordering::Relaxed);
        let (response, room) = self.with_room(response);
        answer::finish(response, is_head, must_close && is_http1, in_flight, room)
    }

    /// Holds an answer until it is taken, if there is room for it.
    fn with_room(&self, response: Response) -> (Response, Room) {
        let edge = &self.edge;
        let max_bytes = edge.limits.max_answers_in_flight_bytes;
        let room = || Room::for_answer(Arc::clone(&edge.stats), max_bytes);
        let mut taken = room();
        if taken.grow(response.body.len()).is_ok() {
            return (response, taken);
        }
        drop(taken);
        edge.registry.cut_stuck(STUCK);
        tracing::warn!("clients do not take their answers: one was given up");
        let error = answer::busy("The server holds too many answers.", 2);
        (answer::error(&error), room())
    }

    async fn exchange(&self, request: http::Request<Incoming>) -> Result<Response, Refusal> {
        let received = Instant::now();
        let (mut parts, body) = request.into_parts();
        self.activity.traffic().used(head::size(&parts));
        let mut body = Payload::new(body, Arc::clone(&self.activity));
        let head = match head::check(&parts, &self.edge.limits) {
            Ok(head) => head,
            Err(error) => {
                let refusal = Refusal::of(answer::error(&error), body);
                return Err(Refusal {
                    reason: Some(error.detail),
                    ..refusal
                });
            }
        };
        hide_credentials(&mut parts.headers);
        let origin = forwarded::origin(
            self.peer,
            &parts.headers,
            &self.edge.trusted_proxies,
            self.edge.proxy_headers,
        );
        let admission = match self.admit(&parts, origin.peer) {
            Ok(admission) => admission,
            Err(response) => return Err(Refusal::of(response, body)),
        };
        let max_bytes = admission.max_body_bytes;
        let held = match self.read_body(&mut body, &head, max_bytes).await {
            Ok(held) => held,
            Err(response) => return Err(Refusal::of(response, body)),
        };
        let scheme = origin
            .scheme
            .unwrap_or(if self.edge.is_tls { "https" } else { "http" });
        let host = origin.host.or(head.host);
        let request = Request {
            method: parts.method,
            path: head.path,
            query: head.query,
            headers: parts.headers,
            body: held.bytes,
            peer: origin.peer,
            scheme_host: host.map(|host| [scheme, "://", &host].concat()),
            received,
            admitted: admission.admitted,
        };
        Ok(self.answer(request, held.room).await)
    }

    #[expect(clippy::result_large_err, reason = "as in `Handler::admit`")]
    fn admit(&self, parts: &Parts, peer: SocketAddr) -> Result<Admission, Response> {
        let admission = catch_unwind(AssertUnwindSafe(|| self.edge.handler.admit(parts, peer)));
        admission.unwrap_or_else(|_| Err(self.edge.panicked()))
    }

    async fn read_body(
        &self,
        body: &mut Payload<Incoming>,
        head: &CheckedHead,
        max_bytes: usize,
    ) -> Result<HeldBody, Response> {
        let edge = &self.edge;
        let limits = &edge.limits;
        let max_bytes = max_bytes.min(limits.max_body_bytes);
        let room = Room::new(Arc::clone(&edge.stats), limits.max_bodies_in_flight_bytes);
        let read = body::read(body, head.content_length, max_bytes, limits, room).await;
        read.map_err(|fault| answer::body_fault(fault, max_bytes))
    }

    async fn answer(&self, request: Request, room: Room) -> Response {
        let is_safe = request.method.is_safe();
        let edge = Arc::clone(&self.edge);
        let work: Work = Box::pin(async move {
            let _room = room;
            let _unfinished = edge.registry.unfinished();
            let _counted = Counted::new(Arc::clone(&edge.stats), |stats| &stats.requests_in_flight);
            let handled = AssertUnwindSafe(async { edge.handler.handle(request).await });
            let outcome = handled.catch_unwind().await;
            outcome.unwrap_or_else(|_| edge.panicked())
        });
        let work = Finishing {
            work: Some(work),
            is_safe,
        };
        match tokio::time::timeout(self.edge.limits.answer, work).await {
            Ok(response) => response,
            Err(_) => {
                tracing::error!("a request was not answered in time");
                answer::error(&answer::busy("The request took too long.", 5))
            }
        }
    }
}

impl Edge {
    fn panicked(&self) -> Response {
        self.stats.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!("a request handler panicked");
        answer::error(&Error::new(500, "The server failed to answer the request."))
    }
}

/// An answer that has not moved for so long makes room for others when there is none.
const STUCK: Duration = Duration::from_secs(1);

/// Keeps credentials out of any text that is made of the headers.
fn hide_credentials(headers: &mut HeaderMap) {
    for (name, value) in headers {
        if CREDENTIALS.contains(name) {
            value.set_sensitive(true);
        }
    }
}

const CREDENTIALS: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
];

type Work = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler at work. If it is dropped before its end, because the client left or the time is up, a write goes on
/// without anyone waiting: stopping between two calls to the target would leave half a change.
struct Finishing {
    work: Option<Work>,
    is_safe: bool,
}

impl Future for Finishing {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        let Some(work) = self.work.as_mut() else {
            return Poll::Pending;
        };
        let outcome = work.as_mut().poll(cx);
        if outcome.is_ready() {
            self.work = None;
        }
        outcome
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if self.is_safe {
            return;
        }
        if let (Some(work), Ok(runtime)) = (self.work.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(work);
        }
    }
}
