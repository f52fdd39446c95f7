//! What a PATCH does to a list of members, without knowing the list.

use std::collections::HashMap;

use serde_json::Value;

use super::elements::listed_values;
use super::{PatchKind, PatchOp, PatchRequest};
use crate::scim::intake::value::take_elements;
use crate::scim::{Attribute, AttributePath, ResourceType};

/// The net effect of a PATCH on a list of references, and the rest of the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberSplit {
    /// Elements to add, unless they are there; by `value` each once, in the order they came.
    pub add: Vec<Value>,
    /// Values whose elements to remove, if they are there; each once. None of them is in `add`.
    pub remove: Vec<String>,
    /// The operations on other attributes.
    pub rest: PatchRequest,
}

impl PatchRequest {
    /// Separates what the request does to a list of references such as `members`, if that can be
    /// said without the present list: values are added, and elements are removed by their `value`.
    ///
    /// The last operation on a value decides. Absent if an operation replaces or clears the list,
    /// selects elements in another way, or is not valid: then the request must be applied to the whole resource.
    pub fn split_members(
        &self,
        resource_type: &ResourceType,
        attribute: &str,
    ) -> Option<MemberSplit> {
        let path = AttributePath::parse(attribute).ok()?;
        let resolved = resource_type.resolve(&path)?;
        let definition = resolved.attribute.filter(|a| a.is_reference_list())?;
        let mut effect = Effect::default();
        let mut rest = Vec::new();
        for operation in &self.operations {
            let place = operation.path.as_ref();
            let concerns = place.is_some_and(|p| {
                let concerned = resource_type.resolve(&p.path);
                concerned.is_some_and(|r| {
                    r.extension == resolved.extension && r.attribute == Some(definition)
                })
            });
            if concerns {
                effect.note(operation, definition)?;
            } else if place.is_some() || resolved.extension.is_some() {
                rest.push(operation.clone());
            } else {
                rest.extend(effect.note_path_less(operation, definition)?);
            }
        }
        Some(effect.into_split(rest))
    }
}

/// What happens to each value, by its place in the order of first mention.
#[derive(Default)]
struct Effect {
    positions: HashMap<String, usize>,
    outcomes: Vec<(String, Option<Value>)>,
}

impl Effect {
    /// Notes an operation on the list itself; absent if the present list is needed.
    fn note(&mut self, operation: &PatchOp, definition: &Attribute) -> Option<()> {
        let path = operation.path.as_ref()?;
        if path.sub_attribute.is_some() || path.path.sub_attribute.is_some() {
            return None;
        }
        match (operation.op, &path.filter, &operation.value) {
            (PatchKind::Add, None, Some(value)) => self.note_added(value, definition),
            (PatchKind::Remove, Some(filter), None | Some(Value::Null)) => {
                for value in listed_values(filter)? {
                    self.decide(value.to_owned(), None);
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Notes the list in an operation without path, and gives what else the operation does.
    fn note_path_less(
        &mut self,
        operation: &PatchOp,
        definition: &Attribute,
    ) -> Option<Option<PatchOp>> {
        let mut rest = operation.clone();
        let Some(Value::Object(object)) = &mut rest.value else {
            return None;
        };
        let key = object
            .keys()
            .find(|key| key.eq_ignore_ascii_case(&definition.name));
        let Some(key) = key.cloned() else {
            return Some(Some(rest));
        };
        let value = object.shift_remove(&key)?;
        if operation.op != PatchKind::Add {
            return None;
        }
        let is_empty = object.is_empty();
        self.note_added(&value, definition)?;
        Some((!is_empty).then_some(rest))
    }

    fn note_added(&mut self, value: &Value, definition: &Attribute) -> Option<()> {
        let elements = match value {
            Value::Array(elements) => elements.clone(),
            one => vec![one.clone()],
        };
        for element in take_elements(definition, &definition.name, elements).ok()? {
            let value = element.get("value")?.as_str()?.to_owned();
            self.decide(value, Some(element));
        }
        Some(())
    }

    fn decide(&mut self, value: String, outcome: Option<Value>) {
        match self.positions.get(&value).copied() {
            Some(position) => {
                if let Some((_, decided)) = self.outcomes.get_mut(position) {
                    *decided = outcome;
                }
            }
            None => {
                self.positions.insert(value.clone(), self.outcomes.len());
                self.outcomes.push((value, outcome));
            }
        }
    }

    fn into_split(self, operations: Vec<PatchOp>) -> MemberSplit {
        let mut split = MemberSplit {
            rest: PatchRequest { operations },
            ..MemberSplit::default()
        };
        for (value, outcome) in self.outcomes {
            match outcome {
                Some(element) => split.add.push(element),
                None => split.remove.push(value),
            }
        }
        split
    }
}
