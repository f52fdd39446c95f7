//! Schemas and resource types (RFC 7643 §2, §6, §7).
//!
//! In: definitions written as code, attribute paths. Out: what a path means. Knows nothing of values, requests or who configured a schema.

pub mod build;
pub mod builtin;
pub mod resolve;

use std::sync::Arc;

/// The data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttributeType {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// Who may write an attribute, and when (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// When an attribute is part of an answer (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Returned {
    Always,
    Never,
    Default,
    Request,
}

/// How far a value is unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Uniqueness {
    None,
    Server,
    Global,
}

/// The definition of an attribute (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    pub name: String,
    pub kind: AttributeType,
    pub is_multi_valued: bool,
    pub description: String,
    pub is_required: bool,
    /// Whether strings compare with regard to case.
    pub is_case_exact: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    pub uniqueness: Uniqueness,
    /// Suggested values; never enforced.
    pub canonical_values: Vec<String>,
    /// For references: `User`, `Group`, `external`, `uri`.
    pub reference_types: Vec<String>,
    /// For complex attributes.
    pub sub_attributes: Vec<Attribute>,
}

/// A schema: a URN and its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The URN.
    pub id: String,
    pub name: String,
    pub description: String,
    pub attributes: Vec<Attribute>,
}

/// An extension of a resource type (RFC 7643 §6).
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    pub schema: Arc<Schema>,
    pub is_required: bool,
}

/// A resource type: an endpoint, its schema and extensions (RFC 7643 §6).
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// `User`; used in `meta.resourceType` and as the id below `/ResourceTypes`.
    pub name: String,
    /// `/Users`.
    pub endpoint: String,
    pub description: String,
    pub schema: Arc<Schema>,
    pub extensions: Vec<Extension>,
}

impl AttributeType {
    /// Its spelling in a schema (RFC 7643 §7).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }

    /// Whether its values are JSON strings.
    pub fn is_textual(self) -> bool {
        matches!(
            self,
            Self::String | Self::DateTime | Self::Binary | Self::Reference
        )
    }
}

impl Mutability {
    /// Its spelling in a schema (RFC 7643 §7).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

impl Returned {
    /// Its spelling in a schema (RFC 7643 §7).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

impl Uniqueness {
    /// Its spelling in a schema (RFC 7643 §7).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}

impl Attribute {
    /// The sub-attribute of this name, in any case.
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        find(&self.sub_attributes, name)
    }

    /// Whether it has sub-attributes.
    pub fn is_complex(&self) -> bool {
        self.kind == AttributeType::Complex
    }

    /// Whether its elements refer to resources, as `members` do: then their `value` alone tells them apart.
    pub fn is_reference_list(&self) -> bool {
        self.is_multi_valued && self.sub("value").is_some() && self.sub("$ref").is_some()
    }
}

impl Schema {
    /// The attribute of this name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }
}

/// The definition of this name among some; names are ASCII and compare without case (RFC 7643 §2.1).
pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|a| a.name.eq_ignore_ascii_case(name))
}
