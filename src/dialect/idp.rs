//! The identity providers whose habits are known.

use std::fmt;

/// An identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Idp {
    Okta,
    /// Microsoft Entra ID, formerly Azure Active Directory.
    Entra,
    OneLogin,
    JumpCloud,
    /// Google Workspace auto-provisioning.
    Google,
    /// PingOne and PingFederate.
    Ping,
    /// Ping Advanced Identity Cloud, PingIDM, ForgeRock.
    ForgeRock,
    SailPoint,
    Rippling,
    CyberArk,
    Duo,
    SecureAuth,
    /// The plugins that give Keycloak an outbound SCIM client.
    Keycloak,
    Authentik,
    Rauthy,
}

impl Idp {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::Okta,
        Self::Entra,
        Self::OneLogin,
        Self::JumpCloud,
        Self::Google,
        Self::Ping,
        Self::ForgeRock,
        Self::SailPoint,
        Self::Rippling,
        Self::CyberArk,
        Self::Duo,
        Self::SecureAuth,
        Self::Keycloak,
        Self::Authentik,
        Self::Rauthy,
    ];

    /// Reads the name used in a tenant's `idp` setting: the value of [`Idp::name`], in any letter case.
    ///
    /// `auto` is not a name: it is `None` in [`super::Settings`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|idp| idp.name().eq_ignore_ascii_case(name))
    }

    /// The name used in a tenant's `idp` setting, such as `okta`.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// As the product is called, such as `Microsoft Entra ID`.
    pub fn title(self) -> &'static str {
        self.words().1
    }

    /// Which provider sent a request, by its `User-Agent` header; absent if that says nothing certain.
    ///
    /// Only Okta's, authentik's and Rauthy's are documented or in their source; the others are recognised if they give their name.
    pub fn from_user_agent(user_agent: &str) -> Option<Self> {
        let user_agent = user_agent.to_ascii_lowercase();
        Self::ALL.into_iter().find(|idp| {
            idp.user_agent_words()
                .iter()
                .any(|word| user_agent.contains(word))
        })
    }

    /// The provider a quirk's id belongs to; absent for the ids of servers and targets.
    pub(super) fn of_quirk(id: &str) -> Option<Self> {
        let (prefix, _) = id.split_once('-')?;
        Self::from_name(prefix)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Okta => ("okta", "Okta"),
            Self::Entra => ("entra", "Microsoft Entra ID"),
            Self::OneLogin => ("onelogin", "OneLogin"),
            Self::JumpCloud => ("jumpcloud", "JumpCloud"),
            Self::Google => ("google", "Google Workspace"),
            Self::Ping => ("ping", "PingOne and PingFederate"),
            Self::ForgeRock => ("forgerock", "Ping AIC, PingIDM, ForgeRock"),
            Self::SailPoint => ("sailpoint", "SailPoint"),
            Self::Rippling => ("rippling", "Rippling"),
            Self::CyberArk => ("cyberark", "CyberArk Identity"),
            Self::Duo => ("duo", "Duo"),
            Self::SecureAuth => ("secureauth", "SecureAuth"),
            Self::Keycloak => ("keycloak", "Keycloak plugins"),
            Self::Authentik => ("authentik", "authentik"),
            Self::Rauthy => ("rauthy", "Rauthy"),
        }
    }

    fn user_agent_words(self) -> &'static [&'static str] {
        match self {
            Self::Okta => &["okta"],
            Self::Entra => &["azuread", "azure ad", "entra id", "microsoft.azure.sync"],
            Self::OneLogin => &["onelogin"],
            Self::JumpCloud => &["jumpcloud"],
            Self::Google => &["google-cloud-identity", "google auto-provisioning"],
            Self::Ping => &["pingone", "pingfederate"],
            Self::ForgeRock => &["forgerock", "openicf", "pingidm"],
            Self::SailPoint => &["sailpoint"],
            Self::Rippling => &["rippling"],
            Self::CyberArk => &["cyberark", "idaptive"],
            Self::Duo => &["duo security"],
            Self::SecureAuth => &["secureauth"],
            Self::Keycloak => &["keycloak"],
            Self::Authentik => &["authentik"],
            Self::Rauthy => &["rauthy"],
        }
    }
}

impl fmt::Display for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_names_the_provider_or_nobody() {
        for (user_agent, expected) in [
            ("Okta SCIM Client 1.0.0", Some(Idp::Okta)),
            ("authentik@2026.8.1", Some(Idp::Authentik)),
            ("Rauthy Client v0.32.0", Some(Idp::Rauthy)),
            ("curl/8.5.0", None),
            ("", None),
            ("Mozilla/5.0 (pinging)", None),
        ] {
            assert_eq!(Idp::from_user_agent(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn every_name_is_read_back() {
        for idp in Idp::ALL {
            assert_eq!(Idp::from_name(idp.name()), Some(idp));
        }
        assert_eq!(Idp::from_name("auto"), None);
    }
}
