//! The members of an object in the text of valid JSON, without a tree.
//!
//! Nothing is checked that a parser has checked before. Of text that is not valid JSON the members are nonsense, or there are none.

use super::Odd;

/// The members of one object, in order.
pub(super) struct Members<'t> {
    text: &'t str,
    at: usize,
}

/// A member of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member<'t> {
    /// What stands between the quotes, escapes as they are.
    pub name: &'t str,
    /// The value's text, without space around it.
    pub value: &'t str,
}

impl<'t> Members<'t> {
    /// Of a value's text; absent if it is no object.
    pub fn of(value: &'t str) -> Option<Self> {
        value
            .starts_with('{')
            .then_some(Self { text: value, at: 1 })
    }

    /// The next member; absent after the last.
    pub fn next(&mut self) -> Result<Option<Member<'t>>, Odd> {
        let bytes = self.text.as_bytes();
        let start = loop {
            match bytes.get(self.at) {
                Some(b'"') => break self.at + 1,
                Some(b'}') => return Ok(None),
                Some(_) => self.at += 1,
                None => return Err(Odd),
            }
        };
        let end = string_end(bytes, start)?;
        let mut value = end + 1;
        while matches!(bytes.get(value), Some(b':' | b' ' | b'\n' | b'\r' | b'\t')) {
            value += 1;
        }
        self.at = value_end(bytes, value)?;
        let text = |from, to| self.text.get(from..to).ok_or(Odd);
        Ok(Some(Member {
            name: text(start, end)?,
            value: text(value, self.at)?,
        }))
    }
}

/// Where the quote is that ends a string of which `start` is the first byte.
fn string_end(bytes: &[u8], start: usize) -> Result<usize, Odd> {
    let mut at = start;
    loop {
        let rest = bytes.get(at..).ok_or(Odd)?;
        at += memchr::memchr2(b'"', b'\\', rest).ok_or(Odd)?;
        match bytes.get(at) {
            Some(b'"') => return Ok(at),
            _ => at += 2,
        }
    }
}

/// The first byte behind the value that begins at `start`.
fn value_end(bytes: &[u8], start: usize) -> Result<usize, Odd> {
    match bytes.get(start) {
        Some(b'"') => Ok(string_end(bytes, start + 1)? + 1),
        Some(b'{' | b'[') => nested_end(bytes, start),
        Some(_) => {
            let rest = bytes.get(start..).unwrap_or_default();
            let is_end =
                |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            Ok(start + rest.iter().position(is_end).unwrap_or(rest.len()))
        }
        None => Err(Odd),
    }
}

/// The first byte behind the list or object that begins at `start`.
fn nested_end(bytes: &[u8], start: usize) -> Result<usize, Odd> {
    let (mut at, mut depth) = (start, 0u32);
    loop {
        match bytes.get(at).ok_or(Odd)? {
            b'"' => at = string_end(bytes, at + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        match depth {
            0 => return Ok(at),
            // A tree of it would be refused.
            MAX_DEPTH.. => return Err(Odd),
            _ => {}
        }
    }
}

/// Below `serde_json`'s own limit of 128.
const MAX_DEPTH: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Vec<(&str, &str)>, Odd> {
        let mut members = Members::of(text).unwrap();
        let mut all = Vec::new();
        while let Some(member) = members.next()? {
            all.push((member.name, member.value));
        }
        Ok(all)
    }

    #[test]
    fn members_are_found_whatever_is_in_them() {
        let cases: [(&str, &[(&str, &str)]); 6] = [
            ("{}", &[]),
            ("{ }", &[]),
            ("{\"a\":1}", &[("a", "1")]),
            (
                "{ \"a\" : null ,\n\"b\":[1, {\"c\":\"]}\"}] , \"d\\\"\":\"x\\\\\" }",
                &[
                    ("a", "null"),
                    ("b", "[1, {\"c\":\"]}\"}]"),
                    ("d\\\"", "\"x\\\\\""),
                ],
            ),
            ("{\"é\":\"ü\",\"\":{}}", &[("é", "\"ü\""), ("", "{}")]),
            (
                "{\"a\":true,\"a\":-1.5e3}",
                &[("a", "true"), ("a", "-1.5e3")],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(members(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(Members::of("[1]").is_none());
    }

    #[test]
    fn broken_text_is_odd_and_no_panic() {
        for text in [
            "{",
            "{\"",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":[",
            "{\"a\":\"\\",
            "{\"a\":1",
        ] {
            assert_eq!(members(text), Err(Odd), "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(120), "]".repeat(120));
        assert_eq!(members(&deep), Err(Odd));
    }
}
