//! The body of a PATCH: one attribute per operation, each with a path in the schema's spelling.
//!
//! In: the body as it was sent, the id in the URL. Out: operations in RFC form. Knows nothing of what the resource holds: whether a
//! path has a target is found out when the operations are applied.

mod message;

use serde_json::{Map, Value};

use super::{
    context::{Mender, shown},
    filters,
    paths::{self, Found, Target},
    quirks::{
        ECHOED, KEYS_ARE_PATHS, OP_CASE, json_in_string, missing_element, named_removal, no_value,
        one_or_many, pathless_removal, pointer,
    },
    schemas,
    values::{self, Purpose},
};
use crate::scim::{
    AttributePath, Error, PatchPath,
    patch::{OnNoMatch, PatchKind, PatchOp, PatchRequest},
};

/// Reads the body of a PATCH.
///
/// # Errors
///
/// See [`super::Dialect::patch`].
pub(super) fn read(
    m: &mut Mender<'_>,
    resource_id: Option<&str>,
    body: Value,
) -> Result<PatchRequest, Error> {
    let operations = message::operations(m, body)?;
    let mut reader = Reader {
        m,
        resource_id,
        operations: Vec::new(),
        number: 0,
    };
    for operation in operations {
        reader.number += 1;
        reader.operation(operation)?;
    }
    Ok(PatchRequest {
        operations: reader.operations,
    })
}

/// Reads operations one after the other.
struct Reader<'m, 'a> {
    m: &'m mut Mender<'a>,
    resource_id: Option<&'m str>,
    operations: Vec<PatchOp>,
    /// Which operation it is at, counted from 1; for error texts.
    number: usize,
}

impl Reader<'_, '_> {
    fn operation(&mut self, operation: Value) -> Result<(), Error> {
        let Value::Object(members) = operation else {
            return Err(self.wrong("is not an object"));
        };
        let (mut kind, mut path, mut value) = (None, None, None);
        for (key, member) in members {
            match key.to_ascii_lowercase().as_str() {
                "op" => kind = Some(self.kind(&member)?),
                "path" => path = self.path(member)?.map(|path| self.pointed_at(path)),
                "value" => value = Some(member),
                _ => {}
            }
        }
        let kind = kind.ok_or_else(|| self.wrong("has no `op`"))?;
        match path {
            Some(path) => self.with_path(kind, &path, value),
            None => self.without_path(kind, value),
        }
    }

    /// N1, ENTRA-09: `op` in any letter case.
    fn kind(&mut self, op: &Value) -> Result<PatchKind, Error> {
        let word = op.as_str().unwrap_or_default();
        let lower = word.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "add" => Some(PatchKind::Add),
            "replace" => Some(PatchKind::Replace),
            "remove" => Some(PatchKind::Remove),
            _ => None,
        };
        match kind {
            Some(kind) if lower == word => Ok(kind),
            Some(kind) if self.m.is_on(&OP_CASE) => {
                self.m
                    .note(&OP_CASE, format!("`op` had capitals instead of `{lower}`"));
                Ok(kind)
            }
            _ => Err(self.wrong("has an `op` other than `add`, `replace` and `remove`")),
        }
    }

    /// ANY-03: a JSON Pointer.
    fn pointed_at(&mut self, path: String) -> String {
        pointer::mend(self.m, &path).unwrap_or(path)
    }

    /// A path that is null or empty is none.
    fn path(&self, path: Value) -> Result<Option<String>, Error> {
        match path {
            Value::Null => Ok(None),
            Value::String(text) if text.is_empty() => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(self.wrong("has a `path` that is not a text")),
        }
    }

    /// N3: each key of the value is a path.
    fn without_path(&mut self, kind: PatchKind, value: Option<Value>) -> Result<(), Error> {
        if kind == PatchKind::Remove {
            if let Some(named) = pathless_removal::named(self.m, value) {
                return named
                    .into_iter()
                    .try_for_each(|(path, value)| self.with_path(kind, &path, value));
            }
            return Err(Error::no_target(format!(
                "Operation {} is a `remove` without a `path`.",
                self.number
            )));
        }
        let value = value.ok_or_else(|| self.wrong("has neither `path` nor `value`"))?;
        let value = json_in_string::mend(self.m, value);
        let value = one_or_many::single(self.m, "value", value);
        let Value::Object(members) = value else {
            return Err(self.wrong("has no `path`, so its `value` must be an object"));
        };
        for (key, value) in members {
            self.member(kind, &key, value)?;
        }
        Ok(())
    }

    /// One member of a value object.
    fn member(&mut self, kind: PatchKind, key: &str, value: Value) -> Result<(), Error> {
        if self.is_echoed(key, &value)? {
            return Ok(());
        }
        if key.contains(['.', ':', '[']) && self.m.rt.extension(key).is_none() {
            if !self.m.is_on(&KEYS_ARE_PATHS) {
                return Err(Error::invalid_path(format!(
                    "`{}` in the value of operation {} is not an attribute.",
                    shown(front(key)),
                    self.number
                )));
            }
            let text = format!("the key `{}` was read as a path", shown(front(key)));
            self.m.note(&KEYS_ARE_PATHS, text);
        }
        self.with_path(kind, key, Some(value))
    }

    /// N4, OKTA-13: what an earlier answer said and the client repeats.
    ///
    /// # Errors
    ///
    /// `mutability` for another id than the resource's.
    fn is_echoed(&mut self, key: &str, value: &Value) -> Result<bool, Error> {
        let is_schemas = key.eq_ignore_ascii_case("schemas");
        let resolved = self.m.rt.resolve(&AttributePath::of(key));
        let is_read_only = resolved.is_some_and(|resolved| resolved.is_read_only());
        if !(is_schemas || is_read_only) || !self.m.is_on(&ECHOED) {
            return Ok(false);
        }
        if key.eq_ignore_ascii_case("id") && !self.is_own_id(value) {
            return Err(Error::mutability(
                "The value of the operation names another `id` than the resource's, which cannot change.",
            ));
        }
        let text = format!("`{}` was repeated in the value and ignored", shown(key));
        self.m.note(&ECHOED, text);
        Ok(true)
    }

    fn is_own_id(&self, value: &Value) -> bool {
        let Some(id) = self.resource_id else {
            return true;
        };
        match value {
            Value::Null => true,
            Value::String(text) => text == id,
            Value::Number(number) => number.to_string() == id,
            _ => false,
        }
    }

    fn with_path(
        &mut self,
        kind: PatchKind,
        path: &str,
        value: Option<Value>,
    ) -> Result<(), Error> {
        if schemas::meant(self.m.rt, path).is_some_and(|schema| schema.id == self.m.rt.schema.id)
            && let Some(Value::Object(members)) = value
        {
            return self.whole_schema(kind, "", members);
        }
        match paths::read(self.m, path)? {
            Found::Known(target) => self.known(kind, target, value),
            Found::Dropped => Ok(()),
            Found::Unknown(path) => {
                self.push(kind, path, value);
                Ok(())
            }
        }
    }

    fn known(
        &mut self,
        kind: PatchKind,
        target: Target<'_>,
        value: Option<Value>,
    ) -> Result<(), Error> {
        if kind == PatchKind::Remove {
            return self.remove(target, value);
        }
        let value = value.ok_or_else(|| self.wrong("has no `value`"))?;
        let Some(leaf) = target.leaf() else {
            return self.whole_extension(kind, target, value);
        };
        let name = target.to_string();
        let is_one_element = target.path.filter.is_some() && target.path.sub_attribute.is_none();
        let value = if is_one_element {
            let value = one_or_many::single(self.m, &name, value);
            let is_member = values::is_list_of_references(leaf);
            let has_other_members = value.as_object().is_some_and(|given| {
                !given.is_empty() && !given.keys().any(|key| key.eq_ignore_ascii_case("value"))
            });
            let value = values::element(self.m, leaf, &name, value, Purpose::Patch);
            // A new `display` is no reason to take the member away.
            if value.is_null() && is_member && has_other_members {
                return Ok(());
            }
            value
        } else {
            values::attribute(self.m, leaf, &name, value, Purpose::Patch)
        };
        if value.is_null() {
            return self.nothing(kind, target);
        }
        self.push(kind, target.path, Some(value));
        Ok(())
    }

    /// A path that is an extension's URN alone.
    fn whole_extension(
        &mut self,
        kind: PatchKind,
        target: Target<'_>,
        value: Value,
    ) -> Result<(), Error> {
        match value {
            Value::Object(members) => {
                let urn = format!("{target}:");
                self.whole_schema(kind, &urn, members)
            }
            Value::Null => self.nothing(kind, target),
            other => {
                self.push(kind, target.path, Some(other));
                Ok(())
            }
        }
    }

    /// A schema's object as a whole: one operation per attribute in it.
    fn whole_schema(
        &mut self,
        kind: PatchKind,
        urn: &str,
        members: Map<String, Value>,
    ) -> Result<(), Error> {
        for (name, value) in members {
            match urn {
                "" => self.member(kind, &name, value)?,
                urn => self.with_path(kind, &format!("{urn}{name}"), Some(value))?,
            }
        }
        Ok(())
    }

    /// N10: an `add` of no value does nothing, a `replace` by no value removes.
    ///
    /// Where a `value` is cleared the element or reference goes that it is the value of (N8).
    fn nothing(&mut self, kind: PatchKind, target: Target<'_>) -> Result<(), Error> {
        if !self.m.is_on(&no_value::NULL) {
            self.push(kind, target.path, Some(Value::Null));
            return Ok(());
        }
        let text = format!("`{target}` was given no value");
        self.m.note(&no_value::NULL, text);
        if kind == PatchKind::Add {
            return Ok(());
        }
        let is_whole = target.sub_attribute.is_some_and(|sub| sub.name == "value")
            && (target.path.filter.is_some()
                || target.attribute.is_some_and(|a| !a.is_multi_valued));
        let mut path = target.path;
        if is_whole {
            path.sub_attribute = None;
            path.path.sub_attribute = None;
        }
        self.push(PatchKind::Remove, path, None);
        Ok(())
    }

    /// N6: a removal removes what its value names.
    fn remove(&mut self, target: Target<'_>, value: Option<Value>) -> Result<(), Error> {
        let Some(value) = value else {
            self.push(PatchKind::Remove, target.path, None);
            return Ok(());
        };
        let is_list = target.path.filter.is_none() && target.sub_attribute.is_none();
        let list = target
            .attribute
            .filter(|attribute| is_list && attribute.is_multi_valued);
        match list {
            Some(attribute) => {
                let named = named_removal::filter(self.m, &target, attribute, value)?;
                if let Some(filter) = named {
                    let mut path = target.path;
                    path.filter = Some(filters::inside(self.m, attribute, filter)?);
                    self.operations.push(PatchOp {
                        on_no_match: OnNoMatch::Ignore,
                        ..PatchOp::new(PatchKind::Remove, Some(path), None)
                    });
                }
                return Ok(());
            }
            None if value.is_null() => {}
            None => {
                let text = format!("the value of a removal of `{target}` was ignored");
                self.m.note(&named_removal::MENDING, text);
            }
        }
        self.push(PatchKind::Remove, target.path, None);
        Ok(())
    }

    /// N5: what happens without a target is decided by the form of the path.
    fn push(&mut self, op: PatchKind, path: PatchPath, value: Option<Value>) {
        let on_no_match = match (&path.filter, op) {
            (Some(_), PatchKind::Remove) if self.m.is_on(&missing_element::MENDING) => {
                OnNoMatch::Ignore
            }
            (Some(_), PatchKind::Add | PatchKind::Replace)
                if self.m.is_on(&missing_element::MENDING) =>
            {
                OnNoMatch::Create
            }
            _ => OnNoMatch::NoTarget,
        };
        self.operations.push(PatchOp {
            on_no_match,
            ..PatchOp::new(op, Some(path), value)
        });
    }

    fn wrong(&self, what: &str) -> Error {
        Error::invalid_syntax(format!("Operation {} {what}.", self.number))
    }
}

/// A path up to its value filter, which may hold a personal value.
fn front(path: &str) -> &str {
    path.split('[').next().unwrap_or_default()
}
