//! Replies: what an application's answer means, and what is taken from it.
//!
//! In: status, headers and body of one answer, with the rules of the mapping. Out: a meaning, the application's own words
//! about it, values for later calls. Knows nothing of sockets; what follows from a meaning is decided elsewhere.

mod judge;
mod missing;
mod rows;
mod take;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::Value;

pub use judge::{Basis, judge, judged};
pub use missing::{fails_without_list, says_nothing_at};
pub use rows::{Cut, Row, plain_names};
pub use take::{cookie, source, take};

use self::rows::Looks;
use super::{
    body::{self, Decoded},
    model::{Call, Meaning, Target},
    names::Names,
    path::JsonPath,
};
use crate::scim::ScimType;

/// How much of a reply's text is kept for rules, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// An application's answer to one call.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers as they came.
    pub headers: HeaderMap,
    /// The content: what `[target] content` finds in the body, the whole body without it. Null if there is none.
    pub content: Value,
    /// Rows that were cut out of the content; absent: it is whole.
    pub rows: Option<Vec<Bytes>>,
    /// The whole body, where the content is only a part of it.
    pub whole: Option<Value>,
    /// The body as text, the first 16 KiB, invalid UTF-8 replaced; empty for a success with data of which no rule looks at it. May hold personal data: never logged.
    pub text: String,
    /// What kind of body it was.
    pub form: ReplyForm,
}

/// What kind of body a reply had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyForm {
    /// JSON or XML.
    Data,
    /// None, or white space only.
    Empty,
    /// HTML: never what an API means to say.
    Html,
    /// Any other text.
    Text,
}

/// What a call is for: decides what a status means where no rule says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallClass {
    /// Reads one object, or what belongs to it (members, groups).
    Get,
    /// Reads all objects.
    List,
    /// Looks objects up.
    Find,
    /// Makes an object.
    Create,
    /// Changes an object.
    Update,
    /// Removes an object.
    Delete,
    /// Adds members.
    MemberAdd,
    /// Removes members.
    MemberRemove,
    /// Anything else on an object: activate, rename.
    Other,
    /// Gets a credential.
    Login,
}

/// What a reply means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The meaning.
    pub meaning: Meaning,
    /// The application's own words about a refusal, or what the rule says instead: 300 characters at most, no control
    /// characters.
    pub detail: Option<String>,
    /// The SCIM attribute the refusal is about, if a rule knows.
    pub attribute: Option<String>,
    /// The reply's status; absent where there was no reply, and of a success, unless it is 207 and no rule says what that means.
    pub status: Option<u16>,
    /// When to come back, if the application said so.
    pub retry_after: Option<RetryHint>,
}

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryHint {
    /// After this time.
    After(std::time::Duration),
    /// From this time on.
    At(Timestamp),
}

impl CallClass {
    /// Whether calls of this class read, whatever their method: searches by POST, JSON-RPC.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Find)
    }
}

impl Meaning {
    /// Its name, as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Created => "created",
            Self::AlreadySo => "already-so",
            Self::NotFound => "not-found",
            Self::Uniqueness => "uniqueness",
            Self::Refused(kind) => kind.as_str(),
            Self::Forbidden => "forbidden",
            Self::NotLoggedIn => "not-logged-in",
            Self::TooMany => "too-many",
            Self::Retry => "retry",
            Self::Changed => "changed",
            Self::NotSupported => "not-supported",
            Self::Failed => "failed",
        }
    }

    /// Whether what was asked is so now.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Ok | Self::Created | Self::AlreadySo)
    }

    /// The status that the client is answered, and the `scimType` where there is one. What is the gateway's own trouble with
    /// the application never looks like the client's (promise R7).
    pub fn answer(self) -> (u16, Option<ScimType>) {
        match self {
            Self::Ok | Self::AlreadySo => (200, None),
            Self::Created => (201, None),
            Self::NotFound => (404, None),
            Self::Uniqueness => (ScimType::Uniqueness.status(), Some(ScimType::Uniqueness)),
            Self::Refused(kind) => (kind.status(), Some(kind)),
            Self::TooMany => (429, None),
            Self::NotSupported => (501, None),
            Self::Retry | Self::Changed => (503, None),
            Self::Forbidden | Self::NotLoggedIn | Self::Failed => (502, None),
        }
    }
}

impl Verdict {
    /// A meaning about which nothing more is known.
    pub fn of(meaning: Meaning) -> Self {
        Self {
            meaning,
            detail: None,
            attribute: None,
            status: None,
            retry_after: None,
        }
    }
}

impl Reply {
    /// As [`new`](Self::new), without the text where no rule looks at it: that of a success.
    pub fn of(
        status: u16,
        headers: HeaderMap,
        body: &[u8],
        (target, call): (&Target, &Call),
    ) -> Self {
        let is_read = !(200..300).contains(&status) || Looks::of(call, target, status).at_text;
        let text = if is_read {
            beginning(body)
        } else {
            String::new()
        };
        Self::with_text(status, headers, body, target, text)
    }

    /// Reads an answer. The body's bytes are not needed afterwards.
    pub fn new(status: u16, headers: HeaderMap, body: &[u8], target: &Target) -> Self {
        Self::with_text(status, headers, body, target, beginning(body))
    }

    fn with_text(
        status: u16,
        headers: HeaderMap,
        body: &[u8],
        target: &Target,
        mut text: String,
    ) -> Self {
        let body = body.get(prefix_in(body, target)..).unwrap_or_default();
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let (form, value) = match body::decode(body, content_type, target.format) {
            Decoded::Json(value) => (ReplyForm::Data, value),
            Decoded::Empty => (ReplyForm::Empty, Value::Null),
            Decoded::Text if is_html(body, content_type) => (ReplyForm::Html, Value::Null),
            Decoded::Text => (ReplyForm::Text, Value::Null),
        };
        if form == ReplyForm::Text && text.is_empty() {
            text = beginning(body);
        }
        let (content, whole) = match &target.content {
            Some(path) => (
                path.first(&value).cloned().unwrap_or(Value::Null),
                Some(value),
            ),
            None => (value, None),
        };
        Self {
            status,
            headers,
            content,
            rows: None,
            whole,
            text,
            form,
        }
    }

    /// As [`new`](Self::new), with the rows cut out as text where they are, and where nothing else asks for a tree of them.
    pub fn with_rows(
        status: u16,
        headers: HeaderMap,
        body: &Bytes,
        (target, call): (&Target, &Call),
        cut: &Cut<'_>,
    ) -> Self {
        let looks = Looks::of(call, target, status);
        let may_cut = (200..300).contains(&status) && target.content.is_none() && !looks.at_body;
        let content = body.slice(prefix_in(body, target)..);
        match may_cut.then(|| cut.take(&content)).flatten() {
            Some((rows, content)) => Self {
                status,
                headers,
                content,
                rows: Some(rows),
                whole: None,
                text: match looks.at_text {
                    true => beginning(body),
                    false => String::new(),
                },
                form: ReplyForm::Data,
            },
            None => Self::of(status, headers, body, (target, call)),
        }
    }

    /// The answer to a call that was planned only: done, with nothing in it.
    pub fn planned() -> Self {
        Self {
            status: 0,
            headers: HeaderMap::new(),
            content: Value::Null,
            rows: None,
            whole: None,
            text: String::new(),
            form: ReplyForm::Empty,
        }
    }

    /// The whole body.
    pub fn whole(&self) -> &Value {
        self.whole.as_ref().unwrap_or(&self.content)
    }

    /// What conditions on a reply can name: its members, `body` and `status`; of a body that has no members, `value` is it.
    pub fn names(&self) -> Names<'_> {
        let mut names = Names::new();
        names
            .object(self.whole())
            .with("body", Cow::Borrowed(self.whole()))
            .with("status", Cow::Owned(self.status.into()));
        // As in `only` and `hide`: what has no members is `value`.
        if !self.whole().is_object() {
            names.with("value", Cow::Borrowed(self.whole()));
        }
        names
    }

    /// The first match in the content or, failing that, in the whole body: paging and tokens often stand beside the content.
    pub fn find(&self, path: &JsonPath) -> Option<&Value> {
        path.first(&self.content)
            .or_else(|| self.whole.as_ref().and_then(|whole| path.first(whole)))
    }

    /// A header's value as text; absent if it is not there or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// How many bytes `[target] reply-prefix` is of this body: none where it does not begin so.
fn prefix_in(body: &[u8], target: &Target) -> usize {
    let prefix = target.reply_prefix.as_ref();
    prefix.map_or(0, |prefix| match body.starts_with(prefix.as_bytes()) {
        true => prefix.len(),
        false => 0,
    })
}

fn beginning(body: &[u8]) -> String {
    let start = body.get(..MAX_TEXT_BYTES).unwrap_or(body);
    String::from_utf8_lossy(start).into_owned()
}

fn is_html(body: &[u8], content_type: Option<&str>) -> bool {
    let says_html = content_type.is_some_and(|text| text.to_ascii_lowercase().contains("html"));
    let start = body.trim_ascii_start();
    let start = start.get(..14).unwrap_or(start).to_ascii_lowercase();
    says_html || start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}
