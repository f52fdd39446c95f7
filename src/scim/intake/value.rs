//! One value against its definition: the type is checked, names get the schema's spelling.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::scim::error::shown;
use crate::scim::filter::parse_instant;
use crate::scim::{Attribute, AttributeType, Error, Mutability};

/// Takes an attribute's whole value: a list if it is multi-valued.
///
/// Absent means no value: null, an empty list, an object without content. Sub-attributes that are
/// readOnly are left out (RFC 7643 §7). `name` is how the attribute is called in errors.
///
/// # Errors
///
/// `invalidValue` for a value of another type and for two primary elements, `invalidSyntax` for an unknown sub-attribute.
pub(crate) fn take(
    attribute: &Attribute,
    name: &str,
    value: Value,
) -> Result<Option<Value>, Error> {
    if !attribute.is_multi_valued {
        return take_single(attribute, name, value);
    }
    let elements = match value {
        Value::Null => return Ok(None),
        Value::Array(elements) => elements,
        _ => {
            let detail = format!("`{name}` is multi-valued; its value must be a list.");
            return Err(Error::invalid_value(detail));
        }
    };
    let elements = take_elements(attribute, name, elements)?;
    Ok((!elements.is_empty()).then_some(Value::Array(elements)))
}

/// Takes the elements of a multi-valued attribute; those without content are left out, and
/// references to a resource that is there already.
pub(crate) fn take_elements(
    attribute: &Attribute,
    name: &str,
    elements: Vec<Value>,
) -> Result<Vec<Value>, Error> {
    let mut taken = Vec::with_capacity(elements.len());
    for element in elements {
        taken.extend(take_single(attribute, name, element)?);
    }
    if taken.iter().filter(|e| is_primary(e)).count() > 1 {
        let detail = format!("Only one element of `{name}` can be primary.");
        return Err(Error::invalid_value(detail));
    }
    if attribute.is_reference_list() {
        let mut seen = HashSet::new();
        taken.retain(|e| match e.get("value").and_then(Value::as_str) {
            Some(value) => seen.insert(value.to_owned()),
            None => true,
        });
    }
    Ok(taken)
}

/// Takes one value: of a single-valued attribute, or one element.
pub(crate) fn take_single(
    attribute: &Attribute,
    name: &str,
    value: Value,
) -> Result<Option<Value>, Error> {
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (AttributeType::Complex, Value::Object(object)) => take_object(attribute, name, object),
        (kind, value) if fits(kind, &value) => Ok(Some(value)),
        _ => Err(wrong_type(attribute, name)),
    }
}

/// Whether an element is flagged primary.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// That a value does not have its attribute's type.
pub(crate) fn wrong_type(attribute: &Attribute, name: &str) -> Error {
    let expected = match attribute.kind {
        AttributeType::String => "a string",
        AttributeType::Boolean => "true or false",
        AttributeType::Decimal => "a number",
        AttributeType::Integer => "an integer",
        AttributeType::DateTime => "a date and time as in 2011-05-13T04:42:34Z",
        AttributeType::Binary => "binary data in base64",
        AttributeType::Reference => "a URI",
        AttributeType::Complex => "an object",
    };
    Error::invalid_value(format!("The value of `{name}` must be {expected}."))
}

/// That a required attribute has no value.
pub(crate) fn missing(name: &str) -> Error {
    Error::invalid_value(format!("`{name}` is required and must have a value."))
}

fn take_object(
    attribute: &Attribute,
    name: &str,
    object: Map<String, Value>,
) -> Result<Option<Value>, Error> {
    let mut taken = Map::new();
    for (key, value) in object {
        let Some(sub) = attribute.sub(&key) else {
            let detail = format!("`{}` is not a sub-attribute of `{name}`.", shown(&key));
            return Err(Error::invalid_syntax(detail));
        };
        if sub.mutability == Mutability::ReadOnly {
            continue;
        }
        let sub_name = format!("{name}.{}", sub.name);
        if let Some(value) = take(sub, &sub_name, value)? {
            taken.insert(sub.name.clone(), value);
        }
    }
    if taken.is_empty() {
        return Ok(None);
    }
    for sub in &attribute.sub_attributes {
        let is_wanted = sub.is_required && sub.mutability != Mutability::ReadOnly;
        if is_wanted && is_empty(taken.get(&sub.name)) {
            return Err(missing(&format!("{name}.{}", sub.name)));
        }
    }
    Ok(Some(Value::Object(taken)))
}

/// Whether a required attribute is not there, or an empty string.
pub(crate) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(_) => false,
    }
}

fn fits(kind: AttributeType, value: &Value) -> bool {
    match (kind, value) {
        (AttributeType::String, Value::String(_)) => true,
        (AttributeType::Boolean, Value::Bool(_)) => true,
        (AttributeType::Decimal, Value::Number(_)) => true,
        (AttributeType::Integer, Value::Number(n)) => n.is_i64() || n.is_u64(),
        (AttributeType::DateTime, Value::String(text)) => parse_instant(text).is_some(),
        (AttributeType::Binary, Value::String(text)) => is_base64(text),
        (AttributeType::Reference, Value::String(text)) => is_uri_reference(text),
        _ => false,
    }
}

/// RFC 7643 §2.3.6 allows base64 and base64url; padding is not insisted on.
fn is_base64(text: &str) -> bool {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [base64::alphabet::STANDARD, base64::alphabet::URL_SAFE]
        .iter()
        .any(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).is_ok())
}

/// Absolute, or relative as in `../Users/2819c223` (RFC 7643 §2.3.7): no spaces, controls or delimiters.
fn is_uri_reference(text: &str) -> bool {
    !text.is_empty()
        && !text
            .contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}".contains(c))
}
