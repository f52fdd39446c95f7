//! The HTTP edge toward the client.
//!
//! In: bytes on a socket. Out: whole, checked requests for a [`Handler`], and its answers as bytes.
//! Knows nothing of tenants, resources or targets.
//!
//! ```text
//! accept ── registry ── connection ── service ── head, forwarded, body ── Handler
//!             limits      deadlines     a request's steps
//!           tls, dev_certificate
//! ```

mod accept;
mod activity;
mod answer;
mod body;
mod certificate;
mod connection;
pub mod dev_certificate;
mod forwarded;
mod head;
mod io;
mod line_pace;
mod registry;
mod sending;
mod service;
mod settings;
mod stats;
mod tls;
mod traffic;

use std::{any::Any, fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

pub use accept::{BoundServer, Drained, ServerError, bind};
pub use settings::{
    Http2Limits, IpNet, IpNetError, Limits, ProxyHeaders, ServerSettings, TlsSettings,
};
pub use stats::ServerStats;
pub use tls::{Certificates, Reloaded, TlsError};

use crate::scim;

/// Checks a request's head as the edge does, by itself: for fuzzing.
///
/// # Errors
///
/// 400 for what is ambiguous or hides something, 413, 414, 415, 417, 431 and 501 as HTTP says.
pub fn check_head(parts: &http::request::Parts, limits: &Limits) -> Result<(), scim::Error> {
    head::check(parts, limits).map(|_| ())
}

/// A request, whole and within the limits.
#[derive(Debug)]
pub struct Request {
    /// Never CONNECT or TRACE.
    pub method: Method,
    /// As sent, percent-encoded. Starts with `/`; decodes to UTF-8 without dot segments, `\`, NUL, other control
    /// characters or a hidden `/`.
    pub path: String,
    /// As sent, after the `?`. ASCII without an encoded NUL; absent if there is no `?`.
    pub query: Option<String>,
    /// As sent. `Authorization` is marked sensitive, so that printing the map does not show it.
    pub headers: HeaderMap,
    /// The whole body, without transfer coding. Empty if there is none.
    pub body: Bytes,
    /// The client; behind trusted proxies the address they report.
    pub peer: SocketAddr,
    /// Scheme and authority for `Location` URLs, such as `https://scim.example`. Chooses nothing else.
    /// Absent for an HTTP/1.0 request without `Host`.
    pub scheme_host: Option<String>,
    /// When its head was complete.
    pub received: Instant,
    /// What [`Handler::admit`] found out about the sender; absent for requests that nobody admitted.
    pub admitted: Option<Admitted>,
}

/// An answer.
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers. `Content-Length`, `Date` and `Connection` are ours to set.
    pub headers: HeaderMap,
    /// Its whole body. For HEAD it is what GET would answer: the edge sends its length only.
    pub body: Bytes,
    /// Called once the answer was written to the connection completely; not called if the client left before that.
    /// Best effort: the client's kernel may have it, the client's program may not.
    pub on_sent: Option<Box<dyn FnOnce() + Send>>,
}

impl Response {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            on_sent: None,
        }
    }

    /// An answer with a body of the given media type.
    pub fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Self::empty(status);
        let media_type = HeaderValue::from_static(media_type);
        response.headers.insert(header::CONTENT_TYPE, media_type);
        response.body = body.into();
        response
    }

    /// A SCIM error message (RFC 7644 §3.12), with `Retry-After` in whole seconds if the error has one.
    pub fn error(error: &scim::Error) -> Self {
        answer::error(error)
    }
}

impl fmt::Debug for Response {
    // Bodies hold personal data, so only their size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a request may cost, said before its body is read.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Bytes of body; more are answered 413. [`Limits::max_body_bytes`] is the ceiling.
    pub max_body_bytes: usize,
    /// Handed back with the request, so that who is asking is found out once.
    pub admitted: Option<Admitted>,
}

/// Whatever a handler knows of a sender. The edge does not look into it.
pub type Admitted = Arc<dyn Any + Send + Sync>;

/// What answers requests.
///
/// A panic in it becomes a 500 of that request alone.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    ///
    /// GET and HEAD are dropped when the client leaves or [`Limits::answer`] has passed. Anything else runs to its
    /// end even then, because half a write is worse than one that nobody waits for.
    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>>;

    /// Asked before the body of a client at `peer` is read, to refuse early: 401, 404 for an unknown route, 413 by route.
    ///
    /// # Errors
    ///
    /// The answer instead. The body stays unread and, over HTTP/1.1, the connection is closed.
    #[expect(
        clippy::result_large_err,
        reason = "refusals are answers, made once for each request"
    )]
    fn admit(&self, head: &http::request::Parts, peer: SocketAddr) -> Result<Admission, Response>;
}
