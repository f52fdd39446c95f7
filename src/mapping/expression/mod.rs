//! The small expressions of mappings: names, literals, filters, conditions. No loops, no clock, no reach.
//!
//! In: the text of an expression, and names with their values. Out: a value, or none. Knows nothing of attributes, fields
//! or calls.

mod ast;
mod evaluate;
mod filters;
mod lexer;
mod objects;
mod operators;
mod parser;
mod parser_filters;
mod text;

use std::{borrow::Cow, fmt};

use serde_json::Value;

use super::{names::Names, path::SyntaxError};

pub(crate) use lexer::Stop;
pub(crate) use text::{is_true, text_of};

/// The longest expression, in bytes.
pub const MAX_EXPRESSION_BYTES: usize = 4 * 1024;

/// The largest text or list an expression may make, in bytes.
pub const MAX_RESULT_BYTES: usize = 1024 * 1024;

/// An expression, parsed once.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    node: ast::Node,
    filtered_operand: Option<usize>,
}

/// A name in an expression, with the members behind it: `name.givenName`. Brackets with an index or a condition are left
/// out: `emails[type=="work"].value` is `emails.value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePath {
    /// The name and its members.
    pub names: Vec<String>,
    /// Where the name stands in the text, in bytes from 0.
    pub position: usize,
    /// Its length in bytes, without the members.
    pub length: usize,
}

/// An expression or template that has no value for these names. Its text names attributes and fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluateError {
    /// What kind of failure it is.
    pub kind: EvaluateErrorKind,
    /// The text of the expression or template, as configured.
    pub source: String,
    /// What went wrong, as one sentence.
    pub message: String,
}

/// Why an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluateErrorKind {
    /// A value is of a type with which this cannot be done.
    Type,
    /// The result would be larger than [`MAX_RESULT_BYTES`].
    TooLarge,
    /// Fewer random characters are left than asked for.
    NoRandom,
    /// The time is asked for where nobody gives it: in what is read.
    NoTime,
    /// A value that may not be part of a URL path: empty, `.`, `..`, or not of the id pattern.
    UnfitForPath,
    /// A value that must be there is absent: a placeholder of a URL path.
    Absent,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// The place of the first thing that does not belong, an unknown filter or function, a wrong number of arguments,
    /// a regular expression or time zone that does not exist; more than [`MAX_EXPRESSION_BYTES`], or nested too deeply.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Self::parse_until(text, 0, Stop::End).map(|(expression, _)| expression)
    }

    /// Reads the expression that begins at `start`; also gives the position behind it.
    pub(crate) fn parse_until(
        text: &str,
        start: usize,
        stop: Stop,
    ) -> Result<(Self, usize), SyntaxError> {
        let (tokens, end) = lexer::tokens(text, start, stop)?;
        let parsed = parser::parse(&tokens, start, end)?;
        let source = text.get(start..end).unwrap_or_default().to_owned();
        let expression = Self {
            source,
            node: parsed.node,
            filtered_operand: parsed.filtered_operand.map(|at| at.saturating_sub(start)),
        };
        Ok((expression, end))
    }

    /// The expression's value; absent if a name in it is, and nothing says what then.
    ///
    /// # Errors
    ///
    /// A value of a type with which a filter or operator can do nothing, a result that is too large, too few random characters.
    pub fn evaluate(&self, names: &Names<'_>) -> Result<Option<Value>, EvaluateError> {
        evaluate::evaluate(&self.node, names)
            .map_err(|fault| fault.of(&self.source))
            .map(|value| value.map(|v| v.into_owned()))
    }

    /// Whether it holds. Absent, null, false, 0, `""` and empty lists and objects do not.
    ///
    /// # Errors
    ///
    /// As [`Expression::evaluate`].
    pub fn holds(&self, names: &Names<'_>) -> Result<bool, EvaluateError> {
        evaluate::evaluate(&self.node, names)
            .map_err(|fault| fault.of(&self.source))
            .map(|value| value.is_some_and(|v| is_true(&v)))
    }

    /// Whether it holds for an item of a list: the names are the item's members, `value` is the item itself, and `own` are
    /// known beside it. It does not hold where it cannot be worked out.
    pub fn holds_for(&self, item: &Value, own: &Names<'_>) -> bool {
        let mut names = own.child();
        names.object(item);
        names.with("value", Cow::Borrowed(item));
        self.holds(&names).unwrap_or(false)
    }

    /// The names in it, in order, each as often as it stands there. Names of elements (within a condition in brackets) are
    /// left out.
    pub fn names(&self) -> Vec<NamePath> {
        let mut names = Vec::new();
        self.node.collect_names(&mut names);
        names
    }

    /// Whether its value is another one each time: it takes random characters, or the time.
    pub fn is_made_anew(&self) -> bool {
        self.node.is_made_anew()
    }

    /// Whether its value is a list, or absent, whatever its names are.
    pub fn gives_list(&self) -> bool {
        self.node.gives_list()
    }

    /// Whether it surely holds where the other does: it is the same, or says that a value is not one thing where the other
    /// says that it is another.
    pub fn is_implied_by(&self, other: &Self) -> bool {
        self.source.trim() == other.source.trim() || self.node.is_unequal_where(&other.node)
    }

    /// The last operand of a sum with the filter behind it, as it is written: in `a + b | lower` this is `b | lower`, and `a`
    /// is not put in lower case. Absent where parentheses say what is meant, and where no sum ends so.
    pub fn filtered_operand(&self) -> Option<&str> {
        self.source.get(self.filtered_operand?..).map(str::trim)
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.source, self.message)
    }
}

impl std::error::Error for EvaluateError {}

/// A failure that does not know yet in which text it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub kind: EvaluateErrorKind,
    pub message: String,
}

impl Fault {
    pub(crate) fn new(kind: EvaluateErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    pub(crate) fn too_large() -> Self {
        let message = format!("The result would be larger than {MAX_RESULT_BYTES} bytes.");
        Self::new(EvaluateErrorKind::TooLarge, message)
    }

    pub(crate) fn of(self, source: &str) -> EvaluateError {
        EvaluateError {
            kind: self.kind,
            source: source.to_owned(),
            message: self.message,
        }
    }
}

#[cfg(test)]
mod tests;
