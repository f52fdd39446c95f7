//! Where the next page is.

use http::header::LINK;
use serde_json::Value;
use url::Url;

use super::{Next, PageError, Pager, Position};
use crate::mapping::{
    body::scalar_text,
    model::{Mark, PageStyle},
    reply::Reply,
};

impl Pager<'_> {
    /// Decides how to go on after a page of `count` objects, `index` being counted up already.
    pub(super) fn next(
        &mut self,
        asked: &str,
        reply: &Reply,
        count: u64,
    ) -> Result<Next, PageError> {
        let following = self.following(asked, reply)?;
        if let Some(more) = &self.paging.more {
            return match more.holds(&reply.names()) {
                Ok(false) => Ok(Next::Done),
                Ok(true) => following.map(Next::More).ok_or(PageError::Truncated),
                Err(_) => Err(PageError::Unclear),
            };
        }
        match (&self.paging.style, following) {
            (PageStyle::Limit, _) => self.all_at_once(count),
            (PageStyle::Offset { .. } | PageStyle::Number { .. }, Some(following)) => {
                self.counted(count, following)
            }
            (_, following) => Ok(following.map_or(Next::Done, Next::More)),
        }
    }

    /// Where the page after this one begins, if there is one; absent: this reply names none.
    fn following(&self, asked: &str, reply: &Reply) -> Result<Option<Position>, PageError> {
        let location = |url: Option<String>| match url {
            Some(url) => self
                .below_base(asked, &url)
                .map(Position::Location)
                .map(Some),
            None => Ok(None),
        };
        Ok(match &self.paging.style {
            PageStyle::None | PageStyle::Limit => None,
            PageStyle::Offset { .. } => Some(Position::Index(self.index)),
            PageStyle::Number { .. } => {
                let page = if let Position::Page(page) = self.position {
                    page
                } else {
                    0
                };
                Some(Position::Page(page.saturating_add(1)))
            }
            PageStyle::Cursor { next, .. } => text_at(reply, next).map(Position::Cursor),
            PageStyle::Continue { from } => match reply.find(from) {
                Some(Value::Object(values)) if !values.is_empty() => {
                    Some(Position::Continue(values.clone()))
                }
                _ => None,
            },
            PageStyle::NextUrl { next } => return location(text_at(reply, next)),
            PageStyle::Link => return location(next_link(reply)),
        })
    }

    /// One reply must have held everything: a full page is not known to be the end.
    fn all_at_once(&self, count: u64) -> Result<Next, PageError> {
        let most = self.paging.size.as_ref().map_or(0, |size| size.most);
        let is_whole = match self.total {
            Some(total) => self.index >= total,
            None => count < most,
        };
        match is_whole {
            true => Ok(Next::Done),
            false => Err(PageError::Truncated),
        }
    }

    /// For styles in which we count: by the total if there is one, else by short and empty pages.
    ///
    /// A page shorter than asked for may be the application's own, silent limit and not the end. It is taken for the end
    /// only if larger pages have been seen; otherwise one more page is asked for.
    fn counted(&mut self, count: u64, following: Position) -> Result<Next, PageError> {
        if count == 0 {
            let slack = self.largest_page.max(self.size.unwrap_or(0));
            let missing = self
                .total
                .map_or(0, |total| total.saturating_sub(self.index));
            return match missing > slack {
                true => Err(PageError::Truncated),
                false => Ok(Next::Done),
            };
        }
        let is_short = self.size.is_some_and(|size| count < size);
        let is_end = match self.total {
            Some(total) => self.index >= total,
            None => is_short && count < self.largest_page,
        };
        if is_end {
            return Ok(Next::Done);
        }
        if is_short {
            self.short_page = Some(count);
        }
        Ok(Next::More(following))
    }

    /// The path and query of a link, if it stays below the base URL (promise P9).
    fn below_base(&self, asked: &str, link: &str) -> Result<String, PageError> {
        let prefix = self.base.path().trim_end_matches('/');
        let (path, query) = asked
            .split_once('?')
            .map_or((asked, None), |(path, query)| (path, Some(query)));
        let mut current: Url = self.base.clone();
        current.set_path(&format!("{prefix}{path}"));
        current.set_query(query);
        let url = current.join(link).map_err(|_| PageError::Foreign)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user {
            return Err(PageError::Foreign);
        }
        let homes = [Some(self.base), self.public];
        let below = homes.into_iter().flatten().find_map(|home| {
            let below = url.path().strip_prefix(home.path().trim_end_matches('/'))?;
            (url.origin() == home.origin() && below.starts_with('/')).then_some(below)
        });
        let below = below.ok_or(PageError::Foreign)?;
        Ok(match url.query() {
            Some(query) => format!("{below}?{query}"),
            None => below.to_owned(),
        })
    }
}

/// A cursor or URL in the reply: absent, null, false and `""` are the end.
fn text_at(reply: &Reply, mark: &Mark) -> Option<String> {
    let text = match mark {
        Mark::Header(name) => reply.header(name)?.trim().to_owned(),
        Mark::Body(path) => {
            let value = reply.find(path)?;
            scalar_text(value).filter(|_| *value != Value::Bool(false))?
        }
    };
    (!text.is_empty()).then_some(text)
}

/// The target of `Link: <…>; rel="next"` (RFC 8288).
fn next_link(reply: &Reply) -> Option<String> {
    let headers = reply
        .headers
        .get_all(LINK)
        .iter()
        .filter_map(|header| header.to_str().ok());
    headers
        .flat_map(links)
        .find(|(_, is_next)| *is_next)
        .map(|(url, _)| url)
}

/// The links of one header, each with whether it is the next one.
fn links(header: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((url, after)) = after.split_once('>') else {
            break;
        };
        let end = end_of_parameters(after);
        let (parameters, next) = after.split_at_checked(end).unwrap_or((after, ""));
        found.push((url.trim().to_owned(), says_next(parameters)));
        rest = next;
    }
    found
}

/// The comma that ends a link's parameters; one within quotes does not.
fn end_of_parameters(text: &str) -> usize {
    let mut is_quoted = false;
    for (position, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => return position,
            _ => {}
        }
    }
    text.len()
}

fn says_next(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else {
            return false;
        };
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel")
            && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}
