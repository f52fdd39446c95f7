//! A GitHub organisation, as the REST API's documentation describes it: membership by invitation, teams with a slug made of
//! the name, `Link` paging, 404 for who is no member.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::{
    fake_target::{Act, Answer, FakeTarget, Seen},
    stage::Stage,
};

#[derive(Default)]
struct Github {
    /// Accounts of all of GitHub, by login.
    accounts: BTreeMap<String, Value>,
    /// `active` or `pending`.
    memberships: BTreeMap<String, String>,
    teams: BTreeMap<String, String>,
    team_members: BTreeMap<String, BTreeSet<String>>,
    /// Whether people are members at once, as with single sign-on.
    accepts: bool,
}

impl Github {
    fn answer(&mut self, seen: &Seen, url: &str) -> Answer {
        if seen.header("authorization") != Some("Bearer github-token") {
            return message(401, "Bad credentials");
        }
        if seen.header("user-agent").is_none() || seen.header("x-github-api-version").is_none() {
            return message(403, "Request forbidden by administrative rules.");
        }
        let path = seen
            .path
            .split('?')
            .next()
            .unwrap()
            .trim_start_matches('/')
            .to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match (seen.method.as_str(), parts.as_slice()) {
            ("GET", ["users", login]) => match self.accounts.get(*login) {
                Some(account) => Answer::json(200, account.clone()),
                None => message(404, "Not Found"),
            },
            ("GET", ["orgs", "acme", "members"]) => page(seen, url, self.with_state("active")),
            ("GET", ["orgs", "acme", "invitations"]) => page(seen, url, self.invitations()),
            (method, ["orgs", "acme", "memberships", login]) => self.membership(method, login),
            (method, ["orgs", "acme", "teams", rest @ ..]) => self.team(method, rest, seen, url),
            _ => message(404, "Not Found"),
        }
    }

    fn brief(&self, login: &str) -> Value {
        json!({"login": login, "id": self.accounts[login]["id"], "type": "User", "site_admin": false})
    }

    fn with_state(&self, wanted: &str) -> Vec<Value> {
        let fitting = self
            .memberships
            .iter()
            .filter(|(_, state)| *state == wanted);
        fitting.map(|(login, _)| self.brief(login)).collect()
    }

    fn invitations(&self) -> Vec<Value> {
        let mut rows: Vec<Value> = self.with_state("pending");
        rows.push(json!({"id": 99, "login": null, "email": "by-mail@corp.example", "role": "direct_member"}));
        rows
    }

    fn membership(&mut self, method: &str, login: &str) -> Answer {
        if !self.accounts.contains_key(login) {
            return message(404, "Not Found");
        }
        match method {
            "PUT" => {
                let state = if self.accepts { "active" } else { "pending" };
                self.memberships.entry(login.into()).or_insert(state.into());
            }
            "DELETE" if self.memberships.remove(login).is_some() => {
                self.team_members
                    .values_mut()
                    .for_each(|members| members.retain(|member| member != login));
                return Answer::empty(204);
            }
            _ => {}
        }
        match self.memberships.get(login) {
            Some(state) => Answer::json(
                200,
                json!({"state": state, "role": "member", "user": self.brief(login)}),
            ),
            None => message(404, "Not Found"),
        }
    }

    fn team(&mut self, method: &str, rest: &[&str], seen: &Seen, url: &str) -> Answer {
        let shown = |slug: &str, name: &str| json!({"id": name.len(), "slug": slug, "name": name, "privacy": "closed"});
        match (method, rest) {
            ("GET", []) => page(
                seen,
                url,
                self.teams
                    .iter()
                    .map(|(slug, name)| shown(slug, name))
                    .collect(),
            ),
            ("POST", []) => {
                let name = seen.json()["name"].as_str().unwrap().to_owned();
                if self.teams.contains_key(&slug(&name)) {
                    return message(422, "Name has already been taken");
                }
                self.teams.insert(slug(&name), name.clone());
                Answer::json(201, shown(&slug(&name), &name))
            }
            (_, [team, ..]) if !self.teams.contains_key(*team) => message(404, "Not Found"),
            ("GET", [team]) => Answer::json(200, shown(team, &self.teams[*team])),
            ("PATCH", [team]) => {
                let name = seen.json()["name"].as_str().unwrap().to_owned();
                let members = self.team_members.remove(*team).unwrap_or_default();
                self.teams.remove(*team);
                self.teams.insert(slug(&name), name.clone());
                self.team_members.insert(slug(&name), members);
                Answer::json(200, shown(&slug(&name), &name))
            }
            ("DELETE", [team]) => {
                self.teams.remove(*team);
                self.team_members.remove(*team);
                Answer::empty(204)
            }
            ("GET", [team, "members"]) => {
                let members = self.team_members.get(*team).cloned().unwrap_or_default();
                page(
                    seen,
                    url,
                    members.iter().map(|login| self.brief(login)).collect(),
                )
            }
            ("PUT", [team, "memberships", login]) => {
                if !self.accounts.contains_key(*login) {
                    return message(404, "Not Found");
                }
                self.team_members
                    .entry((*team).into())
                    .or_default()
                    .insert((*login).into());
                Answer::json(200, json!({"state": "active", "role": "member"}))
            }
            ("DELETE", [team, "memberships", login]) => {
                match self
                    .team_members
                    .entry((*team).into())
                    .or_default()
                    .remove(*login)
                {
                    true => Answer::empty(204),
                    false => message(404, "Not Found"),
                }
            }
            _ => message(404, "Not Found"),
        }
    }
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn message(status: u16, words: &str) -> Answer {
    Answer::json(
        status,
        json!({"message": words, "documentation_url": "https://docs.github.com/rest"}),
    )
}

/// `page` and `per_page`; the next page is in `Link`.
fn page(seen: &Seen, url: &str, all: Vec<Value>) -> Answer {
    let number = |name: &str, usual: usize| {
        seen.parameter(name)
            .map_or(usual, |value| value.parse().unwrap())
    };
    let (page, size) = (number("page", 1), number("per_page", 30).min(100));
    let rows: Vec<&Value> = all.iter().skip((page - 1) * size).take(size).collect();
    let answer = Answer::json(200, json!(rows));
    if page * size >= all.len() {
        return answer;
    }
    let path = seen.path.split('?').next().unwrap();
    let next = format!(
        "<{url}{path}?per_page={size}&page={}>; rel=\"next\", <{url}{path}?page=9>; rel=\"last\"",
        page + 1
    );
    answer.header("Link", &next)
}

async fn start(accepts: bool) -> (Stage, Arc<Mutex<Github>>) {
    let github = Arc::new(Mutex::new(Github {
        accepts,
        ..Github::default()
    }));
    for (id, login) in [
        "ilse-novak",
        "ilse-dvorak",
        "tomas-rezek",
        "jonas-l",
        "jonas-b",
        "priya-r",
    ]
    .iter()
    .enumerate()
    {
        let account = json!({"login": login, "id": id, "type": "User", "name": null, "email": null, "html_url": format!("https://github.com/{login}")});
        github
            .lock()
            .unwrap()
            .accounts
            .insert((*login).into(), account);
    }
    let shared = Arc::clone(&github);
    let fake = FakeTarget::start(move |_, seen| {
        let url = format!("http://{}", seen.header("host").unwrap_or_default());
        Act::Say(shared.lock().unwrap().answer(seen, &url))
    })
    .await;
    let kept = "[target.budget]\nwrites = \"1000/s\"\n[user.attributes]\n'title' = { keep = true }\n'emails' = { keep = true }\n'phoneNumbers' = { keep = true }\n\
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' = { keep = true }\n";
    let variables = [("GITHUB_ORG", "acme"), ("GITHUB_TOKEN", "github-token")];
    let stage = Stage::start("github", &fake.url(), &variables, kept).await;
    (stage, github)
}

const NO_RENAME: &str = "a login is its owner's to change: refused";
const NOT_RENAMED: &str = "looks for the new name";

#[tokio::test]
async fn okta_s_life_cycle_leaves_in_the_organisation_what_it_wished() {
    for accepts in [true, false] {
        let (stage, github) = start(accepts).await;
        let names = json!({"ilse": "ilse-novak", "ilse2": "ilse-dvorak", "tomas": "tomas-rezek"});
        let without = [(7, NO_RENAME), (8, NOT_RENAMED), (11, NOT_RENAMED)];
        stage.play("okta", names, &without).await;
        let github = github.lock().unwrap();
        let members: Vec<&str> = github.memberships.keys().map(String::as_str).collect();
        assert_eq!(members, ["ilse-novak", "tomas-rezek"]);
        assert!(github.teams.is_empty(), "{:?}", github.teams);
    }
}

#[tokio::test]
async fn entra_s_life_cycle_leaves_in_the_organisation_what_it_wished() {
    let (stage, github) = start(true).await;
    let names = json!({"jonas": "jonas-l", "jonas2": "jonas-b", "priya": "priya-r"});
    let without = [(8, NO_RENAME), (10, NOT_RENAMED)];
    stage.play("entra", names, &without).await;
    let github = github.lock().unwrap();
    let members: Vec<&str> = github.memberships.keys().map(String::as_str).collect();
    assert_eq!(members, ["jonas-l"], "priya is no member any more");
    assert!(github.teams.is_empty());
}

fn wish(name: &str) -> Option<Value> {
    Some(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name}))
}

#[tokio::test]
async fn who_is_taken_out_reads_as_inactive_and_can_come_back() {
    let (stage, github) = start(true).await;
    let (status, made) = stage.ask("POST", "/Users", wish("priya-r")).await;
    assert_eq!((status, &made["active"]), (201, &json!(true)), "{made}");
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    for wished in [false, true] {
        let (status, body) = stage
            .patch(
                &path,
                json!([{"op": "replace", "path": "active", "value": wished}]),
            )
            .await;
        assert!(status < 300, "{status} {body}");
        assert_eq!(
            github.lock().unwrap().memberships.contains_key("priya-r"),
            wished
        );
        let (status, read) = stage.ask("GET", &path, None).await;
        assert_eq!((status, &read["active"]), (200, &json!(wished)), "{read}");
    }
}

#[tokio::test]
async fn an_account_that_github_does_not_know_is_refused_in_words() {
    let (stage, _) = start(true).await;
    let (status, body) = stage.ask("POST", "/Users", wish("nobody-here")).await;
    assert_eq!(
        (status, &body["scimType"]),
        (400, &json!("invalidValue")),
        "{body}"
    );
    let detail = body["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("GitHub has no account of this name."),
        "{detail}"
    );
}

#[tokio::test]
async fn members_and_those_invited_by_name_are_listed_page_by_page() {
    let (stage, github) = start(true).await;
    for number in 0..140 {
        let login = format!("user-{number:03}");
        let mut github = github.lock().unwrap();
        let state = if number < 120 { "active" } else { "pending" };
        github.memberships.insert(login.clone(), state.into());
        github
            .accounts
            .insert(login.clone(), json!({"login": login, "id": 100 + number}));
    }
    let (status, all) = stage
        .ask("GET", "/Users?count=500&attributes=userName,active", None)
        .await;
    assert_eq!(
        (status, all["totalResults"].as_u64()),
        (200, Some(140)),
        "{all}"
    );
    let all = all["Resources"].as_array().unwrap();
    assert!(all.iter().all(|user| user["active"] == true));
}
