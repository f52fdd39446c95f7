//! How much of what a connection of HTTP/2 sends is requests: the rest costs work that no limit on requests counts.
//!
//! Floods of PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty or padded DATA and of frames of unknown types are all the same
//! here. Chunked HTTP/1.1 has its own limits in hyper.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a connection may send beside requests before anything is made of them.
const FREE: u64 = 1024 * 1024;

/// Bytes that may come for each byte of a request. A frame of one byte has ten.
const PER_BYTE: u64 = 8;

/// An answer is taken with a window update for every so many bytes at most.
const ANSWER_BYTES_PER_BYTE: u64 = 64;

/// What one connection sent.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    received: AtomicU64,
    useful: AtomicU64,
}

impl Traffic {
    /// Bytes came from the socket. False if too few of all so far were for a request.
    pub(super) fn received(&self, bytes: usize) -> bool {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        !self.is_flood()
    }

    /// Whether too few bytes so far were for a request.
    pub(super) fn is_flood(&self) -> bool {
        let useful = self.useful.load(Ordering::Relaxed);
        let allowed = useful.saturating_mul(PER_BYTE).saturating_add(FREE);
        self.received.load(Ordering::Relaxed) > allowed
    }

    /// So many of them were a head or a body. A head counts as long as it is without compression.
    pub(super) fn used(&self, bytes: usize) {
        self.useful.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// An answer of so many bytes is to be taken, for which the client sends window updates.
    pub(super) fn answered(&self, bytes: usize) {
        self.used(bytes / ANSWER_BYTES_PER_BYTE as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_beside_requests_are_free_up_to_a_point_and_requests_earn_more() {
        let traffic = Traffic::default();
        assert!(traffic.received(FREE as usize));
        assert!(!traffic.received(1));
        traffic.used(100);
        assert!(traffic.received(799));
        assert!(!traffic.received(1));
        traffic.answered(64 * 1024);
        assert!(traffic.received(8 * 1024));
        assert!(!traffic.received(1));
    }

    #[test]
    fn bodies_in_the_smallest_frames_are_no_flood() {
        let traffic = Traffic::default();
        for _ in 0..10_000_000 / 64 {
            // 64 bytes of body, each frame with a head of nine bytes and a window update in return.
            assert!(traffic.received(64 + 9 + 13));
            traffic.used(64);
        }
    }
}
