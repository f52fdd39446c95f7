//! `[target.auth.basic]`: RFC 7617.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::header::AUTHORIZATION;

use super::Session;
use crate::{target::TargetError, tenant::secret::Secret};

/// The session that never changes.
///
/// # Errors
///
/// A user name with a colon: the other side would take what follows for the password.
pub(super) fn session(user: &str, password: &Secret) -> Result<Session, TargetError> {
    if user.contains(':') {
        let what = "The user name of Basic authentication cannot hold a colon.";
        return Err(TargetError::Settings(what.into()));
    }
    Session::of_header(AUTHORIZATION, &value(user, password.expose()))
}

/// The value of an `Authorization` header.
pub(super) fn value(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    )
}
