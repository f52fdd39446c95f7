//! Mappings made by hand, for tests of what needs no files.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use scimgate::{
    diagnostic::{Place, SourceFile},
    exchange::Exchange,
    mapping::{
        expression::Expression,
        model::*,
        path::JsonPath,
        template::{PathTemplate, Template, Tree},
    },
    scim::{AttributePath, Projection, ResourceType, Schema},
    target::Journey,
};
use serde_json::Map;

pub fn place() -> Place {
    let file = SourceFile {
        path: PathBuf::from("test.toml"),
        text: String::new(),
    };
    Place {
        file: Arc::new(file),
        span: 0..0,
    }
}

pub fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

pub fn expression(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

pub fn path(text: &str) -> JsonPath {
    JsonPath::parse(text).unwrap()
}

pub fn tree(value: serde_json::Value) -> Tree {
    Tree::from_value(&value).unwrap_or_else(|_| panic!("no tree"))
}

/// `POST /users?a={b}` as a call.
pub fn call(text: &str) -> Call {
    let (method, rest) = text.split_once(' ').unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query = pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), QueryValue::Text(template(value))))
        .collect();
    Call {
        method: method.parse().unwrap(),
        path: PathTemplate::parse(path).unwrap(),
        query,
        headers: Vec::new(),
        body: None,
        format: None,
        content_type: None,
        with: Vec::new(),
        when_changed: Vec::new(),
        condition: None,
        each: None,
        take: Vec::new(),
        into: None,
        rules: Vec::new(),
        tolerate: Vec::new(),
        poll: None,
        is_repeatable: false,
        has_effect: false,
        is_wrapped: true,
        apart: std::sync::OnceLock::new(),
        remember: None,
        place: place(),
    }
}

pub fn operation(name: &str, steps: Vec<Call>) -> Operation {
    Operation {
        name: name.into(),
        steps,
        covers: Vec::new(),
        send: Send::Changed,
        reply: ReplyKind::Object,
        object: None,
        id: None,
        set: Vec::new(),
        envelope: None,
        if_match: None,
        gets_first: false,
        empties_first: false,
        stash: Vec::new(),
        place: place(),
    }
}

pub fn list(text: &str, items: &str, page: Paging) -> ListOperation {
    ListOperation {
        name: "user.list".into(),
        call: call(text),
        items: path(items),
        keyed_by: None,
        page,
        set: Vec::new(),
        rows: Rows::Complete,
    }
}

pub fn rule(is: Meaning) -> ReplyRule {
    ReplyRule {
        status: Vec::new(),
        header: None,
        when: None,
        contains: None,
        matches: None,
        is,
        attribute: None,
        say: None,
    }
}

pub fn target(base_url: &str) -> Target {
    Target {
        base_url: base_url.parse().unwrap(),
        public_url: None,
        deadline: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(2),
        reply_timeout: Duration::from_secs(20),
        ca: None,
        client_certificate: None,
        headers: Vec::new(),
        plain_headers: Vec::new(),
        sent_at: Vec::new(),
        query: Vec::new(),
        format: BodyFormat::Json,
        wrap: None,
        reply_prefix: None,
        content: None,
        auth: Auth::None,
        probe: None,
        budget: Budget::default(),
        rules: Vec::new(),
        detail: Vec::new(),
        retry_after: None,
        id_pattern: regex::Regex::new("^[A-Za-z0-9._~@:+-]{1,256}$").unwrap(),
        max_reply_bytes: 1024 * 1024,
        redact: Vec::new(),
    }
}

/// Users with a get of `/users/{id}`, nothing else.
pub fn users() -> TypeMapping {
    let schema = Schema {
        id: "urn:ietf:params:scim:schemas:core:2.0:User".into(),
        name: "User".into(),
        description: String::new(),
        attributes: Vec::new(),
    };
    let resource_type = ResourceType {
        name: "User".into(),
        endpoint: "/Users".into(),
        description: String::new(),
        schema: Arc::new(schema),
        extensions: Vec::new(),
    };
    TypeMapping {
        usual: Arc::new(Projection::usual(&resource_type)),
        resource_type: Arc::new(resource_type),
        section: "user".into(),
        id: IdRule {
            from: path("$.id"),
            is_stable: true,
            is_number: true,
            pattern: None,
            prefix: String::new(),
        },
        scope: None,
        conditions_at: Vec::new(),
        hide: None,
        empty_is_absent: false,
        gone: None,
        match_attribute: attribute("userName"),
        lists: Vec::new(),
        finds: Vec::new(),
        get: Some(operation("user.get", vec![call("GET /users/{id}")])),
        create: None,
        updates: Vec::new(),
        activate: None,
        deactivate: None,
        rename: None,
        set_password: None,
        delete: None,
        attributes: Vec::new(),
        constants: Vec::new(),
        members: None,
        groups: None,
        fixed: Vec::new(),
        splice: None,
    }
}

pub fn attribute(name: &str) -> AttributePath {
    let attribute = name.to_owned();
    AttributePath {
        attribute,
        ..AttributePath::default()
    }
}

pub fn mapping(target: Target) -> Mapping {
    Mapping {
        secrets: Vec::new(),
        tenant: "acme".into(),
        app: "test".into(),
        mode: Mode::Live,
        client: Client {
            dialect: Default::default(),
            me: None,
            domains: Default::default(),
            keys: Vec::new(),
        },
        policy: Policy {
            protected: Vec::new(),
            protected_at: Vec::new(),
            on_existing: OnExisting::Conflict,
            on_rename: OnRename::InPlace,
            on_delete: OnDelete::Delete,
            active_is: ActiveIs::Target,
            most_changes: None,
            on_missing_reference: OnMissingReference::Reject,
            max_shrink: None,
        },
        settings: Map::new(),
        target,
        types: vec![users()],
        look_ups: Vec::new(),
        examples: Vec::new(),
    }
}

/// A journey with this much time.
pub fn journey(time: Duration) -> Journey {
    Journey {
        tenant: "acme".into(),
        deadline: tokio::time::Instant::now() + time,
        is_dry: false,
        exchange: Arc::new(Mutex::new(Exchange::default())),
    }
}

/// A name for a call's templates, as a file says it.
pub fn with(name: &str, value: serde_json::Value) -> With {
    With {
        name: name.to_owned(),
        tree: tree(value),
        is_plain: true,
    }
}
