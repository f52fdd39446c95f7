//! What holds for any input.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::diff::{changed, member_delta};
use super::intake::{self, JsonLimits};
use super::patch::{self, OnNoMatch, PatchKind, PatchOp, PatchRequest};
use super::{
    AttributePath, CompareOp, Filter, Matcher, PatchPath, Resource, ResourceType, builtin,
};

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,6}".prop_filter("a keyword", |n| {
        let n = n.to_ascii_lowercase();
        !["and", "or", "not"].contains(&n.as_str())
    })
}

fn path() -> impl Strategy<Value = AttributePath> {
    let urn = "urn:[a-z]{1,4}:[a-z0-9.-]{1,8}:[A-Za-z]{1,4}";
    (
        proptest::option::of(urn),
        name(),
        proptest::option::of(name()),
    )
        .prop_map(|(schema, attribute, sub_attribute)| AttributePath {
            schema,
            attribute,
            sub_attribute,
        })
}

fn operand() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

/// Filters as the parser makes them: `and` in `and` is flat, value filters are not nested.
fn filter(has_value_paths: bool) -> BoxedStrategy<Filter> {
    let op = proptest::sample::select(CompareOp::ALL.to_vec());
    let mut leaf = prop_oneof![
        path().prop_map(Filter::Present),
        (path(), op, operand()).prop_map(|(p, o, v)| Filter::Compare(p, o, v)),
    ]
    .boxed();
    if has_value_paths {
        let value_path = (path(), filter(false))
            .prop_map(|(p, inner)| Filter::ValuePath(p.parent(), Box::new(inner)));
        leaf = prop_oneof![3 => leaf, 1 => value_path].boxed();
    }
    leaf.prop_recursive(4, 24, 4, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Filter::all),
            several.prop_map(Filter::any),
            inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    })
    .boxed()
}

/// Texts of which many are nearly filters or paths.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "emails",
        ".value",
        "[",
        "]",
        "(",
        ")",
        " ",
        " eq ",
        " pr",
        "\"x\"",
        "\"",
        "1",
        "true",
        "null",
        " and ",
        " or ",
        "not ",
        "not(",
        "urn:a:2.0:User:",
        ".",
        ":",
        "'",
        "\\",
        "é",
        "True",
        "-1e9",
        "$ref",
        "1e999",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..14)
        .prop_map(|pieces| pieces.concat())
}

fn user_type() -> ResourceType {
    ResourceType::user(vec![builtin::enterprise_user()])
}

fn patch_path() -> impl Strategy<Value = Option<String>> {
    let enterprise = builtin::ENTERPRISE_USER;
    let mut paths: Vec<Option<String>> = [
        "userName",
        "nickname",
        "NAME",
        "name.givenName",
        "emails",
        "emails[type eq \"work\"]",
        "emails.type",
        "emails[type eq \"work\"].value",
        "emails[primary eq true].primary",
        "emails[value sw \"a\"]",
        "roles",
        "roles[value eq \"a\" or value eq \"b\"]",
        "active",
        "id",
        "meta",
        "groups",
        "schemas",
        "password",
        "addresses[type eq \"home\" and locality pr].region",
        "photos.value",
        "nope",
        "x509Certificates",
        "externalId",
    ]
    .iter()
    .map(|p| Some((*p).to_owned()))
    .collect();
    paths.extend(
        ["", ":manager", ":manager.value", ":department"].map(|p| Some(format!("{enterprise}{p}"))),
    );
    paths.push(None);
    proptest::sample::select(paths)
}

fn patch_value() -> impl Strategy<Value = Option<Value>> {
    let element = json!({ "value": "a", "type": "work", "primary": true });
    let values = vec![
        None,
        Some(Value::Null),
        Some(json!("a")),
        Some(json!("")),
        Some(json!(true)),
        Some(json!(7)),
        Some(json!([])),
        Some(json!({})),
        Some(element.clone()),
        Some(json!([element])),
        Some(json!([{ "value": "b", "type": "home" }, { "value": "c", "display": null }])),
        Some(json!({ "givenName": "A", "FAMILYNAME": "B" })),
        Some(json!({ "givenName": null })),
        Some(json!({ "type": "home", "region": "CA", "locality": "L" })),
        Some(json!({ "nickName": "n", "emails": [{ "value": "z" }], "active": false })),
        Some(
            json!({ builtin::ENTERPRISE_USER: { "department": "d", "manager": { "value": "1" } } }),
        ),
        Some(json!({ "department": "d", "costCenter": null })),
        Some(json!({ "unknown": { "deep": [1, 2, { "x": [] }] } })),
    ];
    proptest::sample::select(values)
}

fn patch_request() -> impl Strategy<Value = PatchRequest> {
    let kind =
        proptest::sample::select(vec![PatchKind::Add, PatchKind::Replace, PatchKind::Remove]);
    let on_no_match = proptest::sample::select(vec![
        OnNoMatch::NoTarget,
        OnNoMatch::Create,
        OnNoMatch::Ignore,
    ]);
    let operation = (kind, patch_path(), patch_value(), on_no_match).prop_map(
        |(op, path, value, on_no_match)| PatchOp {
            op,
            path: path.map(|p| PatchPath::parse(&p).unwrap()),
            value: value.filter(|_| op != PatchKind::Remove),
            on_no_match,
        },
    );
    proptest::collection::vec(operation, 1..5).prop_map(|operations| PatchRequest { operations })
}

/// A resource after `request`, as far as its operations can be carried out one by one.
fn patched(
    request: &PatchRequest,
    resource_type: &ResourceType,
    mut resource: Resource,
) -> Resource {
    for operation in &request.operations {
        let one = PatchRequest {
            operations: vec![operation.clone()],
        };
        if let Ok(after) = patch::apply(&one, resource_type, &resource) {
            resource = after;
        }
    }
    resource
}

fn user() -> Resource {
    let user = json!({
        "schemas": [builtin::USER], "id": "1", "userName": "a", "externalId": "x",
        "emails": [{ "value": "a", "type": "work" }, { "value": "b", "type": "home", "primary": true }],
        "roles": [{ "value": "a" }, { "value": "b", "primary": true }], "groups": [{ "value": "g" }],
        "meta": { "resourceType": "User" },
    });
    match user {
        Value::Object(user) => Resource(user),
        _ => Resource::default(),
    }
}

proptest! {
    #[test]
    fn a_printed_filter_reads_as_the_same_filter(filter in filter(true)) {
        let text = filter.to_string();
        prop_assume!(text.len() <= super::filter::MAX_FILTER_BYTES);
        prop_assert_eq!(&Filter::parse(&text).unwrap(), &filter);
        prop_assert_eq!(Filter::parse_tolerant(&text).unwrap(), (filter, vec![]));
    }

    #[test]
    fn another_implementation_reads_our_filters(filter in filter(true)) {
        let text = filter.to_string();
        prop_assume!(text.len() <= super::filter::MAX_FILTER_BYTES);
        let theirs = text.parse::<scim_v2::filter::Filter>();
        prop_assert!(theirs.is_ok(), "{}: {:?}", text, theirs.err());
    }

    #[test]
    fn what_both_implementations_read_they_print_alike(text in soup()) {
        if let (Ok(ours), Ok(theirs)) = (Filter::parse(&text), text.parse::<scim_v2::filter::Filter>()) {
            prop_assert_eq!(Filter::parse(&theirs.to_string()).unwrap(), ours);
        }
    }

    #[test]
    fn a_printed_path_reads_as_the_same_path(path in path(), filter in filter(false), sub in proptest::option::of(name())) {
        prop_assert_eq!(&AttributePath::parse(&path.to_string()).unwrap(), &path);
        let patch_path = PatchPath { path: path.parent(), filter: Some(filter), sub_attribute: sub };
        let text = patch_path.to_string();
        prop_assume!(text.len() <= super::path::MAX_PATH_BYTES);
        prop_assert_eq!(PatchPath::parse(&text).unwrap(), patch_path);
        prop_assert!(text.parse::<scim_v2::filter::PatchPath>().is_ok(), "{}", text);
    }

    #[test]
    fn parsers_survive_any_text(text in any::<String>(), soup in soup()) {
        for text in [text, soup] {
            let _ = AttributePath::parse(&text);
            let _ = PatchPath::parse(&text);
            let _ = PatchPath::parse_tolerant(&text);
            let _ = intake::parse_json(text.as_bytes(), &JsonLimits::default());
            let _ = super::version::Precondition::parse(&text);
            if let Ok((filter, _)) = Filter::parse_tolerant(&text) {
                prop_assert_eq!(&Filter::parse(&filter.to_string()).unwrap(), &filter);
                if let Ok(matcher) = Matcher::compile(&filter, &user_type()) {
                    let _ = matcher.matches(&user().0);
                }
            }
        }
    }

    #[test]
    fn a_patched_resource_is_valid(request in patch_request()) {
        let user_type = user_type();
        let after = patched(&request, &user_type, user());
        prop_assert_eq!(&after.0["id"], "1");
        prop_assert_eq!(&after.0["groups"], &user().0["groups"]);
        let mut body = after.0.clone();
        for read_only in ["id", "meta", "groups"] {
            body.shift_remove(read_only);
        }
        let taken = intake::resource(&user_type, Value::Object(body.clone()), true).unwrap();
        prop_assert_eq!(taken.0, body);
        let _ = request.attributes(&user_type);
    }

    #[test]
    fn a_patch_changes_only_what_it_names(request in patch_request()) {
        let user_type = user_type();
        if let Ok(after) = patch::apply(&request, &user_type, &user()) {
            let named = request.attributes(&user_type);
            for path in changed(&user_type, &user(), &after) {
                let is_named = named.iter().any(|n| n.is_same_attribute(&path));
                prop_assert!(is_named, "{} is not in {:?}", path, named);
            }
            // What came out is what the same request leaves alone.
            prop_assert_eq!(changed(&user_type, &after, &after), vec![]);
        }
    }

    #[test]
    fn a_patch_of_members_needs_no_list(
        present in proptest::collection::btree_set("[a-e]", 0..5),
        steps in proptest::collection::vec((any::<bool>(), proptest::collection::vec("[a-e]", 1..3)), 1..6),
    ) {
        let group_type = ResourceType::group(vec![]);
        let operations = steps.iter().map(|(adds, values)| {
            if *adds {
                let members: Value = values.iter().map(|v| json!({ "value": v })).collect();
                PatchOp::new(PatchKind::Add, Some(PatchPath::parse("members").unwrap()), Some(members))
            } else {
                let terms: Vec<_> = values.iter().map(|v| format!("value eq \"{v}\"")).collect();
                let path = PatchPath::parse(&format!("members[{}]", terms.join(" or "))).unwrap();
                PatchOp::new(PatchKind::Remove, Some(path), None)
            }
        });
        let request = PatchRequest { operations: operations.collect() };
        let split = request.split_members(&group_type, "members").unwrap();
        prop_assert!(split.rest.operations.is_empty());
        let members: Vec<Value> = present.iter().map(|v| json!({ "value": v })).collect();
        let mut group = Map::new();
        group.insert("displayName".to_owned(), "g".into());
        if !members.is_empty() {
            group.insert("members".to_owned(), members.clone().into());
        }
        let after = patch::apply(&request, &group_type, &Resource(group)).unwrap();
        let after = after.0.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
        let values = |members: &[Value]| -> BTreeSet<String> {
            members.iter().map(|m| m["value"].as_str().unwrap().to_owned()).collect()
        };
        let mut expected = present.clone();
        expected.retain(|v| !split.remove.contains(v));
        expected.extend(values(&split.add));
        prop_assert_eq!(values(&after), expected);
        let delta = member_delta(&members, &after);
        let mut moved = present;
        moved.retain(|v| !delta.remove.contains(v));
        moved.extend(values(&delta.add));
        prop_assert_eq!(values(&after), moved);
    }
}
