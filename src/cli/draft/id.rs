//! Which field of an object is its id: by the parameter of its path, or by the usual names.

use super::{
    document::type_of,
    endpoints::Collection,
    fields::Field,
    names::{Kind, normal},
};

/// The id of an object.
pub(super) struct Id {
    pub field: String,
    pub is_number: bool,
    /// Whether the paths take something that can change.
    pub is_changeable: bool,
    pub is_found: bool,
}

impl Id {
    /// The likeliest field.
    pub fn of(fields: &[Field<'_>], collection: &Collection<'_>, kind: &Kind) -> Self {
        let parameter = collection.parameter().map(normal).unwrap_or_default();
        let own = format!("{}id", kind.section);
        let named = |name: &str| {
            fields
                .iter()
                .find(|field| field.is_read && normal(&field.path) == name)
        };
        // A parameter such as `{login}` names the field; `{id}` and `{userId}` only say that it is the id.
        let exact = || {
            let parameter = collection.parameter();
            let mut read = fields.iter().filter(|field| field.is_read);
            read.find(|field| Some(field.path.as_str()) == parameter)
        };
        let by_parameter = (!parameter.is_empty())
            .then(|| exact().or_else(|| named(&parameter)))
            .flatten();
        // `{role_name}` of `/roles/{role_name}` is the name, unless it only says that it is the id.
        let by_part = || {
            let parts = [
                "username", "name", "login", "slug", "key", "code", "email", "objectid", "uuid",
            ];
            let mut parts = parts.iter().filter(|part| parameter.ends_with(**part));
            parts.find_map(|part| named(part))
        };
        // `{user_gid}` is the `gid`.
        let by_rest = || {
            let nouns = [
                "user", "group", "team", "role", "member", "person", "employee", "account",
            ];
            let mut nouns = nouns.iter().filter_map(|noun| parameter.strip_prefix(noun));
            nouns.find_map(named)
        };
        let usual = || {
            let mut usual = USUAL.iter().copied().map(|name| {
                let name = if name.is_empty() { own.as_str() } else { name };
                named(name)
            });
            usual.find_map(|found| found)
        };
        // The only one that ends so.
        let by_end = || {
            let mut ends = fields.iter().filter(|field| {
                let is_plain = ["string", "integer", ""].contains(&type_of(field.schema));
                field.is_read
                    && is_plain
                    && field.path.ends_with(['d', 'D'])
                    && normal(&field.path).ends_with("id")
                    && !field.path.contains('.')
            });
            ends.next().filter(|_| ends.next().is_none())
        };
        let found = by_parameter
            .or_else(by_part)
            .or_else(by_rest)
            .or_else(usual)
            .or_else(by_end);
        let is_key = |field: &Field<'_>| {
            let wanted = if kind.section == "user" {
                "userName"
            } else {
                "displayName"
            };
            kind.fields.iter().any(|usual| {
                [wanted, "emails[type eq \"work\"].value"].contains(&usual.attribute)
                    && usual.fields.iter().any(|name| field.is_named(name))
            })
        };
        match found {
            Some(field) => Self {
                field: field.path.clone(),
                is_number: ["integer", "number"].contains(&type_of(field.schema)),
                is_changeable: is_key(field),
                is_found: true,
            },
            None => Self {
                field: "id".into(),
                is_number: false,
                is_changeable: false,
                is_found: false,
            },
        }
    }
}

/// Usual names, the likeliest first; the empty one is the kind's own: `userid`.
pub(super) const USUAL: &[&str] = &[
    "id",
    "",
    "uuid",
    "guid",
    "uid",
    "key",
    "objectid",
    "gid",
    "pk",
    "sid",
    "accountid",
    "entityid",
    "publicid",
    "externalid",
];
