//! Labels of metrics: from closed sets only.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

const OTHER: &str = "other";

/// Names that may become labels, up to a number; the rest is `other`.
///
/// Tenants and operations come from configuration, but a mistake there must not fill the memory either.
#[derive(Debug)]
pub(super) struct Capped {
    most: usize,
    other: Arc<str>,
    known: RwLock<HashSet<Arc<str>>>,
}

impl Capped {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            other: OTHER.into(),
            known: RwLock::default(),
        }
    }

    /// The label for a name. First come, first served.
    pub(super) fn label(&self, name: &str) -> Arc<str> {
        if let Some(label) = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
        {
            return Arc::clone(label);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most && !known.contains(name) {
            return Arc::clone(&self.other);
        }
        let label: Arc<str> = name.into();
        known.insert(Arc::clone(&label));
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_cap_are_other_and_known_ones_stay() {
        let capped = Capped::new(2);
        assert_eq!(&*capped.label("a"), "a");
        assert_eq!(&*capped.label("b"), "b");
        assert_eq!(&*capped.label("c"), "other");
        assert_eq!(&*capped.label("a"), "a");
    }
}
