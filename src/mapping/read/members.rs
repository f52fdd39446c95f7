//! Members of a group as its own field lists them.

use serde_json::Value;

use crate::mapping::{model::MemberField, names::Names};

/// A member as the application lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedMember {
    /// Its id there; absent if the element has none where the mapping looks for it.
    pub id: Option<String>,
    /// Whether it is a nested group.
    pub is_group: bool,
}

/// The members that a group object lists itself (`members.field`); `own` are the names known beside an element.
pub fn listed_members(field: &MemberField, object: &Value, own: &Names<'_>) -> Vec<ListedMember> {
    let id = |item| {
        let found = match &field.id {
            Some(path) => path.first(item),
            None => Some(item),
        };
        super::id_text(found?)
    };
    let members = items(field.place.read(object)).map(|item| ListedMember {
        id: id(item),
        is_group: field
            .is_group
            .as_ref()
            .is_some_and(|rule| rule.holds_for(item, own)),
    });
    let place = field.groups.as_ref();
    let groups = items(place.and_then(|place| place.read(object))).map(|item| ListedMember {
        id: id(item),
        is_group: true,
    });
    members.chain(groups).collect()
}

/// Whether an item of a list says that there is none: the only thing that may have no id.
pub fn is_nobody(item: &Value) -> bool {
    item.is_null() || item.as_str().is_some_and(str::is_empty)
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    let items = match list {
        Some(Value::Array(items)) => items.as_slice(),
        None => &[],
        Some(single) => std::slice::from_ref(single),
    };
    items.iter().filter(|item| !is_nobody(item))
}
