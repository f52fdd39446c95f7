//! What an operation's path points at.

use crate::scim::filter::ElementMatcher;
use crate::scim::{
    Attribute, AttributePath, Error, Filter, Mutability, PatchPath, ResourceType, Schema,
};

/// A path with its names resolved.
#[derive(Debug)]
pub(super) enum Target<'a> {
    /// `schemas`, which follows the content and is not changed by itself.
    Schemas,
    /// An extension as a whole.
    Extension(&'a Schema),
    /// An attribute as a whole.
    Attribute(Spot<'a>),
    /// A sub-attribute: of a single value, or of every element.
    Sub(Spot<'a>, &'a Attribute),
    /// The elements a value filter selects, or one sub-attribute of them.
    Elements(Spot<'a>, Selection<'a>, Option<&'a Attribute>),
}

/// An attribute and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) extension: Option<&'a Schema>,
    pub(super) attribute: &'a Attribute,
}

/// A value filter, as written and made ready.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    pub(super) filter: &'a Filter,
    pub(super) matcher: ElementMatcher,
}

impl<'a> Target<'a> {
    /// Resolves a path.
    ///
    /// # Errors
    ///
    /// `invalidPath` for an unknown attribute and for a value filter behind a single-valued one,
    /// `invalidFilter` for a value filter that does not go with the sub-attributes.
    pub(super) fn resolve(
        resource_type: &'a ResourceType,
        path: &'a PatchPath,
    ) -> Result<Self, Error> {
        let unknown = || {
            let owner = &resource_type.name;
            let path = path.target();
            Error::invalid_path(format!("`{path}` is not an attribute of `{owner}`."))
        };
        let resolved = resource_type.resolve(&path.path).ok_or_else(unknown)?;
        let attribute = match (resolved.extension, resolved.attribute) {
            (_, Some(attribute)) => attribute,
            (Some(extension), None) => return Ok(Self::Extension(extension)),
            (None, None) => return Err(unknown()),
        };
        let spot = Spot {
            extension: resolved.extension,
            attribute,
        };
        let Some(filter) = &path.filter else {
            return Ok(match resolved.sub_attribute {
                Some(sub) => Self::Sub(spot, sub),
                None if spot.is_schemas() => Self::Schemas,
                None => Self::Attribute(spot),
            });
        };
        if !attribute.is_multi_valued {
            let detail = format!(
                "`{}` has one value; a value filter selects elements.",
                spot.name()
            );
            return Err(Error::invalid_path(detail));
        }
        let matcher = ElementMatcher::compile(filter, attribute)?;
        let sub = match &path.sub_attribute {
            // The element of a simple attribute is its own `value` (RFC 7643 §2.4).
            Some(name) if !attribute.is_complex() && name.eq_ignore_ascii_case("value") => None,
            Some(name) => Some(attribute.sub(name).ok_or_else(unknown)?),
            None => None,
        };
        Ok(Self::Elements(spot, Selection { filter, matcher }, sub))
    }
}

impl Spot<'_> {
    /// How it is called in errors: with the URN if it is in an extension.
    pub(super) fn name(&self) -> String {
        self.path().to_string()
    }

    /// How one of its sub-attributes is called in errors.
    pub(super) fn sub_name(&self, sub: &Attribute) -> String {
        self.path().with_sub(sub.name.clone()).to_string()
    }

    /// Its canonical path.
    pub(super) fn path(&self) -> AttributePath {
        AttributePath {
            schema: self.extension.map(|e| e.id.clone()),
            attribute: self.attribute.name.clone(),
            sub_attribute: None,
        }
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.attribute.mutability == Mutability::ReadOnly
    }

    pub(super) fn is_schemas(&self) -> bool {
        self.extension.is_none() && self.attribute.name == "schemas"
    }
}
