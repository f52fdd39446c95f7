//! Whether a target that fails is left alone for a while. A state machine: it is told the time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Failures in a row that open it.
const FAILURES_IN_A_ROW: u32 = 5;
/// Calls within the window before the share of failures counts.
const CALLS_FOR_A_SHARE: u32 = 20;
/// The window is that many buckets of one second each.
const BUCKETS: usize = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The circuit breaker of one target (promise R6).
///
/// Closed: calls pass. Five failures in a row, or less than half successful of at least twenty calls in ten seconds, open it.
/// Open: no call passes for a second, then twice as long after each failed probe, up to a minute. After the pause one probe
/// passes at a time; the first success closes it.
#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    /// When the next probe may pass, while open.
    probe_from: Option<Instant>,
    is_probing: bool,
    pause: Duration,
    failures_in_a_row: u32,
    window: Window,
    last_answer: Option<Instant>,
    last_failure: Option<Instant>,
}

/// How a target stands, for status pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Whether calls are refused.
    pub is_open: bool,
    /// Whether the one call that may close it is under way.
    pub is_probing: bool,
    /// Until a probe may pass; absent while closed.
    pub next_try: Option<Duration>,
    /// When a call was last answered.
    pub last_answer: Option<Instant>,
    /// When a call last failed.
    pub last_failure: Option<Instant>,
}

/// How a call ended, as far as the target's health goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, be it with a refusal.
    Answered,
    /// It could not be reached, was too slow, or said that it is not working.
    Failed,
}

/// Leave for one call. Dropped without [`record`](Self::record), it says nothing about the target.
#[derive(Debug)]
pub struct Passage<'b> {
    breaker: &'b Breaker,
    is_probe: bool,
    is_recorded: bool,
}

impl Breaker {
    /// Lets a call pass.
    ///
    /// # Errors
    ///
    /// The time until it is worth asking again, if the breaker is open.
    pub fn admit(&self, now: Instant) -> Result<Passage<'_>, Duration> {
        let mut state = self.lock();
        if state.is_open {
            let wait = state
                .probe_from
                .map_or(Duration::ZERO, |from| from.saturating_duration_since(now));
            if state.is_probing || !wait.is_zero() {
                return Err(wait.max(FIRST_PAUSE));
            }
            state.is_probing = true;
        }
        Ok(Passage {
            breaker: self,
            is_probe: state.is_open,
            is_recorded: false,
        })
    }

    /// Whether calls are refused at the moment, for status pages.
    pub fn is_open(&self) -> bool {
        self.lock().is_open
    }

    /// How the target stands.
    pub fn health(&self, now: Instant) -> Health {
        let state = self.lock();
        let next_try = state.probe_from.filter(|_| state.is_open);
        Health {
            is_open: state.is_open,
            is_probing: state.is_probing,
            next_try: next_try.map(|from| from.saturating_duration_since(now)),
            last_answer: state.last_answer,
            last_failure: state.last_failure,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passage<'_> {
    /// Says how the call ended.
    pub fn record(mut self, outcome: Outcome, now: Instant) {
        self.is_recorded = true;
        let mut state = self.breaker.lock();
        if self.is_probe {
            state.is_probing = false;
        }
        match outcome {
            Outcome::Answered => state.succeed(self.is_probe, now),
            Outcome::Failed => state.fail(self.is_probe, now),
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_recorded {
            self.breaker.lock().is_probing = false;
        }
    }
}

impl State {
    fn succeed(&mut self, is_probe: bool, now: Instant) {
        self.failures_in_a_row = 0;
        if is_probe {
            *self = Self {
                last_failure: self.last_failure,
                ..Self::default()
            };
        }
        self.last_answer = Some(now);
        // A late success of a call from before the opening does not close it: only probes do.
        self.window.add(now, true);
    }

    fn fail(&mut self, is_probe: bool, now: Instant) {
        self.last_failure = Some(now);
        if is_probe {
            self.open((self.pause * 2).min(LONGEST_PAUSE), now);
            return;
        }
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.window.add(now, false);
        let is_bad = self.failures_in_a_row >= FAILURES_IN_A_ROW || self.window.is_mostly_failing();
        if !self.is_open && is_bad {
            self.open(FIRST_PAUSE, now);
        }
    }

    fn open(&mut self, pause: Duration, now: Instant) {
        self.is_open = true;
        self.pause = pause;
        self.probe_from = Some(now + pause);
    }
}

/// Successes and failures of the last ten seconds.
#[derive(Debug, Default)]
struct Window {
    /// Where second 0 is.
    start: Option<Instant>,
    /// The second each bucket stands for, with its successes and failures.
    buckets: [(u64, u32, u32); BUCKETS],
    latest: u64,
}

impl Window {
    fn add(&mut self, now: Instant, is_success: bool) {
        let start = *self.start.get_or_insert(now);
        let second = now.saturating_duration_since(start).as_secs();
        self.latest = self.latest.max(second);
        let index = usize::try_from(second).unwrap_or(0) % BUCKETS;
        if let Some(bucket) = self.buckets.get_mut(index) {
            if bucket.0 != second {
                *bucket = (second, 0, 0);
            }
            match is_success {
                true => bucket.1 = bucket.1.saturating_add(1),
                false => bucket.2 = bucket.2.saturating_add(1),
            }
        }
    }

    fn is_mostly_failing(&self) -> bool {
        let oldest = self.latest.saturating_sub(BUCKETS as u64 - 1);
        let recent = self.buckets.iter().filter(|bucket| bucket.0 >= oldest);
        let (good, bad) = recent.fold((0u32, 0u32), |(good, bad), bucket| {
            (good.saturating_add(bucket.1), bad.saturating_add(bucket.2))
        });
        good.saturating_add(bad) >= CALLS_FOR_A_SHARE && good < bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(breaker: &Breaker, outcome: Outcome, now: Instant) {
        breaker.admit(now).unwrap().record(outcome, now);
    }

    fn opened(now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES_IN_A_ROW {
            call(&breaker, Outcome::Failed, now);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let now = Instant::now();
        let breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 0..4 {
                call(&breaker, Outcome::Failed, now);
            }
            call(&breaker, Outcome::Answered, now);
        }
        assert!(!breaker.is_open());
        for _ in 0..5 {
            call(&breaker, Outcome::Failed, now);
        }
        assert!(breaker.admit(now).is_err());
    }

    #[test]
    fn less_than_half_successful_in_ten_seconds_opens_it() {
        let start = Instant::now();
        let breaker = Breaker::default();
        for number in 0..30 {
            let now = start + Duration::from_millis(number * 200);
            // Two failures, one success, never five in a row.
            let outcome = if number % 3 == 2 {
                Outcome::Answered
            } else {
                Outcome::Failed
            };
            if breaker.is_open() {
                assert!(number >= 20, "opened after {number} calls");
                return;
            }
            call(&breaker, outcome, now);
        }
        panic!("it never opened");
    }

    #[test]
    fn failures_older_than_ten_seconds_are_forgotten() {
        let start = Instant::now();
        let breaker = Breaker::default();
        for number in 0..60 {
            // One call a second: at most ten are in the window, fewer than it takes for a share.
            let outcome = if number % 3 == 2 {
                Outcome::Answered
            } else {
                Outcome::Failed
            };
            call(&breaker, outcome, start + Duration::from_secs(number));
        }
        assert!(!breaker.is_open());
    }

    #[test]
    fn one_probe_passes_after_the_pause_and_its_success_closes_it() {
        let now = Instant::now();
        let breaker = opened(now);
        assert!(breaker.admit(now + Duration::from_millis(999)).is_err());
        let later = now + FIRST_PAUSE;
        let probe = breaker.admit(later).unwrap();
        assert!(breaker.admit(later).is_err(), "a second probe passed");
        probe.record(Outcome::Answered, later);
        call(&breaker, Outcome::Failed, later);
        assert!(breaker.admit(later).is_ok());
    }

    #[test]
    fn its_health_tells_when_calls_last_ended_and_when_the_next_is_tried() {
        let now = Instant::now();
        let breaker = opened(now);
        let health = breaker.health(now + Duration::from_millis(400));
        assert!(health.is_open && !health.is_probing);
        assert_eq!(health.next_try, Some(Duration::from_millis(600)));
        assert_eq!((health.last_answer, health.last_failure), (None, Some(now)));
        let later = now + FIRST_PAUSE;
        let probe = breaker.admit(later).unwrap();
        assert!(breaker.health(later).is_probing);
        probe.record(Outcome::Answered, later);
        let health = breaker.health(later);
        assert!(!health.is_open && health.next_try.is_none());
        assert_eq!(health.last_answer, Some(later));
        assert_eq!(health.last_failure, Some(now));
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_a_minute() {
        let mut now = Instant::now();
        let breaker = opened(now);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(
                breaker
                    .admit(now + Duration::from_millis(expected * 1000 - 1))
                    .is_err()
            );
            now += Duration::from_secs(expected);
            call(&breaker, Outcome::Failed, now);
        }
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room_for_another() {
        let now = Instant::now();
        let breaker = opened(now);
        let later = now + FIRST_PAUSE;
        drop(breaker.admit(later).unwrap());
        assert!(breaker.admit(later).is_ok());
    }

    #[test]
    fn a_late_success_from_before_does_not_close_it() {
        let now = Instant::now();
        let breaker = Breaker::default();
        let slow = breaker.admit(now).unwrap();
        for _ in 0..5 {
            call(&breaker, Outcome::Failed, now);
        }
        slow.record(Outcome::Answered, now);
        assert!(breaker.admit(now).is_err());
    }
}
