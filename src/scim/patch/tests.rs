use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::scim::{Attribute, Mutability, Schema, ScimType, builtin};

fn user_type() -> ResourceType {
    ResourceType::user(vec![builtin::enterprise_user()])
}

/// A resource type with what the built-in ones do not have.
fn device_type() -> ResourceType {
    let attributes = vec![
        Attribute::string("tags").multi_valued(),
        Attribute::string("serial").mutability(Mutability::Immutable),
        Attribute::complex(
            "owner",
            vec![
                Attribute::string("name").required(),
                Attribute::string("note"),
            ],
        ),
        Attribute::complex(
            "ports",
            vec![Attribute::string("value"), Attribute::string("speed")],
        )
        .multi_valued()
        .required(),
    ];
    let schema = Schema::new("urn:example:2.0:Device", "Device", "", attributes);
    ResourceType::new("Device", "/Devices", schema, Vec::new())
}

fn op(kind: PatchKind, path: &str, value: Value) -> PatchOp {
    let path = (!path.is_empty()).then(|| PatchPath::parse(path).unwrap());
    PatchOp::new(kind, path, Some(value).filter(|v| !v.is_null()))
}

fn add(path: &str, value: Value) -> PatchOp {
    op(PatchKind::Add, path, value)
}

fn replace(path: &str, value: Value) -> PatchOp {
    op(PatchKind::Replace, path, value)
}

fn remove(path: &str) -> PatchOp {
    op(PatchKind::Remove, path, Value::Null)
}

fn run(
    resource_type: &ResourceType,
    before: Value,
    operations: Vec<PatchOp>,
) -> Result<Value, Error> {
    let Value::Object(before) = before else {
        panic!("an object is expected");
    };
    let request = PatchRequest { operations };
    let mut after = apply(&request, resource_type, &Resource(before))?.0;
    after.shift_remove("schemas");
    Ok(Value::Object(after))
}

#[test]
fn operations_change_what_their_path_says() {
    let work = json!({ "type": "work", "value": "w" });
    let home = json!({ "type": "home", "value": "h", "primary": true });
    let cases = [
        // A new primary element takes the flag.
        (
            json!({ "emails": [home] }),
            vec![add(
                "emails",
                json!({ "type": "work", "value": "w", "primary": true }),
            )],
            json!({ "emails": [{ "type": "home", "value": "h", "primary": false }, { "type": "work", "value": "w", "primary": true }] }),
        ),
        // An element that is there gets the flag and no twin.
        (
            json!({ "emails": [home, work] }),
            vec![add(
                "emails",
                json!([{ "type": "work", "value": "w", "primary": true }]),
            )],
            json!({ "emails": [{ "type": "home", "value": "h", "primary": false }, { "type": "work", "value": "w", "primary": true }] }),
        ),
        (
            json!({ "emails": [home, work] }),
            vec![replace("emails[type eq \"work\"].primary", json!(true))],
            json!({ "emails": [{ "type": "home", "value": "h", "primary": false }, { "type": "work", "value": "w", "primary": true }] }),
        ),
        // A role that is there already, named by its value alone.
        (
            json!({ "roles": [{ "value": "admin", "display": "Admin" }] }),
            vec![add("roles", json!([{ "value": "admin" }]))],
            json!({ "roles": [{ "value": "admin", "display": "Admin" }] }),
        ),
        // Add merges into a selected element; replace takes its place.
        (
            json!({ "emails": [work] }),
            vec![add("emails[type eq \"work\"]", json!({ "display": "W" }))],
            json!({ "emails": [{ "type": "work", "value": "w", "display": "W" }] }),
        ),
        (
            json!({ "emails": [work] }),
            vec![replace("emails[type eq \"work\"]", json!({ "value": "x" }))],
            json!({ "emails": [{ "value": "x" }] }),
        ),
        // A sub-attribute of every element.
        (
            json!({ "emails": [work, home] }),
            vec![remove("emails.type")],
            json!({ "emails": [{ "value": "w" }, { "value": "h", "primary": true }] }),
        ),
        (
            json!({ "emails": [{ "type": "work" }] }),
            vec![remove("emails[type eq \"work\"].type")],
            json!({}),
        ),
        // Null and an empty list clear.
        (
            json!({ "title": "t" }),
            vec![op(PatchKind::Replace, "title", Value::Null)],
            json!({}),
        ),
        (
            json!({ "emails": [work] }),
            vec![replace("", json!({ "emails": [] }))],
            json!({}),
        ),
        (
            json!({ "title": "t" }),
            vec![add("", json!({ "title": null }))],
            json!({ "title": "t" }),
        ),
        (
            json!({ "name": { "givenName": "a", "familyName": "b" } }),
            vec![replace("name", json!({ "givenName": null }))],
            json!({ "name": { "familyName": "b" } }),
        ),
        (
            json!({ "name": { "givenName": "a" } }),
            vec![remove("name.givenName")],
            json!({}),
        ),
        (
            json!({}),
            vec![
                remove("name.givenName"),
                remove("emails.type"),
                remove("title"),
            ],
            json!({}),
        ),
        // What is readOnly may be said again, and `schemas` follows the content.
        (
            json!({ "id": "1", "groups": [{ "value": "g" }], "meta": { "version": "v", "resourceType": "User" } }),
            vec![add(
                "",
                json!({ "id": "1", "groups": [{ "value": "g" }], "meta": { "version": "v" }, "schemas": ["x"] }),
            )],
            json!({ "id": "1", "groups": [{ "value": "g" }], "meta": { "version": "v", "resourceType": "User" } }),
        ),
        (
            json!({}),
            vec![add(
                &format!("{}:manager", builtin::ENTERPRISE_USER),
                json!({ "value": "1", "displayName": "X" }),
            )],
            json!({ builtin::ENTERPRISE_USER: { "manager": { "value": "1" } } }),
        ),
    ];
    for (before, operations, after) in cases {
        let shown = format!("{operations:?}");
        assert_eq!(
            run(&user_type(), before, operations).unwrap(),
            after,
            "{shown}"
        );
    }
}

#[test]
fn operations_that_cannot_be_carried_out_say_why() {
    let user = json!({ "id": "1", "userName": "a", "groups": [{ "value": "g" }], "emails": [{ "type": "work", "value": "w" }] });
    let manager = format!("{}:manager", builtin::ENTERPRISE_USER);
    let cases = [
        (replace("id", json!("2")), ScimType::Mutability),
        (
            replace("", json!({ "meta": { "version": "x" } })),
            ScimType::Mutability,
        ),
        (
            add("groups", json!([{ "value": "h" }])),
            ScimType::Mutability,
        ),
        (remove("groups[value eq \"g\"]"), ScimType::Mutability),
        (
            replace(&format!("{manager}.displayName"), json!("x")),
            ScimType::Mutability,
        ),
        (remove("userName"), ScimType::Mutability),
        (replace("userName", json!("")), ScimType::InvalidValue),
        (
            op(PatchKind::Replace, "userName", Value::Null),
            ScimType::InvalidValue,
        ),
        (replace("active", json!("yes")), ScimType::InvalidValue),
        (replace("name", json!("x")), ScimType::InvalidValue),
        (
            replace("name", json!({ "nope": 1 })),
            ScimType::InvalidSyntax,
        ),
        (replace("", json!({ "nope": 1 })), ScimType::InvalidSyntax),
        (replace("nope", json!(1)), ScimType::InvalidPath),
        (replace("name.nope", json!(1)), ScimType::InvalidPath),
        (
            replace("name[givenName eq \"x\"]", json!({})),
            ScimType::InvalidPath,
        ),
        (
            replace("emails[nope eq \"x\"].value", json!("x")),
            ScimType::InvalidFilter,
        ),
        (
            replace("emails[type eq \"work\"].nope", json!("x")),
            ScimType::InvalidPath,
        ),
        (
            replace("emails[type eq \"home\"].value", json!("x")),
            ScimType::NoTarget,
        ),
        (add("ims.value", json!("x")), ScimType::NoTarget),
        (
            add(
                "emails",
                json!([{ "primary": true, "value": "a" }, { "primary": true, "value": "b" }]),
            ),
            ScimType::InvalidValue,
        ),
        (
            PatchOp::new(PatchKind::Remove, None, None),
            ScimType::NoTarget,
        ),
        (
            op(PatchKind::Remove, "emails", json!([{ "value": "w" }])),
            ScimType::InvalidSyntax,
        ),
        (add("", json!("x")), ScimType::InvalidSyntax),
    ];
    for (operation, kind) in cases {
        let shown = format!("{operation:?}");
        let error = run(&user_type(), user.clone(), vec![operation]).expect_err(&shown);
        assert_eq!(error.scim_type, Some(kind), "{shown}: {error}");
    }
}

#[test]
fn an_element_can_be_made_from_the_filter() {
    let create = |path: &str, value: Value| PatchOp {
        on_no_match: OnNoMatch::Create,
        ..replace(path, value)
    };
    let operations = vec![
        create("addresses[type eq \"work\"].locality", json!("L")),
        create("addresses[type eq \"work\"].region", json!("R")),
        create(
            "emails[type eq \"work\" and primary eq true].value",
            json!("w"),
        ),
        create("ims[type eq \"xmpp\"]", json!({ "value": "x" })),
        create("photos[type eq \"photo\"].value", Value::Null),
    ];
    let expected = json!({
        "addresses": [{ "type": "work", "locality": "L", "region": "R" }],
        "emails": [{ "type": "work", "primary": true, "value": "w" }],
        "ims": [{ "type": "xmpp", "value": "x" }],
    });
    assert_eq!(run(&user_type(), json!({}), operations).unwrap(), expected);
    for vague in [
        "emails[type eq \"work\" or value pr].value",
        "emails[type eq \"work\" and type eq \"home\"].value",
    ] {
        let error = run(&user_type(), json!({}), vec![create(vague, json!("w"))]).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::NoTarget), "{vague}");
    }
    let ignored = PatchOp {
        on_no_match: OnNoMatch::Ignore,
        ..replace("emails[type eq \"work\"].value", json!("w"))
    };
    assert_eq!(
        run(&user_type(), json!({}), vec![ignored]).unwrap(),
        json!({})
    );
}

#[test]
fn operators_own_schemas_follow_the_same_rules() {
    let device =
        json!({ "tags": ["a", "b"], "serial": "1", "ports": [{ "value": "1", "speed": "x" }] });
    let after = |operations| run(&device_type(), device.clone(), operations);
    let with = |name: &str, value: Value| {
        let mut device = device.clone();
        device[name] = value;
        device
    };
    assert_eq!(
        after(vec![add("tags", json!(["b", "c"]))]).unwrap(),
        with("tags", json!(["a", "b", "c"]))
    );
    assert_eq!(
        after(vec![remove("tags[value eq \"a\"]")]).unwrap(),
        with("tags", json!(["b"]))
    );
    assert_eq!(
        after(vec![remove("tags[value sw \"a\"]")]).unwrap(),
        with("tags", json!(["b"]))
    );
    assert_eq!(
        after(vec![replace("tags[value eq \"a\"].value", json!("z"))]).unwrap(),
        with("tags", json!(["z", "b"]))
    );
    assert_eq!(after(vec![add("serial", json!("1"))]).unwrap(), device);
    let kind = |operations| after(operations).unwrap_err().scim_type.unwrap();
    assert_eq!(
        kind(vec![replace("serial", json!("2"))]),
        ScimType::Mutability
    );
    assert_eq!(kind(vec![remove("serial")]), ScimType::Mutability);
    assert_eq!(kind(vec![remove("ports")]), ScimType::Mutability);
    assert_eq!(
        kind(vec![remove("ports[value eq \"1\"]")]),
        ScimType::Mutability
    );
    assert_eq!(
        kind(vec![replace("ports", json!([]))]),
        ScimType::InvalidValue
    );
    assert_eq!(
        kind(vec![add("owner.note", json!("n"))]),
        ScimType::InvalidValue
    );
    let group_type = ResourceType::group(Vec::new());
    let group = json!({ "displayName": "g", "members": [{ "value": "a" }] });
    let renamed = replace("members[value eq \"a\"].value", json!("b"));
    let error = run(&group_type, group, vec![renamed]).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::Mutability));
    let both = vec![add("owner.note", json!("n")), add("owner.name", json!("m"))];
    assert_eq!(
        after(both).unwrap(),
        with("owner", json!({ "note": "n", "name": "m" }))
    );
}

#[test]
fn bodies_are_read_to_the_letter() {
    let schemas = [request::PATCH_OP];
    let body = |operations: Value| json!({ "schemas": schemas, "Operations": operations });
    let one = |operation: Value| PatchRequest::parse(body(json!([operation])));
    assert!(one(json!({ "op": "remove", "path": "emails" })).is_ok());
    assert!(one(json!({ "op": "add", "path": "title", "value": null })).is_ok());
    let refused = [
        json!({ "op": "Add", "path": "title", "value": "x" }),
        json!({ "op": "move", "path": "title" }),
        json!({ "path": "title", "value": "x" }),
        json!({ "op": "add", "path": "title" }),
        json!({ "op": "add", "value": "x" }),
        json!({ "op": "add", "path": 7, "value": "x" }),
        json!({ "op": "remove", "path": "members", "value": [{ "value": "x" }] }),
        json!({ "op": "remove" }),
        json!("x"),
    ];
    for operation in refused {
        assert!(one(operation.clone()).is_err(), "{operation}");
    }
    assert!(
        PatchRequest::parse(json!({ "Operations": [{ "op": "remove", "path": "title" }] }))
            .is_err()
    );
    assert!(PatchRequest::parse(body(json!([]))).is_err());
    assert!(PatchRequest::parse(body(json!({}))).is_err());
    let many = |count: usize| {
        PatchRequest::parse(body(
            vec![json!({ "op": "remove", "path": "title" }); count].into(),
        ))
    };
    assert!(many(MAX_PATCH_OPERATIONS).is_ok());
    assert_eq!(many(MAX_PATCH_OPERATIONS + 1).unwrap_err().status, 413);
}

#[test]
fn members_are_split_from_the_rest() {
    let group_type = ResourceType::group(Vec::new());
    let split = |operations| PatchRequest { operations }.split_members(&group_type, "MEMBERS");
    let both = vec![
        add(
            "",
            json!({ "displayName": "g", "Members": [{ "value": "a" }] }),
        ),
        add(
            "members",
            json!([{ "value": "b" }, { "value": "c", "type": "User" }]),
        ),
        remove("members[value eq \"b\" or value eq \"d\"]"),
        replace("displayName", json!("h")),
    ];
    let found = split(both).unwrap();
    assert_eq!(
        found.add,
        [
            json!({ "value": "a" }),
            json!({ "value": "c", "type": "User" })
        ]
    );
    assert_eq!(found.remove, ["b", "d"]);
    let rest = vec![
        add("", json!({ "displayName": "g" })),
        replace("displayName", json!("h")),
    ];
    assert_eq!(found.rest.operations, rest);
    let need_the_list = [
        remove("members"),
        replace("members", json!([])),
        replace("", json!({ "members": [{ "value": "a" }] })),
        remove("members[display eq \"x\"]"),
        remove("members[value sw \"x\"]"),
        remove("members[value eq \"x\"].display"),
        add("members", json!("x")),
        add("members", json!([{ "type": "User" }])),
        op(PatchKind::Remove, "members", json!([{ "value": "x" }])),
    ];
    for operation in need_the_list {
        assert_eq!(split(vec![operation.clone()]), None, "{operation:?}");
    }
    assert_eq!(
        split(vec![replace("displayName", json!("h"))]).unwrap().add,
        Vec::<Value>::new()
    );
    let none = PatchRequest::default().split_members(&group_type, "displayName");
    assert_eq!(none, None);
}

#[test]
fn a_request_names_the_attributes_it_concerns() {
    let enterprise = builtin::ENTERPRISE_USER;
    let request = PatchRequest {
        operations: vec![
            add(
                "",
                json!({ "nickname": "n", enterprise: { "DEPARTMENT": "d" }, "nope": 1 }),
            ),
            replace("NAME.givenname", json!("g")),
            replace("emails[type eq \"work\"].value", json!("w")),
            remove(&format!("{enterprise}:manager")),
        ],
    };
    let paths = request.attributes(&user_type());
    let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
    let department = format!("{enterprise}:department");
    let manager = format!("{enterprise}:manager");
    assert_eq!(
        paths,
        [
            "emails",
            "name.givenName",
            "nickName",
            &department,
            &manager
        ]
    );
}

#[test]
fn many_members_cost_their_sum_not_their_product() {
    let group_type = ResourceType::group(Vec::new());
    let member = |n: usize| json!({ "value": format!("member-{n}") });
    let group =
        json!({ "displayName": "g", "members": (0..50_000).map(member).collect::<Vec<_>>() });
    let started = Instant::now();
    let one_by_one = (0..1000).map(|n| add("members", json!([member(49_500 + n)])));
    let after = run(&group_type, group.clone(), one_by_one.collect()).unwrap();
    assert_eq!(after["members"].as_array().unwrap().len(), 50_500);
    let removes = (0..1000).map(|n| remove(&format!("members[value eq \"MEMBER-{}\"]", n * 2)));
    let after = run(&group_type, group, removes.collect()).unwrap();
    assert_eq!(after["members"].as_array().unwrap().len(), 49_000);
    // Unoptimized it takes some 200 ms; the product would be 50 million comparisons, each way.
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}
