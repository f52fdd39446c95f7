//! Definitions written as code: for the built-in schemas and for operators' own.

use super::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};

impl Attribute {
    /// A definition with the defaults of RFC 7643 §2.2: one value, optional, without regard to
    /// case, readWrite, returned by default, not unique.
    pub fn new(name: impl Into<String>, kind: AttributeType) -> Self {
        Self {
            name: name.into(),
            kind,
            is_multi_valued: false,
            description: String::new(),
            is_required: false,
            is_case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: Vec::new(),
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
        }
    }

    /// A string.
    pub fn string(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::String)
    }

    /// A boolean.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::Boolean)
    }

    /// A point in time.
    pub fn date_time(name: impl Into<String>) -> Self {
        Self::new(name, AttributeType::DateTime)
    }

    /// A reference to resources of these types, or `external` or `uri`.
    pub fn reference(name: impl Into<String>, types: &[&str]) -> Self {
        Self {
            reference_types: types.iter().map(|t| (*t).to_owned()).collect(),
            ..Self::new(name, AttributeType::Reference)
        }
    }

    /// An attribute with sub-attributes.
    pub fn complex(name: impl Into<String>, sub_attributes: Vec<Attribute>) -> Self {
        Self {
            sub_attributes,
            ..Self::new(name, AttributeType::Complex)
        }
    }

    /// With words for people.
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// With any number of values.
    pub fn multi_valued(mut self) -> Self {
        self.is_multi_valued = true;
        self
    }

    /// With a value in every resource.
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Compared with regard to case.
    pub fn case_exact(mut self) -> Self {
        self.is_case_exact = true;
        self
    }

    /// Written only by the server; the sub-attributes too.
    pub fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self.sub_attributes = self
            .sub_attributes
            .into_iter()
            .map(Self::read_only)
            .collect();
        self
    }

    /// With another mutability than readWrite.
    pub fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    /// Returned at other times than by default.
    pub fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    /// Unique among the server's resources, or everywhere.
    pub fn unique(mut self, uniqueness: Uniqueness) -> Self {
        self.uniqueness = uniqueness;
        self
    }

    /// With suggested values.
    pub fn canonical_values(mut self, values: &[&str]) -> Self {
        self.canonical_values = values.iter().map(|v| (*v).to_owned()).collect();
        self
    }
}

impl Schema {
    /// A schema of these attributes.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
        attributes: Vec<Attribute>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: description.into(),
            attributes,
        }
    }
}
