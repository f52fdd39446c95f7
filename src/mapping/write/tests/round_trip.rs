//! Values come back as they were sent: a create, the object the application makes of it, and the read that follows.

use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        fixture::{each, kept, operation, rule, user},
        model::{AttributeRule, Form, Send, TypeMapping},
        names::Names,
        read,
    },
    scim::{AttributePath, Resource},
};

use super::{super::*, ENTERPRISE};

fn resource(value: &Value) -> Resource {
    match value {
        Value::Object(map) => Resource(map.clone()),
        other => panic!("{other} is no resource"),
    }
}

fn work() -> AttributeRule {
    rule("emails[type eq \"work\"].value", "mail")
}

fn home() -> AttributeRule {
    rule("emails[type eq \"home\"].value", "private")
}

/// What the client sees after sending `wish`, if the application then changes its object by `meddle`.
fn seen(t: &mut TypeMapping, wish: &Value, meddle: impl FnOnce(&mut Map<String, Value>)) -> Value {
    t.create = Some(operation("user.create", Send::Changed, &[]));
    let wish = resource(wish);
    let op = t.create.as_ref().unwrap();
    let mut object = fields(t, op, &wish, Wish::Create, None, &Names::new()).unwrap();
    meddle(&mut object);
    let kept = kept_values(t, &wish);
    let mut shown = read::read(t, &Value::Object(object), &Map::new(), |_| true).resource;
    join_kept(t, &mut shown, &kept, &serde_json::json!({}));
    Value::Object(shown.0)
}

/// The order of members does not matter, that of elements does.
fn assert_seen(rules: Vec<AttributeRule>, wish: Value, expected: Value) {
    let shown = seen(&mut user(rules), &wish, |_| {});
    assert_eq!(shown, expected, "sent {wish}");
}

#[test]
fn what_is_kept_comes_back_as_it_was_sent() {
    let numbers = || rule("phoneNumbers[type eq \"work\"].value", "phone");
    let cases: Vec<(Vec<AttributeRule>, Value)> = vec![
        (vec![kept("title")], json!({"title": "x"})),
        (
            vec![kept("name.middleName"), rule("name.givenName", "f")],
            json!({"name": {"givenName": "A", "middleName": "M"}}),
        ),
        (
            vec![rule("name.givenName", "f"), kept("name")],
            json!({"name": {"givenName": "A", "middleName": "M", "honorificPrefix": "Dr"}}),
        ),
        (vec![kept("name")], json!({"name": {"middleName": "M"}})),
        (
            vec![kept(&format!("{ENTERPRISE}:costCenter"))],
            json!({ENTERPRISE: {"costCenter": "1"}}),
        ),
        (
            vec![
                rule(&format!("{ENTERPRISE}:department"), "d"),
                kept(&format!("{ENTERPRISE}:costCenter")),
            ],
            json!({ENTERPRISE: {"department": "R", "costCenter": "1"}}),
        ),
        (
            vec![kept("emails")],
            json!({"emails": [{"value": "a", "type": "home"}, {"value": "b", "primary": true}]}),
        ),
        (
            vec![work(), kept("emails")],
            json!({"emails": [{"value": "W@x", "type": "work", "primary": true}]}),
        ),
        (
            vec![work(), kept("emails")],
            json!({"emails": [{"value": "h", "type": "home"}, {"value": "w", "type": "work", "display": "D"}]}),
        ),
        (
            vec![work(), kept("emails")],
            json!({"emails": [{"value": "p", "primary": true}]}),
        ),
        (
            vec![work(), kept("emails")],
            json!({"emails": [{"value": "p"}]}),
        ),
        (
            vec![work(), kept("emails")],
            json!({"emails": [{"value": "o", "type": "other", "primary": true}]}),
        ),
        (
            vec![work(), kept("emails")],
            json!({"emails": [{"value": "h", "type": "home"}, {"value": "o", "type": "other"}]}),
        ),
        (
            vec![work(), home(), kept("emails")],
            json!({"emails": [{"value": "h", "type": "home"}]}),
        ),
        (
            vec![work(), home(), kept("emails")],
            json!({"emails": [{"value": "h", "type": "home"}, {"value": "p", "primary": true}]}),
        ),
        (
            vec![work(), home(), kept("emails")],
            json!({"emails": [{"value": "o", "type": "other"}, {"value": "h", "type": "home"}, {"value": "w", "type": "work"}]}),
        ),
        (
            vec![rule("emails.value", "mail"), kept("emails")],
            json!({"emails": [{"value": "a", "type": "home"}, {"value": "b", "type": "work"}]}),
        ),
        (
            vec![
                rule("emails[primary eq true].value", "mail"),
                kept("emails"),
            ],
            json!({"emails": [{"value": "a", "type": "work"}]}),
        ),
        (
            vec![kept("emails"), work()],
            json!({"emails": [{"value": "p", "primary": true}]}),
        ),
        (
            vec![
                work(),
                rule("emails[type eq \"work\"].display", "label"),
                kept("emails"),
            ],
            json!({"emails": [{"value": "p", "display": "P"}]}),
        ),
        (
            vec![numbers(), kept("phoneNumbers")],
            json!({"phoneNumbers": [{"value": "+1 555", "type": "work"}, {"value": "2", "type": "fax"}]}),
        ),
        (
            vec![numbers(), kept("phoneNumbers")],
            json!({"phoneNumbers": [{"value": "2", "type": "fax"}]}),
        ),
        (
            vec![numbers(), kept("phoneNumbers")],
            json!({"phoneNumbers": [{"value": "+1 555"}]}),
        ),
        (
            vec![each("emails", "mails", &[("value", "")]).and_kept()],
            json!({"emails": [{"value": "a", "type": "home", "primary": true}, {"value": "b"}]}),
        ),
        (
            vec![each("emails", "mails", &[("value", "m"), ("type", "t")]).and_kept()],
            json!({"emails": [{"value": "a", "type": "home", "display": "A"}, {"value": "b", "type": "work"}]}),
        ),
        (
            vec![rule("emails", "mails").and_kept()],
            json!({"emails": [{"value": "a", "type": "home"}, {"value": "b"}]}),
        ),
        (
            vec![
                rule("emails", "m")
                    .form(Form::Joined(",".into()))
                    .and_kept(),
            ],
            json!({"emails": [{"value": "a", "type": "home"}]}),
        ),
        (
            vec![rule("userName", "login").form(Form::Lower).and_kept()],
            json!({"userName": "Ada"}),
        ),
        (
            vec![
                rule("displayName", "n")
                    .written("{value|cut(3)}")
                    .and_kept(),
            ],
            json!({"displayName": "Lovelace"}),
        ),
        (
            vec![work().form(Form::Lower), kept("emails")],
            json!({"emails": [{"value": "Ada@X.org", "type": "work"}]}),
        ),
        (
            vec![kept("emails[type eq \"home\"].value"), work()],
            json!({"emails": [{"type": "work", "value": "w"}, {"type": "home", "value": "h"}]}),
        ),
        (
            vec![
                rule("addresses[type eq \"work\"].locality", "city"),
                kept("addresses"),
            ],
            json!({"addresses": [{"type": "work", "locality": "W", "country": "AT"}]}),
        ),
        (
            vec![
                rule("name.givenName", "f").written("{value|cut(2)}"),
                kept("name"),
            ],
            json!({"name": {"givenName": "Adalbert"}}),
        ),
    ];
    for (rules, wish) in cases {
        assert_seen(rules, wish.clone(), wish);
    }
}

#[test]
fn what_nobody_keeps_is_left_out_and_not_altered() {
    assert_seen(
        vec![work()],
        json!({"emails": [{"value": "p", "primary": true}]}),
        json!({"emails": [{"type": "work", "value": "p"}]}),
    );
    assert_seen(
        vec![work()],
        json!({"emails": [{"type": "work", "value": "w", "display": "D"}, {"type": "home", "value": "h"}]}),
        json!({"emails": [{"type": "work", "value": "w"}]}),
    );
    assert_seen(
        vec![kept("name.middleName")],
        json!({"name": {"givenName": "A"}}),
        json!({}),
    );
    assert_seen(
        vec![kept("password")],
        json!({"password": "secret"}),
        json!({}),
    );
    assert_seen(
        vec![kept("emails[type eq \"home\"].value")],
        json!({"emails": [{"type": "home", "value": "h", "display": "H"}]}),
        json!({"emails": [{"type": "home", "value": "h"}]}),
    );
}

#[test]
fn the_application_says_what_a_mapped_part_is() {
    let wish = json!({"emails": [{"value": "w@x", "type": "work", "display": "W", "primary": true}, {"value": "h", "type": "home"}]});
    let fallback =
        json!({"emails": [{"value": "p@x", "primary": true}, {"value": "h", "type": "home"}]});
    let rules = || vec![work(), kept("emails")];
    let set = |mail: Value| {
        move |object: &mut Map<String, Value>| drop(object.insert("mail".into(), mail))
    };
    let cases = [
        // The application's own new address.
        (
            &wish,
            json!("new@x"),
            json!({"emails": [{"value": "new@x", "type": "work", "display": "W", "primary": true}, {"value": "h", "type": "home"}]}),
        ),
        (
            &fallback,
            json!("new@x"),
            json!({"emails": [{"value": "new@x", "primary": true}, {"value": "h", "type": "home"}]}),
        ),
        // Another spelling of the same one.
        (&wish, json!("W@X"), wish.clone()),
        (&fallback, json!("P@X"), fallback.clone()),
        // Taken away in the application.
        (
            &wish,
            Value::Null,
            json!({"emails": [{"value": "h", "type": "home"}]}),
        ),
        (
            &fallback,
            Value::Null,
            json!({"emails": [{"value": "h", "type": "home"}]}),
        ),
    ];
    for (wish, mail, expected) in cases {
        let shown = seen(&mut user(rules()), wish, set(mail.clone()));
        assert_eq!(shown, expected, "{mail} {wish}");
    }
    // Given in the application, where the client never had one.
    let none = json!({"phoneNumbers": [{"value": "2", "type": "fax"}]});
    let numbers = vec![
        rule("phoneNumbers[type eq \"work\"].value", "phone"),
        kept("phoneNumbers"),
    ];
    let shown = seen(&mut user(numbers), &none, |object| {
        drop(object.insert("phone".into(), json!("1")))
    });
    assert_eq!(
        shown,
        json!({"phoneNumbers": [{"value": "2", "type": "fax"}, {"type": "work", "value": "1"}]})
    );
}

#[test]
fn a_telephone_number_formatted_by_the_application_is_shown_as_it_was_sent() {
    let wish = json!({"phoneNumbers": [{"value": "+1 (555) 123", "type": "work"}]});
    let mut t = user(vec![
        rule("phoneNumbers[type eq \"work\"].value", "phone"),
        kept("phoneNumbers"),
    ]);
    let shown = seen(&mut t, &wish, |object| {
        drop(object.insert("phone".into(), json!("+1555123")))
    });
    assert_eq!(shown, wish);
}

#[test]
fn the_application_says_which_elements_of_a_mapped_list_there_are() {
    let wish = json!({"emails": [{"value": "a", "display": "A"}, {"value": "b", "display": "B"}]});
    let mut t = user(vec![each("emails", "mails", &[("value", "")]).and_kept()]);
    let shown = seen(&mut t, &wish, |object| {
        drop(object.insert("mails".into(), json!(["c", "B"])))
    });
    assert_eq!(
        shown,
        json!({"emails": [{"value": "b", "display": "B"}, {"value": "c"}]})
    );
    let shown = seen(&mut t, &wish, |object| drop(object.remove("mails")));
    assert_eq!(shown, json!({}));
}

#[test]
fn a_part_of_a_kept_object_that_the_application_cleared_is_gone() {
    let wish = json!({"name": {"givenName": "A", "middleName": "M"}});
    let rules = || vec![rule("name.givenName", "f"), kept("name")];
    let shown = seen(&mut user(rules()), &wish, |object| drop(object.remove("f")));
    assert_eq!(shown, json!({"name": {"middleName": "M"}}));
    let shown = seen(&mut user(rules()), &wish, |object| {
        drop(object.insert("f".into(), json!("B")))
    });
    assert_eq!(
        shown,
        json!({"name": {"givenName": "B", "middleName": "M"}})
    );
    let only = json!({"name": {"givenName": "A"}});
    let shown = seen(&mut user(rules()), &only, |object| drop(object.remove("f")));
    assert_eq!(shown, json!({}));
}

#[test]
fn the_clients_own_value_is_shown_where_a_mapped_line_keeps_it() {
    // TRESORIT-02: a change of the name has no effect in the application.
    let mut t = user(vec![rule("name.givenName", "f").and_kept()]);
    let wish = json!({"name": {"givenName": "New"}});
    let shown = seen(&mut t, &wish, |object| {
        drop(object.insert("f".into(), json!("Old")))
    });
    assert_eq!(shown, wish);
    let shown = seen(&mut t, &json!({}), |object| {
        drop(object.insert("f".into(), json!("Old")))
    });
    assert_eq!(shown, json!({"name": {"givenName": "Old"}}));
}

#[test]
fn joining_again_changes_nothing() {
    let wish = json!({"emails": [{"value": "h", "type": "home"}, {"value": "P@x", "primary": true}], "title": "t", "name": {"givenName": "A", "middleName": "M"}});
    let mut t = user(vec![
        work().form(Form::Lower),
        kept("emails"),
        kept("title"),
        rule("name.givenName", "f"),
        kept("name"),
    ]);
    let once = seen(&mut t, &wish, |_| {});
    assert_eq!(once, wish);
    // The next write keeps what was shown, and sends nothing.
    assert_eq!(Value::Object(kept_values(&t, &resource(&once))), wish);
    t.updates = vec![operation("user.update", Send::Changed, &[])];
    let changed: Vec<_> = ["emails", "title", "name"]
        .iter()
        .map(|n| AttributePath::parse(n).unwrap())
        .collect();
    let old = resource(&once);
    let wish = Wish::Update {
        changed: &changed,
        old: &old,
    };
    let body = fields(&t, &t.updates[0], &old, wish, None, &Names::new()).unwrap();
    assert!(body.is_empty(), "{body:?}");
}

#[test]
fn an_answer_shows_of_a_list_what_a_later_read_shows() {
    let emails = AttributePath::of("emails");
    let lists = [
        json!([{"value": "p", "primary": true}, {"value": "h", "type": "home"}]),
        json!([{"value": "w", "type": "work", "display": "W"}]),
        json!([{"value": "h", "type": "home"}, {"value": "o", "type": "other"}]),
        json!([{"value": "h", "type": "home"}]),
    ];
    for rules in [|| vec![work()], || vec![work(), home()]] {
        for list in &lists {
            let mut t = user(rules());
            let shown = shown_elements(&t, &emails, list.as_array().unwrap()).unwrap();
            let later = seen(&mut t, &json!({ "emails": list }), |_| {});
            assert_eq!(json!({ "emails": shown }), later, "{list}");
        }
    }
    let whole = [
        vec![],
        vec![kept("emails")],
        vec![work(), kept("emails")],
        vec![rule("emails", "m")],
    ];
    for rules in whole {
        assert_eq!(shown_elements(&user(rules), &emails, &[]), None);
    }
}
