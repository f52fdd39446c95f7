//! How a target stands, for `/status`.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Driver, breaker::Health};

/// How a target stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetStatus {
    /// `closed`: calls are made. `open`: it has failed too often, and calls are refused. `probing`: one call is under way to
    /// see whether it works again.
    pub circuit: &'static str,
    /// Until the next call is tried, in seconds, rounded up; absent while the circuit is closed.
    pub next_try_seconds: Option<u64>,
    /// When a call was last answered, be it with a refusal; absent if none was since the start or since the way to the target
    /// was changed.
    pub last_answer: Option<String>,
    /// When a call last failed: not reached, too slow, or said to be out of order.
    pub last_failure: Option<String>,
    /// Calls under way.
    pub calls_in_flight: usize,
    /// Calls that may be under way at the same time (`[target.budget] concurrent`).
    pub most_calls_in_flight: usize,
    /// Calls that wait for their turn.
    pub calls_waiting: usize,
    /// How long all calls are held back because the target asked for that, in seconds; absent if they are not.
    pub paused_seconds: Option<u64>,
}

impl Driver {
    /// How the target stands now.
    pub fn status(&self) -> TargetStatus {
        let now = Instant::now();
        let time = Timestamp::now();
        let Health {
            is_open,
            is_probing,
            next_try,
            last_answer,
            last_failure,
        } = self.line.health(now);
        let at = |instant: Option<Instant>| {
            let age = now.saturating_duration_since(instant?);
            let then = time.checked_sub(SignedDuration::try_from(age).ok()?);
            Some(format!("{:.0}", then.ok()?))
        };
        let load = self.line.budget.load(now.into());
        TargetStatus {
            circuit: match (is_open, is_probing) {
                (false, _) => "closed",
                (true, false) => "open",
                (true, true) => "probing",
            },
            next_try_seconds: next_try.map(whole_seconds),
            last_answer: at(last_answer),
            last_failure: at(last_failure),
            calls_in_flight: load.in_flight,
            most_calls_in_flight: load.most_in_flight,
            calls_waiting: load.waiting,
            paused_seconds: load.paused.map(whole_seconds),
        }
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
}
