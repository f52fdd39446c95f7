//! The whole gateway against an application that misbehaves on demand. A test that proves a promise of the design bears
//! its number: S for security, R for reliability.

#[path = "../support/application.rs"]
mod application;
#[path = "../support/fake_target.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of the driver, which use more of it"
)]
mod fake_target;
#[path = "../support/rows.rs"]
mod rows;
mod spellings;
mod stage;

mod bulk;
mod confirmed;
mod creates;
mod deadlines;
mod demands;
mod domains;
mod existing;
mod failures;
mod holds;
mod json_api;
mod language;
mod lists;
mod look_ups;
mod member_failures;
mod members;
mod memberships;
mod memory;
mod nesting;
mod odd_methods;
mod odd_reads;
mod paging;
mod policies;
mod renames;
mod roles;
mod secrecy;
mod shapes;
mod shown_groups;
mod soft_deletes;
mod stashes;
mod statuses;
mod stranger;
mod styles;
mod tenants;
mod updates;
mod user_groups;
mod versions;
mod words;
