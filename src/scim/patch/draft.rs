//! The resource while operations change it.

use serde_json::{Map, Value};

use super::elements::Index;
use super::target::{Spot, Target};
use super::{OnNoMatch, PatchKind, PatchOp};
use crate::scim::error::shown;
use crate::scim::intake::{own_attribute, value};
use crate::scim::{Attribute, AttributePath, Error, Mutability, Resource, ResourceType, Schema};

/// A resource in the making; it is thrown away if an operation fails.
pub(super) struct Draft<'a> {
    pub(super) resource_type: &'a ResourceType,
    pub(super) resource: Resource,
    /// The elements of the list that was appended to last, so that a thousand appends do not search it a thousand times.
    pub(super) index: Option<(AttributePath, Index)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(resource_type: &'a ResourceType, resource: Resource) -> Self {
        Self {
            resource_type,
            resource,
            index: None,
        }
    }

    /// The changed resource.
    ///
    /// # Errors
    ///
    /// `invalidValue` if a required sub-attribute has no value; two operations may give two of them, so only the end counts.
    pub(super) fn finish(mut self) -> Result<Resource, Error> {
        self.resource.rebuild_schemas(self.resource_type);
        let extensions = self.resource_type.extensions.iter().map(|e| &e.schema);
        for schema in std::iter::once(&self.resource_type.schema).chain(extensions) {
            let is_extension = schema.id != self.resource_type.schema.id;
            let extension = is_extension.then_some(&**schema);
            for attribute in &schema.attributes {
                let spot = Spot {
                    extension,
                    attribute,
                };
                self.check_required_subs(spot)?;
            }
        }
        Ok(self.resource)
    }

    fn check_required_subs(&self, spot: Spot<'_>) -> Result<(), Error> {
        let required = spot.attribute.sub_attributes.iter();
        for sub in required.filter(|s| s.is_required && s.mutability != Mutability::ReadOnly) {
            let contents = match self.value(spot) {
                Some(Value::Array(elements)) => elements.as_slice(),
                Some(content) => std::slice::from_ref(content),
                None => &[],
            };
            if contents.iter().any(|c| value::is_empty(c.get(&sub.name))) {
                return Err(value::missing(&spot.sub_name(sub)));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, operation: &'a PatchOp) -> Result<(), Error> {
        let kind = operation.op;
        let value = operation.value.as_ref().unwrap_or(&Value::Null);
        let Some(path) = &operation.path else {
            return match (kind, value) {
                (PatchKind::Remove, _) => Err(Error::no_target("A remove needs a path.")),
                (_, Value::Object(object)) => self.write_all(kind, object),
                _ => Err(Error::invalid_syntax(
                    "Without a path the value must be an object.",
                )),
            };
        };
        if kind == PatchKind::Remove && !value.is_null() {
            let detail = "A remove takes no value; name the elements in a value filter.";
            return Err(Error::invalid_syntax(detail));
        }
        match Target::resolve(self.resource_type, path)? {
            Target::Schemas => Ok(()),
            Target::Extension(extension) if kind == PatchKind::Remove => {
                self.remove_extension(extension)
            }
            Target::Extension(extension) => self.write_extension(kind, extension, value),
            Target::Attribute(spot) if kind == PatchKind::Remove => self.remove_attribute(spot),
            Target::Attribute(spot) => self.write_attribute(kind, spot, value),
            Target::Sub(spot, sub) => self.write_sub(kind, spot, sub, value),
            Target::Elements(spot, selection, sub) => {
                let on_no_match = operation.on_no_match;
                self.write_elements(kind, spot, &selection, sub, value, on_no_match)
            }
        }
    }

    /// A path-less add or replace: each key is an attribute or an extension (RFC 7644 §3.5.2.1, §3.5.2.3).
    fn write_all(&mut self, kind: PatchKind, object: &'a Map<String, Value>) -> Result<(), Error> {
        let resource_type = self.resource_type;
        for (key, value) in object {
            if let Some(extension) = resource_type.extension(key) {
                self.write_extension(kind, extension, value)?;
                continue;
            }
            let Some(attribute) = own_attribute(resource_type, key) else {
                let owner = &resource_type.name;
                let detail = format!("`{}` is not an attribute of `{owner}`.", shown(key));
                return Err(Error::invalid_syntax(detail));
            };
            let spot = Spot {
                extension: None,
                attribute,
            };
            if !spot.is_schemas() {
                self.write_attribute(kind, spot, value)?;
            }
        }
        Ok(())
    }

    fn write_extension(
        &mut self,
        kind: PatchKind,
        extension: &'a Schema,
        value: &'a Value,
    ) -> Result<(), Error> {
        let object = match value {
            Value::Object(object) => object,
            Value::Null if kind == PatchKind::Add => return Ok(()),
            Value::Null => return self.remove_extension(extension),
            _ => {
                let detail = format!("The value of `{}` must be an object.", extension.id);
                return Err(Error::invalid_value(detail));
            }
        };
        for (key, value) in object {
            let Some(attribute) = extension.attribute(key) else {
                let detail = format!(
                    "`{}` is not an attribute of `{}`.",
                    shown(key),
                    extension.id
                );
                return Err(Error::invalid_syntax(detail));
            };
            let extension = Some(extension);
            let spot = Spot {
                extension,
                attribute,
            };
            self.write_attribute(kind, spot, value)?;
        }
        Ok(())
    }

    /// The value of an attribute.
    pub(super) fn value(&self, spot: Spot<'_>) -> Option<&Value> {
        self.attributes(spot.extension)?.get(&spot.attribute.name)
    }

    /// The value of an attribute, to be changed in place.
    pub(super) fn value_mut(&mut self, spot: Spot<'_>) -> Option<&mut Value> {
        let attributes = match spot.extension {
            None => &mut self.resource.0,
            Some(e) => self.resource.0.get_mut(&e.id)?.as_object_mut()?,
        };
        attributes.get_mut(&spot.attribute.name)
    }

    /// Sets or removes an attribute. An extension comes with its first and goes with its last attribute.
    pub(super) fn set(&mut self, spot: Spot<'_>, value: Option<Value>) {
        let name = &spot.attribute.name;
        let attributes = match spot.extension {
            None => &mut self.resource.0,
            Some(e) => {
                let content = self.resource.0.entry(e.id.as_str());
                let content = content.or_insert_with(|| Value::Object(Map::new()));
                match content {
                    Value::Object(attributes) => attributes,
                    _ => return,
                }
            }
        };
        match value {
            Some(value) => {
                attributes.insert(name.clone(), value);
            }
            None => {
                attributes.shift_remove(name);
            }
        }
        let is_empty = attributes.is_empty();
        if let (true, Some(extension)) = (is_empty, spot.extension) {
            self.resource.0.shift_remove(&extension.id);
        }
    }

    fn attributes(&self, extension: Option<&Schema>) -> Option<&Map<String, Value>> {
        match extension {
            None => Some(&self.resource.0),
            Some(e) => self.resource.0.get(&e.id)?.as_object(),
        }
    }
}

/// That an attribute cannot be written, or not any more.
pub(super) fn not_writable(attribute: &Attribute, name: &str) -> Error {
    let why = match attribute.mutability {
        Mutability::Immutable => "immutable and has a value",
        _ => "readOnly",
    };
    Error::mutability(format!("`{name}` is {why}; it cannot be changed."))
}

/// That a value filter matches nothing, if that is an error.
pub(super) fn nothing_matches(spot: Spot<'_>, on_no_match: OnNoMatch) -> Result<(), Error> {
    match on_no_match {
        OnNoMatch::NoTarget => Err(Error::no_target(format!(
            "No element of `{}` matches the path.",
            spot.name()
        ))),
        OnNoMatch::Create | OnNoMatch::Ignore => Ok(()),
    }
}
