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
    use super::*;

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
