use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    mapping::model::{Form, OnUnknown, TablePairs, ValueTable},
    scim::AttributeType,
};

use super::*;

/// A joined text is many values: the type is that of each of them.
fn spelling(form: &Form, kind: AttributeType) -> Spelling<'_> {
    Spelling {
        values: None,
        form,
        kind: (!matches!(form, Form::Joined(_))).then_some(kind),
    }
}

fn time(pattern: &str, zone: &str) -> Form {
    Form::Time {
        pattern: pattern.into(),
        zone: zone.into(),
    }
}

fn yes_no() -> Form {
    Form::BooleanText("Y".into(), "N".into())
}

#[test]
fn a_field_is_read_in_the_form_it_has() {
    use AttributeType::{Boolean, DateTime, Decimal, Integer, String};
    let cases = [
        (Form::Same, String, json!("x"), Some(json!("x"))),
        (Form::Same, String, json!(7), Some(json!("7"))),
        (Form::Same, String, json!(["x"]), None),
        (Form::Same, String, json!({"a": 1}), None),
        (Form::Same, Boolean, json!(1), Some(json!(true))),
        (Form::Same, Boolean, json!("0"), Some(json!(false))),
        (Form::Same, Boolean, json!("True"), Some(json!(true))),
        (Form::Same, Boolean, json!("maybe"), None),
        (Form::Same, Integer, json!("12"), Some(json!(12))),
        (Form::Same, Integer, json!(1.5), None),
        (
            Form::Same,
            Integer,
            json!(9_007_199_254_740_993_i64),
            Some(json!(9_007_199_254_740_993_i64)),
        ),
        (Form::Same, Decimal, json!("1.5"), Some(json!(1.5))),
        (
            Form::Same,
            DateTime,
            json!("2026-11-22T17:17:07+02:00"),
            Some(json!("2026-11-22T17:17:07+02:00")),
        ),
        (
            Form::Same,
            DateTime,
            json!("2026-11-22 17:17:07"),
            Some(json!("2026-11-22T17:17:07Z")),
        ),
        (
            Form::Same,
            DateTime,
            json!("2026-11-22T17:17:07.250"),
            Some(json!("2026-11-22T17:17:07.25Z")),
        ),
        (Form::Same, DateTime, json!("yesterday"), None),
        (Form::Integer, String, json!(7), Some(json!("7"))),
        (yes_no(), Boolean, json!("Y"), Some(json!(true))),
        (yes_no(), Boolean, json!("n"), Some(json!(false))),
        (yes_no(), Boolean, json!(true), Some(json!(true))),
        (yes_no(), Boolean, json!("x"), None),
        (
            Form::EpochSeconds,
            DateTime,
            json!(0),
            Some(json!("1970-01-01T00:00:00Z")),
        ),
        (
            Form::EpochSeconds,
            DateTime,
            json!("1763831827"),
            Some(json!("2025-11-22T17:17:07Z")),
        ),
        (
            Form::EpochSeconds,
            DateTime,
            json!(1.5),
            Some(json!("1970-01-01T00:00:01.5Z")),
        ),
        (Form::EpochSeconds, DateTime, json!(i64::MAX), None),
        (Form::EpochSeconds, DateTime, json!(1e300), None),
        (
            Form::EpochMilliseconds,
            DateTime,
            json!(1500),
            Some(json!("1970-01-01T00:00:01.5Z")),
        ),
        (Form::EpochMilliseconds, DateTime, json!("x"), None),
        (
            time("%Y-%m-%d.%H:%M:%S", "UTC"),
            DateTime,
            json!("2026-11-22.17:17:07"),
            Some(json!("2026-11-22T17:17:07Z")),
        ),
        (
            time("%Y-%m-%d", "UTC"),
            DateTime,
            json!("2026-11-22"),
            Some(json!("2026-11-22T00:00:00Z")),
        ),
        (
            time("%d/%m/%Y %H:%M", "+02:00"),
            DateTime,
            json!("22/11/2026 01:00"),
            Some(json!("2026-11-21T23:00:00Z")),
        ),
        (
            time("%Y-%m-%dT%H:%M:%S%z", "UTC"),
            DateTime,
            json!("2026-11-22T17:17:07+0200"),
            Some(json!("2026-11-22T15:17:07Z")),
        ),
        (
            time("", "+01:00"),
            DateTime,
            json!("2026-11-22T17:17:07"),
            Some(json!("2026-11-22T16:17:07Z")),
        ),
        (
            time(super::time::PLAIN, "UTC"),
            DateTime,
            json!("2026-11-23T04:00:37.641584"),
            Some(json!("2026-11-23T04:00:37.641584Z")),
        ),
        (
            time(super::time::PLAIN, "UTC"),
            DateTime,
            json!("2026-11-23 04:00:37"),
            Some(json!("2026-11-23T04:00:37Z")),
        ),
        (
            time(super::time::PLAIN, "UTC"),
            DateTime,
            json!("2026-11-23T04:00:37.5+02:00"),
            Some(json!("2026-11-23T02:00:37.5Z")),
        ),
        (
            time(super::time::PLAIN, "UTC"),
            DateTime,
            json!("2026-11-23T04:00:37Z"),
            Some(json!("2026-11-23T04:00:37Z")),
        ),
        (time("%Y", "Nowhere/Land"), DateTime, json!("2026"), None),
        (
            Form::Joined(",".into()),
            String,
            json!("a, b,,c"),
            Some(json!(["a", "b", "c"])),
        ),
        (
            Form::Joined(",".into()),
            String,
            json!(["a"]),
            Some(json!(["a"])),
        ),
        (
            Form::Joined("".into()),
            String,
            json!("a,b"),
            Some(json!(["a,b"])),
        ),
        (Form::Lower, String, json!("Ada"), Some(json!("Ada"))),
    ];
    for (form, kind, raw, expected) in cases {
        let value = spelling(&form, kind).decode(&raw).ok();
        assert_eq!(value, expected, "{form:?} {kind:?} {raw}");
    }
}

#[test]
fn a_value_is_written_in_the_form_it_should_have() {
    let cases = [
        (Form::Same, json!({"a": 1}), Some(json!({"a": 1}))),
        (Form::String, json!(7), Some(json!("7"))),
        (Form::String, json!(true), Some(json!("true"))),
        (Form::String, json!([]), None),
        (Form::Integer, json!("12"), Some(json!(12))),
        (Form::Integer, json!(true), Some(json!(1))),
        (Form::Integer, json!(2.0), Some(json!(2))),
        (Form::Integer, json!("12a"), None),
        (yes_no(), json!(true), Some(json!("Y"))),
        (yes_no(), json!("False"), Some(json!("N"))),
        (yes_no(), json!("x"), None),
        (
            Form::EpochSeconds,
            json!("2025-11-22T17:17:07Z"),
            Some(json!(1_763_831_827)),
        ),
        (
            Form::EpochMilliseconds,
            json!("1970-01-01T00:00:01.5Z"),
            Some(json!(1500)),
        ),
        (Form::EpochSeconds, json!("soon"), None),
        (Form::EpochSeconds, json!(5), None),
        (
            time("%Y-%m-%d", "UTC"),
            json!("2026-11-22T23:30:00-02:00"),
            Some(json!("2026-11-23")),
        ),
        (
            time("", "UTC"),
            json!("2026-11-22T23:30:00-02:00"),
            Some(json!("2026-11-23T01:30:00Z")),
        ),
        (
            Form::Joined("|".into()),
            json!(["a", "b"]),
            Some(json!("a|b")),
        ),
        (
            Form::Joined("|".into()),
            json!([{"value": "a"}, {"value": 1}]),
            Some(json!("a|1")),
        ),
        (Form::Joined("|".into()), json!("a"), Some(json!("a"))),
        (Form::Joined("|".into()), json!([["a"]]), None),
        (Form::Lower, json!("ÄDA"), Some(json!("äda"))),
        (Form::Lower, json!(1), Some(json!(1))),
    ];
    for (form, value, expected) in cases {
        let field = spelling(&form, AttributeType::String).encode(&value).ok();
        assert_eq!(field, expected, "{form:?} {value}");
    }
}

fn table(unknown: OnUnknown) -> ValueTable {
    ValueTable {
        pairs: TablePairs::Fixed(vec![
            (json!(true), json!(1)),
            (json!(false), json!(3)),
            (json!("Employee"), json!("emp")),
        ]),
        unknown_read: unknown.clone(),
        unknown_write: unknown,
    }
}

#[test]
fn a_value_table_works_both_ways() {
    let values = table(OnUnknown::Refuse);
    let with = |kind| Spelling {
        values: Some(&values),
        form: &Form::Same,
        kind: Some(kind),
    };
    let of_boolean = with(AttributeType::Boolean);
    assert_eq!(of_boolean.decode(&json!(3)), Ok(json!(false)));
    assert_eq!(
        of_boolean.decode(&json!("3")),
        Ok(json!(false)),
        "applications write numbers as text"
    );
    assert_eq!(of_boolean.decode(&json!(2)), Err(Untranslatable::Refused));
    assert_eq!(of_boolean.encode(&json!(true)), Ok(json!(1)));
    assert_eq!(
        of_boolean.encode(&json!("false")),
        Ok(json!(3)),
        "keys of a file are text"
    );
    let of_text = with(AttributeType::String);
    assert_eq!(of_text.encode(&json!("employee")), Ok(json!("emp")));
    assert_eq!(
        of_text.encode(&json!("Chief")),
        Err(Untranslatable::Refused)
    );
}

#[test]
fn a_value_that_is_in_no_pair_is_treated_as_the_table_says() {
    let cases = [
        (OnUnknown::Pass, Ok(json!("x"))),
        (OnUnknown::Drop, Err(Untranslatable::Dropped)),
        (OnUnknown::Refuse, Err(Untranslatable::Refused)),
        (OnUnknown::Value(json!("y")), Ok(json!("y"))),
    ];
    for (unknown, expected) in cases {
        let values = table(unknown);
        let spelling = Spelling {
            values: Some(&values),
            form: &Form::Same,
            kind: Some(AttributeType::String),
        };
        assert_eq!(spelling.encode(&json!("x")), expected);
        assert_eq!(spelling.decode(&json!("x")), expected);
    }
}

#[test]
fn values_are_the_same_in_spite_of_their_spelling() {
    use crate::scim::schema::builtin;
    let user = builtin::user();
    let named = |name: &str| user.attribute(name);
    let numbers = |a: &str, b: &str| is_same_value(&json!(a), &json!(b), None, true);
    assert!(is_same_value(
        &json!("Ada"),
        &json!("ada"),
        named("userName"),
        false
    ));
    assert!(!is_same_value(
        &json!("Ada"),
        &json!("Eve"),
        named("userName"),
        false
    ));
    assert!(!is_same_value(&json!(true), &json!("true"), None, false));
    assert!(numbers("+1 (555) 123-4567", "+15551234567"));
    assert!(!numbers("ext", "none"));
    assert!(!numbers("1", "2"));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|f| json!(f)),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9:TZ.+-]{0,25}".prop_map(Value::from),
        Just(json!(["a", 1, null])),
        Just(json!({"value": "x"})),
    ]
}

fn any_form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Same),
        Just(Form::String),
        Just(Form::Integer),
        Just(yes_no()),
        Just(Form::EpochSeconds),
        Just(Form::EpochMilliseconds),
        Just(time("%Y-%m-%d %H:%M:%S", "+05:30")),
        Just(time("", "UTC")),
        Just(Form::Joined(", ".into())),
        Just(Form::Lower),
    ]
}

const KINDS: [AttributeType; 8] = [
    AttributeType::String,
    AttributeType::Boolean,
    AttributeType::Decimal,
    AttributeType::Integer,
    AttributeType::DateTime,
    AttributeType::Binary,
    AttributeType::Reference,
    AttributeType::Complex,
];

proptest! {
    #[test]
    fn no_value_panics(value in any_value(), form in any_form(), kind in prop::sample::select(&KINDS[..])) {
        let _ = spelling(&form, kind).decode(&value);
        let _ = spelling(&form, kind).encode(&value);
    }

    #[test]
    fn what_is_written_reads_as_it_was(seconds in -60_000_000_000_i64..200_000_000_000, flag: bool, number: i64, words in prop::collection::vec("[a-zA-Z]{1,5}", 1..4)) {
        let instant = jiff::Timestamp::from_second(seconds).unwrap();
        let moment = json!(instant.to_string());
        let forms = [
            (Form::EpochSeconds, AttributeType::DateTime, moment.clone()),
            (Form::EpochMilliseconds, AttributeType::DateTime, moment.clone()),
            (time("", "UTC"), AttributeType::DateTime, moment.clone()),
            (time("%Y-%m-%d %H:%M:%S%z", "+05:30"), AttributeType::DateTime, moment.clone()),
            (Form::Same, AttributeType::DateTime, moment),
            (yes_no(), AttributeType::Boolean, json!(flag)),
            (Form::Integer, AttributeType::Boolean, json!(flag)),
            (Form::String, AttributeType::Boolean, json!(flag)),
            (Form::String, AttributeType::Integer, json!(number)),
            (Form::Integer, AttributeType::String, json!(number.to_string())),
            (Form::Joined(", ".into()), AttributeType::String, json!(words)),
        ];
        for (form, kind, value) in forms {
            let spelling = spelling(&form, kind);
            let field = spelling.encode(&value).unwrap();
            prop_assert_eq!(spelling.decode(&field), Ok(value), "{:?}: {}", form, field);
        }
    }
}
