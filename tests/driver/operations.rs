//! Operations: steps, values passed on, envelopes, conditions, polling, If-Match, dry runs.

use std::time::Duration;

use scimgate::{
    mapping::{
        call::spelled,
        model::{IfMatch, Meaning, Poll, ReplyKind, Source},
        reply::CallClass,
    },
    target::TargetError,
};
use serde_json::{Value, json};

use crate::{
    driver,
    fake_target::{Act, Answer, FakeTarget},
    journey, named,
    target_mapping::{self, attribute, call, expression, operation, path, rule, tree},
};

#[tokio::test]
async fn fields_go_into_the_envelope_and_the_object_comes_out_of_it() {
    let application = FakeTarget::start(|_, _| {
        let created = Answer::json(201, json!({"user": {"id": 7, "login": "ada"}}));
        Act::Say(created.header("ETag", "\"v1\""))
    })
    .await;
    let driver = driver(&application, |_| {});
    let mut create = operation("user.create", vec![call("POST /users.json")]);
    create.envelope = Some("user".into());
    let fields = Some(json!({"login": "ada"}));
    let done = driver
        .run(
            &journey(),
            &create,
            CallClass::Create,
            &named(&[]),
            fields,
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        application.seen()[0].json(),
        json!({"user": {"login": "ada"}})
    );
    assert_eq!(
        application.seen()[0].header("content-type"),
        Some("application/json")
    );
    assert_eq!(done.object, Some(json!({"id": 7, "login": "ada"})));
    assert_eq!(
        (done.id.as_deref(), done.etag.as_deref()),
        (Some("7"), Some("\"v1\""))
    );
    assert_eq!(
        (done.meaning, done.is_planned_only),
        (Meaning::Created, false)
    );
}

#[tokio::test]
async fn steps_pass_values_on_and_leave_out_what_is_not_wanted() {
    let application = FakeTarget::start(|number, _| {
        Act::Say(match number {
            0 => Answer::empty(201).header("Location", "http://x/3.1/users/4f%2Fa"),
            1 => Answer::json(200, json!({"job": "j1"})),
            _ => Answer::json(200, json!({"id": "4f/a", "ok": true})),
        })
    })
    .await;
    let driver = driver(&application, |target| {
        target.id_pattern = regex::Regex::new(".*").unwrap();
    });
    let mut mail = call("POST /users/{id}/mail");
    mail.body = Some(tree(json!({"address": "{fields.mail}"})));
    mail.take = vec![("job".into(), Source::Body(path("$.job")))];
    let mut unwanted = call("POST /never");
    unwanted.when_changed = vec![attribute("title")];
    let mut create = operation(
        "user.create",
        vec![call("POST /users"), mail, unwanted, call("GET /jobs/{job}")],
    );
    create.id = Some(Source::HeaderSegment("Location".into()));
    let fields = Some(json!({"mail": "a@b"}));
    let changed = [attribute("emails")];
    let done = driver
        .run(
            &journey(),
            &create,
            CallClass::Create,
            &named(&[]),
            fields,
            &changed,
        )
        .await
        .unwrap();
    let seen = application.seen();
    let calls: Vec<String> = seen
        .iter()
        .map(|seen| format!("{} {}", seen.method, seen.path))
        .collect();
    assert_eq!(
        calls,
        ["POST /users", "POST /users/4f%2Fa/mail", "GET /jobs/j1"]
    );
    assert_eq!(seen[1].json(), json!({"address": "a@b"}));
    assert!(seen[2].body.is_empty());
    assert_eq!(done.id.as_deref(), Some("4f/a"));
    assert_eq!(Value::Object(done.taken), json!({"job": "j1"}));
}

#[tokio::test]
async fn replies_are_put_into_the_object_that_the_other_steps_read() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match seen.path.as_str() {
            "/users/7" => Answer::json(200, json!({"id": "7", "name": "ada"})),
            "/users/7/mail" => Answer::json(200, json!({"entries": [{"email": "a@b"}]})),
            _ => Answer::json(404, json!({"error": "none"})),
        })
    })
    .await;
    let driver = driver(&application, |_| {});
    let part = |text: &str, place: &str| {
        let mut part = call(text);
        part.into = Some(scimgate::mapping::path::FieldPlace::parse(place).unwrap());
        part.tolerate = vec![404];
        part
    };
    let steps = vec![
        part("GET /users/{id}/mail", "mail"),
        call("GET /users/{id}"),
        part("GET /users/{id}/photo", "photo"),
    ];
    let done = driver
        .run(
            &journey(),
            &operation("user.get", steps),
            CallClass::Get,
            &named(&[("id", json!("7"))]),
            None,
            &[],
        )
        .await
        .unwrap();
    // What is not there is no part, though it is tolerated.
    let whole = json!({"id": "7", "name": "ada", "mail": {"entries": [{"email": "a@b"}]}});
    assert_eq!(done.object, Some(whole));
}

#[tokio::test]
async fn the_first_step_that_is_refused_ends_the_operation() {
    let application = FakeTarget::start(|number, _| {
        Act::Say(match number {
            0 => Answer::json(200, json!({})),
            _ => Answer::json(422, json!({"errors": ["is bad"]})),
        })
    })
    .await;
    let driver = driver(&application, |target| {
        let mut taken = rule(Meaning::Uniqueness);
        taken.contains = Some("IS BAD".into());
        taken.attribute = Some("userName".into());
        target.rules = vec![taken];
        target.detail = vec![path("$.errors[*]")];
    });
    let update = operation(
        "user.update",
        vec![call("PUT /a"), call("PUT /b"), call("PUT /c")],
    );
    let error = driver
        .run(
            &journey(),
            &update,
            CallClass::Update,
            &named(&[]),
            Some(json!({})),
            &[],
        )
        .await
        .unwrap_err();
    match error {
        TargetError::Refused {
            meaning,
            detail,
            attribute,
            ..
        } => {
            assert_eq!(meaning, Meaning::Uniqueness);
            assert_eq!(
                (detail.as_deref(), attribute.as_deref()),
                (Some("is bad"), Some("userName"))
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(application.seen().len(), 2);
}

#[tokio::test]
async fn a_call_gives_refusals_as_answers_and_our_own_faults_as_errors() {
    let application = FakeTarget::start(|_, seen| {
        let status = seen.path.trim_start_matches('/').parse().unwrap();
        Act::Say(Answer::json(status, json!({})))
    })
    .await;
    let driver = driver(&application, |_| {});
    for (status, expected) in [
        (200, true),
        (404, true),
        (409, true),
        (422, true),
        (403, false),
        (500, false),
        (401, false),
    ] {
        let add = call(&format!("POST /{status}"));
        let names = named(&[]);
        let answer = driver
            .call(
                &journey(),
                "group.members.add",
                &add,
                CallClass::MemberAdd,
                &names,
                None,
            )
            .await;
        assert_eq!(answer.is_ok(), expected, "{status}: {answer:?}");
    }
    let mut unwanted = call("POST /200");
    unwanted.condition = Some(expression("false"));
    let names = named(&[]);
    let answer = driver
        .call(&journey(), "x", &unwanted, CallClass::Other, &names, None)
        .await
        .unwrap();
    assert_eq!(answer.1.meaning, Meaning::AlreadySo);
}

#[tokio::test]
async fn polling_goes_on_until_the_condition_holds_or_enough_is_enough() {
    let application =
        FakeTarget::start(|number, _| Act::Say(Answer::json(200, json!({"done": number >= 3}))))
            .await;
    let driver = driver(&application, |_| {});
    let mut wait = call("GET /jobs/1");
    wait.poll = Some(Poll {
        until: expression("done"),
        every: Duration::from_millis(5),
        most: 10,
    });
    let mut delete = operation("user.delete", vec![wait]);
    let names = named(&[]);
    let done = driver
        .run(&journey(), &delete, CallClass::Delete, &names, None, &[])
        .await
        .unwrap();
    assert_eq!((done.meaning, application.seen().len()), (Meaning::Ok, 4));

    if let Some(poll) = delete.steps.first_mut().and_then(|step| step.poll.as_mut()) {
        poll.until = expression("never");
        poll.most = 3;
    }
    let error = driver
        .run(&journey(), &delete, CallClass::Delete, &names, None, &[])
        .await
        .unwrap_err();
    assert!(
        matches!(error, TargetError::TimedOut { sent: true }),
        "{error:?}"
    );
    assert_eq!(application.seen().len(), 8);
}

#[tokio::test]
async fn if_match_is_the_version_given_or_that_of_a_fresh_read() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match (seen.method.as_str(), seen.header("if-match")) {
            ("GET", _) => Answer::json(200, json!({"id": 7})).header("ETag", "\"v2\""),
            ("PATCH", Some("\"v2\"")) => Answer::json(200, json!({"id": 7})),
            _ => Answer::empty(412),
        })
    })
    .await;
    let driver = driver(&application, |_| {});
    let mut update = operation("user.update", vec![call("PATCH /users/{id}")]);
    update.if_match = Some(IfMatch::Etag);
    let fields = || Some(json!({"a": 1}));
    let names = named(&[("id", json!(7))]);
    driver
        .run(
            &journey(),
            &update,
            CallClass::Update,
            &names,
            fields(),
            &[],
        )
        .await
        .unwrap();
    let names = named(&[("id", json!(7)), ("etag", json!("\"v1\""))]);
    let error = driver
        .run(
            &journey(),
            &update,
            CallClass::Update,
            &names,
            fields(),
            &[],
        )
        .await
        .unwrap_err();
    assert!(
        matches!(error, TargetError::Changed { is_halfway: false }),
        "{error:?}"
    );
    let methods: Vec<String> = application
        .seen()
        .into_iter()
        .map(|seen| seen.method)
        .collect();
    assert_eq!(methods, ["GET", "PATCH", "PATCH"]);
}

#[tokio::test]
async fn an_object_that_is_not_there_is_noticed_where_the_target_would_not_say() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match seen.method.as_str() {
            "GET" => Answer::json(404, json!({})),
            _ => Answer::empty(204),
        })
    })
    .await;
    let driver = driver(&application, |_| {});
    let mut delete = operation("user.delete", vec![call("DELETE /users/{id}")]);
    delete.gets_first = true;
    let names = named(&[("id", json!(7))]);
    let error = driver
        .run(&journey(), &delete, CallClass::Delete, &names, None, &[])
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        TargetError::Refused {
            meaning: Meaning::NotFound,
            ..
        }
    ));
    assert_eq!(application.count("DELETE"), 0);
    let names = named(&[("id", json!(7)), ("old", json!({"id": 7}))]);
    driver
        .run(&journey(), &delete, CallClass::Delete, &names, None, &[])
        .await
        .unwrap();
    assert_eq!(
        (application.count("GET"), application.count("DELETE")),
        (1, 1)
    );
}

#[tokio::test]
async fn a_dry_run_reads_but_only_plans_its_writes() {
    let application =
        FakeTarget::start(|_, _| Act::Say(Answer::json(200, json!({"token": "t"})))).await;
    let driver = driver(&application, |_| {});
    let mut journey = journey();
    journey.is_dry = true;
    let mut fetch = call("GET /token");
    fetch.take = vec![("token".into(), Source::Body(path("$.token")))];
    let mut first = call("POST /users?t={token}");
    first.take = vec![("id".into(), Source::Body(path("$.id")))];
    let create = operation(
        "user.create",
        vec![fetch, first, call("PUT /users/{id}/mail")],
    );
    let names = named(&[]);
    let done = driver
        .run(
            &journey,
            &create,
            CallClass::Create,
            &names,
            Some(json!({"a": 1})),
            &[],
        )
        .await
        .unwrap();
    assert!(done.is_planned_only && done.object.is_none() && done.id.is_none());
    assert_eq!(application.seen().len(), 1);
    let calls = journey.exchange.lock().unwrap().calls.clone();
    let calls: Vec<_> = calls
        .iter()
        .map(|call| (call.path.as_str(), call.status, call.is_planned_only))
        .collect();
    assert_eq!(
        calls,
        [
            ("/token", Some(200), false),
            ("/users?t=t", None, true),
            ("/users/id/mail", None, true)
        ]
    );
    // Without a `take`, the new id's place is held too.
    let create = operation(
        "user.create",
        vec![call("POST /users"), call("PUT /users/{id}/mail")],
    );
    let journey = journey_dry();
    let done = driver
        .run(
            &journey,
            &create,
            CallClass::Create,
            &names,
            Some(json!({})),
            &[],
        )
        .await
        .unwrap();
    assert_eq!(done.id, None);
    assert_eq!(
        journey.exchange.lock().unwrap().calls[1].path,
        "/users/id/mail"
    );
    // A search by POST is a read.
    let search = call("POST /search");
    driver
        .call(
            &journey_dry(),
            "user.find",
            &search,
            CallClass::Find,
            &names,
            None,
        )
        .await
        .unwrap();
    assert_eq!(application.count("POST"), 1);
}

fn journey_dry() -> scimgate::target::Journey {
    let mut journey = target_mapping::journey(Duration::from_secs(5));
    journey.is_dry = true;
    journey
}

#[tokio::test]
async fn a_reply_that_is_not_the_object_gives_none() {
    let application =
        FakeTarget::start(|_, _| Act::Say(Answer::json(200, json!({"updated": true})))).await;
    let driver = driver(&application, |_| {});
    let mut update = operation("user.update", vec![call("PUT /users/7")]);
    let names = named(&[]);
    for (reply, expected) in [
        (ReplyKind::Object, Some(json!({"updated": true}))),
        (ReplyKind::Nothing, None),
        (ReplyKind::ReadBack, None),
    ] {
        update.reply = reply;
        let done = driver
            .run(
                &journey(),
                &update,
                CallClass::Update,
                &names,
                Some(json!({})),
                &[],
            )
            .await
            .unwrap();
        assert_eq!(done.object, expected);
    }
    update.reply = ReplyKind::Object;
    update.envelope = Some("user".into());
    let done = driver
        .run(
            &journey(),
            &update,
            CallClass::Update,
            &names,
            Some(json!({})),
            &[],
        )
        .await
        .unwrap();
    assert_eq!(done.object, None);
}

#[test]
fn attribute_paths_are_spelled_as_in_patch() {
    let mut path = attribute("name");
    path.sub_attribute = Some("givenName".into());
    assert_eq!(spelled(&path), "name.givenName");
    path.schema = Some("urn:x".into());
    assert_eq!(spelled(&path), "urn:x:name.givenName");
}
