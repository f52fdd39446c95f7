//! AWS Identity Store, as its own description (`described/aws-identity-store.json`) has it: JSON 1.1 calls named by a header,
//! 100 objects a page, memberships with ids of their own, refusals told by `__type`. Every call and every answer is held
//! against it.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::{
    described::{Description, Watch},
    fake_target::{Act, Answer, FakeTarget, Seen},
    stage::Stage,
};

const STORE: &str = "d-1234567890";

struct Directory {
    description: Arc<Description>,
    users: Vec<Value>,
    groups: Vec<Value>,
    memberships: Vec<Value>,
    made: usize,
}

type Refusal = (&'static str, &'static str);

impl Directory {
    fn answer(&mut self, seen: &Seen) -> Answer {
        let is_signed = seen.header("authorization").is_some_and(|value| {
            value.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
                && value.contains("/eu-central-1/identitystore/aws4_request")
        });
        let target = seen.header("x-amz-target").unwrap_or_default();
        let content_type = seen.header("content-type").unwrap_or_default();
        let body = seen.json();
        let outcome = match target.strip_prefix("AWSIdentityStore.") {
            _ if !is_signed => Err(("AccessDeniedException", "not signed")),
            _ if content_type != "application/x-amz-json-1.1" || seen.path != "/" => {
                Err(("SerializationException", "not JSON 1.1"))
            }
            _ if body["IdentityStoreId"] != STORE => {
                Err(("ResourceNotFoundException", "IDENTITY_STORE not found"))
            }
            Some(action) => self.act(action, &body),
            None => Err(("UnknownOperationException", "")),
        };
        match outcome {
            Ok(reply) => Answer::json(200, reply),
            Err((kind, message)) => {
                let mut error = json!({"__type": kind, "Message": message, "RequestId": "5f1b0a6e-5a0c-4c3f-8f6e-2a4d0c9b7e11"});
                if kind == "ConflictException" {
                    let is_busy = message.contains("concurrently");
                    error["Reason"] = match is_busy {
                        true => json!("CONCURRENT_MODIFICATION"),
                        false => json!("UNIQUENESS_CONSTRAINT_VIOLATION"),
                    };
                }
                Answer::json(400, error)
            }
        }
    }

    fn act(&mut self, action: &str, body: &Value) -> Result<Value, Refusal> {
        Ok(match action {
            "ListUsers" => page(body, "Users", self.shown("User", &self.users))?,
            "ListGroups" => page(body, "Groups", self.shown("Group", &self.groups))?,
            "ListGroupMemberships" => {
                self.group(body)?;
                page(
                    body,
                    "GroupMemberships",
                    self.of("GroupId", &body["GroupId"]),
                )?
            }
            "ListGroupMembershipsForMember" => page(
                body,
                "GroupMemberships",
                self.of("MemberId", &body["MemberId"]),
            )?,
            "GetUserId" => {
                let (path, value) = alternate(body);
                let fits = |user: &&Value| match path.as_str() {
                    "userName" => same(&user["UserName"], &value),
                    "emails.value" => same(&user["Emails"][0]["Value"], &value),
                    _ => false,
                };
                let user = self.users.iter().find(fits).ok_or(MISSING)?;
                self.made_known("User", &user["UserId"])
            }
            "GetGroupId" => {
                let (_, value) = alternate(body);
                let mut groups = self.groups.iter();
                let group = groups
                    .find(|group| same(&group["DisplayName"], &value))
                    .ok_or(MISSING)?;
                self.made_known("Group", &group["GroupId"])
            }
            "DescribeUser" => {
                let user = self.user(body)?.clone();
                self.shown("User", &[user]).remove(0)
            }
            "DescribeGroup" => {
                let group = self.group(body)?.clone();
                self.shown("Group", &[group]).remove(0)
            }
            "CreateUser" => self.create_user(body)?,
            "CreateGroup" => {
                let is_taken = self
                    .groups
                    .iter()
                    .any(|group| same(&group["DisplayName"], &body["DisplayName"]));
                if is_taken {
                    return Err(("ConflictException", "Duplicate GroupDisplayName"));
                }
                let id = self.id();
                self.groups.push(with(body, "GroupId", &id));
                self.revised("Group", &json!(id))
            }
            "UpdateUser" => {
                let description = Arc::clone(&self.description);
                let user = self.user(body)?;
                for operation in body["Operations"].as_array().unwrap() {
                    update(&description, "User", user, operation)?;
                }
                self.revised("User", &body["UserId"])
            }
            "UpdateGroup" => {
                let description = Arc::clone(&self.description);
                let group = self.group(body)?;
                for operation in body["Operations"].as_array().unwrap() {
                    update(&description, "Group", group, operation)?;
                }
                self.revised("Group", &body["GroupId"])
            }
            "DeleteUser" => {
                self.user(body)?;
                let id = body["UserId"].clone();
                self.users.retain(|user| user["UserId"] != id);
                self.memberships
                    .retain(|row| row["MemberId"]["UserId"] != id);
                json!({})
            }
            "DeleteGroup" => {
                self.group(body)?;
                let id = body["GroupId"].clone();
                self.groups.retain(|group| group["GroupId"] != id);
                self.memberships.retain(|row| row["GroupId"] != id);
                json!({})
            }
            "CreateGroupMembership" => {
                self.group(body)?;
                self.user(&body["MemberId"])?;
                if self.membership(body).is_some() {
                    return Err((
                        "ConflictException",
                        "Member and Group relationship already exists.",
                    ));
                }
                let id = self.id();
                self.memberships.push(with(body, "MembershipId", &id));
                self.made_known("Membership", &json!(id))
            }
            "GetGroupMembershipId" => {
                let row = self.membership(body).ok_or(MISSING)?;
                self.made_known("Membership", &row["MembershipId"])
            }
            "DeleteGroupMembership" => {
                let id = &body["MembershipId"];
                if !self
                    .memberships
                    .iter()
                    .any(|row| row["MembershipId"] == *id)
                {
                    return Err(MISSING);
                }
                self.memberships.retain(|row| row["MembershipId"] != *id);
                json!({})
            }
            _ => return Err(("UnknownOperationException", "")),
        })
    }

    fn create_user(&mut self, body: &Value) -> Result<Value, Refusal> {
        for wanted in [
            "/UserName",
            "/DisplayName",
            "/Name/GivenName",
            "/Name/FamilyName",
        ] {
            if body
                .pointer(wanted)
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
            {
                return Err(("ValidationException", "a required member is missing"));
            }
        }
        if body["Emails"]
            .as_array()
            .is_some_and(|emails| emails.len() > 1)
        {
            return Err(("ValidationException", "one address at most"));
        }
        if self
            .users
            .iter()
            .any(|user| same(&user["UserName"], &body["UserName"]))
        {
            return Err(("ConflictException", "Duplicate UserName"));
        }
        let id = self.id();
        self.users.push(with(body, "UserId", &id));
        Ok(self.revised("User", &json!(id)))
    }

    fn id(&mut self) -> String {
        self.made += 1;
        id(self.made)
    }

    /// What every answer about an object has: its id and its ARN.
    fn made_known(&self, kind: &str, id: &Value) -> Value {
        let lower = kind.to_lowercase();
        let arn = format!("arn:aws:identitystore:::{lower}/{}", id.as_str().unwrap());
        json!({"IdentityStoreId": STORE, format!("{kind}Id"): id, format!("{kind}Arn"): arn})
    }

    /// And after a write.
    fn revised(&self, kind: &str, id: &Value) -> Value {
        let mut known = self.made_known(kind, id);
        known["Revision"] = json!("7");
        known
    }

    /// Objects as they are listed and described.
    fn shown(&self, kind: &str, rows: &[Value]) -> Vec<Value> {
        let whole = |row: &Value| {
            let mut shown = match kind {
                "Membership" => self.made_known(kind, &row["MembershipId"]),
                _ => self.revised(kind, &row[format!("{kind}Id")]),
            };
            let members = row.as_object().unwrap().clone();
            shown.as_object_mut().unwrap().extend(members);
            shown["CreatedAt"] = json!(1_700_000_000.25);
            shown
        };
        rows.iter().map(whole).collect()
    }

    fn user(&mut self, body: &Value) -> Result<&mut Value, Refusal> {
        let mut users = self.users.iter_mut();
        users
            .find(|user| user["UserId"] == body["UserId"])
            .ok_or(MISSING)
    }

    fn group(&mut self, body: &Value) -> Result<&mut Value, Refusal> {
        let mut groups = self.groups.iter_mut();
        groups
            .find(|group| group["GroupId"] == body["GroupId"])
            .ok_or(MISSING)
    }

    fn membership(&self, body: &Value) -> Option<&Value> {
        let mut rows = self.memberships.iter();
        rows.find(|row| row["GroupId"] == body["GroupId"] && row["MemberId"] == body["MemberId"])
    }

    fn of(&self, key: &str, value: &Value) -> Vec<Value> {
        let rows = self.memberships.iter().filter(|row| row[key] == *value);
        let rows: Vec<Value> = rows.cloned().collect();
        self.shown("Membership", &rows)
    }
}

/// `1234567890-` and a UUID.
fn id(number: usize) -> String {
    format!("9067642ac7-00000000-0000-4000-8000-{number:012x}")
}

const MISSING: Refusal = ("ResourceNotFoundException", "not found");

fn same(one: &Value, other: &Value) -> bool {
    let lower = |value: &Value| value.as_str().map(str::to_lowercase);
    one.is_string() && lower(one) == lower(other)
}

fn alternate(body: &Value) -> (String, Value) {
    let unique = &body["AlternateIdentifier"]["UniqueAttribute"];
    let path = unique["AttributePath"].as_str().unwrap_or_default();
    (path.to_owned(), unique["AttributeValue"].clone())
}

fn with(body: &Value, key: &str, id: &str) -> Value {
    let mut object = body.clone();
    object[key] = json!(id);
    object
}

/// `NextToken` and `MaxResults`; more than 100 are refused.
fn page(body: &Value, name: &str, all: Vec<Value>) -> Result<Value, Refusal> {
    let most = match &body["MaxResults"] {
        Value::Null => 100,
        value => value
            .as_u64()
            .filter(|most| (1..=100).contains(most))
            .ok_or((
                "ValidationException",
                "MaxResults is a number from 1 to 100",
            ))? as usize,
    };
    let token = body["NextToken"].as_str().unwrap_or("t0");
    let start: usize = token
        .trim_start_matches('t')
        .parse()
        .map_err(|_| ("ValidationException", "NextToken"))?;
    let rows: Vec<Value> = all.iter().skip(start).take(most).cloned().collect();
    let mut reply = Map::from_iter([(name.to_owned(), json!(rows))]);
    if start + most < all.len() {
        reply.insert("NextToken".into(), json!(format!("t{}", start + most)));
    }
    Ok(Value::Object(reply))
}

/// `displayName` is the member `DisplayName`; without a value it is taken away. A value is as the description has the member.
fn update(
    description: &Description,
    kind: &str,
    object: &mut Value,
    operation: &Value,
) -> Result<(), Refusal> {
    let path = operation["AttributePath"].as_str().unwrap();
    let mut name = path[..1].to_uppercase();
    name.push_str(&path[1..]);
    let members = object.as_object_mut().unwrap();
    match operation.get("AttributeValue") {
        Some(value) if !value.is_null() => {
            if let Some(words) = description.misfit_of_member(kind, &name, value) {
                panic!("{path}: {words}");
            }
            members.insert(name, value.clone());
        }
        _ if ["UserName", "DisplayName", "Name"].contains(&name.as_str()) => {
            return Err(("ValidationException", "it is required"));
        }
        _ => drop(members.remove(&name)),
    }
    Ok(())
}

async fn start() -> (Stage, FakeTarget, Arc<Mutex<Directory>>) {
    let watch = Watch::new("aws-identity-store", &[]);
    let directory = Arc::new(Mutex::new(Directory {
        description: Arc::clone(&watch.description),
        users: Vec::new(),
        groups: Vec::new(),
        memberships: Vec::new(),
        made: 0,
    }));
    let shared = Arc::clone(&directory);
    let watching = watch.clone();
    let fake = FakeTarget::start(move |_, seen| {
        let answer = shared.lock().unwrap().answer(seen);
        watching.named(seen, &answer);
        Act::Say(answer)
    })
    .await;
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_IDENTITY_STORE_ID", STORE),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-example"),
    ];
    let kept = "[user.attributes]\n'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' = { keep = true }\n";
    let stage = Stage::start("aws-identity-store", &fake.url(), &variables, kept).await;
    (stage.watched(watch), fake, directory)
}

const NO_STATE: &str = "the API cannot disable anybody: refused, never taken for done";

#[tokio::test]
async fn okta_s_life_cycle_leaves_in_the_directory_what_it_wished() {
    let (stage, fake, directory) = start().await;
    let without = [(10, NO_STATE), (11, NO_STATE)];
    stage.play("okta", json!({}), &without).await;
    let directory = directory.lock().unwrap();
    let names: Vec<&str> = directory
        .users
        .iter()
        .filter_map(|user| user["UserName"].as_str())
        .collect();
    assert_eq!(
        names,
        ["ilse.dvorak@corp.example", "tomas.rezek@corp.example"]
    );
    let ilse = &directory.users[0];
    assert_eq!(ilse["Name"]["FamilyName"], "Dvorak");
    assert_eq!(
        ilse["Emails"],
        json!([{"Value": "ilse.dvorak@corp.example", "Type": "work", "Primary": true}])
    );
    assert!(ilse.get("Password").is_none());
    assert!(directory.groups.is_empty() && directory.memberships.is_empty());
    let calls: Vec<String> = fake
        .seen()
        .iter()
        .map(|seen| seen.header("x-amz-target").unwrap_or_default().to_owned())
        .collect();
    for wanted in [
        "GetGroupMembershipId",
        "DeleteGroupMembership",
        "UpdateGroup",
    ] {
        assert!(
            calls.contains(&format!("AWSIdentityStore.{wanted}")),
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn entra_s_life_cycle_leaves_in_the_directory_what_it_wished() {
    let (stage, _, directory) = start().await;
    let without = [(9, NO_STATE), (10, NO_STATE)];
    stage.play("entra", json!({}), &without).await;
    let directory = directory.lock().unwrap();
    assert_eq!(directory.users.len(), 1);
    let jonas = &directory.users[0];
    assert_eq!(jonas["UserName"], "jonas.berg@corp.example");
    assert_eq!(
        (&jonas["DisplayName"], &jonas["Title"]),
        (&json!("Jonas Berg"), &json!("Route planner"))
    );
    assert_eq!(jonas["PhoneNumbers"][0]["Value"], "+46 70 555 01 23");
    assert!(directory.groups.is_empty());
}

#[tokio::test]
async fn lists_are_read_on_by_a_token_in_the_body() {
    let (stage, fake, directory) = start().await;
    for number in 0..230 {
        directory
            .lock()
            .unwrap()
            .users
            .push(json!({"UserId": id(number), "UserName": format!("user{number}")}));
    }
    directory
        .lock()
        .unwrap()
        .groups
        .push(json!({"GroupId": id(1000), "DisplayName": "All"}));
    for number in 0..130 {
        let row = json!({"MembershipId": id(2000 + number), "GroupId": id(1000), "MemberId": {"UserId": id(number)}});
        directory.lock().unwrap().memberships.push(row);
    }
    let (status, all) = stage
        .ask("GET", "/Users?startIndex=201&count=100", None)
        .await;
    assert_eq!((status, all["totalResults"].as_u64()), (200, Some(230)));
    assert_eq!(all["Resources"].as_array().unwrap().len(), 30);
    let (_, group) = stage
        .ask("GET", &format!("/Groups/{}", id(1000)), None)
        .await;
    assert_eq!(group["members"].as_array().unwrap().len(), 130);
    let tokens: Vec<Value> = fake
        .seen()
        .iter()
        .map(|seen| seen.json()["NextToken"].clone())
        .filter(|token| !token.is_null())
        .collect();
    assert!(
        tokens.contains(&json!("t100")) && tokens.contains(&json!("t200")),
        "{tokens:?}"
    );
    assert!(fake.seen().iter().all(|seen| seen.path == "/"));
}

#[tokio::test]
async fn who_is_no_member_is_removed_without_an_error() {
    let (stage, _, directory) = start().await;
    directory
        .lock()
        .unwrap()
        .users
        .push(json!({"UserId": id(1), "UserName": "ada"}));
    directory
        .lock()
        .unwrap()
        .groups
        .push(json!({"GroupId": id(1000), "DisplayName": "All"}));
    let gone = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", id(1))}]);
    let (status, body) = stage.patch(&format!("/Groups/{}", id(1000)), gone).await;
    assert!(status < 300, "{status} {body}");
}

/// No text may be empty, no list either: what is emptied is taken away.
#[tokio::test]
async fn what_a_client_empties_is_taken_away() {
    let (stage, _, directory) = start().await;
    let wish = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada", "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": ""}, "displayName": "Ada",
        "title": "Analyst", "nickName": "", "emails": [{"value": "ada@corp.example", "type": "work", "primary": true}], "phoneNumbers": []
    });
    let (status, made) = stage.ask("POST", "/Users", Some(wish)).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    for operations in [
        json!([{"op": "replace", "path": "title", "value": ""}]),
        json!([{"op": "replace", "path": "emails", "value": []}]),
        json!([{"op": "replace", "path": "name.middleName", "value": ""}]),
    ] {
        let (status, body) = stage.patch(&path, operations).await;
        assert!(status < 300, "{status} {body}");
    }
    let directory = directory.lock().unwrap();
    let ada = directory.users[0].as_object().unwrap();
    assert!(
        !ada.contains_key("Title") && !ada.contains_key("Emails"),
        "{ada:?}"
    );
}

/// A second address cannot be kept: refused before anything is sent.
#[tokio::test]
async fn a_second_address_is_refused() {
    let (stage, _, directory) = start().await;
    let wish = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada",
        "emails": [{"value": "ada@corp.example", "type": "work"}, {"value": "ada@home.example", "type": "home"}]
    });
    let (status, body) = stage.ask("POST", "/Users", Some(wish)).await;
    assert_eq!(
        (status, &body["scimType"]),
        (400, &json!("invalidValue")),
        "{body}"
    );
    assert!(directory.lock().unwrap().users.is_empty());
}

/// The directory would say 400 of what is no id of its own.
#[tokio::test]
async fn what_cannot_be_an_id_is_not_asked_for() {
    let (stage, fake, _) = start().await;
    for path in ["/Users/nobody", "/Groups/00000000-nothing"] {
        let (status, body) = stage.ask("GET", path, None).await;
        assert_eq!(status, 404, "{body}");
    }
    assert!(fake.seen().is_empty());
}
