//! Whether an application accepts the gateway's credential: `[target] probe`, asked when a tenant is loaded.
//!
//! Some applications answer a stranger with 200 and less than everything; without a probe a wrong credential looks like an
//! application without users.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use crate::{
    exchange::Exchange,
    mapping::{
        model::{Meaning, Mode},
        names::Names,
        reply::CallClass,
    },
    target::{Journey, LoginFailure, TargetError},
};

use super::{Registry, Tenant};

/// What the application said to a probe that was not accepted, for the operator's eyes: it is not logged whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeReply {
    /// The last call that was made, as the mapping has it, without values: the probe's, or one of the login before it.
    pub call: String,
    /// Absent if there was no reply.
    pub status: Option<u16>,
    /// The application's own words (`[target.errors] detail`), or what went wrong on the way.
    pub words: Option<String>,
    /// Why there was no session to make the call with; absent if there was one.
    pub login: Option<LoginFailure>,
}

impl std::fmt::Display for ProbeReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.call)?;
        match self.status {
            Some(status) => write!(f, " was answered {status}")?,
            None => write!(f, " was not answered")?,
        }
        match &self.words {
            Some(words) => write!(f, ": {words}"),
            None => Ok(()),
        }
    }
}

/// What a probe has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The credential is accepted.
    Accepted,
    /// The application says that it is not.
    Refused,
    /// The application was reached and answered something else.
    Failed,
    /// The application was not reached, or did not answer in time.
    Unreachable,
    /// Whoever answers shows a certificate that is not trusted.
    Untrusted,
}

impl Probed {
    /// A word for `/status`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
        }
    }

    fn of(error: &TargetError) -> Self {
        match error {
            TargetError::Refused {
                meaning: Meaning::Forbidden | Meaning::NotLoggedIn,
                ..
            } => Self::Refused,
            TargetError::LoginFailed(failure) if failure.is_refusal() => Self::Refused,
            _ if error.distrusts_certificate() => Self::Untrusted,
            TargetError::Unreachable { .. }
            | TargetError::TimedOut { .. }
            | TargetError::CircuitOpen { .. }
            | TargetError::TooMany { .. }
            | TargetError::BudgetExhausted => Self::Unreachable,
            _ => Self::Failed,
        }
    }
}

impl Tenant {
    /// Makes the mapping's probe and keeps what it showed; absent if there is none, or the tenant is paused.
    pub async fn ask_probe(&self) -> Option<Probed> {
        let mapping = &self.mapping;
        let call = mapping.target.probe.as_ref()?;
        if mapping.mode == Mode::Paused {
            return None;
        }
        let journey = Journey {
            tenant: Arc::clone(&mapping.tenant),
            deadline: Instant::now() + mapping.target.deadline,
            is_dry: false,
            exchange: Arc::new(Mutex::new(Exchange::default())),
        };
        let mut names = Names::new();
        names.settings(&mapping.settings);
        let asked = self
            .driver
            .call(&journey, "target.probe", call, CallClass::Get, &names, None)
            .await;
        let login = match &asked {
            Err(TargetError::LoginFailed(failure)) => Some(*failure),
            _ => None,
        };
        let (probed, words) = match asked {
            Ok((_, verdict)) if verdict.meaning.is_done() => (Probed::Accepted, None),
            Ok((_, verdict)) => (Probed::Failed, verdict.detail),
            Err(TargetError::Refused {
                meaning,
                detail,
                status,
                ..
            }) => {
                let error = TargetError::Refused {
                    meaning,
                    detail: None,
                    attribute: None,
                    status,
                };
                (Probed::of(&error), detail)
            }
            Err(error) => (Probed::of(&error), Some(error.with_causes())),
        };
        let calls = journey.exchange.lock();
        let calls = calls.unwrap_or_else(PoisonError::into_inner);
        let last = calls.calls.last();
        let reply = (probed != Probed::Accepted).then(|| ProbeReply {
            call: last.map_or_else(|| call.told(), |last| last.template.clone()),
            status: last.and_then(|call| call.status),
            words,
            login,
        });
        drop(calls);
        *self
            .probe_reply
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = reply;
        *self.probed.lock().unwrap_or_else(PoisonError::into_inner) = Some(probed);
        Some(probed)
    }

    /// What the application said to the last probe, where it did not accept it.
    pub fn probe_reply(&self) -> Option<ProbeReply> {
        let reply = self.probe_reply.lock();
        reply.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the probe showed last; absent if it has not been made.
    pub fn probed(&self) -> Option<Probed> {
        *self.probed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Makes the probes of tenants in the background, a few at a time, and says in the log what they show.
    ///
    /// Only an application that was not reached is asked again: one that refuses a credential may lock it.
    pub fn ask_probes(&self, names: impl IntoIterator<Item = Arc<str>>) {
        let few = Arc::new(Semaphore::new(PROBES_AT_A_TIME));
        for name in names {
            let Some(tenant) = self.tenant(&name) else {
                continue;
            };
            if tenant.mapping.target.probe.is_none() {
                continue;
            }
            // Not held: a tenant that was replaced meanwhile is not asked for again.
            let tenant = Arc::downgrade(&tenant);
            let few = Arc::clone(&few);
            tokio::spawn(async move {
                for _ in 0..TRIES {
                    {
                        let Some(tenant) = tenant.upgrade() else {
                            return;
                        };
                        let Ok(_turn) = few.acquire().await else {
                            return;
                        };
                        match tenant.ask_probe().await {
                            Some(probed) => tell(&name, probed, tenant.probe_reply().as_ref()),
                            None => return,
                        }
                        let again = [Some(Probed::Unreachable), Some(Probed::Untrusted)];
                        if !again.contains(&tenant.probed()) {
                            return;
                        }
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            });
        }
    }
}

/// The application's words stay out of the log: they may hold anything.
fn tell(tenant: &str, probed: Probed, reply: Option<&ProbeReply>) {
    let call = reply.map(|reply| reply.call.as_str());
    let status = reply.and_then(|reply| reply.status);
    let login = reply.and_then(|reply| reply.login);
    if let Some(failure) = login {
        let (error, mending) = (failure.to_string(), failure.mending());
        return match probed {
            Probed::Refused => tracing::error!(
                tenant,
                call,
                call_status = status,
                error,
                mending,
                "the application does not let the gateway in"
            ),
            _ => tracing::warn!(
                tenant,
                call,
                call_status = status,
                error,
                mending,
                "the gateway cannot log in to the application"
            ),
        };
    }
    match probed {
        Probed::Accepted => {
            tracing::info!(tenant, "the application accepts the gateway's credential")
        }
        Probed::Refused => tracing::error!(
            tenant,
            call,
            call_status = status,
            "the application does not accept the gateway's credential: set the one in `[target.auth]` anew"
        ),
        Probed::Failed => tracing::warn!(
            tenant,
            call,
            call_status = status,
            "the probe was answered with an error: see whether `[target] probe` and `base-url` are right, with `scimgate rehearse`"
        ),
        Probed::Unreachable => tracing::warn!(
            tenant,
            call,
            call_status = status,
            "the application does not answer: see whether `base-url` is right and whether it can be reached from here"
        ),
        Probed::Untrusted => tracing::error!(
            tenant,
            call,
            words = reply.and_then(|reply| reply.words.as_deref()),
            "the certificate that the application shows is not trusted: see whether `[target] ca` names the file of the authority that has signed it, and whether `base-url` has the name that it is for"
        ),
    }
}

/// A gateway with a thousand tenants does not ask all of them at once.
const PROBES_AT_A_TIME: usize = 8;
const TRIES: usize = 10;
const AGAIN_AFTER: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_told_with_its_call_and_the_words_that_came() {
        let reply = |status, words: Option<&str>| ProbeReply {
            call: "GET /me".into(),
            status,
            words: words.map(str::to_owned),
            login: None,
        };
        for (reply, told) in [
            (
                reply(Some(401), Some("Bad key")),
                "GET /me was answered 401: Bad key",
            ),
            (reply(Some(500), None), "GET /me was answered 500"),
            (
                reply(None, Some("timed out")),
                "GET /me was not answered: timed out",
            ),
            (reply(None, None), "GET /me was not answered"),
        ] {
            assert_eq!(reply.to_string(), told);
        }
    }

    #[test]
    fn what_was_not_reached_is_no_refusal() {
        let refused = |meaning| TargetError::Refused {
            meaning,
            detail: None,
            attribute: None,
            status: Some(400),
        };
        for (error, probed, word) in [
            (refused(Meaning::Forbidden), Probed::Refused, "refused"),
            (refused(Meaning::NotLoggedIn), Probed::Refused, "refused"),
            (refused(Meaning::NotFound), Probed::Failed, "failed"),
            (
                TargetError::BudgetExhausted,
                Probed::Unreachable,
                "unreachable",
            ),
        ] {
            assert_eq!(Probed::of(&error), probed, "{error}");
            assert_eq!(probed.word(), word);
        }
    }
}
