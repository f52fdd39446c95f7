//! Complaints about files, for operators.
//!
//! In: a code, a sentence, a place in a file, how to mend it. Out: text like rustc's. Knows nothing of mappings.

mod collection;
mod render;
mod suggest;

use std::{
    io::ErrorKind,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use collection::Diagnostics;
pub use render::{render, summary};
pub use suggest::closest;

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
    /// Stable name, such as `mapping::unknown-attribute`; `docs/diagnostics.md` explains each.
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

impl SourceFile {
    /// Takes a file's bytes as text. A byte order mark in front is left out.
    ///
    /// # Errors
    ///
    /// `file::not-text` if the bytes are no UTF-8, `file::too-large` above [`MOST_BYTES`].
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        let path = path.into();
        if bytes.len() > MOST_BYTES {
            return Err(Diagnostic::error(
                "file::too-large",
                format!(
                    "`{}` has {} bytes, more than {MOST_BYTES}.",
                    path.display(),
                    bytes.len()
                ),
            )
            .mend("is this the right file? A mapping is a few kilobytes of TOML"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = match text.strip_prefix('\u{feff}') {
                    Some(rest) => rest.to_owned(),
                    None => text,
                };
                Ok(Self { path, text })
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Err(not_text(&path, error.as_bytes(), at))
            }
        }
    }

    /// The complaint about a file that cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
        let mending = match error.kind() {
            ErrorKind::NotFound => "is the name right? It is looked for from the working directory",
            ErrorKind::PermissionDenied => "let this user read it, or run as another",
            ErrorKind::IsADirectory => "name a file in it",
            _ => "see that the file can be read here",
        };
        let mut reason = error.to_string();
        if let Some(code) = reason.find(" (os error") {
            reason.truncate(code);
        }
        let sentence = format!(
            "`{}` cannot be read: {}.",
            path.display(),
            reason.to_lowercase()
        );
        Diagnostic::error("file::unreadable", sentence).mend(mending)
    }

    /// Line and column of a byte, both counted from 1; columns are characters.
    pub fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..floor(&self.text, byte)).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl Place {
    /// A place in a file; the range is cut to the file's text and to whole characters.
    pub fn new(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        let start = floor(&file.text, span.start);
        let end = floor(&file.text, span.end).max(start);
        Self {
            file: Arc::clone(file),
            span: start..end,
        }
    }

    /// The text that stands there.
    pub fn text(&self) -> &str {
        self.file.text.get(self.span.clone()).unwrap_or("")
    }
}

impl std::fmt::Display for Place {
    /// `mappings/hr.toml:14:1`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.file.line_and_column(self.span.start);
        write!(f, "{}:{line}:{column}", self.file.path.display())
    }
}

impl Diagnostic {
    /// A complaint that keeps the file from being used.
    pub fn error(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, sentence.into())
    }

    /// A complaint that should be looked at.
    pub fn warning(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, sentence.into())
    }

    /// The same, pointing at a place.
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same, saying how to mend it.
    pub fn mend(mut self, mending: impl Into<String>) -> Self {
        self.mending = Some(mending.into());
        self
    }

    /// Whether it keeps the file from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn new(code: &'static str, severity: Severity, sentence: String) -> Self {
        Self {
            code,
            severity,
            sentence,
            place: None,
            mending: None,
        }
    }
}

/// The largest file taken: a mapping is a few kilobytes, and everything is kept in memory for pointing into it.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What is said of bytes that are no UTF-8 from one on.
fn not_text(path: &Path, bytes: &[u8], at: usize) -> Diagnostic {
    let before = bytes.get(..at).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(before.rsplit(|b| *b == b'\n').next().unwrap_or_default());
    let column = column.chars().count() + 1;
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let (place, mending) = match is_utf16 {
        true => ("it is UTF-16".to_owned(), "save the file as UTF-8"),
        false => (
            format!("line {line}, column {column}"),
            "save the file as UTF-8: an editor may call what it is now Latin-1, ANSI or Windows-1252",
        ),
    };
    let sentence = format!("`{}` is not UTF-8 text ({place}).", path.display());
    Diagnostic::error("file::not-text", sentence).mend(mending)
}

/// The nearest character boundary at or before a byte, within the text.
fn floor(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_never_leave_the_text_nor_cut_a_character() {
        let file = Arc::new(SourceFile {
            path: "a.toml".into(),
            text: "ä = 1\nb".to_owned(),
        });
        assert_eq!(Place::new(&file, 1..99).span, 0..8);
        #[expect(clippy::reversed_empty_ranges, reason = "what is tested")]
        let reversed = Place::new(&file, 6..2);
        assert_eq!(reversed.text(), "");
        assert_eq!(Place::new(&file, 7..8).to_string(), "a.toml:2:1");
        assert_eq!(file.line_and_column(2), (1, 2));
    }

    #[test]
    fn a_file_that_is_no_text_is_a_complaint() {
        let error = SourceFile::from_bytes("x.toml", vec![0xff, 0xfe]).unwrap_err();
        assert_eq!(error.code, "file::not-text");
        let file = SourceFile::from_bytes("x.toml", "\u{feff}a = 1".into()).unwrap();
        assert_eq!(file.text, "a = 1");
        let large = vec![b' '; MOST_BYTES + 1];
        assert_eq!(
            SourceFile::from_bytes("x.toml", large).unwrap_err().code,
            "file::too-large"
        );
    }
}
