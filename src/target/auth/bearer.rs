//! `[target.auth.bearer]`: RFC 6750.

use http::header::AUTHORIZATION;

use super::Session;
use crate::{target::TargetError, tenant::secret::Secret};

/// The session that never changes.
///
/// # Errors
///
/// A token that no header can hold.
pub(super) fn session(token: &Secret) -> Result<Session, TargetError> {
    Session::of_header(AUTHORIZATION, &format!("Bearer {}", token.expose()))
}
