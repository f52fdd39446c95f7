//! A GitHub organisation, as GitHub's own description (`described/github.json`) has it: membership by invitation, teams with a
//! slug made of the name, `Link` paging, 404 for who is no member. Every call and every answer is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::{
    described::{Description, Watch},
    fake_target::{Act, Answer, FakeTarget, Seen},
    stage::Stage,
};

struct Github {
    description: Arc<Description>,
    /// Accounts of all of GitHub, by login.
    accounts: BTreeMap<String, Value>,
    /// `active` or `pending`.
    memberships: BTreeMap<String, String>,
    teams: BTreeMap<String, String>,
    team_members: BTreeMap<String, BTreeSet<String>>,
    /// Whether people are members at once, as with single sign-on.
    accepts: bool,
    /// People of child teams, by team: shown as its members too.
    inherited: BTreeMap<String, String>,
    /// Answers to the next calls that write, in place of what would be done.
    refusals: Vec<Answer>,
}

/// Whose token it is: an owner.
const SELF: &str = "acme-owner";

/// What GitHub answers although its description leaves it out.
const KNOWN: &[(&str, u16)] = &[
    ("", 401),
    ("", 429),
    ("PUT /orgs/{org}/memberships/{username}", 404),
    ("DELETE /orgs/{org}/teams/{team_slug}", 404),
    (
        "PUT /orgs/{org}/teams/{team_slug}/memberships/{username}",
        404,
    ),
    (
        "DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}",
        404,
    ),
];

impl Github {
    fn answer(&mut self, seen: &Seen, url: &str) -> Answer {
        if seen.header("authorization") != Some("Bearer github-token") {
            return message(401, "Bad credentials");
        }
        if seen.header("user-agent").is_none() || seen.header("x-github-api-version").is_none() {
            return message(403, "Request forbidden by administrative rules.");
        }
        if seen.method != "GET"
            && let Some(refusal) = self.refusals.pop()
        {
            return refusal;
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
            ("GET", ["user"]) => Answer::json(200, self.account(SELF)),
            ("GET", ["users", login]) => match self.accounts.get(*login) {
                Some(_) => Answer::json(200, self.account(login)),
                None => message(404, "Not Found"),
            },
            ("GET", ["orgs", "acme", "members"]) => page(seen, url, self.with_state("active")),
            ("GET", ["orgs", "acme", "invitations"]) => page(seen, url, self.invitations()),
            (method, ["orgs", "acme", "memberships", login]) => self.membership(method, login),
            (method, ["orgs", "acme", "teams", rest @ ..]) => self.team(method, rest, seen, url),
            _ => message(404, "Not Found"),
        }
    }

    fn account(&self, login: &str) -> Value {
        let account = self.accounts.get(login).cloned();
        let account = account.unwrap_or(json!({"login": login, "type": "User"}));
        self.description.filled("public-user", account)
    }

    fn brief(&self, login: &str) -> Value {
        let id = self
            .accounts
            .get(login)
            .map_or(1, |account| account["id"].as_u64().unwrap());
        let brief = json!({"login": login, "id": id, "type": "User", "site_admin": false});
        self.description.filled("simple-user", brief)
    }

    fn member(&self, login: &str, role: &str, inherited: bool) -> Value {
        let mut member = self.brief(login);
        member["role"] = json!(role);
        member["inherited"] = json!(inherited);
        member
    }

    fn with_state(&self, wanted: &str) -> Vec<Value> {
        let fitting = self
            .memberships
            .iter()
            .filter(|(_, state)| *state == wanted);
        fitting.map(|(login, _)| self.brief(login)).collect()
    }

    fn invitations(&self) -> Vec<Value> {
        let pending = self.with_state("pending").into_iter();
        let by_name =
            pending.map(|brief| json!({"id": brief["id"], "login": brief["login"], "email": null}));
        let by_mail = json!({"id": 99, "login": null, "email": "by-mail@corp.example"});
        let rows = by_name.chain([by_mail]).map(|mut row| {
            row["role"] = json!("direct_member");
            row["inviter"] = self.brief(SELF);
            self.description.filled("organization-invitation", row)
        });
        rows.collect()
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
            Some(state) => {
                let shown = json!({"state": state, "role": "member", "user": self.brief(login)});
                Answer::json(200, self.description.filled("org-membership", shown))
            }
            None => message(404, "Not Found"),
        }
    }

    fn team(&mut self, method: &str, rest: &[&str], seen: &Seen, url: &str) -> Answer {
        let description = Arc::clone(&self.description);
        let shown = |schema: &str, slug: &str, name: &str| {
            let team = json!({"id": name.len(), "slug": slug, "name": name, "privacy": "closed", "type": "organization"});
            description.filled(schema, team)
        };
        let full = |slug: &str, name: &str| shown("team-full", slug, name);
        match (method, rest) {
            ("GET", []) => page(
                seen,
                url,
                self.teams
                    .iter()
                    .map(|(slug, name)| shown("team", slug, name))
                    .collect(),
            ),
            ("POST", []) => {
                let name = seen.json()["name"].as_str().unwrap().to_owned();
                if self.teams.contains_key(&slug(&name)) {
                    return invalid("Team", "Name must be unique for this org");
                }
                self.teams.insert(slug(&name), name.clone());
                // Who makes a team is its maintainer.
                let members = BTreeSet::from([SELF.to_owned()]);
                self.team_members.insert(slug(&name), members);
                Answer::json(201, full(&slug(&name), &name))
            }
            (_, [team, ..]) if !self.teams.contains_key(*team) => message(404, "Not Found"),
            ("GET", [team]) => Answer::json(200, full(team, &self.teams[*team])),
            ("PATCH", [team]) => {
                let name = seen.json()["name"].as_str().unwrap().to_owned();
                if slug(&name) != *team && self.teams.contains_key(&slug(&name)) {
                    return invalid("Team", "Name must be unique for this org");
                }
                let status = if self.teams[*team] == name { 200 } else { 201 };
                let members = self.team_members.remove(*team).unwrap_or_default();
                self.teams.remove(*team);
                self.teams.insert(slug(&name), name.clone());
                self.team_members.insert(slug(&name), members);
                Answer::json(status, full(&slug(&name), &name))
            }
            ("DELETE", [team]) => {
                self.teams.remove(*team);
                self.team_members.remove(*team);
                Answer::empty(204)
            }
            ("GET", [team, "members"]) => {
                let members = self.team_members.get(*team).cloned().unwrap_or_default();
                let role = |login: &str| {
                    if login == SELF {
                        "maintainer"
                    } else {
                        "member"
                    }
                };
                let own = members.iter();
                let own = own.map(|login| self.member(login, role(login), false));
                let inherited = self.inherited.get(*team);
                let inherited = inherited.map(|login| self.member(login, "member", true));
                page(seen, url, own.chain(inherited).collect())
            }
            ("PUT", [team, "memberships", login]) => {
                if !self.accounts.contains_key(*login) {
                    return message(404, "Not Found");
                }
                let is_member = self
                    .memberships
                    .get(*login)
                    .is_some_and(|state| state == "active");
                let state = if is_member { "active" } else { "pending" };
                self.team_members
                    .entry((*team).into())
                    .or_default()
                    .insert((*login).into());
                let membership = json!({"state": state, "role": "member"});
                Answer::json(200, self.description.filled("team-membership", membership))
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
    let lower = name.to_lowercase();
    lower.replace(|letter: char| !letter.is_alphanumeric(), "-")
}

/// 422 as GitHub words it: the reason is in the list.
fn invalid(resource: &str, words: &str) -> Answer {
    let error =
        json!({"resource": resource, "code": "unprocessable", "field": "data", "message": words});
    Answer::json(
        422,
        json!({"message": "Validation Failed", "errors": [error], "documentation_url": "https://docs.github.com/rest"}),
    )
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
    let watch = Watch::new("github", KNOWN);
    let github = Arc::new(Mutex::new(Github {
        description: Arc::clone(&watch.description),
        accounts: BTreeMap::new(),
        memberships: BTreeMap::new(),
        teams: BTreeMap::new(),
        team_members: BTreeMap::new(),
        inherited: BTreeMap::new(),
        refusals: Vec::new(),
        accepts,
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
    let watching = watch.clone();
    let fake = FakeTarget::start(move |_, seen| {
        let url = format!("http://{}", seen.header("host").unwrap_or_default());
        let answer = shared.lock().unwrap().answer(seen, &url);
        watching.rest(seen, &answer);
        Act::Say(answer)
    })
    .await;
    let kept = "[target.budget]\nwrites = \"1000/s\"\n[user.attributes]\n'title' = { keep = true }\n'emails' = { keep = true }\n'phoneNumbers' = { keep = true }\n\
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' = { keep = true }\n";
    let variables = [("GITHUB_ORG", "acme"), ("GITHUB_TOKEN", "github-token")];
    let stage = Stage::start("github", &fake.url(), &variables, kept).await;
    (stage.watched(watch), github)
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

fn group(name: &str, members: &[&Value]) -> Option<Value> {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    Some(
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members}),
    )
}

#[tokio::test]
async fn the_token_s_own_account_does_not_stay_in_a_team_it_made() {
    let (stage, github) = start(true).await;
    let (_, priya) = stage.ask("POST", "/Users", wish("priya-r")).await;
    let (status, made) = stage
        .ask("POST", "/Groups", group("Route Planning", &[&priya["id"]]))
        .await;
    assert_eq!(status, 201, "{made}");
    let members = github.lock().unwrap().team_members["route-planning"].clone();
    assert_eq!(members, BTreeSet::from(["priya-r".to_owned()]));
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let (_, read) = stage.ask("GET", &path, None).await;
    assert_eq!(read["members"].as_array().unwrap().len(), 1, "{read}");
}

/// They cannot be taken out of the parent team.
#[tokio::test]
async fn people_of_child_teams_are_no_members_of_the_team() {
    let (stage, github) = start(true).await;
    let (_, made) = stage.ask("POST", "/Groups", group("Fleet", &[])).await;
    github
        .lock()
        .unwrap()
        .inherited
        .insert("fleet".into(), "jonas-l".into());
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let (status, read) = stage.ask("GET", &path, None).await;
    assert_eq!(status, 200, "{read}");
    assert!(read.get("members").is_none(), "{read}");
}

#[tokio::test]
async fn a_taken_team_name_is_a_duplicate() {
    let (stage, _) = start(true).await;
    let (status, _) = stage.ask("POST", "/Groups", group("Fleet", &[])).await;
    assert_eq!(status, 201);
    let (status, body) = stage.ask("POST", "/Groups", group("fleet!", &[])).await;
    assert_eq!(status, 201, "another slug: {body}");
    let (status, body) = stage.ask("POST", "/Groups", group("FLEET", &[])).await;
    assert_eq!(
        (status, &body["scimType"]),
        (409, &json!("uniqueness")),
        "{body}"
    );
    let (_, made) = stage.ask("POST", "/Groups", group("Depot", &[])).await;
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Fleet"}]);
    let (status, body) = stage.patch(&path, rename).await;
    assert_eq!(
        (status, &body["scimType"]),
        (409, &json!("uniqueness")),
        "{body}"
    );
}

/// A secondary limit is 403 or 429, and passes; the day's invitations are 422.
#[tokio::test]
async fn limits_are_waited_for_or_told_as_limits() {
    let (stage, github) = start(true).await;
    let secondary = message(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    );
    github.lock().unwrap().refusals = vec![secondary.header("Retry-After", "1")];
    let (status, body) = stage.ask("POST", "/Users", wish("priya-r")).await;
    assert_eq!(status, 201, "{body}");
    let over = invalid("OrganizationInvitation", "Over invitation rate limit");
    github.lock().unwrap().refusals = vec![over; 9];
    let (status, body) = stage.ask("POST", "/Users", wish("jonas-l")).await;
    assert!([429, 503].contains(&status), "{status} {body}");
}
