//! Plays the built-in life cycles through the gateway and asks the application what it received.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::show::Screen;
use crate::cli::replay::{
    HttpTransport, Outcome, Player, Reply, Request, Session, SessionError, Settings, StepRecord,
    Summary, Transport, TransportError,
};
use crate::exchange::{CallRecord, Note};

/// What the demo plays against.
pub struct PlaySettings {
    /// The gateway's SCIM base URL, `https`.
    pub base_url: String,
    /// The bearer token the gateway knows.
    pub token: String,
    /// The PEM file of the certificate authority that signed the gateway's certificate.
    pub ca: PathBuf,
    /// The application's own address, such as `http://127.0.0.1:4000`.
    pub application_url: String,
    /// The application's `X-Api-Key`.
    pub application_key: String,
    /// The domain of the made-up addresses; the tenant must allow it.
    pub domain: String,
    /// Whether to use ANSI colours; see [`super::wants_colour`].
    pub is_coloured: bool,
    /// Called after each step: what the gateway noted since it was called last.
    pub on_step: Box<dyn FnMut() -> StepReport + Send>,
}

/// What the gateway noted during one step.
#[derive(Debug, Clone, Default)]
pub struct StepReport {
    /// What it mended.
    pub notes: Vec<Note>,
    /// The attribute paths that changed.
    pub changed: Vec<String>,
    /// Its calls to the application. Shown only if the application's own log has none.
    pub calls: Vec<CallRecord>,
}

/// Why the demo cannot go on. A step that does not hold is not an error.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no built-in life cycle of that name.
    #[error("there is no life cycle of `{0}`; there are those of `okta` and `entra`")]
    UnknownLifeCycle(String),
    /// A built-in session cannot be read.
    #[error("a built-in session cannot be read")]
    Session(#[from] SessionError),
    /// The address or the certificate authority cannot be used.
    #[error("the gateway cannot be called")]
    Transport(#[source] TransportError),
    /// The application does not answer as it should.
    #[error("the application does not answer `GET {path}`")]
    Application {
        /// What was asked.
        path: String,
        /// Why there was no answer; absent if the answer was not the one expected.
        source: Option<TransportError>,
    },
    /// The output is closed.
    #[error("cannot write")]
    Write(#[from] std::io::Error),
}

/// The identity providers that have a built-in life cycle.
pub const LIFE_CYCLES: [&str; 2] = ["okta", "entra"];

/// The built-in life cycle of an identity provider: test connection, look-up, create, update, rename, deactivate,
/// reactivate; a group, its members, its new name, its end.
///
/// Its variable `tag` keeps the names of several runs apart and is different in each; `domain` is `example.com`.
/// [`Settings::variables`] can give others.
///
/// # Errors
///
/// There is none of that name.
pub fn life_cycle(idp: &str) -> Result<Session, DemoError> {
    let text = match idp {
        "okta" => include_str!("okta.json"),
        "entra" => include_str!("entra.json"),
        other => return Err(DemoError::UnknownLifeCycle(other.to_owned())),
    };
    Ok(Session::parse(idp, text)?)
}

/// Plays both life cycles and shows each step, then what the application has in the end. Whether everything held.
///
/// What was made stays there to be looked at: nothing is cleaned up.
///
/// # Errors
///
/// The gateway's address cannot be used, the application does not tell its state, the output is closed.
pub async fn play(settings: PlaySettings, out: &mut dyn Write) -> Result<bool, DemoError> {
    let transport =
        HttpTransport::new(&settings.base_url, Some(&settings.ca)).map_err(DemoError::Transport)?;
    let application = Application::new(&settings)?;
    let sessions = LIFE_CYCLES
        .map(life_cycle)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let total = sessions.iter().map(|session| session.steps.len()).sum();
    let player = player_settings(&settings);
    let mut stage = Stage {
        screen: Screen::new(
            out,
            settings.is_coloured,
            base_path(&settings.base_url),
            total,
        ),
        seen_calls: application.log(0).await?.0,
        application,
        on_step: settings.on_step,
        summary: Summary::default(),
    };
    for session in &sessions {
        stage.screen.session(&session.idp, &session.title)?;
        let mut player = Player::new(session, &player);
        while let Some(record) = player.next_step(&transport).await {
            stage.show(&session.idp, &record).await?;
        }
    }
    let state = stage.application.get("/_state").await?;
    stage.screen.state(&state)?;
    stage.screen.summary(&stage.summary)?;
    Ok(stage.summary.all_held())
}

fn player_settings(settings: &PlaySettings) -> Settings {
    // One run, one fresh application: the names need nothing to keep them apart.
    let variables = [("tag", json!("")), ("domain", json!(settings.domain))];
    Settings {
        base_url: settings.base_url.clone(),
        token: settings.token.clone(),
        user: "scim".to_owned(),
        only: Vec::new(),
        variables: variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    }
}

/// The path of the base URL, which is left out where requests are shown.
fn base_path(base_url: &str) -> String {
    let path = url::Url::parse(base_url).map(|url| url.path().trim_end_matches('/').to_owned());
    path.unwrap_or_default()
}

struct Stage<'w> {
    screen: Screen<'w>,
    application: Application,
    seen_calls: u64,
    on_step: Box<dyn FnMut() -> StepReport + Send>,
    summary: Summary,
}

impl Stage<'_> {
    async fn show(&mut self, idp: &str, record: &StepRecord) -> Result<(), DemoError> {
        self.summary.add(&record.outcome);
        let report = (self.on_step)();
        let mut calls = Vec::new();
        if !matches!(record.outcome, Outcome::Skipped(_)) {
            (self.seen_calls, calls) = self.application.log(self.seen_calls).await?;
        }
        if calls.is_empty() {
            calls = report
                .calls
                .iter()
                .filter(|call| !call.is_planned_only)
                .map(as_logged)
                .collect();
        }
        self.screen.step(idp, record, &report, &calls)?;
        Ok(())
    }
}

/// A call as the gateway recorded it, in the form of the application's log.
fn as_logged(call: &CallRecord) -> Value {
    json!({"method": call.method, "path": call.path, "body": call.body, "status": call.status})
}

/// The application's own view of things.
struct Application {
    transport: HttpTransport,
    key: String,
}

impl Application {
    fn new(settings: &PlaySettings) -> Result<Self, DemoError> {
        Ok(Self {
            transport: HttpTransport::new(&settings.application_url, None)
                .map_err(DemoError::Transport)?,
            key: settings.application_key.clone(),
        })
    }

    /// The calls it received after number `since`, and the number of the last one.
    async fn log(&self, since: u64) -> Result<(u64, Vec<Value>), DemoError> {
        let mut log = self.get(&format!("/_log?since={since}")).await?;
        let last = log.get("last").and_then(Value::as_u64).unwrap_or(since);
        let calls = log.get_mut("calls").map(Value::take);
        match calls {
            Some(Value::Array(calls)) => Ok((last, calls)),
            _ => Ok((last, Vec::new())),
        }
    }

    async fn get(&self, path: &str) -> Result<Value, DemoError> {
        let request = Request {
            method: "GET".to_owned(),
            path_and_query: path.to_owned(),
            headers: vec![("X-Api-Key".to_owned(), self.key.clone())],
            body: None,
        };
        let unexpected = |source| DemoError::Application {
            path: path.to_owned(),
            source,
        };
        let reply: Reply = self
            .transport
            .send(request)
            .await
            .map_err(|error| unexpected(Some(error)))?;
        match serde_json::from_slice(&reply.body) {
            Ok(body) if reply.status == 200 => Ok(body),
            _ => Err(unexpected(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_life_cycle_can_be_read() {
        for idp in LIFE_CYCLES {
            let session = life_cycle(idp).unwrap();
            assert_eq!(session.idp, idp);
            assert!(session.steps.len() >= 20, "{idp}");
        }
        assert_eq!(
            life_cycle("nobody").unwrap_err().to_string(),
            "there is no life cycle of `nobody`; there are those of `okta` and `entra`"
        );
    }
}
