//! The message around the operations.

use serde_json::Value;

use crate::{
    dialect::{
        context::Mender,
        quirks::{BARE_OPERATIONS, MISSING_SCHEMAS, one_or_many, scim_1},
    },
    scim::{Error, patch::MAX_PATCH_OPERATIONS},
};

/// The URN of the PATCH message.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The operations of a PatchOp message (RFC 7644 §3.5.2), at least one.
///
/// # Errors
///
/// `invalidSyntax` for any other message; 413 for more than [`MAX_PATCH_OPERATIONS`].
pub(super) fn operations(m: &mut Mender<'_>, body: Value) -> Result<Vec<Value>, Error> {
    if let Some(operations) = bare(m, &body) {
        return counted(operations);
    }
    let Value::Object(message) = body else {
        return Err(Error::invalid_syntax(
            "The body of a PATCH must be a JSON object with `schemas` and `Operations`.",
        ));
    };
    let member = |name: &str| {
        let found = message
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    };
    let Some(operations) = member("Operations").cloned() else {
        scim_1::refuse_patch(&message)?;
        return Err(Error::invalid_syntax(
            "The body of a PATCH must have `Operations`, a list of what to change.",
        ));
    };
    let is_named = match member("schemas") {
        Some(Value::Array(urns)) => urns.iter().filter_map(Value::as_str).any(is_patch_op),
        Some(Value::String(urn)) => is_patch_op(urn),
        _ => false,
    };
    if !is_named {
        if !m.is_on(&MISSING_SCHEMAS) {
            return Err(Error::invalid_syntax(format!(
                "`schemas` of a PATCH must name `{PATCH_OP}`."
            )));
        }
        m.note(&MISSING_SCHEMAS, "`schemas` did not name the PATCH message");
    }
    let operations = one_or_many::elements(m, "Operations", operations)
        .map_err(|_| Error::invalid_syntax("`Operations` must be a list of objects."))?;
    counted(operations)
}

/// ANY-06: operations without the message around them, a list of them or one alone.
fn bare(m: &mut Mender<'_>, body: &Value) -> Option<Vec<Value>> {
    let is_operation = |value: &Value| {
        let mut keys = value.as_object().into_iter().flatten();
        keys.any(|(key, member)| key.eq_ignore_ascii_case("op") && member.is_string())
    };
    let operations = match body {
        Value::Array(list) if !list.is_empty() && list.iter().all(is_operation) => list.clone(),
        one if is_operation(one) => vec![one.clone()],
        _ => return None,
    };
    if !m.is_on(&BARE_OPERATIONS) {
        return None;
    }
    m.note(
        &BARE_OPERATIONS,
        "the operations came without a PATCH message around them",
    );
    Some(operations)
}

fn counted(operations: Vec<Value>) -> Result<Vec<Value>, Error> {
    match operations.len() {
        0 => Err(Error::invalid_syntax(
            "`Operations` must have at least one operation.",
        )),
        count if count > MAX_PATCH_OPERATIONS => Err(Error::new(
            413,
            format!(
                "A PATCH may have {MAX_PATCH_OPERATIONS} operations at most; this one has {count}."
            ),
        )),
        _ => Ok(operations),
    }
}

fn is_patch_op(urn: &str) -> bool {
    urn.eq_ignore_ascii_case(PATCH_OP)
}
