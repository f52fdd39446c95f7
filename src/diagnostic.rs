//! Complaints about files, for operators.
//!
//! In: a code, a sentence, a place in a file, how to mend it. Out: text like rustc's. Knows nothing of mappings.

use std::{ops::Range, path::PathBuf, sync::Arc};

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file can be used; what is said should be looked at.
    Warning,
    /// The file cannot be used.
    Error,
}

/// A file's path and text, shared by everything that points into it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As the operator named it; shown in front of line and column.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// A place in a file: a byte range of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Bytes of `file.text`.
    pub span: Range<usize>,
}

/// One complaint about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable name, such as `mapping::unknown-attribute`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence that stands alone, names in backticks.
    pub sentence: String,
    /// Where; absent when a whole file is missing or unreadable.
    pub place: Option<Place>,
    /// Shown at the caret: how to mend it.
    pub mending: Option<String>,
}
