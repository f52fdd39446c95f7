//! Okta.

use super::{Quirk, answer, changes_meaning, session, standard, widens};

#[rustfmt::skip]
pub(super) const QUIRKS: &[Quirk] = &[
    answer("OKTA-01", Some("R4"), "The connection test lists two users.", "200 with numbers in all three counters, also when there are none."),
    answer("OKTA-02", Some("R3"), "Looks a user up before every create, and links what it finds.", "An exact, case-insensitive match; an empty list when there is none, never an unfiltered one."),
    standard("OKTA-03", Some("N4"), "The create body carries `groups` and a password.", "`groups` is ignored, as it is read-only; the password is never shown.", "okta/create_user.json"),
    answer("OKTA-04", Some("R6"), "A second create must fail.", "409 `uniqueness`."),
    changes_meaning("OKTA-05", None, "PUT sends back what GET gave, so `name.formatted` is stale when a part of the name changed.", "`name.formatted` is made from the parts again; `id`, `groups` and `meta` are ignored.", "okta/put_stale_formatted_name.json"),
    widens("OKTA-06", Some("N14"), "`active` may be left out of a PUT.", "It stays as it is.", "okta/put_without_active.json"),
    widens("OKTA-07", Some("N3"), "PATCH without a path, and sometimes without `schemas`.", "A replace of each attribute in the object.", "okta/deactivate_without_schemas.json"),
    answer("OKTA-08", Some("N20"), "Deactivation by PUT.", "PUT is served whatever the integration is."),
    session("OKTA-09", "Users are never deleted.", "Nothing is sent: deprovisioning happens when `active` becomes false."),
    answer("OKTA-10", Some("R2"), "A returning user is found by filter while inactive.", "Inactive users stay findable, under the same id."),
    standard("OKTA-11", Some("N3"), "The password arrives in a PATCH without a path.", "A replace of `password`; the answer does not show it.", "okta/password_without_path.json"),
    answer("OKTA-12", Some("R1"), "Groups are created with an empty member list and no `externalId`.", "201 with the whole group."),
    widens("OKTA-13", Some("N4"), "The name PATCH repeats the group's id inside the value.", "An equal id is ignored; another one is 400 `mutability`.", "okta/name_patch_with_id.json"),
    answer("OKTA-14", Some("R8"), "One PATCH may remove and add members.", "Applied in order, all or nothing."),
    answer("OKTA-15", Some("R8"), "A full push replaces `members`, also by an empty list.", "The list is what was sent."),
    answer("OKTA-16", Some("R8"), "Groups of wizard apps are replaced by PUT.", "200 with the group; members may be left out of the answer."),
    answer("OKTA-17", Some("R3"), "Groups are linked by name.", "An exact, case-insensitive match."),
    answer("OKTA-18", None, "Groups are deleted.", "204."),
    answer("OKTA-19", Some("R4"), "Import asks for 100 at a time and counts on getting them.", "Numbers, a stable order, the full page."),
    widens("OKTA-20", None, "The `Authorization` header may hold the token without `Bearer`.", "A bare token equal to a known one is accepted.", "okta/bare_token.json"),
    answer("OKTA-21", Some("R11"), "On 429 it waits as many seconds as `Retry-After` says, and does not read dates.", "Whole seconds."),
    answer("OKTA-22", Some("R11"), "Gives up after 60 seconds.", "Answered within 55 seconds, or sooner if so configured."),
    session("OKTA-23", "The base URL must be https and without underscores.", "Said once, at set-up."),
    answer("OKTA-24", Some("R5"), "The `detail` of an error is shown to administrators.", "SCIM errors in JSON, in complete sentences."),
    widens("OKTA-25", Some("N12"), "JSON numbers where the schema has strings, and `name` null.", "The number's decimal text; null is no value.", "okta/numbers_as_strings.json"),
    session("OKTA-26", "Bulk, `/Me`, `.search`, ServiceProviderConfig are not used.", "Nothing is sent."),
    session("OKTA-27", "`active` travels one way; an import never activates.", "A matter of policy: what a local suspension shows is the tenant's choice."),
    answer("OKTA-28", Some("N20"), "Its documentation disagrees about PUT and PATCH.", "Both are served; the client is never guessed from one request's form."),
];
