//! The RFCs' own examples, and what their sentences say, as case files: `tests/rfc/<RFC>_<section>_<name>.json`.

#[path = "support/rfc_messages.rs"]
mod messages;

use std::fs;
use std::path::Path;

use scimgate::scim::bulk::{self, BulkLimits, BulkRequest};
use scimgate::scim::projection::Projection;
use scimgate::scim::query::{SortOrder, sort};
use scimgate::scim::replace::{ReplaceRules, replace};
use scimgate::scim::{
    AttributePath, Error, Filter, Matcher, PatchRequest, Resource, ResourceType, Schema, builtin,
    discovery, intake, patch,
};
use serde_json::{Map, Value, json};

#[test]
fn every_case_file_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 60, "case files are missing");
    for file in files {
        let case: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let title = case["title"].as_str().expect("a title");
        println!("{name}: {title}");
        match case["kind"].as_str().unwrap() {
            "create" => check_create(&name, &case),
            "replace" => check_replace(&name, &case),
            "patch" => check_patch(&name, &case),
            "filter" => check_filters(&name, &case),
            "sort" => check_sorting(&name, &case),
            "projection" => check_projections(&name, &case),
            "bulk" => check_bulk(&name, &case),
            "schemas" => check_schemas(&name, &case),
            "error" => messages::check_error(&name, &case),
            "list" => messages::check_list(&name, &case),
            "query" => messages::check_queries(&name, &case),
            "paths" => messages::check_paths(&name, &case),
            "config" => messages::check_config(&name, &case),
            "resource-types" => messages::check_resource_types(&name, &case),
            "bulk-response" => messages::check_bulk_response(&name, &case),
            "preconditions" => messages::check_preconditions(&name, &case),
            other => panic!("{name}: unknown kind {other}"),
        }
    }
}

fn check_create(name: &str, case: &Value) {
    let outcome = intake::resource(&resource_type(case), case["body"].clone(), true);
    check_outcome(name, case, outcome);
}

fn check_replace(name: &str, case: &Value) {
    let resource_type = resource_type(case);
    let outcome = intake::resource(&resource_type, case["body"].clone(), false)
        .and_then(|new| replace(&resource_type, &before(case), new, &ReplaceRules::default()));
    check_outcome(name, case, outcome);
}

fn check_patch(name: &str, case: &Value) {
    let resource_type = resource_type(case);
    let outcome = PatchRequest::parse(case["request"].clone())
        .and_then(|request| patch::apply(&request, &resource_type, &before(case)));
    check_outcome(name, case, outcome);
}

fn check_outcome(name: &str, case: &Value, outcome: Result<Resource, Error>) {
    match (outcome, case.get("error").and_then(Value::as_str)) {
        (Ok(after), None) => assert_eq!(Value::Object(after.0), case["after"], "{name}"),
        (Err(error), Some(expected)) => {
            let message = error.to_json();
            assert_eq!(message["scimType"], expected, "{name}: {error}");
            assert_eq!(message["status"], "400");
            assert!(error.detail.ends_with('.'), "{name}: {error}");
        }
        (outcome, expected) => panic!("{name}: {outcome:?}, but expected {expected:?}"),
    }
}

fn check_filters(name: &str, case: &Value) {
    let resource_type = resource_type(case);
    for case in cases(case) {
        let text = case.0["filter"].as_str().unwrap();
        let matcher = Filter::parse(text)
            .map_err(Error::from)
            .and_then(|filter| Matcher::compile(&filter, &resource_type));
        match (matcher, case.0.get("error")) {
            (Ok(matcher), None) => {
                let found = case
                    .1
                    .iter()
                    .filter(|r| matcher.matches(r))
                    .map(|r| &r["id"]);
                assert_eq!(
                    found.cloned().collect::<Value>(),
                    case.0["matches"],
                    "{name}: {text}"
                );
            }
            (Err(error), Some(expected)) => {
                assert_eq!(&error.to_json()["scimType"], expected, "{name}: {text}");
            }
            (matcher, _) => panic!("{name}: {text}: {matcher:?}"),
        }
    }
}

fn check_sorting(name: &str, case: &Value) {
    let resource_type = resource_type(case);
    for (wish, mut resources) in cases(case) {
        let by = AttributePath::parse(wish["by"].as_str().unwrap()).unwrap();
        let order = match wish["descending"].as_bool() {
            Some(true) => SortOrder::Descending,
            _ => SortOrder::Ascending,
        };
        match sort(&mut resources, &by, order, &resource_type) {
            Ok(()) => {
                let ids: Value = resources.iter().map(|r| r["id"].clone()).collect();
                assert_eq!(ids, wish["order"], "{name}: {by}");
            }
            Err(error) => assert_eq!(error.to_json()["scimType"], wish["error"], "{name}: {by}"),
        }
    }
}

fn check_projections(name: &str, case: &Value) {
    let resource_type = resource_type(case);
    let resource = case["resource"].as_object().unwrap();
    for wish in case["cases"].as_array().unwrap() {
        let names = |key: &str| -> Vec<String> {
            let names = wish[key].as_array().into_iter().flatten();
            names.map(|n| n.as_str().unwrap().to_owned()).collect()
        };
        let (attributes, excluded) = (names("attributes"), names("excluded"));
        let projection = Projection::parse(&resource_type, &attributes, &excluded);
        let projected = projection.apply(&resource_type, resource.clone());
        for (name, _) in resource {
            // What is in the answer must have been wanted, or its reading would have been saved.
            let is_extension = resource_type.extension(name).is_some();
            let is_wanted = projection.wants(name) || is_extension;
            assert!(is_wanted || !projected.contains_key(name), "{name}: {wish}");
        }
        assert_eq!(Value::Object(projected), wish["after"], "{name}: {wish}");
    }
}

fn check_bulk(name: &str, case: &Value) {
    let request = BulkRequest::parse(case["request"].clone(), &BulkLimits::default()).unwrap();
    let order = bulk::order(&request.operations);
    assert_eq!(json!(order.operations), case["order"], "{name}");
    let listed = |references: &[bulk::Reference]| -> Value {
        let listed = references.iter();
        listed
            .map(|r| json!([r.operation, r.pointer, r.bulk_id]))
            .collect()
    };
    assert_eq!(listed(&order.deferred), case["deferred"], "{name}");
    assert_eq!(listed(&order.unknown), case["unknown"], "{name}");
}

/// Every characteristic that the RFC gives must be ours; only what is listed as `beyond` may be added.
fn check_schemas(name: &str, case: &Value) {
    let ours = [
        builtin::user(),
        builtin::enterprise_user(),
        builtin::group(),
        builtin::service_provider_config(),
        builtin::resource_type(),
        builtin::schema(),
    ];
    let types = ours.map(|schema: Schema| ResourceType::new("Any", "/Any", schema, Vec::new()));
    let described = discovery::schemas(&types.iter().collect::<Vec<_>>(), "https://example.com/v2");
    let mut beyond = Vec::new();
    for theirs in case["schemas"].as_array().unwrap() {
        let id = theirs["id"].as_str().unwrap();
        let ours = described.iter().find(|s| s["id"] == id).expect(id);
        assert_eq!(ours["name"], theirs["name"], "{id}");
        assert_eq!(ours["description"], theirs["description"], "{id}");
        compare_attributes(
            &format!("{id}:"),
            &ours["attributes"],
            &theirs["attributes"],
            &mut beyond,
        );
    }
    beyond.sort();
    let mut listed: Vec<_> = case["beyond"].as_array().unwrap().clone();
    listed.sort_by_key(Value::to_string);
    assert_eq!(json!(beyond), json!(listed), "{name}");
}

fn compare_attributes(prefix: &str, ours: &Value, theirs: &Value, beyond: &mut Vec<String>) {
    let empty = Vec::new();
    let (ours, theirs) = (
        ours.as_array().unwrap_or(&empty),
        theirs.as_array().unwrap_or(&empty),
    );
    for our in ours {
        if !theirs.iter().any(|t| t["name"] == our["name"]) {
            beyond.push(format!("{prefix}{}", our["name"].as_str().unwrap()));
        }
    }
    for their in theirs {
        let name = format!("{prefix}{}", their["name"].as_str().unwrap());
        let our = ours
            .iter()
            .find(|o| o["name"] == their["name"])
            .expect(&name);
        for (key, value) in their.as_object().unwrap() {
            match key.as_str() {
                "subAttributes" => {
                    let prefix = format!("{name}.");
                    compare_attributes(&prefix, &our[key], value, beyond);
                }
                _ if is_misprint(&name, key) => {}
                _ if value == &json!([]) => assert!(our.get(key).is_none(), "{name} {key}"),
                _ => assert_eq!(&our[key], value, "{name} {key}"),
            }
        }
    }
}

/// Where §8.7 contradicts the text of the RFC, or itself.
fn is_misprint(name: &str, key: &str) -> bool {
    let name = name.rsplit(':').next().unwrap();
    match key {
        // §4.2: "displayName … REQUIRED."
        "required" => name == "displayName",
        // The description of `name` was copied to `description`.
        "description" => name == "description",
        // A list of types is multi-valued in `attributes` and must be in `subAttributes`.
        "multiValued" => name.ends_with("referenceTypes"),
        _ => false,
    }
}

/// Each case with the resources it is about.
fn cases(case: &Value) -> Vec<(Value, Vec<Map<String, Value>>)> {
    let resources = case["resources"].as_array().unwrap().iter();
    let resources: Vec<_> = resources.map(|r| r.as_object().unwrap().clone()).collect();
    let cases = case["cases"].as_array().unwrap().iter();
    cases.map(|c| (c.clone(), resources.clone())).collect()
}

fn before(case: &Value) -> Resource {
    Resource(case["before"].as_object().unwrap().clone())
}

fn resource_type(case: &Value) -> ResourceType {
    match case["resource_type"].as_str().unwrap() {
        "User" => ResourceType::user(vec![builtin::enterprise_user()]),
        "Group" => ResourceType::group(Vec::new()),
        other => panic!("unknown resource type {other}"),
    }
}
