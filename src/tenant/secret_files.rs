//! Secrets in files of their own (`file:/run/secrets/name`): which a tenant was made with, and whether they have changed.
//!
//! Orchestrators exchange such a file, or the link to it, while the process runs. What is kept here is a hash, not the secret.

use std::{collections::BTreeMap, sync::Mutex};

use xxhash_rust::xxh3::xxh3_128;

use crate::mapping::load::Environment;

/// What each file held; absent if it could not be read.
pub type Seen = BTreeMap<String, Option<u128>>;

/// An environment that remembers which secret files it was asked for.
pub struct Watched<'e> {
    environment: &'e dyn Environment,
    seen: Mutex<Seen>,
}

impl<'e> Watched<'e> {
    /// Asks this environment.
    pub fn new(environment: &'e dyn Environment) -> Self {
        Self {
            environment,
            seen: Mutex::default(),
        }
    }

    /// The files that were asked for.
    pub fn seen(self) -> Seen {
        self.seen
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Environment for Watched<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name)
    }

    fn secret_file(&self, path: &str) -> Option<String> {
        let text = self.environment.secret_file(path);
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        seen.insert(path.to_owned(), sum(text.as_deref()));
        text
    }
}

/// Whether every file holds what it held.
pub fn are_same(seen: &Seen, environment: &dyn Environment) -> bool {
    seen.iter()
        .all(|(path, before)| sum(environment.secret_file(path).as_deref()) == *before)
}

fn sum(text: Option<&str>) -> Option<u128> {
    text.map(|text| xxh3_128(text.as_bytes()))
}
