//! PUT (RFC 7644 §3.5.1): a new resource in the place of an old one.

use serde_json::{Map, Value};

use super::intake::check_required;
use super::schema::resolve::common_attributes;
use super::{Attribute, AttributePath, Error, Mutability, Resource, ResourceType, Schema};

/// What stays as it is when a PUT leaves it out. Nothing, by default: RFC 7644 §3.5.1 lets the server clear it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplaceRules {
    /// `active` left out is not a deactivation, and not an activation.
    pub keep_absent_active: bool,
    /// Multi-valued attributes of the resource type's own schema, by name: `members`.
    pub keep_absent_multivalued: Vec<String>,
    /// Other attributes, by canonical path; a path with a sub-attribute keeps that one alone.
    pub kept: Vec<AttributePath>,
}

/// Puts a new resource in the place of an old one.
///
/// What is readOnly comes from the old one, and so does an immutable attribute that is left out.
/// `password` and other writeOnly attributes are there only if given.
///
/// # Errors
///
/// `mutability` if an immutable attribute has another value, `invalidValue` if a required one has none.
pub fn replace(
    resource_type: &ResourceType,
    old: &Resource,
    new: Resource,
    rules: &ReplaceRules,
) -> Result<Resource, Error> {
    let own = common_attributes()
        .iter()
        .chain(&resource_type.schema.attributes);
    let mut result = new;
    carry_over(own, None, &old.0, &mut result.0, rules)?;
    for extension in &resource_type.extensions {
        let schema = &extension.schema;
        let nothing = Map::new();
        let old_content = old.0.get(&schema.id).and_then(Value::as_object);
        let mut content = match result.0.get_mut(&schema.id) {
            Some(Value::Object(content)) => std::mem::take(content),
            _ => Map::new(),
        };
        let attributes = schema.attributes.iter();
        let old_content = old_content.unwrap_or(&nothing);
        carry_over(attributes, Some(schema), old_content, &mut content, rules)?;
        if content.is_empty() {
            result.0.shift_remove(&schema.id);
        } else {
            result.0.insert(schema.id.clone(), Value::Object(content));
        }
    }
    result.rebuild_schemas(resource_type);
    check_required(resource_type, &result, |_| true)?;
    Ok(result)
}

/// Brings what must stay from the old attributes to the new ones.
fn carry_over<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    extension: Option<&Schema>,
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
    rules: &ReplaceRules,
) -> Result<(), Error> {
    for attribute in attributes {
        let Some(before) = old.get(&attribute.name) else {
            continue;
        };
        let path = AttributePath {
            schema: extension.map(|e| e.id.clone()),
            attribute: attribute.name.clone(),
            sub_attribute: None,
        };
        let after = new.get(&attribute.name);
        let stays = match attribute.mutability {
            Mutability::ReadOnly => true,
            Mutability::Immutable => match after {
                None => true,
                Some(after) if after == before => false,
                Some(_) => return Err(changed_immutable(&path)),
            },
            Mutability::ReadWrite | Mutability::WriteOnly => {
                after.is_none() && rules.keeps(attribute, &path)
            }
        };
        if stays && attribute.name != "schemas" {
            new.insert(attribute.name.clone(), before.clone());
        } else {
            carry_over_subs(attribute, &path, before, new, rules)?;
        }
    }
    Ok(())
}

/// Does the same for the sub-attributes of a single value. Elements of a list have no identity, so
/// theirs are what the client says.
fn carry_over_subs(
    attribute: &Attribute,
    path: &AttributePath,
    before: &Value,
    new: &mut Map<String, Value>,
    rules: &ReplaceRules,
) -> Result<(), Error> {
    let (false, Value::Object(before)) = (attribute.is_multi_valued, before) else {
        return Ok(());
    };
    for sub in &attribute.sub_attributes {
        let Some(old) = before.get(&sub.name) else {
            continue;
        };
        let sub_path = path.with_sub(sub.name.clone());
        let after = new.get_mut(&attribute.name).and_then(Value::as_object_mut);
        let present = after.as_ref().and_then(|a| a.get(&sub.name));
        let is_kept = present.is_none() && rules.kept.contains(&sub_path);
        let stays = match sub.mutability {
            // With another `manager.value` the old `manager.displayName` is someone else's name.
            Mutability::ReadOnly => after
                .as_ref()
                .is_some_and(|a| a.get("value") == before.get("value")),
            Mutability::Immutable if present.is_some_and(|p| p != old) => {
                return Err(changed_immutable(&sub_path));
            }
            Mutability::Immutable => after.is_some(),
            Mutability::ReadWrite | Mutability::WriteOnly => is_kept,
        };
        if !stays {
            continue;
        }
        match after {
            Some(after) => {
                after.insert(sub.name.clone(), old.clone());
            }
            None => {
                let content = Map::from_iter([(sub.name.clone(), old.clone())]);
                new.insert(attribute.name.clone(), Value::Object(content));
            }
        }
    }
    Ok(())
}

impl ReplaceRules {
    fn keeps(&self, attribute: &Attribute, path: &AttributePath) -> bool {
        let is_own = path.schema.is_none();
        let is_active = is_own && attribute.name == "active";
        (is_active && self.keep_absent_active)
            || (is_own && self.keeps_list(attribute))
            || self.kept.contains(path)
    }

    fn keeps_list(&self, attribute: &Attribute) -> bool {
        let mut names = self.keep_absent_multivalued.iter();
        attribute.is_multi_valued && names.any(|n| n.eq_ignore_ascii_case(&attribute.name))
    }
}

fn changed_immutable(path: &AttributePath) -> Error {
    Error::mutability(format!(
        "`{path}` is immutable and has a value; it cannot be changed."
    ))
}
