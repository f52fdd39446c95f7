//! Complaints gathered while a file is read.

use super::Diagnostic;

/// Complaints in the order they were found, at most [`Diagnostics::MOST`] errors and as many warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// More than this nobody reads: further complaints are left out. Errors and warnings are counted apart, so that no number of
    /// warnings hides that a file has an error.
    pub const MOST: usize = 200;

    /// Adds one. The same complaint about the same place is kept once.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        let alike = self.all.iter();
        let alike = alike.filter(|one| one.severity == diagnostic.severity);
        if alike.count() < Self::MOST && !self.all.contains(&diagnostic) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_warnings_hides_an_error() {
        let mut all = Diagnostics::default();
        for n in 0..2 * Diagnostics::MOST {
            all.add(Diagnostic::warning("a::b", format!("{n}.")));
        }
        assert!(!all.has_errors());
        all.add(Diagnostic::error("a::b", "wrong."));
        assert!(all.has_errors());
        assert_eq!(all.into_sorted().len(), Diagnostics::MOST + 1);
    }
}
