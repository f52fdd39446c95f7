//! The gateway's own credential: what is sent with each call, got once for all who wait, and renewed.
//!
//! In: the mapping's `[target.auth]`, the time, a reply that said "not logged in". Out: headers, parameters and cookies to
//! send, names for templates. Knows nothing of what the calls are for. A credential is sent to the base URL's origin only,
//! except an OAuth 2 client's own, which goes to its token URL.

pub(super) mod aws_sigv4;
mod basic;
mod bearer;
mod cookies;
mod failure;
mod header;
mod jwt;
mod login;
mod oauth2;
mod query;
mod session;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::time::{Instant, timeout_at};

pub use failure::LoginFailure;
pub(super) use session::Session;

use super::{Journey, TargetError, line::Line};
use crate::mapping::model::{Auth, Target};

/// After a failed login there is none for so long: some applications block an account after a few.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Keeps the credential of one target.
#[derive(Debug)]
pub(super) struct Authenticator {
    renewal: Renewal,
    current: ArcSwapOption<Session>,
    /// Held by the one that renews.
    renewing: tokio::sync::Mutex<()>,
    failure: Mutex<Option<(Instant, Failure)>>,
}

#[derive(Debug)]
enum Renewal {
    /// The credential never changes.
    Never,
    OAuth2(Option<jwt::Key>),
    Login,
}

/// Why there is no session: kept for those who ask within the next seconds.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Failed(LoginFailure),
    Unreachable,
}

/// Whether another session may help where one was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    /// It may: this one was good once, or has been replaced meanwhile.
    Another,
    /// The credential never changes.
    NoOther,
    /// It was new, and refused at its first use.
    NewRefused(LoginFailure),
}

impl Authenticator {
    /// Prepares what never changes.
    ///
    /// # Errors
    ///
    /// Settings that cannot be sent or used: they are found when a mapping is taken into service.
    pub fn new(target: &Target) -> Result<Self, TargetError> {
        let (renewal, fixed) = match &target.auth {
            Auth::None | Auth::AwsSigV4 { .. } => (Renewal::Never, Some(Session::default())),
            Auth::Header { name, value } => (Renewal::Never, Some(header::session(name, value)?)),
            Auth::Query { name, value } => (Renewal::Never, Some(query::session(name, value))),
            Auth::Basic { user, password } => {
                (Renewal::Never, Some(basic::session(user, password)?))
            }
            Auth::Bearer { token } => (Renewal::Never, Some(bearer::session(token)?)),
            Auth::OAuth2(settings) => (
                Renewal::OAuth2(oauth2::prepare(settings, &target.base_url)?),
                None,
            ),
            Auth::Login(_) => (Renewal::Login, None),
        };
        Ok(Self {
            renewal,
            current: ArcSwapOption::from_pointee(fixed),
            renewing: tokio::sync::Mutex::new(()),
            failure: Mutex::new(None),
        })
    }

    /// The session to send calls with; got or renewed first if need be, once for all who wait.
    ///
    /// A session that soon ends is renewed by the first who notices, while the others still use it.
    pub async fn session(
        &self,
        line: &Line,
        journey: &Journey,
    ) -> Result<Arc<Session>, TargetError> {
        let now = Instant::now();
        let current = self.current.load_full();
        if let Some(session) = &current {
            if session.is_fresh(now) {
                return Ok(session.clone());
            }
            if session.is_valid(now) {
                let Ok(_renewing) = self.renewing.try_lock() else {
                    return Ok(session.clone());
                };
                return Ok(Box::pin(self.renew(line, journey))
                    .await
                    .unwrap_or_else(|_| session.clone()));
            }
        }
        let _renewing = timeout_at(journey.deadline, self.renewing.lock())
            .await
            .map_err(|_| TargetError::TimedOut { sent: false })?;
        match self.current.load_full() {
            Some(session) if session.is_fresh(Instant::now()) => Ok(session),
            // A login is rare, and its future large.
            _ => Box::pin(self.renew(line, journey)).await,
        }
    }

    /// The session there is, without getting one: for calls that are planned only.
    pub fn present(&self) -> Arc<Session> {
        self.current.load_full().unwrap_or_default()
    }

    /// Drops a session that the target no longer accepts, and says whether another one may help.
    ///
    /// One that was refused at its first use is a failed login: getting another would go on for ever.
    pub fn forget(&self, refused: &Arc<Session>) -> Hope {
        let unaccepted = match self.renewal {
            Renewal::Never => return Hope::NoOther,
            Renewal::OAuth2(_) => LoginFailure::TokenRefused,
            Renewal::Login => LoginFailure::SessionRefused,
        };
        let current = self.current.load();
        if !current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, refused))
        {
            return Hope::Another;
        }
        self.current.compare_and_swap(&*current, None);
        let was_good = refused.was_accepted() || refused.age(Instant::now()) >= AFTER_FAILURE;
        if was_good {
            return Hope::Another;
        }
        self.remember(Failure::Failed(unaccepted));
        Hope::NewRefused(unaccepted)
    }

    /// Called by the one that holds `renewing`.
    async fn renew(&self, line: &Line, journey: &Journey) -> Result<Arc<Session>, TargetError> {
        let last = *self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, failure)) = last
            && when.elapsed() < AFTER_FAILURE
        {
            return Err(failure.into());
        }
        let renewed = match (&self.renewal, &line.mapping.target.auth) {
            (Renewal::OAuth2(key), Auth::OAuth2(settings)) => {
                oauth2::session(settings, key.as_ref(), line, journey).await
            }
            (Renewal::Login, Auth::Login(settings)) => {
                login::session(settings, line, journey).await
            }
            _ => Ok(Session::default()),
        };
        match renewed {
            Ok(session) => {
                let session = Arc::new(session);
                self.current.store(Some(session.clone()));
                Ok(session)
            }
            Err(error) => {
                if let Some(failure) = failure_of(&error) {
                    self.remember(failure);
                }
                tracing::warn!(tenant = %journey.tenant, %error, "no session with the target");
                Err(error)
            }
        }
    }

    fn remember(&self, failure: Failure) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), failure));
    }
}

/// What is worth remembering: a breaker or budget that says no has its own memory.
fn failure_of(error: &TargetError) -> Option<Failure> {
    match error {
        TargetError::LoginFailed(why) => Some(Failure::Failed(*why)),
        TargetError::CircuitOpen { .. } | TargetError::BudgetExhausted => None,
        TargetError::Unreachable { .. } | TargetError::TimedOut { .. } => {
            Some(Failure::Unreachable)
        }
        _ => Some(Failure::Failed(LoginFailure::AMomentAgo)),
    }
}

impl From<Failure> for TargetError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Failed(why) => Self::LoginFailed(why),
            Failure::Unreachable => Self::Unreachable {
                sent: false,
                cause: "the login could not be sent a moment ago".into(),
            },
        }
    }
}
