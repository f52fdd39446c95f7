//! Targets that break, hang, redirect, or answer too much.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use scimgate::{
    mapping::{
        model::{Meaning, Operation},
        reply::CallClass,
    },
    target::{Connections, Done, Driver, Journey, TargetError},
};
use serde_json::{Value, json};

use crate::{
    driver,
    fake_target::{Act, Answer, FakeTarget},
    journey, named,
    target_mapping::{self, call, mapping, operation, target, template},
};

async fn create(driver: &Driver, journey: &Journey) -> Result<Done, TargetError> {
    let create = operation("user.create", vec![call("POST /users")]);
    let names = named(&[]);
    driver
        .run(
            journey,
            &create,
            CallClass::Create,
            &names,
            Some(json!({"login": "ada"})),
            &[],
        )
        .await
}

async fn get(driver: &Driver, journey: &Journey) -> Result<Done, TargetError> {
    let get = operation("user.get", vec![call("GET /users/{id}")]);
    let names = named(&[("id", json!(7))]);
    driver
        .run(journey, &get, CallClass::Get, &names, None, &[])
        .await
}

fn user() -> Answer {
    Answer::json(200, json!({"id": 7}))
}

#[tokio::test]
async fn r2_a_post_is_never_seen_twice_whatever_breaks() {
    let length = user().bytes().len();
    let mut phases = vec![Act::Close, Act::Reset, Act::Hang];
    phases.extend((0..length).step_by(7).map(|bytes| Act::Part(bytes, user())));
    phases.push(Act::Part(length - 1, user()));
    for phase in phases {
        let act = phase.clone();
        let application = FakeTarget::start(move |_, _| act.clone()).await;
        let driver = driver(&application, |_| {});
        let journey = target_mapping::journey(Duration::from_millis(300));
        let error = create(&driver, &journey).await.unwrap_err();
        assert!(error.is_in_doubt(), "{phase:?}: {error:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(application.count("POST"), 1, "{phase:?}");
    }
}

#[tokio::test]
async fn r2_a_pooled_connection_that_breaks_sees_one_post() {
    for phase in [Act::Close, Act::Reset] {
        let application = FakeTarget::start(move |number, _| match number {
            0 => Act::Say(user()),
            _ => phase.clone(),
        })
        .await;
        let driver = driver(&application, |_| {});
        get(&driver, &journey()).await.unwrap();
        assert!(create(&driver, &journey()).await.unwrap_err().is_in_doubt());
        assert_eq!(
            (application.count("POST"), application.connections()),
            (1, 1)
        );
    }
}

#[tokio::test]
async fn a_read_is_tried_twice_and_a_repeatable_write_too() {
    let application = FakeTarget::start(|number, _| {
        if number == 0 {
            Act::Close
        } else {
            Act::Say(user())
        }
    })
    .await;
    let done = get(&driver(&application, |_| {}), &journey())
        .await
        .unwrap();
    assert_eq!(
        (done.id.as_deref(), application.count("GET")),
        (Some("7"), 2)
    );

    let application = FakeTarget::start(|_, _| Act::Close).await;
    assert!(
        get(&driver(&application, |_| {}), &journey())
            .await
            .is_err()
    );
    assert_eq!(application.count("GET"), 2);

    let application = FakeTarget::start(|number, _| match number {
        0 => Act::Say(Answer::empty(503)),
        _ => Act::Say(user()),
    })
    .await;
    let mut put = call("PUT /users/7");
    put.is_repeatable = true;
    let update = operation("user.update", vec![put]);
    let driver = driver(&application, |_| {});
    driver
        .run(
            &journey(),
            &update,
            CallClass::Update,
            &named(&[]),
            Some(json!({})),
            &[],
        )
        .await
        .unwrap();
    assert_eq!(application.count("PUT"), 2);
}

#[tokio::test]
async fn a_write_that_is_answered_503_is_not_repeated() {
    let application = FakeTarget::start(|_, _| Act::Say(Answer::empty(503))).await;
    let error = create(&driver(&application, |_| {}), &journey())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            TargetError::Refused {
                meaning: Meaning::Retry,
                ..
            }
        ) && error.is_in_doubt()
    );
    assert_eq!(application.count("POST"), 1);
}

#[tokio::test]
async fn a_target_that_is_not_there_is_known_not_to_have_seen_anything() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let target = target(&format!("http://{address}"));
    let driver = Driver::new(Arc::new(mapping(target)), Arc::new(Connections::new())).unwrap();
    let error = create(&driver, &journey()).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Unreachable { sent: false, .. }),
        "{error:?}"
    );
    assert!(!error.is_in_doubt());
}

#[tokio::test]
async fn r5_a_slow_target_is_given_up_at_the_deadline() {
    let slow = Duration::from_secs(20);
    for act in [Act::Hang, Act::After(slow, user())] {
        let application = FakeTarget::start(move |_, _| act.clone()).await;
        let driver = driver(&application, |_| {});
        let start = Instant::now();
        let error = get(
            &driver,
            &target_mapping::journey(Duration::from_millis(200)),
        )
        .await
        .unwrap_err();
        assert!(
            matches!(error, TargetError::TimedOut { sent: true }),
            "{error:?}"
        );
        assert!(
            start.elapsed() < Duration::from_millis(700),
            "{:?}",
            start.elapsed()
        );
    }
    // Nothing is sent once the deadline has passed.
    let application = FakeTarget::start(|_, _| Act::Say(user())).await;
    let error = create(
        &driver(&application, |_| {}),
        &target_mapping::journey(Duration::ZERO),
    )
    .await
    .unwrap_err();
    assert!(!error.is_in_doubt(), "{error:?}");
    assert_eq!(application.seen().len(), 0);
}

#[tokio::test]
async fn p9_redirects_are_never_followed() {
    let canary = FakeTarget::start(|_, _| Act::Say(user())).await;
    for status in [301, 302, 303, 307, 308] {
        for location in [format!("{}/users/7", canary.url()), "/elsewhere".into()] {
            let application = FakeTarget::start(move |_, _| {
                Act::Say(
                    Answer::empty(status)
                        .header("Location", &location)
                        .header("Refresh", "0; url=/elsewhere"),
                )
            })
            .await;
            let error = get(&driver(&application, |_| {}), &journey())
                .await
                .unwrap_err();
            assert!(
                matches!(
                    error,
                    TargetError::Refused {
                        meaning: Meaning::Failed,
                        ..
                    }
                ),
                "{error:?}"
            );
            assert_eq!(application.seen().len(), 1);
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn p6_replies_that_are_too_large_or_compressed_are_refused() {
    let large = json!({"id": 7, "x": "y".repeat(5000)});
    let application = FakeTarget::start(move |_, seen| {
        Act::Say(match seen.path.as_str() {
            "/users/7" => Answer::json(200, large.clone()),
            _ => user().header("Content-Encoding", "gzip"),
        })
    })
    .await;
    let driver = driver(&application, |target| target.max_reply_bytes = 4096);
    let error = get(&driver, &journey()).await.unwrap_err();
    assert!(
        matches!(
            error,
            TargetError::BadReply("it is larger than `max-reply`")
        ),
        "{error:?}"
    );
    let error = create(&driver, &journey()).await.unwrap_err();
    assert!(
        matches!(error, TargetError::BadReply("it is compressed")),
        "{error:?}"
    );
    let seen = application.seen();
    assert!(
        seen.iter()
            .all(|seen| seen.header("accept-encoding") == Some("identity"))
    );
}

#[tokio::test]
async fn a_get_that_answers_nothing_usable_is_no_object() {
    let application = FakeTarget::start(|number, _| match number {
        0 => Act::Say(Answer::json(200, json!([]))),
        _ => Act::Say(Answer::empty(200)),
    })
    .await;
    let driver = driver(&application, |_| {});
    for _ in 0..2 {
        let done = get(&driver, &journey()).await.unwrap();
        assert_eq!((done.object, done.id), (None, None));
    }
}

#[tokio::test]
async fn the_driver_s_futures_can_move_between_threads() {
    let application = FakeTarget::start(|_, _| Act::Say(user())).await;
    let driver = driver(&application, |_| {});
    let task = tokio::spawn(async move { get(&driver, &journey()).await.map(|done| done.id) });
    assert_eq!(task.await.unwrap().unwrap().as_deref(), Some("7"));
}

/// P7: whatever a value holds, the application sees one request, with the headers it is meant to have.
#[test]
fn p7_no_value_can_add_a_header_or_a_request() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let application = runtime.block_on(FakeTarget::start(|_, _| Act::Say(user())));
    let _guard = runtime.enter();
    let driver = driver(&application, |_| {});
    let strategy = prop_oneof![
        any::<String>(),
        "[a-z]{0,3}(\r\n|\r|\n|%0d%0a| )[A-Za-z: /.]{0,20}"
    ];
    let config = ProptestConfig {
        cases: 200,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |value| {
        let before = application.seen().len();
        let operation = everywhere();
        let names = named(&[("x", json!(value))]);
        let fields = Some(json!({"x": value}));
        let sent = runtime.block_on(driver.run(
            &journey(),
            &operation,
            CallClass::Create,
            &names,
            fields,
            &[],
        ));
        let seen = application.seen();
        prop_assert_eq!(seen.len() - before, usize::from(sent.is_ok()));
        if let Some(seen) = seen.get(before) {
            let mut names: Vec<String> = seen
                .headers
                .iter()
                .map(|(name, _)| name.to_lowercase())
                .collect();
            names.sort();
            let expected = [
                "accept",
                "accept-encoding",
                "content-length",
                "content-type",
                "host",
                "user-agent",
                "x-value",
            ];
            prop_assert_eq!(names, expected);
            prop_assert_eq!(seen.parameter("q"), Some(value.clone()));
            prop_assert_eq!(seen.json(), json!({"x": value}));
        }
        Ok(())
    });
    result.unwrap();
}

fn everywhere() -> Operation {
    let mut post = call("POST /users?q={x}");
    post.headers = vec![("X-Value".into(), template("v{x}"))];
    operation("user.create", vec![post])
}

#[tokio::test]
async fn calls_are_recorded_without_their_secrets() {
    let application = FakeTarget::start(|_, _| Act::Say(Answer::json(201, json!({"id": 7})))).await;
    let driver = driver(&application, |target| {
        target.redact = vec![target_mapping::path("$.pin")];
    });
    let journey = journey();
    let names = named(&[("password", json!("correct horse"))]);
    let create = operation("user.create", vec![call("POST /users?hint=x-{password}")]);
    let fields = json!({"login": "ada", "retype": "correct horse", "pin": 1234});
    driver
        .run(
            &journey,
            &create,
            CallClass::Create,
            &names,
            Some(fields),
            &[],
        )
        .await
        .unwrap();
    let exchange = journey.exchange.lock().unwrap();
    let record = &exchange.calls[0];
    assert_eq!(
        (
            record.operation.as_str(),
            record.method.as_str(),
            record.status
        ),
        ("user.create", "POST", Some(201))
    );
    assert_eq!(record.path, "/users?hint=***");
    assert_eq!(
        record.body,
        Some(json!({"login": "ada", "retype": "***", "pin": "***"}))
    );
    assert_eq!(
        application.seen()[0].json()["retype"],
        Value::from("correct horse")
    );
}
