use serde_json::json;

use super::*;
use crate::scim::{AttributeType, ScimType, builtin};

fn user_type() -> ResourceType {
    ResourceType::user(vec![builtin::enterprise_user()])
}

fn taken(body: Value) -> Result<Value, Error> {
    let resource = resource(&user_type(), body, true)?;
    Ok(Value::Object(resource.0))
}

#[test]
fn names_get_the_schemas_spelling_and_empty_values_go() {
    let body = json!({
        "SCHEMAS": [builtin::USER.to_uppercase(), builtin::ENTERPRISE_USER.to_uppercase()], "USERNAME": "a", "nickname": null, "emails": [],
        "Name": { "GIVENNAME": "b", "formatted": null }, "roles": [{ "value": "r", "display": null }, {}],
        "id": "x", "meta": { "version": "y" }, "groups": [{ "value": "g" }], "photos": null,
        builtin::ENTERPRISE_USER.to_lowercase(): { "DEPARTMENT": "d", "manager": { "displayName": "x" } },
    });
    let expected = json!({
        "schemas": [builtin::USER, builtin::ENTERPRISE_USER], "userName": "a", "name": { "givenName": "b" },
        "roles": [{ "value": "r" }], builtin::ENTERPRISE_USER: { "department": "d" },
    });
    assert_eq!(taken(body).unwrap(), expected);
}

#[test]
fn bodies_that_do_not_fit_the_schema_are_refused_by_name() {
    let cases = [
        (json!([]), ScimType::InvalidSyntax, "object"),
        (
            json!({ "userName": "a" }),
            ScimType::InvalidSyntax,
            "`schemas` is missing",
        ),
        (
            json!({ "schemas": [], "userName": "a" }),
            ScimType::InvalidSyntax,
            "must list",
        ),
        (
            json!({ "schemas": ["urn:x:y"], "userName": "a" }),
            ScimType::InvalidSyntax,
            "urn:x:y",
        ),
        (json!({ "nope": 1 }), ScimType::InvalidSyntax, "`nope`"),
        (
            json!({ "__proto__": {} }),
            ScimType::InvalidSyntax,
            "`__proto__`",
        ),
        (
            json!({ "name.givenName": "x" }),
            ScimType::InvalidSyntax,
            "`name.givenName`",
        ),
        (
            json!({ "name": { "nope": 1 } }),
            ScimType::InvalidSyntax,
            "`nope`",
        ),
        (
            json!({ "active": "true" }),
            ScimType::InvalidValue,
            "`active`",
        ),
        (json!({ "title": 7 }), ScimType::InvalidValue, "`title`"),
        (
            json!({ "emails": { "value": "x" } }),
            ScimType::InvalidValue,
            "`emails`",
        ),
        (
            json!({ "emails": ["x"] }),
            ScimType::InvalidValue,
            "`emails`",
        ),
        (json!({ "name": "x" }), ScimType::InvalidValue, "`name`"),
        (
            json!({ "profileUrl": "not a uri" }),
            ScimType::InvalidValue,
            "`profileUrl`",
        ),
        (
            json!({ "x509Certificates": [{ "value": "*" }] }),
            ScimType::InvalidValue,
            "`x509Certificates.value`",
        ),
        (
            json!({ "userName": " " }),
            ScimType::InvalidValue,
            "`userName` is required",
        ),
        (
            json!({ "userName": null }),
            ScimType::InvalidValue,
            "`userName` is required",
        ),
        (
            json!({ builtin::ENTERPRISE_USER: "x" }),
            ScimType::InvalidValue,
            "enterprise",
        ),
        (
            json!({ builtin::ENTERPRISE_USER: { "nope": 1 } }),
            ScimType::InvalidSyntax,
            "`nope`",
        ),
        (
            json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            ScimType::InvalidValue,
            "primary",
        ),
    ];
    for (mut body, kind, words) in cases {
        let is_about_schemas =
            words.contains("schemas") || words == "must list" || words == "urn:x:y";
        if let (Some(object), false) = (body.as_object_mut(), is_about_schemas) {
            let both = json!([builtin::USER, builtin::ENTERPRISE_USER]);
            object.entry("schemas").or_insert(both);
            object.entry("userName").or_insert(json!("a"));
        }
        let error = taken(body.clone()).unwrap_err();
        assert_eq!(error.scim_type, Some(kind), "{body}: {error}");
        assert!(error.detail.contains(words), "{body}: {error}");
    }
}

#[test]
fn values_must_have_their_attributes_type() {
    let of = |kind| Attribute::new("x", kind);
    let cases = [
        (AttributeType::Integer, json!(7), true),
        (AttributeType::Integer, json!(7.5), false),
        (AttributeType::Integer, json!("7"), false),
        (AttributeType::Decimal, json!(7.5), true),
        (AttributeType::DateTime, json!("2011-05-13T04:42:34Z"), true),
        (
            AttributeType::DateTime,
            json!("2011-05-13T04:42:34.123+02:00"),
            true,
        ),
        (AttributeType::DateTime, json!("2011-05-13T04:42:34"), true),
        (AttributeType::DateTime, json!("2011-05-13"), false),
        (
            AttributeType::DateTime,
            json!("2011-02-30T00:00:00Z"),
            false,
        ),
        (AttributeType::DateTime, json!("soon"), false),
        (AttributeType::Binary, json!("aGk="), true),
        (AttributeType::Binary, json!("a-_x"), true),
        (AttributeType::Binary, json!("a b"), false),
        (AttributeType::Reference, json!("../Users/1"), true),
        (AttributeType::Reference, json!("urn:a:b"), true),
        (AttributeType::Reference, json!(""), false),
        (AttributeType::Reference, json!("java script"), false),
        (AttributeType::Boolean, json!(0), false),
        (AttributeType::String, json!(["a"]), false),
    ];
    for (kind, value, fits) in cases {
        let taken = value::take(&of(kind), "x", value.clone());
        assert_eq!(taken.is_ok(), fits, "{kind:?} {value}");
    }
}

#[test]
fn what_a_put_clears_is_told_from_what_it_leaves_out() {
    let body = json!({
        "userName": "a", "ROLES": [], "title": null, "name": { "givenName": null, "familyName": "x" },
        builtin::ENTERPRISE_USER: { "manager": null, "department": "d" },
    });
    let paths: Vec<_> = cleared(&user_type(), &body)
        .iter()
        .map(ToString::to_string)
        .collect();
    let manager = format!("{}:manager", builtin::ENTERPRISE_USER);
    assert_eq!(paths, ["roles", "title", "name.givenName", &manager]);
}

#[test]
fn a_put_may_leave_out_what_cannot_change() {
    let serial = Attribute::string("serial")
        .required()
        .mutability(Mutability::Immutable);
    let attributes = vec![serial, Attribute::string("label").required()];
    let schema = Schema::new("urn:example:2.0:Device", "Device", "", attributes);
    let device_type = ResourceType::new("Device", "/Devices", schema, Vec::new());
    let body = |body: Value| {
        let mut body = body;
        body["schemas"] = json!(["urn:example:2.0:Device"]);
        body
    };
    assert!(resource(&device_type, body(json!({ "label": "l" })), false).is_ok());
    assert!(resource(&device_type, body(json!({ "label": "l" })), true).is_err());
    assert!(resource(&device_type, body(json!({ "serial": "1" })), false).is_err());
}

#[test]
fn a_required_extension_must_be_there() {
    let mut user_type = user_type();
    user_type.extensions[0].is_required = true;
    let mut body = json!({ "schemas": [builtin::USER], "userName": "a" });
    assert!(resource(&user_type, body.clone(), true).is_err());
    body[builtin::ENTERPRISE_USER] = json!({ "department": "d" });
    let unlisted = resource(&user_type, body.clone(), true).unwrap_err();
    assert!(unlisted.detail.contains("must list"), "{unlisted}");
    body["schemas"] = json!([builtin::USER, builtin::ENTERPRISE_USER]);
    assert!(resource(&user_type, body, true).is_ok());
}

#[test]
fn members_are_a_set() {
    let body = json!({
        "schemas": [builtin::GROUP], "displayName": "g",
        "members": [{ "value": "a" }, { "value": "b" }, { "value": "a", "display": "A" }],
    });
    let group = resource(&ResourceType::group(Vec::new()), body, true).unwrap();
    assert_eq!(
        group.0["members"],
        json!([{ "value": "a" }, { "value": "b" }])
    );
}
