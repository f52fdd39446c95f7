//! Complaints as text: sentence, place, line, caret, mending.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Place, Severity};

/// Shows complaints one after the other, an empty line between them.
///
/// With `colour`, ANSI escapes are in the text; the caller knows whether it writes to a terminal.
pub fn render(diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for diagnostic in diagnostics {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one(&renderer, diagnostic));
        text.push('\n');
    }
    text
}

/// `2 errors, 1 warning in mappings/hr.toml`, or `mappings/hr.toml: no complaints`.
pub fn summary(diagnostics: &[Diagnostic], file: &std::path::Path) -> String {
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let counted = [(errors, "error"), (warnings, "warning")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if *count == 1 { "" } else { "s" }))
        .collect::<Vec<_>>()
        .join(", ");
    if counted.is_empty() {
        format!("{}: no complaints", file.display())
    } else {
        format!("{counted} in {}", file.display())
    }
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.sentence.as_str())
        .id(diagnostic.code);
    let group = match &diagnostic.place {
        Some(place) => title.element(snippet(place, diagnostic.mending.as_deref())),
        None => match &diagnostic.mending {
            Some(mending) => title.element(Level::HELP.message(mending.as_str())),
            None => Group::with_title(title),
        },
    };
    renderer.render(&[group])
}

/// The line where the place begins. Only that line is given to the renderer: a file may be long, and a place that covers
/// a whole table is told well enough by its first line.
fn snippet<'a>(
    place: &'a Place,
    mending: Option<&'a str>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = place.file.text.as_str();
    let start = place.span.start;
    let line_start = text
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let line_end = text
        .get(start..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |at| start + at);
    // A place among carriage returns that stray at the end of a line is shown at its end: the renderer goes no further.
    let line = text
        .get(line_start..line_end)
        .unwrap_or("")
        .trim_end_matches('\r');
    let (number, _) = place.file.line_and_column(start);
    let begin = (start - line_start).min(line.len());
    let end = place.span.end.min(line_end).max(start) - line_start;
    let end = end.min(line.len());
    Snippet::source(line)
        .path(place.file.path.display().to_string())
        .line_start(number)
        .annotation(AnnotationKind::Primary.span(begin..end).label(mending))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceFile;

    fn file() -> Arc<SourceFile> {
        Arc::new(SourceFile {
            path: "mappings/hr.toml".into(),
            text: "app = \"hr\"\n'name.firstName' = { field = 'first' }\n".to_owned(),
        })
    }

    #[test]
    fn a_complaint_shows_sentence_place_line_and_mending() {
        let diagnostic = Diagnostic::error(
            "mapping::unknown-attribute",
            "`name.firstName` is not an attribute of `User`.",
        )
        .at(&Place::new(&file(), 11..27))
        .mend("did you mean `name.givenName`?");
        let expected = "\
error[mapping::unknown-attribute]: `name.firstName` is not an attribute of `User`.
 --> mappings/hr.toml:2:1
  |
2 | 'name.firstName' = { field = 'first' }
  | ^^^^^^^^^^^^^^^^ did you mean `name.givenName`?
";
        assert_eq!(render(&[diagnostic], false), expected);
    }

    #[test]
    fn a_complaint_without_a_place_still_says_how_to_mend_it() {
        let diagnostic =
            Diagnostic::warning("file::missing", "`x.toml` is not there.").mend("make it");
        let text = render(&[diagnostic], false);
        assert!(text.starts_with("warning[file::missing]: `x.toml` is not there."));
        assert!(text.contains("make it"), "{text}");
    }

    #[test]
    fn places_at_the_end_or_over_several_lines_are_shown() {
        for span in [0..60, 49..49, 50..50, 10..11, 9..30] {
            let diagnostic = Diagnostic::error("a::b", "x.").at(&Place::new(&file(), span));
            assert!(render(&[diagnostic], false).contains("mappings/hr.toml"));
        }
    }

    #[test]
    fn a_place_among_stray_carriage_returns_is_shown() {
        let file = Arc::new(SourceFile {
            path: "mappings/hr.toml".into(),
            text: "app = \"hr\"\r\r\r\r\nuser = 1\r\r".to_owned(),
        });
        for span in [10..11, 12..13, 12..14, 13..20, 24..24, 22..24] {
            let diagnostic = Diagnostic::error("a::b", "x.").at(&Place::new(&file, span));
            assert!(render(&[diagnostic], false).contains("mappings/hr.toml"));
        }
    }

    #[test]
    fn the_summary_counts() {
        let path = std::path::Path::new("a.toml");
        let error = Diagnostic::error("a::b", "x.");
        let warning = Diagnostic::warning("a::b", "x.");
        assert_eq!(summary(&[], path), "a.toml: no complaints");
        assert_eq!(
            summary(&[error.clone(), error, warning], path),
            "2 errors, 1 warning in a.toml"
        );
    }
}
