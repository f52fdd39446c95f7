use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    mapping::{
        expression::Expression,
        fixture::{each, operation, rule, user},
        model::{FieldPlace, MemberField, Members, Send},
        names::Names,
        path::JsonPath,
        template::Tree,
    },
    scim::Resource,
};

use super::{super::*, created, paths, resource, updated, with_update};

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
            groups: None,
            id: Some(JsonPath::parse("id").unwrap()),
            is_group: None,
            element,
            at: crate::mapping::fixture::place(),
        }),
        add: None,
        remove: None,
        replace: None,
        on_user: None,
        types: vec!["User".into()],
        refuses_unknown: false,
        gets_first: false,
    };
    let (ids, types) = (json!([1, 2]), json!(["User", "User"]));
    let mut names = Names::new();
    names.with("members", Cow::Borrowed(&ids));
    names.with("types", Cow::Borrowed(&types));
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
