//! What real applications demand beside the ordinary: creates that would overwrite, addresses that would move, deletes that
//! always succeed, groups made in two steps, removals in the background.

use serde_json::{Value, json};

use crate::{
    application::Fault,
    fake_target::{Act, Answer},
    stage::{Setup, Stage},
};

const CREATE: &str = "[user.create]\ncall = \"POST /users\"\n";
const DELETE: &str = "[user.delete]\ncall = \"DELETE /users/{id}\"\n";
const DELETE_GROUP: &str = "[group.delete]\ncall = \"DELETE /groups/{id}\"\n";
const UPDATE_GROUP: &str = "[group.update]\ncall = \"PATCH /groups/{id}\"\n";
const MAIL: &str = "'emails[type eq \"work\"].value' = 'mail'";

/// A create is a PUT that writes over an account of the name, and takes the address from whoever has it.
fn upsert(more: &str) -> Setup {
    let create = format!("[user.create]\ncall = \"PUT /accounts/{{userName}}\"\n{more}");
    Setup::default().with(CREATE, &create)
}

/// Besides, an address is looked up before it is written.
fn unique(setup: Setup) -> Setup {
    let find = "[[user.find]]\nfilter = \"emails.value eq\"\ncall = \"GET /users?mail={value}\"\nitems = '$.items[*]'\n";
    setup
        .with("[user.get]\n", &format!("{find}\n[user.get]\n"))
        .with(
            MAIL,
            "'emails[type eq \"work\"].value' = { field = 'mail', unique = true }",
        )
}

fn wish(name: &str, mail: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "emails": [{ "type": "work", "value": mail }],
    })
}

fn mail_of(stage: &Stage, id: u64) -> Value {
    stage.app.user(id).unwrap()["mail"].clone()
}

#[tokio::test]
async fn a_create_that_would_overwrite_looks_first() {
    for (guard, status, mail) in [("", 201, "new@x"), ("get-first = true\n", 409, "old@x")] {
        let stage = upsert(guard).start().await;
        stage
            .app
            .add_user(json!({ "login": "ada", "mail": "old@x", "state": 1 }));
        stage.post("/Users", wish("ada", "new@x")).await.is(status);
        assert_eq!(mail_of(&stage, 1), mail, "{guard}");
    }
    let stage = upsert("get-first = true\n").start().await;
    stage.post("/Users", wish("ada", "new@x")).await.is(201);
    stage
        .post("/Users", wish("ada", "other@x"))
        .await
        .refused(409, "uniqueness");
    assert_eq!(mail_of(&stage, 1), "new@x");
}

#[tokio::test]
async fn a_name_that_no_path_can_hold_is_for_the_client_to_change() {
    let by_path = "call   = \"GET /users/{value}\"\nid = '$.id'\n";
    let find = "call   = \"GET /users?login={value}\"\nitems  = '$.items[*]'\n";
    let by_body = "[user]\nid = { from = '$.login', stable = false }";
    let id = "[user]\nid = { from = '$.id', type = \"number\" }";
    let setups = [
        upsert(""),
        upsert("get-first = true\n").with(find, by_path),
        // The name is the id: whoever got such a one could not be read, locked or deleted any more.
        Setup::default().with(id, by_body),
    ];
    for setup in setups {
        let stage = setup.start().await;
        for name in ["..", ".", "a\tb", "..;x"] {
            let refused = stage.post("/Users", wish(name, "ada@x")).await;
            let refused = refused.refused(400, "invalidValue");
            let detail = refused.body["detail"].as_str().unwrap();
            assert!(detail.contains("`userName`"), "{detail}");
            let found = format!(
                "/Users?filter=userName%20eq%20%22{}%22",
                name.replace('\t', "%5Ct")
            );
            let found = stage.get(&found).await.is(200);
            assert_eq!(found.body["totalResults"], 0, "{name}");
        }
        assert_eq!(stage.app.writes(), []);
        stage
            .post("/Users", wish("a..b/../c", "ada@x"))
            .await
            .is(201);
    }
}

#[tokio::test]
async fn a_create_that_is_answered_404_says_so_in_the_applications_words() {
    let stage = upsert("").start().await;
    let words = Answer::json(404, json!({ "message": "no such tenant" }));
    let fault = Fault::Before(Act::Say(words));
    stage.app.plan("PUT /accounts", 1, fault);
    let refused = stage.post("/Users", wish("ada", "ada@x")).await.is(502);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("no such tenant"), "{detail}");
    assert!(detail.contains("user.create"), "{detail}");
}

#[tokio::test]
async fn an_address_never_moves_from_one_account_to_another() {
    let stage = unique(upsert("get-first = true\n")).start().await;
    stage.post("/Users", wish("ada", "ada@x")).await.is(201);
    let refusal = stage.post("/Users", wish("eve", "Ada@X")).await;
    let refusal = refusal.refused(409, "uniqueness");
    assert_eq!(
        refusal.body["detail"],
        "Another User has this `emails.value` already."
    );
    assert!(stage.app.ids_of("eve").is_empty());

    stage.post("/Users", wish("eve", "eve@x")).await.is(201);
    let take =
        json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@x" }]);
    stage
        .patch("/Users/2", take)
        .await
        .refused(409, "uniqueness");
    stage
        .put("/Users/2", wish("eve", "ada@x"))
        .await
        .refused(409, "uniqueness");
    assert_eq!(
        (mail_of(&stage, 1), mail_of(&stage, 2)),
        (json!("ada@x"), json!("eve@x"))
    );

    // One's own address in another spelling is nobody else's, and what does not change is not looked up.
    stage.put("/Users/1", wish("ada", "ADA@x")).await.is(200);
    stage.app.forget_calls();
    let title = json!([{ "op": "replace", "path": "title", "value": "Analyst" }]);
    stage.patch("/Users/1", title).await.is(200);
    let asked = stage.app.calls();
    assert!(
        !asked.iter().any(|call| call.contains("mail=")),
        "{asked:?}"
    );
    let free =
        json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "free@x" }]);
    stage.patch("/Users/1", free).await.is(200);
    assert_eq!(mail_of(&stage, 1), "free@x");
}

#[tokio::test]
async fn two_creates_at_once_never_share_an_address() {
    let stage = unique(Setup::default()).start().await;
    let (one, two) = tokio::join!(
        stage.post("/Users", wish("ada", "same@x")),
        stage.post("/Users", wish("eve", "same@x")),
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn a_create_with_a_unique_address_that_was_interrupted_is_finished() {
    let stage = unique(Setup::default()).start().await;
    let lost = crate::application::Lost::Closed;
    stage.app.plan("POST /users", 1, Fault::AfterEffect(lost));
    let first = stage.post("/Users", wish("ada", "ada@x")).await;
    assert!(first.status >= 500, "{}", first.body);
    stage.post("/Users", wish("ada", "ada@x")).await.is(201);
    assert_eq!(stage.app.ids_of("ada").len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_404_although_the_application_answers_204() {
    let says_yes = |stage: &Stage| {
        for call in ["DELETE /users/", "PATCH /users/"] {
            let answer = Act::Say(Answer::empty(204));
            stage.app.plan(call, 9, Fault::Before(answer));
        }
    };
    let stage = Setup::default().start().await;
    says_yes(&stage);
    stage.delete("/Users/7").await.is(204);

    let guarded = DELETE.replace("\ncall", "\nget-first = true\ncall");
    let stage = Setup::default().with(DELETE, &guarded).start().await;
    says_yes(&stage);
    stage.delete("/Users/7").await.is(404);
    // A change is always compared with what is there.
    let title = json!([{ "op": "replace", "path": "title", "value": "Analyst" }]);
    stage.patch("/Users/7", title).await.is(404);
    stage.put("/Users/7", wish("ada", "ada@x")).await.is(404);
    assert!(stage.app.writes().is_empty(), "{:?}", stage.app.writes());
}

#[tokio::test]
async fn a_group_is_made_in_two_steps_and_renamed_at_another_path() {
    let rename =
        "[group.rename]\ncall = \"PUT /groups/{id}\"\nbody = { name = \"{displayName}\" }\n";
    let stage = Setup::default().with(UPDATE_GROUP, rename).start().await;
    stage.app.add_users(2);
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "crew",
        "members": [{ "value": "1" }, { "value": "2" }],
    });
    let made = stage.post("/Groups", group).await.is(201);
    assert_eq!(made.body["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(stage.app.members(3), [1, 2]);
    let writes: Vec<String> = stage
        .app
        .writes()
        .into_iter()
        .map(|(call, _)| call)
        .collect();
    assert_eq!(writes.first().map(String::as_str), Some("POST /groups"));
    assert_eq!(writes.len(), 3, "{writes:?}");

    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "staff" }]);
    stage.patch("/Groups/g-3", renamed).await.is(200);
    assert_eq!(stage.app.group(3).unwrap()["name"], "staff");
    let writes = stage.app.writes();
    assert_eq!(writes.last().unwrap().0, "PUT /groups/3");
}

#[tokio::test]
async fn a_default_catches_the_last_membership() {
    let on_user = "[group.members]\non-user = { field = 'roles', default = [\"guest\"] }\n";
    let setup = Setup::default();
    let at = setup.app.find("[group.members]\n").unwrap();
    let app = format!("{}{on_user}", &setup.app[..at]);
    let stage = Setup { app, ..setup }.start().await;
    let group = stage.app.add_group(json!({ "name": "crew" }), []);
    stage
        .app
        .add_user(json!({ "login": "ada", "state": 1, "roles": [group.to_string()] }));
    let leave = json!([{ "op": "remove", "path": "members[value eq \"2\"]" }]);
    stage.patch("/Groups/g-1", leave).await;
    assert_eq!(stage.app.user(2).unwrap()["roles"], json!(["guest"]));
}

#[tokio::test]
async fn a_removal_in_the_background_is_answered_at_once_or_when_it_is_done() {
    let at_once = "[group.delete]\ncall = \"DELETE /removals/{id}\"\n";
    let stage = Setup::default().with(DELETE_GROUP, at_once).start().await;
    let group = stage.app.add_group(json!({ "name": "crew" }), []);
    stage.delete(&format!("/Groups/g-{group}")).await.is(204);
    assert!(stage.app.group(group).is_some());

    let waiting = |most: u32| {
        format!(
            "[group.delete]\nsteps = [\n\
             {{ call = \"DELETE /removals/{{id}}\", take = {{ job = '$.job' }} }},\n\
             {{ call = \"GET /jobs/{{job}}\", poll = {{ until = 'state == \"complete\"', every = \"10ms\", most = {most} }} }},\n]\n"
        )
    };
    let stage = Setup::default()
        .with(DELETE_GROUP, &waiting(30))
        .start()
        .await;
    let group = stage.app.add_group(json!({ "name": "crew" }), []);
    stage.delete(&format!("/Groups/g-{group}")).await.is(204);
    assert!(stage.app.group(group).is_none());

    // What is not done in time is no success; asking again finds it done.
    let stage = Setup::default()
        .with(DELETE_GROUP, &waiting(1))
        .start()
        .await;
    let group = stage.app.add_group(json!({ "name": "crew" }), []);
    stage.delete(&format!("/Groups/g-{group}")).await.is(504);
}
