//! Creates whose answer has left, until the store knows: a second create right behind is a duplicate, not a repetition.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Resource type and match key of such creates. Holds them for the moment that the store takes.
#[derive(Debug, Default)]
pub struct Answered {
    creates: Mutex<HashSet<(String, String)>>,
}

impl Answered {
    /// The answer is on its way.
    pub fn add(&self, resource_type: &str, match_key: &str) {
        let mut creates = self.creates.lock().unwrap_or_else(PoisonError::into_inner);
        creates.insert((resource_type.to_owned(), match_key.to_owned()));
    }

    /// The store knows by now.
    pub fn remove(&self, resource_type: &str, match_key: &str) {
        let mut creates = self.creates.lock().unwrap_or_else(PoisonError::into_inner);
        creates.remove(&(resource_type.to_owned(), match_key.to_owned()));
    }

    /// Whether the answer has left and the store may not know yet.
    pub fn contains(&self, resource_type: &str, match_key: &str) -> bool {
        let creates = self.creates.lock().unwrap_or_else(PoisonError::into_inner);
        creates.contains(&(resource_type.to_owned(), match_key.to_owned()))
    }
}
