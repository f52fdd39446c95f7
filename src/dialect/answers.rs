//! What clients like in an answer, where RFC 7644 leaves a choice.

use super::{Dialect, Idp};
use crate::scim::ResourceType;

/// How a client wants its requests answered. None of it is needed for conformance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerTaste {
    /// How a successful PATCH is answered.
    pub patch_answers: PatchAnswer,
    /// Whether the answer to a PUT of a group lists its members. Okta does not need them (OKTA-16), and the list may be long.
    pub echo_members: bool,
    /// Whether `displayName` is the formatted name when the resource has none (KEYCLOAK-02).
    pub display_name_falls_back: bool,
    /// Whether a user whose `active` the application does not know is shown as active (KEYCLOAK-02).
    pub active_falls_back: bool,
    /// Whether every answer with a user must list its groups as they are now (RAUTHY-11): groups that are missing are granted
    /// again, groups that are unknown to the client are taken away.
    pub lists_groups: bool,
}

/// How a successful PATCH is answered (RFC 7644 §3.5.2 allows both).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatchAnswer {
    /// 200 with the resource.
    Body,
    /// 204. A client that asks for `attributes` gets 200 all the same.
    NoContent,
}

impl AnswerTaste {
    /// Whether a successful PATCH is answered by 204, unless the client asks for attributes.
    pub fn patch_is_without_body(&self) -> bool {
        self.patch_answers == PatchAnswer::NoContent
    }
}

/// R8: users are answered with the resource; groups of a provider that is known to take it with 204, as Entra asks, and by the
/// RFC's letter (`strict`) too: nothing is read for the answer. Whoever is not known gets the resource.
pub(super) fn taste(dialect: &Dialect, rt: &ResourceType) -> AnswerTaste {
    let has_members = rt.schema.attribute("members").is_some();
    let idp = dialect.idp.filter(|_| !dialect.is_strict);
    AnswerTaste {
        patch_answers: if has_members && (dialect.is_strict || dialect.idp.is_some()) {
            PatchAnswer::NoContent
        } else {
            PatchAnswer::Body
        },
        echo_members: idp != Some(Idp::Okta),
        display_name_falls_back: idp == Some(Idp::Keycloak),
        active_falls_back: idp == Some(Idp::Keycloak),
        lists_groups: idp == Some(Idp::Rauthy),
    }
}
