//! Usual names: of paths, of fields, of parameters.

/// How a resource type is usually named.
pub(super) struct Kind {
    /// `user`.
    pub section: &'static str,
    /// Last segments of its collection, the likeliest first; without hyphens and underscores.
    pub nouns: &'static [&'static str],
    /// Its attributes and their usual fields.
    pub fields: &'static [Usual],
    /// The attribute by which duplicates are known.
    pub matched_by: &'static str,
    /// Attributes that filters ask for.
    pub found_by: &'static [&'static str],
}

/// An attribute and the names its field usually has, the likeliest first; lower case, letters and digits only.
pub(super) struct Usual {
    pub attribute: &'static str,
    pub fields: &'static [&'static str],
}

const fn usual(attribute: &'static str, fields: &'static [&'static str]) -> Usual {
    Usual { attribute, fields }
}

pub(super) static USER: Kind = Kind {
    section: "user",
    nouns: &[
        "users",
        "people",
        "persons",
        "employees",
        "staff",
        "members",
        "accounts",
        "contacts",
        "useraccounts",
        "identities",
        "user",
    ],
    fields: USER_FIELDS,
    matched_by: "userName",
    found_by: &["userName", "emails[type eq \"work\"].value", "externalId"],
};

pub(super) static GROUP: Kind = Kind {
    section: "group",
    nouns: &[
        "groups",
        "teams",
        "usergroups",
        "departments",
        "squads",
        "roles",
        "group",
    ],
    fields: GROUP_FIELDS,
    matched_by: "displayName",
    found_by: &["displayName", "externalId"],
};

/// Last segments of the collection of a group's members.
pub(super) const MEMBERS: &[&str] = &["members", "users", "memberships", "people", "accounts"];

static USER_FIELDS: &[Usual] = &[
    usual(
        "userName",
        &[
            "username",
            "login",
            "loginname",
            "accountname",
            "samaccountname",
            "userprincipalname",
            "upn",
            "loginid",
            "handle",
        ],
    ),
    usual(
        "externalId",
        &["externalid", "externaluserid", "externalref", "foreignid"],
    ),
    usual(
        "name.givenName",
        &[
            "givenname",
            "firstname",
            "first",
            "forename",
            "fname",
            "given",
        ],
    ),
    usual(
        "name.familyName",
        &[
            "familyname",
            "lastname",
            "last",
            "surname",
            "lname",
            "family",
        ],
    ),
    usual("name.middleName", &["middlename", "middle"]),
    usual(
        "name.honorificPrefix",
        &["honorificprefix", "salutation", "prefix"],
    ),
    usual("name.honorificSuffix", &["honorificsuffix", "suffix"]),
    usual(
        "name.formatted",
        &["formattedname", "fullname", "formatted"],
    ),
    usual("displayName", &["displayname", "realname", "name", "label"]),
    usual("nickName", &["nickname", "nick"]),
    usual(
        "emails[type eq \"work\"].value",
        &[
            "email",
            "mail",
            "emailaddress",
            "primaryemail",
            "workemail",
            "emailaddr",
        ],
    ),
    usual(
        "phoneNumbers[type eq \"work\"].value",
        &[
            "phone",
            "phonenumber",
            "workphone",
            "telephone",
            "telephonenumber",
            "officephone",
            "tel",
        ],
    ),
    usual(
        "phoneNumbers[type eq \"mobile\"].value",
        &["mobile", "mobilephone", "mobilenumber", "cellphone", "cell"],
    ),
    usual("title", &["jobtitle", "title", "position"]),
    usual("userType", &["usertype", "employeetype", "employmenttype"]),
    usual(
        "preferredLanguage",
        &["preferredlanguage", "language", "lang"],
    ),
    usual("locale", &["locale"]),
    usual("timezone", &["timezone", "tz"]),
    usual("profileUrl", &["profileurl", "website", "homepage"]),
    usual(
        "addresses[type eq \"work\"].streetAddress",
        &["streetaddress", "street", "address1"],
    ),
    usual(
        "addresses[type eq \"work\"].locality",
        &["city", "locality", "town"],
    ),
    usual(
        "addresses[type eq \"work\"].region",
        &["region", "province"],
    ),
    usual(
        "addresses[type eq \"work\"].postalCode",
        &["postalcode", "zipcode", "zip", "postcode"],
    ),
    usual(
        "addresses[type eq \"work\"].country",
        &["country", "countrycode"],
    ),
    usual("password", &["password", "initialpassword", "passwd"]),
    usual(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        &[
            "employeenumber",
            "employeeid",
            "personnelnumber",
            "staffnumber",
        ],
    ),
    usual(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
        &["costcenter", "costcentre"],
    ),
    usual(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization",
        &["organization", "organisation", "company", "companyname"],
    ),
    usual(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division",
        &["division"],
    ),
    usual(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        &["department", "departmentname", "dept"],
    ),
    usual(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        &["managerid", "supervisorid", "reportsto"],
    ),
    usual(
        "meta.created",
        &[
            "createdat",
            "created",
            "createdon",
            "datecreated",
            "createddate",
            "creationdate",
            "createtime",
        ],
    ),
    usual(
        "meta.lastModified",
        &[
            "updatedat",
            "lastmodified",
            "modifiedat",
            "updated",
            "modified",
            "updatedon",
            "modifiedon",
            "lastmodifiedat",
            "updatetime",
        ],
    ),
];

static GROUP_FIELDS: &[Usual] = &[
    usual(
        "displayName",
        &[
            "displayname",
            "name",
            "groupname",
            "teamname",
            "title",
            "label",
        ],
    ),
    usual("externalId", &["externalid", "externalref", "foreignid"]),
    usual(
        "meta.created",
        &[
            "createdat",
            "created",
            "createdon",
            "datecreated",
            "createddate",
            "creationdate",
            "createtime",
        ],
    ),
    usual(
        "meta.lastModified",
        &[
            "updatedat",
            "lastmodified",
            "modifiedat",
            "updated",
            "modified",
            "updatedon",
            "modifiedon",
            "lastmodifiedat",
            "updatetime",
        ],
    ),
];

/// Parents whose members mean what they would mean at the top: `profile.firstName`.
pub(super) const TRANSPARENT: &[&str] = &[
    "name",
    "names",
    "profile",
    "contact",
    "attributes",
    "properties",
    "personal",
    "details",
    "info",
    "user",
    "address",
];

/// Whether a member is named after what it holds: `user`, `users`, `group`.
pub(super) fn is_noun(name: &str) -> bool {
    let own = normal(name);
    let is_it = |noun: &&str| *noun == own || noun.strip_suffix('s') == Some(own.as_str());
    [&USER, &GROUP]
        .iter()
        .any(|kind| kind.nouns.iter().any(is_it))
}

/// Lower case, letters and digits only: `first_name` and `firstName` are one name.
pub(super) fn normal(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// A name for files: lower case, words joined by hyphens.
pub(super) fn slug(title: &str) -> String {
    let words: Vec<String> = title
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| {
            !word.is_empty()
                && !["api", "rest", "the"].contains(&word.to_ascii_lowercase().as_str())
        })
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        "application".to_owned()
    } else {
        words.join("-")
    }
}

/// A name for environment variables.
pub(super) fn variable(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            'a'..='z' => character.to_ascii_uppercase(),
            'A'..='Z' | '0'..='9' => character,
            _ => '_',
        })
        .collect()
}
