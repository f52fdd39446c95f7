use regex::Regex;
use serde_json::{Value, json};

use crate::{
    mapping::{
        fixture::{kept, operation, rule, user},
        model::{AttributeRule, Form, OnUnknown, Send, TypeMapping, WhenRemoved},
        template::Template,
    },
    scim::{AttributePath, ScimType},
};

use super::{super::*, on_off, paths, resource};

#[test]
fn an_operation_covers_what_no_other_is_there_for() {
    let names = [
        "userName",
        "active",
        "password",
        "emails",
        "name.givenName",
        "title",
    ];
    let rules = [
        "userName",
        "active",
        "password",
        "emails[type eq \"work\"].value",
        "name.givenName",
    ];
    let mut t = user(
        rules
            .iter()
            .map(|at| rule(at, "x"))
            .chain([kept("title")])
            .collect(),
    );
    let covered = |t: &TypeMapping, op: &Operation| -> Vec<&str> {
        let all = names.into_iter();
        all.filter(|n| covers(op, t, &AttributePath::parse(n).unwrap()))
            .collect()
    };
    use crate::mapping::model::Operation;
    t.create = Some(operation("user.create", Send::Changed, &[]));
    t.updates = vec![operation("user.update", Send::Changed, &[])];
    assert_eq!(
        covered(&t, &t.updates[0]),
        ["userName", "active", "password", "emails", "name.givenName"]
    );
    t.deactivate = Some(operation("user.deactivate", Send::Changed, &[]));
    assert!(
        covered(&t, &t.updates[0]).contains(&"active"),
        "it still has to activate"
    );
    t.activate = Some(operation("user.activate", Send::Changed, &[]));
    t.set_password = Some(operation("user.set-password", Send::Changed, &[]));
    t.rename = Some(operation("user.rename", Send::Changed, &[]));
    t.delete = Some(operation("user.delete", Send::Changed, &[]));
    t.updates
        .insert(0, operation("user.update", Send::Changed, &["emails"]));
    assert_eq!(covered(&t, &t.updates[0]), ["emails"]);
    assert_eq!(covered(&t, &t.updates[1]), ["name.givenName"]);
    assert_eq!(covered(&t, t.activate.as_ref().unwrap()), ["active"]);
    assert_eq!(covered(&t, t.set_password.as_ref().unwrap()), ["password"]);
    assert_eq!(covered(&t, t.rename.as_ref().unwrap()), ["userName"]);
    assert!(covered(&t, t.delete.as_ref().unwrap()).is_empty());
    assert_eq!(covered(&t, t.create.as_ref().unwrap()).len(), 5);
    assert_eq!(
        rules_for(&t, &AttributePath::parse("name").unwrap()).len(),
        1
    );
    assert!(rules_for(&t, &AttributePath::parse("nickName").unwrap()).is_empty());
    assert!(is_kept(&t, &AttributePath::parse("title").unwrap()));
    assert!(!is_kept(&t, &AttributePath::parse("emails").unwrap()));
}

#[test]
fn what_the_application_cannot_have_is_refused_before_any_call() {
    let required = || AttributeRule {
        is_required: true,
        ..rule("title", "t")
    };
    let fixed = || AttributeRule {
        is_create_only: true,
        ..rule("title", "t")
    };
    let short = || AttributeRule {
        max_length: Some(3),
        ..rule("title", "t")
    };
    let form = || AttributeRule {
        pattern: Some(Regex::new("^[a-z]+$").unwrap()),
        ..rule("title", "t")
    };
    let table = || rule("title", "t").values(on_off(OnUnknown::Refuse));
    let refuse = || rule("title", "t").removed(WhenRemoved::Refuse);
    let (invalid, mutability) = (Some(ScimType::InvalidValue), Some(ScimType::Mutability));
    let x = |text: &str| json!({"title": text});
    // Rule, what is, what should be, the complaint at creation and at the change.
    type Case = (
        AttributeRule,
        Value,
        Value,
        Option<ScimType>,
        Option<ScimType>,
    );
    let cases: Vec<Case> = vec![
        (required(), x("a"), json!({}), invalid, invalid),
        (required(), x("a"), x("b"), None, None),
        (required(), json!({}), json!({}), invalid, None),
        (
            required().removed(WhenRemoved::Skip),
            x("a"),
            json!({}),
            invalid,
            None,
        ),
        (
            AttributeRule {
                on_create: Some(Template::parse("x").unwrap()),
                ..required()
            },
            x("a"),
            x("b"),
            None,
            None,
        ),
        (fixed(), x("a"), x("b"), None, mutability),
        (fixed(), x("a"), json!({}), None, mutability),
        (fixed(), x("a"), x("a"), None, None),
        (short(), x("a"), x("äöüß"), invalid, invalid),
        (short(), x("long"), x("long"), invalid, None),
        (short(), x("long"), x("äöü"), None, None),
        (form(), x("a"), x("B"), invalid, invalid),
        (form(), x("a"), x("b"), None, None),
        (table(), x("true"), x("false"), None, None),
        (table(), x("true"), x("maybe"), invalid, invalid),
        (refuse(), x("a"), json!({}), None, mutability),
        (
            rule("title", "t").form(Form::Integer),
            x("1"),
            x("one"),
            invalid,
            invalid,
        ),
        (
            rule("title", "t")
                .form(Form::Integer)
                .written("{value|length}"),
            x("1"),
            x("one"),
            None,
            None,
        ),
    ];
    for (rule, old, new, at_creation, at_change) in cases {
        let words = format!("{old} {new} {:?}", rule.when_removed);
        let t = user(vec![rule]);
        let (old, new) = (resource(old), resource(new));
        let kind = |outcome: Result<(), WriteError>| outcome.err().map(|e| e.kind);
        assert_eq!(
            kind(check(&t, &new, &Wish::Create)),
            at_creation,
            "create {words}"
        );
        let changed = paths(&["title"]);
        let wish = Wish::Update {
            changed: &changed,
            old: &old,
        };
        assert_eq!(kind(check(&t, &new, &wish)), at_change, "update {words}");
    }
}

#[test]
fn a_complaint_names_the_attribute_and_not_its_value() {
    let t = user(vec![AttributeRule {
        max_length: Some(3),
        ..rule("emails[type eq \"work\"].value", "t")
    }]);
    let wish = resource(json!({"emails": [{"value": "private@x"}]}));
    let error = check(&t, &wish, &Wish::Create).unwrap_err();
    assert_eq!(error.attribute, "emails.value");
    assert!(error.message.contains("emails.value") && !error.message.contains("private"));
}
