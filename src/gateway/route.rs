//! From a path to what it names (RFC 7644 §3.2).

use percent_encoding::percent_decode_str;

use crate::mapping::model::{Mapping, TypeMapping};

/// What a path names. Ids are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The base URL itself: queries over all types.
    Root,
    /// `/.search`.
    RootSearch,
    /// `/Users`: the index of the type in the mapping.
    Type(usize),
    /// `/Users/.search`.
    TypeSearch(usize),
    /// `/Users/{id}`.
    Resource(usize, String),
    /// `/Me`.
    Me,
    /// `/Bulk`.
    Bulk,
    /// `/ServiceProviderConfig`.
    ServiceProviderConfig,
    /// `/ResourceTypes`, or one by id.
    ResourceTypes(Option<String>),
    /// `/Schemas`, or one by id.
    Schemas(Option<String>),
    /// No such endpoint.
    Unknown,
}

impl Route {
    /// The route of a path below the base path. A slash at the end does no harm; endpoint names are case-exact with
    /// the exception that a differing case is forgiven where it is unambiguous.
    pub fn of(path: &str, mapping: &Mapping) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = path.split('/').skip(1);
        let Some(first) = segments.next() else {
            return Self::Root;
        };
        let first = DISCOVERY
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(first))
            .unwrap_or(first);
        let rest: Vec<&str> = segments.collect();
        match (first, rest.as_slice()) {
            (".search", []) => Self::RootSearch,
            ("Me", []) => Self::Me,
            ("Bulk", []) => Self::Bulk,
            ("ServiceProviderConfig" | "ServiceProviderConfigs", []) => Self::ServiceProviderConfig,
            ("ResourceTypes", []) => Self::ResourceTypes(None),
            ("ResourceTypes", [id]) => {
                decode(id).map_or(Self::Unknown, |id| Self::ResourceTypes(Some(id)))
            }
            ("Schemas", []) => Self::Schemas(None),
            ("Schemas", [id]) => decode(id).map_or(Self::Unknown, |id| Self::Schemas(Some(id))),
            _ => Self::of_type(first, &rest, mapping),
        }
    }

    fn of_type(first: &str, rest: &[&str], mapping: &Mapping) -> Self {
        let Some(index) = type_index(first, &mapping.types) else {
            return Self::Unknown;
        };
        match rest {
            [] => Self::Type(index),
            [".search"] => Self::TypeSearch(index),
            [id] => decode(id).map_or(Self::Unknown, |id| Self::Resource(index, id)),
            _ => Self::Unknown,
        }
    }

    /// The route's name with placeholders: a closed set, for logs and metrics.
    pub fn template(&self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::RootSearch => "/.search",
            Self::Type(_) => "/{type}",
            Self::TypeSearch(_) => "/{type}/.search",
            Self::Resource(..) => "/{type}/{id}",
            Self::Me => "/Me",
            Self::Bulk => "/Bulk",
            Self::ServiceProviderConfig => "/ServiceProviderConfig",
            Self::ResourceTypes(_) => "/ResourceTypes",
            Self::Schemas(_) => "/Schemas",
            Self::Unknown => "unknown",
        }
    }

    /// The methods that are served there, for `Allow`.
    pub fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Root
            | Self::ServiceProviderConfig
            | Self::ResourceTypes(_)
            | Self::Schemas(_) => &["GET", "HEAD", "OPTIONS"],
            Self::RootSearch | Self::TypeSearch(_) | Self::Bulk => &["POST", "OPTIONS"],
            Self::Type(_) => &["GET", "HEAD", "POST", "OPTIONS"],
            Self::Resource(..) | Self::Me => &["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"],
            Self::Unknown => &[],
        }
    }
}

fn type_index(segment: &str, types: &[TypeMapping]) -> Option<usize> {
    let is = |exact: bool| {
        types.iter().position(|t| {
            let endpoint = t.resource_type.endpoint.trim_start_matches('/');
            if exact {
                endpoint == segment
            } else {
                endpoint.eq_ignore_ascii_case(segment)
            }
        })
    };
    is(true).or_else(|| is(false))
}

fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment)
        .decode_utf8()
        .ok()
        .map(|text| text.into_owned())
        .filter(|text| !text.is_empty())
}

/// Endpoints that no type of a mapping may be named after.
const DISCOVERY: [&str; 4] = [
    "ServiceProviderConfig",
    "ServiceProviderConfigs",
    "ResourceTypes",
    "Schemas",
];

/// Base paths that clients put there by habit.
const USUAL_BASES: [&str; 3] = ["/scim/v2", "/scim", "/v2"];

/// The base paths that are understood: the configured one, then the usual ones.
pub fn bases(configured: &str) -> [&str; 4] {
    let [first, second, third] = USUAL_BASES;
    [configured, first, second, third]
}

/// Splits the base path off: the configured one, or one of those that clients put there by habit.
///
/// Gives the base path as the client wrote it (for locations), and the rest.
pub fn split_base<'p>(path: &'p str, configured: &str) -> (&'p str, &'p str) {
    for base in bases(configured) {
        if base.is_empty() {
            continue;
        }
        if let Some(rest) = path.strip_prefix(base)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return path.split_at(base.len());
        }
    }
    ("", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_may_be_the_configured_one_or_a_usual_one() {
        let cases = [
            ("/scim/v2/Users", ("/scim/v2", "/Users")),
            ("/scim/v2", ("/scim/v2", "")),
            ("/v2/Users/7", ("/v2", "/Users/7")),
            ("/Users", ("", "/Users")),
            ("/scim/v2x/Users", ("/scim", "/v2x/Users")),
            ("/own/base/Users", ("/own/base", "/Users")),
        ];
        for (path, expected) in cases {
            assert_eq!(split_base(path, "/own/base"), expected, "{path}");
        }
    }
}
