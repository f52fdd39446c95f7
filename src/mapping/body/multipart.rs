//! `multipart/form-data` (RFC 7578).

use bytes::Bytes;
use serde_json::Value;

use super::form;
use crate::mapping::model::FormLists;

/// Writes the members of an object as parts, named as form fields are.
pub(super) fn encode(body: &Value) -> (String, Bytes) {
    let fields = form::fields(FormLists::Brackets, body);
    let boundary = boundary_absent_from(&fields);
    let mut text = String::new();
    for (name, value) in &fields {
        text.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
            escaped(name)
        ));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    (
        format!("multipart/form-data; boundary={boundary}"),
        text.into(),
    )
}

/// The escapes that browsers use in a part's name (WHATWG HTML, "multipart/form-data encoding algorithm").
fn escaped(name: &str) -> String {
    name.replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace('"', "%22")
}

/// A boundary that no value contains. Counted, not drawn: the same body is always the same bytes.
fn boundary_absent_from(fields: &[(String, String)]) -> String {
    let mut number = 0u64;
    loop {
        let boundary = format!("scimgate-{number:016x}");
        let is_absent = |text: &String| !text.contains(&boundary);
        if fields
            .iter()
            .all(|(name, value)| is_absent(name) && is_absent(value))
        {
            return boundary;
        }
        number = number.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_stand_between_boundaries() {
        let (content_type, bytes) = encode(&json!({"a": "x", "b": [1, 2]}));
        assert_eq!(
            content_type,
            "multipart/form-data; boundary=scimgate-0000000000000000"
        );
        let b = "--scimgate-0000000000000000";
        let expected = format!(
            "{b}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n\
             {b}\r\nContent-Disposition: form-data; name=\"b[]\"\r\n\r\n1\r\n\
             {b}\r\nContent-Disposition: form-data; name=\"b[]\"\r\n\r\n2\r\n{b}--\r\n"
        );
        assert_eq!(bytes, expected.as_bytes());
    }

    #[test]
    fn a_value_that_holds_the_boundary_gets_another_one() {
        let (content_type, _) = encode(&json!({"a": "--scimgate-0000000000000000--"}));
        assert_eq!(
            content_type,
            "multipart/form-data; boundary=scimgate-0000000000000001"
        );
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let (_, bytes) = encode(&json!({"a\"\r\nX: y": "v"}));
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("name=\"a%22%0D%0AX: y\""), "{text}");
    }
}
