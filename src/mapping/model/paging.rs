//! How a list is read on.

use super::Call;
use crate::mapping::{expression::Expression, path::JsonPath};

/// How a list is read on.
#[derive(Debug, Default)]
pub struct Paging {
    /// What asks for the next page.
    pub style: PageStyle,
    /// How many objects are asked for at a time; absent: the application decides.
    pub size: Option<PageSize>,
    /// Where the number of all objects is; absent: counted by reading on.
    pub total: Option<Total>,
    /// Holds for the reply of every page but the last; absent: the style alone knows.
    pub more: Option<Expression>,
    /// The call for every page but the first; absent: the list's own.
    pub following: Option<Box<Call>>,
}

/// What asks for the next page. A parameter that is absent is none: the call's own templates name the value (`{page.number}`).
#[derive(Debug, Default)]
pub enum PageStyle {
    /// One reply holds all.
    #[default]
    None,
    /// A parameter for the first index.
    Offset { start: Option<String>, first: u64 },
    /// A parameter for the page's number.
    Number { number: Option<String>, first: u64 },
    /// A value in the reply that asks for the next page.
    Cursor {
        parameter: Option<String>,
        next: Mark,
    },
    /// Several values that are sent back as they are (`continue` sets): the object found there is added to the query.
    Continue { from: JsonPath },
    /// A URL in the reply, of the same origin.
    NextUrl { next: Mark },
    /// RFC 8288 `Link: rel="next"`.
    Link,
    /// Only the first so many can be had: `size` alone.
    Limit,
}

/// Where a reply says what the next page is.
#[derive(Debug)]
pub enum Mark {
    Body(JsonPath),
    Header(String),
}

impl Paging {
    /// Read on in this style, which alone knows where the list ends.
    pub fn of(style: PageStyle, size: Option<PageSize>, total: Option<Total>) -> Self {
        Self {
            style,
            size,
            total,
            ..Self::default()
        }
    }
}

/// The size of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSize {
    /// The parameter it is sent in; absent: none, the call's own templates name it (`{page.size}`).
    pub parameter: Option<String>,
    /// The most the application gives.
    pub most: u64,
}

/// Where the number of all objects is.
#[derive(Debug)]
pub enum Total {
    Body(JsonPath),
    Header(String),
    /// A call of its own, and where in its reply.
    Call(Box<Call>, JsonPath),
}
