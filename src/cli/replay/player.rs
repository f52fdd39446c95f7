//! Plays a session step by step.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::jsonpath::JsonPath;
use super::judge::Expectation;
use super::session::{Auth, Class, Session, Step};
use super::transport::{Reply, Request, Transport};
use super::variables::{MissingVariable, Variables, in_uri, percent_encoded, plain, plus_encoded};

/// What a player needs besides the session.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The SCIM base URL, such as `https://localhost:8443/scim/v2`; its path is put before each step's.
    pub base_url: String,
    /// The bearer token.
    pub token: String,
    /// The user name of steps that use HTTP Basic.
    pub user: String,
    /// Only steps of these classes; all of them when empty.
    pub only: Vec<Class>,
    /// Values that take the place of the file's own `vars` of the same name.
    pub variables: Map<String, Value>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything held.
    Passed,
    /// What did not hold, one sentence each.
    Failed(Vec<String>),
    /// Not sent: a variable has no value, because the step that captures it did not pass.
    Skipped(String),
}

/// What happened in one step.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// Its place in the session, counted from 1.
    pub number: usize,
    /// How many steps the session has.
    pub total: usize,
    /// Its name in the session.
    pub name: String,
    /// How far it goes beyond the RFCs.
    pub class: Class,
    /// The quirks it shows.
    pub quirks: Vec<String>,
    /// What was sent; empty if it was skipped.
    pub request: Request,
    /// What came back; absent if nothing did.
    pub reply: Option<Reply>,
    /// How it ended.
    pub outcome: Outcome,
    /// From sending to the end of the answer.
    pub duration: Duration,
}

/// How many steps ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Steps in which everything held.
    pub passed: usize,
    /// Steps in which something did not.
    pub failed: usize,
    /// Steps that could not be sent.
    pub skipped: usize,
}

impl Summary {
    /// Counts one more step.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Skipped(_) => self.skipped += 1,
        }
    }

    /// Counts another session's steps too.
    pub fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Whether every step was sent and held.
    pub fn all_held(&self) -> bool {
        self.failed == 0 && self.skipped == 0
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

/// Plays a whole session, cleans up whatever happened, and tells each step to `on_step`.
pub async fn play(
    session: &Session,
    settings: &Settings,
    transport: &dyn Transport,
    on_step: &mut (dyn FnMut(&StepRecord) + Send),
) -> Summary {
    let mut player = Player::new(session, settings);
    let mut summary = Summary::default();
    while let Some(record) = player.next_step(transport).await {
        summary.add(&record.outcome);
        on_step(&record);
    }
    player.clean_up(transport).await;
    summary
}

/// A session being played: what comes next, and what was captured so far.
pub struct Player<'s> {
    session: &'s Session,
    settings: &'s Settings,
    base_path: String,
    variables: Variables,
    position: usize,
}

impl<'s> Player<'s> {
    /// A player at the first step, with variables of its own.
    pub fn new(session: &'s Session, settings: &'s Settings) -> Self {
        let base_url = settings.base_url.trim_end_matches('/');
        // A variable of the file that names one it does not have leaves its steps skipped.
        let variables = Variables::start(&session.vars, &settings.variables, base_url);
        Self {
            session,
            settings,
            base_path: base_path(base_url).to_owned(),
            variables: variables.unwrap_or_default(),
            position: 0,
        }
    }

    /// Plays the next step; `None` after the last.
    pub async fn next_step(&mut self, transport: &dyn Transport) -> Option<StepRecord> {
        loop {
            let step = self.session.steps.get(self.position)?;
            self.position += 1;
            if self.settings.only.is_empty() || self.settings.only.contains(&step.class) {
                return Some(self.play_step(step, transport).await);
            }
        }
    }

    /// Sends the clean-up requests whose variables have a value; their answers do not matter.
    pub async fn clean_up(&mut self, transport: &dyn Transport) {
        for step in &self.session.cleanup {
            if let Ok(Ok(request)) = self.request(step) {
                drop(transport.send(request).await);
            }
        }
    }

    async fn play_step(&mut self, step: &Step, transport: &dyn Transport) -> StepRecord {
        let mut record = self.blank_record(step);
        let (request, expect) = match self.prepare(step) {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(complaint)) => {
                record.outcome =
                    Outcome::Failed(vec![format!("the session is malformed: {complaint}")]);
                return record;
            }
            Err(MissingVariable(name)) => {
                record.outcome = Outcome::Skipped(format!("no value for {{{{{name}}}}}"));
                return record;
            }
        };
        record.request = request.clone();
        tokio::time::sleep(step.delay).await;
        let started = Instant::now();
        let answer = transport.send(request).await;
        record.duration = started.elapsed();
        let problems = match answer {
            Ok(reply) => {
                let problems = self.judge(step, &expect, &reply);
                record.reply = Some(reply);
                problems
            }
            Err(error) => vec![causes(&error)],
        };
        if !problems.is_empty() {
            record.outcome = Outcome::Failed(problems);
        }
        record
    }

    fn blank_record(&self, step: &Step) -> StepRecord {
        StepRecord {
            number: self.position,
            total: self.session.steps.len(),
            name: step.name.clone(),
            class: step.class,
            quirks: step.quirks.clone(),
            request: Request::default(),
            reply: None,
            outcome: Outcome::Passed,
            duration: Duration::ZERO,
        }
    }

    fn judge(&mut self, step: &Step, expect: &Expectation, reply: &Reply) -> Vec<String> {
        let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
        let verdict = expect.judge(reply, body.as_ref());
        let mut problems = verdict.problems;
        if let (true, Some(body)) = (verdict.is_status_right, &body) {
            for (name, path) in &step.capture {
                if let Err(problem) = self.capture(name, path, body) {
                    problems.push(problem);
                }
            }
        }
        problems
    }

    fn capture(&mut self, name: &str, path: &Value, body: &Value) -> Result<(), String> {
        let path = self
            .variables
            .expand(path)
            .map_err(|MissingVariable(missing)| missing)?;
        let path = plain(&path);
        let found = JsonPath::parse(&path).map_err(|error| error.to_string())?;
        match found.find(body).first() {
            Some(value) if !value.is_null() => {
                self.variables.set(name, (*value).clone());
                Ok(())
            }
            _ => Err(format!("capture {name}: nothing at {path}")),
        }
    }

    fn prepare(
        &self,
        step: &Step,
    ) -> Result<Result<(Request, Expectation), String>, MissingVariable> {
        let request = self.request(step)?;
        let expect = self.variables.expand(&Value::Object(step.expect.clone()))?;
        let expect = serde_json::from_value(expect).map_err(|error| error.to_string());
        Ok(request.and_then(|request| Ok((request, expect?))))
    }

    /// A step's request with its variables put in.
    fn request(&self, step: &Step) -> Result<Result<Request, String>, MissingVariable> {
        let request = self
            .variables
            .expand(&Value::Object(step.request.clone()))?;
        let defaults = self
            .variables
            .expand(&Value::Object(self.session.headers.clone()))?;
        let member = |name: &str| request.get(name);
        let text = |name: &str| member(name).map(plain).unwrap_or_default();
        let mut headers = Headers::default();
        headers.merge(defaults.as_object());
        headers.merge(member("headers").and_then(Value::as_object));
        self.authorize(step.auth, &mut headers);
        let body = body(&request, &mut headers);
        let path = match member("absolutePath") == Some(&Value::Bool(true)) {
            true => text("path"),
            false => format!("{}{}", self.base_path, text("path")),
        };
        let path = in_uri(&path);
        let query = query(&request);
        Ok(query.map(|query| Request {
            method: text("method"),
            path_and_query: format!("{path}{query}"),
            headers: headers.0,
            body,
        }))
    }

    fn authorize(&self, auth: Auth, headers: &mut Headers) {
        let token = &self.settings.token;
        match auth {
            Auth::None => {}
            Auth::Bearer => headers.set_default("Authorization", format!("Bearer {token}")),
            Auth::Invalid => {
                let wrong = uuid::Uuid::new_v4().simple();
                headers.set("Authorization", format!("Bearer not-a-valid-token-{wrong}"));
            }
            Auth::Basic => {
                let pair = BASE64_STANDARD.encode(format!("{}:{token}", self.settings.user));
                headers.set("Authorization", format!("Basic {pair}"));
            }
        }
    }
}

#[derive(Default)]
struct Headers(Vec<(String, String)>);

impl Headers {
    /// Later members win, whatever the case of their names; `null` takes one away.
    fn merge(&mut self, members: Option<&Map<String, Value>>) {
        for (name, value) in members.into_iter().flatten() {
            match value {
                Value::Null => self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name)),
                value => self.set(name, plain(value)),
            }
        }
    }

    fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value));
    }

    fn set_default(&mut self, name: &str, value: String) {
        if !self.0.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)) {
            self.set(name, value);
        }
    }
}

fn body(request: &Value, headers: &mut Headers) -> Option<Vec<u8>> {
    if let Some(raw) = request.get("rawBody") {
        return Some(plain(raw).into_bytes());
    }
    if let Some(Value::Object(form)) = request.get("form") {
        headers.set_default(
            "Content-Type",
            "application/x-www-form-urlencoded".to_owned(),
        );
        return Some(pairs(form, plus_encoded, plus_encoded).into_bytes());
    }
    let body = request.get("body")?;
    headers.set_default("Content-Type", "application/scim+json".to_owned());
    Some(body.to_string().into_bytes())
}

/// The query with its `?`; nothing if the request has none.
fn query(request: &Value) -> Result<String, String> {
    if let Some(raw) = request.get("rawQuery") {
        return Ok(format!("?{}", plain(raw)));
    }
    let Some(Value::Object(query)) = request.get("query") else {
        return Ok(String::new());
    };
    let encoded = match request.get("queryStyle").map(plain).as_deref() {
        None => pairs(query, percent_encoded, percent_encoded),
        Some("plus") => pairs(query, plus_encoded, plus_encoded),
        Some(other) => return Err(format!("unknown query style `{other}`")),
    };
    Ok(match encoded.is_empty() {
        true => String::new(),
        false => format!("?{encoded}"),
    })
}

fn pairs(
    members: &Map<String, Value>,
    name: fn(&str) -> String,
    value: fn(&str) -> String,
) -> String {
    let pairs: Vec<String> = members
        .iter()
        .map(|(key, member)| format!("{}={}", name(key), value(&plain(member))))
        .collect();
    pairs.join("&")
}

/// The path of a URL, without a parser: what stands after the authority.
fn base_path(base_url: &str) -> &str {
    let after_scheme = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    after_scheme
        .find('/')
        .and_then(|start| after_scheme.get(start..))
        .unwrap_or_default()
}

/// An error and its causes in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
