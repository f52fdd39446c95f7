//! SCIM 2.0 itself: RFC 7643 and RFC 7644 as pure functions.
//!
//! In: text, JSON and schemas. Out: resources, filters, changes, errors. Knows nothing of clients' habits, targets, HTTP or stores.

pub mod bulk;
pub mod diff;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod intake;
pub mod list;
pub mod patch;
pub mod path;
pub mod place;
pub mod projection;
pub mod query;
pub mod replace;
pub mod resource;
pub mod schema;
pub mod version;

#[cfg(test)]
mod properties;

pub use error::{Error, ScimType};
pub use filter::{CompareOp, ElementMatcher, Filter, Matcher};
pub use patch::{OnNoMatch, PatchKind, PatchOp, PatchRequest};
pub use path::{AttributePath, PatchPath, PathError};
pub use projection::Projection;
pub use resource::Resource;
pub use schema::resolve::Resolved;
pub use schema::{
    Attribute, AttributeType, Mutability, ResourceType, Returned, Schema, Uniqueness, builtin,
};
