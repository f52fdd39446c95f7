//! Whose request it is is decided by the credential, and nothing of another tenant can be reached, named or broken.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use scimgate::{
    store::{KeyRecord, TenantId},
    tenant::{Probed, key},
};

use crate::application::Fault;
use crate::fake_target::{Act, Answer};
use crate::stage::{BOOK, Setup, Stage, patch, token_of};

const MINTED: &str = "[user]\nid = { from = '$.login', stable = false }\n";

fn two(text: &str) -> Setup {
    Setup {
        tenants: vec![("acme".into(), text.into()), ("globex".into(), text.into())],
        ..Setup::default()
    }
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Everything that a client can ask with an id in it: method, path, body.
fn asks(id: &str) -> Vec<(&'static str, String, Value)> {
    let title = patch(json!([{ "op": "replace", "path": "title", "value": "x" }]));
    let member =
        |op: &str| patch(json!([{ "op": op, "path": "members", "value": [{ "value": id }] }]));
    let manager = format!("{ENTERPRISE}:manager");
    let reference = format!("https://scim.example/scim/v2/Users/{id}");
    let bulk = |method: &str, data: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": method, "path": format!("/Users/{id}"), "data": data }],
        })
    };
    vec![
        ("GET", format!("/Users/{id}"), Value::Null),
        ("HEAD", format!("/Users/{id}"), Value::Null),
        ("PUT", format!("/Users/{id}"), json!({ "userName": "x" })),
        ("PATCH", format!("/Users/{id}"), title.clone()),
        ("DELETE", format!("/Users/{id}"), Value::Null),
        (
            "GET",
            format!("/Users?filter=id%20eq%20%22{id}%22"),
            Value::Null,
        ),
        (
            "GET",
            format!("/Groups?filter=members.value%20eq%20%22{id}%22"),
            Value::Null,
        ),
        (
            "POST",
            "/Users/.search".into(),
            json!({ "filter": format!("id eq \"{id}\"") }),
        ),
        (
            "POST",
            "/.search".into(),
            json!({ "filter": format!("id eq \"{id}\"") }),
        ),
        ("PATCH", "/Groups/g-1".into(), member("add")),
        ("PATCH", "/Groups/g-1".into(), member("replace")),
        ("PATCH", "/Groups/g-1".into(), member("remove")),
        (
            "PATCH",
            "/Groups/g-1".into(),
            patch(json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }])),
        ),
        (
            "PUT",
            "/Groups/g-1".into(),
            json!({ "displayName": "staff", "members": [{ "value": id, "$ref": reference }] }),
        ),
        (
            "POST",
            "/Groups".into(),
            json!({ "displayName": "new", "members": [{ "value": id }] }),
        ),
        (
            "POST",
            "/Users".into(),
            json!({ "userName": "new", ENTERPRISE: { "manager": { "value": id } } }),
        ),
        (
            "PATCH",
            "/Users/own".into(),
            patch(
                json!([{ "op": "add", "path": manager, "value": { "value": id, "$ref": reference } }]),
            ),
        ),
        ("POST", "/Bulk".into(), bulk("PATCH", title)),
        (
            "POST",
            "/Bulk".into(),
            bulk("PUT", json!({ "userName": "x" })),
        ),
        ("POST", "/Bulk".into(), bulk("DELETE", Value::Null)),
    ]
}

/// What the probe of a mapping with this `probe` shows of an application that answers so.
async fn probed(probe: &str, answer: Option<Answer>) -> Option<Probed> {
    let setup = Setup::default().with(
        "deadline = \"5s\"",
        &format!("deadline = \"5s\"\nprobe = {probe}"),
    );
    let stage = setup.start().await;
    stage.app.add_users(1);
    if let Some(answer) = answer {
        let act = Fault::Before(Act::Say(answer));
        stage.app.plan("GET /users/1", 100, act);
    }
    let tenant = stage.registry.tenant("acme").unwrap();
    assert_eq!(tenant.probed(), None, "it is not asked by itself");
    let probed = tenant.ask_probe().await;
    assert_eq!(tenant.probed(), probed);
    probed
}

#[tokio::test]
async fn a_probe_tells_an_accepted_credential_from_a_refused_one_and_from_other_trouble() {
    let json = |status, body| Some(Answer::json(status, body));
    let plain = "\"GET /users/1\"";
    let anonymous =
        "{ call = \"GET /users/1\", rules = [{ when = 'not login', is = \"not-logged-in\" }] }";
    for (probe, answer, expected) in [
        (plain, None, Probed::Accepted),
        (plain, json(401, json!({})), Probed::Refused),
        (plain, json(403, json!({})), Probed::Refused),
        (plain, json(404, json!({})), Probed::Failed),
        (plain, json(500, json!({})), Probed::Failed),
        (anonymous, None, Probed::Accepted),
        (anonymous, json(200, json!({ "id": 0 })), Probed::Refused),
    ] {
        let told = format!("{probe} {answer:?}");
        assert_eq!(probed(probe, answer).await, Some(expected), "{told}");
    }
    let stage = Setup::default().start().await;
    let tenant = stage.registry.tenant("acme").unwrap();
    assert_eq!(tenant.ask_probe().await, None, "there is none to make");
    assert!(stage.app.calls().is_empty());
}

#[tokio::test]
async fn a_paused_tenant_and_an_application_that_does_not_answer() {
    let setup = Setup::tenant("mode = \"paused\"").with(
        "deadline = \"5s\"",
        "deadline = \"5s\"\nprobe = \"GET /users/1\"",
    );
    let stage = setup.start().await;
    assert_eq!(
        stage.registry.tenant("acme").unwrap().ask_probe().await,
        None
    );
    let setup = Setup::default().with(
        "deadline = \"5s\"",
        "deadline = \"300ms\"\nprobe = \"GET /users/1\"",
    );
    let stage = setup.start().await;
    stage
        .app
        .plan("GET /users/1", 100, Fault::Before(Act::Hang));
    let tenant = stage.registry.tenant("acme").unwrap();
    assert_eq!(tenant.ask_probe().await, Some(Probed::Unreachable));
    stage.app.mend();
    stage.app.add_users(1);
    stage.registry.ask_probes(["acme".into(), "nobody".into()]);
    for _ in 0..200 {
        if tenant.probed() == Some(Probed::Accepted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("not asked in the background: {:?}", tenant.probed());
}

#[tokio::test]
async fn s2_tenant_matrix() {
    let stage = two(MINTED).start().await;
    let (acme, globex) = (&stage.apps[0], &stage.apps[1]);
    acme.add_group(json!({ "name": "staff" }), []);
    let own = stage
        .post("/Users", json!({ "userName": "own" }))
        .await
        .is(201);
    let secret = json!({ "userName": "theirs", "externalId": "e-theirs", "title": "t" });
    let foreign = stage
        .ask("POST", "/Users")
        .by("globex")
        .body(secret)
        .send()
        .await
        .is(201);
    let version = foreign.header("etag").unwrap().to_owned();
    let account = globex.user(1);
    globex.forget_calls();
    let unknown = "6f0f0c1e-0000-4000-8000-3b1c2d3e4f50";
    for ((method, path, body), (_, other_path, other_body)) in
        asks(&foreign.id()).into_iter().zip(asks(unknown))
    {
        let send = async |path: &str, body: Value| {
            acme.forget_calls();
            let path = path.replace("/Users/own", &format!("/Users/{}", own.id()));
            let ask = stage.ask(method, &path).header("if-match", &version);
            let ask = ask.without_header(if path.contains("Groups") {
                "if-match"
            } else {
                "-"
            });
            let reply = ask.body(body).send().await;
            (reply.status, reply.body, acme.calls().len())
        };
        let (status, answer, calls) = send(&path, body).await;
        let nothing = send(&other_path, other_body).await;
        let same = |answer: &Value| {
            let mut answer = answer.clone();
            // Times and versions count what this test does.
            answer.as_object_mut().map(|members| members.remove("meta"));
            answer.to_string().replace(unknown, &foreign.id())
        };
        assert_eq!(status, nothing.0, "{method} {path}: {answer}");
        assert_eq!(same(&answer), same(&nothing.1), "{method} {path}");
        assert_eq!(calls, nothing.2, "{method} {path}");
        let is_refused = status >= 400
            || answer["totalResults"] == 0
            || answer["Operations"][0]["status"]
                .as_str()
                .is_some_and(|s| s.starts_with('4'))
            || answer.get("members").is_none();
        assert!(is_refused, "{method} {path}: {status} {answer}");
        assert_eq!(globex.calls(), [""; 0], "{method} {path}");
        let leaked = acme
            .calls()
            .into_iter()
            .find(|call| call.contains(&foreign.id()));
        assert_eq!(leaked, None, "{method} {path}");
    }
    for filter in [
        "externalId%20eq%20%22e-theirs%22",
        "userName%20eq%20%22theirs%22",
    ] {
        let reply = stage.get(&format!("/Users?filter={filter}")).await.is(200);
        assert_eq!(reply.body["totalResults"], 0);
    }
    assert_eq!(globex.user(1), account);
    let path = format!("/Users/{}", foreign.id());
    stage.ask("GET", &path).by("globex").send().await.is(200);
}

#[tokio::test]
async fn s2_two_tenants_of_one_application_are_kept_apart_by_their_scope() {
    let stage = Setup::tenant("[user]\nscope = \"org == 'acme'\"\n")
        .start()
        .await;
    let ours = stage
        .app
        .add_user(json!({ "login": "ours", "org": "acme", "state": 1 }));
    let theirs = stage
        .app
        .add_user(json!({ "login": "theirs", "org": "globex", "state": 1 }));
    let group = stage.app.add_group(json!({ "name": "staff" }), [ours]);
    let before = stage.app.user(theirs);
    for (method, path, body) in asks(&theirs.to_string()) {
        let path = path
            .replace("g-1", &format!("g-{group}"))
            .replace("/Users/own", "/Users/1");
        stage.app.forget_calls();
        stage.ask(method, &path).body(body).send().await;
        let writes = stage.app.writes();
        let touched = |(call, body): &&(String, Value)| {
            call.contains(&format!("/users/{theirs}"))
                || call.contains(&format!("/members/{theirs}"))
                || body["user_ids"] == json!([theirs])
                || body["manager_id"] == json!(theirs)
        };
        assert_eq!(writes.iter().find(touched), None, "{method} {path}");
    }
    assert_eq!(stage.app.user(theirs), before);
    assert!(!stage.app.members(group).contains(&theirs));
}

#[tokio::test]
async fn s6_every_route_denies() {
    let stage = two("").start().await;
    let long = format!("Bearer {}", "x".repeat(10_000));
    let credentials = [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer wrong"),
        Some("Basic dG9rZW4tb2YtYWNtZTo="),
        Some("Basic token-of-acme"),
        Some("Bearer token-of-acm"),
        Some("Bearer token-of-acme2"),
        Some("Bearer TOKEN-OF-ACME"),
        Some("Bearer token-of-acme,token-of-globex"),
        Some("Bearer token-of-acme Bearer token-of-acme"),
        Some(long.as_str()),
    ];
    let routes = [
        "",
        "/",
        "/.search",
        "/Users",
        "/Users/1",
        "/Users/.search",
        "/Groups",
        "/Groups/g-1",
        "/Me",
        "/Bulk",
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
        "/Schemas/x",
        "/nothing",
        "/Users/1/x",
        "/acme/Users",
        "/metrics",
        "/livez",
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for route in routes {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            for credential in credentials {
                let ask = stage.ask(method, route).without_header("authorization");
                let ask = match credential {
                    Some(value) => ask.header("authorization", value),
                    None => ask,
                };
                let ask = ask
                    .header("x-tenant", "acme")
                    .header("host", "acme.example");
                let reply = ask.send().await;
                assert_eq!(reply.status, 401, "{method} {route} {credential:?}");
                assert!(reply.header("www-authenticate").is_some());
                bodies.insert(reply.body.to_string());
            }
            let twice = stage
                .ask(method, route)
                .another_header("authorization", "Bearer token-of-globex");
            assert_eq!(twice.send().await.status, 401, "{method} {route}");
        }
    }
    assert_eq!(bodies.len(), 1);
    assert!(stage.apps.iter().all(|app| app.calls().is_empty()));
}

#[tokio::test]
async fn s8_a_revoked_or_expired_key_opens_nothing() {
    let stage = two("").start().await;
    let (now, token) = (Timestamp::now(), "a-key-of-the-store");
    let tenant = TenantId::new("globex");
    let record = |id: &str, token: &str, expires| KeyRecord {
        id: id.into(),
        tenant: tenant.clone(),
        sha256: key::sha256(token),
        name: "test".into(),
        created: now,
        expires,
        revoked: None,
    };
    let soon = now + SignedDuration::from_hours(1);
    stage
        .store
        .create_key(&tenant, &record("one", token, Some(soon)))
        .await
        .unwrap();
    let late = Some(now - SignedDuration::from_secs(1));
    stage
        .store
        .create_key(&tenant, &record("two", "late", late))
        .await
        .unwrap();
    stage.registry.reload().await.unwrap();
    let with = |token: &str| {
        stage
            .ask("GET", "/Users")
            .header("authorization", &format!("Bearer {token}"))
    };
    with(token).send().await.is(200);
    assert_eq!(
        (stage.apps[0].calls().len(), stage.apps[1].calls().len()),
        (0, 1)
    );
    with("late").send().await.is(401);
    assert!(
        stage
            .store
            .revoke_key(&tenant, "one", Timestamp::now())
            .await
            .unwrap()
    );
    stage.registry.reload().await.unwrap();
    with(token).send().await.is(401);
    // A key that is taken out of the file goes the same way.
    with(&token_of("acme")).send().await.is(200);
    let without = stage
        .file_of("acme", "")
        .split("[[client.key]]")
        .next()
        .unwrap()
        .to_owned();
    stage.rewrite("acme", &without).await;
    with(&token_of("acme")).send().await.is(401);
    with(&token_of("globex")).send().await.is(200);
}

#[tokio::test]
async fn r13_a_broken_file_never_takes_effect_and_hurts_nobody_else() {
    let mut stage = two("").lasting().start().await;
    stage.apps.iter().for_each(|app| app.add_users(2));
    let good = stage.file_of("acme", "");
    let broken = [
        String::new(),
        "tenant = ".into(),
        good.replace("app = \"book\"", "app = \"no-such-app\""),
        good.replace("[target]", "[targets]"),
        format!("{good}\n[user.attributes]\n'noSuchThing' = 'x'\n"),
        good[..good.len() / 2].to_owned(),
    ];
    for text in &broken {
        stage.rewrite("acme", text).await;
        stage.get("/Users/1").await.is(200);
        stage
            .ask("GET", "/Users/1")
            .by("globex")
            .send()
            .await
            .is(200);
        let status = stage.registry.status();
        let acme = status
            .iter()
            .find(|status| &*status.name == "acme")
            .unwrap();
        assert!(acme.is_serving && acme.errors > 0, "{text}");
    }
    // At a start there is nothing older to go on with: its own client is told to come back.
    for text in broken.iter().filter(|text| text.contains("sha256")) {
        stage.rewrite("acme", text).await;
        stage.restart().await;
        let reply = stage.get("/Users/1").await.is(503);
        assert!(reply.header("retry-after").is_some());
        stage
            .ask("GET", "/Users/1")
            .by("globex")
            .send()
            .await
            .is(200);
    }
    stage.rewrite("acme", &good).await;
    stage.get("/Users/1").await.is(200);
    // The application's file is part of it.
    let app = stage.directory.path().join("apps/book.toml");
    std::fs::write(&app, BOOK.replace("GET /users", "GET users")).unwrap();
    stage.registry.reload().await.unwrap();
    stage.get("/Users/1").await.is(200);
}

#[tokio::test]
async fn a_secret_file_that_changes_takes_effect_and_one_that_goes_does_not() {
    let folder = tempfile::tempdir().unwrap();
    // As Kubernetes has it: the name is a link, and the link is exchanged.
    let put = |number: u32, secret: &str| {
        let (own, link) = (
            folder.path().join(number.to_string()),
            folder.path().join("token"),
        );
        std::fs::write(&own, secret).unwrap();
        let made = folder.path().join("new");
        std::os::unix::fs::symlink(&own, &made).unwrap();
        std::fs::rename(made, link).unwrap();
    };
    put(1, "one\n");
    let token = folder.path().join("token");
    let auth = format!(
        "[target.auth.bearer]\ntoken = \"file:{}\"\n",
        token.display()
    );
    let stage = two("")
        .with("[target.errors]", &format!("{auth}[target.errors]"))
        .start()
        .await;
    stage.app.add_users(1);
    let last = |stage: &Stage| {
        let seen = stage.app.target.seen();
        seen.last()
            .unwrap()
            .header("authorization")
            .unwrap()
            .to_owned()
    };
    stage.get("/Users/1").await.is(200);
    assert_eq!(last(&stage), "Bearer one");
    assert!(stage.registry.reload().await.unwrap().is_empty());
    put(2, "two\n");
    assert_eq!(stage.registry.reload().await.unwrap().len(), 2);
    stage.get("/Users/1").await.is(200);
    assert_eq!(last(&stage), "Bearer two");
    // Empty while it is written, and gone: the old one goes on, and the operator is told.
    put(3, "");
    stage.registry.reload().await.unwrap();
    stage.get("/Users/1").await.is(200);
    std::fs::remove_file(&token).unwrap();
    stage.registry.reload().await.unwrap();
    stage.get("/Users/1").await.is(200);
    assert_eq!(last(&stage), "Bearer two");
    let told = stage.registry.diagnostics_of("acme");
    assert_eq!(told[0].code, "mapping::missing-secret");
    put(4, "four");
    stage.registry.reload().await.unwrap();
    stage.get("/Users/1").await.is(200);
    assert_eq!(last(&stage), "Bearer four");
    assert!(
        stage
            .registry
            .diagnostics_of("acme")
            .iter()
            .all(|one| one.code != "mapping::missing-secret")
    );
}

#[tokio::test]
async fn r14_a_reload_takes_effect_for_the_next_request() {
    let stage = two("").start().await;
    let made = stage
        .post("/Users", json!({ "userName": "a", "title": "x" }))
        .await
        .is(201);
    assert_eq!(stage.app.user(1).unwrap()["title"], "x");
    let text = stage.file_of("acme", "[user.attributes]\n'title' = 'job'\n");
    stage.rewrite("acme", &text).await;
    let set = json!([{ "op": "replace", "path": "title", "value": "y" }]);
    stage
        .patch(&format!("/Users/{}", made.id()), set)
        .await
        .is(200);
    assert_eq!(stage.app.user(1).unwrap()["job"], "y");
}

#[tokio::test]
async fn a_paused_tenant_says_so_and_a_shadowed_one_sends_nothing() {
    let paused: Stage = Setup::tenant("mode = \"paused\"\n").start().await;
    let reply = paused.get("/Users").await.is(503);
    assert!(reply.header("retry-after").is_some());
    assert!(paused.app.calls().is_empty());
    let shadow = Setup::tenant("mode = \"shadow\"\n").start().await;
    shadow.app.add_users(1);
    // Nothing is answered as done: a client would keep an id that nobody gave, and would not send the change again.
    let change = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    let new = json!({ "userName": "new" });
    for reply in [
        shadow.patch("/Users/1", change).await,
        shadow.post("/Users", new).await,
        shadow.delete("/Users/1").await,
    ] {
        let reply = reply.is(503);
        assert!(reply.header("retry-after").is_some());
        assert!(reply.body.get("id").is_none(), "{}", reply.body);
    }
    let same = json!([{ "op": "replace", "path": "userName", "value": "user1" }]);
    let user = shadow.get("/Users/1").await.is(200);
    assert_eq!(user.body["userName"], "user1");
    shadow.patch("/Users/1", same).await.is(200);
    assert!(shadow.app.writes().is_empty(), "{:?}", shadow.app.calls());
    let planned = shadow
        .heard
        .all()
        .iter()
        .flat_map(|f| f.exchange.calls.clone())
        .filter(|c| c.is_planned_only)
        .count();
    assert_eq!(planned, 3);
}

#[tokio::test]
async fn r10_an_application_that_hangs_does_not_slow_another_tenant() {
    let stage = two("").start().await;
    stage.apps.iter().for_each(|app| app.add_users(1));
    stage.apps[0].plan("GET", 1000, Fault::Before(Act::Hang));
    let hanging = futures_util::future::join_all((0..100).map(|_| stage.get("/Users/1")));
    let other = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let start = Instant::now();
        for _ in 0..20 {
            stage
                .ask("GET", "/Users/1")
                .by("globex")
                .send()
                .await
                .is(200);
        }
        start.elapsed()
    };
    let (replies, took) = tokio::join!(hanging, other);
    assert!(took < Duration::from_secs(3), "{took:?}");
    // Who waits behind the hanging calls is told to come back.
    for reply in replies {
        assert!(matches!(reply.status, 429 | 503 | 504), "{}", reply.body);
        assert!(reply.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn a_token_without_bearer_is_read_unless_that_is_switched_off() {
    for (text, status) in [
        ("", 200),
        ("[client]\nidp = \"okta\"\n", 200),
        ("[client]\nquirks = { OKTA-20 = \"off\" }\n", 401),
        ("[client]\nstrict = true\n", 401),
    ] {
        let stage = Setup::tenant(text).start().await;
        let bare = stage
            .ask("GET", "/Users")
            .header("authorization", "token-of-acme");
        bare.send().await.is(status);
        let heard = stage.heard.all();
        let notes = heard.iter().flat_map(|one| &one.exchange.notes.0);
        let is_noted = notes.into_iter().any(|note| note.quirk == "OKTA-20");
        assert_eq!(is_noted, status == 200, "{text}");
        stage.get("/Users").await.is(200);
    }
}
