//! What every resource has beside its mapped attributes: `schemas`, `id`, `externalId`, `meta` (RFC 7643 §3.1).
//!
//! In: a resource with its mapped attributes, and what is known about it here. Out: the resource whole, in the order people read.

use serde_json::{Map, Value, json};

use crate::scim::{Resource, version};

use super::model::TypeMapping;

/// What a resource has beside what the application knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'f> {
    /// `id`.
    pub id: &'f str,
    /// `meta.location`.
    pub location: &'f str,
    /// `externalId` as the store has it, where it is kept there: then it counts before a mapped one.
    pub external_id: Option<&'f str>,
    /// `meta.created`, unless it is mapped.
    pub created: Option<&'f str>,
    /// `meta.lastModified`, unless it is mapped.
    pub modified: Option<&'f str>,
    /// How often its members were changed through here: see [`version::revised`].
    pub revision: Option<u64>,
}

impl Frame<'_> {
    /// Puts the common attributes and the version into a resource that has its mapped attributes.
    pub fn put(&self, t: &TypeMapping, resource: &mut Resource) {
        if let Some(external_id) = self.external_id {
            resource.0.insert("externalId".into(), json!(external_id));
        }
        let schemas = schemas(t, resource);
        resource.0.shift_remove("id");
        resource.0.shift_insert(0, "id".into(), json!(self.id));
        resource.0.shift_remove("schemas");
        resource.0.shift_insert(0, "schemas".into(), schemas);
        let meta = self.meta(t, resource);
        resource.0.shift_remove("meta");
        resource.0.insert("meta".into(), meta);
        order(t, resource);
    }

    fn meta(&self, t: &TypeMapping, resource: &Resource) -> Value {
        let mut meta = Map::with_capacity(META_ATTRIBUTES);
        meta.insert("resourceType".into(), json!(t.resource_type.name));
        let mapped = resource.0.get("meta").and_then(Value::as_object);
        for (name, kept) in [("created", self.created), ("lastModified", self.modified)] {
            let mapped = mapped.and_then(|meta| meta.get(name)).cloned();
            if let Some(time) = mapped.or_else(|| kept.map(|time| json!(time))) {
                meta.insert(name.into(), time);
            }
        }
        meta.insert("location".into(), json!(self.location));
        meta.insert("version".into(), json!(self.version(resource)));
        Value::Object(meta)
    }

    /// The version of a resource: what it holds, and how often its membership was changed through here.
    ///
    /// Members and groups are not in it, so that it does not cost their reading; a change of members counts the revision.
    fn version(&self, resource: &Resource) -> String {
        let is_content = |name: &str| !matches!(name, "meta" | "members" | "groups" | "schemas");
        let content = resource.0.iter().filter(|(name, _)| is_content(name));
        version::revised(version::of_members(content), self.revision)
    }
}

fn schemas(t: &TypeMapping, resource: &Resource) -> Value {
    let mut urns = vec![json!(t.resource_type.schema.id)];
    urns.extend(
        t.resource_type
            .extensions
            .iter()
            .filter(|extension| resource.0.contains_key(&extension.schema.id))
            .map(|extension| json!(extension.schema.id)),
    );
    Value::Array(urns)
}

/// Common attributes first, then the schema's order: what people read. What was read from an object is in that order
/// already, unless something kept here came between.
fn order(t: &TypeMapping, resource: &mut Resource) {
    let rank = |name: &String| t.resource_type.position(name);
    if resource.0.keys().map(rank).is_sorted() {
        return;
    }
    let members = std::mem::take(&mut resource.0);
    let mut ranked: Vec<(usize, (String, Value))> = members
        .into_iter()
        .map(|member| (rank(&member.0), member))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    resource.0 = ranked.into_iter().map(|(_, member)| member).collect();
}

/// `resourceType`, `created`, `lastModified`, `location`, `version`.
const META_ATTRIBUTES: usize = 5;
