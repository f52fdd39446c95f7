//! `[target.auth.query]`: a query parameter with a fixed value. Never recorded: it is added when a call is sent.

use super::Session;
use crate::tenant::secret::Secret;

/// The session that never changes.
pub(super) fn session(name: &str, value: &Secret) -> Session {
    let mut session = Session::default();
    session
        .query
        .push((name.to_owned(), value.expose().to_owned()));
    session
}
