//! N14: what a PUT keeps although it is left out.
//!
//! RFC 7644 §3.5.1 lets the server choose. Who: Okta leaves `active` out (OKTA-06), old authentik an empty member list
//! (AUTHENTIK-12). Cases: `okta/put_without_active.json`, `authentik/put_group_without_members.json`.

use serde_json::Value;

use super::{
    Dialect,
    quirks::{PUT_KEEPS, PUT_KEEPS_MEMBERS},
};
use crate::scim::{ResourceType, replace::ReplaceRules};

/// What a PUT keeps of what its body does not name at all.
pub(super) fn rules(dialect: &Dialect, rt: &ResourceType, body: Option<&Value>) -> ReplaceRules {
    let is_named = |name: &str| {
        let members = body.and_then(Value::as_object);
        members.is_some_and(|members| members.keys().any(|key| key.eq_ignore_ascii_case(name)))
    };
    let has = |name: &str| rt.schema.attribute(name).is_some();
    let keeps_members = dialect.is_on(&PUT_KEEPS_MEMBERS) && has("members") && !is_named("members");
    ReplaceRules {
        keep_absent_active: dialect.is_on(&PUT_KEEPS) && has("active") && !is_named("active"),
        keep_absent_multivalued: if keeps_members {
            vec!["members".to_owned()]
        } else {
            Vec::new()
        },
        kept: Vec::new(),
    }
}
