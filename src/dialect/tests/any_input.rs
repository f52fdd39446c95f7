//! What holds whatever is sent.

use proptest::prelude::*;

use super::*;
use crate::scim::{Matcher, intake};

/// JSON that looks a little like SCIM.
fn json_like() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("members".to_owned()),
        Just("emails".to_owned()),
        Just("active".to_owned()),
        Just("name".to_owned()),
        Just("name.givenName".to_owned()),
        Just("roles".to_owned()),
        Just("manager".to_owned()),
        Just("value".to_owned()),
        Just("$ref".to_owned()),
        Just("primary".to_owned()),
        Just("id".to_owned()),
        Just("schemas".to_owned()),
        Just(ENTERPRISE.to_owned()),
        Just(format!("{ENTERPRISE}.manager")),
        Just("emails[type eq work].value".to_owned()),
        Just("{\"value\":\"x\"}".to_owned()),
        Just("True".to_owned()),
        Just(String::new()),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_it_panic_and_what_is_left_is_mended_once(body in json_like(), is_create: bool) {
        for rt in [user_type(), group_type()] {
            let dialect = Dialect::default();
            let mended = dialect.resource(&rt, body.clone(), is_create, &mut Notes::default());
            if let Ok(mended) = mended {
                let mut notes = Notes::default();
                let again = dialect.resource(&rt, mended.clone(), is_create, &mut notes);
                prop_assert_eq!(again, Ok(mended.clone()));
                prop_assert_eq!(notes, Notes::default());
                let _ = intake::resource(&rt, mended, is_create);
            }
        }
    }

    #[test]
    fn no_patch_makes_it_panic(
        op in prop_oneof![Just("add"), Just("Replace"), Just("remove"), Just("x")],
        path in prop::option::of(prop_oneof![
            "[a-z.:\\[\\]\" ]{0,16}",
            Just("members".to_owned()),
            Just("emails[type eq \"work\"].value".to_owned()),
            Just(format!("{ENTERPRISE}:manager")),
            Just(ENTERPRISE.to_owned()),
        ]),
        value in json_like(),
    ) {
        let mut operation = json!({"op": op, "value": value});
        if let Some(path) = path {
            operation["path"] = path.into();
        }
        for (rt, old) in [(user_type(), resource(json!({"id": "u1", "userName": "ada"}))), (group_type(), group())] {
            let _ = patched(&rt, &old, operations(json!([operation])));
        }
    }

    #[test]
    fn no_filter_makes_it_panic_and_what_is_read_is_read_the_same_again(
        text in prop_oneof![
            ".{0,40}",
            "(userName|emails|manager|active|email)( |\\[)(eq|co|pr|type) (\"x\"|x|True|5)(\\])?(.value eq x)?",
        ],
    ) {
        let (rt, dialect) = (user_type(), Dialect::default());
        if let Ok(filter) = dialect.filter(&rt, &text, &mut Notes::default()) {
            let mut notes = Notes::default();
            prop_assert_eq!(dialect.filter(&rt, &filter.to_string(), &mut notes), Ok(filter.clone()));
            prop_assert!(notes.0.is_empty(), "{:?}", notes);
            let _ = Matcher::compile(&filter, &rt);
        }
    }

    #[test]
    fn no_query_makes_it_panic(raw in ".{0,60}|[a-z%+&=?0-9]{0,60}") {
        let _ = Dialect::default().query_pairs(Some(&raw), &mut Notes::default());
    }
}
