//! One connection from the handshake to its end.

use std::{
    future::Future,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use hyper::server::conn::{http1, http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    activity::{Activity, Overdue, Wish},
    io::Watched,
    registry::Entered,
    service::{Edge, EdgeService},
};

pub(super) const ALPN_HTTP2: &[u8] = b"h2";
pub(super) const ALPN_HTTP1: &[u8] = b"http/1.1";

const HYPER_MAX_HEADERS: usize = 100;

/// Serves a connection until it ends, is overdue or is told to stop.
pub(super) async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    entered: Entered,
    edge: Arc<Edge>,
    tls: Option<TlsAcceptor>,
) {
    // Answers are written in one piece; waiting for more would only delay them.
    let _ = tcp.set_nodelay(true);
    let activity = &entered.activity;
    let Some(acceptor) = tls else {
        activity.ready(Instant::now(), false);
        return converse(tcp, peer, &edge, activity, false).await;
    };
    let Some(stream) = shake_hands(acceptor, tcp, &edge, activity).await else {
        return;
    };
    // The client chose by ALPN. Sniffing its first bytes instead has no timeout in hyper.
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2);
    activity.ready(Instant::now(), is_http2);
    converse(stream, peer, &edge, activity, is_http2).await;
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    tcp: TcpStream,
    edge: &Edge,
    activity: &Activity,
) -> Option<TlsStream<TcpStream>> {
    let handshake = timeout(edge.limits.tls_handshake, acceptor.accept(tcp));
    let outcome = tokio::select! {
        outcome = handshake => outcome,
        () = cut(activity) => return None,
    };
    let failure = match outcome {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    edge.stats.failed_handshakes.fetch_add(1, Ordering::Relaxed);
    tracing::debug!(failure, "TLS handshake failed");
    None
}

/// Completes when the connection is to be closed at once.
async fn cut(activity: &Activity) {
    loop {
        let wished = activity.wished();
        if activity.wish() == Wish::Cut {
            return;
        }
        wished.await;
    }
}

async fn converse<S>(
    stream: S,
    peer: SocketAddr,
    edge: &Arc<Edge>,
    activity: &Arc<Activity>,
    is_http2: bool,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(Watched::new(stream, Arc::clone(activity)));
    let service = EdgeService::new(Arc::clone(edge), Arc::clone(activity), peer);
    let service = TowerToHyperService::new(service);
    if is_http2 {
        let served = http2_builder(edge).serve_connection(io, service);
        supervise(pin!(served), edge, activity, true).await;
    } else {
        let served = http1_builder(edge).serve_connection(io, service);
        supervise(pin!(served), edge, activity, false).await;
    }
}

fn http1_builder(edge: &Edge) -> http1::Builder {
    let limits = &edge.limits;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Activity` watches the head, without a timer for each request.
        .header_read_timeout(None)
        .max_header_size(limits.max_head_bytes)
        // hyper panics below this.
        .max_buf_size(limits.max_head_bytes.max(8192));
    // Up to its own limit hyper keeps headers on the stack, and `head::check` counts them.
    if limits.max_headers > HYPER_MAX_HEADERS {
        builder.max_headers(limits.max_headers);
    }
    builder
}

fn http2_builder(edge: &Edge) -> http2::Builder<TokioExecutor> {
    let limits = &edge.limits.http2;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_concurrent_streams)
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_header_list_size(limits.max_header_list_bytes)
        .max_pending_accept_reset_streams(limits.max_pending_resets)
        .max_local_error_reset_streams(limits.max_local_error_resets)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout);
    builder
}

/// hyper's two kinds of connection.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

type Service = TowerToHyperService<EdgeService>;

impl<S> Graceful for http1::Connection<TokioIo<Watched<S>>, Service>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S> Graceful for http2::Connection<TokioIo<Watched<S>>, Service, TokioExecutor>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

async fn supervise<C: Graceful>(
    mut connection: Pin<&mut C>,
    edge: &Edge,
    activity: &Activity,
    is_http2: bool,
) {
    let tick = edge.limits.tick();
    let mut next_look = pin!(sleep(tick));
    let mut wished = pin!(activity.wished());
    let mut is_finishing = false;
    loop {
        let must_finish = tokio::select! {
            biased;
            outcome = connection.as_mut() => {
                match outcome {
                    // hyper answers by itself, with a status and no body: nobody else could tell of it.
                    Err(error) if error.is_parse() => {
                        edge.stats.refused_requests.fetch_add(1, Ordering::Relaxed);
                        if let Some(left_out) = edge.refusal_lines.line(Instant::now()) {
                            let left_out = (left_out > 0).then_some(left_out);
                            tracing::info!(%error, left_out, "request refused: its head is not HTTP");
                        }
                    }
                    Err(_) if activity.traffic().is_flood() => {
                        edge.stats.flooded.fetch_add(1, Ordering::Relaxed);
                        tracing::info!("connection cut: hardly anything on it was a request");
                    }
                    Err(error) => tracing::debug!(%error, "connection ended early"),
                    Ok(()) => {}
                }
                return;
            }
            () = wished.as_mut() => {
                wished.set(activity.wished());
                match activity.wish() {
                    Wish::Cut => return,
                    Wish::Finish => true,
                    Wish::Announce => is_http2,
                    Wish::Serve => false,
                }
            }
            () = next_look.as_mut() => {
                next_look.as_mut().reset(tokio::time::Instant::now() + tick);
                match activity.overdue(Instant::now(), &edge.limits) {
                    None => false,
                    // One more look for a client that does not take its goodbye.
                    Some(Overdue::Idle) if !is_finishing => true,
                    Some(why) => {
                        edge.stats.timed_out.fetch_add(1, Ordering::Relaxed);
                        tracing::debug!(?why, "connection timed out");
                        return;
                    }
                }
            }
        };
        if must_finish && !is_finishing {
            is_finishing = true;
            connection.as_mut().finish();
        }
    }
}
