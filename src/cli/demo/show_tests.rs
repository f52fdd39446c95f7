//! What the demo writes, compared whole.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::cli::replay::{Class, Reply, Request};
use crate::exchange::Note;

fn record(outcome: Outcome) -> StepRecord {
    StepRecord {
        number: 1,
        total: 2,
        name: "rename the group".to_owned(),
        class: Class::Quirk,
        quirks: vec!["OKTA-13".to_owned()],
        request: Request {
            method: "PATCH".to_owned(),
            path_and_query: "/scim/v2/Groups/7?a=b%20c".to_owned(),
            headers: Vec::new(),
            body: Some(json!({"schemas": ["x"], "Operations": [{"op": "replace", "value": {"password": "p"}}]}).to_string().into_bytes()),
        },
        reply: Some(Reply {
            status: 200,
            headers: Vec::new(),
            body: json!({"id": "7", "meta": {}, "displayName": "x"}).to_string().into_bytes(),
        }),
        outcome,
        duration: Duration::ZERO,
    }
}

fn shown(is_coloured: bool, show: impl FnOnce(&mut Screen<'_>)) -> String {
    let mut out = Vec::new();
    show(&mut Screen::new(
        &mut out,
        is_coloured,
        "/scim/v2".to_owned(),
        12,
    ));
    String::from_utf8(out).unwrap()
}

#[test]
fn a_step_shows_what_was_sent_mended_received_and_answered() {
    let report = StepReport {
        notes: vec![Note {
            quirk: "OKTA-13",
            message: "`id` was left out".to_owned(),
        }],
        changed: vec!["displayName".to_owned()],
        calls: Vec::new(),
    };
    let call = json!({"n": 1, "method": "PATCH", "path": "/groups/7", "body": {"name": "x\ny"}, "status": 200});
    let text = shown(false, |screen| {
        screen
            .step("okta", &record(Outcome::Passed), &report, &[call])
            .unwrap();
        screen
            .summary(&Summary {
                passed: 1,
                failed: 0,
                skipped: 0,
            })
            .unwrap();
    });
    let expected = "\
[ 1/12] ✓ rename the group
        okta        → PATCH /Groups/7?a=b c {\"Operations\":[{\"op\":\"replace\",\"value\":{\"password\":\"***\"}}]}
        mended      OKTA-13 `id` was left out
        changed     displayName
        application ← PATCH /groups/7 {\"name\":\"x\\ny\"}  200
        okta        ← 200 {\"id\":\"7\",\"displayName\":\"x\"}

mended: OKTA-13
calls the application received: 1
1 passed, 0 failed
";
    assert_eq!(text, expected);
}

#[test]
fn a_step_that_did_not_hold_says_why() {
    let failed = Outcome::Failed(vec!["status: expected 200, got 500".to_owned()]);
    let text = shown(false, |screen| {
        screen
            .step("okta", &record(failed), &StepReport::default(), &[])
            .unwrap()
    });
    assert!(text.starts_with("[ 1/12] ✗ rename the group\n"));
    assert!(
        text.ends_with("        wrong       status: expected 200, got 500\n"),
        "{text}"
    );
    let skipped = Outcome::Skipped("no value for {{uid}}".to_owned());
    let text = shown(false, |screen| {
        screen
            .step("okta", &record(skipped), &StepReport::default(), &[])
            .unwrap()
    });
    assert_eq!(
        text,
        "[ 1/12] – rename the group\n        skipped     no value for {{uid}}\n"
    );
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let step = |screen: &mut Screen<'_>| {
        screen
            .step(
                "okta",
                &record(Outcome::Passed),
                &StepReport::default(),
                &[],
            )
            .unwrap();
    };
    assert!(shown(true, step).contains("\u{1b}[32m✓\u{1b}[0m"));
    assert!(!shown(false, step).contains('\u{1b}'));
}

#[test]
fn the_state_is_a_table_that_stays_readable() {
    let users: Vec<Value> = (1..=30)
        .map(|id| json!({"id": id, "login": format!("u{id}"), "mail": null, "first": "A", "last": null, "state": 3}))
        .collect();
    let state = json!({"users": users, "users_total": 1000, "groups_total": 1,
        "groups": [{"id": 4, "name": "Night", "members": [1, 2, 3, 4, 5, 99, 7]}]});
    let text = shown(false, |screen| screen.state(&state).unwrap());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines.get(3),
        Some(&"  id  login  name  mail  job_title  department  state")
    );
    assert_eq!(
        lines.get(4),
        Some(&"  1   u1     A                                  3 locked")
    );
    assert_eq!(lines.get(24), Some(&"  … and 980 more"));
    assert_eq!(
        lines.last(),
        Some(&"  4   Night  u1, u2, u3, u4, u5, and 2 more")
    );
}
