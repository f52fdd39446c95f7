//! Groups that exist for the client, and those that do not: fixed ones, hidden ones, and names of protected accounts.

use serde_json::json;

use crate::stage::{BOOK, Setup, Stage};

const GROUPS: &str = "[user.groups]\ncall    = \"GET /users/{id}/groups\"\nitems   = '$.items[*]'\nid      = '$.id'\ndisplay = '$.name'\n";

/// Groups are two names of the field `roles`.
async fn fixed() -> Stage {
    let book = Setup::default().app;
    let start = book.find("[group]").unwrap();
    let own = "[group]\nid = '$.id'\nfixed = [{ id = \"author\", name = \"Author\" }, { id = \"editor\", name = \"Editor\" }]\n[group.attributes]\n'displayName' = { field = 'name', read-only = true }\n[group.members]\non-user = { field = 'roles' }\n";
    let setup = Setup {
        app: format!("{}{own}", &book[..start]),
        ..Setup::default()
    };
    let stage = setup
        .with(GROUPS, "[user.groups]\nitems = '$.roles[*]'\n")
        .start()
        .await;
    stage.app.add_users(1);
    let roles = json!(["subscriber", "author"]);
    stage.app.change_user(1, "roles", roles);
    stage
}

#[tokio::test]
async fn a_user_is_in_the_fixed_groups_only_and_they_have_their_names() {
    let stage = fixed().await;
    let read = stage.get("/Users/1").await.is(200);
    let expected = json!([{
        "value": "author",
        "$ref": "https://scim.example/scim/v2/Groups/author",
        "type": "direct",
        "display": "Author",
    }]);
    assert_eq!(read.body["groups"], expected);
}

#[tokio::test]
async fn a_group_that_cannot_be_renamed_says_so() {
    let stage = fixed().await;
    let ways = [
        json!([{ "op": "replace", "path": "displayName", "value": "Zzz" }]),
        json!([{ "op": "replace", "value": { "id": "author", "displayName": "Zzz" } }]),
    ];
    for way in ways {
        let reply = stage.patch("/Groups/author", way).await;
        let reply = reply.refused(400, "mutability");
        assert!(
            reply.body["detail"]
                .as_str()
                .unwrap()
                .contains("`displayName`")
        );
    }
    let put = stage.put("/Groups/author", json!({ "displayName": "Zzz" }));
    put.await.refused(400, "mutability");
    // What it is called already is no wish for another name, nor is another letter case (OKTA-13).
    for same in ["Author", "AUTHOR"] {
        let same = json!([{ "op": "replace", "value": { "id": "author", "displayName": same } }]);
        stage.patch("/Groups/author", same).await.is(200);
    }
}

#[tokio::test]
async fn groups_that_are_hidden_are_no_groups_of_a_user() {
    // Told by what the list of a user's groups says, by the id alone, and by the groups themselves.
    let ways = [
        ("hide = 'name == \"Public\"'", GROUPS, 0),
        (
            "hide = 'id == 3'",
            "[user.groups]\nitems = '$.group_ids[*]'\n",
            0,
        ),
        (
            "hide = 'name == \"Public\"'",
            "[user.groups]\nitems = '$.group_ids[*]'\n",
            1,
        ),
        (
            "scope = 'name != \"Public\"'",
            "[user.groups]\nitems = '$.group_ids[*]'\n",
            1,
        ),
    ];
    for (rule, groups, lists) in ways {
        let stage = Setup::default()
            .with(GROUPS, groups)
            .with("[group.list]", &format!("{rule}\n[group.list]"))
            .start()
            .await;
        stage.app.add_users(2);
        stage.app.add_group(json!({ "name": "Public" }), [1, 2]);
        stage.app.add_group(json!({ "name": "team" }), [1, 2]);
        for user in [1, 2] {
            stage.app.change_user(user, "group_ids", json!([3, 4]));
        }
        let read = stage.get("/Users?attributes=groups").await.is(200);
        for user in read.body["Resources"].as_array().unwrap() {
            let groups = user["groups"].as_array().unwrap();
            assert_eq!(groups.len(), 1, "{rule}: {user}");
            assert_eq!(groups[0]["value"], "g-4");
        }
        let calls = stage.app.calls();
        let asked = calls.iter().filter(|call| call.starts_with("GET /groups?"));
        assert_eq!(asked.count(), lists, "{calls:?}");
    }
}

#[tokio::test]
async fn a_protected_name_is_an_accounts_and_no_groups() {
    let stage = Setup::tenant("[policy]\nprotected = [\"admin\"]\n")
        .start()
        .await;
    stage.app.add_user(json!({ "login": "admin", "state": 1 }));
    stage.app.add_group(json!({ "name": "Admin" }), []);
    let found = "/Groups?filter=displayName%20eq%20%22Admin%22";
    let found = stage.get(found).await.is(200);
    assert_eq!(found.each("displayName"), ["Admin"]);
    let taken = json!({ "displayName": "Admin" });
    stage
        .post("/Groups", taken)
        .await
        .refused(409, "uniqueness");
    stage.get("/Users/1").await.is(404);
}

#[tokio::test]
async fn a_group_that_is_a_list_is_one_group_also_where_it_is_the_only_one() {
    for (grants, groups) in [
        (json!([["editor", "ALL"]]), vec!["editor"]),
        (
            json!([["editor", "ALL"], ["author", "READ"]]),
            vec!["editor", "author"],
        ),
        (json!([]), vec![]),
    ] {
        let own = "[group]\nid = '$.id'\nfixed = [{ id = \"author\", name = \"Author\" }, { id = \"editor\", name = \"Editor\" }]\n[group.attributes]\n'displayName' = { field = 'name', read-only = true }\n[group.members]\non-user = { field = 'grants', id = '$[0]', element = [\"{group}\", \"ALL\"] }\n";
        let (users, rest) = BOOK.split_once("[user.groups]").unwrap();
        let (_, lines) = rest.split_once("[user.attributes]").unwrap();
        let (lines, _) = lines.split_once("[group]").unwrap();
        let setup = Setup {
            app: format!(
                "{users}[user.groups]\nitems = '$.grants[*]'\nid = '$[0]'\n[user.attributes]{lines}{own}"
            ),
            ..Setup::default()
        };
        let stage = setup.start().await;
        stage
            .app
            .add_user(json!({ "login": "ada", "state": 1, "grants": grants }));
        let user = stage.get("/Users/1").await.is(200);
        let shown = user.body["groups"].as_array().cloned().unwrap_or_default();
        let shown: Vec<&str> = shown
            .iter()
            .map(|group| group["value"].as_str().unwrap())
            .collect();
        assert_eq!(shown, groups);
    }
}

#[tokio::test]
async fn a_protected_member_is_not_shown_whether_or_not_names_can_be_searched() {
    let find = "[[user.find]]\nfilter = \"userName eq\"\ncall   = \"GET /users?login={value}\"\nitems  = '$.items[*]'\n";
    for part in [find, ""] {
        let mut setup = Setup::tenant("[policy]\nprotected = [\"bob\"]\n");
        if part.is_empty() {
            setup = setup.with(find, "");
        }
        let stage = setup.start().await;
        for name in ["ada", "bob"] {
            stage.app.add_user(json!({ "login": name, "state": 1 }));
        }
        stage.app.add_group(json!({ "name": "crew" }), [1, 2]);
        let group = stage.get("/Groups/g-3").await.is(200);
        let members = group.body["members"].as_array().unwrap();
        assert_eq!(members.len(), 1, "{:?}", group.body);
        assert_eq!(members[0]["value"], "1");
    }
}
