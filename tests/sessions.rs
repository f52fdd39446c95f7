//! Every session of `tests/sessions` through the whole product: the demo, its application, a client on a socket.

#[path = "support/demo.rs"]
mod demo;
#[path = "support/replay.rs"]
mod replay;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use demo::Demo;
use replay::Report;
use scimgate::cli::replay::{Class, Outcome, Settings};

#[tokio::test]
async fn every_step_of_every_provider_holds_with_one_tenant_on_auto() {
    let demo = Demo::start("auto", &[]);
    let begun = Instant::now();
    let report = Report::of(&replay::sessions(&[]), &demo.settings(), &demo.transport()).await;
    tell(&report);
    assert!(report.steps.len() >= 468, "sessions are missing");
    assert!(
        report.summary().all_held(),
        "{}",
        report.complaints.join("\n")
    );
    assert!(begun.elapsed() < LONG_ENOUGH, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_strict_tenant_passes_what_the_rfcs_allow() {
    let demo = Demo::start("strict", &["--strict"]);
    let settings = Settings {
        only: vec![Class::Standard],
        ..demo.settings()
    };
    let report = Report::of(&replay::sessions(&[]), &settings, &demo.transport()).await;
    tell(&report);
    assert!(
        report.summary().all_held(),
        "{}",
        report.complaints.join("\n")
    );
}

#[tokio::test]
async fn a_strict_tenant_mends_nothing() {
    let demo = Demo::start("strict-all", &["--strict"]);
    let report = Report::of(&replay::sessions(&[]), &demo.settings(), &demo.transport()).await;
    tell(&report);
    let quirks = report
        .steps
        .iter()
        .filter(|(_, step)| step.class == Class::Quirk);
    let passed: BTreeSet<_> = quirks
        .filter(|(_, step)| step.outcome == Outcome::Passed)
        .map(|(file, step)| (file.as_str(), step.number))
        .collect();
    let expected: BTreeSet<_> = HOLDS_WITHOUT_MENDING
        .iter()
        .map(|(file, number, _)| (*file, *number))
        .collect();
    assert_eq!(passed, expected);
    for (file, step) in &report.steps {
        let status = step.reply.as_ref().map_or(200, |reply| reply.status);
        assert!(
            status < 500,
            "{file} #{} {}: a refusal is not a failure",
            step.number,
            step.name
        );
    }
}

#[tokio::test]
async fn a_client_with_one_providers_habits_is_recognised_and_its_quirks_are_counted_and_logged() {
    let demo = Demo::start("habits", &[]);
    let report = Report::of(
        &replay::sessions(&["entra"]),
        &demo.settings(),
        &demo.transport(),
    )
    .await;
    assert!(
        report.summary().all_held(),
        "{}",
        report.complaints.join("\n")
    );
    let log = demo.log();
    let recognised = log
        .lines()
        .filter(|line| line.contains("the client is recognised by its habits"));
    assert_eq!(recognised.count(), 1, "{log}");
    let metrics = demo.admin("/metrics").await;
    // Before it was known the rule's name was noted, then its own.
    for quirk in ["AUTO", "N1", "ENTRA-09", "ENTRA-10", "ENTRA-28"] {
        let line = format!("scimgate_quirks_total{{tenant=\"demo\",quirk=\"{quirk}\"}} ");
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
    let exchanges = log.lines().filter(|line| line.contains("ENTRA-28"));
    let exchanges: Vec<&str> = exchanges.collect();
    assert!(!exchanges.is_empty(), "{log}");
    for line in exchanges {
        assert!(line.contains("demo") && line.contains("AUTO"), "{line}");
    }
}

#[tokio::test]
async fn a_credential_with_the_habits_of_two_providers_is_not_recognised() {
    let demo = Demo::start("two-habits", &[]);
    for folders in [["ping/pingfederate-users"], ["entra"]] {
        let sessions = replay::sessions(&folders);
        let report = Report::of(&sessions, &demo.settings(), &demo.transport()).await;
        assert!(report.summary().all_held());
    }
    let metrics = demo.admin("/metrics").await;
    assert!(!metrics.contains("quirk=\"AUTO\""), "{metrics}");
}

fn tell(report: &Report) {
    for (class, summary) in &report.by_class {
        println!("{class:?}: {summary}");
    }
}

/// Far more than the sessions need on a busy machine.
const LONG_ENOUGH: Duration = Duration::from_secs(120);

/// Steps of the class `quirk` that hold although nothing is mended, each with the reason. A step that is missing here is
/// one that a strict tenant has mended.
const HOLDS_WITHOUT_MENDING: &[(&str, usize, &str)] = &[
    ("authentik/group-lifecycle-patch.json", 8, UNCHANGED_ID),
    ("authentik/group-lifecycle-patch.json", 9, UNCHANGED_ID),
    ("entra/matching-filters.json", 13, BARE_MULTI_VALUED),
    ("entra/roles-and-manager-forms.json", 20, NOTHING_HAPPENED),
    ("entra/roles-and-manager-forms.json", 30, NOTHING_HAPPENED),
    ("entra/roles-and-manager-forms.json", 36, NOTHING_HAPPENED),
    (
        "entra/test-connection.json",
        8,
        "query parameters that nobody knows are no error",
    ),
    ("entra/user-lifecycle-default.json", 22, NOTHING_HAPPENED),
    (
        "okta/aiw-put-user-lifecycle.json",
        8,
        "RFC 7644 §3.5.1 lets the server give `active` a value",
    ),
    ("okta/group-push-patch.json", 5, UNCHANGED_ID),
    ("okta/group-push-patch.json", 10, UNCHANGED_ID),
    ("okta/group-push-patch.json", 11, UNCHANGED_ID),
    (
        "other/odd-forms.json",
        4,
        "the names of endpoints are read in any letter case",
    ),
    ("ping/pingfederate-users.json", 2, BARE_MULTI_VALUED),
    ("ping/pingfederate-users.json", 5, BARE_MULTI_VALUED),
    (
        "ping/pingfederate-users.json",
        6,
        "a refusal is one of the answers that hold",
    ),
    ("ping/pingfederate-users.json", 9, NOTHING_HAPPENED),
    (
        "rauthy/full-sync.json",
        7,
        "RFC 3986 knows no plus for a space",
    ),
    ("sailpoint/provisioning.json", 16, NOTHING_HAPPENED),
];

const UNCHANGED_ID: &str = "a read-only value that stays the same is no modification";
const BARE_MULTI_VALUED: &str = "RFC 7644 §3.4.2.2 has `emails co` in an example: `value` is meant";
const NOTHING_HAPPENED: &str = "it looks at what is so because the step before was refused";
