//! Secrets in the lines that complaints show.
//!
//! What the loader knows for a secret it hides by itself. Here are values that stand beside what a complaint is about, and
//! those of lines that could not be read at all: told by the names of their keys.

use std::ops::Range;

use crate::diagnostic::Place;

/// The values of secrets in the line that a complaint about good TOML shows: texts under names that hardly mean anything
/// else. The lines of attributes (`'password' = 'pin'`) have quoted names.
pub(super) fn in_line_of(place: &Place) -> Vec<Place> {
    let (start, line) = line_of(place);
    let values = of_broken_line(line).into_iter();
    values
        .filter(|range| {
            let value = line.get(range.clone()).unwrap_or_default().trim();
            let before = line.get(..range.start).unwrap_or_default();
            let name = before.trim_end().trim_end_matches('=').trim_end();
            let is_file = value.get(1..).is_some_and(|text| text.starts_with("file:"));
            let is_sure = SURE.iter().any(|word| name.ends_with(word));
            is_sure && !is_file && value.starts_with(['"', '\'']) && !value.contains(['$', '{'])
        })
        .map(|range| {
            let value = line.get(range.clone()).unwrap_or_default();
            let begin = start + range.start + value.len() - value.trim_start().len();
            Place::new(&place.file, begin..begin + value.trim().len())
        })
        .collect()
}

/// Where the line of a place begins, and the line.
pub(super) fn line_of(place: &Place) -> (usize, &str) {
    let text = place.file.text.as_str();
    let before = text.get(..place.span.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next());
    (start, line.unwrap_or_default())
}

/// Where values stand in a line whose keys are those of secrets, within a table of the line as well. Of a line that
/// begins with such a key all behind it: its quotes may be what is wrong.
pub(super) fn of_broken_line(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(sign) = line.get(at..).and_then(|rest| rest.find(['=', ':'])) {
        let sign = at + sign;
        at = sign + 1;
        let before = line.get(..sign).unwrap_or_default().trim_end();
        let begin = before.rfind([',', '{', '(']).map_or(0, |at| at + 1);
        let name = before.get(begin..).unwrap_or_default().trim();
        let (is_alone, name) = (
            begin == 0,
            name.trim_matches(['"', '\'']).to_ascii_lowercase(),
        );
        let is_secret = SECRETS.iter().any(|word| name.ends_with(word));
        if !is_secret || name.contains(['[', '.']) {
            continue;
        }
        let rest = line.get(at..).unwrap_or_default();
        let is_table = rest.trim_start().starts_with('{') && !rest.trim_start().starts_with("{{");
        let end = match is_alone {
            true if is_table => continue,
            true => rest.len(),
            false => end_of_value(rest),
        };
        if !rest.get(..end).is_some_and(|value| value.contains("${")) {
            found.push(at..at + end);
        }
        at += end;
    }
    found
}

/// Where a value within a table ends: at a comma or the table's end that stand in no quotes.
fn end_of_value(rest: &str) -> usize {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ',' | '}') => return at,
            _ => {}
        }
    }
    rest.len()
}

/// How keys end that hold secrets.
const SECRETS: [&str; 11] = [
    "password",
    "pasword",
    "passwd",
    "pwd",
    "pass",
    "secret",
    "token",
    "key",
    "value",
    "authorization",
    "cookie",
];

/// How keys end that hold nothing but secrets.
const SURE: [&str; 9] = [
    "password", "pasword", "passwd", "pwd", "pass", "secret", "token", "api-key", "api_key",
];
