//! What a listener counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one listener, for metrics. Those of what is open or held also fall.
#[derive(Debug, Default)]
pub struct ServerStats {
    pub(super) connections: AtomicU64,
    pub(super) requests_in_flight: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) timed_out: AtomicU64,
    pub(super) flooded: AtomicU64,
    pub(super) failed_handshakes: AtomicU64,
    pub(super) refused_requests: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) body_bytes: AtomicU64,
    pub(super) answer_bytes: AtomicU64,
}

impl ServerStats {
    /// Connections open now, those in a TLS handshake included.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Requests with the handler now, those whose client has left included.
    pub fn requests_in_flight(&self) -> u64 {
        self.requests_in_flight.load(Ordering::Relaxed)
    }

    /// Connections accepted since the start.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections closed at once because a limit was reached.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Idle connections closed to make room.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Connections closed by a deadline other than that for idleness.
    pub fn timed_out(&self) -> u64 {
        self.timed_out.load(Ordering::Relaxed)
    }

    /// Connections cut because hardly anything on them was a request.
    pub fn flooded(&self) -> u64 {
        self.flooded.load(Ordering::Relaxed)
    }

    /// TLS handshakes that failed or took too long.
    pub fn failed_handshakes(&self) -> u64 {
        self.failed_handshakes.load(Ordering::Relaxed)
    }

    /// Requests refused by the edge itself; the handler never saw them.
    pub fn refused_requests(&self) -> u64 {
        self.refused_requests.load(Ordering::Relaxed)
    }

    /// Panics in the handler.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Bytes of request bodies held now.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of answers that clients have not taken yet.
    pub fn answer_bytes(&self) -> u64 {
        self.answer_bytes.load(Ordering::Relaxed)
    }
}

/// Adds one while it lives; for the counters that also fall.
#[derive(Debug)]
pub(super) struct Counted<F: Fn(&ServerStats) -> &AtomicU64> {
    stats: std::sync::Arc<ServerStats>,
    counter: F,
}

impl<F: Fn(&ServerStats) -> &AtomicU64> Counted<F> {
    pub(super) fn new(stats: std::sync::Arc<ServerStats>, counter: F) -> Self {
        counter(&stats).fetch_add(1, Ordering::Relaxed);
        Self { stats, counter }
    }
}

impl<F: Fn(&ServerStats) -> &AtomicU64> Drop for Counted<F> {
    fn drop(&mut self) {
        (self.counter)(&self.stats).fetch_sub(1, Ordering::Relaxed);
    }
}
