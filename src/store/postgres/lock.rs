//! Locks over all replicas: PostgreSQL's advisory locks, held by one connection of each replica.
//!
//! A lock is asked for without waiting in the database, again and again until it is free, so that one connection serves all locks
//! and no request holds a connection while it waits for another. PostgreSQL lets go of all of them when the connection ends: a
//! replica that is killed blocks nobody. One that only loses the connection is told, and stops what it does under a lock.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{Client, Statement};

use super::fault::Fault;
use super::pool::Pool;
use super::session::Ended;
use crate::store::lock::HeldLock;
use crate::store::{StoreError, StoreLock, TenantId};

/// This replica's locks.
#[derive(Default)]
pub(super) struct Locks {
    keeper: tokio::sync::Mutex<Option<Arc<Keeper>>>,
}

impl Locks {
    /// Waits for the lock of a name, until `deadline`.
    ///
    /// # Errors
    ///
    /// `Busy` if another replica has it all the time, `Away` if PostgreSQL cannot be reached.
    pub(super) async fn lock(
        &self,
        pool: &Arc<Pool>,
        tenant: &TenantId,
        name: &str,
        deadline: Instant,
    ) -> Result<StoreLock, StoreError> {
        let key = key_of(tenant, name);
        let mut pause = FIRST_PAUSE;
        loop {
            let keeper = self.keeper(pool).await?;
            match keeper.try_lock(key).await {
                Ok(Some(held)) => return Ok(StoreLock::new(held)),
                Ok(None) if Instant::now() + pause >= deadline => {
                    return Err(StoreError::Busy { what: LOCK });
                }
                Ok(None) => tokio::time::sleep(jittered(pause, key)).await,
                Err(fault) => {
                    keeper.lose();
                    return Err(fault.named(LOCK));
                }
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// The connection that holds the locks; a new one if it was lost.
    async fn keeper(&self, pool: &Arc<Pool>) -> Result<Arc<Keeper>, StoreError> {
        let mut current = self.keeper.lock().await;
        if let Some(keeper) = current.as_ref().filter(|keeper| keeper.is_alive()) {
            return Ok(Arc::clone(keeper));
        }
        if let Some(lost) = current.take() {
            lost.lose();
        }
        let keeper = Keeper::connect(pool).await?;
        *current = Some(Arc::clone(&keeper));
        Ok(keeper)
    }
}

/// One connection with all locks of this replica.
struct Keeper {
    client: Client,
    acquire: Statement,
    release: Statement,
    /// Who is to be told when it is lost. Taken when it is.
    dependents: Mutex<Option<Vec<Weak<Notify>>>>,
    ended: Mutex<Option<Ended>>,
}

impl Keeper {
    async fn connect(pool: &Arc<Pool>) -> Result<Arc<Self>, StoreError> {
        let (client, ended) = pool.plain().await?;
        let prepare = async { tokio::try_join!(client.prepare(ACQUIRE), client.prepare(RELEASE)) };
        let (acquire, release) = bounded(prepare).await.map_err(|fault| fault.named(LOCK))?;
        let keeper = Arc::new(Self {
            client,
            acquire,
            release,
            dependents: Mutex::new(Some(Vec::new())),
            ended: Mutex::new(Some(ended)),
        });
        tokio::spawn(watch(Arc::downgrade(&keeper)));
        Ok(keeper)
    }

    fn is_alive(&self) -> bool {
        !self.client.is_closed() && self.dependents().is_some()
    }

    fn dependents(&self) -> std::sync::MutexGuard<'_, Option<Vec<Weak<Notify>>>> {
        self.dependents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn try_lock(self: &Arc<Self>, key: i64) -> Result<Option<Held>, Fault> {
        // Made before the answer is there: if the caller goes away meanwhile, the lock it may have got is let go of.
        let mut held = Held {
            keeper: Arc::clone(self),
            key,
            is_granted: true,
        };
        let row = bounded(self.client.query_one(&self.acquire, &[&key])).await?;
        held.is_granted = row.get(0);
        Ok(held.is_granted.then_some(held))
    }

    /// Ends the connection and tells everybody who relied on it.
    fn lose(&self) {
        let dependents = self.dependents().take();
        drop(
            self.ended
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        for dependent in dependents.into_iter().flatten() {
            if let Some(dependent) = dependent.upgrade() {
                dependent.notify_one();
            }
        }
    }
}

/// Asks the connection every moment whether it lives, so that its end is noticed before PostgreSQL gives its locks to another replica.
async fn watch(keeper: Weak<Keeper>) {
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let Some(keeper) = keeper.upgrade() else {
            return;
        };
        if bounded(keeper.client.simple_query("")).await.is_err() {
            keeper.lose();
            return;
        }
    }
}

/// A lock that this replica has.
struct Held {
    keeper: Arc<Keeper>,
    key: i64,
    is_granted: bool,
}

impl HeldLock for Held {
    fn tell_loss(&self, lost: &Arc<Notify>) {
        match self.keeper.dependents().as_mut() {
            Some(dependents) => {
                dependents.retain(|dependent| dependent.strong_count() > 0);
                dependents.push(Arc::downgrade(lost));
            }
            None => lost.notify_one(),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A lock counts how often it was taken, so it does not matter whether the next holder in this process comes before this.
        if let (true, Ok(runtime)) = (self.is_granted, tokio::runtime::Handle::try_current()) {
            let (keeper, key) = (Arc::clone(&self.keeper), self.key);
            runtime.spawn(async move {
                if bounded(keeper.client.query_one(&keeper.release, &[&key]))
                    .await
                    .is_err()
                {
                    keeper.lose();
                }
            });
        }
    }
}

async fn bounded<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Fault::Lost("PostgreSQL did not answer in time")),
    }
}

/// A name's number: 63 bits of a hash. Two names that share one only wait for each other.
fn key_of(tenant: &TenantId, name: &str) -> i64 {
    let text = format!("lock\0{}\0{name}", tenant.as_str());
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut first = [0; 8];
    first
        .iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    i64::from_be_bytes(first) | i64::MIN
}

/// Replicas that wait for the same lock do not ask in step.
fn jittered(pause: Duration, key: i64) -> Duration {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let dice =
        since_epoch.subsec_micros() ^ std::process::id() ^ (key.unsigned_abs() % 1024) as u32;
    pause.mul_f64(0.5 + f64::from(dice % 1024) / 1024.0)
}

const LOCK: &str = "get a lock that another replica holds";
const ACQUIRE: &str = "SELECT pg_try_advisory_lock($1)";
const RELEASE: &str = "SELECT pg_advisory_unlock($1)";
/// How long after finding a lock taken it is asked for again.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(40);
/// How often the connection is tried, and how long its answer may take.
const HEARTBEAT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(3);
