//! RFC 9535 paths, for reading.

use std::{fmt, sync::Arc};

use jsonpath_rust::parser::{
    model::{JpQuery, Segment, Selector},
    parse_json_path,
};
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::{FieldPlace, SyntaxError, parse, place::Step};

/// A JSONPath, compiled once. Singular paths (`$.a.b[0]`, and bare ones: `a.b[0]`) are walked without the engine.
#[derive(Clone)]
pub struct JsonPath {
    source: String,
    way: Way,
    /// Whether it is for data that was XML.
    is_xml: bool,
}

#[derive(Clone)]
enum Way {
    Steps(Vec<Step>),
    Engine(Arc<JpQuery>),
    /// In data that was XML: segment by segment, what is no list being a list of one.
    Segments(Arc<[JpQuery]>),
}

impl JsonPath {
    /// Reads an RFC 9535 path, or a place as in [`FieldPlace::parse`]. `$` and the empty text are the value itself.
    ///
    /// # Errors
    ///
    /// What the engine refuses, and what can take seconds on a document of a few hundred kilobytes: more than one descendant
    /// segment (`..`), `$` within a filter, and many commas.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let is_rfc = text == "$" || text.starts_with("$.") || text.starts_with("$[");
        let way = if !is_rfc {
            Way::Steps(parse::bare(text)?)
        } else if let Some(steps) = parse::singular(text) {
            Way::Steps(steps)
        } else {
            Way::Engine(Arc::new(engine(text)?))
        };
        let source = text.to_owned();
        Ok(Self {
            source,
            way,
            is_xml: false,
        })
    }

    /// The same path for data that was XML, where an element that stands alone is no list: `[*]`, `[0]`, `[-1]`, `[?…]` and
    /// `[key=value]` take it for a list of one, and an empty element (null) for an empty list.
    pub fn in_xml(self) -> Self {
        let way = match self.way {
            Way::Engine(query) => {
                let segments = query.segments.iter().cloned();
                Way::Segments(segments.map(|s| JpQuery::new(vec![s])).collect())
            }
            same => same,
        };
        Self {
            way,
            is_xml: true,
            ..self
        }
    }

    /// The first value the path matches; null is a value.
    pub fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match &self.way {
            Way::Steps(steps) => steps.iter().try_fold(value, |at, step| {
                let alone = || self.is_xml.then(|| step.read_alone(at)).flatten();
                step.read(at).or_else(alone)
            }),
            Way::Engine(_) | Way::Segments(_) => self.all(value).first().copied(),
        }
    }

    /// Every value the path matches, in document order.
    pub fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match &self.way {
            Way::Steps(_) => self.first(value).into_iter().collect(),
            Way::Engine(query) => found(query, value),
            Way::Segments(segments) => segments.iter().fold(vec![value], |at, segment| {
                let of_each = at.into_iter().map(|value| below(segment, value));
                of_each.flatten().collect()
            }),
        }
    }

    /// The items of a list: every match, or the elements of the one array that a singular path leads to.
    pub fn items<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match &self.way {
            Way::Engine(_) | Way::Segments(_) => self.all(value),
            Way::Steps(_) => match self.first(value) {
                Some(Value::Array(items)) => items.iter().collect(),
                Some(Value::Null) | None => Vec::new(),
                Some(single) => vec![single],
            },
        }
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The same as a place that can be written; absent if the path may match several values.
    pub fn as_place(&self) -> Option<FieldPlace> {
        match &self.way {
            Way::Steps(steps) => Some(FieldPlace {
                source: self.source.clone(),
                steps: steps.clone(),
            }),
            Way::Engine(_) | Way::Segments(_) => None,
        }
    }

    /// The member names it begins with, and what is left of it as a place; absent if it may match several values.
    pub(crate) fn names(&self) -> Option<(Vec<&str>, FieldPlace)> {
        let Way::Steps(steps) = &self.way else {
            return None;
        };
        let mut names = Vec::new();
        while let Some(Step::Member(name)) = steps.get(names.len()) {
            names.push(name.as_str());
        }
        let rest = FieldPlace {
            source: self.source.clone(),
            steps: steps.get(names.len()..).unwrap_or_default().to_vec(),
        };
        Some((names, rest))
    }

    /// Whether it matches one value at most, by its form.
    pub fn is_singular(&self) -> bool {
        matches!(self.way, Way::Steps(_))
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonPath").field(&self.source).finish()
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// What the engine finds.
fn found<'v>(query: &JpQuery, value: &'v Value) -> Vec<&'v Value> {
    js_path_process(query, value)
        .map(|found| found.into_iter().map(|f| f.val()).collect())
        .unwrap_or_default()
}

/// What one segment finds, what is no list being a list of one where the segment speaks of elements.
fn below<'v>(segment: &JpQuery, value: &'v Value) -> Vec<&'v Value> {
    let is_of_elements = segment.segments.iter().any(|segment| match segment {
        Segment::Selector(selector) => !matches!(selector, Selector::Name(_)),
        Segment::Selectors(several) => !several.iter().all(|s| matches!(s, Selector::Name(_))),
        Segment::Descendant(_) => false,
    });
    if value.is_null() {
        return Vec::new();
    }
    if !is_of_elements || value.is_array() {
        return found(segment, value);
    }
    let alone = Value::Array(vec![value.clone()]);
    match found(segment, &alone).is_empty() {
        true => Vec::new(),
        false => vec![value],
    }
}

/// Compiles a path with the engine.
fn engine(text: &str) -> Result<JpQuery, SyntaxError> {
    if text.len() > parse::MAX_PATH_BYTES {
        let message = format!("A path has at most {} bytes.", parse::MAX_PATH_BYTES);
        return Err(SyntaxError::new(0, text.len(), message));
    }
    check_cost(text)?;
    parse_json_path(&parse::with_quoted_names(text)).map_err(|_| complaint(text))
}

/// Refuses what takes seconds on a long reply: each of these is a walk of the reply for each thing that another found.
fn check_cost(text: &str) -> Result<(), SyntaxError> {
    let mut previous = ' ';
    let (mut descendants, mut commas) = (0, 0);
    for (position, c) in unquoted(text) {
        let was = std::mem::replace(&mut previous, c);
        match c {
            '.' if was == '.' => {
                descendants += 1;
                if descendants > 1 {
                    let message =
                        "A path may have one `..` only: more can take seconds on a long reply.";
                    return Err(SyntaxError::new(position - 1, 2, message)
                        .mend("name the members on the way"));
                }
            }
            '$' if position > 0 => {
                let message = "A filter may speak of `@` only: `$` would be searched again for each item, which can take minutes on a long reply.";
                return Err(SyntaxError::new(position, 1, message)
                    .mend("write `@` for the item that is looked at"));
            }
            ',' => {
                commas += 1;
                if commas > MAX_COMMAS {
                    let message = format!("A path has at most {MAX_COMMAS} commas.");
                    return Err(SyntaxError::new(position, 1, message)
                        .mend("choose with `*`, or with a path for each"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Each comma may double what is found: `$[0,0][0,0]…`.
const MAX_COMMAS: usize = 8;

/// The characters outside quotes, with their places.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    let mut is_escaped = false;
    text.char_indices().filter(move |(_, c)| {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if *c == '\\' => is_escaped = true,
            Some(q) if *c == q => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => quote = Some(*c),
            None => return true,
        }
        false
    })
}

/// The name behind a dot that cannot stand there without quotes: `@total_size`, `2fa`.
fn unusual_name(rest: &str) -> Option<&str> {
    let name = rest.strip_prefix('.')?;
    let name = name.get(..name.find(['.', '[', ']']).unwrap_or(name.len()))?;
    let is_unusual =
        name.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '@' | '#' | ':' | '%'));
    (is_unusual && !name.contains(['"', '\\', '(', '='])).then_some(name)
}

/// A refusal of the engine, placed behind the longest beginning that is a path.
fn complaint(text: &str) -> SyntaxError {
    let good = text
        .char_indices()
        .map(|(end, _)| end)
        .rev()
        .find(|end| text.get(..*end).is_some_and(|t| parse_json_path(t).is_ok()))
        .unwrap_or(0);
    let error = SyntaxError::new(good, text.len() - good, "This is not a JSONPath.");
    let rest = text.get(good..).unwrap_or_default();
    if let Some(name) = unusual_name(rest) {
        let before = text.get(..good).unwrap_or_default();
        let after = rest.get(1 + name.len()..).unwrap_or_default();
        return error.mend(format!(
            "an unusual name stands in quotes: `{before}[\"{name}\"]{after}`"
        ));
    }
    if rest.starts_with("[?") && rest.contains("=~") {
        return error.mend("a pattern is `match`: `$.list[?match(@.name, 'a.*')]`");
    }
    if rest.starts_with("[(") {
        return error
            .mend("nothing is calculated in a path: an index is `[0]`, the last one `[-1]`");
    }
    if rest.starts_with("()") {
        return error.mend("a path calls nothing: name the place of the value");
    }
    if rest.starts_with('[') && !rest.contains(']') {
        return error.mend("close it with `]`");
    }
    if rest.starts_with("[?") && rest.contains('=') && !rest.contains("==") {
        return error.mend("a comparison is written `==`: `$.list[?@.type=='work'].value`");
    }
    if rest.starts_with('-') {
        return error.mend("a name with `-` is written in quotes: `@['first-name']`");
    }
    if rest.starts_with('[') && rest.contains('=') && !rest.contains('?') {
        return error.mend("write `[?@.id==4]`, or leave out the `$.` in front");
    }
    error
}
