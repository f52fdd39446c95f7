//! One connection: set up, its statements prepared, its transactions sent whole.
//!
//! BEGIN, the tenant, the statements and COMMIT leave together and are answered together: one round trip for a transaction, however
//! many statements it has. If one fails, PostgreSQL skips the rest and the COMMIT undoes what was done.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::task::AbortHandle;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use super::fault::{Fault, Why, why_no_connection};
use super::tls::Tls;
use super::{held, intent, key, record};
use crate::store::{PostgresSettings, PostgresTls, StoreError};

/// A statement of a transaction, with its parameters.
pub(super) struct Step<'a> {
    pub(super) sql: &'static str,
    pub(super) parameters: Vec<&'a (dyn ToSql + Sync)>,
}

/// Builds a [`Step`].
macro_rules! step {
    ($sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::store::postgres::session::Step {
            sql: $sql,
            parameters: vec![$($parameter as &(dyn tokio_postgres::types::ToSql + Sync)),*],
        }
    };
}
pub(super) use step;

/// What a transaction may see.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// The rows of a tenant, under its stored name.
    Tenant(&'a str),
    /// Everybody's keys and nothing else.
    Keys,
}

/// How sessions are made.
pub(super) struct Connector {
    config: Config,
    tls: Option<Tls>,
    timeout: Duration,
    setup: String,
}

impl Connector {
    /// # Errors
    ///
    /// `Unusable` if the URL or the certificates cannot be used.
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let unusable = |what: &str| StoreError::Unusable {
            what: what.to_owned(),
        };
        // The parser's own words may quote a part of the password.
        let mut config: Config = settings
            .url
            .parse()
            .map_err(|_| unusable("`[store.postgres]` names no usable database. Write `url` as `postgresql://user:password@host:5432/database`, odd characters of the password percent-encoded, and without `sslmode`: `tls` and `ca` say that."))?;
        if let Some(password) = &settings.password {
            config.password(password);
        }
        if config.get_hosts().is_empty() {
            return Err(unusable(
                "`[store.postgres]` names no host: is the variable or file that `url` refers to there?",
            ));
        }
        let is_local = config
            .get_hosts()
            .iter()
            .all(|host| matches!(host, Host::Unix(_)));
        let tls = match settings.tls {
            PostgresTls::Off => None,
            _ if is_local => None,
            _ => Some(Tls::new(&settings.tls)?),
        };
        config
            .ssl_mode(if tls.is_some() {
                SslMode::Require
            } else {
                SslMode::Disable
            })
            .application_name("scimgate")
            .connect_timeout(settings.connect_timeout)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(3)
            .tcp_user_timeout(settings.statement_timeout * 2)
            // Of several hosts the one that takes writes.
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let timeout = settings.statement_timeout.as_millis();
        Ok(Self {
            config,
            tls,
            timeout: settings.connect_timeout,
            setup: format!(
                "SET statement_timeout = {timeout}; SET idle_in_transaction_session_timeout = {timeout}; \
                 SET search_path = pg_catalog; SET default_transaction_isolation = 'read committed'; {DURABLE}"
            ),
        })
    }

    /// A connection as PostgreSQL gives it.
    pub(super) async fn plain(&self) -> Result<(Client, Ended), Why> {
        match tokio::time::timeout(self.timeout, self.log_in()).await {
            Ok(connected) => connected.map_err(|error| why_no_connection(&error)),
            Err(_) => Err(Why("PostgreSQL did not answer in time".to_owned())),
        }
    }

    async fn log_in(&self) -> Result<(Client, Ended), tokio_postgres::Error> {
        let (client, task) = match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                // How it ends is told by the statements that it leaves unanswered.
                (client, tokio::spawn(async move { drop(connection.await) }))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            }
        };
        let ended = Ended(task.abort_handle());
        client.batch_execute(&self.setup).await?;
        Ok((client, ended))
    }

    /// A connection with every statement prepared.
    pub(super) async fn session(&self) -> Result<Session, Why> {
        let (client, ended) = self.plain().await?;
        let prepare = async {
            let all = STATEMENTS
                .iter()
                .flat_map(|some| some.iter())
                .chain(&[SET_TENANT, SET_KEYS]);
            let prepared = all.map(|sql| async { Ok((*sql, client.prepare(sql).await?)) });
            let prepared = join_all(prepared).await.into_iter();
            prepared.collect::<Result<_, tokio_postgres::Error>>()
        };
        let statements = match tokio::time::timeout(self.timeout, prepare).await {
            Ok(prepared) => prepared.map_err(|error| why_no_connection(&error))?,
            Err(_) => {
                return Err(Why(
                    "PostgreSQL did not prepare the statements in time".to_owned()
                ));
            }
        };
        Ok(Session {
            client,
            statements,
            _ended: ended,
        })
    }
}

/// Ends the connection's task when dropped, whatever the server does.
pub(super) struct Ended(AbortHandle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection that can do the store's transactions.
pub(super) struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    _ended: Ended,
}

impl Session {
    /// Whether the server has closed it.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// One transaction; gives the rows of each step.
    pub(super) async fn transact(
        &self,
        scope: Scope<'_>,
        steps: &[Step<'_>],
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let client = &self.client;
        let tenant;
        let scope = match scope {
            Scope::Tenant(name) => {
                tenant = name;
                step!(SET_TENANT, &tenant)
            }
            Scope::Keys => step!(SET_KEYS),
        };
        let control = |sql: &'static str| -> BoxFuture<'_, Result<Vec<Row>, Fault>> {
            Box::pin(async move {
                client.batch_execute(sql).await?;
                Ok(Vec::new())
            })
        };
        let mut sent = Vec::with_capacity(steps.len() + 3);
        // They leave in this order: each is sent when it is first polled.
        sent.push(control("BEGIN"));
        for step in std::iter::once(&scope).chain(steps) {
            let statement = self.statements.get(step.sql);
            sent.push(Box::pin(async move {
                let statement = statement.ok_or(Fault::Lost("a statement was not prepared"))?;
                Ok(client.query(statement, &step.parameters).await?)
            }));
        }
        sent.push(control("COMMIT"));
        let answers: Vec<Vec<Row>> = join_all(sent)
            .await
            .into_iter()
            .collect::<Result<_, Fault>>()?;
        Ok(answers.into_iter().skip(2).take(steps.len()).collect())
    }
}

/// Every statement that is ever sent.
const STATEMENTS: [&[&str]; 4] = [
    &record::STATEMENTS,
    &intent::STATEMENTS,
    &held::STATEMENTS,
    &key::STATEMENTS,
];
const SET_TENANT: &str = "SELECT set_config('scimgate.tenant', $1, true)";
const SET_KEYS: &str = "SELECT set_config('scimgate.reads_keys', 'on', true)";
/// A commit is on the disk before it is answered, whatever the role's default; a stricter one (`remote_apply`) stays.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') IN ('off', 'local')";
/// A server that is gone without a word is noticed.
const KEEPALIVE: Duration = Duration::from_secs(10);
