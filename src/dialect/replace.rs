//! N14: what a PUT keeps although it is left out.
//!
//! RFC 7644 §3.5.1 lets the server choose. Who: Okta leaves `active` out (OKTA-06), old authentik an empty member list
//! (AUTHENTIK-12). Cases: `okta/put_without_active.json`, `authentik/put_group_without_members.json`.

use serde_json::Value;

use super::{
    Dialect,
    context::note,
    quirks::{Mending, PUT_KEEPS, PUT_KEEPS_MEMBERS},
};
use crate::{
    exchange::Notes,
    scim::{ResourceType, intake, replace::ReplaceRules},
};

/// What a PUT keeps of what its body leaves out. Null or an empty list is not left out: it clears.
pub(super) fn rules(dialect: &Dialect, rt: &ResourceType, body: Option<&Value>) -> ReplaceRules {
    let has = |name: &str| rt.schema.attribute(name).is_some();
    let keeps_members = dialect.is_on(&PUT_KEEPS_MEMBERS) && has("members");
    let rules = ReplaceRules {
        keep_absent_active: dialect.is_on(&PUT_KEEPS) && has("active"),
        keep_absent_multivalued: keeps_members
            .then(|| "members".to_owned())
            .into_iter()
            .collect(),
        kept: Vec::new(),
    };
    match body {
        Some(body) => rules.except(&intake::cleared(rt, body)),
        None => rules,
    }
}

/// Notes what a PUT leaves out and does not change for that.
pub(super) fn note_kept(dialect: &Dialect, rules: &ReplaceRules, body: &Value, notes: &mut Notes) {
    let keeps_members = rules.keep_absent_multivalued.iter().any(|n| n == "members");
    let kept: [(&str, &Mending, bool); 2] = [
        ("active", &PUT_KEEPS, rules.keep_absent_active),
        ("members", &PUT_KEEPS_MEMBERS, keeps_members),
    ];
    for (name, mending, is_kept) in kept {
        if is_kept && body.get(name).is_none() {
            let message = format!("`{name}` was left out and stays as it is");
            note(dialect, notes, mending, message);
        }
    }
}
