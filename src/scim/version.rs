//! Versions and preconditions (RFC 7644 §3.14, RFC 9110 §8.8.3, §13.1).

use std::borrow::Cow;

use serde_json::{Map, Value};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

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
    let mut sum = Content::default();
    for (name, value) in content {
        sum.add_tree(At::ROOT.member(Name::of(name)), value);
    }
    sum.tag()
}

/// The version of a resource whose members, which are not in its content, were changed through here: it follows the number of
/// changes. Absent, or 1: never.
pub fn revised(version: String, revision: Option<u64>) -> String {
    match revision.filter(|revision| *revision > 1) {
        Some(revision) => format!("{}-{revision}\"", version.trim_end_matches('"')),
        None => version,
    }
}

/// The version of a resource that is shown with its members, which were read: it follows who they are, in any order.
///
/// ```
/// # use scimgate::scim::version;
/// let shown = version::with_members("W/\"a-2\"", ["7", "8"]);
/// assert_eq!(shown, version::with_members("W/\"a-2\"", ["8", "7"]));
/// assert_eq!(version::without_members(&shown), "W/\"a-2\"");
/// ```
pub fn with_members<'m>(version: &str, members: impl IntoIterator<Item = &'m str>) -> String {
    let members = members.into_iter().map(|id| xxh3_64(id.as_bytes()));
    let sum = members.fold(0_u64, |sum, hash| {
        sum.wrapping_add(hash.wrapping_mul(SPREAD))
    });
    let version = without_members(version);
    format!("{}{MEMBERS}{sum:x}\"", version.trim_end_matches('"'))
}

/// The version of the same resource shown without its members.
pub fn without_members(version: &str) -> Cow<'_, str> {
    match version.split_once(MEMBERS) {
        Some((version, _)) => Cow::Owned(format!("{version}\"")),
        None => Cow::Borrowed(version),
    }
}

/// What a version is made of: the sum over a resource's scalars of a 128-bit hash of each, with its place as the seed.
///
/// A sum does not ask for an order, so that whoever writes a resource can add each value as it comes by. Two states of one resource
/// meet by chance as seldom as 128 bits do. A version is no secret and no proof: who could choose two states with the same version
/// may write the resource anyway, and would deceive nobody's `If-Match` but its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Content(u128);

/// A place in a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(u64);

/// A member's name, hashed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(u64);

impl Name {
    /// The name in the schema's spelling; an extension's is its URN.
    pub fn of(name: &str) -> Self {
        Self(xxh3_64(name.as_bytes()))
    }
}

impl At {
    /// The resource itself.
    pub const ROOT: Self = Self(0);

    /// The member of this name of the object here.
    pub fn member(self, name: Name) -> Self {
        Self((self.0.rotate_left(23) ^ name.0).wrapping_mul(SPREAD))
    }

    /// The element with this number, from 0, of the list here.
    pub fn element(self, index: usize) -> Self {
        // One more, so that the first element is not where the list is.
        let number = (index as u64).wrapping_add(1).wrapping_mul(STEP);
        Self((self.0.rotate_left(41) ^ number).wrapping_mul(SPREAD))
    }
}

impl Content {
    /// Adds a scalar by its JSON text, as `serde_json` writes it. An empty list or object is a scalar here: `[]`, `{}`.
    pub fn add(&mut self, at: At, json: &[u8]) {
        self.0 = self.0.wrapping_add(xxh3_128_with_seed(json, at.0));
    }

    /// Adds a value with all that is in it.
    pub fn add_tree(&mut self, at: At, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    self.add_tree(at.member(Name::of(name)), value);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    self.add_tree(at.element(index), value);
                }
            }
            Value::Bool(true) => self.add(at, b"true"),
            Value::Bool(false) => self.add(at, b"false"),
            scalar => {
                let mut text = Vec::with_capacity(SCALAR_BYTES);
                // Writing to a vector cannot fail.
                let _ = serde_json::to_writer(&mut text, scalar);
                self.add(at, &text);
            }
        }
    }

    /// The version as a weak entity tag.
    pub fn tag(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut tag = String::with_capacity(TAG_BYTES);
        tag.push_str("W/\"");
        for byte in self.0.to_be_bytes() {
            tag.push(char::from(DIGITS[usize::from(byte >> 4)]));
            tag.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        tag.push('"');
        tag
    }
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

    /// Whether a version is named that a resource had with its members: see [`with_members`].
    pub fn names_members(&self) -> bool {
        match self {
            Self::Any => false,
            Self::OneOf(tags) => tags.iter().any(|tag| tag.contains(MEMBERS)),
        }
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

/// Between the content's part of a version and the members'.
const MEMBERS: &str = "+m";
/// Odd numbers with bits all over: a place's bits reach all others.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const STEP: u64 = 0xd6e8_feb8_6659_fd93;
/// `W/"`, 32 digits, `"`.
const TAG_BYTES: usize = 36;
/// Room for most texts.
const SCALAR_BYTES: usize = 48;

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
        assert!(one.starts_with("W/\"") && one.len() == TAG_BYTES, "{one}");
    }

    #[test]
    fn every_place_and_kind_of_a_value_counts() {
        let mut seen = std::collections::HashSet::new();
        for value in [
            json!({}),
            json!({ "a": {} }),
            json!({ "a": [] }),
            json!({ "a": [[]] }),
            json!({ "a": null }),
            json!({ "a": "" }),
            json!({ "a": "1" }),
            json!({ "a": 1 }),
            json!({ "a": true }),
            json!({ "a": "true" }),
            json!({ "b": "1" }),
            json!({ "a": ["1"] }),
            json!({ "a": ["1", "1"] }),
            json!({ "a": [["1", "1"]] }),
            json!({ "a": [["1"], ["1"]] }),
            json!({ "a": { "b": "1" } }),
            json!({ "b": { "a": "1" } }),
            json!({ "a": { "b": "1", "a": "1" } }),
            json!({ "a": [{ "b": "1" }, { "c": "2" }] }),
            json!({ "a": [{ "c": "2" }, { "b": "1" }] }),
            json!({ "a": [{ "b": "1", "c": "2" }] }),
            json!({ "a": [{ "b": "2", "c": "1" }] }),
            json!({ "a": { "0": "1" } }),
        ] {
            assert!(seen.insert(of(value.as_object().unwrap())), "{value}");
        }
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
