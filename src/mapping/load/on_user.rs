//! `[group.members.on-user]`: membership that is kept on the user.

use std::{borrow::Cow, collections::HashSet};

use serde_json::Value;

use crate::mapping::{
    model::{MemberOnUser, TypeMapping},
    names::Names,
    read,
};

use super::{
    form,
    members::required_place,
    reader::Reader,
    shape::{Key, Kind, Shape, key},
    syntax,
};

const AS: Key = key(
    "as",
    form::AS_KINDS,
    "a list",
    "`\"joined\"` or `{ joined = \";\" }`: the names are one text, with commas or that separator. Those \
     that name no known group are kept.",
    "{ joined = \",\" }",
);
pub(super) static ON_USER: Shape = Shape {
    name: "`[group.members.on-user]`",
    about: "Membership is kept on the user: the list of groups, or the single group, in the user object. With `add` and `remove`, or `replace`, it is read there and changed by \
            these calls; otherwise the user's update writes it. Elements that are neither texts \
            nor numbers need `id` and `element`: without them nothing is read or written, and the answer is 502.",
    keys: &[
        key(
            "field",
            Kind::Place,
            "required",
            "The list or value in the user object.",
            "'roles'",
        ),
        key(
            "single",
            Kind::Flag,
            "false",
            "A user has one group at most.",
            "true",
        ),
        key(
            "name",
            Kind::Template,
            "the group's id",
            "How a group is named there; the names are the group object's members.",
            "\"{name}\"",
        ),
        key(
            "id",
            Kind::Path,
            "the element itself",
            "Where an element of the list has its group's name, if it is an object. Elements keep what else they have, unless `element` is a text or a number.",
            "'$.name'",
        ),
        key(
            "element",
            Kind::Tree,
            "the bare name",
            "An element as written, where it is read as an object; `{group}` is the group's name there, the other names are the group object's members. `\"{group}\"` alone: the list is read as objects and written as bare names, all of them.",
            "{ name = \"{group}\" }",
        ),
        AS,
        key(
            "default",
            Kind::Any,
            "null, an empty list or an empty text",
            "What the field gets when the last group is taken away. Templates in it know `settings` alone.",
            "\"subscriber\"",
        ),
        key(
            "case-exact",
            Kind::Flag,
            "false where groups are `fixed` and differ in more than letter case, otherwise true",
            "Whether letter case and space around a name tell groups apart in users' lists, here and in `[user.groups]`.",
            "true",
        ),
    ],
    base: None,
    others: None,
};

/// The table, if there is one; only read where calls change the members.
pub(super) fn on_user(reader: &Reader<'_>, is_only_read: bool) -> Option<MemberOnUser> {
    let on_user = reader.table("on-user")?;
    if !is_only_read {
        complain_about_elements(&on_user);
    }
    Some(MemberOnUser {
        place: required_place(&on_user)?,
        is_single: on_user.flag("single").unwrap_or(false),
        name: syntax::template_at(&on_user, "name"),
        id: syntax::path_at(&on_user, "id"),
        element: on_user
            .node("element")
            .and_then(|node| syntax::tree(reader.context, node)),
        at: on_user.place.clone(),
        form: form::list_form(&on_user),
        default: default_of(&on_user),
        is_case_exact: on_user.flag("case-exact").unwrap_or(true),
    })
}

/// What the field gets when nobody's group is left in it: made of the settings once, when the file is read.
fn default_of(on_user: &Reader<'_>) -> Option<Value> {
    let node = on_user.node("default")?;
    let tree = syntax::tree(on_user.context, node)?;
    let complain = |code, sentence: String, mending: &str| {
        on_user.context.error(code, &node.place, sentence, mending);
    };
    for name in tree.names() {
        let whole = name.names.join(".");
        let Some(("settings", setting)) = name.names.split_first().map(|(f, r)| (f.as_str(), r))
        else {
            let mending = "`default` knows `settings` alone; a brace is written `{{`";
            complain(
                "mapping::unknown-name",
                format!("`{whole}` is not known here."),
                mending,
            );
            return None;
        };
        let setting = setting.first().map_or("NAME", String::as_str);
        if !on_user.context.settings.borrow().contains_key(setting) {
            let mending = format!("add `{setting} = …` to `[settings]`");
            let sentence = format!("`settings.{setting}` is not set.");
            complain("mapping::unknown-setting", sentence, &mending);
            return None;
        }
    }
    let settings = Value::Object(on_user.context.settings.borrow().clone());
    let mut names = Names::default();
    names.with("settings", Cow::Borrowed(&settings));
    let rendered = tree.render(&names).ok().flatten();
    if rendered.is_none() {
        let mending = "see that its settings fit together: a text and a list have no sum";
        complain(
            "mapping::bad-value",
            "This default comes to nothing.".to_owned(),
            mending,
        );
    }
    rendered
}

/// Decides how names on users are compared where the file does not say it: those of `fixed` groups by their letters, unless two
/// of them differ in letter case alone.
pub(super) fn settle_case(section: &Reader<'_>, mapping: &mut TypeMapping) {
    if mapping.members.is_none() {
        return;
    }
    let is_said = section.context.muted(|| {
        let on_user = section.table("members")?.table("on-user")?;
        Some(on_user.has("case-exact"))
    });
    let names = read::fixed_names_on_users(mapping, &section.context.settings.borrow());
    let on_user = mapping
        .members
        .as_mut()
        .and_then(|members| members.on_user.as_mut());
    let (Some(on_user), Some(false), false) = (on_user, is_said, names.is_empty()) else {
        return;
    };
    let folded: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    on_user.is_case_exact = folded.len() < names.len();
}

/// Elements that could be read but not made, or made but not read.
fn complain_about_elements(on_user: &Reader<'_>) {
    let (has_id, has_element) = (on_user.has("id"), on_user.has("element"));
    let complain = |sentence: &str, mending: &str| {
        let place = on_user.place;
        let code = "mapping::members-incomplete";
        on_user
            .context
            .error(code, place, sentence.to_owned(), mending);
    };
    if has_id && !has_element {
        complain(
            "The elements of the user's list are objects (`id`), and nothing says how one is made.",
            "add `element = { name = \"{group}\" }`",
        );
    }
    if has_element && !has_id {
        complain(
            "The elements of the user's list are made as objects (`element`), and nothing says how their group is told.",
            "add `id = '$.name'`",
        );
    }
    if (has_id || has_element) && on_user.has("as") {
        complain(
            "Names that are joined to one text (`as`) have no `id` and no `element`.",
            "leave `as` out, or `id` and `element`",
        );
    }
}
