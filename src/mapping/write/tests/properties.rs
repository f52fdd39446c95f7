use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{
    mapping::{
        fixture::{bare, each, kept, operation, rule, user},
        model::{AttributeRule, Form, OnUnknown, Send},
        names::Names,
    },
    scim::{AttributePath, Resource},
};

use super::{super::*, ENTERPRISE, on_off, with_update};

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
        join_kept(&t, &mut joined, &kept, &serde_json::json!({}));
        join_kept(&t, &mut joined, &other.0, &serde_json::json!({}));
        let mut unchanged = read.clone();
        join_kept(&t, &mut unchanged, &Map::new(), &serde_json::json!({}));
        prop_assert_eq!(unchanged, read);
    }
}
