//! What the server says about itself (RFC 7644 §4; RFC 7643 §5 to §7; RFC 9865 §4).

use serde_json::{Map, Value, json};

use super::schema::builtin;
use super::{Attribute, ResourceType, Schema};

/// What the server can do, for ServiceProviderConfig.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Features {
    pub patch: bool,
    /// Absent: not supported.
    pub bulk: Option<BulkFeature>,
    /// Absent: not supported.
    pub filter: Option<FilterFeature>,
    pub change_password: bool,
    pub sort: bool,
    pub etag: bool,
    pub pagination: PaginationFeature,
    pub auth_schemes: Vec<AuthScheme>,
    /// Help for people.
    pub documentation_uri: Option<String>,
}

/// The limits of bulk requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkFeature {
    pub max_operations: u64,
    pub max_payload_bytes: u64,
}

/// The limits of filtered lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterFeature {
    /// How many resources one answer has at most.
    pub max_results: u64,
}

/// How lists can be paged (RFC 9865 §4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaginationFeature {
    pub cursor: bool,
    pub index: bool,
    /// What a request gets that asks for neither.
    pub default_pagination_method: Option<PaginationMethod>,
    pub default_page_size: Option<u64>,
    pub max_page_size: Option<u64>,
    /// How long a cursor lasts at least, in seconds.
    pub cursor_timeout: Option<u64>,
}

/// A way of paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaginationMethod {
    Cursor,
    Index,
}

/// A way of signing in (RFC 7643 §5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthScheme {
    /// `oauthbearertoken`, `oauth2`, `httpbasic`, `httpdigest`, `oauth`.
    pub kind: String,
    pub name: String,
    pub description: String,
    pub spec_uri: Option<String>,
    pub documentation_uri: Option<String>,
    pub is_primary: bool,
}

/// The service provider's configuration; `base_url` is where the endpoints are, without a slash at the end.
pub fn service_provider_config(features: &Features, base_url: &str) -> Value {
    let bulk = features.bulk.unwrap_or(BulkFeature {
        max_operations: 0,
        max_payload_bytes: 0,
    });
    let max_results = features.filter.map_or(0, |f| f.max_results);
    let mut config = json!({
        "schemas": [builtin::SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": features.patch },
        "bulk": {
            "supported": features.bulk.is_some(),
            "maxOperations": bulk.max_operations,
            "maxPayloadSize": bulk.max_payload_bytes,
        },
        "filter": { "supported": features.filter.is_some(), "maxResults": max_results },
        "changePassword": { "supported": features.change_password },
        "sort": { "supported": features.sort },
        "etag": { "supported": features.etag },
        "pagination": features.pagination.to_json(),
        "authenticationSchemes": features.auth_schemes.iter().map(AuthScheme::to_json).collect::<Vec<_>>(),
        "meta": meta("ServiceProviderConfig", &format!("{base_url}/ServiceProviderConfig")),
    });
    if let Some(uri) = &features.documentation_uri {
        config["documentationUri"] = uri.as_str().into();
    }
    config
}

/// The resource types, one resource each.
pub fn resource_types(resource_types: &[&ResourceType], base_url: &str) -> Vec<Value> {
    let described = resource_types
        .iter()
        .map(|r| describe_resource_type(r, base_url));
    described.collect()
}

/// The schemas of resource types and their extensions, one resource each, without repetition.
pub fn schemas(resource_types: &[&ResourceType], base_url: &str) -> Vec<Value> {
    let mut seen: Vec<&str> = Vec::new();
    let mut described = Vec::new();
    for resource_type in resource_types {
        let extensions = resource_type.extensions.iter().map(|e| &e.schema);
        for schema in std::iter::once(&resource_type.schema).chain(extensions) {
            if !seen.contains(&schema.id.as_str()) {
                seen.push(&schema.id);
                described.push(describe_schema(schema, base_url));
            }
        }
    }
    described
}

fn describe_resource_type(resource_type: &ResourceType, base_url: &str) -> Value {
    let extensions: Vec<Value> = resource_type
        .extensions
        .iter()
        .map(|e| json!({ "schema": e.schema.id, "required": e.is_required }))
        .collect();
    let name = &resource_type.name;
    json!({
        "schemas": [builtin::RESOURCE_TYPE],
        "id": name,
        "name": name,
        "endpoint": resource_type.endpoint,
        "description": resource_type.description,
        "schema": resource_type.schema.id,
        "schemaExtensions": extensions,
        "meta": meta("ResourceType", &format!("{base_url}/ResourceTypes/{name}")),
    })
}

fn describe_schema(schema: &Schema, base_url: &str) -> Value {
    let attributes: Vec<Value> = schema.attributes.iter().map(describe_attribute).collect();
    json!({
        "schemas": [builtin::SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes,
        "meta": meta("Schema", &format!("{base_url}/Schemas/{}", schema.id)),
    })
}

fn describe_attribute(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": attribute.kind.as_str(),
        "multiValued": attribute.is_multi_valued,
        "description": attribute.description,
        "required": attribute.is_required,
        "caseExact": attribute.is_case_exact,
        "mutability": attribute.mutability.as_str(),
        "returned": attribute.returned.as_str(),
        "uniqueness": attribute.uniqueness.as_str(),
    });
    if !attribute.canonical_values.is_empty() {
        described["canonicalValues"] = json!(attribute.canonical_values);
    }
    if !attribute.reference_types.is_empty() {
        described["referenceTypes"] = json!(attribute.reference_types);
    }
    if !attribute.sub_attributes.is_empty() {
        let subs = attribute.sub_attributes.iter().map(describe_attribute);
        described["subAttributes"] = subs.collect();
    }
    described
}

fn meta(resource_type: &str, location: &str) -> Value {
    json!({ "resourceType": resource_type, "location": location })
}

impl PaginationFeature {
    fn to_json(&self) -> Value {
        let mut pagination = json!({ "cursor": self.cursor, "index": self.index });
        if let Some(method) = self.default_pagination_method {
            pagination["defaultPaginationMethod"] = match method {
                PaginationMethod::Cursor => "cursor".into(),
                PaginationMethod::Index => "index".into(),
            };
        }
        let numbers = [
            ("defaultPageSize", self.default_page_size),
            ("maxPageSize", self.max_page_size),
            ("cursorTimeout", self.cursor_timeout),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                pagination[name] = number.into();
            }
        }
        pagination
    }
}

impl AuthScheme {
    fn to_json(&self) -> Value {
        let mut scheme = Map::new();
        scheme.insert("type".to_owned(), self.kind.as_str().into());
        scheme.insert("name".to_owned(), self.name.as_str().into());
        scheme.insert("description".to_owned(), self.description.as_str().into());
        if let Some(uri) = &self.spec_uri {
            scheme.insert("specUri".to_owned(), uri.as_str().into());
        }
        if let Some(uri) = &self.documentation_uri {
            scheme.insert("documentationUri".to_owned(), uri.as_str().into());
        }
        if self.is_primary {
            scheme.insert("primary".to_owned(), true.into());
        }
        Value::Object(scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_says_what_is_there() {
        let features = Features {
            patch: true,
            bulk: Some(BulkFeature {
                max_operations: 1000,
                max_payload_bytes: 1_048_576,
            }),
            pagination: PaginationFeature {
                cursor: true,
                index: true,
                default_pagination_method: Some(PaginationMethod::Index),
                max_page_size: Some(200),
                ..PaginationFeature::default()
            },
            auth_schemes: vec![AuthScheme {
                kind: "oauthbearertoken".to_owned(),
                name: "OAuth Bearer Token".to_owned(),
                is_primary: true,
                ..AuthScheme::default()
            }],
            ..Features::default()
        };
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": { "supported": true },
            "bulk": { "supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576 },
            "filter": { "supported": false, "maxResults": 0 },
            "changePassword": { "supported": false },
            "sort": { "supported": false },
            "etag": { "supported": false },
            "pagination": { "cursor": true, "index": true, "defaultPaginationMethod": "index", "maxPageSize": 200 },
            "authenticationSchemes": [
                { "type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "", "primary": true },
            ],
            "meta": { "resourceType": "ServiceProviderConfig", "location": "https://example.com/v2/ServiceProviderConfig" },
        });
        let config = service_provider_config(&features, "https://example.com/v2");
        assert_eq!(config, expected);
        // What is said about it must be in its schema.
        let schema = builtin::service_provider_config();
        for name in config.as_object().unwrap().keys() {
            assert!(
                ["schemas", "meta"].contains(&name.as_str()) || schema.attribute(name).is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn resource_types_and_schemas_know_their_place() {
        let user = ResourceType::user(vec![builtin::enterprise_user()]);
        let contractor = ResourceType::new("Contractor", "/Contractors", builtin::user(), vec![]);
        let types = resource_types(&[&user, &contractor], "https://example.com");
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": "User", "name": "User", "endpoint": "/Users", "description": "User Account",
            "schema": builtin::USER,
            "schemaExtensions": [{ "schema": builtin::ENTERPRISE_USER, "required": false }],
            "meta": { "resourceType": "ResourceType", "location": "https://example.com/ResourceTypes/User" },
        });
        assert_eq!(types[0], expected);
        let schemas = schemas(&[&user, &contractor], "https://example.com");
        let ids: Vec<_> = schemas.iter().map(|s| s["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [builtin::USER, builtin::ENTERPRISE_USER]);
        assert_eq!(
            schemas[0]["meta"]["location"],
            format!("https://example.com/Schemas/{}", builtin::USER)
        );
    }
}
