//! Filters (RFC 7644 §3.4.2.2): parsed, printed, evaluated.
//!
//! In: a filter's text, resources. Out: a filter, and whether a resource matches. Knows nothing of who asks or what a target can search.

mod compare;
mod evaluate;
mod lexer;
pub(crate) mod parse;
mod print;

use std::fmt;

use serde_json::Value;

pub(crate) use self::compare::{fold, parse_instant};
pub use self::evaluate::{ElementMatcher, Matcher};
pub use self::parse::{MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_TERMS};

use super::AttributePath;

/// A filter expression. `And` and `Or` are n-ary, so that long ones stay shallow.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All hold. Never empty.
    And(Vec<Filter>),
    /// One holds. Never empty.
    Or(Vec<Filter>),
    /// The inner one does not hold.
    Not(Box<Filter>),
    /// `path pr`.
    Present(AttributePath),
    /// `path op value`; the value is a string, number, boolean or null.
    Compare(AttributePath, CompareOp, Value),
    /// `path[filter]`: one element of the multi-valued attribute matches the inner filter.
    ValuePath(AttributePath, Box<Filter>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Where it goes wrong, in bytes from 0.
    pub position: usize,
    /// What is wrong there: a clause without a full stop.
    pub message: String,
}

/// Something outside the grammar that was read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tolerated {
    /// What it was.
    pub kind: Toleration,
    /// Where it was, in bytes from 0.
    pub position: usize,
}

/// What lenient reading accepts beyond the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Toleration {
    /// `emails[type eq "work"].value eq "x"`, read as `emails[type eq "work" and value eq "x"]`.
    SubAttributeBehindBrackets,
    /// A text without quotes.
    BareWord,
    /// A text in single quotes.
    SingleQuotes,
    /// `True`, `FALSE`, `Null`.
    KeywordCase,
    /// `==`, `=`, `!=`, `&&` and `||`, read as `eq`, `ne`, `and` and `or`.
    Sign,
    /// A text in the quotes that word processors make: `“x”`.
    TypographicQuotes,
}

impl Filter {
    /// Reads a filter by the RFC's grammar; operators and keywords in any case.
    ///
    /// ```
    /// # use scimgate::scim::Filter;
    /// let filter = Filter::parse(r#"userName Eq "bjensen" and (active eq true)"#).unwrap();
    /// assert_eq!(filter.to_string(), r#"userName eq "bjensen" and active eq true"#);
    /// ```
    ///
    /// # Errors
    ///
    /// What is not in the grammar, and what exceeds [`MAX_FILTER_BYTES`], [`MAX_FILTER_DEPTH`] or [`MAX_FILTER_TERMS`].
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        parse::parse(text, false).map(|(filter, _)| filter)
    }

    /// Reads a filter as [`Filter::parse`] does, and beyond the grammar what [`Toleration`] lists.
    pub fn parse_tolerant(text: &str) -> Result<(Filter, Vec<Tolerated>), FilterError> {
        parse::parse(text, true)
    }

    /// What must all hold, one by one: so that one part can be asked of a target, and the rest be decided here.
    pub fn conjuncts(&self) -> &[Filter] {
        match self {
            Filter::And(filters) => filters,
            other => std::slice::from_ref(other),
        }
    }

    /// All of them; one alone stands for itself. There must be one at least.
    pub fn all(filters: Vec<Filter>) -> Filter {
        parse::joined(filters, Filter::And)
    }

    /// One of them; one alone stands for itself. There must be one at least.
    pub fn any(filters: Vec<Filter>) -> Filter {
        parse::joined(filters, Filter::Or)
    }
}

impl CompareOp {
    /// Every operator.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// Its spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator of this spelling, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|op| op.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether it orders values: `gt`, `ge`, `lt`, `le`.
    pub fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    /// Whether it looks into a text: `co`, `sw`, `ew`.
    pub fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }
}

impl FilterError {
    /// An error at a byte position.
    pub fn new(position: usize, message: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.position)
    }
}

impl std::error::Error for FilterError {}
