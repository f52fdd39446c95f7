//! `scimgate rehearse` against the demo's application: what is reported, and that nothing is left behind.

#[path = "support/demo.rs"]
mod demo;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use demo::Demo;
use scimgate::cli::demo::application::EXAMPLE_API_KEY;
use scimgate::cli::replay::{HttpTransport, Request, Transport};
use serde_json::Value;

const PROVIDERS: [&str; 12] = [
    "okta",
    "entra",
    "onelogin",
    "jumpcloud",
    "google",
    "ping",
    "authentik",
    "keycloak",
    "sailpoint",
    "rippling",
    "cyberark",
    "rauthy",
];

#[tokio::test]
async fn every_provider_rehearses_and_leaves_the_application_as_it_was() {
    let demo = Demo::start("rehearse", &[]);
    let before = state(&demo).await;
    for provider in PROVIDERS {
        let rehearsal = Rehearsal::of(&demo, &["demo", "--as", provider]);
        assert!(rehearsal.is_success, "{}", rehearsal.text);
        assert!(
            rehearsal.text.contains("nothing is left behind"),
            "{}",
            rehearsal.text
        );
        assert!(!rehearsal.text.contains("FAILED"), "{}", rehearsal.text);
        assert_eq!(state(&demo).await, before, "{provider}");
    }
}

#[tokio::test]
async fn a_dry_rehearsal_writes_nothing_and_says_what_it_would() {
    let demo = Demo::start("rehearse-dry", &[]);
    let before = state(&demo).await;
    for provider in PROVIDERS {
        let rehearsal = Rehearsal::of(&demo, &["demo", "--as", provider, "--dry-run"]);
        assert!(rehearsal.is_success, "{}", rehearsal.text);
        for part in [
            "Nothing is written",
            "planned  POST /users",
            "it is about the user that would have been created",
        ] {
            assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
        }
    }
    assert_eq!(state(&demo).await, before);
}

#[tokio::test]
async fn a_report_has_a_line_for_each_step_and_the_score() {
    let demo = Demo::start("rehearse-report", &[]);
    let rehearsal = Rehearsal::of(&demo, &["demo", "--as", "google"]);
    let expected = "\
Google Workspace auto-provisioning: a user's life, no groups
tenant `demo`, application `demo`, test accounts in example.com
The tenant leaves open who its client is (`idp = \"auto\"`); here it is read as Google Workspace from the first step on.

ok       set-up: read one user
ok       look Ines up before creating her
ok       create Ines
ok       update by PUT: she married
ok       update by PATCH: a new login and address
ok       … under the same id
ok       out of scope: suspend her
ok       … inactive and still there
ok       back in scope: reactivate her
ok       … active
ok       the grace period ends: delete her
ok       … who is gone
ok       a second person: create Vera
ok       … and Juno
ok       rename Juno to Vera's login, which is taken: refused
ok       … who has her own login still

16 steps held
nothing is left behind in the application
";
    assert_eq!(rehearsal.text, expected);
}

#[tokio::test]
async fn a_rehearsal_that_is_stopped_cleans_up_too() {
    let demo = Demo::start("rehearse-stop", &[]);
    let before = state(&demo).await;
    let mut command = Rehearsal::command(&demo, &["demo", "--as", "entra"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    let mut lines = out.lines().map_while(Result::ok);
    lines.find(|line| line.ends_with("create Jonas"));
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    assert!(asked.expect("kill").success());
    let rest: Vec<String> = lines.collect();
    child.wait().expect("it ends");
    assert!(
        rest.iter().any(|line| line.contains("nothing is left")),
        "{rest:?}"
    );
    assert_eq!(state(&demo).await, before);
}

#[tokio::test]
async fn what_the_administrator_would_see_is_told_and_accounts_that_must_stay_are_named() {
    let demo = Demo::start("rehearse-limits", &[]);
    // A customer with one domain, whose operator lets nobody be deleted.
    let limits = "[client]\nidp = \"okta\"\ndomains = [\"acme.example\"]\n";
    tenant(
        &demo,
        "keeper",
        &format!("{limits}[policy]\non-delete = \"refuse\"\n"),
    );
    let rehearsal = Rehearsal::of(&demo, &["keeper", "--as", "okta"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "test accounts in acme.example",
        "34 steps held",
        "left behind in the application, to be removed by hand:",
        "It is deactivated.",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }

    tenant(
        &demo,
        "softer",
        &format!("{limits}[policy]\non-delete = \"deactivate\"\n"),
    );
    let rehearsal = Rehearsal::of(&demo, &["softer", "--as", "google"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "reads its client as Okta, whoever calls",
        "deleted accounts stay in the application, deactivated",
        "\n  ines.laurent-",
        "@acme.example (/Users/",
        "nothing else is left behind",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }

    let rehearsal = Rehearsal::of(
        &demo,
        &["keeper", "--as", "okta", "--domain", "elsewhere.example"],
    );
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "FAILED   create Ilse",
        "Okta is told 400: An address (`userName`) is outside the domains that this tenant may provision.",
        "skipped  update: she married",
        "nothing is left behind",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }
}

#[tokio::test]
async fn a_step_that_failed_shows_the_call_that_was_made_and_its_answer() {
    let demo = Demo::start("rehearse-calls", &[]);
    let update =
        "[user.update]\ncall = \"PATCH /users/{id}/nothing\"\nwith = { method = \"user.edit\" }\n";
    tenant(&demo, "astray", update);
    let rehearsal = Rehearsal::of(&demo, &["astray", "--as", "google"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    let mut lines = rehearsal.text.lines();
    lines.find(|line| *line == "FAILED   update by PUT: she married");
    let shown: Vec<&str> = lines.take_while(|line| line.starts_with(' ')).collect();
    let call = shown.iter().find(|line| line.contains("PATCH /users/"));
    let call = call.unwrap_or_else(|| panic!("{}", rehearsal.text));
    assert!(
        call.trim_start().starts_with("call     PATCH /users/")
            && call.contains("/nothing (method: user.edit) (user.update): answered 404, means "),
        "{call}"
    );
    assert!(
        shown
            .iter()
            .any(|line| line.trim_start().starts_with("expected ")),
        "{shown:?}"
    );
}

#[tokio::test]
async fn a_change_that_no_step_asked_for_fails_the_rehearsal() {
    let demo = Demo::start("rehearse-unasked", &[]);
    // Every account has a title by itself; the provider never speaks of titles, and its PUT empties them.
    let create = "[user.create]\ncall = \"POST /users\"\nconstants = { job_title = \"Clerk\" }\n";
    tenant(&demo, "titled", create);
    let rehearsal = Rehearsal::of(&demo, &["titled", "--as", "google"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "FAILED   update by PUT: she married\n",
        "call     PATCH /users/",
        "expected no change of `title`: no step has named it",
        "mend     a line that clients must not change says `read-only = true`",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }

    let lines = "[user.attributes]\n'title' = { field = 'job_title', read-only = true }\n";
    tenant(&demo, "titled", &format!("{create}{lines}"));
    let rehearsal = Rehearsal::of(&demo, &["titled", "--as", "google"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);
}

#[tokio::test]
async fn a_mapping_that_breaks_with_a_taken_login_or_a_second_group_is_found_out() {
    let demo = Demo::start("rehearse-further", &[]);
    let before = state(&demo).await;
    let rules = "[target.errors]\nrules = [{ status = 422, is = \"failed\" }]\n";
    tenant(&demo, "vague", rules);
    let rehearsal = Rehearsal::of(&demo, &["vague", "--as", "google"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "FAILED   rename Juno to Vera's login, which is taken: refused\n",
        "(user.update): answered 422, means failed: by",
        "Google Workspace is told 502",
        "mend     say `unique = true` in the line of `userName`",
        "nothing is left behind",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }
    let unique = "[user.attributes]\n'userName' = { field = 'login', unique = true }\n";
    tenant(&demo, "vague", &format!("{rules}{unique}"));
    let rehearsal = Rehearsal::of(&demo, &["vague", "--as", "google"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);

    // Who comes into a group leaves the one before: right as long as everybody is in one.
    let moves = "add = { steps = [\n\
         { call = \"GET /users/{member}/groups\", take = { before = '$.items[0].id' } },\n\
         { call = \"DELETE /groups/{before}/members/{member}\", if = 'before' },\n\
         { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } } ] }";
    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let text = std::fs::read_to_string(&app).unwrap();
    let add = text.lines().find(|line| line.starts_with("add    = {"));
    let text = text.replacen(add.expect("the demo adds members"), moves, 1);
    let text = text.replacen("app = \"demo\"", "app = \"mover\"", 1);
    std::fs::write(app.with_file_name("mover.toml"), text).unwrap();
    let own = "tenant = \"mover\"\napp = \"mover\"\n";
    std::fs::write(demo.config.with_file_name("mappings/mover.toml"), own).unwrap();
    let rehearsal = Rehearsal::of(&demo, &["mover", "--as", "okta"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    for part in [
        "ok       read the group: Ilse is still in\n",
        "ok       put Vera into the second, too\n",
        "FAILED   … and in the first still\n",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }
    assert_eq!(state(&demo).await, before);
}

#[tokio::test]
async fn a_password_can_be_given_where_the_provider_sends_one() {
    let demo = Demo::start("rehearse-password", &[]);
    let given = ["--password", "Correct-Horse-9-Battery"];
    let rehearsal = Rehearsal::of(&demo, &[&["demo", "--as", "okta"][..], &given].concat());
    assert!(rehearsal.is_success, "{}", rehearsal.text);
    assert!(!rehearsal.text.contains("Horse"), "{}", rehearsal.text);
    let rehearsal = Rehearsal::of(&demo, &[&["demo", "--as", "google"][..], &given].concat());
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    let told = "`google` sends no password";
    assert!(rehearsal.text.contains(told), "{}", rehearsal.text);
}

#[tokio::test]
async fn groups_that_the_application_does_not_have_are_left_out() {
    let demo = Demo::start("rehearse-users", &[]);
    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let text = std::fs::read_to_string(&app).unwrap();
    let (users, _) = text.split_once("\n[group]").expect("the demo has groups");
    let users_only = demo.config.with_file_name("mappings/apps/people.toml");
    let users = users.replacen("app = \"demo\"", "app = \"people\"", 1);
    std::fs::write(users_only, users).unwrap();
    let text = "tenant = \"people\"\napp = \"people\"\n[client]\nidp = \"auto\"\n";
    std::fs::write(demo.config.with_file_name("mappings/people.toml"), text).unwrap();

    for provider in ["jumpcloud", "okta", "entra"] {
        let rehearsal = Rehearsal::of(&demo, &["people", "--as", provider]);
        let text = &rehearsal.text;
        assert!(rehearsal.is_success, "{text}");
        assert!(text.contains("the mapping has no groups"), "{text}");
        assert!(!text.contains("skipped") && !text.contains("{{"), "{text}");
    }
}

#[tokio::test]
async fn what_the_application_cannot_do_is_no_failure() {
    let demo = Demo::start("rehearse-cannot", &[]);
    tenant(&demo, "fixed", "[policy]\non-rename = \"reject\"\n");
    for provider in ["okta", "entra", "google"] {
        let rehearsal = Rehearsal::of(&demo, &["fixed", "--as", provider]);
        assert!(rehearsal.is_success, "{}", rehearsal.text);
        assert!(!rehearsal.text.contains("FAILED"), "{}", rehearsal.text);
        for part in [
            "not offered by the application",
            "the application, by its mapping, cannot do this: ",
            "nothing is left behind in the application",
        ] {
            assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
        }
    }

    let rehearsal = Rehearsal::of(&demo, &["demo", "--as", "entra"]);
    let told = "(`idp = \"auto\"`); here it is read as Microsoft Entra ID from the first step on.";
    assert!(rehearsal.text.contains(told), "{}", rehearsal.text);
    assert!(!rehearsal.text.contains("AUTO"), "{}", rehearsal.text);
}

#[tokio::test]
async fn groups_that_cannot_be_created_are_left_out_with_all_that_is_about_them() {
    let demo = Demo::start("rehearse-groups", &[]);
    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let text = std::fs::read_to_string(&app).unwrap();
    let create = text
        .split("\n[")
        .find(|part| part.starts_with("group.create]"));
    let create = format!("\n[{}", create.expect("the demo creates groups"));
    let text = text.replacen(&create, "\n", 1);
    let text = text.replacen("app = \"demo\"", "app = \"teams\"", 1);
    std::fs::write(app.with_file_name("teams.toml"), text).unwrap();
    let own = "tenant = \"teams\"\napp = \"teams\"\n";
    std::fs::write(demo.config.with_file_name("mappings/teams.toml"), own).unwrap();
    let rehearsal = Rehearsal::of(&demo, &["teams", "--as", "okta"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);
    for part in ["no       push the group", "left out add both as members"] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }
}

#[tokio::test]
async fn a_group_that_is_there_stands_in_where_none_can_be_created_and_is_put_back() {
    let demo = Demo::start("rehearse-stand-in", &[]);
    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let text = std::fs::read_to_string(&app).unwrap();
    let mut text = text.replacen("app = \"demo\"", "app = \"teams\"", 1);
    for operation in ["create", "delete"] {
        let (before, rest) = text.split_once(&format!("[group.{operation}]")).unwrap();
        let (_, after) = rest.split_once("\n[").unwrap();
        text = format!("{before}\n[{after}");
    }
    std::fs::write(app.with_file_name("teams.toml"), text).unwrap();
    let own = "tenant = \"teams\"\napp = \"teams\"\n";
    std::fs::write(demo.config.with_file_name("mappings/teams.toml"), own).unwrap();
    let before = state(&demo).await;
    let name = before.1[0]["name"].as_str().expect("a group").to_owned();
    for provider in PROVIDERS {
        let rehearsal = Rehearsal::of(&demo, &["teams", "--as", provider, "--group", &name]);
        assert!(rehearsal.is_success, "{}", rehearsal.text);
        assert!(!rehearsal.text.contains("FAILED"), "{}", rehearsal.text);
        let mut after = state(&demo).await;
        // It was written to, twice.
        after.1[0]["updated_at"] = before.1[0]["updated_at"].clone();
        assert_eq!(after, before, "{provider}: {}", rehearsal.text);
        if provider == "okta" {
            for part in [
                "stands in for one of its own, and is taken as made",
                "ok       add both as members",
                "ok       read the group",
                "nothing is left behind",
            ] {
                assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
            }
        }
    }
    let nobody = Rehearsal::of(&demo, &["teams", "--as", "okta", "--group", "Nobody's"]);
    assert!(
        !nobody.is_success && nobody.text.contains("0 groups"),
        "{}",
        nobody.text
    );
}

/// Membership is a text of the user; nobody is an `Author`.
#[tokio::test]
async fn a_fixed_group_that_nobody_is_in_stands_in_by_itself() {
    let demo = Demo::start("rehearse-fixed", &[]);
    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let text = std::fs::read_to_string(&app).unwrap();
    let (users, _) = text.split_once("\n[group]").expect("the demo has groups");
    let (before, rest) = users
        .split_once("\n[user.groups]")
        .expect("the users' groups");
    let (_, after) = rest.split_once("\n[").unwrap();
    let lines = format!("{before}\n[{after}");
    let lines = lines.lines().filter(|line| !line.contains("'language'"));
    let users: Vec<&str> = lines.collect();
    let text = format!(
        "{}\n[user.groups]\nitems = '$.language'\nas = \"joined\"\n\n\
         [group]\nid = '$.id'\nfixed = [{{ id = \"en\" }}, {{ id = \"Author\" }}, {{ id = \"Editor\" }}]\n\
         [group.attributes]\n'displayName' = {{ field = 'id', read-only = true }}\n\
         [group.members]\non-user = {{ field = 'language', as = \"joined\" }}\n",
        users
            .join("\n")
            .replacen("app = \"demo\"", "app = \"roles\"", 1)
    );
    std::fs::write(app.with_file_name("roles.toml"), text).unwrap();
    let own = "tenant = \"roles\"\napp = \"roles\"\n";
    std::fs::write(demo.config.with_file_name("mappings/roles.toml"), own).unwrap();
    let before = state(&demo).await;
    for provider in ["okta", "entra"] {
        let rehearsal = Rehearsal::of(&demo, &["roles", "--as", provider]);
        let text = &rehearsal.text;
        for part in [
            "the group `Author` stands in for one of its own, and is taken as made",
            "ok       add both as members",
            "nothing is left behind",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(rehearsal.is_success && !text.contains("FAILED"), "{text}");
        assert_eq!(state(&demo).await, before, "{provider}: {text}");
    }
}

#[tokio::test]
async fn a_credential_that_is_not_accepted_is_told_before_anything_is_played() {
    let demo = Demo::start("rehearse-probe", &[]);
    tenant(
        &demo,
        "probed",
        "[target]\nprobe = \"GET /users?per_page=1\"\n",
    );
    let rehearsal = Rehearsal::of(&demo, &["probed", "--as", "google"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);
    let accepted = "probe    the application accepts the gateway's credential";
    assert!(rehearsal.text.contains(accepted), "{}", rehearsal.text);

    let before = state(&demo).await;
    let wrong = "[target]\nprobe = \"GET /users?per_page=1\"\n[target.auth.header]\nname = \"X-Api-Key\"\nvalue = \"wrong-key\"\n";
    tenant(&demo, "stranger", wrong);
    let rehearsal = Rehearsal::of(&demo, &["stranger", "--as", "google"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    let refused =
        "probe    the application does not accept the gateway's credential; nothing was played.";
    assert!(rehearsal.text.contains(refused), "{}", rehearsal.text);
    assert!(
        !rehearsal.text.contains("create Ines"),
        "{}",
        rehearsal.text
    );
    assert!(!rehearsal.text.contains("wrong-key"), "{}", rehearsal.text);
    assert_eq!(state(&demo).await, before);
}

#[tokio::test]
async fn an_application_that_does_not_answer_is_told_once() {
    let demo = Demo::start("rehearse-nobody", &[]);
    tenant(
        &demo,
        "nobody",
        "[target]\nbase-url = \"http://127.0.0.1:1\"\n",
    );
    let rehearsal = Rehearsal::of(&demo, &["nobody", "--as", "okta"]);
    assert!(!rehearsal.is_success, "{}", rehearsal.text);
    let failed = rehearsal.text.matches("FAILED").count();
    assert_eq!(failed, 1, "{}", rehearsal.text);
    for part in [
        "the application does not answer: the other steps were not played. See whether `base-url` is right",
        "no answer: The application cannot be reached: ",
        "no TCP connection: Connection refused",
        "nothing is left behind in the application",
    ] {
        assert!(rehearsal.text.contains(part), "{part}: {}", rehearsal.text);
    }
}

#[tokio::test]
async fn a_tenant_can_be_named_by_its_file() {
    let demo = Demo::start("rehearse-file", &[]);
    let own = demo.config.with_file_name("mappings/demo.toml");
    let own = own.to_str().expect("a path in UTF-8");
    let rehearsal = Rehearsal::of(&demo, &[own, "--as", "google", "--dry-run"]);
    assert!(rehearsal.is_success, "{}", rehearsal.text);

    let app = demo.config.with_file_name("mappings/apps/demo.toml");
    let app = app.to_str().expect("a path in UTF-8");
    for (given, said) in [
        (app, "is no tenant's file"),
        ("nowhere.toml", "`nowhere.toml` is not there"),
        ("dmeo", "there is no tenant `dmeo`: did you mean `demo`?"),
    ] {
        let refused = Rehearsal::of(&demo, &[given, "--as", "google"]);
        assert!(!refused.is_success, "{}", refused.text);
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
}

#[tokio::test]
async fn explain_says_which_file_and_line_each_part_came_from() {
    let demo = Demo::start("explain-origin", &[]);
    let lines =
        "[user.update]\ncall = \"PATCH /users/{id}\"\n[user.attributes]\n'title' = 'job_title'\n";
    tenant(&demo, "traced", lines);
    let explain = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scimgate"));
        command
            .arg("explain")
            .args(arguments)
            .arg("--config")
            .arg(&demo.config);
        let output = command.output().expect("the command runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let listed = explain(&["traced", "GET", "/Users?count=1", "--origin"]);
    assert!(listed.contains("line       'userName'"), "{listed}");
    let id = listed
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"id\": \""))
        .expect("a user");
    let path = format!("/Users/{}", id.trim_end_matches(['"', ',']));
    let patch = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"Countess"},{"op":"replace","path":"name.givenName","value":"Augusta"}]}"#;
    let told = explain(&["traced", "PATCH", &path, patch, "--origin"]);
    let after = |line: &str| {
        let mut lines = told
            .lines()
            .skip_while(|own| !own.starts_with(line))
            .skip(1);
        lines.next().unwrap_or_default().to_owned()
    };
    assert!(
        after("line       'title'").ends_with("traced.toml:6"),
        "{told}"
    );
    assert!(
        after("line       'name.givenName'").contains("apps/demo.toml:"),
        "{told}"
    );
    assert!(
        after("call       PATCH").ends_with("traced.toml:4"),
        "{told}"
    );
    assert!(
        after("call       GET").contains("apps/demo.toml:"),
        "{told}"
    );
    assert!(!explain(&["traced", "GET", &path]).contains("  from     "));
}

/// One run of the command.
struct Rehearsal {
    is_success: bool,
    text: String,
}

impl Rehearsal {
    fn of(demo: &Demo, arguments: &[&str]) -> Self {
        let output = Self::command(demo, arguments).output();
        let output = output.expect("the command runs");
        let mut text = String::from_utf8(output.stdout).expect("text");
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Self {
            is_success: output.status.success(),
            text,
        }
    }
}

impl Rehearsal {
    fn command(demo: &Demo, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scimgate"));
        command.arg("rehearse").args(arguments);
        command.arg("--config").arg(&demo.config);
        command
    }
}

/// Adds a tenant of the demo's application; it needs no key, as nobody calls from outside.
fn tenant(demo: &Demo, name: &str, text: &str) {
    let path: &Path = &demo.config.with_file_name(format!("mappings/{name}.toml"));
    let text = format!("tenant = \"{name}\"\napp = \"demo\"\n{text}");
    std::fs::write(path, text).expect("the demo's mappings can be written");
}

/// Users and groups of the application, without what changes by being counted.
async fn state(demo: &Demo) -> (Value, Value) {
    let transport = HttpTransport::new(&demo.target_url, None).unwrap();
    let request = Request {
        method: "GET".to_owned(),
        path_and_query: "/_state".to_owned(),
        headers: vec![("X-Api-Key".to_owned(), EXAMPLE_API_KEY.to_owned())],
        body: None,
    };
    let reply = transport
        .send(request)
        .await
        .expect("the application answers");
    let state: Value = serde_json::from_slice(&reply.body).expect("JSON");
    (state["users"].clone(), state["groups"].clone())
}
