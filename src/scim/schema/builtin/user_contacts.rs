//! The addresses of `User` (RFC 7643 §4.1.2, §8.7.1).

use crate::scim::Attribute;

/// `emails` to `addresses`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::complex(
            "emails",
            vec![
                Attribute::string("value").described(
                    "Email addresses for the user. The value SHOULD be canonicalized by the \
                    service provider, e.g., 'bjensen@example.com' instead of \
                    'bjensen@EXAMPLE.COM'. Canonical type values of 'work', 'home', and \
                    'other'.",
                ),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type")
                    .described(
                        "A label indicating the attribute's function, e.g., 'work' or 'home'.",
                    )
                    .canonical_values(&["work", "home", "other"]),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute, e.g., the preferred mailing address or primary email \
                    address. The primary attribute value 'true' MUST appear no more than \
                    once.",
                ),
            ],
        )
        .described(
            "Email addresses for the user. The value SHOULD be canonicalized by the \
            service provider, e.g., 'bjensen@example.com' instead of \
            'bjensen@EXAMPLE.COM'. Canonical type values of 'work', 'home', and \
            'other'.",
        )
        .multi_valued(),
        Attribute::complex(
            "phoneNumbers",
            vec![
                Attribute::string("value").described("Phone number of the User."),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type")
                    .described(
                        "A label indicating the attribute's function, e.g., 'work', 'home', \
                        'mobile'.",
                    )
                    .canonical_values(&["work", "home", "mobile", "fax", "pager", "other"]),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute, e.g., the preferred phone number or primary phone \
                    number. The primary attribute value 'true' MUST appear no more than \
                    once.",
                ),
            ],
        )
        .described(
            "Phone numbers for the User. The value SHOULD be canonicalized by the \
            service provider according to the format specified in RFC 3966, e.g., \
            'tel:+1-201-555-0123'. Canonical type values of 'work', 'home', \
            'mobile', 'fax', 'pager', and 'other'.",
        )
        .multi_valued(),
        Attribute::complex(
            "ims",
            vec![
                Attribute::string("value").described("Instant messaging address for the User."),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type")
                    .described(
                        "A label indicating the attribute's function, e.g., 'aim', 'gtalk', \
                        'xmpp'.",
                    )
                    .canonical_values(&[
                        "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo",
                    ]),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute, e.g., the preferred messenger or primary messenger. \
                    The primary attribute value 'true' MUST appear no more than once.",
                ),
            ],
        )
        .described("Instant messaging addresses for the User.")
        .multi_valued(),
        Attribute::complex(
            "photos",
            vec![
                Attribute::reference("value", &["external"])
                    .described("URL of a photo of the User."),
                Attribute::string("display").described(
                    "A human-readable name, primarily used for display purposes. READ-ONLY.",
                ),
                Attribute::string("type")
                    .described(
                        "A label indicating the attribute's function, i.e., 'photo' or \
                        'thumbnail'.",
                    )
                    .canonical_values(&["photo", "thumbnail"]),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute, e.g., the preferred photo or thumbnail. The primary \
                    attribute value 'true' MUST appear no more than once.",
                ),
            ],
        )
        .described("URLs of photos of the User.")
        .multi_valued(),
        Attribute::complex(
            "addresses",
            vec![
                Attribute::string("formatted").described(
                    "The full mailing address, formatted for display or use with a mailing \
                    label. This attribute MAY contain newlines.",
                ),
                Attribute::string("streetAddress").described(
                    "The full street address component, which may include house number, \
                    street name, P.O. box, and multi-line extended street address \
                    information. This attribute MAY contain newlines.",
                ),
                Attribute::string("locality").described("The city or locality component."),
                Attribute::string("region").described("The state or region component."),
                Attribute::string("postalCode").described("The zip code or postal code component."),
                Attribute::string("country").described("The country name component."),
                Attribute::string("type")
                    .described(
                        "A label indicating the attribute's function, e.g., 'work' or 'home'.",
                    )
                    .canonical_values(&["work", "home", "other"]),
                Attribute::boolean("primary").described(
                    "A Boolean value indicating the 'primary' or preferred attribute value \
                    for this attribute. The primary attribute value 'true' MUST appear no \
                    more than once.",
                ),
            ],
        )
        .described(
            "A physical mailing address for this User. Canonical type values of \
            'work', 'home', and 'other'. This attribute is a complex type with the \
            following sub-attributes.",
        )
        .multi_valued(),
    ]
}
