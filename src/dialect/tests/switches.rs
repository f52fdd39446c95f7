//! Who a client is, and what is switched off for it.

use super::*;

fn settings(idp: Option<Idp>, off: &[&str]) -> Settings {
    Settings {
        idp,
        is_strict: false,
        off: off.iter().map(|id| (*id).to_owned()).collect(),
    }
}

/// Deactivates with the string `"False"`: N2, ENTRA-10, KEYCLOAK-07. Gives the notes, or nothing if it was not mended.
fn deactivated(settings: &Settings) -> Option<Vec<&'static str>> {
    let mut notes = Notes::default();
    let body = operations(json!([{"op": "replace", "path": "active", "value": "False"}]));
    let request = Dialect::new(settings)
        .patch(&user_type(), None, body, &mut notes)
        .ok()?;
    let is_mended = request
        .operations
        .iter()
        .all(|op| op.value == Some(json!(false)));
    is_mended.then(|| ids(&notes))
}

#[test]
fn a_note_has_the_clients_own_name_for_a_quirk() {
    assert_eq!(
        deactivated(&settings(Some(Idp::Entra), &[])),
        Some(vec!["ENTRA-10"])
    );
    assert_eq!(
        deactivated(&settings(Some(Idp::Keycloak), &[])),
        Some(vec!["KEYCLOAK-07"])
    );
    assert_eq!(
        deactivated(&settings(Some(Idp::Okta), &[])),
        Some(vec!["N2"])
    );
    assert_eq!(deactivated(&settings(None, &[])), Some(vec!["N2"]));
}

#[test]
fn a_rule_is_off_for_everyone_and_a_quirk_for_its_client_and_the_unknown() {
    for (idp, off, is_mended) in [
        (Some(Idp::Entra), "N2", false),
        (Some(Idp::Okta), "N2", false),
        (None, "N2", false),
        (Some(Idp::Entra), "ENTRA-10", false),
        (None, "ENTRA-10", false),
        (Some(Idp::Keycloak), "ENTRA-10", true),
        (Some(Idp::Okta), "ENTRA-10", true),
        (Some(Idp::Entra), "ENTRA-15", true),
    ] {
        let is = deactivated(&settings(idp, &[off])).is_some();
        assert_eq!(is, is_mended, "{idp:?} without {off}");
    }
}

#[test]
fn the_settings_say_who_the_client_is_before_its_user_agent_does() {
    let agent = Some("Okta SCIM Client 1.0.0");
    let auto = Dialect::default();
    assert_eq!(auto.recognise(agent).idp(), Some(Idp::Okta));
    assert_eq!(auto.recognise(None).idp(), None);
    let entra = Dialect::new(&settings(Some(Idp::Entra), &[]));
    assert_eq!(entra.recognise(agent).idp(), Some(Idp::Entra));
}

#[test]
fn what_changes_a_meaning_depends_on_the_client() {
    let role = r#"{"value":"approver","displayName":"Approver"}"#;
    for (idp, is_unpacked) in [
        (Some(Idp::Entra), true),
        (None, true),
        (Some(Idp::Okta), false),
    ] {
        let body = json!({"userName": "x", "roles": [{"value": role}]});
        let mended = Dialect::new(&settings(idp, &[]))
            .resource(&user_type(), body, true, &mut Notes::default())
            .unwrap();
        assert_eq!(
            mended["roles"][0]["value"] == "approver",
            is_unpacked,
            "{idp:?}"
        );
    }
    let old = resource(json!({"name": {"formatted": "Ada King", "familyName": "King"}}));
    let new = resource(
        json!({"name": {"formatted": "Ada King", "givenName": "Ada", "familyName": "Byron"}}),
    );
    for (idp, formatted) in [
        (Some(Idp::Okta), "Ada Byron"),
        (None, "Ada King"),
        (Some(Idp::Ping), "Ada King"),
    ] {
        let settled = Dialect::new(&settings(idp, &[])).settle_replace(
            &user_type(),
            &old,
            new.clone(),
            &mut Notes::default(),
        );
        assert_eq!(settled.0["name"]["formatted"], formatted, "{idp:?}");
    }
}

#[test]
fn a_strict_dialect_changes_nothing() {
    let dialect = Dialect::new(&Settings {
        is_strict: true,
        ..Settings::default()
    });
    let (rt, mut notes) = (user_type(), Notes::default());
    let body = json!({"userName": 5, "shoeSize": "", "emails": {}});
    assert_eq!(
        dialect.resource(&rt, body.clone(), true, &mut notes),
        Ok(body)
    );
    assert!(dialect.filter(&rt, "userName eq x", &mut notes).is_err());
    let pairs = dialect.query_pairs(Some("aadOptscim062020&filter=a+b%20c&"), &mut notes);
    assert_eq!(
        pairs,
        [
            ("aadOptscim062020".to_owned(), String::new()),
            ("filter".to_owned(), "a+b c".to_owned())
        ]
    );
    assert_eq!(dialect.replace_rules(&rt), ReplaceRules::default());
    assert_eq!(
        dialect.answers(&group_type()).patch_answers,
        PatchAnswer::NoContent
    );
    assert!(!dialect.bare_token());
    assert!(notes.0.is_empty());
}

#[test]
fn a_plus_is_read_as_the_client_means_it() {
    let filter = |idp, raw| {
        let dialect = Dialect::new(&settings(idp, &[]));
        dialect.query_pairs(Some(raw), &mut Notes::default())[0]
            .1
            .clone()
    };
    for (idp, raw, expected) in [
        (None, "filter=a+eq+b", "a eq b"),
        (None, "filter=a%20eq%20b+c", "a eq b+c"),
        (None, "filter=a+eq+b%2Bc", "a eq b+c"),
        (Some(Idp::Rauthy), "filter=b+c", "b+c"),
        (Some(Idp::OneLogin), "filter=a+eq%20b", "a eq b"),
    ] {
        assert_eq!(filter(idp, raw), expected, "{idp:?} {raw}");
    }
}

#[test]
fn a_put_keeps_what_its_body_does_not_name() {
    let dialect = Dialect::default();
    for (body, active) in [
        (json!({}), true),
        (json!({"active": null}), false),
        (json!({"active": true}), true),
    ] {
        let rules = dialect.replace_rules_for(&user_type(), &body, &mut Notes::default());
        assert_eq!(rules.keep_absent_active, active, "{body}");
    }
    for (body, members) in [
        (json!({}), true),
        (json!({"members": []}), false),
        (json!({"members": null}), false),
    ] {
        let rules = dialect.replace_rules_for(&group_type(), &body, &mut Notes::default());
        assert_eq!(!rules.keep_absent_multivalued.is_empty(), members, "{body}");
    }
}

#[test]
fn answers_suit_the_client() {
    let taste = |idp, rt| Dialect::new(&settings(idp, &[])).answers(rt);
    let (users, groups) = (user_type(), group_type());
    assert_eq!(taste(None, &users).patch_answers, PatchAnswer::Body);
    assert_eq!(
        taste(Some(Idp::Entra), &groups).patch_answers,
        PatchAnswer::NoContent
    );
    assert!(!taste(Some(Idp::Okta), &groups).echo_members);
    assert!(taste(Some(Idp::Authentik), &groups).echo_members);
    assert!(taste(Some(Idp::Rauthy), &users).lists_groups);
}

#[test]
fn every_name_of_the_catalogue_and_the_rules_can_be_switched_off() {
    for id in ["ENTRA-17", "N13", "N2", "R6", "TRESORIT-01"] {
        assert!(is_known(id), "{id}");
    }
    for id in ["ENTRA-99", "entra-17", "", "N99"] {
        assert!(!is_known(id), "{id}");
    }
}
