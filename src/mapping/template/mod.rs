//! Text and data with `{expression}` in them.
//!
//! In: the text of a template, and names with their values. Out: text, a value, a URL path, or a body as data. Knows
//! nothing of what the names mean, nor of bytes on the wire.

mod path;
mod tree;

use std::{borrow::Cow, fmt};

use serde_json::Value;

pub use path::PathTemplate;
pub use tree::{Key, SPREAD, Tree, TreeError};

use super::{
    expression::{
        EvaluateError, EvaluateErrorKind, Expression, Fault, MAX_RESULT_BYTES, NamePath, Stop,
        text_of,
    },
    names::Names,
    path::SyntaxError,
};

/// The longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 64 * 1024;

/// Text with `{expression}` in it. One that is a single expression keeps the value's type. `{{` and `}}` are braces.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// As [`Expression::parse`] for each expression, a brace that is not closed or closes nothing, more than
    /// [`MAX_TEMPLATE_BYTES`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            let message = format!("A template has at most {MAX_TEMPLATE_BYTES} bytes.");
            return Err(SyntaxError::new(0, text.len(), message));
        }
        Ok(Self {
            source: text.to_owned(),
            pieces: pieces(text)?,
        })
    }

    /// A template that is this text, whatever braces are in it: for values of the environment and of secret files.
    pub fn literal(text: &str) -> Self {
        Self {
            source: escape(text).into_owned(),
            pieces: vec![Piece::Text(text.to_owned())],
        }
    }

    /// The text; absent if any expression in it is absent or null.
    ///
    /// # Errors
    ///
    /// As [`Expression::evaluate`]; a list or object, which has no text; a text of more than [`MAX_RESULT_BYTES`].
    pub fn render(&self, names: &Names<'_>) -> Result<Option<String>, EvaluateError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Expression(expression) => match piece_text(expression, names)? {
                    Some(part) => text.push_str(&part),
                    None => return Ok(None),
                },
            }
            if text.len() > MAX_RESULT_BYTES {
                return Err(Fault::too_large().of(&self.source));
            }
        }
        Ok(Some(text))
    }

    /// The value: of any type for a single expression (null is a value), text otherwise.
    ///
    /// # Errors
    ///
    /// As [`Template::render`].
    pub fn value(&self, names: &Names<'_>) -> Result<Option<Value>, EvaluateError> {
        match self.pieces.as_slice() {
            [Piece::Expression(expression)] => expression.evaluate(names),
            _ => Ok(self.render(names)?.map(Value::String)),
        }
    }

    /// Whether there is no expression in it.
    pub fn is_constant(&self) -> bool {
        self.constant().is_some()
    }

    /// Its text if there is no expression in it, braces unescaped.
    pub fn constant(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The names in its expressions, in order; positions are in the template's text.
    pub fn names(&self) -> Vec<NamePath> {
        names_of(&self.pieces)
    }

    /// The last operand of a sum in it that has a filter behind it: see [`Expression::filtered_operand`].
    pub fn filtered_operand(&self) -> Option<&str> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Expression(expression) => expression.filtered_operand(),
            Piece::Text(_) => None,
        })
    }

    /// Whether it takes random characters.
    pub fn is_made_anew(&self) -> bool {
        self.pieces
            .iter()
            .any(|p| matches!(p, Piece::Expression(e) if e.is_made_anew()))
    }

    /// Whether it is one expression alone, which gives a list whatever its names are.
    pub fn gives_list(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Expression(e)] if e.gives_list())
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// A text with its braces doubled, so that as a template it is itself.
pub fn escape(text: &str) -> Cow<'_, str> {
    match text.contains(['{', '}']) {
        true => Cow::Owned(text.replace('{', "{{").replace('}', "}}")),
        false => Cow::Borrowed(text),
    }
}

/// The text of one expression; absent if it is absent or null.
fn piece_text(expression: &Expression, names: &Names<'_>) -> Result<Option<String>, EvaluateError> {
    match expression.evaluate(names)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value) => match text_of(&value) {
            Some(text) => Ok(Some(text.into_owned())),
            None => {
                let message = "A list or an object has no text; use `join` or `json`.";
                Err(Fault::new(EvaluateErrorKind::Type, message).of(expression.source()))
            }
        },
    }
}

fn names_of(pieces: &[Piece]) -> Vec<NamePath> {
    pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Expression(expression) => Some(expression.names()),
            Piece::Text(_) => None,
        })
        .flatten()
        .collect()
}

/// Text and expressions in turn; no two texts follow each other.
fn pieces(text: &str) -> Result<Vec<Piece>, SyntaxError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.extend(rest.chars().next());
            at += 2;
        } else if rest.starts_with('{') {
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            let (expression, end) = Expression::parse_until(text, at + 1, Stop::Brace)?;
            if !text.get(end..).is_some_and(|r| r.starts_with('}')) {
                let error = SyntaxError::new(at, text.len() - at, "The brace is not closed.");
                return Err(
                    error.mend("close it with `}`; a brace that is meant as text is doubled: `{{`")
                );
            }
            pieces.push(Piece::Expression(expression));
            at = end + 1;
        } else if rest.starts_with('}') {
            let error = SyntaxError::new(at, 1, "This brace closes nothing.");
            return Err(
                error.mend("open it with `{`; a brace that is meant as text is doubled: `}}`")
            );
        } else {
            let end = rest.find(['{', '}']).unwrap_or(rest.len());
            literal.push_str(rest.get(..end).unwrap_or_default());
            at += end;
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests;
