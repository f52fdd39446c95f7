//! `[target]`: how to reach the application.

use std::{path::PathBuf, time::Duration};

use regex::Regex;
use url::Url;

use crate::mapping::{
    model::{Auth, BodyFormat, Budget, FormLists, ReplyRule, RetryAfterField, RetryUnit, Target},
    path::JsonPath,
};

use super::{
    auth::{self, AUTH},
    call,
    reader::Reader,
    rules::{self, RULE},
    shape::{Kind, Shape, key},
    syntax,
    tree::Content,
    url_key,
};

static CERTIFICATE: Shape = Shape {
    name: "`[target.client-certificate]`",
    about: "Certificate and key shown to the application.",
    keys: &[
        key(
            "certificate",
            Kind::Text,
            "required",
            "The chain's file, PEM.",
            "\"/etc/scimgate/gw.pem\"",
        ),
        key(
            "key",
            Kind::Text,
            "required",
            "The key's file, PEM.",
            "\"/etc/scimgate/gw.key\"",
        ),
    ],
    base: None,
    others: None,
};

static BUDGET: Shape = Shape {
    name: "`[target.budget]`",
    about: "What the application can take. Calls wait for their turn within the deadline.",
    keys: &[
        key(
            "concurrent",
            Kind::Count,
            "16",
            "Calls at the same time, 1 to 1000.",
            "8",
        ),
        key(
            "calls",
            Kind::Rate,
            "any",
            "All calls together.",
            "\"50/s\"",
        ),
        key(
            "reads",
            Kind::Rate,
            "any",
            "GET, HEAD, finds and lists.",
            "\"40/s\"",
        ),
        key(
            "writes",
            Kind::Rate,
            "any",
            "Creates, updates, member changes.",
            "\"10/s\"",
        ),
        key("deletes", Kind::Rate, "any", "Deletions.", "\"1/s\""),
        key(
            "longest-pause",
            Kind::Duration,
            "10m",
            "The application is left alone at most so long, whatever its `Retry-After` asks for; clients are told to come back then.",
            "\"2m\"",
        ),
        key(
            "remembered",
            Kind::Count,
            "1000",
            "Answers of look-ups with `remember` that are kept, 1 to 100000; the oldest makes room. Those over 16 KiB are not kept.",
            "200",
        ),
    ],
    base: None,
    others: None,
};

static RETRY_AFTER: Shape = Shape {
    name: "`retry-after`",
    about: "Where the time to wait is in the body of a reply that means too many. The header `Retry-After` is always read.",
    keys: &[
        key(
            "path",
            Kind::Path,
            "required",
            "The place.",
            "'$.retry_after_ms'",
        ),
        key(
            "unit",
            Kind::Choice(&["seconds", "milliseconds", "time"]),
            "\"seconds\"",
            "What the value means; `time` is an RFC 3339 time.",
            "\"milliseconds\"",
        ),
    ],
    base: None,
    others: None,
};

static ERRORS: Shape = Shape {
    name: "`[target.errors]`",
    about: "What replies mean, for all calls. A call's own rules come first, the defaults by status last.",
    keys: &[
        key(
            "detail",
            Kind::Path,
            "nothing is shown",
            "Where the application's own words about an error are; shown to the client's administrator, trimmed.",
            "'$.errors[*]'",
        ),
        key(
            "retry-after",
            Kind::Table(&RETRY_AFTER),
            "the header alone",
            "Where the time to wait is in the body.",
            "{ path = '$.retry_after_ms', unit = \"milliseconds\" }",
        ),
        key(
            "rules",
            Kind::Tables(&RULE),
            "none",
            "Tried in order; the first that holds decides.",
            "[{ status = 422, contains = \"already been taken\", is = \"uniqueness\" }]",
        ),
    ],
    base: None,
    others: None,
};

/// `[target]`.
pub static TARGET: Shape = Shape {
    name: "`[target]`",
    about: "How to reach the application.",
    keys: &[
        key(
            "base-url",
            Kind::Url,
            "required",
            "Origin and path prefix of all calls.",
            "\"${APP_URL}\"",
        ),
        key(
            "public-url",
            Kind::Url,
            "`base-url`",
            "What the application calls that address in links to next pages, where it is behind a proxy that the gateway goes around. No call is sent there.",
            "\"https://app.example/api\"",
        ),
        key(
            "deadline",
            Kind::Duration,
            "10s",
            "For one SCIM request's calls together, 100ms to 5m.",
            "\"10s\"",
        ),
        key(
            "connect-timeout",
            Kind::Duration,
            "2s",
            "For TCP and TLS of one connection.",
            "\"2s\"",
        ),
        key(
            "reply-timeout",
            Kind::Duration,
            "20s",
            "Until the head of one call's reply is there, 100ms to 5m; never beyond `deadline`.",
            "\"5s\"",
        ),
        key(
            "ca",
            Kind::Text,
            "the system's roots alone",
            "Further trusted roots, a PEM file.",
            "\"/etc/scimgate/ca.pem\"",
        ),
        key(
            "client-certificate",
            Kind::Table(&CERTIFICATE),
            "none",
            "Shown to the application.",
            "",
        ),
        key(
            "headers",
            Kind::Named(&Kind::Template),
            "none",
            "Sent with every call.",
            "{ X-Requested-With = \"scimgate\" }",
        ),
        key(
            "query",
            Kind::Named(&Kind::Template),
            "none",
            "Added to every call's query.",
            "{ format = \"json\" }",
        ),
        key(
            "format",
            Kind::Choice(&["json", "form", "multipart", "xml"]),
            "\"json\"",
            "How bodies are written unless a call says otherwise.",
            "\"form\"",
        ),
        key(
            "form-lists",
            Kind::Choice(&["repeat", "brackets", "pipe", "comma"]),
            "\"repeat\"",
            "How a form writes a list: `a=1&a=2`, `a[]=1&a[]=2`, `a=1|2` or `a=1,2`.",
            "\"brackets\"",
        ),
        key(
            "reply-prefix",
            Kind::Text,
            "none",
            "What stands in front of the JSON in replies and is no part of it.",
            "\")]}'\"",
        ),
        key(
            "content",
            Kind::Path,
            "the whole reply",
            "Where the content of every reply is; all other paths begin there.",
            "'$.result'",
        ),
        key(
            "wrap",
            Kind::Tree,
            "nothing",
            "Put around every body; the leaf `\"{body}\"` stands for it.",
            "{ jsonrpc = \"2.0\", method = \"{method}\", params = \"{body}\", id = 1 }",
        ),
        key(
            "id-pattern",
            Kind::Pattern,
            "any text without control characters",
            "What a value put into a path must look like, of whatever call, and the id of every type that has no `pattern` of its own, also where it stands in a query or body only.",
            "'^[0-9]+$'",
        ),
        key(
            "max-reply",
            Kind::Size,
            "16MiB",
            "Larger replies are refused, 1KiB to 64MiB.",
            "\"4MiB\"",
        ),
        key(
            "redact",
            Kind::Many(&Kind::Path),
            "none",
            "Places of replies that are blanked in records.",
            "['$.user.api_key']",
        ),
        key(
            "auth",
            Kind::Table(&AUTH),
            "not at all",
            "How calls are authenticated.",
            "",
        ),
        key(
            "probe",
            call::CALL_KIND,
            "none",
            "A harmless call that only an accepted credential is answered; made when the tenant is loaded, in the background, and by `scimgate rehearse`. Its `rules` say what a refusal looks like where that is not 401 or 403.",
            "\"GET /users/current\"",
        ),
        key(
            "budget",
            Kind::Table(&BUDGET),
            "16 calls at a time",
            "What the application can take.",
            "",
        ),
        key(
            "errors",
            Kind::Table(&ERRORS),
            "the defaults by status",
            "What replies mean.",
            "",
        ),
    ],
    base: None,
    others: None,
};

/// The target, or one that leads nowhere if the files have none.
pub(super) fn target(root: &Reader<'_>) -> Option<Target> {
    let Some(reader) = root.table("target") else {
        if !root.has("target") {
            root.missing("target");
        }
        return None;
    };
    if !reader.has("base-url") {
        reader.missing("base-url");
    }
    let lists = lists(&reader);
    reader.context.form_lists.set(lists);
    let format = call::format(&reader, lists).unwrap_or(BodyFormat::Json);
    reader.context.is_xml.set(format == BodyFormat::Xml);
    let (rules, detail, retry_after) = errors(&reader);
    let (base_url, id_pattern) = (origin(&reader, "base-url"), id_pattern(&reader));
    let nowhere = nowhere()?;
    Some(Target {
        base_url: base_url.unwrap_or(nowhere.base_url),
        public_url: reader
            .has("public-url")
            .then(|| origin(&reader, "public-url"))
            .flatten(),
        deadline: bounded(&reader, "deadline", 10_000),
        connect_timeout: bounded(&reader, "connect-timeout", 2_000),
        reply_timeout: bounded(&reader, "reply-timeout", 20_000),
        ca: reader.text("ca").map(PathBuf::from),
        client_certificate: certificate(&reader),
        headers: syntax::headers(&reader, "headers"),
        query: syntax::named_templates(&reader, "query"),
        format,
        wrap: reader
            .node("wrap")
            .and_then(|node| syntax::tree(reader.context, node)),
        reply_prefix: reader.text("reply-prefix"),
        content: syntax::path_at(&reader, "content"),
        auth: auth::auth(&reader),
        probe: reader
            .node("probe")
            .and_then(|node| call::call(reader.context, node, None)),
        budget: budget(&reader),
        rules,
        detail,
        retry_after,
        id_pattern: id_pattern.unwrap_or(nowhere.id_pattern),
        max_reply_bytes: max_reply(&reader),
        redact: redact(&reader),
    })
}

/// A target that leads nowhere: loading goes on with it to find further complaints.
pub(super) fn nowhere() -> Option<Target> {
    Some(Target {
        base_url: Url::parse("https://unset.invalid/").ok()?,
        public_url: None,
        deadline: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(2),
        reply_timeout: Duration::from_secs(20),
        ca: None,
        client_certificate: None,
        headers: Vec::new(),
        query: Vec::new(),
        format: BodyFormat::Json,
        wrap: None,
        reply_prefix: None,
        content: None,
        auth: Auth::None,
        probe: None,
        budget: Budget::default(),
        rules: Vec::new(),
        detail: None,
        retry_after: None,
        id_pattern: Regex::new(ANY_ID).ok()?,
        max_reply_bytes: MOST_REPLY_BYTES,
        redact: Vec::new(),
    })
}

/// Any text without control characters, of a length that fits into a URL.
const ANY_ID: &str = r"^[^\p{Cc}]{1,1024}$";

const MOST_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// An origin with a path prefix.
fn origin(reader: &Reader<'_>, key: &str) -> Option<Url> {
    let mut url = url_key::url(reader, key)?;
    if url.query().is_some() || url.fragment().is_some() {
        reader.context.error(
            "mapping::bad-url",
            reader.node(key).map_or(reader.place, |node| &node.place),
            format!("`target.{key}` has a query or a fragment."),
            "put parameters of every call into `[target] query`",
        );
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

fn bounded(reader: &Reader<'_>, key: &str, default_milliseconds: u64) -> Duration {
    let duration = reader
        .duration(key)
        .unwrap_or(Duration::from_millis(default_milliseconds));
    if duration < Duration::from_millis(100) || duration > Duration::from_secs(300) {
        reader.context.error(
            "mapping::out-of-range",
            reader.node(key).map_or(reader.place, |node| &node.place),
            format!(
                "`{}` is not between 100ms and 5m.",
                reader.table.full_name(key)
            ),
            "",
        );
    }
    duration
}

fn certificate(reader: &Reader<'_>) -> Option<(PathBuf, PathBuf)> {
    let certificate = reader.table("client-certificate")?;
    let (chain, key) = (
        certificate.required_text("certificate"),
        certificate.required_text("key"),
    );
    Some((PathBuf::from(chain?), PathBuf::from(key?)))
}

fn lists(reader: &Reader<'_>) -> FormLists {
    reader
        .choice(
            "form-lists",
            &[
                ("repeat", FormLists::Repeat),
                ("brackets", FormLists::Brackets),
                ("pipe", FormLists::Pipe),
                ("comma", FormLists::Comma),
            ],
        )
        .unwrap_or(FormLists::Repeat)
}

fn budget(reader: &Reader<'_>) -> Budget {
    let Some(budget) = reader.table("budget") else {
        return Budget::default();
    };
    Budget {
        concurrent: budget
            .count("concurrent", 1, 1000)
            .and_then(|most| usize::try_from(most).ok()),
        calls: budget.rate("calls"),
        reads: budget.rate("reads"),
        writes: budget.rate("writes"),
        deletes: budget.rate("deletes"),
        longest_pause: budget.duration("longest-pause"),
        remembered: budget
            .count("remembered", 1, 100_000)
            .and_then(|most| usize::try_from(most).ok()),
    }
}

type Errors = (Vec<ReplyRule>, Option<JsonPath>, Option<RetryAfterField>);

fn errors(reader: &Reader<'_>) -> Errors {
    let Some(errors) = reader.table("errors") else {
        return (Vec::new(), None, None);
    };
    let retry_after = errors.table("retry-after").and_then(|retry| {
        if !retry.has("path") {
            retry.missing("path");
        }
        let units = [
            ("seconds", RetryUnit::Seconds),
            ("milliseconds", RetryUnit::Milliseconds),
            ("time", RetryUnit::Time),
        ];
        Some(RetryAfterField {
            unit: retry.choice("unit", &units).unwrap_or(RetryUnit::Seconds),
            path: syntax::path_at(&retry, "path")?,
        })
    });
    (
        rules::rules(&errors, "rules"),
        syntax::path_at(&errors, "detail"),
        retry_after,
    )
}

fn id_pattern(reader: &Reader<'_>) -> Option<Regex> {
    match reader.node("id-pattern") {
        Some(node) => syntax::pattern(reader.context, node),
        None => Regex::new(ANY_ID).ok(),
    }
}

fn max_reply(reader: &Reader<'_>) -> usize {
    let most = reader.size("max-reply").unwrap_or(MOST_REPLY_BYTES);
    if !(1024..=64 * 1024 * 1024).contains(&most) {
        reader.context.error(
            "mapping::out-of-range",
            reader
                .node("max-reply")
                .map_or(reader.place, |node| &node.place),
            "`target.max-reply` is not between 1KiB and 64MiB.".to_owned(),
            "",
        );
    }
    most
}

fn redact(reader: &Reader<'_>) -> Vec<JsonPath> {
    let Some(node) = reader.node("redact") else {
        return Vec::new();
    };
    let Content::List(items) = &node.content else {
        reader.wrong_type("redact", node);
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| syntax::path(reader.context, item))
        .collect()
}
