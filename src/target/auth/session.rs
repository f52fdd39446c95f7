//! A credential in use.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;

use super::cookies::Jar;
use crate::target::TargetError;

/// A session is renewed so long before its end, or a fifth of its life if that is less.
const BEFORE_END: Duration = Duration::from_secs(60);

/// What is sent with each call to be let in.
pub(in crate::target) struct Session {
    /// Headers; they replace those of the same name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Parameters added to the query.
    pub query: Vec<(String, String)>,
    /// `login.NAME` in templates: what the login steps took.
    pub login: Value,
    /// Cookies, where the login keeps them.
    pub jar: Option<Mutex<Jar>>,
    made: Instant,
    life: Option<Duration>,
    is_accepted: AtomicBool,
}

/// Credentials are not printed.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl Default for Session {
    /// Sends nothing and never ends.
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            query: Vec::new(),
            login: Value::Null,
            jar: None,
            made: Instant::now(),
            life: None,
            is_accepted: AtomicBool::new(false),
        }
    }
}

impl Session {
    /// A session that is one header.
    pub fn of_header(name: HeaderName, value: &str) -> Result<Self, TargetError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            TargetError::Settings(
                "The credential in `[target.auth]` cannot be sent in a header.".into(),
            )
        })?;
        value.set_sensitive(true);
        Ok(Self {
            headers: vec![(name, value)],
            ..Self::default()
        })
    }

    /// Says how long it lasts from now; absent: until it is refused.
    pub fn lasting(mut self, life: Option<Duration>) -> Self {
        self.life = life;
        self
    }

    /// Whether it need not be renewed yet.
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.life
            .is_none_or(|life| self.age(now) < life.saturating_sub(BEFORE_END.min(life / 5)))
    }

    /// Whether it has not ended yet.
    pub fn is_valid(&self, now: Instant) -> bool {
        self.life.is_none_or(|life| self.age(now) < life)
    }

    /// Time since it was got.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.made)
    }

    /// Notes that the target has accepted it.
    pub fn accept(&self) {
        self.is_accepted.store(true, Ordering::Relaxed);
    }

    /// Whether the target has ever accepted it.
    pub fn was_accepted(&self) -> bool {
        self.is_accepted.load(Ordering::Relaxed)
    }

    /// Takes cookies of a reply in, where cookies are kept.
    pub fn absorb(&self, headers: &HeaderMap) {
        if let Some(jar) = &self.jar {
            let mut jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            jar.absorb(headers, jiff::Timestamp::now());
        }
    }

    /// The `Cookie` header for a path.
    pub fn cookies(&self, path: &str) -> Option<String> {
        let jar = self
            .jar
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        jar.header(path)
    }

    /// Texts that must not be in a record: parameters, what the login took, cookies.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<String> = self.query.iter().map(|(_, value)| value.clone()).collect();
        if let Value::Object(taken) = &self.login {
            secrets.extend(taken.values().filter_map(Value::as_str).map(str::to_owned));
        }
        if let Some(jar) = &self.jar {
            let jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.extend(jar.values().map(str::to_owned));
        }
        secrets
    }
}
