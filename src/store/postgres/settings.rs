//! Where the database is, and how long it is waited for.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that the engine is told. Shown without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `postgresql://user:password@host:port/database`, or `host=… user=…`; several hosts are tried in order.
    pub url: String,
    /// The password, if it is not in the URL.
    pub password: Option<String>,
    /// Whom to believe that the server is the right one.
    pub tls: PostgresTls,
    /// Connections that this process opens at most for statements; one more holds its locks.
    pub connections: usize,
    /// How long a connection may take to be there, log-in included.
    pub connect_timeout: Duration,
    /// How long a transaction may take; then it is given up and its connection closed.
    pub statement_timeout: Duration,
    /// How long a request waits for a free connection.
    pub wait: Duration,
}

/// Who vouches for the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresTls {
    /// The system's authorities.
    System,
    /// Those in a PEM file.
    Authority(PathBuf),
    /// Nobody: nothing is encrypted. For a server on the same machine or a network that is encrypted by itself.
    Off,
}

impl PostgresSettings {
    /// The defaults, for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            tls: PostgresTls::System,
            connections: 8,
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            wait: Duration::from_secs(2),
        }
    }
}

impl PostgresSettings {
    /// Whether the URL can be read and names a host.
    pub fn names_a_database(&self) -> bool {
        let config = self.url.parse::<tokio_postgres::Config>();
        config.is_ok_and(|config| !config.get_hosts().is_empty())
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("url", &"***")
            .field("tls", &self.tls)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}
