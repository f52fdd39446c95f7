//! The schemas that RFC 7643 §8.7 defines, and Okta's two for roles and entitlements.
//!
//! Two sub-attributes go beyond §8.7.1, because the RFC's own examples (§8.2, §8.4) carry them:
//! `addresses.primary` and `members.display`. `etag` (§5) and `pagination` (RFC 9865 §4) are added to
//! ServiceProviderConfig.

mod discovery;
mod enterprise;
mod group;
mod okta;
mod schema;
mod user;
mod user_access;
mod user_contacts;

use crate::scim::Schema;

/// The URN of `User`.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the enterprise extension of `User`.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The URN of `Group`.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URN of Okta's `Role`.
pub const ROLE: &str = "urn:okta:scim:schemas:core:1.0:Role";
/// The URN of Okta's `Entitlement`.
pub const ENTITLEMENT: &str = "urn:okta:scim:schemas:core:1.0:Entitlement";
/// The URN of the service provider's configuration.
pub const SERVICE_PROVIDER_CONFIG: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The URN of `ResourceType`.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The URN of `Schema`.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// `User` (RFC 7643 §4.1).
pub fn user() -> Schema {
    let mut attributes = user::attributes();
    attributes.extend(user_contacts::attributes());
    attributes.extend(user_access::attributes());
    Schema::new(USER, "User", "User Account", attributes)
}

/// The enterprise extension of `User` (RFC 7643 §4.3).
pub fn enterprise_user() -> Schema {
    Schema::new(
        ENTERPRISE_USER,
        "EnterpriseUser",
        "Enterprise User",
        enterprise::attributes(),
    )
}

/// `Group` (RFC 7643 §4.2).
pub fn group() -> Schema {
    Schema::new(GROUP, "Group", "Group", group::attributes())
}

/// Okta's `Role`: what Okta lists to offer roles for assignment.
pub fn role() -> Schema {
    Schema::new(ROLE, "Role", "Role", okta::attributes())
}

/// Okta's `Entitlement`: what Okta lists to offer entitlements for assignment.
pub fn entitlement() -> Schema {
    Schema::new(
        ENTITLEMENT,
        "Entitlement",
        "Entitlement",
        okta::attributes(),
    )
}

/// The service provider's configuration (RFC 7643 §5, RFC 9865 §4).
pub fn service_provider_config() -> Schema {
    Schema::new(
        SERVICE_PROVIDER_CONFIG,
        "Service Provider Configuration",
        "Schema for representing the service provider's configuration",
        discovery::service_provider_config(),
    )
}

/// Resource types (RFC 7643 §6).
pub fn resource_type() -> Schema {
    Schema::new(
        RESOURCE_TYPE,
        "ResourceType",
        "Specifies the schema that describes a SCIM resource type",
        discovery::resource_type(),
    )
}

/// Schemas (RFC 7643 §7).
pub fn schema() -> Schema {
    Schema::new(
        SCHEMA,
        "Schema",
        "Specifies the schema that describes a SCIM schema",
        schema::schema(),
    )
}
