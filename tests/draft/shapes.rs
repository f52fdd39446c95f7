//! Descriptions in which the object is not the whole reply, keys have parts, and members go by verbs.

use scimgate::cli::draft::propose;
use serde_json::{Value, json};

use crate::assert_passes_check;

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn list(row: Value) -> Value {
    json!({"type": "array", "items": row})
}

fn content(schema: Value) -> Value {
    json!({"content": {"application/json": {"schema": schema}}})
}

fn ok(schema: Value) -> Value {
    json!({"200": content(schema)})
}

/// The draft, which passes `check` and has all that is wanted.
fn drafted(document: &Value, wanted: &[&str]) -> String {
    let draft = propose(document, Some("yard")).unwrap();
    for wanted in wanted {
        assert!(draft.contains(wanted), "`{wanted}` is not in\n{draft}");
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("yard.toml");
    std::fs::write(&file, &draft).unwrap();
    assert_passes_check(&file);
    draft
}

/// Flask-AppBuilder's habits: members beside the object, a page within JSON, PUT that takes what is shown otherwise.
#[test]
fn an_object_beside_descriptions_of_its_columns_is_found() {
    let text = json!({"type": "string"});
    let shown = object(
        json!({"id": {"type": "integer"}, "username": text, "active": {"type": "boolean"}, "roles": list(object(json!({"id": {}, "name": text})))}),
    );
    let mut made = object(
        json!({"username": text, "active": {"type": "boolean"}, "roles": list(json!({"type": "integer"}))}),
    );
    let changed = made.clone();
    made["required"] = json!(["username"]);
    let columns = object(json!({"username": text}));
    let count = json!({"type": "number", "description": "The total record count"});
    let text_filter = object(json!({"col": text, "opr": text, "value": {}}));
    let page = object(
        json!({"page": {"type": "integer"}, "page_size": {"type": "integer"}, "filters": list(text_filter)}),
    );
    let query =
        json!([{"in": "query", "name": "q", "content": {"application/json": {"schema": page}}}]);
    let reply =
        object(json!({"id": text, "label_columns": columns, "show_title": text, "result": shown}));
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"}, "paths": {
        "/users/": {
            "get": {"parameters": query, "responses": ok(object(json!({"count": count, "label_columns": columns, "result": list(shown)})))},
            "post": {"requestBody": content(made.clone()), "responses": {"201": content(object(json!({"result": made}))), "409": {}}},
        },
        "/users/{pk}": {
            "get": {"responses": ok(reply)},
            "put": {"requestBody": content(changed.clone()), "responses": ok(object(json!({"result": changed})))},
        },
    }});
    let wanted = [
        "object = '$.result'",
        "query = { q = { page = \"{page.number}\", page_size = \"{page.size}\" } }",
        "total = '$.count'",
        "filters = [{ col = \"username\", opr = \"eq\", value = \"{value}\" }]",
        "rules = [{ status = 409, is = \"uniqueness\" }]",
        "send      = \"all\"",
        "it may change only what is sent",
        "= { field = 'username', required = true }",
        "= 'active'",
    ];
    let draft = drafted(&document, &wanted);
    assert!(!draft.contains("write-only"), "{draft}");
    assert!(!draft.contains("Location"), "{draft}");
}

#[test]
fn customers_have_users_keys_have_parts_and_members_go_by_verbs() {
    let text = json!({"type": "string"});
    let user = object(json!({"UserGid": text, "Email": text, "FirstName": text}));
    let group = object(json!({"gid": text, "name": text}));
    let listed = |name: &str, row: &Value| object(json!({name: list(row.clone())}));
    let member = content(object(json!({"user": text})));
    let key = |name: &str| json!({"type": "apiKey", "in": "header", "name": name});
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"},
        "servers": [{"url": "//yard.example/api/"}],
        "security": [{"app": [], "token": []}],
        "components": {"securitySchemes": {"app": key("X-Yard-AppKey"), "token": key("X-Yard-AppToken")}},
        "paths": {
        "/accounts": {"get": {"responses": ok(list(group.clone()))}},
        "/accounts/{account}/users": {"get": {"responses": ok(listed("Users", &user))}},
        "/accounts/{account}/users/register": {"post": {"requestBody": content(user.clone()), "responses": ok(listed("Users", &user))}},
        "/accounts/{account}/users/{UserGid}": {"get": {"responses": ok(listed("Users", &user))}},
        "/accounts/{account}/users/{UserGid}/suspended": {"put": {"responses": {"204": {}}}, "delete": {"responses": {"204": {}}}},
        "/teams": {"get": {"responses": ok(list(group.clone()))}},
        "/teams/{team_gid}": {"get": {"responses": ok(object(json!({"data": group})))}},
        "/teams/{team_gid}/users": {"get": {"responses": ok(list(user.clone()))}},
        "/teams/{team_gid}/addUser": {"post": {"requestBody": member, "responses": {"204": {}}}},
        "/teams/{team_gid}/removeUser": {"post": {"requestBody": member, "responses": {"204": {}}}},
    }});
    drafted(
        &document,
        &[
            "base-url = \"https://yard.example/api\"",
            "headers  = { X-Yard-AppKey = \"${YARD_APPKEY}\" }",
            "name  = \"X-Yard-AppToken\"",
            "value = \"${YARD_APPTOKEN}\"",
            "users are at `/accounts/{account}/users`",
            "id = '$.UserGid'",
            "object = '$.Users[0]'",
            "POST /accounts/{settings.account}/users/register",
            "[user.activate]\ncall      = \"DELETE /accounts/{settings.account}/users/{id}/suspended\"",
            "[user.deactivate]\ncall      = \"PUT /accounts/{settings.account}/users/{id}/suspended\"",
            "id = '$.gid'",
            "object = '$.data'",
            "add    = { call = \"POST /teams/{group}/addUser\", body = { user = \"{member}\" } }",
            "remove = { call = \"POST /teams/{group}/removeUser\", body = { user = \"{member}\" } }",
        ],
    );
}

/// JSON:API that shows fields below `attributes` and takes them flat.
#[test]
fn what_is_shown_below_attributes_and_taken_flat_is_one_line() {
    let text = json!({"type": "string"});
    let fields = json!({"username": text, "email": text});
    let row = object(
        json!({"id": {"type": "integer"}, "type": text, "attributes": object(fields.clone())}),
    );
    let one = object(json!({"data": row}));
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"}, "paths": {
        "/users": {
            "get": {"responses": ok(object(json!({"data": list(row)})))},
            "post": {"requestBody": content(object(fields.clone())), "responses": ok(one.clone())},
        },
        "/users/{id}": {
            "get": {"responses": ok(one.clone())},
            "patch": {"requestBody": content(object(fields)), "responses": ok(one.clone())},
        },
    }});
    drafted(
        &document,
        &[
            "id = { from = '$.id', type = \"number\" }",
            "object = '$.data'",
            "write = 'username', read = '$.attributes.username'",
        ],
    );
}
