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
    about: "Too many deactivations and deletions in a window pause further ones: until the window has passed, or the operator raises the number.",
    keys: &[
        key(
            "deactivations",
            Kind::Count,
            "`percent` alone",
            "Deactivations and deletions within the window, 1 to 1000000.",
            "50",
        ),
        key(
            "percent",
            Kind::Count,
            "`deactivations` alone",
            "The same in percent of the users the application has, 1 to 100; of both the smaller number counts. How many there are is asked at most once a window.",
            "10",
        ),
        key("window", Kind::Duration, "1h", "The window.", "\"1h\""),
    ],
    base: None,
    others: None,
};

static HOLD: Shape = Shape {
    name: "`on-missing-reference`",
    about: "References are held until a resource with that id, `externalId` or match attribute is created. `\"hold\"` stands for this table with what it says when absent.",
    keys: &[
        key(
            "hold",
            Kind::Duration,
            "30d",
            "How long one is held, 1m to 365d.",
            "\"30d\"",
        ),
        key(
            "most",
            Kind::Count,
            "10000",
            "References held for the tenant, 1 to 1000000; further ones are left out, with a warning in the log.",
            "10000",
        ),
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
            "Accounts that are invisible and never written: values of the match attribute, letter case aside. Of users only: groups have `hide`.",
            "[\"admin\"]",
        ),
        key(
            "on-existing",
            Kind::Choice(&["conflict", "adopt", "reactivate"]),
            "\"conflict\"",
            "A create that meets an account which exists: 409; the account becomes the client's (verified domains only, its identity attributes are not written); or the same for inactive accounts only, and for those that the mapping calls `gone`, which are activated unless the client says `active: false`.",
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
            "A DELETE of a user. With `deactivate` it is locked, leaves its groups, and is gone for the client; a create of its name brings it back like a new one.",
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
            Kind::OneOf(&[
                Kind::Choice(&["reject", "drop", "hold"]),
                Kind::Table(&HOLD),
            ]),
            "\"reject\"",
            "A reference (a manager, a member) to a resource that does not exist: 400, left out, or held until it appears.",
            "\"hold\"",
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
    (policy.protected_at, policy.protected) = reader
        .texts("protected")
        .into_iter()
        .map(|(node, text)| (node.place.clone(), text))
        .unzip();
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
    if let Some(chosen) = on_missing_reference(&reader) {
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
    if reader.has("protected") && !root.context.is_broken() {
        gaps::protection(&reader, &policy, types);
    }
    policy
}

fn defaults(types: &[TypeMapping]) -> Policy {
    let deletes_users = types
        .iter()
        .any(|t| t.section == "user" && t.delete.is_some());
    Policy {
        protected: Vec::new(),
        protected_at: Vec::new(),
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
static ON_MISSING: [(&str, OnMissingReference); 3] = [
    ("reject", OnMissingReference::Reject),
    ("drop", OnMissingReference::Drop),
    ("hold", USUAL_HOLD),
];
const USUAL_HOLD: OnMissingReference = OnMissingReference::Hold {
    life: Duration::from_secs(30 * 86_400),
    most: 10_000,
};

fn on_missing_reference(reader: &Reader<'_>) -> Option<OnMissingReference> {
    let node = reader.node("on-missing-reference")?;
    if node.as_table().is_none() {
        return reader.choice("on-missing-reference", &ON_MISSING);
    }
    let table = reader.table("on-missing-reference")?;
    if !table.has("hold") {
        table.missing("hold");
    }
    let life = table.duration("hold")?;
    if !(Duration::from_secs(60)..=Duration::from_secs(365 * 86_400)).contains(&life) {
        let place = table.node("hold").map_or(table.place, |node| &node.place);
        let name = table.table.full_name("hold");
        let sentence = format!("`{name}` is not between 1m and 365d.");
        reader
            .context
            .error("mapping::out-of-range", place, sentence, "");
    }
    let most = table.count("most", 1, 1_000_000).unwrap_or(10_000);
    Some(OnMissingReference::Hold { life, most })
}

fn most_changes(reader: &Reader<'_>) -> Option<MostChanges> {
    let table = reader.table("most-changes")?;
    if !table.has("deactivations") && !table.has("percent") {
        table.missing("deactivations");
    }
    let deactivations = table.count("deactivations", 1, 1_000_000);
    let percent = table.count("percent", 1, 100);
    Some(MostChanges {
        deactivations,
        percent: percent.and_then(|percent| u8::try_from(percent).ok()),
        window: table
            .duration("window")
            .unwrap_or(Duration::from_secs(3600)),
    })
    .filter(|limit| limit.deactivations.is_some() || limit.percent.is_some())
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
