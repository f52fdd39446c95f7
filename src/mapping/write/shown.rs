//! What of a list a later read will show.

use serde_json::{Map, Value};

use crate::{
    mapping::{
        location::{chosen, element_rules},
        model::{Location, TypeMapping},
    },
    scim::AttributePath,
};

use super::covers::rules_at;

/// The elements of a multi-valued attribute as they will read once they are written, where only single elements of it are
/// mapped (`emails[type eq "work"].value`): under the mapped values, with the mapped sub-attributes.
///
/// An element that stands in for a mapped one takes its place, so that an answer shows what a later GET shows. Absent if the
/// list is mapped or kept as a whole, or not at all: then it stays as it is.
pub fn shown_elements(
    t: &TypeMapping,
    path: &AttributePath,
    elements: &[Value],
) -> Option<Vec<Value>> {
    let rules: Vec<_> = rules_at(t, path).collect();
    let is_by_element = |location: &Location| location.is_element();
    if rules.is_empty()
        || !rules
            .iter()
            .all(|rule| is_by_element(&rule.location) && !rule.is_kept)
    {
        return None;
    }
    let first = rules.first()?;
    let mut shown = Map::new();
    for rule in element_rules(t, &first.location) {
        let found = chosen(t, &rule.location, elements).and_then(|index| elements.get(index));
        if let Some(value) = found.and_then(|element| rule.location.within(element)) {
            rule.location.put(&mut shown, value.clone());
        }
    }
    // The locations may be in an extension; the list is the only one there is.
    let list = first
        .location
        .attribute_in(&shown)
        .and_then(Value::as_array);
    Some(list.cloned().unwrap_or_default())
}
