//! Elements of a multi-valued attribute (`each`), read one by one.

use serde_json::{Map, Value};

use crate::{
    mapping::{
        model::{AttributeRule, Each, EachPart},
        value::{Spelling, Untranslatable},
    },
    scim::{Attribute, AttributeType},
};

use super::{Line, Reader};

impl Reader<'_> {
    /// All elements for which the condition holds. One without any value is left out.
    pub(super) fn each(&mut self, line: Line<'_>, each: &Each) -> Result<Value, Untranslatable> {
        let Line {
            rule, attribute, ..
        } = line;
        let items = match each.items.read(self.object) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(Value::Null) | None => &[],
            Some(single) => std::slice::from_ref(single),
        };
        let mut elements = Vec::new();
        let mut has_dropped = false;
        for item in items {
            if !self.belongs(each, item) {
                continue;
            }
            match element(rule, each, attribute, item) {
                Ok(element) => elements.extend(element),
                Err(_) => has_dropped = true,
            }
        }
        if has_dropped {
            self.read.dropped.push(rule.location.leaf().to_string());
        }
        Ok(Value::Array(elements))
    }

    fn belongs(&self, each: &Each, item: &Value) -> bool {
        let Some(condition) = &each.condition else {
            return true;
        };
        let mut names = self.names.child();
        names.object(item);
        condition.holds(&names).unwrap_or(false)
    }
}

/// One element; absent if none of its parts has a value.
fn element(
    rule: &AttributeRule,
    each: &Each,
    attribute: Option<&Attribute>,
    item: &Value,
) -> Result<Option<Value>, Untranslatable> {
    let is_simple = attribute.is_some_and(|a| a.kind != AttributeType::Complex);
    let mut members = Map::new();
    for part in &each.parts {
        let Some(raw) = part.place.read(item).filter(|v| !v.is_null()) else {
            continue;
        };
        let kind = match (
            is_simple,
            rule.reference.is_some() && part.sub_attribute == "value",
        ) {
            (true, _) => attribute.map(|a| a.kind),
            (false, true) => Some(AttributeType::String),
            (false, false) => kind_of(attribute, part),
        };
        match spelling(part, kind).decode(raw) {
            Ok(value) if is_simple => return Ok(Some(value)),
            Ok(value) => {
                members.insert(part.sub_attribute.clone(), value);
            }
            Err(Untranslatable::Dropped) => {}
            Err(other) => return Err(other),
        }
    }
    Ok((!members.is_empty()).then_some(Value::Object(members)))
}

fn kind_of(attribute: Option<&Attribute>, part: &EachPart) -> Option<AttributeType> {
    attribute?.sub(&part.sub_attribute).map(|sub| sub.kind)
}

fn spelling(part: &EachPart, kind: Option<AttributeType>) -> Spelling<'_> {
    Spelling {
        values: part.values.as_ref(),
        form: &part.form,
        kind,
    }
}
