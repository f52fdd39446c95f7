//! A window of a type's objects by index, over any page style: what `startIndex` and `count` ask for.

use super::{Driver, Journey, TargetError, rows::Listing};
use crate::mapping::{
    model::{ListOperation, PageStyle, Total},
    names::Names,
    page::{Next, PageError, Pager, Position, count_in, covering},
    reply::{CallClass, Row},
};

/// How often page numbers are worked out anew when the application gives smaller pages than it was asked for.
const MOST_STARTS: usize = 3;

/// Which objects are wanted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Objects in front of it.
    pub skip: u64,
    /// Objects at most.
    pub take: u64,
    /// Whether rows are wanted as text, where that is possible.
    pub is_text: bool,
}

/// Objects from an index on.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// At most as many as asked for; fewer only at the end.
    pub items: Vec<Row>,
    /// The number of all objects, if the application says it or the end was seen. It counts objects out of scope too.
    pub total: Option<u64>,
}

/// A part of one list.
struct Part {
    items: Vec<Row>,
    /// The list's length, if it is known now.
    length: Option<u64>,
}

/// One list of the window.
struct Reader<'r> {
    driver: &'r Driver,
    journey: &'r Journey,
    listing: Listing<'r>,
    names: &'r Names<'r>,
    key: String,
}

impl Driver {
    /// The objects of a span over several lists as if they were one.
    ///
    /// Lists with offsets and page numbers are entered where the window begins. Others are read from their beginning or from
    /// the nearest page that is remembered under `key`, which must tell apart whatever the names make different: an import
    /// by pages costs the target each page once. Rows read beyond the window are kept for the next one until a write.
    ///
    /// # Errors
    ///
    /// Any [`TargetError`]; a list that cannot be trusted is an error, never a short window.
    pub async fn window(
        &self,
        journey: &Journey,
        lists: &[ListOperation],
        key: &str,
        names: &Names<'_>,
        Span {
            skip,
            take,
            is_text,
        }: Span,
    ) -> Result<Window, TargetError> {
        let mut items: Vec<Row> = Vec::new();
        let mut before = Some(0u64);
        for (number, list) in lists.iter().enumerate() {
            let reader = Reader {
                driver: self,
                journey,
                listing: Listing::of_list(list).as_text(is_text),
                names,
                key: format!("{key}/{number}"),
            };
            let wanted = take.saturating_sub(items.len() as u64);
            let length = match before {
                Some(before) if wanted > 0 => {
                    let is_last = number + 1 == lists.len();
                    let part = reader
                        .part(skip.saturating_sub(before), wanted, is_last)
                        .await?;
                    items.extend(part.items);
                    part.length
                }
                _ => reader.length(skip > 0).await?,
            };
            before = before
                .zip(length)
                .map(|(before, length)| before.saturating_add(length));
            let is_full = items.len() as u64 >= take;
            match before {
                // The window is there; without this length there is no total, and the other lists' do not help.
                None if is_full || number + 1 == lists.len() => break,
                None => return Err(PageError::Truncated.into()),
                Some(_) => {}
            }
        }
        Ok(Window {
            items,
            total: before,
        })
    }
}

impl Reader<'_> {
    /// The objects of this list from `start` on. Unless it is the last list, its length is found out if the part is short.
    async fn part(&self, start: u64, wanted: u64, is_last: bool) -> Result<Part, TargetError> {
        let known_length = self.driver.pages.length(&self.key).filter(|_| start > 0);
        if let Some(length) = known_length.filter(|length| start >= *length) {
            let items = Vec::new();
            return Ok(Part {
                items,
                length: Some(length),
            });
        }
        let mut part = match (&self.listing.page.style, &self.listing.page.size) {
            (PageStyle::Offset { .. }, _) => {
                let pager = self.pager(Some(wanted)).at(Position::Index(start), start);
                self.read_on(pager, start, wanted).await?
            }
            (PageStyle::Number { .. }, Some(size)) => {
                self.numbered(start, wanted, size.most).await?
            }
            _ => self.sequential(start, wanted).await?,
        };
        if part.length.is_none() {
            part.length = known_length;
        }
        if let (None, Some(Total::Call(..))) = (part.length, &self.listing.page.total) {
            part.length = self.length(start > 0).await?;
        }
        let is_short = (part.items.len() as u64) < wanted;
        if part.length.is_none() && is_short && !is_last {
            // Beyond the end of a list that does not tell its length: the next list begins there.
            part.length = Some(self.count().await?);
        }
        if let Some(length) = part.length {
            self.driver.pages.keep_length(&self.key, length);
        }
        Ok(part)
    }

    fn pager(&self, wanted: Option<u64>) -> Pager<'_> {
        let (largest_page, cap) = self.learned();
        let wanted = match (wanted, cap) {
            (Some(wanted), Some(cap)) => Some(wanted.min(cap)),
            (wanted, cap) => wanted.or(cap),
        };
        let pager = self.driver.pager(self.listing.page, wanted);
        pager.knowing(largest_page)
    }

    /// Reads from where the pager stands until the window is full or the list ends.
    async fn read_on(
        &self,
        mut pager: Pager<'_>,
        start: u64,
        wanted: u64,
    ) -> Result<Part, TargetError> {
        let mut items = Vec::new();
        let first = pager.index();
        loop {
            let (at, position) = (pager.index(), pager.position().clone());
            let (rows, next) = self
                .driver
                .page(self.journey, &self.listing, self.names, &mut pager)
                .await?;
            self.learn(&pager, None);
            let is_cut = pager.index() > start.saturating_add(wanted);
            if is_cut && !self.is_direct() {
                let pages = &self.driver.pages;
                pages.keep_rows(&self.key, at, position, pager.size(), &rows);
            }
            let is_empty = rows.is_empty();
            let missing = usize::try_from(wanted).unwrap_or(usize::MAX) - items.len();
            let drop = usize::try_from(start.saturating_sub(at)).unwrap_or(usize::MAX);
            items.extend(rows.into_iter().skip(drop).take(missing));
            match next {
                Next::Done => {
                    // An empty first page beyond the end says nothing about where the end is.
                    let seen = (!is_empty || at > first || at == 0).then(|| pager.index());
                    let length = pager.total().filter(|_| self.is_direct()).or(seen);
                    return Ok(Part { items, length });
                }
                Next::More(position) if !self.is_direct() => {
                    self.driver
                        .pages
                        .keep(&self.key, pager.index(), position, pager.size());
                }
                Next::More(_) => {}
            }
            if items.len() as u64 >= wanted {
                let length = pager.total();
                return Ok(Part { items, length });
            }
        }
    }

    /// Whether any index of the list can be entered without knowing what comes before.
    fn is_direct(&self) -> bool {
        match self.listing.page.style {
            PageStyle::Offset { .. } => true,
            PageStyle::Number { .. } => self.listing.page.size.is_some(),
            _ => false,
        }
    }

    /// Reads from the beginning or the nearest remembered page.
    async fn sequential(&self, mut start: u64, mut wanted: u64) -> Result<Part, TargetError> {
        let mut items = Vec::new();
        let mut entered = self
            .driver
            .pages
            .nearest(&self.key, start)
            .filter(|_| start > 0);
        if let Some(rows) = entered.as_ref().and_then(|known| known.rows.clone()) {
            let drop = start - entered.as_ref().map_or(0, |known| known.index);
            let drop = usize::try_from(drop).unwrap_or(usize::MAX);
            let most = usize::try_from(wanted).unwrap_or(usize::MAX);
            items.extend(rows.iter().skip(drop).take(most).cloned());
            start += items.len() as u64;
            wanted -= items.len() as u64;
            let length = self.driver.pages.length(&self.key);
            if wanted == 0 || length.is_some_and(|length| start >= length) {
                return Ok(Part { items, length });
            }
            entered = self.driver.pages.nearest(&self.key, start);
        }
        let pager = match entered {
            Some(known) => self.pager(known.size).at(known.position, known.index),
            None if start > 0 => self.pager(None),
            None => self.pager(Some(wanted)),
        };
        let part = self.read_on(pager, start, wanted).await?;
        items.extend(part.items);
        Ok(Part {
            items,
            length: part.length,
        })
    }

    /// Enters a list of numbered pages. If its pages turn out smaller than asked for, page numbers mean something else
    /// than thought, and are worked out again.
    async fn numbered(&self, start: u64, wanted: u64, most: u64) -> Result<Part, TargetError> {
        for _ in 0..MOST_STARTS {
            let (_, cap) = self.learned();
            let limit = cap.map_or(most, |cap| cap.min(most));
            let fit = covering(start, wanted, limit);
            let index = fit.first_page.saturating_mul(fit.size);
            let pager = self
                .pager(Some(fit.size))
                .at(Position::Page(fit.first_page), index);
            if fit.first_page == 0 {
                return self.read_on(pager, start, wanted).await;
            }
            if let Some(part) = self.fitting(pager, fit.size, start, wanted).await? {
                return Ok(part);
            }
        }
        Err(PageError::Truncated.into())
    }

    /// Reads pages from a later one on; absent if they are smaller than thought, which is noted then.
    async fn fitting(
        &self,
        mut pager: Pager<'_>,
        size: u64,
        start: u64,
        wanted: u64,
    ) -> Result<Option<Part>, TargetError> {
        let mut items = Vec::new();
        let first = pager.index();
        loop {
            let at = pager.index();
            let (rows, next) = self
                .driver
                .page(self.journey, &self.listing, self.names, &mut pager)
                .await?;
            let count = rows.len() as u64;
            // Objects where the total says there are none, or a short page that is not the last.
            let is_elsewhere = (1..size).contains(&count)
                && pager.total().is_some_and(|total| total != pager.index());
            if is_elsewhere || pager.cap().is_some() {
                let cap = pager.cap().unwrap_or(count);
                self.learn(&pager, Some(cap.max(1)));
                return Ok(None);
            }
            let is_proven = pager.total().is_some() || pager.largest_page() >= size;
            if count > 0 && !is_proven && !self.gives(size).await? {
                return Ok(None);
            }
            self.learn(&pager, None);
            let is_short = count < size;
            let missing = usize::try_from(wanted).unwrap_or(usize::MAX) - items.len();
            let drop = usize::try_from(start.saturating_sub(at)).unwrap_or(usize::MAX);
            items.extend(rows.into_iter().skip(drop).take(missing));
            if next == Next::Done {
                let seen = (count > 0 || at > first).then(|| pager.index());
                let length = pager.total().or(seen);
                return Ok(Some(Part { items, length }));
            }
            // A short page is in doubt until the one after it has been seen.
            if items.len() as u64 >= wanted && !is_short {
                let length = pager.total();
                return Ok(Some(Part { items, length }));
            }
        }
    }

    /// Whether the application's first page has as many objects as asked for. Its own limit is noted if not.
    async fn gives(&self, size: u64) -> Result<bool, TargetError> {
        let mut pager = self.pager(Some(size));
        let (rows, _) = self
            .driver
            .page(self.journey, &self.listing, self.names, &mut pager)
            .await?;
        let count = rows.len() as u64;
        self.learn(&pager, (count < size).then_some(count.max(1)));
        Ok(count >= size)
    }

    fn learned(&self) -> (u64, Option<u64>) {
        self.driver.pages.learned(&self.listing.key())
    }

    fn learn(&self, pager: &Pager<'_>, cap: Option<u64>) {
        self.driver.pages.learn(&self.listing.key(), pager, cap);
    }

    /// The list's length without its objects, where the application tells it or one reply holds all.
    async fn length(&self, is_going_on: bool) -> Result<Option<u64>, TargetError> {
        if let Some(length) = self.driver.pages.length(&self.key).filter(|_| is_going_on) {
            return Ok(Some(length));
        }
        let length = match (&self.listing.page.style, &self.listing.page.total) {
            (_, Some(Total::Call(call, path))) => {
                let (driver, name) = (self.driver, self.listing.name);
                let (reply, verdict) = driver
                    .call(self.journey, name, call, CallClass::List, self.names, None)
                    .await?;
                match verdict.meaning.is_done() {
                    true => reply.find(path).and_then(count_in),
                    false => return Err(verdict.into()),
                }
            }
            (PageStyle::None, _) => Some(self.count().await?),
            (_, None) => None,
            (_, Some(_)) => {
                let one = self.listing.page.size.as_ref().map(|_| 1);
                let mut pager = self.driver.pager(self.listing.page, one);
                let read = self
                    .driver
                    .page(self.journey, &self.listing, self.names, &mut pager)
                    .await;
                // A limit of one is no truncated list here: only the total is looked at.
                match read {
                    Err(TargetError::Page(PageError::Truncated)) | Ok(_) => pager.total(),
                    Err(error) => return Err(error),
                }
            }
        };
        if let Some(length) = length {
            self.driver.pages.keep_length(&self.key, length);
        }
        Ok(length)
    }

    /// The list's length by reading it.
    async fn count(&self) -> Result<u64, TargetError> {
        let mut pager = self.pager(None);
        loop {
            let (_, next) = self
                .driver
                .page(self.journey, &self.listing, self.names, &mut pager)
                .await?;
            if next == Next::Done {
                return Ok(pager.index());
            }
        }
    }
}
