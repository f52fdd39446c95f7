//! What one SCIM request's calls share, and what comes of them.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    exchange::{CallRecord, Exchange, Trouble},
    mapping::model::Meaning,
};

use super::TargetError;

/// What the calls of one SCIM request share.
#[derive(Debug, Clone)]
pub struct Journey {
    /// The tenant.
    pub tenant: Arc<str>,
    /// No call goes beyond it.
    pub deadline: Instant,
    /// Whether writes are planned and recorded but not sent (`mode = "shadow"`, `explain`). Reads are sent.
    pub is_dry: bool,
    /// Where calls are recorded, secrets and redacted places blanked.
    pub exchange: Arc<Mutex<Exchange>>,
}

impl Journey {
    /// Notes what could not be done, for the log and for `explain`.
    pub(super) fn trouble(&self, operation: &str, error: &TargetError) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.trouble = Some(Trouble {
            operation: operation.to_owned(),
            cause: error.with_causes(),
        });
    }

    /// Adds a call to the exchange.
    pub(super) fn record(&self, record: CallRecord) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.calls.push(record);
    }

    /// From now on the application may have been changed.
    pub(super) fn writes(&self) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.writes += 1;
    }

    /// The call that would have changed it never left.
    pub(super) fn wrote_nothing(&self) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.writes = exchange.writes.saturating_sub(1);
    }
}

/// An operation that was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The object in the last reply; absent if it holds none that can be used: read it back or compose it.
    pub object: Option<Value>,
    /// The object's id as the operation's or the type's id rule finds it, as text.
    pub id: Option<String>,
    /// The last reply's `ETag`.
    pub etag: Option<String>,
    /// What the steps took.
    pub taken: Map<String, Value>,
    /// What the last reply means: done, made, or so already.
    pub meaning: Meaning,
    /// Whether at least one write was planned only.
    pub is_planned_only: bool,
}
