//! Single values on their way between SCIM and a field.
//!
//! In: a value with its form, its value table and the attribute's type. Out: the same value in the other world's spelling.
//! Knows nothing of resources, objects or places.

mod form;
mod kind;
mod same;
mod table;
pub mod time;

use serde_json::Value;

use crate::scim::AttributeType;

use super::model::{Form, ValueTable};

pub(crate) use kind::coerce;
pub(crate) use same::{is_same_text, is_same_value};

/// The names that one text joins, or that a list holds; text alone is one name without the form `Joined`.
pub(crate) fn names_in(form: &Form, raw: &Value) -> Vec<Value> {
    let decoded = form::decode(form, raw);
    match decoded.as_deref() {
        Some(Value::Array(items)) => items.clone(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one.clone()],
    }
}

/// A value that could not be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untranslatable {
    /// It is in no pair of the value table, and the table says to leave it out.
    Dropped,
    /// It is in no pair of the value table, and the table refuses it.
    Refused,
    /// It is not of the form or type that it should be.
    Malformed,
}

/// How one value is spelled in the application.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelling<'m> {
    /// Value pairs.
    pub values: Option<&'m ValueTable>,
    /// The form of values that are in no pair.
    pub form: &'m Form,
    /// The attribute's type; absent if no schema knows the attribute.
    pub kind: Option<AttributeType>,
}

impl Spelling<'_> {
    /// A field's value as SCIM has it, in the attribute's type. Without a type, the form `Joined` gives a list of texts.
    pub(crate) fn decode(&self, raw: &Value) -> Result<Value, Untranslatable> {
        match self.values.map(|values| table::decode(values, raw)) {
            Some(table::Found::Value(value)) => Ok(self.coerced(value)),
            Some(table::Found::Drop) => Err(Untranslatable::Dropped),
            Some(table::Found::Refuse) => Err(Untranslatable::Refused),
            Some(table::Found::Pass) | None => {
                let value = form::decode(self.form, raw).ok_or(Untranslatable::Malformed)?;
                match self.kind {
                    None => Ok(value.into_owned()),
                    Some(kind) => coerce(&value, kind).ok_or(Untranslatable::Malformed),
                }
            }
        }
    }

    /// A SCIM value as the application has it.
    pub(crate) fn encode(&self, value: &Value) -> Result<Value, Untranslatable> {
        match self.values.map(|values| table::encode(values, value)) {
            Some(table::Found::Value(value)) => Ok(value),
            Some(table::Found::Drop) => Err(Untranslatable::Dropped),
            Some(table::Found::Refuse) => Err(Untranslatable::Refused),
            Some(table::Found::Pass) | None => {
                form::encode(self.form, value).ok_or(Untranslatable::Malformed)
            }
        }
    }

    /// A value of the table is what the file says, in the attribute's type where it can be.
    fn coerced(&self, value: Value) -> Value {
        match self.kind.and_then(|kind| coerce(&value, kind)) {
            Some(coerced) => coerced,
            None => value,
        }
    }
}

#[cfg(test)]
mod tests;
