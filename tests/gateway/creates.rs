//! One wish never makes two accounts, whatever is lost on the way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    application::{Fault, Lost, html},
    fake_target::{Act, Answer},
    stage::{Reply, Setup, Stage},
};

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada",
        "externalId": "e-1",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": "ada@corp.example", "type": "work", "primary": true }],
        "nickName": "Countess",
        "active": true,
    })
}

/// The application's own id serves.
fn stable() -> Setup {
    Setup::default().lasting()
}

/// The application is keyed by the login, which can change: the gateway mints ids.
fn minted() -> Setup {
    Setup::default().lasting().with(
        "id = { from = '$.id', type = \"number\" }",
        "id = { from = '$.login', stable = false }",
    )
}

/// Ways in which the answer to a create gets lost after the account was made.
fn losses() -> Vec<Fault> {
    let lost = [
        Lost::Closed,
        Lost::Reset,
        Lost::Cut(0),
        Lost::Cut(20),
        Lost::Cut(70),
        Lost::Instead(Answer::empty(502)),
        Lost::Instead(Answer::json(500, json!({}))),
        Lost::Instead(html(200, "<html>Please log in</html>")),
    ];
    lost.map(Fault::AfterEffect).to_vec()
}

#[tokio::test]
async fn r4_a_create_whose_answer_was_lost_is_finished_by_the_same_request() {
    for with_restart in [false, true] {
        for loss in losses() {
            let mut stage = stable().start().await;
            stage.app.plan("POST /users", 1, loss.clone());
            let first = stage.post("/Users", ada()).await;
            assert!(first.status >= 500, "{loss:?}: {}", first.body);
            if with_restart {
                stage.restart().await;
            }
            let second = stage.post("/Users", ada()).await.is(201);
            assert_eq!(stage.app.ids_of("ada").len(), 1, "{loss:?}");
            assert_eq!(second.body["nickName"], "Countess");
            assert_eq!(second.body["externalId"], "e-1");
            let found = stage
                .get("/Users?filter=userName%20eq%20%22ada%22")
                .await
                .is(200);
            assert_eq!(found.each("id"), [second.id()], "{loss:?}");
        }
    }
}

#[tokio::test]
async fn r4_a_minted_id_survives_the_loss_of_the_answer() {
    for with_restart in [false, true] {
        for loss in losses() {
            let mut stage = minted().start().await;
            stage.app.plan("POST /users", 1, loss.clone());
            let first = stage.post("/Users", ada()).await;
            assert!(first.status >= 500, "{loss:?}: {}", first.body);
            if with_restart {
                stage.restart().await;
            }
            let second = stage.post("/Users", ada()).await.is(201);
            assert_eq!(stage.app.ids_of("ada").len(), 1, "{loss:?}");
            let found = stage
                .get("/Users?filter=userName%20eq%20%22ada%22")
                .await
                .is(200);
            assert_eq!(found.each("id"), [second.id()], "{loss:?}");
        }
    }
}

#[tokio::test]
async fn r4_a_create_that_never_reached_the_application_is_made_by_the_same_request() {
    for setup in [stable, minted] {
        for act in [Act::Close, Act::Reset, Act::Say(Answer::empty(503))] {
            let mut stage = setup().start().await;
            stage.app.plan("POST /users", 3, Fault::Before(act.clone()));
            let first = stage.post("/Users", ada()).await;
            assert!(first.status >= 500, "{act:?}: {}", first.body);
            assert_eq!(stage.app.ids_of("ada").len(), 0);
            stage.app.mend();
            stage.restart().await;
            stage.post("/Users", ada()).await.is(201);
            assert_eq!(stage.app.ids_of("ada").len(), 1, "{act:?}");
        }
    }
}

#[tokio::test]
async fn r4_a_create_whose_answer_the_client_never_saw_is_answered_201_again_with_the_same_id() {
    for setup in [stable, minted] {
        let mut stage = setup().start().await;
        let ask = |stage: &Stage| stage.ask("POST", "/Users").body(ada()).lost();
        let first = ask(&stage).send().await.is(201);
        let second = ask(&stage).send().await.is(201);
        assert_eq!(second.id(), first.id());
        stage.restart().await;
        let third = stage.post("/Users", ada()).await.is(201);
        assert_eq!(third.id(), first.id());
        assert_eq!(third.body, first.body);
        // This answer was seen: once that is written down, it is a second create.
        let refused = loop {
            let reply = stage.post("/Users", ada()).await;
            match reply.status {
                201 => assert_eq!(reply.id(), first.id()),
                _ => break reply.refused(409, "uniqueness"),
            }
        };
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(&first.id()));
        assert_eq!(stage.app.ids_of("ada").len(), 1);
    }
}

#[tokio::test]
async fn another_wish_under_the_same_name_is_a_conflict_even_before_the_first_was_seen() {
    let stage = stable().start().await;
    let ask = |body: Value| stage.ask("POST", "/Users").body(body).lost();
    ask(ada()).send().await.is(201);
    let mut other = ada();
    other["title"] = json!("Analyst");
    ask(other).send().await.refused(409, "uniqueness");
    let mut shouted = ada();
    shouted["userName"] = json!("ADA");
    ask(shouted).send().await.refused(409, "uniqueness");
    assert_eq!(stage.app.ids_of("ada").len(), 1);
}

#[tokio::test]
async fn r1_creates_at_the_same_time_make_one_account() {
    for setup in [stable, minted] {
        let stage = setup().start().await;
        stage.app.plan(
            "POST /users",
            1,
            Fault::AfterEffect(Lost::Late(Duration::from_millis(100))),
        );
        let asks = (0..8).map(|_| stage.post("/Users", ada()));
        let replies: Vec<Reply> = futures_util::future::join_all(asks).await;
        // All of them were asked before the first was answered.
        for reply in &replies {
            assert_eq!(reply.status, 201, "{}", reply.body);
            assert_eq!(reply.id(), replies[0].id());
        }
        stage.post("/Users", ada()).await.refused(409, "uniqueness");
        assert_eq!(stage.app.ids_of("ada").len(), 1);
        assert_eq!(stage.app.target.count("POST"), 1);
    }
}

#[tokio::test]
async fn a_user_deleted_in_the_application_can_be_created_again() {
    for setup in [stable, minted] {
        let stage = setup().start().await;
        let first = stage.post("/Users", ada()).await.is(201);
        stage.app.remove_user(stage.app.ids_of("ada")[0]);
        stage.get(&format!("/Users/{}", first.id())).await.is(404);
        let second = stage.post("/Users", ada()).await.is(201);
        assert_eq!(stage.app.ids_of("ada").len(), 1);
        stage.get(&format!("/Users/{}", second.id())).await.is(200);
    }
}

#[tokio::test]
async fn a_user_deleted_by_the_client_can_be_created_again_with_nothing_left_of_the_first() {
    for setup in [stable, minted] {
        let stage = setup().start().await;
        let first = stage.post("/Users", ada()).await.is(201);
        stage
            .delete(&format!("/Users/{}", first.id()))
            .await
            .is(204);
        stage
            .delete(&format!("/Users/{}", first.id()))
            .await
            .is(404);
        let mut plain = ada();
        plain
            .as_object_mut()
            .unwrap()
            .retain(|name, _| name != "nickName" && name != "externalId");
        let second = stage.post("/Users", plain).await.is(201);
        assert_ne!(second.id(), first.id());
        assert!(second.body.get("nickName").is_none());
        assert!(second.body.get("externalId").is_none());
    }
}

#[tokio::test]
async fn a_name_that_was_given_up_is_free_and_the_new_one_is_taken() {
    for setup in [stable, minted] {
        let stage = setup().start().await;
        let first = stage.post("/Users", ada()).await.is(201);
        let path = format!("/Users/{}", first.id());
        let rename = json!([{ "op": "replace", "path": "userName", "value": "augusta" }]);
        let renamed = stage.patch(&path, rename).await.is(200);
        assert_eq!(renamed.id(), first.id());
        let second = stage.post("/Users", ada()).await.is(201);
        assert_ne!(second.id(), first.id());
        let mut augusta = ada();
        augusta["userName"] = json!("augusta");
        stage
            .post("/Users", augusta)
            .await
            .refused(409, "uniqueness");
        assert_eq!(
            (
                stage.app.ids_of("ada").len(),
                stage.app.ids_of("augusta").len()
            ),
            (1, 1)
        );
    }
}

#[tokio::test]
async fn a_create_in_doubt_is_not_repeated_where_the_application_cannot_be_asked() {
    let without = |setup: Setup, from: &str, to: &str| {
        let start = setup.app.find(from).unwrap();
        let end = start + setup.app[start..].find(to).unwrap();
        let part = setup.app[start..end].to_owned();
        setup.with(&part, "")
    };
    let setup = without(Setup::default(), "[user.list]", "[user.get]");
    let stage = setup.start().await;
    stage
        .app
        .plan("POST /users", 1, Fault::AfterEffect(Lost::Closed));
    assert!(stage.post("/Users", ada()).await.status >= 500);
    for _ in 0..2 {
        let reply = stage.post("/Users", ada()).await.is(503);
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(stage.app.target.count("POST"), 1);
    // Another name is no matter of doubt.
    let mut other = ada();
    other["userName"] = json!("bob");
    stage.post("/Users", other).await.is(201);
}

/// Accounts that are made by their name alone; the rest is set afterwards.
fn by_steps(with_id: bool) -> Setup {
    let take = match with_id {
        true => ", take = { user = '$.id' }",
        false => "",
    };
    let found = match with_id {
        true => "id = \"{user}\"\n",
        false => "",
    };
    let steps = format!(
        "[user.create]\nsteps = [\n\
         {{ call = \"POST /users\", body = {{ login = \"{{userName}}\", state = 1 }}{take} }},\n\
         {{ call = \"PATCH /users/{{id}}\", body = {{ title = \"{{title}}\", mail = \"{{fields.mail}}\" }} }},\n]\n{found}read-back = true\n"
    );
    stable().with("[user.create]\ncall = \"POST /users\"\n", &steps)
}

fn titled(active: bool) -> Value {
    let mut wish = ada();
    wish["title"] = json!("Analyst");
    wish["active"] = json!(active);
    wish
}

#[tokio::test]
async fn a_create_whose_later_call_fails_is_finished_by_the_same_request() {
    let faults = || {
        let mut faults = losses();
        faults.push(Fault::Before(Act::Close));
        faults.push(Fault::Before(Act::Say(Answer::empty(500))));
        faults
    };
    for with_id in [true, false] {
        for with_restart in [true, false] {
            for fault in faults() {
                let mut stage = by_steps(with_id).start().await;
                stage.app.plan("PATCH /users/1", 1, fault.clone());
                let first = stage.post("/Users", titled(false)).await;
                assert!(first.status >= 500, "{fault:?}: {}", first.body);
                if with_restart {
                    stage.restart().await;
                }
                stage.app.mend();
                let second = stage.post("/Users", titled(false)).await.is(201);
                assert_eq!(second.body["active"], false, "{fault:?}");
                assert_eq!(second.body["title"], "Analyst");
                assert_eq!(stage.app.ids_of("ada").len(), 1, "{fault:?}");
                let user = stage.app.user(1).unwrap();
                assert_eq!(
                    (&user["state"], &user["title"], &user["mail"]),
                    (&json!(3), &json!("Analyst"), &json!("ada@corp.example")),
                    "{fault:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_create_whose_later_call_is_refused_leaves_nothing_behind() {
    let stage = by_steps(true).start().await;
    stage.app.refuse("PATCH /users/1", 1, 400);
    stage
        .post("/Users", titled(true))
        .await
        .refused(400, "invalidValue");
    assert_eq!(stage.app.ids_of("ada").len(), 0);
    let mut other = titled(true);
    other["title"] = json!("Baker");
    stage.post("/Users", other).await.is(201);
    assert_eq!(stage.app.ids_of("ada").len(), 1);
}

#[tokio::test]
async fn a_refused_create_that_cannot_be_taken_back_is_finished_by_the_next_wish() {
    let stage = by_steps(true).start().await;
    stage.app.refuse("PATCH /users/1", 1, 400);
    stage.app.plan(
        "DELETE /users/1",
        9,
        Fault::Before(Act::Say(Answer::empty(403))),
    );
    stage
        .post("/Users", titled(true))
        .await
        .refused(400, "invalidValue");
    assert_eq!(stage.app.ids_of("ada").len(), 1);
    let mut other = titled(false);
    other["title"] = json!("Baker");
    let made = stage.post("/Users", other).await.is(201);
    assert_eq!(made.body["title"], "Baker");
    assert_eq!(stage.app.user(1).unwrap()["state"], 3);
    assert_eq!(stage.app.ids_of("ada").len(), 1);
}

#[tokio::test]
async fn several_calls_never_take_over_the_account_of_another() {
    let stage = by_steps(true).start().await;
    stage
        .app
        .add_user(json!({ "login": "ada", "state": 1, "mail": "other@corp.example" }));
    for _ in 0..2 {
        stage
            .post("/Users", titled(true))
            .await
            .refused(409, "uniqueness");
    }
    assert_eq!(stage.app.user(1).unwrap()["mail"], "other@corp.example");
    assert!(stage.app.writes().is_empty());
}

const CREATES: &str = "[user.create]\ncall = \"POST /users\"";
const RULES: &str =
    "rules  = [{ status = 422, contains = \"has been taken\", is = \"uniqueness\" }]";

#[tokio::test]
async fn a_name_is_looked_up_first_unless_the_mapping_shows_that_the_application_refuses_a_second_one()
 {
    let silent = "rules  = []";
    let no_find = "filter = \"title eq\"";
    let cases = [
        (Setup::default(), 1, "it refuses"),
        (Setup::default().with(RULES, silent), 2, "nobody knows"),
        (
            Setup::default()
                .with(RULES, silent)
                .with("filter = \"userName eq\"", no_find),
            1,
            "nothing finds it",
        ),
        (
            Setup::default().with(CREATES, &format!("{CREATES}\nget-first = true")),
            2,
            "always",
        ),
    ];
    for (setup, calls, why) in cases {
        let stage = setup.start().await;
        stage
            .post("/Users", json!({ "userName": "ada" }))
            .await
            .is(201);
        let made = stage.app.calls();
        let of_create = made.iter().filter(|call| !call.ends_with("/groups"));
        assert_eq!(of_create.count(), calls, "{why}: {made:?}");
    }
    // An application that would make a second account is not asked to.
    let stage = Setup::default().with(RULES, silent).start().await;
    stage.app.add_user(json!({ "login": "ada", "state": 1 }));
    let reply = stage.post("/Users", json!({ "userName": "Ada" })).await;
    reply.refused(409, "uniqueness");
    assert_eq!(stage.app.writes(), []);
}

#[tokio::test]
async fn two_spellings_of_one_account_at_the_same_moment_make_one() {
    let line = "'userName' = { field = 'login', value = \"{userName | split('+', 0) | lower}\" }";
    let stage = Setup::default()
        .with("'userName'                     = 'login'", line)
        .with(CREATES, &format!("{CREATES}\nget-first = true"))
        .start()
        .await;
    let late = Lost::Late(std::time::Duration::from_millis(300));
    stage
        .app
        .plan("GET /users?login", 4, Fault::AfterEffect(late));
    let names = ["Ada+work", "ada+home", "ADA", "ada"];
    let creates = names.map(|name| stage.post("/Users", json!({ "userName": name })));
    let mut statuses: Vec<u16> = futures_util::future::join_all(creates)
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    // The application was not even asked for a second one.
    assert_eq!(stage.app.writes().len(), 1, "{:?}", stage.app.writes());
}

/// Accounts whose password is set by a call of its own, after the one that makes them: a step of the create, or `set-password`.
fn with_password_call(is_step: bool) -> Setup {
    let call =
        "call = \"POST /users/{id}/set\", body = { secret = \"{password}\" }, if = 'password'";
    let own = "[user.set-password]\ncall = \"POST /users/{id}/set\"\nbody = { secret = \"{password}\" }\nreply = \"none\"\n";
    let create = match is_step {
        true => format!(
            "[user.create]\nsteps = [{{ call = \"POST /users\", take = {{ user = '$.id' }} }}, {{ {call} }}]\nid = \"{{user}}\"\nread-back = true\n"
        ),
        false => "[user.create]\ncall = \"POST /users\"\n".to_owned(),
    };
    stable()
        .with(
            "[user.create]\ncall = \"POST /users\"\n",
            &format!("{create}{own}"),
        )
        .with(
            "'password'                     = { field = 'password', write-only = true }\n",
            "",
        )
}

#[tokio::test]
async fn a_password_whose_call_was_not_made_is_set_by_the_same_request() {
    for is_step in [true, false] {
        for with_restart in [true, false] {
            let mut stage = with_password_call(is_step).start().await;
            let mut wish = ada();
            wish["password"] = json!("Long-enough-1");
            stage.app.refuse("POST /users/1/set", 1, 500);
            let first = stage.post("/Users", wish.clone()).await;
            assert!(first.status >= 500, "{}", first.body);
            if with_restart {
                stage.restart().await;
            }
            stage.app.forget_calls();
            stage.post("/Users", wish.clone()).await.is(201);
            let set = (
                "POST /users/1/set".to_owned(),
                json!({ "secret": "Long-enough-1" }),
            );
            assert_eq!(stage.app.writes().last(), Some(&set), "{is_step}");
        }
    }
}

#[tokio::test]
async fn a_create_that_reached_nobody_says_so() {
    for address in ["127.0.0.1", "localhost"] {
        // Nobody listens there any more.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let setup = Setup {
            base_url: Some(format!("http://{address}:{port}")),
            ..Setup::default()
        };
        let stage = setup.start().await;
        let reply = stage.post("/Users", ada()).await.is(503);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(
            detail.ends_with("Nothing was changed. The same request can be sent again."),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_password_that_conditions_leave_out_is_noted() {
    let own = "[user.set-password]\ncall = \"POST /users/{id}/set\"\nif = 'active'\nbody = { secret = \"{password}\" }\nreply = \"none\"\n[user.delete]";
    let setup = Setup::default()
        .with(
            "'password'                     = { field = 'password', write-only = true }\n",
            "",
        )
        .with("[user.delete]", own);
    let stage = setup.start().await;
    let mut wish = ada();
    wish["active"] = json!(false);
    let id = stage.post("/Users", wish).await.is(201).id();
    let change = json!([{ "op": "replace", "path": "password", "value": "Long-enough-1" }]);
    stage.patch(&format!("/Users/{id}"), change).await.is(200);
    let heard = stage.heard.all();
    let notes = format!("{:?}", heard.last().unwrap().exchange.notes);
    assert!(
        notes.contains("the conditions of `user.set-password` leave its calls out: password"),
        "{notes}"
    );
}

#[tokio::test]
async fn the_id_that_the_gateway_makes_is_there_before_the_call() {
    let by_key = "id = { from = '$.login', stable = false }";
    let stage = Setup::default()
        .with("id = { from = '$.id', type = \"number\" }", by_key)
        .with("[user.create]\ncall = \"POST /users\"\n", "[user.create]\ncall = \"POST /users\"\nconstants = { login = \"{scim.id}\", name = \"{userName}\" }\n")
        .with("'userName'                     = 'login'", "'userName' = 'name'")
        .with("[[user.find]]\nfilter = \"userName eq\"\ncall   = \"GET /users?login={value}\"\nitems  = '$.items[*]'\n", "")
        .start()
        .await;
    let id = stage.post("/Users", ada()).await.is(201).id();
    assert_eq!(stage.app.ids_of(&id).len(), 1);
    stage.get(&format!("/Users/{id}")).await.is(200);
}

#[tokio::test]
async fn a_create_after_the_application_was_stopped_says_that_it_reached_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for wait in [0, 50] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let setup = Setup {
            base_url: Some(format!("http://{}", listener.local_addr().unwrap())),
            ..Setup::default()
        };
        let stage = setup.start().await;
        // One connection that is kept, and then the end of the process.
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = socket.read(&mut head).await.unwrap();
            let body = r#"{"id":1,"login":"ada","state":1}"#;
            let reply = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            socket.write_all(reply.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop((listener, socket));
        });
        stage.get("/Users/1?attributes=userName").await.is(200);
        served.await.unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let reply = stage.post("/Users", ada()).await.is(503);
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(
            detail.ends_with("Nothing was changed. The same request can be sent again."),
            "{wait}: {detail}"
        );
    }
}
