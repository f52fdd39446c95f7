//! A reply that means an error, and what the client is told.

use serde_json::Value;

use crate::{
    mapping::{
        model::{Mapping, Operation, TypeMapping},
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
    let (status, scim_type) = verdict.meaning.answer();
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
