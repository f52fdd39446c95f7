//! Calls as data.

use std::borrow::Cow;

use proptest::prelude::*;
use scimgate::mapping::{
    call::{CallError, PlannedCall, plan, plan_page, spelled, with_query},
    model::{BodyFormat, Call, FormLists, Target},
    names::Names,
    page::PageRequest,
};
use scimgate::scim::AttributePath;
use serde_json::{Value, json};

use crate::{
    named,
    target_mapping::{attribute, call, expression, target, template, tree, with},
};

fn planned(call: &Call, target: &Target, names: &Names<'_>, body: Option<Value>) -> PlannedCall {
    plan(call, "user.test", target, names, body)
        .unwrap()
        .unwrap()
}

#[test]
fn queries_leave_absent_values_out_and_repeat_lists() {
    let mut target = target("https://app.example");
    target.query = vec![("v".into(), template("2"))];
    let names = named(&[
        ("x", json!(3)),
        ("none", Value::Null),
        ("list", json!(["a", "b c"])),
        ("empty", json!("")),
    ]);
    let cases = [
        ("GET /u", "/u?v=2"),
        ("GET /u?a={x}&b={missing}&c={none}", "/u?a=3&v=2"),
        ("GET /u?a={list}", "/u?a=a&a=b%20c&v=2"),
        ("GET /u?a={empty}&status=*", "/u?a=&status=*&v=2"),
        (
            "GET /u?filter[name][_eq]={x}&@page=x",
            "/u?filter[name][_eq]=3&@page=x&v=2",
        ),
        ("GET /u?q=n-{x}-{missing}", "/u?v=2"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            planned(&call(text), &target, &names, None).path_and_query,
            expected,
            "{text}"
        );
    }
    target.format = BodyFormat::Form(FormLists::Pipe);
    let piped = planned(&call("GET /u?a={list}"), &target, &names, None);
    assert_eq!(piped.path_and_query, "/u?a=a%7Cb%20c&v=2");
}

#[test]
fn a_page_replaces_parameters_or_the_whole_path() {
    let target = target("https://app.example");
    let page = PageRequest {
        query: vec![("page".into(), "2".into()), ("a".into(), "9".into())],
        ..PageRequest::default()
    };
    let list = call("GET /u?a=1&b=2");
    let plan = |page: &PageRequest| plan_page(&list, "l", &target, &Names::new(), None, page);
    assert_eq!(
        plan(&page).unwrap().unwrap().path_and_query,
        "/u?b=2&page=2&a=9"
    );
    let located = |location: &str| {
        let location = Some(location.to_owned());
        plan(&PageRequest {
            location,
            ..PageRequest::default()
        })
    };
    assert_eq!(located("/u?p=3").unwrap().unwrap().path_and_query, "/u?p=3");
    for bad in [
        "/../admin",
        "/a/%2e%2e/b",
        "/a/..;x/b",
        "//..\\x",
        "u",
        "",
        "/a b",
    ] {
        assert!(matches!(located(bad), Err(CallError::Path(_))), "{bad}");
    }
}

#[test]
fn a_call_that_is_not_wanted_is_no_call() {
    let target = target("https://app.example");
    let mut conditional = call("GET /u");
    conditional.condition = Some(expression("x == 1"));
    let wanted = |call: &Call, names: &[(&str, Value)]| {
        plan(call, "t", &target, &named(names), None)
            .unwrap()
            .is_some()
    };
    assert!(wanted(&conditional, &[("x", json!(1))]));
    assert!(!wanted(&conditional, &[("x", json!(2))]));

    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let department = AttributePath {
        schema: Some(urn.into()),
        attribute: "department".into(),
        sub_attribute: None,
    };
    let mut touched = call("GET /u");
    touched.when_changed = vec![attribute("emails"), attribute("name"), department.clone()];
    let cases = [
        (json!(["emails"]), true),
        (json!(["EMAILS"]), true),
        (json!(["name.givenName"]), true),
        (json!(["title", "name"]), true),
        (json!(["title"]), false),
        (json!(["nameless"]), false),
        (json!([spelled(&department)]), true),
        (json!([urn]), true),
        (json!([format!("{urn}:division")]), false),
        (json!([]), false),
    ];
    for (changed, expected) in cases {
        assert_eq!(
            wanted(&touched, &[("changed", changed.clone())]),
            expected,
            "{changed}"
        );
    }
    assert!(!wanted(&touched, &[]));
}

#[test]
fn the_call_s_headers_win_and_framing_is_not_theirs() {
    let mut target = target("https://app.example");
    target.headers = vec![
        ("Accept".into(), template("a/b")),
        ("X-Two".into(), template("{x}")),
    ];
    let mut get = call("GET /u");
    get.headers = vec![
        ("accept".into(), template("c/d")),
        ("X-None".into(), template("{missing}")),
    ];
    let plan = planned(&get, &target, &named(&[("x", json!("v"))]), None);
    let headers: Vec<_> = plan
        .headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("x-two", "v"), ("accept", "c/d")]);
    for name in [
        "Content-Length",
        "transfer-encoding",
        "Connection",
        "Upgrade",
        "bad name",
        "",
    ] {
        get.headers = vec![(name.into(), template("1"))];
        let error = plan_page(
            &get,
            "t",
            &target,
            &Names::new(),
            None,
            &PageRequest::default(),
        );
        assert_eq!(error.unwrap_err(), CallError::Header(name.into()));
    }
}

#[test]
fn bodies_are_the_call_s_own_or_the_fields_and_are_wrapped() {
    let mut target = target("https://app.example");
    let fields = || Some(json!({"login": "ada"}));
    let mut post = call("POST /u");
    assert_eq!(
        planned(&post, &target, &Names::new(), fields()).body,
        Some((BodyFormat::Json, json!({"login": "ada"})))
    );
    post.body = Some(tree(json!({"id": "{id}", "none": "{missing}"})));
    let names = named(&[("id", json!(7))]);
    assert_eq!(
        planned(&post, &target, &names, fields()).body.unwrap().1,
        json!({"id": 7})
    );

    target.wrap = Some(tree(
        json!({"jsonrpc": "2.0", "method": "{method}", "params": "{body}", "auth": "{login.token}"}),
    ));
    post.with = vec![with("method", json!("user.update"))];
    let names = named(&[("id", json!(7)), ("login", json!({"token": "t"}))]);
    assert_eq!(
        planned(&post, &target, &names, None).body.unwrap().1,
        json!({"jsonrpc": "2.0", "method": "user.update", "params": {"id": 7}, "auth": "t"})
    );
    post.body = None;
    assert_eq!(
        planned(&post, &target, &Names::new(), None).body.unwrap().1,
        json!({"jsonrpc": "2.0", "method": "user.update"})
    );
    assert_eq!(
        planned(&call("GET /u"), &target, &Names::new(), None).body,
        None
    );
    post.is_wrapped = false;
    assert_eq!(
        planned(&post, &target, &names, fields()).body.unwrap().1,
        json!({"login": "ada"})
    );
}

#[test]
fn reads_may_be_repeated_and_writes_only_if_the_mapping_says_so() {
    let target = target("https://app.example");
    let mut put = call("PUT /u");
    let flags = |call: &Call| {
        let plan = planned(call, &target, &Names::new(), None);
        (plan.is_repeatable, plan.is_write)
    };
    assert_eq!(flags(&call("GET /u")), (true, false));
    assert_eq!(flags(&put), (false, true));
    put.is_repeatable = true;
    assert_eq!(flags(&put), (true, true));
}

proptest! {
    /// S16, S22: whatever a value holds, it stays one parameter, and means itself.
    #[test]
    fn s16_a_value_in_a_query_stays_one_value(value in any::<String>(), other in ".*") {
        let text = with_query("/u".into(), &[("a".into(), value.clone()), ("b".into(), other.clone())]);
        let (path, query) = text.split_once('?').unwrap();
        prop_assert_eq!(path, "/u");
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let expected: Vec<(Cow<str>, Cow<str>)> = vec![("a".into(), value.into()), ("b".into(), other.into())];
        prop_assert_eq!(pairs, expected);
        prop_assert!(text.is_ascii() && !text.contains([' ', '\r', '\n', '#']));
    }

    /// P7, P8: a planned call's path has the template's shape, and no header holds a line end.
    #[test]
    fn p8_no_value_changes_a_call_s_shape(value in any::<String>()) {
        let target = target("https://app.example");
        let mut get = call("GET /a/{x}/b?q={x}");
        get.headers = vec![("X-Value".into(), template("v {x}"))];
        let names = named(&[("x", json!(value))]);
        if let Ok(Some(plan)) = plan(&get, "t", &target, &names, None) {
            let (path, _) = plan.path_and_query.split_once('?').unwrap();
            prop_assert_eq!(path.split('/').count(), 4);
            for (_, header) in &plan.headers {
                prop_assert!(!header.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            }
        }
    }
}
