//! Credentials: fixed ones, tokens, logins; renewed once for all who wait, never in a loop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use scimgate::{
    mapping::{
        model::{
            Auth, BodyFormat, FormLists, JwtAssertion, Login, Meaning, OAuth2, Source, Target,
        },
        reply::CallClass,
    },
    target::{Connections, Driver, TargetError},
    tenant::secret::Secret,
};
use serde_json::{Value, json};

use crate::{
    driver,
    fake_target::{Act, Answer, FakeTarget, Seen},
    journey, named,
    target_mapping::{call, expression, mapping, path, rule, target, template, tree, with},
};

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

async fn get(driver: &Driver) -> Result<Meaning, TargetError> {
    let get = call("GET /users/7");
    let names = named(&[]);
    let answer = driver
        .call(&journey(), "user.get", &get, CallClass::Get, &names, None)
        .await;
    answer.map(|(_, verdict)| verdict.meaning)
}

fn user() -> Act {
    Act::Say(Answer::json(200, json!({"id": 7})))
}

#[tokio::test]
async fn fixed_credentials_are_sent_with_every_call() {
    let cases: [(Auth, &str, &str); 4] = [
        (
            Auth::Header {
                name: "X-Api-Key".into(),
                value: secret("k1"),
            },
            "x-api-key",
            "k1",
        ),
        (
            Auth::Bearer {
                token: secret("t1"),
            },
            "authorization",
            "Bearer t1",
        ),
        (
            Auth::Basic {
                user: "scim".into(),
                password: secret("p:w"),
            },
            "authorization",
            "Basic c2NpbTpwOnc=",
        ),
        (
            Auth::None,
            "user-agent",
            concat!("scimgate/", env!("CARGO_PKG_VERSION")),
        ),
    ];
    for (auth, header, value) in cases {
        let application = FakeTarget::start(|_, _| user()).await;
        let driver = driver(&application, |target| target.auth = auth);
        get(&driver).await.unwrap();
        assert_eq!(application.seen()[0].header(header), Some(value));
    }
    let application = FakeTarget::start(|_, _| user()).await;
    let driver = driver(&application, |target| {
        target.auth = Auth::Query {
            name: "key".into(),
            value: secret("a&b"),
        };
    });
    let journey = journey();
    let names = named(&[]);
    driver
        .call(
            &journey,
            "user.get",
            &call("GET /users?x=1"),
            CallClass::Get,
            &names,
            None,
        )
        .await
        .unwrap();
    assert_eq!(application.seen()[0].path, "/users?x=1&key=a%26b");
    assert_eq!(journey.exchange.lock().unwrap().calls[0].path, "/users?x=1");
}

#[tokio::test]
async fn a_fixed_credential_that_is_refused_is_our_fault_and_asked_once() {
    let application = FakeTarget::start(|_, _| Act::Say(Answer::empty(401))).await;
    let driver = driver(&application, |target| {
        target.auth = Auth::Bearer {
            token: secret("t1"),
        }
    });
    let error = get(&driver).await.unwrap_err();
    assert!(
        matches!(
            error,
            TargetError::Refused {
                meaning: Meaning::NotLoggedIn,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(application.seen().len(), 1);
}

#[test]
fn credentials_that_cannot_be_sent_are_refused_at_once() {
    let unfit = [
        Auth::Bearer {
            token: secret("a\r\nX: y"),
        },
        Auth::Header {
            name: "bad name".into(),
            value: secret("x"),
        },
        Auth::Basic {
            user: "a:b".into(),
            password: secret("x"),
        },
        Auth::OAuth2(oauth2("http://tokens.example/token")),
        Auth::OAuth2(OAuth2 {
            jwt: Some(assertion("no key")),
            ..oauth2("https://tokens.example/token")
        }),
    ];
    for auth in unfit {
        let shown = format!("{auth:?}");
        let mut target = target("https://app.example");
        target.auth = auth;
        let error =
            Driver::new(Arc::new(mapping(target)), Arc::new(Connections::new())).unwrap_err();
        assert!(
            matches!(error, TargetError::Settings(_)),
            "{shown}: {error:?}"
        );
    }
}

fn oauth2(url: &str) -> OAuth2 {
    OAuth2 {
        token_url: url.parse().unwrap(),
        client_id: "gate way".into(),
        client_secret: Some(secret("s&cret")),
        scope: Some("users groups".into()),
        parameters: vec![("audience".into(), "app".into())],
        is_in_body: false,
        jwt: None,
    }
}

fn assertion(key: &str) -> JwtAssertion {
    JwtAssertion {
        key: secret(key),
        key_id: None,
        issuer: "gateway".into(),
        subject: "svc".into(),
        audience: "aud".into(),
        life: Duration::from_secs(300),
        is_grant: true,
    }
}

/// A token server and an application in one: tokens count up, the application accepts the newest only.
async fn tokens(life: Value, wait: Duration) -> (FakeTarget, Arc<AtomicUsize>) {
    let issued = Arc::new(AtomicUsize::new(0));
    let count = issued.clone();
    let application = FakeTarget::start(move |_, seen| {
        if seen.path == "/token" {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            let token = json!({"access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": life});
            return Act::After(wait, Answer::json(200, token));
        }
        let valid = format!("Bearer t{}", count.load(Ordering::SeqCst));
        match seen.header("authorization") == Some(&valid) {
            true => user(),
            false => Act::Say(Answer::empty(401)),
        }
    })
    .await;
    (application, issued)
}

#[tokio::test]
async fn twenty_waiting_requests_make_one_token_call() {
    let (application, issued) = tokens(json!(3600), Duration::from_millis(50)).await;
    let url = format!("{}/token", application.url());
    let driver = driver(&application, |target| {
        target.auth = Auth::OAuth2(oauth2(&url))
    });
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let driver = driver.clone();
            tokio::spawn(async move { get(&driver).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(issued.load(Ordering::SeqCst), 1);
    let seen = application.seen();
    let asked = seen.iter().find(|seen| seen.path == "/token").unwrap();
    assert_eq!(
        asked.header("authorization"),
        Some("Basic Z2F0ZSt3YXk6cyUyNmNyZXQ=")
    );
    assert_eq!(
        asked.text(),
        "grant_type=client_credentials&scope=users+groups&audience=app"
    );

    // The application forgets the token: again one renewal for all, each call repeated once.
    issued.fetch_add(1, Ordering::SeqCst);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let driver = driver.clone();
            tokio::spawn(async move { get(&driver).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        application
            .seen()
            .iter()
            .filter(|seen| seen.path == "/token")
            .count(),
        2
    );
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    // A fifth of its life before: after 0.8 seconds.
    let (application, issued) = tokens(json!("1"), Duration::ZERO).await;
    let url = format!("{}/token", application.url());
    let driver = driver(&application, |target| {
        target.auth = Auth::OAuth2(oauth2(&url))
    });
    get(&driver).await.unwrap();
    get(&driver).await.unwrap();
    assert_eq!(issued.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_millis(850)).await;
    get(&driver).await.unwrap();
    assert_eq!(issued.load(Ordering::SeqCst), 2);
    assert!(
        application
            .seen()
            .iter()
            .all(|seen| seen.path == "/token" || seen.header("authorization").is_some())
    );
}

#[tokio::test]
async fn the_secret_goes_into_the_body_or_an_assertion_takes_its_place() {
    let p256 = {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        use base64::Engine;
        let text = base64::prelude::BASE64_STANDARD.encode(key.to_pkcs8v1().unwrap().as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    };
    let form = async |change: &dyn Fn(&mut OAuth2)| {
        let (application, _) = tokens(json!(3600), Duration::ZERO).await;
        let mut settings = oauth2(&format!("{}/token", application.url()));
        change(&mut settings);
        let driver = driver(&application, |target| target.auth = Auth::OAuth2(settings));
        get(&driver).await.unwrap();
        let asked = application.seen().remove(0);
        assert_eq!(asked.header("authorization"), None);
        form_urlencoded::parse(&asked.body)
            .into_owned()
            .collect::<Vec<(String, String)>>()
    };
    let in_body = form(&|settings| settings.is_in_body = true).await;
    assert!(
        in_body.contains(&("client_secret".into(), "s&cret".into())),
        "{in_body:?}"
    );
    let granted = form(&|settings| {
        settings.client_secret = None;
        settings.jwt = Some(assertion(&p256));
    })
    .await;
    assert_eq!(granted[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(
        (granted[1].0.as_str(), granted[1].1.split('.').count()),
        ("assertion", 3)
    );
    let client = form(&|settings| {
        settings.client_secret = None;
        settings.jwt = Some(JwtAssertion {
            is_grant: false,
            ..assertion(&p256)
        });
    })
    .await;
    let names: Vec<&str> = client.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "grant_type",
        "client_assertion_type",
        "client_assertion",
        "client_id",
        "scope",
        "audience",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again_for_a_while() {
    let application = FakeTarget::start(|_, seen| match seen.path.as_str() {
        "/token" => Act::Say(Answer::json(401, json!({"error": "invalid_client"}))),
        _ => user(),
    })
    .await;
    let url = format!("{}/token", application.url());
    let driver = driver(&application, |target| {
        target.auth = Auth::OAuth2(oauth2(&url))
    });
    for _ in 0..5 {
        let error = get(&driver).await.unwrap_err();
        assert!(matches!(error, TargetError::LoginFailed(_)), "{error:?}");
        assert!(!error.is_in_doubt());
    }
    assert_eq!(application.seen().len(), 1);
}

#[tokio::test]
async fn a_session_that_is_refused_at_once_does_not_lead_to_login_after_login() {
    let application = FakeTarget::start(|_, seen| match seen.path.as_str() {
        "/token" => Act::Say(Answer::json(200, json!({"access_token": "t"}))),
        _ => Act::Say(Answer::empty(401)),
    })
    .await;
    let url = format!("{}/token", application.url());
    let driver = driver(&application, |target| {
        target.auth = Auth::OAuth2(oauth2(&url))
    });
    for _ in 0..5 {
        get(&driver).await.unwrap_err();
    }
    assert_eq!(
        application
            .seen()
            .iter()
            .filter(|seen| seen.path == "/token")
            .count(),
        1
    );
}

/// As MediaWiki: a token to log in with, cookies, a token for writes; everything is 200.
fn wiki(target: &mut Target) {
    let mut first = call("GET /api?type=login");
    first.take = vec![("first".into(), Source::Body(path("$.query.logintoken")))];
    let mut second = call("POST /api");
    second.body = Some(tree(
        json!({"lgname": "Admin", "lgpassword": "pa ss", "lgtoken": "{login.first}"}),
    ));
    let mut refused = rule(Meaning::Failed);
    refused.when = Some(expression("login.result != \"Success\""));
    second.rules = vec![refused];
    let mut third = call("GET /api?type=csrf");
    third.take = vec![("csrf".into(), Source::Body(path("$.query.csrftoken")))];
    target.format = BodyFormat::Form(FormLists::Pipe);
    target.auth = Auth::Login(Box::new(Login {
        steps: vec![first, second, third],
        headers: Vec::new(),
        query: Vec::new(),
        keeps_cookies: true,
        life: None,
        life_in_answer: None,
        sent_at: Vec::new(),
        life_at: None,
    }));
    let mut stale = rule(Meaning::NotLoggedIn);
    stale.when = Some(expression("error.code == \"badtoken\""));
    target.rules = vec![stale];
}

fn wiki_answer(seen: &Seen, sessions: &AtomicUsize) -> Answer {
    let session = sessions.load(Ordering::SeqCst);
    let cookie = format!("session={session}");
    let body = seen.text();
    if seen.parameter("type").as_deref() == Some("login") {
        let session = sessions.fetch_add(1, Ordering::SeqCst) + 1;
        let token = json!({"query": {"logintoken": format!("l{session}+\\")}});
        return Answer::json(200, token).header(
            "Set-Cookie",
            &format!("session={session}; path=/; HttpOnly"),
        );
    }
    if seen
        .header("cookie")
        .is_none_or(|sent| !sent.contains(&cookie))
    {
        return Answer::json(200, json!({"error": {"code": "badtoken"}}));
    }
    if body.contains("lgtoken") {
        let is_right = body.contains(&format!("lgtoken=l{session}%2B%5C"))
            && body.contains("lgpassword=pa+ss");
        let result = if is_right { "Success" } else { "Failed" };
        return Answer::json(200, json!({"login": {"result": result}}))
            .header("Set-Cookie", "user=Admin; path=/");
    }
    if seen.parameter("type").as_deref() == Some("csrf") {
        return Answer::json(200, json!({"query": {"csrftoken": format!("c{session}")}}));
    }
    match body.contains(&format!("token=c{session}"))
        && seen.header("cookie").unwrap().contains("user=Admin")
    {
        true => Answer::json(200, json!({"done": true})),
        false => Answer::json(200, json!({"error": {"code": "badtoken"}})),
    }
}

#[tokio::test]
async fn a_login_keeps_cookies_and_tokens_and_is_repeated_when_they_are_stale() {
    let sessions = Arc::new(AtomicUsize::new(0));
    let shared = sessions.clone();
    let application = FakeTarget::start(move |_, seen| Act::Say(wiki_answer(seen, &shared))).await;
    let driver = driver(&application, wiki);
    let mut block = call("POST /api");
    block.body = Some(tree(json!({"action": "block", "token": "{login.csrf}"})));
    let run = async |driver: &Driver| {
        let journey = journey();
        let names = named(&[]);
        let answer = driver
            .call(
                &journey,
                "user.deactivate",
                &block,
                CallClass::Other,
                &names,
                None,
            )
            .await;
        (
            answer.unwrap().1.meaning,
            journey.exchange.lock().unwrap().calls.clone(),
        )
    };
    let (meaning, calls) = run(&driver).await;
    assert_eq!((meaning, calls.len()), (Meaning::Ok, 4));
    // Nothing of the login is in the records, nor is the token.
    let shown = format!("{calls:?}");
    assert!(
        !shown.contains("pa ss") && !shown.contains("c1") && !shown.contains("l1"),
        "{shown}"
    );
    assert_eq!(run(&driver).await.1.len(), 1);

    // The application loses its sessions: the refused call, three to log in, the call again.
    sessions.fetch_add(1, Ordering::SeqCst);
    let (meaning, calls) = run(&driver).await;
    assert_eq!((meaning, calls.len()), (Meaning::Ok, 5));
}

#[tokio::test]
async fn a_login_s_token_goes_into_headers_queries_and_wrapped_bodies() {
    let application = FakeTarget::start(|_, seen| {
        Act::Say(match seen.json()["method"].as_str() {
            Some("user.login") => Answer::json(200, json!({"result": "tok-1"})),
            _ => Answer::json(200, json!({"result": [{"userid": "3"}]})),
        })
    })
    .await;
    let driver = driver(&application, |target| {
        target.content = Some(path("$.result"));
        target.wrap = Some(tree(
            json!({"method": "{method}", "params": "{body}", "auth": "{login.token}", "id": 1}),
        ));
        let mut login = call("POST /rpc");
        login.with = vec![with("method", json!("user.login"))];
        login.body = Some(tree(json!({"password": "x"})));
        login.take = vec![("token".into(), Source::Body(path("$.result")))];
        target.auth = Auth::Login(Box::new(Login {
            steps: vec![login],
            headers: vec![("X-Auth".into(), template("Token {login.token}"))],
            query: vec![("t".into(), template("{login.token}"))],
            keeps_cookies: false,
            life: Some(Duration::from_secs(60)),
            life_in_answer: None,
            sent_at: Vec::new(),
            life_at: None,
        }));
    });
    let mut search = call("POST /rpc");
    search.with = vec![with("method", json!("user.get"))];
    let names = named(&[]);
    let (reply, _) = driver
        .call(
            &journey(),
            "user.list",
            &search,
            CallClass::List,
            &names,
            None,
        )
        .await
        .unwrap();
    assert_eq!(reply.content, json!([{"userid": "3"}]));
    let seen = application.seen();
    assert_eq!(
        seen[0].json(),
        json!({"method": "user.login", "params": {"password": "x"}, "id": 1})
    );
    assert_eq!(
        seen[1].json(),
        json!({"method": "user.get", "auth": "tok-1", "id": 1})
    );
    assert_eq!(
        (seen[1].header("x-auth"), seen[1].path.as_str()),
        (Some("Token tok-1"), "/rpc?t=tok-1")
    );
}

#[tokio::test]
async fn a_session_lasts_as_long_as_the_logins_answer_says() {
    use scimgate::mapping::model::RetryUnit;

    for unit in [RetryUnit::Milliseconds, RetryUnit::Time] {
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(500);
        let end = match unit {
            RetryUnit::Time => json!(soon.to_string()),
            _ => json!(500),
        };
        let logins = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&logins);
        let told = end.clone();
        let application = FakeTarget::start(move |_, seen| match seen.path.as_str() {
            "/login" => {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                Act::Say(Answer::json(
                    200,
                    json!({"token": format!("t{number}"), "end": told}),
                ))
            }
            _ => user(),
        })
        .await;
        let driver = driver(&application, |target| {
            let mut login = call("POST /login");
            login.take = vec![
                ("token".into(), Source::Body(path("$.token"))),
                ("end".into(), Source::Body(path("$.end"))),
            ];
            target.auth = Auth::Login(Box::new(Login {
                steps: vec![login],
                headers: vec![("X-Auth".into(), template("{login.token}"))],
                query: Vec::new(),
                keeps_cookies: false,
                life: None,
                life_in_answer: Some(("end".into(), unit)),
                sent_at: Vec::new(),
                life_at: None,
            }));
        });
        get(&driver).await.unwrap();
        get(&driver).await.unwrap();
        assert_eq!(logins.load(Ordering::SeqCst), 1, "{unit:?}");
        tokio::time::sleep(Duration::from_millis(550)).await;
        get(&driver).await.unwrap();
        assert_eq!(logins.load(Ordering::SeqCst), 2, "{unit:?}");
    }
}

#[tokio::test]
async fn aws_signatures_cover_what_is_sent() {
    let application = FakeTarget::start(|_, _| user()).await;
    let driver = driver(&application, |target| {
        target.auth = Auth::AwsSigV4 {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: secret("wJalrXUtnFEMI"),
            session_token: None,
            region: "eu-west-1".into(),
            service: "execute-api".into(),
        };
    });
    get(&driver).await.unwrap();
    let seen = application.seen().remove(0);
    let authorization = seen.header("authorization").unwrap();
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{authorization}"
    );
    assert!(authorization.contains(
        "SignedHeaders=accept;accept-encoding;host;user-agent;x-amz-content-sha256;x-amz-date"
    ));
    assert_eq!(
        seen.header("host"),
        Some(application.address.to_string().as_str())
    );
}

#[tokio::test]
async fn s21_a_credential_does_not_follow_a_changed_origin() {
    let shared = Arc::new(Connections::new());
    let make = |shared: &Arc<Connections>, url: &str, token: &str| {
        let mut target = target(url);
        target.auth = Auth::Bearer {
            token: secret(token),
        };
        Driver::new(Arc::new(mapping(target)), shared.clone())
    };
    make(&shared, "https://one.example/api", "t1").unwrap();
    make(&shared, "https://one.example/other", "t1").unwrap();
    let moved = make(&shared, "https://two.example/api", "t1");
    assert!(matches!(moved, Err(TargetError::OriginChanged)));
    make(&shared, "https://two.example/api", "t2").unwrap();
    let permitted = Arc::new(Connections::new().accepting_origin_changes());
    make(&permitted, "https://one.example/api", "t1").unwrap();
    make(&permitted, "https://two.example/api", "t1").unwrap();
}
