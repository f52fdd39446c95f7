//! An application that refuses nothing: it takes a second account of a name, and a list of members is written as a whole. That
//! nothing of that happens is all the gateway's doing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake_target::{Act, Answer, FakeTarget, Seen};

/// Its mapping: ids are minted by the gateway, and a name is looked for before it is made, as such an application needs it.
pub const MAPPING: &str = r#"
app = "plain"
[target]
base-url = "${PLAIN_URL}"
deadline = "5s"
[target.budget]
concurrent = 64

[user]
id = { from = '$.id', type = "number", stable = false }
[user.list]
call  = "GET /users"
items = '$.items[*]'
[[user.find]]
filter = "userName eq"
call   = "GET /users?login={value}"
items  = '$.items[*]'
[user.get]
call = "GET /users/{id}"
[user.create]
call = "POST /users"
get-first = true
[user.update]
call = "PATCH /users/{id}"
[user.delete]
call = "DELETE /users/{id}"
[user.attributes]
'userName' = 'login'
'title'    = 'title'
'nickName' = { keep = true }

[group]
id = { from = '$.id', type = "number", stable = false }
[group.list]
call  = "GET /groups"
items = '$.items[*]'
[[group.find]]
filter = "displayName eq"
call   = "GET /groups?login={value}"
items  = '$.items[*]'
[group.get]
call = "GET /groups/{id}"
[group.create]
call = "POST /groups"
get-first = true
[group.update]
call = "PATCH /groups/{id}"
[group.attributes]
'displayName' = 'login'
[group.members]
replace = { call = "PUT /groups/{group}/members", body = { user_ids = "{members}" } }
[group.members.read]
call  = "GET /groups/{group}/members"
items = '$.items[*]'
id    = '$.user_id'
"#;

#[derive(Default)]
struct Content {
    last_id: u64,
    calls: u64,
    objects: BTreeMap<(String, u64), Value>,
    members: BTreeMap<u64, Vec<u64>>,
    twice: Vec<String>,
}

/// The running application.
#[derive(Clone)]
pub struct Application {
    pub target: FakeTarget,
    content: Arc<Mutex<Content>>,
}

impl Application {
    pub async fn start() -> Self {
        let content = Arc::new(Mutex::new(Content::default()));
        let shared = Arc::clone(&content);
        let script = move |_, seen: &Seen| shared.lock().unwrap().act(seen);
        Self {
            target: FakeTarget::start(script).await,
            content,
        }
    }

    /// Names that had two accounts at any moment.
    pub fn twice(&self) -> Vec<String> {
        self.content.lock().unwrap().twice.clone()
    }

    /// Every user there is: its id and name.
    pub fn users(&self) -> Vec<(u64, String)> {
        let content = self.content.lock().unwrap();
        let users = content
            .objects
            .iter()
            .filter(|((kind, _), _)| kind == "users");
        users
            .map(|((_, id), user)| (*id, user["login"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// The members of the only group.
    pub fn members(&self) -> Vec<u64> {
        let content = self.content.lock().unwrap();
        content.members.values().next().cloned().unwrap_or_default()
    }

    pub fn calls(&self) -> u64 {
        self.content.lock().unwrap().calls
    }
}

impl Content {
    fn act(&mut self, seen: &Seen) -> Act {
        self.calls += 1;
        // Answers take their time, so that requests overlap.
        let delay = Duration::from_millis(self.calls * 7 % 20);
        Act::After(delay, self.answer(seen))
    }

    fn answer(&mut self, seen: &Seen) -> Answer {
        let path = seen
            .path
            .split('?')
            .next()
            .unwrap()
            .trim_matches('/')
            .to_owned();
        let mut parts = path.split('/');
        let kind = parts.next().unwrap_or_default().to_owned();
        let id = parts.next().map(|id| id.parse::<u64>().unwrap_or(0));
        let missing = || Answer::json(404, json!({}));
        let key = (kind.clone(), id.unwrap_or(0));
        match (seen.method.as_str(), id, parts.next()) {
            ("GET", Some(group), Some(_)) => {
                let members = self.members.get(&group).into_iter().flatten();
                let items: Vec<Value> = members.map(|id| json!({ "user_id": id })).collect();
                Answer::json(200, json!({ "items": items }))
            }
            ("PUT", Some(group), Some(_)) => {
                let ids = seen.json()["user_ids"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let ids = ids
                    .iter()
                    .filter_map(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
                self.members.insert(group, ids.collect());
                Answer::empty(204)
            }
            ("GET", None, _) => {
                let wanted = seen.parameter("login");
                let of_kind = self.objects.iter().filter(|((of, _), _)| *of == kind);
                let is_wanted = |object: &&Value| {
                    wanted
                        .as_deref()
                        .is_none_or(|login| object["login"] == login)
                };
                let items: Vec<&Value> = of_kind
                    .map(|(_, object)| object)
                    .filter(is_wanted)
                    .collect();
                Answer::json(200, json!({ "items": items }))
            }
            ("POST", None, _) => {
                self.last_id += 1;
                let mut object = seen.json();
                object["id"] = json!(self.last_id);
                let is_same = |((of, _), other): (&(String, u64), &Value)| {
                    *of == kind && other["login"] == object["login"]
                };
                if self.objects.iter().any(is_same) {
                    self.twice.push(object["login"].to_string());
                }
                self.objects.insert((kind, self.last_id), object.clone());
                Answer::json(201, object)
            }
            ("GET", Some(_), _) => self
                .objects
                .get(&key)
                .map_or_else(missing, |object| Answer::json(200, object.clone())),
            ("PATCH", Some(_), _) => match self.objects.get_mut(&key) {
                Some(object) => {
                    let fields = seen.json();
                    for (name, value) in fields.as_object().into_iter().flatten() {
                        object[name.as_str()] = value.clone();
                    }
                    Answer::json(200, object.clone())
                }
                None => missing(),
            },
            ("DELETE", Some(_), _) => match self.objects.remove(&key) {
                Some(_) => Answer::empty(204),
                None => missing(),
            },
            _ => missing(),
        }
    }
}
