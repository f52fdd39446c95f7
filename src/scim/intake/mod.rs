//! Bodies of POST and PUT (RFC 7644 §3.3, §3.5.1).
//!
//! In: bytes, a resource type. Out: a resource in the schema's spelling. Knows nothing of what is there already.

mod json;
#[cfg(test)]
mod tests;
pub(crate) mod value;

use serde_json::{Map, Value};

pub use self::json::{JsonLimits, parse_json};

use super::error::shown;
use super::schema::resolve::common_attributes;
use super::schema::{Attribute, Schema};
use super::{AttributePath, Error, Mutability, Resource, ResourceType};

/// Takes in a resource: types are checked, names get the schema's spelling, values that mean
/// "no value" are left out, and so is what a client cannot write (`id`, `meta`, `groups`).
///
/// `schemas` is made new: the resource type's own and the extensions that have content. A create
/// needs every required attribute; a replace may leave out immutable ones, which stay as they are.
///
/// # Errors
///
/// `invalidSyntax` for an unknown attribute or schema and for missing `schemas`; `invalidValue` for a
/// value of another type, a required attribute without value, and two primary elements.
pub fn resource(
    resource_type: &ResourceType,
    value: Value,
    is_create: bool,
) -> Result<Resource, Error> {
    let Value::Object(object) = value else {
        return Err(Error::invalid_syntax("The body must be a JSON object."));
    };
    check_schemas(resource_type, &object)?;
    let mut taken = Map::new();
    for (key, value) in object {
        if let Some(extension) = resource_type.extension(&key) {
            if let Some(content) = take_extension(extension, value)? {
                taken.insert(extension.id.clone(), content);
            }
        } else if let Some(attribute) = own_attribute(resource_type, &key) {
            take_attribute(attribute, &attribute.name, value, &mut taken)?;
        } else {
            let owner = &resource_type.name;
            let detail = format!("`{}` is not an attribute of `{owner}`.", shown(&key));
            return Err(Error::invalid_syntax(detail));
        }
    }
    let mut resource = Resource(taken);
    resource.rebuild_schemas(resource_type);
    check_required(resource_type, &resource, |attribute| {
        is_create || attribute.mutability != Mutability::Immutable
    })?;
    Ok(resource)
}

/// The attributes that a body clears by null or an empty list, as canonical paths. [`resource`] leaves them out as
/// if they were not there; in a PUT that is not the same (RFC 7644 §3.5.1).
pub fn cleared(resource_type: &ResourceType, body: &Value) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        if let Some(extension) = resource_type.extension(key) {
            let whole = value.is_null().then_some(&extension.attributes);
            for attribute in whole.into_iter().flatten() {
                paths.push(path_of(Some(extension), attribute));
            }
            for (key, value) in value.as_object().into_iter().flatten() {
                if let Some(attribute) = extension.attribute(key) {
                    collect_cleared(
                        path_of(Some(extension), attribute),
                        attribute,
                        value,
                        &mut paths,
                    );
                }
            }
        } else if let Some(attribute) = own_attribute(resource_type, key) {
            collect_cleared(path_of(None, attribute), attribute, value, &mut paths);
        }
    }
    paths
}

fn collect_cleared(
    path: AttributePath,
    attribute: &Attribute,
    value: &Value,
    paths: &mut Vec<AttributePath>,
) {
    match value {
        Value::Null => paths.push(path),
        Value::Array(elements) if elements.is_empty() => paths.push(path),
        Value::Object(object) if !attribute.is_multi_valued => {
            for (key, value) in object {
                if let (Some(sub), Value::Null) = (attribute.sub(key), value) {
                    paths.push(path.with_sub(sub.name.clone()));
                }
            }
        }
        _ => {}
    }
}

fn path_of(extension: Option<&Schema>, attribute: &Attribute) -> AttributePath {
    AttributePath {
        schema: extension.map(|e| e.id.clone()),
        attribute: attribute.name.clone(),
        sub_attribute: None,
    }
}

/// Checks that every required attribute that `is_wanted` has a value, in the core schema and in
/// each extension that is there or required.
///
/// # Errors
///
/// `invalidValue` naming the attribute.
pub(crate) fn check_required(
    resource_type: &ResourceType,
    resource: &Resource,
    is_wanted: impl Fn(&Attribute) -> bool,
) -> Result<(), Error> {
    let is_missing = |attribute: &Attribute, values: Option<&Map<String, Value>>| {
        attribute.is_required
            && attribute.mutability != Mutability::ReadOnly
            && is_wanted(attribute)
            && value::is_empty(values.and_then(|v| v.get(&attribute.name)))
    };
    let core = &resource_type.schema.attributes;
    if let Some(attribute) = core.iter().find(|a| is_missing(a, Some(&resource.0))) {
        return Err(value::missing(&attribute.name));
    }
    for extension in &resource_type.extensions {
        let schema = &extension.schema;
        let content = resource.0.get(&schema.id).and_then(Value::as_object);
        if content.is_none() && !extension.is_required {
            continue;
        }
        if let Some(attribute) = schema.attributes.iter().find(|a| is_missing(a, content)) {
            return Err(value::missing(&format!("{}:{}", schema.id, attribute.name)));
        }
        if content.is_none() {
            return Err(value::missing(&schema.id));
        }
    }
    Ok(())
}

/// A common or core attribute of this name, in any case.
pub(crate) fn own_attribute<'a>(
    resource_type: &'a ResourceType,
    name: &str,
) -> Option<&'a Attribute> {
    let common = super::schema::find(common_attributes(), name);
    common.or_else(|| resource_type.schema.attribute(name))
}

fn take_attribute(
    attribute: &Attribute,
    name: &str,
    value: Value,
    taken: &mut Map<String, Value>,
) -> Result<(), Error> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    if let Some(value) = value::take(attribute, name, value)? {
        taken.insert(attribute.name.clone(), value);
    }
    Ok(())
}

/// Takes an extension's content; absent if nothing is left of it.
fn take_extension(extension: &Schema, value: Value) -> Result<Option<Value>, Error> {
    let object = match value {
        Value::Null => return Ok(None),
        Value::Object(object) => object,
        _ => {
            let detail = format!("The value of `{}` must be an object.", extension.id);
            return Err(Error::invalid_value(detail));
        }
    };
    let mut taken = Map::new();
    for (key, value) in object {
        let Some(attribute) = extension.attribute(&key) else {
            let detail = format!(
                "`{}` is not an attribute of `{}`.",
                shown(&key),
                extension.id
            );
            return Err(Error::invalid_syntax(detail));
        };
        let name = format!("{}:{}", extension.id, attribute.name);
        take_attribute(attribute, &name, value, &mut taken)?;
    }
    Ok((!taken.is_empty()).then_some(Value::Object(taken)))
}

/// `schemas` must be there, must have the resource type's own schema, those of the extensions that are there, and only
/// known ones (RFC 7643 §3).
fn check_schemas(resource_type: &ResourceType, object: &Map<String, Value>) -> Result<(), Error> {
    let own = &resource_type.schema.id;
    let listed = object
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("schemas"))
        .and_then(|(_, value)| value.as_array());
    let Some(listed) = listed else {
        let detail = format!("`schemas` is missing; it must list `{own}`.");
        return Err(Error::invalid_syntax(detail));
    };
    let mut has_own = false;
    for urn in listed {
        let Some(urn) = urn.as_str() else {
            return Err(Error::invalid_syntax("`schemas` must be a list of URNs."));
        };
        let is_own = own.eq_ignore_ascii_case(urn);
        has_own = has_own || is_own;
        if !is_own && resource_type.extension(urn).is_none() {
            let detail = format!(
                "The schema `{}` is not one of `{}`.",
                shown(urn),
                resource_type.name
            );
            return Err(Error::invalid_syntax(detail));
        }
    }
    let is_listed = |id: &str| {
        let mut urns = listed.iter().filter_map(Value::as_str);
        urns.any(|urn| urn.eq_ignore_ascii_case(id))
    };
    let present = object
        .iter()
        .filter(|(_, content)| {
            content
                .as_object()
                .is_some_and(|content| !content.is_empty())
        })
        .filter_map(|(key, _)| resource_type.extension(key));
    let missing = (!has_own).then_some(own).or_else(|| {
        let mut ids = present.map(|extension| &extension.id);
        ids.find(|id| !is_listed(id))
    });
    match missing {
        None => Ok(()),
        Some(urn) => Err(Error::invalid_syntax(format!(
            "`schemas` must list `{urn}`."
        ))),
    }
}
