//! Names to definitions: which attribute a path means for a resource type.

use std::sync::{Arc, LazyLock};

use super::{Attribute, Extension, Mutability, ResourceType, Returned, Schema, builtin, find};
use crate::scim::AttributePath;

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolved<'a> {
    /// The extension it lies in; absent for the resource type's own and the common attributes.
    pub extension: Option<&'a Schema>,
    /// The attribute; absent if the path is an extension's URN alone.
    pub attribute: Option<&'a Attribute>,
    /// The sub-attribute, if the path names one.
    pub sub_attribute: Option<&'a Attribute>,
}

impl<'a> Resolved<'a> {
    /// The definition the path ends at; absent if the path is an extension's URN alone.
    pub fn leaf(&self) -> Option<&'a Attribute> {
        self.sub_attribute.or(self.attribute)
    }

    /// The path in the schema's spelling: a URN only for extensions.
    pub fn canonical(&self) -> AttributePath {
        AttributePath {
            schema: self.extension.map(|e| e.id.clone()),
            attribute: self.attribute.map(|a| a.name.clone()).unwrap_or_default(),
            sub_attribute: self.sub_attribute.map(|s| s.name.clone()),
        }
    }

    /// Whether a client may write here: neither the attribute nor the sub-attribute is readOnly.
    pub fn is_read_only(&self) -> bool {
        [self.attribute, self.sub_attribute]
            .into_iter()
            .flatten()
            .any(|a| a.mutability == Mutability::ReadOnly)
    }
}

/// The attributes every resource has: `schemas`, `id`, `externalId`, `meta` (RFC 7643 §3, §3.1).
pub fn common_attributes() -> &'static [Attribute] {
    static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(common);
    &COMMON
}

impl ResourceType {
    /// `User` at `/Users`, with these extensions; none is required.
    pub fn user(extensions: Vec<Schema>) -> Self {
        Self::new("User", "/Users", builtin::user(), extensions).described("User Account")
    }

    /// `Group` at `/Groups`, with these extensions; none is required.
    pub fn group(extensions: Vec<Schema>) -> Self {
        Self::new("Group", "/Groups", builtin::group(), extensions).described("Group")
    }

    /// A resource type of any schema, with these extensions; none is required.
    pub fn new(
        name: impl Into<String>,
        endpoint: impl Into<String>,
        schema: Schema,
        extensions: Vec<Schema>,
    ) -> Self {
        Self {
            name: name.into(),
            endpoint: endpoint.into(),
            description: String::new(),
            schema: Arc::new(schema),
            extensions: extensions
                .into_iter()
                .map(|schema| Extension {
                    schema: Arc::new(schema),
                    is_required: false,
                })
                .collect(),
        }
    }

    /// With words for people.
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Where an attribute stands among those of a resource as people read it: `schemas`, `id`, `externalId`, then the
    /// schema's in its order, then extensions, and `meta` at the end. The name is in the schema's spelling.
    pub fn position(&self, name: &str) -> usize {
        const FIRST: [&str; 3] = ["schemas", "id", "externalId"];
        if name == "meta" {
            return usize::MAX;
        }
        let own = || self.schema.attributes.iter().position(|a| a.name == name);
        let last = self.schema.attributes.len();
        FIRST
            .iter()
            .position(|first| *first == name)
            .unwrap_or_else(|| FIRST.len() + own().unwrap_or(last))
    }

    /// The extension of this URN, in any case.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions
            .iter()
            .map(|e| &*e.schema)
            .find(|s| s.id.eq_ignore_ascii_case(urn))
    }

    /// What a path means; names and URNs compare without case.
    ///
    /// Attributes of an extension need its URN; a URN in front of a common attribute must be the
    /// resource type's own. An extension's URN alone has a meaning too: [`Resolved::attribute`] is absent.
    pub fn resolve(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        let Some(urn) = path.schema.as_deref() else {
            return self.resolve_own(&path.attribute, path.sub_attribute.as_deref());
        };
        if let Some(extension) = self.extension_named_by(path) {
            return Some(Resolved {
                extension: Some(extension),
                attribute: None,
                sub_attribute: None,
            });
        }
        if self.schema.id.eq_ignore_ascii_case(urn) {
            return self.resolve_own(&path.attribute, path.sub_attribute.as_deref());
        }
        let extension = self.extension(urn)?;
        within(
            Some(extension),
            extension.attribute(&path.attribute)?,
            path.sub_attribute.as_deref(),
        )
    }

    /// What a name without URN could mean in the extensions, in their order. For leniency; RFC 7644 wants the URN.
    pub fn resolve_in_extensions(&self, attribute: &str, sub: Option<&str>) -> Vec<Resolved<'_>> {
        self.extensions
            .iter()
            .filter_map(|e| within(Some(&e.schema), e.schema.attribute(attribute)?, sub))
            .collect()
    }

    /// Finds a definition among the common and the core attributes.
    fn resolve_own(&self, attribute: &str, sub: Option<&str>) -> Option<Resolved<'_>> {
        let found = find(common_attributes(), attribute).or(self.schema.attribute(attribute))?;
        within(None, found, sub)
    }

    /// The extension whose whole URN the path is. Only schemas tell `urn:…:2.0:User` from an
    /// attribute `User` of the schema `urn:…:2.0`.
    fn extension_named_by(&self, path: &AttributePath) -> Option<&Schema> {
        let whole = path.to_string();
        self.extension(&whole)
    }
}

/// The sub-attribute `sub` of an attribute, or the attribute itself.
fn within<'a>(
    extension: Option<&'a Schema>,
    attribute: &'a Attribute,
    sub: Option<&str>,
) -> Option<Resolved<'a>> {
    let sub_attribute = match sub {
        None => None,
        Some(name) => Some(attribute.sub(name)?),
    };
    Some(Resolved {
        extension,
        attribute: Some(attribute),
        sub_attribute,
    })
}

fn common() -> Vec<Attribute> {
    vec![
        Attribute::reference("schemas", &["uri"])
            .described("The URIs of the schemas of this resource.")
            .multi_valued()
            .required()
            .returned(Returned::Always),
        Attribute::string("id")
            .described("The identifier of the resource, given by the service provider.")
            .case_exact()
            .read_only()
            .returned(Returned::Always)
            .unique(super::Uniqueness::Server),
        Attribute::string("externalId")
            .described("The identifier of the resource, given by the provisioning client.")
            .case_exact(),
        Attribute::complex(
            "meta",
            vec![
                Attribute::string("resourceType")
                    .described("The name of the resource type.")
                    .case_exact(),
                Attribute::date_time("created").described("When the resource was added."),
                Attribute::date_time("lastModified").described("When the resource last changed."),
                Attribute::reference("location", &["uri"])
                    .described("The URI of the resource.")
                    .case_exact(),
                Attribute::string("version")
                    .described("The version of the resource, as in the ETag.")
                    .case_exact(),
            ],
        )
        .described("What the service provider knows about the resource itself.")
        .read_only(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_without_regard_to_case() {
        let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
        let enterprise = builtin::ENTERPRISE_USER;
        let cases = [
            ("USERNAME", Some("userName".to_owned())),
            ("Name.GIVENname", Some("name.givenName".to_owned())),
            ("ID", Some("id".to_owned())),
            ("externalid", Some("externalId".to_owned())),
            ("Meta.LastModified", Some("meta.lastModified".to_owned())),
            ("groups.$REF", Some("groups.$ref".to_owned())),
            (
                "urn:IETF:params:scim:schemas:core:2.0:user:title",
                Some("title".to_owned()),
            ),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:id",
                Some("id".to_owned()),
            ),
            (
                &format!("{enterprise}:MANAGER.value"),
                Some(format!("{enterprise}:manager.value")),
            ),
            (&enterprise.to_uppercase(), Some(enterprise.to_owned())),
            (&format!("{enterprise}:userName"), None),
            (builtin::USER, None),
            ("department", None),
            ("userName.value", None),
            ("name.nope", None),
            ("urn:x:y:userName", None),
            ("constructor", None),
        ];
        for (text, canonical) in cases {
            let path = AttributePath::parse(text).unwrap();
            let resolved = user_type.resolve(&path);
            assert_eq!(
                resolved.map(|r| r.canonical().to_string()),
                canonical,
                "{text}"
            );
            // A canonical path means the same, whether it was read or made.
            if let Some(resolved) = resolved {
                assert_eq!(
                    user_type.resolve(&resolved.canonical()),
                    Some(resolved),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn names_without_urn_are_found_in_extensions_for_leniency() {
        let user_type = ResourceType::user(vec![builtin::enterprise_user()]);
        let found = user_type.resolve_in_extensions("Manager", Some("displayname"));
        let found: Vec<_> = found.iter().map(|r| r.canonical().to_string()).collect();
        assert_eq!(
            found,
            [format!("{}:manager.displayName", builtin::ENTERPRISE_USER)]
        );
        assert!(user_type.resolve_in_extensions("userName", None).is_empty());
    }
}
