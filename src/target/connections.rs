//! What outlives a reload: connection pools and breakers by tenant, and where each tenant's credential belongs.

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{TargetError, breaker::Breaker, connector::Connector};
use crate::mapping::model::{Auth, Mapping, Target};

/// Below the keep-alive of common servers (Node 5 s), so that a pooled connection is rarely one that is being closed:
/// a POST on such a one fails, and nobody knows whether it arrived.
const POOL_IDLE: Duration = Duration::from_secs(4);
const POOL_PER_HOST: usize = 64;

/// A pool of connections with one TLS identity. Follows no redirects, keeps no cookies, repeats nothing.
pub(super) type HttpClient = Client<Connector, Full<Bytes>>;

/// Shared by the drivers of all tenants, kept over reloads: one a process.
#[derive(Debug, Default)]
pub struct Connections {
    known: Mutex<HashMap<Arc<str>, Known>>,
    system_roots: OnceLock<Vec<CertificateDer<'static>>>,
    accepts_origin_change: bool,
}

/// A tenant's way to its target.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub client: HttpClient,
    pub breaker: Arc<Breaker>,
}

#[derive(Debug)]
struct Known {
    fingerprint: [u8; 32],
    origin: String,
    credential: Option<[u8; 32]>,
    way: Way,
}

impl Connections {
    /// Without any connection yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a tenant's base URL move to another origin with the credential unchanged (`--accept-origin-change`).
    pub fn accepting_origin_changes(mut self) -> Self {
        self.accepts_origin_change = true;
        self
    }

    /// The tenant's pool and breaker: those it had, if nothing about its connection has changed.
    pub(super) fn way(&self, mapping: &Mapping) -> Result<Way, TargetError> {
        let target = &mapping.target;
        let origin = target.base_url.origin().ascii_serialization();
        let credential = digest_of(&target.auth);
        let files = Files::read(target)?;
        let fingerprint = fingerprint(target, &origin, &files);
        if let Some(known) = self.lock().get(&mapping.tenant) {
            let has_moved =
                known.origin != origin && credential.is_some() && known.credential == credential;
            if has_moved && !self.accepts_origin_change {
                return Err(TargetError::OriginChanged);
            }
            if known.fingerprint == fingerprint {
                return Ok(known.way.clone());
            }
        }
        let way = Way {
            client: client(self.tls(target, &files)?, target.connect_timeout),
            breaker: Arc::default(),
        };
        let known = Known {
            fingerprint,
            origin,
            credential,
            way: way.clone(),
        };
        self.lock().insert(mapping.tenant.clone(), known);
        Ok(way)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The system's roots and the tenant's own, and the certificate shown, if there is one.
    fn tls(&self, target: &Target, files: &Files) -> Result<ClientConfig, TargetError> {
        let mut roots = RootCertStore::empty();
        // A token server may be elsewhere.
        if target.base_url.scheme() == "https" || matches!(target.auth, Auth::OAuth2(_)) {
            let system = self
                .system_roots
                .get_or_init(|| rustls_native_certs::load_native_certs().certs);
            roots.add_parsable_certificates(system.iter().cloned());
        }
        if let Some((path, pem)) = &files.ca {
            for certificate in certificates(path, pem)? {
                roots.add(certificate).map_err(|error| fault(path, error))?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TargetError::Settings(format!("TLS cannot be used: {error}.")))?
            .with_root_certificates(roots);
        let mut config = match &files.client {
            Some(((path, certificate), (key_path, key))) => {
                let chain = certificates(path, certificate)?;
                let key =
                    PrivateKeyDer::from_pem_slice(key).map_err(|error| fault(key_path, error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| fault(key_path, error))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn client(tls: ClientConfig, timeout: Duration) -> HttpClient {
    let tls = Arc::new(tls);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(POOL_PER_HOST)
        .retry_canceled_requests(false)
        .set_host(false)
        .http1_max_headers(128)
        .http1_max_buf_size(256 * 1024)
        .build(Connector { tls, timeout })
}

type NamedPem<'t> = (&'t Path, Vec<u8>);

/// The PEM files that a target names.
struct Files<'t> {
    ca: Option<NamedPem<'t>>,
    client: Option<(NamedPem<'t>, NamedPem<'t>)>,
}

impl<'t> Files<'t> {
    fn read(target: &'t Target) -> Result<Self, TargetError> {
        let named = |path: &'t Path| match std::fs::read(path) {
            Ok(pem) => Ok((path, pem)),
            Err(error) => Err(fault(path, error)),
        };
        let ca = target.ca.as_deref().map(named).transpose()?;
        let client = match &target.client_certificate {
            Some((certificate, key)) => Some((named(certificate)?, named(key)?)),
            None => None,
        };
        Ok(Self { ca, client })
    }
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TargetError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| fault(path, error))?;
    match found.is_empty() {
        true => Err(fault(path, "there is no certificate in it")),
        false => Ok(found),
    }
}

fn fault(path: &Path, what: impl std::fmt::Display) -> TargetError {
    TargetError::File {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

/// Tells connection settings apart: a pool is only used again for the same origin, trust and identity.
fn fingerprint(target: &Target, origin: &str, files: &Files<'_>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let client = files
        .client
        .iter()
        .flat_map(|(certificate, key)| [certificate, key]);
    for (_, pem) in files.ca.iter().chain(client) {
        context.update(&(pem.len() as u64).to_be_bytes());
        context.update(pem);
    }
    let has = format!("{} {}", files.ca.is_some(), files.client.is_some());
    context.update(format!("{has} {origin} {:?}", target.connect_timeout).as_bytes());
    bytes_of(context.finish())
}

/// A digest of the credential; absent if there is none to protect.
fn digest_of(auth: &Auth) -> Option<[u8; 32]> {
    let mut text = match auth {
        Auth::None => return None,
        auth => format!("{auth:?}"),
    };
    let _ = match auth {
        Auth::Header { value, .. } | Auth::Query { value, .. } => text.write_str(value.expose()),
        Auth::Basic { password, .. } => text.write_str(password.expose()),
        Auth::Bearer { token } => text.write_str(token.expose()),
        Auth::AwsSigV4 { secret_key, .. } => text.write_str(secret_key.expose()),
        Auth::OAuth2(oauth2) => {
            let key = oauth2.jwt.as_ref().map(|jwt| &jwt.key);
            let secrets = oauth2.client_secret.iter().chain(key);
            secrets
                .map(|secret| secret.expose())
                .try_for_each(|secret| text.write_str(secret))
        }
        // A login's secrets stand in its steps' templates, which the text already holds.
        Auth::Login(_) | Auth::None => Ok(()),
    };
    Some(bytes_of(digest::digest(&digest::SHA256, text.as_bytes())))
}

fn bytes_of(digest: digest::Digest) -> [u8; 32] {
    digest.as_ref().try_into().unwrap_or_default()
}
