//! How to reach an application: `[target]`.

use std::{path::PathBuf, time::Duration};

use regex::Regex;

use crate::{
    diagnostic::Place,
    mapping::{
        expression::Expression,
        path::JsonPath,
        template::{Template, Tree},
    },
    scim::ScimType,
    tenant::secret::Secret,
};

use super::Call;

/// How to reach an application.
#[derive(Debug)]
pub struct Target {
    /// Origin and path prefix, no slash at the end.
    pub base_url: url::Url,
    /// What the application calls its own address in URLs that it gives, no slash at the end; absent: the base URL.
    pub public_url: Option<url::Url>,
    /// For one SCIM request's calls together.
    pub deadline: Duration,
    /// For TCP and TLS of one connection.
    pub connect_timeout: Duration,
    /// For the head of one call's reply.
    pub reply_timeout: Duration,
    /// Extra trusted roots, PEM; the system's are always trusted.
    pub ca: Option<PathBuf>,
    /// Certificate and key shown to the target, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Sent with every call.
    pub headers: Vec<(String, Template)>,
    /// Added to every call's query.
    pub query: Vec<(String, Template)>,
    /// How bodies are written unless a call says otherwise.
    pub format: BodyFormat,
    /// Put around every body: a tree in which the leaf `{body}` stands for it (`[target.wrap]`), as JSON-RPC wants.
    pub wrap: Option<Tree>,
    /// What stands in front of the content of replies and is no part of it: protection of browsers against foreign scripts.
    pub reply_prefix: Option<String>,
    /// Where the content of every reply is; absent: the whole (`[target] content = '$.result'`).
    pub content: Option<JsonPath>,
    /// How calls are authenticated.
    pub auth: Auth,
    /// Whether the application accepts the credential: a call made when a tenant is loaded. Absent: none.
    pub probe: Option<Call>,
    /// What the application can take.
    pub budget: Budget,
    /// What replies mean, tried in order after a call's own rules and before the defaults.
    pub rules: Vec<ReplyRule>,
    /// Where the application's own words about an error are.
    pub detail: Option<JsonPath>,
    /// Where the time to wait is in a 429's body.
    pub retry_after: Option<RetryAfterField>,
    /// What a value put into a path must look like.
    pub id_pattern: Regex,
    /// Larger replies are refused.
    pub max_reply_bytes: usize,
    /// Whether a call is compared with the objects of a list that lack fields: places blanked in records.
    pub redact: Vec<JsonPath>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`; lists repeat the name.
    Form(FormLists),
    /// `multipart/form-data`.
    Multipart,
    /// `application/xml`; the body's single member is the root element.
    Xml,
}

/// How a form writes a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormLists {
    /// `a=1&a=2`.
    Repeat,
    /// `a[]=1&a[]=2`.
    Brackets,
    /// `a=1|2`.
    Pipe,
    /// `a=1,2`.
    Comma,
}

/// How calls are authenticated: `[target.auth.…]`.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each tenant")]
pub enum Auth {
    /// Not at all.
    None,
    /// A header with a fixed value.
    Header { name: String, value: Secret },
    /// A query parameter with a fixed value.
    Query { name: String, value: Secret },
    /// RFC 7617.
    Basic { user: String, password: Secret },
    /// RFC 6750.
    Bearer { token: Secret },
    /// RFC 6749 §4.4, or RFC 7523 if a key is given.
    OAuth2(OAuth2),
    /// Calls that give a token or cookies.
    Login(Box<Login>),
    /// AWS Signature Version 4.
    AwsSigV4 {
        access_key: String,
        secret_key: Secret,
        session_token: Option<Secret>,
        region: String,
        service: String,
    },
}

/// OAuth 2 client credentials or JWT bearer.
#[derive(Debug)]
pub struct OAuth2 {
    pub token_url: url::Url,
    pub client_id: String,
    pub client_secret: Option<Secret>,
    pub scope: Option<String>,
    /// Further parameters of the token request (`audience`, `resource`).
    pub parameters: Vec<(String, String)>,
    /// Whether id and secret go into the body instead of a Basic header.
    pub is_in_body: bool,
    /// RFC 7523: an assertion signed with this key (PEM) instead of a secret.
    pub jwt: Option<JwtAssertion>,
}

/// What a JWT bearer assertion says (RFC 7523).
#[derive(Debug)]
pub struct JwtAssertion {
    /// PKCS#8 PEM: RSA (RS256) or P-256 (ES256).
    pub key: Secret,
    pub key_id: Option<String>,
    pub issuer: String,
    pub subject: String,
    pub audience: String,
    pub life: Duration,
    /// Whether it is the grant (`urn:ietf:params:oauth:grant-type:jwt-bearer`) and not a client assertion.
    pub is_grant: bool,
}

/// Calls that give a token or cookies; what steps take is `login.NAME` in every template.
#[derive(Debug)]
pub struct Login {
    pub steps: Vec<Call>,
    /// Sent with every call once logged in.
    pub headers: Vec<(String, Template)>,
    /// Added to every call's query once logged in.
    pub query: Vec<(String, Template)>,
    /// Whether cookies set by login replies are sent back.
    pub keeps_cookies: bool,
    /// Logged in again after this time; absent: only when told "not logged in".
    pub life: Option<Duration>,
    /// The value that a step takes which says how long the session lasts, and its unit.
    pub life_in_answer: Option<(String, RetryUnit)>,
    /// Where the headers and parameters stand, in their order: the headers' values first.
    pub sent_at: Vec<Place>,
    /// Where `life` stands; else where the login does. Absent for one that is from no file.
    pub life_at: Option<Place>,
}

/// What an application can take: `[target.budget]`.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    /// Calls at the same time; absent: 16.
    pub concurrent: Option<usize>,
    pub calls: Option<Rate>,
    pub reads: Option<Rate>,
    pub writes: Option<Rate>,
    pub deletes: Option<Rate>,
    /// The application is left alone at most so long, whatever it asks for; absent: 10 minutes.
    pub longest_pause: Option<Duration>,
    /// Answers of look-ups kept in memory; absent: [`MOST_REMEMBERED`](Self::MOST_REMEMBERED).
    pub remembered: Option<usize>,
}

impl Budget {
    /// Answers of look-ups kept in memory unless the mapping says otherwise.
    pub const MOST_REMEMBERED: usize = 1000;
}

/// So many in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// Where the time to wait is in a reply that says "too many".
#[derive(Debug)]
pub struct RetryAfterField {
    pub path: JsonPath,
    pub unit: RetryUnit,
}

/// What the number or text there means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryUnit {
    Seconds,
    Milliseconds,
    /// An RFC 3339 time.
    Time,
}

/// A rule that says what a reply means. All conditions that are there must hold.
#[derive(Debug)]
pub struct ReplyRule {
    /// Statuses; empty: any.
    pub status: Vec<StatusRange>,
    /// A header that is there (and matches).
    pub header: Option<(String, Option<Regex>)>,
    /// An expression over the reply's JSON, `status` beside its members.
    pub when: Option<Expression>,
    /// A text that the body (or what `detail` finds) contains, without regard to case.
    pub contains: Option<String>,
    /// The same as a pattern.
    pub matches: Option<Regex>,
    /// What it means.
    pub is: Meaning,
    /// The SCIM attribute the refusal is about.
    pub attribute: Option<String>,
    /// Said to the client instead of the application's words.
    pub say: Option<Template>,
}

/// Statuses from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    pub first: u16,
    pub last: u16,
}

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Done.
    Ok,
    /// Done, and made.
    Created,
    /// What was wished is so already; counts as done.
    AlreadySo,
    /// There is no such object.
    NotFound,
    /// A duplicate: 409 `uniqueness`.
    Uniqueness,
    /// Somebody else changed the object since it was read: read, compare, and send again.
    Changed,
    /// A refusal with a SCIM type, as `invalidValue` or `mutability`.
    Refused(ScimType),
    /// The gateway's credential may not do this: 502 to the client, never 403.
    Forbidden,
    /// The session has ended: log in again and repeat once.
    NotLoggedIn,
    /// Slow down.
    TooMany,
    /// A fault that may pass: repeated if the call may be.
    Retry,
    /// The target cannot do this: 501.
    NotSupported,
    /// Any other failure: 502.
    Failed,
}
