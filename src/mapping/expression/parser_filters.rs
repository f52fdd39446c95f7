//! Filters: their names, and what arguments they take.

use jiff::{Timestamp, tz::TimeZone};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::mapping::{
    path::SyntaxError,
    value::time::{format_time, time_zone},
};

use super::{
    ast::{Filter, Node},
    lexer::Kind,
    parser::Parser,
};

/// The memory a compiled regular expression may take, in bytes.
pub(crate) const MAX_REGEX_BYTES: usize = 256 * 1024;

/// Every filter with how it is written.
const FILTERS: [(&str, &str); 35] = [
    ("lower", "lower"),
    ("upper", "upper"),
    ("trim", "trim"),
    ("default", "default(\"x\")"),
    ("split", "split(\"@\")` or `split(\"@\", 0)"),
    ("join", "join(\", \")"),
    ("replace", "replace(\"a\", \"b\")"),
    ("cut", "cut(30)"),
    ("match", "match(\"^[a-z]+\")` or `match(\"(.*)@\", 1)"),
    (
        "date",
        "date(\"%Y-%m-%d\")` or `date(\"%H:%M\", \"Europe/Vienna\")",
    ),
    ("int", "int"),
    ("string", "string"),
    ("bool", "bool"),
    ("first", "first"),
    ("last", "last"),
    ("where", "where(\"type\", \"work\")"),
    ("without", "without(\"type\", \"work\")` or `without(x)"),
    ("primary", "primary"),
    ("values", "values(\"value\")"),
    ("wrap", "wrap(\"value\")"),
    ("merge", "merge"),
    ("pairs", "pairs(\"name\", \"value\")"),
    ("patch", "patch"),
    ("length", "length"),
    ("base64", "base64"),
    ("lookup", "lookup({\"a\": 1, \"b\": 2})"),
    ("json", "json"),
    ("unique", "unique"),
    ("slug", "slug"),
    ("local", "local"),
    ("domain", "domain"),
    ("untagged", "untagged"),
    ("regex", "regex"),
    ("like", "like"),
    ("quoted", "quoted(\"'\")` or `quoted(\"\\\"\", \"\\\\\")"),
];

pub(super) fn is_filter(name: &str) -> bool {
    FILTERS.iter().any(|(n, _)| *n == name)
}

impl Parser<'_, '_> {
    /// A filter with its arguments; the `|` is read already.
    pub(super) fn filter(&mut self) -> Result<Filter, SyntaxError> {
        let (name, position) = match self.peek().map(|t| (&t.kind, t.position)) {
            Some((Kind::Word(word), position)) => ((*word).to_owned(), position),
            _ => return Err(self.unexpected("the name of a filter")),
        };
        self.advance();
        let place = |message: String| SyntaxError::new(position, name.len(), message);
        let Some((_, usage)) = FILTERS.iter().find(|(n, _)| *n == name) else {
            let message = format!("There is no filter `{name}`.");
            return Err(place(message).mend(suggestion(&name)));
        };
        let arguments = match self.eat("(") {
            true => self.items(")")?,
            false => Vec::new(),
        };
        let filter = build(&name, arguments).map_err(place)?;
        filter.ok_or_else(|| {
            place(format!("`{name}` is used with other arguments."))
                .mend(format!("write `{usage}`"))
        })
    }
}

/// The filter; absent if the arguments do not suit it.
fn build(name: &str, arguments: Vec<Node>) -> Result<Option<Filter>, String> {
    let mut arguments = arguments.into_iter();
    let given = (arguments.next(), arguments.next());
    if arguments.next().is_some() {
        return Ok(None);
    }
    Ok(match given {
        (None, _) => without_arguments(name),
        (Some(a), None) => with_one(name, a)?,
        (Some(a), Some(b)) => with_two(name, a, b)?,
    })
}

fn without_arguments(name: &str) -> Option<Filter> {
    Some(match name {
        "lower" => Filter::Lower,
        "upper" => Filter::Upper,
        "trim" => Filter::Trim,
        "int" => Filter::Int,
        "string" => Filter::String,
        "bool" => Filter::Bool,
        "first" => Filter::First,
        "last" => Filter::Last,
        "primary" => Filter::Primary,
        "length" => Filter::Length,
        "base64" => Filter::Base64,
        "json" => Filter::Json,
        "unique" => Filter::Unique,
        "slug" => Filter::Slug,
        "local" => Filter::Local,
        "domain" => Filter::Domain,
        "untagged" => Filter::Untagged,
        "merge" => Filter::Merge,
        "patch" => Filter::Patch,
        "regex" => Filter::Regex,
        "like" => Filter::Like,
        _ => return None,
    })
}

fn with_one(name: &str, a: Node) -> Result<Option<Filter>, String> {
    Ok(Some(match (name, a) {
        ("default", a) => Filter::Default(a),
        ("split", a) => Filter::Split(a, None),
        ("join", a) => Filter::Join(a),
        ("cut", a) => Filter::Cut(a),
        ("values", a) => Filter::Values(a),
        ("wrap", a) => Filter::Wrap(a),
        ("without", a) => Filter::Less(a),
        ("quoted", a) => Filter::Quoted(a, None),
        ("lookup", a) => Filter::Lookup(a),
        ("match", Node::Constant(Value::String(pattern))) => Filter::Match(regex(&pattern)?, None),
        ("date", Node::Constant(Value::String(format))) => date(format, "UTC")?,
        _ => return Ok(None),
    }))
}

fn with_two(name: &str, a: Node, b: Node) -> Result<Option<Filter>, String> {
    Ok(Some(match (name, a, b) {
        ("split", a, b) => Filter::Split(a, Some(b)),
        ("replace", a, b) => Filter::Replace(a, b),
        ("quoted", a, b) => Filter::Quoted(a, Some(b)),
        ("where", a, b) => Filter::Where(a, b),
        ("without", a, b) => Filter::Without(a, b),
        ("pairs", a, b) => Filter::Pairs(a, b),
        ("match", Node::Constant(Value::String(pattern)), Node::Constant(Value::Number(group))) => {
            let regex = regex(&pattern)?;
            let group = group.as_u64().and_then(|g| usize::try_from(g).ok());
            let Some(group) = group.filter(|g| *g < regex.captures_len()) else {
                return Err("The regular expression has no such group.".to_owned());
            };
            Filter::Match(regex, Some(group))
        }
        ("date", Node::Constant(Value::String(format)), Node::Constant(Value::String(zone))) => {
            date(format, &zone)?
        }
        _ => return Ok(None),
    }))
}

fn regex(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(4 * MAX_REGEX_BYTES)
        .build()
        .map_err(|_| "This is not a regular expression, or too large a one.".to_owned())
}

fn date(format: String, zone: &str) -> Result<Filter, String> {
    let zone: TimeZone =
        time_zone(zone).ok_or_else(|| format!("There is no time zone `{zone}`."))?;
    match format_time(Timestamp::UNIX_EPOCH, &format, &zone) {
        Some(_) => Ok(Filter::Date(format, zone)),
        None => Err(format!("`{format}` is not a time format.")),
    }
}

/// The filters by their names in other template languages.
const OTHERS: [(&[&str], &str); 13] = [
    (
        &["lowercase", "tolowercase", "tolower", "downcase", "lcase"],
        "lower",
    ),
    (
        &["uppercase", "touppercase", "toupper", "upcase", "ucase"],
        "upper",
    ),
    (&["strip", "trimmed"], "trim"),
    (
        &["substring", "substr", "slice", "truncate", "limit"],
        "cut(n)",
    ),
    (&["tojson", "jsonencode", "dump"], "json"),
    (&["b64encode", "base64encode", "tobase64", "btoa"], "base64"),
    (&["sub", "gsub", "replaceall"], "replace(a, b)"),
    (&["size", "count", "len"], "length"),
    (
        &["strftime", "formatdate", "dateformat", "datetime"],
        "date(format)",
    ),
    (&["ifempty", "orelse", "fallback", "coalesce"], "default(x)"),
    (&["map", "pluck", "attr"], "values(key)"),
    (
        &[
            "omit",
            "except",
            "exclude",
            "reject",
            "difference",
            "minus",
            "del",
        ],
        "without(x)",
    ),
    (&["selectattr", "filter", "select"], "where(key, value)"),
];

/// The filter that is called so in other template languages.
pub(super) fn filter_of_others(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "");
    let mut others = OTHERS.iter();
    let (_, meant) = others.find(|(words, _)| words.contains(&name.as_str()))?;
    Some(meant)
}

fn suggestion(name: &str) -> String {
    let near = FILTERS
        .iter()
        .map(|(known, _)| (strsim::damerau_levenshtein(name, known), *known))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    if let Some(meant) = filter_of_others(name) {
        return format!("did you mean `{meant}`?");
    }
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => {
            let all: Vec<&str> = FILTERS.iter().map(|(n, _)| *n).collect();
            format!("there are {}", all.join(", "))
        }
    }
}
