//! The built-in life cycles, one for each provider.

use crate::cli::{Failure, demo::life_cycle, replay::Session};

/// The providers that can be played.
pub const PROVIDERS: [&str; 12] = [
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

/// The life cycle of a provider. Its variable `tag` is new in each run; `domain` can be given.
///
/// # Errors
///
/// There is none of that name.
pub fn of(provider: &str) -> Result<Session, Failure> {
    let text = match provider {
        "onelogin" => include_str!("onelogin.json"),
        "jumpcloud" => include_str!("jumpcloud.json"),
        "google" => include_str!("google.json"),
        "ping" => include_str!("ping.json"),
        "authentik" => include_str!("authentik.json"),
        "keycloak" => include_str!("keycloak.json"),
        "sailpoint" => include_str!("sailpoint.json"),
        "rippling" => include_str!("rippling.json"),
        "cyberark" => include_str!("cyberark.json"),
        "rauthy" => include_str!("rauthy.json"),
        other => return Ok(life_cycle(other)?),
    };
    Ok(Session::parse(provider, text)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use crate::cli::replay::{Player, Request, SendFuture, Settings, Transport};

    use super::super::fixture::reply;
    use super::*;

    /// Says yes to everything, and keeps what it was asked.
    #[derive(Default)]
    struct Agreeable(Mutex<Vec<Request>>);

    impl Transport for Agreeable {
        fn send(&self, request: Request) -> SendFuture<'_> {
            self.0.lock().unwrap().push(request);
            Box::pin(async { Ok(reply(201, &json!({ "id": "1" }))) })
        }
    }

    /// The passwords that a life cycle sends.
    async fn passwords(provider: &str, settings: &Settings) -> Vec<String> {
        let session = of(provider).unwrap_or_else(|_| panic!("{provider}"));
        let application = Agreeable::default();
        let mut player = Player::new(&session, settings);
        while player.next_step(&application).await.is_some() {}
        let requests = application.0.into_inner().unwrap();
        let bodies = requests.into_iter().filter_map(|request| request.body);
        let bodies = bodies.filter_map(|body| serde_json::from_slice::<Value>(&body).ok());
        let found = bodies.filter_map(|body| {
            let in_patch = body.pointer("/Operations/0/value/password");
            let password = body.get("password").or(in_patch)?;
            Some(password.as_str()?.to_owned())
        });
        found.collect()
    }

    #[tokio::test]
    async fn passwords_satisfy_usual_policies_unless_one_is_given() {
        let mut seen = 0;
        for provider in PROVIDERS {
            for password in passwords(provider, &Settings::default()).await {
                seen += 1;
                let has = |class: fn(&char) -> bool| password.chars().any(|c| class(&c));
                assert!(password.len() >= 16, "{password}");
                assert!(
                    has(char::is_ascii_lowercase)
                        && has(char::is_ascii_uppercase)
                        && has(char::is_ascii_digit)
                        && has(char::is_ascii_punctuation),
                    "{password}"
                );
            }
        }
        assert!(seen >= 4, "only {seen}");
        let variables = json!({ "password": "Own-1", "password2": "Own-12" });
        let settings = Settings {
            variables: variables.as_object().cloned().unwrap_or_default(),
            ..Settings::default()
        };
        let own = passwords("okta", &settings).await;
        assert!(
            own.iter().all(|password| password.starts_with("Own-1")),
            "{own:?}"
        );
    }

    #[test]
    fn every_provider_has_a_life_cycle_of_quirks_that_are_known() {
        for provider in PROVIDERS {
            let session = of(provider).unwrap_or_else(|_| panic!("{provider}"));
            assert!(session.steps.len() >= 12, "{provider}");
            for step in &session.steps {
                for quirk in &step.quirks {
                    assert!(crate::dialect::is_known(quirk), "{provider}: {quirk}");
                }
            }
        }
        assert!(of("nobody").is_err());
    }
}
