//! Complaints gathered while a file is read.

use super::Diagnostic;

/// Complaints in the order they were found, at most [`Diagnostics::MOST`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// More than this nobody reads: further complaints are left out.
    pub const MOST: usize = 200;

    /// Adds one. The same complaint about the same place is kept once.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        if self.all.len() < Self::MOST && !self.all.contains(&diagnostic) {
            self.all.push(diagnostic);
        }
    }

    /// Adds several.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|one| self.add(one));
    }

    /// Whether one of them keeps the file from being used.
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(Diagnostic::is_error)
    }

    /// All, ordered by file and place; those without a place first.
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut all = self.all;
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        all
    }
}

fn order(diagnostic: &Diagnostic) -> Option<(&std::path::Path, usize)> {
    diagnostic
        .place
        .as_ref()
        .map(|place| (place.file.path.as_path(), place.span.start))
}
