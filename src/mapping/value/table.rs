//! Value tables: pairs of SCIM value and application value.

use serde_json::Value;

use crate::mapping::{
    expression::text_of,
    model::{OnUnknown, TablePairs, ValueTable},
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
    let found = match &table.pairs {
        TablePairs::Fixed(pairs) => find(pairs.iter().map(|(scim, field)| (field, scim)), raw),
        TablePairs::LookedUp(look_up) => {
            let known = look_up.known();
            known.and_then(|known| known.scim_of(raw).cloned())
        }
    };
    found_or(found, &table.unknown_read)
}

/// The application value of a SCIM value.
pub(super) fn encode(table: &ValueTable, value: &Value) -> Found {
    let found = match &table.pairs {
        TablePairs::Fixed(pairs) => find(pairs.iter().map(|(scim, field)| (scim, field)), value),
        TablePairs::LookedUp(look_up) => {
            let known = look_up.known();
            known.and_then(|known| known.field_of(value).cloned())
        }
    };
    found_or(found, &table.unknown_write)
}

impl ValueTable {
    /// The application's value to ask for, of a SCIM value that is searched. Absent if nothing can have it.
    pub fn field_of(&self, value: &Value) -> Option<Value> {
        match encode(self, value) {
            Found::Value(field) => Some(field),
            Found::Pass => Some(value.clone()),
            Found::Drop | Found::Refuse if self.unknown_read == OnUnknown::Pass => {
                Some(value.clone())
            }
            Found::Drop | Found::Refuse => None,
        }
    }
}

/// An equal value counts first, then one of equal text: keys of a file are text, and some applications write 1 as `"1"`.
fn find<'t>(
    pairs: impl Iterator<Item = (&'t Value, &'t Value)> + Clone,
    value: &Value,
) -> Option<Value> {
    let mut alike = pairs.clone().filter(|(from, _)| is_alike(from, value));
    let found = pairs
        .clone()
        .find(|(from, _)| *from == value)
        .or_else(|| alike.next());
    found.map(|(_, to)| to.clone())
}

fn found_or(found: Option<Value>, unknown: &OnUnknown) -> Found {
    match (found, unknown) {
        (Some(to), _) => Found::Value(to),
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
