//! `[target.auth.login]`: calls that give a token or cookies, a CSRF token along the way.

use std::{borrow::Cow, sync::Mutex, time::Duration};

use serde_json::{Map, Value};

use super::{LoginFailure, Session, cookies::Jar};
use crate::{
    mapping::{
        call::{header, plan},
        model::{Login, Meaning, RetryUnit},
        names::Names,
        page::count_in,
        reply::{CallClass, take},
    },
    target::{
        Journey, TargetError,
        line::{Attempt, Line},
        record::Secrets,
    },
};

/// Goes through the steps in order. What each takes is `login.NAME` from the next one on.
///
/// A step that takes `expires_in`, a number of seconds, says how long the session lasts where `life` does not.
///
/// # Errors
///
/// `LoginFailed` if a step is refused, and all of [`Line::attempt`].
pub(super) async fn session(
    settings: &Login,
    line: &Line,
    journey: &Journey,
) -> Result<Session, TargetError> {
    let mut session = Session::default();
    session.jar = settings.keeps_cookies.then(|| Mutex::new(Jar::default()));
    let mut taken = Map::new();
    for step in &settings.steps {
        session.login = Value::Object(taken.clone());
        let names = names(line, &session.login);
        let Some(planned) = plan(step, "login", &line.mapping.target, &names, None)? else {
            continue;
        };
        let attempt = Attempt {
            planned: &planned,
            call: step,
            class: CallClass::Login,
            cut: None,
            session: &session,
            secrets: Secrets {
                is_all: true,
                ..Secrets::default()
            },
        };
        let (reply, verdict) = line.attempt(journey, &attempt).await?;
        match verdict.meaning {
            meaning if meaning.is_done() => take(step, &reply, &names, &mut taken)?,
            meaning => return Err(TargetError::LoginFailed(failure(meaning, reply.status))),
        }
    }
    let in_answer = match &settings.life_in_answer {
        Some((name, unit)) => taken.get(name).and_then(|value| life(value, *unit)),
        None => taken
            .get("expires_in")
            .and_then(count_in)
            .map(Duration::from_secs),
    };
    session.login = Value::Object(taken);
    finished(session, settings, line).map(|session| session.lasting(settings.life.or(in_answer)))
}

/// What the answer to a login step says that was not done. Where a rule alone says `failed`, as with APIs that answer
/// everything 200, a wrong password is the likeliest reason.
fn failure(meaning: Meaning, status: u16) -> LoginFailure {
    match meaning {
        Meaning::TooMany => LoginFailure::TooMany,
        Meaning::Retry => LoginFailure::NotWorking,
        Meaning::Failed if status >= 500 => LoginFailure::NotWorking,
        Meaning::Failed if matches!(status, 404 | 410) => LoginFailure::NotThere,
        Meaning::NotFound | Meaning::NotSupported => LoginFailure::NotThere,
        _ => LoginFailure::Refused,
    }
}

/// How long a session lasts by what the answer says; absent if that says nothing.
fn life(value: &Value, unit: RetryUnit) -> Option<Duration> {
    match unit {
        RetryUnit::Seconds => count_in(value).map(Duration::from_secs),
        RetryUnit::Milliseconds => count_in(value).map(Duration::from_millis),
        RetryUnit::Time => {
            let end: jiff::Timestamp = value.as_str()?.parse().ok()?;
            Duration::try_from(end.duration_since(jiff::Timestamp::now())).ok()
        }
    }
}

fn names<'n>(line: &'n Line, login: &'n Value) -> Names<'n> {
    let mut names = Names::new();
    names
        .settings(&line.mapping.settings)
        .with("login", Cow::Owned(login.clone()));
    names
}

/// Headers and parameters that are sent from now on.
fn finished(mut session: Session, settings: &Login, line: &Line) -> Result<Session, TargetError> {
    let login = session.login.clone();
    let names = names(line, &login);
    for (name, template) in &settings.headers {
        let header = header(name, template, &names)?;
        session
            .headers
            .push(header.ok_or(TargetError::LoginFailed(LoginFailure::NoToken))?);
    }
    for (name, template) in &settings.query {
        let value = template.render(&names)?;
        let value = value.ok_or(TargetError::LoginFailed(LoginFailure::NoToken))?;
        session.query.push((name.clone(), value));
    }
    Ok(session)
}
