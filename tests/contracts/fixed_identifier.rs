//! An application whose users are their addresses for ever, as TRESORIT-01 to -05 describe one: names as registered, a
//! policy for new users, a suspension of its own, no groups.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::{
    fake_target::{Act, Answer, FakeTarget, Seen},
    stage::Stage,
};

#[derive(Default)]
struct Vault {
    members: Vec<Value>,
    made: usize,
}

impl Vault {
    fn answer(&mut self, seen: &Seen) -> Answer {
        if seen.header("authorization") != Some("Bearer vault-token") {
            return refused(401, "who are you?");
        }
        let path = seen
            .path
            .split('?')
            .next()
            .unwrap()
            .trim_start_matches('/')
            .to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let parameter = |name: &str| seen.parameter(name);
        match (seen.method.as_str(), parts.as_slice()) {
            ("GET", ["members"]) => {
                let wanted = parameter("email").map(|email| email.to_lowercase());
                let fits = |member: &&Value| {
                    wanted
                        .as_ref()
                        .is_none_or(|wanted| member["email"].as_str() == Some(wanted))
                };
                let rows: Vec<&Value> = self.members.iter().filter(fits).collect();
                Answer::json(200, json!({"members": rows, "next": null}))
            }
            ("POST", ["members"]) => self.create(seen.json()),
            (method, ["members", id, rest @ ..]) => {
                let Some(at) = self.members.iter().position(|member| member["id"] == *id) else {
                    return refused(404, "no such member");
                };
                match (method, rest) {
                    ("GET", []) => Answer::json(200, self.members[at].clone()),
                    ("DELETE", []) => {
                        self.members.remove(at);
                        Answer::empty(204)
                    }
                    ("POST", [verb @ ("suspend" | "restore")]) => {
                        let state = if *verb == "suspend" {
                            "suspended"
                        } else {
                            "active"
                        };
                        if self.members[at]["state"] == state {
                            return refused(409, "it is so already");
                        }
                        self.members[at]["state"] = json!(state);
                        Answer::empty(204)
                    }
                    _ => refused(405, "members cannot be changed"),
                }
            }
            _ => refused(404, "no such path"),
        }
    }

    fn create(&mut self, mut member: Value) -> Answer {
        let email = member["email"].as_str().unwrap_or_default().to_lowercase();
        if member["policy"] != "standard" {
            return refused(400, "a policy is required");
        }
        if self.members.iter().any(|known| known["email"] == email) {
            return refused(409, "the address is taken");
        }
        self.made += 1;
        member["id"] = json!(format!("m-{}", self.made));
        member["email"] = json!(email);
        member["state"] = json!("active");
        self.members.push(member.clone());
        Answer::json(201, member)
    }
}

fn refused(status: u16, words: &str) -> Answer {
    Answer::json(status, json!({"error": {"message": words}}))
}

async fn start(policy: &str) -> (Stage, FakeTarget, Arc<Mutex<Vault>>) {
    let vault = Arc::new(Mutex::new(Vault::default()));
    let shared = Arc::clone(&vault);
    let fake =
        FakeTarget::start(move |_, seen| Act::Say(shared.lock().unwrap().answer(seen))).await;
    let url = fake.url();
    let variables = [
        ("APP_URL", url.as_str()),
        ("APP_TOKEN", "vault-token"),
        ("APP_POLICY", "standard"),
    ];
    let tenant = format!(
        "{policy}\n[user.attributes]\n'phoneNumbers' = {{ keep = true }}\n\
         'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' = {{ keep = true }}\n"
    );
    let stage = Stage::start("fixed-identifier", &url, &variables, &tenant).await;
    (stage, fake, vault)
}

const NO_RENAME: &str = "TRESORIT-01: 400 mutability";
const NOT_RENAMED: &str = "looks for the new name";
const NO_GROUPS: &str = "TRESORIT-05";

/// Those that make a group, and all that need it.
fn groups(steps: std::ops::RangeInclusive<usize>) -> Vec<(usize, &'static str)> {
    steps.map(|step| (step, NO_GROUPS)).collect()
}

#[tokio::test]
async fn okta_s_life_cycle_leaves_in_the_application_what_it_wished() {
    let (stage, fake, vault) = start("[policy]\non-rename = \"reject\"").await;
    let mut without = vec![(7, NO_RENAME), (8, NOT_RENAMED), (11, NOT_RENAMED)];
    without.extend(groups(15..=21));
    stage.play("okta", json!({}), &without).await;
    let vault = vault.lock().unwrap();
    let ilse = &vault.members[0];
    assert_eq!(
        (&ilse["email"], &ilse["state"]),
        (&json!("ilse.novak@corp.example"), &json!("active"))
    );
    assert_eq!(ilse["last_name"], "Novak", "TRESORIT-02: as registered");
    assert_eq!(ilse["policy"], "standard", "TRESORIT-03");
    assert!(
        fake.seen()
            .iter()
            .all(|seen| !["PUT", "PATCH"].contains(&seen.method.as_str()))
    );
}

#[tokio::test]
async fn entra_s_life_cycle_leaves_in_the_application_what_it_wished() {
    let (stage, _, vault) = start("[policy]\non-rename = \"reject\"").await;
    let mut without = vec![(8, NO_RENAME), (10, NOT_RENAMED)];
    without.extend(groups(13..=19));
    stage.play("entra", json!({}), &without).await;
    let vault = vault.lock().unwrap();
    assert_eq!(vault.members.len(), 1, "Priya is gone");
    assert_eq!(vault.members[0]["email"], "jonas.lindqvist@corp.example");
}

fn ada() -> Option<Value> {
    Some(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@corp.example",
        "name": {"givenName": "Ada", "familyName": "Byron"},
        "active": true,
    }))
}

#[tokio::test]
async fn tresorit_01_a_new_address_is_refused_or_a_new_account() {
    let rename = json!([{"op": "replace", "path": "userName", "value": "augusta@corp.example"}]);
    let (stage, _, vault) = start("[policy]\non-rename = \"reject\"").await;
    let (_, made) = stage.ask("POST", "/Users", ada()).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let (status, body) = stage.patch(&path, rename.clone()).await;
    assert_eq!(
        (status, &body["scimType"]),
        (400, &json!("mutability")),
        "{body}"
    );
    assert_eq!(vault.lock().unwrap().members.len(), 1);
}

#[tokio::test]
async fn tresorit_02_the_client_s_own_name_is_kept_and_shown() {
    let (stage, fake, vault) = start("").await;
    let (_, made) = stage.ask("POST", "/Users", ada()).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let calls = |fake: &FakeTarget| {
        fake.seen()
            .iter()
            .filter(|seen| seen.method != "GET")
            .count()
    };
    let before = calls(&fake);
    let married = json!([{"op": "replace", "path": "name.familyName", "value": "Lovelace"}]);
    let (status, body) = stage.patch(&path, married).await;
    assert_eq!(
        (status, &body["name"]["familyName"]),
        (200, &json!("Lovelace")),
        "{body}"
    );
    let (_, read) = stage.ask("GET", &path, None).await;
    assert_eq!(
        read["name"],
        json!({"givenName": "Ada", "familyName": "Lovelace"})
    );
    assert_eq!(vault.lock().unwrap().members[0]["last_name"], "Byron");
    assert_eq!(calls(&fake), before, "nothing is sent");
}

#[tokio::test]
async fn tresorit_04_a_suspension_in_the_application_stays_and_is_not_reported() {
    let (stage, _, vault) = start("[policy]\nactive-is = \"client\"").await;
    let (_, made) = stage.ask("POST", "/Users", ada()).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    vault.lock().unwrap().members[0]["state"] = json!("suspended");
    let (_, read) = stage.ask("GET", &path, None).await;
    assert_eq!(read["active"], true, "{read}");
    let mut whole = ada().unwrap();
    whole["name"]["familyName"] = json!("Lovelace");
    let (status, body) = stage.ask("PUT", &path, Some(whole)).await;
    assert_eq!((status, &body["active"]), (200, &json!(true)), "{body}");
    assert_eq!(vault.lock().unwrap().members[0]["state"], "suspended");
    for wished in [false, true] {
        let (status, body) = stage
            .patch(
                &path,
                json!([{"op": "replace", "path": "active", "value": wished}]),
            )
            .await;
        assert!(status < 300, "{body}");
    }
    assert_eq!(
        vault.lock().unwrap().members[0]["state"],
        "active",
        "from false to true it is lifted"
    );
}

#[tokio::test]
async fn tresorit_05_who_looks_for_groups_finds_none() {
    let (stage, fake, _) = start("").await;
    for query in [
        "",
        "?filter=displayName%20eq%20%22x%22&excludedAttributes=members",
    ] {
        let (status, body) = stage.ask("GET", &format!("/Groups{query}"), None).await;
        assert_eq!((status, &body["totalResults"]), (200, &json!(0)), "{body}");
    }
    assert!(fake.seen().is_empty());
}
