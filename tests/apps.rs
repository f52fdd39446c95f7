//! Real applications: starts one, starts the gateway in front of it with the mapping that ships, plays the Okta and
//! Entra sessions, and after every step that wrote compares what the application has with what the gateway says.
//!
//! `SCIMGATE_TEST_APPS=redmine cargo test --test apps -- --nocapture`, or `tests/apps/run.sh redmine`, which also
//! stops the application afterwards. Without the variable nothing is started.

#[path = "apps/compare.rs"]
mod compare;
#[path = "apps/directus.rs"]
mod directus;
#[path = "apps/gateway.rs"]
mod gateway;
#[path = "apps/jupyterhub.rs"]
mod jupyterhub;
#[path = "apps/mailman.rs"]
mod mailman;
#[path = "apps/mediawiki.rs"]
mod mediawiki;
#[path = "apps/rabbitmq.rs"]
mod rabbitmq;
#[path = "apps/redmine.rs"]
mod redmine;
#[path = "support/replay.rs"]
#[expect(dead_code, reason = "the reports in it are for other tests")]
mod replay;
#[path = "apps/rt.rs"]
mod rt;
#[path = "apps/zabbix.rs"]
mod zabbix;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use scimgate::cli::replay::{HttpTransport, Outcome, Player, Settings, StepRecord, Summary};

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
            "jupyterhub" => jupyterhub::application(&started),
            "mailman" => mailman::application(&started),
            "rabbitmq" => rabbitmq::application(&started),
            "directus" => directus::application(&started),
            "mediawiki" => mediawiki::application(&started),
            "redmine" => redmine::application(&started),
            "rt" => rt::application(&started),
            "zabbix" => zabbix::application(&started).await,
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
    let mut findings = Findings::default();
    let mut sessions = replay::sessions(&application.sessions);
    sessions.extend(replay::sessions_below(
        "tests/apps",
        &[&format!("{}/", application.name)],
    ));
    for named in sessions {
        let mut player = Player::new(&named.session, &settings);
        let mut judge = Judge::new(application, &named.file);
        while let Some(record) = player.next_step(&transport).await {
            judge.outcome(&record, &mut findings);
            if let Some(differences) = comparison.after(&record).await {
                findings.compared += 1;
                for difference in differences {
                    findings.problem(&named.file, &record, &difference);
                }
            }
        }
        player.clean_up(&transport).await;
    }
    println!(
        "{}: {}; {} refused as it must be; {} writes compared with the application",
        application.name, findings.summary, findings.refused, findings.compared
    );
    assert!(findings.compared > 0, "nothing was compared");
    assert!(
        findings.problems.is_empty(),
        "{}",
        findings.problems.join("\n")
    );
}

/// What came of the sessions.
#[derive(Default)]
struct Findings {
    summary: Summary,
    /// Steps that asked what the application cannot do.
    refused: usize,
    /// Writes after which the application's own state was looked at.
    compared: usize,
    problems: Vec<String>,
}

impl Findings {
    fn problem(&mut self, file: &str, record: &StepRecord, problem: &str) {
        let step = format!("{file} #{} {}", record.number, record.name);
        self.problems.push(format!("{step}: {problem}"));
    }
}

/// Judges the steps of one session by what the application can do.
struct Judge<'a> {
    application: &'a Application,
    file: &'a str,
    /// Whether a step was refused as it must be: those that need what it would have made are skipped.
    has_refused: bool,
}

impl<'a> Judge<'a> {
    fn new(application: &'a Application, file: &'a str) -> Self {
        Self {
            application,
            file,
            has_refused: false,
        }
    }

    fn outcome(&mut self, record: &StepRecord, findings: &mut Findings) {
        let cannot = self
            .application
            .cannot
            .iter()
            .find(|cannot| cannot.is_about(self.file, record));
        let status = record.reply.as_ref().map(|reply| reply.status);
        match (cannot, &record.outcome) {
            (Some(cannot), Outcome::Failed(_)) if status == Some(cannot.status) => {
                self.has_refused = true;
                findings.refused += 1;
            }
            (_, Outcome::Skipped(_)) if self.has_refused => findings.refused += 1,
            (Some(cannot), Outcome::Passed) => findings.problem(
                self.file,
                record,
                &format!("held, although {}", cannot.because),
            ),
            (None, Outcome::Passed) => findings.summary.add(&record.outcome),
            (_, outcome) => {
                findings.summary.add(outcome);
                let reply = record.reply.as_ref();
                let body = reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
                let body: String = body.unwrap_or_default().chars().take(600).collect();
                findings.problem(self.file, record, &format!("{outcome:?}, answered {body}"));
            }
        }
    }
}
