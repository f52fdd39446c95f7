//! `Group` (RFC 7643 §4.2, §8.7.1).

use crate::scim::{Attribute, Mutability, Returned};

/// `displayName` and `members`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::string("displayName")
            .described("A human-readable name for the Group. REQUIRED.")
            .required(),
        Attribute::complex(
            "members",
            vec![
                Attribute::string("value")
                    .described("Identifier of the member of this Group.")
                    .mutability(Mutability::Immutable),
                Attribute::reference("$ref", &["User", "Group"])
                    .described(
                        "The URI corresponding to a SCIM resource that is a member of this Group.",
                    )
                    .mutability(Mutability::Immutable),
                Attribute::string("type")
                    .described("A label indicating the type of resource, e.g., 'User' or 'Group'.")
                    .mutability(Mutability::Immutable)
                    .canonical_values(&["User", "Group"]),
                Attribute::string("display")
                    .described(
                        "A human-readable name of the member, primarily used for display \
                        purposes.",
                    )
                    .read_only()
                    .returned(Returned::Request),
            ],
        )
        .described("A list of members of the Group.")
        .multi_valued(),
    ]
}
