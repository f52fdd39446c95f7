//! The application's ids as SCIM ids, both ways.
//!
//! A SCIM id stands in a path segment of the client's requests, where the edge accepts no encoded `/`, `\` or control
//! character (promise P8). In a SCIM id such a character is `~` and two upper-case hexadecimal digits for each of its bytes in
//! UTF-8, and a `~` that could be read as such an escape is escaped itself; every other id is itself. Clients keep ids for
//! years: what is written here is read by every later version.

use std::borrow::Cow;

use regex::Regex;
use serde_json::{Map, Value};

use crate::mapping::path::JsonPath;

/// Where the application's id of an object is.
#[derive(Debug)]
pub struct IdRule {
    /// Read from an object of the application.
    pub from: JsonPath,
    /// Whether it never changes, and so serves as the SCIM id. If not, the gateway mints one and keeps the link.
    pub is_stable: bool,
    /// Whether the application has it as a JSON number: how it is written into bodies.
    pub is_number: bool,
    /// What it must look like; absent: as every value that is put into a path (`[target] id-pattern`).
    pub pattern: Option<Regex>,
    /// Put in front of it where it serves as the SCIM id; empty: nothing. A SCIM id is unique among all resource types
    /// (RFC 7643 §3.1), which an application that counts each kind by itself does not give.
    pub prefix: String,
}

impl IdRule {
    /// Puts an id into an object that does not hold its own. Nothing and an empty object are no answer and stay as they are.
    pub fn put_into(&self, object: &mut Value, id: Value) {
        let has_members = object.as_object().is_some_and(|object| !object.is_empty());
        let is_silent = has_members && self.from.first(object).is_none_or(Value::is_null);
        if is_silent && let Some(place) = self.from.as_place() {
            place.write(object, id);
        }
    }

    /// A row as an object: one that is a text or a number is the id, in its place.
    pub fn as_object<'r>(&self, row: &'r Value) -> Cow<'r, Value> {
        if !matches!(row, Value::String(_) | Value::Number(_)) {
            return Cow::Borrowed(row);
        }
        match self.from.as_place().filter(|place| !place.is_whole()) {
            Some(place) => {
                let mut object = Value::Object(Map::new());
                place.write(&mut object, row.clone());
                Cow::Owned(object)
            }
            None => Cow::Borrowed(row),
        }
    }

    /// The SCIM id that a stable id of the application serves as.
    pub fn to_scim(&self, target_id: &str) -> String {
        format!("{}{}", self.prefix, escaped(target_id))
    }

    /// The application's id in a SCIM id. Absent if it has not the prefix, if [`to_scim`](Self::to_scim) would write the id
    /// in another way (a resource has one id), or if it has a dot segment, which no application is ever sent.
    pub fn from_scim<'i>(&self, scim_id: &'i str) -> Option<Cow<'i, str>> {
        let text = scim_id.strip_prefix(self.prefix.as_str())?;
        let target_id = unescaped(text)?;
        let is_canonical = escaped(&target_id) == text;
        (is_canonical && !has_dots(&target_id)).then_some(target_id)
    }
}

fn escaped(id: &str) -> Cow<'_, str> {
    if !id.contains(|c| c == '~' || cannot_stand(c)) {
        return id.into();
    }
    let mut text = String::with_capacity(id.len() + 2);
    for (at, c) in id.char_indices() {
        let rest = id.get(at..).unwrap_or_default();
        if cannot_stand(c) || escape_at(rest).is_some() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                text.push_str(&format!("~{byte:02X}"));
            }
        } else {
            text.push(c);
        }
    }
    text.into()
}

/// Absent if the escapes give no UTF-8.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('~') {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (byte, length) = match escape_at(rest) {
            Some(byte) => (Some(byte), ESCAPE_LENGTH),
            None => (None, c.len_utf8()),
        };
        match byte {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8(bytes).ok().map(Cow::from)
}

/// The byte that the escape a text begins with stands for.
fn escape_at(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('~')?.get(..ESCAPE_LENGTH - 1)?;
    let is_ours = |digit: u8| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit);
    digits.bytes().all(is_ours).then_some(())?;
    u8::from_str_radix(digits, 16).ok()
}

/// What the edge refuses in a path segment, however it is encoded.
fn cannot_stand(c: char) -> bool {
    c == '/' || c == '\\' || c.is_control()
}

/// `a/../b`: an application that decodes before it looks at the dots would be led elsewhere.
fn has_dots(id: &str) -> bool {
    id.split(['/', '\\'])
        .map(|segment| segment.split(';').next().unwrap_or(segment))
        .any(|name| name == "." || name == "..")
}

/// `~2F`.
const ESCAPE_LENGTH: usize = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(prefix: &str) -> IdRule {
        IdRule {
            pattern: None,
            from: JsonPath::parse("$.id").unwrap(),
            is_stable: true,
            is_number: false,
            prefix: prefix.to_owned(),
        }
    }

    #[test]
    fn an_id_is_escaped_only_where_a_path_cannot_hold_it_and_always_in_the_same_way() {
        for (target_id, scim_id) in [
            ("7", "g-7"),
            ("Team A & Co", "g-Team A & Co"),
            ("~ada", "g-~ada"),
            ("Team A & Co/x", "g-Team A & Co~2Fx"),
            ("a\\b\u{7f}", "g-a~5Cb~7F"),
            ("\u{85}", "g-~C2~85"),
            ("a~2Fb", "g-a~7E2Fb"),
            ("a~2fb", "g-a~2fb"),
            ("~~2F/", "g-~~7E2F~2F"),
            ("~2/", "g-~2~2F"),
        ] {
            assert_eq!(rule("g-").to_scim(target_id), scim_id);
            assert_eq!(rule("g-").from_scim(scim_id).as_deref(), Some(target_id));
        }
    }

    #[test]
    fn another_spelling_of_an_id_and_dots_name_nothing() {
        for scim_id in [
            "7",
            "g-a/b",
            "g-a~41",
            "g-~FF",
            "g-..",
            "g-a~2F..~2Fb",
            "g-..;x~5Ca",
        ] {
            assert_eq!(rule("g-").from_scim(scim_id), None, "{scim_id}");
        }
    }

    proptest! {
        #[test]
        fn every_id_comes_back_and_can_stand_in_a_path(
            id in "([~/\\\\0-9A-F\u{1}\u{85}\u{e9}-]|\\PC){1,24}",
        ) {
            let scim_id = rule("").to_scim(&id);
            prop_assert!(!scim_id.contains(cannot_stand));
            let expected = Some(id.as_str()).filter(|id| !has_dots(id));
            let back = rule("").from_scim(&scim_id);
            prop_assert_eq!(back.as_deref(), expected);
        }
    }
}
