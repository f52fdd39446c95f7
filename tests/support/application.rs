//! An application that keeps users and groups, on top of the scripted one: every call can be told to go wrong, before or
//! after it took effect.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::fake_target::{Act, Answer, FakeTarget, Seen};
use super::rows::Rows;

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing happens in the application; then this.
    Before(Act),
    /// It takes effect, and the answer gets lost this way.
    AfterEffect(Lost),
    /// Just before it, somebody else sets a field of a user.
    Meanwhile(u64, &'static str, Value),
}

/// How the answer to a call that took effect gets lost.
#[derive(Debug, Clone)]
pub enum Lost {
    Closed,
    Reset,
    /// After so many bytes.
    Cut(usize),
    /// Never sent.
    Hanging,
    /// Another answer is sent instead.
    Instead(Answer),
    /// Sent late.
    Late(Duration),
}

struct Planned {
    call: String,
    fault: Fault,
    /// Such calls that pass before.
    passing: usize,
    left: usize,
}

impl Planned {
    fn is_for(&self, line: &str) -> bool {
        match self.call.as_str() {
            ANY_WRITE => !line.starts_with("GET "),
            call => line.starts_with(call),
        }
    }
}

/// Stands for every call that changes something.
pub const ANY_WRITE: &str = "*";

/// How the application tells one version of a user from the next. A write that names another version, or none, is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Versions {
    #[default]
    None,
    /// `ETag` on every user; 412.
    Etag,
    /// The field `rev`; 409 and a sentence.
    Field,
}

type Instead = Box<dyn FnMut(&Seen) -> Answer + Send>;

#[derive(Default)]
struct Content {
    /// Another application altogether.
    instead: Option<Instead>,
    versions: Versions,
    last_id: u64,
    users: BTreeMap<u64, Value>,
    groups: BTreeMap<u64, Value>,
    members: BTreeMap<u64, BTreeSet<u64>>,
    /// Memberships that are objects with an id of their own.
    rows: Rows,
    /// A list of a user that is shown as objects and taken as ids.
    expanded: Option<&'static str>,
    /// The list of a user that shows the groups that have the user as a member, and cannot be written.
    told: Option<&'static str>,
    /// Fields that calls of these methods do not regard.
    ignored: Vec<(&'static str, &'static str)>,
    faults: Vec<Planned>,
    /// Removals under way, and how often each was asked for.
    jobs: BTreeMap<u64, u32>,
    /// Calls before it are forgotten.
    mark: usize,
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
        let target = FakeTarget::start(move |_, seen| shared.lock().unwrap().act(seen)).await;
        Self { target, content }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    /// The next calls whose `METHOD /path` starts like this go wrong.
    pub fn plan(&self, call: &str, times: usize, fault: Fault) {
        self.content().faults.push(Planned {
            call: call.into(),
            fault,
            passing: 0,
            left: times,
        });
    }

    /// One such call goes wrong, after so many of them.
    pub fn plan_after(&self, passing: usize, call: &str, fault: Fault) {
        self.content().faults.push(Planned {
            call: call.into(),
            fault,
            passing,
            left: 1,
        });
    }

    /// Answers the next such call with a status and an empty object.
    pub fn refuse(&self, call: &str, times: usize, status: u16) {
        let answer = Answer::json(status, json!({}));
        self.plan(call, times, Fault::Before(Act::Say(answer)));
    }

    /// From now on a field of a user is not regarded in calls of this method.
    pub fn ignore(&self, method: &'static str, field: &'static str) {
        self.content().ignored.push((method, field));
    }

    /// From now on all fields are regarded again.
    pub fn regard_all(&self) {
        self.content().ignored.clear();
    }

    /// From now on a list of users is shown as objects and taken as ids.
    pub fn expand(&self, field: &'static str) {
        self.content().expanded = Some(field);
    }

    /// Shows users the groups that have them as members, in this field.
    pub fn tell_groups(&self, field: &'static str) {
        self.content().told = Some(field);
    }

    /// The users of a group in the table of memberships, in the order in which they came.
    pub fn rows_of(&self, group: u64) -> Vec<u64> {
        self.content().rows.users_of(group)
    }

    /// From now on users have versions.
    pub fn version_users(&self, versions: Versions) {
        self.content().versions = versions;
    }

    /// From now on every call for which nothing is planned is answered so.
    pub fn answer_by(&self, answer: impl FnMut(&Seen) -> Answer + Send + 'static) {
        self.content().instead = Some(Box::new(answer));
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.content().faults.clear();
    }

    /// Puts a user there, as an administrator would; gives its id.
    pub fn add_user(&self, fields: Value) -> u64 {
        self.content().insert_user(fields)
    }

    /// Puts a group there.
    pub fn add_group(&self, fields: Value, members: impl IntoIterator<Item = u64>) -> u64 {
        let mut content = self.content();
        let id = content.insert_group(fields);
        content.members.insert(id, members.into_iter().collect());
        id
    }

    /// Makes up users `user1` … `userN`.
    pub fn add_users(&self, count: u64) {
        for number in 1..=count {
            let (login, mail) = (
                format!("user{number}"),
                format!("user{number}@corp.example"),
            );
            self.add_user(json!({ "login": login, "mail": mail, "first": "User", "state": 1 }));
        }
    }

    pub fn user(&self, id: u64) -> Option<Value> {
        self.content().users.get(&id).cloned()
    }

    pub fn change_user(&self, id: u64, field: &str, value: Value) {
        if let Some(user) = self.content().users.get_mut(&id) {
            user[field] = value;
        }
    }

    pub fn drop_field(&self, id: u64, field: &str) {
        if let Some(Value::Object(user)) = self.content().users.get_mut(&id) {
            user.remove(field);
        }
    }

    pub fn remove_user(&self, id: u64) {
        self.content().users.remove(&id);
    }

    pub fn group(&self, id: u64) -> Option<Value> {
        self.content().groups.get(&id).cloned()
    }

    pub fn members(&self, group: u64) -> Vec<u64> {
        let content = self.content();
        let members = content.members.get(&group);
        members.into_iter().flatten().copied().collect()
    }

    /// Sets the members of a group, as an administrator would.
    pub fn set_members(&self, group: u64, members: impl IntoIterator<Item = u64>) {
        let members = members.into_iter().collect();
        self.content().members.insert(group, members);
    }

    /// The ids of the users with a login.
    pub fn ids_of(&self, login: &str) -> Vec<u64> {
        let content = self.content();
        let ids = content.users.iter();
        ids.filter(|(_, user)| same(&user["login"], login))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Calls since the last [`forget_calls`](Self::forget_calls).
    pub fn seen(&self) -> Vec<Seen> {
        let mark = self.content().mark;
        self.target.seen().split_off(mark)
    }

    /// The same, as `METHOD /path?query`.
    pub fn calls(&self) -> Vec<String> {
        let seen = self.seen();
        seen.iter()
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect()
    }

    /// Calls that change something, with their bodies.
    pub fn writes(&self) -> Vec<(String, Value)> {
        let seen = self.seen().into_iter().filter(|seen| seen.method != "GET");
        seen.map(|seen| (format!("{} {}", seen.method, seen.path), seen.json()))
            .collect()
    }

    pub fn forget_calls(&self) {
        let count = self.target.seen().len();
        self.content().mark = count;
    }
}

impl Content {
    fn act(&mut self, seen: &Seen) -> Act {
        let line = format!("{} {}", seen.method, seen.path);
        let fault = self.fault_of(&line);
        match fault {
            Some(Fault::Before(act)) => act,
            Some(Fault::Meanwhile(id, field, value)) => {
                if let Some(user) = self.users.get_mut(&id) {
                    user[field] = value;
                }
                Act::Say(self.answer(seen))
            }
            Some(Fault::AfterEffect(lost)) => {
                let answer = self.answer(seen);
                match lost {
                    Lost::Closed => Act::Close,
                    Lost::Reset => Act::Reset,
                    Lost::Cut(bytes) => Act::Part(bytes, answer),
                    Lost::Hanging => Act::Hang,
                    Lost::Instead(other) => Act::Say(other),
                    Lost::Late(time) => Act::After(time, answer),
                }
            }
            None => Act::Say(self.answer(seen)),
        }
    }

    fn fault_of(&mut self, line: &str) -> Option<Fault> {
        let mut faults = self.faults.iter_mut();
        let planned = faults.find(|planned| planned.left > 0 && planned.is_for(line))?;
        if planned.passing > 0 {
            planned.passing -= 1;
            return None;
        }
        planned.left -= 1;
        Some(planned.fault.clone())
    }

    /// A `kept` group goes only when nobody is in it.
    fn delete_group(&mut self, id: u64) -> Answer {
        let is_kept = |group: &Value| group["kept"] == true;
        let has_members = self.members.get(&id).is_some_and(|all| !all.is_empty());
        if has_members && self.groups.get(&id).is_some_and(is_kept) {
            return Answer::json(409, json!({ "message": "somebody is in it" }));
        }
        match self.groups.remove(&id) {
            Some(_) => Answer::empty(204),
            None => missing(),
        }
    }

    fn answer(&mut self, seen: &Seen) -> Answer {
        if let Some(instead) = &mut self.instead {
            return instead(seen);
        }
        let path = seen.path.split('?').next().unwrap_or_default().to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let named = (segments.first(), segments.get(1));
        let id = match named {
            (Some(&"groups"), Some(name)) => self.number_of_group(name),
            (_, Some(name)) => self.number_of(name),
            _ => 0,
        };
        if let ("PATCH" | "PUT" | "DELETE", ["users", _], Some(refusal)) = (
            seen.method.as_str(),
            segments.as_slice(),
            self.stale(id, seen),
        ) {
            return refusal;
        }
        // An order may name a version.
        if let ("POST", ["users", _, _], Some(_), Some(refusal)) = (
            seen.method.as_str(),
            segments.as_slice(),
            seen.header("If-Match"),
            self.stale(id, seen),
        ) {
            return refusal;
        }
        match (seen.method.as_str(), segments.as_slice()) {
            ("GET", ["users", _]) if self.versions != Versions::None => self.versioned(id),
            ("GET", ["users"]) => self.list_users(seen),
            ("POST", ["users"]) => self.create_user(self.regarded(seen)),
            ("GET", ["users", _]) => found(self.users.get(&id)),
            ("PATCH" | "PUT", ["users", _]) => self.change(id, self.regarded(seen)),
            ("DELETE", ["users", _]) => self.delete_user(id),
            ("POST", ["users", _, verb]) => self.order(id, verb),
            ("GET", ["users", _, "groups"]) => self.groups_of(id, seen),
            ("GET", ["groups"]) => self.list_groups(seen),
            ("POST", ["groups"]) => self.create_group(seen.json()),
            ("GET", ["groups", _]) => found(self.groups.get(&id)),
            ("PATCH" | "PUT", ["groups", _]) => {
                let group = self.groups.get_mut(&id);
                merged(group, seen.json())
            }
            ("DELETE", ["groups", _]) => self.delete_group(id),
            (method, ["rows", rest @ ..]) => self.rows.answer(method, rest, seen),
            ("PUT", ["accounts", login]) => self.upsert(login, seen.json()),
            ("DELETE", ["removals", _]) => self.begin_removal(id),
            ("GET", ["jobs", _]) => self.job(id),
            (method, ["groups", _, "members", rest @ ..]) => {
                let answer = self.membership(method, id, rest.first().copied(), seen);
                self.tell();
                answer
            }
            _ => missing(),
        }
    }

    /// A body without the fields that are not regarded.
    fn regarded(&self, seen: &Seen) -> Value {
        let mut body = seen.json();
        for (method, field) in &self.ignored {
            if let (true, Value::Object(fields)) = (*method == seen.method, &mut body) {
                fields.shift_remove(*field);
            }
        }
        body
    }

    /// A user with its version.
    fn versioned(&self, id: u64) -> Answer {
        let Some(mut user) = self.users.get(&id).cloned() else {
            return missing();
        };
        let version = version(&user);
        if self.versions == Versions::Field {
            user["rev"] = json!(version);
            return Answer::json(200, user);
        }
        Answer::json(200, user).header("ETag", &format!("\"{version}\""))
    }

    /// The refusal of a write to a version that is not the user's.
    fn stale(&self, id: u64, seen: &Seen) -> Option<Answer> {
        let version = version(self.users.get(&id)?);
        let named = seen.header("If-Match").map(|named| named.trim_matches('"'));
        let status = match self.versions {
            Versions::None => return None,
            Versions::Etag => 412,
            Versions::Field => 409,
        };
        let refusal = Answer::json(status, json!({ "message": "rev is not the last one" }));
        (named != Some(version.as_str())).then_some(refusal)
    }

    /// An object's number; users can be named by their login too.
    fn number_of(&self, name: &str) -> u64 {
        let of_login = || {
            let mut users = self.users.iter();
            let (id, _) = users.find(|(_, user)| same(&user["login"], name))?;
            Some(*id)
        };
        name.parse().ok().or_else(of_login).unwrap_or(0)
    }

    /// A group's number; groups can be named by their name too.
    fn number_of_group(&self, name: &str) -> u64 {
        let of_name = || {
            let mut groups = self.groups.iter();
            let (id, _) = groups.find(|(_, group)| same(&group["name"], name))?;
            Some(*id)
        };
        name.parse().ok().or_else(of_name).unwrap_or(0)
    }

    fn insert_user(&mut self, mut fields: Value) -> u64 {
        self.last_id += 1;
        fields["id"] = json!(self.last_id);
        self.users.insert(self.last_id, fields);
        self.last_id
    }

    fn insert_group(&mut self, mut fields: Value) -> u64 {
        self.last_id += 1;
        fields["id"] = json!(self.last_id);
        self.groups.insert(self.last_id, fields);
        self.members.insert(self.last_id, BTreeSet::new());
        self.last_id
    }

    fn create_user(&mut self, fields: Value) -> Answer {
        let login = fields["login"].as_str().unwrap_or_default().to_owned();
        if self.users.values().any(|user| same(&user["login"], &login)) {
            return Answer::json(422, json!({ "message": "login has been taken" }));
        }
        let mut fields = fields;
        if fields.get("state").is_none() {
            fields["state"] = json!(1);
        }
        let id = self.insert_user(fields);
        Answer::json(201, self.users[&id].clone())
    }

    fn create_group(&mut self, fields: Value) -> Answer {
        let name = fields["name"].as_str().unwrap_or_default().to_owned();
        if self
            .groups
            .values()
            .any(|group| same(&group["name"], &name))
        {
            return Answer::json(422, json!({ "message": "name has been taken" }));
        }
        let id = self.insert_group(fields);
        Answer::json(201, self.groups[&id].clone())
    }

    /// Makes a user or writes over the one there is, and moves the address to it, whoever had it before.
    fn upsert(&mut self, login: &str, mut fields: Value) -> Answer {
        let mail = fields["mail"].clone();
        for user in self.users.values_mut().filter(|user| user["mail"] == mail) {
            user["mail"] = Value::Null;
        }
        fields["login"] = json!(login);
        match self.number_of(login) {
            0 => self.create_user(fields),
            id => merged(self.users.get_mut(&id), fields),
        }
    }

    /// Removes in the background: a job with the group's number, done when it was asked for the third time. There is one for
    /// whatever number.
    fn begin_removal(&mut self, id: u64) -> Answer {
        self.jobs.insert(id, 0);
        Answer::json(202, json!({ "job": id }))
    }

    fn job(&mut self, id: u64) -> Answer {
        let Some(asked) = self.jobs.get_mut(&id) else {
            return missing();
        };
        *asked += 1;
        let is_done = *asked >= 3;
        if is_done {
            self.groups.remove(&id);
        }
        let state = if is_done { "complete" } else { "active" };
        Answer::json(200, json!({ "state": state }))
    }

    fn change(&mut self, id: u64, fields: Value) -> Answer {
        let login = fields["login"].as_str().unwrap_or_default().to_owned();
        let is_other = |(other, user): (&u64, &Value)| *other != id && same(&user["login"], &login);
        if !login.is_empty() && self.users.iter().any(is_other) {
            return Answer::json(422, json!({ "message": "login has been taken" }));
        }
        let Some(fields) = self.expanded_in(fields) else {
            let refusal = json!({ "message": "Expected an id, received an object." });
            return Answer::json(400, refusal);
        };
        merged(self.users.get_mut(&id), fields)
    }

    /// A list that is shown as objects; absent if it was given as such.
    fn expanded_in(&self, mut fields: Value) -> Option<Value> {
        let list = self.expanded.and_then(|field| fields.get_mut(field));
        let elements = match list {
            Some(Value::Array(list)) => list.as_mut_slice(),
            Some(Value::Null) | None => &mut [],
            Some(one) => std::slice::from_mut(one),
        };
        for element in elements {
            let id = element.as_u64()?;
            *element = json!({ "id": id, "label": format!("the group {id}") });
        }
        Some(fields)
    }

    /// Shows users the groups that they are in.
    fn tell(&mut self) {
        let Some(field) = self.told else { return };
        for (id, user) in &mut self.users {
            let groups = self.members.iter();
            let own = groups.filter(|(_, members)| members.contains(id));
            let own = own.map(|(group, _)| json!({ "id": group }));
            user[field] = own.collect();
        }
    }

    fn delete_user(&mut self, id: u64) -> Answer {
        self.rows.remove_user(id);
        for members in self.members.values_mut() {
            members.remove(&id);
        }
        match self.users.remove(&id) {
            Some(_) => Answer::empty(204),
            None => missing(),
        }
    }

    /// `lock`, `unlock`, and orders that leave a trace of their own (`end-sessions`, `revoke-tokens`).
    fn order(&mut self, id: u64, verb: &str) -> Answer {
        let Some(user) = self.users.get_mut(&id) else {
            return missing();
        };
        match verb {
            "lock" => user["state"] = json!(3),
            "unlock" => user["state"] = json!(1),
            other => user[other] = json!(true),
        }
        Answer::empty(204)
    }

    fn list_users(&self, seen: &Seen) -> Answer {
        let has = |name: &str, user: &Value| {
            let wanted = seen.parameter(name);
            wanted.is_none_or(|wanted| same(&user[name], &wanted))
        };
        let users = self.users.values();
        page(
            seen,
            users.filter(|user| has("login", user) && has("mail", user)),
        )
    }

    fn list_groups(&self, seen: &Seen) -> Answer {
        let (wanted, member) = (seen.parameter("name"), seen.parameter("member"));
        let member: Option<u64> = member.and_then(|member| member.parse().ok());
        let lists = |group: &Value, member: u64| {
            let lists = [&group["user_ids"], &group["crew"]];
            let mut all = lists.into_iter().filter_map(Value::as_array).flatten();
            all.any(|one| one == member || one["ref"] == member)
        };
        let groups = self.groups.values().filter(|group| {
            let has = |wanted: &String| same(&group["name"], wanted);
            wanted.as_ref().is_none_or(has) && member.is_none_or(|member| lists(group, member))
        });
        page(seen, groups)
    }

    fn groups_of(&self, user: u64, seen: &Seen) -> Answer {
        let groups = self.groups.iter();
        let groups = groups.filter(|(id, _)| {
            let has = |id: u64, one: u64| {
                self.members
                    .get(&id)
                    .is_some_and(|members| members.contains(&one))
            };
            let mut inner = self.groups.keys().filter(|inner| has(**inner, user));
            has(**id, user)
                || (seen.parameter("all").is_some() && inner.any(|inner| has(**id, *inner)))
        });
        page(seen, groups.map(|(_, group)| group))
    }

    fn membership(
        &mut self,
        method: &str,
        group: u64,
        member: Option<&str>,
        seen: &Seen,
    ) -> Answer {
        let ids = || -> Vec<u64> {
            let body = seen.json();
            let ids = body["user_ids"].as_array().cloned().unwrap_or_default();
            let number = |id: &Value| match id.as_str() {
                Some(login) => self.number_of(login),
                None => id.as_u64().unwrap_or(0),
            };
            ids.iter().map(number).collect()
        };
        let has_all = |ids: &[u64]| {
            let is_there = |id| self.users.contains_key(id) || self.groups.contains_key(id);
            ids.iter().all(is_there)
        };
        let ids: Vec<u64> = ids();
        let one = member.map(|member| self.number_of(member));
        let is_known = !matches!(method, "POST" | "PUT") || has_all(&ids);
        let is_there = |id: u64| self.users.contains_key(&id) || self.groups.contains_key(&id);
        let kind = |id: &u64| {
            if self.groups.contains_key(id) {
                "group"
            } else {
                "user"
            }
        };
        let there: Vec<Value> = self.members.get(&group).map_or_else(Vec::new, |members| {
            let members = members.iter().filter(|id| is_there(**id));
            members
                .map(|id| json!({ "user_id": id, "kind": kind(id) }))
                .collect()
        });
        let Some(members) = self.members.get_mut(&group) else {
            return missing();
        };
        if !is_known {
            return missing();
        }
        match (method, member) {
            ("GET", None) => return page(seen, there.iter()),
            ("POST", None) => members.extend(ids),
            ("PUT", None) => *members = ids.into_iter().collect(),
            ("DELETE", None) => members.retain(|member| !ids.contains(member)),
            ("DELETE", Some(_)) => {
                if !members.remove(&one.unwrap_or(0)) {
                    return missing();
                }
            }
            _ => return missing(),
        }
        Answer::empty(204)
    }
}

fn version(user: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    user.to_string().hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

fn same(value: &Value, text: &str) -> bool {
    value
        .as_str()
        .is_some_and(|own| own.eq_ignore_ascii_case(text))
}

/// A page for people, as proxies and login walls give it.
pub fn html(status: u16, page: &str) -> Answer {
    Answer {
        status,
        headers: vec![("Content-Type".into(), "text/html".into())],
        body: page.as_bytes().to_vec(),
    }
}

pub fn missing() -> Answer {
    Answer::json(404, json!({ "message": "there is no such thing" }))
}

fn found(object: Option<&Value>) -> Answer {
    object.map_or_else(missing, |object| Answer::json(200, object.clone()))
}

fn merged(object: Option<&mut Value>, fields: Value) -> Answer {
    let (Some(Value::Object(object)), Value::Object(fields)) = (object, fields) else {
        return missing();
    };
    for (name, value) in fields {
        object.insert(name, value);
    }
    Answer::json(200, Value::Object(Map::clone(object)))
}

/// `page` from 1 and `per_page`, at most 100.
pub fn page<'v>(seen: &Seen, all: impl Iterator<Item = &'v Value>) -> Answer {
    let number = |name: &str, default: usize| {
        let text = seen.parameter(name);
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (page, size) = (
        number("page", 1).max(1),
        number("per_page", 20).clamp(1, 100),
    );
    let all: Vec<&Value> = all.collect();
    let items: Vec<&Value> = all
        .iter()
        .skip((page - 1) * size)
        .take(size)
        .copied()
        .collect();
    Answer::json(200, json!({ "items": items, "total": all.len() }))
}
