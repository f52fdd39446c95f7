//! One table: every way in which an application keeps membership, through the same life of a group. After each request the
//! application, the answer, the group and its users' `groups` say the same; the calls are those of the difference, and the same
//! request again makes none.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::stage::{BOOK, Reply, Setup, Stage};

mod table;

use table::{Held, READ, Style, styles};

/// A group, in the words of both sides.
struct Group {
    path: String,
    id: String,
    /// Its number in the application; 0 if it is fixed.
    number: u64,
    /// What users' lists name it.
    key: Value,
}

/// A style on its stage, with users who are in no group.
struct Scene {
    style: Style,
    stage: Stage,
}

impl Style {
    /// Whether members are read before a change.
    fn knows(&self) -> bool {
        !(matches!(self.held, Held::Calls) && self.members.contains("add "))
    }

    async fn scene(self, users: u64, tenant: &str) -> Scene {
        let (before, _) = BOOK.split_once("[group.members]").unwrap();
        let (start, rest) = before.split_once("[user.groups]").unwrap();
        let (_, rest) = rest.split_once("[user.attributes]").unwrap();
        let (lines, own) = rest.split_once("[group]").unwrap();
        let groups = match self.is_fixed {
            true => {
                "\nid = '$.id'\nfixed = [{ id = \"team\", name = \"Team\" }, { id = \"crew\", name = \"Crew\" }]\n[group.attributes]\n'displayName' = { field = 'name', read-only = true }\n"
            }
            false => own,
        };
        let read = match self.held {
            Held::Calls if !self.members.contains("on-user") => READ,
            _ => "",
        };
        let app = format!(
            "{start}[user.groups]\n{}\n[user.attributes]{lines}[group]{groups}\n[group.members]\n{read}{}",
            self.groups, self.members
        );
        // Not the time is looked at here.
        let app = app.replacen("deadline = \"5s\"", "deadline = \"60s\"", 1);
        let stage = Setup {
            app,
            ..Setup::tenant(tenant)
        }
        .start()
        .await;
        if self.name.starts_with("objects read") {
            stage.app.expand(match self.is_many {
                true => "teams",
                false => "team",
            });
        }
        if self.name.starts_with("a list in the user, changed") {
            stage.app.tell_groups("teams");
        }
        stage.app.add_users(users);
        Scene { style: self, stage }
    }
}

impl Scene {
    /// A group that is there already.
    fn group(&self, name: &str) -> Group {
        let number = match self.style.is_fixed {
            true => 0,
            false => self.stage.app.add_group(json!({ "name": name }), []),
        };
        let id = match self.style.is_fixed {
            true => name.to_owned(),
            false => format!("g-{number}"),
        };
        let capital = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let key = match (self.style.is_fixed, self.style.is_by_name) {
            (true, true) => json!(format!("ROLE_{capital}")),
            (true, false) | (false, true) => json!(name),
            (false, false) => json!(number),
        };
        Group {
            path: format!("/Groups/{id}"),
            id,
            number,
            key,
        }
    }

    /// Who is in a group, as the application has it.
    fn members(&self, group: &Group) -> Vec<u64> {
        let app = &self.stage.app;
        match self.style.held {
            Held::Calls => app.members(group.number),
            Held::Rows => app.rows_of(group.number),
            Held::Group(field) => {
                let object = app.group(group.number).unwrap();
                let list = object[field].as_array().cloned().unwrap_or_default();
                let id = |element: &Value| element["ref"].as_u64().or(element.as_u64());
                list.iter().map(|element| id(element).unwrap()).collect()
            }
            Held::User(field) => {
                let is_in = |id: &u64| {
                    let user = app.user(*id).unwrap_or_default();
                    named_in(&user[field]).contains(&text(&group.key))
                };
                (1..=300).filter(is_in).collect()
            }
        }
    }

    /// The application, the group and its users say the same.
    async fn is(&self, group: &Group, expected: &[u64], what: &str) {
        let what = format!("{}: {what}", self.style.name);
        let mut members = self.members(group);
        members.sort_unstable();
        assert_eq!(members, expected, "{what}");
        let read = self.stage.get(&group.path).await.is(200);
        assert_eq!(told(&read), expected, "{what}: {}", read.body);
        for user in self.users().await {
            let id: u64 = user["id"].as_str().unwrap().parse().unwrap();
            let groups = user["groups"].as_array().cloned().unwrap_or_default();
            let own = groups.iter().filter(|one| one["value"] == *group.id);
            let wished = usize::from(expected.contains(&id));
            assert_eq!(own.count(), wished, "{what}: groups of {user}");
        }
        if expected.len() <= 6 {
            let filter = format!("/Users?filter=groups.value%20eq%20%22{}%22", group.id);
            let found = self.stage.get(&filter).await.is(200).each("id");
            let mut found: Vec<u64> = found.iter().map(|id| id.parse().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{what}: who is found by the group");
        }
        let listed = "/Groups?filter=displayName%20pr&attributes=members";
        let listed = self.stage.get(listed).await.is(200);
        let mut listed = listed.body["Resources"].as_array().unwrap().iter();
        let listed = listed.find(|one| one["id"] == *group.id).unwrap();
        assert_eq!(ids(&listed["members"]), expected, "{what}: {listed}");
    }

    /// Some of the users, with their groups.
    async fn users(&self) -> Vec<Value> {
        let mut users = Vec::new();
        for id in [1, 2, 3, 4, 5, 6, 250, 251] {
            let user = self.stage.get(&format!("/Users/{id}")).await;
            users.extend((user.status == 200).then_some(user.body));
        }
        users
    }

    /// A change: so many calls are made, everybody says the same, and the same again makes no call.
    async fn change(&self, group: &Group, ask: &Ask, (added, removed): (usize, usize), to: &[u64]) {
        let what = format!("{ask:?}");
        self.stage.app.forget_calls();
        let reply = self.send(group, ask).await;
        assert!(
            reply.status < 300,
            "{}: {what}: {}",
            self.style.name,
            reply.body
        );
        if reply.status == 200 {
            assert_eq!(
                told(&reply),
                to,
                "{}: {what}: {}",
                self.style.name,
                reply.body
            );
        }
        let writes = self.stage.app.writes();
        let expected = (self.style.writes)(added, removed);
        assert_eq!(
            writes.len(),
            expected,
            "{}: {what}: {writes:?}",
            self.style.name
        );
        self.is(group, to, &what).await;
        self.stage.app.forget_calls();
        let again = self.send(group, ask).await;
        assert!(
            again.status < 300,
            "{}: {what}: {}",
            self.style.name,
            again.body
        );
        let mut members = self.members(group);
        members.sort_unstable();
        assert_eq!(members, to, "{}: {what} again", self.style.name);
        // Without reading the members nobody knows that there is nothing to do: the application says it.
        let writes = self.stage.app.writes();
        if self.style.knows() || matches!(ask, Ask::Put(_) | Ask::Set(_) | Ask::Empty) {
            assert_eq!(writes, [], "{}: {what} again", self.style.name);
        }
    }

    async fn send(&self, group: &Group, ask: &Ask) -> Reply {
        let patch = |operation: Value| self.stage.patch(&group.path, json!([operation]));
        match ask {
            Ask::Add(ids) => {
                patch(json!({ "op": "add", "path": "members", "value": values(ids) })).await
            }
            Ask::Remove(ids) => {
                patch(json!({ "op": "remove", "path": "members", "value": values(ids) })).await
            }
            Ask::RemoveOne(id) => {
                let path = format!("members[value eq \"{id}\"]");
                patch(json!({ "op": "remove", "path": path })).await
            }
            Ask::Set(ids) => {
                patch(json!({ "op": "replace", "path": "members", "value": values(ids) })).await
            }
            Ask::Empty => patch(json!({ "op": "remove", "path": "members" })).await,
            Ask::Put(ids) => {
                let name = self.stage.get(&group.path).await.body["displayName"].clone();
                let mut body = json!({ "displayName": name });
                if let Some(ids) = ids {
                    body["members"] = values(ids);
                }
                self.stage.put(&group.path, body).await
            }
        }
    }
}

#[derive(Debug)]
enum Ask {
    Add(Vec<u64>),
    Remove(Vec<u64>),
    RemoveOne(u64),
    Set(Vec<u64>),
    Empty,
    /// Without members: they stay.
    Put(Option<Vec<u64>>),
}

fn values(ids: &[u64]) -> Value {
    ids.iter()
        .map(|id| json!({ "value": id.to_string() }))
        .collect()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The groups that a user's field names.
fn named_in(field: &Value) -> BTreeSet<String> {
    match field {
        Value::Null => BTreeSet::new(),
        Value::Array(list) => list
            .iter()
            .map(|element| text(element.get("id").unwrap_or(element)))
            .collect(),
        Value::String(joined) => joined.split([',', ';']).map(str::to_owned).collect(),
        one => BTreeSet::from([text(one.get("id").unwrap_or(one))]),
    }
}

/// The members that a reply tells of, in order.
fn told(reply: &Reply) -> Vec<u64> {
    ids(&reply.body["members"])
}

fn ids(members: &Value) -> Vec<u64> {
    let members = members.as_array().into_iter().flatten();
    let ids = members.map(|one| one["value"].as_str().unwrap().parse().unwrap());
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids
}

/// Plays one scene for each style, side by side.
async fn with_each<F: Future<Output = ()>>(
    tenant: &str,
    styles: Vec<Style>,
    play: impl Fn(Scene) -> F,
) {
    let scenes = styles
        .into_iter()
        .map(async |style| play(style.scene(6, tenant).await).await);
    futures_util::stream::iter(scenes)
        .buffer_unordered(4)
        .collect::<Vec<()>>()
        .await;
}

#[tokio::test]
async fn every_change_is_the_difference_and_everybody_says_the_same() {
    // Entra wants 204 for a PATCH: then a group whose members need no reading is not read at all.
    let blind = styles()
        .into_iter()
        .filter(|style| !style.knows())
        .collect();
    let tenants = [("", styles()), ("[client]\nidp = \"entra\"\n", blind)];
    for (tenant, styles) in tenants {
        with_each(tenant, styles, async |scene| {
            let group = scene.group("team");
            let steps: [(Ask, (usize, usize), &[u64]); 13] = [
                (Ask::Add(vec![1]), (1, 0), &[1]),
                (Ask::Add(vec![2, 3]), (2, 0), &[1, 2, 3]),
                (
                    Ask::Add(vec![3, 4]),
                    if scene.style.knows() { (1, 0) } else { (2, 0) },
                    &[1, 2, 3, 4],
                ),
                (Ask::RemoveOne(2), (0, 1), &[1, 3, 4]),
                (Ask::Remove(vec![1, 3]), (0, 2), &[4]),
                (Ask::Set(vec![1, 2]), (2, 1), &[1, 2]),
                (Ask::Set(vec![2, 3, 5]), (2, 1), &[2, 3, 5]),
                (Ask::Put(Some(vec![5, 6])), (1, 2), &[5, 6]),
                (Ask::Put(None), (0, 0), &[5, 6]),
                (Ask::Put(Some(vec![])), (0, 2), &[]),
                (Ask::Add(vec![1, 2, 3, 4, 5]), (5, 0), &[1, 2, 3, 4, 5]),
                (Ask::Empty, (0, 5), &[]),
                (Ask::Set(vec![]), (0, 0), &[]),
            ];
            for (ask, counts, to) in steps {
                scene.change(&group, &ask, counts, to).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn who_is_nobody_is_refused_and_nobody_else_is_lost() {
    with_each("", styles(), async |scene| {
        let group = scene.group("team");
        scene.send(&group, &Ask::Set(vec![1, 2])).await.is(200);
        for ask in [
            Ask::Add(vec![99]),
            Ask::Set(vec![1, 2, 99]),
            Ask::Put(Some(vec![1, 2, 99])),
        ] {
            let reply = scene.send(&group, &ask).await;
            reply.refused(400, "invalidValue");
            scene.is(&group, &[1, 2], "nobody is added").await;
        }
        scene.send(&group, &Ask::Remove(vec![99, 2])).await.is(200);
        scene.is(&group, &[1], "nobody is removed").await;
    })
    .await;
}

#[tokio::test]
async fn two_groups_of_one_user_know_nothing_of_each_other() {
    with_each("", styles(), async |scene| {
        let (team, crew) = (scene.group("team"), scene.group("crew"));
        scene.send(&team, &Ask::Add(vec![1, 2])).await.is(200);
        scene.send(&crew, &Ask::Add(vec![2, 3])).await.is(200);
        if !scene.style.is_many {
            // One at most: the second group takes the place of the first.
            scene.is(&team, &[1], "one group a user").await;
            scene.is(&crew, &[2, 3], "one group a user").await;
            scene.send(&team, &Ask::Empty).await.is(200);
            scene.is(&crew, &[2, 3], "the other one is emptied").await;
            return;
        }
        scene.is(&team, &[1, 2], "two groups").await;
        scene.is(&crew, &[2, 3], "two groups").await;
        scene.send(&team, &Ask::Set(vec![3])).await.is(200);
        scene.is(&team, &[3], "the other one stays").await;
        scene.is(&crew, &[2, 3], "the other one stays").await;
        scene.send(&crew, &Ask::Empty).await.is(200);
        scene.is(&team, &[3], "the other one is emptied").await;
        scene.is(&crew, &[], "the other one is emptied").await;
    })
    .await;
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    with_each("", styles(), async |scene| {
        let (team, crew) = (scene.group("team"), scene.group("crew"));
        scene.send(&team, &Ask::Set(vec![5, 6])).await.is(200);
        let other = if scene.style.is_many { 1 } else { 4 };
        let (adding, more, removing, elsewhere) = (
            Ask::Add(vec![1]),
            Ask::Add(vec![2]),
            Ask::RemoveOne(5),
            Ask::Add(vec![other]),
        );
        let (one, two, three, four) = tokio::join!(
            scene.send(&team, &adding),
            scene.send(&team, &more),
            scene.send(&team, &removing),
            scene.send(&crew, &elsewhere),
        );
        for reply in [one, two, three, four] {
            assert!(reply.status < 300, "{}: {}", scene.style.name, reply.body);
        }
        scene.is(&team, &[1, 2, 6], "at once").await;
        scene.is(&crew, &[other], "at once").await;
    })
    .await;
}

#[tokio::test]
async fn a_new_name_and_members_come_in_one_request() {
    with_each("", styles(), async |scene| {
        let group = scene.group("team");
        let rename = |name: &str, members: &[u64]| {
            json!([
                { "op": "replace", "path": "displayName", "value": name },
                { "op": "add", "path": "members", "value": values(members) },
            ])
        };
        if scene.style.is_fixed {
            let reply = scene.stage.patch(&group.path, rename("other", &[1])).await;
            reply.refused(400, "mutability");
            scene.is(&group, &[], "a fixed group is renamed").await;
            // What it is called already is no new name (Okta sends it along).
            let same = rename("Team", &[1]);
            assert!(scene.stage.patch(&group.path, same).await.status < 300);
            scene.is(&group, &[1], "its own name").await;
            return;
        }
        let reply = scene
            .stage
            .patch(&group.path, rename("squad", &[1, 2]))
            .await;
        let reply = reply.is(200);
        assert_eq!(told(&reply), [1, 2], "{}", scene.style.name);
        assert_eq!(reply.body["displayName"], "squad");
        let group = match scene.style.is_by_name {
            true => Group {
                key: json!("squad"),
                ..group
            },
            false => group,
        };
        scene.is(&group, &[1, 2], "renamed").await;
        assert_eq!(
            scene.stage.app.group(group.number).unwrap()["name"],
            "squad"
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_group_has_its_members() {
    with_each(
        "",
        styles()
            .into_iter()
            .filter(|style| !style.is_fixed)
            .collect(),
        async |scene| {
            let wish = json!({ "displayName": "fresh", "members": values(&[2, 4]) });
            let made = scene.stage.post("/Groups", wish).await.is(201);
            assert_eq!(told(&made), [2, 4], "{}", scene.style.name);
            let number: u64 = made.id().trim_start_matches("g-").parse().unwrap();
            let key = match scene.style.is_by_name {
                true => json!("fresh"),
                false => json!(number),
            };
            let group = Group {
                path: format!("/Groups/{}", made.id()),
                id: made.id(),
                number,
                key,
            };
            scene.is(&group, &[2, 4], "made").await;
            scene.stage.delete(&group.path).await.is(204);
            scene.stage.get(&group.path).await.is(404);
        },
    )
    .await;
}

#[tokio::test]
async fn deactivated_and_deleted_members() {
    with_each("", styles(), async |scene| {
        let group = scene.group("team");
        let lock = json!([{ "op": "replace", "path": "active", "value": false }]);
        scene.stage.patch("/Users/1", lock).await.is(200);
        scene
            .change(&group, &Ask::Set(vec![1, 2, 3]), (3, 0), &[1, 2, 3])
            .await;
        assert_eq!(
            scene.stage.app.user(1).unwrap()["state"],
            3,
            "{}",
            scene.style.name
        );
        scene.stage.delete("/Users/2").await.is(204);
        if matches!(scene.style.held, Held::Group(_)) {
            return; // Who is gone is the application's to take out of its lists.
        }
        scene.is(&group, &[1, 3], "deleted").await;
        scene.change(&group, &Ask::Set(vec![3]), (0, 1), &[3]).await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_a_large_group_costs_what_it_costs_for_a_small_one() {
    for style in styles().into_iter().filter(|style| style.is_many) {
        let scene = style.scene(252, "").await;
        let group = scene.group("team");
        let most: Vec<u64> = (1..=250).collect();
        scene.send(&group, &Ask::Set(most.clone())).await.is(200);
        scene.is(&group, &most, "250 are added").await;
        let one_more: Vec<u64> = (1..=251).collect();
        scene
            .change(&group, &Ask::Add(vec![251]), (1, 0), &one_more)
            .await;
        scene
            .change(&group, &Ask::RemoveOne(251), (0, 1), &most)
            .await;
        let others: Vec<u64> = (2..=251).collect();
        scene
            .change(&group, &Ask::Set(others.clone()), (1, 1), &others)
            .await;
    }
}

#[tokio::test]
async fn lists_with_repetitions_and_requests_of_several_operations() {
    with_each("", styles(), async |scene| {
        let group = scene.group("team");
        let one = |id: u64| format!("members[value eq \"{id}\"]");
        let requests: [(Value, &[u64]); 6] = [
            (
                json!([{ "op": "add", "path": "members", "value": values(&[1, 1, 2]) }]),
                &[1, 2],
            ),
            (
                json!([
                    { "op": "add", "path": "members", "value": values(&[3]) },
                    { "op": "add", "path": "members", "value": values(&[4, 3]) },
                    { "op": "remove", "path": one(1) },
                    { "op": "remove", "path": one(6) },
                ]),
                &[2, 3, 4],
            ),
            (
                json!([
                    { "op": "add", "path": "members", "value": values(&[5]) },
                    { "op": "remove", "path": one(5) },
                ]),
                &[2, 3, 4],
            ),
            (
                json!([
                    { "op": "remove", "path": one(2) },
                    { "op": "add", "path": "members", "value": values(&[2]) },
                ]),
                &[2, 3, 4],
            ),
            (
                json!([
                    { "op": "remove", "path": "members" },
                    { "op": "add", "path": "members", "value": values(&[4, 6]) },
                ]),
                &[4, 6],
            ),
            (
                json!([{ "op": "replace", "value": { "members": values(&[6, 5, 5]) } }]),
                &[5, 6],
            ),
        ];
        for (request, expected) in requests {
            let reply = scene.stage.patch(&group.path, request.clone()).await;
            assert!(reply.status < 300, "{}: {}", scene.style.name, reply.body);
            if reply.status == 200 {
                assert_eq!(told(&reply), expected, "{}: {request}", scene.style.name);
            }
            scene.is(&group, expected, &request.to_string()).await;
        }
        let put = json!({ "displayName": "team", "members": values(&[5, 5, 1]) });
        let put = scene.stage.put(&group.path, put).await.is(200);
        assert_eq!(told(&put), [1, 5], "{}", scene.style.name);
        scene
            .is(&group, &[1, 5], "a list with a repetition is put")
            .await;
    })
    .await;
}
