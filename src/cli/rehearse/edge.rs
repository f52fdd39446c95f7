//! The edge of a rehearsal: the gateway's own TLS listener on a free port of this host, with a key that lives as long as the
//! run. TLS, the limits of heads and bodies, media types and authentication are rehearsed with it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::request::Parts;
use tokio::{sync::Notify, task::JoinHandle};
use uuid::Uuid;

use crate::{
    cli::{
        Failure,
        replay::{HttpTransport, Reply, Request, Transport, TransportError},
        settings::Settings,
    },
    exchange::Exchange,
    gateway::{Gateway, Writes, presented},
    scim::Error,
    server::{self, Admission, Handler, Response, ServerSettings, dev_certificate},
    tenant::{Tenant, key},
};

/// A listener for one rehearsal, and the way to it.
pub struct Edge {
    wire: HttpTransport,
    base_url: String,
    token: String,
    rehearsed: Arc<Rehearsed>,
    stop: Arc<Notify>,
    listening: JoinHandle<()>,
    /// Where its certificates are while it lives.
    directory: PathBuf,
}

/// Answers as the tenant, whoever shows the key of the run, and remembers what was noted.
struct Rehearsed {
    gateway: Arc<Gateway>,
    tenant: Arc<Tenant>,
    writes: Writes,
    max_body_bytes: usize,
    sha256: [u8; 32],
    last: Mutex<Last>,
}

/// What happened to the request answered last.
#[derive(Default)]
struct Last {
    exchange: Exchange,
    on_sent: Option<Box<dyn FnOnce() + Send>>,
}

impl Edge {
    /// Opens the listener, with the limits of the process' own.
    ///
    /// # Errors
    ///
    /// If there is no free port, or the certificates of the run cannot be written.
    pub async fn open(
        settings: &Settings,
        gateway: Arc<Gateway>,
        tenant: Arc<Tenant>,
        writes: Writes,
    ) -> Result<Self, Failure> {
        let directory = std::env::temp_dir().join(format!("scimgate-rehearsal-{}", Uuid::new_v4()));
        let certificate = dev_certificate::ensure(&directory)?;
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let own = ServerSettings::new(any_port, Some(certificate.tls));
        let limits = settings
            .server()
            .map_or(own.limits.clone(), |edge| edge.limits);
        let max_body_bytes = limits.max_body_bytes;
        let bound = server::bind(ServerSettings {
            limits,
            accept_lag: Duration::ZERO,
            ..own
        })
        .await?;
        let address = bound.local_addrs().first().copied().unwrap_or(any_port);
        let origin = format!("https://localhost:{}", address.port());
        let wire = HttpTransport::new(&origin, Some(&certificate.ca))
            .map_err(|error| Failure::configuration(error.to_string()))?
            .with_timeout(PATIENCE);
        let token = Uuid::new_v4().simple().to_string();
        let rehearsed = Arc::new(Rehearsed {
            gateway,
            tenant,
            writes,
            max_body_bytes,
            sha256: key::sha256(&token),
            last: Mutex::default(),
        });
        let stop = Arc::new(Notify::new());
        let listening = tokio::spawn({
            let (rehearsed, stop) = (Arc::clone(&rehearsed), Arc::clone(&stop));
            async move {
                bound
                    .run(rehearsed, async move { stop.notified().await })
                    .await;
            }
        });
        Ok(Self {
            wire,
            base_url: format!("{origin}{BASE_PATH}"),
            token,
            rehearsed,
            stop,
            listening,
            directory,
        })
    }

    /// The base URL that a provider would be given.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The key of the run.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request, and gives what was noted with the answer: nothing if the listener turned it away.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn exchange(&self, request: Request) -> Result<(Reply, Exchange), TransportError> {
        drop(self.rehearsed.take_last());
        let reply = self.wire.send(request).await?;
        let last = self.rehearsed.take_last();
        // The answer has arrived: a repeated create is a second one from now on.
        if let Some(on_sent) = last.on_sent {
            on_sent();
        }
        Ok((reply, last.exchange))
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.stop.notify_one();
        self.listening.abort();
        // What cannot be removed is a certificate that nobody trusts.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Rehearsed {
    fn take_last(&self) -> Last {
        std::mem::take(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, request: server::Request) -> Response {
        let tenant = Arc::clone(&self.tenant);
        let (mut response, finished) = self.gateway.exchange(tenant, request, self.writes).await;
        let last = Last {
            exchange: finished.exchange,
            on_sent: response.on_sent.take(),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
        response
    }
}

impl Handler for Rehearsed {
    fn handle(
        &self,
        request: server::Request,
    ) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }

    fn admit(&self, head: &Parts, _: SocketAddr) -> Result<Admission, Response> {
        let presented = presented(&head.headers);
        let is_read = !presented.is_bare() || self.tenant.dialect.bare_token();
        if presented.credential() != Some(self.sha256) || !is_read {
            let error = Error::new(401, "This is not the key of the rehearsal.");
            return Err(Response::error(&error));
        }
        Ok(Admission {
            max_body_bytes: self.max_body_bytes,
            admitted: None,
        })
    }
}

/// The path of every base URL.
pub const BASE_PATH: &str = "/scim/v2";

/// Longer than the gateway takes at most: what comes of it is told by its answer.
const PATIENCE: Duration = Duration::from_secs(320);
