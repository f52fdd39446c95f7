//! Locks that hold over all replicas.

use std::sync::Arc;

use tokio::sync::Notify;

/// A lock, until it is dropped.
#[must_use]
#[derive(Default)]
pub struct StoreLock {
    held: Option<Box<dyn HeldLock>>,
}

/// What an engine with replicas keeps for a lock; dropping it lets go.
pub(super) trait HeldLock: Send + Sync {
    /// Tells when the lock is lost before it is let go of.
    fn tell_loss(&self, lost: &Arc<Notify>);
}

impl StoreLock {
    /// Nobody else has this store: the lock within the process is enough.
    pub fn of_one_process() -> Self {
        Self::default()
    }

    #[cfg(feature = "postgres")]
    pub(super) fn new(held: impl HeldLock + 'static) -> Self {
        Self {
            held: Some(Box::new(held)),
        }
    }

    /// Notifies `lost` if the lock is lost before it is dropped: with the connection that held it. Whoever relies on it must stop then.
    pub fn tell_loss(&self, lost: &Arc<Notify>) {
        if let Some(held) = &self.held {
            held.tell_loss(lost);
        }
    }
}
