//! The way to one target: one attempt at one call, within breaker, budget and deadline.

use std::{
    sync::Arc,
    time::{Duration, Instant as StdInstant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, Request, StatusCode, header::CONTENT_ENCODING};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout_at};

use super::{
    Journey, TargetError,
    auth::Session,
    breaker::{Health, Outcome},
    budget::{Budget, Exhausted, Kind},
    connections::Way,
    record::Secrets,
};
use crate::{
    exchange::{CallRecord, Judged},
    mapping::{
        call::PlannedCall,
        model::{Call, Mapping, Meaning},
        reply::{CallClass, Cut, Reply, Verdict, judged},
    },
};

/// A call given up sooner says nothing about the target: its request came too late.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// The way to one target.
#[derive(Debug)]
pub(super) struct Line {
    pub mapping: Arc<Mapping>,
    pub budget: Budget,
    way: Way,
    /// Origin and path prefix, no slash at the end.
    pub base: String,
    /// The `Host` header's value.
    pub host: String,
}

/// One attempt at one call.
pub(super) struct Attempt<'a> {
    pub planned: &'a PlannedCall,
    pub call: &'a Call,
    pub class: CallClass,
    pub cut: Option<&'a Cut<'a>>,
    pub session: &'a Session,
    pub secrets: Secrets<'a>,
}

impl Line {
    pub fn new(mapping: Arc<Mapping>, way: Way) -> Result<Self, TargetError> {
        let url = &mapping.target.base_url;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(TargetError::Settings("`base-url` has no host.".into())),
        };
        let prefix = url.path().trim_end_matches('/');
        Ok(Self {
            base: format!("{}{prefix}", url.origin().ascii_serialization()),
            host,
            budget: Budget::new(&mapping.target.budget, Instant::now()),
            way,
            mapping,
        })
    }

    /// Whether the target is being left alone.
    pub fn is_open(&self) -> bool {
        self.way.breaker.is_open()
    }

    /// How the target stands, for status pages.
    pub fn health(&self, now: StdInstant) -> Health {
        self.way.breaker.health(now)
    }

    /// Sends a call once and judges the reply. Recorded in the exchange, however it ends.
    pub async fn attempt(
        &self,
        journey: &Journey,
        attempt: &Attempt<'_>,
    ) -> Result<(Reply, Verdict), TargetError> {
        let passage =
            self.way
                .breaker
                .admit(StdInstant::now())
                .map_err(|left| TargetError::CircuitOpen {
                    retry_after: left.max(Duration::from_secs(5 + random_below(26))),
                })?;
        let turn = self.budget.turn(kind_of(attempt), journey.deadline).await;
        let _place = match turn {
            Ok(place) => place,
            Err(Exhausted) => return Err(self.out_of_turn()),
        };
        let request = self.request(attempt)?;
        // A login changes nothing that anybody wished.
        let is_write = kind_of(attempt) != Kind::Read && attempt.class != CallClass::Login;
        if is_write {
            journey.writes();
        }
        let start = StdInstant::now();
        let answer = self.exchange(request, journey.deadline).await;
        let end = StdInstant::now();
        let duration = end.saturating_duration_since(start);
        let record = attempt
            .secrets
            .record(attempt.call, attempt.planned, duration, false);

        let (status, headers, bytes) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                journey.record(CallRecord {
                    cause: Some(error.with_causes()),
                    ..record
                });
                log(journey, attempt, &error);
                if is_write && never_left(&error) {
                    journey.wrote_nothing();
                }
                match error {
                    TargetError::TimedOut { .. } if duration < FAIR_TIME => {}
                    TargetError::BadReply(_) => passage.record(Outcome::Answered, end),
                    _ => passage.record(Outcome::Failed, end),
                }
                return Err(error);
            }
        };
        attempt.session.absorb(&headers);
        if let Some(pause) = used_up(&headers, jiff::Timestamp::now()) {
            self.budget.pause_until(Instant::now() + pause);
        }
        let target = &self.mapping.target;
        let code = status.as_u16();
        let reply = match attempt.cut {
            Some(cut) => Reply::with_rows(code, headers, &bytes, (target, attempt.call), cut),
            None => Reply::of(code, headers, &bytes, (target, attempt.call)),
        };
        let (verdict, basis) = judged(attempt.call, target, attempt.class, &reply);
        journey.record(CallRecord {
            status: Some(reply.status),
            judged: Some(Judged {
                meaning: verdict.meaning.name(),
                by: basis.words(),
                is_done: verdict.meaning.is_done(),
            }),
            ..record
        });
        passage.record(outcome(&verdict, reply.status), end);
        Ok((reply, verdict))
    }

    /// Waiting in vain after a 429 is the target's doing, otherwise its budget's.
    fn out_of_turn(&self) -> TargetError {
        match self.budget.pause(Instant::now()) {
            Some(retry_after) => TargetError::TooMany { retry_after },
            None => TargetError::BudgetExhausted,
        }
    }

    /// Sends one request as it is and reads the whole reply. Follows nothing, repeats nothing.
    pub async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<(StatusCode, HeaderMap, Bytes), TargetError> {
        let now = Instant::now();
        if now >= deadline {
            return Err(TargetError::TimedOut { sent: false });
        }
        // Whatever the deadline (promise R5).
        let head_deadline = deadline.min(now + self.mapping.target.reply_timeout);
        let response = timeout_at(head_deadline, self.way.client.request(request))
            .await
            .map_err(|_| TargetError::TimedOut { sent: true })?
            .map_err(|error| TargetError::Unreachable {
                sent: !error.is_connect(),
                cause: Box::new(error),
            })?;
        let (head, body) = response.into_parts();
        let encoding = head.headers.get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(TargetError::BadReply("it is compressed"));
        }
        let bytes = timeout_at(deadline, whole(body, self.mapping.target.max_reply_bytes))
            .await
            .map_err(|_| TargetError::TimedOut { sent: true })??;
        Ok((head.status, head.headers, bytes))
    }
}

/// Reads a body as it comes, up to the limit.
async fn whole(mut body: Incoming, most: usize) -> Result<Bytes, TargetError> {
    const TOO_LARGE: TargetError = TargetError::BadReply("it is larger than `max-reply`");
    if body.size_hint().lower() > most as u64 {
        return Err(TOO_LARGE);
    }
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(most);
    let mut bytes = BytesMut::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TargetError::Unreachable {
            sent: true,
            cause: Box::new(error),
        })?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > most {
                return Err(TOO_LARGE);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}

/// How long to leave the target alone because it says that no call is left (`X-RateLimit-Remaining: 0`): a minute at most.
///
/// The reset is a number of seconds from now, or since 1970 where it is that large.
/// Whether nothing of the request can have reached the application.
fn never_left(error: &TargetError) -> bool {
    matches!(
        error,
        TargetError::Unreachable { sent: false, .. } | TargetError::TimedOut { sent: false }
    )
}

fn used_up(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let number = |names: [HeaderName; 2]| {
        let value = names.iter().find_map(|name| headers.get(name))?;
        value.to_str().ok()?.trim().parse::<i64>().ok()
    };
    if number(CALLS_LEFT)? > 0 {
        return None;
    }
    let reset = number(LEFT_AGAIN)?;
    let is_time = reset > 1_000_000_000;
    let seconds = if is_time {
        reset.saturating_sub(now.as_second())
    } else {
        reset
    };
    let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds.min(60)))
}

/// How many calls are left.
const CALLS_LEFT: [HeaderName; 2] = [
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("ratelimit-remaining"),
];
/// When there will be more.
const LEFT_AGAIN: [HeaderName; 2] = [
    HeaderName::from_static("x-ratelimit-reset"),
    HeaderName::from_static("ratelimit-reset"),
];

fn kind_of(attempt: &Attempt<'_>) -> Kind {
    match attempt.class {
        class if class.is_read() || !attempt.planned.is_write => Kind::Read,
        CallClass::Delete => Kind::Delete,
        _ => Kind::Write,
    }
}

fn outcome(verdict: &Verdict, status: u16) -> Outcome {
    match verdict.meaning {
        Meaning::Retry => Outcome::Failed,
        Meaning::Failed if status >= 500 => Outcome::Failed,
        _ => Outcome::Answered,
    }
}

fn log(journey: &Journey, attempt: &Attempt<'_>, error: &TargetError) {
    let cause = std::error::Error::source(error).map(root_cause);
    tracing::warn!(
        tenant = %journey.tenant,
        operation = %attempt.planned.operation,
        %error,
        cause,
        "target did not answer"
    );
}

fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(deeper) = error.source() {
        error = deeper;
    }
    error.to_string()
}

/// A random number below `limit`, for jitter only.
pub(super) fn random_below(limit: u64) -> u64 {
    let mut bytes = [0; 8];
    // Without randomness there is no jitter, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u64::from_le_bytes(bytes) % limit.max(1)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_used_up_allowance_is_respected_for_a_minute_at_most() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let in_twenty = (1_795_341_600 + 20).to_string();
        let cases = [
            (Some("0"), Some("7"), Some(7)),
            (Some("0"), Some("9999"), Some(60)),
            (Some("0"), Some(in_twenty.as_str()), Some(20)),
            (Some("0"), Some("1500000000"), None),
            (Some("0"), Some("0"), None),
            (Some("0"), None, None),
            (Some("1"), Some("7"), None),
            (Some("x"), Some("7"), None),
            (None, Some("7"), None),
        ];
        for (remaining, reset, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("x-ratelimit-remaining", remaining),
                ("ratelimit-reset", reset),
            ] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_str(value).unwrap());
                }
            }
            assert_eq!(
                used_up(&headers, now),
                expected.map(Duration::from_secs),
                "{headers:?}"
            );
        }
    }
}
