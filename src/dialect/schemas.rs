//! Schema URNs: which known one a client means.

use serde_json::Value;

use super::{
    context::{Mender, shown},
    quirks::{SCHEMA_NAMES, SCHEMAS_LIST, UNLISTED_EXTENSION, one_or_many},
};
use crate::scim::{ResourceType, Schema};

/// SCIM 1's core schema, of users and groups alike.
const SCIM_1_CORE: &str = "urn:scim:schemas:core:1.0";
/// The same with the version changed, as OneLogin's templates have it.
const SCIM_1_CORE_AS_2: &str = "urn:scim:schemas:core:2.0";
/// SCIM 1's enterprise extension, with either version behind it.
const SCIM_1_ENTERPRISE: &str = "urn:scim:schemas:extension:enterprise:";
/// What SCIM 2's enterprise extension begins with.
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:";

/// Whether a URN is SCIM 1.1's core schema (`urn:scim:schemas:core:1.0`).
pub(super) fn is_scim_1_core(urn: &str) -> bool {
    urn.eq_ignore_ascii_case(SCIM_1_CORE)
}

/// The schema of a resource type that a URN means: by its name in any case, without one of its colons, or by SCIM 1's name.
pub(super) fn meant<'a>(rt: &'a ResourceType, urn: &str) -> Option<&'a Schema> {
    if !urn.contains(':') {
        return None;
    }
    let all = || all(rt);
    if let Some(exact) = all().find(|schema| schema.id.eq_ignore_ascii_case(urn)) {
        return Some(exact);
    }
    if is_scim_1_core(urn) || urn.eq_ignore_ascii_case(SCIM_1_CORE_AS_2) {
        return Some(&rt.schema);
    }
    let lower = urn.to_ascii_lowercase();
    if lower
        .strip_prefix(SCIM_1_ENTERPRISE)
        .is_some_and(|version| matches!(version, "1.0" | "2.0" | "2.0:user" | "1.0:user"))
    {
        return all().find(|schema| starts_with(&schema.id, ENTERPRISE));
    }
    let colons_left_out = |schema: &&Schema| {
        schema
            .id
            .replace(':', "")
            .eq_ignore_ascii_case(&lower.replace(':', ""))
    };
    all().find(colons_left_out)
}

/// The schema whose URN a path begins with, and what stands behind the URN and the colon or dot that follows it.
///
/// SCIM 1's names and URNs without a colon are recognised too.
pub(super) fn in_front<'a, 't>(
    rt: &'a ResourceType,
    path: &'t str,
) -> Option<(&'a Schema, &'t str)> {
    let end = path.find('[').unwrap_or(path.len());
    let front = path.get(..end)?;
    let mut ends: Vec<usize> = front.match_indices([':', '.']).map(|(at, _)| at).collect();
    ends.reverse();
    ends.into_iter().find_map(|at| {
        let schema = meant(rt, path.get(..at)?)?;
        Some((schema, path.get(at + 1..)?))
    })
}

/// Rebuilds `schemas` of a body: known URNs in their own spelling, the resource type's own first, the extensions that are there.
pub(super) fn list<'a>(
    m: &mut Mender<'_>,
    given: Option<Value>,
    present: impl Iterator<Item = &'a str>,
) -> Value {
    let elements = match given {
        None => {
            m.note(&SCHEMAS_LIST, "`schemas` was missing");
            Vec::new()
        }
        Some(value) => match one_or_many::elements(m, "schemas", value) {
            Ok(elements) => elements,
            Err(Value::Null) => Vec::new(),
            Err(other) => return other,
        },
    };
    let mut urns: Vec<Value> = Vec::new();
    for element in elements {
        let urn = recognised(m, element);
        urns.extend(urn.filter(|urn| !urns.contains(urn)));
    }
    if m.is_on(&SCHEMAS_LIST) {
        let own = Value::from(m.rt.schema.id.as_str());
        urns.retain(|urn| *urn != own);
        urns.insert(0, own);
    }
    if m.is_on(&UNLISTED_EXTENSION) {
        for urn in present {
            if !urns.iter().any(|listed| listed == urn) {
                let message = format!("`{urn}` was not in `schemas`");
                m.note(&UNLISTED_EXTENSION, message);
                urns.push(Value::from(urn));
            }
        }
    }
    Value::Array(urns)
}

/// The known URN a listed one means; absent if it means none and is dropped.
fn recognised(m: &mut Mender<'_>, listed: Value) -> Option<Value> {
    let text = listed.as_str().unwrap_or_default();
    match meant(m.rt, text).map(|schema| schema.id.clone()) {
        Some(urn) if urn == text => Some(listed),
        Some(urn) if m.is_on(&SCHEMA_NAMES) => {
            let message = format!("`{}` in `schemas` was read as `{urn}`", shown(text));
            m.note(&SCHEMA_NAMES, message);
            Some(Value::String(urn))
        }
        _ if m.is_on(&SCHEMAS_LIST) => {
            let message = format!(
                "`{}` in `schemas` is not known and was dropped",
                shown(text)
            );
            m.note(&SCHEMAS_LIST, message);
            None
        }
        _ => Some(listed),
    }
}

fn all(rt: &ResourceType) -> impl Iterator<Item = &Schema> {
    std::iter::once(&*rt.schema).chain(rt.extensions.iter().map(|extension| &*extension.schema))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(prefix))
}
