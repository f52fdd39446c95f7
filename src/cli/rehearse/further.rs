//! What one provider's life cycle leaves untried and the first weeks of service bring: a login that is taken, a second group
//! of one person.
//!
//! In: a life cycle. Out: the same with further steps at its end. The people and groups in them are made as the life cycle
//! makes its own, with other names, so that an application's demands are met as far as the provider meets them.

use serde_json::{Map, Value, json};

use crate::cli::{
    Failure,
    replay::{Session, Step},
};

/// Adds the steps. Those about groups are left out where the provider makes none, or where it shall not.
///
/// # Errors
///
/// If the steps are not understood, which a test rules out.
pub fn add(session: &mut Session, with_groups: bool, most: Memberships) -> Result<(), Failure> {
    let made = |path: &str| session.steps.iter().find_map(|step| creates(step, path));
    let Some(person) = made("/Users") else {
        return Ok(());
    };
    let mut steps = people(&person);
    if let Some(group) = made("/Groups").filter(|_| with_groups) {
        let steps_of_groups = groups(&group).into_iter();
        steps.extend(steps_of_groups.filter(|step| most == Memberships::Any || !is_of_both(step)));
    }
    let further = json!({ "format": "scim-replay/1", "vars": variables(), "steps": steps });
    session.append(Session::parse("further steps", &further.to_string())?);
    Ok(())
}

/// In how many groups a person can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memberships {
    Any,
    /// One at most (`single = true`): the second takes the place of the first.
    One,
}

/// Whether a step supposes that somebody is in two groups.
fn is_of_both(step: &Value) -> bool {
    [FIRST_STILL, OUT_OF_FIRST]
        .iter()
        .any(|name| step["name"] == *name)
}

const FIRST_STILL: &str = "… and in the first still";
const OUT_OF_FIRST: &str = "take her out of the first";

/// What an operator can do about a further step that failed; absent for other steps.
pub fn mending(step: &str) -> Option<&'static str> {
    match step {
        TAKEN => Some(
            "say `unique = true` in the line of `userName`, or which answer means a duplicate: a rule with `is = \"uniqueness\"` in `[target.errors]`",
        ),
        TAKEN_GROUP => Some(
            "say `unique = true` in the group's line of `displayName`, or which answer means a duplicate: a rule with `is = \"uniqueness\"` in `[target.errors]`",
        ),
        SECOND_GROUP => Some(
            "see whether the call leaves the person's other groups as they are, in the form in which the application takes them: \"Groups\" in docs/mapping.md",
        ),
        _ => None,
    }
}

/// The body of a step that creates something without asking for a refusal.
fn creates(step: &Step, path: &str) -> Option<Map<String, Value>> {
    let body = step.body_of("POST", path)?;
    body.as_object().filter(|_| step.expects(201)).cloned()
}

fn variables() -> Value {
    json!({
        "further1": "vera.holm{{tag}}@{{domain}}",
        "further2": "juno.holm{{tag}}@{{domain}}",
        "furtherExt1": "{{uuid}}",
        "furtherExt2": "{{uuid}}",
        "furtherGroup1": "Early Shift{{tag}}",
        "furtherGroup2": "Late Shift{{tag}}",
        "furtherGroupExt1": "{{uuid}}",
        "furtherGroupExt2": "{{uuid}}",
    })
}

fn people(person: &Map<String, Value>) -> Vec<Value> {
    let rename = json!({ "op": "replace", "path": "userName", "value": "{{further1}}" });
    let mut renamed = patch("/Users/{{further2Id}}", &rename);
    renamed["name"] = TAKEN.into();
    renamed["expect"] = json!({ "status": 409 });
    vec![
        create(
            "a second person: create Vera",
            "/Users",
            another(person, "Vera", 1),
            "further1Id",
        ),
        create(
            "… and Juno",
            "/Users",
            another(person, "Juno", 2),
            "further2Id",
        ),
        renamed,
        json!({
            "name": "… who has her own login still",
            "request": { "method": "GET", "path": "/Users/{{further2Id}}" },
            "expect": {
                "status": 200,
                "body": [{ "path": "$.userName", "equals": "{{further2}}", "fold": true }],
            },
        }),
    ]
}

fn groups(group: &Map<String, Value>) -> Vec<Value> {
    let group_of = |number: u8| {
        let mut group = group.clone();
        group.insert(
            "displayName".into(),
            format!("{{{{furtherGroup{number}}}}}").into(),
        );
        if let Some(external) = group.get_mut("externalId") {
            *external = format!("{{{{furtherGroupExt{number}}}}}").into();
        }
        // A provider that makes groups with members goes on to do so.
        if let Some(Value::Array(members)) = group.get_mut("members")
            && !members.is_empty()
        {
            *members = vec![json!({ "value": "{{further1Id}}" })];
        }
        group
    };
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": "{{further1Id}}" }] });
    let remove = json!({ "op": "remove", "path": "members[value eq \"{{further1Id}}\"]" });
    let rename = json!({ "op": "replace", "path": "displayName", "value": "{{furtherGroup1}}" });
    let (first, second) = ("/Groups/{{furtherGroup1Id}}", "/Groups/{{furtherGroup2Id}}");
    let named = |name: &str, mut step: Value| {
        step["name"] = name.into();
        step
    };
    let has = |name: &str, path: &str| {
        json!({
            "name": name,
            "request": { "method": "GET", "path": path },
            "expect": {
                "status": 200,
                "body": [{ "path": "$.members[*].value", "equals": "{{further1Id}}" }],
            },
        })
    };
    let mut taken = named(TAKEN_GROUP, patch(second, &rename));
    // Many applications allow two groups of one name.
    taken["expect"] = json!({ "status": [200, 204, 409] });
    vec![
        create(
            "two groups for one person: the first",
            "/Groups",
            group_of(1),
            "furtherGroup1Id",
        ),
        create(
            "… and the second",
            "/Groups",
            group_of(2),
            "furtherGroup2Id",
        ),
        named("put Vera into the first", patch(first, &add)),
        named(SECOND_GROUP, patch(second, &add)),
        has("… who is in the second", second),
        has(FIRST_STILL, first),
        named(OUT_OF_FIRST, patch(first, &remove)),
        has("… who stays in the second", second),
        taken,
    ]
}

/// The body of another person than the life cycle's own.
fn another(person: &Map<String, Value>, given: &str, number: u8) -> Map<String, Value> {
    let login = format!("{{{{further{number}}}}}");
    let own = person.get("userName").cloned().unwrap_or_default();
    let mut body = Value::Object(person.clone());
    replace(&mut body, &own, &login);
    let full = format!("{given} Holm");
    for (place, text) in [
        ("/externalId", format!("{{{{furtherExt{number}}}}}")),
        ("/displayName", full.clone()),
        ("/nickName", given.to_owned()),
        ("/name/formatted", full),
        ("/name/givenName", given.to_owned()),
        ("/name/familyName", "Holm".to_owned()),
    ] {
        if let Some(value) = body.pointer_mut(place) {
            *value = text.into();
        }
    }
    // Numbers of employees are unique.
    if let Some(Value::Object(extension)) = body.get_mut(ENTERPRISE)
        && let Some(value) = extension.get_mut("employeeNumber")
    {
        *value = format!("{{{{run}}}}{number}").into();
    }
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// Puts another login in every place that has this one.
fn replace(value: &mut Value, own: &Value, login: &str) {
    match value {
        value if value == own => *value = login.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, own, login)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| replace(member, own, login)),
        _ => {}
    }
}

fn create(name: &str, path: &str, body: Map<String, Value>, capture: &str) -> Value {
    json!({
        "name": name,
        "request": { "method": "POST", "path": path, "body": body },
        "expect": { "status": 201 },
        "capture": { capture: "$.id" },
    })
}

fn patch(path: &str, operation: &Value) -> Value {
    json!({
        "request": {
            "method": "PATCH",
            "path": path,
            "body": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [operation],
            },
        },
        "expect": { "status": [200, 204] },
    })
}

/// Names of steps that have a mending of their own.
const TAKEN: &str = "rename Juno to Vera's login, which is taken: refused";
const TAKEN_GROUP: &str =
    "rename the second to the name of the first: refused or allowed, no failure";
const SECOND_GROUP: &str = "put Vera into the second, too";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[cfg(test)]
mod tests {
    use super::super::sessions;
    use super::*;

    #[test]
    fn every_life_cycle_gets_people_and_those_with_groups_get_groups() {
        for provider in sessions::PROVIDERS {
            for (with_groups, expected) in [(true, 13), (false, 4)] {
                let mut session = sessions::of(provider).unwrap_or_else(|_| panic!("{provider}"));
                let before = session.steps.len();
                add(&mut session, with_groups, Memberships::Any)
                    .unwrap_or_else(|_| panic!("{provider}"));
                let expected = if provider == "google" { 4 } else { expected };
                assert_eq!(session.steps.len() - before, expected, "{provider}");
                let names = session.steps.iter().map(|step| step.name.as_str());
                assert!(names.clone().any(|name| name == TAKEN), "{provider}");
            }
        }
    }

    #[test]
    fn another_person_has_nothing_that_is_the_first_ones_alone() {
        let person = json!({
            "userName": "{{u}}", "externalId": "7", "displayName": "Yara", "password": "{{password}}",
            "emails": [{ "value": "{{u}}", "type": "work" }], "name": { "givenName": "Yara" },
            ENTERPRISE: { "employeeNumber": "E1", "department": "R&D" },
        });
        let Value::Object(person) = person else {
            panic!()
        };
        let expected = json!({
            "userName": "{{further2}}", "externalId": "{{furtherExt2}}", "displayName": "Juno Holm", "password": "{{password}}",
            "emails": [{ "value": "{{further2}}", "type": "work" }], "name": { "givenName": "Juno" },
            ENTERPRISE: { "employeeNumber": "{{run}}2", "department": "R&D" },
        });
        assert_eq!(Value::Object(another(&person, "Juno", 2)), expected);
    }
}
