//! Replies without what was asked for: some say by it that there is nothing, others that the call failed.

use serde_json::Value;

use super::{CallClass, Reply, ReplyForm, plain_names};
use crate::mapping::path::JsonPath;

/// Whether a reply without a value at these names says so itself; not if it holds other things in which they do not occur.
pub fn says_nothing_at(names: &[&str], content: &Value) -> bool {
    let mut at = content;
    for name in names {
        let Value::Object(members) = at else {
            return true;
        };
        match members.get(*name) {
            Some(value) => at = value,
            None => return members.is_empty(),
        }
    }
    true
}

/// Whether a reply that lacks the place where every reply has its content speaks of a failure: a read needs the content; what
/// answers a write may have none, unless it speaks of an error instead.
pub(super) fn lacks_content(path: &JsonPath, class: CallClass, reply: &Reply) -> bool {
    if reply.form != ReplyForm::Data || !reply.content.is_null() {
        return false;
    }
    let Some(names) = plain_names(path) else {
        return false;
    };
    let whole = reply.whole();
    let is_asked_for = class.is_read() || speaks_of_error(whole);
    is_asked_for && !says_nothing_at(&names, whole)
}

/// Whether a list that is not in a reply is missing since the call failed.
pub fn fails_without_list(path: &JsonPath, reply: &Reply) -> bool {
    speaks_of_error(reply.whole())
        && plain_names(path).is_some_and(|names| !says_nothing_at(&names, &reply.content))
}

/// Whether a body has a member that is called an error and says something: JSON-RPC's `error`, GraphQL's `errors`.
fn speaks_of_error(body: &Value) -> bool {
    let mut members = body.as_object().into_iter().flatten();
    members.any(|(name, value)| ERRORS.contains(&name.to_ascii_lowercase().as_str()) && says(value))
}

fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}

const ERRORS: [&str; 6] = [
    "error",
    "errors",
    "exception",
    "fault",
    "faultcode",
    "faultstring",
];
