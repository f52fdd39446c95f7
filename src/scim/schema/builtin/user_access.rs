//! What a `User` may do (RFC 7643 §4.1.2, §8.7.1).

use crate::scim::{Attribute, AttributeType};

/// `groups` to `x509Certificates`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::complex(
            "groups",
            vec![
                Attribute::string("value").described("The identifier of the User's group."),
                Attribute::reference("$ref", &["User", "Group"]).described(
                    "The URI of the corresponding 'Group' resource to which the user belongs.",
                ),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type")
                    .described(
                        "A label indicating the attribute's function, e.g., 'direct' or \
                        'indirect'.",
                    )
                    .canonical_values(&["direct", "indirect"]),
            ],
        )
        .described(
            "A list of groups to which the user belongs, either through direct \
            membership, through nested groups, or dynamically calculated.",
        )
        .multi_valued()
        .read_only(),
        Attribute::complex(
            "entitlements",
            vec![
                Attribute::string("value").described("The value of an entitlement."),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type").described("A label indicating the attribute's function."),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute. The primary attribute value 'true' MUST appear no \
                    more than once.",
                ),
            ],
        )
        .described("A list of entitlements for the User that represent a thing the User has.")
        .multi_valued(),
        Attribute::complex(
            "roles",
            vec![
                Attribute::string("value").described("The value of a role."),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type").described("A label indicating the attribute's function."),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute. The primary attribute value 'true' MUST appear no \
                    more than once.",
                ),
            ],
        )
        .described(
            "A list of roles for the User that collectively represent who the User \
            is, e.g., 'Student', 'Faculty'.",
        )
        .multi_valued(),
        Attribute::complex(
            "x509Certificates",
            vec![
                Attribute::new("value", AttributeType::Binary)
                    .described("The value of an X.509 certificate."),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type").described("A label indicating the attribute's function."),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute. The primary attribute value 'true' MUST appear no \
                    more than once.",
                ),
            ],
        )
        .described("A list of certificates issued to the User.")
        .multi_valued(),
    ]
}
