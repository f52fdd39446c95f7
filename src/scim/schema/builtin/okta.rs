//! What Okta reads of roles and entitlements.

use crate::scim::{Attribute, Uniqueness};

/// `displayName`, `type` and `description`; `id` and `externalId` are common attributes.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::string("displayName")
            .described("A human-readable name, unique among its type.")
            .required()
            .unique(Uniqueness::Server),
        Attribute::string("type").described("The kind of role or entitlement, e.g., 'License'."),
        Attribute::string("description").described("What the role or entitlement permits."),
    ]
}
