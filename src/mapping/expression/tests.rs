use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::scim::Resource;

use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn resource() -> Resource {
    let value = json!({
        "userName": "Ada.Lovelace@Example.com",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": true,
        "title": "",
        "emails": [
            {"value": "home@x", "type": "home"},
            {"value": "work@x", "type": "work"},
            {"value": "p@x", "type": "other", "primary": true},
        ],
        ENTERPRISE: {"department": "R&D", "manager": {"value": "9"}},
    });
    match value {
        Value::Object(map) => Resource(map),
        _ => Resource::default(),
    }
}

fn settings() -> Map<String, Value> {
    Map::from_iter([
        ("role-id".to_owned(), json!(3)),
        ("roles".to_owned(), json!({"a": 1, "b": 2})),
    ])
}

fn evaluate(text: &str) -> Result<Option<Value>, EvaluateError> {
    let (resource, settings) = (resource(), settings());
    let object =
        json!({"status": "3", "locked": 0, "deleted_at": null, "tags": ["x", "y"], "type": "root"});
    let mut names = Names::new();
    names
        .resource(&resource)
        .settings(&settings)
        .object(&object)
        .random("abcdefghij")
        .with("value", Cow::Owned(json!("given")));
    Expression::parse(text).unwrap().evaluate(&names)
}

#[test]
fn expressions_have_values() {
    let cases = [
        ("userName", json!("Ada.Lovelace@Example.com")),
        ("username | lower", json!("ada.lovelace@example.com")),
        ("' Sales & Cô_2! ' | slug", json!("sales-c-2")),
        ("'!?' | slug", json!("")),
        ("'Ada+x@Bücher.example' | local", json!("Ada+x")),
        (
            "'Ada+x@Bücher.example' | domain",
            json!("xn--bcher-kva.example"),
        ),
        (
            "'Ada+x@Bücher.example' | untagged",
            json!("Ada@Bücher.example"),
        ),
        ("'ada' | domain | default('none')", json!("none")),
        (
            r"'a.b+c\E (x) [y] {z} ^$|?*-/ü😀' | regex",
            json!(r"a\.b\+c\\E \(x\) \[y\] \{z\} \^\$\|\?\*-/ü😀"),
        ),
        (r"'50%_a\\' | like", json!(r"50\%\_a\\")),
        ("\"O'Neil\" | quoted(\"'\")", json!("'O''Neil'")),
        ("7 | quoted(\"'\")", json!("'7'")),
        (r#"'a"b\\' | quoted("\"", "\\")"#, json!(r#""a\"b\\""#)),
        ("[{'a': 1}, {'b': 2}] | merge", json!({"a": 1, "b": 2})),
        ("'a' + 'b' | upper", json!("aB")),
        ("('a' + 'b') | upper", json!("AB")),
        ("USERNAME|upper", json!("ADA.LOVELACE@EXAMPLE.COM")),
        (
            "name.givenName + ' ' + name.familyName",
            json!("Ada Lovelace"),
        ),
        ("NAME.givenname", json!("Ada")),
        ("emails[type==\"work\"].value", json!("work@x")),
        ("emails[Type=='work'].value", json!("work@x")),
        ("emails[type=='fax' or primary].value", json!("p@x")),
        ("emails[0].value", json!("home@x")),
        ("emails[-1].value", json!("p@x")),
        (
            "emails|primary",
            json!({"value": "p@x", "type": "other", "primary": true}),
        ),
        ("(emails|primary).value", json!("p@x")),
        ("emails|primary.value", json!("p@x")),
        (
            "emails|values('value')|join(', ')",
            json!("home@x, work@x, p@x"),
        ),
        ("emails|where('type', 'work')|length", json!(1)),
        ("tags|wrap('id')", json!([{"id": "x"}, {"id": "y"}])),
        ("emails|without('type', 'work')|length", json!(2)),
        ("tags|without('x')", json!(["y"])),
        ("[1, 2, '3'] | without([3, '1'])", json!([2])),
        ("tags|without(nickName)", json!(["x", "y"])),
        ("emails[0] | without('value')", json!({"type": "home"})),
        (
            "emails|primary|without(['type', 'primary', 'z'])",
            json!({"value": "p@x"}),
        ),
        ("emails|first.type", json!("home")),
        ("emails|last.type", json!("other")),
        ("enterprise.department", json!("R&D")),
        ("enterprise.manager.value|int", json!(9)),
        (
            "extension[\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"].department",
            json!("R&D"),
        ),
        ("settings.role-id", json!(3)),
        ("settings.roles[tags[0]] ", Value::Null),
        ("settings.roles['b']", json!(2)),
        ("status", json!("3")),
        ("value", json!("given")),
        (
            "title | default(userName)",
            json!("Ada.Lovelace@Example.com"),
        ),
        ("nickName | default('none')", json!("none")),
        ("nickName | lower | default('none')", json!("none")),
        ("deleted_at | default('none')", json!("none")),
        ("coalesce(nickName, title, deleted_at, 'x')", json!("x")),
        ("nickName or title or userName|length", json!(24)),
        ("'admin' if active else 'user'", json!("admin")),
        ("1 if locked else 2 if status == '4' else 3", json!(3)),
        ("1 + 2", json!(3)),
        ("1.5 + 1", json!(2.5)),
        ("'n' + 1", json!("n1")),
        ("[1, 2] + [3]", json!([1, 2, 3])),
        ("-1 + 1", json!(0)),
        ("'a-b-c'|split('-')", json!(["a", "b", "c"])),
        ("'a@b'|split('@', 1)", json!("b")),
        ("'a@b'|split('@', -2)", json!("a")),
        ("'a.b'|replace('.', '_')", json!("a_b")),
        ("'abcdef'|cut(3)", json!("abc")),
        ("'äöü'|cut(2)", json!("äö")),
        ("'user-17@x'|match('\\d+')", json!("17")),
        ("'user-17@x'|match('(\\w+)-(\\d+)', 2)", json!("17")),
        ("'user-17@x'|match('^(\\w+)-')", json!("user")),
        (
            "'2026-11-22T17:17:07Z'|date('%Y-%m-%d')",
            json!("2026-11-22"),
        ),
        ("0|date('%Y')", json!("1970")),
        ("1790000000000|date('%Y')", json!("2026")),
        (
            "'2026-11-22T17:17:07Z'|date('%H:%M', '+02:00')",
            json!("19:17"),
        ),
        ("' x '|trim", json!("x")),
        ("true|string", json!("true")),
        ("'yes'|bool", json!(true)),
        ("0|bool", json!(false)),
        ("'12.9'|int", json!(12)),
        ("'a'|base64", json!("YQ==")),
        ("tags|json", json!("[\"x\",\"y\"]")),
        ("['a', 'b', 'a']|unique", json!(["a", "b"])),
        ("'b'|lookup({\"a\": 1, b: 2})", json!(2)),
        ("status|lookup({3: 'three'})", json!("three")),
        ("random(4) + random(3)", json!("abcdefg")),
        ("{\"a\": nickName, b: [nickName, 1]}", json!({"b": [1]})),
        ("'\\u00e9\\n'", json!("é\n")),
        ("tags[type == 'root']", Value::Null),
        (
            "emails[type == 'work' and value != 'given'].value",
            json!("work@x"),
        ),
        ("tags[value == 'y']", json!("y")),
    ];
    for (text, expected) in cases {
        let value = evaluate(text).unwrap();
        assert_eq!(value.unwrap_or(Value::Null), expected, "{text}");
    }
}

#[test]
fn sums_are_of_numbers_of_texts_or_of_lists() {
    for (text, expected) in [
        ("1 + 2", json!(3)),
        (r#""a" + 1"#, json!("a1")),
        (r#"("a,b" | split(",")) + ["c"]"#, json!(["a", "b", "c"])),
        (r#"[1] + [2] + [3]"#, json!([1, 2, 3])),
    ] {
        assert_eq!(evaluate(text).unwrap(), Some(expected), "{text}");
    }
    assert!(evaluate(r#"["a"] + "b""#).is_err());
}

#[test]
fn a_path_in_place_of_a_name_is_refused() {
    for text in ["$.a == 1", "$['a']", "not $.a"] {
        let error = Expression::parse(text).unwrap_err();
        assert!(error.message.contains("is a path"), "{text}: {error:?}");
    }
    assert!(Expression::parse("$ref == 1").is_ok());
}

#[test]
fn a_condition_that_holds_wherever_another_does_is_known() {
    let is_implied = |wide: &str, narrow: &str| {
        let parse = |text| Expression::parse(text).unwrap();
        parse(wide).is_implied_by(&parse(narrow))
    };
    assert!(is_implied("a.b != 100", "a.b == 404"));
    assert!(is_implied("(a | int) != 100", "(a | int) in [1, 2]"));
    assert!(is_implied("errors", "errors"));
    for (wide, narrow) in [
        ("a != 100", "a == 100"),
        ("a != 100", "a in [100, 404]"),
        ("a != 100", "b == 404"),
        ("a != 100", "(a | int) == 404"),
        ("a[0] != 1", "a[1] == 2"),
        ("a == 404", "a != 100"),
    ] {
        assert!(!is_implied(wide, narrow), "{wide} / {narrow}");
    }
}

#[test]
fn absent_stays_absent() {
    for text in [
        "nickName",
        "nickName.x[0].y|lower|split('x')",
        "nickName + 'x'",
        "'x' + nickName",
        "'x' if nickName",
        "emails[type=='fax'].value",
        "emails[9]",
        "tags[0].x",
        "'x'|int",
        "'maybe'|bool",
        "'x'|date('%Y')",
        "'c'|lookup({a: 1})",
        "'x'|match('y')",
        "settings.none",
        "settings.roles[nickName]",
    ] {
        assert_eq!(evaluate(text).unwrap(), None, "{text}");
    }
}

#[test]
fn conditions_hold_or_not() {
    let cases = [
        ("active", true),
        ("not active", false),
        ("title", false),
        ("locked", false),
        ("deleted_at", false),
        ("nickName", false),
        ("tags", true),
        ("[]", false),
        ("{}", false),
        ("'0'", true),
        ("status == '3'", true),
        ("status == 3", false),
        ("nickName == null", true),
        ("nickName != 'x'", true),
        ("deleted_at == null", true),
        ("1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3", true),
        ("1 == 1.0", true),
        ("'a' < 'b'", true),
        ("'a' < 1", false),
        ("nickName < 1", false),
        ("'x' in tags", true),
        ("'z' not in tags", true),
        ("'@Example' in userName", true),
        ("'a' in settings.roles", true),
        ("not not active", true),
        ("active or nickName.x", true),
        ("false or false or 1", true),
    ];
    let (resource, settings) = (resource(), settings());
    let object = json!({"status": "3", "locked": 0, "deleted_at": null, "tags": ["x", "y"]});
    let mut names = Names::new();
    names
        .resource(&resource)
        .settings(&settings)
        .object(&object);
    for (text, expected) in cases {
        let holds = Expression::parse(text).unwrap().holds(&names).unwrap();
        assert_eq!(holds, expected, "{text}");
    }
}

#[test]
fn what_cannot_be_done_with_a_value_is_an_error() {
    let cases = [
        ("emails|lower", EvaluateErrorKind::Type),
        ("name + 'x'", EvaluateErrorKind::Type),
        ("emails|join(',')", EvaluateErrorKind::Type),
        ("'x'|replace(nickName, 'y')", EvaluateErrorKind::Absent),
        ("'x'|split('')", EvaluateErrorKind::Type),
        ("random(11)", EvaluateErrorKind::NoRandom),
        ("tags[name]", EvaluateErrorKind::Type),
    ];
    for (text, kind) in cases {
        let error = evaluate(text).unwrap_err();
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(!error.to_string().contains("Example.com"), "{error}");
    }
}

#[test]
fn results_are_bounded() {
    let long = json!("x".repeat(700_000));
    let mut names = Names::new();
    names.with("a", Cow::Borrowed(&long));
    for text in [
        "a + a",
        "[a, a]|join('')",
        "a|replace('x', 'yy')",
        "a|split('x')",
        "a|base64|base64",
    ] {
        let error = Expression::parse(text)
            .unwrap()
            .evaluate(&names)
            .unwrap_err();
        assert_eq!(error.kind, EvaluateErrorKind::TooLarge, "{text}");
    }
}

#[test]
fn a_fault_in_an_expression_is_placed() {
    let cases = [
        ("", 0, 0, "missing"),
        ("a b", 2, 1, "needed"),
        ("a = 1", 2, 1, "no meaning"),
        ("a ==", 4, 0, "needed"),
        ("a == 1 == 2", 7, 2, "compared"),
        ("a | lowr", 4, 4, "no filter"),
        ("a|lower(1)", 2, 5, "other arguments"),
        ("a|split", 2, 5, "other arguments"),
        ("lower(a)", 0, 5, "is a filter"),
        ("foo(a)", 0, 3, "no function"),
        ("random()", 0, 6, "needs"),
        ("random(0)", 0, 6, "1 to"),
        ("random(a)", 0, 6, "needs"),
        ("coalesce()", 0, 8, "needs"),
        ("a[", 2, 0, "needed"),
        ("a[0", 3, 0, "needed"),
        ("(a", 2, 0, "needed"),
        ("a.", 2, 0, "needed"),
        ("a.1", 2, 1, "needed"),
        ("'abc", 0, 4, "not closed"),
        ("a|match('(')", 2, 5, "regular"),
        ("a|match('x', 1)", 2, 5, "group"),
        ("a|match(b)", 2, 5, "other arguments"),
        ("a|date('%!')", 2, 4, "format"),
        ("a|date('%Y', 'Mars/Base')", 2, 4, "time zone"),
        ("if", 0, 2, "needed"),
        ("a if", 4, 0, "needed"),
        ("é ; b", 3, 1, "no meaning"),
        ("1.2.3", 0, 5, "not a number"),
        ("a && b", 2, 1, "no meaning"),
        ("'\\u12'", 1, 2, "hexadecimal"),
    ];
    for (text, position, length, words) in cases {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!(
            (error.position, error.length),
            (position, length),
            "{text}: {error}"
        );
        assert!(error.message.contains(words), "{text}: {error}");
    }
    let error = Expression::parse("a|lowr").unwrap_err();
    assert_eq!(error.mending.as_deref(), Some("did you mean `lower`?"));
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = [
        "(".repeat(2000),
        "not ".repeat(1000),
        "a[".repeat(1000),
        "[".repeat(2000),
        "a if b else ".repeat(300),
        "a|default(".repeat(300),
        "{a:".repeat(1000),
    ];
    for text in deep {
        let error = Expression::parse(&text).unwrap_err();
        assert!(error.message.contains("deep"), "{error}");
    }
    assert!(Expression::parse(&format!("({})", "a".repeat(5000))).is_err());
    // Long chains of equal operators are flat.
    for operator in [" or ", " and ", "+", "|lower|trim|", "."] {
        let text = vec!["trim"; 250].join(operator);
        let names = Names::new();
        assert!(Expression::parse(&text).unwrap().evaluate(&names).is_ok());
    }
}

#[test]
fn names_are_listed_with_their_members() {
    let names = |text: &str| -> Vec<String> {
        let expression = Expression::parse(text).unwrap();
        expression
            .names()
            .iter()
            .map(|n| n.names.join("."))
            .collect()
    };
    assert_eq!(
        names(
            "emails[type=='work'].value|default(userName + settings.x) if not active else [a, coalesce(b.c)]"
        ),
        [
            "emails.value",
            "userName",
            "settings.x",
            "active",
            "a",
            "b.c"
        ]
    );
    assert_eq!(
        names("a|lookup({x: y})|split(z, n)|replace(q, r)"),
        ["a", "y", "z", "n", "q", "r"]
    );
    assert_eq!(
        names("extension['urn:x'].y[settings.i]"),
        ["extension.urn:x.y", "settings.i"]
    );
    let expression = Expression::parse(" a + bcd ").unwrap();
    let places: Vec<_> = expression
        .names()
        .iter()
        .map(|n| (n.position, n.length))
        .collect();
    assert_eq!(places, [(1, 1), (5, 3)]);
    assert!(
        Expression::parse("x|default(random(3))")
            .unwrap()
            .is_made_anew()
    );
}

#[test]
fn inner_names_come_first_and_given_ones_before_members() {
    let (outer, inner) = (json!({"a": 1, "b": 2}), json!({"a": 3, "given": 4}));
    let mut names = Names::new();
    names.object(&outer).with("given", Cow::Owned(json!(5)));
    let mut child = names.child();
    child.object(&inner).with("x", Cow::Owned(json!(6)));
    let value = |name: &str| child.get(name).map(Cow::into_owned);
    assert_eq!(value("a"), Some(json!(3)));
    assert_eq!(
        value("b"),
        None,
        "the inner object takes the place of the outer one"
    );
    assert_eq!(names.get("b").map(Cow::into_owned), Some(json!(2)));
    assert_eq!(value("given"), Some(json!(5)));
    assert_eq!(value("x"), Some(json!(6)));
    assert_eq!(value("y"), None);
    assert_eq!(names.get("x"), None);
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[ab.|()\\[\\]{}'\"\\\\u0-9+=!<>, é-]{0,40}") {
        let names = Names::new();
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.evaluate(&names);
        }
    }

    #[test]
    fn words_in_any_order_never_panic(words in prop::collection::vec(prop_oneof![
        Just("a"), Just("|"), Just("lower"), Just("split('x')"), Just("if"), Just("else"), Just("not"), Just("in"),
        Just("and"), Just("("), Just(")"), Just("["), Just("]"), Just("1"), Just("'x'"), Just("."), Just("+"),
        Just("=="), Just("first"), Just("json"), Just("int"), Just("unique"), Just("date('%Y')"), Just("length"),
    ], 0..12), value in "[a-z0-9@.]{0,6}") {
        let object = json!({"a": [value, {"b": 1}, null]});
        let mut names = Names::new();
        names.object(&object);
        if let Ok(expression) = Expression::parse(&words.join(" ")) {
            let _ = expression.evaluate(&names);
        }
    }
}

#[test]
fn a_filter_behind_the_last_operand_of_a_sum_is_noticed() {
    let operand = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        expression.filtered_operand().map(str::to_owned)
    };
    assert_eq!(operand("a + b | lower").as_deref(), Some("b | lower"));
    assert_eq!(
        operand("a + ':' + b.c | json").as_deref(),
        Some("b.c | json")
    );
    assert_eq!(
        operand("x if y else a + b | lower").as_deref(),
        Some("b | lower")
    );
    for text in [
        "(a + b) | lower",
        "a + (b | lower)",
        "a | lower",
        "(a | split(',')) + [b]",
        "a | lower + b",
    ] {
        assert_eq!(operand(text), None, "{text}");
    }
}
