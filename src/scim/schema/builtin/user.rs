//! The single-valued attributes of `User` (RFC 7643 §4.1.1, §8.7.1).

use crate::scim::{Attribute, Mutability, Returned, Uniqueness};

/// `userName` to `password`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::string("userName")
            .described(
                "Unique identifier for the User, typically used by the user to directly \
                authenticate to the service provider. Each User MUST include a non-empty \
                userName value. This identifier MUST be unique across the service \
                provider's entire set of Users. REQUIRED.",
            )
            .required()
            .unique(Uniqueness::Server),
        Attribute::complex(
            "name",
            vec![
                Attribute::string("formatted").described(
                    "The full name, including all middle names, titles, and suffixes as \
                    appropriate, formatted for display (e.g., 'Ms. Barbara J Jensen, III').",
                ),
                Attribute::string("familyName").described(
                    "The family name of the User, or last name in most Western languages \
                    (e.g., 'Jensen' given the full name 'Ms. Barbara J Jensen, III').",
                ),
                Attribute::string("givenName").described(
                    "The given name of the User, or first name in most Western languages \
                    (e.g., 'Barbara' given the full name 'Ms. Barbara J Jensen, III').",
                ),
                Attribute::string("middleName").described(
                    "The middle name(s) of the User (e.g., 'Jane' given the full name 'Ms. \
                    Barbara J Jensen, III').",
                ),
                Attribute::string("honorificPrefix").described(
                    "The honorific prefix(es) of the User, or title in most Western languages \
                    (e.g., 'Ms.' given the full name 'Ms. Barbara J Jensen, III').",
                ),
                Attribute::string("honorificSuffix").described(
                    "The honorific suffix(es) of the User, or suffix in most Western \
                    languages (e.g., 'III' given the full name 'Ms. Barbara J Jensen, III').",
                ),
            ],
        )
        .described(
            "The components of the user's real name. Providers MAY return just the \
            full name as a single string in the formatted sub-attribute, or they MAY \
            return just the individual component attributes using the other \
            sub-attributes, or they MAY return both. If both variants are returned, \
            they SHOULD be describing the same name, with the formatted name \
            indicating how the component attributes should be combined.",
        ),
        Attribute::string("displayName").described(
            "The name of the User, suitable for display to end-users. The name SHOULD \
            be the full name of the User being described, if known.",
        ),
        Attribute::string("nickName").described(
            "The casual way to address the user in real life, e.g., 'Bob' or 'Bobby' \
            instead of 'Robert'. This attribute SHOULD NOT be used to represent a \
            User's username (e.g., 'bjensen' or 'mpepperidge').",
        ),
        Attribute::reference("profileUrl", &["external"]).described(
            "A fully qualified URL pointing to a page representing the User's online \
            profile.",
        ),
        Attribute::string("title").described("The user's title, such as \"Vice President.\""),
        Attribute::string("userType").described(
            "Used to identify the relationship between the organization and the user. \
            Typical values used might be 'Contractor', 'Employee', 'Intern', 'Temp', \
            'External', and 'Unknown', but any value may be used.",
        ),
        Attribute::string("preferredLanguage").described(
            "Indicates the User's preferred written or spoken language. Generally \
            used for selecting a localized user interface; e.g., 'en_US' specifies \
            the language English and country US.",
        ),
        Attribute::string("locale").described(
            "Used to indicate the User's default location for purposes of localizing \
            items such as currency, date time format, or numerical representations.",
        ),
        Attribute::string("timezone").described(
            "The User's time zone in the 'Olson' time zone database format, e.g., \
            'America/Los_Angeles'.",
        ),
        Attribute::boolean("active")
            .described("A Boolean value indicating the User's administrative status."),
        Attribute::string("password")
            .described(
                "The User's cleartext password. This attribute is intended to be used as \
                a means to specify an initial password when creating a new User or to \
                reset an existing User's password.",
            )
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
    ]
}
