//! Calls as data: a configured call and the names it speaks of become a method, a URL, headers and a body.
//!
//! In: the mapping's call, the names at that moment, the body it would send if it says nothing. Out: what to send, or that
//! nothing is to be sent. Knows nothing of sockets, credentials and retries.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, Method, uri::PathAndQuery};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::{
    body::{form_fields, scalar_text},
    expression::{EvaluateError, EvaluateErrorKind},
    model::{BodyFormat, Call, FormLists, Target, With},
    names::Names,
    page::{PAGE, PageRequest},
    template::Template,
};
use crate::{diagnostic::Place, scim::AttributePath};

/// Left as they are in a query's values: no server takes them for separators.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'*')
    .remove(b',')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'!')
    .remove(b'$')
    .remove(b'(')
    .remove(b')');

/// Names of parameters come from the mapping; `filter[name][_eq]` stays readable.
const QUERY_NAME: &AsciiSet = &QUERY_VALUE.remove(b'[').remove(b']');

/// Headers that say how a message is framed or whom a connection belongs to: never a mapping's business.
const FRAMING: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A call ready to be sent, without the credential.
#[derive(Debug, Clone)]
pub struct PlannedCall {
    /// The mapping's name of the operation, such as `user.create`.
    pub operation: String,
    /// `GET`, `POST` …
    pub method: Method,
    /// Below the base URL, begins with `/`.
    pub path_and_query: String,
    /// Headers of the target and of the call, each name once. The body's content type is not among them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body as data; absent: none.
    pub body: Option<(BodyFormat, Value)>,
    /// A media type other than the format's own.
    pub content_type: Option<String>,
    /// Whether it may be sent again when its fate is unknown.
    pub is_repeatable: bool,
    /// Whether its method changes something. A read by POST counts as a write here; the caller may know better.
    pub is_write: bool,
    /// Where the call stands in the files.
    pub origin: Place,
}

/// A call that cannot be made from these names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// An expression or template has no value.
    #[error("{0}")]
    Evaluate(EvaluateError),
    /// The name is none, or one a mapping may not set; or the value holds what no header can hold, such as a line end.
    #[error("The header `{0}` cannot be sent.")]
    Header(String),
    /// The path and query are no part of a URL, or a segment is `.` or `..`.
    #[error("The path of `{0}` cannot be sent.")]
    Path(String),
}

impl From<EvaluateError> for CallError {
    fn from(error: EvaluateError) -> Self {
        Self::Evaluate(error)
    }
}

/// Makes a call out of its configuration; absent if its condition or `when-changed` says no.
///
/// The call's own body wins over `default_body`; `[target.wrap]` goes around either, and around the empty body of every
/// method but GET, HEAD and DELETE. `when-changed` is compared with the name `changed`, a list of attribute paths.
///
/// # Errors
///
/// Whatever a template or header cannot become; nothing has been sent then.
pub fn plan(
    call: &Call,
    operation: &str,
    target: &Target,
    names: &Names<'_>,
    default_body: Option<Value>,
) -> Result<Option<PlannedCall>, CallError> {
    plan_page(
        call,
        operation,
        target,
        names,
        default_body,
        &PageRequest::default(),
    )
}

/// As [`plan`], for one page of a list: the page's parameters replace those of the same name, its location the whole path,
/// and its values are the name `page`.
///
/// # Errors
///
/// As [`plan`].
pub fn plan_page(
    call: &Call,
    operation: &str,
    target: &Target,
    names: &Names<'_>,
    default_body: Option<Value>,
    page: &PageRequest,
) -> Result<Option<PlannedCall>, CallError> {
    let mut paged = names.child();
    if !page.names.is_empty() {
        paged.with(PAGE, Cow::Owned(Value::Object(page.names.clone())));
    }
    let names = own_names(call, &paged)?;
    if !is_let(call, &names)? {
        return Ok(None);
    }
    let is_read = call.is_safe();
    Ok(Some(PlannedCall {
        operation: operation.to_owned(),
        method: call.method.clone(),
        path_and_query: path_and_query(call, operation, target, &names, page)?,
        headers: headers(call, target, &names)?,
        body: body(call, target, &names, default_body, page)?,
        content_type: call.content_type.clone(),
        is_repeatable: is_read || call.is_repeatable,
        is_write: !is_read,
        origin: call.place.clone(),
    }))
}

/// Whether a call's condition and its `when-changed` let it be made.
///
/// # Errors
///
/// A condition or a name of the call that fails on these values.
pub fn is_wanted(call: &Call, names: &Names<'_>) -> Result<bool, EvaluateError> {
    is_let(call, &own_names(call, names)?)
}

/// As [`is_wanted`], with the call's own names among the others.
fn is_let(call: &Call, names: &Names<'_>) -> Result<bool, EvaluateError> {
    let holds = match &call.condition {
        Some(condition) => condition.holds(names)?,
        None => true,
    };
    Ok(holds && is_touched(&call.when_changed, names))
}

/// Calls that one step over a list makes at most.
pub const MOST_EACH: usize = 1000;

/// The elements that a step goes through (`each`): those of a list, or a value that stands alone; none where there is no value.
///
/// # Errors
///
/// As [`Template::value`], and for more than [`MOST_EACH`].
pub fn elements_of(each: &Template, names: &Names<'_>) -> Result<Vec<Value>, EvaluateError> {
    let items = match each.value(names)? {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(single) => vec![single],
    };
    if items.len() > MOST_EACH {
        return Err(EvaluateError {
            kind: EvaluateErrorKind::TooLarge,
            source: each.source().to_owned(),
            message: format!("This list has more than {MOST_EACH} elements, one call each."),
        });
    }
    Ok(items)
}

/// The names a call gives itself (`with`), on top of those around it; a later one sees those before it.
///
/// # Errors
///
/// A template that fails on these values.
pub fn own_names<'n>(call: &Call, names: &'n Names<'_>) -> Result<Names<'n>, EvaluateError> {
    let mut own = names.child();
    for With { name, tree, .. } in &call.with {
        if let Some(value) = tree.render(&own)? {
            own.with(name, Cow::Owned(value));
        }
    }
    Ok(own)
}

/// Whether one of the attributes is among the changed ones, or contains or is part of one.
fn is_touched(wanted: &[AttributePath], names: &Names<'_>) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let changed = names.get("changed");
    let Some(changed) = changed.as_deref().and_then(Value::as_array) else {
        return false;
    };
    let mut changed = changed.iter().filter_map(Value::as_str);
    changed.any(|changed| {
        let changed = changed.to_ascii_lowercase();
        wanted.iter().any(|wanted| {
            let wanted = spelled(wanted).to_ascii_lowercase();
            let is_part = |whole: &str, part: &str| {
                let rest = part.strip_prefix(whole);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':', '[']))
            };
            is_part(&wanted, &changed) || is_part(&changed, &wanted)
        })
    })
}

/// An attribute path as the name `changed` spells it: `urn:…:User:name.givenName`.
pub fn spelled(path: &AttributePath) -> String {
    let mut text = String::new();
    if let Some(schema) = &path.schema {
        text.push_str(schema);
    }
    if !path.attribute.is_empty() {
        if !text.is_empty() {
            text.push(':');
        }
        text.push_str(&path.attribute);
    }
    if let Some(sub_attribute) = &path.sub_attribute {
        text.push('.');
        text.push_str(sub_attribute);
    }
    text
}

fn path_and_query(
    call: &Call,
    operation: &str,
    target: &Target,
    names: &Names<'_>,
    page: &PageRequest,
) -> Result<String, CallError> {
    let text = match &page.location {
        Some(location) => location.clone(),
        None => {
            let path = call.path.render(names, &target.id_pattern)?;
            let mut query = query(call, target, names)?;
            query.retain(|(name, _)| page.query.iter().all(|(other, _)| other != name));
            query.extend(page.query.iter().cloned());
            with_query(path, &query)
        }
    };
    // The path's placeholders are encoded as segments already; what comes out is looked at once more as a whole.
    let parsed = PathAndQuery::try_from(text.as_str());
    match parsed {
        Ok(parsed) if text.starts_with('/') && !has_dot_segment(parsed.path()) => Ok(text),
        _ => Err(CallError::Path(operation.to_owned())),
    }
}

fn has_dot_segment(path: &str) -> bool {
    let may_be = path.contains(['.', '%']);
    may_be
        && path.split(['/', '\\']).any(|segment| {
            let decoded = percent_decode_str(segment).decode_utf8_lossy();
            let name = decoded.split(';').next().unwrap_or_default();
            matches!(name, "." | "..")
        })
}

/// The call's parameters, then the target's; absent and null ones are left out.
fn query(
    call: &Call,
    target: &Target,
    names: &Names<'_>,
) -> Result<Vec<(String, String)>, CallError> {
    let lists = match target.format {
        BodyFormat::Form(lists) => lists,
        _ => FormLists::Repeat,
    };
    let mut pairs = Vec::new();
    let own = call
        .query
        .iter()
        .map(|(name, value)| (name, value.value(names)));
    let common = target
        .query
        .iter()
        .map(|(name, value)| (name, value.value(names)));
    for (name, value) in own.chain(common) {
        let Some(value) = value?.filter(|value| !value.is_null()) else {
            continue;
        };
        match scalar_text(&value) {
            Some(text) => pairs.push((name.clone(), text)),
            None => pairs.extend(form_fields(lists, name, &value)),
        }
    }
    Ok(pairs)
}

/// Adds parameters to a path, each encoded so that it stays one parameter.
pub fn with_query(mut path: String, pairs: &[(String, String)]) -> String {
    let mut separator = if path.contains('?') { '&' } else { '?' };
    for (name, value) in pairs {
        path.push(separator);
        path.extend(utf8_percent_encode(name, QUERY_NAME));
        path.push('=');
        path.extend(utf8_percent_encode(value, QUERY_VALUE));
        separator = '&';
    }
    path
}

fn headers(
    call: &Call,
    target: &Target,
    names: &Names<'_>,
) -> Result<Vec<(HeaderName, HeaderValue)>, CallError> {
    let mut found: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for (name, template) in target.headers.iter().chain(&call.headers) {
        if let Some((name, value)) = header(name, template, names)? {
            found.retain(|(other, _)| *other != name);
            found.push((name, value));
        }
    }
    Ok(found)
}

/// One header; absent if its template has no value.
///
/// # Errors
///
/// [`CallError::Header`] for a name or value that must not be sent.
pub fn header(
    name: &str,
    template: &Template,
    names: &Names<'_>,
) -> Result<Option<(HeaderName, HeaderValue)>, CallError> {
    let Some(text) = template.render(names)? else {
        return Ok(None);
    };
    let refused = || CallError::Header(name.to_owned());
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    if FRAMING.contains(&name.as_str()) {
        return Err(refused());
    }
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused())?;
    // Any of them may be a credential; none is printed.
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

fn body(
    call: &Call,
    target: &Target,
    names: &Names<'_>,
    default_body: Option<Value>,
    page: &PageRequest,
) -> Result<Option<(BodyFormat, Value)>, CallError> {
    let mut own = match &call.body {
        Some(tree) => tree.render(names)?,
        None => default_body,
    };
    for (place, value) in &page.body {
        let body = own.get_or_insert_with(|| Value::Object(serde_json::Map::new()));
        place.write(body, value.clone());
    }
    let has_none = call.is_safe() || call.method == Method::DELETE;
    let whole = match target.wrap.as_ref().filter(|_| call.is_wrapped) {
        Some(wrap) if own.is_some() || !has_none => {
            let mut names = names.child();
            if let Some(own) = own {
                names.with("body", Cow::Owned(own));
            }
            wrap.render(&names)?
        }
        _ => own,
    };
    Ok(whole.map(|body| (call.format.unwrap_or(target.format), body)))
}
