//! `/Bulk` (RFC 7644 §3.7): many operations in one request, each with its own outcome.
//!
//! References between operations (`bulkId:…`) are resolved in whatever order they stand; where they form a circle, the
//! resource is made without the reference first and patched afterwards.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::scim::{
    Error, ScimType,
    bulk::{
        self, BulkLimits, BulkMethod, BulkOperation, BulkRequest, BulkResult, Order, Reference,
    },
    version::Precondition,
};

use super::{
    Call,
    answer::{Answer, Body},
    context::Context,
    deadline, dispatch,
    error::{SHORTLY, naming_operation},
    route::Route,
};

/// Answers a bulk request.
///
/// # Errors
///
/// 413 if it holds more operations than allowed, `invalidSyntax` if it is malformed.
pub async fn run(ctx: &Context, body: Value) -> Result<Answer, Error> {
    let limits = BulkLimits {
        max_operations: ctx.limits.max_bulk_operations,
    };
    let request = BulkRequest::parse(body, &limits)?;
    let order = bulk::order(&request.operations);
    let mut run = Run {
        ctx,
        ids: HashMap::new(),
        results: BTreeMap::new(),
        errors: 0,
    };
    for index in &order.operations {
        if request
            .fail_on_errors
            .is_some_and(|most| most > 0 && run.errors >= most)
        {
            break;
        }
        if let Some(operation) = request.operations.get(*index) {
            run.step(*index, operation, &order).await;
        }
    }
    run.send_deferred(&request.operations, &order).await;
    let results: Vec<BulkResult> = run.results.into_values().collect();
    Ok(Answer::document(bulk::response(&results)))
}

struct Run<'a> {
    ctx: &'a Context,
    ids: HashMap<String, String>,
    results: BTreeMap<usize, BulkResult>,
    errors: u64,
}

impl Run<'_> {
    async fn step(&mut self, index: usize, operation: &BulkOperation, order: &Order) {
        let deferred = of_operation(&order.deferred, index);
        let result = match of_operation(&order.unknown, index).first() {
            Some(_) => Err(Error::of(
                ScimType::InvalidValue,
                "A `bulkId` refers to an operation that does not exist.",
            )),
            None => self.told(self.perform(operation, &deferred)).await,
        };
        if let Ok(answer) = &result
            && let (Some(bulk_id), Some(id)) = (&operation.bulk_id, id_of(answer))
        {
            self.ids.insert(bulk_id.clone(), id);
        }
        self.errors += u64::from(result.is_err());
        let result = self.result(operation, result);
        self.results.insert(index, result);
    }

    /// What becomes of an operation, in the words of a request of its own: which call of the application failed, and whether
    /// anything may have been changed. The calls of those before it say nothing about it.
    async fn told<T>(&self, operation: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let ctx = self.ctx;
        let (mut since, mut trouble, mut may_have_written) = (0, None, false);
        ctx.record(|exchange| {
            since = exchange.calls.len();
            trouble = exchange.trouble.take();
            may_have_written = std::mem::take(&mut exchange.may_have_written);
        });
        let result = self.in_time(operation).await;
        let result =
            result.map_err(|error| naming_operation(deadline::with_fate(ctx, error), ctx, since));
        ctx.record(|exchange| {
            exchange.trouble = exchange.trouble.take().or(trouble);
            exchange.may_have_written |= may_have_written;
        });
        result
    }

    /// Gives an operation the time that the application has for one wish, as far as the request's own time reaches: what was
    /// done before is told in any case.
    async fn in_time<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let journey = &self.ctx.journey;
        let end = journey
            .deadline
            .checked_sub(FOR_THE_ANSWER)
            .unwrap_or(journey.deadline);
        if Instant::now() >= end {
            return Err(Error {
                retry_after: Some(SHORTLY),
                ..Error::new(
                    503,
                    "The time for the request was over before this operation; send it again.",
                )
            });
        }
        let own = Instant::now() + self.ctx.mapping().target.deadline;
        match timeout_at(own.min(end), operation).await {
            Ok(result) => result,
            Err(_) => Err(deadline::expired()),
        }
    }

    async fn perform(
        &self,
        operation: &BulkOperation,
        deferred: &[&Reference],
    ) -> Result<Answer, Error> {
        let mut data = operation.data.clone();
        if let Some(data) = &mut data {
            bulk::detach(
                data,
                deferred
                    .iter()
                    .filter_map(|reference| reference.pointer.as_deref()),
            );
            bulk::substitute(data, &self.ids);
            if !bulk::references(data).is_empty() {
                return Err(Error::new(
                    409,
                    "A `bulkId` refers to an operation that failed.",
                ));
            }
        }
        let path = bulk::substitute_path(&operation.path, &self.ids);
        if path.contains("bulkId:") {
            return Err(Error::new(
                409,
                "The path refers to an operation that failed.",
            ));
        }
        self.send(
            operation.method.as_str(),
            &path,
            data,
            operation.version.as_deref(),
        )
        .await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        data: Option<Value>,
        version: Option<&str>,
    ) -> Result<Answer, Error> {
        let route = Route::of(path, self.ctx.mapping());
        if !matches!(route, Route::Type(_) | Route::Resource(..)) {
            return Err(Error::of(
                ScimType::InvalidPath,
                "A bulk operation's path names a resource or a resource type's endpoint.",
            ));
        }
        let method = http::Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let if_match = version.and_then(Precondition::parse);
        let call = Call {
            method,
            route,
            query: None,
            body: data,
            if_match,
            if_none_match: None,
        };
        Box::pin(dispatch(self.ctx, call)).await
    }

    /// References in circles are set once everything exists.
    async fn send_deferred(&mut self, operations: &[BulkOperation], order: &Order) {
        let indexes: BTreeSet<usize> = order
            .deferred
            .iter()
            .map(|reference| reference.operation)
            .collect();
        for index in indexes {
            let made = self
                .results
                .get(&index)
                .is_some_and(|result| result.status < 400);
            let Some(operation) = operations.get(index).filter(|_| made) else {
                continue;
            };
            let references = of_operation(&order.deferred, index);
            let patched = self.patch_deferred(operation, &references);
            if let Err(error) = self.told(patched).await {
                self.errors += 1;
                // The resource exists all the same: its location is told with the error.
                let location = self
                    .results
                    .get(&index)
                    .and_then(|result| result.location.clone());
                let failed = self.result(operation, Err(error));
                self.results
                    .insert(index, BulkResult { location, ..failed });
            }
        }
    }

    async fn patch_deferred(
        &self,
        operation: &BulkOperation,
        deferred: &[&Reference],
    ) -> Result<(), Error> {
        let Some(mut data) = operation.data.clone() else {
            return Ok(());
        };
        bulk::substitute(&mut data, &self.ids);
        let names: BTreeSet<String> = deferred
            .iter()
            .filter_map(|reference| attribute_of(reference.pointer.as_deref()?))
            .collect();
        let patches: Vec<Value> = match operation.method {
            BulkMethod::Patch => data
                .get("Operations")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            _ => names
                .iter()
                .filter_map(|name| {
                    Some(json!({ "op": "add", "value": { name.as_str(): data.get(name)? } }))
                })
                .collect(),
        };
        let path = match (&operation.bulk_id, operation.method) {
            (Some(bulk_id), BulkMethod::Post) => match self.ids.get(bulk_id) {
                Some(id) => format!("{}/{id}", operation.path.trim_end_matches('/')),
                None => return Ok(()),
            },
            _ => bulk::substitute_path(&operation.path, &self.ids),
        };
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": patches });
        self.send("PATCH", &path, Some(body), None)
            .await
            .map(|_| ())
    }

    fn result(&self, operation: &BulkOperation, result: Result<Answer, Error>) -> BulkResult {
        let is_create = operation.method == BulkMethod::Post;
        let path = bulk::substitute_path(&operation.path, &self.ids);
        let named = (!is_create).then(|| format!("{}{path}", self.ctx.base_url));
        let (status, location, version, response) = match result {
            Ok(answer) => (
                answer.status,
                answer.location.or(named),
                answer.version,
                None,
            ),
            Err(error) => (error.status, named, None, Some(error.to_json())),
        };
        BulkResult {
            method: operation.method,
            bulk_id: operation.bulk_id.clone(),
            version,
            location,
            status,
            response,
        }
    }
}

fn of_operation(references: &[Reference], index: usize) -> Vec<&Reference> {
    references
        .iter()
        .filter(|reference| reference.operation == index)
        .collect()
}

/// The attribute at the root that a JSON pointer leads through.
fn attribute_of(pointer: &str) -> Option<String> {
    let first = pointer.strip_prefix('/')?.split('/').next()?;
    Some(first.replace("~1", "/").replace("~0", "~"))
}

fn id_of(answer: &Answer) -> Option<String> {
    match answer.body.as_ref()? {
        Body::Tree(body) => Some(body.get("id")?.as_str()?.to_owned()),
        Body::Text(_) => None,
    }
}

/// What is left of a request's time when the last operation has to end.
const FOR_THE_ANSWER: Duration = Duration::from_millis(250);
