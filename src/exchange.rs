//! All that happened for one request.
//!
//! In: what the stages note while a request passes them. Out: the material of logs, metrics, `explain` and the audit.
//! Knows nothing of how it is shown. Holds no clock: durations are given to it.

use std::{borrow::Cow, time::Duration};

use serde_json::Value;

use crate::diagnostic::Place;

/// Something odd in a request that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The quirk's id in the catalogue, such as `ENTRA-10` or `N2`.
    pub quirk: &'static str,
    /// What was mended, in words; names attributes, never values.
    pub message: String,
}

/// The notes of one request, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes(pub Vec<Note>);

impl Notes {
    /// Adds a note.
    pub fn add(&mut self, quirk: &'static str, message: impl Into<String>) {
        self.0.push(Note {
            quirk,
            message: message.into(),
        });
    }
}

/// One call to the target and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The mapping's name of the operation, such as `user.create`.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path and query as sent, without the base URL. May hold personal data: never logged.
    pub path: String,
    /// Body as data, secrets replaced by `***`. May hold personal data: never logged.
    pub body: Option<Value>,
    /// Headers that the mapping sets, and `If-Match`; values that are secret, or may be, are `***`. Never logged.
    pub headers: Vec<(String, String)>,
    /// Method and path as the mapping writes them, without a query: `GET /users/{id}`.
    pub template: String,
    /// The status answered; absent if there was no answer, or if the call was only planned.
    pub status: Option<u16>,
    /// Why there was no answer; absent if there was one, or if the call was only planned.
    pub cause: Option<String>,
    /// What the answer was taken to mean, and what decided that; absent without an answer.
    pub judged: Option<Judged>,
    /// Time from sending to the end of the reply.
    pub duration: Duration,
    /// Whether it was planned only (`explain`, `mode = "shadow"`).
    pub is_planned_only: bool,
    /// Where the mapping says this call; absent if no file says it.
    pub origin: Option<Place>,
}

/// What an answer was taken to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The meaning, as rules write it: `ok`, `uniqueness`.
    pub meaning: &'static str,
    /// What decided: a rule with its place among the others, or the status alone.
    pub by: Cow<'static, str>,
    /// Whether what was asked is so now.
    pub is_done: bool,
}

/// Why something that was asked of the application could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The mapping's name of the operation, such as `user.update`.
    pub operation: String,
    /// What happened, with its causes; names no values. For operators.
    pub cause: String,
}

/// Objects that are in the application and do not exist for the client, and why. Collected in dry runs only, for operators.
#[derive(Debug, Clone, PartialEq)]
pub struct Hidden {
    /// The resource type, such as `User`.
    pub resource_type: String,
    /// What keeps them out: a key of the mapping such as `scope`, or a sentence.
    pub by: Cow<'static, str>,
    /// Where the mapping says it; absent: no line of a file does.
    pub at: Option<Place>,
    /// How many.
    pub count: u64,
}

/// What one request did, collected on its way.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exchange {
    /// What was mended.
    pub notes: Notes,
    /// Paths of the attributes that changed.
    pub changed: Vec<String>,
    /// Calls to the target, in order.
    pub calls: Vec<CallRecord>,
    /// What was kept from the client; empty unless it was a dry run.
    pub hidden: Vec<Hidden>,
    /// The last thing that could not be done; absent if all could, or if the application refused it in an answer.
    pub trouble: Option<Trouble>,
    /// Whether a call that changes something was sent, whatever became of it. Known before its record is there.
    pub may_have_written: bool,
}
