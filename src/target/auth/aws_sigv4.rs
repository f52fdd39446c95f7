//! AWS Signature Version 4, in headers. Pure: the time is given.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::tenant::secret::Secret;

/// Everything but RFC 3986's unreserved characters.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What signs.
#[derive(Debug)]
pub struct Signer<'s> {
    pub access_key: &'s str,
    pub secret_key: &'s Secret,
    pub session_token: Option<&'s Secret>,
    pub region: &'s str,
    pub service: &'s str,
}

/// What is signed.
#[derive(Debug)]
pub struct Signed<'r> {
    pub method: &'r Method,
    /// The path and query as sent.
    pub path_and_query: &'r str,
    /// The value of the `Host` header as sent.
    pub host: &'r str,
    /// Headers besides `Host`; all are signed.
    pub headers: &'r HeaderMap,
    pub body: &'r [u8],
}

/// The headers to add: `x-amz-date`, `x-amz-content-sha256`, the session token if there is one, `authorization`.
///
/// Absent if a credential holds characters that no header can hold.
pub fn sign(signer: &Signer<'_>, signed: &Signed<'_>, now: jiff::Timestamp) -> Option<HeaderMap> {
    let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = moment.get(..8)?;
    let body_hash = hex(digest::digest(&digest::SHA256, signed.body).as_ref());
    let mut added = HeaderMap::new();
    added.insert("x-amz-date", HeaderValue::from_str(&moment).ok()?);
    // S3 demands it, the others take it.
    added.insert(
        "x-amz-content-sha256",
        HeaderValue::from_str(&body_hash).ok()?,
    );
    if let Some(token) = signer.session_token {
        added.insert("x-amz-security-token", sensitive(token.expose())?);
    }

    let (canonical, names) = canonical_request(signed, &added, &body_hash);
    let scope = format!("{day}/{}/{}/aws4_request", signer.region, signer.service);
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}");
    let signature = hex(mac(&signing_key(signer, day), &to_sign).as_ref());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        signer.access_key
    );
    added.insert(http::header::AUTHORIZATION, sensitive(&authorization)?);
    Some(added)
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn canonical_request(signed: &Signed<'_>, added: &HeaderMap, body_hash: &str) -> (String, String) {
    let (path, query) = match signed.path_and_query.split_once('?') {
        Some((path, query)) => (path, query),
        None => (signed.path_and_query, ""),
    };
    let headers = canonical_headers(signed, added);
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut text = format!(
        "{}\n{}\n{}\n",
        signed.method,
        canonical_path(path),
        canonical_query(query)
    );
    for (name, value) in &headers {
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{names}\n{body_hash}");
    (text, names)
}

/// Lower-case names, values with their blanks folded, ordered by name.
fn canonical_headers(signed: &Signed<'_>, added: &HeaderMap) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = vec![("host".into(), signed.host.into())];
    let names: Vec<&HeaderName> = signed.headers.keys().chain(added.keys()).collect();
    for name in names {
        let both = signed
            .headers
            .get_all(name)
            .iter()
            .chain(added.get_all(name));
        let values: Vec<String> = both
            .map(|value| folded(&String::from_utf8_lossy(value.as_bytes())))
            .collect();
        found.push((name.as_str().into(), values.join(",")));
    }
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

fn folded(value: &str) -> String {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    words.join(" ")
}

/// Each segment of the path as sent is encoded once more, as every service but S3 wants it.
fn canonical_path(path: &str) -> String {
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| utf8_percent_encode(segment, STRICT).to_string())
        .collect();
    match segments.join("/") {
        path if path.is_empty() => "/".into(),
        path => path,
    }
}

/// Decoded, encoded strictly, ordered by name and value.
fn canonical_query(query: &str) -> String {
    let strict = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        utf8_percent_encode(&decoded, STRICT).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (strict(name), strict(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn signing_key(signer: &Signer<'_>, day: &str) -> hmac::Tag {
    let secret = format!("AWS4{}", signer.secret_key.expose());
    let first = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut key = hmac::sign(&first, day.as_bytes());
    for part in [signer.region, signer.service, "aws4_request"] {
        key = mac(&key, part);
    }
    key
}

fn mac(key: &hmac::Tag, text: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
    hmac::sign(&key, text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The credential of AWS's published test suite and documentation.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_signing_key_is_the_one_in_the_documentation() {
        let secret = Secret::new(SECRET);
        let signer = Signer {
            access_key: "AKIDEXAMPLE",
            secret_key: &secret,
            session_token: None,
            region: "us-east-1",
            service: "iam",
        };
        let key = signing_key(&signer, "20150830");
        assert_eq!(
            hex(key.as_ref()),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
        let to_sign = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
                       f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        assert_eq!(
            hex(mac(&key, to_sign).as_ref()),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn the_documented_list_users_request_is_canonical() {
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        headers.insert("content-type", form);
        let mut added = HeaderMap::new();
        added.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        let signed = Signed {
            method: &Method::GET,
            path_and_query: "/?Version=2010-05-08&Action=ListUsers",
            host: "iam.amazonaws.com",
            headers: &headers,
            body: b"",
        };
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let (canonical, names) = canonical_request(&signed, &added, empty);
        assert_eq!(names, "content-type;host;x-amz-date");
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        assert_eq!(
            hashed,
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
    }

    #[test]
    fn queries_are_ordered_and_strictly_encoded() {
        let cases = [
            ("", ""),
            ("Param2=value2&Param1=value1", "Param1=value1&Param2=value2"),
            ("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2"),
            ("a=x%20y&b", "a=x%20y&b="),
            ("a=1:2@x*", "a=1%3A2%40x%2A"),
        ];
        for (query, expected) in cases {
            assert_eq!(canonical_query(query), expected);
        }
        assert_eq!(canonical_path("/a%20b/c"), "/a%2520b/c");
        assert_eq!(canonical_path(""), "/");
    }

    #[test]
    fn every_header_is_signed_and_the_token_is_sent() {
        let secret = Secret::new(SECRET);
        let token = Secret::new("session");
        let signer = Signer {
            access_key: "AKIDEXAMPLE",
            secret_key: &secret,
            session_token: Some(&token),
            region: "eu-west-1",
            service: "execute-api",
        };
        let mut headers = HeaderMap::new();
        headers.insert("x-tenant", HeaderValue::from_static("a   b"));
        let signed = Signed {
            method: &Method::POST,
            path_and_query: "/users",
            host: "api.example",
            headers: &headers,
            body: b"{}",
        };
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let added = sign(&signer, &signed, now).unwrap();
        assert_eq!(added["x-amz-date"], "20261122T100000Z");
        let authorization = added["authorization"].to_str().unwrap();
        assert!(authorization.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-west-1/execute-api/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-tenant, Signature="
        ));
        assert!(added["authorization"].is_sensitive());
    }
}
