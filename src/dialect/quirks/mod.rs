//! The mendings: one idea per file.
//!
//! In: a piece of a request and the definition it should fit. Out: the piece in RFC form, and a note.
//! Knows nothing of the request around the piece: that is `resource`, `patch`, `filters` and `query`.
//!
//! A mending is switched off by the name of its rule, or by the name it has in a client's own quirks.

use super::Idp;

pub(super) mod bare_reference;
pub(super) mod bit;
pub(super) mod boolean_words;
pub(super) mod json_in_string;
pub(super) mod missing_element;
pub(super) mod named_removal;
pub(super) mod no_value;
pub(super) mod number_text;
pub(super) mod one_or_many;
pub(super) mod pathless_removal;
pub(super) mod pointer;
pub(super) mod primary;
pub(super) mod relative_reference;
pub(super) mod role_display;
pub(super) mod role_json;
pub(super) mod scim_1;
pub(super) mod stale_name;
pub(super) mod wrapped_value;

/// Something that can be mended, and the names it goes by.
#[derive(Debug)]
pub(super) struct Mending {
    /// The rule (`N2`), or the quirk's own id where no rule covers it. Its name for clients without one of their own.
    pub rule: &'static str,
    /// The quirks that show it. Of several of one client the first gives the name of its notes, and each switches it off.
    pub ids: &'static [&'static str],
    /// For whom.
    pub scope: Scope,
}

/// For whom something is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// For every client: it widens what is accepted.
    Everyone,
    /// For the clients that have the quirk, and for a client that is not recognised: no other form would make sense of
    /// what it sends. A client recognised as another means what it says.
    UnlessAnother,
    /// For the clients that have the quirk, once recognised.
    Recognised,
}

impl Scope {
    /// Whether it includes this client, for a mending of these names.
    pub fn includes(self, idp: Option<Idp>, ids: &[&str]) -> bool {
        let is_theirs = idp.is_some() && ids.iter().any(|id| Idp::of_quirk(id) == idp);
        match self {
            Self::Everyone => true,
            Self::UnlessAnother => idp.is_none() || is_theirs,
            Self::Recognised => is_theirs,
        }
    }
}

/// N1. Who: Entra. `Replace` becomes `replace`. Case: `entra/capital_op.json`.
pub(super) const OP_CASE: Mending = everyone("N1", &["ENTRA-09"]);

/// N3. Who: Okta now and then. A PATCH body without `schemas` is a PatchOp. Case: `okta/deactivate_without_schemas.json`.
pub(super) const MISSING_SCHEMAS: Mending = everyone("N3", &["OKTA-07"]);

/// N3. Who: Entra and others. Dotted and URN-qualified keys in an object are paths, whole objects are split into one
/// operation per attribute. Case: `entra/value_object.json`.
pub(super) const KEYS_ARE_PATHS: Mending = everyone("N3", &["ENTRA-12", "FORGEROCK-01"]);

/// N3. Who: old Entra. A dot between an extension's URN and its attribute becomes a colon. Case: `entra/extension_with_dot.json`.
pub(super) const DOT_BEHIND_URN: Mending = everyone("N3", &["ENTRA-20"]);

/// N4. Who: Okta, authentik. `id`, `schemas`, `meta`, `groups` and other read-only attributes inside a value object are
/// ignored; another id than the resource's is refused. Case: `okta/name_patch_with_id.json`.
pub(super) const ECHOED: Mending = everyone("N4", &["OKTA-13", "AUTHENTIK-10"]);

/// N11. Who: everyone. Attributes no schema has are dropped. Case: `entra/unknown_attribute_among_others.json`.
pub(super) const UNKNOWN: Mending = everyone("N11", &["ENTRA-11", "RAUTHY-04"]);

/// N11. Who: Entra, OneLogin. A schema URN that is misspelt or of SCIM 1 means the known one. Cases:
/// `entra/create_extension_at_root.json`, `onelogin/scim_1_schemas.json`.
pub(super) const SCHEMA_NAMES: Mending = everyone("N11", &["ENTRA-07", "ONELOGIN-03"]);

/// N11. Who: Entra. A URN in `schemas` that means none is dropped; the type's own is added. Case:
/// `entra/create_group_schemas.json`.
pub(super) const SCHEMAS_LIST: Mending = everyone("N11", &["ENTRA-25"]);

/// N11. Who: Entra. The URN of an extension that is there is added to `schemas`. Case: `entra/create_unlisted_extension.json`.
pub(super) const UNLISTED_EXTENSION: Mending = everyone("N11", &["ENTRA-08"]);

/// N11, N16. Who: Entra. An extension's attribute without its URN, if one extension only has it. Case:
/// `entra/create_extension_at_root.json`.
pub(super) const EXTENSION_AT_ROOT: Mending = everyone("N11", &["ENTRA-07"]);

/// N16. Who: Entra. A filter that goes on behind the brackets. Case: `entra/filter_value_path.json`.
pub(super) const BEHIND_BRACKETS: Mending = everyone("N16", &["ENTRA-04"]);

/// N16. Who: Entra, authentik. A filter value without quotes. Case: `entra/filter_bare_word.json`.
pub(super) const BARE_WORD: Mending = everyone("N16", &["ENTRA-05", "AUTHENTIK-04"]);

/// N16. Who: Entra, Ping. A complex attribute compared as if it were its `value`, extension attributes without URN. Case:
/// `entra/filter_manager.json`.
pub(super) const IMPLIED_VALUE: Mending = everyone("N16", &["ENTRA-06", "PING-01"]);

/// N16. Who: Ping. `email` means `emails.value`. Case: `ping/filter_email_alias.json`.
pub(super) const EMAIL_ALIAS: Mending = everyone("N16", &["PING-02"]);

/// N16. Who: clients written by hand. `==`, `=`, `!=`, `&&` and `||` in a filter. Case: `any/filter_signs.json`.
pub(super) const SIGNS: Mending = everyone("N16", &["ANY-01"]);

/// N16. Who: filters pasted from a document. Case: `any/filter_typographic_quotes.json`.
pub(super) const TYPOGRAPHIC_QUOTES: Mending = everyone("N16", &["ANY-02"]);

/// N3. Who: clients that know JSON Patch. The list of operations, or one operation, without the message around it. Case:
/// `any/bare_operations.json`.
pub(super) const BARE_OPERATIONS: Mending = everyone("N3", &["ANY-06"]);

/// N18. Who: OneLogin, authentik. A plus sign in a query is a space. Case: `onelogin/query_plus_and_ampersand.json`.
pub(super) const PLUS_IS_SPACE: Mending = everyone("N18", &["ONELOGIN-01", "AUTHENTIK-04"]);

/// N18. Who: Rauthy. Beside `%20` a bare plus is a plus. Case: `rauthy/query_bare_plus.json`.
pub(super) const BARE_PLUS: Mending = everyone("N18", &["RAUTHY-02"]);

/// N18. Who: Entra. The flag of its tenant URL is no parameter. Case: `entra/query_flag.json`.
pub(super) const FLAG_PARAMETER: Mending = everyone("N18", &["ENTRA-39"]);

/// N18. Who: clients made from templates. A parameter for paging or sorting without a value. See
/// `dialect/tests/odd_forms.rs`.
pub(super) const EMPTY_PARAMETER: Mending = everyone("N18", &[]);

/// N18. Who: clients behind a proxy or template that encodes once more. See `dialect/tests/odd_forms.rs`.
pub(super) const ENCODED_TWICE: Mending = everyone("N18", &[]);

/// N18. Who: administrators who join base URLs by hand. Slashes and base paths that are there twice. Leaves the path alone
/// with `strict`: see `dialect/address.rs`.
pub(super) const PASTED_PATH: Mending = everyone("N18", &[]);

/// N19. Who: clients that name JSON otherwise. See `dialect/media.rs`.
pub(super) const OTHER_JSON: Mending = everyone("N19", &[]);

/// N14. Who: Okta and everyone who replaces. `active` and members left out of a PUT stay. Case:
/// `okta/put_without_active.json`.
pub(super) const PUT_KEEPS: Mending = everyone("N14", &["OKTA-06", "PING-03", "AUTHENTIK-02"]);

/// N14. Who: old authentik. Members left out of a PUT stay. Case: `authentik/put_group_without_members.json`.
pub(super) const PUT_KEEPS_MEMBERS: Mending = everyone("N14", &["AUTHENTIK-12"]);

/// Who: SailPoint. Operations on a user's `groups` are meant for the groups. Case: `sailpoint/groups_through_user.json`.
pub(super) const GROUPS_THROUGH_USER: Mending = everyone("SAILPOINT-04", &["SAILPOINT-04"]);

/// Who: Okta. The token may stand alone in the header. Case: `okta/bare_token.json`.
pub(super) const BARE_TOKEN: Mending = everyone("OKTA-20", &["OKTA-20"]);

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Mending> {
    [
        &OP_CASE,
        &MISSING_SCHEMAS,
        &KEYS_ARE_PATHS,
        &DOT_BEHIND_URN,
        &ECHOED,
        &missing_element::MENDING,
        &UNKNOWN,
        &SCHEMA_NAMES,
        &SCHEMAS_LIST,
        &UNLISTED_EXTENSION,
        &EXTENSION_AT_ROOT,
        &BEHIND_BRACKETS,
        &BARE_WORD,
        &IMPLIED_VALUE,
        &SIGNS,
        &TYPOGRAPHIC_QUOTES,
        &BARE_OPERATIONS,
        &EMAIL_ALIAS,
        &PLUS_IS_SPACE,
        &BARE_PLUS,
        &FLAG_PARAMETER,
        &EMPTY_PARAMETER,
        &ENCODED_TWICE,
        &PASTED_PATH,
        &OTHER_JSON,
        &PUT_KEEPS,
        &PUT_KEEPS_MEMBERS,
        &GROUPS_THROUGH_USER,
        &BARE_TOKEN,
        &bare_reference::MENDING,
        &bit::MENDING,
        &pathless_removal::MENDING,
        &pointer::MENDING,
        &wrapped_value::MENDING,
        &boolean_words::IN_VALUES,
        &boolean_words::IN_FILTERS,
        &json_in_string::MENDING,
        &named_removal::MENDING,
        &no_value::EMPTY_TEXT,
        &no_value::NULL,
        &number_text::MENDING,
        &one_or_many::ONE_FOR_LIST,
        &one_or_many::LIST_FOR_ONE,
        &primary::MENDING,
        &relative_reference::MENDING,
        &role_display::MENDING,
        &role_json::MENDING,
        &scim_1::MENDING,
        &stale_name::MENDING,
    ]
    .into_iter()
}

/// A mending for every client.
const fn everyone(rule: &'static str, ids: &'static [&'static str]) -> Mending {
    Mending {
        rule,
        ids,
        scope: Scope::Everyone,
    }
}
