//! What a rehearsal wished in vain because the application does not offer it, so that the steps after it are not judged by it.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::cli::replay::{Reply, Request};

use super::ledger::id_of;

/// Values that no account or group has, although a step wished them.
#[derive(Debug, Default)]
pub struct Lost {
    /// Texts of requests that were done.
    accepted: BTreeSet<String>,
    /// Texts of requests that the application does not offer.
    values: BTreeSet<String>,
    /// Paths of the resources that were to get them.
    paths: BTreeSet<String>,
    /// Those of them that were to get something else than a name.
    states: BTreeSet<String>,
    /// The name that a resource has, by its path.
    names: BTreeMap<String, String>,
    renames: Vec<Rename>,
}

/// A new name that was refused.
#[derive(Debug)]
struct Rename {
    path: String,
    wished: String,
    /// Whether another change of the resource was made since: a look-up after it is about that one.
    is_past: bool,
}

impl Lost {
    /// Notes how a write ended.
    pub fn note(&mut self, request: &Request, path: &str, reply: &Reply) {
        let mut texts = BTreeSet::new();
        if let Some(body) = body_of(request) {
            collect(&body, &mut texts);
        }
        let name = name_in(request, path);
        if reply.status < 300 {
            self.accepted.extend(texts);
            self.note_name(request, path, reply, name);
        } else if is_not_offered(reply) {
            self.values
                .extend(texts.difference(&self.accepted).cloned());
            self.paths.insert(path.to_owned());
            if name.is_none() {
                self.states.insert(path.to_owned());
            }
            self.renames.extend(name.map(|wished| Rename {
                path: path.to_owned(),
                wished,
                is_past: false,
            }));
        }
    }

    fn note_name(&mut self, request: &Request, path: &str, reply: &Reply, name: Option<String>) {
        let place = match request.method.as_str() {
            "POST" => id_of(reply).map(|id| format!("{path}/{id}")),
            "PUT" | "PATCH" => Some(path.to_owned()),
            _ => None,
        };
        let Some(place) = place else { return };
        let renames = self.renames.iter_mut();
        renames
            .filter(|rename| rename.path == place)
            .for_each(|rename| rename.is_past = true);
        if let Some(name) = name {
            self.names.insert(place, name);
        }
    }

    /// The request as it is about a resource that could not be renamed and was changed otherwise since: under the name that it has.
    pub fn under_the_name_it_has(&self, mut request: Request) -> Request {
        for rename in self.renames.iter().filter(|rename| rename.is_past) {
            if let Some(name) = self.names.get(&rename.path)
                && let Some(path) = renamed(&request.path_and_query, &rename.wished, name)
            {
                request.path_and_query = path;
            }
        }
        request
    }

    /// Whether a request looks for one of the values.
    pub fn is_looked_for_in(&self, request: &Request) -> bool {
        names_one_of(request, self.values.iter())
    }

    /// Whether a request reads a resource that was to get one of the values, or looks for it by the name that it has.
    pub fn is_expected_in(&self, request: &Request) -> bool {
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        let is_read = || self.paths.iter().any(|lost| path.ends_with(lost.as_str()));
        let names = self.states.iter().filter_map(|path| self.names.get(path));
        request.method == "GET" && (is_read() || names_one_of(request, names))
    }
}

/// Whether a request's query holds one of these texts.
fn names_one_of<'t>(request: &Request, mut texts: impl Iterator<Item = &'t String>) -> bool {
    let Some((_, query)) = request.path_and_query.split_once('?') else {
        return false;
    };
    let query = query.replace('+', " ");
    let query = percent_decode_str(&query).decode_utf8_lossy();
    texts.any(|text| query.contains(text.as_str()))
}

/// A path whose query has another text for this one; absent if this one is not in it.
fn renamed(path_and_query: &str, from: &str, to: &str) -> Option<String> {
    let (path, query) = path_and_query.split_once('?')?;
    let mut is_there = false;
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8_lossy();
        is_there |= value.contains(from);
        let value = value.replace(from, to);
        format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
    });
    let pairs: Vec<String> = pairs.collect();
    is_there.then(|| format!("{path}?{}", pairs.join("&")))
}

/// The name that a write gives a resource; absent if it gives none.
pub fn name_in(request: &Request, path: &str) -> Option<String> {
    let attribute = match path.starts_with("/Groups") {
        true => "displayName",
        false => "userName",
    };
    let body = body_of(request)?;
    let of = |value: &Value| Some(value.get(attribute)?.as_str()?.to_owned());
    let operations = body.get("Operations").and_then(Value::as_array);
    let mut operations = operations.into_iter().flatten();
    of(&body).or_else(|| {
        operations.find_map(|operation| {
            let value = operation.get("value")?;
            match operation.get("path").and_then(Value::as_str) {
                Some(path) if path == attribute => value.as_str().map(str::to_owned),
                Some(_) => None,
                None => of(value),
            }
        })
    })
}

/// Whether a refusal says that the mapping has no such operation: 501, or 400 `mutability`.
pub fn is_not_offered(reply: &Reply) -> bool {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    reply.status == 501 || (reply.status == 400 && body["scimType"] == "mutability")
}

fn body_of(request: &Request) -> Option<Value> {
    serde_json::from_slice(request.body.as_deref()?).ok()
}

/// The texts in a body that are long enough to be somebody's.
fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => {
            texts.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => {
            let members = members.iter();
            let values = members.filter(|(name, _)| !VOCABULARY.contains(&name.as_str()));
            values.for_each(|(_, member)| collect(member, texts));
        }
        _ => {}
    }
}

/// Members whose texts are SCIM's own words, not somebody's.
const VOCABULARY: [&str; 5] = ["schemas", "op", "path", "type", "$ref"];

/// Shorter texts stand in many a filter: `work`, `User`.
const SHORTEST: usize = 6;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{reply, request};
    use super::*;

    #[test]
    fn a_name_that_was_refused_is_not_looked_for_and_the_one_before_it_is() {
        let mut lost = Lost::default();
        let create = request(
            "POST",
            "/scim/v2/Users",
            &json!({ "userName": "ilse.berg" }),
        );
        lost.note(&create, "/Users", &reply(201, &json!({})));
        let value = json!({ "userName": "ilse.novak", "nickName": "ilse.berg" });
        let rename = request(
            "PATCH",
            "/scim/v2/Users/7",
            &json!([{ "op": "replace", "path": "userName", "value": value }]),
        );
        lost.note(
            &rename,
            "/Users/7",
            &reply(400, &json!({ "scimType": "mutability" })),
        );
        let look = |name: &str| {
            let path = format!("/scim/v2/Users?filter=userName+eq+%22{name}%22");
            lost.is_looked_for_in(&request("GET", &path, &Value::Null))
        };
        assert!(look("ilse.novak") && !look("ilse.berg"));
        let read = |path: &str| lost.is_expected_in(&request("GET", path, &Value::Null));
        assert!(read("/scim/v2/Users/7?attributes=id") && !read("/scim/v2/Users/8"));
    }

    #[test]
    fn who_cannot_be_deactivated_is_found_active_under_any_name_of_hers() {
        let mut lost = Lost::default();
        let create = request("POST", "", &json!({ "userName": "ilse.berg@x.example" }));
        lost.note(&create, "/Users", &reply(201, &json!({ "id": "7" })));
        let find = |name: &str| {
            let path = format!("/scim/v2/Users?filter=userName+eq+%22{name}%40x.example%22");
            request("GET", &path, &Value::Null)
        };
        assert!(!lost.is_expected_in(&find("ilse.berg")));
        let off = json!({ "op": "replace", "value": { "active": false } });
        let off = request("PATCH", "", &json!({ "Operations": [off] }));
        lost.note(&off, "/Users/7", &reply(501, &Value::Null));
        assert!(lost.is_expected_in(&find("ilse.berg")));
        assert!(!lost.is_expected_in(&find("ada.lake")));
    }

    #[test]
    fn who_was_changed_after_a_refused_rename_is_looked_for_under_the_name_she_has() {
        let mut lost = Lost::default();
        let create = request("POST", "", &json!({ "userName": "ilse.berg@x.example" }));
        lost.note(&create, "/Users", &reply(201, &json!({ "id": "7" })));
        let operation = json!({ "op": "replace", "value": { "userName": "ilse.novak@x.example" } });
        let rename = request("PATCH", "", &json!({ "Operations": [operation] }));
        lost.note(&rename, "/Users/7", &reply(501, &Value::Null));
        let filter = "userName%20eq%20%22ilse.novak%40x.example%22";
        let path = format!("/scim/v2/Users?filter={filter}&count=1");
        let look = || lost_look(&path);
        let asked = lost.under_the_name_it_has(look());
        assert!(lost.is_looked_for_in(&asked), "it is about the rename");
        let off = json!({ "op": "replace", "value": { "active": false } });
        let off = request("PATCH", "", &json!({ "Operations": [off] }));
        lost.note(&off, "/Users/7", &reply(200, &Value::Null));
        let asked = lost.under_the_name_it_has(look());
        assert!(!lost.is_looked_for_in(&asked));
        let query = percent_decode_str(&asked.path_and_query).decode_utf8_lossy();
        assert!(query.contains("\"ilse.berg@x.example\"&count=1"), "{query}");
    }

    fn lost_look(path: &str) -> Request {
        request("GET", path, &Value::Null)
    }

    #[test]
    fn only_what_the_mapping_lacks_is_not_offered() {
        for (status, kind, expected) in [
            (501, None, true),
            (400, Some("mutability"), true),
            (400, Some("invalidValue"), false),
            (502, None, false),
        ] {
            let reply = reply(status, &json!({ "scimType": kind }));
            assert_eq!(is_not_offered(&reply), expected, "{status} {kind:?}");
        }
    }
}
