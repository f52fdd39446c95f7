//! What a rehearsal has made in the application, so that all of it can be removed.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::cli::replay::{Reply, Request, in_uri};

use super::lost::name_in;

/// What was made, what may have been made, and what was only planned.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Paths of resources that exist, such as `/Users/17`, in the order of their creation.
    made: Vec<String>,
    /// Creates whose end is not known: the endpoint, and the filter that finds what they made.
    unsure: Vec<(String, String)>,
    /// Paths of resources that a dry run planned.
    planned: BTreeSet<String>,
    /// The name that a resource has, by its path.
    names: BTreeMap<String, String>,
    /// Accounts that are gone for the client by a DELETE, with the last name they had, in the order of their deletion.
    deleted: Vec<Account>,
    /// Accounts that a rename left under their old name.
    renamed: Vec<Account>,
}

/// An account, as a person finds it in the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its path, such as `/Users/17`.
    pub path: String,
    /// Its `userName`; absent if it was never told.
    pub name: Option<String>,
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.path),
            None => write!(f, "{}", self.path),
        }
    }
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
                    self.planned.insert(resource_path(path, &id));
                }
                (201, Some(id)) => self.made.push(resource_path(path, &id)),
                (201, None) => self.unsure.push((path.to_owned(), filter)),
                _ => {}
            }
        }
        if request.method == "DELETE" && matches!(reply.status, 204 | 404) {
            self.made.retain(|made| made != path);
        }
        if !is_planned {
            self.note_account(request, path, reply);
        }
    }

    /// Notes the names of accounts, and which are deleted.
    fn note_account(&mut self, request: &Request, path: &str, reply: &Reply) {
        if !path.starts_with("/Users") || reply.status >= 300 {
            return;
        }
        let place = match request.method.as_str() {
            "POST" => id_of(reply).map(|id| resource_path(path, &id)),
            "PUT" | "PATCH" => Some(path.to_owned()),
            "DELETE" => {
                let name = self.names.remove(path);
                let path = path.to_owned();
                self.deleted.push(Account { path, name });
                None
            }
            _ => None,
        };
        if let Some((place, name)) = place.zip(name_in(request, path)) {
            self.names.insert(place, name);
        }
    }

    /// Notes that the account at a path was left under the name it had, and another one took its place.
    pub fn left_by_rename(&mut self, path: &str) {
        let name = self.names.get(path).cloned();
        let path = path.to_owned();
        self.renamed.push(Account { path, name });
    }

    /// Accounts that were deleted, as the client sees it.
    pub fn deleted(&self) -> &[Account] {
        &self.deleted
    }

    /// Accounts that renames left behind under their old name.
    pub fn renamed(&self) -> &[Account] {
        &self.renamed
    }

    /// What kind of planned resource a request is about, in its path or its body; absent if it is about none.
    pub fn planned_kind(&self, request: &Request, path: &str) -> Option<&'static str> {
        let body = request.body.as_deref().unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        let planned = self.planned.iter().find(|planned| {
            let id = planned.rsplit('/').next().unwrap_or_default();
            let id = percent_decode_str(id).decode_utf8_lossy();
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

/// The path of a resource, as requests have it.
pub fn resource_path(endpoint: &str, id: &str) -> String {
    in_uri(&format!("{endpoint}/{id}"))
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
    fn an_id_with_spaces_is_the_one_that_requests_name() {
        let mut ledger = Ledger::default();
        for id in ["Late Shift", "Früh"] {
            create(&mut ledger, id, 201, &json!({ "id": id }));
        }
        let delete = request("DELETE", "", &Value::Null);
        let path = in_uri("/Users/Late Shift");
        ledger.received(&delete, &path, &reply(204, &Value::Null), false);
        assert_eq!(ledger.take_made(), ["/Users/Fr%C3%BCh"]);
        let planned = request("POST", "", &json!({ "userName": "x" }));
        let made = reply(201, &json!({ "id": "Late Shift" }));
        ledger.received(&planned, "/Users", &made, true);
        let add = request("PATCH", "", &json!({ "value": "Late Shift" }));
        assert_eq!(ledger.planned_kind(&add, "/Groups/1"), Some("user"));
        assert_eq!(ledger.planned_kind(&delete, &path), Some("user"));
    }

    #[test]
    fn who_was_deleted_is_known_by_the_last_name() {
        let mut ledger = Ledger::default();
        create(&mut ledger, "ilse.berg", 201, &json!({ "id": "7" }));
        let operation = json!({ "op": "replace", "path": "userName", "value": "ilse.novak" });
        let rename = request("PATCH", "", &json!({ "Operations": [operation] }));
        ledger.received(&rename, "/Users/7", &reply(409, &Value::Null), false);
        let delete = request("DELETE", "", &Value::Null);
        let mut renamed = Ledger::default();
        create(&mut renamed, "ilse.berg", 201, &json!({ "id": "7" }));
        renamed.received(&rename, "/Users/7", &reply(204, &Value::Null), false);
        for (ledger, expected) in [
            (&mut ledger, "ilse.berg (/Users/7)"),
            (&mut renamed, "ilse.novak (/Users/7)"),
        ] {
            ledger.received(&delete, "/Users/7", &reply(403, &Value::Null), false);
            assert!(ledger.deleted().is_empty());
            ledger.received(&delete, "/Users/7", &reply(204, &Value::Null), false);
            let deleted: Vec<_> = ledger.deleted().iter().map(ToString::to_string).collect();
            assert_eq!(deleted, [expected]);
        }
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
