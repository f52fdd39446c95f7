//! What a rehearsal has made in the application, so that all of it can be removed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::replay::{Reply, Request};

/// What was made, what may have been made, and what was only planned.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Paths of resources that exist, such as `/Users/17`, in the order of their creation.
    made: Vec<String>,
    /// Creates whose end is not known: the endpoint, and the filter that finds what they made.
    unsure: Vec<(String, String)>,
    /// Paths of resources that a dry run planned.
    planned: BTreeSet<String>,
}

impl Ledger {
    /// Notes a request that is about to be sent: from here on it may have made something.
    pub fn sending(&mut self, request: &Request, path: &str) {
        if let Some(filter) = creates(request, path) {
            self.unsure.push((path.to_owned(), filter));
        }
    }

    /// Notes what came back.
    pub fn received(&mut self, request: &Request, path: &str, reply: &Reply, is_planned: bool) {
        if let Some(filter) = creates(request, path) {
            // A refusal made nothing. A failure may have, and so may a success whose answer has no id.
            if reply.status < 500 {
                self.unsure
                    .retain(|(endpoint, other)| (endpoint.as_str(), other) != (path, &filter));
            }
            match (reply.status, id_of(reply)) {
                (201, Some(id)) if is_planned => {
                    self.planned.insert(format!("{path}/{id}"));
                }
                (201, Some(id)) => self.made.push(format!("{path}/{id}")),
                (201, None) => self.unsure.push((path.to_owned(), filter)),
                _ => {}
            }
        }
        if request.method == "DELETE" && matches!(reply.status, 204 | 404) {
            self.made.retain(|made| made != path);
        }
    }

    /// What kind of planned resource a request is about, in its path or its body; absent if it is about none.
    pub fn planned_kind(&self, request: &Request, path: &str) -> Option<&'static str> {
        let body = request.body.as_deref().unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        let planned = self.planned.iter().find(|planned| {
            let id = planned.rsplit('/').next().unwrap_or_default();
            *planned == path || body.contains(&format!("\"{id}\""))
        })?;
        Some(match planned.starts_with("/Groups") {
            true => "group",
            false => "user",
        })
    }

    /// Whether anything was planned so far.
    pub fn has_plans(&self) -> bool {
        !self.planned.is_empty()
    }

    /// Takes out what exists, the last first: a group goes before its members.
    pub fn take_made(&mut self) -> Vec<String> {
        std::mem::take(&mut self.made).into_iter().rev().collect()
    }

    /// Takes out the creates whose end is not known: endpoint and filter.
    pub fn take_unsure(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.unsure)
    }
}

/// The filter that finds what a request creates; absent if it creates nothing, or nothing that has a name.
fn creates(request: &Request, path: &str) -> Option<String> {
    let name = match path {
        "/Users" => "userName",
        "/Groups" => "displayName",
        _ => return None,
    };
    if request.method != "POST" {
        return None;
    }
    let body: Value = serde_json::from_slice(request.body.as_deref()?).ok()?;
    let value = body.get(name)?.as_str()?;
    Some(format!("{name} eq {}", Value::from(value)))
}

/// The id in a reply's body.
pub fn id_of(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    body.get("id")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{reply, request};
    use super::*;

    fn create(ledger: &mut Ledger, name: &str, status: u16, body: &Value) {
        let request = request("POST", "", &json!({ "userName": name }));
        ledger.sending(&request, "/Users");
        ledger.received(&request, "/Users", &reply(status, body), false);
    }

    #[test]
    fn what_was_made_and_not_deleted_is_left_the_last_first() {
        let mut ledger = Ledger::default();
        for id in ["1", "2", "3"] {
            create(&mut ledger, id, 201, &json!({ "id": id }));
        }
        let delete = request("DELETE", "", &Value::Null);
        ledger.received(&delete, "/Users/2", &reply(204, &Value::Null), false);
        ledger.received(&delete, "/Users/1", &reply(500, &Value::Null), false);
        assert_eq!(ledger.take_made(), ["/Users/3", "/Users/1"]);
        assert!(ledger.take_unsure().is_empty());
    }

    #[test]
    fn a_create_without_a_clear_end_is_looked_for() {
        let mut ledger = Ledger::default();
        create(&mut ledger, "refused", 409, &Value::Null);
        create(&mut ledger, "failed", 502, &Value::Null);
        create(&mut ledger, "nameless", 201, &Value::Null);
        let cut = request("POST", "", &json!({ "userName": "cut \"off\"" }));
        ledger.sending(&cut, "/Users");
        let filters: Vec<String> = ledger.take_unsure().into_iter().map(|(_, f)| f).collect();
        assert_eq!(
            filters,
            [
                r#"userName eq "failed""#,
                r#"userName eq "nameless""#,
                r#"userName eq "cut \"off\"""#
            ]
        );
    }

    #[test]
    fn a_planned_create_leaves_nothing_and_is_recognised_again() {
        let mut ledger = Ledger::default();
        let request = request("POST", "", &json!({ "displayName": "Field" }));
        ledger.sending(&request, "/Groups");
        ledger.received(
            &request,
            "/Groups",
            &reply(201, &json!({ "id": "(new)" })),
            true,
        );
        assert!(ledger.has_plans());
        let read = Request::default();
        assert_eq!(ledger.planned_kind(&read, "/Groups/(new)"), Some("group"));
        assert_eq!(ledger.planned_kind(&read, "/Groups"), None);
        let named = super::tests::request("PATCH", "", &json!([{ "value": "(new)" }]));
        assert_eq!(ledger.planned_kind(&named, "/Groups/7"), Some("group"));
        assert!(ledger.take_made().is_empty() && ledger.take_unsure().is_empty());
    }
}
