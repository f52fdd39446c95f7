//! A filter's text as tokens.

use super::FilterError;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A JSON string, unescaped.
    Text(String),
    /// Anything else up to a space, bracket, parenthesis or quote.
    Word(&'a str),
    End,
}

/// Reads tokens one at a time.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the next token may start, in bytes.
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, position: usize) -> Self {
        Self { text, position }
    }

    /// Where the token read last ends, in bytes.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next token and where it starts.
    pub(super) fn read(&mut self) -> Result<(Token<'a>, usize), FilterError> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let start = self.position + (rest.len() - trimmed.len());
        let Some(first) = trimmed.chars().next() else {
            self.position = start;
            return Ok((Token::End, start));
        };
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::OpenBracket, 1),
            ']' => (Token::CloseBracket, 1),
            '"' => read_text(trimmed, start)?,
            _ => {
                let length = trimmed.find(ends_word).unwrap_or(trimmed.len());
                (
                    Token::Word(trimmed.get(..length).unwrap_or_default()),
                    length,
                )
            }
        };
        self.position = start + length;
        Ok((token, start))
    }

    /// Goes on reading at `position`, in bytes; for lenient reading.
    pub(super) fn go_back_to(&mut self, position: usize) {
        self.position = position;
    }

    /// Reads a text in quotes other than `"` whose opening quote stands at `start`; for lenient reading.
    pub(super) fn read_quoted(&mut self, start: usize) -> Result<String, FilterError> {
        let missing = || FilterError::new(start, "the closing quote is missing");
        let quoted = self.text.get(start..).unwrap_or_default();
        let opening = quoted.chars().next().ok_or_else(missing)?;
        let inner = quoted.get(opening.len_utf8()..).unwrap_or_default();
        let is_closing = |c: char| match opening {
            '\'' => c == '\'',
            '\u{2018}' | '\u{201a}' => matches!(c, '\u{2018}' | '\u{2019}'),
            _ => matches!(c, '\u{201c}' | '\u{201d}'),
        };
        let (end, closing) = inner
            .char_indices()
            .find(|(_, c)| is_closing(*c))
            .ok_or_else(missing)?;
        self.position = start + opening.len_utf8() + end + closing.len_utf8();
        Ok(inner.get(..end).unwrap_or_default().to_owned())
    }
}

/// Whether a text begins with a quote that word processors make of `"` or `'`.
pub(super) fn is_typographic_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201a}' | '\u{201c}'..='\u{201e}')
}

fn ends_word(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"')
}

/// Reads the JSON string at the beginning of `rest`; gives its content and its length with quotes.
fn read_text<'a>(rest: &str, start: usize) -> Result<(Token<'a>, usize), FilterError> {
    let mut is_escaped = false;
    let end = rest.bytes().enumerate().skip(1).find(|(_, byte)| {
        let closes = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        closes
    });
    let Some((end, _)) = end else {
        return Err(FilterError::new(start, "the closing quote is missing"));
    };
    let literal = rest.get(..=end).unwrap_or_default();
    match serde_json::from_str(literal) {
        Ok(text) => Ok((Token::Text(text), end + 1)),
        Err(_) => Err(FilterError::new(
            start,
            "the text is not a valid JSON string",
        )),
    }
}
