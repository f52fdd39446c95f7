//! The OpenAPI document that would describe what was seen.

use serde_json::{Map, Value, json};

use super::{
    super::{auth::SHOWN, document::PROBED, paging, section},
    seen::{FIRST, Seen},
    shape::{merged, shape, writable},
};

impl Seen {
    /// The document. `item` is the path of one object. Of the headers it has the names, and of those that are no secret
    /// for certain the values.
    pub fn document(
        &self,
        server: &str,
        path: &str,
        item: &str,
        headers: &[(String, String)],
    ) -> Value {
        let object = self.one.as_ref().map_or_else(|| self.row(), shape);
        let mut paths = Map::new();
        let mut list = Map::new();
        list.insert("get".into(), self.list());
        self.add(&mut list, &object, &self.on_list, &["POST"]);
        paths.insert(path.to_owned(), Value::Object(list));
        let mut one = Map::new();
        if self.one.is_some() {
            let reply = ok(wrapped(object.clone(), &self.one_at), &Map::new());
            one.insert("get".into(), json!({"responses": reply}));
        }
        self.add(&mut one, &object, &self.on_one, &["PATCH", "PUT", "DELETE"]);
        if !one.is_empty() {
            paths.insert(item.to_owned(), Value::Object(one));
        }
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {"title": title(server)},
            "servers": [{"url": server}],
            "paths": paths,
            PROBED: true,
        });
        let schemes: Map<String, Value> = headers
            .iter()
            .map(|header| (header.0.clone(), scheme(header)))
            .collect();
        if let (false, Some(root)) = (schemes.is_empty(), document.as_object_mut()) {
            let way: Map<String, Value> = schemes
                .keys()
                .map(|name| (name.clone(), json!([])))
                .collect();
            root.insert("security".into(), json!([way]));
            root.insert("components".into(), json!({"securitySchemes": schemes}));
        }
        document
    }

    /// Rows differ in what they have: all of them together are the shape.
    fn row(&self) -> Value {
        self.rows.iter().map(shape).fold(Value::Null, merged)
    }

    fn list(&self) -> Value {
        let mut headers = Map::new();
        if self.has_link {
            headers.insert("Link".into(), json!({}));
        }
        if let Some(name) = &self.total_header {
            headers.insert(name.clone(), json!({}));
        }
        let mut reply = shape(&self.reply);
        if let Some(place) = schema_at(&mut reply, &self.rows_at) {
            *place = json!({"type": "array", "items": self.row()});
        }
        let mut list = json!({"parameters": self.parameters, "responses": ok(reply, &headers)});
        if let Some(members) = list.as_object_mut() {
            members.insert(paging::ROWS_AT.into(), json!(self.rows_at));
            if let Some((total, _)) = &self.total {
                members.insert(paging::TOTAL_AT.into(), json!(total));
            }
            if let Some(most) = self.most {
                members.insert(paging::MOST.into(), json!(most));
            }
            if let Some(within) = &self.rows_within {
                members.insert(section::ROWS_WITHIN.into(), json!(within));
            }
        }
        if let (Some(refusal), Some(responses)) = (
            &self.refusal,
            list.get_mut("responses").and_then(Value::as_object_mut),
        ) {
            let content = json!({"application/json": {"schema": shape(refusal)}});
            responses.insert("404".into(), json!({"content": content}));
        }
        list
    }

    /// The operations that OPTIONS named.
    fn add(
        &self,
        item: &mut Map<String, Value>,
        object: &Value,
        allowed: &[String],
        wanted: &[&str],
    ) {
        let allowed = allowed
            .iter()
            .filter(|method| wanted.contains(&method.as_str()));
        for method in allowed {
            let reply = wrapped(object.clone(), &self.one_at);
            let mut body = writable(
                object.clone(),
                self.id.as_ref().map(|(name, _)| name.as_str()),
            );
            // A member named after what it holds is in bodies, too; one that says nothing, such as `data`, may not be.
            if let [only] = self.one_at.as_slice()
                && super::super::names::is_noun(only)
            {
                body = wrapped(body, &self.one_at);
            }
            let body = json!({"content": {"application/json": {"schema": body}}});
            let written = match method.as_str() {
                "DELETE" => json!({"responses": {"204": {}}}),
                _ => json!({"requestBody": body, "responses": ok(reply, &Map::new())}),
            };
            item.insert(method.to_ascii_lowercase(), written);
        }
    }
}

fn ok(schema: Value, headers: &Map<String, Value>) -> Value {
    json!({"200": {"headers": headers, "content": {"application/json": {"schema": schema}}}})
}

/// A schema with the members around it that lead to it.
fn wrapped(schema: Value, steps: &[String]) -> Value {
    steps
        .iter()
        .rev()
        .fold(schema, |inner, step| match step.as_str() {
            FIRST => json!({"type": "array", "items": inner}),
            name => json!({"type": "object", "properties": {name: inner}}),
        })
}

/// The schema of a member within an object's.
fn schema_at<'v>(schema: &'v mut Value, steps: &[String]) -> Option<&'v mut Value> {
    steps.iter().try_fold(schema, |schema, step| {
        schema.get_mut("properties")?.get_mut(step)
    })
}

/// The application's name from its host.
fn title(server: &str) -> String {
    let host = url::Url::parse(server)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    match host {
        Some(host) if !host.starts_with(|first: char| first.is_ascii_digit() || first == '[') => {
            host
        }
        _ => "The application".into(),
    }
}

fn scheme((name, value): &(String, String)) -> Value {
    let kind = value.split(' ').next().unwrap_or("").to_ascii_lowercase();
    match (name.eq_ignore_ascii_case("authorization"), kind.as_str()) {
        (true, "bearer" | "basic") => json!({"type": "http", "scheme": kind}),
        _ if is_open(name) => {
            json!({"type": "apiKey", "in": "header", "name": name, SHOWN: value})
        }
        _ => json!({"type": "apiKey", "in": "header", "name": name}),
    }
}

/// Whether a header's value is no secret.
fn is_open(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OPEN.contains(&name.as_str()) || name.ends_with("-version")
}

/// Headers whose values are no secrets.
const OPEN: &[&str] = &[
    "accept",
    "accept-language",
    "content-type",
    "user-agent",
    "origin",
    "referer",
    "prefer",
    "x-requested-with",
    "ocs-apirequest",
];
