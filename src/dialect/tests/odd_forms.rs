//! Forms of no known client, which templates, proxies and hand-written clients bring.

use super::*;
use crate::scim::ScimType;

#[test]
fn paging_without_values_is_no_paging_and_an_empty_filter_stays() {
    for (query, expected) in [
        ("startIndex=&count=&SORTBY=&sortOrder=%20", &[][..]),
        ("count=&startIndex=3", &[("startIndex", "3")]),
        ("filter=&count=", &[("filter", "")]),
        ("cursor=", &[("cursor", "")]),
    ] {
        let mut notes = Notes::default();
        let pairs = Dialect::default().query_pairs(Some(query), &mut notes);
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(pairs, expected, "{query}");
    }
}

#[test]
fn a_filter_that_was_encoded_twice_is_decoded_twice_and_no_other_is() {
    let read = |query: &str| {
        let pairs = Dialect::default().query_pairs(Some(query), &mut Notes::default());
        pairs[0].1.clone()
    };
    let twice = "filter=userName%2520eq%2520%2522a%252Bb@example.com%2522";
    assert_eq!(read(twice), "userName eq \"a+b@example.com\"");
    let once = "filter=userName%20eq%20%22a%2520b%22";
    assert_eq!(read(once), "userName eq \"a%20b\"");
}

#[test]
fn members_that_name_nobody_stay_to_be_refused() {
    for value in [
        json!([{ "id": "u1" }]),
        json!([null]),
        json!([{}]),
        json!([""]),
        json!({ "display": "Ada" }),
    ] {
        let op = json!([{ "op": "replace", "path": "members", "value": value }]);
        let after = patched(&group_type(), &group(), operations(op)).unwrap();
        assert_eq!(after.0["members"], json!([{ "value": "" }]), "{value}");
    }
}

#[test]
fn a_display_alone_does_not_take_a_member_away() {
    let op = json!([{ "op": "replace", "path": "members[value eq \"u2\"]", "value": { "display": "Ada" } }]);
    let after = patched(&group_type(), &group(), operations(op)).unwrap();
    assert_eq!(after.0["members"], group().0["members"]);
}

#[test]
fn a_reference_may_be_a_location_alone() {
    let add = json!([{ "op": "add", "path": "members", "value": [
        { "$ref": "Users/u8" }, { "$ref": "https://scim.example/scim/v2/Groups/g%207" },
    ] }]);
    let after = patched(&group_type(), &group(), operations(add)).unwrap();
    let members = after.0["members"].as_array().unwrap();
    assert!(
        members.contains(&json!({ "value": "u8", "type": "User" })),
        "{members:?}"
    );
    assert!(
        members.contains(&json!({ "value": "g 7", "type": "Group" })),
        "{members:?}"
    );
}

#[test]
fn a_removal_of_a_location_alone_removes_that_member() {
    let remove =
        json!([{ "op": "remove", "path": "members", "value": [{ "$ref": "../Users/u2" }] }]);
    let after = patched(&group_type(), &group(), operations(remove)).map_err(|e| e.scim_type);
    let left = after.map(|group| group.0["members"].as_array().unwrap().len());
    assert_eq!(left, Ok::<_, Option<ScimType>>(2));
}

#[test]
fn a_removal_without_path_never_empties_a_list_it_does_not_spell_out() {
    let remove = |value: Value| {
        let op = json!([{ "op": "remove", "value": value }]);
        patched(&group_type(), &group(), operations(op)).map(|group| group.0["members"].clone())
    };
    let left = json!([{ "value": "u1" }, { "value": "u3" }]);
    for value in [
        json!({ "members": [{ "value": "u2" }] }),
        json!({ "Members": { "value": "u2" } }),
        json!({ "members": "u2" }),
    ] {
        assert_eq!(remove(value.clone()), Ok(left.clone()), "{value}");
    }
    assert_eq!(
        remove(json!({ "members": [] })),
        Ok(group().0["members"].clone())
    );
    for (value, kind) in [
        (json!({ "members": null }), ScimType::InvalidValue),
        (json!({ "members": "" }), ScimType::InvalidValue),
        (json!({ "members": {} }), ScimType::InvalidValue),
        (json!({ "members": [null] }), ScimType::InvalidValue),
        (json!({ "members.value": "u2" }), ScimType::NoTarget),
        (
            json!({ "members[value eq \"u2\"]": null }),
            ScimType::NoTarget,
        ),
        (json!({}), ScimType::NoTarget),
        (json!("members"), ScimType::NoTarget),
        (json!(["members"]), ScimType::NoTarget),
        (json!(null), ScimType::NoTarget),
    ] {
        let error = remove(value.clone()).unwrap_err();
        assert_eq!(error.scim_type, Some(kind), "{value}");
    }
}

#[test]
fn a_removal_without_path_takes_the_parts_it_names() {
    let old = resource(json!({
        "userName": "ada", "title": "Dr.", "name": { "givenName": "Ada", "familyName": "King" },
        ENTERPRISE: { "department": "Depot", "division": "North" },
    }));
    let op = json!([{ "op": "remove", "value": {
        "title": "x", "name": { "familyName": "y" }, ENTERPRISE: { "division": "z" },
    } }]);
    let after = patched(&user_type(), &old, operations(op)).unwrap();
    assert_eq!(after.0.get("title"), None);
    assert_eq!(after.0["name"], json!({ "givenName": "Ada" }));
    assert_eq!(after.0[ENTERPRISE], json!({ "department": "Depot" }));
}

#[test]
fn what_only_looks_like_a_plain_form_is_refused() {
    let one = |op: Value| {
        let read = Dialect::default().patch(
            &user_type(),
            Some("u1"),
            operations(json!([op])),
            &mut Notes::default(),
        );
        read.and_then(|request| {
            patch::apply(
                &request,
                &user_type(),
                &resource(json!({ "userName": "ada" })),
            )
        })
    };
    for op in [
        json!({ "op": "replace", "path": "/emails/0/value", "value": "a@b.example" }),
        json!({ "op": "add", "path": "/emails/-", "value": "a@b.example" }),
        json!({ "op": "replace", "path": "//active", "value": false }),
        json!({ "op": "replace", "path": "/", "value": false }),
        json!({ "op": "replace", "path": "active", "value": 2 }),
        json!({ "op": "replace", "path": "active", "value": -1 }),
        json!({ "op": "replace", "path": "active", "value": 0.0 }),
        json!({ "op": "replace", "path": "active", "value": "00" }),
        json!({ "op": "replace", "path": "active", "value": "no" }),
        json!({ "op": "replace", "path": "title", "value": { "value": "x", "type": "work" } }),
        json!({ "op": "replace", "path": "title", "value": { "value": { "value": "x" } } }),
        json!({ "op": "replace", "path": "title", "value": { "title": "x" } }),
    ] {
        assert!(one(op.clone()).is_err(), "{op}");
    }
    for body in [
        json!([]),
        json!([{ "active": false }]),
        json!({ "op": 1 }),
        json!({ "active": false }),
    ] {
        let read = Dialect::default().patch(
            &user_type(),
            Some("u1"),
            body.clone(),
            &mut Notes::default(),
        );
        assert!(read.is_err(), "{body}");
    }
    for filter in [
        "userName === \"a\"",
        "userName =! \"a\"",
        "userName == \"a\" & active eq true",
        "userName == \"a\" &&",
        "!active",
        "== \"a\"",
        "userName == ",
        "userName eq “a",
        "userName eq ‘a”",
        "userName <> \"a\"",
    ] {
        let read = Dialect::default().filter(&user_type(), filter, &mut Notes::default());
        assert!(read.is_err(), "{filter}: {read:?}");
    }
}
