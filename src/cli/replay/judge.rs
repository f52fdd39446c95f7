//! Whether an answer is the one a step asks for.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::assertion::Assertion;
use super::transport::Reply;

/// What a step asks of the answer, its variables put in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Expectation {
    status: OneOrMany,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Vec<Assertion>,
    body_when: Option<OneOrMany>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u16),
    Many(Vec<u16>),
}

impl OneOrMany {
    fn as_slice(&self) -> &[u16] {
        match self {
            Self::One(status) => std::slice::from_ref(status),
            Self::Many(statuses) => statuses,
        }
    }
}

/// What an answer did not hold, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub problems: Vec<String>,
    /// Whether the status was one of those asked for; if not, nothing else was judged.
    pub is_status_right: bool,
}

impl Expectation {
    /// Judges an answer. `body` is its JSON, if it has one.
    pub fn judge(&self, reply: &Reply, body: Option<&Value>) -> Verdict {
        let allowed = self.status.as_slice();
        if !allowed.contains(&reply.status) {
            let allowed: Vec<String> = allowed.iter().map(u16::to_string).collect();
            let problem = format!(
                "status: expected {}, got {}",
                allowed.join(" or "),
                reply.status
            );
            return Verdict {
                problems: vec![problem],
                is_status_right: false,
            };
        }
        let mut problems: Vec<String> = self
            .headers
            .iter()
            .filter_map(|(name, wanted)| judge_header(reply, name, wanted))
            .collect();
        if self.applies_to(reply.status) {
            problems.extend(self.judge_body(body));
        }
        Verdict {
            problems,
            is_status_right: true,
        }
    }

    fn applies_to(&self, status: u16) -> bool {
        match &self.body_when {
            Some(statuses) => statuses.as_slice().contains(&status),
            None => status != 204,
        }
    }

    fn judge_body(&self, body: Option<&Value>) -> Vec<String> {
        match body {
            _ if self.body.is_empty() => Vec::new(),
            None => vec!["body: expected JSON".to_owned()],
            Some(body) => self
                .body
                .iter()
                .filter_map(|assertion| match assertion.check(body) {
                    Ok(problem) => problem,
                    Err(error) => Some(format!("the session is malformed: {error}")),
                })
                .collect(),
        }
    }
}

fn judge_header(reply: &Reply, name: &str, wanted: &Value) -> Option<String> {
    let wanted = wanted.as_str().unwrap_or_default();
    let Some(value) = reply.header(name) else {
        return Some(format!("header {name}: missing"));
    };
    match regex::RegexBuilder::new(wanted)
        .case_insensitive(true)
        .build()
    {
        Ok(pattern) if pattern.is_match(&value) => None,
        Ok(_) => Some(format!("header {name}: expected /{wanted}/, got `{value}`")),
        Err(_) => Some(format!(
            "the session is malformed: /{wanted}/ is not a regular expression"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(expect: Value, status: u16, body: &str) -> Vec<String> {
        let expectation: Expectation = serde_json::from_value(expect).unwrap();
        let reply = Reply {
            status,
            headers: vec![
                (
                    "Content-Type".to_owned(),
                    "application/SCIM+json".to_owned(),
                ),
                ("X".to_owned(), "1".to_owned()),
                ("x".to_owned(), "2".to_owned()),
            ],
            body: body.as_bytes().to_vec(),
        };
        let json = serde_json::from_str(body).ok();
        expectation.judge(&reply, json.as_ref()).problems
    }

    #[test]
    fn status_headers_and_body_are_judged() {
        let on_body = json!([{"path": "$.a", "equals": 1}]);
        let cases = [
            (json!({"status": 200}), 200, "", vec![]),
            (
                json!({"status": [200, 204], "body": on_body}),
                204,
                "",
                vec![],
            ),
            (
                json!({"status": 200, "body": on_body}),
                200,
                "{\"a\":1}",
                vec![],
            ),
            (
                json!({"status": 200, "body": on_body}),
                200,
                "",
                vec!["body: expected JSON"],
            ),
            (
                json!({"status": [200, 400], "bodyWhen": 400, "body": on_body}),
                200,
                "{}",
                vec![],
            ),
            (
                json!({"status": [200, 204], "body": on_body}),
                500,
                "{}",
                vec!["status: expected 200 or 204, got 500"],
            ),
            (
                json!({"status": 200, "body": on_body}),
                200,
                "{\"a\":2}",
                vec!["$.a: expected 1, got [2]"],
            ),
            (
                json!({"status": 200, "headers": {"content-type": "scim\\+JSON", "x": "^1, 2$", "Location": "."}}),
                200,
                "",
                vec!["header Location: missing"],
            ),
            (
                json!({"status": 200, "headers": {"X": "3"}}),
                200,
                "",
                vec!["header X: expected /3/, got `1, 2`"],
            ),
        ];
        for (expect, status, body, expected) in cases {
            assert_eq!(problems(expect.clone(), status, body), expected, "{expect}");
        }
    }
}
