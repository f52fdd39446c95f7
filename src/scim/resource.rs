//! A resource as data (RFC 7643 §3): attributes under their schema's spelling, extensions under their URN.

use serde_json::{Map, Value};

use super::{AttributePath, ResourceType};

/// A SCIM resource. Once taken in, attribute names are in the schema's spelling and no value is null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource(pub Map<String, Value>);

impl Resource {
    /// The value at a canonical path. Below a multi-valued attribute there is no single value: absent.
    pub fn value(&self, path: &AttributePath) -> Option<&Value> {
        let attributes = match &path.schema {
            None => &self.0,
            Some(urn) => self.0.get(urn)?.as_object()?,
        };
        let value = attributes.get(&path.attribute)?;
        match &path.sub_attribute {
            None => Some(value),
            Some(sub) => value.get(sub),
        }
    }

    /// Makes `schemas` say what is there: the resource type's own and the extensions that have content.
    pub fn rebuild_schemas(&mut self, resource_type: &ResourceType) {
        let own = std::iter::once(&resource_type.schema.id);
        let extensions = resource_type.extensions.iter().map(|e| &e.schema.id);
        let present = extensions.filter(|urn| self.0.contains_key(*urn));
        let schemas: Value = own.chain(present).map(|urn| urn.as_str()).collect();
        match self.0.get_mut("schemas") {
            Some(present) => *present = schemas,
            None => {
                self.0.shift_insert(0, "schemas".to_owned(), schemas);
            }
        }
    }
}
