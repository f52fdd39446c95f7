use serde_json::{Value, json};

use crate::{
    mapping::{
        fixture::rule,
        model::{AttributeRule, OnUnknown, Send, WhenRemoved},
        names::Names,
    },
    scim::{AttributePath, ScimType},
};

use super::{super::*, ENTERPRISE, on_off, paths, resource, updated, with_update};

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
fn a_template_sees_the_old_resource_when_the_old_value_is_worked_out() {
    let t = with_update(
        vec![rule("displayName", "n").written("{nickName|default('none')}")],
        Send::Changed,
    );
    let (old, new) = (resource(json!({})), resource(json!({"nickName": "x"})));
    let mut names = Names::new();
    names.resource(&new);
    let changed = paths(&["nickName"]);
    let wish = Wish::Update {
        changed: &changed,
        old: &old,
    };
    let body = fields(&t, &t.updates[0], &new, wish, None, &names).unwrap();
    assert_eq!(Value::Object(body), json!({"n": "x"}));
}

#[test]
fn an_attribute_that_only_a_template_names_is_written_too() {
    let full =
        rule("displayName", "n").written("{name.formatted|default(value)} {enterprise.division}");
    let t = with_update(vec![full], Send::Changed);
    let covered = |path: &str| covers(&t.updates[0], &t, &AttributePath::parse(path).unwrap());
    for (path, expected) in [
        ("displayName", true),
        ("name.formatted", true),
        ("name", true),
        ("name.givenName", false),
        ("value", true),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division",
            true,
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            false,
        ),
        ("division", false),
    ] {
        assert_eq!(covered(path), expected, "{path}");
        assert_eq!(
            !rules_for(&t, &AttributePath::parse(path).unwrap()).is_empty(),
            expected
        );
    }
    let old = json!({"name": {"formatted": "A"}});
    let new = json!({"name": {"formatted": "B"}, ENTERPRISE: {"division": "D"}});
    let body = updated(&t, &["name.formatted"], old, new, None);
    assert_eq!(body, Ok(json!({"n": "B D"})));
}
