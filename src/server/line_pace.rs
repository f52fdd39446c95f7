//! How many lines the log gets of refused requests: a stranger can send any number of them, and a full disk stops everybody.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lines of refusals in one second; further ones are counted only.
const LINES: u32 = 100;

const WINDOW: Duration = Duration::from_secs(1);

/// The pace of one listener.
#[derive(Debug, Default)]
pub(super) struct LinePace(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl LinePace {
    /// Whether a refusal gets a line now, and how many before it got none; absent if it gets none.
    pub(super) fn line(&self, now: Instant) -> Option<u64> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_within = |since: Instant| now.saturating_duration_since(since) < WINDOW;
        if !written.since.is_some_and(is_within) {
            written.since = Some(now);
            written.lines = 0;
        }
        if written.lines == LINES {
            written.left_out += 1;
            return None;
        }
        written.lines += 1;
        Some(std::mem::take(&mut written.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_a_flood_of_refusals_is_counted_and_not_written() {
        let pace = LinePace::default();
        let began = Instant::now();
        for _ in 0..LINES {
            assert_eq!(pace.line(began), Some(0));
        }
        for _ in 0..5000 {
            assert_eq!(pace.line(began + WINDOW / 2), None);
        }
        assert_eq!(pace.line(began + WINDOW), Some(5000));
        assert_eq!(pace.line(began + WINDOW), Some(0));
    }
}
