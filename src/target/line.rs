//! The way to one target: one attempt at one call, within breaker, budget and deadline.

use std::{
    sync::Arc,
    time::{Duration, Instant as StdInstant},
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Request, StatusCode, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout_at};

use super::{
    Journey, TargetError,
    auth::Session,
    breaker::Outcome,
    budget::{Budget, Exhausted, Kind},
    connections::Way,
    record::Secrets,
};
use crate::mapping::{
    body,
    call::{PlannedCall, with_query},
    model::{Auth, BodyFormat, Call, Mapping, Meaning},
    reply::{CallClass, Reply, Verdict, judge},
};

/// From sending a call to its reply's head, whatever the deadline (promise R5).
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// A call given up sooner says nothing about the target: its request came too late.
const FAIR_TIME: Duration = Duration::from_secs(1);
const AGENT: &str = concat!("scimgate/", env!("CARGO_PKG_VERSION"));

/// The way to one target.
#[derive(Debug)]
pub(super) struct Line {
    pub mapping: Arc<Mapping>,
    pub budget: Budget,
    way: Way,
    /// Origin and path prefix, no slash at the end.
    base: String,
    host: String,
}

/// One attempt at one call.
pub(super) struct Attempt<'a> {
    pub planned: &'a PlannedCall,
    pub call: &'a Call,
    pub class: CallClass,
    pub session: &'a Session,
    pub secrets: Secrets<'a>,
}

impl Line {
    pub fn new(mapping: Arc<Mapping>, way: Way) -> Result<Self, TargetError> {
        let url = &mapping.target.base_url;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(TargetError::Settings("`base-url` has no host.".into())),
        };
        let prefix = url.path().trim_end_matches('/');
        Ok(Self {
            base: format!("{}{prefix}", url.origin().ascii_serialization()),
            host,
            budget: Budget::new(&mapping.target.budget, Instant::now()),
            way,
            mapping,
        })
    }

    /// Whether the target is being left alone.
    pub fn is_open(&self) -> bool {
        self.way.breaker.is_open()
    }

    /// Sends a call once and judges the reply. Recorded in the exchange, however it ends.
    pub async fn attempt(
        &self,
        journey: &Journey,
        attempt: &Attempt<'_>,
    ) -> Result<(Reply, Verdict), TargetError> {
        let passage =
            self.way
                .breaker
                .admit(StdInstant::now())
                .map_err(|left| TargetError::CircuitOpen {
                    retry_after: left.max(Duration::from_secs(5 + random_below(26))),
                })?;
        let turn = self.budget.turn(kind_of(attempt), journey.deadline).await;
        let _place = match turn {
            Ok(place) => place,
            Err(Exhausted) => return Err(self.out_of_turn()),
        };
        let request = self.request(attempt)?;
        let start = StdInstant::now();
        let answer = self.exchange(request, journey.deadline).await;
        let end = StdInstant::now();
        let duration = end.saturating_duration_since(start);
        let status = answer.as_ref().ok().map(|(status, ..)| status.as_u16());
        journey.record(
            attempt
                .secrets
                .record(attempt.planned, status, duration, false),
        );

        let (status, headers, bytes) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                log(journey, attempt, &error);
                match error {
                    TargetError::TimedOut { .. } if duration < FAIR_TIME => {}
                    TargetError::BadReply(_) => passage.record(Outcome::Answered, end),
                    _ => passage.record(Outcome::Failed, end),
                }
                return Err(error);
            }
        };
        attempt.session.absorb(&headers);
        let target = &self.mapping.target;
        let reply = Reply::new(status.as_u16(), headers, &bytes, target);
        let verdict = judge(attempt.call, target, attempt.class, &reply);
        passage.record(outcome(&verdict, reply.status), end);
        Ok((reply, verdict))
    }

    /// Waiting in vain after a 429 is the target's doing, otherwise its budget's.
    fn out_of_turn(&self) -> TargetError {
        match self.budget.pause(Instant::now()) {
            Some(retry_after) => TargetError::TooMany { retry_after },
            None => TargetError::BudgetExhausted,
        }
    }

    /// Sends one request as it is and reads the whole reply. Follows nothing, repeats nothing.
    pub async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<(StatusCode, HeaderMap, Bytes), TargetError> {
        let now = Instant::now();
        if now >= deadline {
            return Err(TargetError::TimedOut { sent: false });
        }
        let head_deadline = deadline.min(now + HEAD_TIMEOUT);
        let response = timeout_at(head_deadline, self.way.client.request(request))
            .await
            .map_err(|_| TargetError::TimedOut { sent: true })?
            .map_err(|error| TargetError::Unreachable {
                sent: !error.is_connect(),
                cause: Box::new(error),
            })?;
        let (head, body) = response.into_parts();
        let encoding = head.headers.get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(TargetError::BadReply("it is compressed"));
        }
        let bytes = timeout_at(deadline, whole(body, self.mapping.target.max_reply_bytes))
            .await
            .map_err(|_| TargetError::TimedOut { sent: true })??;
        Ok((head.status, head.headers, bytes))
    }

    fn request(&self, attempt: &Attempt<'_>) -> Result<Request<Full<Bytes>>, TargetError> {
        let planned = attempt.planned;
        let session = attempt.session;
        let path_and_query = with_query(planned.path_and_query.clone(), &session.query);
        let url = format!("{}{path_and_query}", self.base);
        let unsendable = || crate::mapping::call::CallError::Path(planned.operation.clone());
        let uri: Uri = url.parse().map_err(|_| unsendable())?;
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
        let unsendable = |name: &str| crate::mapping::call::CallError::Header(name.into());
        let mut headers = HeaderMap::new();
        headers.insert(
            HOST,
            HeaderValue::from_str(&self.host).map_err(|_| unsendable("host"))?,
        );
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let accept = match self.mapping.target.format {
            BodyFormat::Xml => "application/xml",
            _ => "application/json",
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
        use super::auth::aws_sigv4::{Signed, Signer, sign};
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

/// Reads a body as it comes, up to the limit.
async fn whole(mut body: Incoming, most: usize) -> Result<Bytes, TargetError> {
    const TOO_LARGE: TargetError = TargetError::BadReply("it is larger than `max-reply`");
    if body.size_hint().lower() > most as u64 {
        return Err(TOO_LARGE);
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TargetError::Unreachable {
            sent: true,
            cause: Box::new(error),
        })?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > most {
                return Err(TOO_LARGE);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}

fn kind_of(attempt: &Attempt<'_>) -> Kind {
    match attempt.class {
        class if class.is_read() || !attempt.planned.is_write => Kind::Read,
        CallClass::Delete => Kind::Delete,
        _ => Kind::Write,
    }
}

fn outcome(verdict: &Verdict, status: u16) -> Outcome {
    match verdict.meaning {
        Meaning::Retry => Outcome::Failed,
        Meaning::Failed if status >= 500 => Outcome::Failed,
        _ => Outcome::Answered,
    }
}

fn log(journey: &Journey, attempt: &Attempt<'_>, error: &TargetError) {
    let cause = std::error::Error::source(error).map(root_cause);
    tracing::warn!(
        tenant = %journey.tenant,
        operation = %attempt.planned.operation,
        %error,
        cause,
        "target did not answer"
    );
}

fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(deeper) = error.source() {
        error = deeper;
    }
    error.to_string()
}

/// A random number below `limit`, for jitter only.
pub(super) fn random_below(limit: u64) -> u64 {
    let mut bytes = [0; 8];
    // Without randomness there is no jitter, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u64::from_le_bytes(bytes) % limit.max(1)
}
