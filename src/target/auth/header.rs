//! `[target.auth.header]`: a header with a fixed value.

use http::HeaderName;

use super::Session;
use crate::{target::TargetError, tenant::secret::Secret};

/// The session that never changes.
///
/// # Errors
///
/// A name or value that no header can have.
pub(super) fn session(name: &str, value: &Secret) -> Result<Session, TargetError> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| TargetError::Settings(format!("`{name}` is not the name of a header.")))?;
    Session::of_header(name, value.expose())
}
