//! `/Me` (RFC 7644 §3.11): the resource that the client itself is.

use crate::{mapping::model::TypeMapping, scim::Error};

use super::{context::Context, list};

/// The user that the tenant's file names as the client's own (`[client] me = "…"`).
///
/// # Errors
///
/// 501 if it names none: a provisioning client is a program and no user. 404 if there is no such user.
pub async fn resolve(ctx: &Context) -> Result<(&TypeMapping, String), Error> {
    let users = ctx
        .type_named("User")
        .ok_or_else(|| Error::new(404, "There is no such endpoint."))?;
    let Some(name) = &ctx.mapping().client.me else {
        return Err(Error::new(
            501,
            "The client of this tenant is a program, not a user: there is no `/Me`.",
        ));
    };
    let found = list::with_name(ctx, users, name).await?;
    match found.first() {
        Some(user) => Ok((users, user.scim_id.as_str().to_owned())),
        None => Err(Error::new(404, "There is no User with this id.")),
    }
}
