//! What a lenient reading must never do.

use super::*;
use crate::scim::ScimType;

fn members_left(operation: Value) -> Result<usize, Option<ScimType>> {
    let after = patched(&group_type(), &group(), operations(json!([operation])));
    let members = |group: Resource| {
        group
            .0
            .get("members")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    after.map(members).map_err(|error| error.scim_type)
}

#[test]
fn a_removal_removes_what_it_names_and_all_only_without_a_value() {
    let invalid = Err(Some(ScimType::InvalidValue));
    for (value, left) in [
        (json!([{"value": "u2"}]), Ok(2)),
        (json!({"value": "u2"}), Ok(2)),
        (json!("u2"), Ok(2)),
        (json!(["u2", "u3"]), Ok(1)),
        (
            json!([{"$ref": null, "value": "u2", "display": "Ada"}]),
            Ok(2),
        ),
        (json!([{"value": "u9"}]), Ok(3)),
        (json!([]), Ok(3)),
        (json!(["members"]), Ok(3)),
        // A removal that reads as success must not leave somebody in.
        (json!([{}]), invalid),
        (json!([{"value": ""}]), invalid),
        (json!([{"value": null}]), invalid),
        (json!([{"display": "Ada"}]), invalid),
        (json!({"members": [{"value": "u2"}]}), invalid),
        (json!([{"value": "u2"}, null]), invalid),
        (json!([null]), invalid),
        (json!([[]]), invalid),
        (json!(null), invalid),
        (json!(""), invalid),
        (json!(true), invalid),
    ] {
        let operation = json!({"op": "remove", "path": "members", "value": value});
        assert_eq!(members_left(operation), left, "{value}");
    }
    assert_eq!(
        members_left(json!({"op": "remove", "path": "members"})),
        Ok(0)
    );
}

#[test]
fn a_removal_by_value_is_refused_rather_than_taken_to_the_letter_when_switched_off() {
    let settings = Settings {
        off: BTreeSet::from(["N6".to_owned()]),
        ..Settings::default()
    };
    let body = operations(json!([{"op": "remove", "path": "members", "value": [{"value": "u1"}]}]));
    let error = Dialect::new(&settings)
        .patch(&group_type(), None, body, &mut Notes::default())
        .unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
}

#[test]
fn what_may_be_a_template_gone_wrong_does_not_empty_a_list() {
    for value in [json!(""), json!([{"value": ""}])] {
        let operation = json!({"op": "replace", "path": "members", "value": value});
        assert_ne!(members_left(operation), Ok(0), "{value}");
    }
    assert_eq!(
        members_left(json!({"op": "replace", "path": "members", "value": []})),
        Ok(0)
    );
    assert_eq!(
        members_left(json!({"op": "replace", "path": "members", "value": null})),
        Ok(0)
    );
}

#[test]
fn another_id_than_the_resources_is_refused_and_an_equal_one_ignored() {
    let mutability = Err(Some(ScimType::Mutability));
    for (id, expected) in [
        (json!("g1"), Ok(3)),
        (json!("g2"), mutability),
        (json!(["g1"]), mutability),
    ] {
        let operation = json!({"op": "replace", "value": {"id": id, "displayName": "Depot 2"}});
        assert_eq!(members_left(operation), expected, "{id}");
    }
}

#[test]
fn a_filter_that_is_not_understood_is_refused_and_says_why() {
    let dialect = Dialect::default();
    for (text, word) in [
        ("userNmae eq \"x\"", "`userName`"),
        ("emails[typ eq \"work\"].value eq \"x\"", "`type`"),
        (
            "urn:example:none:1.0:User:name eq \"x\"",
            "urn:example:none:1.0:User:name",
        ),
        ("shoeSize eq \"x\"", "`shoeSize`"),
        ("userName eq", "byte"),
        ("userName", "byte"),
        ("", "byte"),
        ("userName eq \"x\" or", "byte"),
        ("userName <> \"x\"", "byte"),
    ] {
        let error = dialect
            .filter(&user_type(), text, &mut Notes::default())
            .expect_err(text);
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter), "{text}");
        assert!(error.detail.contains(word), "{text}: {}", error.detail);
    }
}

#[test]
fn no_text_for_people_repeats_a_value() {
    const SECRET: &str = "hunter2";
    let (rt, dialect) = (user_type(), Dialect::default());
    let mut notes = Notes::default();
    for body in [
        json!([{"op": "replace", "path": format!("emails[value eq \"{SECRET}\"].vlaue"), "value": SECRET}]),
        json!([{"op": "replace", "path": format!("emials[value eq \"{SECRET}\"]"), "value": SECRET}]),
        json!([{"op": "replace", "value": {format!("emails[value eq \"{SECRET}\"].value"): SECRET}}]),
        json!([{"op": "replace", "path": "active", "value": SECRET}]),
        json!([{"op": SECRET, "path": "active"}]),
        json!([{"op": "remove", "path": "emails", "value": SECRET}]),
        json!([{"op": "add", "path": "roles", "value": [{"value": format!("{{\"value\":\"{SECRET}\"}}")}]}]),
        json!(SECRET),
    ] {
        if let Err(error) = dialect.patch(&rt, Some("u1"), operations(body), &mut notes) {
            assert!(!error.detail.contains(SECRET), "{}", error.detail);
        }
    }
    for note in &notes.0 {
        assert!(!note.message.contains(SECRET), "{}", note.message);
    }
    assert!(!notes.0.is_empty());
}

#[test]
fn a_flood_of_unknown_names_leaves_a_bounded_number_of_notes() {
    let many: serde_json::Map<String, Value> = (0..5_000)
        .map(|n| (format!("unknown{n}"), json!(n)))
        .collect();
    let mut notes = Notes::default();
    let body = Value::Object(many);
    let mended = Dialect::default().resource(&user_type(), body, true, &mut notes);
    assert!(mended.is_ok());
    assert!(notes.0.len() <= 100);
}

#[test]
fn a_name_in_its_own_place_goes_before_one_elsewhere() {
    let body = json!({
        "department": "root", "name.givenName": "dotted",
        "name": {"givenName": "own"},
        ENTERPRISE: {"department": "own"},
    });
    let mended = Dialect::default()
        .resource(&user_type(), body, true, &mut Notes::default())
        .unwrap();
    assert_eq!(mended["name"]["givenName"], "own");
    assert_eq!(mended[ENTERPRISE]["department"], "own");
}

#[test]
fn a_patch_that_is_none_is_refused() {
    let (rt, dialect) = (user_type(), Dialect::default());
    for (body, expected) in [
        (json!([]), ScimType::InvalidSyntax),
        (json!({}), ScimType::InvalidSyntax),
        (
            json!({"schemas": [PATCH_OP], "Operations": []}),
            ScimType::InvalidSyntax,
        ),
        (
            json!({"schemas": ["urn:scim:schemas:core:1.0"], "active": false}),
            ScimType::InvalidSyntax,
        ),
        (operations(json!(["x"])), ScimType::InvalidSyntax),
        (
            operations(json!([{"path": "title", "value": "x"}])),
            ScimType::InvalidSyntax,
        ),
        (
            operations(json!([{"op": "move", "path": "title", "value": "x"}])),
            ScimType::InvalidSyntax,
        ),
        (
            operations(json!([{"op": "replace", "path": "title"}])),
            ScimType::InvalidSyntax,
        ),
        (
            operations(json!([{"op": "replace", "value": "x"}])),
            ScimType::InvalidSyntax,
        ),
        (
            operations(json!([{"op": "remove", "value": "title"}])),
            ScimType::NoTarget,
        ),
        (
            operations(json!([{"op": "add", "path": "a b c", "value": "x"}])),
            ScimType::InvalidPath,
        ),
    ] {
        let shown = body.to_string();
        let error = dialect
            .patch(&rt, Some("u1"), body, &mut Notes::default())
            .expect_err(&shown);
        assert_eq!(error.scim_type, Some(expected), "{shown}");
    }
}
