//! Bytes to JSON, with one meaning only (RFC 8259 §4 leaves more open than is safe).

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::scim::Error;
use crate::scim::error::shown;

/// How large a JSON document may be inside; its length is limited where it is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// How deep arrays and objects may nest; a scalar alone has depth 0.
    pub max_depth: usize,
    /// How many values there may be altogether.
    pub max_values: usize,
}

impl Default for JsonLimits {
    /// Depth 32; a million values, which is more than 10,000 members with ten sub-attributes each.
    fn default() -> Self {
        Self {
            max_depth: 32,
            max_values: 1_000_000,
        }
    }
}

/// Reads a JSON document that every reader understands alike.
///
/// # Errors
///
/// `invalidSyntax` with line and column for anything that is not JSON in UTF-8, for a byte order
/// mark, for text behind the document, for keys that are the same without regard to case, for numbers
/// that would change (integers beyond 64 bits, decimals beyond a double), and beyond the limits.
pub fn parse_json(body: &[u8], limits: &JsonLimits) -> Result<Value, Error> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(e) => return Err(not_utf8(body, e.valid_up_to())),
    };
    if text.starts_with('\u{feff}') {
        let detail = "The body starts with a byte order mark; JSON must not have one.";
        return Err(Error::invalid_syntax(detail));
    }
    if text.trim().is_empty() {
        return Err(Error::invalid_syntax(
            "The body is empty; JSON is expected.",
        ));
    }
    let mut values_left = limits.max_values;
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Document {
        depth_left: limits.max_depth,
        values_left: &mut values_left,
    };
    let value = seed.deserialize(&mut reader).map_err(|e| not_json(&e))?;
    reader.end().map_err(|e| not_json(&e))?;
    Ok(value)
}

fn not_utf8(body: &[u8], valid: usize) -> Error {
    let before = body.get(..valid).unwrap_or_default();
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    Error::invalid_syntax(format!(
        "The body is not valid UTF-8 at line {line} column {column}."
    ))
}

fn not_json(e: &serde_json::Error) -> Error {
    Error::invalid_syntax(format!("The body is not acceptable JSON: {e}."))
}

/// Reads one value with what is left of the limits.
struct Document<'a> {
    depth_left: usize,
    values_left: &'a mut usize,
}

impl Document<'_> {
    /// The reader for a value inside this one.
    fn inner<E: de::Error>(&mut self) -> Result<Document<'_>, E> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(E::custom("arrays and objects are nested too deep"));
        };
        Ok(Document {
            depth_left,
            values_left: self.values_left,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(values_left) = self.values_left.checked_sub(1) else {
            return Err(de::Error::custom("there are too many values"));
        };
        *self.values_left = values_left;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        // From here on 2^53 + 1 and 2^53 are the same number: an integer this large has lost digits.
        if value.abs() >= LARGEST_EXACT && value.fract() == 0.0 {
            return Err(E::custom("a number is too large to be kept exactly"));
        }
        let number = Number::from_f64(value);
        number
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            match array.next_element_seed(self.inner()?)? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        let mut folded = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            if !folded.insert(key.to_ascii_lowercase()) {
                return Err(de::Error::custom(format_args!(
                    "the key `{}` is there twice (names compare without case)",
                    shown(&key)
                )));
            }
            let value = object.next_value_seed(self.inner()?)?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

/// 2^53.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: impl AsRef<[u8]>) -> Result<Value, Error> {
        parse_json(body.as_ref(), &JsonLimits::default())
    }

    #[test]
    fn s14_documents_with_one_meaning_are_read_exactly() {
        let documents = [
            r#"{"a":[1,-2,3.5,true,false,null,"\ud83d\ude00\u0000"],"b":{"A":{}}}"#,
            "18446744073709551615",
            "-9223372036854775808",
            " \r\n\t1 ",
            "0.1",
            "1e3",
            "\"\u{7f}\"",
            "{\"a\":1,\"ä\":2,\"Ä\":3}",
        ];
        for document in documents {
            let expected: Value = serde_json::from_str(document).unwrap();
            assert_eq!(parse(document).unwrap(), expected, "{document}");
        }
    }

    #[test]
    fn s14_documents_with_more_than_one_meaning_are_refused() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(deep(32)).is_ok());
        let documents: Vec<Vec<u8>> = [
            r#"{"a":1,"a":2}"#,
            r#"{"userName":1,"username":2}"#,
            r#"[{"x":{"a":1,"\u0041":2}}]"#,
            "\u{feff}{}",
            r#""\ud800""#,
            r#"{"a":"\udc00x"}"#,
            "18446744073709551616",
            "-9223372036854775809",
            "9007199254740993.0",
            "1e999",
            "-1e999",
            "NaN",
            "Infinity",
            "01",
            "+1",
            ".5",
            "1.",
            "0x10",
            "[1,]",
            r#"{"a":1,}"#,
            "{a:1}",
            "{'a':1}",
            "[1] 2",
            "{}{}",
            "[1",
            "\"a\nb\"",
            "\"\\x41\"",
            "nul",
            "// x\n1",
            "",
            " ",
        ]
        .iter()
        .map(|d| d.as_bytes().to_vec())
        .chain([
            deep(33).into_bytes(),
            deep(100_000).into_bytes(),
            "[".repeat(100_000).into_bytes(),
            b"\"\xff\"".to_vec(),
            b"\"\xed\xa0\x80\"".to_vec(),
            b"\xfe\xff\x00{".to_vec(),
        ])
        .collect();
        for document in documents {
            let shown = String::from_utf8_lossy(&document)
                .chars()
                .take(40)
                .collect::<String>();
            let error = parse(&document).expect_err(&shown);
            assert_eq!(error.to_json()["scimType"], "invalidSyntax", "{shown}");
        }
    }

    #[test]
    fn s14_depth_bombs_are_refused_on_a_small_stack() {
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        let refused = thread.spawn(|| {
            let bombs = ["[", "{\"a\":", "[{\"a\":["].map(|b| b.repeat(20_000));
            let deepest = format!("{}{}", "[".repeat(32), "]".repeat(32));
            bombs.iter().all(|bomb| parse(bomb).is_err()) && parse(deepest).is_ok()
        });
        assert!(refused.unwrap().join().unwrap());
    }

    #[test]
    fn errors_say_where() {
        let error = parse("{\"a\":\n  1,\n  \"A\": 2}").unwrap_err();
        assert!(error.detail.contains("`A` is there twice"), "{error}");
        assert!(error.detail.contains("line 3"), "{error}");
        let error = parse(b"{\n\"a\":\"\xff\"}").unwrap_err();
        assert!(error.detail.contains("line 2 column 6"), "{error}");
    }

    #[test]
    fn the_number_of_values_is_limited() {
        let limits = JsonLimits {
            max_values: 4,
            ..JsonLimits::default()
        };
        assert!(parse_json(b"[1,2,3]", &limits).is_ok());
        assert!(parse_json(b"[1,2,3,4]", &limits).is_err());
    }
}
