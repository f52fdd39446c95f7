//! All calls of a mapping.

use crate::mapping::model::{Auth, Call, Mapping, Paging, Total, TypeMapping, UserGroups};

/// Every call of a resource type.
pub(super) fn of_type(resource_type: &TypeMapping) -> Vec<&Call> {
    let mut calls: Vec<&Call> = Vec::new();
    for list in &resource_type.lists {
        calls.push(&list.call);
        calls.extend(of_page(&list.page));
    }
    for find in &resource_type.finds {
        calls.extend(find.before.iter().chain([&find.call]));
    }
    let single = [&resource_type.get, &resource_type.delete];
    for operation in single
        .into_iter()
        .flatten()
        .chain(super::writes(resource_type))
    {
        calls.extend(&operation.steps);
    }
    if let Some(members) = &resource_type.members {
        calls.extend(members.read.iter().map(|read| &read.call));
        let changes = [&members.add, &members.remove, &members.replace];
        for change in changes.into_iter().flatten() {
            calls.extend(change.before.iter().chain([&change.call]));
        }
    }
    if let Some(UserGroups::Call { call, .. }) = &resource_type.groups {
        calls.push(call);
    }
    calls
}

/// Every call of a mapping.
pub(super) fn of_mapping(mapping: &Mapping) -> Vec<&Call> {
    let mut calls: Vec<&Call> = mapping.types.iter().flat_map(of_type).collect();
    calls.extend(&mapping.target.probe);
    for look_up in &mapping.look_ups {
        calls.push(&look_up.list.call);
        calls.extend(of_page(&look_up.list.page));
    }
    if let Auth::Login(login) = &mapping.target.auth {
        calls.extend(&login.steps);
    }
    calls
}

/// The calls that only a page's style has: the one that counts, and the one for later pages.
pub(super) fn of_page(page: &Paging) -> impl Iterator<Item = &Call> {
    let counting = match &page.total {
        Some(Total::Call(call, _)) => Some(&**call),
        _ => None,
    };
    counting.into_iter().chain(page.following.as_deref())
}
