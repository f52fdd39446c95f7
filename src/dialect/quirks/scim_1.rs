//! Who: PingFederate's built-in provisioning (PING-12). It speaks SCIM 1.1: refused, with a detail that says so. Case:
//! `ping/scim_1_body.json`.
//!
//! OneLogin's templates put SCIM 1 schema names into SCIM 2 bodies (ONELOGIN-03), so the name alone decides only for a
//! client recognised as Ping. A PATCH that is a partial resource with such a name is SCIM 1.1 whoever sends it.

use serde_json::{Map, Value};

use super::{Mending, Scope};
use crate::{
    dialect::{context::Mender, schemas},
    scim::Error,
};

pub(in crate::dialect) const MENDING: Mending = Mending {
    rule: "PING-12",
    ids: &["PING-12"],
    scope: Scope::Recognised,
};

/// Refuses the body of a POST or PUT that is SCIM 1.1.
pub(in crate::dialect) fn refuse_resource(
    m: &Mender<'_>,
    body: &Map<String, Value>,
) -> Result<(), Error> {
    if m.is_on(&MENDING) && names_scim_1(body) {
        return Err(error());
    }
    Ok(())
}

/// Refuses a PATCH without operations that is SCIM 1.1: a partial resource.
pub(in crate::dialect) fn refuse_patch(body: &Map<String, Value>) -> Result<(), Error> {
    if names_scim_1(body) {
        return Err(error());
    }
    Ok(())
}

fn names_scim_1(body: &Map<String, Value>) -> bool {
    let named = body
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("schemas"))
        .and_then(|(_, schemas)| schemas.as_array());
    named.is_some_and(|urns| {
        urns.iter()
            .filter_map(Value::as_str)
            .any(schemas::is_scim_1_core)
    })
}

fn error() -> Error {
    Error::invalid_syntax(
        "This is a message of SCIM 1.1. Only SCIM 2.0 is spoken here: choose SCIM 2.0 in the identity provider, for \
         PingFederate the SCIM Provisioner add-on.",
    )
}
