//! What the parts without I/O cost, so that a regression shows: `cargo bench`.
//!
//! Each case runs in rounds; printed is the fastest round, which the neighbours disturb least. Numbers are for comparing two
//! versions on one machine. Nothing here passes or fails.

use std::{hint::black_box, sync::Arc, time::Instant};

use scimgate::{
    diagnostic::SourceFile,
    mapping::{
        frame::Frame,
        load,
        model::{Mapping, TypeMapping},
        read,
    },
    scim::{
        AttributePath, Filter, PatchKind, PatchOp, PatchPath, PatchRequest, Resource, ResourceType,
        filter::Matcher, intake, patch, version,
    },
};
use serde_json::{Value, json};

fn main() {
    filters();
    bodies();
    members();
    page();
    check();
}

/// A file of 400 lines, right and with a fault in every line: both below 100 ms (a debug build takes ten times as long).
fn check() {
    let head = "app = \"shop\"\n[target]\nbase-url = \"https://app.example\"\n[user]\nid = '$.id'\nlist = { call = \"GET /users\", items = '$.users[*]' }\nget = \"GET /users/{id}\"\ncreate = \"POST /users\"\nupdate = \"PATCH /users/{id}\"\ndelete = \"DELETE /users/{id}\"\n[user.attributes]\n'userName' = { field = 'login', required = true }\n'active' = 'active'\n";
    let lines = |line: &dyn Fn(usize) -> String| -> Arc<SourceFile> {
        let text: String = (0..387).map(line).collect();
        Arc::new(SourceFile {
            path: "bench.toml".into(),
            text: format!("{head}{text}"),
        })
    };
    let right = lines(&|n| format!("'emails[type eq \"kind-{n}\"].value' = 'mail_{n}'\n"));
    let wrong = lines(&|n| {
        format!("'emials[type eq \"kind-{n}\"].valeu' = {{ feild = 'mail_{n}', as = \"datum\" }}\n")
    });
    for (name, file) in [("check 400 lines", right), ("check 400 wrong lines", wrong)] {
        measure(name, || {
            load::app_alone(
                &file,
                &load::NoEnvironment,
                load::MissingValues::AreWarnings,
            )
            .is_ok()
        });
    }
}

fn filters() {
    let text = r#"(userName eq "ada@example.com" or emails[type eq "work" and value co "@example.com"]) and not (active eq false)"#;
    measure("parse a filter", || Filter::parse(text));
    let user_type = ResourceType::user(Vec::new());
    let matcher = Filter::parse(text)
        .ok()
        .and_then(|filter| Matcher::compile(&filter, &user_type).ok());
    let user = json!({ "userName": "grace", "active": true, "emails": [{ "type": "work", "value": "grace@example.com" }] });
    if let (Some(matcher), Value::Object(user)) = (matcher, user) {
        measure("match a user", || matcher.matches(&user));
    }
}

fn bodies() {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "externalId": "e-1", "active": true,
        "name": { "givenName": "Ada", "familyName": "Lovelace" }, "title": "Engineer",
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
    });
    let bytes = body.to_string();
    let limits = intake::JsonLimits::default();
    measure("take in a user's JSON", || {
        intake::parse_json(bytes.as_bytes(), &limits)
    });
    let many = json!({ "members": numbered(0, 10_000) }).to_string();
    measure("take in 10,000 members' JSON", || {
        intake::parse_json(many.as_bytes(), &limits)
    });
    if let Value::Object(user) = body {
        measure("version of a user", || version::of(&user));
    }
}

fn members() {
    let group_type = ResourceType::group(Vec::new());
    let Value::Object(group) = json!({ "displayName": "all", "members": numbered(0, 50_000) })
    else {
        return;
    };
    let group = Resource(group);
    let path = PatchPath {
        path: AttributePath::of("members"),
        filter: None,
        sub_attribute: None,
    };
    let add = PatchOp::new(PatchKind::Add, Some(path), Some(numbered(60_000, 1_000)));
    let request = PatchRequest {
        operations: vec![add],
    };
    measure("add 1,000 members to 50,000", || {
        patch::apply(&request, &group_type, &group)
    });
}

fn numbered(from: usize, count: usize) -> Value {
    (from..from + count)
        .map(|number| json!({ "value": number.to_string() }))
        .collect()
}

/// A page of 100 users of the measured application, from its bytes to ours.
fn page() {
    let mapping = mapping();
    let Some(users) = mapping.types.first() else {
        return;
    };
    let rows: Vec<Value> = (1..=100).map(legacy_user).collect();
    let bytes = json!({ "total": 1_000_000, "users": rows }).to_string();
    measure("parse a page of 100", || {
        serde_json::from_str::<Value>(&bytes)
    });
    measure("read a page of 100", || {
        rows.iter()
            .map(|row| read::read(users, row, &mapping.settings, |_| true))
            .collect::<Vec<_>>()
    });
    let projection = &users.usual;
    let resources: Vec<_> = rows
        .iter()
        .map(|row| {
            read::read(users, row, &mapping.settings, |_| true)
                .resource
                .0
        })
        .collect();
    measure("project and write a page of 100", || {
        let projected = resources
            .iter()
            .map(|resource| projection.apply(&users.resource_type, resource.clone()));
        Value::from_iter(projected.map(Value::Object)).to_string()
    });
    let texts: Vec<String> = rows.iter().map(Value::to_string).collect();
    measure("splice a page of 100", || {
        spliced(users, &mapping, &texts).map(|page| page.len())
    });
    measure("one user: parse, read, version", || {
        one_user(users, &mapping, &rows)
    });
}

/// The page as text, from the rows as text.
fn spliced(users: &TypeMapping, mapping: &Mapping, rows: &[String]) -> Option<Vec<u8>> {
    let splice = users.splice.as_ref()?;
    let mut page = Vec::new();
    for row in rows {
        let fields = splice.read(row).ok()?;
        let id = splice.target_id(&fields).ok()??;
        let frame = Frame {
            id,
            location: "https://localhost:8443/scim/v2/Users/1000000",
            external_id: None,
            created: None,
            modified: None,
            revision: None,
        };
        splice
            .write(users, &mapping.settings, &fields, &frame, &mut page)
            .ok()?;
    }
    Some(page)
}

fn one_user(users: &TypeMapping, mapping: &Mapping, rows: &[Value]) -> Option<String> {
    let row: Value = serde_json::from_str(&rows.first()?.to_string()).ok()?;
    let read = read::read(users, &row, &mapping.settings, |_| true);
    Some(version::of(&read.resource.0))
}

fn legacy_user(number: usize) -> Value {
    json!({
        "id": number, "login": format!("user{number:07}"), "email": format!("user{number:07}@example.com"), "first_name": "Ada",
        "last_name": "Lovelace", "status": "active", "title": "Engineer", "department": "Engineering", "phone": "+45 55 123456",
        "external_ref": format!("ext-{number}"), "revision": 1, "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
    })
}

/// The mapping that the load tests use too.
fn mapping() -> Mapping {
    let file = |path: &str, text: &str| {
        Arc::new(SourceFile {
            path: path.into(),
            text: text.to_owned(),
        })
    };
    let sources = load::Sources {
        tenant: file("bench.toml", include_str!("mappings/bench.toml")),
        app: Some(file("stub.toml", include_str!("mappings/apps/stub.toml"))),
    };
    match load::tenant(
        &sources,
        &load::NoEnvironment,
        load::MissingValues::AreWarnings,
    ) {
        Ok((mapping, _)) => mapping,
        Err(complaints) => panic!("{complaints:?}"),
    }
}

/// Runs in rounds of some 20 ms for half a second and prints the time of one run in the fastest of them.
fn measure<T>(name: &str, mut run: impl FnMut() -> T) {
    let once = {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_nanos().max(1)
    };
    let runs = u32::try_from((20_000_000 / once).clamp(1, 1_000_000)).unwrap_or(1);
    let begin = Instant::now();
    let mut fastest = f64::INFINITY;
    while begin.elapsed().as_millis() < 500 || fastest.is_infinite() {
        let start = Instant::now();
        for _ in 0..runs {
            black_box(run());
        }
        fastest = fastest.min(start.elapsed().as_secs_f64() / f64::from(runs));
    }
    println!("{name:<34} {:>12.2} µs", fastest * 1e6);
}
