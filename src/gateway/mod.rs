//! The gateway decides what a request means for the target, does it, and answers.
//!
//! In: a tenant's request, its body whole. Out: an answer, and the finished exchange. Knows nothing of sockets towards
//! the client; knows clients' habits only as [`dialect`](crate::dialect) has evened them out.
//!
//! One file per operation, each readable from top to bottom as the steps of its RFC section.

mod answer;
mod apply;
mod bulk;
mod confirm;
mod context;
mod create;
mod deadline;
mod delete;
mod discovery;
mod dry;
mod error;
mod get;
mod handler;
mod hold;
mod identity;
mod intake;
mod join;
mod key;
mod leave;
mod limits;
mod list;
pub mod lock;
mod look_up;
mod me;
mod members;
mod memberships;
mod parallel;
mod policy;
mod prune;
mod quick;
mod random;
mod recognise;
mod rekey;
mod request_id;
mod route;
mod shown_groups;
mod stash;
mod taste;
mod unfinished;
mod unique;
mod update;
mod user_groups;
mod visible;

use std::sync::Arc;

use serde_json::Value;

use crate::{
    mapping::model::TypeMapping,
    scim::{Error, Projection, query::Query, version::Precondition},
};

pub use answer::Answer;
pub use context::Context;
pub use deadline::Deadline;
pub use handler::{Gateway, GatewaySettings, Sink, Writes};
pub use limits::Limits;
pub use recognise::presented;
pub use route::{Route, split_base};

/// One request, taken apart: what `/Bulk` makes of its operations too.
#[derive(Debug)]
pub struct Call {
    /// GET, POST, PUT, PATCH, DELETE.
    pub method: http::Method,
    /// What the path names.
    pub route: Route,
    /// The query, raw.
    pub query: Option<String>,
    /// The body as JSON.
    pub body: Option<Value>,
    /// `If-Match`.
    pub if_match: Option<Precondition>,
    /// `If-None-Match`.
    pub if_none_match: Option<Precondition>,
}

/// Answers one request of a tenant.
///
/// Each operation's future has an allocation of its own: together they would make every request as large as the largest.
///
/// # Errors
///
/// The refusal or failure, ready to be shown to the client's administrator.
pub async fn dispatch(ctx: &Context, mut call: Call) -> Result<Answer, Error> {
    answer::check_mode(ctx)?;
    if call.method != http::Method::GET {
        ctx.memberships.forget().await;
    }
    let query = match &call.query {
        Some(raw) => ctx.noting(|notes| {
            let pairs = ctx.dialect.query_pairs(Some(raw), notes);
            Query::from_pairs(&pairs)
        })?,
        None => Query::default(),
    };
    let route = std::mem::replace(&mut call.route, Route::Unknown);
    match (call.method.clone().as_str(), &route) {
        (_, Route::Unknown) => Err(Error::new(404, "There is no such endpoint.")),
        ("GET", Route::ServiceProviderConfig) => {
            discovery::refuse_filter(call.query.as_deref())?;
            Ok(discovery::service_provider_config(ctx))
        }
        ("GET", Route::ResourceTypes(id)) => {
            discovery::refuse_filter(call.query.as_deref())?;
            discovery::resource_types(ctx, id.as_deref())
        }
        ("GET", Route::Schemas(id)) => {
            discovery::refuse_filter(call.query.as_deref())?;
            discovery::schemas(ctx, id.as_deref())
        }
        ("GET", Route::Root) => Box::pin(list::list_all(ctx, &query)).await,
        ("POST", Route::RootSearch) => {
            let query = Query::from_search(body(call.body)?)?;
            Box::pin(list::list_all(ctx, &query)).await
        }
        ("POST", Route::Bulk) => Box::pin(bulk::run(ctx, body(call.body)?)).await,
        ("GET", Route::Type(t)) => Box::pin(list::list(ctx, type_at(ctx, *t)?, &query)).await,
        ("POST", Route::TypeSearch(t)) => {
            let query = Query::from_search(body(call.body)?)?;
            Box::pin(list::list(ctx, type_at(ctx, *t)?, &query)).await
        }
        ("POST", Route::Type(t)) => {
            let t = type_at(ctx, *t)?;
            let projection = projection(t, &query);
            Box::pin(create::create(ctx, t, body(call.body)?, &projection)).await
        }
        (_, Route::Resource(t, id)) => on_resource(ctx, type_at(ctx, *t)?, id, &query, call).await,
        (_, Route::Me) => {
            let (t, id) = Box::pin(me::resolve(ctx)).await?;
            on_resource(ctx, t, &id, &query, call).await
        }
        _ => Err(Error::new(
            405,
            "This method is not served here; see `Allow`.",
        )),
    }
}

async fn on_resource(
    ctx: &Context,
    t: &TypeMapping,
    id: &str,
    query: &Query,
    call: Call,
) -> Result<Answer, Error> {
    let projection = projection(t, query);
    let if_match = call.if_match.as_ref();
    match call.method.as_str() {
        "GET" => {
            Box::pin(get::get(
                ctx,
                t,
                id,
                &projection,
                call.if_none_match.as_ref(),
            ))
            .await
        }
        "PUT" => {
            Box::pin(update::replace(
                ctx,
                t,
                id,
                body(call.body)?,
                &projection,
                if_match,
            ))
            .await
        }
        "PATCH" => {
            Box::pin(update::patch(
                ctx,
                t,
                id,
                body(call.body)?,
                &projection,
                if_match,
            ))
            .await
        }
        "DELETE" => Box::pin(delete::delete(ctx, t, id, if_match)).await,
        _ => Err(Error::new(
            405,
            "This method is not served here; see `Allow`.",
        )),
    }
}

/// Which parts of a resource a query asks for.
fn projection(t: &TypeMapping, query: &Query) -> Arc<Projection> {
    let (attributes, excluded) = (&query.attributes, &query.excluded_attributes);
    match attributes.is_empty() && excluded.is_empty() {
        true => Arc::clone(&t.usual),
        false => Arc::new(Projection::parse(&t.resource_type, attributes, excluded)),
    }
}

fn body(body: Option<Value>) -> Result<Value, Error> {
    body.ok_or_else(|| {
        Error::of(
            crate::scim::ScimType::InvalidSyntax,
            "The request has no body.",
        )
    })
}

fn type_at(ctx: &Context, index: usize) -> Result<&TypeMapping, Error> {
    ctx.mapping()
        .types
        .get(index)
        .ok_or_else(|| Error::new(404, "There is no such endpoint."))
}
