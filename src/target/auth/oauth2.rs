//! `[target.auth.oauth2]`: client credentials (RFC 6749 §4.4) and JWT assertions (RFC 7523).

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::Full;
use serde_json::Value;
use url::{Host, Url};

use super::{LoginFailure, Session, basic, jwt::Key};
use crate::{
    mapping::model::OAuth2,
    target::{Journey, TargetError, line::Line},
};

/// Checks the token URL and reads the key, if there is one.
///
/// # Errors
///
/// A token URL that is neither `https`, nor on this machine, nor of the target's own origin; a key that is none.
pub(super) fn prepare(settings: &OAuth2, base: &Url) -> Result<Option<Key>, TargetError> {
    let url = &settings.token_url;
    let is_safe = url.scheme() == "https" || is_loopback(url) || url.origin() == base.origin();
    if !is_safe || url.host_str().is_none() {
        let what = "The token URL of OAuth 2 must begin with `https://`.";
        return Err(TargetError::Settings(what.into()));
    }
    settings
        .jwt
        .as_ref()
        .map(|jwt| Key::parse(&jwt.key))
        .transpose()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Asks for a token.
///
/// # Errors
///
/// `LoginFailed` if the token server refuses or its answer is none, and all of [`Line::exchange`].
pub(super) async fn session(
    settings: &OAuth2,
    key: Option<&Key>,
    line: &Line,
    journey: &Journey,
) -> Result<Session, TargetError> {
    let request = request(settings, key)?;
    let (status, _, body) = line.exchange(request, journey.deadline).await?;
    if status != StatusCode::OK {
        return Err(TargetError::LoginFailed(match status.as_u16() {
            400 | 401 | 403 => LoginFailure::ClientRefused,
            429 => LoginFailure::TokenServerBusy,
            _ => LoginFailure::TokenServerFailed,
        }));
    }
    let unusable = |why| TargetError::LoginFailed(LoginFailure::TokenServerAnswer(why));
    let answer: Value = serde_json::from_slice(&body).map_err(|_| unusable("is not JSON"))?;
    let token = answer.get("access_token").and_then(Value::as_str);
    let token = token.ok_or(unusable("has no token"))?;
    let session = Session::of_header(AUTHORIZATION, &format!("Bearer {token}"))
        .map_err(|_| unusable("has no usable token"))?;
    Ok(session.lasting(life_in(&answer)))
}

/// `expires_in` is a number of seconds; some servers write it as text.
fn life_in(answer: &Value) -> Option<Duration> {
    let value = answer.get("expires_in")?;
    let seconds = value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok())?;
    Some(Duration::from_secs(seconds))
}

fn request(settings: &OAuth2, key: Option<&Key>) -> Result<Request<Full<Bytes>>, TargetError> {
    let unusable = || TargetError::Settings("The token URL of OAuth 2 cannot be used.".into());
    let mut url = settings.token_url.clone();
    url.set_fragment(None);
    let form = form(settings, key)?;
    let mut request = Request::new(Full::new(Bytes::from(form)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.as_str().parse().map_err(|_| unusable())?;
    let headers = request.headers_mut();
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    headers.insert(HOST, HeaderValue::from_str(&host).map_err(|_| unusable())?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, content_type);
    if let (Some(secret), false) = (&settings.client_secret, settings.is_in_body) {
        // RFC 6749 §2.3.1: both are form-encoded before they are put together.
        let encoded =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let value = basic::value(&encoded(&settings.client_id), &encoded(secret.expose()));
        let mut value = HeaderValue::from_str(&value).map_err(|_| unusable())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn form(settings: &OAuth2, key: Option<&Key>) -> Result<String, TargetError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let assertion = match (key, &settings.jwt) {
        (Some(key), Some(jwt)) => {
            let now = jiff::Timestamp::now().as_second();
            let id = uuid::Uuid::new_v4().to_string();
            Some((key.sign(jwt, now, &id)?, jwt.is_grant))
        }
        _ => None,
    };
    match &assertion {
        Some((assertion, true)) => {
            form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
            form.append_pair("assertion", assertion);
        }
        Some((assertion, false)) => {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form.append_pair("grant_type", "client_credentials");
            form.append_pair("client_assertion_type", kind);
            form.append_pair("client_assertion", assertion);
            form.append_pair("client_id", &settings.client_id);
        }
        None => {
            form.append_pair("grant_type", "client_credentials");
        }
    }
    if let (Some(secret), true) = (&settings.client_secret, settings.is_in_body) {
        form.append_pair("client_id", &settings.client_id);
        form.append_pair("client_secret", secret.expose());
    }
    if let Some(scope) = &settings.scope {
        form.append_pair("scope", scope);
    }
    for (name, value) in &settings.parameters {
        form.append_pair(name, value);
    }
    Ok(form.finish())
}
