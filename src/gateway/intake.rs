//! A body becomes a resource: first the client's habits are evened out, then the RFC's rules hold.

use serde_json::Value;

use crate::{
    mapping::model::TypeMapping,
    scim::{Error, Resource, intake, replace::ReplaceRules},
};

use super::context::Context;

/// Takes in the body of a POST.
///
/// # Errors
///
/// `invalidSyntax` or `invalidValue`, naming the attribute.
pub fn created(ctx: &Context, t: &TypeMapping, body: Value) -> Result<Resource, Error> {
    let rt = &t.resource_type;
    let body = ctx.noting(|notes| ctx.dialect.resource(rt, body, true, notes))?;
    intake::resource(rt, body, true)
}

/// Takes in the body of a PUT, with what it keeps of the present resource.
///
/// # Errors
///
/// As for [`created`].
pub fn replacing(
    ctx: &Context,
    t: &TypeMapping,
    body: Value,
) -> Result<(Resource, ReplaceRules), Error> {
    let rt = &t.resource_type;
    let body = ctx.noting(|notes| ctx.dialect.resource(rt, body, false, notes))?;
    let rules = ctx.noting(|notes| Ok(ctx.dialect.replace_rules_for(rt, &body, notes)))?;
    Ok((intake::resource(rt, body, false)?, rules))
}
