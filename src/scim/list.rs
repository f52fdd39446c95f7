//! The answer to a list (RFC 7644 §3.4.2; RFC 9865 §2).

use std::io::Write;

use serde_json::{Value, json};

/// The URN of the list message.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// A list response without its resources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListResponse {
    /// How many resources match altogether. Absent only when paging by cursor without a known total.
    pub total_results: Option<u64>,
    /// The place of the first resource, from 1; absent when paging by cursor.
    pub start_index: Option<u64>,
    /// Where the next page starts; absent on the last.
    pub next_cursor: Option<String>,
    /// Where the page before starts; absent on the first, or if there is no way back.
    pub previous_cursor: Option<String>,
}

impl ListResponse {
    /// A page that is found by its index.
    pub fn indexed(total_results: u64, start_index: u64) -> Self {
        Self {
            total_results: Some(total_results),
            start_index: Some(start_index),
            ..Self::default()
        }
    }

    /// The whole message.
    pub fn to_json(&self, resources: Vec<Value>) -> Value {
        let mut message = self.head(resources.len());
        message["Resources"] = Value::Array(resources);
        message
    }

    /// The whole message as bytes, from so many resources that are JSON already, with commas between them.
    pub fn around(&self, count: usize, resources: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(HEAD_BYTES + resources.len());
        text.extend_from_slice(b"{\"schemas\":[\"");
        text.extend_from_slice(LIST_RESPONSE.as_bytes());
        text.extend_from_slice(b"\"]");
        let mut member = |name: &str, value: Value| {
            // Writing to a vector cannot fail.
            let _ = write!(text, ",\"{name}\":{value}");
        };
        if let Some(total) = self.total_results {
            member("totalResults", total.into());
        }
        if let Some(start) = self.start_index {
            member("startIndex", start.into());
        }
        member("itemsPerPage", count.into());
        if let Some(cursor) = &self.next_cursor {
            member("nextCursor", cursor.as_str().into());
        }
        if let Some(cursor) = &self.previous_cursor {
            member("previousCursor", cursor.as_str().into());
        }
        text.extend_from_slice(b",\"Resources\":[");
        text.extend_from_slice(resources);
        text.extend_from_slice(b"]}");
        text
    }

    fn head(&self, items_per_page: usize) -> Value {
        let mut head = json!({ "schemas": [LIST_RESPONSE] });
        if let Some(total) = self.total_results {
            head["totalResults"] = total.into();
        }
        if let Some(start) = self.start_index {
            head["startIndex"] = start.into();
        }
        head["itemsPerPage"] = items_per_page.into();
        if let Some(cursor) = &self.next_cursor {
            head["nextCursor"] = cursor.as_str().into();
        }
        if let Some(cursor) = &self.previous_cursor {
            head["previousCursor"] = cursor.as_str().into();
        }
        head
    }
}

/// Room for everything but the resources.
const HEAD_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_json_are_the_same_message() {
        let lists = [
            ListResponse::indexed(100, 11),
            ListResponse::default(),
            ListResponse {
                total_results: Some(3),
                next_cursor: Some("\"n\"".to_owned()),
                previous_cursor: Some("p".to_owned()),
                ..ListResponse::default()
            },
        ];
        for list in lists {
            for resources in [
                vec![],
                vec![json!({ "id": "1" })],
                vec![json!({}), json!({ "id": "]}" })],
            ] {
                let texts: Vec<_> = resources.iter().map(Value::to_string).collect();
                let bytes = list.around(texts.len(), texts.join(",").as_bytes());
                let bytes = String::from_utf8(bytes).unwrap();
                assert_eq!(bytes, list.to_json(resources).to_string());
            }
        }
        let page = ListResponse::indexed(100, 11).to_json(vec![json!({ "id": "1" })]);
        assert_eq!(
            page.to_string(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":100,"startIndex":11,"itemsPerPage":1,"Resources":[{"id":"1"}]}"#
        );
    }
}
