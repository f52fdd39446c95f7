//! N3. Who: clients that send a removal as they send a replace: `{"op":"remove","value":{"title":"x"}}`. What the value has
//! is removed: a single value as a whole, of a list the elements named. Case: `any/removal_without_path.json`.
//!
//! RFC 7644 §3.5.2.2 has `noTarget` for it, and so it stays for any other value. A list is never removed as a whole by this:
//! what its value says is read as for a removal with a path (N6).

use serde_json::{Map, Value};

use super::{Mending, everyone};
use crate::{
    dialect::{context::Mender, paths},
    scim::{AttributePath, Resolved},
};

pub(in crate::dialect) const MENDING: Mending = everyone("N3", &["ANY-05"]);

/// The paths that a removal without one names, each with what is to be removed of it where it is a list; absent if it names
/// none, or by more than their names.
pub(in crate::dialect) fn named(
    m: &mut Mender<'_>,
    value: Option<Value>,
) -> Option<Vec<(String, Option<Value>)>> {
    let Some(Value::Object(members)) = value else {
        return None;
    };
    let is_name = |name: &String| {
        let own = name.rsplit(':').next().unwrap_or_default();
        !own.contains('[') && (m.rt.extension(name).is_some() || !own.contains('.'))
    };
    if members.is_empty() || !members.keys().all(is_name) || !m.is_on(&MENDING) {
        return None;
    }
    m.note(&MENDING, "a removal named its attributes in its value");
    Some(targets(m, "", members))
}

fn targets(
    m: &Mender<'_>,
    front: &str,
    members: Map<String, Value>,
) -> Vec<(String, Option<Value>)> {
    let mut found = Vec::new();
    for (name, value) in members {
        let path = format!("{front}{name}");
        match value {
            Value::Object(own) if m.rt.extension(&path).is_some() => {
                found.extend(targets(m, &format!("{path}:"), own));
            }
            value if is_list(m, &path) => found.push((path, Some(value))),
            Value::Object(parts) if !parts.is_empty() => {
                found.extend(parts.keys().map(|part| (format!("{path}.{part}"), None)));
            }
            _ => found.push((path, None)),
        }
    }
    found
}

fn is_list(m: &Mender<'_>, path: &str) -> bool {
    let resolved = m.rt.resolve(&AttributePath::of(path));
    let attribute = resolved.as_ref().and_then(Resolved::leaf).or_else(|| {
        let path = AttributePath::parse(path).ok()?;
        let target = m.rt.resolve(&path).and_then(|r| r.leaf());
        target.or_else(|| paths::in_one_extension(m, &path.attribute, None)?.leaf())
    });
    attribute.is_some_and(|attribute| attribute.is_multi_valued)
}
