//! Paths of requests: mended where a base URL was joined badly.

use std::borrow::Cow;

use super::{Dialect, context::note, quirks::PASTED_PATH};
use crate::exchange::Notes;

/// The path with single slashes, and the base path once; absent if it is so already, or is not mended (N18).
///
/// `bases` are the base paths that are understood, the longest first. What comes of it is a path that other clients send,
/// so nothing is reached that could not be reached anyway.
pub(super) fn plain(
    dialect: &Dialect,
    path: &str,
    bases: &[&str],
    notes: &mut Notes,
) -> Option<String> {
    if !dialect.is_on(&PASTED_PATH) {
        return None;
    }
    let single = with_single_slashes(path);
    if let Cow::Owned(_) = single {
        let text = "the path had empty segments";
        note(dialect, notes, &PASTED_PATH, text.to_owned());
    }
    let plain = with_one_base(&single, bases);
    if plain.is_some() {
        let text = "the base path was there twice";
        note(dialect, notes, &PASTED_PATH, text.to_owned());
    }
    plain.or(match single {
        Cow::Owned(single) => Some(single),
        Cow::Borrowed(_) => None,
    })
}

fn with_single_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut plain = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !plain.ends_with('/') {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// The path without the second of two base paths.
fn with_one_base(path: &str, bases: &[&str]) -> Option<String> {
    let behind = |path: &str| {
        let found = bases.iter().filter(|base| !base.is_empty()).find(|base| {
            path.strip_prefix(**base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        found.map(|base| base.len())
    };
    let first = behind(path)?;
    let second = behind(&path[first..])?;
    Some(format!("{}{}", &path[..first], &path[first + second..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_base_paths_that_are_there_twice_are_there_once() {
        let bases = ["/own", "/scim/v2", "/scim", "/v2"];
        for (path, expected) in [
            ("/scim/v2/Users", None),
            ("/scim/v2//Users", Some("/scim/v2/Users")),
            ("//Users//17/", Some("/Users/17/")),
            ("/scim/v2/scim/v2/Users", Some("/scim/v2/Users")),
            ("/scim/v2/v2/Users/7", Some("/scim/v2/Users/7")),
            ("/scim/v2/", None),
            ("/scim/v2", None),
            ("/Users/v2", None),
            ("/own//own/Groups", Some("/own/Groups")),
        ] {
            let mut notes = Notes::default();
            let plain = plain(&Dialect::default(), path, &bases, &mut notes);
            assert_eq!(plain.as_deref(), expected, "{path}");
            assert_eq!(notes.0.is_empty(), expected.is_none(), "{path}");
        }
    }

    #[test]
    fn a_strict_tenants_paths_are_left_alone() {
        let strict = Dialect::new(&crate::dialect::Settings {
            is_strict: true,
            ..crate::dialect::Settings::default()
        });
        let mut notes = Notes::default();
        assert_eq!(plain(&strict, "//Users", &["/scim/v2"], &mut notes), None);
    }
}
