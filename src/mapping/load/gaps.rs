//! What a section as a whole lacks.

use crate::mapping::model::{
    AttributeRule, ListOperation, OnDelete, OnRename, PageStyle, Policy, Rows, TypeMapping,
};

use super::{reader::Reader, tree::Node};

/// Complaints about what a section lacks. Only asked when everything in it could be read.
pub(super) fn check(reader: &Reader<'_>, section: &TypeMapping) {
    unreadable(reader, section);
    unmatched(reader, section);
    never_inactive(reader, section);
    rename_of_key(reader, section);
}

/// Neither a list nor a get.
fn unreadable(reader: &Reader<'_>, section: &TypeMapping) {
    // `fixed = []` says that there are none.
    if reader.has("fixed") {
        return;
    }
    let (is_error, sentence, mending) = match (section.lists.is_empty(), section.get.is_none()) {
        (true, true) => (
            true,
            format!(
                "`{}` can be neither listed nor read: it has no `list` and no `get`.",
                section.section
            ),
            "add `[user.list]` and `get`",
        ),
        (true, false) => (
            false,
            format!(
                "`{}` has no `list`: clients cannot search or import.",
                section.section
            ),
            "add a `list`; filters that have a `find` are answered without one",
        ),
        // One call either way.
        (false, true) if section.lists.iter().all(is_read_at_once) => return,
        // Said on purpose, or known a better way.
        (false, true) if reader.node("get").is_some_and(Node::is_false) => return,
        (false, true) if section.find_of_id().is_some() => return,
        (false, true) => (
            false,
            format!(
                "`{}` has no `get`: one object is looked for in the whole list.",
                section.section
            ),
            "add `get = \"GET /…/{id}\"`, or a `[[….find]]` with `filter = \"id eq\"`; `get = false` says that it is meant so",
        ),
        (false, false) => return,
    };
    if is_error {
        reader.context.gap(
            "mapping::missing-operation",
            reader.place,
            sentence,
            mending,
        );
    } else {
        reader.context.warning(
            "mapping::missing-operation",
            reader.place,
            sentence,
            mending,
        );
    }
}

fn is_read_at_once(list: &ListOperation) -> bool {
    matches!(list.page.style, PageStyle::None) && list.rows == Rows::Complete
}

/// No line for the attribute by which duplicates are known.
fn unmatched(reader: &Reader<'_>, section: &TypeMapping) {
    let is_mapped = section.attributes.iter().any(|line| {
        line.location
            .path
            .is_same_attribute(&section.match_attribute)
    });
    if is_mapped {
        return;
    }
    let place = reader
        .entry("match")
        .map_or(reader.place, |entry| &entry.place);
    reader.context.gap(
        "mapping::match-not-mapped",
        place,
        format!(
            "`{}` has no line for `{}`, by which duplicates are known.",
            section.section, section.match_attribute
        ),
        "add a line for it to the attributes, or choose another with `match`",
    );
}

/// Users whom no client could deactivate.
fn never_inactive(reader: &Reader<'_>, section: &TypeMapping) {
    if section.section != "user" {
        return;
    }
    if has_active_line(section) {
        only_read(reader, section);
        return;
    }
    if section.deactivate.is_some() || section.activate.is_some() {
        reader.context.warning(
            "mapping::state-not-shown",
            reader.place,
            "`active` is set by calls of its own, and no line reads it: no client sees who is inactive.".to_owned(),
            "add `'active' = { read = '$.…' }`",
        );
        return;
    }
    reader.context.warning(
        "mapping::no-deactivation",
        reader.place,
        "Users cannot be deactivated: no line for `active`, and no `deactivate`.".to_owned(),
        "identity providers deactivate where they could delete; add `'active' = …`",
    );
}

/// A line for `active` that nothing writes.
fn only_read(reader: &Reader<'_>, section: &TypeMapping) {
    let mut lines = section.attributes.iter().filter(|line| is_active(line));
    let is_meant = reader
        .node("deactivate")
        .is_some_and(|node| node.is_false());
    let can = is_meant
        || section.deactivate.is_some()
        || lines.any(|line| line.is_kept || line.write.is_some());
    if can {
        return;
    }
    reader.context.warning(
        "mapping::no-deactivation",
        reader.place,
        "Users cannot be deactivated: the line for `active` only reads, and there is no `deactivate`.".to_owned(),
        "identity providers deactivate where they could delete, and are answered 501; write the field, or add `deactivate = …`; `deactivate = false` says that the application cannot",
    );
}

fn is_active(line: &AttributeRule) -> bool {
    line.location.path.schema.is_none() && line.location.path.attribute == "active"
}

fn has_active_line(section: &TypeMapping) -> bool {
    section.attributes.iter().any(is_active)
}

/// A stable id that is read from the very field the match attribute is written to.
fn rename_of_key(reader: &Reader<'_>, section: &TypeMapping) {
    let key = section.id.from.as_place();
    let is_key = section.attributes.iter().any(|line| {
        let is_match = line
            .location
            .path
            .is_same_attribute(&section.match_attribute);
        let place = line.write.as_ref().map(|write| &write.place);
        is_match && !line.is_create_only && key.is_some() && place == key.as_ref()
    });
    if is_key && section.id.is_stable && !section.updates.is_empty() {
        let place = reader
            .entry("id")
            .map_or(reader.place, |entry| &entry.place);
        reader.context.warning(
            "mapping::changeable-id",
            place,
            format!(
                "The id of `{}` is the field of `{}`, which can change.",
                section.section, section.match_attribute
            ),
            "`id = { from = '$.…', stable = false }` keeps the SCIM id when it does",
        );
    }
}

/// A policy about renaming that needs an id of the gateway's own.
pub(super) fn renaming(reader: &Reader<'_>, policy: &Policy, types: &[TypeMapping]) {
    let user = types.iter().find(|t| t.section == "user");
    if policy.on_rename != OnRename::Recreate || user.is_none_or(|user| !user.id.is_stable) {
        return;
    }
    let place = reader
        .node("on-rename")
        .map_or(reader.place, |node| &node.place);
    let from = user.map_or("$.…", |user| user.id.from.source());
    reader.context.gap(
        "mapping::recreate-with-stable-id",
        place,
        "A renamed account is to be made anew under the same SCIM id, but that id is the application's own.".to_owned(),
        &format!("`[user] id = {{ from = '{from}', stable = false }}` lets the gateway keep an id of its own"),
    );
}

/// A policy about DELETE that the application cannot carry out.
pub(super) fn deletion(reader: &Reader<'_>, policy: &Policy, types: &[TypeMapping]) {
    let Some(user) = types.iter().find(|t| t.section == "user") else {
        return;
    };
    let (sentence, mending) = match policy.on_delete {
        OnDelete::Delete if user.delete.is_none() => (
            "A DELETE of a user is to delete, but `[user]` has no `delete`.",
            "add one, or `on-delete = \"deactivate\"`",
        ),
        OnDelete::Deactivate if user.deactivate.is_none() && !has_active_line(user) => (
            "A DELETE of a user is to deactivate, but nothing can.",
            "add a line for `active` or a `deactivate`",
        ),
        _ => return,
    };
    let place = reader
        .node("on-delete")
        .map_or(reader.place, |node| &node.place);
    reader.context.gap(
        "mapping::missing-operation",
        place,
        sentence.to_owned(),
        mending,
    );
}
