//! A reply that means an error, and what the client is told.

use serde_json::Value;

use crate::{
    mapping::{
        model::{Mapping, Meaning, Operation, TypeMapping},
        reply::{CallClass, judge},
    },
    scim::ScimType,
};

use super::reply;

/// What an example expects.
pub(super) struct Expected<'e> {
    pub status: u16,
    pub scim_type: Option<&'e str>,
}

/// Judges a reply as that of the operation's first call.
pub(super) fn run(
    mapping: &Mapping,
    section: &TypeMapping,
    operation: &str,
    status: u16,
    data: &Value,
    expected: &Expected<'_>,
) -> Result<(), String> {
    let (operation, class) = named(section, operation)
        .ok_or_else(|| format!("`{}` has no operation `{operation}`", section.section))?;
    let call = operation.steps.first().ok_or("the operation has no call")?;
    let verdict = judge(
        call,
        &mapping.target,
        class,
        &reply::as_reply(mapping, status, data),
    );
    let (status, scim_type) = told(verdict.meaning);
    if status != expected.status {
        return Err(format!(
            "the client would be told {status}, not {}",
            expected.status
        ));
    }
    let scim_type = scim_type.map(ScimType::as_str);
    match expected.scim_type {
        Some(wanted) if scim_type != Some(wanted) => Err(match scim_type {
            Some(found) => format!("the `scimType` would be `{found}`, not `{wanted}`"),
            None => format!("there would be no `scimType`, not `{wanted}`"),
        }),
        _ => Ok(()),
    }
}

fn named<'t>(section: &'t TypeMapping, name: &str) -> Option<(&'t Operation, CallClass)> {
    let (operation, class) = match name {
        "get" => (section.get.as_ref(), CallClass::Get),
        "create" => (section.create.as_ref(), CallClass::Create),
        "update" => (section.updates.first(), CallClass::Update),
        "activate" => (section.activate.as_ref(), CallClass::Update),
        "deactivate" => (section.deactivate.as_ref(), CallClass::Update),
        "rename" => (section.rename.as_ref(), CallClass::Update),
        "set-password" => (section.set_password.as_ref(), CallClass::Update),
        "delete" => (section.delete.as_ref(), CallClass::Delete),
        _ => (None, CallClass::Other),
    };
    operation.map(|operation| (operation, class))
}

/// What a client is told: the status, and the type where there is one.
fn told(meaning: Meaning) -> (u16, Option<ScimType>) {
    match meaning {
        Meaning::Ok | Meaning::AlreadySo => (200, None),
        Meaning::Created => (201, None),
        Meaning::NotFound => (404, None),
        Meaning::Uniqueness => (409, Some(ScimType::Uniqueness)),
        Meaning::Refused(kind) => (kind.status(), Some(kind)),
        Meaning::TooMany => (429, None),
        Meaning::NotSupported => (501, None),
        Meaning::Retry | Meaning::Changed => (503, None),
        Meaning::Forbidden | Meaning::NotLoggedIn | Meaning::Failed => (502, None),
    }
}
