//! Drafts: whole, and good enough for `check`; and what a probe of the demo's application sees.
//!
//! `SCIMGATE_BLESS=1 cargo test --test draft` writes the drafts down anew.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use scimgate::cli::draft::{DraftError, propose};
use serde_json::{Value, json};

#[path = "draft/probe.rs"]
mod probe;
#[path = "draft/shapes.rs"]
mod shapes;

/// Each `NAME.openapi.json` with the draft in `NAME.toml`.
#[test]
fn each_document_has_its_draft_and_the_draft_passes_check() {
    let mut documents = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_suffix(".openapi.json") else {
            continue;
        };
        documents += 1;
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let draft = propose(&document, None).unwrap();
        let golden = folder().join(format!("{name}.toml"));
        if std::env::var_os("SCIMGATE_BLESS").is_some() {
            std::fs::write(&golden, &draft).unwrap();
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(
            draft == wanted,
            "{name}: the draft is another now:\n{draft}"
        );
        assert_passes_check(&golden);
    }
    assert!(documents >= 6, "{documents}");
}

#[test]
fn what_is_no_openapi_document_is_refused_in_words() {
    let cases = [
        (json!({"swagger": "1.2"}), DraftError::NotOpenApi),
        (json!({"swagger": "2.0", "paths": {}}), DraftError::NoUsers),
        (json!({"openapi": "2.9"}), DraftError::NotOpenApi),
        (json!([]), DraftError::NotOpenApi),
        (
            json!({"openapi": "3.0.0", "paths": {"/orders": {"get": {}}}}),
            DraftError::NoUsers,
        ),
    ];
    for (document, error) in cases {
        assert_eq!(propose(&document, None).unwrap_err(), error, "{document}");
    }
}

/// References in circles, members of the wrong kind, names that are no places: a draft, and no panic.
#[test]
fn a_broken_document_gives_a_draft_all_the_same() {
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "''' \" \n[x]", "version": 3},
        "servers": [{"url": "https://{host}/"}],
        "paths": {
            "/users": {"get": {"parameters": [{"$ref": "#/loop"}, 7], "responses": {"200": {"$ref": "#/loop"}}}, "post": null},
            "/users/{id}": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/schema"}}}}}}, "put": []}
        },
        "loop": {"$ref": "#/loop"},
        "schema": {"allOf": [{"$ref": "#/schema"}, {"properties": {
            "id": {}, "login": {"$ref": "#/nowhere"}, "a.b": {}, "it's": {}, "": {}, "child": {"$ref": "#/schema"}
        }}]}
    });
    let draft = propose(&document, None).unwrap();
    assert!(draft.contains("'userName'"), "{draft}");
    assert!(draft.parse::<toml::Table>().is_ok(), "{draft}");
}

/// An API in the manner of an issue tracker's: the query of the question says which fields come, an object is deep in its
/// reply, and names begin with `@`. Serves until the test ends.
fn tracker() -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/data/user", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap_or(0);
            let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let target = head.split(' ').nth(1).unwrap_or_default();
            let user = |id: &str, name: &str| json!({ "id": id, "username": name, "address": format!("{name}@acme.example") });
            let body = if target.starts_with("/data/user?%40fields=") || target.starts_with("/data/user?@fields=") {
                json!({ "data": { "collection": [user("1", "ada"), user("2", "bob")], "@total_size": 2 } })
            } else if target == "/data/user/1" {
                json!({ "data": { "type": "user", "id": "1", "attributes": { "username": "ada", "address": "ada@acme.example", "phone": null } } })
            } else {
                json!({ "error": { "msg": "not found" } })
            }
            .to_string();
            let status = if body.contains("error") {
                "404 Not Found"
            } else {
                "200 OK"
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

#[test]
fn a_probe_keeps_its_own_query_and_finds_the_object_and_the_address() {
    let url = format!("{}?@fields=username,address", tracker());
    let output = scimgate(&["draft", "--probe", &url, "--app", "roundup"]);
    for wanted in [
        "app = \"roundup\"",
        "`$.data[\"@total_size\"]` has the number of all: 2.",
        "There the object is at `$.data`.",
        "Its fields are in `attributes` there; in the rows of the list they are not.",
        "call  = \"GET /user?@fields=username,address\"",
        "object = '$.data'",
        "set   = { attributes = \"{value}\" }",
        "= 'attributes.username'",
        "'emails[type eq \"work\"].value'",
        "= 'attributes.address'",
    ] {
        assert!(output.contains(wanted), "`{wanted}` is not in\n{output}");
    }
    for unwanted in ["the document", "$.data.attributes", "$.data.@"] {
        assert!(!output.contains(unwanted), "`{unwanted}` is in\n{output}");
    }
    let lacks = output.lines().find(|line| line.trim().starts_with("lacks"));
    assert!(
        lacks.is_none_or(|line| !line.contains("userName")),
        "{output}"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roundup.toml");
    std::fs::write(&file, &output).unwrap();
    assert_passes_check(&file);
}

#[test]
fn a_probe_sees_pages_filters_and_the_shape_of_objects() {
    let application = Staffbook::start();
    let url = format!("{}/users", application.url);
    let output = scimgate(&[
        "draft",
        "--probe",
        &url,
        "--header",
        "X-Api-Key: staffbook-example-key",
    ]);
    for wanted in [
        "# - The list is at `$.items[*]`, with 30 in the first reply.",
        "# - A parameter it does not know is ignored",
        "# - `$.total` has the number of all: 30.",
        "# - `per_page` is the size of a page, 200 at most.",
        "# - `page` is the page's number, from 1 on.",
        "# - `login=` filters, in any case of letters.",
        "# - `mail=` filters, in any case of letters.",
        "# - One that is not there is answered 404.",
        "id = { from = '$.id', type = \"number\" }",
        "size   = { parameter = \"per_page\", most = 200 }",
        "total  = '$.total'",
        "filter = \"emails.value eq\"",
        "call = \"GET /users/{id}\"",
        "'userName' ",
        "= 'login'",
    ] {
        assert!(output.contains(wanted), "`{wanted}` is not in\n{output}");
    }
    assert!(!output.contains("staffbook-example-key"), "{output}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("staffbook.toml");
    std::fs::write(&file, &output).unwrap();
    assert_passes_check(&file);
}

/// Airflow's roles: no id, a path that takes the name, and a total that `allOf` brings in.
#[test]
fn a_path_that_takes_a_name_says_the_id_and_no_field_has_two_lines() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let json_of =
        |schema: Value| json!({"200": {"content": {"application/json": {"schema": schema}}}});
    let total = object(json!({"total_entries": {"type": "integer"}}));
    let rows = |name: &str, row: Value| {
        let list = json!({"type": "array", "items": row});
        json_of(json!({"allOf": [object(json!({name: list})), total]}))
    };
    let text = json!({"type": "string"});
    let page = json!([{"name": "limit", "in": "query", "schema": {"type": "integer"}}, {"name": "offset", "in": "query", "schema": {"type": "integer"}}]);
    let user = object(json!({"id": {"type": "integer"}, "name": text, "slug2": text}));
    let role = object(json!({"name": text, "actions": {"type": "array", "items": text}}));
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": "flow", "version": "1"},
        "servers": [{"url": "https://flow.example/api"}],
        "paths": {
            "/users": {"get": {"parameters": page, "responses": rows("users", user.clone())}},
            "/users/{user_id}": {"get": {"responses": json_of(user)}},
            "/roles": {"get": {"parameters": page, "responses": rows("roles", role.clone())}},
            "/roles/{role_name}": {"get": {"responses": json_of(role)}},
        }
    });
    let draft = propose(&document, None).unwrap();
    assert!(
        draft.contains("total = '$.total_entries'") || draft.contains("total  = '$.total_entries'"),
        "{draft}"
    );
    assert!(draft.contains("from = '$.name', stable = false"), "{draft}");
    assert_eq!(draft.matches("= 'name'").count(), 2, "{draft}");
    assert!(!draft.contains("looks like `userName`"), "{draft}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flow.toml");
    std::fs::write(&file, &draft).unwrap();
    assert_passes_check(&file);
}

#[test]
fn a_document_in_yaml_is_refused_with_the_way_to_convert_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("openapi.yaml");
    std::fs::write(&file, "openapi: 3.0.0\npaths: {}\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_scimgate"))
        .arg("draft")
        .arg(&file)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        words.contains("yq -o=json") && words.contains("yaml.safe_load"),
        "{words}"
    );
}

/// A reply that does not say what the next page is asked by; users that show objects and take ids; no call that reads.
#[test]
fn what_cannot_be_said_or_read_is_told() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let json_of =
        |schema: Value| json!({"200": {"content": {"application/json": {"schema": schema}}}});
    let text = json!({"type": "string"});
    let group = object(json!({"id": {"type": "integer"}, "name": text}));
    let user =
        object(json!({"id": text, "login": text, "groups": {"type": "array", "items": group}}));
    let written =
        object(json!({"login": text, "groups": {"type": "array", "items": {"type": "integer"}}}));
    let body = json!({"content": {"application/json": {"schema": written}}});
    let page = json!([{"name": "limit", "in": "query"}, {"name": "starting_after", "in": "query"}]);
    let paths = json!({
        "/users": {
            "get": {"parameters": page, "responses": json_of(json!({"type": "array", "items": user}))},
            "post": {"requestBody": body, "responses": json_of(user.clone())},
        },
        "/users/{id}": {"get": {"responses": json_of(user.clone())}, "patch": {"requestBody": body, "responses": json_of(user)}},
        "/groups": {"get": {"responses": json_of(json!({"type": "array", "items": group}))}},
        "/nodes/{node}/users": {"post": {"responses": {}}},
    });
    let document = json!({"openapi": "3.0.0", "info": {"title": "depot"}, "paths": paths});
    let draft = propose(&document, None).unwrap();
    for wanted in [
        "# TODO: `starting_after` reads on, but the reply does not say with what",
        "# guess: users hold their groups in `groups`, shown as objects and written as bare values",
        "on-user = { field = 'groups', id = '$.id', element = \"{group}\" }",
        "[user.groups]",
    ] {
        assert!(draft.contains(wanted), "{draft}");
    }
    let unread = json!({"openapi": "3.0.0", "paths": {"/nodes/{node}/users": {"post": {}}, "/nodes/{node}/users/{name}": {"delete": {}}}});
    assert_eq!(propose(&unread, None).unwrap_err(), DraftError::NoUsers);
}

/// Sort orders, links and wrong fields are lists too; a membership holds a group.
#[test]
fn the_rows_are_told_from_other_lists_beside_them() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let list = |row: Value| json!({"type": "array", "items": row});
    let json_of = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
    let text = json!({"type": "string"});
    let order = list(object(json!({"by": text, "direction": text})));
    let rows = |row: Value| object(json!({"order": order, "entries": list(row)}));
    let group = object(json!({"id": text, "name": text}));
    let user = object(json!({"id": text, "login": text, "name": text}));
    let refusal =
        object(json!({"invalidFields": list(object(json!({"field": text}))), "detail": text}));
    let get = |schema: Value| json!({"get": {"responses": {"200": json_of(schema)}}});
    let wrapped = json_of(object(json!({"action": text, "user_info": user})));
    let document = json!({"openapi": "3.0.0", "info": {"title": "boxes"}, "paths": {
        "/users": {
            "get": {"responses": {"200": json_of(rows(user.clone()))}},
            "post": {"requestBody": wrapped, "responses": {"201": json_of(user.clone()), "400": json_of(refusal)}},
        },
        "/users/{id}": {
            "get": {"responses": {"200": json_of(user.clone())}},
            "patch": {"requestBody": json_of(user), "responses": {"204": {}}},
        },
        "/users/{id}/memberships": get(rows(object(json!({"id": text, "group": group})))),
    }});
    let draft = propose(&document, None).unwrap();
    let wanted = [
        "items = '$.entries[*]'",
        "detail = '$.detail'",
        "= '$.group.id'",
        "= '$.group.name'",
    ];
    for wanted in wanted {
        assert!(draft.contains(wanted), "`{wanted}` is not in\n{draft}");
    }
    assert_eq!(
        draft.matches("envelope").count(),
        1,
        "the update has none: {draft}"
    );
}

#[test]
fn a_draft_is_never_written_over_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("app.toml");
    let document = folder().join("staffbook.openapi.json");
    let run = || {
        Command::new(env!("CARGO_BIN_EXE_scimgate"))
            .arg("draft")
            .arg(&document)
            .arg("--output")
            .arg(&output)
            .output()
            .unwrap()
    };
    assert!(run().status.success());
    let first = std::fs::read(&output).unwrap();
    assert!(!run().status.success());
    assert_eq!(std::fs::read(&output).unwrap(), first);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/draft")
}

fn assert_passes_check(file: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_scimgate"))
        .arg("check")
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {text}", file.display());
    assert!(!text.contains("0 users"), "{text}");
}

fn scimgate(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_scimgate"))
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// The demo's application; it ends with its input.
struct Staffbook {
    url: String,
    child: Child,
}

impl Staffbook {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_scimgate"))
            .args(["demo-application", "--users", "30"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim().strip_prefix("ADDRESS=").unwrap().to_owned();
        Self { url, child }
    }
}

impl Drop for Staffbook {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
