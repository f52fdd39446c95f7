//! An application that speaks JSON:API (<https://jsonapi.org>): `{data: {type, id, attributes, relationships}}` in both
//! directions, lists with `links.next`, members as a relationship.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    fake_target::{Answer, Seen},
    stage::{Setup, Stage},
};

/// As docs/mapping.md has it.
const NESTED: &str = r#"
app = "book"

[target]
base-url = "${BOOK_URL}"
deadline = "5s"
errors   = { detail = '$.errors[*].detail', rules = [{ status = 409, is = "uniqueness" }] }

[user]
id = '$.id'

[user.list]
call  = "GET /people"
items = '$.data[*]'
page.next-url = { next = '$.links.next', size = { parameter = "page[size]", most = 2 } }

[[user.find]]
filter = "userName eq"
call   = "GET /people"
query  = { "filter[login]" = "{value}" }
page   = false

[user.get]
call   = "GET /people/{id}"
object = '$.data'

[user.create]
call         = "POST /people"
content-type = "application/vnd.api+json"
body         = { data = { type = "people", "..." = "{fields}" } }
object       = '$.data'

[user.update]
call         = "PATCH /people/{id}"
content-type = "application/vnd.api+json"
body         = { data = { type = "people", id = "{id}", "..." = "{fields}" } }
object       = '$.data'

[user.delete]
call = "DELETE /people/{id}"

[user.attributes]
'userName'       = { field = 'attributes.login', required = true }
'name.givenName' = 'attributes.first-name'
'active'         = 'attributes.enabled'

[group]
id = { from = '$.id', prefix = "g-" }

[group.list]
call  = "GET /teams"
items = '$.data[*]'

[group.get]
call   = "GET /teams/{id}"
object = '$.data'

[group.create]
call         = "POST /teams"
content-type = "application/vnd.api+json"
body         = { data = { type = "teams", "..." = "{fields}" } }
object       = '$.data'

[group.attributes]
'displayName' = 'attributes.name'

[group.members]
read = { call = "GET /teams/{group}/relationships/people", items = '$.data[*]', id = '$.id' }
[group.members.add]
call         = "POST /teams/{group}/relationships/people"
content-type = "application/vnd.api+json"
batch        = 100
element      = { type = "people", id = "{member}" }
body         = { data = "{members}" }
[group.members.remove]
call         = "DELETE /teams/{group}/relationships/people"
content-type = "application/vnd.api+json"
batch        = 100
element      = { type = "people", id = "{member}" }
body         = { data = "{members}" }
"#;

/// The same, its lines about `attributes` alone: the id beside them is put in.
fn flat() -> String {
    NESTED
        .replacen("items = '$.data[*]'\n", "items = '$.data[*]'\nset   = { \"...\" = \"{attributes}\" }\n", 1)
        .replacen("object = '$.data'\n", "object = '$.data.attributes'\nid     = '$.data.id'\n", 1)
        .replacen("type = \"people\", \"...\" = \"{fields}\" } }\nobject       = '$.data'\n", "type = \"people\", attributes = \"{fields}\" } }\nobject       = '$.data.attributes'\nid           = '$.data.id'\n", 1)
        .replacen("id = \"{id}\", \"...\" = \"{fields}\" } }\nobject       = '$.data'\n", "id = \"{id}\", attributes = \"{fields}\" } }\nobject       = '$.data.attributes'\nid           = '$.data.id'\n", 1)
        .replace("'attributes.login'", "'login'")
        .replace("'attributes.first-name'", "'first-name'")
        .replace("'attributes.enabled'", "'enabled'")
}

#[derive(Default)]
struct Store {
    last: u64,
    people: BTreeMap<u64, Value>,
    teams: BTreeMap<u64, Value>,
    members: BTreeMap<u64, Vec<Value>>,
}

impl Store {
    fn answer(&mut self, seen: &Seen) -> Answer {
        let path = seen.path.split('?').next().unwrap_or_default().to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let id = segments.get(1).and_then(|id| id.parse().ok()).unwrap_or(0);
        if matches!(seen.method.as_str(), "POST" | "PATCH") {
            let media = seen.header("content-type").unwrap_or_default();
            assert_eq!(media, "application/vnd.api+json", "{} {path}", seen.method);
        }
        if let [_, _, "relationships", "people"] = segments.as_slice() {
            return self.membership(seen, id);
        }
        let kind = segments[0].to_owned();
        let objects = match &*kind {
            "people" => &mut self.people,
            _ => &mut self.teams,
        };
        match (seen.method.as_str(), segments.len()) {
            ("GET", 1) => listed(&kind, objects, seen),
            ("GET", _) => found(&kind, objects, id),
            ("POST", _) => {
                let data = seen.json()["data"].clone();
                assert_eq!(data["type"], kind);
                let login = &data["attributes"]["login"];
                if !login.is_null() && objects.values().any(|one| one["login"] == *login) {
                    let error =
                        json!({ "errors": [{ "status": "409", "detail": "login is taken" }] });
                    return Answer::json(409, error);
                }
                self.last += 1;
                objects.insert(self.last, data["attributes"].clone());
                Answer {
                    status: 201,
                    ..found(&kind, objects, self.last)
                }
            }
            ("PATCH", _) => {
                let data = seen.json()["data"].clone();
                assert_eq!(
                    (&data["type"], &data["id"]),
                    (&json!(kind), &json!(id.to_string()))
                );
                if let (Some(Value::Object(one)), Value::Object(changes)) =
                    (objects.get_mut(&id), &data["attributes"])
                {
                    one.extend(changes.clone());
                }
                found(&kind, objects, id)
            }
            _ => match objects.remove(&id) {
                Some(_) => Answer::empty(204),
                None => missing(),
            },
        }
    }

    fn membership(&mut self, seen: &Seen, team: u64) -> Answer {
        let members = self.members.entry(team).or_default();
        let named = seen.json()["data"].as_array().cloned().unwrap_or_default();
        assert!(named.iter().all(|one| one["type"] == "people"), "{named:?}");
        match seen.method.as_str() {
            "POST" => members.extend(named),
            "DELETE" => members.retain(|one| !named.contains(one)),
            _ => return Answer::json(200, json!({ "data": members })),
        }
        Answer::empty(204)
    }
}

fn resource(kind: &str, id: u64, attributes: &Value) -> Value {
    json!({ "type": kind, "id": id.to_string(), "attributes": attributes, "relationships": {} })
}

fn found(kind: &str, objects: &BTreeMap<u64, Value>, id: u64) -> Answer {
    match objects.get(&id) {
        Some(attributes) => Answer::json(200, json!({ "data": resource(kind, id, attributes) })),
        None => missing(),
    }
}

fn missing() -> Answer {
    Answer::json(
        404,
        json!({ "errors": [{ "status": "404", "detail": "not found" }] }),
    )
}

/// Two a page, the next by a URL; all that a filter finds.
fn listed(kind: &str, objects: &BTreeMap<u64, Value>, seen: &Seen) -> Answer {
    let rows = objects.iter().map(|(id, one)| resource(kind, *id, one));
    if let Some(login) = seen.parameter("filter[login]") {
        let found = rows.filter(|row| row["attributes"]["login"] == *login);
        return Answer::json(200, json!({ "data": found.collect::<Vec<_>>() }));
    }
    let Some(size) = seen
        .parameter("page[size]")
        .and_then(|size| size.parse::<usize>().ok())
    else {
        return Answer::json(200, json!({ "data": rows.collect::<Vec<_>>() }));
    };
    let number = seen
        .parameter("page[number]")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1);
    let mut links = Map::new();
    if objects.len() > number * size {
        let next = format!("/{kind}?page[size]={size}&page[number]={}", number + 1);
        links.insert("next".into(), json!(next));
    }
    let rows: Vec<Value> = rows.skip((number - 1) * size).take(size).collect();
    Answer::json(200, json!({ "data": rows, "links": links }))
}

async fn stage(app: String) -> Stage {
    let stage = Setup {
        app,
        ..Setup::default()
    }
    .start()
    .await;
    let mut store = Store::default();
    stage.app.answer_by(move |seen| store.answer(seen));
    stage
}

/// A whole life: made, found, listed over pages, changed, in a team and out of it, gone.
async fn lives(stage: Stage) {
    for name in ["ada", "bob", "eve"] {
        let body = json!({ "userName": name, "name": { "givenName": name.to_uppercase() }, "active": true });
        let made = stage.post("/Users", body).await.is(201);
        assert_eq!(
            (&made.body["userName"], &made.body["active"]),
            (&json!(name), &json!(true))
        );
    }
    let twice = json!({ "userName": "ada" });
    stage.post("/Users", twice).await.refused(409, "uniqueness");
    let list = stage.get("/Users").await.is(200);
    assert_eq!(list.each("id"), ["1", "2", "3"]);
    assert_eq!(list.each("userName"), ["ada", "bob", "eve"]);
    let one = stage.get("/Users/2").await.is(200);
    assert_eq!(one.body, list.body["Resources"][1]);
    stage.get("/Users/9").await.is(404);
    stage.app.forget_calls();
    let found = stage
        .get("/Users?filter=userName%20eq%20%22eve%22")
        .await
        .is(200);
    assert_eq!(found.each("id"), ["3"]);
    // The find is one call: it is not read on as the list is.
    assert_eq!(stage.app.calls(), ["GET /people?filter[login]=eve"]);
    let change = json!([{ "op": "replace", "path": "active", "value": false }]);
    let changed = stage.patch("/Users/2", change).await.is(200);
    assert_eq!(
        (&changed.body["active"], &changed.body["userName"]),
        (&json!(false), &json!("bob"))
    );
    assert_eq!(changed.body["name"]["givenName"], "BOB");
    let (_, body) = stage.app.writes().pop().unwrap();
    assert_eq!(
        body,
        json!({ "data": { "type": "people", "id": "2", "attributes": { "enabled": false } } })
    );
    let team = json!({ "displayName": "Staff", "members": [{ "value": "1" }, { "value": "3" }] });
    let team = format!("/Groups/{}", stage.post("/Groups", team).await.is(201).id());
    let remove = json!([{ "op": "remove", "path": "members[value eq \"3\"]" }]);
    stage.patch(&team, remove).await.is(200);
    let members = stage.get(&team).await.is(200).body["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["value"], "1");
    stage.delete("/Users/3").await.is(204);
    assert_eq!(
        stage.get("/Users").await.is(200).each("userName"),
        ["ada", "bob"]
    );
}

#[tokio::test]
async fn an_application_that_speaks_json_api_is_served_whole() {
    lives(stage(NESTED.to_owned()).await).await;
}

#[tokio::test]
async fn an_object_may_have_its_id_beside_it() {
    lives(stage(flat()).await).await;
}

/// The id is looked for where the mapping says, and an object without it is no object of somebody.
#[tokio::test]
async fn an_object_whose_id_is_not_beside_it_is_told_as_an_error() {
    let stage = stage(flat().replacen("'$.data.id'", "'$.data.uuid'", 1)).await;
    stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(201);
    stage.get("/Users/1").await.is(502);
}

/// The whole list is one reply, the find's are many: `page` of the one says nothing of the other.
#[tokio::test]
async fn a_find_need_not_be_read_on_as_the_list_is() {
    let stage = stage(NESTED.replacen("page   = false\n", "", 1)).await;
    stage
        .post("/Users", json!({ "userName": "ada" }))
        .await
        .is(201);
    stage.app.forget_calls();
    stage
        .get("/Users?filter=userName%20eq%20%22ada%22")
        .await
        .is(200);
    assert_eq!(
        stage.app.calls(),
        ["GET /people?filter[login]=ada&page[size]=2"]
    );
}
