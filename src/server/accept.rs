//! Listening, accepting, and stopping well.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, sleep_until, timeout_at},
};
use tokio_rustls::TlsAcceptor;

use super::{
    Handler,
    activity::Wish,
    connection,
    line_pace::LinePace,
    registry::Registry,
    service::Edge,
    settings::ServerSettings,
    stats::ServerStats,
    tls::{Certificates, TlsError},
};

const BACKLOG: i32 = 1024;

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The settings name no address.
    #[error("No address to listen on is given.")]
    NoAddress,
    /// An address is taken, not ours, or needs more rights.
    #[error("Listening on `{address}` failed.")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server that listens: the system queues connections, which [`run`](Self::run) accepts.
pub struct BoundServer {
    settings: ServerSettings,
    listeners: Vec<TcpListener>,
    local_addrs: Vec<SocketAddr>,
    certificates: Option<Arc<Certificates>>,
    acceptor: Option<TlsAcceptor>,
    stats: Arc<ServerStats>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because they did not finish in time.
    pub cut_connections: usize,
    /// Requests that were still with the handler; they end with the runtime.
    pub unfinished_requests: usize,
}

/// Loads the certificates and listens on all addresses.
///
/// # Errors
///
/// If there is no address, one cannot be listened on, or the certificates cannot be used.
pub async fn bind(settings: ServerSettings) -> Result<BoundServer, ServerError> {
    if settings.listen.is_empty() {
        return Err(ServerError::NoAddress);
    }
    let certificates = match &settings.tls {
        Some(tls) => Some(Certificates::load(tls.clone())?),
        None => None,
    };
    let acceptor = match &certificates {
        Some(certificates) => {
            let config = certificates.server_config()?;
            Some(TlsAcceptor::from(Arc::new(config)))
        }
        None => None,
    };
    let mut listeners = Vec::with_capacity(settings.listen.len());
    let mut local_addrs = Vec::with_capacity(settings.listen.len());
    for &address in &settings.listen {
        let failed = |source| ServerError::Listen { address, source };
        let listener = listen(address, &settings).map_err(failed)?;
        local_addrs.push(listener.local_addr().map_err(failed)?);
        listeners.push(listener);
    }
    Ok(BoundServer {
        settings,
        listeners,
        local_addrs,
        certificates,
        acceptor,
        stats: Arc::default(),
    })
}

fn listen(address: SocketAddr, settings: &ServerSettings) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart need not wait for the last connections of the old process.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(settings.share_port)?;
    if address.is_ipv6() {
        // `[::]` takes IPv4 too, unless IPv4 is listened on by itself.
        let takes_both = !settings
            .listen
            .iter()
            .any(|other| other.is_ipv4() && other.port() == address.port());
        socket.set_only_v6(!takes_both)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

impl BoundServer {
    /// The addresses listened on, in the order of the settings, with the port that a 0 became.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// What this server counts; stays readable while it runs.
    pub fn stats(&self) -> Arc<ServerStats> {
        Arc::clone(&self.stats)
    }

    /// The certificate in use, to reload it at once or read its date; absent for plain HTTP.
    ///
    /// While the server runs the files are also watched and reloaded within about two seconds.
    pub fn certificates(&self) -> Option<Arc<Certificates>> {
        self.certificates.clone()
    }

    /// Serves until `shutdown` completes, then stops within [`ServerSettings::drain`]:
    ///
    /// 1. for [`ServerSettings::accept_lag`] new connections are still accepted, HTTP/2 clients are told to go (GOAWAY),
    ///    HTTP/1.1 clients by `Connection: close` with their next answer;
    /// 2. listening ends, idle connections are closed, requests in flight finish;
    /// 3. what is left is cut.
    ///
    /// Dropping the future cuts everything at once.
    pub async fn run(
        self,
        handler: Arc<dyn Handler>,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let edge = Arc::new(self.edge(handler));
        let cut = CutOnDrop(Arc::clone(&edge.registry));
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            accepting.spawn(accept(listener, Arc::clone(&edge), self.acceptor.clone()));
        }
        if let Some(certificates) = self.certificates {
            accepting.spawn(certificates.watch());
        }
        shutdown.await;

        let asked = tokio::time::Instant::now();
        let deadline = asked + self.settings.drain;
        edge.is_stopping.store(true, Ordering::Relaxed);
        edge.registry.wish_for(Wish::Announce);
        sleep_until(deadline.min(asked + self.settings.accept_lag)).await;
        accepting.shutdown().await;
        edge.registry.wish_for(Wish::Finish);
        let is_complete = timeout_at(deadline, edge.registry.emptied()).await.is_ok();
        if is_complete {
            return Drained {
                cut_connections: 0,
                unfinished_requests: 0,
            };
        }
        let drained = Drained {
            cut_connections: edge.registry.wish_for(Wish::Cut),
            unfinished_requests: edge.registry.unfinished_count(),
        };
        drop(cut);
        drained
    }

    fn edge(&self, handler: Arc<dyn Handler>) -> Edge {
        let limits = &self.settings.limits;
        let registry = Registry::new(
            limits.max_connections,
            limits.max_connections_per_peer,
            Arc::clone(&self.stats),
        );
        Edge {
            handler,
            limits: limits.clone(),
            trusted_proxies: self.settings.trusted_proxies.clone(),
            proxy_headers: self.settings.proxy_headers,
            is_tls: self.acceptor.is_some(),
            stats: Arc::clone(&self.stats),
            registry: Arc::new(registry),
            refusal_lines: LinePace::default(),
            is_stopping: AtomicBool::new(false),
        }
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer")
            .field("local_addrs", &self.local_addrs)
            .field("is_tls", &self.acceptor.is_some())
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, edge: Arc<Edge>, acceptor: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => open(tcp, peer, &edge, &acceptor),
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                // Most likely out of file descriptors: give one back and do not spin.
                tracing::error!(%error, "accepting connections failed");
                edge.registry.evict_one();
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn open(tcp: TcpStream, peer: SocketAddr, edge: &Arc<Edge>, acceptor: &Option<TlsAcceptor>) {
    let is_proxy = |ip: IpAddr| edge.trusted_proxies.iter().any(|net| net.contains(ip));
    let counted = Some(peer.ip()).filter(|ip| !is_proxy(*ip));
    let Some(entered) = edge.registry.enter(counted) else {
        tracing::debug!("connection turned away");
        return;
    };
    if edge.is_stopping.load(Ordering::Relaxed) {
        entered.activity.wish_for(Wish::Announce);
    }
    let (edge, acceptor) = (Arc::clone(edge), acceptor.clone());
    tokio::spawn(connection::serve(tcp, peer, entered, edge, acceptor));
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// A server whose future is dropped leaves no connection behind.
struct CutOnDrop(Arc<Registry>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.wish_for(Wish::Cut);
    }
}
