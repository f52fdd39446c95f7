//! One call in, one answer out: credential, route, body. No sockets and no clock.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use super::fields::Complaints;
use super::inspect::{self, CallLog};
use super::staff::Staff;
use super::{groups, users};

/// The application behind its HTTP edge.
#[derive(Debug)]
pub(super) struct Application {
    staff: Staff,
    log: CallLog,
    api_key: String,
}

/// A request, as the edge hands it over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'r> {
    pub method: &'r str,
    pub path: &'r str,
    pub query: Option<&'r str>,
    /// The value of `X-Api-Key`.
    pub api_key: Option<&'r [u8]>,
    pub body: &'r [u8],
    pub now: Timestamp,
}

/// A request whose credential and body are all right.
#[derive(Debug)]
pub(super) struct Call<'r> {
    pub method: &'r str,
    pub query: Vec<(String, String)>,
    /// `None` with methods that have none.
    pub body: Option<&'r Map<String, Value>>,
    pub now: Timestamp,
}

impl Call<'_> {
    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }
}

/// What goes back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub status: u16,
    /// JSON; none with 204.
    pub body: Option<Value>,
    /// The `Allow` header of a 405.
    pub allow: Option<&'static str>,
}

impl Answer {
    fn new(status: u16, body: Option<Value>) -> Self {
        let allow = None;
        Self {
            status,
            body,
            allow,
        }
    }

    pub fn ok(body: Value) -> Self {
        Self::new(200, Some(body))
    }

    pub fn created(body: Value) -> Self {
        Self::new(201, Some(body))
    }

    pub fn empty() -> Self {
        Self::new(204, None)
    }

    pub fn invalid(complaints: &Complaints) -> Self {
        Self::new(422, Some(complaints.to_json()))
    }

    pub fn refused(status: u16, message: &str) -> Self {
        Self::new(status, Some(json!({ "error": message })))
    }
}

pub(super) fn not_found() -> Answer {
    Answer::refused(404, "not found")
}

pub(super) fn not_allowed(allow: &'static str) -> Answer {
    Answer {
        allow: Some(allow),
        ..Answer::refused(405, "method not allowed")
    }
}

impl Application {
    /// The application with its seeded staff.
    pub fn new(users: u64, api_key: &str, now: Timestamp) -> Self {
        Self {
            staff: Staff::seeded(users, now),
            log: CallLog::default(),
            api_key: api_key.to_owned(),
        }
    }

    /// Answers a request and notes it, unless it only inspects.
    pub fn answer(&mut self, received: &Received<'_>) -> Answer {
        let segments: Vec<&str> = received.path.trim_matches('/').split('/').collect();
        if segments == ["health"] {
            return Answer::ok(json!({"status": "ok"}));
        }
        if !self.knows(received.api_key) {
            return Answer::refused(401, "a valid X-Api-Key header is required");
        }
        if let [name] = segments.as_slice()
            && let Some(inspection) = name.strip_prefix('_')
        {
            return self.inspect(inspection, received);
        }
        let has_body = matches!(received.method, "POST" | "PATCH" | "PUT");
        let body = match has_body.then(|| serde_json::from_slice::<Value>(received.body)) {
            None => None,
            Some(Ok(body @ Value::Object(_))) => Some(body),
            Some(_) => return Answer::refused(400, "the body is not a JSON object"),
        };
        let call = Call {
            method: received.method,
            query: pairs(received.query),
            body: body.as_ref().and_then(Value::as_object),
            now: received.now,
        };
        let answer = self.route(&segments, &call);
        let path = match received.query {
            Some(query) => format!("{}?{query}", received.path),
            None => received.path.to_owned(),
        };
        self.log.add(
            received.method,
            &path,
            body.as_ref(),
            received.body.len(),
            answer.status,
        );
        answer
    }

    fn route(&mut self, segments: &[&str], call: &Call<'_>) -> Answer {
        let staff = &mut self.staff;
        let one = |id: &str| id.parse::<u64>().ok();
        match *segments {
            ["users"] => users::answer_list(staff, call),
            ["groups"] => groups::answer_list(staff, call),
            ["roles"] => staff.roles.answer_list(call),
            ["entitlements"] => staff.entitlements.answer_list(call),
            [list, id, ref rest @ ..] => match (list, one(id), rest) {
                ("users", Some(id), []) => users::answer_one(staff, id, call),
                ("users", Some(id), ["groups"]) => users::answer_groups(staff, id, call),
                ("groups", Some(id), []) => groups::answer_one(staff, id, call),
                ("groups", Some(id), ["members"]) => groups::answer_members(staff, id, call),
                ("groups", Some(id), ["members", member]) => match one(member) {
                    Some(member) => groups::answer_member(staff, id, member, call),
                    None => not_found(),
                },
                ("roles", Some(id), []) => staff.roles.answer_one(id, call),
                ("entitlements", Some(id), []) => staff.entitlements.answer_one(id, call),
                _ => not_found(),
            },
            _ => not_found(),
        }
    }

    fn inspect(&self, name: &str, received: &Received<'_>) -> Answer {
        match (received.method, name) {
            ("GET", "state") => Answer::ok(inspect::state(&self.staff)),
            ("GET", "log") => {
                let query = pairs(received.query);
                let since = query.iter().find(|(key, _)| key == "since");
                let since = since.and_then(|(_, value)| value.parse().ok());
                Answer::ok(self.log.since(since.unwrap_or(0)))
            }
            ("POST", "attach") => {
                Answer::ok(json!({"application": "Staffbook", "pid": std::process::id()}))
            }
            (_, "state" | "log") => not_allowed("GET"),
            (_, "attach") => not_allowed("POST"),
            _ => not_found(),
        }
    }

    fn knows(&self, api_key: Option<&[u8]>) -> bool {
        api_key.is_some_and(|key| key.ct_eq(self.api_key.as_bytes()).into())
    }
}

fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}
