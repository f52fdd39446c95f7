//! What is said of a `scimgate.toml` that is TOML and cannot be used.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, SourceFile, closest};

/// The complaint about the first fault that the reader of the settings found.
pub(super) fn invalid(file: &Arc<SourceFile>, error: &toml::de::Error) -> Diagnostic {
    let place = Place::new(file, error.span().unwrap_or(0..0));
    let message = error
        .message()
        .trim_end_matches('.')
        .replace(['\n', '\r'], "; ");
    let complaint = |sentence: String, mending: String| {
        Diagnostic::error("settings::invalid", sentence)
            .at(&place)
            .mend(mending)
    };
    if message.contains("unknown field") {
        let mut names = message.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        let mending = match closest(unknown, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        return complaint(format!("`{unknown}` is not a key here."), mending);
    }
    let mending = if message.contains("socket address") {
        "write an IP address and a port up to 65535, in quotes: `\"127.0.0.1:8443\"`, or `\"0.0.0.0:8443\"` for every network"
    } else {
        "see docs/operations.md for the keys of this file"
    };
    complaint(format!("{message}."), mending.to_owned())
}
