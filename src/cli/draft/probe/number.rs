//! How many there are: a number in the reply that says so by its name, or because it is larger than what came.

use serde_json::Value;

use super::{
    super::{
        names::normal,
        paging::{TOTALS, json_path, parted},
    },
    seen::{self, Seen},
};

/// Said where nothing was found, and taken back where a page says it.
pub(super) const UNTOLD: &str = "The reply does not say how many there are.";

/// Looks for the number of all in the plain reply, and says what was found. A `count` that is what came may be only that:
/// `confirm` decides.
pub(super) fn find(seen: &mut Seen) {
    let count = seen.rows.len() as u64;
    let found = seen
        .member(TOTALS, Value::is_u64)
        .and_then(|(path, value)| Some((path, value.as_u64()?)));
    let larger = || {
        let members = seen.members();
        let mut numbers = members
            .iter()
            .filter_map(|(path, value)| Some((path.clone(), value.as_u64()?)));
        numbers.find(|(path, value)| *value > count && *value < MOST && counts(path))
    };
    let Some((path, value)) = found.or_else(larger) else {
        if seen.total_header.is_none() && !has_count(seen) {
            seen.say(UNTOLD.into());
        }
        return;
    };
    let more = if value > count {
        format!(", and {count} came: one reply does not hold all")
    } else {
        String::new()
    };
    seen.say(format!(
        "`{}` has the number of all: {value}{more}.",
        json_path(&path)
    ));
    seen.total = Some((path, value));
}

/// Whether a number that was what came stays the same where one object alone was asked for: then it is the number of all.
pub(super) fn confirm(seen: &mut Seen, reply_of_one: &Value) {
    let count = seen.rows.len() as u64;
    if seen.total.is_some() || count < 2 {
        return;
    }
    let stays =
        |path: &str| seen::at(reply_of_one, &parted(path)).and_then(Value::as_u64) == Some(count);
    let members = seen.members();
    let found = members
        .iter()
        .find(|(path, value)| value.as_u64() == Some(count) && counts(path) && stays(path));
    if let Some(path) = found.map(|(path, _)| path.clone()) {
        seen.say(format!(
            "`{}` has the number of all: {count}.",
            json_path(&path)
        ));
        seen.total = Some((path, count));
    }
}

/// Whether some member counts what came.
fn has_count(seen: &Seen) -> bool {
    let count = seen.rows.len() as u64;
    let members = seen.members();
    members
        .iter()
        .any(|(path, value)| value.as_u64() == Some(count) && counts(path))
}

/// Whether a name says that it counts objects.
fn counts(path: &str) -> bool {
    let last = normal(path.rsplit('.').next().unwrap_or(path));
    let says = WORDS.iter().any(|word| last.contains(word));
    says && !NO_COUNTS.iter().any(|word| last.contains(word))
}

const WORDS: &[&str] = &[
    "count", "total", "found", "hits", "num", "records", "matches", "results", "size",
];
/// Names of a page's size and number.
const NO_COUNTS: &[&str] = &["page", "limit", "per", "number", "max", "time", "account"];
/// A larger number is a time or an id.
const MOST: u64 = 100_000_000;
