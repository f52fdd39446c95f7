//! The schema of schemas (RFC 7643 §7, §8.7.2).

use crate::scim::Attribute;

/// A schema.
pub(super) fn schema() -> Vec<Attribute> {
    let mut of_attribute = characteristics();
    of_attribute.push(
        Attribute::complex("subAttributes", characteristics())
            .described("Used to define the sub-attributes of a complex attribute.")
            .multi_valued()
            .read_only(),
    );
    vec![
        Attribute::string("id")
            .described(
                "The unique URI of the schema. When applicable, service providers MUST specify \
                 the URI.",
            )
            .required()
            .read_only(),
        Attribute::string("name")
            .described(
                "The schema's human-readable name. When applicable, service providers MUST \
                 specify the name, e.g., 'User'.",
            )
            .required()
            .read_only(),
        Attribute::string("description")
            .described("The schema's human-readable description.")
            .read_only(),
        Attribute::complex("attributes", of_attribute)
            .described("A complex attribute that includes the attributes of a schema.")
            .multi_valued()
            .required()
            .read_only(),
    ]
}

/// What defines an attribute, and a sub-attribute in the same way.
fn characteristics() -> Vec<Attribute> {
    vec![
        Attribute::string("name")
            .described("The attribute's name.")
            .required()
            .case_exact(),
        Attribute::string("type")
            .described(
                "The attribute's data type. Valid values include 'string', 'complex', 'boolean', \
                 'decimal', 'integer', 'dateTime', 'reference'.",
            )
            .required()
            .canonical_values(&[
                "string",
                "complex",
                "boolean",
                "decimal",
                "integer",
                "dateTime",
                "reference",
            ]),
        Attribute::boolean("multiValued")
            .described("A Boolean value indicating an attribute's plurality.")
            .required(),
        Attribute::string("description")
            .described("A human-readable description of the attribute.")
            .case_exact(),
        Attribute::boolean("required")
            .described("A boolean value indicating whether or not the attribute is required."),
        Attribute::string("canonicalValues")
            .described(
                "A collection of canonical values. When applicable, service providers MUST \
                 specify the canonical types, e.g., 'work', 'home'.",
            )
            .multi_valued()
            .case_exact(),
        Attribute::boolean("caseExact").described(
            "A Boolean value indicating whether or not a string attribute is case sensitive.",
        ),
        Attribute::string("mutability")
            .described("Indicates whether or not an attribute is modifiable.")
            .case_exact()
            .canonical_values(&["readOnly", "readWrite", "immutable", "writeOnly"]),
        Attribute::string("returned")
            .described("Indicates when an attribute is returned in a response (e.g., to a query).")
            .case_exact()
            .canonical_values(&["always", "never", "default", "request"]),
        Attribute::string("uniqueness")
            .described("Indicates how unique a value must be.")
            .case_exact()
            .canonical_values(&["none", "server", "global"]),
        Attribute::string("referenceTypes")
            .described(
                "Used only with an attribute of type 'reference'. Specifies a SCIM resourceType \
                 that a reference attribute MAY refer to, e.g., 'User'.",
            )
            .multi_valued()
            .case_exact(),
    ]
}
