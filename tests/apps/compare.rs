//! Compares a SCIM resource, as the gateway shows it, with the application's own object.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use scimgate::cli::replay::{HttpTransport, JsonPath, Request, Settings, StepRecord, Transport};
use serde_json::Value;

/// One application: how it is reached, and what must be equal in it.
pub struct Application {
    pub name: &'static str,
    pub base_url: String,
    /// The application's own credential, as a header.
    pub header: (String, String),
    /// Environment variables that its mapping asks for.
    pub environment: Vec<(&'static str, String)>,
    /// The tenant file: what differs from the mapping that ships. The key is added to it.
    pub tenant: &'static str,
    /// Which sessions it plays: beginnings of file names.
    pub sessions: Vec<&'static str>,
    /// Steps that ask what the application cannot do, and what they are answered instead.
    pub cannot: Vec<Cannot>,
    pub users: Table,
    pub groups: Table,
}

/// Something that sessions ask and the application cannot do. A step it speaks of must fail, with the status it says.
pub struct Cannot {
    /// The beginning of the session's file name; empty: any session.
    pub session: &'static str,
    /// A part of the step's name.
    pub step: &'static str,
    pub status: u16,
    pub because: &'static str,
}

impl Cannot {
    /// Whether it speaks of a step.
    pub fn is_about(&self, file: &str, step: &StepRecord) -> bool {
        file.starts_with(self.session) && step.name.contains(self.step)
    }
}

/// How a resource type looks in the application.
pub struct Table {
    /// How the object is asked for: a path, or `POST`, a path and a JSON body. `{key}` is what `key` finds in the SCIM
    /// resource, without the prefix `g-` of groups' ids; `{credential}` in a body is the value of the application's header.
    pub path: &'static str,
    pub key: &'static str,
    /// Where an object says that it is as good as gone, and what it says there, if the application keeps what was deleted:
    /// then the gateway may answer 404.
    pub gone: Option<(&'static str, &'static str)>,
    /// What else is read of it: put into the object under a name.
    pub beside: Vec<(&'static str, &'static str)>,
    /// What must be equal.
    pub fields: Vec<Field>,
    /// What must be the same set: a place in the SCIM resource, a place in the object.
    pub sets: Vec<(&'static str, &'static str)>,
}

/// A place in the SCIM resource, a place in the object, and how the values of one stand for those of the other.
pub struct Field {
    pub scim: &'static str,
    /// Where it is in the SCIM resource if it is not at the first place: the first of these that has a value.
    pub otherwise: Vec<&'static str>,
    pub own: &'static str,
    /// Values that stand for others, of which there may be several.
    pub values: Vec<(Value, Value)>,
    /// How the application spells a value; the empty text is an absent one.
    pub spelling: fn(String) -> String,
}

/// A field whose values are the same on both sides.
pub fn field(scim: &'static str, own: &'static str) -> Field {
    translated(scim, own, Vec::new())
}

/// A field with values that stand for others.
pub fn translated(scim: &'static str, own: &'static str, values: Vec<(Value, Value)>) -> Field {
    Field {
        scim,
        otherwise: Vec::new(),
        own,
        values,
        spelling: |text| text,
    }
}

/// The header of HTTP Basic.
pub fn basic(user: &str, password: &str) -> (String, String) {
    let credential = BASE64_STANDARD.encode(format!("{user}:{password}"));
    ("Authorization".to_owned(), format!("Basic {credential}"))
}

impl Table {
    /// Whether a reply says, with status 200, that there is no such object: it has not the first of the fields.
    fn is_missing(&self, object: &Value) -> bool {
        let first = self.fields.first();
        first.is_some_and(|field| find(field.own, object).is_empty())
    }

    fn is_gone(&self, object: &Value) -> bool {
        let says = |path: &str, word: &str| find(path, object).iter().any(|v| plain(v) == word);
        self.gone.is_some_and(|(path, word)| says(path, word))
    }

    /// Every difference between a SCIM resource and the application's object.
    pub fn differences(&self, scim: &Value, own: &Value) -> Vec<String> {
        let mut differences = Vec::new();
        for field in &self.fields {
            let places = [field.scim].into_iter().chain(field.otherwise.clone());
            let wanted = places.flat_map(|place| find(place, scim)).next();
            let found = find(field.own, own).first().map(|value| plain(value));
            // Absent, null and empty are the same thing to an application that has no difference.
            let found = found.unwrap_or_default();
            if !field.allowed(wanted).contains(&found) {
                differences.push(format!(
                    "{} is {wanted:?}, {} is {found:?}",
                    field.scim, field.own
                ));
            }
        }
        for (scim_path, own_path) in &self.sets {
            let set = |path, value| -> BTreeSet<String> {
                let values = find(path, value).into_iter().map(plain);
                values.map(without_url).collect()
            };
            let (wanted, found) = (set(scim_path, scim), set(own_path, own));
            if wanted != found {
                differences.push(format!(
                    "{scim_path} is {wanted:?}, {own_path} is {found:?}"
                ));
            }
        }
        differences
    }
}

impl Field {
    /// What the application may have where SCIM has a value: each that stands for it, or else the value itself.
    fn allowed(&self, value: Option<&Value>) -> Vec<String> {
        let pairs = self.values.iter().filter(|(scim, _)| Some(scim) == value);
        let others: Vec<String> = pairs.map(|(_, own)| plain(own)).collect();
        match others.is_empty() {
            true => vec![(self.spelling)(value.map(plain).unwrap_or_default())],
            false => others,
        }
    }
}

/// What is looked at after each step.
pub struct Comparison<'a> {
    application: &'a Application,
    settings: &'a Settings,
    gateway: &'a HttpTransport,
    own: HttpTransport,
    /// What a resource was called in the application when it was last seen.
    keys: RefCell<BTreeMap<String, String>>,
}

impl<'a> Comparison<'a> {
    pub fn new(
        application: &'a Application,
        settings: &'a Settings,
        gateway: &'a HttpTransport,
    ) -> Self {
        Self {
            application,
            settings,
            gateway,
            own: HttpTransport::new(&application.base_url, None)
                .expect("the application's address"),
            keys: RefCell::default(),
        }
    }

    /// The differences after a step that wrote a user or a group; `None` if it wrote none.
    pub async fn after(&self, record: &StepRecord) -> Option<Vec<String>> {
        let reply = record.reply.as_ref()?;
        let is_write = matches!(
            record.request.method.as_str(),
            "POST" | "PUT" | "PATCH" | "DELETE"
        );
        if !is_write || !(200..300).contains(&reply.status) {
            return None;
        }
        let base_path = url::Url::parse(&self.settings.base_url)
            .expect("a URL")
            .path()
            .to_owned();
        let path = record.request.path_and_query.strip_prefix(&base_path)?;
        let mut segments = path.trim_start_matches('/').split(['/', '?']);
        let (list, id) = (segments.next()?, segments.next());
        let table = match list {
            "Users" => &self.application.users,
            "Groups" => &self.application.groups,
            _ => return None,
        };
        let created = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let id = id
            .map(str::to_owned)
            .or_else(|| Some(created["id"].as_str()?.to_owned()))?;
        Some(
            self.compare(table, list, &id, record.request.method == "DELETE")
                .await,
        )
    }

    async fn compare(&self, table: &Table, list: &str, id: &str, is_deleted: bool) -> Vec<String> {
        let path = format!("{}/{list}/{id}", self.settings.base_url);
        let path = url::Url::parse(&path).expect("a URL").path().to_owned();
        let bearer = (
            "Authorization".to_owned(),
            format!("Bearer {}", self.settings.token),
        );
        let (status, mut scim) = get(self.gateway, path, bearer).await;
        let key = match status {
            200 => find(table.key, &scim)
                .first()
                .map(|value| plain(value))
                .unwrap_or_default(),
            // An id that is the application's own still leads to the object.
            _ if table.key == "$.id" => id.to_owned(),
            _ => match self.keys.borrow_mut().remove(id) {
                Some(key) => key,
                None => return Vec::new(),
            },
        };
        self.keys.borrow_mut().insert(id.to_owned(), key.clone());
        let (own_status, own) = self.object(table, &key).await;
        match (status, own_status) {
            (200, 200) if is_deleted => vec![format!("{list} was deleted and is still there")],
            (200, 200) => {
                self.name_members(&mut scim);
                table.differences(&scim, &own)
            }
            (404, 404 | 403) => Vec::new(),
            (404, 200) if table.is_gone(&own) => Vec::new(),
            _ => vec![format!(
                "the gateway answers {status}, the application {own_status}"
            )],
        }
    }

    /// Calls members as the application does.
    fn name_members(&self, group: &mut Value) {
        let keys = self.keys.borrow();
        let members = group["members"].as_array_mut().into_iter().flatten();
        for member in members {
            if let Some(key) = member["value"].as_str().and_then(|id| keys.get(id)) {
                member["value"] = key.as_str().into();
            }
        }
    }

    /// The application's own object, with what is read beside it.
    async fn object(&self, table: &Table, key: &str) -> (u16, Value) {
        let (mut status, mut object) = self.own(table.path, key).await;
        if status == 200 && table.is_missing(&object) {
            status = 404;
        }
        if status == 200 {
            for (name, path) in &table.beside {
                object[*name] = self.own(path, key).await.1;
            }
        }
        (status, object)
    }

    async fn own(&self, path: &str, key: &str) -> (u16, Value) {
        let key = key.strip_prefix("g-").unwrap_or(key);
        let (path, body) = match path
            .strip_prefix("POST ")
            .and_then(|rest| rest.split_once(' '))
        {
            Some((path, body)) => (path, Some(self.body(body, key))),
            None => (path, None),
        };
        let base_path = url::Url::parse(&self.application.base_url)
            .expect("a URL")
            .path()
            .to_owned();
        let path = format!(
            "{}{}",
            base_path.trim_end_matches('/'),
            path.replace("{key}", &segment(key))
        );
        ask(&self.own, path, self.application.header.clone(), body).await
    }

    fn body(&self, template: &str, key: &str) -> Value {
        let text = template
            .replace("{key}", key)
            .replace("{credential}", &self.application.header.1);
        serde_json::from_str(&text).expect("a body")
    }
}

async fn get(transport: &HttpTransport, path: String, header: (String, String)) -> (u16, Value) {
    ask(transport, path, header, None).await
}

async fn ask(
    transport: &HttpTransport,
    path: String,
    header: (String, String),
    body: Option<Value>,
) -> (u16, Value) {
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut headers = vec![header];
    if body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let request = Request {
        method: method.to_owned(),
        path_and_query: path,
        headers,
        body: body.map(|body| body.to_string().into()),
    };
    let reply = transport.send(request).await.expect("an answer");
    (
        reply.status,
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
    )
}

/// A value as one segment of a path.
fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match is_plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

fn find<'v>(path: &str, value: &'v Value) -> Vec<&'v Value> {
    JsonPath::parse(path).expect("a path").find(value)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A reference by URL is the id at its end.
fn without_url(text: String) -> String {
    match text.rsplit_once('/') {
        Some((url, id)) if url.contains("://") => id.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_in_a_field_or_in_a_set_is_told() {
        let table = Table {
            path: "",
            key: "$.id",
            gone: None,
            beside: Vec::new(),
            fields: vec![
                field("$.name.givenName", "$.u.first"),
                translated(
                    "$.active",
                    "$.u.state",
                    vec![(json!(true), json!(1)), (json!(false), json!(3))],
                ),
            ],
            sets: vec![("$.members[*].value", "$.u.ids[*]")],
        };
        let scim = json!({"name": {"givenName": "Ada"}, "active": false, "members": [{"value": "2"}, {"value": "1"}]});
        let same = json!({"u": {"first": "Ada", "state": 3, "ids": [1, 2]}});
        assert_eq!(table.differences(&scim, &same), Vec::<String>::new());
        for other in [
            json!({"u": {"first": "Ida", "state": 3, "ids": [1, 2]}}),
            json!({"u": {"first": "Ada", "state": 1, "ids": [1, 2]}}),
            json!({"u": {"first": "Ada", "state": 3, "ids": [1, 2, 3]}}),
            json!({"u": {"first": null, "state": 3, "ids": [1, 2]}}),
        ] {
            assert_eq!(table.differences(&scim, &other).len(), 1, "{other}");
        }
        let nobody = json!({"name": {}, "active": false});
        assert_eq!(
            table.differences(&nobody, &json!({"u": {"first": "", "state": 3}})),
            Vec::<String>::new()
        );
    }
}
