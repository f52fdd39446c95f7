//! Who the client is, where its tenant leaves that open: by its `User-Agent`, else by its habits so far.

use http::{HeaderMap, header};
use serde_json::Value;

use crate::{
    dialect::{Dialect, Observed},
    server::Request,
    tenant::{Presented, Tenant},
};

use super::context::Context;

/// The credential of a request.
pub fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next().and_then(|value| value.to_str().ok());
    Presented {
        authorization: first,
        is_ambiguous: values.next().is_some(),
    }
}

/// Who sent a request.
pub struct Client {
    /// How it is read.
    pub dialect: Dialect,
    /// Whether the client was recognised by its habits.
    pub is_by_habit: bool,
}

/// The client behind a request.
pub fn client(tenant: &Tenant, headers: &HeaderMap) -> Client {
    let dialect = tenant.dialect.recognise(user_agent(headers));
    let is_known = dialect.idp().is_some() || dialect.is_strict();
    let by_habit = || tenant.habits.recognised(&presented(headers).credential()?);
    match (!is_known).then(by_habit).flatten() {
        Some(idp) => Client {
            dialect: dialect.recognised_as(idp),
            is_by_habit: true,
        },
        None => Client {
            dialect,
            is_by_habit: false,
        },
    }
}

/// Takes in what a request shows of its client, for the requests after it.
///
/// What an operator tries out (`explain`, `rehearse`) has no credential, and says nothing about the client.
pub fn learn(ctx: &Context, request: &Request, path: &str, body: Option<&Value>) {
    let tenant = &ctx.tenant;
    if tenant.dialect.idp().is_some() || tenant.dialect.is_strict() {
        return;
    }
    let observed = Observed {
        method: request.method.as_str(),
        path,
        query: request.query.as_deref(),
        body,
        user_agent: user_agent(&request.headers),
    };
    let Some(idp) = observed.suggests() else {
        return;
    };
    let credential = presented(&request.headers).credential();
    if credential.is_some_and(|credential| tenant.habits.observe(credential, idp)) {
        let tenant = tenant.id.as_str();
        tracing::info!(
            tenant,
            idp = idp.name(),
            "the client is recognised by its habits"
        );
    }
}

fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT)?.to_str().ok()
}

/// What notes about a client that was recognised by its habits are called.
pub const BY_HABIT: &str = "AUTO";
