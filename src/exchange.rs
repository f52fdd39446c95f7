//! All that happened for one request.
//!
//! In: what the stages note while a request passes them. Out: the material of logs, metrics, `explain` and the audit.
//! Knows nothing of how it is shown. Holds no clock: durations are given to it.

use std::time::Duration;

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
    /// The status answered; absent if there was no answer, or if the call was only planned.
    pub status: Option<u16>,
    /// Time from sending to the end of the reply.
    pub duration: Duration,
    /// Whether it was planned only (`explain`, `mode = "shadow"`).
    pub is_planned_only: bool,
    /// Where the mapping says this call; absent if no file says it.
    pub origin: Option<Place>,
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
    /// Whether a call that changes something was sent, whatever became of it. Known before its record is there.
    pub may_have_written: bool,
}
