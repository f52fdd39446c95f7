//! Answers on their way: since when each of a connection has not moved.
//!
//! A client that takes no byte from the socket is seen there. One of HTTP/2 can hold a single answer back by its flow-control
//! window, while the socket and its pings go on: that is seen only here.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The answers of one connection that are not sent to their end.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// When each last moved, as [`Activity`](super::activity::Activity) stamps times; 0 is a free place.
    moved: Mutex<Vec<u64>>,
}

/// Which answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Sending {
    /// An answer is ready. Its place is to be [left](Self::ended).
    pub(super) fn began(&self, now: u64) -> Place {
        let mut moved = self.lock();
        match moved.iter().position(|stamp| *stamp == 0) {
            Some(free) => {
                moved[free] = now;
                Place(free)
            }
            None => {
                moved.push(now);
                Place(moved.len() - 1)
            }
        }
    }

    /// A piece of it was taken.
    pub(super) fn moved(&self, place: Place, now: u64) {
        if let Some(stamp) = self.lock().get_mut(place.0) {
            *stamp = now;
        }
    }

    /// It is sent, or nobody waits for it.
    pub(super) fn ended(&self, place: Place) {
        self.moved(place, 0);
    }

    /// Since when the answer that has not moved for longest waits; absent while none does.
    pub(super) fn stuck_since(&self) -> Option<u64> {
        self.lock()
            .iter()
            .copied()
            .filter(|stamp| *stamp != 0)
            .min()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_that_waits_longest_counts_until_it_moves_or_ends() {
        let sending = Sending::default();
        assert_eq!(sending.stuck_since(), None);
        let (first, second) = (sending.began(5), sending.began(7));
        assert_eq!(sending.stuck_since(), Some(5));
        sending.moved(first, 9);
        assert_eq!(sending.stuck_since(), Some(7));
        sending.ended(second);
        assert_eq!(sending.stuck_since(), Some(9));
        assert_eq!(sending.began(11), second);
        sending.ended(first);
        assert_eq!(sending.stuck_since(), Some(11));
    }
}
