//! Lists read page by page, from the beginning to the end.

use serde_json::Value;

use super::{Driver, Journey, TargetError, rows::Listing};
use crate::mapping::{
    model::{Find, ListOperation, MemberRead, UserGroups},
    names::Names,
    page::{Next, Pager},
    reply::Row,
};

/// What is read.
#[derive(Debug, Clone, Copy)]
pub enum ScanSource<'d> {
    /// All objects of a type: its lists, one after the other.
    Lists(&'d [ListOperation]),
    /// The objects a filter finds; the name `value` is what is looked for. Not found is an empty list.
    Find(&'d Find),
    /// A group's members.
    Members(&'d MemberRead),
    /// A user's groups. Nothing, if they are in the user object.
    Groups(&'d UserGroups),
}

/// A list on its way. Holds one page at a time.
#[derive(Debug)]
pub struct Scan<'d> {
    driver: &'d Driver,
    names: &'d Names<'d>,
    /// Lists still to be begun, the next one last.
    waiting: Vec<Listing<'d>>,
    current: Option<(Listing<'d>, Pager<'d>)>,
    is_single: bool,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanPage {
    /// The objects as the application has them, constants of the list put in. May be empty though more follow.
    pub items: Vec<Value>,
    /// The number of all objects, if there is one list and the application says it.
    pub total: Option<u64>,
}

impl Driver {
    /// Begins to read lists; nothing is sent before the first page is asked for.
    pub fn scan<'d>(&'d self, source: ScanSource<'d>, names: &'d Names<'d>) -> Scan<'d> {
        let mut waiting: Vec<Listing<'d>> = match source {
            ScanSource::Lists(lists) => lists.iter().map(Listing::of_list).collect(),
            ScanSource::Find(find) => vec![Listing::of_find(find, self)],
            ScanSource::Members(read) => vec![Listing::of_members(read)],
            ScanSource::Groups(groups) => Listing::of_groups(groups).into_iter().collect(),
        };
        waiting.reverse();
        Scan {
            driver: self,
            names,
            is_single: waiting.len() == 1,
            waiting,
            current: None,
        }
    }
}

impl Scan<'_> {
    /// The same, its rows as text where nothing needs a tree of them: for [`next_rows`](Self::next_rows).
    pub fn as_text(mut self) -> Self {
        for listing in &mut self.waiting {
            *listing = listing.as_text(true);
        }
        self
    }

    /// The next page; absent after the last.
    ///
    /// # Errors
    ///
    /// As [`next_rows`](Self::next_rows).
    pub async fn next_page(&mut self, journey: &Journey) -> Result<Option<ScanPage>, TargetError> {
        let Some((rows, total)) = self.next_rows(journey).await? else {
            return Ok(None);
        };
        let trees = rows.into_iter().map(Row::into_tree);
        let items = trees.collect::<Option<_>>();
        let items = items.ok_or(TargetError::BadReply("a row of it cannot be read"))?;
        Ok(Some(ScanPage { items, total }))
    }

    /// The rows of the next page, and the number of all objects as [`ScanPage`] has it; absent after the last page.
    ///
    /// # Errors
    ///
    /// Any [`TargetError`]. The pages before it are then not the whole list, and no further page comes.
    pub async fn next_rows(
        &mut self,
        journey: &Journey,
    ) -> Result<Option<(Vec<Row>, Option<u64>)>, TargetError> {
        let (listing, mut pager) = match self.current.take() {
            Some(current) => current,
            None => match self.waiting.pop() {
                Some(listing) => (listing, self.begin(&listing)),
                None => return Ok(None),
            },
        };
        let read = self
            .driver
            .page(journey, &listing, self.names, &mut pager)
            .await;
        let (rows, next) = read.inspect_err(|_| self.waiting.clear())?;
        self.driver.pages.learn(&listing.key(), &pager, None);
        let total = pager.total().filter(|_| self.is_single);
        if let Next::More(_) = next {
            self.current = Some((listing, pager));
        }
        Ok(Some((rows, total)))
    }

    fn begin<'d>(&self, listing: &Listing<'d>) -> Pager<'d>
    where
        Self: 'd,
    {
        let (largest_page, cap) = self.driver.pages.learned(&listing.key());
        self.driver.pager(listing.page, cap).knowing(largest_page)
    }
}
