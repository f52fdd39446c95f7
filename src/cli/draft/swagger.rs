//! A Swagger 2.0 document as the OpenAPI 3 document that says the same, as far as a draft reads it.

use serde_json::{Map, Value, json};

/// The document in the newer shape. Schemas stay where they are: references to them hold.
pub(super) fn upgraded(old: &Value) -> Value {
    let mut new = old.as_object().cloned().unwrap_or_default();
    new.remove("swagger");
    new.insert("openapi".into(), json!("3.0.0"));
    if let Some(url) = server(old) {
        new.insert("servers".into(), json!([{ "url": url }]));
    }
    if let Some(schemes) = old.get("securityDefinitions").and_then(Value::as_object) {
        let schemes: Map<String, Value> = schemes
            .iter()
            .map(|(name, scheme)| (name.clone(), security(scheme)))
            .collect();
        new.insert("components".into(), json!({ "securitySchemes": schemes }));
    }
    for place in ["parameters", "responses"] {
        if let Some(shared) = new.get_mut(place).and_then(Value::as_object_mut) {
            for value in shared.values_mut() {
                *value = match place {
                    "parameters" => parameter(value),
                    _ => response(value, JSON),
                };
            }
        }
    }
    let shared = old.get("parameters").cloned().unwrap_or(Value::Null);
    let media = |holder: &Value, name: &str| {
        let list = holder.get(name).and_then(Value::as_array);
        let named = list.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        named.and_then(|named| {
            let json = named.iter().find(|media| media.contains("json"));
            json.or(named.first()).map(|media| (*media).to_owned())
        })
    };
    let (takes, gives) = (media(old, "consumes"), media(old, "produces"));
    let items = new.get_mut("paths").and_then(Value::as_object_mut);
    for item in items.into_iter().flat_map(Map::values_mut) {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        for (name, value) in item.iter_mut() {
            if name == "parameters" {
                let list = value.as_array_mut();
                list.into_iter()
                    .flatten()
                    .for_each(|one| *one = parameter(one));
                continue;
            }
            let takes = media(value, "consumes").or_else(|| takes.clone());
            let gives = media(value, "produces").or_else(|| gives.clone());
            operation(
                value,
                &shared,
                takes.as_deref(),
                gives.as_deref().unwrap_or(JSON),
            );
        }
    }
    Value::Object(new)
}

/// `https://host/base`, or the base alone where no host is said.
fn server(old: &Value) -> Option<String> {
    let text = |name: &str| old.get(name).and_then(Value::as_str);
    let base = text("basePath").unwrap_or("");
    match text("host").filter(|host| !host.is_empty()) {
        Some(host) => {
            let schemes = old.get("schemes").and_then(Value::as_array);
            let is_plain =
                schemes.is_some_and(|all| !all.is_empty() && !all.contains(&json!("https")));
            let scheme = if is_plain { "http" } else { "https" };
            Some(format!("{scheme}://{host}{base}"))
        }
        None => (base.len() > 1).then(|| base.to_owned()),
    }
}

fn security(scheme: &Value) -> Value {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or("");
    match text("type") {
        "basic" => json!({"type": "http", "scheme": "basic"}),
        "oauth2" => {
            let flow = match text("flow") {
                "application" => "clientCredentials",
                "accessCode" => "authorizationCode",
                other => other,
            };
            let scopes = scheme.get("scopes").cloned().unwrap_or(json!({}));
            json!({"type": "oauth2", "flows": {flow: {"tokenUrl": text("tokenUrl"), "scopes": scopes}}})
        }
        _ => scheme.clone(),
    }
}

/// A parameter with its type in a schema of its own.
fn parameter(old: &Value) -> Value {
    let Some(members) = old.as_object() else {
        return old.clone();
    };
    if members.contains_key("schema") || members.contains_key("$ref") {
        return old.clone();
    }
    let mut new = Map::new();
    let mut schema = Map::new();
    for (name, value) in members {
        let is_own = ["name", "in", "description", "required"].contains(&name.as_str());
        let place = if is_own { &mut new } else { &mut schema };
        place.insert(name.clone(), value.clone());
    }
    new.insert("schema".into(), Value::Object(schema));
    Value::Object(new)
}

fn response(old: &Value, media: &str) -> Value {
    let mut new = old.clone();
    if let Some(members) = new.as_object_mut()
        && let Some(schema) = members.remove("schema")
    {
        members.insert("content".into(), json!({ media: { "schema": schema } }));
    }
    new
}

/// Moves what is in the body out of the parameters, and schemas of answers below their media type.
fn operation(value: &mut Value, shared: &Value, takes: Option<&str>, gives: &str) {
    let Some(members) = value.as_object_mut() else {
        return;
    };
    if let Some(answers) = members.get_mut("responses").and_then(Value::as_object_mut) {
        answers
            .values_mut()
            .for_each(|answer| *answer = response(answer, gives));
    }
    let Some(Value::Array(all)) = members.remove("parameters") else {
        return;
    };
    let whole = |one: &Value| {
        let name = one.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|name| name.strip_prefix("#/parameters/"));
        name.and_then(|name| shared.get(name))
            .unwrap_or(one)
            .clone()
    };
    let (mut others, mut form) = (Vec::new(), Vec::new());
    for one in all.iter().map(whole) {
        match one.get("in").and_then(Value::as_str) {
            Some("body") => {
                let schema = one.get("schema").cloned().unwrap_or(json!({}));
                let body = json!({"content": {takes.unwrap_or(JSON): {"schema": schema}}});
                members.insert("requestBody".into(), body);
            }
            Some("formData") => form.push(parameter(&one)),
            _ => others.push(parameter(&one)),
        }
    }
    members.insert("parameters".into(), Value::Array(others));
    if form.is_empty() {
        return;
    }
    let name = |one: &Value| {
        one.get("name")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let required: Vec<String> = form
        .iter()
        .filter(|one| one.get("required") == Some(&Value::Bool(true)))
        .map(name)
        .collect();
    let fields: Map<String, Value> = form
        .iter()
        .map(|one| (name(one), one.get("schema").cloned().unwrap_or(json!({}))))
        .collect();
    let schema = json!({"type": "object", "properties": fields, "required": required});
    let media = takes.filter(|media| media.contains("form")).unwrap_or(FORM);
    members.insert(
        "requestBody".into(),
        json!({"content": {media: {"schema": schema}}}),
    );
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
