//! `[store.postgres]`: where the database of several replicas is.

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use crate::diagnostic::{Diagnostic, Place, SourceFile};
#[cfg(feature = "postgres")]
use crate::store::{PostgresSettings, PostgresTls};

use super::settings::{Engine, SQLITE_FILE, Store, secret, time};

/// The table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Postgres {
    /// `postgresql://user:password@host:port/database`. `${ENV}`, `file:PATH` or itself. Instead of the five below.
    pub url: Option<Spanned<String>>,
    /// Name, address or directory of the socket.
    pub host: Option<Spanned<String>>,
    /// 5432 if left out.
    pub port: Option<u16>,
    /// The role.
    pub user: Option<String>,
    /// Its password; `${ENV}` or `file:PATH`.
    pub password: Option<String>,
    /// The database; named like the role if left out.
    pub database: Option<String>,
    /// Whether the server's certificate is verified, or nothing is encrypted.
    pub tls: Tls,
    /// PEM file with the authority of the server's certificate; absent: the system's.
    pub ca: Option<PathBuf>,
    /// Connections for statements, 1 to 100. One more holds the locks.
    pub connections: Spanned<usize>,
    /// Until a connection is there.
    #[serde(deserialize_with = "time")]
    pub connect_timeout: Duration,
    /// For a transaction.
    #[serde(deserialize_with = "time")]
    pub statement_timeout: Duration,
    /// For a free connection.
    #[serde(deserialize_with = "time")]
    pub wait: Duration,
}

/// How the way to the server is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Encrypted, the server's certificate and name verified.
    Verify,
    /// Not encrypted.
    Off,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            url: None,
            host: None,
            port: None,
            user: None,
            password: None,
            database: None,
            tls: Tls::Verify,
            ca: None,
            connections: Spanned::new(0..0, 8),
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            wait: Duration::from_secs(2),
        }
    }
}

#[cfg(feature = "postgres")]
impl Postgres {
    /// What the engine is told.
    pub fn settings(&self) -> PostgresSettings {
        let url = match &self.url {
            Some(url) => secret(url.get_ref()).expose().to_owned(),
            None => self.parts(),
        };
        PostgresSettings {
            url,
            password: self
                .password
                .as_deref()
                .map(|password| secret(password).expose().to_owned()),
            tls: match (self.tls, &self.ca) {
                (Tls::Off, _) => PostgresTls::Off,
                (Tls::Verify, Some(path)) => PostgresTls::Authority(path.clone()),
                (Tls::Verify, None) => PostgresTls::System,
            },
            connections: *self.connections.get_ref(),
            connect_timeout: self.connect_timeout,
            statement_timeout: self.statement_timeout,
            wait: self.wait,
        }
    }

    /// The keys as the driver reads them.
    fn parts(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let host = self.host.as_ref().map(|host| host.get_ref());
        let mut parts = vec![format!("port={}", self.port.unwrap_or(5432))];
        let texts = [
            ("host", host),
            ("user", self.user.as_ref()),
            ("dbname", self.database.as_ref()),
        ];
        let given = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        parts.extend(given.map(|(name, text)| format!("{name}={}", quoted(text))));
        parts.join(" ")
    }
}

impl Store {
    /// What cannot be so, with its place.
    pub(super) fn complaint(&self, file: &Arc<SourceFile>) -> Option<Diagnostic> {
        let table = self.postgres.as_ref()?;
        let postgres = table.get_ref();
        let at = |span: Range<usize>, sentence: &str, mending: &str| {
            let complaint = Diagnostic::error("settings::invalid", sentence);
            Some(complaint.at(&Place::new(file, span)).mend(mending))
        };
        if cfg!(not(feature = "postgres")) {
            return at(
                table.span(),
                "This scimgate was built without PostgreSQL.",
                "build it with the feature `postgres`",
            );
        }
        if self.engine == Engine::Memory || self.path.as_os_str() != SQLITE_FILE {
            let mending = "take `path` and `engine` out, or this table";
            return at(table.span(), "`[store]` names two stores.", mending);
        }
        let (url, host) = (postgres.url.as_ref(), postgres.host.as_ref());
        let has_parts = host.is_some()
            || postgres.port.is_some()
            || postgres.user.is_some()
            || postgres.database.is_some();
        match (url, host) {
            (Some(url), _) if has_parts => {
                return at(
                    url.span(),
                    "`url` says what `host`, `port`, `user` and `database` say.",
                    "use either",
                );
            }
            (None, None) => {
                return at(
                    table.span(),
                    "`[store.postgres]` names no database.",
                    "add `url`, or `host`, `user` and `database`",
                );
            }
            _ => {}
        }
        if !(1..=100).contains(postgres.connections.get_ref()) {
            return at(
                postgres.connections.span(),
                "`connections` is between 1 and 100.",
                "8 serve several hundred requests a second",
            );
        }
        if postgres.tls == Tls::Off && postgres.ca.is_some() {
            return at(
                table.span(),
                "`ca` is of no use with `tls = \"off\"`.",
                "take one of them out",
            );
        }
        #[cfg(feature = "postgres")]
        if let Some(url) = url.filter(|url| is_literal(url.get_ref()))
            && !PostgresSettings::new(url.get_ref()).names_a_database()
        {
            let mending = "write it as `postgresql://user:password@host:5432/database`, odd characters percent-encoded, without `sslmode`";
            return at(url.span(), "`url` cannot be read.", mending);
        }
        None
    }
}

/// Whether the text stands in the file itself.
#[cfg(feature = "postgres")]
fn is_literal(text: &str) -> bool {
    !text.starts_with("${") && !text.starts_with("file:")
}

#[cfg(test)]
mod tests {
    use crate::cli::settings::Settings;

    use super::*;

    fn parse(text: &str) -> Result<Settings, Vec<Diagnostic>> {
        Settings::parse(&Arc::new(SourceFile {
            path: "scimgate.toml".into(),
            text: text.to_owned(),
        }))
    }

    #[test]
    fn a_database_is_named_by_a_url_or_in_parts() {
        let settings = parse(
            "[store.postgres]\nhost = \"db\"\nuser = \"it's\"\npassword = \"p\"\nca = \"ca.pem\"",
        )
        .unwrap();
        let postgres = settings
            .store
            .postgres
            .as_ref()
            .unwrap()
            .get_ref()
            .settings();
        assert_eq!(postgres.url, "port=5432 host='db' user='it\\'s'");
        assert!(postgres.names_a_database());
        assert_eq!(postgres.tls, PostgresTls::Authority("ca.pem".into()));
        assert!(!format!("{postgres:?}").contains("it's"));
        assert!(parse("[store.postgres]\nurl = \"postgresql://u:p@db/x\"").is_ok());
        assert!(parse("[store.postgres]\nurl = \"${NOWHERE}\"").is_ok());
    }

    #[test]
    fn what_cannot_be_so_is_pointed_at() {
        for (text, place) in [
            (
                "[store.postgres]\nurl = \"postgres//db\"",
                "\"postgres//db\"",
            ),
            (
                "[store.postgres]\nurl = \"${U}\"\nhost = \"db\"",
                "\"${U}\"",
            ),
            ("[store.postgres]\nhost = \"db\"\nconnections = 0", "0"),
            ("[store.postgres]\nhost = \"db\"\nwait = \"2\"", "\"2\""),
            (
                "[store.postgres]\nhost = \"db\"\ntls = \"maybe\"",
                "\"maybe\"",
            ),
        ] {
            let complaints = parse(text).unwrap_err();
            let place_of = complaints[0].place.as_ref().unwrap();
            assert_eq!(place_of.text(), place, "{text}");
        }
        for text in [
            "[store]\npath = \"a\"\n[store.postgres]\nhost = \"db\"",
            "[store.postgres]\nwait = \"2s\"",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
