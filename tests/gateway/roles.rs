//! Roles of a user that are groups to the client: fixed ones, however the application spells them, and one that everybody has.

use serde_json::{Value, json};

use crate::stage::{BOOK, Setup, Stage};

/// The groups `User`, `Admin` and `Developer`, which are names in the text `roles` of a user.
fn roles(on_user: &str) -> Setup {
    let (before, _) = BOOK.split_once("[group]").unwrap();
    let (users, rest) = before.split_once("[user.groups]").unwrap();
    let (_, lines) = rest.split_once("[user.attributes]").unwrap();
    let app = format!(
        "{users}[user.groups]\nitems = '$.roles'\nas = {{ joined = \",\" }}\n[user.attributes]{lines}\
         [group]\nid = '$.name'\nfixed = [{{ id = \"User\", name = \"User\" }}, {{ id = \"Admin\", name = \"Admin\" }}, {{ id = \"Developer\", name = \"Developer\" }}]\n\
         [group.attributes]\n'displayName' = {{ field = 'name', read-only = true }}\n\
         [group.members]\non-user = {{ field = 'roles', as = {{ joined = \",\" }}{on_user} }}\n"
    );
    Setup {
        app,
        ..Setup::default()
    }
}

/// Users with these roles.
async fn with(setup: Setup, roles: &[&str]) -> Stage {
    let stage = setup.start().await;
    stage.app.add_users(roles.len() as u64);
    for (id, roles) in (1..).zip(roles) {
        stage.app.change_user(id, "roles", json!(roles));
    }
    stage
}

fn change(op: &str, ids: &[&str]) -> Value {
    let values: Value = ids.iter().map(|id| json!({ "value": id })).collect();
    json!([{ "op": op, "path": "members", "value": values }])
}

fn roles_of(stage: &Stage, id: u64) -> Value {
    stage.app.user(id).unwrap()["roles"].clone()
}

/// The ids of a user's groups, or of a group's members.
async fn shown(stage: &Stage, path: &str, attribute: &str) -> Vec<String> {
    let read = stage.get(path).await.is(200);
    let list = read.body[attribute].as_array().cloned().unwrap_or_default();
    let ids = list.iter().map(|one| one["value"].as_str().unwrap().into());
    ids.collect()
}

#[tokio::test]
async fn a_role_in_another_letter_case_is_seen_and_taken_away() {
    let ways = [
        change("remove", &["1"]),
        json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]),
        change("replace", &[]),
        json!([{ "op": "remove", "path": "members" }]),
    ];
    for way in ways {
        for spelled in ["User, admin", "ADMIN,User", "admin,User,Admin"] {
            let stage = with(roles(""), &[spelled]).await;
            assert_eq!(shown(&stage, "/Groups/Admin", "members").await, ["1"]);
            let mut groups = shown(&stage, "/Users/1", "groups").await;
            groups.sort();
            assert_eq!(groups, ["Admin", "User"]);
            stage.patch("/Groups/Admin", way.clone()).await.is(200);
            assert_eq!(roles_of(&stage, 1), "User", "{way} of {spelled}");
            assert_eq!(shown(&stage, "/Users/1", "groups").await, ["User"]);
            assert!(shown(&stage, "/Groups/Admin", "members").await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_role_that_is_there_in_another_letter_case_is_not_added_again() {
    let stage = with(roles(""), &["User,developer"]).await;
    let add = change("add", &["1"]);
    stage.patch("/Groups/Developer", add).await.is(200);
    assert_eq!(roles_of(&stage, 1), "User,developer");
    assert_eq!(stage.app.writes(), []);
    // Another one is added in the mapping's spelling, and leaves it as it is.
    let add = change("add", &["1"]);
    stage.patch("/Groups/Admin", add).await.is(200);
    assert_eq!(roles_of(&stage, 1), "User,developer,Admin");
}

#[tokio::test]
async fn letter_case_counts_where_the_mapping_says_so() {
    let stage = with(roles(", case-exact = true"), &["User,admin"]).await;
    assert!(shown(&stage, "/Groups/Admin", "members").await.is_empty());
    assert_eq!(shown(&stage, "/Users/1", "groups").await, ["User"]);
    stage
        .patch("/Groups/Admin", change("add", &["1"]))
        .await
        .is(200);
    assert_eq!(roles_of(&stage, 1), "User,admin,Admin");
    stage
        .patch("/Groups/Admin", change("remove", &["1"]))
        .await
        .is(200);
    assert_eq!(roles_of(&stage, 1), "User,admin");
}

/// Groups of the application, which users' lists name.
#[tokio::test]
async fn groups_are_found_by_the_names_that_users_lists_have() {
    for (exact, found) in [("", 0), (", case-exact = false", 1)] {
        let (before, _) = BOOK.split_once("[group.members]").unwrap();
        let (users, rest) = before.split_once("[user.groups]").unwrap();
        let (_, lines) = rest.split_once("[user.attributes]").unwrap();
        let app = format!(
            "{users}[user.groups]\nitems = '$.teams[*]'\n[user.attributes]{lines}[group.members]\non-user = {{ field = 'teams', name = \"{{name}}\"{exact} }}\n"
        );
        let setup = Setup {
            app,
            ..Setup::default()
        };
        let stage = setup.start().await;
        stage.app.add_users(1);
        let crew = stage.app.add_group(json!({ "name": "Crew" }), []);
        let team = stage.app.add_group(json!({ "name": "Team" }), []);
        let names = json!(["Team", "crew", "nothing here"]);
        stage.app.change_user(1, "teams", names);
        let mut groups = shown(&stage, "/Users/1", "groups").await;
        groups.sort();
        let mut expected = vec![format!("g-{team}")];
        expected.extend((found == 1).then(|| format!("g-{crew}")));
        expected.sort();
        assert_eq!(groups, expected, "{exact}");
        let path = format!("/Groups/g-{crew}");
        assert_eq!(shown(&stage, &path, "members").await.len(), found);
        // One list of groups, whatever the number of users.
        stage.app.add_users(3);
        stage.app.forget_calls();
        stage.get("/Users?attributes=groups").await.is(200);
        let calls = stage.app.calls();
        let lists = calls.iter().filter(|call| call.starts_with("GET /groups"));
        assert!(lists.count() <= 1, "{calls:?}");
    }
}

const EVERYBODY: &str = ", default = \"user\"";

#[tokio::test]
async fn nobody_is_taken_out_of_the_group_of_those_who_are_in_no_other() {
    let stage = with(roles(EVERYBODY), &["User", "User,Admin", "user"]).await;
    let reply = stage
        .patch("/Groups/User", change("remove", &["1", "2", "3"]))
        .await;
    let reply = reply.refused(400, "invalidValue");
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("2 of these members") && detail.contains("`default`"),
        "{detail}"
    );
    // What can be done is done, and everybody says what is so.
    let all = [1, 2, 3].map(|id| roles_of(&stage, id));
    assert_eq!(all, [json!("User"), json!("Admin"), json!("user")]);
    assert_eq!(shown(&stage, "/Groups/User", "members").await, ["1", "3"]);
    assert_eq!(shown(&stage, "/Users/1", "groups").await, ["User"]);
    // Out of the last other group, into that one.
    stage
        .patch("/Groups/Admin", change("replace", &[]))
        .await
        .is(200);
    assert_eq!(roles_of(&stage, 2), "user");
    assert_eq!(
        shown(&stage, "/Groups/User", "members").await,
        ["1", "2", "3"]
    );
    let all = stage.patch("/Groups/User", change("replace", &[])).await;
    all.refused(400, "invalidValue");
}

#[tokio::test]
async fn an_account_that_comes_back_has_the_group_of_those_who_are_in_no_other() {
    let mut setup = roles(EVERYBODY);
    setup.tenants[0].1 = "[policy]\non-delete = \"deactivate\"\n".into();
    let stage = with(setup, &["Admin,User"]).await;
    stage.delete("/Users/1").await.is(204);
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
    let again = json!({ "userName": "user1" });
    let back = stage.post("/Users", again).await.is(201);
    assert_eq!(back.id(), "1");
    let roles = roles_of(&stage, 1);
    assert!(
        roles.as_str().unwrap().eq_ignore_ascii_case("user"),
        "{roles}"
    );
}

/// Two administrators and somebody else, in a list whose rows say so, or not.
async fn listed_as(rows: &str, items: &str) -> Stage {
    let setup = roles("").with(
        "items = '$.items[*]'\n[user.list.page.number]",
        &format!("items = '{items}'\n{rows}[user.list.page.number]"),
    );
    let stage = with(setup, &["Admin,User", "Admin", "User"]).await;
    if items == "$.items[*]" {
        let row = |id: u64| json!({ "id": id, "login": format!("user{id}"), "state": 1 });
        let body = json!({ "items": [row(1), row(2), row(3)], "total": 3 });
        crate::language::say(
            &stage,
            "GET /users?page",
            crate::fake_target::Answer::json(200, body),
        );
    }
    stage
}

#[tokio::test]
async fn users_are_asked_for_their_groups_where_their_list_does_not_tell() {
    for (rows, items) in [
        ("rows = \"reference\"\n", "$.items[*].id"),
        ("rows = \"reference\"\n", "$.items[*]"),
        ("lacks = [\"groups\"]\n", "$.items[*]"),
        ("", "$.items[*]"),
    ] {
        let told = format!("{rows}{items}");
        let stage = listed_as(rows, items).await;
        let members = shown(&stage, "/Groups/Admin", "members").await;
        assert_eq!(members, ["1", "2"], "{told}");
        let groups = stage
            .get("/Groups?filter=members.value%20eq%20%222%22")
            .await
            .is(200);
        assert_eq!(groups.each("displayName"), ["Admin"], "{told}");
        let users = stage
            .get("/Users?filter=groups.value%20eq%20%22Admin%22&attributes=groups")
            .await
            .is(200);
        assert_eq!(users.each("id"), ["1", "2"], "{told}");

        let remove = json!([{ "op": "remove", "path": "members[value eq \"2\"]" }]);
        stage.patch("/Groups/Admin", remove).await.is(200);
        assert_eq!(roles_of(&stage, 2), "", "{told}");

        let stage = listed_as(rows, items).await;
        let put = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "Admin",
            "members": [{ "value": "3" }],
        });
        stage.put("/Groups/Admin", put).await.is(200);
        let all = [1, 2, 3].map(|id| roles_of(&stage, id));
        assert_eq!(all, ["User", "", "User,Admin"], "{told}");
    }
}

#[tokio::test]
async fn a_role_that_the_application_does_not_take_away_is_not_said_to_be() {
    for reply in ["", "reply = \"none\"\n", "read-back = true\n"] {
        let update = "[user.update]\ncall = \"PATCH /users/{id}\"\n";
        let setup = || roles("").with(update, &format!("{update}{reply}"));
        let stage = with(setup(), &["Admin", "Admin"]).await;
        stage.app.ignore("PATCH", "roles");
        let refused = stage
            .patch("/Groups/Admin", change("remove", &["1"]))
            .await
            .is(502);
        assert!(
            refused.body["detail"]
                .as_str()
                .unwrap()
                .contains("1 of these members as before")
        );
        assert_eq!(roles_of(&stage, 1), "Admin");
        // The same when it regards the change: what it shows is as wished.
        stage.app.regard_all();
        stage
            .patch("/Groups/Admin", change("remove", &["1"]))
            .await
            .is(200);
        assert_eq!(roles_of(&stage, 1), "");
    }
}

#[tokio::test]
async fn a_list_on_the_user_is_written_by_the_update_that_covers_groups() {
    let own = "[[user.update]]\ncovers = [\"groups\"]\ncall = \"PATCH /users/{id}?grants={fields.roles}\"\nreply = \"none\"\n";
    let setup = roles(", default = \"{settings.least}\"");
    let setup = setup.with("[user.delete]", &format!("{own}[user.delete]"));
    let setup = setup.with("[user.update]", "[[user.update]]");
    let setup = setup.with("[user]\n", "[settings]\nleast = \"User\"\n[user]\n");
    let stage = with(setup, &["Developer"]).await;
    stage.app.forget_calls();
    let path = "/Groups/Admin";
    stage.patch(path, change("add", &["1"])).await.is(200);
    assert_eq!(roles_of(&stage, 1), "Developer,Admin");
    let writes = stage.app.writes();
    let calls: Vec<&str> = writes.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(calls, ["PATCH /users/1?grants=Developer,Admin"]);
    // A change of the user goes to the other update.
    stage.app.forget_calls();
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr." }]);
    stage.patch("/Users/1", title).await.is(200);
    let writes = stage.app.writes();
    let calls: Vec<&str> = writes.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(calls, ["PATCH /users/1"]);
    for group in ["Admin", "Developer"] {
        let path = format!("/Groups/{group}");
        stage.patch(&path, change("remove", &["1"])).await;
    }
    assert_eq!(roles_of(&stage, 1), "User");
}
