//! All open connections: how many, whose, and how to reach them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{
    activity::{Activity, Wish},
    settings::peer_block,
    stats::ServerStats,
};

#[derive(Debug)]
pub(super) struct Registry {
    max_connections: usize,
    max_per_peer: usize,
    stats: Arc<ServerStats>,
    open: Mutex<Open>,
    unfinished: AtomicUsize,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<u64, Entry>,
    per_peer: HashMap<IpAddr, usize>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    activity: Arc<Activity>,
    peer: Option<IpAddr>,
}

impl Open {
    fn remove(&mut self, id: u64) {
        let Some(peer) = self.connections.remove(&id).and_then(|entry| entry.peer) else {
            return;
        };
        if let Some(count) = self.per_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.per_peer.remove(&peer);
            }
        }
    }

    fn longest_idle(&self) -> Option<u64> {
        self.connections
            .iter()
            .filter_map(|(id, entry)| Some((entry.activity.idle_since()?, *id)))
            .min()
            .map(|(_, id)| id)
    }
}

impl Registry {
    pub(super) fn new(
        max_connections: usize,
        max_per_peer: usize,
        stats: Arc<ServerStats>,
    ) -> Self {
        Self {
            max_connections,
            max_per_peer,
            stats,
            open: Mutex::default(),
            unfinished: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for a connection and enters it; absent if there is none.
    ///
    /// `peer` is absent for a trusted proxy, which may open any number.
    pub(super) fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<Entered> {
        let peer = peer.map(peer_block);
        let mut open = self.lock();
        if let Some(peer) = peer
            && open.per_peer.get(&peer).copied().unwrap_or(0) >= self.max_per_peer
        {
            self.stats.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if open.connections.len() >= self.max_connections && !self.evict(&mut open) {
            self.stats.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let id = open.next_id;
        open.next_id += 1;
        let activity = Arc::new(Activity::new(Instant::now()));
        let entry = Entry {
            activity: Arc::clone(&activity),
            peer,
        };
        open.connections.insert(id, entry);
        if let Some(peer) = peer {
            *open.per_peer.entry(peer).or_default() += 1;
        }
        self.stats.connections.fetch_add(1, Ordering::Relaxed);
        self.stats.accepted.fetch_add(1, Ordering::Relaxed);
        Some(Entered {
            registry: Arc::clone(self),
            id,
            activity,
        })
    }

    /// Closes the connection that is idle for longest; false if none is idle.
    pub(super) fn evict_one(&self) -> bool {
        self.evict(&mut self.lock())
    }

    /// Cuts the connection whose answer has not moved for longest, if that is longer than `patience`.
    pub(super) fn cut_stuck(&self, patience: Duration) {
        let open = self.lock();
        let stuck = open
            .connections
            .values()
            .filter_map(|entry| Some((entry.activity.stuck_since()?, entry)))
            .min_by_key(|(since, _)| *since);
        if let Some((since, entry)) = stuck
            && since.elapsed() >= patience
        {
            entry.activity.wish_for(Wish::Cut);
            self.stats.timed_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn evict(&self, open: &mut Open) -> bool {
        let Some(id) = open.longest_idle() else {
            return false;
        };
        if let Some(entry) = open.connections.get(&id) {
            entry.activity.wish_for(Wish::Cut);
        }
        open.remove(id);
        self.stats.evicted.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Tells every connection what is wanted; returns how many there are.
    pub(super) fn wish_for(&self, wish: Wish) -> usize {
        let open = self.lock();
        for entry in open.connections.values() {
            entry.activity.wish_for(wish);
        }
        open.connections.len()
    }

    /// Notes a request that runs on although its client may leave, until what is returned is dropped.
    pub(super) fn unfinished(self: &Arc<Self>) -> Unfinished {
        self.unfinished.fetch_add(1, Ordering::AcqRel);
        Unfinished(Arc::clone(self))
    }

    pub(super) fn unfinished_count(&self) -> usize {
        self.unfinished.load(Ordering::Acquire)
    }

    /// Completes when no connection is open and no request unfinished.
    pub(super) async fn emptied(&self) {
        loop {
            let changed = self.changed.notified();
            if self.unfinished_count() == 0 && self.lock().connections.is_empty() {
                return;
            }
            changed.await;
        }
    }
}

/// An entry of the registry; leaves it when dropped.
#[derive(Debug)]
pub(super) struct Entered {
    registry: Arc<Registry>,
    id: u64,
    pub activity: Arc<Activity>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.registry.lock().remove(self.id);
        let stats = &self.registry.stats;
        stats.connections.fetch_sub(1, Ordering::Relaxed);
        self.registry.changed.notify_waiters();
    }
}

/// See [`Registry::unfinished`].
#[derive(Debug)]
pub(super) struct Unfinished(Arc<Registry>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(max_connections: usize, max_per_peer: usize) -> Arc<Registry> {
        Arc::new(Registry::new(max_connections, max_per_peer, Arc::default()))
    }

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn one_client_has_at_most_its_share_and_gets_it_back() {
        let registry = registry(10, 2);
        let first = registry.enter(ip(1)).unwrap();
        let _second = registry.enter(ip(1)).unwrap();
        assert!(registry.enter(ip(1)).is_none());
        assert!(registry.enter(ip(2)).is_some());
        drop(first);
        assert!(registry.enter(ip(1)).is_some());
    }

    #[test]
    fn a_trusted_proxy_has_no_share() {
        let registry = registry(10, 1);
        let _first = registry.enter(None).unwrap();
        assert!(registry.enter(None).is_some());
    }

    #[test]
    fn at_the_limit_the_longest_idle_connection_makes_room() {
        let registry = registry(2, 10);
        let busy = registry.enter(ip(1)).unwrap();
        let idle = registry.enter(ip(2)).unwrap();
        let in_flight = busy.activity.request_began();
        let newcomer = registry.enter(ip(3)).unwrap();
        assert_eq!(idle.activity.wish(), Wish::Cut);
        assert_eq!(busy.activity.wish(), Wish::Serve);
        let _also_busy = newcomer.activity.request_began();
        assert!(registry.enter(ip(4)).is_none());
        drop(in_flight);
        assert!(registry.enter(ip(4)).is_some());
        assert_eq!(busy.activity.wish(), Wish::Cut);
    }

    #[tokio::test]
    async fn it_is_empty_only_when_connections_and_requests_are_gone() {
        let registry = registry(2, 2);
        let connection = registry.enter(ip(1)).unwrap();
        let request = registry.unfinished();
        let waiting = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.emptied().await }
        });
        drop(connection);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(request);
        waiting.await.unwrap();
    }
}
