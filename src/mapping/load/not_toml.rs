//! What is said of a file that is not TOML: one complaint for each slip, none for what follows from it.

use std::sync::Arc;

use toml::de::Error;

use crate::diagnostic::{Diagnostic, Place, SourceFile};

use super::quiet::{self, line_of};

/// The complaints about the parser's errors, in the order of the file.
pub(super) fn complaints(file: &Arc<SourceFile>, errors: &[Error]) -> Vec<Diagnostic> {
    if errors.is_empty() {
        return Vec::new();
    }
    if let Some((at, what, mending)) = other_format(&file.text) {
        let place = Place::new(file, at..at + 1);
        let sentence = format!("The file is not TOML: {what}.");
        return vec![
            Diagnostic::error("toml::syntax", sentence)
                .at(&place)
                .mend(mending),
        ];
    }
    let mut slips: Vec<(Place, &Error)> = errors
        .iter()
        .map(|error| (Place::new(file, error.span().unwrap_or(0..0)), error))
        .collect();
    slips.sort_by_key(|(place, _)| place.span.start);
    // A bracket that is never closed makes the parser stumble over every line after it: only the first tells something.
    let is_unclosed = errors
        .iter()
        .any(|error| error.message().starts_with("unclosed"));
    let told = first_ones(file, slips, if is_unclosed { 1 } else { MOST });
    let shown = without_secrets(file, &told);
    told.iter()
        .map(|(place, error)| complaint(&Place::new(&shown, place.span.clone()), error))
        .collect()
}

/// The errors that are slips of their own, at most so many.
fn first_ones<'e>(
    file: &Arc<SourceFile>,
    slips: Vec<(Place, &'e Error)>,
    most: usize,
) -> Vec<(Place, &'e Error)> {
    let mut told: Vec<(Place, &Error)> = Vec::new();
    // The line of the last one, and whether it is the header of a table that stands twice.
    let (mut last, mut in_double) = (usize::MAX, false);
    for (place, error) in slips {
        if told.len() >= most {
            break;
        }
        let (start, line) = line_of(&place);
        let is_header = line.trim_start().starts_with('[');
        let is_double = is_double(error);
        // The keys below a table that stands twice are no mistakes of their own.
        let is_below = in_double && is_double && !is_header && is_same_table(file, last, start);
        if start == last || is_below {
            continue;
        }
        (last, in_double) = (start, is_double && is_header);
        told.push((place, error));
    }
    told
}

fn is_double(error: &Error) -> bool {
    error.message().contains("duplicate key")
}

fn complaint(place: &Place, error: &Error) -> Diagnostic {
    let sentence = format!("The file is not TOML: {}.", sentence(error.message()));
    let complaint = Diagnostic::error("toml::syntax", sentence).at(place);
    // The usual mending says how to close.
    let is_open = error.message().starts_with("unclosed");
    if error.message().contains("type inline table")
        && let Some(mending) = in_braces(place)
    {
        return complaint.mend(mending);
    }
    let mending = mending(place, line_of(place).1, is_double(error));
    match mending.filter(|_| !is_open) {
        Some(mending) => complaint.mend(mending),
        None => complaint,
    }
}

/// The file with stars for what may be a secret in the lines that are shown.
fn without_secrets(file: &Arc<SourceFile>, told: &[(Place, &Error)]) -> Arc<SourceFile> {
    let mut text = file.text.clone();
    for (place, _) in told {
        let (start, line) = line_of(place);
        for secret in quiet::of_broken_line(line) {
            let value = line.get(secret.clone()).unwrap_or_default();
            let star = |c: char| match c {
                ' ' | '"' | '\'' => c.to_string(),
                c => "*".repeat(c.len_utf8()),
            };
            let stars: String = value.chars().map(star).collect();
            text.replace_range(start + secret.start..start + secret.end, &stars);
        }
    }
    let path = file.path.clone();
    Arc::new(SourceFile { path, text })
}

/// Syntax errors told of one file.
const MOST: usize = 20;

/// The parser's message in one line.
fn sentence(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// Whether no header stands between the line of a header and another line.
fn is_same_table(file: &SourceFile, header: usize, line: usize) -> bool {
    let between = file.text.get(header..line).unwrap_or_default();
    between
        .lines()
        .skip(1)
        .all(|line| !line.trim_start().starts_with('['))
}

/// A file that is something else as a whole: where that shows, what it is, what to do.
fn other_format(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let conflict = |mark: &str| {
        let mut at = 0;
        text.split_inclusive('\n').find_map(|line| {
            at += line.len();
            line.starts_with(mark).then_some(at - line.len())
        })
    };
    if let Some(at) = conflict("<<<<<<< ").or_else(|| conflict(">>>>>>> ")) {
        return Some((
            at,
            "a merge left its marks in it",
            "keep one of the two versions, and take out the lines with `<<<<<<<`, `=======` and `>>>>>>>`",
        ));
    }
    if text.contains('\r') && !text.contains('\n') {
        let at = text.find('\r').unwrap_or(0);
        return Some((
            at,
            "its lines end with a carriage return alone",
            "save it with the line ends of Unix or Windows",
        ));
    }
    let begin = text.len() - text.trim_start().len();
    let first = text.trim_start();
    let inside = first.get(1..).unwrap_or_default().trim_start();
    let convert = "a mapping is written in TOML: docs/mapping.md begins with one";
    if first.starts_with('{') && inside.starts_with(['"', '}']) {
        return Some((begin, "it looks like JSON", convert));
    }
    if first.starts_with('<') {
        return Some((
            begin,
            "it looks like XML or HTML",
            "is this the right file?",
        ));
    }
    let lines = || {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    let is_yaml = |line: &str| {
        let key = line
            .trim_start_matches("- ")
            .split(": ")
            .next()
            .unwrap_or_default();
        let key = key.strip_suffix(':').unwrap_or(key);
        line == "---"
            || (line.contains(": ") || line.ends_with(':'))
                && key
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-_.\"'".contains(c))
    };
    let count = lines().count();
    if count > 1 && lines().filter(|line| is_yaml(line)).count() * 2 > count {
        return Some((begin, "it looks like YAML", convert));
    }
    if count > 1 && lines().all(|line| line.starts_with(['+', '-', '@'])) {
        return Some((begin, "it looks like a patch", "is this the right file?"));
    }
    None
}

/// A table that was written in braces further up, and is complete with them.
fn in_braces(place: &Place) -> Option<String> {
    let name = place.text();
    let before = place.file.text.get(..place.span.start)?;
    let begins = |line: &&str| {
        let value = line.trim_start().strip_prefix(name).map(str::trim_start);
        value.is_some_and(|value| value.starts_with('='))
    };
    let number = before.lines().count() - before.lines().rev().position(|line| begins(&line))?;
    Some(format!(
        "`{name}` is complete with the braces in line {number}: put this inside them, or give `{name}` a table of its own, `[….{name}]`, with a line for each key"
    ))
}

/// How a slip that many make is mended, told by the line it stands in.
fn mending(place: &Place, line: &str, is_double: bool) -> Option<String> {
    if is_double {
        return Some(match earlier(place, line) {
            Some(number) if line.trim_start().starts_with('[') => {
                format!(
                    "it stands in line {number} already: put its keys there, or take one of the two out"
                )
            }
            Some(number) => format!("it stands in line {number} already: take one of the two out"),
            None => "take one of the two out".to_owned(),
        });
    }
    let (left, right) = line.split_once(" = ").unwrap_or((line, ""));
    let left = left.trim();
    let is_bare = left.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_bare && left.contains('[') && left.contains(" eq ") {
        return Some(format!("put the left side in quotes: `'{left}' = …`"));
    }
    if left.starts_with("urn:") {
        return Some("put the left side in quotes: `'urn:…:User:department' = …`".to_owned());
    }
    of_signs(place, line).or_else(|| of_words(place, right, line))
}

/// A sign that does not belong where it stands.
fn of_signs(place: &Place, line: &str) -> Option<String> {
    let text = place.file.text.as_str();
    let at = text.get(place.span.start..)?.chars().next();
    let before = text.get(..place.span.start)?.chars().next_back();
    let trimmed = line.trim();
    let word = place.text();
    if word.starts_with(TYPOGRAPHIC) {
        return Some("these are typographic quotes: write `\"` or `'`".to_owned());
    }
    if at.is_some_and(|c| !c.is_ascii() && (c.is_whitespace() || c == '\u{200b}')) {
        return Some("this is no plain blank, but looks like one: take it out".to_owned());
    }
    if trimmed.starts_with("//") || trimmed.starts_with("/*") || trimmed.starts_with("--") {
        return Some("a comment begins with `#`".to_owned());
    }
    if line.contains("{{") && line.contains("}}") && !line.contains(['"', '\'']) {
        return Some("`{{ … }}` was not filled in, or stands without quotes".to_owned());
    }
    if at == Some(';') {
        return Some("take out the `;`: a line ends by itself".to_owned());
    }
    if before == Some('\\')
        || line
            .get(..place.span.start - line_of(place).0)
            .is_some_and(|b| b.ends_with("\\u"))
    {
        return Some(
            "in double quotes a backslash begins an escape: write the text in single quotes, `'…'`"
                .to_owned(),
        );
    }
    if line.contains(": ") && !line.contains('=') {
        return Some("write `key = value`: TOML has `=`, not `:`".to_owned());
    }
    let is_second_key = line
        .get(place.span.start - line_of(place).0..)
        .and_then(|rest| rest.strip_prefix(','))
        .and_then(|rest| rest.split_once('='))
        .is_some_and(|(key, _)| key.trim().chars().all(|c| c.is_alphanumeric() || c == '-'));
    if is_second_key && line.matches(['{', '[']).count() == line.matches(['}', ']']).count() {
        return Some("one key a line, without commas between them; or a table in braces: `x = { a = 1, b = 2 }`".to_owned());
    }
    if before == Some('"')
        && line.matches('"').count() > 2
        && line.contains('=')
        && !line.trim_start().starts_with('"')
    {
        return Some(
            "a text in double quotes ends at the next one: put it in single quotes, `'…'`"
                .to_owned(),
        );
    }
    None
}

/// A word without quotes, or one that is misspelt.
fn of_words(place: &Place, right: &str, line: &str) -> Option<String> {
    let word = place.text().trim();
    if word == "null" {
        return Some(NO_NULL.to_owned());
    }
    let lower = word.to_ascii_lowercase();
    for (flag, others) in [("true", ["yes", "on"]), ("false", ["no", "off"])] {
        let is_begun = word.len() > 1 && flag.starts_with(&lower) && word != flag;
        if is_begun || others.contains(&lower.as_str()) {
            return Some(format!("did you mean `{flag}`?"));
        }
    }
    let mut parts = word.split_whitespace();
    if let (Some(value), Some(key), None) = (parts.next(), parts.next(), parts.next())
        && line.contains('{')
        && value.chars().all(|c| c.is_ascii_digit())
    {
        return Some(format!(
            "put a comma between two keys: `{value}, {key} = …`"
        ));
    }
    if !line.contains('=') && word.len() <= 1 {
        return Some("write `key = value`".to_owned());
    }
    let before_sign = line.split('=').next().unwrap_or_default().trim();
    let is_key = place.span.start < line_of(place).0 + line.find('=').unwrap_or(0);
    if is_key && before_sign.contains(' ') && !before_sign.contains(['"', '\'', '[']) {
        return Some(format!(
            "a key has no blank in it: `{}`",
            before_sign.replace(' ', "-")
        ));
    }
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_number = word.starts_with(|c: char| c.is_ascii_digit());
    let is_plain = is_word && right.trim_start().starts_with(word);
    let quote = if is_number { '"' } else { '\'' };
    is_plain.then(|| format!("put a text in quotes: `{quote}{word}{quote}`"))
}

/// How a null is said.
const NO_NULL: &str = "TOML has no null: in a body or a constant write `\"{null}\"`, and in an example give the whole reply as JSON text, `reply = '{\"a\": null}'`";

/// Quotes of word processors.
const TYPOGRAPHIC: [char; 7] = ['“', '”', '„', '‘', '’', '«', '»'];

/// The line, counted from 1, where a key or a table stood first.
fn earlier(place: &Place, line: &str) -> Option<usize> {
    let before = place.file.text.get(..line_of(place).0)?;
    let name = |line: &str| match line.trim_start().starts_with('[') {
        true => line.split('#').next().map(|line| line.trim().to_owned()),
        false => line.split('=').next().map(|key| key.trim().to_owned()),
    };
    let wanted = name(line)?;
    let lines: Vec<&str> = before.lines().collect();
    let is_header = wanted.starts_with('[');
    // A key is looked for in its own table only.
    let own = lines
        .iter()
        .enumerate()
        .rev()
        .take_while(|(_, line)| is_header || !line.trim_start().starts_with('['));
    let found = own
        .filter(|(_, line)| name(line).as_ref() == Some(&wanted))
        .last();
    found.map(|(at, _)| at + 1)
}
