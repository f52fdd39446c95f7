//! Members that are users and groups: each must be told from the other, in what is read and in what a client sends.

use std::collections::HashMap;

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place},
    mapping::{
        model::{Mapping, MemberCall, Members, TypeMapping},
        read,
        template::Tree,
        write,
    },
};

use super::{names, place::narrowed};

/// Complaints about `[group.members]`. What may only be missing because it could not be read is not complained about.
pub(super) fn check(
    mapping: &Mapping,
    resource_type: &TypeMapping,
    is_complete: bool,
    complaints: &mut Diagnostics,
) {
    empty_first(resource_type, is_complete, complaints);
    covered_groups(mapping, resource_type, complaints);
    let Some(members) = &resource_type.members else {
        return;
    };
    on_user(members, complaints);
    fixed_names(mapping, resource_type, complaints);
    for change in [&members.add, &members.remove, &members.replace]
        .into_iter()
        .flatten()
    {
        list_in_path(change, complaints);
        if is_complete {
            nobody_named(change, complaints);
        }
    }
    let Some((place, tells_kinds)) = reading(members) else {
        return;
    };
    let nests = members.types.iter().any(|name| name == "Group");
    let is_mixed = nests && members.types.iter().any(|name| name == "User");
    if tells_kinds && !is_mixed {
        let sentence = "Members are told apart here, but `group.members.types` has only one type.";
        complaints.add(
            Diagnostic::error("mapping::conflicting-keys", sentence)
                .at(place)
                .mend("say `types = [\"User\", \"Group\"]`, or leave out what tells them apart"),
        );
    }
    if is_mixed && !tells_kinds && is_complete {
        let sentence = "Members are users and groups, and nothing says which is which: all would be read as users.";
        complaints.add(
            Diagnostic::error("mapping::members-incomplete", sentence)
                .at(place)
                .mend("say which are groups, for example `is-group = \"kind == 'group'\"`"),
        );
    }
    let of = |name: &str| {
        let mut types = mapping.types.iter();
        types.find(|t| t.resource_type.name == name)
    };
    if let (true, Some(users), Some(groups)) = (is_mixed && is_complete, of("User"), of("Group"))
        && users.id.is_stable
        && groups.id.is_stable
        && users.id.prefix == groups.id.prefix
    {
        let sentence = "A member's id would not say whether it is a user or a group.";
        complaints.add(
            Diagnostic::error("mapping::members-ambiguous", sentence)
                .at(place)
                .mend("give the groups' ids a prefix: `[group] id = { from = '$.id', prefix = \"g-\" }`"),
        );
    }
}

/// An update for users' groups, where no list on the user is written.
fn covered_groups(mapping: &Mapping, groups: &TypeMapping, complaints: &mut Diagnostics) {
    let members = groups.members.as_ref();
    if groups.section != "group" || members.is_some_and(|one| one.written_on_user().is_some()) {
        return;
    }
    let updates = mapping.types.iter().flat_map(|of| &of.updates);
    for update in updates.filter(|update| update.covers.iter().any(write::is_groups)) {
        let sentence = "No client changes a user's `groups`, and `[group.members]` has no list on the user that this update would write.";
        complaints.add(
            Diagnostic::error("mapping::unreachable-operation", sentence)
                .at(&narrowed(&update.place, "groups"))
                .mend("say where the list is, `[group.members] on-user = { field = 'groups' }`, without `add`, `remove` and `replace`; or leave `groups` out"),
        );
    }
}

/// A group that is to be emptied before it is deleted needs a way to take members out that is not its own update.
fn empty_first(groups: &TypeMapping, is_complete: bool, complaints: &mut Diagnostics) {
    let Some(delete) = groups.delete.as_ref().filter(|one| one.empties_first) else {
        return;
    };
    let members = groups.members.as_ref();
    let can_remove = members.is_some_and(|members| {
        members.remove.is_some() || members.replace.is_some() || members.written_on_user().is_some()
    });
    if can_remove || !is_complete {
        return;
    }
    let (sentence, mending) = match members {
        Some(members) if members.are_in_object() => (
            "`empty-first` takes members out by calls of their own, and here the group's update writes them.",
            "empty the list by a step: `steps = [{ call = \"PUT /groups/{id}\", body = { members = [] } }, \"DELETE /groups/{id}\"]`",
        ),
        _ => (
            "`empty-first`, and no call takes a member out of a group.",
            "say how in `[group.members]`: `remove = \"…\"`, `replace` or `on-user`",
        ),
    };
    let complaint = Diagnostic::error("mapping::members-incomplete", sentence);
    complaints.add(complaint.at(&delete.place).mend(mending));
}

/// Objects that are read and texts that are written: of the groups a user has already, only the name is known.
fn on_user(members: &Members, complaints: &mut Diagnostics) {
    let Some(rule) = &members.on_user else {
        return;
    };
    let (Some(_), Some(Tree::Leaf(element))) = (&rule.id, &rule.element) else {
        return;
    };
    let names = element.names().into_iter();
    let mut firsts = names.filter_map(|name| name.names.into_iter().next());
    let Some(other) = firsts.find(|name| !["group", "settings", "login"].contains(&name.as_str()))
    else {
        return;
    };
    let sentence = format!(
        "The user's list is read as objects and written as texts or numbers, and `{other}` is not known of the groups that a user has already."
    );
    complaints.add(
        Diagnostic::error("mapping::members-incomplete", sentence)
            .at(&rule.at)
            .mend("let `id` and `name` be what is written, and write `element = \"{group}\"`; or write objects"),
    );
}

/// A change that does not say whose membership changes, or says it of one member where several are sent.
fn nobody_named(change: &MemberCall, complaints: &mut Diagnostics) {
    let steps = || change.before.iter().chain([&change.call]);
    let names = |name: &str| steps().any(|call| names::uses(call, name));
    // Another name may be meant: if it is none, that is told of it.
    let known = [
        "group", "id", "scim", "old", "settings", "login", "type", "method",
    ];
    let names_another = || {
        let used = steps().flat_map(crate::mapping::model::Call::names);
        let mut firsts = used.filter_map(|name| name.names.into_iter().next());
        firsts.any(|first| !known.contains(&first.as_str()))
    };
    let (sentence, mending) = match (names("member"), names("members")) {
        (true, false) if change.batch.is_some_and(|most| most > 1) => (
            "Several members are sent at once (`batch`), and the call names one, `{member}`.",
            "write `{members}`, the list of them, or leave out `batch`",
        ),
        (false, false) if !names_another() => (
            "This call does not say whose membership changes.",
            "put `{member}` into the path, the query or the body, or `{members}` for several at once",
        ),
        _ => return,
    };
    complaints.add(
        Diagnostic::warning("mapping::no-object-named", sentence)
            .at(&change.call.place)
            .mend(mending),
    );
}

/// Fixed groups that users' lists would take for one, and one that nobody can be taken out of.
fn fixed_names(mapping: &Mapping, groups: &TypeMapping, complaints: &mut Diagnostics) {
    let Some(rule) = groups.members.as_ref().and_then(|m| m.on_user.as_ref()) else {
        return;
    };
    let defaults = read::default_groups(rule);
    let mut seen: HashMap<String, String> = HashMap::new();
    for name in read::fixed_names_on_users(groups, &mapping.settings) {
        let compared = rule.compared(&name).into_owned();
        if defaults.contains(&compared) {
            let sentence = format!(
                "`default` gives the group `{name}` to whoever is in no other: nobody can be taken out of it as the last one, which is answered 400."
            );
            complaints.add(
                Diagnostic::warning("mapping::default-is-a-group", sentence)
                    .at(&narrowed(&rule.at, "default"))
                    .mend("take that group out of `fixed`, so that no provider assigns it, or say another `default`"),
            );
        }
        if let Some(other) = seen.insert(compared, name.clone()) {
            let sentence = format!(
                "`{other}` and `{name}` are one group in users' lists: letter case does not tell them apart there."
            );
            complaints.add(
                Diagnostic::error("mapping::members-ambiguous", sentence)
                    .at(&rule.at)
                    .mend("say `case-exact = true` if they are two groups of the application, or take one out of `fixed`"),
            );
        }
    }
}

/// A call with the list of members as a segment of its path, which has no text.
fn list_in_path(change: &MemberCall, complaints: &mut Diagnostics) {
    for call in change.before.iter().chain([&change.call]) {
        if !call.path.source().contains("{members}") {
            continue;
        }
        let complaint = Diagnostic::error(
            "mapping::bad-call",
            "`{members}` is a list, and a path has room for one value.",
        );
        let place = narrowed(&call.place, "members");
        complaints.add(
            complaint
                .at(&place)
                .mend("`{member}` is each of them; a list is `{members | join(\",\")}`"),
        );
    }
}

/// Where the mapping says how members are read, and whether it tells users from groups there; absent where membership is
/// kept on users, who are all there can be.
fn reading(members: &Members) -> Option<(&Place, bool)> {
    match (&members.field, &members.read) {
        (Some(field), _) => Some((
            &field.at,
            field.is_group.is_some() || field.groups.is_some(),
        )),
        (None, Some(read)) => Some((&read.call.place, read.is_group.is_some())),
        (None, None) => None,
    }
}
