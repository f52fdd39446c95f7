//! What an application shows after a write, held against the wish, line by line.

use serde_json::Value;

use crate::{
    mapping::{
        location::{definition, value_for},
        model::{AttributeRule, TypeMapping},
        names::Names,
        value::is_same_value,
    },
    scim::Resource,
};

use super::fields::field_value;

/// How a wished value and the shown one are not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Another value.
    Another,
    /// A value was wished, and none is shown.
    Missing,
    /// The value was to go, and one is shown.
    StillThere,
}

/// Whether a line that is both written and read shows something else than was wished; absent if it does not, if nobody can
/// tell, or if the gateway keeps the value itself.
///
/// Letter case is no difference, nor are two values for which the line writes the same: the application has what it was sent.
pub fn differs_from_shown(
    t: &TypeMapping,
    rule: &AttributeRule,
    wish: &Resource,
    shown: &Resource,
    names: &Names<'_>,
) -> Option<Difference> {
    let is_read = rule.is_read();
    if !rule.is_written() || !is_read || rule.is_kept {
        return None;
    }
    let is_there = |v: &&Value| !matches!(v, Value::Null) && v.as_str() != Some("");
    let wished = value_for(t, &rule.location, wish).filter(is_there);
    let shown_value = value_for(t, &rule.location, shown).filter(is_there);
    match (wished, shown_value) {
        (None, None) => None,
        (Some(_), None) => Some(Difference::Missing),
        (None, Some(_)) => Some(Difference::StillThere),
        (Some(wished), Some(there)) if shows(there, wished) => None,
        // What a list's elements have no field for is not shown, and its order is the application's.
        (Some(_), Some(_)) if rule.each.is_some() => None,
        (Some(_), Some(_)) => {
            let written = |resource| field_value(t, rule, resource, names).ok().flatten();
            let (sent, stands) = (written(wish)?, written(shown)?);
            (!shows(&stands, &sent)).then_some(Difference::Another)
        }
    }
}

/// The lines of attributes that a create alone writes, and whose wished value is another text than the present one though the
/// same to the application: by the schema letter case does not count, or the line writes the same for both.
pub fn unchanged_to_application<'t>(
    t: &'t TypeMapping,
    old: &Resource,
    new: &Resource,
    names: &Names<'_>,
) -> Vec<&'t AttributeRule> {
    let is_unchanged = |rule: &&AttributeRule| {
        let (Some(before), Some(after)) = (
            value_for(t, &rule.location, old),
            value_for(t, &rule.location, new),
        ) else {
            return false;
        };
        let (attribute, sub) = definition(t, &rule.location);
        let written = |resource| field_value(t, rule, resource, names).ok().flatten();
        before != after
            && (is_same_value(before, after, sub.or(attribute), false)
                || rule.is_written() && written(old).is_some() && written(old) == written(new))
    };
    let create_only = t.attributes.iter().filter(|rule| rule.is_create_only);
    create_only
        .filter(|rule| !rule.location.is_element())
        .filter(is_unchanged)
        .collect()
}

/// Whether an object shows all that was sent; applications fold the case of names and addresses.
pub fn shows(there: &Value, sent: &Value) -> bool {
    match (there, sent) {
        (Value::Object(there), Value::Object(sent)) => sent
            .iter()
            .all(|(name, value)| there.get(name).is_some_and(|present| shows(present, value))),
        (Value::Array(there), Value::Array(sent)) => sent
            .iter()
            .all(|value| there.iter().any(|present| shows(present, value))),
        (Value::String(there), Value::String(sent)) => {
            there == sent || there.to_lowercase() == sent.to_lowercase()
        }
        (there, sent) => there == sent,
    }
}
