//! Which request heads are accepted: one pure function.
//!
//! hyper checks the grammar. What it lets through and an edge must not (several `Host` lines, an absolute target that
//! disagrees with `Host`, hidden separators in the path) is refused here, before anything is routed.

use http::{HeaderMap, HeaderValue, Method, Version, header, request::Parts, uri::Authority};

use crate::scim::Error;

use super::settings::Limits;

/// What is left of a head after the check, beside its headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CheckedHead {
    /// Raw and percent-encoded; starts with `/`.
    pub path: String,
    /// Raw, without the `?`.
    pub query: Option<String>,
    /// From `Host` or `:authority`, lower case. Absent only in HTTP/1.0.
    pub host: Option<String>,
    /// Absent for chunked bodies and for HTTP/2 requests that do not say.
    pub content_length: Option<u64>,
}

/// Checks a head against RFC 9110, RFC 9112 and our limits.
///
/// # Errors
///
/// 400 for what is ambiguous or hides something, 413, 414, 415, 417, 431 and 501 as HTTP says.
pub(super) fn check(parts: &Parts, limits: &Limits) -> Result<CheckedHead, Error> {
    if parts.method == Method::CONNECT || parts.method == Method::TRACE {
        return Err(bad("The method is not accepted."));
    }
    check_names(&parts.headers, limits)?;
    check_framing(&parts.headers)?;
    let host = check_host(parts)?;
    let uri = &parts.uri;
    let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if length > limits.max_uri_bytes {
        return Err(Error::new(414, "The request URL is too long."));
    }
    check_path(uri.path())?;
    if let Some(query) = uri.query() {
        check_query(query)?;
    }
    Ok(CheckedHead {
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        host,
        content_length: content_length(&parts.headers)?,
    })
}

/// How long a head is, without compression.
pub(super) fn size(parts: &Parts) -> usize {
    let headers = parts.headers.iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let path = parts.uri.path_and_query();
    headers + path.map_or(0, |path| path.as_str().len())
}

/// Header names: not too many, none that a CGI-like application would take for another one.
fn check_names(headers: &HeaderMap, limits: &Limits) -> Result<(), Error> {
    if headers.len() > limits.max_headers {
        return Err(Error::new(431, "The request has too many headers."));
    }
    if headers
        .keys()
        .any(|name| name.as_str().as_bytes().contains(&b'_'))
    {
        return Err(bad("A header name contains an underscore."));
    }
    Ok(())
}

/// How the body is delimited and coded. Nothing here is ever upgraded to another protocol.
fn check_framing(headers: &HeaderMap) -> Result<(), Error> {
    if headers.contains_key(header::UPGRADE) {
        return Err(bad("Upgrading the connection is not supported."));
    }
    // hyper already treats this as chunked and closes the connection, but may drop one of the two headers before
    // we see them.
    if headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH)
    {
        return Err(bad(
            "The request has both `Content-Length` and `Transfer-Encoding`.",
        ));
    }
    // hyper frames by the last coding and leaves those before it to us.
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_known = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !codings.next().is_none_or(is_known) || codings.next().is_some() {
        return Err(Error::new(
            501,
            "No transfer coding but `chunked` is understood.",
        ));
    }
    for coding in headers.get_all(header::CONTENT_ENCODING) {
        if !coding.as_bytes().eq_ignore_ascii_case(b"identity") {
            return Err(Error::new(415, "Request bodies must not be compressed."));
        }
    }
    for expectation in headers.get_all(header::EXPECT) {
        if !expectation.as_bytes().eq_ignore_ascii_case(b"100-continue") {
            return Err(Error::new(417, "The expectation cannot be met."));
        }
    }
    Ok(())
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get(header::CONTENT_LENGTH) else {
        return Ok(None);
    };
    let digits = value
        .to_str()
        .map_err(|_| bad("`Content-Length` is not a number."))?;
    let length = digits
        .parse()
        .map_err(|_| bad("`Content-Length` is not a number."))?;
    Ok(Some(length))
}

/// Exactly one authority, said once or twice alike (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn check_host(parts: &Parts) -> Result<Option<String>, Error> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(bad("The request has more than one `Host` header."));
    }
    let host = match host {
        Some(value) => {
            let text = value.to_str().map_err(|_| bad("`Host` is not valid."))?;
            Some(authority(text)?)
        }
        None => None,
    };
    let target = match parts.uri.authority() {
        Some(target) => Some(authority(target.as_str())?),
        None => None,
    };
    let scheme = parts.uri.scheme_str();
    match (host, target) {
        (Some(host), Some(target)) => {
            if without_default_port(&host, scheme) == without_default_port(&target, scheme) {
                Ok(Some(host))
            } else {
                Err(bad("`Host` and the request target name different hosts."))
            }
        }
        (Some(host), None) => Ok(Some(host)),
        (None, Some(target)) if parts.version == Version::HTTP_2 => Ok(Some(target)),
        (None, None) if parts.version == Version::HTTP_10 => Ok(None),
        _ => Err(bad("The request has no `Host` header.")),
    }
}

/// A host with an optional port, in lower case; it is shown in URLs, so nothing else may be in it.
pub(super) fn authority(text: &str) -> Result<String, Error> {
    let invalid = || bad("`Host` is not valid.");
    let is_host_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte);
    if text.is_empty() || text.len() > 255 || !text.bytes().all(is_host_character) {
        return Err(invalid());
    }
    // Brackets belong around an address of IPv6 and nowhere else.
    let (host, port) = match text.contains(['[', ']']) {
        true => {
            let parsed: Authority = text.parse().map_err(|_| invalid())?;
            text.split_at(parsed.host().len())
        }
        false => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    // `host:` and `host:99999` have no port that anyone could connect to.
    let is_port = |port: &str| port.is_empty() || number_of_port(port).is_some();
    if host.is_empty() || !is_port(port) {
        return Err(invalid());
    }
    Ok(text.to_ascii_lowercase())
}

/// The number behind a colon.
fn number_of_port(port: &str) -> Option<u16> {
    port.strip_prefix(':')?.parse().ok()
}

fn without_default_port<'a>(authority: &'a str, scheme: Option<&str>) -> &'a str {
    let port = match scheme {
        Some("https") => ":443",
        Some("http") => ":80",
        _ => return authority,
    };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// A path whose meaning does not depend on who decodes it.
fn check_path(path: &str) -> Result<(), Error> {
    if !path.starts_with('/') {
        return Err(bad("The request target is not a path."));
    }
    if !path.bytes().all(is_plain) || path.contains('\\') {
        return Err(bad("The path contains a character that must be encoded."));
    }
    if path.contains('%') {
        for segment in path.split('/') {
            check_segment(&decode(segment)?)?;
        }
    } else if path.contains('.') && path.split('/').any(is_dots) {
        return Err(bad("The path contains a dot segment."));
    }
    Ok(())
}

fn check_segment(decoded: &[u8]) -> Result<(), Error> {
    let text = std::str::from_utf8(decoded).map_err(|_| bad("The path is not UTF-8."))?;
    if text
        .chars()
        .any(|c| c.is_control() || c == '/' || c == '\\')
    {
        return Err(bad(
            "The path contains an encoded character that is not accepted.",
        ));
    }
    if is_dots(text) {
        return Err(bad("The path contains a dot segment."));
    }
    Ok(())
}

/// `.` and `..`, also with a parameter: some servers read `..;x` as `..`.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or(segment);
    name == "." || name == ".."
}

/// Percent-decodes strictly: every `%` needs two hexadecimal digits.
fn decode(segment: &str) -> Result<Vec<u8>, Error> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = (hex(bytes.next()), hex(bytes.next()));
        let (Some(high), Some(low)) = digits else {
            return Err(bad("The path has a `%` that encodes nothing."));
        };
        decoded.push(high << 4 | low);
    }
    Ok(decoded)
}

fn hex(digit: Option<u8>) -> Option<u8> {
    match digit? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Queries are read as form data, which decodes leniently; only what no reader should meet is refused.
fn check_query(query: &str) -> Result<(), Error> {
    if !query.bytes().all(is_plain) {
        return Err(bad("The query contains a character that must be encoded."));
    }
    if query.contains("%00") {
        return Err(bad("The query contains an encoded NUL."));
    }
    Ok(())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

fn bad(detail: &'static str) -> Error {
    Error::new(400, detail)
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
