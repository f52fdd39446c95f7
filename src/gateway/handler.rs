//! The way of a request: who is asking, what for, the answer, and the record of it.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::{
    dialect::Dialect,
    exchange::{Exchange, Notes},
    mapping::model::Mode,
    observe::Finished,
    scim::{Error, ScimType, intake, version::Precondition},
    server::{Admission, Handler, Request, Response},
    store::{ScimId, Store, StoreError},
    target::Journey,
    tenant::{Authenticated, Refusal, Registry, Tenant},
};

use super::{
    Answer, Call, Context, Limits, Route,
    answer::Acknowledgement,
    deadline::{Deadline, expired, with_fate},
    dispatch,
    error::naming_operation,
    memberships::Memberships,
    recognise::{self, Client, presented},
    request_id, route, split_base,
};

/// Where finished exchanges go: logs, metrics, the demo's screen.
pub trait Sink: Send + Sync + 'static {
    /// Takes one in.
    fn finished(&self, finished: &Finished);
}

/// What a gateway is made of.
pub struct GatewaySettings {
    /// The tenants and their keys.
    pub registry: Arc<Registry>,
    /// Links, shadow attributes, intents.
    pub store: Arc<dyn Store>,
    /// The named limits.
    pub limits: Limits,
    /// The base path in front of `/Users`, such as `/scim/v2`; no slash at the end.
    pub base_path: String,
    /// The body's limit at the edge.
    pub max_body_bytes: usize,
    /// Where finished exchanges go.
    pub sinks: Vec<Arc<dyn Sink>>,
}

/// The gateway as the edge sees it.
pub struct Gateway {
    registry: Arc<Registry>,
    store: Arc<dyn Store>,
    limits: Arc<Limits>,
    base_path: String,
    max_body_bytes: usize,
    sinks: Vec<Arc<dyn Sink>>,
}

impl Gateway {
    /// Puts one together.
    pub fn new(settings: GatewaySettings) -> Self {
        Self {
            registry: settings.registry,
            store: settings.store,
            limits: Arc::new(settings.limits),
            base_path: settings.base_path,
            max_body_bytes: settings.max_body_bytes,
            sinks: settings.sinks,
        }
    }

    async fn answer(&self, mut request: Request) -> Response {
        let admitted = request.admitted.take().map(Arc::downcast);
        let tenant = match admitted {
            Some(Ok(tenant)) => Ok(tenant),
            _ => self.authenticate(&request.headers),
        };
        let (response, finished) = match tenant {
            Ok(tenant) => self.exchange(tenant, request, Writes::Sent).await,
            Err(refusal) => refuse(&request, refusal),
        };
        for sink in &self.sinks {
            sink.finished(&finished);
        }
        response
    }

    fn authenticate(&self, headers: &HeaderMap) -> Authenticated {
        self.registry
            .authenticate(&presented(headers), Timestamp::now())
    }

    /// Runs one request of a tenant and gives the answer with all that happened.
    pub async fn exchange(
        &self,
        tenant: Arc<Tenant>,
        mut request: Request,
        writes: Writes,
    ) -> (Response, Finished) {
        let mut notes = Notes::default();
        let client = recognise::client(&tenant, &request.headers);
        if presented(&request.headers).is_bare() {
            client.dialect.note_bare_token(&mut notes);
        }
        let bases = route::bases(&self.base_path);
        if let Some(path) = client.dialect.plain_path(&request.path, &bases, &mut notes) {
            request.path = path;
        }
        let (base, path) = split_base(&request.path, &self.base_path);
        let route = Route::of(path, &tenant.mapping);
        let base_url = [request.scheme_host.as_deref().unwrap_or_default(), base].concat();
        let time = self.deadline(&tenant, &client.dialect, &route).time;
        let ctx = self.context(Arc::clone(&tenant), client, base_url, time, writes);
        ctx.record(|exchange| exchange.notes.0.append(&mut notes.0));
        let method = request.method.clone();
        let template = route.template();
        let result = self
            .result(&ctx, request.method.clone(), route, &request)
            .await;
        let is_rehearsed_here = writes == Writes::Sent && tenant.mapping.mode == Mode::Shadow;
        let result = match is_rehearsed_here {
            true => shadowed(&ctx, result),
            false => result,
        };
        let (answer, retry_after, scim_type) = match result {
            Ok(answer) => (answer, None, None),
            Err(error) => {
                let error = naming_operation(error, &ctx, 0);
                let retry_after = error.retry_after.map(whole_seconds);
                (
                    Answer::error(&error),
                    retry_after,
                    error.scim_type.map(ScimType::as_str),
                )
            }
        };
        let finished = Finished {
            tenant: tenant.id.as_str().into(),
            route: template,
            method: method.clone(),
            status: StatusCode::from_u16(answer.status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            scim_type,
            duration: request.received.elapsed(),
            exchange: taken(&ctx.journey.exchange),
            request_id: request_id::next(ctx.now).to_string(),
        };
        let acknowledges = answer.acknowledges.clone();
        let mut response = answer.into_response(retry_after);
        if response.status == http::StatusCode::METHOD_NOT_ALLOWED || method == Method::OPTIONS {
            allow(
                &mut response.headers,
                Route::of(path, &tenant.mapping).methods(),
            );
        }
        if let Some(seconds) = retry_after.filter(|_| ctx.dialect.wants_rate_limit_headers()) {
            response.headers.insert(RATE_LIMIT_WAIT, seconds.into());
            if response.status == StatusCode::TOO_MANY_REQUESTS {
                response.headers.insert(RATE_LIMIT_LEFT, 0.into());
            }
        }
        if let Some(create) = acknowledges.filter(|_| writes == Writes::Sent) {
            response.on_sent = Some(self.acknowledgement(&tenant, create));
        }
        (response, finished)
    }

    async fn result(
        &self,
        ctx: &Context,
        method: Method,
        route: Route,
        request: &Request,
    ) -> Result<Answer, Error> {
        let allowed = route.methods();
        let is_served = allowed.contains(&method.as_str());
        if route == Route::Unknown {
            return Err(Error::new(404, "There is no such endpoint."));
        }
        if method == Method::OPTIONS {
            return Ok(Answer {
                status: 204,
                ..Answer::default()
            });
        }
        if !is_served {
            return Err(Error::new(
                405,
                format!("{method} is not served here; see `Allow`."),
            ));
        }
        let has_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let body = if has_body {
            Some(json(ctx, &request.headers, &request.body)?)
        } else {
            None
        };
        // HEAD is GET; the edge leaves the body out.
        let method = if method == Method::HEAD {
            Method::GET
        } else {
            method
        };
        let (_, path) = split_base(&request.path, &self.base_path);
        recognise::learn(ctx, request, path, body.as_ref());
        let call = Call {
            method,
            route,
            query: request.query.clone(),
            body,
            if_match: precondition(&request.headers, header::IF_MATCH),
            if_none_match: precondition(&request.headers, header::IF_NONE_MATCH),
        };
        let deadline = tokio::time::timeout_at(ctx.journey.deadline, dispatch(ctx, call));
        let result = tokio::select! {
            biased;
            result = deadline => result.unwrap_or_else(|_| Err(expired())),
            // Another replica may have the lock by now: nothing more is sent under it.
            () = ctx.lock_lost.notified() => Err(StoreError::Away { what: "keep a lock" }.into()),
        };
        result.map_err(|error| {
            let route = Route::of(path, ctx.mapping());
            self.deadline(&ctx.tenant, &ctx.dialect, &route)
                .note(ctx, &error);
            with_fate(ctx, error)
        })
    }

    /// The time that this request of a tenant has, as things stand.
    pub fn time_for(&self, tenant: &Tenant, request: &Request) -> Deadline {
        let dialect = recognise::client(tenant, &request.headers).dialect;
        let (_, path) = split_base(&request.path, &self.base_path);
        self.deadline(tenant, &dialect, &Route::of(path, &tenant.mapping))
    }

    fn deadline(&self, tenant: &Tenant, dialect: &Dialect, route: &Route) -> Deadline {
        let is_bulk = *route == Route::Bulk;
        Deadline::of(&self.limits, &tenant.mapping.target, dialect, is_bulk)
    }

    fn context(
        &self,
        tenant: Arc<Tenant>,
        client: Client,
        base_url: String,
        time: Duration,
        writes: Writes,
    ) -> Context {
        let is_dry = writes == Writes::Planned || tenant.mapping.mode == Mode::Shadow;
        let ctx = Context {
            dialect: client.dialect,
            store: if is_dry {
                super::dry::store(Arc::clone(&self.store))
            } else {
                Arc::clone(&self.store)
            },
            journey: Journey {
                tenant: tenant.id.as_str().into(),
                deadline: tokio::time::Instant::now() + time,
                is_dry,
                exchange: Arc::new(Mutex::new(Exchange::default())),
            },
            base_url,
            now: to_milliseconds(Timestamp::now()),
            random: LazyLock::new(super::random::characters),
            limits: Arc::clone(&self.limits),
            protected_ids: OnceCell::new(),
            shown_groups: OnceCell::new(),
            memberships: Memberships::default(),
            left_out: Mutex::default(),
            lock_lost: Arc::default(),
            tenant,
        };
        if let Some(idp) = ctx.dialect.idp().filter(|_| client.is_by_habit) {
            let message = format!("the client is read as {}, by its habits", idp.title());
            ctx.note(recognise::BY_HABIT, message);
        }
        ctx
    }

    fn acknowledgement(
        &self,
        tenant: &Arc<Tenant>,
        create: Acknowledgement,
    ) -> Box<dyn FnOnce() + Send> {
        let (store, id) = (Arc::clone(&self.store), tenant.id.clone());
        let answered = Arc::clone(&tenant.answered);
        Box::new(move || {
            answered.add(&create.resource_type, &create.match_key);
            tokio::spawn(async move {
                let scim_id = ScimId::new(&create.id);
                if let Err(error) = store
                    .acknowledge(&id, &create.resource_type, &create.match_key, &scim_id)
                    .await
                {
                    tracing::warn!(error = %error, "a create could not be acknowledged");
                }
                answered.remove(&create.resource_type, &create.match_key);
            });
        })
    }
}

/// The body as JSON.
fn json(ctx: &Context, headers: &HeaderMap, body: &Bytes) -> Result<serde_json::Value, Error> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !ctx.noting(|notes| Ok(ctx.dialect.is_json(content_type, notes)))? {
        return Err(Error::new(
            415,
            "The body must be `application/scim+json` or `application/json`.",
        ));
    }
    if !is_utf_8(content_type) {
        return Err(Error::new(
            415,
            "The body must be in UTF-8; another `charset` is not understood.",
        ));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::of(
            ScimType::InvalidSyntax,
            "The request has no body.",
        ));
    }
    intake::parse_json(body, &intake::JsonLimits::default())
}

/// Whether writes reach target and store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They do.
    Sent,
    /// They are planned and shown.
    Planned,
}

impl Handler for Gateway {
    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }

    fn admit(&self, head: &Parts, _: SocketAddr) -> Result<Admission, Response> {
        match self.authenticate(&head.headers) {
            Ok(tenant) => Ok(Admission {
                max_body_bytes: self.max_body_bytes,
                admitted: Some(tenant),
            }),
            Err(refusal) => Err(refusal_response(refusal)),
        }
    }
}

/// In shadow mode nothing that was planned is answered as done: a client would store an id that nobody gave, and would not send
/// a change again that it believes made. The plan is in the log.
fn shadowed(ctx: &Context, result: Result<Answer, Error>) -> Result<Answer, Error> {
    let mut is_planned = false;
    ctx.record(|exchange| {
        is_planned = !exchange.changed.is_empty();
        for call in exchange.calls.iter().filter(|call| call.is_planned_only) {
            is_planned = true;
            tracing::info!(
                tenant = ctx.id().as_str(),
                operation = call.operation,
                call = call.template,
                "shadow mode: planned and not sent"
            );
        }
    });
    match result {
        Ok(_) if is_planned => Err(Error {
            retry_after: Some(SHADOW_RETRY),
            ..Error::new(
                503,
                "This tenant is in shadow mode: the change was planned and logged, and nothing was changed. Send it again when the mode is `live`.",
            )
        }),
        result => result,
    }
}

/// What stores keep of a time, so that an answer says what a later GET says.
fn to_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// All headers of a name are one list (RFC 9110 §5.3).
fn precondition(headers: &HeaderMap, name: header::HeaderName) -> Option<Precondition> {
    if !headers.contains_key(&name) {
        return None;
    }
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    Precondition::parse(&lines.join(","))
}

fn refuse(request: &Request, refusal: Refusal) -> (Response, Finished) {
    let response = refusal_response(refusal);
    let finished = Finished {
        tenant: "-".into(),
        route: "refused",
        method: request.method.clone(),
        status: response.status,
        scim_type: None,
        duration: request.received.elapsed(),
        exchange: Exchange::default(),
        request_id: request_id::next(Timestamp::now()).to_string(),
    };
    (response, finished)
}

/// 401 says nothing about why; a tenant that is known but down is 503.
fn refusal_response(refusal: Refusal) -> Response {
    match refusal {
        Refusal::NotAuthenticated => {
            let error = Error::new(
                401,
                "A valid credential is required: `Authorization: Bearer …`.",
            );
            let mut response = Answer::error(&error).into_response(None);
            response.headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"scimgate\""),
            );
            response
        }
        Refusal::TenantDown => {
            let error = Error::new(
                503,
                "This tenant's configuration is broken; its operator must mend it.",
            );
            Answer::error(&error).into_response(Some(DOWN_RETRY_SECONDS))
        }
    }
}

fn allow(headers: &mut HeaderMap, methods: &[&str]) {
    if let Ok(value) = HeaderValue::try_from(methods.join(", ")) {
        headers.insert(header::ALLOW, value);
    }
}

fn taken(exchange: &Mutex<Exchange>) -> Exchange {
    std::mem::take(&mut *exchange.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A wait as `Retry-After` says it: never shorter than meant, never 0 (R11).
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
        .max(1)
}

/// What SailPoint reads beside `Retry-After` (SAILPOINT-07). Of its others, `-limit` would say nothing true, since requests
/// need different numbers of calls, and the unit of `-reset` is not documented.
const RATE_LIMIT_WAIT: header::HeaderName =
    header::HeaderName::from_static("x-rate-limit-retry-after-seconds");

const RATE_LIMIT_LEFT: header::HeaderName =
    header::HeaderName::from_static("x-rate-limit-remaining");
/// When a client of a tenant in shadow mode should send its change again.
const SHADOW_RETRY: Duration = Duration::from_secs(3600);

/// When a client of a broken tenant should ask again.
const DOWN_RETRY_SECONDS: u64 = 60;

/// Whether a body is in UTF-8 by its `Content-Type`, as JSON must be (RFC 8259 §8.1); a `charset` is not needed (RFC 7644 §3.8).
fn is_utf_8(content_type: &str) -> bool {
    content_type.split(';').skip(1).all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, "utf-8"));
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        !name.trim().eq_ignore_ascii_case("charset")
            || matches!(value.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii")
    })
}
