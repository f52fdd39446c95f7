//! N6. Who: Entra (ENTRA-28), JumpCloud (JUMPCLOUD-05), authentik (AUTHENTIK-09), Rauthy (RAUTHY-10). A removal points at a
//! whole list and names the elements in its value: `{"op":"remove","path":"members","value":[{"value":"u1"}]}`. Only these
//! are removed: `members[value eq "u1"]`. Case: `entra/remove_member_by_value.json`.
//!
//! RFC 7644 §3.5.2.2 knows no value in a removal, and by its letter everything would go. Without a value everything does go
//! (KEYCLOAK-06, case `keycloak/remove_all_members.json`); with one, nothing but what it names ever does.

use serde_json::{Map, Value};

use super::{Mending, everyone};
use crate::{
    dialect::{context::Mender, paths::Target, values},
    scim::{Attribute, AttributePath, CompareOp, Error, Filter},
};

pub(in crate::dialect) const MENDING: Mending = everyone(
    "N6",
    &["ENTRA-28", "JUMPCLOUD-05", "AUTHENTIK-09", "RAUTHY-10"],
);

/// What tells two elements apart that have the same `value`.
const TYPE: &str = "type";

/// The filter that finds the elements named; absent if the list of them is empty, and then nothing is removed.
///
/// # Errors
///
/// `invalidValue` if the value cannot name elements, if one of them names none (somebody would keep what was meant to be
/// taken away), or if this is switched off: the whole list is never what is meant.
pub(in crate::dialect) fn filter(
    m: &mut Mender<'_>,
    target: &Target<'_>,
    attribute: &Attribute,
    value: Value,
) -> Result<Option<Filter>, Error> {
    let name = target.to_string();
    let elements = match value {
        Value::Array(elements) => elements,
        one @ (Value::Object(_) | Value::Number(_)) => vec![one],
        Value::String(text) if !text.is_empty() => vec![Value::String(text)],
        _ => return Err(unclear(&name)),
    };
    if !m.is_on(&MENDING) {
        return Err(unclear(&name));
    }
    let filters: Option<Vec<Filter>> = elements
        .into_iter()
        .map(|element| {
            let element = values::element(m, attribute, &name, element, values::Purpose::Patch);
            selector(attribute, &element)
        })
        .collect();
    let filters = filters.ok_or_else(|| unclear(&name))?;
    let found = match filters.len() {
        0 => "no element, so nothing is removed",
        _ => "the elements to remove",
    };
    m.note(
        &MENDING,
        format!("the value of a removal of `{name}` named {found}"),
    );
    Ok((!filters.is_empty()).then(|| Filter::any(filters)))
}

/// What finds one element: its `value`, and its `type` unless it is a reference; without a value everything it says.
fn selector(attribute: &Attribute, element: &Value) -> Option<Filter> {
    let Value::Object(map) = element else {
        return equal("value", element);
    };
    let is_reference = attribute.sub("$ref").is_some();
    let filters: Vec<Filter> = match map.get("value") {
        Some(value) => std::iter::once(equal("value", value))
            .chain((!is_reference).then(|| equal(TYPE, map.get(TYPE)?)))
            .flatten()
            .collect(),
        None => told_apart(map).collect(),
    };
    (!filters.is_empty()).then(|| Filter::all(filters))
}

fn told_apart(map: &Map<String, Value>) -> impl Iterator<Item = Filter> {
    map.iter().filter_map(|(name, value)| equal(name, value))
}

fn equal(name: &str, value: &Value) -> Option<Filter> {
    let is_simple = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    is_simple.then(|| Filter::Compare(AttributePath::of(name), CompareOp::Eq, value.clone()))
}

fn unclear(name: &str) -> Error {
    Error::invalid_value(format!(
        "The removal of `{name}` has a value that does not say which elements are meant. Name them in a value filter, \
         such as `{name}[value eq \"…\"]`, or leave the value out to remove all of them."
    ))
}
