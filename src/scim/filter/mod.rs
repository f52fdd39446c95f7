//! Filters (RFC 7644 §3.4.2.2): parsed, printed, evaluated.

use serde_json::Value;

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
