//! Public descriptions of APIs (`described/`), and a watch that holds calls and answers against them.

use std::sync::{Arc, Mutex};

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::fake_target::{Answer, Seen};

/// The trimmed description of one API.
pub struct Description {
    whole: Value,
}

impl Description {
    /// Reads `described/NAME.json`.
    pub fn read(name: &str) -> Self {
        let file = format!("tests/contracts/described/{name}.json");
        let text = std::fs::read_to_string(file).unwrap();
        Self {
            whole: serde_json::from_str(&text).unwrap(),
        }
    }

    /// The object with stand-ins for the required members that it leaves out: as large as a real one.
    pub fn filled(&self, schema: &str, object: Value) -> Value {
        let schema = json!({ "$ref": schema });
        self.completed(&schema, Some(object))
    }

    /// What of a value does not fit a member of a schema, in words; absent if it fits.
    pub fn misfit_of_member(&self, schema: &str, member: &str, value: &Value) -> Option<String> {
        let schema = &self.whole["schemas"][schema]["properties"][member];
        let mut told = Vec::new();
        self.misfits(schema, value, member, &mut told);
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn completed(&self, schema: &Value, given: Option<Value>) -> Value {
        let schema = self.named(schema);
        match given {
            Some(Value::Object(mut members)) => {
                for name in strings(&schema["required"]) {
                    let inner = &schema["properties"][name];
                    let given = members.remove(name);
                    members.insert(name.to_owned(), self.completed(inner, given));
                }
                Value::Object(members)
            }
            Some(value) => value,
            None if schema["nullable"] == true => Value::Null,
            None if schema["enum"].is_array() => schema["enum"][0].clone(),
            None => match schema["type"].as_str() {
                Some("object") => self.completed(schema, Some(json!({}))),
                Some("array") => json!([]),
                Some("integer" | "number") => json!(0),
                Some("boolean") => json!(false),
                _ => json!("-"),
            },
        }
    }

    fn named<'d>(&'d self, schema: &'d Value) -> &'d Value {
        match schema["$ref"].as_str() {
            Some(name) => &self.whole["schemas"][name],
            None => schema,
        }
    }

    /// What of a value does not fit a schema. A member that the schema does not know does not fit either.
    fn misfits(&self, schema: &Value, value: &Value, at: &str, told: &mut Vec<String>) {
        let schema = self.named(schema);
        if let Some(variants) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            let fits = |variant: &Value| {
                let mut told = Vec::new();
                self.misfits(variant, value, at, &mut told);
                told.is_empty()
            };
            if !variants.iter().any(fits) {
                told.push(format!("{at} fits none of the shapes: {value}"));
            }
            return;
        }
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let wanted = schema["type"].as_str();
        if wanted.is_some_and(|wanted| wanted != kind && (wanted, kind) != ("number", "integer")) {
            told.push(format!("{at} is {kind}, not {}", wanted.unwrap()));
            return;
        }
        if schema["enum"].is_array() && !schema["enum"].as_array().unwrap().contains(value) {
            told.push(format!("{at} is {value}, not one of {}", schema["enum"]));
        }
        let size = match value {
            Value::String(text) => text.chars().count() as u64,
            Value::Array(items) => items.len() as u64,
            Value::Object(members) => members.len() as u64,
            Value::Number(number) => number.as_u64().unwrap_or(0),
            _ => 0,
        };
        let bound = |names: [&str; 4]| names.iter().find_map(|name| schema[*name].as_u64());
        let least = bound(["minimum", "minLength", "minItems", "minProperties"]);
        let most = bound(["maximum", "maxLength", "maxItems", "maxProperties"]);
        if least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most) {
            told.push(format!(
                "{at} has {size}, not {least:?} to {most:?}: {value}"
            ));
        }
        match value {
            Value::String(text) => {
                if let Some(pattern) = schema["pattern"].as_str()
                    && !Regex::new(pattern).unwrap().is_match(text)
                {
                    told.push(format!("{at} is `{text}`, not `{pattern}`"));
                }
            }
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.misfits(&schema["items"], item, &format!("{at}[{number}]"), told);
                }
            }
            Value::Object(members) => self.members_misfit(schema, members, at, told),
            _ => {}
        }
    }

    fn members_misfit(
        &self,
        schema: &Value,
        members: &Map<String, Value>,
        at: &str,
        told: &mut Vec<String>,
    ) {
        for name in strings(&schema["required"]).filter(|name| !members.contains_key(*name)) {
            told.push(format!("{at}.{name} is required"));
        }
        let Some(known) = schema["properties"].as_object() else {
            return;
        };
        for (name, value) in members {
            match known.get(name) {
                Some(inner) => self.misfits(inner, value, &format!("{at}.{name}"), told),
                None => told.push(format!("{at}.{name} is not described")),
            }
        }
    }
}

/// Compares what passes with a description, and fails its test at the end if something did not fit.
#[derive(Clone)]
pub struct Watch {
    pub description: Arc<Description>,
    complaints: Arc<Mutex<Vec<String>>>,
    /// Statuses that the real application answers although its description leaves them out: operation and status.
    known: &'static [(&'static str, u16)],
}

impl Watch {
    pub fn new(name: &str, known: &'static [(&'static str, u16)]) -> Self {
        Self {
            description: Arc::new(Description::read(name)),
            complaints: Arc::default(),
            known,
        }
    }

    /// An exchange with an API of paths and verbs.
    pub fn rest(&self, seen: &Seen, answer: &Answer) {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let operations = self.description.whole["operations"].as_object().unwrap();
        let line = format!("{} {path}", seen.method);
        let fits = |template: &&String| is_like(template, &line);
        let Some(name) = operations.keys().find(fits) else {
            return self.complain(&line, ["it is not described".to_owned()]);
        };
        let operation = &operations[name];
        let mut told = Vec::new();
        for (parameter, text) in form_urlencoded::parse(query.as_bytes()) {
            let schema = &operation["query"][&*parameter];
            if schema.is_null() {
                told.push(format!("?{parameter} is not described"));
            }
            let value = match schema["type"].as_str() {
                Some("integer") => serde_json::from_str(&text).unwrap_or(json!(text)),
                _ => json!(text),
            };
            let at = format!("?{parameter}");
            self.description.misfits(schema, &value, &at, &mut told);
        }
        match &operation["body"] {
            Value::Null if !seen.body.is_empty() => told.push("it has no body".into()),
            schema if !seen.body.is_empty() => {
                self.description
                    .misfits(schema, &seen.json(), "body", &mut told);
            }
            _ => {}
        }
        self.reply(name, operation, answer, &mut told);
        self.complain(&line, told);
    }

    /// An exchange with an API whose calls a header names, as AWS has them (JSON 1.1).
    pub fn named(&self, seen: &Seen, answer: &Answer) {
        let whole = &self.description.whole;
        let target = seen.header("x-amz-target").unwrap_or_default();
        let name = target
            .strip_prefix(&format!("{}.", whole["target"].as_str().unwrap()))
            .unwrap_or_default();
        let operation = &whole["operations"][name];
        if operation.is_null() || seen.method != "POST" || seen.path != "/" {
            return self.complain(target, ["it is not described".to_owned()]);
        }
        let mut told = Vec::new();
        let json = format!("application/x-amz-json-{}", whole["json"].as_str().unwrap());
        if seen.header("content-type") != Some(&json) {
            told.push(format!("its Content-Type is not {json}"));
        }
        let (body, said) = (seen.json(), said(answer));
        // What the application refuses as invalid is the client's wish.
        if said["__type"] != "ValidationException" {
            self.description
                .misfits(&operation["body"], &body, "body", &mut told);
        }
        if answer.status == 200 {
            self.reply(name, operation, answer, &mut told);
        } else {
            let kind = said["__type"].as_str().unwrap_or_default();
            if !strings(&operation["errors"]).any(|known| known == kind) {
                told.push(format!("`{kind}` is no error of it"));
            }
            let mut error = said.clone();
            error.as_object_mut().unwrap().remove("__type");
            let schema = json!({ "$ref": kind });
            self.description
                .misfits(&schema, &error, "error", &mut told);
        }
        self.complain(name, told);
    }

    fn reply(&self, name: &str, operation: &Value, answer: &Answer, told: &mut Vec<String>) {
        let described = operation["replies"].get(answer.status.to_string());
        match described {
            Some(Value::Null) if !answer.body.is_empty() => {
                told.push(format!("{} has no body", answer.status));
            }
            Some(Value::Null) => {}
            Some(schema) => {
                self.description
                    .misfits(schema, &said(answer), "reply", told);
            }
            None if self.known.contains(&("", answer.status)) => {}
            None if self.known.contains(&(name, answer.status)) => {}
            None => told.push(format!("{} is not described", answer.status)),
        }
    }

    fn complain(&self, call: &str, told: impl IntoIterator<Item = String>) {
        let told = told.into_iter().map(|words| format!("{call}: {words}"));
        self.complaints.lock().unwrap().extend(told);
    }

    /// Fails if something did not fit.
    pub fn assert_all_fitted(&self) {
        let complaints = self.complaints.lock().unwrap();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

/// Whether `GET /users/ada` is a call of `GET /users/{username}`.
fn is_like(template: &str, line: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), line.split('/'));
    let pairs = wanted.by_ref().zip(found.by_ref());
    pairs
        .collect::<Vec<_>>()
        .iter()
        .all(|(wanted, found)| wanted == found || (wanted.starts_with('{') && !found.is_empty()))
        && template.split('/').count() == line.split('/').count()
}

fn said(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The checks themselves can fail.
#[test]
fn what_does_not_fit_a_description_is_told() {
    let description = Description::read("aws-identity-store");
    let told = |schema: &str, value: Value| {
        let mut told = Vec::new();
        let schema = json!({ "$ref": schema });
        description.misfits(&schema, &value, "it", &mut told);
        told.join("; ")
    };
    assert_eq!(told("MaxResults", json!(100)), "");
    for (schema, value, words) in [
        ("MaxResults", json!(101), "has 101"),
        ("MaxResults", json!("9"), "is string, not integer"),
        ("NextToken", json!("a b"), "is `a b`, not"),
        ("Emails", json!([{}, {}]), "has 2"),
        ("Name", json!({"First": "A"}), "it.First is not described"),
        ("Name", json!({"GivenName": ""}), "it.GivenName has 0"),
        ("MemberId", json!({}), "has 0"),
        ("UserStatus", json!("OFF"), "not one of"),
        ("DeleteUserRequest", json!({}), "it.UserId is required"),
    ] {
        let found = told(schema, value);
        assert!(found.contains(words), "{schema}: {found}");
    }
}
