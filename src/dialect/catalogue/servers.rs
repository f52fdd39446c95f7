//! Limits that other SCIM servers publish, and applications with fixed identifiers: no client sends these.

use super::{Quirk, session};

const SERVER: &str = "A limit of that server: its clients may run in a mode made for it, and every such request is an ordinary one here.";
const TARGET: &str = "A habit of the target: the mapping's policies decide.";

#[rustfmt::skip]
pub(super) const QUIRKS: &[Quirk] = &[
    session("AWS-01", "Filters only by `eq` and `and`.", SERVER),
    session("AWS-02", "No `/Me`, `/Bulk`, `.search`.", SERVER),
    session("AWS-03", "One value per multi-valued attribute.", SERVER),
    session("AWS-04", "At most 100 membership changes, no removal of all.", SERVER),
    session("AWS-05", "A PATCH without a path may change one attribute.", SERVER),
    session("AWS-06", "A group never shows its members.", SERVER),
    session("AWS-07", "Passwords, photos and more are not supported.", SERVER),
    session("AWS-08", "Both names and `displayName` are required.", SERVER),
    session("SLACK-01", "600 writes and 1,000 reads a minute.", SERVER),
    session("GITHUB-01", "1,000 users an hour.", SERVER),
    session("GITHUB-02", "A User-Agent is required.", SERVER),
    session("GITHUB-03", "Users before groups, one writer.", SERVER),
    session("GITHUB-04", "Lists include deprovisioned users.", SERVER),
    session("GITHUB-05", "No filters in PATCH paths.", SERVER),
    session("MIRO-01", "8,000 members in a PATCH.", SERVER),
    session("GCLOUD-01", "See GOOGLE-06.", SERVER),
    session("TRESORIT-01", "The address is the identifier and cannot change.", TARGET),
    session("TRESORIT-02", "Name changes have no effect.", TARGET),
    session("TRESORIT-03", "New users get the default policy.", TARGET),
    session("TRESORIT-04", "Suspension in the application does not touch `active`.", TARGET),
    session("TRESORIT-05", "No groups.", TARGET),
];
