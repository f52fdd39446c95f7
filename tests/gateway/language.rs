//! What a mapping can say, shown by the calls that it makes and the answers that the client gets.

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

/// The application answers every call that begins like this with these bytes.
pub fn say(stage: &Stage, call: &str, answer: Answer) {
    stage
        .app
        .plan(call, usize::MAX, Fault::Before(Act::Say(answer)));
}

fn xml(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("Content-Type".into(), "application/xml".into())],
        body: body.as_bytes().to_vec(),
    }
}

/// An application's file of its own.
pub fn app(text: &str) -> Setup {
    Setup {
        app: format!("app = \"book\"\n[target]\nbase-url = \"${{BOOK_URL}}\"\n{text}"),
        ..Setup::default()
    }
}

const XML: &str = r#"
format = "xml"
[user]
id = '$.id'
[user.list]
call  = "GET /users"
items = '$.data.users.element[*]'
[user.get]
call   = "GET /users/{id}"
object = '$.data.user'
[user.update]
call  = "PUT /users/{id}"
reply = "none"
[user.attributes]
'userName'                     = 'id'
'title'                        = { read = '$.titles.title[0]' }
'displayName'                  = { read = '$.names.name[?@["@kind"]=="full"].text' }
'emails[type eq "work"].value' = 'mails.mail[kind="work"].address'
'roles'                        = { items = 'roles.role', each = { value = 'name' } }
[group]
id = '$.id'
[group.get]
call   = "GET /groups/{id}"
object = '$.group'
[group.attributes]
'displayName' = 'id'
[group.members]
read = { call = "GET /groups/{group}/members", items = '$.members.member[*]', id = '$.id' }
add = "PUT /groups/{group}/members/{member}"
remove = "DELETE /groups/{group}/members/{member}"
"#;

#[tokio::test]
async fn a_list_of_xml_has_none_or_one_or_two_elements() {
    let user = |id: &str| format!("<element><id>{id}</id></element>");
    for ids in [vec![], vec!["ada"], vec!["ada", "bob"]] {
        let stage = app(XML).start().await;
        let users: String = ids.iter().map(|id| user(id)).collect();
        let body = format!("<data><users>{users}</users></data>");
        say(&stage, "GET /users", xml(&body));
        let list = stage.get("/Users").await.is(200);
        assert_eq!(list.body["totalResults"], ids.len(), "{}", list.body);
        assert_eq!(list.each("userName"), ids);

        let members: String = ids
            .iter()
            .map(|id| format!("<member><id>{id}</id></member>"))
            .collect();
        say(
            &stage,
            "GET /groups/team/members",
            xml(&format!("<members>{members}</members>")),
        );
        say(
            &stage,
            "GET /groups/team",
            xml("<group><id>team</id></group>"),
        );
        let group = stage.get("/Groups/team").await.is(200);
        let shown = group.body["members"].as_array().into_iter().flatten();
        let shown: Vec<_> = shown.map(|member| member["value"].clone()).collect();
        assert_eq!(json!(shown), json!(ids));
    }
}

#[tokio::test]
async fn values_of_xml_are_read_from_one_element_and_from_several() {
    for (count, titles, names, mails, roles) in [
        (0, "", "", "", ""),
        (
            1,
            "<title>Dr.</title>",
            "<name kind=\"full\"><text>Ada L.</text></name>",
            "<mail><kind>work</kind><address>a@x</address></mail>",
            "<role><name>staff</name></role>",
        ),
        (
            2,
            "<title>Dr.</title><title>Prof.</title>",
            "<name kind=\"short\"><text>A.</text></name><name kind=\"full\"><text>Ada L.</text></name>",
            "<mail><kind>home</kind><address>h@x</address></mail><mail><kind>work</kind><address>a@x</address></mail>",
            "<role><name>staff</name></role><role><name>guest</name></role>",
        ),
    ] {
        let stage = app(XML).start().await;
        let body = format!(
            "<data><user><id>ada</id><titles>{titles}</titles><names>{names}</names><mails>{mails}</mails><roles>{roles}</roles></user></data>"
        );
        say(&stage, "GET /users/ada", xml(&body));
        let user = stage.get("/Users/ada").await.is(200).body;
        let is_there = count > 0;
        let expected = |value: &str| is_there.then(|| value.to_owned());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        assert_eq!(text(&user["title"]), expected("Dr."), "{user}");
        assert_eq!(text(&user["displayName"]), expected("Ada L."), "{user}");
        assert_eq!(text(&user["emails"][0]["value"]), expected("a@x"), "{user}");
        let roles = user["roles"].as_array().map_or(0, Vec::len);
        assert_eq!(roles, count, "{user}");
    }
}

#[tokio::test]
async fn every_call_of_a_section_carries_what_the_section_gives() {
    let stage = Setup::default()
        .with(
            "headers  = { X-Api-Key = \"${BOOK_KEY}\" }",
            "headers  = { X-Kind = \"{kind}\" }\nquery = { realm = \"{realm}\" }",
        )
        .with(
            "[user]\n",
            "[user]\nwith = { kind = \"person\", realm = \"{settings.realm}\" }\n",
        )
        .with(
            "app = \"book\"",
            "app = \"book\"\nsettings = { realm = \"north\" }",
        )
        .with(
            "call = \"GET /users/{id}\"",
            "call = \"GET /users/{id}\"\nwith = { kind = \"one-person\" }",
        )
        .start()
        .await;
    stage.app.add_users(1);
    stage.get("/Users").await.is(200);
    stage.get("/Users/1").await.is(200);
    stage
        .get("/Users?filter=userName%20eq%20%22user1%22")
        .await
        .is(200);
    stage.delete("/Users/1").await.is(204);
    stage.get("/Groups").await.is(200);
    let seen: Vec<(String, Option<String>, Option<String>)> = stage
        .app
        .seen()
        .iter()
        .map(|seen| {
            let path = seen.path.split('?').next().unwrap_or_default();
            let kind = seen.header("x-kind").map(str::to_owned);
            (
                format!("{} {path}", seen.method),
                kind,
                seen.parameter("realm"),
            )
        })
        .collect();
    let north = Some("north".to_owned());
    for (call, kind, realm) in &seen {
        let expected = match call.as_str() {
            "GET /users/1" => (Some("one-person"), &north),
            call if call.starts_with("GET /groups") => (None, &None),
            _ => (Some("person"), &north),
        };
        assert_eq!((kind.as_deref(), realm), expected, "{call}");
    }
    assert!(
        seen.iter().any(|(call, ..)| call == "DELETE /users/1"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn constants_of_a_made_element_may_be_anything() {
    let line = "'roles' = { items = 'grants', each = { value = 'role' }, constants = { kind = \"static\", rank = 7, on = true, note = \"{null}\", tags = [1, \"a\"], scope = { org = \"{settings.org}\" } } }\n";
    let text = format!("[settings]\norg = 4\n[user.attributes]\n{line}");
    let stage = Setup::tenant(&text).start().await;
    let wish = json!({ "userName": "ada", "roles": [{ "value": "editor" }] });
    let made = stage.post("/Users", wish).await.is(201);
    let grant = json!({
        "kind": "static", "rank": 7, "on": true, "note": null, "tags": [1, "a"],
        "scope": { "org": 4 }, "role": "editor",
    });
    assert_eq!(stage.app.writes()[0].1["grants"], json!([grant]));
    assert_eq!(made.body["roles"], json!([{ "value": "editor" }]));
}

/// The list has other spellings than the single object: seconds and a contact, where that has a time and a field.
#[tokio::test]
async fn rows_of_a_list_are_brought_into_the_form_of_the_single_object() {
    let set = "set = { created = '{since | date(\"%Y-%m-%dT%H:%M:%SZ\")}', mail = \"{contact.mail}\", state = 1, title = \"{null}\" }\n";
    let stage = Setup::default()
        .with(
            "[user.list.page.number]",
            &format!("{set}[user.list.page.number]"),
        )
        .with(
            "'title'  ",
            "'meta.created' = { field = 'created', read-only = true }\n'title'  ",
        )
        .with(
            "call   = \"GET /users?login={value}\"\nitems  = '$.items[*]'",
            "call   = \"GET /users?login={value}\"",
        )
        .start()
        .await;
    let row = |id: u64, contact: Value| json!({ "id": id, "login": format!("u{id}"), "since": 1_600_000_000, "contact": contact, "title": "x" });
    let rows =
        json!({ "items": [row(1, json!({ "mail": "a@x" })), row(2, Value::Null)], "total": 2 });
    say(&stage, "GET /users?", Answer::json(200, rows));
    let single = json!({ "id": 1, "login": "u1", "created": "2020-09-13T12:26:40Z", "mail": "a@x", "state": 1 });
    say(&stage, "GET /users/1", Answer::json(200, single));
    let list = stage.get("/Users").await.is(200);
    let one = stage.get("/Users/1").await.is(200).body;
    let found = stage
        .get("/Users?filter=userName%20eq%20%22u1%22")
        .await
        .is(200);
    for row in [&list.body["Resources"][0], &found.body["Resources"][0]] {
        assert_eq!(row["meta"]["created"], one["meta"]["created"], "{row}");
        assert_eq!(row["emails"], one["emails"], "{row}");
        assert_eq!(
            (&row["active"], &row["title"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(row["meta"]["version"], one["meta"]["version"]);
    }
    assert_eq!(list.body["Resources"][1].get("emails"), None);
}

#[tokio::test]
async fn a_list_is_read_on_from_its_last_row() {
    for (path, items) in [("$.items[-1].id", "$.items[*]"), ("$[-1].id", "$[*]")] {
        for count in [0, 1, 4, 5] {
            let stage = Setup::default()
                .with("items = '$.items[*]'\n[user.list.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n",
                    &format!("items = '{items}'\n[user.list.page.cursor]\nparameter = \"since\"\nnext = '{path}'\nsize = {{ parameter = \"limit\", most = 2 }}\n"))
                .start()
                .await;
            let page = |ids: Vec<u64>| {
                let rows: Value = ids
                    .iter()
                    .map(|id| json!({ "id": id, "login": format!("u{id}"), "state": 1 }))
                    .collect();
                let body = if path.starts_with("$.items") {
                    json!({ "items": rows })
                } else {
                    rows
                };
                Answer::json(200, body)
            };
            for since in (0..=count).rev() {
                let call = match since {
                    0 => "GET /users?limit=2".to_owned(),
                    since => format!("GET /users?since={since}&limit=2"),
                };
                say(
                    &stage,
                    &call,
                    page((since + 1..=count.min(since + 2)).collect()),
                );
            }
            let list = stage.get("/Users").await.is(200);
            assert_eq!(
                list.body["totalResults"],
                count,
                "{path}: {:?}",
                stage.app.calls()
            );
            let names: Vec<String> = (1..=count).map(|id| format!("u{id}")).collect();
            assert_eq!(list.each("userName"), names);
        }
    }
}

#[tokio::test]
async fn an_application_that_does_not_regard_the_mark_is_no_endless_list() {
    let stage = Setup::default()
        .with("[user.list.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n",
            "[user.list.page.cursor]\nparameter = \"since\"\nnext = '$.items[-1].id'\n")
        .start()
        .await;
    let rows = json!({ "items": [{ "id": 1, "login": "a", "state": 1 }, { "id": 2, "login": "b", "state": 1 }] });
    say(&stage, "GET /users", Answer::json(200, rows));
    let reply = stage.get("/Users").await.is(502);
    let detail = reply.body["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.contains("same page twice"), "{detail}");
    assert_eq!(stage.app.calls().len(), 2);
}

#[tokio::test]
async fn the_next_page_may_be_a_url_and_its_size_the_applications_business() {
    let stage = Setup::default()
        .with("[user.list.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n",
            "page.next-url = { next = '$.next' }\n")
        .start()
        .await;
    let page = |id: u64, next: Value| {
        Answer::json(
            200,
            json!({ "items": [{ "id": id, "login": format!("u{id}"), "state": 1 }], "next": next }),
        )
    };
    say(&stage, "GET /users?after=1", page(2, Value::Null));
    say(&stage, "GET /users", page(1, json!("/users?after=1")));
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("userName"), ["u1", "u2"]);
    assert_eq!(stage.app.calls(), ["GET /users", "GET /users?after=1"]);
}

#[tokio::test]
async fn members_are_read_on_like_the_list_of_groups() {
    let own = "[group.members.read.page.number]\nnumber = \"page\"\nsize   = { parameter = \"per_page\", most = 100 }\ntotal  = '$.total'\n";
    let stage = Setup::default()
        .with(own, "page = \"list\"\n")
        .with(
            "display = '$.name'\n",
            "display = '$.name'\npage = \"list\"\n",
        )
        .start()
        .await;
    stage.app.add_users(230);
    let group = stage.app.add_group(json!({ "name": "all" }), 1..=230);
    let read = stage.get(&format!("/Groups/g-{group}")).await.is(200);
    assert_eq!(read.body["members"].as_array().map(Vec::len), Some(230));
    let calls = stage.app.calls();
    let pages = calls.iter().filter(|call| call.contains("/members?page="));
    assert_eq!(pages.count(), 3, "{calls:?}");
}

const LOWER: &str = "[user.attributes]\n'userName' = { field = 'login', as = \"lower\", keep = true }\n'title' = { field = 'title', keep = true }\n";

fn set(path: &str, value: &str) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

#[tokio::test]
async fn a_kept_value_gives_way_when_somebody_changes_the_applications_own() {
    for more in ["", "[user.update]\nreply = \"none\"\n"] {
        let stage = Setup::tenant(&format!("{more}{LOWER}")).start().await;
        let made = stage
            .post("/Users", json!({ "userName": "Ada" }))
            .await
            .is(201);
        let path = format!("/Users/{}", made.id());
        assert_eq!(made.body["userName"], "Ada");
        // Another spelling for the same name of the application, and another attribute, change nothing about that.
        let spelled = stage.patch(&path, set("userName", "ADA")).await.is(200);
        assert_eq!(spelled.body["userName"], "ADA");
        stage
            .patch(&path, set("name.givenName", "A."))
            .await
            .is(200);
        assert_eq!(stage.get(&path).await.body["userName"], "ADA");

        stage.app.change_user(1, "login", json!("augusta"));
        let read = stage.get(&path).await.is(200);
        assert_eq!(read.body["userName"], "augusta", "{more}");
        assert_eq!(stage.get("/Users").await.each("userName"), ["augusta"]);
        let found = stage
            .get("/Users?filter=userName%20eq%20%22augusta%22")
            .await;
        assert_eq!(found.body["totalResults"], 1);
        // The client's wish is sent, and its own spelling is kept again.
        stage
            .patch(&path, set("name.givenName", "B."))
            .await
            .is(200);
        stage.app.change_user(1, "login", json!("ada"));
        assert_eq!(stage.get(&path).await.body["userName"], "ada");
        let back = stage.patch(&path, set("userName", "Ada")).await.is(200);
        assert_eq!(back.body["userName"], "Ada");
        assert_eq!(stage.get(&path).await.body["userName"], "Ada");
    }
}

#[tokio::test]
async fn what_the_application_makes_of_a_value_by_itself_is_no_change() {
    for more in [
        "",
        "[user.create]\nreply = \"none\"\nid = '$.id'\n[user.update]\nreply = \"none\"\n",
    ] {
        let stage = Setup::tenant(&format!("{more}{LOWER}")).start().await;
        let made = stage
            .post("/Users", json!({ "userName": "ada", "title": "Dr." }))
            .await
            .is(201);
        let path = format!("/Users/{}", made.id());
        if !more.is_empty() {
            // It stores the title otherwise, and nobody was shown it: the client's own value stays.
            stage.app.change_user(1, "title", json!("DR"));
            assert_eq!(stage.get(&path).await.body["title"], "Dr.");
            // The next update has seen it.
            stage
                .patch(&path, set("name.givenName", "A."))
                .await
                .is(200);
            assert_eq!(stage.get(&path).await.body["title"], "Dr.");
        }
        stage.app.change_user(1, "title", json!("Prof."));
        assert_eq!(stage.get(&path).await.body["title"], "Prof.");
        // Taken away there, it is gone.
        stage.app.change_user(1, "title", Value::Null);
        assert_eq!(stage.get(&path).await.body["title"], Value::Null);
        // A row without the field says nothing about it.
        stage.app.drop_field(1, "title");
        assert_eq!(stage.get(&path).await.body["title"], "Dr.");
    }
}

#[tokio::test]
async fn what_was_kept_before_there_were_guards_is_shown_as_before() {
    let stage = Setup::tenant(LOWER).start().await;
    let made = stage
        .post("/Users", json!({ "userName": "Ada" }))
        .await
        .is(201);
    let path = format!("/Users/{}", made.id());
    let tenant = scimgate::store::TenantId::new("acme");
    let id = scimgate::store::ScimId::new(made.id());
    let mut record = stage
        .store
        .record(&tenant, "User", &id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        record.shadow.shift_remove("$guard").is_some(),
        "{:?}",
        record.shadow
    );
    stage.store.put(&tenant, "User", &record).await.unwrap();
    stage.app.change_user(1, "login", json!("augusta"));
    assert_eq!(stage.get(&path).await.body["userName"], "Ada");
    // The next update writes down what the application shows.
    stage
        .patch(&path, set("name.givenName", "A."))
        .await
        .is(200);
    stage.app.change_user(1, "login", json!("bob"));
    assert_eq!(stage.get(&path).await.body["userName"], "bob");
}

#[tokio::test]
async fn a_field_that_another_line_writes_is_no_change_by_somebody_else() {
    let text = "[user.update]\nreply = \"none\"\n[user.attributes]\n'nickName' = { field = 'mail', read-only = true, keep = true }\n";
    let stage = Setup::tenant(text).start().await;
    let wish = json!({ "userName": "ada", "nickName": "a@x", "emails": [{ "type": "work", "value": "a@x" }] });
    let made = stage.post("/Users", wish).await.is(201);
    let path = format!("/Users/{}", made.id());
    let mail = set("emails[type eq \"work\"].value", "b@x");
    stage.patch(&path, mail).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["mail"], "b@x");
    assert_eq!(stage.get(&path).await.body["nickName"], "a@x");
}

#[tokio::test]
async fn a_value_for_nobody_is_said_once() {
    let text = "[settings]\nnobody = { kind = \"none\", level = 0 }\n[user.attributes]\n'title' = { field = 'title', on-create = \"{settings.nobody}\", when-removed = { value = \"{settings.nobody}\" } }\n";
    let stage = Setup::tenant(text).start().await;
    let nobody = json!({ "kind": "none", "level": 0 });
    let made = stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(201);
    assert_eq!(stage.app.user(1).unwrap()["title"], nobody);
    let path = format!("/Users/{}", made.id());
    stage.patch(&path, set("title", "Dr.")).await.is(200);
    let gone = json!([{ "op": "remove", "path": "title" }]);
    stage.patch(&path, gone).await.is(200);
    assert_eq!(stage.app.user(1).unwrap()["title"], nobody);
}

#[tokio::test]
async fn an_update_may_be_a_json_patch_or_a_list_of_pairs() {
    let person = json!({
        "id": 1, "login": "ada", "first": "Ada", "last": "Byron", "mail": "a@x", "title": "Countess", "state": 1,
    });
    let change = json!([
        { "op": "replace", "path": "name.familyName", "value": "King" },
        { "op": "remove", "path": "title" },
        { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@x" },
    ]);
    for (update, sent) in [
        (
            "call = \"PATCH /users/{id}\"\ncontent-type = \"application/json-patch+json\"\nbody = \"{fields | patch}\"\n",
            json!([
                { "op": "add", "path": "/last", "value": "King" },
                { "op": "add", "path": "/contact/mail", "value": "ada@x" },
                { "op": "remove", "path": "/title" },
            ]),
        ),
        (
            "call = \"PATCH /users/{id}\"\nbody = { Name = \"{userName}\", Attributes = \"{fields | pairs('Name', 'Value')}\" }\n",
            json!({ "Name": "ada", "Attributes": [
                { "Name": "last", "Value": "King" },
                { "Name": "contact", "Value": { "mail": "ada@x" } },
                { "Name": "title", "Value": null },
            ] }),
        ),
    ] {
        let stage = Setup::default()
            .with(
                "[user.update]\ncall = \"PATCH /users/{id}\"\n",
                &format!("[user.update]\n{update}reply = \"none\"\n"),
            )
            .with("= 'mail'", "= 'contact.mail'")
            .start()
            .await;
        stage.app.add_user(person.clone());
        say(&stage, "PATCH /users/1", Answer::json(200, json!({})));
        stage.patch("/Users/1", change.clone()).await.is(200);
        assert_eq!(stage.app.writes(), [("PATCH /users/1".to_owned(), sent)]);
    }
}

#[tokio::test]
async fn an_account_may_end_with_a_day() {
    let stage = Setup::default()
        .with(
            "[user.delete]",
            "[user.deactivate]\ncall = \"PATCH /users/{id}\"\nbody = { ends = '{now() | date(\"%Y-%m-%d\")}' }\n[user.activate]\ncall = \"PATCH /users/{id}\"\nbody = { ends = \"{null}\" }\n[user.delete]",
        )
        .with(
            "{ field = 'state', values = { true = 1, false = 3 } }",
            "{ read = \"{ends == null}\" }",
        )
        .start()
        .await;
    let id = stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);
    let path = format!("/Users/{id}");
    let off = stage.patch(&path, active(false)).await.is(200);
    assert_eq!(off.body["active"], false);
    let ends = stage.app.user(id).unwrap()["ends"].clone();
    let day: jiff::civil::Date = ends.as_str().unwrap().parse().unwrap();
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    assert!((today - day).get_days() <= 1, "{ends}");
    let on = stage.patch(&path, active(true)).await.is(200);
    assert_eq!(on.body["active"], true);
}
