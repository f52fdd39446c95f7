use serde_json::{Value, json};

use crate::mapping::{
    fixture::{rule, user},
    model::{AttributeRule, FieldPlace, Form, OnUnknown, Send},
    template::{Template, Tree},
};

use super::{ENTERPRISE, created, on_off, updated, with_update};

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
        (
            FieldPlace::parse("admin").unwrap(),
            Tree::Constant(json!(false)),
        ),
        (
            FieldPlace::parse("a.b").unwrap(),
            Tree::Constant(json!([4])),
        ),
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
