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
/// What is readOnly comes from the old one, whatever the new one says, another `id` included (§3.5.1: it is ignored; a
/// PATCH that names it fails, §3.5.2). So does an immutable attribute that is left out.
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
    /// The rules without what the client clears by null or an empty list, which is more than leaving it out
    /// (RFC 7644 §3.5.1): see [`intake::cleared`](super::intake::cleared).
    pub fn except(&self, cleared: &[AttributePath]) -> Self {
        let clears = |path: &AttributePath| cleared.iter().any(|c| c == path);
        let mut rules = self.clone();
        if clears(&AttributePath::of("active")) {
            rules.keep_absent_active = false;
        }
        rules.keep_absent_multivalued.retain(|name| {
            let path = AttributePath::of(name.as_str());
            !cleared
                .iter()
                .any(|c| c.sub_attribute.is_none() && c.is_same_attribute(&path))
        });
        rules
            .kept
            .retain(|path| !clears(path) && !clears(&path.parent()));
        rules
    }

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{Schema, ScimType, builtin, intake};

    fn resource(value: Value) -> Resource {
        match value {
            Value::Object(object) => Resource(object),
            other => panic!("an object is expected, not {other}"),
        }
    }

    #[test]
    fn what_is_left_out_is_kept_only_by_rule() {
        let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
        let enterprise = builtin::ENTERPRISE_USER;
        let old = json!({
            "id": "1", "userName": "a", "active": false, "title": "t", "password": "p", "locale": "x",
            "name": { "givenName": "g", "familyName": "f" }, "roles": [{ "value": "r" }], "emails": [{ "value": "e" }],
            enterprise: { "department": "d", "manager": { "value": "1", "displayName": "M" } },
        });
        let body = json!({
            "schemas": [builtin::USER, enterprise], "userName": "b", "locale": null, "name": { "familyName": "F" },
            enterprise: { "manager": { "value": "1" } },
        });
        let rules = ReplaceRules {
            keep_absent_active: true,
            keep_absent_multivalued: vec!["roles".to_owned()],
            kept: ["locale", "name.givenName"]
                .map(|p| AttributePath::parse(p).unwrap())
                .to_vec(),
        };
        let run = |rules: &ReplaceRules| {
            let new = intake::resource(&user_type, body.clone(), false).unwrap();
            let mut after = replace(&user_type, &resource(old.clone()), new, rules)
                .unwrap()
                .0;
            after.shift_remove("schemas");
            Value::Object(after)
        };
        let manager = json!({ "manager": { "value": "1", "displayName": "M" } });
        let bare = json!({ "id": "1", "userName": "b", "name": { "familyName": "F" }, enterprise: manager });
        assert_eq!(run(&ReplaceRules::default()), bare);
        let mut kept = bare;
        kept["active"] = json!(false);
        kept["roles"] = json!([{ "value": "r" }]);
        kept["locale"] = json!("x");
        kept["name"]["givenName"] = json!("g");
        assert_eq!(run(&rules), kept);
        // `locale` is not left out, it is cleared.
        kept.as_object_mut().unwrap().shift_remove("locale");
        assert_eq!(
            run(&rules.except(&intake::cleared(&user_type, &body))),
            kept
        );
    }

    #[test]
    fn rules_do_not_keep_what_is_cleared() {
        let rules = ReplaceRules {
            keep_absent_active: true,
            keep_absent_multivalued: vec!["members".to_owned()],
            kept: vec![
                AttributePath::parse("name.givenName").unwrap(),
                AttributePath::of("title"),
            ],
        };
        let cleared = ["active", "members", "name"].map(|p| AttributePath::parse(p).unwrap());
        let expected = ReplaceRules {
            kept: vec![AttributePath::of("title")],
            ..ReplaceRules::default()
        };
        assert_eq!(rules.except(&cleared), expected);
    }

    #[test]
    fn a_readonly_name_does_not_outlive_its_reference() {
        let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
        let enterprise = builtin::ENTERPRISE_USER;
        let old = json!({ "userName": "a", enterprise: { "manager": { "value": "1", "displayName": "M" } } });
        let new = json!({ "userName": "a", enterprise: { "manager": { "value": "2" } } });
        let rules = ReplaceRules::default();
        let after = replace(&user_type, &resource(old), resource(new), &rules).unwrap();
        assert_eq!(after.0[enterprise], json!({ "manager": { "value": "2" } }));
    }

    #[test]
    fn immutable_attributes_keep_their_value() {
        let attributes = vec![
            Attribute::string("serial")
                .required()
                .mutability(Mutability::Immutable),
            Attribute::complex(
                "make",
                vec![Attribute::string("year").mutability(Mutability::Immutable)],
            ),
            Attribute::string("label").required(),
        ];
        let schema = Schema::new("urn:example:2.0:Device", "Device", "", attributes);
        let device_type = ResourceType::new("Device", "/Devices", schema, Vec::new());
        let old = resource(json!({ "serial": "1", "make": { "year": "2" }, "label": "l" }));
        let run = |new: Value| replace(&device_type, &old, resource(new), &ReplaceRules::default());
        let after = run(json!({ "label": "m", "make": {} })).unwrap();
        assert_eq!(after.0["serial"], "1");
        assert_eq!(after.0["make"], json!({ "year": "2" }));
        assert!(run(json!({ "serial": "1", "label": "l" })).is_ok());
        let kind = |new: Value| run(new).unwrap_err().scim_type.unwrap();
        assert_eq!(
            kind(json!({ "serial": "2", "label": "l" })),
            ScimType::Mutability
        );
        assert_eq!(
            kind(json!({ "label": "l", "make": { "year": "3" } })),
            ScimType::Mutability
        );
        assert_eq!(kind(json!({ "serial": "1" })), ScimType::InvalidValue);
    }
}
