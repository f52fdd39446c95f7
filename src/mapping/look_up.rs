//! Which values a translation will look up in tables of the application (`[values.NAME]`).
//!
//! In: a type, and a resource to be written or an object that was read. Out: the tables, each with the values it must
//! know. Knows nothing of how and when tables are read.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use crate::scim::{AttributePath, Resource};

use super::{
    model::{
        AttributeRule, EachPart, Form, LookUp, OnUnknown, Read, TablePairs, TypeMapping, ValueTable,
    },
    names::Names,
    value::Spelling,
    write,
};

/// A value to be looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted<'m> {
    /// Where.
    pub table: &'m Arc<LookUp>,
    /// SCIM's value in a write, the application's in a read.
    pub value: Value,
    /// The attribute it is for.
    pub attribute: AttributePath,
    /// Whether a value that the table does not have is refused.
    pub is_refused: bool,
}

/// The tables that lines of a type refer to, one for each line or part of one.
pub fn of_type(t: &TypeMapping) -> impl Iterator<Item = &Arc<LookUp>> {
    t.attributes.iter().flat_map(|rule| {
        let parts = rule.each.iter().flat_map(|each| &each.parts);
        let of_parts = parts.filter_map(|part| part.values.as_ref());
        of_parts.chain(&rule.values).filter_map(table_of)
    })
}

/// What a write of a resource looks up.
pub fn in_resource<'m>(
    t: &'m TypeMapping,
    resource: &Resource,
    names: &Names<'_>,
) -> Vec<Wanted<'m>> {
    let mut wanted = Vec::new();
    for rule in t.attributes.iter().filter(|rule| rule.is_written()) {
        let attribute = rule.location.leaf();
        if let Some((values, table)) = own(rule)
            && let Ok(Some(value)) = write::unspelled(t, rule, resource, names)
        {
            let is_refused = values.unknown_write == OnUnknown::Refuse;
            each_of(&value, |value| {
                wanted.push(Wanted {
                    table,
                    value: value.clone(),
                    attribute: attribute.clone(),
                    is_refused,
                });
            });
        }
        let found = rule.location.attribute_in(&resource.0);
        for (part, values, table) in parts(rule) {
            let is_refused = values.unknown_write == OnUnknown::Refuse;
            each_of(found.unwrap_or(&Value::Null), |element| {
                let own = element.get(&part.sub_attribute);
                let simple =
                    (part.sub_attribute == "value" && !element.is_object()).then_some(element);
                if let Some(value) = own.or(simple) {
                    wanted.push(Wanted {
                        table,
                        value: value.clone(),
                        attribute: attribute.clone(),
                        is_refused,
                    });
                }
            });
        }
    }
    wanted
}

/// What the reading of an object looks up.
pub fn in_object<'m>(
    t: &'m TypeMapping,
    object: &Value,
    settings: &Map<String, Value>,
) -> Vec<Wanted<'m>> {
    let mut wanted = Vec::new();
    for rule in &t.attributes {
        let attribute = rule.location.leaf();
        let mut add = |table, value: &Value| {
            wanted.push(Wanted {
                table,
                value: value.clone(),
                attribute: attribute.clone(),
                is_refused: false,
            });
        };
        if let (Some((_, table)), Some(read)) = (own(rule), &rule.read) {
            for found in raw_values(rule, read, object, settings) {
                each_of(&found, |value| add(table, value));
            }
        }
        for (part, _, table) in parts(rule) {
            let items = rule.each.as_ref().and_then(|each| each.items.read(object));
            each_of(items.unwrap_or(&Value::Null), |item| {
                if let Some(value) = part.place.read(item) {
                    add(table, value);
                }
            });
        }
    }
    wanted
}

/// What is in the field of a line, a joined text in its parts.
fn raw_values<'v>(
    rule: &AttributeRule,
    read: &Read,
    object: &'v Value,
    settings: &Map<String, Value>,
) -> Vec<Cow<'v, Value>> {
    let found: Vec<Cow<'v, Value>> = match read {
        Read::Path(path) => path.all(object).into_iter().map(Cow::Borrowed).collect(),
        Read::Template(_) => read
            .find(object, settings)
            .into_iter()
            .map(Cow::Owned)
            .collect(),
    };
    let Form::Joined(_) = &rule.form else {
        return found;
    };
    let parts = Spelling {
        values: None,
        form: &rule.form,
        kind: None,
    };
    let split = found.iter().filter_map(|joined| parts.decode(joined).ok());
    split.map(Cow::Owned).collect()
}

fn own(rule: &AttributeRule) -> Option<(&ValueTable, &Arc<LookUp>)> {
    let values = rule.values.as_ref()?;
    Some((values, table_of(values)?))
}

fn parts(rule: &AttributeRule) -> impl Iterator<Item = (&EachPart, &ValueTable, &Arc<LookUp>)> {
    let parts = rule.each.iter().flat_map(|each| &each.parts);
    parts.filter_map(|part| {
        let values = part.values.as_ref()?;
        Some((part, values, table_of(values)?))
    })
}

fn table_of(values: &ValueTable) -> Option<&Arc<LookUp>> {
    match &values.pairs {
        TablePairs::Fixed(_) => None,
        TablePairs::LookedUp(table) => Some(table),
    }
}

/// Each value of a list, or the one; null is none.
fn each_of(value: &Value, mut take: impl FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).for_each(take),
        Value::Null => {}
        one => take(one),
    }
}
