//! The schemas of the discovery resources (RFC 7643 §5 to §7, §8.7.2; RFC 9865 §4).

use crate::scim::{Attribute, AttributeType};

/// What the server can do.
pub(super) fn service_provider_config() -> Vec<Attribute> {
    vec![
        Attribute::reference("documentationUri", &["external"])
            .described(
                "An HTTP-addressable URL pointing to the service provider's \
                human-consumable help documentation.",
            )
            .read_only(),
        Attribute::complex(
            "patch",
            vec![
                Attribute::boolean("supported")
                    .described(
                        "A Boolean value specifying whether or not the operation is supported.",
                    )
                    .required(),
            ],
        )
        .described("A complex type that specifies PATCH configuration options.")
        .required()
        .read_only(),
        Attribute::complex(
            "bulk",
            vec![
                Attribute::boolean("supported")
                    .described(
                        "A Boolean value specifying whether or not the operation is supported.",
                    )
                    .required(),
                Attribute::new("maxOperations", AttributeType::Integer)
                    .described("An integer value specifying the maximum number of operations.")
                    .required(),
                Attribute::new("maxPayloadSize", AttributeType::Integer)
                    .described("An integer value specifying the maximum payload size in bytes.")
                    .required(),
            ],
        )
        .described("A complex type that specifies bulk configuration options.")
        .required()
        .read_only(),
        Attribute::complex(
            "filter",
            vec![
                Attribute::boolean("supported")
                    .described(
                        "A Boolean value specifying whether or not the operation is supported.",
                    )
                    .required(),
                Attribute::new("maxResults", AttributeType::Integer)
                    .described(
                        "An integer value specifying the maximum number of resources returned in \
                        a response.",
                    )
                    .required(),
            ],
        )
        .described("A complex type that specifies FILTER options.")
        .required()
        .read_only(),
        Attribute::complex(
            "changePassword",
            vec![
                Attribute::boolean("supported")
                    .described(
                        "A Boolean value specifying whether or not the operation is supported.",
                    )
                    .required(),
            ],
        )
        .described(
            "A complex type that specifies configuration options related to changing \
            a password.",
        )
        .required()
        .read_only(),
        Attribute::complex(
            "sort",
            vec![
                Attribute::boolean("supported")
                    .described(
                        "A Boolean value specifying whether or not the operation is supported.",
                    )
                    .required(),
            ],
        )
        .described("A complex type that specifies sort result options.")
        .required()
        .read_only(),
        // Missing in §8.7.2, but required by §5.
        Attribute::complex(
            "etag",
            vec![
                Attribute::boolean("supported")
                    .described(
                        "A Boolean value specifying whether or not the operation is supported.",
                    )
                    .required(),
            ],
        )
        .described("A complex type that specifies ETag configuration options.")
        .required()
        .read_only(),
        pagination(),
        Attribute::complex(
            "authenticationSchemes",
            vec![
                Attribute::string("name")
                    .described("The common authentication scheme name, e.g., HTTP Basic.")
                    .required(),
                Attribute::string("description")
                    .described("A description of the authentication scheme.")
                    .required(),
                Attribute::reference("specUri", &["external"]).described(
                    "An HTTP-addressable URL pointing to the authentication scheme's \
                    specification.",
                ),
                Attribute::reference("documentationUri", &["external"]).described(
                    "An HTTP-addressable URL pointing to the authentication scheme's usage \
                    documentation.",
                ),
            ],
        )
        .described(
            "A complex type that specifies supported authentication scheme \
            properties.",
        )
        .multi_valued()
        .required()
        .read_only(),
    ]
}

/// An endpoint and its schemas.
pub(super) fn resource_type() -> Vec<Attribute> {
    vec![
        Attribute::string("id")
            .described(
                "The resource type's server unique id. May be the same as the 'name' \
                attribute.",
            )
            .read_only(),
        Attribute::string("name")
            .described(
                "The resource type name. When applicable, service providers MUST specify \
                the name, e.g., 'User'.",
            )
            .required()
            .read_only(),
        Attribute::string("description")
            .described(
                "The resource type's human-readable description. When applicable, service \
                providers MUST specify the description.",
            )
            .read_only(),
        Attribute::reference("endpoint", &["uri"])
            .described(
                "The resource type's HTTP-addressable endpoint relative to the Base URL, \
                e.g., '/Users'.",
            )
            .required()
            .read_only(),
        Attribute::reference("schema", &["uri"])
            .described("The resource type's primary/base schema URI.")
            .required()
            .case_exact()
            .read_only(),
        Attribute::complex(
            "schemaExtensions",
            vec![
                Attribute::reference("schema", &["uri"])
                    .described("The URI of a schema extension.")
                    .required()
                    .case_exact(),
                Attribute::boolean("required")
                    .described(
                        "A Boolean value that specifies whether or not the schema extension is \
                        required for the resource type. If true, a resource of this type MUST \
                        include this schema extension and also include any attributes declared \
                        as required in this schema extension. If false, a resource of this type \
                        MAY omit this schema extension.",
                    )
                    .required(),
            ],
        )
        .described("A list of URIs of the resource type's schema extensions.")
        .required()
        .read_only(),
    ]
}

/// How lists can be paged (RFC 9865 §4).
fn pagination() -> Attribute {
    Attribute::complex(
        "pagination",
        vec![
            Attribute::boolean("cursor")
                .described("Whether or not cursor-based pagination is supported.")
                .required(),
            Attribute::boolean("index")
                .described("Whether or not index-based pagination is supported.")
                .required(),
            Attribute::string("defaultPaginationMethod")
                .described("The pagination method used if a request asks for none.")
                .canonical_values(&["cursor", "index"]),
            Attribute::new("defaultPageSize", AttributeType::Integer)
                .described("The number of results returned in a page if a request asks for none."),
            Attribute::new("maxPageSize", AttributeType::Integer)
                .described("The maximum number of results returned in a page."),
            Attribute::new("cursorTimeout", AttributeType::Integer)
                .described("The minimum number of seconds that a cursor is valid."),
        ],
    )
    .described("A complex type that specifies pagination options.")
    .read_only()
}
