//! One writer per resource at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Locks by name, made when needed and forgotten when nobody holds them.
#[derive(Default)]
pub struct Locks {
    held: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl Locks {
    /// Waits for the lock of a name, such as `User/7`, and holds it until the guard is dropped.
    pub async fn hold(&self, name: String) -> OwnedMutexGuard<()> {
        let lock = self.lock_of(name);
        lock.lock_owned().await
    }

    fn lock_of(&self, name: String) -> Arc<AsyncMutex<()>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= SWEEP_AT {
            held.retain(|_, lock| lock.strong_count() > 0);
        }
        if let Some(lock) = held.get(&name).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(AsyncMutex::new(()));
        held.insert(name, Arc::downgrade(&lock));
        lock
    }
}

/// Forgotten locks are swept when so many names are known.
const SWEEP_AT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_writer_waits_for_the_first() {
        let locks = Arc::new(Locks::default());
        let first = locks.hold("User/7".into()).await;
        let waiting = tokio::spawn({
            let locks = Arc::clone(&locks);
            async move {
                let _second = locks.hold("User/7".into()).await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn names_nobody_holds_are_forgotten() {
        let locks = Locks::default();
        for number in 0..3 * SWEEP_AT {
            drop(locks.hold(format!("User/{number}")).await);
        }
        assert!(locks.held.lock().unwrap().len() <= SWEEP_AT);
    }
}
