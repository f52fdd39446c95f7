//! A resource becomes fields of the application.
//!
//! In: a [`TypeMapping`], an operation, and the resource as it should be. Out: the fields to send, or why they cannot be.
//! Also what of a resource is kept here, and how that is joined with what is read. Knows nothing of calls, stores, or SCIM
//! ids: references hold the target's ids already.

mod check;
mod composed;
mod covers;
mod defaults;
mod difference;
mod elements;
mod fields;
mod guard;
mod kept;
mod mapped;
mod members;
mod shown;

use std::fmt;

use crate::scim::{AttributePath, Resource, ScimType};

use super::{expression::EvaluateError, value::Untranslatable};

pub use check::check;
pub use composed::{kept_after, show_composed};
pub use covers::{
    covers, is_groups, is_kept, is_named_by, keeps_external_id, rules_for, update_of_groups,
};
pub use defaults::with_defaults;
pub use difference::{Difference, differs_from_shown, shows, unchanged_to_application};
pub use fields::fields;
pub use fields::name_in_application;
pub(super) use fields::{encode, fields_by, unspelled};
pub use guard::{guard, guard_unchanged};
pub use kept::{join_kept, kept_values};
pub use mapped::{mapped, mapped_as_read};
pub use members::{member_element, member_lists};
pub use shown::shown_elements;

/// What the client wishes of the resource.
#[derive(Debug, Clone, Copy)]
pub enum Wish<'a> {
    /// It is to be made.
    Create,
    /// It is to be changed.
    Update {
        /// The attributes that differ, in the schema's spelling.
        changed: &'a [AttributePath],
        /// The resource as it is.
        old: &'a Resource,
    },
}

/// A resource that cannot be written, found before any call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError {
    /// The attribute it is about.
    pub attribute: String,
    /// What the client is told.
    pub kind: ScimType,
    /// A complete sentence; names attributes, never their values.
    pub message: String,
}

impl WriteError {
    fn new(attribute: &AttributePath, kind: ScimType, message: impl Into<String>) -> Self {
        Self {
            attribute: attribute.to_string(),
            kind,
            message: message.into(),
        }
    }

    fn immutable(attribute: &AttributePath) -> Self {
        let message = format!("`{attribute}` cannot be changed once the resource exists.");
        Self::new(attribute, ScimType::Mutability, message)
    }

    fn not_removable(attribute: &AttributePath) -> Self {
        let message = format!("`{attribute}` cannot be removed.");
        Self::new(attribute, ScimType::Mutability, message)
    }

    fn missing(attribute: &AttributePath) -> Self {
        let message = format!("`{attribute}` is required by the application.");
        Self::new(attribute, ScimType::InvalidValue, message)
    }

    fn untranslatable(attribute: &AttributePath, why: Untranslatable) -> Self {
        let message = match why {
            Untranslatable::Refused => {
                format!("The application does not know this value of `{attribute}`.")
            }
            Untranslatable::Dropped | Untranslatable::Malformed => {
                format!("The application cannot store this value of `{attribute}`.")
            }
        };
        Self::new(attribute, ScimType::InvalidValue, message)
    }

    fn of_template(attribute: &AttributePath, _: EvaluateError) -> Self {
        let message =
            format!("The field of `{attribute}` cannot be worked out from this resource.");
        Self::new(attribute, ScimType::InvalidValue, message)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for WriteError {}

#[cfg(test)]
mod tests;
