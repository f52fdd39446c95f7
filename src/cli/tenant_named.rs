//! The tenant that a command's argument names: by its name, or by its file.

use std::{path::Path, sync::Arc};

use crate::{
    diagnostic::{closest, render},
    tenant::{Registry, Tenant},
};

use super::Failure;

/// The tenant with this name, or of this file: `acme`, `mappings/acme.toml`.
///
/// # Errors
///
/// If there is none, with the names that there are; if its files have errors, after these.
pub fn tenant_named(
    registry: &Registry,
    mappings: &Path,
    given: &str,
) -> Result<Arc<Tenant>, Failure> {
    let name = match is_file(given) {
        true => name_of_file(mappings, Path::new(given))?,
        false => given,
    };
    if let Some(tenant) = registry.tenant(name) {
        return Ok(tenant);
    }
    let complaints = registry.diagnostics_of(name);
    if complaints.is_empty() {
        let status = registry.status();
        let names: Vec<&str> = status.iter().map(|status| &*status.name).collect();
        return Err(Failure::configuration(none_such(name, mappings, &names)));
    }
    eprint!("{}", render(&complaints, false));
    Err(Failure::configuration(format!(
        "the tenant `{name}` cannot be used as long as its files have errors"
    )))
}

fn is_file(given: &str) -> bool {
    Path::new(given)
        .extension()
        .is_some_and(|extension| extension == "toml")
}

/// A file elsewhere would be another text than the one that is used.
fn name_of_file<'a>(mappings: &Path, given: &'a Path) -> Result<&'a str, Failure> {
    let refuse = |why: String| Failure::configuration(format!("`{}` {why}", given.display()));
    let Ok(path) = given.canonicalize() else {
        return Err(refuse(
            "is not there: name the tenant, or its file as seen from here".to_owned(),
        ));
    };
    let folder = mappings.canonicalize().ok();
    if path.parent() != folder.as_deref() {
        let folder = mappings.display();
        return Err(refuse(format!(
            "is no tenant's file: those are `{folder}/TENANT.toml`, as `mappings` of the configuration says; name a tenant of the application"
        )));
    }
    let stem = given.file_stem().and_then(|stem| stem.to_str());
    stem.ok_or_else(|| refuse("is no name in UTF-8".to_owned()))
}

fn none_such(name: &str, mappings: &Path, names: &[&str]) -> String {
    let folder = mappings.display();
    let there_is = match (closest(name, names.iter().copied()), names) {
        (_, []) => format!("`{folder}` has no tenant's file"),
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, names) => {
            let shown: Vec<String> = names
                .iter()
                .take(MOST_NAMES)
                .map(|name| format!("`{name}`"))
                .collect();
            let more = match names.len().saturating_sub(MOST_NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("`{folder}` has {}{more}", shown.join(", "))
        }
    };
    format!("there is no tenant `{name}`: {there_is}")
}

/// Names that one line of a terminal or two can hold.
const MOST_NAMES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_leads_to_those_that_there_are() {
        let folder = Path::new("mappings");
        for (name, names, expected) in [
            (
                "acme",
                &[][..],
                "there is no tenant `acme`: `mappings` has no tenant's file",
            ),
            (
                "amce",
                &["acme", "beta"],
                "there is no tenant `amce`: did you mean `acme`?",
            ),
            (
                "zoo",
                &["acme", "beta"],
                "there is no tenant `zoo`: `mappings` has `acme`, `beta`",
            ),
        ] {
            assert_eq!(none_such(name, folder, names), expected);
        }
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let names = ["qqqq"; 12];
        let said = none_such("zoo", Path::new("m"), &names);
        assert!(said.ends_with("`qqqq` and 2 more"), "{said}");
    }
}
