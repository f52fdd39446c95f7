//! What is there for tests and demonstrations: the whole state, and the calls received.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::groups;
use super::staff::Staff;
use super::users::{self, TIME};

/// The last calls received, the newest at the end.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    calls: VecDeque<Value>,
    last: u64,
}

impl CallLog {
    /// Notes a call. A password in the body is blanked, a large body is named by its size only.
    pub fn add(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        body_bytes: usize,
        status: u16,
    ) {
        self.last += 1;
        let body = match body {
            Some(_) if body_bytes > LARGEST_LOGGED_BODY => json!(format!("({body_bytes} bytes)")),
            Some(body) => blanked(body),
            None => Value::Null,
        };
        if self.calls.len() == LONGEST_LOG {
            self.calls.pop_front();
        }
        self.calls.push_back(
            json!({"n": self.last, "method": method, "path": path, "body": body, "status": status}),
        );
    }

    /// The calls after number `since`, oldest first.
    pub fn since(&self, since: u64) -> Value {
        let newer = usize::try_from(self.last.saturating_sub(since)).unwrap_or(usize::MAX);
        let skipped = self.calls.len().saturating_sub(newer);
        let calls: Vec<&Value> = self.calls.iter().skip(skipped).collect();
        json!({"last": self.last, "calls": calls})
    }
}

/// The whole state. More than 10,000 users are not listed: then `users_total` is larger than the list.
pub(super) fn state(staff: &Staff) -> Value {
    let users = staff.users.iter().take(LARGEST_STATE).map(|user| {
        let mut shown = users::show(staff, user);
        shown["password_changed_at"] = json!(user.password_changed_at.strftime(TIME).to_string());
        shown
    });
    let groups = staff.groups.iter().take(LARGEST_STATE).map(|group| {
        let mut shown = groups::show(group);
        shown["members"] = group.members.iter().take(LARGEST_STATE).copied().collect();
        shown
    });
    json!({
        "users": users.collect::<Vec<_>>(),
        "users_total": staff.users.len(),
        "groups": groups.collect::<Vec<_>>(),
        "groups_total": staff.groups.len(),
        "roles": staff.roles.to_json(),
        "entitlements": staff.entitlements.to_json(),
    })
}

fn blanked(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(password) = body.get_mut("password") {
        *password = json!("***");
    }
    body
}

const LONGEST_LOG: usize = 10_000;
const LARGEST_LOGGED_BODY: usize = 16 * 1024;
const LARGEST_STATE: usize = 10_000;
