//! Value tables: pairs of SCIM value and application value.

use serde_json::Value;

use crate::mapping::{
    expression::text_of,
    model::{OnUnknown, ValueTable},
};

/// What a table says of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Value(Value),
    /// It is in no pair: passed on as it is.
    Pass,
    /// It is in no pair: left out.
    Drop,
    /// It is in no pair: refused.
    Refuse,
}

/// The SCIM value of an application value.
pub(super) fn decode(table: &ValueTable, raw: &Value) -> Found {
    let pairs = table.pairs.iter().map(|(scim, field)| (field, scim));
    find(pairs, raw, &table.unknown_read)
}

/// The application value of a SCIM value.
pub(super) fn encode(table: &ValueTable, value: &Value) -> Found {
    let pairs = table.pairs.iter().map(|(scim, field)| (scim, field));
    find(pairs, value, &table.unknown_write)
}

/// An equal value counts first, then one of equal text: keys of a file are text, and some applications write 1 as `"1"`.
fn find<'t>(
    pairs: impl Iterator<Item = (&'t Value, &'t Value)> + Clone,
    value: &Value,
    unknown: &OnUnknown,
) -> Found {
    let mut alike = pairs.clone().filter(|(from, _)| is_alike(from, value));
    let found = pairs
        .clone()
        .find(|(from, _)| *from == value)
        .or_else(|| alike.next());
    match (found, unknown) {
        (Some((_, to)), _) => Found::Value(to.clone()),
        (None, OnUnknown::Pass) => Found::Pass,
        (None, OnUnknown::Drop) => Found::Drop,
        (None, OnUnknown::Refuse) => Found::Refuse,
        (None, OnUnknown::Value(instead)) => Found::Value(instead.clone()),
    }
}

fn is_alike(a: &Value, b: &Value) -> bool {
    match (text_of(a), text_of(b)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b),
        _ => false,
    }
}
