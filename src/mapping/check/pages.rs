//! Pages that a call names by itself: `{page.number}` where no parameter says it.

use super::names::used_in;
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    mapping::{
        expression::NamePath,
        model::{Call, Mapping, Paging, TypeMapping, UserGroups},
        page::{CURSOR, OFFSET, PAGE, SIZE, mark_of},
    },
};

pub(super) fn check(mapping: &Mapping, is_complete: bool, complaints: &mut Diagnostics) {
    for (call, page) in mapping.types.iter().flat_map(paged) {
        check_one(call, page, is_complete, complaints);
    }
    for look_up in &mapping.look_ups {
        check_one(
            &look_up.list.call,
            &look_up.list.page,
            is_complete,
            complaints,
        );
    }
}

/// The names that a page style gives to its call, as members of `page`.
pub(super) fn names_of(page: &Paging) -> Vec<&'static str> {
    let mark = mark_of(&page.style).map(|(name, _)| name);
    let size = page.size.as_ref().map(|_| SIZE);
    mark.into_iter().chain(size).collect()
}

/// The calls of a type that are read on.
fn paged(t: &TypeMapping) -> Vec<(&Call, &Paging)> {
    let lists = t.lists.iter().map(|list| (&list.call, &list.page));
    let finds = t.finds.iter().map(|find| (&find.call, &find.page));
    let read = t.members.as_ref().and_then(|members| members.read.as_ref());
    let members = read.map(|read| (&read.call, &read.page));
    let groups = match &t.groups {
        Some(UserGroups::Call { call, page, .. }) => Some((&**call, &**page)),
        _ => None,
    };
    lists.chain(finds).chain(members).chain(groups).collect()
}

fn check_one(call: &Call, page: &Paging, is_complete: bool, complaints: &mut Diagnostics) {
    let known = names_of(page);
    let following = page.following.as_deref();
    let used: Vec<Option<String>> = [Some(call), following]
        .into_iter()
        .flatten()
        .flat_map(names_of_page)
        .collect();
    if known.is_empty() {
        return;
    }
    let mut is_misspelt = false;
    let words: Vec<String> = known.iter().map(|name| format!("`page.{name}`")).collect();
    for name in &used {
        if name.as_deref().is_some_and(|name| known.contains(&name)) {
            continue;
        }
        is_misspelt = true;
        let name = name
            .as_deref()
            .map_or(String::new(), |name| format!(".{name}"));
        let sentence = format!("`{PAGE}{name}` is not known here.");
        complaints.add(
            Diagnostic::error("mapping::unknown-name", sentence)
                .at(&call.place)
                .mend(format!("this page style gives {}", words.join(" and "))),
        );
    }
    // The application decides how many there are where the next page's address comes from it, or where there is none.
    let size = mark_of(&page.style).and(page.size.as_ref());
    let size = size.map(|size| (SIZE, SIZE_KEY, size.parameter.as_ref()));
    let mark = mark_of(&page.style).map(|(name, parameter)| (name, key_of(name), parameter));
    for (name, key, parameter) in mark.into_iter().chain(size) {
        let is_said = parameter.is_some() || used.iter().flatten().any(|used| used == name);
        if is_said || is_misspelt || !is_complete {
            continue;
        }
        let sentence = format!("Nothing says where this call has its page's {name}.");
        complaints.add(
            Diagnostic::error("mapping::page-unsaid", sentence)
                .at(&call.place)
                .mend(format!(
                    "name it in the call, `{{page.{name}}}`, or give it a parameter in the page style: `{key}`"
                )),
        );
    }
}

/// The members of `page` that a call names; absent for `page` alone.
fn names_of_page(call: &Call) -> impl Iterator<Item = Option<String>> {
    let is_page = |name: &NamePath| name.names.first().is_some_and(|first| first == PAGE);
    let names = used_in(call).into_iter().filter(is_page);
    names.map(|name| name.names.get(1).cloned())
}

/// How a page's mark is given a parameter.
fn key_of(name: &str) -> &'static str {
    match name {
        OFFSET => "start = \"…\"",
        CURSOR => "parameter = \"…\"",
        _ => "number = \"…\"",
    }
}

const SIZE_KEY: &str = "size = { parameter = \"…\" }";
