//! How many accounts a tenant's client has locked or deleted of late: a runaway client is stopped (`most-changes`).

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

/// The deactivations and deletions within the last window.
#[derive(Debug, Default)]
pub struct Pace {
    at: Mutex<VecDeque<Timestamp>>,
}

impl Pace {
    /// Counts one more, unless there were `most` of them in the window already.
    ///
    /// # Errors
    ///
    /// The time until the oldest of them leaves the window.
    pub fn count(&self, now: Timestamp, most: u64, window: Duration) -> Result<(), Duration> {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let age =
            |time: &Timestamp| Duration::try_from(now.duration_since(*time)).unwrap_or_default();
        while at.front().is_some_and(|oldest| age(oldest) >= window) {
            at.pop_front();
        }
        if at.len() as u64 >= most {
            return Err(at
                .front()
                .map_or(window, |oldest| window.saturating_sub(age(oldest))));
        }
        at.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_on() {
        let pace = Pace::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let hour = Duration::from_secs(3600);
        assert!(pace.count(at(0), 2, hour).is_ok());
        assert!(pace.count(at(600), 2, hour).is_ok());
        assert_eq!(
            pace.count(at(1200), 2, hour),
            Err(Duration::from_secs(2400))
        );
        assert!(pace.count(at(3600), 2, hour).is_ok());
        assert!(pace.count(at(3601), 2, hour).is_err());
    }
}
