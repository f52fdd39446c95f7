//! Salesforce, as the REST API's documentation describes it: SOQL with pages by `nextRecordsUrl`, records with an id of 18
//! characters, 204 after a change, no deletion of users, a token for a signed assertion.

use std::sync::{Arc, Mutex};

use regex::Regex;
use serde_json::{Value, json};

use crate::{
    fake_target::{Act, Answer, FakeTarget, Seen},
    stage::Stage,
};

#[derive(Default)]
struct Org {
    users: Vec<Value>,
    sets: Vec<Value>,
    assignments: Vec<Value>,
    made: usize,
    /// Rows in one reply.
    page: usize,
    /// Tokens given.
    tokens: usize,
    /// Answers to the next calls that write, in place of what would be done.
    refusals: Vec<Answer>,
}

/// Texts of a user and how long they may be.
const LENGTHS: &[(&str, usize)] = &[
    ("Username", 80),
    ("FirstName", 40),
    ("LastName", 80),
    ("Email", 128),
    ("Alias", 8),
    ("Title", 80),
    ("Department", 80),
    ("Phone", 40),
    ("MobilePhone", 40),
    ("EmployeeNumber", 20),
];

const DATA: &str = "/services/data/v61.0";

impl Org {
    fn answer(&mut self, seen: &Seen) -> Answer {
        if seen.path == "/services/oauth2/token" {
            return self.token(seen);
        }
        if seen.header("authorization") != Some(&format!("Bearer token-{}", self.tokens)) {
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid", "");
        }
        if seen.method != "GET"
            && let Some(refusal) = self.refusals.pop()
        {
            return refusal;
        }
        let path = seen.path.strip_prefix(DATA).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (seen.method.as_str(), parts.as_slice()) {
            ("GET", ["query"]) => self.query(&seen.parameter("q").unwrap_or_default(), 0),
            ("GET", ["query", more]) => {
                let (start, soql) = more.split_once('-').unwrap();
                let soql = String::from_utf8(unhex(soql)).unwrap();
                self.query(&soql, start.parse().unwrap())
            }
            ("POST", ["sobjects", kind]) => self.create(kind, seen.json()),
            ("GET", ["sobjects", kind, id]) => {
                let found = self.rows(kind).iter().find(|row| row["Id"] == *id);
                found.map_or_else(not_found, |row| Answer::json(200, row.clone()))
            }
            ("PATCH", ["sobjects", kind, id]) => {
                let change = seen.json();
                if let Some(refusal) = too_long(&change) {
                    return refusal;
                }
                if *kind == "User"
                    && change
                        .get("Username")
                        .is_some_and(|name| self.is_taken(name, id))
                {
                    return taken();
                }
                let Some(row) = self.rows(kind).iter_mut().find(|row| row["Id"] == *id) else {
                    return not_found();
                };
                for (name, value) in change.as_object().unwrap() {
                    row[name] = value.clone();
                }
                named(row);
                Answer::empty(204)
            }
            ("DELETE", ["sobjects", "User", _]) => {
                refused(400, "METHOD_NOT_ALLOWED", "users cannot be deleted", "")
            }
            ("DELETE", ["sobjects", kind, id]) => {
                let rows = self.rows(kind);
                let before = rows.len();
                rows.retain(|row| row["Id"] != *id);
                if rows.len() == before {
                    not_found()
                } else {
                    Answer::empty(204)
                }
            }
            _ => not_found(),
        }
    }

    /// RFC 7523: the grant is an assertion with three parts.
    fn token(&mut self, seen: &Seen) -> Answer {
        let body = seen.text();
        let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        let value = |name: &str| {
            form.iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
                .unwrap_or_default()
        };
        let is_grant = value("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer";
        if !is_grant || value("assertion").split('.').count() != 3 {
            return Answer::json(400, json!({"error": "invalid_grant"}));
        }
        self.tokens += 1;
        Answer::json(
            200,
            json!({
                "access_token": format!("token-{}", self.tokens), "token_type": "Bearer", "scope": "api",
                "instance_url": "https://acme.my.salesforce.com", "id": "https://login.salesforce.com/id/00Dx/005x",
            }),
        )
    }

    fn rows(&mut self, kind: &str) -> &mut Vec<Value> {
        match kind {
            "User" => &mut self.users,
            "PermissionSet" => &mut self.sets,
            _ => &mut self.assignments,
        }
    }

    fn is_taken(&self, name: &Value, but: &str) -> bool {
        let lower = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
        self.users
            .iter()
            .any(|user| user["Id"] != but && lower(&user["Username"]) == lower(name))
    }

    fn create(&mut self, kind: &str, mut row: Value) -> Answer {
        let wanted: &[&str] = match kind {
            "User" => &[
                "Username",
                "LastName",
                "Email",
                "Alias",
                "TimeZoneSidKey",
                "LocaleSidKey",
                "EmailEncodingKey",
                "LanguageLocaleKey",
                "ProfileId",
            ],
            "PermissionSet" => &["Label", "Name"],
            _ => &["AssigneeId", "PermissionSetId"],
        };
        for name in wanted {
            if row[*name].as_str().is_none_or(str::is_empty) {
                return refused(
                    400,
                    "REQUIRED_FIELD_MISSING",
                    &format!("Required fields are missing: [{name}]"),
                    name,
                );
            }
        }
        if kind == "User" && self.is_taken(&row["Username"], "") {
            return taken();
        }
        if let Some(refusal) = too_long(&row) {
            return refusal;
        }
        if kind == "PermissionSet" && !is_developer_name(row["Name"].as_str().unwrap()) {
            let words = "The Permission Set API Name can only contain underscores and alphanumeric characters.";
            return refused(400, "FIELD_INTEGRITY_EXCEPTION", words, "Name");
        }
        if kind == "PermissionSet" && self.sets.iter().any(|set| set["Name"] == row["Name"]) {
            let words = "The name you specified is already in use. Please use a different name.";
            return refused(400, "DUPLICATE_DEVELOPER_NAME", words, "Name");
        }
        let is_active = |user: &Value| user["Id"] == row["AssigneeId"] && user["IsActive"] == true;
        if kind == "PermissionSetAssignment" && !self.users.iter().any(is_active) {
            let words = "invalid cross reference id";
            return refused(400, "INVALID_CROSS_REFERENCE_KEY", words, "");
        }
        let is_assigned = |known: &Value| {
            known["AssigneeId"] == row["AssigneeId"]
                && known["PermissionSetId"] == row["PermissionSetId"]
        };
        if kind == "PermissionSetAssignment" && self.assignments.iter().any(is_assigned) {
            return refused(
                400,
                "DUPLICATE_VALUE",
                "Duplicate PermissionSetAssignment",
                "",
            );
        }
        self.made += 1;
        let id = format!(
            "{}{:015}",
            match kind {
                "User" => "005",
                "PermissionSet" => "0PS",
                _ => "0Pa",
            },
            self.made
        );
        row["Id"] = json!(id);
        if kind == "User" {
            row["UserType"] = json!("Standard");
            if row.get("IsActive").is_none() {
                row["IsActive"] = json!(false);
            }
            named(&mut row);
        }
        if kind == "PermissionSet" {
            row["IsOwnedByProfile"] = json!(false);
        }
        self.rows(kind).push(row);
        Answer::json(201, json!({"id": id, "success": true, "errors": []}))
    }

    /// `SELECT … FROM kind WHERE field = value AND …`.
    fn query(&mut self, soql: &str, start: usize) -> Answer {
        let shape =
            Regex::new(r"^SELECT (.+) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY Id)?\s*$").unwrap();
        let Some(parts) = shape.captures(soql) else {
            return refused(400, "MALFORMED_QUERY", soql, "");
        };
        let conditions =
            Regex::new(r"([\w.]+) = (?:'((?:[^'\\]|\\.)*)'|(true|false))(?: AND |$)").unwrap();
        let text = parts.get(3).map_or("", |text| text.as_str());
        let wanted: Vec<(String, Value)> = conditions
            .captures_iter(text)
            .map(|found| {
                let value = match (found.get(2), found.get(3)) {
                    (Some(text), _) => {
                        json!(text.as_str().replace("\\'", "'").replace("\\\\", "\\"))
                    }
                    (_, flag) => json!(flag.unwrap().as_str() == "true"),
                };
                (found[1].to_owned(), value)
            })
            .collect();
        if !conditions.replace_all(text, "").is_empty() {
            return refused(400, "MALFORMED_QUERY", soql, "");
        }
        let is_id = |name: &str| name.rsplit('.').next().unwrap_or(name).ends_with("Id");
        let no_id = |(name, value): &&(String, Value)| {
            is_id(name) && ![15, 18].contains(&value.as_str().map_or(0, str::len))
        };
        if let Some((name, value)) = wanted.iter().find(no_id) {
            let words = format!("{name} = {value}: invalid ID field");
            return refused(400, "INVALID_QUERY_FILTER_OPERATOR", &words, "");
        }
        let sets = self.sets.clone();
        let page = self.page;
        let field = |row: &Value, name: &str| match name.strip_prefix("PermissionSet.") {
            Some(inner) => sets
                .iter()
                .find(|set| set["Id"] == row["PermissionSetId"])
                .map_or(Value::Null, |set| set[inner].clone()),
            None => row[name].clone(),
        };
        let lower = |value: &Value| {
            value
                .as_str()
                .map_or(value.clone(), |text| json!(text.to_lowercase()))
        };
        let fits = |row: &&Value| {
            wanted
                .iter()
                .all(|(name, value)| lower(&field(row, name)) == lower(value))
        };
        let selected: Vec<Value> = self
            .rows(&parts[2])
            .iter()
            .filter(fits)
            .map(|row| {
                let url = format!(
                    "{DATA}/sobjects/{}/{}",
                    &parts[2],
                    row["Id"].as_str().unwrap()
                );
                let mut record = json!({"attributes": {"type": &parts[2], "url": url}});
                for name in parts[1].split(", ") {
                    match name.strip_prefix("PermissionSet.") {
                        Some(inner) => record["PermissionSet"] = json!({inner: field(row, name)}),
                        None => record[name] = row[name].clone(),
                    }
                }
                record
            })
            .collect();
        let rows: Vec<&Value> = selected.iter().skip(start).take(page).collect();
        let mut reply = json!({"totalSize": selected.len(), "done": true, "records": rows});
        if start + page < selected.len() {
            reply["done"] = json!(false);
            reply["nextRecordsUrl"] = json!(format!("{DATA}/query/{}-{}", start + page, hex(soql)));
        }
        Answer::json(200, reply)
    }
}

fn named(user: &mut Value) {
    let part = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    user["Name"] = json!(format!("{} {}", part("FirstName"), part("LastName")).trim());
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A name for programs: a letter first, no two underscores together and none at the end.
fn is_developer_name(name: &str) -> bool {
    let shape = Regex::new("^[A-Za-z](_?[A-Za-z0-9])*$").unwrap();
    shape.is_match(name) && name.len() <= 80
}

fn too_long(row: &Value) -> Option<Answer> {
    let (name, most) = LENGTHS.iter().find(|(name, most)| {
        let text = row[*name].as_str();
        text.is_some_and(|text| text.chars().count() > *most)
    })?;
    let words = format!("{name}: data value too large (max length={most})");
    Some(refused(400, "STRING_TOO_LONG", &words, name))
}

/// A list with one complaint; `fields` is there where the complaint is about a record, and may be empty.
fn refused(status: u16, code: &str, message: &str, field: &str) -> Answer {
    let mut complaint = json!({"message": message, "errorCode": code});
    if status == 400 {
        let fields: Vec<&str> = Some(field)
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        complaint["fields"] = json!(fields);
    }
    Answer::json(status, json!([complaint]))
}

fn taken() -> Answer {
    refused(
        400,
        "DUPLICATE_USERNAME",
        "Duplicate Username. The username already exists.",
        "Username",
    )
}

fn not_found() -> Answer {
    refused(
        404,
        "NOT_FOUND",
        "The requested resource does not exist",
        "",
    )
}

async fn start() -> (Stage, FakeTarget, Arc<Mutex<Org>>) {
    let org = Arc::new(Mutex::new(Org {
        page: 3,
        ..Org::default()
    }));
    let shared = Arc::clone(&org);
    let fake =
        FakeTarget::start(move |_, seen| Act::Say(shared.lock().unwrap().answer(seen))).await;
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let url = fake.url();
    let variables = [
        ("SALESFORCE_URL", url.as_str()),
        ("SALESFORCE_LOGIN_URL", url.as_str()),
        ("SALESFORCE_CLIENT_ID", "3MVG9"),
        ("SALESFORCE_USER", "gateway@corp.example"),
        ("SALESFORCE_KEY", key.as_str()),
        ("SALESFORCE_PROFILE_ID", "00e000000000001"),
    ];
    let stage = Stage::start(
        "salesforce",
        &format!("{url}{DATA}"),
        &variables,
        "[user.attributes]\n'displayName' = { keep = true }\n'emails' = { keep = true }\n",
    )
    .await;
    (stage, fake, org)
}

const NO_DELETION: &str = "a deleted user is deactivated, and no longer shown";

#[tokio::test]
async fn okta_s_life_cycle_leaves_in_the_organisation_what_it_wished() {
    let (stage, _, org) = start().await;
    stage.play("okta", json!({}), &[]).await;
    let org = org.lock().unwrap();
    let ilse = &org.users[0];
    assert_eq!(ilse["Username"], "ilse.dvorak@corp.example");
    assert_eq!(
        (&ilse["FirstName"], &ilse["LastName"]),
        (&json!("Ilse"), &json!("Dvorak"))
    );
    assert_eq!(
        (&ilse["IsActive"], &ilse["Alias"]),
        (&json!(true), &json!("ilse.nov"))
    );
    assert_eq!(ilse["ProfileId"], "00e000000000001");
    assert_eq!(ilse["LocaleSidKey"], "en_US");
    assert_eq!(org.users.len(), 2);
    assert!(org.sets.is_empty(), "{:?}", org.sets);
}

#[tokio::test]
async fn entra_s_life_cycle_leaves_in_the_organisation_what_it_wished() {
    let (stage, _, org) = start().await;
    stage.play("entra", json!({}), &[]).await;
    let org = org.lock().unwrap();
    let jonas = &org.users[0];
    assert_eq!(
        (&jonas["Username"], &jonas["Title"]),
        (&json!("jonas.berg@corp.example"), &json!("Route planner"))
    );
    assert_eq!(
        (&jonas["Department"], &jonas["MobilePhone"]),
        (&json!("Logistics"), &json!("+46 70 555 01 23"))
    );
    let priya = &org.users[1];
    assert_eq!(
        (&priya["Username"], &priya["IsActive"]),
        (&json!("priya.raman@corp.example"), &json!(false)),
        "{NO_DELETION}"
    );
}

#[tokio::test]
async fn lists_are_read_on_to_the_last_page() {
    let (stage, _, _) = start().await;
    for number in 0..8 {
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("user{number}@corp.example")});
        let (status, body) = stage.ask("POST", "/Users", Some(user)).await;
        assert_eq!(status, 201, "{body}");
    }
    let (_, all) = stage.ask("GET", "/Users?count=100", None).await;
    assert_eq!(all["Resources"].as_array().unwrap().len(), 8);
    let (_, last) = stage.ask("GET", "/Users?startIndex=8&count=5", None).await;
    assert_eq!(last["Resources"][0]["userName"], "user7@corp.example");
}

/// What would end the text in SOQL finds nobody, and is still one condition: the fake refuses any other query.
#[tokio::test]
async fn a_name_cannot_leave_its_place_in_soql() {
    let (stage, _, org) = start().await;
    org.lock().unwrap().users.push(json!({"Id": "005000000000000xAA", "Username": "o'hara@corp.example", "LastName": "O", "IsActive": true, "UserType": "Standard"}));
    let find = async |name: &str| {
        let filter: String =
            form_urlencoded::byte_serialize(format!("userName eq {}", json!(name)).as_bytes())
                .collect();
        stage
            .ask("GET", &format!("/Users?filter={filter}"), None)
            .await
    };
    let (status, found) = find("o'hara@corp.example").await;
    assert_eq!(
        (status, found["totalResults"].as_u64()),
        (200, Some(1)),
        "{found}"
    );
    for name in ["x' OR Username != 'x", "\\' OR Id != '", "x\\"] {
        let (status, found) = find(name).await;
        assert_eq!(
            (status, found["totalResults"].as_u64()),
            (200, Some(0)),
            "{name}: {found}"
        );
    }
}

#[tokio::test]
async fn an_expired_session_is_renewed_by_another_assertion() {
    let (stage, _, org) = start().await;
    let (status, _) = stage.ask("GET", "/Users", None).await;
    assert_eq!(status, 200);
    org.lock().unwrap().tokens += 1; // the first token is worth nothing now
    let (status, _) = stage.ask("GET", "/Users", None).await;
    assert_eq!(status, 200);
    assert_eq!(org.lock().unwrap().tokens, 3);
}

fn group(name: &str) -> Option<Value> {
    Some(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name}))
}

/// The name for programs knows letters, digits and single underscores.
#[tokio::test]
async fn any_name_of_a_group_gives_a_name_for_programs() {
    let (stage, _, org) = start().await;
    let long = "long ".repeat(16);
    for name in [
        "Fleet - North",
        "3rd floor (Depot)",
        "R&D / Köln",
        "Продажи",
        long.trim(),
    ] {
        let (status, body) = stage.ask("POST", "/Groups", group(name)).await;
        assert_eq!(
            (status, &body["displayName"]),
            (201, &json!(name)),
            "{body}"
        );
    }
    assert_eq!(org.lock().unwrap().sets[0]["Name"], "scim_fleet_north");
    let (status, body) = stage.ask("POST", "/Groups", group("Fleet: North")).await;
    assert_eq!(
        (status, &body["scimType"]),
        (409, &json!("uniqueness")),
        "{body}"
    );
}

#[tokio::test]
async fn what_cannot_be_an_id_is_not_asked_for() {
    let (stage, fake, _) = start().await;
    for path in ["/Users/nobody", "/Users/x'%20OR%20Id%20!=%20'", "/Groups/1"] {
        let (status, body) = stage.ask("GET", path, None).await;
        assert_eq!(status, 404, "{body}");
    }
    assert!(fake.seen().iter().all(|seen| !seen.path.starts_with(DATA)));
}

#[tokio::test]
async fn each_refusal_of_salesforce_has_its_answer() {
    let (stage, _, org) = start().await;
    let wish = |name: &str| {
        Some(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name}))
    };
    let (status, made) = stage.ask("POST", "/Users", wish("ada@corp.example")).await;
    assert_eq!((status, &made["active"]), (201, &json!(true)), "{made}");
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let cases = [
        (
            400,
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            9,
            400,
            "invalidValue",
        ),
        (400, "LICENSE_LIMIT_EXCEEDED", 9, 502, ""),
        (403, "REQUEST_LIMIT_EXCEEDED", 9, 429, ""),
        (403, "INSUFFICIENT_ACCESS", 9, 502, ""),
        (404, "ENTITY_IS_DELETED", 9, 404, ""),
        (400, "UNABLE_TO_LOCK_ROW", 1, 200, ""),
        (400, "UNABLE_TO_LOCK_ROW", 9, 503, ""),
    ];
    for (number, (status, code, times, wanted, kind)) in cases.into_iter().enumerate() {
        let title =
            json!([{"op": "replace", "path": "title", "value": format!("Analyst {number}")}]);
        org.lock().unwrap().refusals = vec![refused(status, code, "as it is", ""); times];
        let (status, body) = stage.patch(&path, title).await;
        assert_eq!(status, wanted, "{code}: {body}");
        if !kind.is_empty() {
            assert_eq!(body["scimType"], kind, "{code}: {body}");
        }
    }
}
