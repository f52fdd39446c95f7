//! Versions and preconditions (RFC 7644 §3.14, RFC 9110 §8.8.3, §13.1).

use std::fmt::Write;

use aws_lc_rs::digest;
use serde_json::{Map, Value};

use super::diff::write_canonical_object;

/// A resource's version: a weak entity tag over its content. The order of keys and `meta` do not matter.
///
/// ```
/// # use scimgate::scim::version;
/// # let map = |text| serde_json::from_str(text).unwrap();
/// let one = version::of(&map(r#"{"userName":"a","title":"b","meta":{"version":"x"}}"#));
/// assert_eq!(one, version::of(&map(r#"{"title":"b","userName":"a"}"#)));
/// ```
pub fn of(resource: &Map<String, Value>) -> String {
    // The other parts of `meta` follow the content, or say where it is asked for.
    of_members(resource.iter().filter(|(name, _)| *name != "meta"))
}

/// The version of some of a resource's attributes, in any order.
pub fn of_members<'a>(content: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let mut bytes = Vec::with_capacity(1024);
    write_canonical_object(content, &mut bytes);
    let hash = digest::digest(&digest::SHA256, &bytes);
    let mut tag = String::from("W/\"");
    for byte in hash.as_ref().iter().take(VERSION_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// What an `If-Match` or `If-None-Match` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: any version.
    Any,
    /// One of these versions, each as its opaque part without `W/` and quotes.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Reads a header. A bare word counts as a tag: some clients leave out the quotes. Absent if there is nothing in it.
    ///
    /// A header that cannot be read asks for no version at all, and so is never met: a write that came with a
    /// condition must not happen without one (RFC 9110 §13.1.1).
    pub fn parse(header: &str) -> Option<Self> {
        if header.trim() == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = header.trim_start_matches(is_separator);
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let Some((tag, behind)) = read_tag(rest) else {
                return Some(Self::OneOf(Vec::new()));
            };
            tags.push(tag.to_owned());
            rest = behind.trim_start_matches(is_separator);
        }
        Some(Self::OneOf(tags))
    }

    /// Whether a resource of this version, or none at all, is meant. Compares weakly: SCIM's versions are
    /// weak, and a strong comparison would never match (RFC 9110 §8.8.3.2).
    pub fn matches(&self, version: Option<&str>) -> bool {
        match (self, version) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::OneOf(tags), Some(version)) => {
                let opaque = read_tag(version).map_or(version, |(tag, _)| tag);
                tags.iter().any(|tag| tag == opaque)
            }
        }
    }
}

/// Reads the tag at the beginning: its opaque part, and what stands behind it.
fn read_tag(text: &str) -> Option<(&str, &str)> {
    let text = text
        .strip_prefix("W/")
        .or(text.strip_prefix("w/"))
        .unwrap_or(text);
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let end = text.find(is_separator).unwrap_or(text.len());
    Some(text.split_at(end)).filter(|(tag, _)| !tag.is_empty())
}

fn is_separator(c: char) -> bool {
    c == ',' || c.is_ascii_whitespace()
}

/// 128 bits: two states of one resource never meet by chance.
const VERSION_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_follows_the_content() {
        let version = |value: Value| of(value.as_object().unwrap());
        let one = version(json!({ "id": "1", "name": { "a": 1, "b": 2 } }));
        assert_eq!(
            one,
            version(json!({ "name": { "b": 2, "a": 1 }, "id": "1", "meta": { "version": "x" } }))
        );
        assert_ne!(
            one,
            version(json!({ "id": "1", "name": { "a": 1, "b": 3 } }))
        );
        assert_ne!(
            version(json!({ "a": ["x", "y"] })),
            version(json!({ "a": ["y", "x"] }))
        );
        assert!(one.starts_with("W/\"") && one.len() == 36, "{one}");
    }

    #[test]
    fn preconditions_compare_weakly() {
        let cases = [
            ("*", Some("W/\"a\""), true),
            ("*", None, false),
            ("W/\"a\"", Some("W/\"a\""), true),
            ("\"a\"", Some("W/\"a\""), true),
            ("a", Some("W/\"a\""), true),
            ("\"b\", W/\"a\" ,\"c\"", Some("W/\"a\""), true),
            ("\"b\",,\"c\"", Some("W/\"a\""), false),
            ("\"a,b\"", Some("W/\"a,b\""), true),
            ("W/\"A\"", Some("W/\"a\""), false),
            ("\"a\"", None, false),
        ];
        for (header, version, matches) in cases {
            let precondition = Precondition::parse(header).unwrap();
            assert_eq!(
                precondition.matches(version),
                matches,
                "{header} {version:?}"
            );
        }
        for header in ["", " , "] {
            assert_eq!(Precondition::parse(header), None, "{header}");
        }
        for header in ["\"a", "W/", "W/\"a\", \"b"] {
            let unreadable = Precondition::parse(header).unwrap();
            assert!(!unreadable.matches(Some("W/\"a\"")), "{header}");
        }
    }
}
