//! One value: copied, looked up, or decoded as everywhere else.

use serde_json::Value;

use crate::{
    mapping::{
        model::{AttributeRule, FieldPlace, Form},
        value::{Spelling, Untranslatable},
    },
    scim::AttributeType,
};

use super::{Fields, Odd};

/// A value of a rule, from a field.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The rule's number in its type.
    pub rule: usize,
    /// The field's number.
    pub slot: usize,
    /// Where the value is within the field; absent: it is the field.
    pub within: Option<FieldPlace>,
    /// The attribute's type; absent if no schema knows it.
    pub kind: Option<AttributeType>,
    /// Whether `""` is no value (`empty-is-absent`).
    pub empty_is_absent: bool,
    quick: Quick,
    when_absent: Option<Vec<u8>>,
}

/// What a field mostly holds, and what becomes of it then. Anything else is decoded.
#[derive(Debug)]
enum Quick {
    /// Text stays as it is, a whole number is put in quotes.
    Text,
    /// `true` and `false` stay.
    Boolean,
    /// A whole number stays.
    Whole,
    /// A time in UTC stays.
    Time,
    /// The texts of a value table; without a value the attribute is absent.
    Table(Vec<(String, Option<Vec<u8>>)>),
    /// Nothing is known about it.
    Nothing,
}

impl Leaf {
    /// Of a rule that reads one value.
    pub fn new(
        (number, rule): (usize, &AttributeRule),
        slot: usize,
        within: Option<FieldPlace>,
        kind: Option<AttributeType>,
    ) -> Self {
        let is_same = matches!(
            rule.form,
            Form::Same | Form::String | Form::Integer | Form::Lower
        );
        let quick = match (&rule.values, kind) {
            (Some(values), _) => {
                let fields = values.pairs.fixed().iter().map(|(_, field)| field);
                let simple = fields
                    .filter(|field| field.is_string() || field.is_boolean() || field.is_i64());
                Quick::Table(
                    simple
                        .map(|field| (field.to_string(), decoded(rule, kind, field)))
                        .collect(),
                )
            }
            (None, _) if !is_same => Quick::Nothing,
            (
                None,
                Some(AttributeType::String | AttributeType::Binary | AttributeType::Reference),
            ) => Quick::Text,
            (None, Some(AttributeType::Boolean)) => Quick::Boolean,
            (None, Some(AttributeType::Integer | AttributeType::Decimal)) => Quick::Whole,
            (None, Some(AttributeType::DateTime)) => Quick::Time,
            (None, Some(AttributeType::Complex) | None) => Quick::Nothing,
        };
        Self {
            rule: number,
            slot,
            within,
            kind,
            empty_is_absent: false,
            quick,
            when_absent: rule.when_absent.as_ref().and_then(written),
        }
    }

    /// Writes the value, if there is one, and says so.
    pub fn write(
        &self,
        rules: &[AttributeRule],
        fields: &Fields<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Odd> {
        let Some(text) = fields.value(self.slot) else {
            return Ok(put(out, self.when_absent.as_deref()));
        };
        if self.empty_is_absent && text == "\"\"" {
            return Ok(put(out, self.when_absent.as_deref()));
        }
        if self.within.is_none()
            && let Some(is_there) = self.quick.write(text, out)
        {
            return Ok(is_there);
        }
        let rule = rules.get(self.rule).ok_or(Odd)?;
        let field: Value = serde_json::from_str(text).map_err(|_| Odd)?;
        let value = match &self.within {
            Some(place) => place.read(&field),
            None => Some(&field),
        };
        let is_none =
            |value: &Value| value.is_null() || self.empty_is_absent && value.as_str() == Some("");
        Ok(match value.filter(|value| !is_none(value)) {
            Some(value) => put(out, decoded(rule, self.kind, value).as_deref()),
            None => put(out, self.when_absent.as_deref()),
        })
    }
}

impl Quick {
    /// Absent if the value is none of those expected.
    fn write(&self, text: &str, out: &mut Vec<u8>) -> Option<bool> {
        match self {
            Self::Text if is_plain_text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Text if is_whole(text) => {
                out.push(b'"');
                out.extend_from_slice(text.as_bytes());
                out.push(b'"');
            }
            Self::Boolean if matches!(text, "true" | "false") => {
                out.extend_from_slice(text.as_bytes())
            }
            Self::Whole if is_whole(text) => out.extend_from_slice(text.as_bytes()),
            Self::Time if is_utc(text.as_bytes()) => out.extend_from_slice(text.as_bytes()),
            Self::Table(pairs) => {
                let (_, value) = pairs.iter().find(|(field, _)| field == text)?;
                return Some(put(out, value.as_deref()));
            }
            _ => return None,
        }
        Some(true)
    }
}

/// A value as the answer has it; absent if it has none there.
fn decoded(rule: &AttributeRule, kind: Option<AttributeType>, value: &Value) -> Option<Vec<u8>> {
    let spelling = Spelling {
        values: rule.values.as_ref(),
        form: &rule.form,
        kind,
    };
    let value: Result<Value, Untranslatable> = spelling.decode(value);
    written(&value.ok()?)
}

/// The text of a value; absent for what RFC 7643 §2.5 calls no value.
fn written(value: &Value) -> Option<Vec<u8>> {
    match crate::mapping::read::is_empty(value) {
        true => None,
        false => serde_json::to_vec(value).ok(),
    }
}

fn put(out: &mut Vec<u8>, value: Option<&[u8]>) -> bool {
    out.extend_from_slice(value.unwrap_or_default());
    value.is_some()
}

/// A string without escapes: there is one spelling of it.
fn is_plain_text(text: &str) -> bool {
    text.starts_with('"') && memchr::memchr(b'\\', text.as_bytes()).is_none()
}

/// A whole number of which there is one spelling, and which every integer type holds.
pub(super) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_canonical = !digits.starts_with('0') || text == "0";
    (1..=18).contains(&digits.len())
        && is_canonical
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `"2026-11-22T10:00:00Z"`, with or without a fraction, on a day that every month has.
fn is_utc(text: &[u8]) -> bool {
    let Some((
        [
            b'"',
            y1 @ b'1'..=b'2',
            y2,
            y3,
            y4,
            b'-',
            m1,
            m2,
            b'-',
            d1,
            d2,
            b'T',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
        ],
        fraction,
    )) = text.split_first_chunk::<20>()
    else {
        return false;
    };
    let is_year = [y1, y2, y3, y4].iter().all(|digit| digit.is_ascii_digit());
    let is_fraction = match fraction {
        [b'Z', b'"'] => true,
        [b'.', digits @ .., b'Z', b'"'] => {
            (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    let number = |tens: &u8, ones: &u8| match tens.is_ascii_digit() && ones.is_ascii_digit() {
        true => (tens - b'0') * 10 + (ones - b'0'),
        false => u8::MAX,
    };
    is_year
        && is_fraction
        && (1..=12).contains(&number(m1, m2))
        && (1..=28).contains(&number(d1, d2))
        && number(h1, h2) < 24
        && number(n1, n2) < 60
        && number(s1, s2) < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_one_spelling_is_copied() {
        for (text, is_one) in [
            ("0", true),
            ("-7", true),
            ("123456789012345678", true),
            ("1234567890123456789", false),
            ("-0", false),
            ("07", false),
            ("1.0", false),
            ("1e3", false),
            ("-", false),
            ("", false),
            ("true", false),
        ] {
            assert_eq!(is_whole(text), is_one, "{text}");
        }
        assert!(
            is_plain_text("\"é\u{7f}\"") && !is_plain_text("\"\\u00e9\"") && !is_plain_text("1")
        );
    }

    #[test]
    fn a_time_that_is_copied_is_one_that_decoding_leaves_alone() {
        for (text, is_copied) in [
            ("2026-11-22T10:00:00Z", true),
            ("2026-11-22T10:00:00.123456789Z", true),
            ("1999-02-28T23:59:59.0Z", true),
            ("2026-11-22T10:00:00.1234567890Z", false),
            ("2026-11-22T10:00:00.Z", false),
            ("2026-11-31T10:00:00Z", false),
            ("2026-13-22T10:00:00Z", false),
            ("2026-11-22T24:00:00Z", false),
            ("2026-11-22T10:00:60Z", false),
            ("2026-11-22 10:00:00Z", false),
            ("2026-11-22T10:00:00+00:00", false),
            ("2026-11-22", false),
        ] {
            let json = format!("\"{text}\"");
            assert_eq!(is_utc(json.as_bytes()), is_copied, "{text}");
            if is_copied {
                let decoded =
                    crate::mapping::value::coerce(&Value::from(text), AttributeType::DateTime);
                assert_eq!(decoded, Some(Value::from(text)));
            }
        }
    }
}
