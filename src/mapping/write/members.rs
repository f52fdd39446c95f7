//! Members of a group as a field of it.

use std::borrow::Cow;

use serde_json::Value;

use crate::mapping::{expression::EvaluateError, model::MemberField, names::Names};

/// The list as the application has it: bare ids, or one element each, made with `member` as the id.
///
/// `ids` are what the application calls the members, in the JSON type it has for them.
///
/// # Errors
///
/// As [`crate::mapping::template::Tree::render`].
pub fn member_list(
    field: &MemberField,
    ids: &[Value],
    names: &Names<'_>,
) -> Result<Vec<Value>, EvaluateError> {
    let Some(tree) = &field.element else {
        return Ok(ids.to_vec());
    };
    let mut list = Vec::with_capacity(ids.len());
    for id in ids {
        let mut scope = names.child();
        scope.with("member", Cow::Borrowed(id));
        list.extend(tree.render(&scope)?);
    }
    Ok(list)
}
