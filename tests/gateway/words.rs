//! Applications that are short of words: rows that are bare ids, names joined to one text, look-ups in several calls.

use serde_json::{Value, json};

use crate::stage::{Setup, Stage};

const READ: &str = "[group.members.read]\ncall  = \"GET /groups/{group}/members\"\nitems = '$.items[*]'\nid    = '$.user_id'\n[group.members.read.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n";
const ADD: &str =
    "add    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }";
const REMOVE: &str =
    "remove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }";

fn joined(separator: &str) -> Setup {
    Setup::default()
        .with(
            ADD,
            &format!(
                "on-user = {{ field = 'roles', name = \"{{name}}\", as = {{ joined = \"{separator}\" }} }}"
            ),
        )
        .with(REMOVE, "")
        .with(READ, "")
}

fn member(id: &str) -> Value {
    json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }])
}

#[tokio::test]
async fn groups_joined_to_one_text_are_changed_in_that_text() {
    let stage = joined(",").start().await;
    stage.app.add_users(3);
    let group = stage.app.add_group(json!({ "name": "Developer" }), []);
    let path = format!("/Groups/g-{group}");
    stage.app.change_user(1, "roles", json!("User,developer"));
    stage.patch(&path, member("1")).await.is(200);
    let roles = |id| stage.app.user(id).unwrap()["roles"].clone();
    assert_eq!(roles(1), "User,developer,Developer");
    let read = stage.get(&path).await.is(200);
    assert_eq!(read.body["members"].as_array().unwrap().len(), 1);
    let remove = json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]);
    stage.patch(&path, remove).await.is(200);
    assert_eq!(roles(1), "User,developer");
    stage.patch(&path, member("2")).await.is(200);
    assert_eq!(roles(2), "Developer");
    stage
        .patch(
            &path,
            json!([{ "op": "remove", "path": "members[value eq \"2\"]" }]),
        )
        .await
        .is(200);
    assert_eq!(roles(2), "");
}

#[tokio::test]
async fn a_group_whose_name_holds_the_separator_is_refused_before_it_spoils_the_text() {
    let stage = joined(" ").start().await;
    stage.app.add_users(1);
    let group = stage.app.add_group(json!({ "name": "two words" }), []);
    stage.app.change_user(1, "roles", json!("User"));
    let path = format!("/Groups/g-{group}");
    stage.patch(&path, member("1")).await.is(400);
    assert_eq!(stage.app.user(1).unwrap()["roles"], "User");
}

#[tokio::test]
async fn a_users_groups_are_read_from_a_joined_text() {
    let stage = Setup::default()
        .with(
            "call    = \"GET /users/{id}/groups\"\nitems   = '$.items[*]'\nid      = '$.id'\ndisplay = '$.name'",
            "items = '$.roles'\nas = \"joined\"\nonly = 'value != old.login'",
        )
        .start()
        .await;
    stage.app.add_users(1);
    let a = stage.app.add_group(json!({ "name": "a" }), []);
    let b = stage.app.add_group(json!({ "name": "b" }), []);
    stage
        .app
        .change_user(1, "roles", json!(format!("{a}, {b},user1")));
    let user = stage.get("/Users/1").await.is(200);
    let groups: Vec<&Value> = user.body["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| &group["value"])
        .collect();
    assert_eq!(groups, [&json!(format!("g-{a}")), &json!(format!("g-{b}"))]);
}

/// Lists and finds give bare numbers, and no object says its id.
async fn bare() -> Stage {
    let setup = Setup::default()
        .with("from = '$.id'", "from = '$.key'")
        .with(
            "items = '$.items[*]'",
            "items = '$.items[*].id'\nrows = \"reference\"",
        )
        .with("items  = '$.items[*]'", "items  = '$.items[*].id'");
    let stage = setup.start().await;
    stage.app.add_users(3);
    stage
}

#[tokio::test]
async fn rows_that_are_bare_ids_are_read_one_by_one() {
    let stage = bare().await;
    let all = stage.get("/Users").await.is(200);
    assert_eq!(all.each("userName"), ["user1", "user2", "user3"]);
    assert_eq!(all.each("id"), ["1", "2", "3"]);
    let one = stage.get("/Users/2").await.is(200);
    assert_eq!(one.body["userName"], "user2");
    stage.get("/Users/9").await.is(404);
    let found = stage
        .get("/Users?filter=userName%20eq%20%22user3%22")
        .await
        .is(200);
    assert_eq!(found.each("id"), ["3"]);
}

#[tokio::test]
async fn a_condition_on_a_row_that_is_a_text_sees_the_text() {
    let setup = Setup::default().with("[group.get]\ncall = \"GET /groups/{id}\"", "");
    let app = setup.app.replace(
        "[group]\n",
        "[group]\nhide = 'value in [\"everyone\"]'\nget = false\n",
    );
    let (head, groups) = app.split_at(app.find("[group.list]").unwrap());
    let groups = groups
        .replace("items = '$.items[*]'", "items = '$.items[*].name'")
        .replace(
            "'displayName' = 'name'",
            "'displayName' = { read = '$', write = 'name' }",
        );
    let stage = Setup {
        app: format!("{head}{groups}"),
        ..setup
    }
    .start()
    .await;
    stage.app.add_group(json!({ "name": "everyone" }), []);
    stage.app.add_group(json!({ "name": "staff" }), []);
    let all = stage
        .get("/Groups?excludedAttributes=members")
        .await
        .is(200);
    assert_eq!(all.each("displayName"), ["staff"]);
}

#[tokio::test]
async fn a_find_may_ask_first_and_end_there() {
    let steps = "steps = [{ call = \"GET /users?login={value}\", take = { key = '$.items[0].id' }, \
                 rules = [{ when = 'total == 0', is = \"not-found\" }] }, \"GET /users/{key}\"]\n";
    let setup = Setup::default();
    let at = setup.app.find("[[user.find]]").unwrap();
    let rest = setup.app[at..].find("\n\n").unwrap() + at;
    let app = format!(
        "{}[[user.find]]\nfilter = \"userName eq\"\n{steps}{}",
        &setup.app[..at],
        &setup.app[rest..]
    );
    let stage = Setup { app, ..setup }.start().await;
    stage.app.add_users(2);
    let find = async |name: &str| {
        stage
            .get(&format!("/Users?filter=userName%20eq%20%22{name}%22"))
            .await
            .is(200)
    };
    assert_eq!(find("user2").await.each("id"), ["2"]);
    stage.app.forget_calls();
    assert!(find("nobody").await.each("id").is_empty());
    assert_eq!(stage.app.calls().len(), 1, "{:?}", stage.app.calls());
}

#[tokio::test]
async fn constants_of_a_create_are_templates_and_an_empty_text_can_be_no_value() {
    let setup = Setup::default()
        .with(
            "app = \"book\"",
            "app = \"book\"\nsettings = { desk = \"north\" }",
        )
        .with(
            "[user.create]\n",
            "[user.create]\nconstants = { desk = \"{settings.desk}\", braces = \"{{x}}\" }\n",
        )
        .with("[user]\n", "[user]\nempty-is-absent = true\n");
    let stage = setup.start().await;
    stage.app.add_users(1);
    let made = stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(201);
    let sent = stage.app.user(2).unwrap();
    assert_eq!(
        (&sent["desk"], &sent["braces"]),
        (&json!("north"), &json!("{x}"))
    );
    assert_eq!(made.body["userName"], "ada");
    stage.app.change_user(1, "title", json!(""));
    let read = stage.get("/Users/1").await.is(200);
    assert_eq!(read.body.get("title"), None, "{}", read.body);
}

#[tokio::test]
async fn an_id_of_a_type_has_a_pattern_of_its_own() {
    let setup = Setup::default().with(
        "from = '$.id', type = \"number\" }",
        "from = '$.id', type = \"number\", pattern = '^[12]$' }",
    );
    let stage = setup.start().await;
    stage.app.add_users(3);
    stage.get("/Users/2").await.is(200);
    stage.app.forget_calls();
    stage.get("/Users/3").await.is(404);
    assert!(stage.app.calls().is_empty());
}

#[tokio::test]
async fn what_a_call_names_itself_is_known_to_its_only() {
    let setup = Setup::default().with(
        "id    = '$.user_id'",
        "id    = '$.user_id'\nwith = { robot = 2 }\nonly = 'user_id != robot and old.name != user_id'",
    );
    let stage = setup.start().await;
    stage.app.add_users(3);
    let group = stage.app.add_group(json!({ "name": 3 }), [1, 2, 3]);
    let read = stage.get(&format!("/Groups/g-{group}")).await.is(200);
    let members = read.body["members"].as_array().unwrap();
    assert_eq!(members.len(), 1, "{}", read.body);
    assert_eq!(members[0]["value"], "1");
}

#[tokio::test]
async fn an_object_without_a_get_is_looked_up_by_its_id_where_the_application_can() {
    let setup = Setup::default()
        .with(
            "[group.get]\ncall = \"GET /groups/{id}\"",
            "[[group.find]]\nfilter = \"id eq\"\ncall = \"GET /groups/{value}\"",
        )
        .with("[group]\n", "[group]\nget = false\n");
    let stage = setup.start().await;
    let group = stage.app.add_group(json!({ "name": "staff" }), []);
    stage.app.forget_calls();
    let read = stage
        .get(&format!("/Groups/g-{group}?excludedAttributes=members"))
        .await
        .is(200);
    assert_eq!(read.body["displayName"], "staff");
    assert_eq!(stage.app.calls(), [format!("GET /groups/{group}")]);
}
