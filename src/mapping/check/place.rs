//! Where in a file a name or a field stands that is known by its text alone.

use crate::diagnostic::Place;

/// The line of a constant, near the call of its operation.
pub(super) fn place_of_constant(call: &Place, field: &str) -> Place {
    let around = surroundings(call);
    let text = call.file.text.get(around.clone()).unwrap_or_default();
    match text.find(field) {
        Some(at) => Place::new(
            &call.file,
            around.start + at..around.start + at + field.len(),
        ),
        None => call.clone(),
    }
}

/// The place of the name itself: in the text of the call, or else in the table or line that the call stands in.
pub(super) fn narrowed(place: &Place, dotted: &str) -> Place {
    let around = surroundings(place);
    let found = word_in(place.text(), dotted).map(|at| place.span.start + at);
    let found = found.or_else(|| {
        let text = place.file.text.get(around.clone())?;
        word_in(text, dotted).map(|at| around.start + at)
    });
    // A section's `with` stands apart from the calls.
    let found = found.or_else(
        || match words_in(&place.file.text, dotted).collect::<Vec<_>>()[..] {
            [at] => Some(at),
            _ => None,
        },
    );
    match found {
        Some(start) => Place::new(&place.file, start..start + dotted.len()),
        None => place.clone(),
    }
}

/// The table that a key stands in; a table written in one line is that line.
fn surroundings(place: &Place) -> std::ops::Range<usize> {
    let text = &place.file.text;
    let (before, after) = text
        .split_at_checked(place.span.start)
        .unwrap_or((text, ""));
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    if before.get(line..).is_some_and(|line| line.contains('{')) {
        let end = after.find('\n').unwrap_or(after.len());
        return line..place.span.start + end;
    }
    let start = before.rfind("\n[").map_or(0, |at| at + 1);
    let end = after.find("\n[").unwrap_or(after.len());
    start..place.span.start + end
}

/// Where a name stands by itself, not as a part of another, and not as the key of a line. Within braces first: elsewhere it
/// may be a field of the same name.
fn word_in(text: &str, name: &str) -> Option<usize> {
    let is_in_braces = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        let inside = before
            .rfind(['{', '}'])
            .and_then(|brace| before.get(brace..));
        let inside = inside.and_then(|inside| inside.strip_prefix('{'));
        // What assigns is a table of TOML.
        inside.is_some_and(|inside| !inside.contains('\n') && !inside.contains(" = "))
    };
    let mut words = words_in(text, name);
    let first = words.next()?;
    let braced = std::iter::once(first).chain(words).find(is_in_braces);
    Some(braced.unwrap_or(first))
}

fn words_in<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = text.get(..*at).and_then(|t| t.chars().next_back());
            let after = text.get(at + name.len()..).unwrap_or_default();
            let is_key =
                after.trim_start().starts_with('=') && !after.trim_start().starts_with("==");
            !before.is_some_and(|c| is_part(c) || c == '.')
                && !after.starts_with(is_part)
                && !is_key
        })
}
