//! Every file below `tests/dialects/` is a test: a request as a client sends it, and what becomes of it.
//!
//! `UPDATE_DIALECT_CASES=1 cargo test --test dialects` writes what is now, for cases and for `docs/dialects.md`; look at the
//! difference before it is committed. `docs/dialects.md` says what the members of a case mean.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use scimgate::{
    dialect::{Dialect, GroupGrant, Idp, Kind, Settings, catalogue, find, markdown},
    exchange::Notes,
    scim::{
        Error, Matcher, Resource, ResourceType, builtin, intake,
        patch::{self, OnNoMatch, PatchKind, PatchRequest},
        replace,
    },
};

#[test]
fn every_case_becomes_what_its_file_says() {
    let mut wrong = Vec::new();
    for (path, mut case) in cases() {
        let idp = idp_of(&path);
        let settings = Settings {
            idp,
            ..Settings::default()
        };
        let lenient = run_all(&case, &settings);
        let strict = run_all(
            &case,
            &Settings {
                is_strict: true,
                ..settings
            },
        );
        let is: [(&str, Value); 3] = [
            ("becomes", lenient.0),
            ("notes", lenient.1),
            ("strict", summary(&strict.0)),
        ];
        if is_updating() {
            case.extend(is.map(|(name, value)| (name.to_owned(), value)));
            write(&path, &case);
            continue;
        }
        for (member, value) in is {
            if case.get(member) != Some(&value) {
                wrong.push(format!(
                    "{}: `{member}` is\n{value:#}\ninstead of\n{:#}",
                    path.display(),
                    case.get(member).cloned().unwrap_or_default()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_client_that_is_not_recognised_gets_the_same_unless_a_meaning_changes() {
    if is_updating() {
        return; // The files are being written.
    }
    for (path, case) in cases() {
        let (becomes, _) = run_all(&case, &Settings::default());
        let quirk = find(text(&case, "quirk")).expect("a known quirk");
        let is_recognised_only = case.get("recognised-only") == Some(&Value::Bool(true));
        assert!(
            !is_recognised_only || quirk.kind == Kind::ChangesMeaning,
            "{}: only what changes a meaning may depend on the client",
            path.display()
        );
        let is_same = Some(&becomes) == case.get("becomes");
        assert_eq!(
            is_same,
            !is_recognised_only,
            "{}: {becomes:#}",
            path.display()
        );
    }
}

#[test]
fn a_quirk_that_is_switched_off_leaves_no_note() {
    if is_updating() {
        return; // The files are being written.
    }
    for (path, case) in cases() {
        let quirk = text(&case, "quirk");
        let Some(Value::Array(notes)) = case.get("notes") else {
            panic!("{}: no notes", path.display());
        };
        for note in notes.iter().filter_map(Value::as_str) {
            let settings = Settings {
                idp: idp_of(&path),
                off: BTreeSet::from([note.to_owned()]),
                ..Settings::default()
            };
            let (becomes, now) = run_all(&case, &settings);
            let is_there = now.as_array().is_some_and(|n| n.contains(&json!(note)));
            assert!(!is_there, "{}: {note} is off", path.display());
            assert!(
                note != quirk || Some(&becomes) != case.get("becomes") || note.starts_with("N"),
                "{}: nothing changed although {note} is off",
                path.display()
            );
        }
    }
}

#[test]
fn every_case_named_in_the_catalogue_exists_and_every_case_is_named() {
    if is_updating() {
        return; // The files are being written.
    }
    let named: BTreeSet<&str> = catalogue().iter().filter_map(|quirk| quirk.case).collect();
    let there: BTreeSet<String> = cases()
        .iter()
        .map(|(path, _)| {
            path.strip_prefix(root())
                .expect("below the root")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let missing: Vec<&&str> = named
        .iter()
        .filter(|case| !there.contains(**case))
        .collect();
    let unnamed: Vec<&String> = there
        .iter()
        .filter(|case| !named.contains(case.as_str()))
        .collect();
    assert!(missing.is_empty(), "no file: {missing:?}");
    assert!(unnamed.is_empty(), "not in the catalogue: {unnamed:?}");
    for quirk in catalogue() {
        let Some(case) = quirk.case else { continue };
        let (_, case) = read(&root().join(case));
        assert_eq!(text(&case, "quirk"), quirk.id);
    }
}

#[test]
fn the_page_for_operators_shows_the_catalogue() {
    const START: &str = "<!-- catalogue -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dialects.md");
    let page = fs::read_to_string(&path).expect("docs/dialects.md");
    let (front, shown) = page.split_once(START).expect("the mark of the catalogue");
    if is_updating() {
        fs::write(&path, format!("{front}{START}{}", markdown())).expect("writable");
        return;
    }
    assert_eq!(
        shown,
        markdown(),
        "run UPDATE_DIALECT_CASES=1 cargo test --test dialects"
    );
}

/// Runs every request of a case; they must all become the same. Otherwise one that does not become what the case says is given.
fn run_all(case: &Map<String, Value>, settings: &Settings) -> (Value, Value) {
    let before = case.get("before");
    let mut results: Vec<(Value, Value)> = requests(case)
        .iter()
        .map(|request| run(request, before, settings))
        .collect();
    if !settings.is_strict && settings.off.is_empty() {
        for (becomes, _) in &results {
            assert_eq!(becomes, &results[0].0, "{}", text(case, "title"));
        }
    }
    let notes: Vec<Value> = results
        .iter()
        .flat_map(|(_, notes)| notes.as_array().cloned().unwrap_or_default())
        .collect();
    let mut once: Vec<Value> = Vec::new();
    for note in notes {
        if !once.contains(&note) {
            once.push(note);
        }
    }
    // What is refused in one spelling is what counts when all of them are refused.
    if settings.is_strict {
        let first = results.swap_remove(0).0;
        let is_same = results
            .iter()
            .all(|(other, _)| summary(other) == summary(&first));
        let becomes = if is_same {
            first
        } else {
            json!({"error": "varies"})
        };
        return (becomes, Value::Array(once));
    }
    let other = results
        .iter()
        .position(|(becomes, _)| Some(becomes) != case.get("becomes"));
    (
        results.swap_remove(other.unwrap_or(0)).0,
        Value::Array(once),
    )
}

fn requests(case: &Map<String, Value>) -> Vec<Value> {
    match (case.get("request"), case.get("requests")) {
        (Some(request), None) => vec![request.clone()],
        (None, Some(Value::Array(requests))) => requests.clone(),
        _ => panic!("a case has `request` or `requests`"),
    }
}

fn run(request: &Value, before: Option<&Value>, settings: &Settings) -> (Value, Value) {
    let user_agent = request.get("user-agent").and_then(Value::as_str);
    let dialect = Dialect::new(settings).recognise(user_agent);
    let rt = resource_type(request["resource-type"].as_str().unwrap_or("User"));
    let mut notes = Notes::default();
    let result = match request["method"].as_str() {
        Some("GET") => get(&dialect, &rt, request, &mut notes),
        Some("POST") => write_body(&dialect, &rt, request, before, true, &mut notes),
        Some("PUT") => write_body(&dialect, &rt, request, before, false, &mut notes),
        Some("PATCH") => patch(&dialect, &rt, request, before, &mut notes),
        _ => panic!("a request has a method"),
    };
    let becomes = result.unwrap_or_else(|error| {
        json!({"error": {
            "status": error.status,
            "scimType": error.scim_type.map(|kind| kind.as_str()),
            "detail": error.detail,
        }})
    });
    let ids = notes.0.iter().map(|note| json!(note.quirk)).collect();
    (becomes, ids)
}

fn get(
    dialect: &Dialect,
    rt: &ResourceType,
    request: &Value,
    notes: &mut Notes,
) -> Result<Value, Error> {
    if let Some(header) = request.get("authorization").and_then(Value::as_str) {
        let is_bare = !header.starts_with("Bearer ");
        let is_understood = !is_bare || dialect.bare_token();
        if is_bare && is_understood {
            dialect.note_bare_token(notes);
        }
        return Ok(json!({ "token-understood": is_understood }));
    }
    let raw = request.get("query").and_then(Value::as_str);
    let pairs = dialect.query_pairs(raw, notes);
    let mut becomes = Map::new();
    for (name, value) in pairs {
        if name == "filter" {
            let filter = dialect.filter(rt, &value, notes)?;
            Matcher::compile(&filter, rt)?;
            becomes.insert(name, filter.to_string().into());
        } else {
            becomes.insert(name, value.into());
        }
    }
    Ok(Value::Object(becomes))
}

fn write_body(
    dialect: &Dialect,
    rt: &ResourceType,
    request: &Value,
    before: Option<&Value>,
    is_create: bool,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let body = request["body"].clone();
    let mended = dialect.resource(rt, body, is_create, notes)?;
    let resource = intake::resource(rt, mended.clone(), is_create)?;
    let Some(before) = before else {
        return Ok(Value::Object(resource.0));
    };
    let old = Resource(before.as_object().expect("an object").clone());
    let rules = dialect.replace_rules_for(rt, &mended, notes);
    let new = replace::replace(rt, &old, resource, &rules)?;
    Ok(Value::Object(
        dialect.settle_replace(rt, &old, new, notes).0,
    ))
}

fn patch(
    dialect: &Dialect,
    rt: &ResourceType,
    request: &Value,
    before: Option<&Value>,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let id = request["id"].as_str();
    let mut read = dialect.patch(rt, id, request["body"].clone(), notes)?;
    let grants = dialect.group_grants(rt, &mut read, notes);
    let mut becomes = Map::new();
    becomes.insert("operations".to_owned(), operations(&read));
    if !grants.is_empty() {
        becomes.insert("groups".to_owned(), grants.iter().map(grant).collect());
    }
    let before = before.cloned().unwrap_or_else(|| sample(rt));
    let old = Resource(before.as_object().expect("an object").clone());
    dialect.note_made_elements(rt, &read, &old, notes);
    let after = patch::apply(&read, rt, &old)?;
    becomes.insert("after".to_owned(), Value::Object(after.0));
    Ok(Value::Object(becomes))
}

fn operations(request: &PatchRequest) -> Value {
    let shown = |operation: &patch::PatchOp| {
        let mut shown = Map::new();
        let op = match operation.op {
            PatchKind::Add => "add",
            PatchKind::Replace => "replace",
            PatchKind::Remove => "remove",
        };
        shown.insert("op".to_owned(), op.into());
        if let Some(path) = &operation.path {
            shown.insert("path".to_owned(), path.to_string().into());
        }
        if let Some(value) = &operation.value {
            shown.insert("value".to_owned(), value.clone());
        }
        let on_no_match = match operation.on_no_match {
            OnNoMatch::NoTarget => return Value::Object(shown),
            OnNoMatch::Create => "create",
            OnNoMatch::Ignore => "ignore",
        };
        shown.insert("on-no-match".to_owned(), on_no_match.into());
        Value::Object(shown)
    };
    request.operations.iter().map(shown).collect()
}

fn grant(grant: &GroupGrant) -> Value {
    match grant {
        GroupGrant::Add(ids) => json!({ "add": ids }),
        GroupGrant::Remove(ids) => json!({ "remove": ids }),
        GroupGrant::Exactly(ids) => json!({ "exactly": ids }),
    }
}

/// What a case says of a strict dialect: `accepted`, or the kind of error.
fn summary(becomes: &Value) -> Value {
    match becomes.get("error") {
        None => json!("accepted"),
        Some(Value::String(text)) => json!(text),
        Some(error) => error["scimType"].clone(),
    }
}

fn resource_type(name: &str) -> ResourceType {
    match name {
        "User" => ResourceType::user(vec![builtin::enterprise_user()]),
        "Group" => ResourceType::group(Vec::new()),
        other => panic!("no such resource type: {other}"),
    }
}

/// What a PATCH is applied to unless a case says otherwise.
fn sample(rt: &ResourceType) -> Value {
    if rt.name == "Group" {
        return json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "id": "g1",
            "displayName": "Depot",
            "members": [{"value": "u1"}, {"value": "u2"}],
        });
    }
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "u1",
        "userName": "ilse@example.com",
        "active": true,
        "name": {"givenName": "Ilse", "familyName": "Novak"},
    })
}

/// Every case, in the order of their paths.
fn cases() -> Vec<(PathBuf, Map<String, Value>)> {
    let mut paths: Vec<PathBuf> = folders()
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn folders() -> Vec<PathBuf> {
    fs::read_dir(root())
        .expect("tests/dialects")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect()
}

fn read(path: &Path) -> (PathBuf, Map<String, Value>) {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (path.to_owned(), case)
}

fn write(path: &Path, case: &Map<String, Value>) {
    let text = serde_json::to_string_pretty(case).expect("JSON");
    fs::write(path, format!("{text}\n")).expect("writable");
}

fn idp_of(path: &Path) -> Option<Idp> {
    let folder = path.parent()?.file_name()?.to_str()?;
    if folder == "any" {
        return None;
    }
    Some(Idp::from_name(folder).unwrap_or_else(|| panic!("{folder} is no identity provider")))
}

fn text<'a>(case: &'a Map<String, Value>, member: &str) -> &'a str {
    case.get(member)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("a case has `{member}`"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects")
}

fn is_updating() -> bool {
    std::env::var_os("UPDATE_DIALECT_CASES").is_some()
}

#[test]
fn a_case_shows_its_quirk_since_nothing_else_does() {
    if is_updating() {
        return; // The files are being written.
    }
    let mut wrong = Vec::new();
    for (path, case) in cases() {
        let quirk = find(text(&case, "quirk")).expect("a known quirk");
        let is_standard = quirk.kind == Kind::Standard;
        // A strict dialect leaves the operations as they are; what they make of the resource counts.
        let result = |becomes: &Value| match becomes.get("after") {
            Some(after) if is_standard => after.clone(),
            _ => becomes.clone(),
        };
        let is_changed_by = |settings: Settings| {
            let all = requests(&case);
            let mut becomes = all
                .iter()
                .map(|one| run(one, case.get("before"), &settings).0);
            becomes.any(|one| result(&one) != result(&case["becomes"]))
        };
        let off = Settings {
            idp: idp_of(&path),
            off: BTreeSet::from([quirk.id.to_owned()]),
            ..Settings::default()
        };
        let strict = Settings {
            idp: idp_of(&path),
            is_strict: true,
            ..Settings::default()
        };
        // Of several quirks of one client that a mending has, the first is the name of its notes.
        let is_alike =
            |id: &str| find(id).is_some_and(|q| q.rule == quirk.rule && q.who() == quirk.who());
        let is_noted = case["notes"].as_array().is_some_and(|notes| {
            let mut ids = notes.iter().filter_map(Value::as_str);
            ids.any(|id| id == quirk.id || (quirk.rule.is_some() && is_alike(id)))
        });
        let holds = match quirk.kind {
            // What is refused for it leaves no note: it is the answer.
            Kind::ChangesMeaning if case["becomes"].get("error").is_some() => is_changed_by(off),
            Kind::Widens | Kind::ChangesMeaning => is_changed_by(off) && is_noted,
            _ => !is_changed_by(off) && !is_noted && !is_changed_by(strict),
        };
        if !holds {
            wrong.push(format!("{}: {}", quirk.id, path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
