//! Records of calls, without secrets.

use std::{collections::HashSet, time::Duration};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    exchange::CallRecord,
    mapping::{call::PlannedCall, path::JsonPath},
};

/// What stands in a secret's place.
const BLANK: &str = "***";

/// A value shorter than this is not looked for as a secret: it would blank what is none.
const SHORTEST_SECRET: usize = 4;

/// What must not be in a record.
#[derive(Debug, Default)]
pub(super) struct Secrets<'s> {
    /// Texts that are secret wherever they stand: passwords, tokens.
    pub texts: Vec<String>,
    /// Places of the body that the mapping names (`[target] redact`).
    pub places: &'s [JsonPath],
    /// Whether nothing of the body or query may be kept: calls that log in.
    pub is_all: bool,
}

impl Secrets<'_> {
    /// A call as it may be kept.
    pub fn record(
        &self,
        planned: &PlannedCall,
        status: Option<u16>,
        duration: Duration,
        is_planned_only: bool,
    ) -> CallRecord {
        CallRecord {
            operation: planned.operation.clone(),
            method: planned.method.as_str().to_owned(),
            path: self.path(&planned.path_and_query),
            body: planned.body.as_ref().map(|(_, body)| self.body(body)),
            status,
            duration,
            is_planned_only,
            origin: Some(planned.origin.clone()),
        }
    }

    fn path(&self, path_and_query: &str) -> String {
        let Some((path, query)) = path_and_query.split_once('?') else {
            return path_and_query.to_owned();
        };
        let parameters: Vec<String> = query
            .split('&')
            .map(|parameter| match parameter.split_once('=') {
                Some((name, value))
                    if self.is_all
                        || self.is_secret(&percent_decode_str(value).decode_utf8_lossy()) =>
                {
                    format!("{name}={BLANK}")
                }
                _ => parameter.to_owned(),
            })
            .collect();
        format!("{path}?{}", parameters.join("&"))
    }

    fn body(&self, body: &Value) -> Value {
        if self.is_all {
            return Value::String(BLANK.into());
        }
        let mut body = body.clone();
        let places: HashSet<*const Value> = self
            .places
            .iter()
            .flat_map(|path| path.all(&body))
            .map(std::ptr::from_ref)
            .collect();
        self.blank(&mut body, &places);
        body
    }

    fn blank(&self, value: &mut Value, places: &HashSet<*const Value>) {
        let is_secret = match &*value {
            Value::String(text) => self.is_secret(text),
            _ => false,
        };
        if is_secret || places.contains(&std::ptr::from_ref(&*value)) {
            *value = Value::String(BLANK.into());
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.blank(item, places)),
            Value::Object(members) => {
                for (name, member) in members {
                    if is_secret_name(name) && !member.is_null() {
                        *member = Value::String(BLANK.into());
                    } else {
                        self.blank(member, places);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the text holds a secret, alone or with words around it (`Bearer …`).
    fn is_secret(&self, text: &str) -> bool {
        let mut secrets = self
            .texts
            .iter()
            .filter(|secret| secret.len() >= SHORTEST_SECRET);
        secrets.any(|secret| text.contains(secret.as_str()))
    }
}

/// Members that hold secrets in all likelihood, whatever the mapping says.
fn is_secret_name(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let name = name.to_ascii_lowercase();
    let parts = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "apikey",
        "privatekey",
    ];
    parts.iter().any(|part| name.contains(part)) || name.ends_with("token") || name == "pwd"
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::mapping::model::BodyFormat;

    fn planned(path: &str, body: Value) -> PlannedCall {
        PlannedCall {
            operation: "user.create".into(),
            method: Method::POST,
            path_and_query: path.into(),
            headers: Vec::new(),
            body: Some((BodyFormat::Json, body)),
            content_type: None,
            is_repeatable: false,
            is_write: true,
            origin: crate::mapping::fixture::place(),
        }
    }

    #[test]
    fn secrets_are_blanked_by_value_place_and_name() {
        let places = [
            JsonPath::parse("$..hash").unwrap(),
            JsonPath::parse("$.pin").unwrap(),
        ];
        let secrets = Secrets {
            texts: vec!["s3cret pass".into(), "abc".into()],
            places: &places,
            is_all: false,
        };
        let body = json!({
            "login": "ada", "retype": "s3cret pass", "pin": 7, "a": [{"hash": {"x": 1}}, "Bearer s3cret pass"],
            "apiKey": "k", "access_token": "t", "password_reset": null, "note": "abc"
        });
        let record = secrets.record(
            &planned("/u?a=1&b=s3cret%20pass", body),
            Some(201),
            Duration::ZERO,
            false,
        );
        assert_eq!(record.path, "/u?a=1&b=***");
        assert_eq!(
            record.body,
            Some(json!({
                "login": "ada", "retype": "***", "pin": "***", "a": [{"hash": "***"}, "***"],
                "apiKey": "***", "access_token": "***", "password_reset": null, "note": "abc"
            }))
        );
    }

    #[test]
    fn nothing_of_a_login_is_kept() {
        let secrets = Secrets {
            is_all: true,
            ..Secrets::default()
        };
        let record = secrets.record(
            &planned("/login?u=a&p=b", json!({"u": "a"})),
            None,
            Duration::ZERO,
            false,
        );
        assert_eq!(
            (record.path.as_str(), record.body),
            ("/login?u=***&p=***", Some(json!("***")))
        );
    }
}
