//! PingOne, PingFederate, ForgeRock, SailPoint.

use super::{Quirk, answer, changes_meaning, session, widens};

#[rustfmt::skip]
pub(super) const QUIRKS: &[Quirk] = &[
    widens("PING-01", Some("N16"), "`emails eq …`: a complex attribute without its sub-attribute.", "`emails.value eq …`.", "ping/filter_emails.json"),
    widens("PING-02", Some("N16"), "`email Co …`: capitals, and an attribute that does not exist.", "`emails.value co …`.", "ping/filter_email_alias.json"),
    widens("PING-03", Some("N14"), "Users are only ever replaced.", "PUT keeps what it may keep.", "ping/put_user.json"),
    answer("PING-04", Some("R9"), "Groups are searched by reading all of them.", "Pages; member lists stay cheap."),
    answer("PING-05", Some("N20"), "Groups are changed by PATCH or PUT.", "Both are served."),
    widens("PING-06", Some("N15"), "Two addresses made from one, both primary.", "The first keeps the flag.", "ping/two_primaries.json"),
    session("PING-07", "A value once set cannot be cleared.", "Nothing arrives that could be mended."),
    answer("PING-08", Some("R10"), "Wants `type` and `primary` back.", "Echoed."),
    session("PING-09", "The identifier cannot be changed.", "Decided on its side."),
    answer("PING-10", None, "Creates disabled users.", "Created inactive."),
    session("PING-11", "Authorization header, path and scopes can be overridden.", "Decided before a body is read; see OKTA-20 for bare tokens."),
    changes_meaning("PING-12", None, "PingFederate itself speaks SCIM 1.1.", "400 with a detail that says to use the SCIM 2.0 provisioner.", "ping/scim_1_body.json"),
    widens("FORGEROCK-01", Some("N3"), "Add and replace come with or without a path.", "One operation per attribute.", "forgerock/without_path.json"),
    answer("FORGEROCK-02", Some("R4"), "Reconciliation reads schemas, then everything.", "Complete pages."),
    answer("SAILPOINT-01", Some("R13"), "Requires five discovery documents.", "Served, by id as well."),
    answer("SAILPOINT-02", Some("N20"), "PATCH or PUT by a setting.", "Both are served."),
    answer("SAILPOINT-03", Some("N9"), "Replace on a complex attribute that is unset or partly set.", "Adds and merges, as RFC 7644 says."),
    widens("SAILPOINT-04", None, "Groups are granted through the user, in `groups`.", "Member operations on the groups.", "sailpoint/groups_through_user.json"),
    answer("SAILPOINT-05", Some("R4"), "Aggregation wants complete pages.", "Honoured."),
    answer("SAILPOINT-06", None, "Groups may name users that were never provisioned.", "400 `invalidValue`; nobody is created."),
    answer("SAILPOINT-07", Some("R11"), "Reads headers about throttling.", "`Retry-After`, and its own headers beside it."),
    session("SAILPOINT-08", "Entitlements and roles as attributes of the user.", "Ordinary multi-valued attributes."),
    session("SAILPOINT-09", "Enable, disable and delete are separate operations.", "All are ordinary requests."),
];
