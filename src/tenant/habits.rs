//! What was learned about the clients behind a tenant's credentials.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::dialect::{Idp, Learner};

/// Which provider is behind which credential, as far as its habits have told since the process was started.
///
/// Nothing of it is stored: after a restart a client shows its habits again soon enough.
#[derive(Debug, Default)]
pub struct Habits {
    by_credential: Mutex<HashMap<[u8; 32], Learner>>,
}

impl Habits {
    /// The provider behind a credential, if its habits have shown it.
    pub fn recognised(&self, credential: &[u8; 32]) -> Option<Idp> {
        self.by_credential
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(credential)?
            .recognised()
    }

    /// Takes in what a request suggests; true if it was the one that made the provider known.
    pub fn observe(&self, credential: [u8; 32], idp: Idp) -> bool {
        let mut learners = self
            .by_credential
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if learners.len() >= MOST_CREDENTIALS && !learners.contains_key(&credential) {
            return false;
        }
        learners.entry(credential).or_default().observe(idp)
    }
}

/// A tenant has a few credentials at a time. Those that were revoked stay here until the next start.
const MOST_CREDENTIALS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_is_learned_about_by_itself_and_their_number_is_bounded() {
        let habits = Habits::default();
        for _ in 0..5 {
            habits.observe([1; 32], Idp::Okta);
            habits.observe([2; 32], Idp::Entra);
        }
        assert_eq!(habits.recognised(&[1; 32]), Some(Idp::Okta));
        assert_eq!(habits.recognised(&[2; 32]), Some(Idp::Entra));
        for n in 0..u16::MAX {
            let mut credential = [3; 32];
            credential[..2].copy_from_slice(&n.to_be_bytes());
            habits.observe(credential, Idp::Okta);
        }
        let learners = habits.by_credential.lock().unwrap();
        assert_eq!(learners.len(), MOST_CREDENTIALS);
    }
}
