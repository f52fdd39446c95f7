//! `remove` (RFC 7644 §3.5.2.2). What is not there is removed already: "If the user was not a member of this
//! group, no changes should be made to the resource, and a success response should be returned."

use std::collections::HashSet;

use serde_json::Value;

use super::draft::{Draft, not_writable};
use super::elements::{key, listed_values};
use super::target::{Spot, Target};
use super::write::{is_unassigned, required};
use super::{PatchKind, PatchOp};
use crate::scim::filter::fold;
use crate::scim::{Attribute, Error, Mutability, Schema};

impl<'a> Draft<'a> {
    /// Removes an attribute; one that is not there stays away.
    pub(super) fn remove_attribute(&mut self, spot: Spot<'a>) -> Result<(), Error> {
        if self.value(spot).is_none() {
            return Ok(());
        }
        let attribute = spot.attribute;
        match attribute.mutability {
            Mutability::ReadOnly | Mutability::Immutable => {
                return Err(not_writable(attribute, &spot.name()));
            }
            Mutability::ReadWrite | Mutability::WriteOnly => {}
        }
        if attribute.is_required {
            return Err(required(&spot.name()));
        }
        self.index = None;
        self.set(spot, None);
        Ok(())
    }

    /// Removes every attribute of an extension that a client can write.
    pub(super) fn remove_extension(&mut self, extension: &'a Schema) -> Result<(), Error> {
        for attribute in &extension.attributes {
            if attribute.mutability == Mutability::ReadOnly {
                continue;
            }
            let extension = Some(extension);
            self.remove_attribute(Spot {
                extension,
                attribute,
            })?;
        }
        Ok(())
    }

    /// Removes the selected elements and gives their number.
    pub(super) fn remove_elements(
        &mut self,
        spot: Spot<'a>,
        selects: impl Fn(&Value) -> bool,
    ) -> Result<usize, Error> {
        self.index = None;
        let Some(Value::Array(elements)) = self.value_mut(spot) else {
            return Ok(0);
        };
        let before = elements.len();
        elements.retain(|element| !selects(element));
        let removed = before - elements.len();
        if removed > 0 && spot.attribute.mutability == Mutability::Immutable {
            return Err(not_writable(spot.attribute, &spot.name()));
        }
        self.settle(spot)?;
        Ok(removed)
    }

    /// A list without elements is no value (RFC 7643 §2.5).
    pub(super) fn settle(&mut self, spot: Spot<'a>) -> Result<(), Error> {
        if !self.value(spot).is_some_and(is_unassigned) {
            return Ok(());
        }
        if spot.attribute.is_required {
            return Err(required(&spot.name()));
        }
        self.set(spot, None);
        Ok(())
    }

    /// Carries out the removes at the front of `operations` that take elements of one list by their
    /// `value`, and gives their number. They go together, so that a thousand of them pass over a long list once.
    pub(super) fn remove_values(&mut self, operations: &'a [PatchOp]) -> Result<usize, Error> {
        let Some(path) = operations.first().and_then(|o| o.path.as_ref()) else {
            return Ok(0);
        };
        let removes: Vec<_> = operations
            .iter()
            .map_while(|o| {
                let same = o.path.as_ref().filter(|p| p.path == path.path)?;
                Some((
                    o,
                    values_to_remove(o, same.filter.as_ref().and_then(listed_values))?,
                ))
            })
            .collect();
        if removes.is_empty() {
            return Ok(0);
        }
        let Target::Elements(spot, _, None) = Target::resolve(self.resource_type, path)? else {
            return Ok(0);
        };
        if spot.is_read_only() {
            return Err(not_writable(spot.attribute, &spot.name()));
        }
        let values = removes.iter().flat_map(|(_, values)| values);
        let values: HashSet<String> = values.map(|v| comparable(spot.attribute, v)).collect();
        self.remove_elements(spot, |element| {
            key(element).is_some_and(|key| values.contains(&comparable(spot.attribute, &key)))
        })?;
        Ok(removes.len())
    }
}

/// The values of an operation that does nothing but remove elements by their `value`.
fn values_to_remove<'o>(operation: &PatchOp, values: Option<Vec<&'o str>>) -> Option<Vec<&'o str>> {
    let path = operation.path.as_ref()?;
    let has_value = operation.value.as_ref().is_some_and(|v| !v.is_null());
    let is_plain = operation.op == PatchKind::Remove && !has_value && path.sub_attribute.is_none();
    values.filter(|_| is_plain)
}

/// A value as its attribute compares it.
fn comparable(attribute: &Attribute, value: &str) -> String {
    let definition = attribute.sub("value").unwrap_or(attribute);
    if definition.is_case_exact {
        value.to_owned()
    } else {
        fold(value)
    }
}
