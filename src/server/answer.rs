//! From our answers to hyper's, and the edge's own errors.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::scim::Error;

use super::{
    Response,
    activity::InFlight,
    body::{AnswerBody, BodyFault, Room},
};

const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const SCIM_JSON: &str = "application/scim+json";

/// See [`Response::error`].
pub(super) fn error(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut message = json!({ "schemas": [ERROR_SCHEMA], "status": status.as_str() });
    if let Some(kind) = error.scim_type {
        message["scimType"] = kind.as_str().into();
    }
    message["detail"] = error.detail.as_str().into();
    let mut response = Response::new(status, SCIM_JSON, message.to_string());
    let headers = &mut response.headers;
    if let Some(wait) = error.retry_after {
        // Rounded up: a client that comes back too early is refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, bearer);
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let identity = HeaderValue::from_static("identity");
        headers.insert(header::ACCEPT_ENCODING, identity);
    }
    response
}

/// The answer to a body that was not read to its end.
pub(super) fn body_fault(fault: BodyFault, max_bytes: usize) -> Response {
    error(&match fault {
        BodyFault::TooLarge => Error::new(
            413,
            format!("The request body is larger than {max_bytes} bytes."),
        ),
        BodyFault::TooSlow => Error::new(408, "The request body did not arrive in time."),
        BodyFault::Broken => Error::new(400, "The request body could not be read."),
        BodyFault::NoRoom => busy("The server holds too many request bodies.", 2),
    })
}

/// A 503 that says when to try again.
pub(super) fn busy(detail: &'static str, seconds: u64) -> Error {
    let mut error = Error::new(503, detail);
    error.retry_after = Some(std::time::Duration::from_secs(seconds));
    error
}

/// Headers that say how an answer is framed.
const FRAMING: [HeaderName; 4] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Makes the answer that hyper sends. Framing is hyper's: what a handler says about it is dropped.
pub(super) fn finish(
    response: Response,
    is_head: bool,
    must_close: bool,
    in_flight: InFlight,
    room: Room,
) -> http::Response<AnswerBody> {
    let Response {
        status,
        mut headers,
        mut body,
        on_sent,
    } = response;
    if headers.keys().any(|name| FRAMING.contains(name)) {
        for name in FRAMING {
            headers.remove(name);
        }
    }
    let has_no_body = status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    if has_no_body {
        body = Bytes::new();
    } else if is_head {
        announce(&mut headers, &body);
        body = Bytes::new();
    }
    if must_close {
        let close = HeaderValue::from_static("close");
        headers.insert(header::CONNECTION, close);
    }
    let mut answer = http::Response::new(AnswerBody::new(body, on_sent, in_flight, room));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// HEAD says how long the body of GET would be (RFC 9110 §9.3.2).
fn announce(headers: &mut HeaderMap, body: &Bytes) {
    headers.insert(header::CONTENT_LENGTH, body.len().into());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::scim::ScimType;

    use super::*;

    #[test]
    fn an_error_is_a_scim_message_with_its_status_as_text() {
        let response = error(&Error::of(ScimType::InvalidFilter, "A \"quoted\" word."));
        assert_eq!(response.status, 400);
        assert_eq!(response.headers[header::CONTENT_TYPE], SCIM_JSON);
        let message: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(
            message,
            json!({
                "schemas": [ERROR_SCHEMA],
                "status": "400",
                "scimType": "invalidFilter",
                "detail": "A \"quoted\" word.",
            })
        );
    }

    #[test]
    fn some_statuses_bring_the_header_that_explains_them() {
        let mut overload = Error::new(503, "Busy.");
        overload.retry_after = Some(Duration::from_millis(1500));
        assert_eq!(error(&overload).headers[header::RETRY_AFTER], "2");
        let denied = error(&Error::new(401, "Who?"));
        assert_eq!(denied.headers[header::WWW_AUTHENTICATE], "Bearer");
        let coded = error(&Error::new(415, "No."));
        assert_eq!(coded.headers[header::ACCEPT_ENCODING], "identity");
        assert_eq!(error(&Error::new(42, "Odd.")).status, 500);
    }
}
