//! Values taken from a reply for later calls.

use http::header::SET_COOKIE;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Reply;
use crate::mapping::{
    expression::EvaluateError,
    model::{Call, Source},
    names::Names,
};

/// Takes what the call says from its reply, under the names it says. What is not there leaves its name alone.
///
/// Computed values see the names given, those taken already, and the reply's members under `body`.
///
/// # Errors
///
/// A template that fails on these values.
pub fn take(
    call: &Call,
    reply: &Reply,
    names: &Names<'_>,
    taken: &mut Map<String, Value>,
) -> Result<(), EvaluateError> {
    for (name, from) in &call.take {
        let value = {
            let mut names = names.child();
            for (name, value) in taken.iter() {
                names.with(name, std::borrow::Cow::Borrowed(value));
            }
            source(from, reply, &names)?
        };
        if let Some(value) = value {
            taken.insert(name.clone(), value);
        }
    }
    Ok(())
}

/// One value from a reply; absent and null are the same here.
///
/// # Errors
///
/// A computed value whose template fails.
pub fn source(
    from: &Source,
    reply: &Reply,
    names: &Names<'_>,
) -> Result<Option<Value>, EvaluateError> {
    let text = |text: &str| Value::String(text.to_owned());
    Ok(match from {
        Source::Body(path) => reply.find(path).filter(|value| !value.is_null()).cloned(),
        Source::Header(name) => reply.header(name).map(text),
        Source::HeaderSegment(name) => reply.header(name).and_then(last_segment).map(Value::String),
        Source::Cookie(name) => cookie(reply, name).map(Value::String),
        Source::Computed(template) => {
            let mut names = names.child();
            names.with("body", std::borrow::Cow::Borrowed(reply.whole()));
            template.value(&names)?
        }
    })
}

/// The value of a cookie that a reply sets.
pub fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let texts = reply
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok());
    texts
        .filter_map(|text| text.split(';').next()?.split_once('='))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}

/// The last segment of a URL's path, decoded: `/users/7?x` and `https://a/users/7/` both give `7`.
fn last_segment(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => path,
    };
    let segment = path.trim_end_matches('/').rsplit('/').next()?;
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}
