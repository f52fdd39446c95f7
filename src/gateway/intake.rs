//! A body becomes a resource: first the client's habits are evened out, then the RFC's rules hold.

use serde_json::Value;

use crate::{
    mapping::model::TypeMapping,
    scim::{Error, Resource, intake},
};

use super::context::Context;

/// Takes in the body of a POST or PUT.
///
/// # Errors
///
/// `invalidSyntax` or `invalidValue`, naming the attribute.
pub fn resource(ctx: &Context, t: &TypeMapping, body: Value, is_create: bool) -> Result<Resource, Error> {
    let rt = &t.resource_type;
    let body = ctx.noting(|notes| ctx.dialect.resource(rt, body, is_create, notes))?;
    intake::resource(rt, body, is_create)
}
