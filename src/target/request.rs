//! The HTTP request of one call: where it goes, what is said in front of it, who says it.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT},
};
use http_body_util::Full;
use percent_encoding::percent_decode_str;

use super::{
    TargetError,
    auth::aws_sigv4::{Signed, Signer, sign},
    line::{Attempt, Line},
};
use crate::mapping::{
    body,
    call::{CallError, with_query},
    model::{Auth, BodyFormat},
};

const AGENT: &str = concat!("scimgate/", env!("CARGO_PKG_VERSION"));

/// Anything, but rather what is asked for: some applications answer 406 where an error or an empty reply has another type.
/// What replies may be where they are JSON.
pub(crate) const ACCEPT_JSON: &str = "application/json, */*;q=0.1";
const ACCEPT_XML: &str = "application/xml, */*;q=0.1";

impl Line {
    /// The request of one attempt: the planned call, the base URL, the credential.
    ///
    /// # Errors
    ///
    /// `Mapping` for what cannot be sent; nothing has been then.
    pub fn request(&self, attempt: &Attempt<'_>) -> Result<Request<Full<Bytes>>, TargetError> {
        let planned = attempt.planned;
        let session = attempt.session;
        // A next link may repeat the credential's parameter.
        let path_and_query = match session.query.is_empty() {
            true => Cow::Borrowed(planned.path_and_query.as_str()),
            false => {
                let others = without(&planned.path_and_query, &session.query);
                Cow::Owned(with_query(others, &session.query))
            }
        };
        let url = Bytes::from([self.base.as_str(), &path_and_query].concat());
        let unsendable = || CallError::Path(planned.operation.clone());
        let uri = Uri::from_maybe_shared(url).map_err(|_| unsendable())?;
        let is_home = uri
            .authority()
            .is_some_and(|authority| authority.as_str() == self.authority());
        if !is_home {
            return Err(unsendable().into());
        }
        let (content_type, body) = match &planned.body {
            Some((format, body)) => {
                let (content_type, bytes) = body::encode(*format, body);
                (planned.content_type.clone().or(Some(content_type)), bytes)
            }
            None => (None, Bytes::new()),
        };
        let headers = self.headers(attempt, content_type, &uri, &body)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = planned.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn authority(&self) -> &str {
        let rest = self.base.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// Ours first, then the mapping's, then the credential's: each may replace what came before it.
    fn headers(
        &self,
        attempt: &Attempt<'_>,
        content_type: Option<String>,
        uri: &Uri,
        body: &Bytes,
    ) -> Result<HeaderMap, TargetError> {
        let unsendable = |name: &str| CallError::Header(name.into());
        let mut headers = HeaderMap::new();
        headers.insert(
            HOST,
            HeaderValue::from_str(&self.host).map_err(|_| unsendable("host"))?,
        );
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let accept = match self.mapping.target.format {
            BodyFormat::Xml => ACCEPT_XML,
            _ => ACCEPT_JSON,
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some(content_type) = content_type {
            let value =
                HeaderValue::from_str(&content_type).map_err(|_| unsendable("content-type"))?;
            headers.insert(CONTENT_TYPE, value);
        }
        for (name, value) in attempt
            .planned
            .headers
            .iter()
            .chain(&attempt.session.headers)
        {
            headers.insert(name, value.clone());
        }
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(cookies) = attempt.session.cookies(uri.path()) {
            let mut value = HeaderValue::from_str(&cookies).map_err(|_| unsendable("cookie"))?;
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
        if let Auth::AwsSigV4 { .. } = &self.mapping.target.auth {
            let signature = self
                .signature(attempt, uri, &headers, body)
                .ok_or_else(|| unsendable("authorization"))?;
            headers.extend(signature);
        }
        Ok(headers)
    }

    fn signature(
        &self,
        attempt: &Attempt<'_>,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Option<HeaderMap> {
        let Auth::AwsSigV4 {
            access_key,
            secret_key,
            session_token,
            region,
            service,
        } = &self.mapping.target.auth
        else {
            return None;
        };
        let signer = Signer {
            access_key,
            secret_key,
            session_token: session_token.as_ref(),
            region,
            service,
        };
        let mut headers = headers.clone();
        headers.remove(HOST);
        let signed = Signed {
            method: &attempt.planned.method,
            path_and_query: uri.path_and_query()?.as_str(),
            host: &self.host,
            headers: &headers,
            body,
        };
        sign(&signer, &signed, jiff::Timestamp::now())
    }
}

/// A path without the query parameters of these names.
fn without(path_and_query: &str, names: &[(String, String)]) -> String {
    let Some((path, query)) = path_and_query.split_once('?').filter(|_| !names.is_empty()) else {
        return path_and_query.to_owned();
    };
    let is_other = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        names.iter().all(|(other, _)| *other != name)
    };
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", kept.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_s_parameter_is_sent_once() {
        let key = [("api key".to_owned(), "new".to_owned())];
        let cases = [
            ("/u?a=1&api%20key=old&b=2", "/u?a=1&b=2"),
            ("/u?api%20key=old", "/u"),
            ("/u?api", "/u?api"),
            ("/u", "/u"),
        ];
        for (path, expected) in cases {
            assert_eq!(without(path, &key), expected);
        }
    }
}
