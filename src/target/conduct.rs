//! One call from its plan to a reply that means something: login, renewal, waiting and the few repetitions allowed.

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};

use super::{
    Driver, Journey, TargetError,
    auth::{Hope, Session},
    line::{Attempt, random_below},
    memory::{self, Key},
    record::Secrets,
};
use crate::mapping::{
    call::{PlannedCall, plan_page},
    model::{Call, Meaning},
    names::Names,
    page::PageRequest,
    reply::{CallClass, Cut, Reply, RetryHint, Verdict, take},
};

/// Attempts at a call that may be repeated, or of which no byte has left.
const TRIES: u32 = 2;
/// Before another attempt, with as much again at random (promise R2).
const BACK_OFF: Duration = Duration::from_millis(50);
/// Waits for a target that says "too many" are at most that long, and that many.
const MOST_WAIT: Duration = Duration::from_secs(2);
const WAITS: u32 = 2;
/// A target is left alone at most so long, whatever it says, unless its mapping says otherwise.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// When a target says "too many" and not how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// What is to be called, and why.
pub(super) struct Ask<'a> {
    pub operation: &'a str,
    pub call: &'a Call,
    pub class: CallClass,
    pub names: &'a Names<'a>,
    /// Sent where the call has no body of its own.
    pub body: Option<&'a Value>,
    pub page: &'a PageRequest,
    /// Headers besides the mapping's: `If-Match`.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// Rows that are wanted as text.
    pub cut: Option<&'a Cut<'a>>,
}

/// What came of it.
pub(super) struct Answer {
    pub reply: Reply,
    pub verdict: Verdict,
    /// Path and query as sent, below the base URL.
    pub asked: String,
    pub is_planned_only: bool,
    /// It was not asked but remembered, under this key.
    pub recalled: Option<Key>,
}

/// What a call has used up of its second chances.
#[derive(Default)]
struct Chances {
    has_renewed: bool,
    tries: u32,
    waits: u32,
}

impl Driver {
    /// Makes a call; absent if its condition says no. All meanings but "too many" are answers.
    ///
    /// It is sent a second time only if it may be repeated, if no byte of it has left, or if the target said that it did
    /// not look at it (not logged in, too many).
    pub(super) async fn conduct(
        &self,
        journey: &Journey,
        ask: &Ask<'_>,
    ) -> Result<Option<Answer>, TargetError> {
        let outcome = self.attempts(journey, ask).await;
        outcome.inspect_err(|error| journey.trouble(ask.operation, error))
    }

    async fn attempts(
        &self,
        journey: &Journey,
        ask: &Ask<'_>,
    ) -> Result<Option<Answer>, TargetError> {
        let mut chances = Chances::default();
        loop {
            let session = match is_dry(journey, ask) {
                true => self.auth.present(),
                false => self.auth.session(&self.line, journey).await?,
            };
            let Some(planned) = self.plan(ask, &session)? else {
                return Ok(None);
            };
            let secrets = self.secrets(ask, &session);
            if is_dry(journey, ask) {
                journey.record(secrets.record(ask.call, &planned, Duration::ZERO, true));
                return Ok(Some(Answer::planned(planned)));
            }
            let key = ask.call.remember.map(|_| memory::key_of(&planned));
            if let Some(key) = &key
                && let Some(reply) = self.memory.recall(key)
            {
                return Ok(Some(Answer::recalled(reply, planned, key)));
            }
            let generation = self.memory.generation();
            if is_write(ask) {
                self.pages.forget_rows();
            }
            let _forgetting = may_mislead(ask).then(|| self.memory.forgetting());
            let attempt = Attempt {
                planned: &planned,
                call: ask.call,
                class: ask.class,
                cut: ask.cut,
                session: &session,
                secrets,
            };
            let ended = self.line.attempt(journey, &attempt).await;
            let settled = match ended {
                Ok((reply, verdict)) if is_answer(&verdict) => {
                    session.accept();
                    Some((reply, verdict))
                }
                ended => {
                    Box::pin(self.settled(journey, ask, &planned, &session, &mut chances, ended))
                        .await?
                }
            };
            if let Some((reply, verdict)) = settled {
                if let Some((key, life)) = key.zip(ask.call.remember)
                    && verdict.meaning.is_done()
                    && has_all(ask, &reply)
                {
                    self.memory.keep(key, &reply, life, generation);
                }
                return Ok(Some(Answer {
                    reply,
                    verdict,
                    asked: planned.path_and_query,
                    is_planned_only: false,
                    recalled: None,
                }));
            }
        }
    }

    /// The answer to what was no plain one, if it was one; absent if the call is to be made again, after the wait it takes.
    async fn settled(
        &self,
        journey: &Journey,
        ask: &Ask<'_>,
        planned: &PlannedCall,
        session: &Arc<Session>,
        chances: &mut Chances,
        ended: Result<(Reply, Verdict), TargetError>,
    ) -> Result<Option<(Reply, Verdict)>, TargetError> {
        let may_repeat = planned.is_repeatable || ask.class.is_read();
        let (reply, verdict) = match ended {
            Ok(answer) => answer,
            Err(error) => {
                let never_left = matches!(error, TargetError::Unreachable { sent: false, .. });
                let may_pass = matches!(error, TargetError::Unreachable { .. });
                return match never_left || (may_repeat && may_pass) {
                    true if chances.back_off(journey).await => Ok(None),
                    _ => Err(error),
                };
            }
        };
        match verdict.meaning {
            Meaning::NotLoggedIn => {
                let is_first = !std::mem::replace(&mut chances.has_renewed, true);
                match self.auth.forget(session) {
                    Hope::Another if is_first => return Ok(None),
                    Hope::NewRefused(failure) if is_first => {
                        return Err(TargetError::LoginFailed(failure));
                    }
                    // A session that replaced a good one: it may be this call alone that is not allowed.
                    Hope::Another | Hope::NoOther | Hope::NewRefused(_) => {}
                }
            }
            Meaning::TooMany => {
                session.accept();
                self.wait(journey, &verdict, chances).await?;
                return Ok(None);
            }
            Meaning::Retry if may_repeat && chances.back_off(journey).await => return Ok(None),
            _ => session.accept(),
        }
        Ok(Some((reply, verdict)))
    }

    /// Holds every call of the tenant back, and this one if the wait is short.
    async fn wait(
        &self,
        journey: &Journey,
        verdict: &Verdict,
        chances: &mut Chances,
    ) -> Result<(), TargetError> {
        let wait = match verdict.retry_after {
            Some(RetryHint::After(wait)) => wait,
            Some(RetryHint::At(time)) => {
                let left = time.duration_since(jiff::Timestamp::now());
                Duration::try_from(left).unwrap_or_default()
            }
            None => DEFAULT_WAIT,
        };
        let longest = self.mapping.target.budget.longest_pause;
        let wait = wait.min(longest.unwrap_or(LONGEST_PAUSE));
        let until = Instant::now() + wait;
        self.line.budget.pause_until(until);
        chances.waits += 1;
        if wait > MOST_WAIT || until >= journey.deadline || chances.waits > WAITS {
            return Err(TargetError::TooMany {
                retry_after: wait.max(Duration::from_secs(1)),
            });
        }
        sleep_until(until).await;
        Ok(())
    }

    fn plan(&self, ask: &Ask<'_>, session: &Session) -> Result<Option<PlannedCall>, TargetError> {
        let mut names = ask.names.child();
        names.settings(&self.mapping.settings);
        if !session.login.is_null() {
            names.with("login", Cow::Borrowed(&session.login));
        }
        let target = &self.mapping.target;
        let planned = plan_page(
            ask.call,
            ask.operation,
            target,
            &names,
            ask.body.cloned(),
            ask.page,
        )?;
        Ok(planned.map(|mut planned| {
            planned.headers.extend(ask.headers.iter().cloned());
            planned
        }))
    }

    fn secrets(&self, ask: &Ask<'_>, session: &Session) -> Secrets<'_> {
        let mut texts = session.secrets();
        texts.extend_from_slice(&self.mapping.secrets);
        if let Some(password) = ask.names.get("password") {
            texts.extend(password.as_str().map(str::to_owned));
        }
        Secrets {
            texts,
            places: &self.mapping.target.redact,
            plain_headers: &self.mapping.target.plain_headers,
            is_all: ask.class == CallClass::Login,
        }
    }
}

impl Answer {
    fn planned(planned: PlannedCall) -> Self {
        Self {
            reply: Reply::planned(),
            verdict: Verdict::of(Meaning::Ok),
            asked: planned.path_and_query,
            is_planned_only: true,
            recalled: None,
        }
    }

    fn recalled(reply: Reply, planned: PlannedCall, key: &Key) -> Self {
        Self {
            reply,
            verdict: Verdict::of(Meaning::Ok),
            asked: planned.path_and_query,
            is_planned_only: false,
            recalled: Some(key.clone()),
        }
    }
}

impl Chances {
    /// Waits before another attempt; false if there is none left, or no time.
    async fn back_off(&mut self, journey: &Journey) -> bool {
        self.tries += 1;
        let jitter = Duration::from_millis(random_below(50));
        let then = Instant::now() + BACK_OFF + jitter;
        if self.tries >= TRIES || then >= journey.deadline {
            return false;
        }
        sleep_until(then).await;
        true
    }
}

/// Whether a reply is an answer to the wish, and says nothing about the credential or the time.
fn is_answer(verdict: &Verdict) -> bool {
    let is_about_itself = matches!(
        verdict.meaning,
        Meaning::NotLoggedIn | Meaning::TooMany | Meaning::Retry
    );
    !is_about_itself
}

/// Whether the call may change what look-ups were answered. Who is new or in another group was not looked up before; nobody
/// is "not found" from memory.
fn may_mislead(ask: &Ask<'_>) -> bool {
    let is_harmless = matches!(
        ask.class,
        CallClass::Create | CallClass::MemberAdd | CallClass::MemberRemove | CallClass::Login
    );
    is_write(ask) && ask.call.remember.is_none() && !is_harmless
}

/// Whether a reply holds all that the call takes.
fn has_all(ask: &Ask<'_>, reply: &Reply) -> bool {
    let mut taken = Map::new();
    let is_taken = take(ask.call, reply, ask.names, &mut taken).is_ok();
    is_taken
        && ask
            .call
            .take
            .iter()
            .all(|(name, _)| taken.contains_key(name))
}

/// Whether the call changes something: by what it is for, where that is reading, and else by its method.
fn is_write(ask: &Ask<'_>) -> bool {
    !ask.call.is_safe() && !ask.class.is_read()
}

fn is_dry(journey: &Journey, ask: &Ask<'_>) -> bool {
    journey.is_dry && is_write(ask)
}
