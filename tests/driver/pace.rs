//! Budget, 429, breaker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use scimgate::{
    mapping::{
        model::{Budget, Meaning, Rate},
        reply::CallClass,
    },
    target::{Driver, Journey, TargetError},
};
use serde_json::json;

use crate::{
    driver,
    fake_target::{Act, Answer, FakeTarget},
    journey, named,
    target_mapping::{self, call},
};

async fn send(
    driver: &Driver,
    journey: &Journey,
    text: &str,
    class: CallClass,
) -> Result<Meaning, TargetError> {
    let names = named(&[]);
    let answer = driver
        .call(journey, "test", &call(text), class, &names, None)
        .await;
    answer.map(|(_, verdict)| verdict.meaning)
}

fn fine() -> Act {
    Act::Say(Answer::json(200, json!({})))
}

#[tokio::test]
async fn a_short_429_is_waited_for_even_by_a_write() {
    let application = FakeTarget::start(|number, _| match number {
        0 => Act::Say(Answer::empty(429).header("Retry-After", "1")),
        _ => fine(),
    })
    .await;
    let driver = driver(&application, |_| {});
    let start = Instant::now();
    send(&driver, &journey(), "POST /users", CallClass::Create)
        .await
        .unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(application.seen().len(), 2);
}

#[tokio::test]
async fn a_long_429_is_passed_on_and_holds_the_others_back() {
    let application =
        FakeTarget::start(|_, _| Act::Say(Answer::empty(429).header("Retry-After", "30"))).await;
    let driver = driver(&application, |_| {});
    let start = Instant::now();
    for _ in 0..3 {
        let error = send(&driver, &journey(), "GET /users", CallClass::Get)
            .await
            .unwrap_err();
        match error {
            TargetError::TooMany { retry_after } => {
                assert!(
                    retry_after > Duration::from_secs(25) && retry_after <= Duration::from_secs(30)
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(application.seen().len(), 1);
}

#[tokio::test]
async fn a_429_is_not_waited_for_beyond_the_deadline_or_for_ever() {
    let application =
        FakeTarget::start(|_, _| Act::Say(Answer::empty(429).header("Retry-After", "1"))).await;
    let near = target_mapping::journey(Duration::from_millis(500));
    let one = driver(&application, |_| {});
    let start = Instant::now();
    let error = send(&one, &near, "GET /users", CallClass::Get)
        .await
        .unwrap_err();
    assert!(matches!(error, TargetError::TooMany { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_millis(400));
    let other = driver(&application, |_| {});
    send(&other, &journey(), "GET /users", CallClass::Get)
        .await
        .unwrap_err();
    assert_eq!(application.seen().len(), 1 + 3);
}

#[tokio::test]
async fn no_more_calls_at_a_time_than_the_budget_allows() {
    let application = FakeTarget::start(|_, _| Act::Hang).await;
    let driver = driver(&application, |target| target.budget.concurrent = Some(3));
    let journey = target_mapping::journey(Duration::from_millis(300));
    let tasks: Vec<_> = (0..15)
        .map(|_| {
            let (driver, journey) = (driver.clone(), journey.clone());
            tokio::spawn(async move { send(&driver, &journey, "GET /users", CallClass::Get).await })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(
            matches!(
                error,
                TargetError::TimedOut { .. } | TargetError::BudgetExhausted
            ),
            "{error:?}"
        );
    }
    assert_eq!(application.seen().len(), 3);
}

#[tokio::test]
async fn a_rate_holds_writes_back_and_not_reads() {
    let application = FakeTarget::start(|_, _| fine()).await;
    let rate = Rate {
        count: 1,
        per: Duration::from_secs(60),
    };
    let driver = driver(&application, |target| {
        target.budget = Budget {
            writes: Some(rate),
            ..Budget::default()
        };
    });
    send(&driver, &journey(), "POST /users", CallClass::Create)
        .await
        .unwrap();
    let start = Instant::now();
    let error = send(&driver, &journey(), "POST /users", CallClass::Create)
        .await
        .unwrap_err();
    assert!(matches!(error, TargetError::BudgetExhausted), "{error:?}");
    assert!(!error.is_in_doubt());
    send(&driver, &journey(), "POST /search", CallClass::Find)
        .await
        .unwrap();
    assert!(start.elapsed() < Duration::from_millis(500));
    assert_eq!(application.seen().len(), 2);
}

#[tokio::test]
async fn r6_the_breaker_opens_answers_at_once_and_closes_by_itself() {
    let is_down = Arc::new(AtomicBool::new(true));
    let shared = is_down.clone();
    let application = FakeTarget::start(move |_, _| match shared.load(Ordering::SeqCst) {
        true => Act::Close,
        false => fine(),
    })
    .await;
    let driver = driver(&application, |_| {});
    for _ in 0..5 {
        send(&driver, &journey(), "POST /users", CallClass::Create)
            .await
            .unwrap_err();
    }
    assert!(driver.is_circuit_open());
    let seen = application.seen().len();
    let start = Instant::now();
    let error = send(&driver, &journey(), "POST /users", CallClass::Create)
        .await
        .unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(50));
    match error {
        TargetError::CircuitOpen { retry_after } => {
            assert!((5..=30).contains(&retry_after.as_secs()), "{retry_after:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(application.seen().len(), seen);

    is_down.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1050)).await;
    send(&driver, &journey(), "GET /users", CallClass::Get)
        .await
        .unwrap();
    assert!(!driver.is_circuit_open());
}

#[tokio::test]
async fn refusals_do_not_open_the_breaker() {
    let application = FakeTarget::start(|_, seen| {
        let status = seen.path.trim_start_matches('/').parse().unwrap();
        Act::Say(Answer::json(status, json!({})))
    })
    .await;
    let driver = driver(&application, |_| {});
    for status in [400, 401, 403, 404, 409, 422, 405] {
        for _ in 0..6 {
            let _ = send(
                &driver,
                &journey(),
                &format!("POST /{status}"),
                CallClass::Update,
            )
            .await;
        }
        assert!(!driver.is_circuit_open(), "{status}");
    }
}

#[tokio::test]
async fn a_target_is_left_alone_no_longer_than_the_mapping_allows() {
    for (asked, longest, expected) in [
        ("86400", None, 600),
        ("86400", Some(Duration::from_secs(90)), 90),
        ("Tue, 31 Dec 2999 23:59:59 GMT", None, 600),
        ("30", None, 30),
    ] {
        let application = FakeTarget::start(move |_, _| {
            Act::Say(Answer::empty(429).header("Retry-After", asked))
        })
        .await;
        let driver = driver(&application, |target| {
            target.budget.longest_pause = longest;
        });
        let error = send(&driver, &journey(), "GET /users", CallClass::Get)
            .await
            .unwrap_err();
        let TargetError::TooMany { retry_after } = error else {
            panic!("{error:?}");
        };
        assert_eq!(retry_after.as_secs(), expected, "{asked}");
    }
}
