//! `scimgate.toml`: the process's own configuration. Every key has a default, so that the file may be missing.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::{
    diagnostic::{Diagnostic, SourceFile},
    gateway,
    mapping::load::{self, duration, size},
    observe::{LogFormat, LogSettings},
    server::{self, IpNet, ProxyHeaders, TlsSettings},
    store::StoreSettings,
    tenant::secret::Secret,
};

use super::{fault::invalid, postgres::Postgres};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The directory with `<tenant>.toml` and `apps/<app>.toml`, relative to this file.
    pub mappings: PathBuf,
    /// The path in front of `/Users`. `/scim/v2`, `/scim`, `/v2` and nothing are understood besides.
    pub base_path: String,
    /// The listener that clients use.
    pub listen: Listen,
    /// The operators' listener; absent: none.
    pub admin: Option<AdminListener>,
    /// Links, shadow attributes, keys.
    pub store: Store,
    /// Log lines, to standard error.
    pub log: Log,
    /// What one client may cost.
    pub limits: Limits,
    /// How to stop.
    pub stop: Stop,
}

/// `[listen]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Listen {
    /// Host and port.
    pub address: SocketAddr,
    /// PEM file with the certificate chain.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
    /// Serves without TLS: only behind a proxy on the same machine.
    pub plain_http: bool,
    /// Proxies whose word about the client's address and host is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Which headers they set: `x-forwarded` or `forwarded`.
    #[serde(deserialize_with = "proxy_headers")]
    pub proxy_headers: ProxyHeaders,
}

/// `[admin]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdminListener {
    /// Host and port; keep it off the public network.
    pub address: SocketAddr,
    /// Bearer token for `/metrics` and `/status`; absent: open. `${ENV}` or `file:PATH`.
    pub token: Option<String>,
}

/// `[store]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Store {
    /// `sqlite` or `memory`.
    pub engine: Engine,
    /// The SQLite file, relative to this file.
    pub path: PathBuf,
    /// A PostgreSQL server instead, for several replicas.
    pub postgres: Option<Spanned<Postgres>>,
}

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// One file; the default.
    Sqlite,
    /// Forgets everything at the end: for trying out.
    Memory,
}

/// `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Log {
    /// `human` or `json`.
    #[serde(deserialize_with = "log_format")]
    pub format: LogFormat,
    /// A level, or a filter such as `info,scimgate::target=debug`.
    pub level: String,
}

/// `[limits]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Bytes of a request's body.
    #[serde(deserialize_with = "bytes")]
    pub body: usize,
    /// Bytes of a request's head.
    #[serde(deserialize_with = "bytes")]
    pub head: usize,
    /// Open connections.
    pub connections: usize,
    /// Open connections of one address.
    pub connections_per_address: usize,
    /// An idle connection is closed after it.
    #[serde(deserialize_with = "time")]
    pub idle: Duration,
    /// Time for one request, its calls to the application together.
    #[serde(deserialize_with = "time")]
    pub request_deadline: Duration,
    /// Resources on a page when the client does not say.
    pub page_size: u64,
    /// Resources on a page at most.
    pub max_page_size: u64,
    /// Rows looked at for one query.
    pub scanned_rows: u64,
    /// How deep a sorted result can be paged.
    pub sorted_rows: u64,
    /// Operations of a bulk request.
    pub bulk_operations: usize,
    /// How long a cursor may be used.
    #[serde(deserialize_with = "time")]
    pub cursor_life: Duration,
    /// What cursors are signed with; the same on all replicas. `${ENV}` or `file:PATH`.
    pub cursor_secret: Option<String>,
}

/// `[stop]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Stop {
    /// Connections are still taken for so long, until load balancers have noticed.
    #[serde(deserialize_with = "time")]
    pub accept_lag: Duration,
    /// Requests in flight may take so long to finish, `accept-lag` included.
    #[serde(deserialize_with = "time")]
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mappings: "mappings".into(),
            base_path: "/scim/v2".into(),
            listen: Listen::default(),
            admin: None,
            store: Store::default(),
            log: Log::default(),
            limits: Limits::default(),
            stop: Stop::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8443)),
            certificate: None,
            key: None,
            plain_http: false,
            trusted_proxies: Vec::new(),
            proxy_headers: ProxyHeaders::default(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            engine: Engine::Sqlite,
            path: SQLITE_FILE.into(),
            postgres: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        let log = LogSettings::default();
        Self {
            format: log.format,
            level: log.level,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let (edge, gateway) = (server::Limits::default(), gateway::Limits::default());
        Self {
            body: edge.max_body_bytes,
            head: edge.max_head_bytes,
            connections: edge.max_connections,
            connections_per_address: edge.max_connections_per_peer,
            idle: edge.idle,
            request_deadline: gateway.request_deadline,
            page_size: gateway.default_page_size,
            max_page_size: gateway.max_page_size,
            scanned_rows: gateway.max_scanned_rows,
            sorted_rows: gateway.max_sorted_rows,
            bulk_operations: gateway.max_bulk_operations,
            cursor_life: gateway.cursor_life,
            cursor_secret: None,
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            accept_lag: Duration::from_secs(5),
            drain: Duration::from_secs(25),
        }
    }
}

impl Settings {
    /// Reads the file; a missing one is all defaults, if it was not asked for by name.
    ///
    /// # Errors
    ///
    /// Every complaint about it.
    pub fn load(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && path == Path::new("scimgate.toml") =>
            {
                Vec::new()
            }
            Err(error) => return Err(vec![SourceFile::unreadable(path, &error)]),
        };
        let file = SourceFile::from_bytes(path, bytes).map_err(|complaint| vec![complaint])?;
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let settings = Self::parse(&Arc::new(file))?;
        Ok(settings.relative_to(directory))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// Every slip of a file that is not TOML; else the first fault, with its place.
    pub fn parse(file: &Arc<SourceFile>) -> Result<Self, Vec<Diagnostic>> {
        let slips = load::not_toml(file);
        if !slips.is_empty() {
            return Err(slips);
        }
        let settings: Self =
            toml::from_str(&file.text).map_err(|error| vec![invalid(file, &error)])?;
        match settings.store.complaint(file) {
            Some(complaint) => Err(vec![complaint]),
            None => Ok(settings),
        }
    }

    fn relative_to(mut self, directory: &Path) -> Self {
        let base = |path: &Path| directory.join(path);
        self.mappings = base(&self.mappings);
        self.store.path = base(&self.store.path);
        if let Some(postgres) = &mut self.store.postgres {
            let ca = &mut postgres.get_mut().ca;
            *ca = ca.as_deref().map(base);
        }
        self.listen.certificate = self.listen.certificate.as_deref().map(base);
        self.listen.key = self.listen.key.as_deref().map(base);
        self
    }

    /// What the listener for clients is told.
    ///
    /// # Errors
    ///
    /// A sentence if it has neither a certificate nor leave to do without.
    pub fn server(&self) -> Result<server::ServerSettings, String> {
        let listen = &self.listen;
        let tls = match (&listen.certificate, &listen.key, listen.plain_http) {
            (Some(certificate), Some(key), false) => Some(TlsSettings {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            (None, None, true) => None,
            (None, None, false) => {
                return Err("`[listen]` names no `certificate` and `key`. Name them, or say `plain-http = true` behind a proxy.".into());
            }
            (_, _, true) => {
                return Err(
                    "`[listen]` has a certificate and `plain-http = true`: take one of them out."
                        .into(),
                );
            }
            _ => return Err("`[listen]` needs both `certificate` and `key`.".into()),
        };
        let mut settings = server::ServerSettings::new(listen.address, tls);
        settings.trusted_proxies = listen.trusted_proxies.clone();
        settings.proxy_headers = listen.proxy_headers;
        settings.accept_lag = self.stop.accept_lag;
        settings.drain = self.stop.drain;
        settings.limits.max_body_bytes = self.limits.body;
        settings.limits.max_head_bytes = self.limits.head;
        settings.limits.max_connections = self.limits.connections;
        settings.limits.max_connections_per_peer = self.limits.connections_per_address;
        settings.limits.idle = self.limits.idle;
        settings.limits.answer = self.limits.request_deadline + Duration::from_secs(5);
        Ok(settings)
    }

    /// What the gateway is told.
    pub fn gateway_limits(&self) -> gateway::Limits {
        let limits = &self.limits;
        gateway::Limits {
            default_page_size: limits.page_size,
            max_page_size: limits.max_page_size,
            max_scanned_rows: limits.scanned_rows,
            max_sorted_rows: limits.sorted_rows,
            max_bulk_operations: limits.bulk_operations,
            max_bulk_bytes: limits.body,
            cursor_life: limits.cursor_life,
            cursor_secret: secret(limits.cursor_secret.as_deref().unwrap_or_default()),
            request_deadline: limits.request_deadline,
        }
    }

    /// Which store.
    pub fn store(&self) -> StoreSettings {
        #[cfg(feature = "postgres")]
        if let Some(postgres) = &self.store.postgres {
            return StoreSettings::Postgres(postgres.get_ref().settings());
        }
        match self.store.engine {
            Engine::Memory => StoreSettings::Memory,
            Engine::Sqlite => StoreSettings::Sqlite {
                path: self.store.path.clone(),
            },
        }
    }

    /// What is logged.
    pub fn log(&self) -> LogSettings {
        LogSettings {
            format: self.log.format,
            level: self.log.level.clone(),
        }
    }
}

/// A secret given as `${ENV}`, `file:PATH` or itself.
pub fn secret(text: &str) -> Secret {
    let variable = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let value = match (variable, text.strip_prefix("file:")) {
        (Some(name), _) => std::env::var(name).unwrap_or_default(),
        (None, Some(path)) => std::fs::read_to_string(path)
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        (None, None) => text.to_owned(),
    };
    Secret::new(value)
}

/// The SQLite file if nothing is said.
pub(super) const SQLITE_FILE: &str = "scimgate.sqlite";

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration(&text).ok_or_else(|| {
        de::Error::custom(format!(
            "`{text}` is no duration such as `\"30s\"` or `\"5m\"`"
        ))
    })
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let text = String::deserialize(deserializer)?;
    size(&text).ok_or_else(|| {
        de::Error::custom(format!(
            "`{text}` is no size such as `\"64KiB\"` or `\"1MiB\"`"
        ))
    })
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|_| de::Error::custom(format!("`{text}` is no address block")))
        })
        .collect()
}

fn proxy_headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ProxyHeaders, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "x-forwarded" => Ok(ProxyHeaders::XForwarded),
        "forwarded" => Ok(ProxyHeaders::Forwarded),
        other => Err(de::Error::custom(format!(
            "`{other}` is neither `x-forwarded` nor `forwarded`"
        ))),
    }
}

fn log_format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogFormat, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        other => Err(de::Error::custom(format!(
            "`{other}` is neither `human` nor `json`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, Vec<Diagnostic>> {
        Settings::parse(&Arc::new(SourceFile {
            path: "scimgate.toml".into(),
            text: text.to_owned(),
        }))
    }

    #[test]
    fn an_empty_file_is_all_defaults_and_wants_a_certificate() {
        let settings = parse("").unwrap();
        assert_eq!(settings.base_path, "/scim/v2");
        assert!(settings.server().unwrap_err().contains("certificate"));
    }

    #[test]
    fn plain_http_must_be_asked_for_by_name() {
        let settings = parse("[listen]\nplain-http = true").unwrap();
        assert!(settings.server().unwrap().tls.is_none());
    }

    #[test]
    fn a_misspelt_key_is_pointed_at() {
        let complaints = parse("[listen]\nadress = \"127.0.0.1:1\"").unwrap_err();
        assert_eq!(complaints[0].place.as_ref().unwrap().text(), "adress");
    }

    #[test]
    fn quantities_carry_their_unit() {
        let settings = parse("[limits]\nbody = \"2MiB\"\nidle = \"5m\"").unwrap();
        assert_eq!(settings.limits.body, 2 * 1024 * 1024);
        assert_eq!(settings.limits.idle, Duration::from_secs(300));
        assert!(parse("[limits]\nidle = \"5\"").is_err());
    }
}
