//! Real applications: starts one, starts the gateway in front of it with the mapping that ships, plays the Okta and
//! Entra sessions, and after every step that wrote compares what the application has with what the gateway says.
//!
//! `SCIMGATE_TEST_APPS=redmine cargo test --test apps -- --nocapture`, or `tests/apps/run.sh redmine`, which also
//! stops the application afterwards. Without the variable nothing is started.

#[path = "apps/compare.rs"]
mod compare;
#[path = "apps/gateway.rs"]
mod gateway;
#[path = "apps/redmine.rs"]
mod redmine;
#[path = "support/replay.rs"]
#[expect(dead_code, reason = "the reports in it are for other tests")]
mod replay;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use scimgate::cli::replay::{HttpTransport, Outcome, Player, Settings, Summary};

use compare::{Application, Comparison};

#[tokio::test]
async fn the_application_has_what_the_gateway_says_after_every_step() {
    let Ok(names) = std::env::var("SCIMGATE_TEST_APPS") else {
        println!("SCIMGATE_TEST_APPS is not set: no application started");
        return;
    };
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let started = start(name);
        let application = match name {
            "redmine" => redmine::application(&started),
            other => panic!(
                "nobody has written down what `{other}` should have: tests/apps/redmine.rs shows how"
            ),
        };
        play(&application).await;
    }
}

/// Starts an application (which changes nothing if it runs) and returns the `KEY=VALUE` lines it prints.
fn start(name: &str) -> BTreeMap<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/apps")
        .join(name)
        .join("start.sh");
    let output = Command::new(script)
        .stderr(Stdio::inherit())
        .output()
        .expect("start.sh can be run");
    assert!(output.status.success(), "`{name}` did not start");
    let lines = String::from_utf8(output.stdout).expect("text");
    lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

async fn play(application: &Application) {
    let gateway = gateway::Gateway::start(application);
    let transport = HttpTransport::new(&gateway.base_url, None).expect("the gateway's address");
    let settings = Settings {
        base_url: gateway.base_url.clone(),
        token: gateway.token.clone(),
        user: "scim".to_owned(),
        ..Settings::default()
    };
    let comparison = Comparison::new(application, &settings, &transport);
    let (mut summary, mut problems, mut compared) = (Summary::default(), Vec::new(), 0);
    for named in replay::sessions(&application.sessions) {
        let mut player = Player::new(&named.session, &settings);
        while let Some(record) = player.next_step(&transport).await {
            summary.add(&record.outcome);
            let step = format!("{} #{} {}", named.file, record.number, record.name);
            if record.outcome != Outcome::Passed {
                problems.push(format!("{step}: {:?}", record.outcome));
            }
            if let Some(differences) = comparison.after(&record).await {
                compared += 1;
                problems.extend(
                    differences
                        .into_iter()
                        .map(|difference| format!("{step}: {difference}")),
                );
            }
        }
        player.clean_up(&transport).await;
    }
    println!(
        "{}: {summary}; {compared} writes compared with the application",
        application.name
    );
    assert!(compared > 0, "nothing was compared");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
