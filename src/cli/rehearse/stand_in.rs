//! A group of the application that stands in for the one a life cycle makes (`--group NAME`), where groups are fixed.
//!
//! In: the group as it was before, and the rehearsal's requests. Out: what is answered in its place, and what puts the
//! group back.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::cli::replay::{Reply, Request};

use super::ledger::resource_path;

/// The group, as it was before the rehearsal.
#[derive(Debug, Clone)]
pub struct StandIn {
    name: String,
    /// `/Groups/7`.
    path: String,
    before: Map<String, Value>,
    /// Whether the rehearsal has it by now.
    is_given: bool,
    /// Whether the rehearsal has deleted it, as it believes.
    is_left: bool,
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// It is sent as it is.
    Sent,
    /// It is not sent.
    NotSent(String),
    /// It would make the group: the one that stands in is given, after this PATCH, if there is one.
    Given(Option<Value>),
}

impl StandIn {
    /// A group as it is; absent if it has no id.
    pub fn new(name: &str, before: Map<String, Value>) -> Option<Self> {
        let id = before.get("id")?.as_str()?;
        Some(Self {
            name: name.to_owned(),
            path: resource_path("/Groups", id),
            before,
            is_given: false,
            is_left: false,
        })
    }

    /// Its path below the base.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is to become of a request.
    pub fn part(&mut self, request: &Request, path: &str) -> Part {
        let body: Value = request
            .body
            .as_deref()
            .and_then(|body| serde_json::from_slice(body).ok())
            .unwrap_or_default();
        let names_it = || body.get("displayName").and_then(Value::as_str) == Some(&self.name);
        let is_search = request.method == "GET" && path == "/Groups";
        let query = request.path_and_query.replace('+', " ");
        let query = percent_decode_str(&query).decode_utf8_lossy();
        let is_named = is_search && query.contains(&Value::from(self.name.as_str()).to_string());
        if self.is_left && (path == self.path || is_named) {
            return Part::NotSent(format!("{}: it is there still", self.words()));
        }
        match request.method.as_str() {
            "POST" if path == "/Groups" && !self.is_given && names_it() => {
                self.is_given = true;
                Part::Given(wished(&body))
            }
            "GET" if is_named && !self.is_given => {
                Part::NotSent(format!("{}: it is there already", self.words()))
            }
            "DELETE" if path == self.path => {
                self.is_left = true;
                Part::NotSent(format!("{}: it stays", self.words()))
            }
            _ => Part::Sent,
        }
    }

    /// Why a step was not sent that would have made it.
    pub fn words(&self) -> String {
        format!("the group `{}` stands in for one of its own", self.name)
    }

    /// An answer without the members that it had before: the life cycle knows of its own alone.
    pub fn without_others(&self, mut reply: Reply) -> Reply {
        let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        let others = members(&self.before);
        let is_own = |member: &Value| {
            !member["value"]
                .as_str()
                .is_some_and(|id| others.contains(&id))
        };
        let strip = |group: &mut Value| {
            if group.get("id") == self.before.get("id")
                && let Some(Value::Array(members)) = group.get_mut("members")
            {
                members.retain(is_own);
            }
        };
        match body.get_mut("Resources") {
            Some(Value::Array(groups)) => groups.iter_mut().for_each(strip),
            _ => strip(&mut body),
        }
        reply.body = body.to_string().into_bytes();
        reply
    }

    /// The PATCH that puts it back as it was; absent if it is so.
    pub fn restoring(&self, now: &Map<String, Value>) -> Option<Value> {
        let mut operations = Vec::new();
        for name in ["displayName", "externalId"] {
            match (self.before.get(name), now.get(name)) {
                (before, now) if before == now => {}
                (Some(value), _) => {
                    operations.push(json!({ "op": "replace", "path": name, "value": value }));
                }
                (None, _) => operations.push(json!({ "op": "remove", "path": name })),
            }
        }
        let (before, now) = (members(&self.before), members(now));
        let values = |ids: &[&str], others: &[&str]| -> Vec<Value> {
            let ids = ids.iter().filter(|id| !others.contains(id));
            ids.map(|id| json!({ "value": id })).collect()
        };
        let (lacking, extra) = (values(&before, &now), values(&now, &before));
        if !extra.is_empty() {
            operations.push(json!({ "op": "remove", "path": "members", "value": extra }));
        }
        if !lacking.is_empty() {
            operations.push(json!({ "op": "add", "path": "members", "value": lacking }));
        }
        (!operations.is_empty()).then(|| patch(&operations))
    }
}

/// What a create wishes of the group that a group which is there has not.
fn wished(body: &Value) -> Option<Value> {
    let mut operations = Vec::new();
    if let Some(external_id) = body.get("externalId") {
        operations.push(json!({ "op": "replace", "path": "externalId", "value": external_id }));
    }
    let members = body.get("members").and_then(Value::as_array);
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        operations.push(json!({ "op": "add", "path": "members", "value": members }));
    }
    (!operations.is_empty()).then(|| patch(&operations))
}

fn patch(operations: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

fn members(group: &Map<String, Value>) -> Vec<&str> {
    let members = group.get("members").and_then(Value::as_array);
    let members = members.into_iter().flatten();
    members
        .filter_map(|member| member.get("value")?.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::request;
    use super::*;

    fn group(name: &str, members: &[&str]) -> Map<String, Value> {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let group = json!({ "id": "7", "displayName": name, "members": members });
        group.as_object().unwrap().clone()
    }

    #[test]
    fn it_is_given_once_and_never_deleted() {
        let mut stands_in = StandIn::new("Crew", group("Crew", &[])).unwrap();
        let look = "/scim/v2/Groups?filter=displayName+eq+%22Crew%22";
        let look = request("GET", look, &Value::Null);
        let other = "/scim/v2/Groups?filter=displayName+eq+%22Crews%22";
        let other = request("GET", other, &Value::Null);
        assert_eq!(stands_in.part(&other, "/Groups"), Part::Sent);
        assert!(matches!(stands_in.part(&look, "/Groups"), Part::NotSent(_)));
        let create = request("POST", "", &json!({ "displayName": "Crew", "members": [] }));
        assert_eq!(stands_in.part(&create, "/Groups"), Part::Given(None));
        assert_eq!(stands_in.part(&create, "/Groups"), Part::Sent);
        assert_eq!(stands_in.part(&look, "/Groups"), Part::Sent);
        let delete = request("DELETE", "", &Value::Null);
        assert_eq!(stands_in.part(&delete, "/Groups/8"), Part::Sent);
        let not_sent = stands_in.part(&delete, "/Groups/7");
        assert!(matches!(not_sent, Part::NotSent(why) if why.contains("`Crew`")));
        assert!(matches!(stands_in.part(&look, "/Groups"), Part::NotSent(_)));
    }

    #[test]
    fn only_what_is_otherwise_than_before_is_put_back() {
        let stands_in = StandIn::new("Crew", group("Crew", &["1", "2"])).unwrap();
        assert_eq!(stands_in.restoring(&group("Crew", &["2", "1"])), None);
        let patch = stands_in.restoring(&group("Staff", &["2", "3"])).unwrap();
        let expected = json!([
            { "op": "replace", "path": "displayName", "value": "Crew" },
            { "op": "remove", "path": "members", "value": [{ "value": "3" }] },
            { "op": "add", "path": "members", "value": [{ "value": "1" }] },
        ]);
        assert_eq!(patch["Operations"], expected);
    }
}
