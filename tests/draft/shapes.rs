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

/// One's own profile and one's own roles beside the administration of all.
#[test]
fn what_can_be_made_and_changed_is_chosen_over_ones_own_profile() {
    let text = json!({"type": "string"});
    let user = object(json!({"id": {"type": "integer"}, "username": text, "email": text}));
    let role = object(json!({"id": {"type": "integer"}, "name": text}));
    let own = object(
        json!({"userId": {"type": "integer"}, "feedback": list(object(json!({"given": text})))}),
    );
    let get = |schema: &Value| json!({"responses": ok(schema.clone())});
    let write = |schema: &Value| json!({"requestBody": content(schema.clone()), "responses": ok(schema.clone())});
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"}, "servers": [{"url": "https://yard.example"}], "paths": {
        "/api/admin/user": {"get": get(&own)},
        "/api/admin/user/roles": {"get": get(&object(json!({"roles": list(role.clone())})))},
        "/api/me/users": {"get": get(&list(user.clone()))},
        "/api/admin/user-admin": {"get": get(&object(json!({"users": list(user.clone())}))), "post": write(&user)},
        "/api/admin/user-admin/{id}": {"get": get(&user), "put": write(&user), "delete": {"responses": {"200": {}}}},
        "/api/admin/roles": {"get": get(&object(json!({"roles": list(role.clone())})))},
        "/api/admin/roles/{id}": {"get": get(&role)},
        "/api/admin/role-groups": {"get": get(&list(role.clone()))},
    }});
    let draft = drafted(
        &document,
        &[
            "# guess: users are at `/api/admin/user-admin`.",
            "call = \"POST /api/admin/user-admin\"",
            "call = \"DELETE /api/admin/user-admin/{id}\"",
            "items = '$.users[*]'",
            "# guess: groups are at `/api/admin/roles`.",
        ],
    );
    assert!(
        !draft.contains("feedback") && !draft.contains("/api/me"),
        "{draft}"
    );
}

#[test]
fn a_path_that_is_nearly_as_likely_is_named() {
    let text = json!({"type": "string"});
    let user = object(json!({"id": text, "login": text}));
    let get = json!({"responses": ok(list(user.clone()))});
    let write = json!({"requestBody": content(user.clone()), "responses": ok(user.clone())});
    let one = json!({"get": {"responses": ok(user)}, "put": write});
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"}, "paths": {
        "/users": {"get": get},
        "/people": {"get": get, "post": write},
        "/people/{id}": one,
    }});
    drafted(
        &document,
        &[
            "users are at `/people`",
            "# guess: chosen over GET `/users`.",
        ],
    );
}

/// Clients look people up by `userName`: its line reads, though no reply shows the field.
#[test]
fn the_user_name_is_never_only_written_and_what_entra_sends_is_kept() {
    let text = json!({"type": "string"});
    let shown = object(json!({"id": text, "mobile": text}));
    let written = object(json!({"login": text, "mobile": text}));
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"}, "paths": {
        "/users": {
            "get": {"responses": ok(list(shown.clone()))},
            "post": {"requestBody": content(written), "responses": ok(shown.clone())},
        },
        "/users/{id}": {"get": {"responses": ok(shown)}},
    }});
    let draft = drafted(
        &document,
        &[
            "# TODO: no reply shows `login`",
            "User:department'",
            "'title' ",
            "A choice, line by line",
        ],
    );
    let line = |name: &str| {
        draft
            .lines()
            .find(|line| line.starts_with(&format!("'{name}")))
            .unwrap_or_default()
    };
    assert!(!line("userName").contains("write-only"), "{draft}");
    assert!(
        line("phoneNumbers[type eq \"mobile\"]").contains("field = 'mobile'")
            || line("phoneNumbers[type eq \"mobile\"]").contains("'mobile'"),
        "{draft}"
    );
    // Those of every other type.
    assert!(line("phoneNumbers'").contains("keep = true"), "{draft}");
}

/// A user's groups are shown and not taken with the user: calls change them.
#[test]
fn groups_that_a_user_shows_are_changed_by_the_groups_calls() {
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    let group = object(json!({"id": number, "name": text}));
    let made = object(json!({"login": text, "enabled": {"type": "boolean"}}));
    let mut user = made.clone();
    user["properties"]["id"] = number.clone();
    user["properties"]["groups"] = list(group.clone());
    let member = content(object(json!({"user_id": number})));
    let one = |method: &str| json!({"responses": ok(user.clone()), "requestBody": if method == "get" { Value::Null } else { content(made.clone()) }});
    let document = json!({"openapi": "3.0.0", "info": {"title": "yard"}, "paths": {
        "/users": {"get": {"responses": ok(list(user.clone()))}, "post": one("post")},
        "/users/{id}": {"get": one("get"), "patch": one("patch"), "delete": {"responses": {"204": {}}}},
        "/groups": {"get": {"responses": ok(list(group.clone()))}},
        "/groups/{id}": {"get": {"responses": ok(group)}},
        "/groups/{id}/users": {"post": {"requestBody": member, "responses": {"204": {}}}},
        "/groups/{id}/users/{user_id}": {"delete": {"responses": {"204": {}}}},
    }});
    let draft = drafted(
        &document,
        &[
            "add    = { call = \"POST /groups/{group}/users\", body = { user_id = \"{member}\" } }",
            "remove = { call = \"DELETE /groups/{group}/users/{member}\", tolerate = [404] }",
            "on-user = { field = 'groups', id = '$.id' }",
            "[user.groups]\nitems = '$.groups[*]'\nid    = '$.id'",
        ],
    );
    assert!(!draft.contains("[group.members.read]"), "{draft}");
}
