//! How long the providers wait for an answer, and how much of that the gateway may use.

use std::time::Duration;

use super::Idp;

/// How long a provider waits before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The quirk that says so, such as `KEYCLOAK-08`; the rule where none does.
    pub quirk: &'static str,
    /// From its request to our answer.
    pub waits: Duration,
}

impl Patience {
    /// What is known of a provider; absent if nothing is.
    pub fn of(idp: Idp) -> Option<Self> {
        let (quirk, seconds) = match idp {
            Idp::Keycloak => ("KEYCLOAK-08", 5),
            Idp::Okta => ("OKTA-22", 60),
            // The default of its SCIM 2.0 connector; an administrator may set other whole minutes.
            Idp::SailPoint => (RULE, 60),
            _ => return None,
        };
        Some(Self {
            quirk,
            waits: Duration::from_secs(seconds),
        })
    }

    /// The time within which it must be answered: a fifth less, at most five seconds, for the way there and back.
    pub fn answered_within(self) -> Duration {
        self.waits - (self.waits / 5).min(MOST_ON_THE_WAY)
    }
}

/// Answers in time.
pub(super) const RULE: &str = "R11";

/// More than any way to a provider and back takes.
const MOST_ON_THE_WAY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_done_before_the_provider_gives_up() {
        for (idp, seconds) in [
            (Idp::Keycloak, Some(4)),
            (Idp::Okta, Some(55)),
            (Idp::SailPoint, Some(55)),
            (Idp::Entra, None),
        ] {
            let within = Patience::of(idp).map(Patience::answered_within);
            assert_eq!(within, seconds.map(Duration::from_secs), "{idp}");
        }
    }

    #[test]
    fn each_is_named_by_the_rule_or_by_a_quirk_of_that_provider() {
        for idp in Idp::ALL {
            let quirk = Patience::of(idp).map(|patience| patience.quirk);
            let is_its_own = |id| id == RULE || Idp::of_quirk(id) == Some(idp);
            assert!(quirk.is_none_or(is_its_own), "{idp}");
        }
    }
}
