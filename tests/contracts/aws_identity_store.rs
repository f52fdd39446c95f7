//! AWS Identity Store, as its API reference describes it: JSON 1.1 calls named by a header, 100 objects a page, memberships
//! with ids of their own, refusals told by `__type`.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::{
    fake_target::{Act, Answer, FakeTarget, Seen},
    stage::Stage,
};

const STORE: &str = "d-1234567890";

#[derive(Default)]
struct Directory {
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
                let mut error = json!({"__type": kind, "Message": message, "RequestId": "5f1b"});
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
            "ListUsers" => page(body, "Users", self.users.clone())?,
            "ListGroups" => page(body, "Groups", self.groups.clone())?,
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
                json!({"IdentityStoreId": STORE, "UserId": user["UserId"]})
            }
            "GetGroupId" => {
                let (_, value) = alternate(body);
                let mut groups = self.groups.iter();
                let group = groups
                    .find(|group| same(&group["DisplayName"], &value))
                    .ok_or(MISSING)?;
                json!({"IdentityStoreId": STORE, "GroupId": group["GroupId"]})
            }
            "DescribeUser" => self.user(body)?.clone(),
            "DescribeGroup" => self.group(body)?.clone(),
            "CreateUser" => self.create_user(body)?,
            "CreateGroup" => {
                let is_taken = self
                    .groups
                    .iter()
                    .any(|group| same(&group["DisplayName"], &body["DisplayName"]));
                if is_taken {
                    return Err(("ConflictException", "Duplicate GroupDisplayName"));
                }
                let id = self.id("g");
                self.groups.push(with(body, "GroupId", &id));
                json!({"IdentityStoreId": STORE, "GroupId": id})
            }
            "UpdateUser" => {
                let user = self.user(body)?;
                for operation in body["Operations"].as_array().unwrap() {
                    update(user, operation)?;
                }
                json!({})
            }
            "UpdateGroup" => {
                let group = self.group(body)?;
                for operation in body["Operations"].as_array().unwrap() {
                    update(group, operation)?;
                }
                json!({})
            }
            "DeleteUser" => {
                let id = body["UserId"].clone();
                self.users.retain(|user| user["UserId"] != id);
                self.memberships
                    .retain(|row| row["MemberId"]["UserId"] != id);
                json!({})
            }
            "DeleteGroup" => {
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
                let id = self.id("m");
                self.memberships.push(with(body, "MembershipId", &id));
                json!({"IdentityStoreId": STORE, "MembershipId": id})
            }
            "GetGroupMembershipId" => {
                let row = self.membership(body).ok_or(MISSING)?;
                json!({"IdentityStoreId": STORE, "MembershipId": row["MembershipId"]})
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
        let id = self.id("u");
        self.users.push(with(body, "UserId", &id));
        Ok(json!({"IdentityStoreId": STORE, "UserId": id}))
    }

    fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("9{kind}-{:04}", self.made)
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
        rows.cloned().collect()
    }
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

/// `displayName` is the member `DisplayName`; without a value it is taken away.
fn update(object: &mut Value, operation: &Value) -> Result<(), Refusal> {
    let path = operation["AttributePath"].as_str().unwrap();
    let mut name = path[..1].to_uppercase();
    name.push_str(&path[1..]);
    let members = object.as_object_mut().unwrap();
    match operation.get("AttributeValue") {
        Some(value) if !value.is_null() => drop(members.insert(name, value.clone())),
        _ if ["UserName", "DisplayName", "Name"].contains(&name.as_str()) => {
            return Err(("ValidationException", "it is required"));
        }
        _ => drop(members.remove(&name)),
    }
    Ok(())
}

async fn start() -> (Stage, FakeTarget, Arc<Mutex<Directory>>) {
    let directory = Arc::new(Mutex::new(Directory::default()));
    let shared = Arc::clone(&directory);
    let fake =
        FakeTarget::start(move |_, seen| Act::Say(shared.lock().unwrap().answer(seen))).await;
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_IDENTITY_STORE_ID", STORE),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-example"),
    ];
    let kept = "[user.attributes]\n'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' = { keep = true }\n";
    let stage = Stage::start("aws-identity-store", &fake.url(), &variables, kept).await;
    (stage, fake, directory)
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
            .push(json!({"UserId": format!("u-{number}"), "UserName": format!("user{number}")}));
    }
    directory
        .lock()
        .unwrap()
        .groups
        .push(json!({"GroupId": "g-1", "DisplayName": "All"}));
    for number in 0..130 {
        let row = json!({"MembershipId": format!("m-{number}"), "GroupId": "g-1", "MemberId": {"UserId": format!("u-{number}")}});
        directory.lock().unwrap().memberships.push(row);
    }
    let (status, all) = stage
        .ask("GET", "/Users?startIndex=201&count=100", None)
        .await;
    assert_eq!((status, all["totalResults"].as_u64()), (200, Some(230)));
    assert_eq!(all["Resources"].as_array().unwrap().len(), 30);
    let (_, group) = stage.ask("GET", "/Groups/g-1", None).await;
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
        .push(json!({"UserId": "u-1", "UserName": "ada"}));
    directory
        .lock()
        .unwrap()
        .groups
        .push(json!({"GroupId": "g-1", "DisplayName": "All"}));
    let gone = json!([{"op": "remove", "path": "members[value eq \"u-1\"]"}]);
    let (status, body) = stage.patch("/Groups/g-1", gone).await;
    assert!(status < 300, "{status} {body}");
}
