//! What one connection is doing, and whether it has done nothing for too long.
//!
//! The deadlines of a connection are looked at a few times per deadline by its own task, instead of arming a timer for
//! each request: that would cost a system call each (hyper's own header timeout does).

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{
    sending::{Place, Sending},
    settings::Limits,
    traffic::Traffic,
};

type OnSent = Box<dyn FnOnce() + Send>;

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Not one byte of a request came.
    FirstByte,
    /// A request head did not end.
    Head,
    /// No request for a while; closed politely.
    Idle,
    /// The client takes no bytes of the answer.
    WriteStall,
}

/// What the server wants of a connection, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Wish {
    /// Nothing.
    Serve = 0,
    /// Tell HTTP/2 clients to open another connection. HTTP/1.1 clients learn it with their next answer.
    Announce = 1,
    /// Finish what is in flight, then close.
    Finish = 2,
    /// Close now.
    Cut = 3,
}

/// Shared by a connection's task, its socket wrapper, its requests and the registry.
pub(super) struct Activity {
    born: Instant,
    is_http2: AtomicBool,
    has_spoken: AtomicBool,
    must_linger: AtomicBool,
    in_flight: AtomicU32,
    // Milliseconds since `born`, plus one; 0 is never.
    head_since: AtomicU64,
    blocked_since: AtomicU64,
    quiet_since: AtomicU64,
    wish: AtomicU8,
    wished: Notify,
    has_unconfirmed: AtomicBool,
    unconfirmed: Mutex<Vec<OnSent>>,
    sending: Sending,
    traffic: Traffic,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            born: now,
            is_http2: AtomicBool::new(false),
            has_spoken: AtomicBool::new(false),
            must_linger: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            quiet_since: AtomicU64::new(1),
            wish: AtomicU8::new(Wish::Serve as u8),
            wished: Notify::new(),
            has_unconfirmed: AtomicBool::new(false),
            unconfirmed: Mutex::new(Vec::new()),
            sending: Sending::default(),
            traffic: Traffic::default(),
        }
    }

    fn stamp(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.born).as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX - 1) + 1
    }

    /// The handshake is over and requests may come.
    pub(super) fn ready(&self, now: Instant, is_http2: bool) {
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.quiet_since.store(self.stamp(now), Ordering::Relaxed);
    }

    /// Bytes arrived. Between requests of HTTP/1.1 they begin the next head. False if HTTP/2 is used to send anything but
    /// requests.
    pub(super) fn bytes_came(&self, count: usize) -> bool {
        self.has_spoken.store(true, Ordering::Relaxed);
        if self.is_http2.load(Ordering::Relaxed) {
            return self.traffic.received(count);
        }
        let is_head = self.in_flight.load(Ordering::Relaxed) == 0
            && self.head_since.load(Ordering::Relaxed) == 0;
        if is_head {
            let now = self.stamp(Instant::now());
            self.head_since.store(now, Ordering::Relaxed);
        }
        true
    }

    /// What of the connection's bytes is requests.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// A head is complete. What is returned ends the request when it is dropped.
    pub(super) fn request_began(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        InFlight {
            activity: Arc::clone(self),
            place: None,
        }
    }

    /// The socket took no bytes although there are some.
    pub(super) fn write_blocked(&self) {
        if self.blocked_since.load(Ordering::Relaxed) == 0 {
            let now = self.stamp(Instant::now());
            self.blocked_since.store(now, Ordering::Relaxed);
        }
    }

    /// The socket took bytes.
    pub(super) fn write_moved(&self) {
        if self.blocked_since.load(Ordering::Relaxed) != 0 {
            self.blocked_since.store(0, Ordering::Relaxed);
        }
    }

    /// Whether the connection should be closed by now, and why.
    pub(super) fn overdue(&self, now: Instant, limits: &Limits) -> Option<Overdue> {
        let now = self.stamp(now);
        let has_passed = |since: u64, limit: Duration| {
            since != 0 && u128::from(now.saturating_sub(since)) >= limit.as_millis()
        };
        if has_passed(
            self.blocked_since.load(Ordering::Relaxed),
            limits.write_stall,
        ) {
            return Some(Overdue::WriteStall);
        }
        if has_passed(self.sending.stuck_since().unwrap_or(0), limits.write_stall) {
            return Some(Overdue::WriteStall);
        }
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let quiet_since = self.quiet_since.load(Ordering::Relaxed);
        if !self.has_spoken.load(Ordering::Relaxed) && has_passed(quiet_since, limits.first_byte) {
            return Some(Overdue::FirstByte);
        }
        if has_passed(self.head_since.load(Ordering::Relaxed), limits.head) {
            return Some(Overdue::Head);
        }
        has_passed(quiet_since, limits.idle).then_some(Overdue::Idle)
    }

    /// Since when no request is in flight; absent while one is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.in_flight.load(Ordering::Relaxed) == 0;
        let quiet = Duration::from_millis(self.quiet_since.load(Ordering::Relaxed));
        is_idle.then(|| self.born + quiet)
    }

    /// Since when an answer has not moved; absent if none waits.
    pub(super) fn stuck_since(&self) -> Option<Instant> {
        let since = self.sending.stuck_since()?;
        Some(self.born + Duration::from_millis(since))
    }

    /// Bytes of a refused body are still on their way: closing at once would make the client's kernel throw the
    /// answer away.
    pub(super) fn linger(&self) {
        self.must_linger.store(true, Ordering::Relaxed);
    }

    pub(super) fn must_linger(&self) -> bool {
        self.must_linger.load(Ordering::Relaxed)
    }

    /// Raises what is wanted of the connection; a lower wish than before changes nothing.
    pub(super) fn wish_for(&self, wish: Wish) {
        self.wish.fetch_max(wish as u8, Ordering::AcqRel);
        self.wished.notify_one();
    }

    pub(super) fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Acquire) {
            0 => Wish::Serve,
            1 => Wish::Announce,
            2 => Wish::Finish,
            _ => Wish::Cut,
        }
    }

    /// Completes when a wish was raised.
    pub(super) fn wished(&self) -> tokio::sync::futures::Notified<'_> {
        self.wished.notified()
    }

    /// Called with the next flush: the bytes of the answer are in the write buffer.
    pub(super) fn confirm_with_next_flush(&self, on_sent: OnSent) {
        self.lock_unconfirmed().push(on_sent);
        self.has_unconfirmed.store(true, Ordering::Release);
    }

    /// Everything written so far is with the kernel.
    pub(super) fn flushed(&self) {
        if !self.has_unconfirmed.swap(false, Ordering::AcqRel) {
            return;
        }
        let confirmed = std::mem::take(&mut *self.lock_unconfirmed());
        for on_sent in confirmed {
            if catch_unwind(AssertUnwindSafe(on_sent)).is_err() {
                tracing::error!("acknowledging an answer panicked");
            }
        }
    }

    fn lock_unconfirmed(&self) -> std::sync::MutexGuard<'_, Vec<OnSent>> {
        self.unconfirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activity")
            .field("in_flight", &self.in_flight)
            .field("wish", &self.wish())
            .finish_non_exhaustive()
    }
}

/// A request between its head and the last byte of its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    place: Option<Place>,
}

impl InFlight {
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// The answer is ready, or a piece of it was taken.
    pub(super) fn answer_moved(&mut self) {
        let activity = &self.activity;
        let now = activity.stamp(Instant::now());
        match self.place {
            Some(place) => activity.sending.moved(place, now),
            None => self.place = Some(activity.sending.began(now)),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.activity;
        if let Some(place) = self.place {
            activity.sending.ended(place);
        }
        let now = activity.stamp(Instant::now());
        activity.quiet_since.store(now, Ordering::Relaxed);
        activity.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn connection(is_http2: bool) -> (Arc<Activity>, Instant) {
        let born = Instant::now();
        let activity = Activity::new(born);
        activity.ready(born, is_http2);
        (Arc::new(activity), born)
    }

    #[test]
    fn a_silent_connection_is_overdue_at_its_first_byte_deadline() {
        let limits = Limits::default();
        let (activity, born) = connection(false);
        assert_eq!(
            activity.overdue(born + limits.first_byte - SECOND, &limits),
            None
        );
        assert_eq!(
            activity.overdue(born + limits.first_byte, &limits),
            Some(Overdue::FirstByte)
        );
    }

    #[test]
    fn a_head_that_began_must_end_and_an_idle_connection_may_wait_longer() {
        let limits = Limits::default();
        let (activity, born) = connection(false);
        assert!(activity.bytes_came(1));
        assert_eq!(
            activity.overdue(born + limits.head + SECOND, &limits),
            Some(Overdue::Head)
        );
        drop(activity.request_began());
        assert_eq!(activity.overdue(born + limits.head + SECOND, &limits), None);
        assert_eq!(
            activity.overdue(born + limits.idle + SECOND, &limits),
            Some(Overdue::Idle)
        );
    }

    #[test]
    fn frames_between_requests_of_http2_begin_no_head_and_keep_nothing_open() {
        let limits = Limits::default();
        let (activity, born) = connection(true);
        assert!(activity.bytes_came(1));
        assert_eq!(activity.overdue(born + limits.head + SECOND, &limits), None);
        assert_eq!(
            activity.overdue(born + limits.idle + SECOND, &limits),
            Some(Overdue::Idle)
        );
    }

    #[test]
    fn a_request_in_flight_excuses_everything_but_a_client_that_does_not_read() {
        let limits = Limits::default();
        let (activity, born) = connection(false);
        let _in_flight = activity.request_began();
        let late = born + limits.idle * 2;
        assert_eq!(activity.overdue(late, &limits), None);
        activity.write_blocked();
        assert_eq!(activity.overdue(late, &limits), Some(Overdue::WriteStall));
        activity.write_moved();
        assert_eq!(activity.overdue(late, &limits), None);
    }

    #[test]
    fn an_answer_that_does_not_move_is_a_client_that_does_not_read() {
        let limits = Limits::default();
        let (activity, born) = connection(true);
        let mut in_flight = activity.request_began();
        let late = born + limits.write_stall + SECOND;
        assert_eq!(activity.overdue(late, &limits), None);
        in_flight.answer_moved();
        assert_eq!(activity.overdue(late - SECOND * 2, &limits), None);
        assert_eq!(activity.overdue(late, &limits), Some(Overdue::WriteStall));
        drop(in_flight);
        assert_eq!(activity.overdue(late, &limits), None);
    }

    #[test]
    fn an_acknowledgment_is_called_once_and_its_panic_is_contained() {
        let (activity, _) = connection(false);
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        activity.confirm_with_next_flush(Box::new(|| panic!("in a test")));
        activity.confirm_with_next_flush(Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }));
        activity.flushed();
        activity.flushed();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_wish_never_falls() {
        let (activity, _) = connection(false);
        activity.wish_for(Wish::Cut);
        activity.wish_for(Wish::Announce);
        assert_eq!(activity.wish(), Wish::Cut);
    }
}
