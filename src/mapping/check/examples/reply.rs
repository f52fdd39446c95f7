//! A reply of the application, and the resource it means.

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::mapping::{
    model::{Mapping, Operation, TypeMapping},
    read,
    reply::Reply,
};

use super::compare;

/// Reads an object as a `get` would and compares; `expect = false` says that it is not shown.
pub(super) fn run(
    mapping: &Mapping,
    section: &TypeMapping,
    settings: &Map<String, Value>,
    data: &Value,
    expect: &Value,
) -> Result<(), String> {
    let reply = as_reply(mapping, 200, data);
    let object = object(section, &reply);
    if let Some(id) = read::target_id(section, &object) {
        let pattern = section.id.pattern.as_ref();
        if !pattern.unwrap_or(&mapping.target.id_pattern).is_match(&id) {
            return Err(format!(
                "the id `{id}` does not look as `id-pattern` says: no client could ask for it; `id = {{ …, pattern = '…' }}` in the \
                 section is for this type alone"
            ));
        }
    }
    let is_shown =
        read::is_in_scope(section, &object, settings) && !read::is_gone(section, &object, settings);
    match (is_shown, expect) {
        (false, Value::Bool(false)) => return Ok(()),
        (true, Value::Bool(false)) => return Err("the object is shown".to_owned()),
        (false, _) => {
            return Err(
                "the object is not shown: `scope`, `hide` or `gone` leave it out".to_owned(),
            );
        }
        (true, _) => {}
    }
    compare::contains(&Value::Object(resource(section, settings, &object)), expect).map_err(
        |difference| match absent_object(section, &reply) {
            Some(path) => format!(
                "{difference}; the reply has nothing at `{path}`, so the whole of it was read"
            ),
            None => difference,
        },
    )
}

/// The place where `get` looks for the object, if the reply has none there.
fn absent_object<'s>(section: &'s TypeMapping, reply: &Reply) -> Option<&'s str> {
    let get = section.get.as_ref()?;
    let path = get.object.as_ref()?;
    in_reply(get, reply).is_none().then(|| path.source())
}

/// Data as the application would send it; text is the body itself.
pub(super) fn as_reply(mapping: &Mapping, status: u16, data: &Value) -> Reply {
    let body = match data {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        data => data.to_string(),
    };
    Reply::new(status, HeaderMap::new(), body.as_bytes(), &mapping.target)
}

/// The object in a reply: where `get` says, else `create`; the whole content if it is not there, so that an example can
/// show a row of a list as well.
fn object(section: &TypeMapping, reply: &Reply) -> Value {
    let operations = [&section.get, &section.create];
    let found = operations
        .into_iter()
        .flatten()
        .find_map(|operation| in_reply(operation, reply))
        .unwrap_or(&reply.content);
    found.clone()
}

fn in_reply<'r>(operation: &Operation, reply: &'r Reply) -> Option<&'r Value> {
    let object = match (&operation.object, &operation.envelope) {
        (Some(path), _) => reply.find(path),
        (None, Some(envelope)) => reply.content.get(envelope),
        (None, None) => Some(&reply.content),
    };
    object.filter(|object| object.is_object())
}

/// The resource an object reads as, its id included where the application's is the SCIM id.
pub(super) fn resource(
    section: &TypeMapping,
    settings: &Map<String, Value>,
    object: &Value,
) -> Map<String, Value> {
    let read = read::read(section, object, settings, |_| true);
    let mut resource = read.resource.0;
    if let (Some(id), true) = (read.target_id, section.id.is_stable) {
        resource.insert("id".to_owned(), Value::from(section.id.to_scim(&id)));
    }
    resource
}
