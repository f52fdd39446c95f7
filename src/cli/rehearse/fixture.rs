//! Requests and replies for tests.

use serde_json::Value;

use crate::cli::replay::{Reply, Request};

/// A request with a body.
pub fn request(method: &str, path_and_query: &str, body: &Value) -> Request {
    Request {
        method: method.to_owned(),
        path_and_query: path_and_query.to_owned(),
        body: Some(body.to_string().into_bytes()),
        ..Request::default()
    }
}

/// A reply with a body.
pub fn reply(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}
