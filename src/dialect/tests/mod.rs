//! What cases in files cannot show: guards, switches, and what holds for any input.

mod any_input;
mod guards;
mod odd_forms;
mod spellings;
mod switches;

use serde_json::{Value, json};

use super::*;
use crate::scim::{builtin, patch};

pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub(super) fn user_type() -> ResourceType {
    ResourceType::user(vec![builtin::enterprise_user()])
}

pub(super) fn group_type() -> ResourceType {
    ResourceType::group(Vec::new())
}

/// A group of three.
pub(super) fn group() -> Resource {
    resource(json!({
        "schemas": [builtin::group().id],
        "id": "g1",
        "displayName": "Depot",
        "members": [{"value": "u1"}, {"value": "u2"}, {"value": "u3"}],
    }))
}

pub(super) fn resource(value: Value) -> Resource {
    let Value::Object(map) = value else {
        panic!("a resource is an object");
    };
    Resource(map)
}

pub(super) fn operations(operations: Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

/// Reads a PATCH with every mending on, and applies it.
pub(super) fn patched(
    rt: &ResourceType,
    old: &Resource,
    body: Value,
) -> Result<Resource, crate::scim::Error> {
    let id = old.0.get("id").and_then(Value::as_str);
    let request = Dialect::default().patch(rt, id, body, &mut Notes::default())?;
    patch::apply(&request, rt, old)
}

pub(super) fn ids(notes: &Notes) -> Vec<&'static str> {
    notes.0.iter().map(|note| note.quirk).collect()
}
