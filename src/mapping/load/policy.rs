//! `[policy]`: what may happen to accounts.

use std::time::Duration;

use crate::mapping::model::{
    ActiveIs, MostChanges, OnDelete, OnExisting, OnMissingReference, OnRename, Policy, Shrink,
    TypeMapping,
};

use super::{
    gaps,
    reader::Reader,
    shape::{Kind, Shape, key},
};

static MOST_CHANGES: Shape = Shape {
    name: "`most-changes`",
    about: "Too many deactivations and deletions in a window pause the tenant until an operator resumes it.",
    keys: &[
        key(
            "deactivations",
            Kind::Count,
            "required",
            "Deactivations and deletions within the window, 1 to 1000000.",
            "50",
        ),
        key("window", Kind::Duration, "1h", "The window.", "\"1h\""),
    ],
    base: None,
    others: None,
};

static SHRINK: Shape = Shape {
    name: "`max-shrink`",
    about: "How far a group may shrink in one request that does not say outright that it replaces or removes all.",
    keys: &[
        key(
            "percent",
            Kind::Count,
            "50",
            "Percent of the members, 0 to 100.",
            "50",
        ),
        key(
            "members",
            Kind::Count,
            "100",
            "A request that takes away at most so many is never refused.",
            "100",
        ),
    ],
    base: None,
    others: None,
};

/// `[policy]`.
pub(super) static POLICY: Shape = Shape {
    name: "`[policy]`",
    about: "What may happen to accounts.",
    keys: &[
        key(
            "protected",
            Kind::Many(&Kind::Text),
            "none",
            "Accounts that are invisible and never written: values of the match attribute, letter case aside.",
            "[\"admin\"]",
        ),
        key(
            "on-existing",
            Kind::Choice(&["conflict", "adopt", "reactivate"]),
            "\"conflict\"",
            "A create that meets an account which exists: 409; the account becomes the client's (verified domains only, its identity attributes are not written); or the same for inactive accounts only, which are activated.",
            "\"adopt\"",
        ),
        key(
            "on-rename",
            Kind::Choice(&["in-place", "reject", "recreate"]),
            "\"in-place\"",
            "A change of the identifier: written, refused with 400 `mutability`, or a new account under the same SCIM id.",
            "\"reject\"",
        ),
        key(
            "on-delete",
            Kind::Choice(&["delete", "deactivate", "refuse"]),
            "\"delete\" where the application can, else \"deactivate\"",
            "A DELETE of a user.",
            "\"deactivate\"",
        ),
        key(
            "active-is",
            Kind::Choice(&["target", "client"]),
            "\"target\"",
            "What the client is shown as `active`: the application's state, or what the client wished last.",
            "\"client\"",
        ),
        key(
            "most-changes",
            Kind::Table(&MOST_CHANGES),
            "no limit",
            "Too many deactivations in a window pause the tenant.",
            "{ deactivations = 50, window = \"1h\" }",
        ),
        key(
            "on-missing-reference",
            Kind::Choice(&["reject", "drop"]),
            "\"reject\"",
            "A reference to a resource that does not exist: 400, or left out.",
            "\"drop\"",
        ),
        key(
            "max-shrink",
            Kind::OneOf(&[Kind::Flag, Kind::Table(&SHRINK)]),
            "{ percent = 50, members = 100 }",
            "How far a group may shrink in one request; `false`: any.",
            "{ percent = 30, members = 20 }",
        ),
    ],
    base: None,
    others: None,
};

/// The policy of a tenant; without `[policy]` the defaults.
pub(super) fn policy(root: &Reader<'_>, types: &[TypeMapping]) -> Policy {
    let mut policy = defaults(types);
    let Some(reader) = root.table("policy") else {
        return policy;
    };
    policy.protected = reader
        .texts("protected")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    if let Some(chosen) = reader.choice("on-existing", &ON_EXISTING) {
        policy.on_existing = chosen;
    }
    if let Some(chosen) = reader.choice("on-rename", &ON_RENAME) {
        policy.on_rename = chosen;
    }
    if let Some(chosen) = reader.choice("on-delete", &ON_DELETE) {
        policy.on_delete = chosen;
    }
    if let Some(chosen) = reader.choice("active-is", &ACTIVE_IS) {
        policy.active_is = chosen;
    }
    if let Some(chosen) = reader.choice("on-missing-reference", &ON_MISSING) {
        policy.on_missing_reference = chosen;
    }
    policy.most_changes = most_changes(&reader);
    if reader.has("max-shrink") {
        policy.max_shrink = max_shrink(&reader);
    }
    adopts_without_domains(root, &reader, policy.on_existing);
    if reader.has("on-delete") && !root.context.is_broken() {
        gaps::deletion(&reader, &policy, types);
    }
    if reader.has("on-rename") && !root.context.is_broken() {
        gaps::renaming(&reader, &policy, types);
    }
    policy
}

fn defaults(types: &[TypeMapping]) -> Policy {
    let deletes_users = types
        .iter()
        .any(|t| t.section == "user" && t.delete.is_some());
    Policy {
        protected: Vec::new(),
        on_existing: OnExisting::Conflict,
        on_rename: OnRename::InPlace,
        on_delete: if deletes_users {
            OnDelete::Delete
        } else {
            OnDelete::Deactivate
        },
        active_is: ActiveIs::Target,
        most_changes: None,
        on_missing_reference: OnMissingReference::Reject,
        max_shrink: Some(Shrink {
            percent: 50,
            members: 100,
        }),
    }
}

static ON_EXISTING: [(&str, OnExisting); 3] = [
    ("conflict", OnExisting::Conflict),
    ("adopt", OnExisting::Adopt),
    ("reactivate", OnExisting::Reactivate),
];
static ON_RENAME: [(&str, OnRename); 3] = [
    ("in-place", OnRename::InPlace),
    ("reject", OnRename::Reject),
    ("recreate", OnRename::Recreate),
];
static ON_DELETE: [(&str, OnDelete); 3] = [
    ("delete", OnDelete::Delete),
    ("deactivate", OnDelete::Deactivate),
    ("refuse", OnDelete::Refuse),
];
static ACTIVE_IS: [(&str, ActiveIs); 2] =
    [("target", ActiveIs::Target), ("client", ActiveIs::Client)];
static ON_MISSING: [(&str, OnMissingReference); 2] = [
    ("reject", OnMissingReference::Reject),
    ("drop", OnMissingReference::Drop),
];

fn most_changes(reader: &Reader<'_>) -> Option<MostChanges> {
    let table = reader.table("most-changes")?;
    if !table.has("deactivations") {
        table.missing("deactivations");
    }
    Some(MostChanges {
        window: table
            .duration("window")
            .unwrap_or(Duration::from_secs(3600)),
        deactivations: table.count("deactivations", 1, 1_000_000)?,
    })
}

fn max_shrink(reader: &Reader<'_>) -> Option<Shrink> {
    if reader
        .node("max-shrink")
        .is_some_and(|node| node.is_false())
    {
        return None;
    }
    let table = reader.table("max-shrink")?;
    let percent = table
        .count("percent", 0, 100)
        .and_then(|p| u8::try_from(p).ok());
    let members = table
        .count("members", 0, 1_000_000)
        .and_then(|m| usize::try_from(m).ok());
    Some(Shrink {
        percent: percent.unwrap_or(50),
        members: members.unwrap_or(100),
    })
}

/// Adopting by address alone would hand any account to whoever the client says has its address.
fn adopts_without_domains(root: &Reader<'_>, reader: &Reader<'_>, on_existing: OnExisting) {
    let has_domains = root
        .node("client")
        .and_then(|client| client.as_table())
        .is_some_and(|client| client.entry("domains").is_some());
    if on_existing == OnExisting::Conflict || has_domains {
        return;
    }
    reader.context.error(
        "mapping::adopt-without-domains",
        reader
            .node("on-existing")
            .map_or(reader.place, |node| &node.place),
        "Existing accounts would be taken over whatever their address.".to_owned(),
        "add `[client] domains = [\"acme.example\"]`",
    );
}
