//! Pages: how a list is read on, whatever the application's style, and how a window of it is cut out.
//!
//! In: a page style, and each reply as it comes. Out: the parameters of the next page, or that there is none, or that the
//! list cannot be trusted. Knows nothing of sockets; a truncated list is an error here, never a short list.

mod next;
mod window;

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::{Map, Value};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

pub use window::{Covering, covering};

use super::{
    body::scalar_text,
    model::{FieldPlace, Mark, PageStyle, Paging, Total},
    path::JsonPath,
    reply::{Reply, Row},
};

/// Pages of one list read in a row at most: two million objects at a hundred a page.
pub const MOST_PAGES: u64 = 20_000;

/// The name whose members tell a call's templates about the page: `{page.number}`.
pub const PAGE: &str = "page";
/// Its members: the first object's index, the page's number, the reply's value for this page, and the objects asked for.
pub const OFFSET: &str = "offset";
/// See [`OFFSET`].
pub const NUMBER: &str = "number";
/// See [`OFFSET`]; absent for the first page.
pub const CURSOR: &str = "cursor";
/// See [`OFFSET`].
pub const SIZE: &str = "size";

/// What a page adds to the list's call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageRequest {
    /// Parameters that replace those of the same name.
    pub query: Vec<(String, String)>,
    /// Values that go into the call's body: parameters written as a place there, `$.params.limit`.
    pub body: Vec<(FieldPlace, Value)>,
    /// Path and query below the base URL, instead of the call's.
    pub location: Option<String>,
    /// What the page is called in the call's templates: the members of the name `page`.
    pub names: Map<String, Value>,
}

impl PageRequest {
    /// A value of the page: a name for the call's templates, and in its parameter if it has one.
    fn put(&mut self, name: &str, parameter: Option<&String>, value: Value) {
        self.names.insert(name.to_owned(), value.clone());
        let Some(parameter) = parameter else {
            return;
        };
        match place_in_body(parameter) {
            Some(place) => self.body.push((place, value)),
            None => self
                .query
                .push((parameter.clone(), scalar_text(&value).unwrap_or_default())),
        }
    }
}

/// A paging parameter that is a place in the body: `$.NextToken`. Absent: it belongs to the query.
pub fn place_in_body(parameter: &str) -> Option<FieldPlace> {
    let path = parameter
        .starts_with('$')
        .then(|| JsonPath::parse(parameter).ok());
    path.flatten()?.as_place()
}

/// Where a page begins, as the application understands it.
#[derive(Debug, Clone, PartialEq)]
pub enum Position {
    /// At the beginning.
    Start,
    /// At this object, counted from 0.
    Index(u64),
    /// At this page, counted from 0.
    Page(u64),
    /// Where this value of the application's leads.
    Cursor(String),
    /// Where these values lead.
    Continue(Map<String, Value>),
    /// At this path and query below the base URL.
    Location(String),
}

/// Whether there is more.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Another page, or the doubt whether there is one.
    More(Position),
    /// That was the last.
    Done,
}

/// A list that cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The same page twice: the application does not know the paging parameter, or goes in circles.
    #[error("The application answered the same page twice.")]
    Repeated,
    /// The same in a search, which is read on like the list unless its mapping says otherwise.
    #[error(
        "The application answered a search with the same page twice: if one reply holds all, the find says `page = false`."
    )]
    RepeatedSearch,
    /// More than [`MOST_PAGES`].
    #[error("The list has more than 20000 pages.")]
    TooManyPages,
    /// The next page is said to be somewhere else.
    #[error(
        "The application's link to the next page leads to another origin or path than `base-url` and `public-url`."
    )]
    Foreign,
    /// Whether there is another page cannot be told from the reply.
    #[error("What `more` says of the page cannot be worked out from the reply.")]
    Unclear,
    /// The list ended before its total.
    #[error("The list ended before its end.")]
    Truncated,
}

/// Reads a list page by page: a state machine that is shown each reply.
#[derive(Debug)]
pub struct Pager<'s> {
    paging: &'s Paging,
    base: &'s Url,
    public: Option<&'s Url>,
    size: Option<u64>,
    position: Position,
    index: u64,
    pages: u64,
    total: Option<u64>,
    /// Whether more came than the total said: it is believed no more.
    is_total_wrong: bool,
    largest_page: u64,
    short_page: Option<u64>,
    cap: Option<u64>,
    last_print: Option<u64>,
    seen: HashSet<u64>,
}

impl<'s> Pager<'s> {
    /// Starts at the beginning. `wanted` is the number of objects asked for at a time, within what the mapping allows; absent:
    /// as many as the application gives.
    pub fn new(paging: &'s Paging, base: &'s Url, wanted: Option<u64>) -> Self {
        let size = paging.size.as_ref().map(|size| match paging.style {
            // Asked for less, one reply could not show that it holds everything.
            PageStyle::Limit => size.most.max(1),
            _ => wanted.unwrap_or(size.most).clamp(1, size.most.max(1)),
        });
        Self {
            paging,
            base,
            public: None,
            size,
            position: Position::Start,
            index: 0,
            pages: 0,
            total: None,
            is_total_wrong: false,
            largest_page: 0,
            short_page: None,
            cap: None,
            last_print: None,
            seen: HashSet::new(),
        }
    }

    /// Tells the pager what the application calls itself in its URLs, if that is not the base URL.
    pub fn known_as(mut self, public: Option<&'s Url>) -> Self {
        self.public = public;
        self
    }

    /// Starts at a position that is known to be at this index of the list.
    pub fn at(mut self, position: Position, index: u64) -> Self {
        self.position = position;
        self.index = index;
        self
    }

    /// Tells the pager how large the application's pages have been before: a smaller one then ends the list for sure.
    pub fn knowing(mut self, largest_page: u64) -> Self {
        self.largest_page = largest_page;
        self
    }

    /// What the current page adds to the call.
    pub fn request(&self) -> PageRequest {
        self.first_query(&self.position)
    }

    /// What a page at this position adds to the call.
    pub fn first_query(&self, position: &Position) -> PageRequest {
        let mut request = PageRequest::default();
        match (&self.paging.style, position) {
            (PageStyle::Offset { start, first, .. }, position) => {
                let index = if let Position::Index(index) = position {
                    *index
                } else {
                    0
                };
                let index = index.saturating_add(*first);
                request.put(OFFSET, start.as_ref(), index.into());
            }
            (PageStyle::Number { number, first, .. }, position) => {
                let page = if let Position::Page(page) = position {
                    *page
                } else {
                    0
                };
                let page = page.saturating_add(*first);
                request.put(NUMBER, number.as_ref(), page.into());
            }
            (PageStyle::Cursor { parameter, .. }, Position::Cursor(cursor)) => {
                request.put(CURSOR, parameter.as_ref(), cursor.as_str().into());
            }
            (PageStyle::Continue { .. }, Position::Continue(values)) => {
                let pairs = values
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), scalar_text(value)?)));
                request.query.extend(pairs);
            }
            (_, Position::Location(location)) => {
                request.location = Some(location.clone());
                return request;
            }
            _ => {}
        }
        if let (Some(size), Some(number)) = (&self.paging.size, self.size) {
            request.put(SIZE, size.parameter.as_ref(), number.into());
        }
        request
    }

    /// Takes a page in and says how to go on. `asked` is the path and query that was sent, below the base URL.
    ///
    /// # Errors
    ///
    /// Any [`PageError`]: the objects read so far are then not the list.
    pub fn absorb<I: Print>(
        &mut self,
        asked: &str,
        reply: &Reply,
        items: &[I],
    ) -> Result<Next, PageError> {
        self.pages += 1;
        if self.pages > MOST_PAGES {
            return Err(PageError::TooManyPages);
        }
        let count = items.len() as u64;
        if count > 0 && self.last_print.is_some_and(|last| last == print_of(items)) {
            return Err(PageError::Repeated);
        }
        if let (Some(short), true) = (self.short_page.take(), count > 0) {
            self.cap = Some(short);
        }
        if let Some(total) = self
            .total_in(reply)
            .filter(|_| (count > 0 || self.pages == 1) && !self.is_total_wrong)
        {
            self.total = Some(total);
        }
        self.index = self.index.saturating_add(count);
        // An estimate: what came already is more.
        if self.total.is_some_and(|total| total < self.index) {
            self.total = None;
            self.is_total_wrong = true;
        }
        let next = self.next(asked, reply, count)?;
        self.largest_page = self.largest_page.max(count);
        if let Next::More(position) = &next {
            if count > 0 {
                self.last_print = Some(print_of(items));
            }
            if !self.seen.insert(print_of_position(position)) {
                return Err(PageError::Repeated);
            }
            self.position = position.clone();
        }
        Ok(next)
    }

    /// The number of all objects, if the application says it. Only as good as the application's word.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Where the next page begins, as the application understands it.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The index behind the last object taken in.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The number of objects asked for at a time, if that can be asked.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The largest page seen.
    pub fn largest_page(&self) -> u64 {
        self.largest_page
    }

    /// The application's own limit, if a page was shorter than asked for and not the last.
    pub fn cap(&self) -> Option<u64> {
        self.cap
    }

    fn total_in(&self, reply: &Reply) -> Option<u64> {
        match self.paging.total.as_ref()? {
            Total::Body(path) => count_in(reply.find(path)?),
            Total::Header(name) => reply.header(name)?.trim().parse().ok(),
            Total::Call(..) => None,
        }
    }
}

/// A number of objects, also where it is written as text.
pub fn count_in(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// Where in a reply's body a list that is read on looks for anything, but for what `more` names.
pub fn body_paths(paging: &Paging) -> impl Iterator<Item = &JsonPath> {
    let next = match &paging.style {
        PageStyle::Cursor {
            next: Mark::Body(next),
            ..
        }
        | PageStyle::NextUrl {
            next: Mark::Body(next),
        } => Some(next),
        PageStyle::Continue { from } => Some(from),
        _ => None,
    };
    let total = match &paging.total {
        Some(Total::Body(path)) => Some(path),
        _ => None,
    };
    next.into_iter().chain(total)
}

/// What a style says of the page itself, if anything: its name in `page`, and the parameter it is sent in.
pub fn mark_of(style: &PageStyle) -> Option<(&'static str, Option<&String>)> {
    match style {
        PageStyle::Offset { start, .. } => Some((OFFSET, start.as_ref())),
        PageStyle::Number { number, .. } => Some((NUMBER, number.as_ref())),
        PageStyle::Cursor { parameter, .. } => Some((CURSOR, parameter.as_ref())),
        PageStyle::None
        | PageStyle::Continue { .. }
        | PageStyle::NextUrl { .. }
        | PageStyle::Link
        | PageStyle::Limit => None,
    }
}

/// An item of a page, as far as pages are told apart by it.
pub trait Print {
    /// What tells it from others.
    fn print(&self) -> u64;
}

impl Print for Value {
    fn print(&self) -> u64 {
        xxh3_64(self.to_string().as_bytes())
    }
}

impl Print for Row {
    fn print(&self) -> u64 {
        match self {
            Self::Text(text) => xxh3_64(text),
            Self::Tree(tree) => tree.print(),
        }
    }
}

/// Tells pages apart by their number of objects and three of them: enough, and the cost does not grow with the page.
fn print_of<I: Print>(items: &[I]) -> u64 {
    let mut hasher = DefaultHasher::new();
    items.len().hash(&mut hasher);
    for item in [items.first(), items.get(items.len() / 2), items.last()] {
        item.map(Print::print).hash(&mut hasher);
    }
    hasher.finish()
}

fn print_of_position(position: &Position) -> u64 {
    let mut hasher = DefaultHasher::new();
    match position {
        Position::Start => 0u8.hash(&mut hasher),
        Position::Index(number) => (1u8, number).hash(&mut hasher),
        Position::Page(number) => (2u8, number).hash(&mut hasher),
        Position::Cursor(text) => (3u8, text).hash(&mut hasher),
        Position::Continue(values) => {
            let values: Vec<_> = values
                .iter()
                .map(|(name, value)| (name, value.to_string()))
                .collect();
            (4u8, values).hash(&mut hasher);
        }
        Position::Location(text) => (5u8, text).hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
