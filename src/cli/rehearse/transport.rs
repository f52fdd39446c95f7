//! The way of a rehearsed request: through the edge into the gateway, noting what it leaves behind.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::{
    cli::replay::{Reply, Request, SendFuture, Transport, TransportError},
    exchange::{CallRecord, Exchange},
    gateway::Writes,
    mapping::{model::OnDelete, read},
    tenant::Tenant,
};

use super::{
    asked::Asked,
    edge::{BASE_PATH, Edge},
    ledger::{Ledger, resource_path},
    lost::{Lost, is_not_offered},
    report::Kept,
    serves_groups,
    stand_in::{Part, StandIn},
};

/// Requests go to the run's own listener.
pub struct Stage {
    edge: Edge,
    tenant: Arc<Tenant>,
    writes: Writes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    seen: Seen,
    lost: Lost,
    asked: Asked,
    stand_in: Option<StandIn>,
}

impl State {
    /// A reply as the life cycle is to see it.
    fn as_shown(&self, path: &str, reply: Reply) -> Reply {
        let stand_in = self.stand_in.as_ref();
        match stand_in.filter(|_| path.starts_with("/Groups")) {
            Some(stand_in) => stand_in.without_others(reply),
            None => reply,
        }
    }
}

/// What the gateway noted about the request sent last.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What it mended and called; empty if the request was not sent.
    pub exchange: Exchange,
    /// Why the request was not sent.
    pub not_sent: Option<String>,
    /// Attributes that were changed although no step has named them.
    pub unasked: Vec<String>,
    /// Whether the writes so far were only planned: what a read finds says nothing then.
    pub follows_plans: bool,
    /// Whether it was refused because the mapping has no such operation: nobody's mistake.
    pub is_not_offered: bool,
    /// Why a failure says nothing: it was about what an earlier step wished that the application does not offer.
    pub why_unjudged: Option<String>,
}

/// Something the rehearsal made and could not remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// Its path, such as `/Users/17`, or how to find it.
    pub what: String,
    /// What stood in the way.
    pub why: String,
}

impl Stage {
    /// A way to a tenant's application, or up to it.
    pub fn new(edge: Edge, tenant: Arc<Tenant>, writes: Writes) -> Self {
        Self {
            edge,
            tenant,
            writes,
            state: Mutex::default(),
        }
    }

    /// Has a group of the application stand in for the one that the rehearsal makes.
    ///
    /// # Errors
    ///
    /// There is not exactly one of that name, or it cannot be read.
    pub async fn let_stand_in(&self, name: &str) -> Result<(), String> {
        let filter = format!("displayName eq {}", Value::from(name));
        let found = self.found("/Groups", &filter).await?;
        let [path] = found.as_slice() else {
            return Err(format!(
                "{} groups of the application are called `{name}`",
                found.len()
            ));
        };
        let group = self.group(path).await?;
        let stands_in = StandIn::new(name, group);
        self.state().stand_in = Some(stands_in.ok_or("the group has no id")?);
        Ok(())
    }

    /// Where the groups are fixed, has the first of them that nobody is in stand in; gives its name. Whom the provider's whole
    /// lists would take out of another one meanwhile has not agreed to it.
    pub async fn let_empty_one_stand_in(&self) -> Option<String> {
        let mut types = self.tenant.mapping.types.iter();
        let groups = types.find(|t| t.members.is_some() && t.is_fixed())?;
        for object in groups.fixed.iter().take(MOST_LOOKED_AT) {
            let id = read::target_id(groups, object)?;
            let id = format!("{}{id}", groups.id.prefix);
            let path = resource_path("/Groups", &id);
            let Ok(group) = self.group(&path).await else {
                continue;
            };
            let members = group.get("members").and_then(Value::as_array);
            let name = group.get("displayName").and_then(Value::as_str);
            if let (true, Some(name)) = (members.is_none_or(Vec::is_empty), name) {
                let name = name.to_owned();
                self.state().stand_in = StandIn::new(&name, group);
                return Some(name);
            }
        }
        None
    }

    /// Where the run listens.
    pub fn base_url(&self) -> &str {
        self.edge.base_url()
    }

    /// The run's own credential.
    pub fn token(&self) -> &str {
        self.edge.token()
    }

    /// A group with its members.
    async fn group(&self, path: &str) -> Result<Map<String, Value>, String> {
        let reply = self.ask("GET", path.to_owned(), None).await;
        match serde_json::from_slice(&reply.body) {
            Ok(Value::Object(group)) if reply.status == 200 => Ok(group),
            _ => Err(told(&reply)),
        }
    }

    /// Gives the group that stands in, as if it had been made.
    async fn given(&self, wished: Option<Value>) -> Reply {
        let path = self.state().stand_in.as_ref().map(|s| s.path().to_owned());
        let path = path.unwrap_or_default();
        if let Some(patch) = wished.filter(|_| self.writes == Writes::Sent) {
            let reply = self.ask("PATCH", path.clone(), Some(patch)).await;
            if reply.status >= 300 {
                return reply;
            }
        }
        let reply = self.ask("GET", path, None).await;
        match reply.status {
            200 => Reply {
                status: 201,
                ..reply
            },
            _ => reply,
        }
    }

    /// Puts the group that stood in back as it was, and sees that it is.
    async fn put_back(&self) -> Option<LeftBehind> {
        let stand_in = self.state().stand_in.take()?;
        let path = stand_in.path();
        let restored = async {
            if let Some(patch) = stand_in.restoring(&self.group(path).await?) {
                let reply = self.ask("PATCH", path.to_owned(), Some(patch)).await;
                if reply.status >= 300 {
                    return Err(told(&reply));
                }
            }
            match stand_in.restoring(&self.group(path).await?) {
                None => Ok(()),
                Some(patch) => Err(format!("this is still to be done: {}", patch["Operations"])),
            }
        };
        let why = restored.await.err()?;
        Some(LeftBehind {
            what: format!("{path}, which is not as it was"),
            why,
        })
    }

    /// What the gateway noted about the request sent last. Asked once for each step.
    pub fn seen(&self) -> Seen {
        std::mem::take(&mut self.state().seen)
    }

    /// Accounts that stay in the application by the tenant's policy.
    pub fn kept(&self) -> Kept {
        let state = self.state();
        let keeps_deleted = self.writes == Writes::Sent
            && self.tenant.mapping.policy.on_delete == OnDelete::Deactivate;
        Kept {
            deleted: keeps_deleted.then(|| state.ledger.deleted().to_vec()),
            renamed: state.ledger.renamed().to_vec(),
        }
    }

    /// Deletes what was made and is there still, and gives what could not be deleted.
    pub async fn clean_up(&self) -> Vec<LeftBehind> {
        let (mut paths, unsure) = {
            let mut state = self.state();
            (state.ledger.take_made(), state.ledger.take_unsure())
        };
        let mut left = Vec::new();
        if self.writes == Writes::Planned {
            return left;
        }
        // Before its members go.
        left.extend(self.put_back().await);
        for (endpoint, filter) in unsure {
            match self.found(&endpoint, &filter).await {
                Ok(found) => paths.extend(found),
                Err(why) => left.push(LeftBehind {
                    what: format!("{endpoint}, if there is one: {filter}"),
                    why,
                }),
            }
        }
        for path in paths {
            let reply = self.ask("DELETE", path.clone(), None).await;
            let delete = Request {
                method: "DELETE".to_owned(),
                ..Request::default()
            };
            self.state().ledger.received(&delete, &path, &reply, false);
            if !matches!(reply.status, 204 | 404) {
                let why = self.why_left(&path, &reply).await;
                left.push(LeftBehind { what: path, why });
            }
        }
        left
    }

    /// What stood in the way of a delete. An account that must stay is at least deactivated.
    async fn why_left(&self, path: &str, reply: &Reply) -> String {
        let why = told(reply);
        if !path.starts_with("/Users/") {
            return why;
        }
        let deactivation = json!({
            "schemas": [PATCH_OP],
            "Operations": [{"op": "replace", "path": "active", "value": false}],
        });
        let reply = self.ask("PATCH", path.to_owned(), Some(deactivation)).await;
        match reply.status {
            200 | 204 => format!("{why} It is deactivated."),
            _ => format!("{why} It is active."),
        }
    }

    /// The paths of the resources that a filter finds.
    async fn found(&self, endpoint: &str, filter: &str) -> Result<Vec<String>, String> {
        let filter = utf8_percent_encode(filter, NON_ALPHANUMERIC);
        let reply = self
            .ask("GET", format!("{endpoint}?filter={filter}"), None)
            .await;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        match body.get("Resources").and_then(Value::as_array) {
            Some(resources) if reply.status == 200 => Ok(resources
                .iter()
                .filter_map(|resource| resource.get("id")?.as_str())
                .map(|id| resource_path(endpoint, id))
                .collect()),
            None if reply.status == 200 => Ok(Vec::new()),
            _ => Err(told(&reply)),
        }
    }

    async fn ask(&self, method: &str, path_and_query: String, body: Option<Value>) -> Reply {
        let request = Request {
            method: method.to_owned(),
            path_and_query: format!("{BASE_PATH}{path_and_query}"),
            headers: vec![
                (
                    "Authorization".into(),
                    format!("Bearer {}", self.edge.token()),
                ),
                ("Content-Type".into(), "application/scim+json".into()),
            ],
            body: body.map(|body| body.to_string().into_bytes()),
        };
        match self.edge.exchange(request).await {
            Ok((reply, _)) => reply,
            Err(error) => Reply {
                status: 500,
                headers: Vec::new(),
                body: error.to_string().into_bytes(),
            },
        }
    }

    /// Why a request is not worth sending: it is about what was only planned, or about what the tenant does not have.
    fn why_not(&self, request: &Request, path: &str) -> Option<String> {
        let is_about_groups = path.starts_with("/Groups") || path == "/ResourceTypes/Group";
        if is_about_groups && !serves_groups(&self.tenant) {
            return Some("the mapping has no groups; leave them off in the provider".into());
        }
        let state = self.state();
        if state.lost.is_looked_for_in(request) {
            return Some(LOST.into());
        }
        let kind = state.ledger.planned_kind(request, path)?;
        Some(format!(
            "it is about the {kind} that would have been created"
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Stage {
    fn send(&self, request: Request) -> SendFuture<'_> {
        Box::pin(async move {
            let request = self.state().lost.under_the_name_it_has(request);
            let path = path_of(&request);
            self.state().seen = Seen::default();
            if let Some(reason) = self.why_not(&request, &path) {
                self.state().seen.not_sent = Some(reason);
                return Err(TransportError::Other("not sent".into()));
            }
            let part = {
                let mut state = self.state();
                state.stand_in.as_mut().map(|s| s.part(&request, &path))
            };
            match part {
                Some(Part::NotSent(reason)) => {
                    self.state().seen.not_sent = Some(reason);
                    return Err(TransportError::Other("not sent".into()));
                }
                Some(Part::Given(wished)) => {
                    let reply = self.given(wished).await;
                    let mut state = self.state();
                    let reply = state.as_shown(&path, reply);
                    let words = state.stand_in.as_ref().map(StandIn::words);
                    let words = words.filter(|_| reply.status < 300);
                    state.seen.not_sent =
                        words.map(|words| format!("{words}, and is taken as made"));
                    return Ok(reply);
                }
                Some(Part::Sent) | None => {}
            }
            self.state().ledger.sending(&request, &path);
            let (reply, exchange) = self.edge.exchange(request.clone()).await?;
            let mut state = self.state();
            state.seen.unasked = state.asked.unasked(&request, &exchange.changed);
            state.seen.follows_plans = state.ledger.has_plans();
            let is_planned = self.writes == Writes::Planned;
            state.seen.is_not_offered = is_not_offered(&reply);
            let lost = state.lost.is_expected_in(&request);
            state.seen.why_unjudged = lost.then(|| LOST.to_owned());
            state.lost.note(&request, &path, &reply);
            let creates =
                |call: &CallRecord| call.operation.ends_with(".create") && !call.is_planned_only;
            let is_change = matches!(request.method.as_str(), "PUT" | "PATCH");
            if is_change && reply.status < 300 && exchange.calls.iter().any(creates) {
                state.ledger.left_by_rename(&path);
            }
            state.ledger.received(&request, &path, &reply, is_planned);
            state.seen.exchange = exchange;
            Ok(state.as_shown(&path, reply))
        })
    }
}

/// What an error says to the administrator.
pub fn detail(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    body.get("detail")?.as_str().map(str::to_owned)
}

/// What an error says, or its status.
fn told(reply: &Reply) -> String {
    detail(reply).unwrap_or_else(|| format!("It was answered {}.", reply.status))
}

/// The path below the base, without the query.
fn path_of(request: &Request) -> String {
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    path.strip_prefix(BASE_PATH).unwrap_or(path).to_owned()
}

/// Fixed groups that are looked at to find one without members: each may be a reading of all users.
const MOST_LOOKED_AT: usize = 20;

/// What is said of a step that looks for what could not be done.
const LOST: &str = "it is about what an earlier step wished and the application does not offer";

/// The schema of a PATCH (RFC 7644 §3.5.2).
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
