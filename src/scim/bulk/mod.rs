//! Bulk requests (RFC 7644 §3.7).
//!
//! In: the body of a bulk request. Out: its operations, an order to carry them out in, the response. Knows nothing of how an operation is carried out.

mod order;
mod references;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

pub use self::order::{Order, order};
pub use self::references::{Reference, detach, references, substitute, substitute_path};

use super::{Error, ScimType};

/// The URN of the bulk request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN of the bulk response.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// How large a bulk request may be; its length in bytes is limited where it is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    pub max_operations: usize,
}

impl Default for BulkLimits {
    fn default() -> Self {
        Self {
            max_operations: 1000,
        }
    }
}

/// A bulk request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BulkRequest {
    /// After how many errors to stop; absent: never.
    pub fail_on_errors: Option<u64>,
    pub operations: Vec<BulkOperation>,
}

/// One operation of a bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkOperation {
    pub method: BulkMethod,
    /// `/Users`, `/Users/2819c223`, `/Groups/bulkId:qwerty`.
    pub path: String,
    /// The client's name for what a POST creates; always there for one.
    pub bulk_id: Option<String>,
    /// As in `If-Match`.
    pub version: Option<String>,
    /// Always there but for a DELETE.
    pub data: Option<Value>,
}

/// The method of a bulk operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BulkMethod {
    Post,
    Put,
    Patch,
    Delete,
}

/// What became of one bulk operation.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkResult {
    pub method: BulkMethod,
    pub bulk_id: Option<String>,
    pub version: Option<String>,
    /// Where the resource is; absent only if a POST failed.
    pub location: Option<String>,
    pub status: u16,
    /// The error's message, or the resource if it is worth sending.
    pub response: Option<Value>,
}

impl BulkRequest {
    /// Reads a bulk request.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for a body of another form, `invalidValue` for a `bulkId` that is there twice, 413 beyond the limits.
    pub fn parse(body: Value, limits: &BulkLimits) -> Result<Self, Error> {
        let Value::Object(mut body) = body else {
            return Err(Error::invalid_syntax("The body must be a JSON object."));
        };
        let schemas = take(&mut body, "schemas");
        let has_schema = schemas
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(|urns| {
                let mut urns = urns.iter().filter_map(Value::as_str);
                urns.any(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST))
            });
        if !has_schema {
            let detail = format!("`schemas` must list `{BULK_REQUEST}`.");
            return Err(Error::invalid_syntax(detail));
        }
        let fail_on_errors = match take(&mut body, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_u64().filter(|n| *n > 0).ok_or_else(|| {
                Error::invalid_value("`failOnErrors` must be an integer above 0.")
            })?),
        };
        let Some(Value::Array(operations)) = take(&mut body, "Operations") else {
            return Err(Error::invalid_syntax("`Operations` must be a list."));
        };
        if operations.len() > limits.max_operations {
            let detail = format!(
                "The number of bulk operations exceeds maxOperations ({}).",
                limits.max_operations
            );
            return Err(Error::new(413, detail));
        }
        let operations = operations.into_iter().map(BulkOperation::parse);
        let operations: Vec<_> = operations.collect::<Result<_, _>>()?;
        check_bulk_ids(&operations)?;
        Ok(Self {
            fail_on_errors,
            operations,
        })
    }
}

impl BulkOperation {
    fn parse(operation: Value) -> Result<Self, Error> {
        let Value::Object(mut operation) = operation else {
            return Err(Error::invalid_syntax("Each operation must be an object."));
        };
        let method = take(&mut operation, "method");
        let method = method.as_ref().and_then(Value::as_str);
        let Some(method) = method.and_then(BulkMethod::parse) else {
            let detail = "`method` must be POST, PUT, PATCH or DELETE.";
            return Err(Error::invalid_syntax(detail));
        };
        let Some(path) = take_text(&mut operation, "path")?.filter(|p| p.starts_with('/')) else {
            let detail = "`path` must name an endpoint or a resource, as in `/Users`.";
            return Err(Error::invalid_syntax(detail));
        };
        let bulk_id = take_text(&mut operation, "bulkId")?.filter(|id| !id.is_empty());
        if method == BulkMethod::Post && bulk_id.is_none() {
            return Err(Error::invalid_syntax("A POST needs a `bulkId`."));
        }
        let version = take_text(&mut operation, "version")?;
        let data = take(&mut operation, "data").filter(|d| !d.is_null());
        if method != BulkMethod::Delete && data.is_none() {
            let detail = format!("A {} needs `data`.", method.as_str());
            return Err(Error::invalid_syntax(detail));
        }
        Ok(Self {
            method,
            path,
            bulk_id,
            version,
            data,
        })
    }
}

impl BulkMethod {
    /// The method of this name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Post, Self::Put, Self::Patch, Self::Delete];
        all.into_iter()
            .find(|m| m.as_str().eq_ignore_ascii_case(text))
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The bulk response. Operations that were not reached are left out of `results` (RFC 7644 §3.7.3).
pub fn response(results: &[BulkResult]) -> Value {
    let operations: Vec<Value> = results.iter().map(BulkResult::to_json).collect();
    json!({ "schemas": [BULK_RESPONSE], "Operations": operations })
}

impl BulkResult {
    fn to_json(&self) -> Value {
        let mut result = Map::new();
        let texts = [
            ("location", self.location.as_deref()),
            ("method", Some(self.method.as_str())),
            ("bulkId", self.bulk_id.as_deref()),
            ("version", self.version.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                result.insert(name.to_owned(), text.into());
            }
        }
        result.insert("status".to_owned(), self.status.to_string().into());
        if let Some(response) = &self.response {
            result.insert("response".to_owned(), response.clone());
        }
        Value::Object(result)
    }
}

fn check_bulk_ids(operations: &[BulkOperation]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let posts = operations.iter().filter(|o| o.method == BulkMethod::Post);
    for id in posts.filter_map(|o| o.bulk_id.as_deref()) {
        if !seen.insert(id) {
            let detail = "Two operations have the same `bulkId`.";
            return Err(Error::of(ScimType::InvalidValue, detail));
        }
    }
    Ok(())
}

fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object.keys().find(|key| key.eq_ignore_ascii_case(name));
    let key = key.cloned()?;
    object.remove(&key)
}

fn take_text(object: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Error> {
    match take(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid_syntax(format!("`{name}` must be a string."))),
    }
}
