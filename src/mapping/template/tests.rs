use std::borrow::Cow;

use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use super::*;

fn object() -> Value {
    json!({"a": "x", "n": 7, "null": null, "list": [1], "id": "9", "slash": "a/b", "dots": ".."})
}

fn id_pattern() -> Regex {
    Regex::new("^[A-Za-z0-9._~@:+-]{1,256}$").unwrap()
}

#[test]
fn templates_make_text() {
    let object = object();
    let mut names = Names::new();
    names.object(&object);
    let cases = [
        ("", Some("")),
        ("plain", Some("plain")),
        ("{a}", Some("x")),
        ("{ a }-{n}", Some("x-7")),
        ("{{{a}}}", Some("{x}")),
        ("}}{{", Some("}{")),
        ("{a|lookup({x: \"}\"})}", Some("}")),
        ("{'}'}", Some("}")),
        ("{none}", None),
        ("a{none}", None),
        ("a{null}", None),
        ("a{none|default('')}", Some("a")),
        ("é{a}", Some("éx")),
    ];
    for (text, expected) in cases {
        let template = Template::parse(text).unwrap();
        assert_eq!(
            template.render(&names).unwrap().as_deref(),
            expected,
            "{text}"
        );
    }
    assert!(Template::parse("x{list}").unwrap().render(&names).is_err());
}

#[test]
fn a_single_expression_keeps_its_type() {
    let object = object();
    let mut names = Names::new();
    names.object(&object);
    let value = |text: &str| Template::parse(text).unwrap().value(&names).unwrap();
    assert_eq!(value("{n}"), Some(json!(7)));
    assert_eq!(value("{list}"), Some(json!([1])));
    assert_eq!(value("{null}"), Some(Value::Null));
    assert_eq!(value("{none}"), None);
    assert_eq!(value("{n}{n}"), Some(json!("77")));
    assert_eq!(value("7"), Some(json!("7")));
}

#[test]
fn a_fault_in_a_template_is_placed_in_its_text() {
    for (text, position, length) in [
        ("ab{a|lowr}", 5, 4),
        ("ab{a", 2, 2),
        ("ab}", 2, 1),
        ("ab{}", 3, 0),
        ("é{a b}", 5, 1),
        ("{a}{b +}", 7, 0),
    ] {
        let error = Template::parse(text).unwrap_err();
        assert_eq!(
            (error.position, error.length),
            (position, length),
            "{text}: {error}"
        );
    }
}

#[test]
fn a_template_knows_its_names_and_whether_it_is_constant() {
    let template = Template::parse("x{a.b}-{settings.c}").unwrap();
    let names: Vec<_> = template
        .names()
        .into_iter()
        .map(|n| (n.names.join("."), n.position))
        .collect();
    assert_eq!(names, [("a.b".to_owned(), 2), ("settings.c".to_owned(), 8)]);
    assert!(!template.is_constant());
    assert_eq!(Template::parse("a{{b").unwrap().constant(), Some("a{b"));
    let literal = Template::literal("p{w}}");
    assert_eq!(literal.constant(), Some("p{w}}"));
    assert_eq!(
        Template::parse(literal.source()).unwrap().constant(),
        Some("p{w}}")
    );
    assert_eq!(
        literal.render(&Names::new()).unwrap().as_deref(),
        Some("p{w}}")
    );
}

#[test]
fn s22_a_path_is_encoded_segment_by_segment() {
    let mut names = Names::new();
    names
        .with("id", Cow::Owned(json!("@ada:x.org")))
        .with("n", Cow::Owned(json!(7)));
    let render = |text: &str| {
        PathTemplate::parse(text)
            .unwrap()
            .render(&names, &id_pattern())
    };
    assert_eq!(
        render("/users/{id}.json").unwrap(),
        "/users/%40ada%3Ax.org.json"
    );
    assert_eq!(render("/users/{n}").unwrap(), "/users/7");
    assert_eq!(render("/users/").unwrap(), "/users/");
    assert_eq!(render("/").unwrap(), "/");
    assert_eq!(
        render("/{n}/{id}/x-{n}-y").unwrap(),
        "/7/%40ada%3Ax.org/x-7-y"
    );
    assert_eq!(render("/a%20b;c=d/{n}").unwrap(), "/a%20b;c=d/7");
    assert_eq!(
        render("/{none}").unwrap_err().kind,
        EvaluateErrorKind::Absent
    );
}

#[test]
fn p8_traversal() {
    let corpus = [
        "../", "..", ".", "", "..%2f", "%252e", "..;/", "..\\", "\0", "．．", "a/b", ";a=b", "?x",
        "#x", "//", "a b", "%2e%2e", "a\r\nb", "x/../y",
    ];
    let lax = Regex::new("(?s)^.*$").unwrap();
    for value in corpus {
        let mut names = Names::new();
        names.with("id", Cow::Owned(json!(value)));
        let template = PathTemplate::parse("/users/{id}/groups").unwrap();
        let strict = template.render(&names, &id_pattern());
        if !matches!(value, ".." | ".") {
            let error = strict.unwrap_err();
            assert_eq!(error.kind, EvaluateErrorKind::UnfitForPath, "{value:?}");
            assert!(value.is_empty() || value.len() < 2 || !error.message.contains(value));
        } else {
            assert!(strict.is_err());
        }
        // Even a pattern that admits everything never changes the shape of the path.
        if let Ok(path) = template.render(&names, &lax) {
            assert_eq!(path.matches('/').count(), 3, "{value:?}: {path}");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/".contains(c);
            assert!(path.chars().all(is_plain), "{path}");
            assert!(path.split('/').all(|s| s != "." && s != ".."));
        } else {
            assert!(matches!(value, "" | "." | ".."), "{value:?}");
        }
    }
}

#[test]
fn p8_a_placeholder_and_its_neighbours_never_make_dots() {
    let mut names = Names::new();
    names.with("id", Cow::Owned(json!(".")));
    let template = PathTemplate::parse("/users/.{id}").unwrap();
    assert!(template.render(&names, &id_pattern()).is_err());
    assert!(
        PathTemplate::parse("/users/{id}{id}")
            .unwrap()
            .render(&names, &id_pattern())
            .is_err()
    );
}

#[test]
fn a_path_that_is_none_is_refused() {
    for (text, position) in [
        ("users", 0),
        ("", 0),
        ("/users?x=1", 6),
        ("/a b", 2),
        ("/a//b", 2),
        ("/a/../b", 3),
        ("/./b", 1),
        ("/a#b", 2),
        ("/a\\b", 2),
        ("/é", 1),
        ("/{", 2),
    ] {
        let error = PathTemplate::parse(text).unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
    }
}

#[test]
fn a_tree_leaves_out_what_is_absent() {
    let body = json!({
        "user": {"name": "{a}", "nick": "{none}", "n": "{n}", "list": ["{a}", "{none}", 1], "empty": {"x": "{none}"}},
        "const": {"t": true, "braces": "{{x}}"},
        "null": "{null}",
    });
    let tree = Tree::from_value(&body).unwrap();
    let object = object();
    let mut names = Names::new();
    names.object(&object);
    let expected = json!({
        "user": {"name": "x", "n": 7, "list": ["x", 1], "empty": {}},
        "const": {"t": true, "braces": "{x}"},
        "null": null,
    });
    assert_eq!(tree.render(&names).unwrap(), Some(expected));
    assert_eq!(Tree::leaf("{none}").unwrap().render(&names).unwrap(), None);
    let roots: Vec<_> = tree.names().into_iter().flat_map(|n| n.names).collect();
    assert_eq!(roots, ["a", "none", "n", "a", "none", "none"]);
}

#[test]
fn dots_stand_for_the_members_or_elements_of_another() {
    let object = json!({"fields": {"a": 1, "b": 2}, "list": [1, 2], "null": null, "text": "x"});
    let mut names = Names::new();
    names.object(&object);
    let cases = [
        (
            json!({"id": 7, "...": "{fields}", "b": 3}),
            json!({"id": 7, "a": 1, "b": 3}),
        ),
        (json!({"...": "{none}"}), json!({})),
        (json!([{"...": "{list}"}, 3]), json!([1, 2, 3])),
        (
            json!([{"...": "{none}"}, {"...": "{null}"}, {"...": "{fields}", "c": 3}]),
            json!([{"a": 1, "b": 2, "c": 3}]),
        ),
    ];
    for (body, expected) in cases {
        let tree = Tree::from_value(&body).unwrap();
        assert_eq!(tree.render(&names).unwrap(), Some(expected), "{body}");
    }
    for body in [json!({"...": "{list}"}), json!([{"...": "{text}"}])] {
        let error = Tree::from_value(&body).unwrap().render(&names).unwrap_err();
        assert_eq!(error.kind, EvaluateErrorKind::Type, "{body}");
    }
}

#[test]
fn names_of_members_are_templates_too() {
    let object = json!({"a": "x", "n": 7, "list": [1]});
    let mut names = Names::new();
    names.object(&object);
    let body = json!({"{a}": true, "role-{n}": {"{{a}}": 1}, "{none}": 2, "x": "{none}"});
    let tree = Tree::from_value(&body).unwrap();
    let expected = json!({"x": true, "role-7": {"{a}": 1}});
    assert_eq!(tree.render(&names).unwrap(), Some(expected));
    let roots: Vec<_> = tree.names().into_iter().flat_map(|n| n.names).collect();
    assert_eq!(roots, ["a", "n", "none", "none"]);
    let error = Tree::from_value(&json!({"{list}": 1})).unwrap();
    assert!(error.render(&names).is_err());
    let errors = Tree::from_value(&json!({"b": {"{x": 1}})).unwrap_err();
    assert_eq!(errors.first().unwrap().path, ["b", "{x"]);
}

#[test]
fn every_fault_in_a_tree_is_told_with_its_path() {
    let body = json!({"a": "{x", "b": ["ok", {"c": "}"}]});
    let errors = Tree::from_value(&body).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|e| e.path.join(".")).collect();
    assert_eq!(paths, ["a", "b.1.c"]);
    let mut deep = json!(1);
    for _ in 0..50 {
        deep = json!([deep]);
    }
    assert_eq!(Tree::from_value(&deep).unwrap_err().len(), 1);
}

proptest! {
    #[test]
    fn any_text_escaped_is_itself(text in "\\PC{0,40}") {
        let template = Template::parse(&escape(&text)).unwrap();
        let rendered = template.render(&Names::new()).unwrap();
        prop_assert_eq!(rendered.as_deref(), Some(text.as_str()));
    }

    #[test]
    fn parsing_never_panics(text in "[{}a|.'\"/?# é%-]{0,30}") {
        let _ = Template::parse(&text);
        let _ = PathTemplate::parse(&text);
    }

    #[test]
    fn s22_a_value_is_always_one_segment(value in "(?s).{1,12}") {
        let mut names = Names::new();
        names.with("id", Cow::Owned(json!(value)));
        let template = PathTemplate::parse("/a/{id}").unwrap();
        if let Ok(path) = template.render(&names, &Regex::new("(?s).*").unwrap()) {
            let segment = path.strip_prefix("/a/").unwrap();
            prop_assert!(!segment.contains('/'));
            let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().unwrap();
            prop_assert_eq!(decoded, value);
        }
    }
}
