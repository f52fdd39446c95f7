//! Who a client is, by what it does again and again.
//!
//! Most providers send a `User-Agent` that says nothing. Some have habits that no other is known to have, and a client that
//! shows those of one provider in several requests, and never another's, is that provider. One request proves nothing: it may
//! be a test by hand, or written by somebody who knows what the recognition would change.

use serde_json::{Map, Value};

use super::Idp;

/// What a request shows of its client.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Its method, such as `PATCH`.
    pub method: &'a str,
    /// The path below the base, such as `/Users/17`.
    pub path: &'a str,
    /// The raw query, without `?`; absent if there is none.
    pub query: Option<&'a str>,
    /// The body as JSON.
    pub body: Option<&'a Value>,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
}

impl Observed<'_> {
    /// The provider of which this request shows a habit that no other is known to have.
    ///
    /// Absent if it shows none, which is usual, or those of two.
    pub fn suggests(&self) -> Option<Idp> {
        if let Some(idp) = self.user_agent.and_then(Idp::from_user_agent) {
            return Some(idp);
        }
        let mut suggested = Idp::ALL.into_iter().filter(|idp| self.is_like(*idp));
        match (suggested.next(), suggested.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    fn is_like(&self, idp: Idp) -> bool {
        match idp {
            Idp::Okta => self.is_like_okta(),
            Idp::Entra => self.is_like_entra(),
            // ONELOGIN-01 and ONELOGIN-03.
            Idp::OneLogin => {
                self.query
                    .is_some_and(|query| query.starts_with("filter=") && query.ends_with('&'))
                    || self.has_schema("urn:scim:schemas:core:2.0")
            }
            // PING-01 and PING-02.
            Idp::Ping => self.query.is_some_and(|query| {
                ["%20Eq%20", "%20Co%20", "+Eq+", "+Co+"]
                    .iter()
                    .any(|operator| query.contains(operator))
            }),
            // SAILPOINT-04.
            Idp::SailPoint => {
                self.path.starts_with("/Users/")
                    && self.operations().any(|operation| {
                        text(operation, "path").is_some_and(|path| path.starts_with("groups"))
                    })
            }
            // KEYCLOAK-05 and KEYCLOAK-12.
            Idp::Keycloak => {
                self.members()
                    .any(|member| text(member, "$ref").is_some_and(|r| r.starts_with("Users/")))
                    || self.pathless().any(Value::is_string)
            }
            // AUTHENTIK-10.
            Idp::Authentik => self
                .pathless()
                .any(|value| has_exactly(value, &["displayName", "externalId", "id", "schemas"])),
            _ => false,
        }
    }

    /// OKTA-13, OKTA-03: the name PATCH; an id of Okta's own; a password beside an empty list of groups.
    fn is_like_okta(&self) -> bool {
        let names = self.path.starts_with("/Groups/")
            && self
                .pathless()
                .any(|value| has_exactly(value, &["displayName", "id"]));
        let body = self.object();
        let has_its_id = body
            .and_then(|body| text(body, "externalId"))
            .is_some_and(is_okta_id);
        let has_both = body.is_some_and(|body| {
            body.contains_key("password")
                && body
                    .get("groups")
                    .and_then(Value::as_array)
                    .is_some_and(Vec::is_empty)
        });
        names || has_its_id || (has_both && self.method == "POST")
    }

    /// ENTRA-09, -12, -16, -25, -26, -27, -39.
    fn is_like_entra(&self) -> bool {
        let asks = self.query.is_some_and(|query| {
            query.contains("aadOptscim062020")
                || query.contains("AzureAdScimPatch2017")
                || (self.path == "/Groups"
                    && query.starts_with("excludedAttributes=members&filter="))
        });
        asks || self.has_schema("http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/")
            || self.operations().any(|operation| {
                let op = text(operation, "op");
                matches!(op, Some("Add" | "Replace" | "Remove"))
            })
            || self
                .pathless()
                .filter_map(Value::as_object)
                .any(|value| value.keys().any(|key| is_dotted(key)))
            || self
                .members()
                .any(|member| member.get("$ref").is_some_and(Value::is_null))
            || self.roles().any(|role| {
                text(role, "type").is_some_and(|kind| kind == "WindowsAzureActiveDirectoryRole")
            })
    }

    fn object(&self) -> Option<&Map<String, Value>> {
        self.body?.as_object()
    }

    fn has_schema(&self, start: &str) -> bool {
        let schemas = self.object().and_then(|body| body.get("schemas"));
        let mut schemas = schemas.and_then(Value::as_array).into_iter().flatten();
        schemas.any(|schema| schema.as_str().is_some_and(|urn| urn.starts_with(start)))
    }

    fn operations(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let operations = self
            .object()
            .filter(|_| self.method == "PATCH")
            .and_then(|body| body.get("Operations"));
        let operations = operations.and_then(Value::as_array).into_iter().flatten();
        operations.take(MOST_LOOKED_AT).filter_map(Value::as_object)
    }

    /// The values of operations without a path.
    fn pathless(&self) -> impl Iterator<Item = &Value> {
        self.operations()
            .filter(|operation| !operation.contains_key("path"))
            .filter_map(|operation| operation.get("value"))
    }

    /// The first of the members that a body or its operations name.
    fn members(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let whole = self.object().and_then(|body| body.get("members"));
        let of_operations = self
            .operations()
            .filter(|operation| text(operation, "path") == Some("members"))
            .filter_map(|operation| operation.get("value"));
        let lists = whole.into_iter().chain(of_operations);
        lists.filter_map(|list| list.as_array()?.first()?.as_object())
    }

    fn roles(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let roles = self.object().and_then(|body| body.get("roles"));
        let roles = roles.and_then(Value::as_array).into_iter().flatten();
        roles.take(MOST_LOOKED_AT).filter_map(Value::as_object)
    }
}

/// What is known of the client behind one credential.
///
/// Habits of two providers behind one credential end the matter: it stays unknown, whatever follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learner {
    suggested: Option<Idp>,
    requests: u8,
    is_contradicted: bool,
}

impl Learner {
    /// Takes in what a request suggests; true if the provider is recognised from now on.
    pub fn observe(&mut self, idp: Idp) -> bool {
        if self.suggested.is_some_and(|suggested| suggested != idp) {
            self.is_contradicted = true;
        }
        self.suggested = Some(idp);
        self.requests = self.requests.saturating_add(1);
        self.requests == ENOUGH_REQUESTS && !self.is_contradicted
    }

    /// The provider, once enough requests have shown its habits and none another's.
    pub fn recognised(&self) -> Option<Idp> {
        self.suggested
            .filter(|_| self.requests >= ENOUGH_REQUESTS && !self.is_contradicted)
    }
}

fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    object.get(name)?.as_str()
}

fn has_exactly(value: &Value, names: &[&str]) -> bool {
    value.as_object().is_some_and(|object| {
        object.len() == names.len() && names.iter().all(|name| object.contains_key(*name))
    })
}

/// `name.givenName`; a URN has dots too.
fn is_dotted(key: &str) -> bool {
    key.contains('.') && !key.contains(':')
}

/// Okta's ids of users: `00u` and 17 letters and digits.
fn is_okta_id(id: &str) -> bool {
    id.len() == 20 && id.starts_with("00u") && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// As many requests with a provider's habits make it known. More than a connection test or a try by hand sends.
const ENOUGH_REQUESTS: u8 = 5;

/// Habits show in the first operations and elements; a long request costs no more than a short one.
const MOST_LOOKED_AT: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patch<'a>(path: &'a str, body: &'a Value) -> Observed<'a> {
        Observed {
            method: "PATCH",
            path,
            query: None,
            body: Some(body),
            user_agent: None,
        }
    }

    #[test]
    fn a_request_shows_the_habits_of_one_provider_or_says_nothing() {
        let op = |op: Value| json!({ "Operations": [op] });
        for (path, body, expected) in [
            (
                "/Users/1",
                op(json!({"op": "Replace", "path": "active", "value": "False"})),
                Some(Idp::Entra),
            ),
            (
                "/Users/1",
                op(json!({"op": "replace", "path": "active", "value": false})),
                None,
            ),
            (
                "/Users/1",
                op(json!({"op": "replace", "value": {"name.givenName": "Jon"}})),
                Some(Idp::Entra),
            ),
            (
                "/Users/1",
                op(
                    json!({"op": "replace", "value": {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "x"}}),
                ),
                None,
            ),
            (
                "/Groups/1",
                op(
                    json!({"op": "add", "path": "members", "value": [{"$ref": null, "value": "1"}]}),
                ),
                Some(Idp::Entra),
            ),
            (
                "/Groups/1",
                op(json!({"op": "remove", "path": "members", "value": [{"value": "1"}]})),
                None,
            ),
            (
                "/Groups/1",
                op(json!({"op": "replace", "value": {"id": "1", "displayName": "x"}})),
                Some(Idp::Okta),
            ),
            (
                "/Groups/1",
                op(json!({"op": "replace", "value": {"displayName": "x"}})),
                None,
            ),
            (
                "/Groups/1",
                op(
                    json!({"op": "replace", "value": {"schemas": [], "id": "1", "externalId": "e", "displayName": "x"}}),
                ),
                Some(Idp::Authentik),
            ),
            (
                "/Groups/1",
                op(json!({"op": "replace", "value": "{\"displayName\":\"x\"}"})),
                Some(Idp::Keycloak),
            ),
            (
                "/Groups/1",
                op(
                    json!({"op": "replace", "path": "members", "value": [{"value": "1", "$ref": "Users/1"}]}),
                ),
                Some(Idp::Keycloak),
            ),
            (
                "/Users/1",
                op(json!({"op": "add", "path": "groups", "value": [{"value": "1"}]})),
                Some(Idp::SailPoint),
            ),
            // Two at once: nobody is known to do that.
            (
                "/Groups/1",
                op(json!({"op": "Replace", "value": {"id": "1", "displayName": "x"}})),
                None,
            ),
            ("/Users/1", json!(["nonsense"]), None),
            ("/Users/1", json!({"Operations": "nonsense"}), None),
        ] {
            assert_eq!(patch(path, &body).suggests(), expected, "{body}");
        }
    }

    #[test]
    fn queries_bodies_and_user_agents_tell_too() {
        let get = |path, query| Observed {
            method: "GET",
            path,
            query: Some(query),
            body: None,
            user_agent: None,
        };
        for (path, query, expected) in [
            ("/Users", "filter=userName+eq+%22x%22&", Some(Idp::OneLogin)),
            ("/Users", "filter=userName%20eq%20%22x%22", None),
            ("/Users", "filter=username%20Eq%20%22x%22", Some(Idp::Ping)),
            (
                "/Users",
                "aadOptscim062020&filter=id%20pr",
                Some(Idp::Entra),
            ),
            (
                "/Groups",
                "excludedAttributes=members&filter=displayName%20eq%20%22x%22",
                Some(Idp::Entra),
            ),
            (
                "/Groups",
                "filter=displayName%20eq%20%22x%22&excludedAttributes=members",
                None,
            ),
        ] {
            assert_eq!(get(path, query).suggests(), expected, "{query}");
        }
        let named = Observed {
            user_agent: Some("Okta SCIM Client 1.0.0"),
            ..get("/Users", "filter=username%20Eq%20%22x%22")
        };
        assert_eq!(named.suggests(), Some(Idp::Okta));
        fn post(body: &serde_json::Value) -> Observed<'_> {
            Observed {
                method: "POST",
                path: "/Users",
                query: None,
                body: Some(body),
                user_agent: None,
            }
        }
        for (body, expected) in [
            (
                json!({"externalId": "00u1ab2cd3EF4gh5ij6k"}),
                Some(Idp::Okta),
            ),
            (json!({"externalId": "00u1"}), None),
            (json!({"groups": [], "password": "x"}), Some(Idp::Okta)),
            (
                json!({"roles": [{"type": "WindowsAzureActiveDirectoryRole"}]}),
                Some(Idp::Entra),
            ),
            (
                json!({"schemas": ["urn:scim:schemas:core:2.0"]}),
                Some(Idp::OneLogin),
            ),
            (json!({"userName": "x"}), None),
        ] {
            assert_eq!(post(&body).suggests(), expected, "{body}");
        }
    }

    #[test]
    fn five_requests_of_one_provider_are_enough_and_four_are_not() {
        let mut learner = Learner::default();
        for _ in 0..4 {
            assert!(!learner.observe(Idp::Entra));
            assert_eq!(learner.recognised(), None);
        }
        assert!(learner.observe(Idp::Entra));
        assert!(!learner.observe(Idp::Entra), "it is told once");
        assert_eq!(learner.recognised(), Some(Idp::Entra));
    }

    #[test]
    fn another_providers_habit_ends_the_matter_however_late_it_comes() {
        for at in [0, 3, 7] {
            let mut learner = Learner::default();
            for n in 0..300 {
                learner.observe(if n == at { Idp::Okta } else { Idp::Entra });
            }
            assert_eq!(learner.recognised(), None, "{at}");
        }
    }
}
