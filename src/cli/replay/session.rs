//! Session files: read strictly, so that a misspelt member is a complaint and not a step that asserts nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::assertion;
use super::jsonpath::{JsonPath, PathError};

/// One session of an identity provider: a set-up probe, a life cycle, an import.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose session it is, such as `okta`.
    pub idp: String,
    /// One line.
    pub title: String,
    /// One or two lines; empty if the file has none.
    pub description: String,
    pub(super) vars: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
    /// What is sent, in order.
    pub steps: Vec<Step>,
    pub(super) cleanup: Vec<Step>,
}

/// One request and what its answer must be.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is for; empty in `cleanup`.
    pub name: String,
    /// How far the step goes beyond the RFCs.
    pub class: Class,
    /// The ids of the quirks it shows.
    pub quirks: Vec<String>,
    // Raw until the variables are put in: any member may hold one.
    pub(super) request: Map<String, Value>,
    pub(super) expect: Map<String, Value>,
    pub(in crate::cli) capture: Map<String, Value>,
    /// How the request authenticates.
    pub auth: Auth,
    /// Waited before the request; at most 5 s.
    pub delay: Duration,
}

/// How far a step goes beyond the RFCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The request conforms and so does the answer asked for.
    Standard,
    /// The request conforms; the answer asked for is one that the RFCs leave open.
    IdpExpectation,
    /// The request, or the meaning it must have, goes beyond the RFCs.
    Quirk,
}

/// How a request authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// With the token given to the player.
    Bearer,
    /// Not at all.
    None,
    /// With a bearer token that is wrong.
    Invalid,
    /// With the token as the password of HTTP Basic.
    Basic,
}

/// A session that cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not JSON.
    #[error("{name}: not JSON")]
    NotJson {
        /// The session's name.
        name: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The format is another one, a member is unknown, missing, or of the wrong type.
    #[error("{name}: {place}: {complaint}")]
    Malformed {
        /// The session's name.
        name: String,
        /// Such as `steps[3].request`.
        place: String,
        /// What is wrong.
        complaint: String,
    },
}

impl Session {
    /// Whether the session has a variable of this name, which its player may give.
    pub fn has_variable(&self, name: &str) -> bool {
        self.vars.contains_key(name)
    }

    /// Reads a session. `name` stands in complaints: a file name, usually.
    ///
    /// # Errors
    ///
    /// The first complaint: not JSON, another format, a member that the format does not have.
    pub fn parse(name: &str, text: &str) -> Result<Self, SessionError> {
        let session: Value =
            serde_json::from_str(text).map_err(|source| SessionError::NotJson {
                name: name.to_owned(),
                source,
            })?;
        parse_session(&session).map_err(|complaint| SessionError::Malformed {
            name: name.to_owned(),
            place: complaint.place,
            complaint: complaint.text,
        })
    }

    /// Reads a session from a file.
    ///
    /// # Errors
    ///
    /// As [`Session::parse`], or the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, SessionError> {
        let text = std::fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
        Self::parse(&path.display().to_string(), &text)
    }
}

/// Reads every `*.json` under a folder, sorted by path.
///
/// # Errors
///
/// The first file or folder that cannot be read.
pub fn load_all(folder: &Path) -> Result<Vec<(PathBuf, Session)>, SessionError> {
    let mut paths = Vec::new();
    collect(folder, &mut paths).map_err(|source| unreadable(folder, source))?;
    paths.sort();
    paths
        .into_iter()
        .map(|path| Session::load(&path).map(|session| (path, session)))
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, source: std::io::Error) -> SessionError {
    SessionError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

struct Complaint {
    place: String,
    text: String,
}

impl Complaint {
    fn new(place: &str, text: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            text: text.into(),
        }
    }
}

fn parse_session(value: &Value) -> Result<Session, Complaint> {
    let session = object(Some(value), "the session")?;
    let format = session
        .get("format")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if format != FORMAT {
        return Err(Complaint::new(
            "format",
            format!("it is `{format}`, not `{FORMAT}`"),
        ));
    }
    known(session, SESSION_MEMBERS, "the session")?;
    Ok(Session {
        idp: text(session, "idp"),
        title: text(session, "title"),
        description: text(session, "description"),
        vars: optional_object(session, "vars", "vars")?,
        headers: optional_object(session, "headers", "headers")?,
        steps: steps(session, "steps")?,
        cleanup: steps(session, "cleanup")?,
    })
}

fn steps(session: &Map<String, Value>, part: &str) -> Result<Vec<Step>, Complaint> {
    let items = match session.get(part) {
        Some(Value::Array(items)) => items.as_slice(),
        None if part == "cleanup" => &[],
        _ => return Err(Complaint::new(part, "a list is missing")),
    };
    let parsed = items.iter().enumerate();
    parsed
        .map(|(index, item)| {
            let place = format!("{part}[{index}]");
            let step = parse_step(item, &place)?;
            if part == "steps" && (step.name.is_empty() || !step.expect.contains_key("status")) {
                return Err(Complaint::new(
                    &place,
                    "`name` or `expect.status` is missing",
                ));
            }
            Ok(step)
        })
        .collect()
}

fn parse_step(value: &Value, place: &str) -> Result<Step, Complaint> {
    let step = object(Some(value), place)?;
    known(step, STEP_MEMBERS, place)?;
    let request = object(step.get("request"), &format!("{place}.request"))?;
    known(request, REQUEST_MEMBERS, &format!("{place}.request"))?;
    if !request.contains_key("method") || !request.contains_key("path") {
        return Err(Complaint::new(place, "a request needs `method` and `path`"));
    }
    let expect = optional_object(step, "expect", &format!("{place}.expect"))?;
    check_expectation(&expect, &format!("{place}.expect"))?;
    let capture = optional_object(step, "capture", &format!("{place}.capture"))?;
    for path in capture.values() {
        check_path(path, &format!("{place}.capture"))?;
    }
    let delay_ms = step.get("delayMs").and_then(Value::as_u64).unwrap_or(0);
    Ok(Step {
        name: text(step, "name"),
        class: class(step.get("class"), place)?,
        quirks: quirks(step.get("quirks"), place)?,
        request: request.clone(),
        expect,
        capture,
        auth: auth(step.get("auth"), place)?,
        delay: Duration::from_millis(delay_ms.min(LONGEST_DELAY_MS)),
    })
}

fn check_expectation(expect: &Map<String, Value>, place: &str) -> Result<(), Complaint> {
    known(expect, EXPECT_MEMBERS, place)?;
    let assertions = match expect.get("body") {
        Some(Value::Array(assertions)) => assertions.as_slice(),
        None => &[],
        Some(_) => return Err(Complaint::new(place, "`body` is not a list of assertions")),
    };
    for assertion in assertions {
        let assertion = object(Some(assertion), place)?;
        known(assertion, assertion::MEMBERS, place)?;
        check_path(assertion.get("path").unwrap_or(&Value::Null), place)?;
    }
    Ok(())
}

fn check_path(path: &Value, place: &str) -> Result<(), Complaint> {
    let path = path
        .as_str()
        .ok_or_else(|| Complaint::new(place, "a path is missing"))?;
    JsonPath::parse(path)
        .map(|_| ())
        .map_err(|error: PathError| Complaint::new(place, error.to_string()))
}

fn class(value: Option<&Value>, place: &str) -> Result<Class, Complaint> {
    match value.map_or(Some("standard"), Value::as_str) {
        Some("standard") => Ok(Class::Standard),
        Some("idp-expectation") => Ok(Class::IdpExpectation),
        Some("quirk") => Ok(Class::Quirk),
        _ => Err(Complaint::new(place, "`class` is not one of the three")),
    }
}

fn auth(value: Option<&Value>, place: &str) -> Result<Auth, Complaint> {
    match value.map_or(Some("bearer"), Value::as_str) {
        Some("bearer") => Ok(Auth::Bearer),
        Some("none") => Ok(Auth::None),
        Some("invalid") => Ok(Auth::Invalid),
        Some("basic") => Ok(Auth::Basic),
        _ => Err(Complaint::new(
            place,
            "`auth` is not `bearer`, `none`, `invalid` or `basic`",
        )),
    }
}

fn quirks(value: Option<&Value>, place: &str) -> Result<Vec<String>, Complaint> {
    let value = value.cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    serde_json::from_value(value)
        .map_err(|_| Complaint::new(place, "`quirks` is not a list of ids"))
}

fn object<'v>(value: Option<&'v Value>, place: &str) -> Result<&'v Map<String, Value>, Complaint> {
    value
        .and_then(Value::as_object)
        .ok_or_else(|| Complaint::new(place, "an object is missing"))
}

fn optional_object(
    parent: &Map<String, Value>,
    member: &str,
    place: &str,
) -> Result<Map<String, Value>, Complaint> {
    match parent.get(member) {
        None => Ok(Map::new()),
        value => object(value, place).cloned(),
    }
}

fn text(parent: &Map<String, Value>, member: &str) -> String {
    let value = parent.get(member).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

fn known(object: &Map<String, Value>, members: &[&str], place: &str) -> Result<(), Complaint> {
    match object.keys().find(|key| !members.contains(&key.as_str())) {
        Some(unknown) => Err(Complaint::new(place, format!("unknown member `{unknown}`"))),
        None => Ok(()),
    }
}

const FORMAT: &str = "scim-replay/1";
const LONGEST_DELAY_MS: u64 = 5_000;
const SESSION_MEMBERS: &[&str] = &[
    "format",
    "idp",
    "title",
    "description",
    "vars",
    "headers",
    "steps",
    "cleanup",
    "needs",
];
const STEP_MEMBERS: &[&str] = &[
    "name", "quirks", "class", "request", "expect", "capture", "auth", "note", "delayMs",
];
const REQUEST_MEMBERS: &[&str] = &[
    "method",
    "path",
    "absolutePath",
    "query",
    "queryStyle",
    "rawQuery",
    "headers",
    "body",
    "rawBody",
    "form",
];
const EXPECT_MEMBERS: &[&str] = &["status", "headers", "body", "bodyWhen"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({"format": "scim-replay/1", "idp": "okta", "title": "t", "steps": [
            {"name": "n", "request": {"method": "GET", "path": "/Users"}, "expect": {"status": 200}}]})
    }

    fn refusal(pointer: &str, member: &str, value: Value) -> String {
        let mut session = good();
        let place = session
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        if value.is_null() {
            place.remove(member);
        } else {
            place.insert(member.to_owned(), value);
        }
        match Session::parse("x", &session.to_string()) {
            Ok(_) => "read".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_session_that_is_not_understood_whole_is_refused() {
        assert!(Session::parse("x", &good().to_string()).is_ok());
        let cases = [
            (
                "",
                "format",
                json!("scim-replay/2"),
                "x: format: it is `scim-replay/2`, not `scim-replay/1`",
            ),
            (
                "",
                "step",
                json!([]),
                "x: the session: unknown member `step`",
            ),
            ("", "steps", Value::Null, "x: steps: a list is missing"),
            (
                "/steps/0",
                "names",
                json!(1),
                "x: steps[0]: unknown member `names`",
            ),
            (
                "/steps/0",
                "name",
                Value::Null,
                "x: steps[0]: `name` or `expect.status` is missing",
            ),
            (
                "/steps/0",
                "class",
                json!("odd"),
                "x: steps[0]: `class` is not one of the three",
            ),
            (
                "/steps/0",
                "auth",
                json!("digest"),
                "x: steps[0]: `auth` is not `bearer`, `none`, `invalid` or `basic`",
            ),
            (
                "/steps/0",
                "capture",
                json!({"a": "id"}),
                "x: steps[0].capture: cannot read the path `id` at byte 0",
            ),
            (
                "/steps/0/request",
                "method",
                Value::Null,
                "x: steps[0]: a request needs `method` and `path`",
            ),
            (
                "/steps/0/request",
                "bdy",
                json!({}),
                "x: steps[0].request: unknown member `bdy`",
            ),
            (
                "/steps/0/expect",
                "state",
                json!(1),
                "x: steps[0].expect: unknown member `state`",
            ),
            (
                "/steps/0/expect",
                "status",
                Value::Null,
                "x: steps[0]: `name` or `expect.status` is missing",
            ),
            (
                "/steps/0/expect",
                "body",
                json!([{"path": "$.a", "equal": 1}]),
                "x: steps[0].expect: unknown member `equal`",
            ),
            (
                "/steps/0/expect",
                "body",
                json!([{"equals": 1}]),
                "x: steps[0].expect: a path is missing",
            ),
        ];
        for (pointer, member, value, expected) in cases {
            assert_eq!(refusal(pointer, member, value), expected);
        }
    }

    #[test]
    fn every_session_kept_with_the_tests_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
        let sessions = load_all(&folder).unwrap();
        assert!(sessions.len() >= 33, "only {} sessions", sessions.len());
        assert!(
            sessions
                .iter()
                .all(|(_, session)| !session.steps.is_empty())
        );
    }
}
