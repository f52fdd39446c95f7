//! Text to tokens.

use serde_json::{Number, Value};

use crate::mapping::path::SyntaxError;

use super::MAX_EXPRESSION_BYTES;

/// Where an expression ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the end of the text.
    End,
    /// In front of a `}` that closes nothing in the expression: it stands in a template.
    Brace,
}

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub kind: Kind<'t>,
    /// Bytes from the beginning of the whole text.
    pub position: usize,
    pub length: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'t> {
    /// A name or keyword.
    Word(&'t str),
    Text(String),
    Number(Number),
    /// An operator, bracket, comma, colon or dot.
    Sign(&'t str),
}

/// Longer signs first.
const SIGNS: [&str; 18] = [
    "==", "!=", "<=", ">=", "<", ">", "+", "|", ".", ",", ":", "(", ")", "[", "]", "{", "}", "-",
];

/// All tokens from `start` on, and the position where the expression ends.
pub(super) fn tokens(
    text: &str,
    start: usize,
    stop: Stop,
) -> Result<(Vec<Token<'_>>, usize), SyntaxError> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut at = start;
    let mut open_braces = 0usize;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(c) = rest.chars().next() else {
            break;
        };
        if at - start > MAX_EXPRESSION_BYTES {
            let message = format!("An expression has at most {MAX_EXPRESSION_BYTES} bytes.");
            return Err(SyntaxError::new(start, at - start, message));
        }
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if c == '}' && open_braces == 0 && stop == Stop::Brace {
            break;
        }
        let follows_value = tokens.last().is_some_and(Token::ends_value);
        let (kind, length) = token(rest, at, follows_value)?;
        match kind {
            Kind::Sign("{") => open_braces += 1,
            Kind::Sign("}") => open_braces = open_braces.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token {
            kind,
            position: at,
            length,
        });
        at += length;
    }
    Ok((tokens, at))
}

impl Token<'_> {
    /// Whether a `-` behind it cannot be the sign of a number.
    fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Word(_) | Kind::Text(_) | Kind::Number(_) => true,
            Kind::Sign(sign) => matches!(sign, ")" | "]" | "}"),
        }
    }
}

/// The token at the front, and its length.
fn token(rest: &str, at: usize, follows_value: bool) -> Result<(Kind<'_>, usize), SyntaxError> {
    let first = rest.chars().next().unwrap_or(' ');
    if matches!(first, '"' | '\'') {
        return quoted(rest, first, at).map(|(text, length)| (Kind::Text(text), length));
    }
    let is_negative = first == '-' && !follows_value;
    let digits = rest.strip_prefix('-').unwrap_or(rest);
    if (first.is_ascii_digit() || is_negative) && digits.starts_with(|c: char| c.is_ascii_digit()) {
        return number(rest, at);
    }
    if is_word_start(first) {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word == "$"
            && rest
                .get(end..)
                .is_some_and(|after| after.starts_with(['.', '[']))
        {
            return Err(path_for_name(rest, at));
        }
        return Ok((Kind::Word(word), end));
    }
    if let Some(sign) = SIGNS.into_iter().find(|s| rest.starts_with(s)) {
        return Ok((Kind::Sign(sign), sign.len()));
    }
    let message = format!(
        "`{}` has no meaning in an expression.",
        first.escape_debug()
    );
    let error = SyntaxError::new(at, first.len_utf8(), message);
    Err(match first {
        '=' if rest.starts_with("=~") => {
            error.mend("write `text | match(\"^part\")`, which is absent where nothing matches")
        }
        '=' => error.mend("a comparison is written `==`"),
        '&' => error.mend("write `and`"),
        '!' => error.mend("write `not`"),
        '?' => error.mend("write `a if condition else b`"),
        _ => error,
    })
}

/// A JSONPath where a name stands: it would always be absent.
fn path_for_name(rest: &str, at: usize) -> SyntaxError {
    let is_part = |c: char| is_word(c) || c == '.';
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let path = rest.get(..end).unwrap_or_default().trim_end_matches('.');
    let message = format!("`{path}` is a path; in expressions stand names.");
    let error = SyntaxError::new(at, path.len(), message);
    match path.trim_start_matches(['$', '.']) {
        "" => error.mend("without `$`: `name`, and `name[\"an unusual one\"]`"),
        bare => error.mend(format!("without `$.`: `{bare}`")),
    }
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$' | '@')
}

/// There is no subtraction, so a name may have `-` in it: `settings.server-name`.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '-')
}

/// A text in quotes. `\n`, `\r`, `\t` and `\uXXXX` as in JSON; before anything else that is neither a quote nor a backslash
/// the backslash stays, which suits regular expressions.
fn quoted(rest: &str, quote: char, at: usize) -> Result<(String, usize), SyntaxError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            return Ok((text, offset + 1));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next().map(|(_, c)| c) {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some(c @ ('\\' | '"' | '\'')) => text.push(c),
            Some('u') => {
                let hex = rest.get(offset + 2..offset + 6);
                let code = hex.and_then(|h| u32::from_str_radix(h, 16).ok());
                let Some(c) = code.and_then(char::from_u32) else {
                    let message =
                        "`\\u` is followed by the four hexadecimal digits of a character.";
                    return Err(SyntaxError::new(at + offset, 2, message));
                };
                text.push(c);
                chars.nth(3);
            }
            Some(c) => text.extend(['\\', c]),
            None => break,
        }
    }
    Err(SyntaxError::new(at, rest.len(), "The quote is not closed."))
}

fn number(rest: &str, at: usize) -> Result<(Kind<'_>, usize), SyntaxError> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default();
    match serde_json::from_str(word) {
        Ok(Value::Number(number)) => Ok((Kind::Number(number), end)),
        _ => {
            let message = format!("`{word}` is not a number.");
            Err(SyntaxError::new(at, end, message))
        }
    }
}
