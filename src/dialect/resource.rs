//! The body of a POST or PUT: names in the schema's spelling and place, values in its types.

use serde_json::{Map, Value, map::Entry};

use super::{
    context::{Mender, shown},
    paths::{self, Found, Target},
    quirks::{EXTENSION_AT_ROOT, KEYS_ARE_PATHS, SCHEMA_NAMES, SCHEMAS_LIST, UNKNOWN, scim_1},
    schemas,
    values::{self, Purpose},
};
use crate::scim::{Attribute, AttributePath, Error, Schema};

/// Puts a body in RFC form. What cannot be mended stays, for `scim` to refuse.
///
/// # Errors
///
/// `invalidSyntax` for SCIM 1.1, `invalidPath` for a key that only looks like a path.
pub(super) fn mend(m: &mut Mender<'_>, body: Value, purpose: Purpose) -> Result<Value, Error> {
    let Value::Object(given) = body else {
        return Ok(body);
    };
    scim_1::refuse_resource(m, &given)?;
    let mut body = Body {
        purpose,
        resource: Map::new(),
        elsewhere: Vec::new(),
    };
    let mut urns = None;
    for (key, value) in given {
        if key.eq_ignore_ascii_case("schemas") {
            urns = Some(value);
        } else {
            body.place(m, key, value)?;
        }
    }
    body.place_elsewhere();
    if urns.is_some() || m.is_on(&SCHEMAS_LIST) {
        let present = m.rt.extensions.iter().map(|e| e.schema.id.as_str());
        let urns = schemas::list(
            m,
            urns,
            present.filter(|id| body.resource.contains_key(*id)),
        );
        body.resource.shift_insert(0, "schemas".to_owned(), urns);
    }
    Ok(Value::Object(body.resource))
}

/// A resource in the making.
struct Body {
    purpose: Purpose,
    resource: Map<String, Value>,
    /// What was found under another name than its own. What stands in its own place goes before it.
    elsewhere: Vec<(AttributePath, Value)>,
}

impl Body {
    /// Puts one member of the body where it belongs.
    fn place(&mut self, m: &mut Mender<'_>, key: String, value: Value) -> Result<(), Error> {
        let rt = m.rt;
        if let Some(attribute) = rt
            .resolve(&AttributePath::of(key.as_str()))
            .and_then(|r| r.attribute)
        {
            let value = self.own(m, attribute, value);
            self.resource.insert(attribute.name.clone(), value);
            return Ok(());
        }
        if let Some(schema) = schemas::meant(rt, &key) {
            return self.place_extension(m, schema, &key, value);
        }
        let is_path = key.contains([':', '.']) && !key.contains('[');
        if is_path && m.is_on(&KEYS_ARE_PATHS) {
            return self.place_path(m, &key, value);
        }
        let target = paths::in_one_extension(m, &key, None);
        if let Some(target) = target.filter(|_| m.is_on(&EXTENSION_AT_ROOT)) {
            m.note(
                &EXTENSION_AT_ROOT,
                format!("`{}` at the root was read as `{target}`", shown(&key)),
            );
            self.keep(m, &target, value);
            return Ok(());
        }
        self.unknown(m, key, value);
        Ok(())
    }

    /// The value of an attribute in its own place. What is read-only is ignored later, whatever it is.
    fn own(&self, m: &mut Mender<'_>, attribute: &Attribute, value: Value) -> Value {
        if attribute.mutability == crate::scim::Mutability::ReadOnly {
            return value;
        }
        values::attribute(m, attribute, &attribute.name, value, self.purpose)
    }

    /// Puts an extension's object under the extension's own URN.
    fn place_extension(
        &mut self,
        m: &mut Mender<'_>,
        schema: &Schema,
        key: &str,
        value: Value,
    ) -> Result<(), Error> {
        if schema.id != key {
            if !schema.id.eq_ignore_ascii_case(key) && !m.is_on(&SCHEMA_NAMES) {
                self.resource.insert(key.to_owned(), value);
                return Ok(());
            }
            m.note(
                &SCHEMA_NAMES,
                format!("`{}` was read as `{}`", shown(key), schema.id),
            );
        }
        match value {
            Value::Object(members) if schema.id == m.rt.schema.id => members
                .into_iter()
                .try_for_each(|(name, value)| self.place(m, name, value)),
            Value::Object(members) => self.place_members(m, schema, members),
            other => {
                self.resource.insert(schema.id.clone(), other);
                Ok(())
            }
        }
    }

    /// Puts the members of an extension's object in place.
    fn place_members(
        &mut self,
        m: &mut Mender<'_>,
        schema: &Schema,
        members: Map<String, Value>,
    ) -> Result<(), Error> {
        let mut extension = Map::new();
        for (name, value) in members {
            let path = format!("{}:{name}", schema.id);
            if let Some(attribute) = schema.attribute(&name) {
                let value = values::attribute(m, attribute, &path, value, self.purpose);
                extension.insert(attribute.name.clone(), value);
            } else if name.contains('.') && m.is_on(&KEYS_ARE_PATHS) {
                self.place_path(m, &path, value)?;
            } else if m.is_on(&UNKNOWN) {
                note_unknown(m, &path);
            } else {
                extension.insert(name, value);
            }
        }
        self.resource
            .insert(schema.id.clone(), Value::Object(extension));
        Ok(())
    }

    /// Takes a member whose key is a path, such as `name.givenName`.
    fn place_path(&mut self, m: &mut Mender<'_>, key: &str, value: Value) -> Result<(), Error> {
        let Ok(found) = paths::read(m, key) else {
            self.unknown(m, key.to_owned(), value);
            return Ok(());
        };
        match found {
            Found::Known(target) => {
                m.note(
                    &KEYS_ARE_PATHS,
                    format!("the key `{target}` was read as a path"),
                );
                self.keep(m, &target, value);
            }
            Found::Dropped => {}
            Found::Unknown(_) => {
                self.resource.insert(key.to_owned(), value);
            }
        }
        Ok(())
    }

    fn keep(&mut self, m: &mut Mender<'_>, target: &Target<'_>, value: Value) {
        let Some(leaf) = target.leaf() else {
            return;
        };
        let value = values::attribute(m, leaf, &target.to_string(), value, self.purpose);
        self.elsewhere.push((target.path.target(), value));
    }

    fn unknown(&mut self, m: &mut Mender<'_>, key: String, value: Value) {
        if m.is_on(&UNKNOWN) {
            note_unknown(m, &key);
        } else {
            self.resource.insert(key, value);
        }
    }

    /// Moves what was found under another name to its own place, unless something stands there.
    fn place_elsewhere(&mut self) {
        for (path, value) in std::mem::take(&mut self.elsewhere) {
            let steps = [path.schema, Some(path.attribute), path.sub_attribute];
            let mut steps: Vec<String> = steps.into_iter().flatten().collect();
            let Some(last) = steps.pop() else {
                continue;
            };
            // A lone null makes no object around it.
            let is_nothing = value.is_null() && !steps.is_empty();
            if let Some(map) = within(&mut self.resource, &steps, !is_nothing) {
                map.entry(last).or_insert(value);
            }
        }
    }
}

/// The object at the end of some steps, made if asked for; absent if something else stands there.
fn within<'m>(
    root: &'m mut Map<String, Value>,
    steps: &[String],
    is_made: bool,
) -> Option<&'m mut Map<String, Value>> {
    let mut map = root;
    for step in steps {
        let value = match map.entry(step.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if !is_made => return None,
            Entry::Vacant(entry) => entry.insert(Value::Object(Map::new())),
        };
        if value.is_null() && is_made {
            *value = Value::Object(Map::new());
        }
        map = value.as_object_mut()?;
    }
    Some(map)
}

fn note_unknown(m: &mut Mender<'_>, name: &str) {
    m.note(
        &UNKNOWN,
        format!("`{}` is not known and was dropped", shown(name)),
    );
}
