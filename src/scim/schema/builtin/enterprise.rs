//! The enterprise extension (RFC 7643 §4.3, §8.7.1).

use crate::scim::Attribute;

/// `employeeNumber` to `manager`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::string("employeeNumber").described(
            "Numeric or alphanumeric identifier assigned to a person, typically based \
            on order of hire or association with an organization.",
        ),
        Attribute::string("costCenter").described("Identifies the name of a cost center."),
        Attribute::string("organization").described("Identifies the name of an organization."),
        Attribute::string("division").described("Identifies the name of a division."),
        Attribute::string("department").described("Identifies the name of a department."),
        Attribute::complex(
            "manager",
            vec![
                Attribute::string("value").described(
                    "The id of the SCIM resource representing the User's manager. REQUIRED.",
                ),
                Attribute::reference("$ref", &["User"]).described(
                    "The URI of the SCIM resource representing the User's manager. REQUIRED.",
                ),
                Attribute::string("displayName")
                    .described("The displayName of the User's manager. OPTIONAL and READ-ONLY.")
                    .read_only(),
            ],
        )
        .described(
            "The User's manager. A complex type that optionally allows service \
            providers to represent organizational hierarchy by referencing the 'id' \
            attribute of another User.",
        ),
    ]
}
