//! The values of attributes: what the schema says decides what a value must be, and what it may be read as.

use serde_json::{Map, Value};

use super::{
    context::{Mender, shown},
    quirks::{
        ECHOED, UNKNOWN, bare_reference, bit, boolean_words, no_value, number_text, one_or_many,
        primary, relative_reference, role_display, role_json, wrapped_value,
    },
};
use crate::scim::{Attribute, AttributeType, Mutability};

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The body of a POST: no value means nothing.
    Create,
    /// The body of a PUT: no value clears.
    Replace,
    /// An operation of a PATCH: no value clears, and what is read-only must not be there.
    Patch,
}

/// Puts the value of an attribute in the schema's form. Null says that there is no value.
///
/// `name` is how notes call the attribute. What cannot be mended stays as it is, for `scim` to refuse.
pub(super) fn attribute(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    value: Value,
    purpose: Purpose,
) -> Value {
    if attribute.is_multi_valued {
        return list(m, attribute, name, value, purpose);
    }
    let value = one_or_many::single(m, name, value);
    element(m, attribute, name, value, purpose)
}

/// Puts one element of a multi-valued attribute, or the value of a single-valued one, in the schema's form.
pub(super) fn element(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    value: Value,
    purpose: Purpose,
) -> Value {
    let value = match attribute.kind {
        AttributeType::Complex => value,
        _ => wrapped_value::mend(m, name, value),
    };
    match attribute.kind {
        AttributeType::Complex => complex(m, attribute, name, value, purpose),
        AttributeType::Boolean => {
            let value = boolean_words::mend(m, &boolean_words::IN_VALUES, name, value);
            let value = bit::mend(m, name, value);
            no_value::mend(m, attribute, name, value)
        }
        AttributeType::String | AttributeType::Reference => {
            let value = number_text::mend(m, name, value);
            no_value::mend(m, attribute, name, value)
        }
        AttributeType::DateTime
        | AttributeType::Binary
        | AttributeType::Decimal
        | AttributeType::Integer => no_value::mend(m, attribute, name, value),
    }
}

fn list(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    value: Value,
    purpose: Purpose,
) -> Value {
    let value = match purpose {
        Purpose::Create => no_value::mend(m, attribute, name, value),
        // An empty text in place of a list must not clear it.
        Purpose::Replace | Purpose::Patch => value,
    };
    let mut elements = match one_or_many::elements(m, name, value) {
        Ok(elements) => elements,
        Err(other) => return other,
    };
    let is_of_references = is_list_of_references(attribute);
    for value in &mut elements {
        let given = value.take();
        if is_of_references && given == names_nobody() {
            *value = given;
            continue;
        }
        let is_nothing = is_nothing(&given);
        *value = element(m, attribute, name, given, purpose);
        let must_stay = is_of_references && (purpose != Purpose::Create || !is_nothing);
        if value.is_null() && must_stay && m.is_on(&no_value::NULL) {
            *value = names_nobody();
        }
    }
    elements.retain(|element| !element.is_null());
    primary::mend(m, attribute, name, &mut elements);
    Value::Array(elements)
}

fn complex(
    m: &mut Mender<'_>,
    attribute: &Attribute,
    name: &str,
    value: Value,
    purpose: Purpose,
) -> Value {
    let value = no_value::mend(m, attribute, name, value);
    let value = bare_reference::mend(m, attribute, name, value);
    let Value::Object(given) = value else {
        return value;
    };
    if attribute.sub_attributes.is_empty() {
        return Value::Object(given);
    }
    // Where nulls are not mended they stay, to be refused: only a PATCH may have none.
    let is_null_dropped = purpose != Purpose::Patch || m.is_on(&no_value::NULL);
    let mut element = Map::new();
    let mut is_without_value = false;
    let mut is_unknown_alone = !given.is_empty();
    for (key, value) in given {
        let Some((key, value)) = sub_attribute(m, attribute, name, key, value, purpose) else {
            continue;
        };
        is_unknown_alone = false;
        if value.is_null() && is_null_dropped {
            is_without_value |= key == "value";
        } else {
            element.insert(key, value);
        }
    }
    role_json::mend(m, attribute, &mut element);
    relative_reference::mend(m, name, &mut element);
    bare_reference::from_location(m, attribute, name, &mut element);
    if is_list_of_references(attribute) && !element.contains_key("value") {
        return Value::Null;
    }
    // What has only names that nobody knows says nothing about the value that is there.
    let says_nothing = element.is_empty() && is_unknown_alone && !attribute.is_multi_valued;
    if is_without_value || (element.is_empty() && !(says_nothing && purpose == Purpose::Patch)) {
        return Value::Null;
    }
    Value::Object(element)
}

/// Members and the like: to drop one that cannot be read could empty a list that was meant to hold somebody.
pub(super) fn is_list_of_references(attribute: &Attribute) -> bool {
    attribute.is_multi_valued && attribute.sub("$ref").is_some()
}

/// A reference that is refused later, in words.
fn names_nobody() -> Value {
    Value::Object(Map::from_iter([("value".to_owned(), Value::from(""))]))
}

/// Null, an empty text, an empty object.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// One member of a complex value, in the schema's spelling; absent if it is dropped.
fn sub_attribute(
    m: &mut Mender<'_>,
    parent: &Attribute,
    name: &str,
    key: String,
    value: Value,
    purpose: Purpose,
) -> Option<(String, Value)> {
    let known = match parent.sub(&key) {
        Some(sub) => Some(sub),
        None => role_display::meant(m, parent, name, &key),
    };
    let Some(sub) = known else {
        if !m.is_on(&UNKNOWN) {
            return Some((key, value));
        }
        let text = format!("`{name}.{}` is not known and was dropped", shown(&key));
        m.note(&UNKNOWN, text);
        return None;
    };
    let path = format!("{name}.{}", sub.name);
    let is_echoed = purpose == Purpose::Patch
        && sub.mutability == Mutability::ReadOnly
        && parent.mutability != Mutability::ReadOnly;
    if is_echoed && m.is_on(&ECHOED) {
        m.note(&ECHOED, format!("`{path}` is read-only and was ignored"));
        return None;
    }
    if value.is_null() && purpose == Purpose::Patch && m.is_on(&no_value::NULL) {
        m.note(
            &no_value::NULL,
            format!("`{path}` was null and was dropped"),
        );
    }
    Some((sub.name.clone(), attribute(m, sub, &path, value, purpose)))
}
