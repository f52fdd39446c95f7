//! Records of calls, without secrets.

use std::{collections::HashSet, time::Duration};

use http::{HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    exchange::CallRecord,
    mapping::{
        call::PlannedCall,
        model::{Call, is_secret_name},
        path::JsonPath,
    },
};

/// What stands in a secret's place.
const BLANK: &str = "***";

/// Headers whose values are shown: conditions and forms, no credentials.
const SHOWN_HEADERS: [HeaderName; 8] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    HeaderName::from_static("prefer"),
];

/// A value shorter than this is not looked for as a secret: it would blank what is none.
const SHORTEST_SECRET: usize = 4;

/// What must not be in a record.
#[derive(Debug, Default)]
pub(super) struct Secrets<'s> {
    /// Texts that are secret wherever they stand: passwords, tokens.
    pub texts: Vec<String>,
    /// Places of the body that the mapping names (`[target] redact`).
    pub places: &'s [JsonPath],
    /// Headers that the mapping gives every call as they stand in its file (`[target] headers`).
    pub plain_headers: &'s [(HeaderName, String)],
    /// Whether nothing of the body or query may be kept: calls that log in.
    pub is_all: bool,
}

impl Secrets<'_> {
    /// A call as it may be kept. How it ended is written into it where that is known.
    pub fn record(
        &self,
        call: &Call,
        planned: &PlannedCall,
        duration: Duration,
        is_planned_only: bool,
    ) -> CallRecord {
        CallRecord {
            template: call.told(),
            apart: call.apart().to_owned(),
            headers: planned
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), self.header(name, value)))
                .collect(),
            operation: planned.operation.clone(),
            method: planned.method.as_str().to_owned(),
            path: self.path(&planned.path_and_query),
            body: planned.body.as_ref().map(|(_, body)| self.body(body)),
            status: None,
            cause: None,
            judged: None,
            duration,
            is_planned_only,
            origin: Some(planned.origin.clone()),
        }
    }

    /// Any header may be a credential: only those are shown that never are one, and what the mapping says in clear.
    fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        let text = value.to_str().ok().filter(|text| !self.is_secret(text));
        let is_plain = |text: &str| {
            let mut plain = self.plain_headers.iter();
            plain.any(|(known, value)| known == name && value == text)
        };
        let is_shown = |text: &&str| SHOWN_HEADERS.contains(name) || is_plain(text);
        match text.filter(|text| !self.is_all && is_shown(text)) {
            Some(text) => text.to_owned(),
            None => BLANK.to_owned(),
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

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::mapping::{fixture, model::BodyFormat};

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
        let plain = [(HeaderName::from_static("origin"), "https://app".to_owned())];
        let secrets = Secrets {
            texts: vec!["s3cret pass".into(), "abc".into()],
            places: &places,
            plain_headers: &plain,
            is_all: false,
        };
        let body = json!({
            "login": "ada", "retype": "s3cret pass", "pin": 7, "a": [{"hash": {"x": 1}}, "Bearer s3cret pass"],
            "apiKey": "k", "access_token": "t", "password_reset": null, "note": "abc"
        });
        let header = |name, value| {
            let value = HeaderValue::from_static(value);
            (HeaderName::from_static(name), value)
        };
        let mut call = planned("/u?a=1&b=s3cret%20pass", body);
        call.headers = vec![
            header("if-match", "\"7\""),
            header("accept", "s3cret pass"),
            header("x-anything", "k"),
            header("origin", "https://app"),
            header("origin", "another"),
        ];
        let record = secrets.record(&fixture::call("POST /u"), &call, Duration::ZERO, false);
        let headers = [
            ("if-match", "\"7\""),
            ("accept", "***"),
            ("x-anything", "***"),
            ("origin", "https://app"),
            ("origin", "***"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(record.headers, headers);
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
            &fixture::call("POST /login"),
            &planned("/login?u=a&p=b", json!({"u": "a"})),
            Duration::ZERO,
            false,
        );
        assert_eq!(
            (record.path.as_str(), record.body),
            ("/login?u=***&p=***", Some(json!("***")))
        );
    }
}
