//! The id that an object gets by its own fields, where the application names objects by a field that clients choose.

use serde_json::{Map, Value};

use crate::{
    mapping::{model::TypeMapping, path::FieldPlace},
    scim::{Error, ScimType},
};

use super::{context::Context, identity::has_form_of_id, user_groups::text_of};

/// The id that the fields give the object, where the id is one of them and can change.
pub fn in_fields(t: &TypeMapping, fields: &Map<String, Value>) -> Option<String> {
    match t.id.is_stable {
        true => None,
        false => any_in(t, fields),
    }
}

/// Sees that the object can be named afterwards: one that has an id which no call can send could neither be read nor deleted.
///
/// # Errors
///
/// 400 `invalidValue` for the attribute that is the id.
pub fn check(ctx: &Context, t: &TypeMapping, fields: &Map<String, Value>) -> Result<(), Error> {
    let Some(key) = any_in(t, fields) else {
        return Ok(());
    };
    let is_dots = matches!(key.split(';').next(), Some("" | "." | ".."));
    if has_form_of_id(ctx, t, &key) && !(is_dots && is_in_paths(t)) {
        return Ok(());
    }
    let place = t.id.from.as_place();
    let source = place.as_ref().map(FieldPlace::source);
    let mut lines = t.attributes.iter();
    let line = lines.find(|line| {
        let write = line.write.as_ref();
        write.is_some_and(|write| Some(write.place.source()) == source)
    });
    let name = line.map_or(t.match_attribute.to_string(), |line| {
        line.location.leaf().to_string()
    });
    Err(Error::of(
        ScimType::InvalidValue,
        format!(
            "The application names its {} objects by `{name}`, and this value can be no such name: it may not be empty, `.` or `..`, nor hold control characters or what the mapping excludes from ids.",
            t.resource_type.name
        ),
    ))
}

fn any_in(t: &TypeMapping, fields: &Map<String, Value>) -> Option<String> {
    let place = t.id.from.as_place()?;
    text_of(place.read(&Value::Object(fields.clone())))
}

/// Whether a call names the object in its path.
fn is_in_paths(t: &TypeMapping) -> bool {
    let operations = [&t.get, &t.delete].into_iter().flatten();
    let mut calls = operations.chain(&t.updates).flat_map(|one| &one.steps);
    calls.any(|call| call.path.names().iter().any(|name| name.is_of(&["id"])))
}
