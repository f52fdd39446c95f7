//! A PATCH body as a request (RFC 7644 §3.5.2), to the letter.

use serde_json::{Map, Value};

use super::{OnNoMatch, PatchKind, PatchOp, PatchRequest};
use crate::scim::{AttributePath, Error, PatchPath, ResourceType};

/// The URN of the PATCH message.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// How many operations a request may have; authentik sends hundreds.
pub const MAX_PATCH_OPERATIONS: usize = 1000;

impl PatchRequest {
    /// Reads a PATCH body.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` unless the body has the PatchOp schema and operations of the RFC's form,
    /// `invalidPath` and `invalidFilter` for their paths, 413 for more than [`MAX_PATCH_OPERATIONS`].
    pub fn parse(body: Value) -> Result<Self, Error> {
        let Value::Object(body) = body else {
            return Err(Error::invalid_syntax("The body must be a JSON object."));
        };
        let is_patch = member(&body, "schemas")
            .and_then(Value::as_array)
            .is_some_and(|urns| urns.iter().any(is_patch_op));
        if !is_patch {
            let detail = format!("`schemas` must list `{PATCH_OP}`.");
            return Err(Error::invalid_syntax(detail));
        }
        let operations = take_member(body, "Operations");
        let Some(Value::Array(operations)) = operations.filter(|o| o != &Value::Array(vec![]))
        else {
            let detail = "`Operations` must be a list with at least one operation.";
            return Err(Error::invalid_syntax(detail));
        };
        if operations.len() > MAX_PATCH_OPERATIONS {
            let detail =
                format!("A PATCH request can have at most {MAX_PATCH_OPERATIONS} operations.");
            return Err(Error::new(413, detail));
        }
        let operations = operations.into_iter().map(PatchOp::parse);
        Ok(Self {
            operations: operations.collect::<Result<_, _>>()?,
        })
    }

    /// The attributes it reads or writes: canonical paths, sorted, each once. What the resource type does not know is left out.
    pub fn attributes(&self, resource_type: &ResourceType) -> Vec<AttributePath> {
        let mut paths = Vec::new();
        for operation in &self.operations {
            operation.collect_attributes(resource_type, &mut paths);
        }
        paths.sort();
        paths.dedup();
        paths
    }
}

impl PatchOp {
    /// An operation that fails if its value filter matches nothing.
    pub fn new(op: PatchKind, path: Option<PatchPath>, value: Option<Value>) -> Self {
        Self {
            op,
            path,
            value,
            on_no_match: OnNoMatch::NoTarget,
        }
    }

    /// Reads one element of `Operations`.
    fn parse(operation: Value) -> Result<Self, Error> {
        let Value::Object(mut operation) = operation else {
            return Err(Error::invalid_syntax("Each operation must be an object."));
        };
        let op = take(&mut operation, "op");
        let op = match op.as_ref().and_then(Value::as_str) {
            Some("add") => PatchKind::Add,
            Some("replace") => PatchKind::Replace,
            Some("remove") => PatchKind::Remove,
            _ => {
                let detail = "`op` must be `add`, `replace` or `remove`.";
                return Err(Error::invalid_syntax(detail));
            }
        };
        let path = match take(&mut operation, "path") {
            None => None,
            Some(Value::String(path)) => Some(PatchPath::parse(&path)?),
            Some(_) => return Err(Error::invalid_path("`path` must be a string.")),
        };
        let value = take(&mut operation, "value");
        check_value(op, path.as_ref(), value.as_ref())?;
        Ok(Self::new(op, path, value))
    }

    fn collect_attributes(&self, resource_type: &ResourceType, paths: &mut Vec<AttributePath>) {
        let Some(path) = &self.path else {
            let keys = self.value.iter().filter_map(Value::as_object).flatten();
            for (key, value) in keys {
                collect_key(resource_type, key, value, paths);
            }
            return;
        };
        let Some(resolved) = resource_type.resolve(&path.path) else {
            return;
        };
        if let (Some(extension), None) = (resolved.extension, resolved.attribute) {
            let value = self.value.clone().unwrap_or_default();
            return collect_key(resource_type, &extension.id, &value, paths);
        }
        // With a value filter the whole elements are read; the list is what changes.
        let is_of_element = resolved.attribute.is_some_and(|a| a.is_multi_valued);
        let canonical = match resource_type.resolve(&path.target()) {
            Some(target) if !is_of_element => target.canonical(),
            _ => resolved.canonical().parent(),
        };
        paths.push(canonical);
    }
}

/// Notes the attributes a key of a path-less value stands for: one, or those of an extension.
fn collect_key(
    resource_type: &ResourceType,
    key: &str,
    value: &Value,
    paths: &mut Vec<AttributePath>,
) {
    if let Some(extension) = resource_type.extension(key) {
        let given = value.as_object();
        let named = extension
            .attributes
            .iter()
            .filter(|a| given.is_none_or(|g| g.keys().any(|k| k.eq_ignore_ascii_case(&a.name))));
        paths.extend(named.map(|a| AttributePath {
            schema: Some(extension.id.clone()),
            attribute: a.name.clone(),
            sub_attribute: None,
        }));
        return;
    }
    let resolved = AttributePath::parse(key).ok();
    let resolved = resolved.as_ref().and_then(|p| resource_type.resolve(p));
    paths.extend(resolved.map(|r| r.canonical()));
}

fn is_patch_op(urn: &Value) -> bool {
    urn.as_str()
        .is_some_and(|u| u.eq_ignore_ascii_case(PATCH_OP))
}

/// A value must be there for `add` and `replace`, and must not be there for `remove`: some clients
/// name the elements to remove there, and without this check they would lose the whole list.
fn check_value(
    op: PatchKind,
    path: Option<&PatchPath>,
    value: Option<&Value>,
) -> Result<(), Error> {
    match (op, path, value) {
        (PatchKind::Remove, None, _) => Err(Error::no_target("A remove needs a path.")),
        (PatchKind::Remove, Some(_), None | Some(Value::Null)) => Ok(()),
        (PatchKind::Remove, Some(_), Some(_)) => Err(Error::invalid_syntax(
            "A remove takes no value; name the elements in a value filter.",
        )),
        (_, _, None) => Err(Error::invalid_syntax("An add or a replace needs a value.")),
        (_, None, Some(value)) if !value.is_object() => Err(Error::invalid_syntax(
            "Without a path the value must be an object.",
        )),
        _ => Ok(()),
    }
}

/// A member of an object; names compare without case (RFC 7643 §2.1).
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let found = object
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn take_member(object: Map<String, Value>, name: &str) -> Option<Value> {
    let mut members = object.into_iter();
    let found = members.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object.keys().find(|key| key.eq_ignore_ascii_case(name));
    let key = key.cloned()?;
    object.remove(&key)
}
