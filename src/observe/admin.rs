//! What operators and their machines ask the admin listener.
//!
//! `/livez` and `/readyz` are open, because load balancers have no credential; `/metrics` and `/status` may need one.

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use serde::Serialize;
use subtle::ConstantTimeEq;

use crate::{
    scim::Error,
    server::{Admission, Handler, Request, Response, ServerSettings},
    target::TargetStatus,
};

use super::metrics::{MEDIA_TYPE, Metrics};

const JSON: &str = "application/json";

/// What the admin listener asks the rest of the gateway.
pub trait Observed: Send + Sync + 'static {
    /// What keeps the gateway from serving now: a store that does not answer, no tenant loaded.
    ///
    /// Asked for each `/readyz`; cut off after two seconds, which counts as not ready.
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Readiness> + Send + '_>>;

    /// Every tenant and its state.
    fn tenants(&self) -> Vec<TenantStatus>;
}

/// The answer to "can you serve?".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Why not; empty means ready. Sentences without secrets.
    pub reasons: Vec<String>,
    /// What should be looked at although the gateway serves, such as an expired certificate.
    pub warnings: Vec<String>,
}

/// One tenant, as `/status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantStatus {
    /// Its name.
    pub tenant: String,
    /// Of a closed set such as `ready`, `paused`, `shadow`, `broken`; also a label of the metric `tenants`.
    pub state: &'static str,
    /// The application file it uses, if it could be read.
    pub app: Option<String>,
    /// Complaints that keep its files from being used.
    pub errors: usize,
    /// Complaints that do not.
    pub warnings: usize,
    /// How its application stands; absent if the tenant is not served.
    pub target: Option<TargetStatus>,
    /// What `[target] probe` showed: `accepted`, `refused`, `failed`, `unreachable`; absent if it was not made.
    pub probe: Option<&'static str>,
    /// Whether deactivations are refused because there were more than `most-changes` allows.
    #[serde(rename = "deactivations-paused")]
    pub are_deactivations_paused: bool,
    /// References that wait for a resource which does not exist yet.
    #[serde(rename = "held-references")]
    pub held_references: u64,
    /// One sentence on the state where there is more to say.
    pub detail: Option<String>,
}

/// What is needed to see more than `/livez` and `/readyz`. Only a hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminCredential([u8; 32]);

impl AdminCredential {
    /// A bearer token, given as itself.
    pub fn from_token(token: &str) -> Self {
        Self(sha256(token.as_bytes()))
    }

    /// A bearer token, given as its SHA-256.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Some((scheme, token)) = value
            .as_bytes()
            .iter()
            .position(|&byte| byte == b' ')
            .and_then(|at| value.as_bytes().split_at_checked(at))
        else {
            return false;
        };
        let offered = sha256(token.trim_ascii());
        scheme.eq_ignore_ascii_case(b"bearer") && bool::from(self.0.ct_eq(&offered))
    }
}

impl fmt::Debug for AdminCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminCredential(***)")
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// What the admin listener shares with whoever runs the gateway.
pub struct AdminState {
    metrics: Arc<Metrics>,
    observed: Arc<dyn Observed>,
    credential: Option<AdminCredential>,
    is_draining: AtomicBool,
}

impl AdminState {
    /// Without a credential everything is open to whoever reaches the listener.
    pub fn new(
        metrics: Arc<Metrics>,
        observed: Arc<dyn Observed>,
        credential: Option<AdminCredential>,
    ) -> Self {
        Self {
            metrics,
            observed,
            credential,
            is_draining: AtomicBool::new(false),
        }
    }

    /// From now on the gateway is not ready: said at the signal to stop, before connections are refused.
    pub fn start_draining(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for AdminState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminState")
            .field("is_draining", &self.is_draining)
            .finish_non_exhaustive()
    }
}

/// Settings for the admin listener: plain HTTP for a handful of connections, stopped without delay.
///
/// It is meant to be stopped after the client's listener, so that `/readyz` answers while that one drains.
pub fn settings(listen: SocketAddr) -> ServerSettings {
    let mut settings = ServerSettings::new(listen, None);
    settings.accept_lag = Duration::ZERO;
    settings.drain = Duration::from_secs(1);
    settings.limits.max_connections = 256;
    settings.limits.max_connections_per_peer = 128;
    settings.limits.max_body_bytes = 0;
    settings
}

/// Answers the admin listener.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<AdminState>);

impl Handler for Admin {
    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            match request.path.as_str() {
                "/livez" => json(StatusCode::OK, &serde_json::json!({ "status": "alive" })),
                "/readyz" => self.readyz().await,
                "/metrics" => self.metrics(),
                "/status" => self.status(),
                _ => not_found(),
            }
        })
    }

    fn admit(&self, head: &Parts, _: SocketAddr) -> Result<Admission, Response> {
        let is_open = match head.uri.path() {
            "/livez" | "/readyz" => true,
            "/metrics" | "/status" => false,
            _ => return Err(not_found()),
        };
        if let Some(credential) = &self.0.credential
            && !is_open
            && !credential.admits(&head.headers)
        {
            return Err(Response::error(&Error::new(
                401,
                "A valid credential is needed.",
            )));
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return Err(Response::error(&Error::new(
                405,
                "Only GET is accepted here.",
            )));
        }
        Ok(Admission {
            max_body_bytes: 0,
            admitted: None,
        })
    }
}

impl Admin {
    async fn readyz(&self) -> Response {
        let asked = tokio::time::timeout(Duration::from_secs(2), self.0.observed.readiness());
        let mut readiness = asked.await.unwrap_or_else(|_| Readiness {
            reasons: vec!["The gateway did not say in time whether it is ready.".to_owned()],
            warnings: Vec::new(),
        });
        if self.0.is_draining.load(Ordering::Relaxed) {
            readiness
                .reasons
                .push("The gateway is stopping.".to_owned());
        }
        let status = if readiness.reasons.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        json(status, &readiness)
    }

    fn metrics(&self) -> Response {
        let tenants = self.0.observed.tenants();
        let mut states: Vec<(&'static str, i64)> = Vec::new();
        for tenant in &tenants {
            match states.iter_mut().find(|(state, _)| *state == tenant.state) {
                Some((_, count)) => *count += 1,
                None => states.push((tenant.state, 1)),
            }
        }
        self.0.metrics.set_tenants(states);
        self.0.metrics.set_each_tenant(&tenants);
        Response::new(StatusCode::OK, MEDIA_TYPE, self.0.metrics.encode())
    }

    fn status(&self) -> Response {
        let status = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "draining": self.0.is_draining.load(Ordering::Relaxed),
            "tenants": self.0.observed.tenants(),
        });
        json(StatusCode::OK, &status)
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => Response::new(status, JSON, bytes),
        Err(_) => Response::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn not_found() -> Response {
    Response::error(&Error::new(404, "There is nothing here."))
}

#[cfg(test)]
#[path = "admin_tests.rs"]
mod tests;
