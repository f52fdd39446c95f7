//! One change, many spellings: they all come to the same.

use proptest::prelude::*;

use super::*;

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// Spellings of: inactive, this family name, this work address, this manager.
fn spellings(family: &str, mail: &str, boss: &str) -> Vec<Value> {
    let rest = |op: &str| {
        vec![
            json!({"op": op, "path": "name.familyName", "value": family}),
            json!({"op": op, "path": "emails[type eq \"work\"].value", "value": mail}),
            json!({"op": op, "path": MANAGER, "value": {"value": boss}}),
        ]
    };
    let with = |op: &str, first: Value| {
        let mut all = vec![first];
        all.extend(rest(op));
        Value::Array(all)
    };
    let active = |op: &str, value: Value| json!({"op": op, "path": "active", "value": value});
    let name = json!({"op": "replace", "path": "name", "value": {"familyName": family}});
    let work = |path: &str, value: Value| json!({"op": "Add", "path": path, "value": value});
    vec![
        with("replace", active("replace", json!(false))),
        with("add", active("add", json!(false))),
        with("Replace", active("Replace", json!("False"))),
        with("REPLACE", active("REPLACE", json!(["false"]))),
        with(
            "replace",
            json!({"op": "replace", "value": {"active": false}}),
        ),
        with(
            "replace",
            json!({"op": "replace", "path": "", "value": {"Active": "FALSE"}}),
        ),
        with(
            "replace",
            json!({"op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false}),
        ),
        json!([{"op": "replace", "value": {
            "active": "False", "name.familyName": family,
            "emails[type eq \"work\"].value": mail, MANAGER: boss,
        }}]),
        json!([{"op": "replace", "value": {
            "schemas": [], "id": "u1", "meta": {}, "groups": [],
            "active": false, "name": {"familyName": family},
            "emails[Type Eq \"work\"].Value": mail,
            ENTERPRISE: {"manager": [{"value": boss, "$ref": null}]},
        }}]),
        json!([{"op": "replace", "value": json!({
            "active": false, "name.familyName": family,
            "emails[type eq \"work\"].value": mail, "manager": boss,
        }).to_string()}]),
        json!([
            active("replace", json!(false)),
            name,
            work("EMAILS[TYPE EQ \"work\"].VALUE", json!(mail)),
            work("manager", json!([{"value": boss}]))
        ]),
        json!([
            active("replace", json!(false)),
            name,
            work("emails[type eq work].value", json!([mail])),
            work(&format!("{ENTERPRISE}.manager"), json!(boss))
        ]),
        json!([
            active("replace", json!(false)),
            name,
            work("emails[type eq 'work']", json!({"value": mail})),
            work(&format!("{MANAGER}.value"), json!(boss))
        ]),
        json!([active("replace", json!(false)), name, {"op": "replace", "path": "emails", "value": {"type": "work", "value": mail}}, work("urn:scim:schemas:extension:enterprise:1.0:manager", json!(boss))]),
        with(
            "replace",
            json!({"op": "Replace", "path": "active", "value": "false", "comment": 1}),
        ),
        with("replace", active("replace", json!(0))),
        with("replace", active("add", json!("0"))),
        with(
            "replace",
            active("replace", json!([{"$ref": null, "value": "False"}])),
        ),
        json!([
            {"op": "replace", "path": "/active", "value": false},
            {"op": "replace", "path": "/name/familyName", "value": {"value": family}},
            {"op": "replace", "path": "emails[type == 'work'].value", "value": mail},
            {"op": "add", "path": format!("/{ENTERPRISE}/manager"), "value": boss},
        ]),
        json!([
            active("replace", json!({"value": 0})),
            {"op": "replace", "path": "/name", "value": {"familyName": [family]}},
            {"op": "add", "path": "emails[type=“work”]", "value": {"value": mail}},
            {"op": "add", "path": "manager", "value": {"$ref": format!("../Users/{boss}")}},
        ]),
    ]
}

fn before() -> Resource {
    resource(json!({
        "schemas": [builtin::user().id],
        "id": "u1",
        "userName": "ada",
        "active": true,
        "name": {"givenName": "Ada", "familyName": "King"},
        "emails": [{"type": "work", "value": "old@example.com"}],
    }))
}

proptest! {
    #[test]
    fn every_spelling_of_one_change_has_the_same_effect(
        family in "[A-Za-zÀ-ž' -]{0,12}[A-Za-z]",
        mail in "[a-z+.]{1,12}@example\\.com",
        boss in "[a-z0-9-]{1,12}",
    ) {
        let all = spellings(&family, &mail, &boss);
        prop_assert!(all.len() >= 12);
        let old = before();
        let expected = resource(json!({
            "schemas": [builtin::user().id, ENTERPRISE],
            "id": "u1",
            "userName": "ada",
            "active": false,
            "name": {"givenName": "Ada", "familyName": family},
            "emails": [{"type": "work", "value": mail}],
            ENTERPRISE: {"manager": {"value": boss}},
        }));
        for spelling in all {
            let body = operations(spelling.clone());
            prop_assert_eq!(patched(&user_type(), &old, body), Ok(expected.clone()), "{}", spelling);
            let bare = patched(&user_type(), &old, spelling.clone());
            prop_assert_eq!(bare, Ok(expected.clone()), "without the message: {}", spelling);
        }
    }

    #[test]
    fn every_spelling_of_one_removal_has_the_same_effect(id in "u[1-9]") {
        let all = [
            json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]),
            json!([{"op": "Remove", "path": format!("Members[Value Eq \"{id}\"]")}]),
            json!([{"op": "remove", "path": format!("members[value eq {id}]")}]),
            json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": id}]}]),
            json!([{"op": "remove", "path": "members", "value": {"value": id}}]),
            json!([{"op": "remove", "path": "members", "value": [id]}]),
            json!({"op": "remove", "path": "members", "value": id}),
            json!([{"op": "remove", "path": "/members", "value": [{"value": id}]}]),
            json!([{"op": "remove", "path": format!("members[value == '{id}']")}]),
            json!([{"op": "remove", "path": format!("members[value=“{id}”]")}]),
            json!([{"op": "Remove", "value": {"members": [{"value": id}]}}]),
            json!([{"op": "remove", "value": {"Members": id}}]),
        ];
        let (rt, old) = (group_type(), group());
        let removed = |body: &Value| patched(&rt, &old, operations(body.clone()));
        let expected = removed(&all[0]);
        prop_assert!(expected.is_ok());
        for body in &all {
            prop_assert_eq!(&removed(body), &expected, "{}", body);
        }
    }

    #[test]
    fn every_spelling_of_one_filter_is_the_same_filter(id in "[a-z][a-z0-9]{0,8}") {
        let (rt, dialect) = (user_type(), Dialect::default());
        let read = |text: String| dialect.filter(&rt, &text, &mut Notes::default());
        let expected = read(format!("{MANAGER}.value eq \"{id}\" and active eq true"));
        prop_assert!(expected.is_ok());
        for text in [
            format!("manager eq \"{id}\" and active eq \"True\""),
            format!("manager.value Eq {id}x and ACTIVE EQ True").replace("x and", " and"),
            format!("({MANAGER} eq \"{id}\") AND active eq \"true\""),
            format!("{ENTERPRISE}.manager eq '{id}' and active eq TRUE"),
            format!("manager == \"{id}\" && active = 1"),
            format!("manager=='{id}'&& active != false").replace("!= false", "== \"1\"").replace("'&&", "' &&"),
            format!("(manager eq “{id}”) && (active eq True)"),
        ] {
            // Words of the grammar are not read as values without quotes.
            prop_assume!(!["true", "false", "null", "and", "or", "not"].contains(&id.as_str()));
            prop_assert_eq!(&read(text.clone()), &expected, "{}", text);
        }
    }
}
