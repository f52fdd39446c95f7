use std::borrow::Cow;

use proptest::prelude::*;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        expression::Expression,
        fixture::{bare, each, kept, operation, rule, user},
        model::{
            AttributeRule, FieldPlace, Form, MemberField, Members, OnUnknown, Send, TypeMapping,
            ValueTable, WhenRemoved,
        },
        names::Names,
        path::JsonPath,
        template::{Template, Tree},
    },
    scim::{AttributePath, Resource, ScimType},
};

use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn resource(value: Value) -> Resource {
    match value {
        Value::Object(map) => Resource(map),
        other => panic!("{other} is no resource"),
    }
}

fn paths(texts: &[&str]) -> Vec<AttributePath> {
    texts
        .iter()
        .map(|t| AttributePath::parse(t).unwrap())
        .collect()
}

fn created(t: &mut TypeMapping, wish: Value) -> Result<Value, WriteError> {
    t.create = Some(operation("user.create", Send::Changed, &[]));
    let mut names = Names::new();
    names.random("abcdefghijklmnop");
    let op = t.create.as_ref().unwrap();
    fields(t, op, &resource(wish), Wish::Create, None, &names).map(Value::Object)
}

/// The body of the first update.
fn updated(
    t: &TypeMapping,
    changed: &[&str],
    old: Value,
    new: Value,
    present: Option<Value>,
) -> Result<Value, WriteError> {
    let (old, changed) = (resource(old), paths(changed));
    let wish = Wish::Update {
        changed: &changed,
        old: &old,
    };
    fields(
        t,
        &t.updates[0],
        &resource(new),
        wish,
        present.as_ref(),
        &Names::new(),
    )
    .map(Value::Object)
}

fn with_update(rules: Vec<AttributeRule>, send: Send) -> TypeMapping {
    let mut t = user(rules);
    t.updates = vec![operation("user.update", send, &[])];
    t
}

fn on_off(unknown_write: OnUnknown) -> ValueTable {
    ValueTable {
        pairs: vec![(json!(true), json!(1)), (json!(false), json!(3))],
        unknown_read: OnUnknown::Drop,
        unknown_write,
    }
}

#[test]
fn a_create_sends_what_has_a_value() {
    let cases: Vec<(AttributeRule, Value, Value)> = vec![
        (
            rule("userName", "login"),
            json!({"userName": "ada"}),
            json!({"login": "ada"}),
        ),
        (rule("userName", "login"), json!({"title": "x"}), json!({})),
        (
            rule("name.givenName", "user.first"),
            json!({"name": {"givenName": "A"}}),
            json!({"user": {"first": "A"}}),
        ),
        (
            rule("active", "status").values(on_off(OnUnknown::Refuse)),
            json!({"active": false}),
            json!({"status": 3}),
        ),
        (
            rule("emails[type eq \"work\"].value", "mail"),
            json!({"emails": [{"type": "Work", "value": "a@x"}]}),
            json!({"mail": "a@x"}),
        ),
        (
            rule("emails", "mails"),
            json!({"emails": [{"value": "a"}, {"value": "b"}]}),
            json!({"mails": ["a", "b"]}),
        ),
        (
            rule("emails", "m").form(Form::Joined(",".into())),
            json!({"emails": [{"value": "a"}, {"value": "b"}]}),
            json!({"m": "a,b"}),
        ),
        (
            rule("title", "f[id=4].value"),
            json!({"title": "x"}),
            json!({"f": [{"id": 4, "value": "x"}]}),
        ),
        (
            rule("userName", "login").written("{value|lower}"),
            json!({"userName": "ADA"}),
            json!({"login": "ada"}),
        ),
        (
            rule("displayName", "n").written("{value|default(name.formatted)}"),
            json!({"name": {"formatted": "A L"}}),
            json!({"n": "A L"}),
        ),
        (
            rule("displayName", "n").written("{name.givenName} {name.familyName}"),
            json!({"name": {"givenName": "A"}}),
            json!({}),
        ),
        (
            AttributeRule {
                on_create: Some(Template::parse("{random(8)}").unwrap()),
                ..rule("password", "pw")
            },
            json!({}),
            json!({"pw": "abcdefgh"}),
        ),
        (
            AttributeRule {
                on_create: Some(Template::parse("{random(8)}").unwrap()),
                ..rule("password", "pw")
            },
            json!({"password": "x"}),
            json!({"pw": "x"}),
        ),
        (
            AttributeRule {
                on_create: Some(Template::parse("{userName|split('@', 0)}").unwrap()),
                ..rule("displayName", "n")
            },
            json!({"userName": "a@x"}),
            json!({"n": "a"}),
        ),
        (
            AttributeRule {
                write: None,
                ..rule("title", "t")
            },
            json!({"title": "x"}),
            json!({}),
        ),
        (
            AttributeRule {
                reference: Some("User".into()),
                ..rule(&format!("{ENTERPRISE}:manager"), "boss_id")
            },
            json!({ENTERPRISE: {"manager": {"value": "9", "displayName": "B"}}}),
            json!({"boss_id": 9}),
        ),
        (
            AttributeRule {
                reference: Some("Other".into()),
                ..rule(&format!("{ENTERPRISE}:manager.value"), "boss_id")
            },
            json!({ENTERPRISE: {"manager": {"value": "9"}}}),
            json!({"boss_id": "9"}),
        ),
        (
            rule("userType", "t").values(on_off(OnUnknown::Drop)),
            json!({"userType": "x"}),
            json!({}),
        ),
        (
            rule("userType", "t").values(on_off(OnUnknown::Value(json!(7)))),
            json!({"userType": "x"}),
            json!({"t": 7}),
        ),
    ];
    for (rule, wish, expected) in cases {
        let at = rule.location.leaf().to_string();
        assert_eq!(
            created(&mut user(vec![rule]), wish.clone()),
            Ok(expected),
            "{at} {wish}"
        );
    }
}

#[test]
fn constants_are_sent_at_creation_whatever_the_client_sends() {
    let mut t = with_update(
        vec![rule("userName", "login"), rule("title", "admin")],
        Send::Changed,
    );
    t.constants = vec![
        (FieldPlace::parse("admin").unwrap(), json!(false)),
        (FieldPlace::parse("a.b").unwrap(), json!([4])),
    ];
    let body = created(&mut t, json!({"userName": "ada", "title": "yes"}));
    assert_eq!(
        body,
        Ok(json!({"login": "ada", "admin": false, "a": {"b": [4]}}))
    );
    let body = updated(
        &t,
        &["userName"],
        json!({"userName": "a"}),
        json!({"userName": "b"}),
        None,
    );
    assert_eq!(body, Ok(json!({"login": "b"})));
}

#[test]
fn of_two_lines_for_one_place_the_first_counts_unless_only_the_other_changed() {
    let rules = || {
        vec![
            rule("userName", "mail"),
            rule("emails[type eq \"work\"].value", "mail"),
        ]
    };
    let both = json!({"userName": "u@x", "emails": [{"type": "work", "value": "e@x"}]});
    assert_eq!(
        created(&mut user(rules()), both.clone()),
        Ok(json!({"mail": "u@x"}))
    );
    let new = json!({"userName": "u@x", "emails": [{"type": "work", "value": "n@x"}]});
    let body = updated(
        &with_update(rules(), Send::Changed),
        &["emails"],
        both,
        new,
        None,
    );
    assert_eq!(body, Ok(json!({"mail": "n@x"})));
}

#[test]
fn the_mapped_address_is_found_among_the_clients() {
    let work = || rule("emails[type eq \"work\"].value", "mail");
    let home = || rule("emails[type eq \"home\"].value", "private");
    let primary = || rule("emails[primary eq true].value", "mail");
    let any = || rule("emails.value", "mail");
    let w = json!({"type": "work", "value": "w"});
    let h = json!({"type": "home", "value": "h"});
    let p = json!({"type": "other", "value": "p", "primary": true});
    let u = json!({"value": "u"});
    let o = json!({"type": "other", "value": "o"});
    let cases = vec![
        (vec![work()], json!([h, w, p]), json!({"mail": "w"})),
        (vec![work()], json!([h, u, p]), json!({"mail": "p"})),
        (vec![work()], json!([h, u]), json!({"mail": "u"})),
        (vec![work()], json!([h, o]), json!({"mail": "h"})),
        (
            vec![work(), home()],
            json!([h, o]),
            json!({"mail": "o", "private": "h"}),
        ),
        (vec![work(), home()], json!([h]), json!({"private": "h"})),
        (vec![work(), home()], json!([u]), json!({"mail": "u"})),
        (vec![work(), home()], json!([w]), json!({"mail": "w"})),
        (vec![work(), home()], json!([w, o]), json!({"mail": "w"})),
        (vec![primary()], json!([h, w]), json!({"mail": "w"})),
        (vec![primary()], json!([h, w, p]), json!({"mail": "p"})),
        (vec![any()], json!([h, w]), json!({"mail": "w"})),
        (vec![any()], json!([h, w, p]), json!({"mail": "p"})),
        (vec![any()], json!([o, u]), json!({"mail": "u"})),
        (vec![any()], json!([]), json!({})),
    ];
    for (rules, emails, expected) in cases {
        let body = created(&mut user(rules), json!({"emails": emails}));
        assert_eq!(body, Ok(expected), "{emails}");
    }
}

#[test]
fn a_telephone_number_of_another_type_stands_in_for_none() {
    let rules = || {
        vec![
            rule("phoneNumbers[type eq \"work\"].value", "phone"),
            rule("phoneNumbers[type eq \"mobile\"].value", "mobile"),
        ]
    };
    for (numbers, expected) in [
        (json!([{"type": "fax", "value": "1"}]), json!({})),
        (json!([{"value": "1"}]), json!({"phone": "1"})),
        (
            json!([{"value": "1"}, {"value": "2", "primary": true}]),
            json!({"phone": "2"}),
        ),
        (
            json!([{"type": "mobile", "value": "1"}]),
            json!({"mobile": "1"}),
        ),
    ] {
        let body = created(&mut user(rules()), json!({"phoneNumbers": numbers}));
        assert_eq!(body, Ok(expected), "{numbers}");
    }
}

#[test]
fn an_update_sends_what_changed() {
    let rules = || {
        vec![
            rule("userName", "login"),
            rule("name.givenName", "first"),
            rule("name.familyName", "last"),
            rule("emails[type eq \"work\"].value", "mail"),
            rule("active", "status").values(on_off(OnUnknown::Refuse)),
            rule("displayName", "full").written("{name.givenName} {name.familyName}"),
            AttributeRule {
                read: None,
                ..rule("password", "pw")
            },
            AttributeRule {
                is_create_only: true,
                ..rule("nickName", "nick")
            },
        ]
    };
    let old = json!({
        "userName": "ada", "name": {"givenName": "Ada", "familyName": "L"}, "active": true, "nickName": "x",
        "emails": [{"type": "work", "value": "a@x"}],
    });
    let with = |changes: Value| {
        let mut new = resource(old.clone());
        new.0.extend(resource(changes).0);
        Value::Object(new.0)
    };
    let cases: Vec<(&[&str], Value, Value)> = vec![
        (
            &["active"],
            with(json!({"active": false})),
            json!({"status": 3}),
        ),
        (
            &["name.familyName"],
            with(json!({"name": {"givenName": "Ada", "familyName": "K"}})),
            json!({"last": "K", "full": "Ada K"}),
        ),
        (
            &["emails"],
            with(
                json!({"emails": [{"type": "work", "value": "a@x"}, {"type": "home", "value": "h"}]}),
            ),
            json!({}),
        ),
        (
            &["emails"],
            with(json!({"emails": [{"type": "home", "value": "h"}]})),
            json!({"mail": "h"}),
        ),
        (
            &["emails"],
            with(json!({"emails": []})),
            json!({"mail": null}),
        ),
        (
            &["password"],
            with(json!({"password": "secret"})),
            json!({"pw": "secret"}),
        ),
        (&["title"], with(json!({"title": "x"})), json!({})),
        (&["userName"], old.clone(), json!({})),
        (&["nickName"], with(json!({"nickName": "y"})), json!({})),
    ];
    for (changed, new, expected) in cases {
        let body = updated(
            &with_update(rules(), Send::Changed),
            changed,
            old.clone(),
            new.clone(),
            None,
        );
        assert_eq!(body, Ok(expected), "{changed:?} {new}");
    }
    let new = with(json!({"active": false}));
    let all = updated(
        &with_update(rules(), Send::All),
        &["active"],
        old.clone(),
        new.clone(),
        None,
    );
    let whole = json!({"login": "ada", "first": "Ada", "last": "L", "mail": "a@x", "status": 3, "full": "Ada L"});
    assert_eq!(all, Ok(whole));
    let present = json!({"id": 1, "status": 1, "hash": "h", "login": "ada"});
    let merged = updated(
        &with_update(rules(), Send::Merged),
        &["active"],
        old,
        new,
        Some(present),
    );
    assert_eq!(
        merged,
        Ok(json!({"id": 1, "status": 3, "hash": "h", "login": "ada"}))
    );
}

#[test]
fn a_removed_attribute_is_sent_as_the_rule_says() {
    let cases = [
        (WhenRemoved::Null, Ok(json!({"t": null}))),
        (WhenRemoved::Empty, Ok(json!({"t": ""}))),
        (WhenRemoved::Skip, Ok(json!({}))),
        (WhenRemoved::Value(json!("none")), Ok(json!({"t": "none"}))),
        (WhenRemoved::Refuse, Err(ScimType::Mutability)),
    ];
    for (when_removed, expected) in cases {
        for send in [Send::Changed, Send::All, Send::Merged] {
            let t = with_update(vec![rule("title", "t").removed(when_removed.clone())], send);
            let body = updated(&t, &["title"], json!({"title": "x"}), json!({}), None);
            assert_eq!(
                body.map_err(|e| e.kind),
                expected,
                "{when_removed:?} {send:?}"
            );
        }
    }
    let t = with_update(
        vec![rule("emails", "mails").removed(WhenRemoved::Empty)],
        Send::Changed,
    );
    let body = updated(
        &t,
        &["emails"],
        json!({"emails": [{"value": "a"}]}),
        json!({}),
        None,
    );
    assert_eq!(body, Ok(json!({"mails": []})));
}

#[test]
fn a_removed_attribute_can_take_its_element_with_it() {
    let removed = |present: Value| {
        let line = rule("title", "f[id=4].value[0]").removed(WhenRemoved::Element);
        let t = with_update(vec![line], Send::Changed);
        updated(
            &t,
            &["title"],
            json!({"title": "x"}),
            json!({}),
            Some(present),
        )
    };
    assert_eq!(
        removed(json!({"f": [{"id": 3}, {"id": 4, "value": ["x"]}]})),
        Ok(json!({"f": [{"id": 3}]}))
    );
    assert_eq!(removed(json!({})), Ok(json!({})));
}

#[test]
fn a_list_written_in_part_goes_whole() {
    let t = with_update(
        vec![rule("title", "f[id=4].value"), rule("nickName", "x.y[0]")],
        Send::Changed,
    );
    let present = json!({"f": [{"id": 3, "value": "a"}, {"id": 4, "value": "b"}], "x": {"y": ["p", "q"], "z": 1}});
    let new = json!({"title": "n", "nickName": "m"});
    let body = updated(
        &t,
        &["title", "nickName"],
        json!({}),
        new.clone(),
        Some(present),
    );
    assert_eq!(
        body,
        Ok(
            json!({"f": [{"id": 3, "value": "a"}, {"id": 4, "value": "n"}], "x": {"y": ["m", "q"]}})
        )
    );
    let body = updated(
        &t,
        &["title", "nickName"],
        json!({}),
        new,
        Some(Value::Null),
    );
    assert_eq!(
        body,
        Ok(json!({"f": [{"id": 4, "value": "n"}], "x": {"y": ["m"]}}))
    );
}

#[test]
fn all_elements_are_written_as_a_list() {
    let contacts = || {
        let mut rule = each(
            "emails",
            "medias",
            &[("value", "sendto"), ("type", "label")],
        );
        if let Some(each) = &mut rule.each {
            each.condition = Some(Expression::parse("kind == 1").unwrap());
            each.constants = vec![(FieldPlace::parse("kind").unwrap(), json!(1))];
        }
        rule
    };
    let wish =
        json!({"emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x"}]});
    let body = created(&mut user(vec![contacts()]), wish.clone());
    let list = json!([{"kind": 1, "sendto": "a@x", "label": "work"}, {"kind": 1, "sendto": "b@x"}]);
    assert_eq!(body, Ok(json!({"medias": list})));

    let t = with_update(vec![contacts()], Send::Changed);
    let present = json!({"medias": [
        {"kind": 1, "id": 7, "sendto": "b@x"}, {"kind": 2, "sendto": "+1"}, {"kind": 1, "id": 8, "sendto": "gone@x"},
    ]});
    let old = json!({"emails": [{"value": "b@x"}, {"value": "gone@x"}]});
    let body = updated(
        &t,
        &["emails"],
        old.clone(),
        wish.clone(),
        Some(present.clone()),
    );
    let list = json!([{"kind": 2, "sendto": "+1"}, {"kind": 1, "sendto": "a@x", "label": "work"}, {"kind": 1, "id": 7, "sendto": "b@x"}]);
    assert_eq!(
        body,
        Ok(json!({"medias": list})),
        "others stay, known ones keep what the mapping does not know"
    );
    let body = updated(
        &t,
        &["emails"],
        old.clone(),
        json!({}),
        Some(present.clone()),
    );
    assert_eq!(body, Ok(json!({"medias": [{"kind": 2, "sendto": "+1"}]})));
    let body = updated(&t, &["emails"], old.clone(), json!({}), None);
    assert_eq!(body, Ok(json!({"medias": []})));
    let body = updated(&t, &["emails"], old.clone(), old, Some(present));
    assert_eq!(body, Ok(json!({})), "nothing changed");
}

#[test]
fn an_element_with_a_line_of_its_own_is_not_in_the_list() {
    let rules = vec![
        rule("emails[type eq \"work\"].value", "mail"),
        each("emails", "more", &[("value", "")]),
    ];
    let wish = json!({"emails": [{"type": "work", "value": "w"}, {"type": "home", "value": "h"}]});
    assert_eq!(
        created(&mut user(rules), wish),
        Ok(json!({"mail": "w", "more": ["h"]}))
    );
}

#[test]
fn members_that_are_a_field_are_sent_by_their_names() {
    let mut t = with_update(vec![rule("displayName", "name")], Send::Changed);
    let field = |element: Option<Tree>| Members {
        name: None,
        read: None,
        field: Some(MemberField {
            place: FieldPlace::parse("users").unwrap(),
            id: Some(JsonPath::parse("id").unwrap()),
            element,
        }),
        add: None,
        remove: None,
        replace: None,
        on_user: None,
        types: vec!["User".into()],
    };
    let ids = json!([1, 2]);
    let mut names = Names::new();
    names.with("members", Cow::Borrowed(&ids));
    let new = resource(json!({"displayName": "g", "members": [{"value": "x"}]}));
    for (element, list) in [
        (None, json!([1, 2])),
        (
            Some(Tree::from_value(&json!({"id": "{member}", "role": "m"})).unwrap()),
            json!([{"id": 1, "role": "m"}, {"id": 2, "role": "m"}]),
        ),
    ] {
        t.members = Some(field(element));
        t.create = Some(operation("group.create", Send::Changed, &[]));
        let op = t.create.as_ref().unwrap();
        let body = fields(&t, op, &new, Wish::Create, None, &names).unwrap();
        assert_eq!(Value::Object(body), json!({"name": "g", "users": list}));
        let (changed, old) = (paths(&["members"]), Resource::default());
        assert!(covers(&t.updates[0], &t, &changed[0]));
        let wish = Wish::Update {
            changed: &changed,
            old: &old,
        };
        let body = fields(&t, &t.updates[0], &new, wish, None, &names).unwrap();
        assert_eq!(Value::Object(body), json!({"users": list}));
        let body = fields(&t, &t.updates[0], &new, wish, None, &Names::new()).unwrap();
        assert_eq!(
            Value::Object(body),
            json!({}),
            "without names nothing is emptied"
        );
    }
}

#[test]
fn an_operation_covers_what_no_other_is_there_for() {
    let names = [
        "userName",
        "active",
        "password",
        "emails",
        "name.givenName",
        "title",
    ];
    let rules = [
        "userName",
        "active",
        "password",
        "emails[type eq \"work\"].value",
        "name.givenName",
    ];
    let mut t = user(
        rules
            .iter()
            .map(|at| rule(at, "x"))
            .chain([kept("title")])
            .collect(),
    );
    let covered = |t: &TypeMapping, op: &Operation| -> Vec<&str> {
        let all = names.into_iter();
        all.filter(|n| covers(op, t, &AttributePath::parse(n).unwrap()))
            .collect()
    };
    use crate::mapping::model::Operation;
    t.create = Some(operation("user.create", Send::Changed, &[]));
    t.updates = vec![operation("user.update", Send::Changed, &[])];
    assert_eq!(
        covered(&t, &t.updates[0]),
        ["userName", "active", "password", "emails", "name.givenName"]
    );
    t.deactivate = Some(operation("user.deactivate", Send::Changed, &[]));
    assert!(
        covered(&t, &t.updates[0]).contains(&"active"),
        "it still has to activate"
    );
    t.activate = Some(operation("user.activate", Send::Changed, &[]));
    t.set_password = Some(operation("user.set-password", Send::Changed, &[]));
    t.rename = Some(operation("user.rename", Send::Changed, &[]));
    t.delete = Some(operation("user.delete", Send::Changed, &[]));
    t.updates
        .insert(0, operation("user.update", Send::Changed, &["emails"]));
    assert_eq!(covered(&t, &t.updates[0]), ["emails"]);
    assert_eq!(covered(&t, &t.updates[1]), ["name.givenName"]);
    assert_eq!(covered(&t, t.activate.as_ref().unwrap()), ["active"]);
    assert_eq!(covered(&t, t.set_password.as_ref().unwrap()), ["password"]);
    assert_eq!(covered(&t, t.rename.as_ref().unwrap()), ["userName"]);
    assert!(covered(&t, t.delete.as_ref().unwrap()).is_empty());
    assert_eq!(covered(&t, t.create.as_ref().unwrap()).len(), 5);
    assert_eq!(
        rules_for(&t, &AttributePath::parse("name").unwrap()).len(),
        1
    );
    assert!(rules_for(&t, &AttributePath::parse("nickName").unwrap()).is_empty());
    assert!(is_kept(&t, &AttributePath::parse("title").unwrap()));
    assert!(!is_kept(&t, &AttributePath::parse("emails").unwrap()));
}

#[test]
fn what_the_application_cannot_have_is_refused_before_any_call() {
    let required = || AttributeRule {
        is_required: true,
        ..rule("title", "t")
    };
    let fixed = || AttributeRule {
        is_create_only: true,
        ..rule("title", "t")
    };
    let short = || AttributeRule {
        max_length: Some(3),
        ..rule("title", "t")
    };
    let form = || AttributeRule {
        pattern: Some(Regex::new("^[a-z]+$").unwrap()),
        ..rule("title", "t")
    };
    let table = || rule("title", "t").values(on_off(OnUnknown::Refuse));
    let refuse = || rule("title", "t").removed(WhenRemoved::Refuse);
    let (invalid, mutability) = (Some(ScimType::InvalidValue), Some(ScimType::Mutability));
    let x = |text: &str| json!({"title": text});
    // Rule, what is, what should be, the complaint at creation and at the change.
    type Case = (
        AttributeRule,
        Value,
        Value,
        Option<ScimType>,
        Option<ScimType>,
    );
    let cases: Vec<Case> = vec![
        (required(), x("a"), json!({}), invalid, invalid),
        (required(), x("a"), x("b"), None, None),
        (required(), json!({}), json!({}), invalid, None),
        (
            required().removed(WhenRemoved::Skip),
            x("a"),
            json!({}),
            invalid,
            None,
        ),
        (
            AttributeRule {
                on_create: Some(Template::parse("x").unwrap()),
                ..required()
            },
            x("a"),
            x("b"),
            None,
            None,
        ),
        (fixed(), x("a"), x("b"), None, mutability),
        (fixed(), x("a"), json!({}), None, mutability),
        (fixed(), x("a"), x("a"), None, None),
        (short(), x("a"), x("äöüß"), invalid, invalid),
        (short(), x("long"), x("long"), invalid, None),
        (short(), x("long"), x("äöü"), None, None),
        (form(), x("a"), x("B"), invalid, invalid),
        (form(), x("a"), x("b"), None, None),
        (table(), x("true"), x("false"), None, None),
        (table(), x("true"), x("maybe"), invalid, invalid),
        (refuse(), x("a"), json!({}), None, mutability),
        (
            rule("title", "t").form(Form::Integer),
            x("1"),
            x("one"),
            invalid,
            invalid,
        ),
        (
            rule("title", "t")
                .form(Form::Integer)
                .written("{value|length}"),
            x("1"),
            x("one"),
            None,
            None,
        ),
    ];
    for (rule, old, new, at_creation, at_change) in cases {
        let words = format!("{old} {new} {:?}", rule.when_removed);
        let t = user(vec![rule]);
        let (old, new) = (resource(old), resource(new));
        let kind = |outcome: Result<(), WriteError>| outcome.err().map(|e| e.kind);
        assert_eq!(
            kind(check(&t, &new, &Wish::Create)),
            at_creation,
            "create {words}"
        );
        let changed = paths(&["title"]);
        let wish = Wish::Update {
            changed: &changed,
            old: &old,
        };
        assert_eq!(kind(check(&t, &new, &wish)), at_change, "update {words}");
    }
}

#[test]
fn a_complaint_names_the_attribute_and_not_its_value() {
    let t = user(vec![AttributeRule {
        max_length: Some(3),
        ..rule("emails[type eq \"work\"].value", "t")
    }]);
    let wish = resource(json!({"emails": [{"value": "private@x"}]}));
    let error = check(&t, &wish, &Wish::Create).unwrap_err();
    assert_eq!(error.attribute, "emails.value");
    assert!(error.message.contains("emails.value") && !error.message.contains("private"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z@.]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        "[a-z]{1,3}",
        Just("value".to_owned()),
        Just("type".to_owned()),
        Just("givenName".to_owned())
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

fn any_resource() -> impl Strategy<Value = Resource> {
    let key = prop::sample::select(vec![
        "userName",
        "username",
        "name",
        "emails",
        "roles",
        "title",
        "active",
        "is_admin",
        "role",
        "__proto__",
        "login",
        "constructor",
        "emails.value",
        ENTERPRISE,
        "urn:x:1.0:User",
        "meta",
        "id",
        "groups",
    ]);
    prop::collection::btree_map(key, any_json(), 0..10)
        .prop_map(|m| Resource(m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
}

fn many_rules() -> Vec<AttributeRule> {
    vec![
        rule("userName", "login"),
        rule("name.givenName", "profile.first"),
        rule("emails[type eq \"work\"].value", "mail").and_kept(),
        rule("title", "f[id=4].value"),
        rule("active", "status").values(on_off(OnUnknown::Drop)),
        rule(&format!("{ENTERPRISE}:department"), "dept").form(Form::String),
        each("roles", "roles", &[("value", "name"), ("type", "kind")]),
        kept("emails"),
        kept("nickName"),
        kept("name"),
        bare("displayName"),
    ]
}

proptest! {
    #[test]
    fn s10_closed_world(new in any_resource(), old in any_resource()) {
        let known = ["login", "profile", "mail", "f", "status", "dept", "roles"];
        let mut t = with_update(many_rules(), Send::All);
        t.create = Some(operation("user.create", Send::Changed, &[]));
        let changed: Vec<_> = new.0.keys().map(|k| AttributePath { attribute: k.clone(), ..Default::default() }).collect();
        let update = Wish::Update { changed: &changed, old: &old };
        for (op, wish) in [(t.create.as_ref().unwrap(), Wish::Create), (&t.updates[0], update)] {
            if let Ok(body) = fields(&t, op, &new, wish, None, &Names::new()) {
                for (name, value) in body {
                    prop_assert!(known.contains(&name.as_str()), "{}", name);
                    if name == "profile" {
                        prop_assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["first"]);
                    }
                }
            }
            let _ = check(&t, &new, &wish);
        }
    }

    #[test]
    fn no_resource_panics_when_kept_and_joined(sent in any_resource(), read in any_resource(), other in any_resource()) {
        let t = user(many_rules());
        let kept = kept_values(&t, &sent);
        let allowed = ["emails", "nickName", "name"];
        prop_assert!(kept.keys().all(|k| allowed.contains(&k.as_str())));
        let mut joined = read.clone();
        join_kept(&t, &mut joined, &kept);
        join_kept(&t, &mut joined, &other.0);
        let mut unchanged = read.clone();
        join_kept(&t, &mut unchanged, &Map::new());
        prop_assert_eq!(unchanged, read);
    }
}
