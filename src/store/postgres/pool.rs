//! A few connections for all requests, and what happens while there are none to be had.
//!
//! While PostgreSQL is away nobody waits for it: one request at a time tries to connect, at growing intervals, and the others are told at
//! once. The log says when it went and when it came back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_postgres::{Client, Row};

use super::fault::{Fault, Why};
use super::session::{Connector, Ended, Scope, Session, Step};
use crate::store::{PostgresSettings, StoreError};

/// The connections for transactions.
pub(super) struct Pool {
    connector: Connector,
    idle: Mutex<Vec<Session>>,
    free: Semaphore,
    outage: Mutex<Option<Outage>>,
    wait: Duration,
    statement_timeout: Duration,
}

/// PostgreSQL cannot be reached.
struct Outage {
    delay: Duration,
    next_try: Instant,
}

impl Pool {
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, StoreError> {
        Ok(Self {
            connector: Connector::new(settings)?,
            idle: Mutex::default(),
            free: Semaphore::new(settings.connections.max(1)),
            outage: Mutex::default(),
            wait: settings.wait,
            statement_timeout: settings.statement_timeout,
        })
    }

    /// The first connection, for what is done before there are tables; unlike later ones, its failure says why.
    pub(super) async fn first(&self) -> Result<(Client, Ended), StoreError> {
        let connected = self.connector.plain().await;
        connected.map_err(|why| StoreError::unavailable("connect to PostgreSQL", why))
    }

    /// One transaction, again if another one was in its way.
    pub(super) async fn transact(
        &self,
        what: &'static str,
        scope: Scope<'_>,
        steps: &[Step<'_>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let mut attempt = 1;
        loop {
            match self.once(what, scope, steps).await? {
                Err(fault) if fault.is_passing() && attempt < ATTEMPTS => attempt += 1,
                Err(fault) => return Err(fault.named(what)),
                Ok(rows) => return Ok(rows),
            }
        }
    }

    async fn once(
        &self,
        what: &'static str,
        scope: Scope<'_>,
        steps: &[Step<'_>],
    ) -> Result<Result<Vec<Vec<Row>>, Fault>, StoreError> {
        self.turn_away(what)?;
        let Ok(Ok(_permit)) = tokio::time::timeout(self.wait, self.free.acquire()).await else {
            return Err(StoreError::unavailable(
                what,
                Why("every connection to PostgreSQL is taken".to_owned()),
            ));
        };
        let session = self.session(what).await?;
        let answers =
            tokio::time::timeout(self.statement_timeout, session.transact(scope, steps)).await;
        let answers = answers.unwrap_or(Err(Fault::Lost("PostgreSQL did not answer in time")));
        match &answers {
            // The others go the same way; who comes next finds out whether PostgreSQL is there at all.
            Err(fault) if fault.is_lost() => lock(&self.idle).clear(),
            // A request that is dropped before here drops its connection with it: what is under way is nobody's to read.
            _ => lock(&self.idle).push(session),
        }
        Ok(answers)
    }

    async fn session(&self, what: &'static str) -> Result<Session, StoreError> {
        while let Some(session) = self.pop_idle() {
            if !session.is_closed() {
                return Ok(session);
            }
        }
        self.connected(what, self.connector.session()).await
    }

    fn pop_idle(&self) -> Option<Session> {
        lock(&self.idle).pop()
    }

    /// A connection beside the others, for locks.
    pub(super) async fn plain(&self) -> Result<(Client, Ended), StoreError> {
        self.connected("connect for locks", self.connector.plain())
            .await
    }

    /// Waits for a connection unless it is known that there is none, and remembers how it went.
    async fn connected<T>(
        &self,
        what: &'static str,
        connecting: impl Future<Output = Result<T, Why>>,
    ) -> Result<T, StoreError> {
        self.take_turn(what)?;
        match connecting.await {
            Ok(connection) => {
                if lock(&self.outage).take().is_some() {
                    tracing::info!("PostgreSQL can be reached again");
                }
                Ok(connection)
            }
            Err(why) => {
                self.note_failure(&why);
                Err(StoreError::Away { what })
            }
        }
    }

    fn note_failure(&self, why: &Why) {
        let mut outage = lock(&self.outage);
        let delay = match &*outage {
            None => {
                tracing::error!(cause = %why, "PostgreSQL cannot be reached; requests are answered 503 until it can");
                FIRST_DELAY
            }
            Some(outage) => (outage.delay * 2).min(LAST_DELAY),
        };
        *outage = Some(Outage {
            delay,
            next_try: Instant::now() + delay,
        });
    }

    /// Fails while PostgreSQL is away and it is not yet time to try again.
    fn turn_away(&self, what: &'static str) -> Result<(), StoreError> {
        match &*lock(&self.outage) {
            Some(outage) if Instant::now() < outage.next_try => Err(StoreError::Away { what }),
            _ => Ok(()),
        }
    }

    /// As [`turn_away`](Self::turn_away); who passes is the one that tries.
    fn take_turn(&self, what: &'static str) -> Result<(), StoreError> {
        match &mut *lock(&self.outage) {
            Some(outage) if Instant::now() < outage.next_try => Err(StoreError::Away { what }),
            Some(outage) => {
                outage.next_try = Instant::now() + outage.delay.max(Duration::from_secs(1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a transaction that another one deadlocked with is tried.
const ATTEMPTS: u32 = 3;
/// How long after a failed connection the next one is tried, at first and at last.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LAST_DELAY: Duration = Duration::from_secs(2);
