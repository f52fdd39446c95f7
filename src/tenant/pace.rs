//! How many accounts a tenant's client has locked or deleted of late: a runaway client is stopped (`most-changes`).

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

/// The deactivations and deletions within the last window.
#[derive(Debug, Default)]
pub struct Pace {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    at: VecDeque<Timestamp>,
    /// How many users the application had, and when.
    size: Option<(Timestamp, u64)>,
    /// Until when further ones are refused.
    paused_until: Option<Timestamp>,
}

impl Pace {
    /// Counts one more, unless there were `most` of them in the window already.
    ///
    /// # Errors
    ///
    /// The time until enough of them have left the window.
    pub fn count(&self, now: Timestamp, most: u64, window: Duration) -> Result<(), Duration> {
        let mut state = self.lock();
        while state
            .at
            .front()
            .is_some_and(|oldest| age(now, *oldest) >= window)
        {
            state.at.pop_front();
        }
        let too_many = (state.at.len() as u64).checked_sub(most);
        if let Some(too_many) = too_many {
            let leaves_last = usize::try_from(too_many)
                .ok()
                .and_then(|at| state.at.get(at));
            let wait = leaves_last.map_or(window, |at| window.saturating_sub(age(now, *at)));
            state.paused_until = now.checked_add(wait).ok();
            return Err(wait);
        }
        state.at.push_back(now);
        state.paused_until = None;
        Ok(())
    }

    /// Whether further ones are refused.
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.lock().paused_until.is_some_and(|until| until > now)
    }

    /// The operator has said anew what is allowed: it is looked at again.
    pub fn reconsider(&self) {
        self.lock().paused_until = None;
    }

    /// How many users the application had, if that was counted within the window.
    pub fn size(&self, now: Timestamp, window: Duration) -> Option<u64> {
        let (at, size) = self.lock().size?;
        (age(now, at) < window).then_some(size)
    }

    /// Notes how many users the application has.
    pub fn keep_size(&self, now: Timestamp, size: u64) {
        self.lock().size = Some((now, size));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn age(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
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
        assert!(pace.is_paused(at(1201)));
        assert!(!pace.is_paused(at(3600)));
        assert!(pace.count(at(3600), 2, hour).is_ok());
        assert!(pace.count(at(3601), 2, hour).is_err());
        // A smaller number waits until as many have left.
        assert_eq!(
            pace.count(at(3601), 1, hour),
            Err(Duration::from_secs(3599))
        );
        pace.reconsider();
        assert!(!pace.is_paused(at(3601)));
        assert!(pace.count(at(3601), 3, hour).is_ok());
    }

    #[test]
    fn the_number_of_users_holds_for_a_window() {
        let pace = Pace::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let hour = Duration::from_secs(3600);
        assert_eq!(pace.size(at(0), hour), None);
        pace.keep_size(at(0), 70);
        assert_eq!(pace.size(at(3599), hour), Some(70));
        assert_eq!(pace.size(at(3600), hour), None);
    }
}
