use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn object() -> Value {
    json!({
        "id": 7,
        "name": {"first": "Ada", "first name": "A."},
        "mails": ["a@x", "b@x"],
        "custom_fields": [{"id": 3, "value": "x"}, {"id": "4", "value": "y"}],
        "null": null,
        "first-class": {"b-c": [1, 2]},
        "contacts": [{"kind": "email", "value": "a@x"}, {"kind": "phone", "value": "1"}],
    })
}

#[test]
fn a_path_finds_its_first_value() {
    let cases = [
        ("$.id", Some(json!(7))),
        ("id", Some(json!(7))),
        ("$['name']['first name']", Some(json!("A."))),
        ("name['first name']", Some(json!("A."))),
        ("name[\"first\"]", Some(json!("Ada"))),
        ("$.mails[1]", Some(json!("b@x"))),
        ("$.mails[-1]", Some(json!("b@x"))),
        ("mails[2]", None),
        ("custom_fields[id=3].value", Some(json!("x"))),
        ("custom_fields[id=4].value", Some(json!("y"))),
        ("custom_fields[value=\"y\"].id", Some(json!("4"))),
        ("custom_fields[value=='y'].id", Some(json!("4"))),
        ("custom_fields[id=5].value", None),
        ("null", Some(Value::Null)),
        ("null.x", None),
        ("mails.x", None),
        ("$.contacts[?@.kind=='phone'].value", Some(json!("1"))),
        ("$..kind", Some(json!("email"))),
        ("$.contacts[?@.kind=='fax'].value", None),
        ("$.first-class.b-c[1]", Some(json!(2))),
        ("$.first-class.b-c[*]", Some(json!(1))),
        ("$..b-c", Some(json!([1, 2]))),
        ("$['first-class'][?@=='x-y.z-w']", None),
        ("first-class.b-c[0]", Some(json!(1))),
        ("$", Some(object())),
        ("", Some(object())),
    ];
    for (text, expected) in cases {
        let path = JsonPath::parse(text).unwrap();
        assert_eq!(path.first(&object()), expected.as_ref(), "{text}");
        assert_eq!(path.source(), text);
    }
}

#[test]
fn a_path_finds_all_its_values_and_the_items_of_a_list() {
    let all = |text: &str| -> Value {
        let path = JsonPath::parse(text).unwrap();
        path.all(&object()).into_iter().cloned().collect()
    };
    assert_eq!(all("$.contacts[*].value"), json!(["a@x", "1"]));
    assert_eq!(all("$.mails"), json!([["a@x", "b@x"]]));
    assert_eq!(all("$.none[*]"), json!([]));
    let items = |text: &str| -> Value {
        let path = JsonPath::parse(text).unwrap();
        path.items(&object()).into_iter().cloned().collect()
    };
    assert_eq!(items("mails"), json!(["a@x", "b@x"]));
    assert_eq!(items("$.mails[*]"), json!(["a@x", "b@x"]));
    assert_eq!(items("name"), json!([object()["name"]]));
    assert_eq!(items("null"), json!([]));
    assert_eq!(items("none"), json!([]));
}

#[test]
fn only_a_singular_path_is_a_place() {
    for (text, is_singular) in [
        ("$.a.b[0]", true),
        ("a[id=4].b", true),
        ("$", true),
        ("$.a[*]", false),
        ("$..a", false),
        ("$.a[-1]", false),
        ("$.a[99999999]", false),
    ] {
        let path = JsonPath::parse(text).unwrap();
        assert_eq!(path.is_singular(), is_singular, "{text}");
        assert_eq!(path.as_place().is_some(), is_singular, "{text}");
    }
}

#[test]
fn a_fault_in_a_path_is_placed() {
    let cases = [
        ("a..b", 2, 1),
        ("a.", 2, 0),
        (".a", 0, 1),
        ("a[", 2, 0),
        ("a[x]", 2, 1),
        ("a[id=work].v", 5, 4),
        ("a['x", 2, 2),
        ("a[0", 3, 0),
        ("a b", 1, 1),
        ("a*", 1, 1),
        ("a.[0]", 1, 1),
        ("a[0]b", 4, 1),
        ("a[1000]", 2, 4),
        ("$.a..b..c", 6, 2),
        ("$.-name", 1, 6),
        ("$.a[?@.b-c==1]", 3, 11),
        ("$.a[?@.b='c']", 3, 10),
        ("$.a[id=4]", 3, 6),
    ];
    for (text, position, length) in cases {
        let error = JsonPath::parse(text).unwrap_err();
        assert_eq!(
            (error.position, error.length),
            (position, length),
            "{text}: {error}"
        );
    }
    let error = JsonPath::parse("$.a[?@.b='c']").unwrap_err();
    assert!(error.mending.unwrap().contains("=="));
    assert!(JsonPath::parse(&"a".repeat(2000)).is_err());
    assert!(JsonPath::parse(&format!("$.{}[*]", "a".repeat(2000))).is_err());
}

#[test]
fn p16_a_second_descendant_is_refused_and_dots_in_quotes_are_none() {
    assert!(JsonPath::parse("$..a[?@.b=='..']").is_ok());
    assert!(JsonPath::parse("$..a..b").is_err());
}

#[test]
fn p16_paths_that_multiply_their_work_are_refused() {
    for (path, position) in [
        ("$..a..a..a", 4),
        ("$.rows[?count($..*)>0]", 14),
        ("$.rows[?$.rows[?@.a==1]]", 8),
        ("$.rows[?@.a==$.b]", 13),
        ("$[*][?@.a=='$'][?@.b==$.b]", 22),
        ("$[0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0][0,0]", 43),
    ] {
        let error = JsonPath::parse(path).unwrap_err();
        assert_eq!(error.position, position, "{path}: {error}");
        assert!(error.mending.is_some(), "{path}");
    }
    for path in [
        "$.rows[?@.a=='$' || @.b=='..,,,,,,,,,,']",
        "$.rows['a','b','c']",
        "$..rows[?@.a[?@.b==1]]",
        "$['$',\"$..$\"]",
    ] {
        assert!(JsonPath::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn a_value_is_put_where_the_place_says() {
    let cases = [
        ("a", json!({}), json!({"a": 1})),
        ("a.b", json!({}), json!({"a": {"b": 1}})),
        (
            "a.b",
            json!({"a": {"c": 2}}),
            json!({"a": {"c": 2, "b": 1}}),
        ),
        ("a.b", json!({"a": "x"}), json!({"a": {"b": 1}})),
        ("a[1]", json!({}), json!({"a": [null, 1]})),
        (
            "a[0].b",
            json!({"a": [{"c": 2}]}),
            json!({"a": [{"c": 2, "b": 1}]}),
        ),
        ("a[id=4].v", json!({}), json!({"a": [{"id": 4, "v": 1}]})),
        (
            "a[id=4].v",
            json!({"a": [{"id": 3, "v": 3}, {"id": "4", "v": 2}]}),
            json!({"a": [{"id": 3, "v": 3}, {"id": "4", "v": 1}]}),
        ),
        (
            "a[t=\"x\"].v.w",
            json!({"a": {}}),
            json!({"a": [{"t": "x", "v": {"w": 1}}]}),
        ),
        ("", json!({"a": 2}), json!(1)),
        (
            "a[id=4]",
            json!({"a": [{"id": 4, "v": 2}]}),
            json!({"a": [1]}),
        ),
    ];
    for (text, mut before, after) in cases {
        let place = FieldPlace::parse(text).unwrap();
        place.write(&mut before, json!(1));
        assert_eq!(before, after, "{text}");
        assert!(
            text.ends_with(']') || place.read(&before) == Some(&json!(1)),
            "{text}"
        );
    }
    let mut list = json!([{"id": 4, "v": 2}]);
    FieldPlace::parse("[id=4]")
        .unwrap()
        .write(&mut list, json!({"v": 3}));
    assert_eq!(list, json!([{"id": 4, "v": 3}]), "an element keeps its key");
}

#[test]
fn a_value_is_taken_away() {
    let cases = [
        ("a", json!({"a": 1, "b": 2}), json!({"b": 2})),
        ("a.b", json!({"a": {"b": 1}}), json!({"a": {}})),
        ("a[0]", json!({"a": [1, 2]}), json!({"a": [2]})),
        (
            "a[id=4]",
            json!({"a": [{"id": 4}, {"id": 5}]}),
            json!({"a": [{"id": 5}]}),
        ),
        ("x.y", json!({"a": 1}), json!({"a": 1})),
        ("a[7]", json!({"a": [1]}), json!({"a": [1]})),
    ];
    for (text, mut before, after) in cases {
        FieldPlace::parse(text).unwrap().remove(&mut before);
        assert_eq!(before, after, "{text}");
    }
}

#[test]
fn places_overlap_if_one_is_within_the_other() {
    for (a, b, overlap) in [
        ("a", "a", true),
        ("a", "$.a", true),
        ("a", "a.b", true),
        ("a.b", "a.c", false),
        ("f[id=4].v", "f[id=5].v", false),
        ("f", "f[id=5].v", true),
        ("", "a", true),
    ] {
        let place = |text: &str| JsonPath::parse(text).unwrap().as_place().unwrap();
        assert_eq!(place(a).overlaps(&place(b)), overlap, "{a} {b}");
        assert_eq!(place(b).overlaps(&place(a)), overlap, "{b} {a}");
    }
    assert_eq!(
        FieldPlace::parse("a").unwrap(),
        FieldPlace::parse("['a']").unwrap()
    );
}

#[test]
fn a_place_knows_its_root_and_its_list() {
    let place = |text| FieldPlace::parse(text).unwrap();
    assert_eq!(place("a.b").root(), Some("a"));
    assert_eq!(place("").root(), None);
    assert_eq!(place("a.b[id=4].v").list(), Some(place("a.b")));
    assert_eq!(place("a.b").list(), None);
    assert!(place("").is_whole());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[a-c$.\\[\\]'\"=@?*0-9 \\\\é-]{0,24}") {
        let _ = FieldPlace::parse(&text);
        if let Ok(path) = JsonPath::parse(&text) {
            path.first(&object());
        }
    }

    #[test]
    fn what_is_written_is_read(
        steps in prop::collection::vec(prop_oneof!["[a-c]", Just("x[1]".to_owned()), Just("x[k=1]".to_owned())], 1..4),
        mut value in any_json(),
    ) {
        let place = FieldPlace::parse(&format!("{}.end", steps.join("."))).unwrap();
        place.write(&mut value, json!("here"));
        prop_assert_eq!(place.read(&value), Some(&json!("here")));
        place.remove(&mut value);
        prop_assert_ne!(place.read(&value), Some(&json!("here")));
    }
}

#[test]
fn an_element_of_xml_that_stands_alone_is_a_list_of_one() {
    let several = json!({"a": {"e": [{"k": "x", "v": "1"}, {"k": "y", "v": "2"}]}});
    let alone = json!({"a": {"e": {"k": "x", "v": "1"}}});
    let text = json!({"a": {"e": "x"}});
    let cases = [
        ("$.a.e[*].v", &several, vec!["1", "2"]),
        ("$.a.e[*].v", &alone, vec!["1"]),
        ("$.a.e[*]", &text, vec!["x"]),
        ("$.a.e[?@.k=='x'].v", &several, vec!["1"]),
        ("$.a.e[?@.k=='x'].v", &alone, vec!["1"]),
        ("$.a.e[?@.k=='y'].v", &alone, vec![]),
        ("$.a.e[0].v", &several, vec!["1"]),
        ("$.a.e[0].v", &alone, vec!["1"]),
        ("$.a.e[1].v", &alone, vec![]),
        ("$.a.e[-1].v", &several, vec!["2"]),
        ("$.a.e[-1].v", &alone, vec!["1"]),
        ("a.e[k=\"x\"].v", &alone, vec!["1"]),
        ("a.e[k=\"y\"].v", &alone, vec![]),
        ("a.e[0].v", &alone, vec!["1"]),
    ];
    for (path_text, value, expected) in cases {
        let path = JsonPath::parse(path_text).unwrap().in_xml();
        let found: Vec<&str> = path.all(value).iter().filter_map(|v| v.as_str()).collect();
        assert_eq!(found, expected, "{path_text} in {value}");
    }
    for nothing in [
        json!({"a": {"e": null}}),
        json!({"a": null}),
        json!({"a": {}}),
    ] {
        let path = JsonPath::parse("$.a.e[*]").unwrap().in_xml();
        assert!(path.items(&nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn a_place_is_told_empty_only_where_it_is_spoken_of() {
    let is_told =
        |place: &str, value: Value| FieldPlace::parse(place).unwrap().is_told_empty(&value);
    for (place, value, expected) in [
        ("mail", json!({ "mail": null }), true),
        ("mail", json!({ "mail": "" }), true),
        ("mail", json!({ "mail": "a" }), false),
        ("mail", json!({ "login": "ada" }), false),
        ("card.mail", json!({ "card": null }), true),
        ("card.mail", json!({ "card": {} }), false),
        ("mails[kind=\"work\"].address", json!({ "mails": [] }), true),
        (
            "mails[kind=\"work\"].address",
            json!({ "mails": null }),
            true,
        ),
        (
            "mails[kind=\"work\"].address",
            json!({ "login": "ada" }),
            false,
        ),
        (
            "mails[kind=\"work\"].address",
            json!({ "mails": [{ "kind": "work" }] }),
            false,
        ),
        ("mails[0]", json!({ "mails": [] }), true),
    ] {
        assert_eq!(
            is_told(place, value.clone()),
            expected,
            "{place} in {value}"
        );
    }
}
