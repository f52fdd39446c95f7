//! Members of a group as its own field lists them, and groups as the lists of users name them.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::mapping::{
    expression::EvaluateError,
    model::{MemberField, MemberOnUser, TypeMapping},
    names::Names,
    value::names_in,
};

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

/// What the lists of users name a group by; `names` are those that are known anyway.
///
/// # Errors
///
/// As [`crate::mapping::template::Template::render`].
pub fn name_on_users<'a>(
    on_user: &MemberOnUser,
    target_id: &str,
    object: &'a Value,
    mut names: Names<'a>,
) -> Result<String, EvaluateError> {
    let rendered = match &on_user.name {
        None => None,
        Some(template) => {
            names.with("id", Cow::Owned(json!(target_id)));
            names.object(object);
            template.render(&names)?
        }
    };
    Ok(rendered.unwrap_or_else(|| target_id.to_owned()))
}

/// What users' lists name the `fixed` groups by; without those whose name cannot be told from the configuration alone.
pub fn fixed_names_on_users(t: &TypeMapping, settings: &Map<String, Value>) -> Vec<String> {
    let Some(on_user) = t
        .members
        .as_ref()
        .and_then(|members| members.on_user.as_ref())
    else {
        return Vec::new();
    };
    let names = t.fixed.iter().filter_map(|object| {
        let mut known = Names::new();
        known.settings(settings);
        let id = super::target_id(t, object)?;
        name_on_users(on_user, &id, object, known).ok()
    });
    names.collect()
}

/// The groups that whoever is in no other has: what `default` names, as names are compared.
pub fn default_groups(on_user: &MemberOnUser) -> Vec<String> {
    let default = on_user.default.iter();
    let elements = default.flat_map(|default| names_in(&on_user.form, default));
    let names = elements.filter_map(|element| {
        let name = on_user.name_in(&element).unwrap_or(&element);
        Some(on_user.compared(&super::id_text(name)?).into_owned())
    });
    names.collect()
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
