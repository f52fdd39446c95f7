//! Bodies: data to bytes and bytes to data, in the formats applications speak.
//!
//! In: a JSON value and a format, or a reply's bytes and content type. Out: a content type with bytes, or a JSON value on
//! which the same paths work whatever the format was. Knows nothing of calls, rules or attributes.

mod form;
mod multipart;
mod xml;

use bytes::Bytes;
use serde_json::Value;

pub(crate) use form::fields_of as form_fields;

use super::model::BodyFormat;

/// Elements and JSON values may be nested this deep in a reply's XML; JSON has serde_json's own limit of 128.
pub const MAX_DEPTH: usize = 64;

/// A reply's bytes as data.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// JSON, or XML as JSON: attributes as `@name`, text beside them as `#text`.
    Json(Value),
    /// Nothing, or white space only.
    Empty,
    /// Anything else: HTML, plain text, broken JSON.
    Text,
}

/// Writes a body: its content type and its bytes.
///
/// What a format cannot express is written as near as it can: a form of something that is no object has no fields, and a text
/// is sent as it is. Control characters that XML 1.0 cannot hold are left out.
pub fn encode(format: BodyFormat, body: &Value) -> (String, Bytes) {
    match format {
        BodyFormat::Json => (
            "application/json".into(),
            serde_json::to_vec(body).unwrap_or_default().into(),
        ),
        BodyFormat::Form(lists) => (
            "application/x-www-form-urlencoded".into(),
            form::encode(lists, body).into(),
        ),
        BodyFormat::Multipart => multipart::encode(body),
        BodyFormat::Xml => ("application/xml".into(), xml::encode(body).into()),
    }
}

/// Reads a reply's body, whatever its content type claims: applications label JSON as HTML and HTML as JSON.
///
/// XML is looked for where the content type says so or the target's format is XML, a form where the content type says so. Never fails: what is neither is
/// [`Decoded::Text`].
pub fn decode(bytes: &[u8], content_type: Option<&str>, format: BodyFormat) -> Decoded {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Some(first) = bytes.iter().find(|b| !b.is_ascii_whitespace()) else {
        return Decoded::Empty;
    };
    if *first == b'<' {
        let says_xml = content_type.is_some_and(is_xml) || format == BodyFormat::Xml;
        return match says_xml.then(|| xml::decode(bytes)).flatten() {
            Some(value) => Decoded::Json(value),
            None => Decoded::Text,
        };
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => Decoded::Json(value),
        Err(_) if content_type.is_some_and(is_form) => Decoded::Json(form::decode(bytes)),
        Err(_) => Decoded::Text,
    }
}

fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The text of a scalar as forms and XML write it; absent for null, lists and objects.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_xml(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    media_type.ends_with("/xml") || (media_type.ends_with("+xml") && !media_type.contains("html"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::model::FormLists;

    #[test]
    fn a_form_that_is_labelled_as_one_has_members() {
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        let decoded = |body: &str, kind| decode(body.as_bytes(), kind, BodyFormat::Json);
        let expected =
            json!({ "id": "7", "name": "Ada & Bob", "role": ["a", "b"], "tag": ["x"], "none": "" });
        let body = "id=7&name=Ada+%26+Bob&role=a&role=b&tag[]=x&none=";
        assert_eq!(decoded(body, form), Decoded::Json(expected));
        assert_eq!(decoded("{\"a\":1}", form), Decoded::Json(json!({ "a": 1 })));
        assert_eq!(decoded(body, Some("text/plain")), Decoded::Text);
    }

    #[test]
    fn json_is_recognised_whatever_its_label_says() {
        let cases: [(&[u8], Option<&str>, Decoded); 9] = [
            (
                b"{\"a\":1}",
                Some("text/html"),
                Decoded::Json(json!({"a":1})),
            ),
            (b"\xef\xbb\xbf[1]", None, Decoded::Json(json!([1]))),
            (b" \r\n", Some("application/json"), Decoded::Empty),
            (b"", None, Decoded::Empty),
            (b"<html></html>", Some("application/json"), Decoded::Text),
            (
                b"<html></html>",
                Some("application/xhtml+xml"),
                Decoded::Text,
            ),
            (b"OK", Some("text/plain"), Decoded::Text),
            (b"{broken", Some("application/json"), Decoded::Text),
            (
                b"<a>1</a>",
                Some("text/xml; charset=utf-8"),
                Decoded::Json(json!({"a":"1"})),
            ),
        ];
        for (bytes, content_type, expected) in cases {
            assert_eq!(
                decode(bytes, content_type, BodyFormat::Json),
                expected,
                "{bytes:?}"
            );
        }
        assert_eq!(
            decode(b"<a>1</a>", None, BodyFormat::Xml),
            Decoded::Json(json!({"a":"1"}))
        );
    }

    #[test]
    fn deeply_nested_json_is_text_and_no_crash() {
        let bomb = "[".repeat(200_000);
        assert_eq!(
            decode(bomb.as_bytes(), None, BodyFormat::Json),
            Decoded::Text
        );
    }

    #[test]
    fn every_format_names_its_content_type() {
        let body = json!({"a": "1"});
        assert_eq!(encode(BodyFormat::Json, &body).0, "application/json");
        assert_eq!(
            encode(BodyFormat::Form(FormLists::Repeat), &body),
            ("application/x-www-form-urlencoded".into(), "a=1".into())
        );
        assert!(
            encode(BodyFormat::Multipart, &body)
                .0
                .starts_with("multipart/form-data; boundary=")
        );
        assert_eq!(encode(BodyFormat::Xml, &body).0, "application/xml");
    }
}
