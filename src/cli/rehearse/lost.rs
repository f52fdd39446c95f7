//! What a rehearsal wished in vain because the application does not offer it, so that the steps after it are not judged by it.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::cli::replay::{Reply, Request};

/// Values that no account or group has, although a step wished them.
#[derive(Debug, Default)]
pub struct Lost {
    /// Texts of requests that were done.
    accepted: BTreeSet<String>,
    /// Texts of requests that the application does not offer.
    values: BTreeSet<String>,
    /// Paths of the resources that were to get them.
    paths: BTreeSet<String>,
}

impl Lost {
    /// Notes how a write ended.
    pub fn note(&mut self, request: &Request, path: &str, reply: &Reply) {
        let mut texts = BTreeSet::new();
        if let Some(body) = body_of(request) {
            collect(&body, &mut texts);
        }
        if reply.status < 300 {
            self.accepted.extend(texts);
        } else if is_not_offered(reply) {
            self.values
                .extend(texts.difference(&self.accepted).cloned());
            self.paths.insert(path.to_owned());
        }
    }

    /// Whether a request looks for one of the values.
    pub fn is_looked_for_in(&self, request: &Request) -> bool {
        let Some((_, query)) = request.path_and_query.split_once('?') else {
            return false;
        };
        let query = query.replace('+', " ");
        let query = percent_decode_str(&query).decode_utf8_lossy();
        self.values
            .iter()
            .any(|value| query.contains(value.as_str()))
    }

    /// Whether a request reads a resource that was to get one of the values.
    pub fn is_expected_in(&self, request: &Request) -> bool {
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        request.method == "GET" && self.paths.iter().any(|lost| path.ends_with(lost.as_str()))
    }
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

    use super::*;

    fn request(method: &str, path_and_query: &str, body: &Value) -> Request {
        Request {
            method: method.to_owned(),
            path_and_query: path_and_query.to_owned(),
            body: Some(body.to_string().into_bytes()),
            ..Request::default()
        }
    }

    fn reply(status: u16, body: &Value) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

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
