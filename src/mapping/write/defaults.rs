//! What a create makes of the lines that the client says nothing about (`on-create`), told as attributes.

use serde_json::{Map, Value};

use crate::{
    mapping::{model::TypeMapping, names::Names, read},
    scim::{AttributePath, Resource},
};

use super::{WriteError, fields::created_by_default};

/// Gives a wish the values that a new object would get by `on-create`, wherever it says none itself: an account that comes
/// back is to be like a new one.
///
/// A field whose line is read back is told as it will read; another (a password) by the attribute of its line.
///
/// # Errors
///
/// `invalidValue` for a template that cannot be worked out from this resource.
pub fn with_defaults(
    t: &TypeMapping,
    wish: &Resource,
    settings: &Map<String, Value>,
    names: &Names<'_>,
) -> Result<Resource, WriteError> {
    let mut whole = wish.clone();
    for rule in &t.attributes {
        let Some(value) = created_by_default(t, rule, wish, names)? else {
            continue;
        };
        let Some(write) = &rule.write else { continue };
        let path = &rule.location.path;
        if rule.read.is_none() {
            if rule.location.leaf() == AttributePath::of(&path.attribute) {
                whole.0.insert(path.attribute.clone(), value);
            }
            continue;
        }
        let mut object = Value::Object(Map::new());
        write.place.write(&mut object, value);
        let read = read::read(t, &object, settings, |other| other == path);
        add(&mut whole.0, read.resource.0);
    }
    Ok(whole)
}

/// Adds what is not there; of complex attributes the parts that are not there.
fn add(whole: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (whole.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(more)) => add(there, more),
            (Some(_), _) => {}
            (None, value) => {
                whole.insert(name, value);
            }
        }
    }
}
