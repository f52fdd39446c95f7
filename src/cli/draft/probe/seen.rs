//! What was seen, and the OpenAPI document that would describe it.

use serde_json::{Map, Value, json};

use super::{
    super::{names::normal, paging::json_path},
    Answer,
};

/// What the answers showed so far.
pub(super) struct Seen {
    /// In words.
    pub sentences: Vec<String>,
    /// The whole reply to the plain question.
    reply: Value,
    pub rows: Vec<Value>,
    pub ignores_unknown: bool,
    parameters: Vec<Value>,
    has_link: bool,
    total_header: Option<String>,
    pub one: Option<Value>,
    /// Where the object stands in the reply to a read of one; absent: it is the whole.
    pub one_at: Option<String>,
    /// Whether one object shows more with the query that the list was asked with.
    pub one_takes_query: bool,
    pub refusal: Option<Value>,
    /// The methods of the list and of one object, as OPTIONS names them.
    pub on_list: Vec<String>,
    pub on_one: Vec<String>,
}

impl Seen {
    /// What the plain list shows; absent if it is none.
    pub fn of(answer: &Answer) -> Option<Self> {
        let (path, rows) = rows(&answer.body)?;
        let total_header = answer
            .headers
            .iter()
            .find(|(name, value)| normal(name).contains("total") && value.parse::<u64>().is_ok());
        let mut seen = Self {
            sentences: Vec::new(),
            reply: answer.body.clone(),
            rows: rows.clone(),
            ignores_unknown: false,
            parameters: Vec::new(),
            has_link: answer.links_next,
            total_header: total_header.map(|(name, _)| name.to_ascii_lowercase()),
            one: None,
            one_at: None,
            one_takes_query: false,
            refusal: None,
            on_list: Vec::new(),
            on_one: Vec::new(),
        };
        seen.say(format!(
            "The list is at `{path}`, with {} in the first reply.",
            rows.len()
        ));
        if answer.links_next {
            seen.say("The header `Link` names the next page.".to_owned());
        }
        if let Some(name) = &seen.total_header {
            seen.sentences
                .push(format!("The header `{name}` has the number of all."));
        }
        Some(seen)
    }

    /// Whether a header has the number of all.
    pub fn has_total_header(&self) -> bool {
        self.total_header.is_some()
    }

    pub fn say(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    /// A query parameter that was proven.
    pub fn parameter(&mut self, name: &str, schema: Value) {
        self.parameters
            .push(json!({"in": "query", "name": name, "schema": schema}));
    }

    /// A page of one object names the next one in `Link`.
    pub fn links(&mut self) {
        if !self.has_link {
            self.say("With one object a page the header `Link` names the next page.".to_owned());
        }
        self.has_link = true;
    }

    /// What was null in the first reply and is not in another: the way to the next page, where all came in one.
    pub fn learn(&mut self, other: &Value) {
        fill(&mut self.reply, other);
    }

    /// The member of the reply with one of the usual names, one or two levels deep.
    pub fn member(&self, usual: &[&str]) -> Option<(String, &Value)> {
        let mut all: Vec<(String, &Value)> = Vec::new();
        for (name, value) in self.reply.as_object()? {
            all.push((name.clone(), value));
            let inner = value.as_object().into_iter().flatten();
            all.extend(inner.map(|(inner, value)| (format!("{name}.{inner}"), value)));
        }
        usual.iter().find_map(|wanted| {
            let fits = |(path, _): &&(String, &Value)| {
                let last = path.rsplit('.').next().unwrap_or(path);
                normal(path) == *wanted || normal(last) == *wanted
            };
            all.iter().find(fits).cloned()
        })
    }

    /// An OpenAPI document of what was seen. The credential's value is not in it.
    pub fn document(
        &self,
        server: &str,
        path: &str,
        credential: Option<&(String, String)>,
    ) -> Value {
        let mut headers = Map::new();
        if self.has_link {
            headers.insert("Link".into(), json!({}));
        }
        if let Some(name) = &self.total_header {
            headers.insert(name.clone(), json!({}));
        }
        let mut reply = shape(&self.reply);
        // Rows differ in what they have: all of them together are the shape.
        let row = self.rows.iter().map(shape).fold(Value::Null, merged);
        if let Some(place) = row_schema(&mut reply) {
            *place = row.clone();
        }
        let ok = |schema: Value, headers: &Map<String, Value>| json!({"200": {"headers": headers, "content": {"application/json": {"schema": schema}}}});
        let mut list = json!({"parameters": self.parameters, "responses": ok(reply, &headers)});
        if let (Some(refusal), Some(responses)) = (
            &self.refusal,
            list.get_mut("responses").and_then(Value::as_object_mut),
        ) {
            responses.insert(
                "404".into(),
                json!({"content": {"application/json": {"schema": shape(refusal)}}}),
            );
        }
        let mut paths = Map::new();
        paths.insert(path.to_owned(), json!({"get": list}));
        let object = self.one.as_ref().map_or(row.clone(), shape);
        let written = |method: &str| {
            let schema = writable(object.clone());
            let body = json!({"content": {"application/json": {"schema": schema}}});
            match method {
                "DELETE" => json!({"responses": {"204": {}}}),
                _ => json!({"requestBody": body, "responses": ok(object.clone(), &Map::new())}),
            }
        };
        let add = |item: &mut Map<String, Value>, allowed: &[String], wanted: &[&str]| {
            for method in allowed
                .iter()
                .filter(|method| wanted.contains(&method.as_str()))
            {
                item.insert(method.to_ascii_lowercase(), written(method));
            }
        };
        if let Some(item) = paths.get_mut(path).and_then(Value::as_object_mut) {
            add(item, &self.on_list, &["POST"]);
        }
        let mut item = Map::new();
        if self.one.is_some() {
            item.insert(
                "get".into(),
                json!({"responses": ok(object.clone(), &Map::new())}),
            );
        }
        add(&mut item, &self.on_one, &["PATCH", "PUT", "DELETE"]);
        if !item.is_empty() {
            paths.insert(format!("{path}/{{id}}"), Value::Object(item));
        }
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {"title": url_title(server)},
            "servers": [{"url": server}],
            "paths": paths,
        });
        if let (Some(scheme), Some(root)) = (credential.map(scheme), document.as_object_mut()) {
            root.insert(
                "components".into(),
                json!({"securitySchemes": {"credential": scheme}}),
            );
        }
        document
    }
}

/// The schema of an object as it is written: its id is not.
fn writable(mut schema: Value) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| {
            !["id", "uuid", "guid", "uid", "key"].contains(&normal(name).as_str())
        });
    }
    schema
}

/// Puts what another reply has in place of nulls; lists stay.
fn fill(reply: &mut Value, other: &Value) {
    match (reply, other) {
        (Value::Object(members), Value::Object(others)) => {
            for (name, value) in members.iter_mut() {
                if let Some(other) = others.get(name) {
                    fill(value, other);
                }
            }
        }
        (reply @ Value::Null, other) => *reply = other.clone(),
        _ => {}
    }
}

/// The application's name from its host.
fn url_title(server: &str) -> String {
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
        _ => json!({"type": "apiKey", "in": "header", "name": name}),
    }
}

/// Where the rows are, and the rows: the reply itself, or the first list of objects one or two levels deep.
pub(super) fn rows(body: &Value) -> Option<(String, &Vec<Value>)> {
    let is_list = |value: &Value| {
        value
            .as_array()
            .is_some_and(|rows| rows.iter().all(Value::is_object))
    };
    if let Some(rows) = body.as_array().filter(|_| is_list(body)) {
        return Some(("$[*]".into(), rows));
    }
    let top = body.as_object()?;
    let lists = top.iter().filter(|(_, value)| is_list(value));
    // A list with something in it is likelier the rows than an empty one beside it.
    let best = lists.max_by_key(|(_, value)| value.as_array().map_or(0, Vec::len));
    if let Some((name, rows)) = best.and_then(|(name, value)| Some((name, value.as_array()?))) {
        return Some((format!("$.{name}[*]"), rows));
    }
    top.iter().find_map(|(parent, value)| {
        let mut inner = value.as_object()?.iter();
        let (name, rows) = inner.find(|(_, value)| is_list(value))?;
        Some((format!("$.{parent}.{name}[*]"), rows.as_array()?))
    })
}

/// The id of a row as it stands in a path.
pub(super) fn id_of(row: &Value) -> Option<String> {
    let row = row.as_object()?;
    let found = ["id", "uuid", "guid", "uid", "key"]
        .iter()
        .find_map(|wanted| row.iter().find(|(name, _)| normal(name) == *wanted));
    match found?.1 {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a text looks like an e-mail address: what holds one is the address, whatever its name.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !text.contains(char::is_whitespace)
            && !domain.contains('@')
    })
}

/// The object in a reply that has most names in common with a row, and its place, such as `$.data.attributes`; absent if
/// none has any.
pub(super) fn object_like(row: &Value, reply: &Value) -> Option<(String, Value)> {
    let row = row.as_object()?;
    let mut best: Option<(usize, String, &Value)> = None;
    let mut waiting = vec![("$".to_owned(), reply, 0)];
    while let Some((path, value, depth)) = waiting.pop() {
        let Some(members) = value.as_object() else {
            continue;
        };
        let common = members
            .keys()
            .filter(|name| row.contains_key(*name))
            .count();
        // Of two that have as much in common the outer one.
        let is_better = best.as_ref().is_none_or(|(most, known, _)| {
            common > *most || (common == *most && path.len() < known.len())
        });
        if common > 0 && is_better {
            best = Some((common, path.clone(), value));
        }
        if depth < DEEPEST {
            waiting.extend(members.iter().map(|(name, value)| {
                let step = json_path(name);
                let step = step.strip_prefix('$').unwrap_or(&step);
                (format!("{path}{step}"), value, depth + 1)
            }));
        }
    }
    best.map(|(_, path, value)| (path, value.clone()))
}

/// How deep an object stands in a reply at most.
const DEEPEST: usize = 3;

/// The schema a value would have.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(text) if is_address(text) => json!({"type": "string", "format": "email"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let items = items.iter().map(shape).fold(Value::Null, merged);
            json!({"type": "array", "items": if items.is_null() { json!({}) } else { items }})
        }
        Value::Object(members) => {
            let properties: Map<String, Value> = members
                .iter()
                .map(|(name, value)| (name.clone(), shape(value)))
                .collect();
            json!({"type": "object", "properties": properties})
        }
    }
}

/// Two schemas of the same thing as one: what one row lacks another has.
fn merged(one: Value, other: Value) -> Value {
    let is_vague = |schema: &Value| schema.as_object().is_none_or(Map::is_empty);
    if is_vague(&one) {
        return other;
    }
    if is_vague(&other) {
        return one;
    }
    let mut result = one;
    if let (Some(mine), Some(theirs)) = (
        result.get_mut("properties").and_then(Value::as_object_mut),
        other.get("properties").and_then(Value::as_object),
    ) {
        for (name, schema) in theirs {
            let known = mine.get(name).cloned().unwrap_or(Value::Null);
            mine.insert(name.clone(), merged(known, schema.clone()));
        }
    }
    result
}

/// The schema of the rows within the reply's, where `rows` finds them.
fn row_schema(reply: &mut Value) -> Option<&mut Value> {
    let is_list = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("array");
    if is_list(reply) {
        return reply.get_mut("items");
    }
    let names: Vec<String> = reply
        .get("properties")?
        .as_object()?
        .keys()
        .cloned()
        .collect();
    let of_objects =
        |schema: &Value| is_list(schema) && schema.pointer("/items/properties").is_some();
    let direct = names.iter().find(|name| {
        reply
            .get("properties")
            .and_then(|p| p.get(*name))
            .is_some_and(of_objects)
    });
    if let Some(name) = direct {
        return reply.get_mut("properties")?.get_mut(name)?.get_mut("items");
    }
    None
}

/// Whether an object has members that another lacks, at any depth of objects.
pub(super) fn shows_more(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .any(|(name, value)| other.get(name).is_none_or(|known| shows_more(value, known))),
        _ => false,
    }
}
