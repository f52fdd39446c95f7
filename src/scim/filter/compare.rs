//! One comparison: an attribute's values against the filter's value, by the attribute's type.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value;

use super::CompareOp;
use crate::scim::{Attribute, AttributeType, Error};

/// An operator with its operand, made ready for an attribute's type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    op: CompareOp,
    operand: Operand,
    /// What a missing value counts as.
    default: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    /// Compared as it is.
    Exact(String),
    /// Compared without regard to case; already folded.
    Folded(String),
    Instant(Timestamp),
    Number(f64, Value),
    Boolean(bool),
}

impl Comparison {
    /// Prepares a comparison with an attribute.
    ///
    /// # Errors
    ///
    /// `invalidFilter` if the operator or the value does not go with the attribute's type.
    pub(super) fn new(leaf: &Attribute, op: CompareOp, value: &Value) -> Result<Self, Error> {
        check_operator(leaf, op)?;
        let operand = match (leaf.kind, value) {
            (AttributeType::Boolean, Value::Bool(b)) => Operand::Boolean(*b),
            (AttributeType::Integer | AttributeType::Decimal, Value::Number(n)) => {
                Operand::Number(n.as_f64().unwrap_or(f64::NAN), value.clone())
            }
            (AttributeType::DateTime, Value::String(s)) if !op.is_substring() => {
                Operand::Instant(parse_instant(s).ok_or_else(|| {
                    let name = &leaf.name;
                    Error::invalid_filter(format!(
                        "`{name}` must be compared with a date and time."
                    ))
                })?)
            }
            (kind, Value::String(s)) if kind.is_textual() => {
                if leaf.is_case_exact {
                    Operand::Exact(s.clone())
                } else {
                    Operand::Folded(fold(s))
                }
            }
            _ => return Err(wrong_value(leaf)),
        };
        let default = Value::Null;
        Ok(Self {
            op,
            operand,
            default,
        })
    }

    /// The same with a value that a missing one counts as.
    pub(super) fn with_default(self, default: Value) -> Self {
        Self { default, ..self }
    }

    /// Whether it holds for one value; a value of another type than the operand's is just unequal, and so is null.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let value = if value.is_null() {
            &self.default
        } else {
            value
        };
        match (&self.operand, value) {
            (Operand::Boolean(b), Value::Bool(v)) => self.orders(v.cmp(b)),
            (Operand::Number(number, exact), Value::Number(_)) => {
                compare_numbers(value, exact, *number).is_some_and(|o| self.orders(o))
            }
            (Operand::Instant(instant), Value::String(s)) => match parse_instant(s) {
                Some(v) => self.orders(v.cmp(instant)),
                None => self.op == CompareOp::Ne,
            },
            (Operand::Exact(text), Value::String(s)) => self.holds_for_text(s, text),
            (Operand::Folded(text), Value::String(s)) => self.holds_for_folded(s, text),
            _ => self.op == CompareOp::Ne,
        }
    }

    /// Whether it holds when there is nothing that could have a value: only for `ne`.
    pub(super) fn holds_for_absence(&self) -> bool {
        self.op == CompareOp::Ne
    }

    fn holds_for_folded(&self, value: &str, folded: &str) -> bool {
        // The common case, `userName eq` among ASCII names, without a new string.
        if value.is_ascii() && matches!(self.op, CompareOp::Eq | CompareOp::Ne) {
            return value.eq_ignore_ascii_case(folded) == (self.op == CompareOp::Eq);
        }
        self.holds_for_text(&fold(value), folded)
    }

    fn holds_for_text(&self, value: &str, text: &str) -> bool {
        match self.op {
            CompareOp::Co => value.contains(text),
            CompareOp::Sw => value.starts_with(text),
            CompareOp::Ew => value.ends_with(text),
            _ => self.orders(value.cmp(text)),
        }
    }

    fn orders(&self, ordering: Ordering) -> bool {
        match self.op {
            CompareOp::Eq => ordering.is_eq(),
            CompareOp::Ne => ordering.is_ne(),
            CompareOp::Gt => ordering.is_gt(),
            CompareOp::Ge => ordering.is_ge(),
            CompareOp::Lt => ordering.is_lt(),
            CompareOp::Le => ordering.is_le(),
            CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
        }
    }
}

/// A text for comparing without regard to case.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A dateTime (RFC 7643 §2.3.5: xsd:dateTime with date and time) as a point in time; absent if it is none.
/// The time zone may be missing in xsd; then it is UTC.
pub(crate) fn parse_instant(text: &str) -> Option<Timestamp> {
    if text.as_bytes().get(10) != Some(&b'T') || !text.is_ascii() {
        return None;
    }
    text.parse().ok().or_else(|| {
        let civil: civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// Compares two JSON numbers: integers exactly, others as floating point; `b_float` is `b` as such.
fn compare_numbers(a: &Value, b: &Value, b_float: f64) -> Option<Ordering> {
    match (as_integer(a), as_integer(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b_float),
    }
}

fn as_integer(value: &Value) -> Option<i128> {
    let signed = value.as_i64().map(i128::from);
    signed.or_else(|| value.as_u64().map(i128::from))
}

/// RFC 7644 §3.4.2.2 table 3: booleans and binaries have no order; only text can be looked into.
fn check_operator(leaf: &Attribute, op: CompareOp) -> Result<(), Error> {
    let is_allowed = match leaf.kind {
        AttributeType::Boolean => !op.is_ordering() && !op.is_substring(),
        AttributeType::Binary => !op.is_ordering(),
        AttributeType::Integer | AttributeType::Decimal => !op.is_substring(),
        AttributeType::Complex => false,
        AttributeType::String | AttributeType::DateTime | AttributeType::Reference => true,
    };
    if is_allowed {
        return Ok(());
    }
    let (name, kind) = (&leaf.name, leaf.kind.as_str());
    Err(Error::invalid_filter(format!(
        "`{name}` is of type {kind}, which `{op}` cannot compare."
    )))
}

fn wrong_value(leaf: &Attribute) -> Error {
    let (name, kind) = (&leaf.name, leaf.kind.as_str());
    Error::invalid_filter(format!(
        "`{name}` is of type {kind}; the filter compares it with a value of another type."
    ))
}
