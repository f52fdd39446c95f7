//! What a target can take: calls at a time and calls in a period, with bounded waiting.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::mapping::model::{self, Rate};

/// Calls at the same time unless the mapping says otherwise.
const CONCURRENT: usize = 16;
/// Calls that may wait for their turn; more are refused at once (promise R10).
const WAITING: usize = 256;

/// Which limits a call counts against, besides the one for all calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
    /// Removes something.
    Delete,
}

/// The budget of one target.
#[derive(Debug)]
pub struct Budget {
    places: Semaphore,
    most: usize,
    waiting: AtomicUsize,
    /// For every call, then for its kind.
    limits: [Option<Mutex<Bucket>>; 4],
    /// The target said that it has had enough until then.
    paused_until: Mutex<Option<Instant>>,
}

/// No place before the deadline, or too many are waiting already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

/// What is taken of a budget at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Calls under way.
    pub in_flight: usize,
    /// Calls that may be.
    pub most_in_flight: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// How long the target wants to be left alone.
    pub paused: Option<Duration>,
}

impl Budget {
    /// Starts with full buckets.
    pub fn new(budget: &model::Budget, now: Instant) -> Self {
        let bucket = |rate: Option<Rate>| rate.map(|rate| Mutex::new(Bucket::new(rate, now)));
        let most = budget.concurrent.unwrap_or(CONCURRENT).max(1);
        Self {
            places: Semaphore::new(most),
            most,
            waiting: AtomicUsize::new(0),
            limits: [
                bucket(budget.calls),
                bucket(budget.reads),
                bucket(budget.writes),
                bucket(budget.deletes),
            ],
            paused_until: Mutex::new(None),
        }
    }

    /// Waits for the call's turn, not beyond the deadline. The permit is held until the reply is read.
    ///
    /// # Errors
    ///
    /// [`Exhausted`], at once where it can be known at once: no call waits in vain.
    pub async fn turn(
        &self,
        kind: Kind,
        deadline: Instant,
    ) -> Result<SemaphorePermit<'_>, Exhausted> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Exhausted);
        }
        let _leaving = Leaving(&self.waiting);
        let permit = match self.places.try_acquire() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout_at(deadline, self.places.acquire())
                .await
                .map_err(|_| Exhausted)?
                .map_err(|_| Exhausted)?,
        };
        let turn = self.reserve(kind, Instant::now(), deadline)?;
        if let Some(turn) = turn {
            tokio::time::sleep_until(turn).await;
        }
        Ok(permit)
    }

    /// Holds all calls back until then: the target said "too many". A later time wins over an earlier one.
    pub fn pause_until(&self, then: Instant) {
        let mut paused = self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if paused.is_none_or(|until| until < then) {
            *paused = Some(then);
        }
    }

    /// How long the target wants to be left alone, from now.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        let paused = self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        paused
            .map(|until| until.saturating_duration_since(now))
            .filter(|left| !left.is_zero())
    }

    /// What is taken of it, for status pages.
    pub fn load(&self, now: Instant) -> Load {
        let free = self.places.available_permits();
        Load {
            in_flight: self.most.saturating_sub(free),
            most_in_flight: self.most,
            waiting: self.waiting.load(Ordering::Relaxed),
            paused: self.pause(now),
        }
    }

    /// Takes a token from every bucket the call counts against, and says when they will be there; absent: now.
    fn reserve(
        &self,
        kind: Kind,
        now: Instant,
        deadline: Instant,
    ) -> Result<Option<Instant>, Exhausted> {
        let of_kind = match kind {
            Kind::Read => 1,
            Kind::Write => 2,
            Kind::Delete => 3,
        };
        let mut buckets: Vec<_> = [0, of_kind]
            .iter()
            .filter_map(|index| self.limits.get(*index).and_then(Option::as_ref))
            .map(|bucket| bucket.lock().unwrap_or_else(PoisonError::into_inner))
            .collect();
        // All are looked at before any is taken from, so that a refused call costs nothing.
        let mut turn = now + self.pause(now).unwrap_or_default();
        for bucket in &buckets {
            turn = turn.max(bucket.next(now));
        }
        if turn > deadline {
            return Err(Exhausted);
        }
        for bucket in &mut buckets {
            bucket.take(now);
        }
        Ok((turn > now).then_some(turn))
    }
}

/// Counts a waiting call out, also when its future is dropped.
struct Leaving<'w>(&'w AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A token bucket, kept as the time at which it would be full again.
#[derive(Debug)]
struct Bucket {
    /// Between two calls on the average.
    interval: Duration,
    /// How much of the future may be taken at once: a whole second's tokens, one at least.
    burst: Duration,
    full_at: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        let count = rate.count.max(1);
        let interval = rate.per / count;
        let a_second = Duration::from_secs(1).min(rate.per);
        Self {
            interval,
            burst: a_second.max(interval),
            full_at: now,
        }
    }

    /// When the next token is there.
    fn next(&self, now: Instant) -> Instant {
        let after = self.full_at.max(now) + self.interval;
        match after.checked_sub(self.burst) {
            Some(turn) => turn.max(now),
            None => now,
        }
    }

    fn take(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: u32, seconds: u64) -> Option<Rate> {
        let per = Duration::from_secs(seconds);
        Some(Rate { count, per })
    }

    fn seconds(number: f64) -> Duration {
        Duration::from_secs_f64(number)
    }

    #[test]
    fn a_bucket_gives_a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(
            Rate {
                count: 10,
                per: seconds(1.0),
            },
            start,
        );
        for _ in 0..10 {
            assert_eq!(bucket.next(start), start);
            bucket.take(start);
        }
        assert_eq!(bucket.next(start), start + seconds(0.1));
        bucket.take(start);
        assert_eq!(bucket.next(start), start + seconds(0.2));
        assert_eq!(bucket.next(start + seconds(5.0)), start + seconds(5.0));
    }

    #[test]
    fn a_slow_rate_gives_one_at_a_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(
            Rate {
                count: 6,
                per: seconds(60.0),
            },
            start,
        );
        bucket.take(start);
        assert_eq!(bucket.next(start), start + seconds(10.0));
    }

    #[test]
    fn a_refused_call_takes_nothing() {
        let now = Instant::now();
        let limits = model::Budget {
            writes: rate(1, 100),
            calls: rate(1000, 1),
            ..Default::default()
        };
        let budget = Budget::new(&limits, now);
        assert_eq!(budget.reserve(Kind::Write, now, now), Ok(None));
        for _ in 0..500 {
            assert_eq!(
                budget.reserve(Kind::Write, now, now + seconds(1.0)),
                Err(Exhausted)
            );
        }
        // The bucket for all calls has lost one token only, and reads have no limit of their own.
        assert_eq!(budget.reserve(Kind::Read, now, now), Ok(None));
        assert_eq!(
            budget.reserve(Kind::Write, now, now + seconds(100.0)),
            Ok(Some(now + seconds(100.0)))
        );
    }

    #[test]
    fn a_pause_holds_every_kind_back_and_the_longer_one_wins() {
        let now = Instant::now();
        let budget = Budget::new(&model::Budget::default(), now);
        budget.pause_until(now + seconds(2.0));
        budget.pause_until(now + seconds(1.0));
        assert_eq!(
            budget.reserve(Kind::Read, now, now + seconds(1.5)),
            Err(Exhausted)
        );
        assert_eq!(
            budget.reserve(Kind::Read, now, now + seconds(3.0)),
            Ok(Some(now + seconds(2.0)))
        );
        assert_eq!(budget.pause(now + seconds(2.0)), None);
    }

    #[tokio::test]
    async fn a_place_is_waited_for_until_the_deadline() {
        let limits = model::Budget {
            concurrent: Some(1),
            ..Default::default()
        };
        let budget = Budget::new(&limits, Instant::now());
        let far = Instant::now() + seconds(60.0);
        let held = budget.turn(Kind::Read, far).await.unwrap();
        let near = Instant::now() + seconds(0.02);
        assert_eq!(budget.turn(Kind::Read, near).await.err(), Some(Exhausted));
        drop(held);
        assert!(budget.turn(Kind::Read, far).await.is_ok());
    }
}
