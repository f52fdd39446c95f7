//! Groups in groups: what is read says which members are groups, and what is written puts each in its place.

use serde_json::{Value, json};

use crate::stage::{BOOK, Setup, Stage};

/// The application keeps members as the mapping's end says.
async fn kept_as(members: &str) -> Stage {
    let start = BOOK.find("[group.members]").unwrap();
    let setup = Setup::default().with(&BOOK[start..], members);
    setup.start().await
}

fn member(id: &str, of: &str) -> Value {
    let location = format!("https://scim.example/scim/v2/{of}s/{id}");
    json!({ "value": id, "$ref": location, "type": of })
}

const ONE_LIST: &str = r#"[group.members]
types = ["User", "Group"]
[group.members.field]
field    = 'crew'
id       = '$.ref'
is-group = "kind == 'team'"
element  = { ref = "{member}", kind = "{'team' if type == 'Group' else 'person'}" }
"#;

#[tokio::test]
async fn users_and_groups_of_one_list_are_told_apart() {
    let stage = kept_as(ONE_LIST).await;
    let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let inner = stage.app.add_group(json!({ "name": "inner" }), []);
    let (user, group) = (ada.to_string(), format!("g-{inner}"));
    // Whatever a client calls them: the id says what they are.
    let wished = json!([{ "value": user, "type": "Group" }, { "value": group }]);
    let wish = json!({ "displayName": "outer", "members": wished });
    let made = stage.post("/Groups", wish).await.is(201);
    let expected = json!([member(&user, "User"), member(&group, "Group")]);
    assert_eq!(made.body["members"], expected);
    let path = format!("/Groups/{}", made.id());
    let outer: u64 = made.id().trim_start_matches("g-").parse().unwrap();
    let crew = |stage: &Stage| stage.app.group(outer).unwrap()["crew"].clone();
    let (person, team) = (
        json!({ "ref": ada, "kind": "person" }),
        json!({ "ref": inner, "kind": "team" }),
    );
    assert_eq!(crew(&stage), json!([person, team]));
    assert_eq!(stage.get(&path).await.is(200).body["members"], expected);
    // A write of something else leaves each as it is.
    stage
        .patch(
            &path,
            json!([{ "op": "replace", "path": "displayName", "value": "out" }]),
        )
        .await
        .is(200);
    assert_eq!(crew(&stage), json!([person, team]));
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{user}\"]") }]);
    let reply = stage.patch(&path, remove).await.is(200);
    assert_eq!(reply.body["members"], json!([member(&group, "Group")]));
    assert_eq!(crew(&stage), json!([team]));
    let filter = "/Groups?filter=members[type%20eq%20%22Group%22]";
    assert_eq!(stage.get(filter).await.is(200).each("displayName"), ["out"]);
}

#[tokio::test]
async fn groups_may_have_a_list_of_their_own() {
    let members = "[group.members]\ntypes = [\"User\", \"Group\"]\nfield = { field = 'people', groups = 'teams' }\n";
    let stage = kept_as(members).await;
    let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let inner = stage.app.add_group(json!({ "name": "inner" }), []);
    let outer = stage.app.add_group(
        json!({ "name": "outer", "people": [ada], "teams": [inner] }),
        [],
    );
    let path = format!("/Groups/g-{outer}");
    let (user, group) = (ada.to_string(), format!("g-{inner}"));
    let read = stage.get(&path).await.is(200);
    assert_eq!(
        read.body["members"],
        json!([member(&user, "User"), member(&group, "Group")])
    );
    let lists = |stage: &Stage| {
        let outer = stage.app.group(outer).unwrap();
        (outer["people"].clone(), outer["teams"].clone())
    };
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{group}\"]") }]);
    stage.patch(&path, remove).await.is(200);
    assert_eq!(lists(&stage), (json!([ada]), json!([])));
    let all = json!({ "displayName": "outer", "members": [{ "value": group }] });
    stage.put(&path, all).await.is(200);
    assert_eq!(lists(&stage), (json!([]), json!([inner])));
}

#[tokio::test]
async fn a_call_knows_what_its_members_are() {
    let read = "items = '$.items[*]'\nid    = '$.user_id'";
    let add = "body = { user_ids = [\"{member}\"] } }";
    let stage = Setup::default()
        .with(
            "[group.members]\n",
            "[group.members]\ntypes = [\"User\", \"Group\"]\n",
        )
        .with(read, &format!("{read}\nis-group = \"kind == 'group'\""))
        .with(
            add,
            "body = { user_ids = \"{members}\", what = \"{type}\" }, batch = 10 }",
        )
        .start()
        .await;
    let people: Vec<u64> = (0..3)
        .map(|n| {
            stage
                .app
                .add_user(json!({ "login": format!("u{n}"), "state": 1 }))
        })
        .collect();
    for _ in 0..5 {
        stage.app.add_group(json!({ "name": "other" }), []);
    }
    let inner = stage.app.add_group(json!({ "name": "inner" }), []);
    let outer = stage.app.add_group(json!({ "name": "outer" }), []);
    let members = json!([
        { "value": people[0].to_string() },
        { "value": format!("g-{inner}") },
        { "value": people[1].to_string() },
        { "value": people[2].to_string() },
    ]);
    stage.app.forget_calls();
    let add = json!([{ "op": "add", "path": "members", "value": members }]);
    stage
        .patch(&format!("/Groups/g-{outer}"), add)
        .await
        .is(200);
    let bodies = stage
        .app
        .seen()
        .into_iter()
        .filter(|seen| seen.method == "POST");
    let mut bodies: Vec<Value> = bodies.map(|seen| seen.json()).collect();
    bodies.sort_by_key(|body| body["what"].to_string());
    let expected = [
        json!({ "user_ids": [inner], "what": "Group" }),
        json!({ "user_ids": people, "what": "User" }),
    ];
    assert_eq!(bodies, expected);
}

/// RFC 7643 §4.1.2: `direct` or `indirect`, as far as the application says.
#[tokio::test]
async fn a_users_groups_are_indirect_where_the_application_says_so() {
    let display = "display = '$.name'";
    let stage = Setup::default()
        .with(
            display,
            &format!("{display}\nis-indirect = \"via != null and via != old.login\""),
        )
        .start()
        .await;
    let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    stage.app.add_group(json!({ "name": "own" }), [ada]);
    stage
        .app
        .add_group(json!({ "name": "outer", "via": "own" }), [ada]);
    stage
        .app
        .add_group(json!({ "name": "self", "via": "ada" }), [ada]);
    let user = stage
        .get(&format!("/Users/{ada}?attributes=groups"))
        .await
        .is(200);
    let groups = user.body["groups"].as_array().unwrap();
    let kinds: Vec<_> = groups
        .iter()
        .map(|group| (&group["display"], &group["type"]))
        .collect();
    let (own, outer, of_self) = (json!("own"), json!("outer"), json!("self"));
    let (direct, indirect) = (json!("direct"), json!("indirect"));
    assert_eq!(
        kinds,
        [(&own, &direct), (&outer, &indirect), (&of_self, &direct)]
    );
}

/// The application lists a user's groups with those they have through another (`all=1`).
#[tokio::test]
async fn a_filter_by_group_finds_who_has_it_through_another() {
    let read = "items = '$.items[*]'\nid    = '$.user_id'";
    let display = "display = '$.name'";
    for (is_indirect, found) in [
        ("\nis-indirect = \"via != null\"", vec!["ada"]),
        ("", vec![]),
    ] {
        let stage = Setup::default()
            .with(
                "[group.members]\n",
                "[group.members]\ntypes = [\"User\", \"Group\"]\n",
            )
            .with(read, &format!("{read}\nis-group = \"kind == 'group'\""))
            .with(display, &format!("{display}{is_indirect}"))
            .with(
                "call    = \"GET /users/{id}/groups\"",
                "call    = \"GET /users/{id}/groups?all=1\"",
            )
            .start()
            .await;
        let ada = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
        let inner = stage.app.add_group(json!({ "name": "inner" }), [ada]);
        let outer = stage
            .app
            .add_group(json!({ "name": "outer", "via": "inner" }), [inner]);
        let filter = format!("/Users?filter=groups.value%20eq%20%22g-{outer}%22");
        let reply = stage.get(&filter).await.is(200);
        assert_eq!(reply.each("userName"), found, "{is_indirect}");
        let direct = format!("/Users?filter=groups.value%20eq%20%22g-{inner}%22");
        assert_eq!(stage.get(&direct).await.is(200).each("userName"), ["ada"]);
    }
}
