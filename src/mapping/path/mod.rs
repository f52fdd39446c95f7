//! Places in the application's JSON: RFC 9535 paths for reading, definite places for writing.
//!
//! In: the text of a path and JSON. Out: the values there, or the JSON with a value put there. Knows nothing of SCIM,
//! expressions or templates.

mod json_path;
mod parse;
mod place;

use std::fmt;

pub use json_path::JsonPath;
pub use place::FieldPlace;

/// A text of the mapping language that cannot be understood: a path, an expression, a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where it goes wrong: bytes from the beginning of the text, counted from 0.
    pub position: usize,
    /// How many bytes are wrong; 0 if something is missing at `position`.
    pub length: usize,
    /// What is wrong: one sentence, names in backticks.
    pub message: String,
    /// How to mend it; absent if there is nothing better to say than the message.
    pub mending: Option<String>,
}

impl SyntaxError {
    /// A complaint about `length` bytes from `position` on.
    pub fn new(position: usize, length: usize, message: impl Into<String>) -> Self {
        Self {
            position,
            length,
            message: message.into(),
            mending: None,
        }
    }

    /// The same complaint, with how to mend it.
    pub fn mend(mut self, mending: impl Into<String>) -> Self {
        self.mending = Some(mending.into());
        self
    }

    /// The same complaint within a longer text that has `bytes` more in front.
    pub fn shifted(mut self, bytes: usize) -> Self {
        self.position += bytes;
        self
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// Whether two scalars are the same, the number 4 and the text `"4"` included: applications disagree with themselves.
pub(crate) fn is_same_scalar(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Number, String};
    match (a, b) {
        (Number(x), Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Number(x), String(y)) | (String(y), Number(x)) => x.to_string() == *y,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
