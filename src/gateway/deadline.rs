//! The time for one request: how much there is, and what is said when it is over.

use std::{sync::PoisonError, time::Duration};

use tokio::time::Instant;

use crate::{
    dialect::{Dialect, Patience},
    mapping::model::Target,
    scim::Error,
};

use super::{Context, Limits, error::SHORTLY};

/// The time for one request, all its calls together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The shortest of the operator's limit, the application's, and what the client waits less the way there and back.
    pub time: Duration,
    /// What is known of the client, if that is the shortest (R11).
    pub patience: Option<Patience>,
}

impl Deadline {
    /// That of a request in this dialect. The application's own limit is for what one wish costs: a bulk request, which has
    /// many, keeps it for each of them.
    pub fn of(limits: &Limits, target: &Target, dialect: &Dialect, is_bulk: bool) -> Self {
        let configured = match is_bulk {
            true => limits.request_deadline,
            false => limits.request_deadline.min(target.deadline),
        };
        let patience = dialect.patience();
        match patience.filter(|patience| patience.answered_within() < configured) {
            Some(patience) => Self {
                time: patience.answered_within(),
                patience: Some(patience),
            },
            None => Self {
                time: configured,
                patience: None,
            },
        }
    }

    /// Notes that a request was given up early for the client's sake, if it was.
    pub fn note(self, ctx: &Context, error: &Error) {
        let is_over = error.status == 504 && Instant::now() >= ctx.journey.deadline;
        let Some(patience) = self.patience.filter(|_| is_over) else {
            return;
        };
        ctx.note(
            patience.quirk,
            format!(
                "given up after {} s, since the client waits {} s",
                self.time.as_secs(),
                patience.waits.as_secs()
            ),
        );
    }
}

/// The error when the time is over.
pub fn expired() -> Error {
    Error {
        retry_after: Some(SHORTLY),
        ..Error::new(504, "The application did not answer in time.")
    }
}

/// An error with what became of the request where the client cannot tell: whether the application may have been changed,
/// and whether it may ask again.
///
/// Every request may be sent again: a create whose answer was lost is looked up before it is made anew, and a change is
/// compared with what is there.
pub fn with_fate(ctx: &Context, error: Error) -> Error {
    let (may_have_written, reached_nobody) = {
        let exchange = &ctx.journey.exchange;
        let exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let last = exchange.calls.last();
        let is_unanswered = last.is_some_and(|call| call.cause.is_some());
        (exchange.writes > 0, is_unanswered)
    };
    let fate = match error.status {
        503 | 504 if may_have_written => UNKNOWN,
        504 => NOTHING_SENT,
        503 if reached_nobody => NOTHING_SENT,
        _ => return error,
    };
    Error {
        detail: format!("{} {fate}", error.detail),
        ..error
    }
}

const UNKNOWN: &str = "The change may have been made, in part or in full. The same request can be sent again: \
                       what is done already is not done twice.";
const NOTHING_SENT: &str = "Nothing was changed. The same request can be sent again.";
