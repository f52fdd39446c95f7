//! What replies mean.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use scimgate::mapping::{
    model::{BodyFormat, Call, Meaning, RetryAfterField, RetryUnit, Source, StatusRange, Target},
    names::Names,
    reply::{CallClass, Reply, ReplyForm, RetryHint, judge, take},
};
use scimgate::scim::ScimType;
use serde_json::{Map, Value, json};

use crate::{
    named,
    target_mapping::{call, expression, path, rule, target, template},
};

fn base() -> Target {
    target("https://app.example")
}

fn reply_of(target: &Target, status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    });
    let mut map = HeaderMap::new();
    headers.for_each(|(name, value)| {
        map.append(name, value);
    });
    Reply::new(status, map, body.as_bytes(), target)
}

fn meaning(target: &Target, call: &Call, class: CallClass, status: u16, body: &str) -> Meaning {
    judge(call, target, class, &reply_of(target, status, &[], body)).meaning
}

#[test]
fn r7_the_status_table_holds_for_every_class() {
    use CallClass as C;
    use Meaning as M;
    let invalid = M::Refused(ScimType::InvalidValue);
    // Status: get, list, find, create, update, delete, member add, member remove, other, login.
    let table: [(u16, [Meaning; 10]); 19] = [
        (200, [M::Ok; 10]),
        (201, [M::Created; 10]),
        (204, [M::Ok; 10]),
        (301, [M::Failed; 10]),
        (304, [M::Failed; 10]),
        (
            400,
            [
                M::Failed,
                M::Failed,
                M::Failed,
                invalid,
                invalid,
                invalid,
                invalid,
                invalid,
                invalid,
                M::Failed,
            ],
        ),
        (
            401,
            [
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::NotLoggedIn,
                M::Failed,
            ],
        ),
        (403, [M::Forbidden; 10]),
        (
            404,
            [
                M::NotFound,
                M::Failed,
                M::NotFound,
                M::Failed,
                M::NotFound,
                M::NotFound,
                M::NotFound,
                M::NotFound,
                M::NotFound,
                M::Failed,
            ],
        ),
        (405, [M::NotSupported; 10]),
        (408, [M::Retry; 10]),
        (
            409,
            [
                M::Failed,
                M::Failed,
                M::Failed,
                M::Uniqueness,
                M::Uniqueness,
                M::Failed,
                M::Uniqueness,
                M::Failed,
                M::Uniqueness,
                M::Failed,
            ],
        ),
        (
            422,
            [
                M::Failed,
                M::Failed,
                M::Failed,
                invalid,
                invalid,
                invalid,
                invalid,
                invalid,
                invalid,
                M::Failed,
            ],
        ),
        (429, [M::TooMany; 10]),
        (500, [M::Failed; 10]),
        (501, [M::NotSupported; 10]),
        (502, [M::Retry; 10]),
        (503, [M::Retry; 10]),
        (504, [M::Retry; 10]),
    ];
    let classes = [
        C::Get,
        C::List,
        C::Find,
        C::Create,
        C::Update,
        C::Delete,
        C::MemberAdd,
        C::MemberRemove,
        C::Other,
        C::Login,
    ];
    let (target, call) = (base(), call("POST /u"));
    for (status, expected) in table {
        for (class, expected) in classes.into_iter().zip(expected) {
            assert_eq!(
                meaning(&target, &call, class, status, "{}"),
                expected,
                "{status} {class:?}"
            );
        }
    }
}

#[test]
fn html_with_200_is_a_failure_and_text_is_one_where_data_is_asked_for() {
    let (target, call) = (base(), call("GET /u"));
    for body in ["<!DOCTYPE html><html></html>", "  <HTML><body>"] {
        for class in [
            CallClass::Get,
            CallClass::List,
            CallClass::Find,
            CallClass::Update,
            CallClass::Delete,
        ] {
            assert_eq!(
                meaning(&target, &call, class, 200, body),
                Meaning::Failed,
                "{class:?}"
            );
        }
    }
    assert_eq!(
        meaning(&target, &call, CallClass::Get, 200, "OK"),
        Meaning::Failed
    );
    assert_eq!(
        meaning(&target, &call, CallClass::Delete, 200, "OK"),
        Meaning::Ok
    );
    assert_eq!(
        meaning(&target, &call, CallClass::Delete, 204, ""),
        Meaning::Ok
    );
    let labelled = reply_of(&target, 200, &[("content-type", "text/html")], "Login");
    assert_eq!(labelled.form, ReplyForm::Html);
}

#[test]
fn the_first_rule_that_fits_decides_the_call_s_own_before_the_target_s() {
    let mut target = base();
    let mut call = call("POST /u");
    let mut by_text = rule(Meaning::Uniqueness);
    by_text.status = vec![StatusRange {
        first: 500,
        last: 599,
    }];
    by_text.contains = Some("Already TAKEN".into());
    by_text.attribute = Some("userName".into());
    let mut by_expression = rule(Meaning::NotFound);
    by_expression.when = Some(expression("error.code == 7 and status == 200"));
    let mut by_header = rule(Meaning::NotLoggedIn);
    by_header.header = Some((
        "X-State".into(),
        Some(regex::Regex::new("^expired").unwrap()),
    ));
    let mut by_pattern = rule(Meaning::Refused(ScimType::Mutability));
    by_pattern.matches = Some(regex::Regex::new("(?i)read.only").unwrap());
    target.rules = vec![by_text, by_expression, by_header, by_pattern];
    let judged = |call: &Call, status, headers: &[(&str, &str)], body| {
        judge(
            call,
            &target,
            CallClass::Create,
            &reply_of(&target, status, headers, body),
        )
    };
    let taken = judged(&call, 500, &[], "{\"e\": \"login already taken\"}");
    assert_eq!(
        (taken.meaning, taken.attribute.as_deref()),
        (Meaning::Uniqueness, Some("userName"))
    );
    assert_eq!(
        judged(&call, 400, &[], "already taken").meaning,
        Meaning::Refused(ScimType::InvalidValue)
    );
    assert_eq!(
        judged(&call, 200, &[], "{\"error\": {\"code\": 7}}").meaning,
        Meaning::NotFound
    );
    assert_eq!(
        judged(&call, 200, &[], "{\"error\": {\"code\": 8}}").meaning,
        Meaning::Ok
    );
    assert_eq!(
        judged(&call, 200, &[("x-state", "expired now")], "{}").meaning,
        Meaning::NotLoggedIn
    );
    assert_eq!(
        judged(&call, 200, &[("x-state", "fine")], "{}").meaning,
        Meaning::Ok
    );
    assert_eq!(
        judged(&call, 400, &[], "Read-only").meaning,
        Meaning::Refused(ScimType::Mutability)
    );

    call.tolerate = vec![500];
    assert_eq!(
        judged(&call, 500, &[], "already taken").meaning,
        Meaning::AlreadySo
    );
    let mut own = rule(Meaning::Created);
    own.status = vec![StatusRange {
        first: 500,
        last: 500,
    }];
    call.rules = vec![own];
    assert_eq!(
        judged(&call, 500, &[], "already taken").meaning,
        Meaning::Created
    );
}

#[test]
fn the_application_s_words_are_shown_short_and_clean() {
    let mut target = base();
    target.detail = vec![path("$.errors[*]")];
    let detail = |target: &Target, body: &Value| {
        let reply = reply_of(target, 422, &[], &body.to_string());
        judge(&call("POST /u"), target, CallClass::Create, &reply).detail
    };
    let words = json!({"errors": ["Login has been\r\n taken", "Mail \u{1b}[31mis bad", {"x": 1}]});
    assert_eq!(
        detail(&target, &words).as_deref(),
        Some("Login has been taken; Mail [31mis bad")
    );
    let long = detail(&target, &json!({"errors": ["é".repeat(1000)]})).unwrap();
    assert_eq!(long.chars().count(), 300);
    assert_eq!(detail(&target, &json!({"errors": []})), None);
    assert_eq!(detail(&target, &json!({"other": "x"})), None);

    let mut said = rule(Meaning::Uniqueness);
    said.say = Some(template("The login is taken: {detail}"));
    said.contains = Some("überschrift".into());
    target.rules = vec![said];
    // As JSON escapes it, the text is not in the body as it stands.
    let body = "{\"errors\": [\"\\u00dcberschrift\"]}";
    let reply = reply_of(&target, 422, &[], body);
    let verdict = judge(&call("POST /u"), &target, CallClass::Create, &reply);
    assert_eq!(
        verdict.detail.as_deref(),
        Some("The login is taken: Überschrift")
    );
}

#[test]
fn the_time_to_wait_is_read_from_header_or_body() {
    let mut target = base();
    let hint = |target: &Target, header: Option<&str>, body: Value| {
        let headers: Vec<_> = header.iter().map(|value| ("retry-after", *value)).collect();
        let reply = reply_of(target, 429, &headers, &body.to_string());
        judge(&call("GET /u"), target, CallClass::Get, &reply).retry_after
    };
    let after = |millis| Some(RetryHint::After(Duration::from_millis(millis)));
    assert_eq!(hint(&target, Some("7"), json!({})), after(7000));
    assert_eq!(
        hint(&target, Some("999999999"), json!({})),
        after(86_400_000)
    );
    assert_eq!(hint(&target, Some("-5"), json!({})), after(0));
    assert_eq!(hint(&target, Some("soon"), json!({})), None);
    assert_eq!(
        hint(&target, Some("Sun, 06 Nov 1994 08:49:37 GMT"), json!({})),
        Some(RetryHint::At("1994-11-06T08:49:37Z".parse().unwrap()))
    );
    target.retry_after = Some(RetryAfterField {
        path: path("$.ms"),
        unit: RetryUnit::Milliseconds,
    });
    assert_eq!(hint(&target, Some("7"), json!({"ms": 1500})), after(1500));
    assert_eq!(hint(&target, Some("7"), json!({"ms": "250"})), after(250));
    assert_eq!(hint(&target, Some("7"), json!({})), after(7000));
    target.retry_after = Some(RetryAfterField {
        path: path("$.at"),
        unit: RetryUnit::Time,
    });
    assert_eq!(
        hint(&target, None, json!({"at": "2026-11-22T10:00:00Z"})),
        Some(RetryHint::At("2026-11-22T10:00:00Z".parse().unwrap()))
    );
}

#[test]
fn content_is_a_part_and_rules_see_the_whole() {
    let mut target = base();
    target.content = Some(path("$.result"));
    let mut fault = rule(Meaning::NotLoggedIn);
    fault.when = Some(expression("error.data == \"ended\""));
    target.rules = vec![fault];
    let good = reply_of(&target, 200, &[], "{\"result\": {\"id\": 1}, \"next\": 5}");
    assert_eq!(good.content, json!({"id": 1}));
    assert_eq!(good.find(&path("$.id")), Some(&json!(1)));
    assert_eq!(good.find(&path("$.next")), Some(&json!(5)));
    let bad = reply_of(&target, 200, &[], "{\"error\": {\"data\": \"ended\"}}");
    assert_eq!(bad.content, Value::Null);
    assert_eq!(
        judge(&call("POST /"), &target, CallClass::Get, &bad).meaning,
        Meaning::NotLoggedIn
    );
}

#[test]
fn xml_replies_are_read_with_the_same_paths() {
    let mut target = base();
    target.format = BodyFormat::Xml;
    let reply = reply_of(&target, 200, &[], "<user><id>7</id></user>");
    assert_eq!(reply.find(&path("$.user.id")), Some(&json!("7")));
}

#[test]
fn values_are_taken_from_everywhere() {
    let target = base();
    let mut post = call("POST /u");
    post.take = vec![
        ("job".into(), Source::Body(path("$.job.id"))),
        ("token".into(), Source::Header("X-Token".into())),
        ("id".into(), Source::HeaderSegment("Location".into())),
        ("csrf".into(), Source::Cookie("csrf".into())),
        (
            "both".into(),
            Source::Computed(template("{job}-{token}-{body.job.id}-{given}")),
        ),
        ("none".into(), Source::Body(path("$.none"))),
    ];
    let headers = [
        ("x-token", "t"),
        ("location", "https://app.example/users/a%20b/?x=1#y"),
        ("set-cookie", "other=1; path=/"),
        ("set-cookie", "csrf=c1; HttpOnly"),
    ];
    let reply = reply_of(&target, 201, &headers, "{\"job\": {\"id\": 9}}");
    let mut taken = Map::new();
    take(&post, &reply, &named(&[("given", json!("g"))]), &mut taken).unwrap();
    let expected = json!({"job": 9, "token": "t", "id": "a b", "csrf": "c1", "both": "9-t-9-g"});
    assert_eq!(Value::Object(taken), expected);
    for (location, id) in [
        ("/users/7", Some("7")),
        ("users/7/", Some("7")),
        ("", None),
        ("https://app.example/", None),
        ("https://app.example", None),
    ] {
        let mut post = call("POST /u");
        post.take = vec![("id".into(), Source::HeaderSegment("Location".into()))];
        let mut taken = Map::new();
        let reply = reply_of(&target, 201, &[("location", location)], "");
        take(&post, &reply, &Names::new(), &mut taken).unwrap();
        assert_eq!(taken.get("id").and_then(Value::as_str), id, "{location}");
    }
}
