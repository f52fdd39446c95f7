//! Attribute paths (RFC 7644 §3.10) and PATCH paths (§3.5.2).

use std::fmt;
use std::str::FromStr;

use super::Filter;
use super::filter::Tolerated;
use super::filter::parse::parse_bracketed;

/// The longest path, in bytes. Real ones have some 100.
pub const MAX_PATH_BYTES: usize = 1024;

/// `name.givenName`, with or without the schema URN in front.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct AttributePath {
    /// The schema URN, as written; absent for the resource type's own schema.
    pub schema: Option<String>,
    /// The attribute's name, as written; empty if the path is a schema URN alone.
    pub attribute: String,
    /// The sub-attribute's name, as written.
    pub sub_attribute: Option<String>,
}

/// What a PATCH path points at: `members[value eq "x"]`, `emails[type eq "work"].value`, `name.familyName`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute; its `sub_attribute` is the one in front of the brackets (always absent when `filter` is there).
    pub path: AttributePath,
    /// The value filter in brackets.
    pub filter: Option<Filter>,
    /// The sub-attribute behind the brackets.
    pub sub_attribute: Option<String>,
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// Where it goes wrong, in bytes from 0.
    pub position: usize,
    /// What is wrong there: a clause without a full stop.
    pub message: String,
}

impl AttributePath {
    /// Reads `name`, `name.givenName`, `urn:…:User:name.givenName` or a schema URN alone.
    ///
    /// Only a schema can tell the URN `urn:…:2.0:User` from an attribute `User`: such a text is
    /// read as an attribute, and [`ResourceType::resolve`](super::ResourceType::resolve) finds the schema.
    ///
    /// ```
    /// # use scimgate::scim::AttributePath;
    /// let path = AttributePath::parse("urn:example:2.0:User:manager.displayName").unwrap();
    /// assert_eq!(path.schema.as_deref(), Some("urn:example:2.0:User"));
    /// assert_eq!(path.sub_attribute.as_deref(), Some("displayName"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::new(0, "the path is empty"));
        }
        if text.len() > MAX_PATH_BYTES {
            let message = format!("the path is longer than {MAX_PATH_BYTES} bytes");
            return Err(PathError::new(MAX_PATH_BYTES, message));
        }
        match urn_end(text) {
            None => parse_names(text, None, 0),
            Some(end) => {
                let (urn, rest) = text.split_at(end);
                check_urn(urn)?;
                let tail = rest.strip_prefix(':').unwrap_or(rest);
                parse_names(tail, Some(urn), end + 1).or_else(|_| {
                    check_urn(text)?;
                    Ok(Self {
                        schema: Some(text.to_owned()),
                        ..Self::default()
                    })
                })
            }
        }
    }

    /// A path to an attribute of the resource type's own schema.
    pub fn of(attribute: impl Into<String>) -> Self {
        Self {
            attribute: attribute.into(),
            ..Self::default()
        }
    }

    /// The same path with another sub-attribute.
    pub fn with_sub(&self, sub_attribute: impl Into<String>) -> Self {
        Self {
            sub_attribute: Some(sub_attribute.into()),
            ..self.clone()
        }
    }

    /// The same path without its sub-attribute.
    pub fn parent(&self) -> Self {
        Self {
            sub_attribute: None,
            ..self.clone()
        }
    }

    /// Whether both name the same attribute, whatever the sub-attributes; without regard to case.
    pub fn is_same_attribute(&self, other: &Self) -> bool {
        let schemas = match (&self.schema, &other.schema) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (None, None) => true,
            _ => false,
        };
        schemas && self.attribute.eq_ignore_ascii_case(&other.attribute)
    }
}

impl PatchPath {
    /// Reads an attribute path, or one with a value filter and perhaps a sub-attribute behind it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::read(text, false).map(|(path, _)| path)
    }

    /// Reads a path as [`PatchPath::parse`] does, with the value filter as in [`Filter::parse_tolerant`].
    pub fn parse_tolerant(text: &str) -> Result<(Self, Vec<Tolerated>), PathError> {
        Self::read(text, true)
    }

    fn read(text: &str, is_tolerant: bool) -> Result<(Self, Vec<Tolerated>), PathError> {
        if text.len() > MAX_PATH_BYTES {
            let message = format!("the path is longer than {MAX_PATH_BYTES} bytes");
            return Err(PathError::new(MAX_PATH_BYTES, message));
        }
        let Some((front, _)) = text.split_once('[') else {
            return AttributePath::parse(text).map(|path| (Self::from(path), Vec::new()));
        };
        let path = AttributePath::parse(front)?;
        if path.sub_attribute.is_some() || path.attribute.is_empty() {
            let message = "a value filter must follow an attribute, not a sub-attribute or a URN";
            return Err(PathError::new(front.len(), message));
        }
        let (filter, end, tolerated) = parse_bracketed(text, front.len(), is_tolerant)?;
        let rest = text.get(end..).unwrap_or_default();
        let sub_attribute = match rest.strip_prefix('.') {
            None if rest.is_empty() => None,
            Some(name) if is_name(name) => Some(name.to_owned()),
            _ => {
                let message = "only a sub-attribute can follow the closing bracket";
                return Err(PathError::new(end, message));
            }
        };
        let path = Self {
            path,
            filter: Some(filter),
            sub_attribute,
        };
        Ok((path, tolerated))
    }

    /// The attribute or sub-attribute it ends at, without the value filter.
    pub fn target(&self) -> AttributePath {
        match &self.sub_attribute {
            Some(sub) => self.path.with_sub(sub.clone()),
            None => self.path.clone(),
        }
    }
}

impl From<AttributePath> for PatchPath {
    fn from(path: AttributePath) -> Self {
        Self {
            path,
            filter: None,
            sub_attribute: None,
        }
    }
}

impl FromStr for AttributePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl FromStr for PatchPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            f.write_str(schema)?;
            if !self.attribute.is_empty() {
                f.write_str(":")?;
            }
        }
        f.write_str(&self.attribute)?;
        match &self.sub_attribute {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub_attribute {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl PathError {
    /// An error at a byte position.
    pub fn new(position: usize, message: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.position)
    }
}

impl std::error::Error for PathError {}

/// Whether a text is an ATTRNAME (RFC 7643 §2.1). `$ref` is the one name with a dollar sign.
pub(crate) fn is_name(text: &str) -> bool {
    let text = text.strip_prefix('$').unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Where the URN ends: before the last colon. Names have no colon, so a text without one has no URN.
fn urn_end(text: &str) -> Option<usize> {
    text.rfind(':')
}

/// A schema URI is `urn:…` or a URL, without spaces, quotes or brackets.
fn check_urn(urn: &str) -> Result<(), PathError> {
    let known = ["urn:", "http:", "https:"];
    let has_scheme = known.iter().any(|scheme| {
        urn.get(..scheme.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
    }) || ["urn", "http", "https"]
        .iter()
        .any(|s| urn.eq_ignore_ascii_case(s));
    if !has_scheme {
        let message = "what stands before a colon must be a schema URN";
        return Err(PathError::new(0, message));
    }
    match urn.find(|c: char| !c.is_ascii_graphic() || "()[]\"<>\\^`{|}".contains(c)) {
        Some(position) => Err(PathError::new(
            position,
            "this character cannot be part of a schema URN",
        )),
        None => Ok(()),
    }
}

/// Reads `name` or `name.sub`; `offset` is where `text` starts in the whole path.
fn parse_names(
    text: &str,
    schema: Option<&str>,
    offset: usize,
) -> Result<AttributePath, PathError> {
    let (attribute, sub_attribute) = match text.split_once('.') {
        None => (text, None),
        Some((attribute, sub)) => (attribute, Some(sub)),
    };
    if !is_name(attribute) {
        let message =
            "an attribute name must start with a letter and have only letters, digits, `-` and `_`";
        return Err(PathError::new(offset, message));
    }
    if let Some(sub) = sub_attribute
        && !is_name(sub)
    {
        let position = offset + attribute.len() + 1;
        let message = if sub.contains('.') {
            "a sub-attribute has no sub-attributes"
        } else {
            "a sub-attribute name must start with a letter and have only letters, digits, `-` and `_`"
        };
        return Err(PathError::new(position, message));
    }
    Ok(AttributePath {
        schema: schema.map(str::to_owned),
        attribute: attribute.to_owned(),
        sub_attribute: sub_attribute.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_and_printed_again() {
        let cases = [
            ("userName", None, "userName", None),
            ("name.givenName", None, "name", Some("givenName")),
            ("members.$ref", None, "members", Some("$ref")),
            (
                "urn:a:2.0:User:manager.$ref",
                Some("urn:a:2.0:User"),
                "manager",
                Some("$ref"),
            ),
            (
                "urn:scim:schemas:extension:1.0",
                Some("urn:scim:schemas:extension:1.0"),
                "",
                None,
            ),
            (
                "https://a.example/b/1.0:x",
                Some("https://a.example/b/1.0"),
                "x",
                None,
            ),
            (
                "https://a.example:80/b",
                Some("https://a.example:80/b"),
                "",
                None,
            ),
            (
                "urn:okta:app_1:1.0:user:custom:a-b_c",
                Some("urn:okta:app_1:1.0:user:custom"),
                "a-b_c",
                None,
            ),
        ];
        for (text, schema, attribute, sub) in cases {
            let path = AttributePath::parse(text).unwrap();
            assert_eq!(path.schema.as_deref(), schema, "{text}");
            assert_eq!(path.attribute, attribute);
            assert_eq!(path.sub_attribute.as_deref(), sub);
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn texts_that_are_no_paths_are_refused() {
        let texts = [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "1a",
            "a b",
            "a:b",
            "__proto__",
            "a.$",
            "urn:a b:c",
            "a[]",
            "[a pr]",
            "a.b[c pr]",
            "a[b pr]c",
            "a[b pr].c.d",
            "a[b pr]]",
            "urn:a:1.0[b pr]",
            "ä",
            "emails[type eq \"work\"",
            "emails[type eq work]",
        ];
        for text in texts {
            assert!(PatchPath::parse(text).is_err(), "{text}");
        }
        assert!(AttributePath::parse(&"a".repeat(MAX_PATH_BYTES)).is_ok());
        assert!(AttributePath::parse(&"a".repeat(MAX_PATH_BYTES + 1)).is_err());
    }

    #[test]
    fn patch_paths_have_value_filters() {
        let text = r#"urn:a:2.0:User:phones[type eq "a]b" and x pr].value"#;
        let path = PatchPath::parse(text).unwrap();
        assert_eq!(path.sub_attribute.as_deref(), Some("value"));
        assert_eq!(path.target().to_string(), "urn:a:2.0:User:phones.value");
        assert_eq!(path.to_string(), text);
        assert!(PatchPath::parse_tolerant("emails[primary eq True]").is_ok());
    }
}
