use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::mapping::{
    expression::Expression,
    fixture::{bare, each, rule, user},
    model::{AttributeRule, Form, OnUnknown, TablePairs, TypeMapping, ValueTable},
    path::{FieldPlace, JsonPath},
};

use super::*;

fn values(pairs: &[(Value, Value)], unknown: OnUnknown) -> ValueTable {
    ValueTable {
        pairs: TablePairs::Fixed(pairs.to_vec()),
        unknown_read: unknown.clone(),
        unknown_write: unknown,
    }
}

fn read_all(t: &TypeMapping, object: &Value) -> ReadResource {
    let settings = Map::from_iter([("domain".to_owned(), json!("x.org"))]);
    read(t, object, &settings, |_| true)
}

fn resource(rules: Vec<AttributeRule>, object: Value) -> Value {
    Value::Object(read_all(&user(rules), &object).resource.0)
}

#[test]
fn a_rule_reads_one_attribute() {
    let cases: Vec<(AttributeRule, Value, Value)> = vec![
        (
            rule("userName", "login"),
            json!({"login": "ada"}),
            json!({"userName": "ada"}),
        ),
        (rule("userName", "login"), json!({}), json!({})),
        (rule("userName", "login"), json!({"login": null}), json!({})),
        (
            rule("userName", "login"),
            json!({"login": ""}),
            json!({"userName": ""}),
        ),
        (
            rule("name.givenName", "first"),
            json!({"first": "Ada"}),
            json!({"name": {"givenName": "Ada"}}),
        ),
        (
            rule(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                "f[id=4].value",
            ),
            json!({"f": [{"id": 4, "value": "R"}]}),
            json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R"}}),
        ),
        (
            rule("emails[type eq \"work\"].value", "mail"),
            json!({"mail": "a@x"}),
            json!({"emails": [{"type": "work", "value": "a@x"}]}),
        ),
        (
            rule("emails.value", "mail"),
            json!({"mail": "a@x"}),
            json!({"emails": [{"value": "a@x"}]}),
        ),
        (
            rule("emails", "mail"),
            json!({"mail": "a@x"}),
            json!({"emails": [{"value": "a@x"}]}),
        ),
        (
            rule("emails", "m"),
            json!({"m": ["a@x", null, "b@x"]}),
            json!({"emails": [{"value": "a@x"}, {"value": "b@x"}]}),
        ),
        (rule("emails", "m"), json!({"m": []}), json!({})),
        (
            rule("emails", "m").form(Form::Joined(",".into())),
            json!({"m": "a@x, b@x"}),
            json!({"emails": [{"value": "a@x"}, {"value": "b@x"}]}),
        ),
        (
            rule("addresses[type eq \"work\"]", "address"),
            json!({"address": {"Locality": "Vienna", "secret": 1}}),
            json!({"addresses": [{"type": "work", "locality": "Vienna"}]}),
        ),
        (
            rule("name", "n"),
            json!({"n": {"GivenName": "Ada", "x": 1}}),
            json!({"name": {"givenName": "Ada"}}),
        ),
        (
            rule("active", "locked").values(values(
                &[(json!(true), json!(0)), (json!(false), json!(1))],
                OnUnknown::Refuse,
            )),
            json!({"locked": 1}),
            json!({"active": false}),
        ),
        (
            rule("meta.created", "c").form(Form::EpochSeconds),
            json!({"c": 0}),
            json!({"meta": {"created": "1970-01-01T00:00:00Z"}}),
        ),
        (
            AttributeRule::reading("name.formatted", "{first} {last}"),
            json!({"first": "A", "last": "L"}),
            json!({"name": {"formatted": "A L"}}),
        ),
        (
            AttributeRule::reading("name.formatted", "{first} {last}"),
            json!({"first": "A"}),
            json!({}),
        ),
        (
            AttributeRule::reading("active", "{not gone}"),
            json!({"gone": null}),
            json!({"active": true}),
        ),
        (
            AttributeRule::reading("profileUrl", "https://{settings.domain}/{id}"),
            json!({"id": 1}),
            json!({"profileUrl": "https://x.org/1"}),
        ),
        (
            AttributeRule {
                when_absent: Some(json!(true)),
                ..rule("active", "a")
            },
            json!({}),
            json!({"active": true}),
        ),
        (
            AttributeRule {
                when_absent: Some(json!(true)),
                ..rule("active", "a")
            },
            json!({"a": null}),
            json!({"active": true}),
        ),
        (
            AttributeRule {
                read: None,
                ..rule("password", "pw")
            },
            json!({"pw": "x"}),
            json!({}),
        ),
        (bare("title"), json!({"title": "x"}), json!({})),
    ];
    for (rule, object, expected) in cases {
        let at = rule.location.leaf().to_string();
        assert_eq!(
            resource(vec![rule], object.clone()),
            expected,
            "{at} {object}"
        );
    }
}

#[test]
fn several_rules_build_one_element_and_no_primary_is_invented() {
    let rules = vec![
        rule("emails[type eq \"work\"].value", "mail"),
        rule("emails[type eq \"work\"].display", "label"),
        rule("emails[type eq \"home\"].value", "other"),
        rule(
            "phoneNumbers[type eq \"mobile\" and primary eq true].value",
            "mobile",
        ),
    ];
    let object = json!({"mail": "a@x", "label": "A", "other": "b@x", "mobile": 123});
    assert_eq!(
        resource(rules, object),
        json!({
            "emails": [{"type": "work", "value": "a@x", "display": "A"}, {"type": "home", "value": "b@x"}],
            "phoneNumbers": [{"type": "mobile", "primary": true, "value": "123"}],
        })
    );
}

#[test]
fn all_elements_are_read_with_their_parts() {
    let mut contacts = each(
        "emails",
        "contacts",
        &[("value", "address"), ("type", "kind.label")],
    );
    if let Some(each) = &mut contacts.each {
        each.condition = Some(Expression::parse("medium == 'mail'").unwrap());
        each.parts[1].values = Some(values(&[(json!("work"), json!("office"))], OnUnknown::Drop));
    }
    let object = json!({"contacts": [
        {"medium": "mail", "address": "a@x", "kind": {"label": "office"}},
        {"medium": "fax", "address": "1"},
        {"medium": "mail", "address": "b@x", "kind": {"label": "moon"}},
        {"medium": "mail", "address": null},
    ]});
    assert_eq!(
        resource(vec![contacts], object),
        json!({"emails": [{"value": "a@x", "type": "work"}, {"value": "b@x"}]})
    );
    let plain = || each("roles", "roles", &[("value", "")]);
    assert_eq!(
        resource(vec![plain()], json!({"roles": ["a", 2]})),
        json!({"roles": [{"value": "a"}, {"value": "2"}]})
    );
    assert_eq!(resource(vec![plain()], json!({"roles": null})), json!({}));
    let mut write_only = plain();
    write_only.each.as_mut().unwrap().is_read = false;
    assert_eq!(
        resource(vec![write_only], json!({"roles": ["a"]})),
        json!({})
    );
}

#[test]
fn what_cannot_be_read_is_named_and_nothing_else_is_lost() {
    let t = user(vec![
        rule("userName", "login"),
        rule("active", "status").values(values(&[(json!(true), json!(1))], OnUnknown::Drop)),
        rule("name.givenName", "first"),
        rule("emails[type eq \"work\"].value", "mail"),
    ]);
    let read = read_all(
        &t,
        &json!({"login": "ada", "status": 9, "first": {"x": 1}, "mail": ["a"]}),
    );
    assert_eq!(Value::Object(read.resource.0), json!({"userName": "ada"}));
    assert_eq!(read.dropped, ["name.givenName", "active", "emails.value"]);
}

#[test]
fn references_are_listed_with_the_targets_ids() {
    let reference = |rule| AttributeRule {
        reference: Some("User".into()),
        ..rule
    };
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for at in ["manager", "manager.value"] {
        let t = user(vec![reference(rule(&format!("{urn}:{at}"), "boss.id"))]);
        let read = read_all(&t, &json!({"boss": {"id": 9}}));
        assert_eq!(
            Value::Object(read.resource.0),
            json!({urn: {"manager": {"value": "9"}}})
        );
        let [found] = read.references.as_slice() else {
            panic!("{:?}", read.references)
        };
        assert_eq!(found.path.to_string(), format!("{urn}:manager.value"));
        assert_eq!(
            (found.resource_type.as_str(), found.target_id.as_str()),
            ("User", "9")
        );
    }
    let none = read_all(
        &user(vec![reference(rule(&format!("{urn}:manager"), "boss"))]),
        &json!({"boss": null}),
    );
    assert!(none.references.is_empty() && none.resource.0.is_empty());
}

#[test]
fn only_wanted_attributes_are_read() {
    let t = user(vec![
        rule("userName", "login"),
        rule("name.givenName", "first"),
    ]);
    let object = json!({"login": "ada", "first": "Ada"});
    let read = read(&t, &object, &Map::new(), |path| path.attribute == "name");
    assert_eq!(
        Value::Object(read.resource.0),
        json!({"name": {"givenName": "Ada"}})
    );
}

#[test]
fn an_id_is_a_number_or_a_text() {
    let t = user(Vec::new());
    for (object, id) in [
        (json!({"id": 7}), Some("7")),
        (json!({"id": "a"}), Some("a")),
        (json!({"id": ""}), None),
        (json!({"id": null}), None),
        (json!({"id": true}), None),
        (json!([]), None),
    ] {
        assert_eq!(target_id(&t, &object).as_deref(), id, "{object}");
        assert_eq!(read_all(&t, &object).target_id.as_deref(), id);
    }
}

#[test]
fn scope_hide_and_gone_decide_what_exists() {
    let mut t = user(Vec::new());
    let settings = Map::from_iter([("org".to_owned(), json!(1))]);
    assert!(is_in_scope(&t, &json!({}), &settings) && !is_gone(&t, &json!({}), &settings));
    t.scope = Some(Expression::parse("org_id == settings.org").unwrap());
    t.hide = Some(Expression::parse("login|match('^sys') or broken|join(x)").unwrap());
    t.gone = Some(Expression::parse("deleted").unwrap());
    let exists = |object: Value| is_in_scope(&t, &object, &settings);
    assert!(exists(json!({"org_id": 1, "login": "ada"})));
    assert!(!exists(json!({"org_id": 2, "login": "ada"})));
    assert!(!exists(json!({"login": "ada"})));
    assert!(!exists(json!({"org_id": 1, "login": "system"})));
    assert!(
        !exists(json!({"org_id": 1, "login": ["x"]})),
        "a condition that fails hides"
    );
    assert!(is_gone(&t, &json!({"deleted": 1}), &settings));
    assert!(!is_gone(&t, &json!({"deleted": 0}), &settings));
}

#[test]
fn members_listed_by_the_group_are_read() {
    let field = |place: &str, id: Option<&str>| crate::mapping::model::MemberField {
        place: FieldPlace::parse(place).unwrap(),
        groups: Some(FieldPlace::parse("teams").unwrap()),
        id: id.map(|id| JsonPath::parse(id).unwrap()),
        is_group: Some(Expression::parse("kind == 'team'").unwrap()),
        element: None,
        at: crate::mapping::fixture::place(),
    };
    let object = json!({
        "ids": [1, "2", null, ""],
        "users": [{"id": 3}, {"id": 5, "kind": "team"}, {}],
        "one": "4",
    });
    let listed = |field: &crate::mapping::model::MemberField,
                  object: &Value|
     -> Vec<(Option<String>, bool)> {
        let listed = listed_members(field, object, &Names::new());
        listed.into_iter().map(|m| (m.id, m.is_group)).collect()
    };
    let id = |id: &str| Some(id.to_owned());
    assert_eq!(
        listed(&field("ids", None), &object),
        [(id("1"), false), (id("2"), false)]
    );
    assert_eq!(
        listed(&field("users", Some("id")), &object),
        [(id("3"), false), (id("5"), true), (None, false)]
    );
    assert_eq!(listed(&field("one", None), &object), [(id("4"), false)]);
    assert!(listed(&field("none", None), &object).is_empty());
    let both = json!({"ids": [1], "teams": [1, null]});
    assert_eq!(
        listed(&field("ids", None), &both),
        [(id("1"), false), (id("1"), true)]
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c@.]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof!["[a-c]", Just("id".to_owned()), Just("value".to_owned())],
                inner,
                0..4
            )
            .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_object_panics(object in any_json()) {
        let t = user(vec![
            rule("userName", "a"),
            rule("emails", "b"),
            rule("emails[type eq \"work\"].value", "a.b"),
            rule("emails[type eq \"work\"]", "c[0]"),
            rule("name", "c"),
            rule("active", "b"),
            rule("meta.created", "a").form(Form::EpochMilliseconds),
            rule("roles", "c").form(Form::Joined(",".into())),
            each("phoneNumbers", "a", &[("value", ""), ("type", "b")]),
            each("ims", "c", &[("value", "a[id=1].value")]),
        ]);
        let read = read_all(&t, &object);
        for (name, value) in &read.resource.0 {
            prop_assert!(!value.is_null(), "{}", name);
        }
    }
}
