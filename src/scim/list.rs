//! The answer to a list (RFC 7644 §3.4.2; RFC 9865 §2).

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
        let head = self.head(count).to_string();
        // The head is an object that is not empty: its last byte is the brace that now moves behind the list.
        let head = head.strip_suffix('}').unwrap_or(&head);
        [head.as_bytes(), b",\"Resources\":[", resources, b"]}"].concat()
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
                let read: Value = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(read, list.to_json(resources));
            }
        }
        let page = ListResponse::indexed(100, 11).to_json(vec![json!({ "id": "1" })]);
        assert_eq!(
            page.to_string(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":100,"startIndex":11,"itemsPerPage":1,"Resources":[{"id":"1"}]}"#
        );
    }
}
