//! What a reply means: rules first, then the status.

use std::{borrow::Cow, cell::OnceCell, time::Duration};

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

use super::{CallClass, Reply, ReplyForm, RetryHint, Verdict, missing::lacks_content};
use crate::{
    mapping::{
        body::scalar_text,
        model::{BodyFormat, Call, Meaning, ReplyRule, RetryUnit, Target},
        path::JsonPath,
    },
    scim::ScimType,
};

/// Characters of the application's own words that are shown.
const MAX_DETAIL_CHARS: usize = 300;

/// Says what a reply means: the call's rules, its tolerated statuses, the target's rules, and then the status by itself.
///
/// The first rule all of whose conditions hold decides. A condition that cannot be worked out does not hold. A target's
/// refusal of our credential or of our URL is never made to look like the client's fault (promise R7).
pub fn judge(call: &Call, target: &Target, class: CallClass, reply: &Reply) -> Verdict {
    judged(call, target, class, reply).0
}

/// As [`judge`], and what decided it.
pub fn judged(call: &Call, target: &Target, class: CallClass, reply: &Reply) -> (Verdict, Basis) {
    let view = View::new(target, reply);
    let fitting = |rules: &[ReplyRule]| rules.iter().position(|rule| view.fits(rule));
    let ruled = |rules: &[ReplyRule], place: usize| {
        let rule = rules.get(place);
        let meaning = rule.map_or(Meaning::Failed, |rule| rule.is);
        view.verdict(meaning, rule)
    };
    if let Some(place) = fitting(&call.rules) {
        return (ruled(&call.rules, place), Basis::CallRule(place));
    }
    if call.tolerate.contains(&reply.status) {
        return (view.verdict(Meaning::AlreadySo, None), Basis::Tolerated);
    }
    if let Some(place) = fitting(&target.rules) {
        return (ruled(&target.rules, place), Basis::TargetRule(place));
    }
    let mut verdict = view.verdict(by_status(class, reply), None);
    if reply.status == MULTI_STATUS {
        verdict.status = Some(MULTI_STATUS);
    }
    if !is_success(reply.status) {
        return (verdict, Basis::Status);
    }
    if let Some(path) = target.content.as_ref()
        && lacks_content(path, class, reply)
    {
        let nothing = || {
            format!(
                "its reply has nothing at `{}` (`[target] content`)",
                path.source()
            )
        };
        let mut verdict = view.verdict(Meaning::Failed, None);
        verdict.detail = verdict.detail.or_else(|| Some(nothing()));
        return (verdict, Basis::Content);
    }
    if !is_unusable(class, reply.form) {
        return (verdict, Basis::Status);
    }
    verdict.detail = Some(no_data(target, reply));
    (verdict, Basis::Form)
}

/// What decided what a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A rule of the call, counted from 0.
    CallRule(usize),
    /// The call's `tolerate`.
    Tolerated,
    /// A rule of `[target.errors]`, counted from 0.
    TargetRule(usize),
    /// No rule fits: the status by itself.
    Status,
    /// No rule fits: the status is a success, and the body is no data.
    Form,
    /// No rule fits: the status is a success, and the body lacks the content.
    Content,
}

impl Basis {
    /// In words, for operators.
    pub fn words(self) -> Cow<'static, str> {
        match self {
            Self::CallRule(place) => format!("rule {} of the call", place + 1).into(),
            Self::Tolerated => "`tolerate` of the call".into(),
            Self::TargetRule(place) => format!("rule {} of [target.errors]", place + 1).into(),
            Self::Status => "its status, no rule fits".into(),
            Self::Form => "its body, which is no data; no rule fits".into(),
            Self::Content => "its body, which has no content; no rule fits".into(),
        }
    }
}

fn is_success(status: u16) -> bool {
    (200..=299).contains(&status)
}

/// `Its reply is no JSON (text/html)`: the media type alone, in the words of the mapping's author.
fn no_data(target: &Target, reply: &Reply) -> String {
    let wanted = match target.format {
        BodyFormat::Xml => "XML",
        _ => "JSON",
    };
    if let Some(prefix) = GUARDS.iter().find(|guard| reply.text.starts_with(**guard)) {
        return format!(
            "its reply has `{prefix}` in front of its content (`[target] reply-prefix`)"
        );
    }
    let kind = reply.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/+.-".contains(c);
    match !kind.is_empty() && kind.len() <= MAX_MEDIA_TYPE && kind.chars().all(is_plain) {
        true => format!("its reply is no {wanted} ({kind})"),
        false => format!("its reply is no {wanted}"),
    }
}

/// Each part of what was asked has a status of its own, in the body (RFC 4918 §11.1).
const MULTI_STATUS: u16 = 207;

/// What applications put in front of JSON so that a browser does not run it as a foreign page's script.
const GUARDS: [&str; 5] = [")]}',", ")]}'", "while(1);", "for(;;);", "{}&&"];

/// Media types are short; one that is not is none.
const MAX_MEDIA_TYPE: usize = 64;

/// The table of promise R7: what a status means where no rule says it.
fn by_status(class: CallClass, reply: &Reply) -> Meaning {
    use CallClass as C;
    match reply.status {
        200..=299 if is_unusable(class, reply.form) => Meaning::Failed,
        201 => Meaning::Created,
        200..=299 => Meaning::Ok,
        400 | 422 if !class.is_read() && class != C::Login => {
            Meaning::Refused(ScimType::InvalidValue)
        }
        401 if class == C::Login => Meaning::Failed,
        401 => Meaning::NotLoggedIn,
        403 => Meaning::Forbidden,
        404 | 410 if !matches!(class, C::List | C::Create | C::Login) => Meaning::NotFound,
        405 | 501 => Meaning::NotSupported,
        409 if matches!(class, C::Create | C::Update | C::MemberAdd | C::Other) => {
            Meaning::Uniqueness
        }
        408 | 502 | 503 | 504 => Meaning::Retry,
        429 => Meaning::TooMany,
        _ => Meaning::Failed,
    }
}

/// A login page or a proxy's words with status 200 are no answer; nor is anything but data, where an object is asked for.
fn is_unusable(class: CallClass, form: ReplyForm) -> bool {
    match form {
        ReplyForm::Html => true,
        ReplyForm::Text => class.is_read(),
        ReplyForm::Data | ReplyForm::Empty => false,
    }
}

/// A reply as rules look at it.
struct View<'r> {
    target: &'r Target,
    reply: &'r Reply,
    words: OnceCell<Option<String>>,
    lower: OnceCell<String>,
}

impl<'r> View<'r> {
    fn new(target: &'r Target, reply: &'r Reply) -> Self {
        Self {
            target,
            reply,
            words: OnceCell::new(),
            lower: OnceCell::new(),
        }
    }

    fn fits(&self, rule: &ReplyRule) -> bool {
        let status = self.reply.status;
        let in_range = |range: &crate::mapping::model::StatusRange| {
            (range.first..=range.last).contains(&status)
        };
        (rule.status.is_empty() || rule.status.iter().any(in_range))
            && rule.header.as_ref().is_none_or(|(name, pattern)| {
                let mut values = self.reply.headers.get_all(name.as_str()).iter();
                values.any(|value| match pattern {
                    Some(pattern) => pattern.is_match(&String::from_utf8_lossy(value.as_bytes())),
                    None => true,
                })
            })
            && rule
                .contains
                .as_ref()
                .is_none_or(|text| self.contains(&text.to_lowercase()))
            && rule.matches.as_ref().is_none_or(|pattern| {
                pattern.is_match(&self.reply.text)
                    || self.words().is_some_and(|words| pattern.is_match(words))
            })
            && rule
                .when
                .as_ref()
                .is_none_or(|when| when.holds(&self.reply.names()).unwrap_or(false))
    }

    /// JSON may spell a character as an escape, so that the decoded words are looked at too.
    fn contains(&self, text: &str) -> bool {
        let lower = self.lower.get_or_init(|| self.reply.text.to_lowercase());
        lower.contains(text)
            || self
                .words()
                .is_some_and(|words| words.to_lowercase().contains(text))
    }

    /// What the first place of `[target.errors] detail` that has words says, several texts joined.
    fn words(&self) -> Option<&str> {
        let texts_at = |path: &JsonPath| {
            let items = path.items(self.reply.whole()).into_iter();
            let texts = items.filter_map(scalar_text);
            let texts: Vec<String> = texts.filter(|text| !text.trim().is_empty()).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        };
        let words = self
            .words
            .get_or_init(|| self.target.detail.iter().find_map(texts_at));
        words.as_deref()
    }

    fn verdict(&self, meaning: Meaning, rule: Option<&ReplyRule>) -> Verdict {
        if meaning.is_done() {
            return Verdict::of(meaning);
        }
        let said = rule.and_then(|rule| rule.say.as_ref()).and_then(|say| {
            let mut names = self.reply.names();
            if let Some(words) = self.words() {
                names.with("detail", Cow::Owned(Value::String(words.to_owned())));
            }
            say.render(&names).ok().flatten()
        });
        let words = said.or_else(|| self.words().map(str::to_owned));
        Verdict {
            meaning,
            detail: words
                .map(|words| trimmed(&words))
                .filter(|words| !words.is_empty()),
            attribute: rule.and_then(|rule| rule.attribute.clone()),
            status: Some(self.reply.status).filter(|status| *status > 0),
            retry_after: self.retry_after(),
        }
    }

    /// The body's own field wins: it is finer where it is there at all.
    fn retry_after(&self) -> Option<RetryHint> {
        let field = self.target.retry_after.as_ref();
        let in_body = field.and_then(|field| {
            let value = self.reply.find(&field.path)?;
            match field.unit {
                RetryUnit::Seconds => seconds(number(value)?),
                RetryUnit::Milliseconds => seconds(number(value)? / 1000.0),
                RetryUnit::Time => value.as_str()?.parse().ok().map(RetryHint::At),
            }
        });
        in_body.or_else(|| {
            let text = self.reply.header(RETRY_AFTER.as_str())?.trim();
            match text.parse::<f64>() {
                Ok(number) => seconds(number),
                Err(_) => http_date(text).map(RetryHint::At),
            }
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// A day at most: what a target says beyond that is not believed.
fn seconds(number: f64) -> Option<RetryHint> {
    let number = number.clamp(0.0, 86_400.0);
    Duration::try_from_secs_f64(number)
        .ok()
        .map(RetryHint::After)
}

/// RFC 9110 §5.6.7.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Without control characters, runs of white space as one blank, not too long.
fn trimmed(words: &str) -> String {
    let clean: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let clean: Vec<&str> = clean.split_whitespace().collect();
    let clean = clean.join(" ");
    match clean.char_indices().nth(MAX_DETAIL_CHARS) {
        Some((end, _)) => clean.get(..end).unwrap_or_default().to_owned(),
        None => clean,
    }
}
