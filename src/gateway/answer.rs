//! What an operation answers, and how it is put on the wire.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use crate::{
    scim::{
        Error,
        version::{self, Precondition},
    },
    server::Response,
};

use super::context::Context;

/// The media type of SCIM (RFC 7644 §8.1).
pub const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// What an operation answers.
#[derive(Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; absent for 204 and 304.
    pub body: Option<Body>,
    /// `Location`.
    pub location: Option<String>,
    /// `ETag`.
    pub version: Option<String>,
    /// The create that may be acknowledged once this answer is on its way: resource type, match key, id.
    pub acknowledges: Option<Acknowledgement>,
}

/// A body on its way out.
#[derive(Debug)]
pub enum Body {
    /// To be written.
    Tree(Value),
    /// JSON, written already.
    Text(Vec<u8>),
}

/// A create whose answer, once sent, ends its intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// `User`.
    pub resource_type: String,
    /// What makes two creates the same.
    pub match_key: String,
    /// The SCIM id.
    pub id: String,
}

impl Answer {
    /// 200 with a document that is no resource.
    pub fn document(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(Body::Tree(body)),
            ..Self::default()
        }
    }

    /// 200 with a text, and with what a resource's `meta` gives if it is one.
    pub fn text(body: Vec<u8>, meta: Meta) -> Self {
        Self {
            status: 200,
            body: Some(Body::Text(body)),
            location: meta.location,
            version: meta.version,
            acknowledges: None,
        }
    }

    /// 204.
    pub fn empty() -> Self {
        Self {
            status: 204,
            ..Self::default()
        }
    }

    /// A resource, with location and version out of its `meta`.
    pub fn resource(status: u16, resource: Map<String, Value>, meta: Meta) -> Self {
        Self {
            status,
            body: Some(Body::Tree(Value::Object(resource))),
            location: meta.location,
            version: meta.version,
            acknowledges: None,
        }
    }

    /// An error, as RFC 7644 §3.12 has it.
    pub fn error(error: &Error) -> Self {
        Self {
            status: error.status,
            body: Some(Body::Tree(error.to_json())),
            ..Self::default()
        }
    }

    /// The HTTP response, without what the edge adds.
    pub fn into_response(self, retry_after: Option<u64>) -> Response {
        let mut headers = HeaderMap::new();
        let body = self.body.map(Body::into_text).unwrap_or_default();
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, SCIM_JSON);
        }
        insert(&mut headers, header::LOCATION, self.location);
        insert(&mut headers, header::ETAG, self.version);
        insert(
            &mut headers,
            header::RETRY_AFTER,
            retry_after.map(|seconds| seconds.to_string()),
        );
        Response {
            status: StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers,
            body: body.into(),
            on_sent: None,
        }
    }
}

impl Body {
    fn into_text(self) -> Vec<u8> {
        let document = match self {
            Self::Text(text) => return text,
            Self::Tree(document) => document,
        };
        let mut text = Vec::with_capacity(SMALL_BODY_BYTES);
        // Writing a tree of JSON to memory cannot fail.
        let _ = serde_json::to_writer(&mut text, &document);
        text
    }
}

/// The headers that a resource's `meta` gives.
#[derive(Debug, Default, Clone)]
pub struct Meta {
    /// `meta.location`.
    pub location: Option<String>,
    /// `meta.version`.
    pub version: Option<String>,
}

impl Meta {
    /// Reads them out of a whole resource.
    pub fn of(resource: &Map<String, Value>) -> Self {
        let text = |name| Some(resource.get("meta")?.get(name)?.as_str()?.to_owned());
        Self {
            location: text("location"),
            version: text("version"),
        }
    }

    /// Sees that this version is meant, as it was told with the members or without.
    ///
    /// # Errors
    ///
    /// 412 if it is another.
    pub fn check(&self, if_match: &Precondition) -> Result<(), Error> {
        let whole = self.version.as_deref();
        let bare = whole.map(version::without_members);
        match if_match.matches(whole) || if_match.matches(bare.as_deref()) {
            true => Ok(()),
            false => Err(Error::new(
                412,
                "The resource has changed since the version in `If-Match`; read it again.",
            )),
        }
    }
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}

/// The answer to a request whose tenant is paused or broken.
pub fn unavailable(detail: &str, retry_after: std::time::Duration) -> Error {
    Error {
        status: 503,
        scim_type: None,
        detail: detail.to_owned(),
        retry_after: Some(retry_after),
    }
}

/// Whether the tenant serves at all right now.
pub fn check_mode(ctx: &Context) -> Result<(), Error> {
    match ctx.mapping().mode {
        crate::mapping::model::Mode::Paused => Err(unavailable(
            "Provisioning is paused for this tenant by its operator.",
            PAUSED_RETRY,
        )),
        _ => Ok(()),
    }
}

/// When a client of a paused tenant should ask again.
const PAUSED_RETRY: std::time::Duration = std::time::Duration::from_secs(300);
/// Room for one resource; a page makes its own.
const SMALL_BODY_BYTES: usize = 1024;
