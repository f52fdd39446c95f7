//! URL paths with placeholders.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

use crate::mapping::{
    expression::{EvaluateError, EvaluateErrorKind, Expression, Fault, NamePath},
    names::Names,
    path::SyntaxError,
};

use super::{Piece, Template, names_of, piece_text};

/// Everything but the unreserved characters of RFC 3986 §2.3 is encoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A URL path in which each placeholder is one percent-encoded segment or part of one.
#[derive(Debug, Clone)]
pub struct PathTemplate {
    source: String,
    /// The segments, without the slashes; a path ends with an empty one if it ends with a slash.
    segments: Vec<Vec<Piece>>,
}

impl PathTemplate {
    /// Reads the path part of a URL, from the first `/` on, without a query.
    ///
    /// # Errors
    ///
    /// As [`Template::parse`]; a path that does not begin with `/`; a query; a character that must be percent-encoded;
    /// a segment that is empty, `.` or `..`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if !text.starts_with('/') {
            let error = SyntaxError::new(0, 0, "A path begins with `/`.");
            return Err(error.mend("write `/` in front"));
        }
        let template = Template::parse(text)?;
        let segments = segments(&template.pieces, text)?;
        Ok(Self {
            source: text.to_owned(),
            segments,
        })
    }

    /// The path, each value percent-encoded. `pattern` is what a value must look like.
    ///
    /// # Errors
    ///
    /// `Absent` if a value is, `UnfitForPath` if a value does not match the pattern or a whole segment would be empty, `.`
    /// or `..`; and as [`Template::render`].
    pub fn render(&self, names: &Names<'_>, pattern: &Regex) -> Result<String, EvaluateError> {
        let mut path = String::with_capacity(self.source.len() + 32);
        for segment in &self.segments {
            path.push('/');
            self.segment(&mut path, segment, names, pattern)?;
        }
        Ok(path)
    }

    /// Adds one segment.
    fn segment(
        &self,
        path: &mut String,
        pieces: &[Piece],
        names: &Names<'_>,
        pattern: &Regex,
    ) -> Result<(), EvaluateError> {
        let begin = path.len();
        let mut has_value = false;
        for piece in pieces {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Expression(expression) => {
                    has_value = true;
                    let value = self.placeholder(expression, names, pattern)?;
                    path.extend(utf8_percent_encode(&value, UNRESERVED));
                }
            }
        }
        if has_value && path.get(begin..).is_none_or(is_dots_or_empty) {
            return Err(self.unfit("A segment of the path would be empty or only dots."));
        }
        Ok(())
    }

    fn placeholder(
        &self,
        expression: &Expression,
        names: &Names<'_>,
        pattern: &Regex,
    ) -> Result<String, EvaluateError> {
        let Some(value) = piece_text(expression, names)? else {
            let message = format!("`{}`, a part of the path, is absent.", expression.source());
            return Err(Fault::new(EvaluateErrorKind::Absent, message).of(&self.source));
        };
        match pattern.is_match(&value) {
            true => Ok(value),
            false => {
                let message = format!(
                    "`{}`, a part of the path, does not look like an id.",
                    expression.source()
                );
                Err(self.unfit(&message))
            }
        }
    }

    fn unfit(&self, message: &str) -> EvaluateError {
        Fault::new(EvaluateErrorKind::UnfitForPath, message).of(&self.source)
    }

    /// The names in its placeholders, in order; positions are in the path's text.
    pub fn names(&self) -> Vec<NamePath> {
        self.segments.iter().flat_map(|s| names_of(s)).collect()
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

fn is_dots_or_empty(segment: &str) -> bool {
    matches!(segment, "" | "." | "..")
}

/// Pieces cut at the slashes of the literal text.
fn segments(pieces: &[Piece], source: &str) -> Result<Vec<Vec<Piece>>, SyntaxError> {
    let mut segments: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Expression(..) => match segments.last_mut() {
                Some(segment) => segment.push(piece.clone()),
                None => segments.push(vec![piece.clone()]),
            },
            Piece::Text(text) => {
                check_literal(text, source)?;
                let mut parts = text.split('/');
                let front = parts.next().filter(|p| !p.is_empty());
                if let (Some(part), Some(segment)) = (front, segments.last_mut()) {
                    segment.push(Piece::Text(part.to_owned()));
                }
                segments.extend(parts.map(|part| match part {
                    "" => Vec::new(),
                    part => vec![Piece::Text(part.to_owned())],
                }));
            }
        }
    }
    let count = segments.len();
    for (index, segment) in segments.iter().enumerate() {
        check_segment(segment, index + 1 == count, source)?;
    }
    Ok(segments)
}

/// A segment of literal text may not change the path's shape. The last may be empty: a path may end with a slash.
fn check_segment(segment: &[Piece], is_last: bool, source: &str) -> Result<(), SyntaxError> {
    let literal = match segment {
        [] => "",
        [Piece::Text(text)] => text,
        _ => return Ok(()),
    };
    if !is_dots_or_empty(literal) || (literal.is_empty() && is_last) {
        return Ok(());
    }
    let wrong = if literal.is_empty() { "//" } else { literal };
    let position = source.find(wrong).unwrap_or(0);
    let message = "A segment of a path cannot be empty, `.` or `..`.";
    Err(SyntaxError::new(position, wrong.len(), message))
}

/// Literal text has only characters that RFC 3986 §3.3 allows in a path.
fn check_literal(text: &str, source: &str) -> Result<(), SyntaxError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c);
    let Some(wrong) = text.chars().find(|c| !is_allowed(*c)) else {
        return Ok(());
    };
    let position = source.find(wrong).unwrap_or(0);
    let message = format!("`{}` cannot stand in a path.", wrong.escape_debug());
    let error = SyntaxError::new(position, wrong.len_utf8(), message);
    Err(match wrong {
        '?' => error.mend("the query does not belong to the path"),
        '{' | '}' => error.mend("a value stands in single braces: `{id}`"),
        '#' => error.mend("a fragment is never sent: remove it"),
        _ => {
            let encoded: String =
                utf8_percent_encode(wrong.encode_utf8(&mut [0; 4]), UNRESERVED).collect();
            error.mend(format!("write `{encoded}`"))
        }
    })
}
