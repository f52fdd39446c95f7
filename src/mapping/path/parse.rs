//! The text of places and of singular JSONPaths.

use serde_json::Value;

use super::{SyntaxError, place::Step};

/// The longest path, in bytes. Real ones have some 60.
pub(super) const MAX_PATH_BYTES: usize = 1024;

/// The greatest index that can be written: a list is filled up to it with nulls.
const MAX_INDEX: usize = 999;

/// Reads a bare place: `a.b[0]`, `fields[id=4].value`, `['first name'].x`, or nothing.
pub(super) fn bare(text: &str) -> Result<Vec<Step>, SyntaxError> {
    if text.len() > MAX_PATH_BYTES {
        let message = format!("A path has at most {MAX_PATH_BYTES} bytes.");
        return Err(SyntaxError::new(0, text.len(), message));
    }
    let mut reader = Reader { text, at: 0 };
    let mut steps = Vec::new();
    while reader.at < text.len() {
        if reader.eat('[') {
            steps.push(reader.bracket()?);
        } else {
            if !steps.is_empty() && !reader.eat('.') {
                return Err(reader.unexpected());
            }
            if reader.eat('[') {
                return Err(
                    SyntaxError::new(reader.at - 2, 1, "A dot comes before `[`.")
                        .mend("remove the dot"),
                );
            }
            steps.push(reader.name()?);
        }
    }
    Ok(steps)
}

/// Reads an RFC 9535 path of names and indexes only. Absent: anything else, which the engine may know.
pub(super) fn singular(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (name, after) = tail.split_at(end);
            if !is_shorthand(name) {
                return None;
            }
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        } else {
            let tail = rest.strip_prefix('[')?;
            let (step, after) = quoted_member(tail).or_else(|| plain_index(tail))?;
            steps.push(step);
            rest = after.strip_prefix(']')?;
        }
    }
    Some(steps)
}

/// Whether a member's name needs no quotes in a bare path.
pub(super) fn is_bare_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_bare)
}

fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !".[]{}()'\"*?,=<>|&!`\\".contains(c)
}

/// The shorthand names of RFC 9535 §2.5.1.1, and those with `-` inside: many an API has them, and nothing else is meant.
fn is_shorthand(name: &str) -> bool {
    let is_first = |c: char| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii();
    let is_next = |c: char| is_first(c) || c.is_ascii_digit() || c == '-';
    name.starts_with(is_first) && name.chars().all(is_next)
}

/// The path with shorthand names that have `-` in them in quotes, as RFC 9535 wants them. Conditions stay as they are.
pub(super) fn with_quoted_names(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut depth = 0usize;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        let (front, after) = rest.split_at(end);
        let is_name = quoted.ends_with('.') && depth == 0;
        if is_name && front.contains('-') && is_shorthand(front) {
            if !quoted.ends_with("..") {
                quoted.pop();
            }
            quoted.extend(["['", front, "']"]);
            rest = after;
            continue;
        }
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        quoted.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    quoted
}

/// `'name'` or `"name"` without escapes.
fn quoted_member(text: &str) -> Option<(Step, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, after) = text.get(1..)?.split_once(quote)?;
    let is_plain = !name.contains('\\') && !name.contains(char::is_control);
    is_plain.then(|| (Step::Member(name.to_owned()), after))
}

/// An index that is not negative and has no leading zero.
fn plain_index(text: &str) -> Option<(Step, &str)> {
    let end = text.find(']')?;
    let (digits, after) = text.split_at(end);
    let is_index = digits.bytes().all(|b| b.is_ascii_digit());
    let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
    if !is_index || has_leading_zero {
        return None;
    }
    let index = digits.parse().ok().filter(|i| *i <= MAX_INDEX)?;
    Some((Step::Index(index), after))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, c: char) -> bool {
        let is_there = self.rest().starts_with(c);
        if is_there {
            self.at += c.len_utf8();
        }
        is_there
    }

    fn unexpected(&self) -> SyntaxError {
        match self.rest().chars().next() {
            None => SyntaxError::new(self.at, 0, "The path ends too early."),
            Some(c) => {
                let message = format!("`{}` cannot stand here in a path.", c.escape_debug());
                SyntaxError::new(self.at, c.len_utf8(), message)
            }
        }
    }

    fn name(&mut self) -> Result<Step, SyntaxError> {
        let rest = self.rest();
        let end = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            let error = self.unexpected();
            return Err(match rest.chars().next() {
                Some('.') => error.mend("remove one of the dots"),
                Some('*') => error.mend("a path that begins with `$` may have `[*]`"),
                Some(found) => error.mend(instead_of(found)),
                None => error.mend("write a name behind the dot"),
            });
        }
        if !after.is_empty() && !after.starts_with(['.', '[']) {
            self.at += end;
            let mending = after.chars().next().map_or("", instead_of);
            return Err(self.unexpected().mend(mending));
        }
        self.at += end;
        Ok(Step::Member(name.to_owned()))
    }

    /// What stands in brackets; the opening one is read already.
    fn bracket(&mut self) -> Result<Step, SyntaxError> {
        let start = self.at;
        if self.rest().starts_with(['\'', '"']) {
            let name = self.quoted()?;
            return self.close().map(|()| Step::Member(name));
        }
        let rest = self.rest();
        let end = rest.find(['=', ']']).unwrap_or(rest.len());
        let inner = rest.get(..end).unwrap_or_default().trim();
        self.at += end;
        if self.eat('=') {
            if !is_bare_name(inner) {
                return Err(SyntaxError::new(
                    start,
                    end,
                    "The key of an element must be a plain name.",
                )
                .mend("write `[id=4]`"));
            }
            self.eat('=');
            let value = self.literal()?;
            self.close()?;
            let key = inner.to_owned();
            return Ok(Step::Keyed { key, value });
        }
        let index = inner.parse().ok().filter(|i| *i <= MAX_INDEX);
        let Some(index) = index else {
            let message = "Brackets hold an index, a quoted name, or a key with its value.";
            return Err(
                SyntaxError::new(start, end, message).mend("write `[0]`, `['a name']` or `[id=4]`")
            );
        };
        self.close().map(|()| Step::Index(index))
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        while self.eat(' ') {}
        if self.eat(']') {
            return Ok(());
        }
        Err(SyntaxError::new(self.at, 0, "The bracket is not closed.").mend("write `]` here"))
    }

    /// A text in quotes; a backslash keeps the next character as it is.
    fn quoted(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map(|(_, c)| c);
        let mut text = String::new();
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c if Some(c) == quote => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        let length = self.text.len() - start;
        Err(SyntaxError::new(start, length, "The quote is not closed."))
    }

    /// The value of a key: a number, a quoted text, true or false.
    fn literal(&mut self) -> Result<Value, SyntaxError> {
        while self.eat(' ') {}
        if self.rest().starts_with(['\'', '"']) {
            return self.quoted().map(Value::String);
        }
        let rest = self.rest();
        let end = rest.find(']').unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().trim();
        match serde_json::from_str(word) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => {
                self.at += end;
                Ok(value)
            }
            _ => {
                let message = "The value of a key must be a number, a quoted text, true or false.";
                Err(SyntaxError::new(self.at, end, message)
                    .mend(format!("put the text in quotes: `\"{word}\"`")))
            }
        }
    }
}

/// What to write where a sign cannot stand.
fn instead_of(sign: char) -> &'static str {
    match sign {
        '!' => {
            "the opposite is said by pairs: `{ field = 'blocked', values = { true = false, false = true } }`"
        }
        '{' => {
            "a name in a template stands in braces alone, `{given}`; `${NAME}` is an environment variable"
        }
        _ => "put an unusual name in quotes: `['first name']`",
    }
}
