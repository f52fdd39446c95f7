//! `/Bulk` (RFC 7644 §3.7): many operations in one request, each with its own outcome.
//!
//! References between operations (`bulkId:…`) are resolved in whatever order they stand; where they form a circle, the
//! resource is made without the reference first and patched afterwards.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::scim::{
    Error, ScimType,
    bulk::{self, BulkOperation, BulkRequest},
    version::Precondition,
};

use super::{Call, answer::Answer, context::Context, dispatch, route::Route};

const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Answers a bulk request.
///
/// # Errors
///
/// 413 if it holds more operations than allowed, `invalidSyntax` if it is malformed.
pub async fn run(ctx: &Context, body: Value) -> Result<Answer, Error> {
    let request = BulkRequest::parse(body)?;
    if request.operations.len() > ctx.limits.max_bulk_operations {
        return Err(Error::new(
            413,
            format!("A bulk request may hold {} operations at most.", ctx.limits.max_bulk_operations),
        ));
    }
    let order = bulk::order(&request.operations)?;
    let mut run = Run { ctx, ids: HashMap::new(), outcomes: vec![None; request.operations.len()], errors: 0 };
    for step in order {
        if request.fail_on_errors.is_some_and(|most| most > 0 && run.errors >= most) {
            break;
        }
        let Some(operation) = request.operations.get(step.operation) else { continue };
        run.step(&request.operations, operation, &step).await;
    }
    let outcomes: Vec<Value> = run.outcomes.into_iter().flatten().collect();
    Ok(Answer::document(json!({ "schemas": [RESPONSE], "Operations": outcomes })))
}

struct Run<'a> {
    ctx: &'a Context,
    ids: HashMap<String, String>,
    outcomes: Vec<Option<Value>>,
    errors: u64,
}

impl Run<'_> {
    async fn step(&mut self, _all: &[BulkOperation], operation: &BulkOperation, step: &bulk::Step) {
        let result = self.perform(operation, step).await;
        let outcome = self.outcome(operation, &result);
        if let Ok(answer) = &result
            && let (Some(bulk_id), Some(id)) = (&operation.bulk_id, id_of(answer))
        {
            self.ids.insert(bulk_id.clone(), id);
        }
        if result.as_ref().map_or(true, |answer| answer.status >= 400) {
            self.errors += 1;
        }
        if let Some(place) = self.outcomes.get_mut(step.operation) {
            *place = Some(outcome);
        }
    }

    async fn perform(&self, operation: &BulkOperation, step: &bulk::Step) -> Result<Answer, Error> {
        let path = bulk::substitute_path(&operation.path, &self.ids)?;
        let data = match &operation.data {
            Some(data) => Some(bulk::substitute(step.data(data), &self.ids)?),
            None => None,
        };
        let method: http::Method = operation.method.parse().map_err(|_| {
            Error::of(ScimType::InvalidSyntax, "A bulk operation's method is POST, PUT, PATCH or DELETE.")
        })?;
        let route = Route::of(&path, self.ctx.mapping());
        if !matches!(route, Route::Type(_) | Route::Resource(..)) {
            return Err(Error::of(ScimType::InvalidPath, "A bulk operation's path names a resource or a resource type's endpoint."));
        }
        let if_match = operation.version.as_deref().map(Precondition::parse);
        let call = Call { method, route, query: None, body: data, if_match, if_none_match: None };
        Box::pin(dispatch(self.ctx, call)).await
    }

    fn outcome(&self, operation: &BulkOperation, result: &Result<Answer, Error>) -> Value {
        let mut outcome = Map::new();
        outcome.insert("method".into(), json!(operation.method));
        if let Some(bulk_id) = &operation.bulk_id {
            outcome.insert("bulkId".into(), json!(bulk_id));
        }
        match result {
            Ok(answer) => {
                let location = answer.location.clone().or_else(|| self.location(operation));
                if let Some(location) = location {
                    outcome.insert("location".into(), json!(location));
                }
                if let Some(version) = &answer.version {
                    outcome.insert("version".into(), json!(version));
                }
                outcome.insert("status".into(), json!(answer.status.to_string()));
            }
            Err(error) => {
                if operation.method != "POST"
                    && let Some(location) = self.location(operation)
                {
                    outcome.insert("location".into(), json!(location));
                }
                outcome.insert("status".into(), json!(error.status.to_string()));
                outcome.insert("response".into(), error.to_json());
            }
        }
        Value::Object(outcome)
    }

    fn location(&self, operation: &BulkOperation) -> Option<String> {
        let path = bulk::substitute_path(&operation.path, &self.ids).ok()?;
        Some(format!("{}{path}", self.ctx.base_url))
    }
}

fn id_of(answer: &Answer) -> Option<String> {
    Some(answer.body.as_ref()?.get("id")?.as_str()?.to_owned())
}
