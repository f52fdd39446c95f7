//! Members of a group as a field of it.

use std::borrow::Cow;

use serde_json::Value;

use crate::mapping::{
    expression::EvaluateError, model::MemberField, names::Names, path::FieldPlace, template::Tree,
};

/// A member as an element of a list: its bare id, or what the mapping makes of it with `member` as the id and `type` as what
/// it is. Absent if the mapping makes nothing of it.
///
/// # Errors
///
/// As [`Tree::render`].
pub fn member_element(
    element: Option<&Tree>,
    id: &Value,
    of: &Value,
    names: &Names<'_>,
) -> Result<Option<Value>, EvaluateError> {
    let Some(tree) = element else {
        return Ok(Some(id.clone()));
    };
    let mut scope = names.child();
    scope.with("member", Cow::Borrowed(id));
    scope.with("type", Cow::Borrowed(of));
    tree.render(&scope)
}

/// The lists as the application has them, each with its place: bare ids, or one element each, made with `member` as the
/// id and `type` as what it is. Nested groups are among the others unless they have a list of their own.
///
/// `ids` are what the application calls the members, in the JSON type it has for them; `types` say of each whether it is
/// a `User` or a `Group`.
///
/// # Errors
///
/// As [`crate::mapping::template::Tree::render`].
pub fn member_lists<'f>(
    field: &'f MemberField,
    ids: &[Value],
    types: &[Value],
    names: &Names<'_>,
) -> Result<Vec<(&'f FieldPlace, Value)>, EvaluateError> {
    let (mut members, mut groups) = (Vec::with_capacity(ids.len()), Vec::new());
    for (id, of) in ids.iter().zip(types) {
        let list = match field.groups {
            Some(_) if of == "Group" => &mut groups,
            _ => &mut members,
        };
        list.extend(member_element(field.element.as_ref(), id, of, names)?);
    }
    let members = (&field.place, Value::Array(members));
    let groups = field
        .groups
        .as_ref()
        .map(|place| (place, Value::Array(groups)));
    Ok([members].into_iter().chain(groups).collect())
}
