//! From a credential to a tenant: by its hash, and by nothing else of the request.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::{Tenant, key};

/// What a request presents.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// `Authorization`, whole; absent if missing or no text.
    pub authorization: Option<&'a str>,
    /// Whether there was more than one such header: refused.
    pub is_ambiguous: bool,
}

/// Why a request is turned away. The client is not told more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No credential, or none that opens anything now: 401.
    NotAuthenticated,
    /// The credential is good and its tenant's configuration is broken: 503.
    TenantDown,
}

/// Every live credential: the hash of the token, and whose it is.
#[derive(Default)]
pub struct Keys {
    by_hash: HashMap<[u8; 32], Key>,
}

/// A credential as authentication needs it.
#[derive(Debug, Clone)]
pub struct Key {
    /// The tenant's name.
    pub tenant: Arc<str>,
    /// Refused from then on; absent: never.
    pub expires: Option<Timestamp>,
}

impl Keys {
    /// Adds a credential.
    ///
    /// # Errors
    ///
    /// One hash belongs to one tenant: the first keeps it, and is named.
    pub fn add(&mut self, sha256: [u8; 32], key: Key) -> Result<(), Arc<str>> {
        match self.by_hash.get(&sha256) {
            Some(present) if present.tenant != key.tenant => Err(Arc::clone(&present.tenant)),
            _ => {
                self.by_hash.insert(sha256, key);
                Ok(())
            }
        }
    }

    /// The tenant's name that a request's credential opens at a time.
    pub fn tenant_of(
        &self,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<&Arc<str>, Refusal> {
        let token = presented.token().ok_or(Refusal::NotAuthenticated)?;
        let hash = key::sha256(token);
        // Hashes are compared, not tokens: how far two of them agree tells nothing about a token.
        match self.by_hash.get(&hash) {
            Some(known) if known.expires.is_none_or(|end| end > now) => Ok(&known.tenant),
            _ => Err(Refusal::NotAuthenticated),
        }
    }
}

impl<'a> Presented<'a> {
    /// What stands for the credential where it must be told from others: the hash of its token, known or not.
    pub fn credential(&self) -> Option<[u8; 32]> {
        self.token().map(key::sha256)
    }

    /// Whether the token stands alone in the header, as Okta's "HTTP Header" mode may send it (OKTA-20).
    pub fn is_bare(&self) -> bool {
        self.token().is_some() && self.authorization.map(str::trim) == self.token()
    }

    /// The token: behind `Bearer`, or bare.
    fn token(&self) -> Option<&'a str> {
        let value = self
            .authorization
            .filter(|value| !self.is_ambiguous && value.len() <= MAX_CREDENTIAL_BYTES)?;
        let value = value.trim_matches(' ');
        let token = match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                token.trim_matches(' ')
            }
            Some(_) => return None,
            None if value.eq_ignore_ascii_case("bearer") => return None,
            None => value,
        };
        (!token.is_empty() && !token.contains(' ')).then_some(token)
    }
}

/// A tenant, or why there is none.
pub type Authenticated = Result<Arc<Tenant>, Refusal>;

/// Longer headers are no credential of ours.
const MAX_CREDENTIAL_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn keys() -> Keys {
        let mut keys = Keys::default();
        let expires = Some(at("2027-01-01T00:00:00Z"));
        assert_eq!(
            Ok(()),
            keys.add(
                key::sha256("acme-token"),
                Key {
                    tenant: "acme".into(),
                    expires
                }
            )
        );
        assert_eq!(
            Ok(()),
            keys.add(
                key::sha256("globex-token"),
                Key {
                    tenant: "globex".into(),
                    expires: None
                }
            )
        );
        keys
    }

    #[test]
    fn s6_only_a_live_token_opens_its_own_tenant() {
        let keys = keys();
        let now = at("2026-11-22T00:00:00Z");
        let cases = [
            (Some("Bearer acme-token"), Ok("acme")),
            (Some("bearer  acme-token "), Ok("acme")),
            (Some("globex-token"), Ok("globex")),
            (Some("Bearer Acme-token"), Err(Refusal::NotAuthenticated)),
            (Some("Bearer acme-token x"), Err(Refusal::NotAuthenticated)),
            (Some("Basic acme-token"), Err(Refusal::NotAuthenticated)),
            (Some("Bearer "), Err(Refusal::NotAuthenticated)),
            (Some(""), Err(Refusal::NotAuthenticated)),
            (None, Err(Refusal::NotAuthenticated)),
        ];
        for (authorization, expected) in cases {
            let presented = Presented {
                authorization,
                is_ambiguous: false,
            };
            let tenant = keys
                .tenant_of(&presented, now)
                .map(|tenant| tenant.as_ref());
            assert_eq!(tenant, expected, "{authorization:?}");
        }
        let twice = Presented {
            authorization: Some("Bearer acme-token"),
            is_ambiguous: true,
        };
        assert!(keys.tenant_of(&twice, now).is_err());
        let late = Presented {
            authorization: Some("Bearer acme-token"),
            is_ambiguous: false,
        };
        assert!(keys.tenant_of(&late, at("2027-01-01T00:00:00Z")).is_err());
    }

    #[test]
    fn s2_a_hash_that_two_tenants_claim_stays_with_the_first() {
        let mut keys = keys();
        assert_eq!(
            Err("acme".into()),
            keys.add(
                key::sha256("acme-token"),
                Key {
                    tenant: "globex".into(),
                    expires: None
                }
            )
        );
    }
}
