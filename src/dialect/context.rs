//! What every mending needs at hand.

use super::{Dialect, quirks::Mending};
use crate::{exchange::Notes, scim::ResourceType};

/// The most notes one request leaves. What one more would say is no news.
const MAX_NOTES: usize = 100;

/// The most characters of a client's name for something that a note repeats.
const MAX_SHOWN_CHARS: usize = 80;

/// The dialect at work on one request.
pub(super) struct Mender<'a> {
    pub dialect: &'a Dialect,
    pub rt: &'a ResourceType,
    /// Types that are queried together with it.
    pub among: &'a [&'a ResourceType],
    notes: &'a mut Notes,
}

impl<'a> Mender<'a> {
    pub fn new(dialect: &'a Dialect, rt: &'a ResourceType, notes: &'a mut Notes) -> Self {
        Self {
            dialect,
            rt,
            among: &[],
            notes,
        }
    }

    /// Whether something is mended for this client.
    pub fn is_on(&self, mending: &Mending) -> bool {
        self.dialect.is_on(mending)
    }

    /// Notes that something was mended, once for each thing said.
    pub fn note(&mut self, mending: &Mending, message: impl Into<String>) {
        note(self.dialect, self.notes, mending, message.into());
    }
}

/// Notes that something was mended, once for each thing said.
pub(super) fn note(dialect: &Dialect, notes: &mut Notes, mending: &Mending, message: String) {
    let quirk = dialect.name_of(mending);
    let is_known = notes
        .0
        .iter()
        .any(|note| note.quirk == quirk && note.message == message);
    if !is_known && notes.0.len() < MAX_NOTES {
        notes.add(quirk, message);
    }
}

/// A client's own name for something, made fit for a note: short, and without anything that is not a visible character.
pub(super) fn shown(name: &str) -> String {
    let mut text: String = name
        .chars()
        .filter(|c| !c.is_control() && *c != '`')
        .take(MAX_SHOWN_CHARS)
        .collect();
    if name.chars().count() > MAX_SHOWN_CHARS {
        text.push('…');
    }
    text
}
