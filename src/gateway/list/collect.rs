//! Matches, counts, orders and cuts, in bounded memory.

use std::cmp::Ordering;

use crate::{
    gateway::{Limits, join::Joined},
    scim::{
        AttributePath, Error, Resource, ResourceType, ScimType,
        filter::Matcher,
        query::{SortKey, SortOrder, Sorter},
    },
};

use super::{Part, Slice, grouped::Grouped};

/// What a result is ordered by.
pub struct Order {
    sorter: Sorter,
}

impl Order {
    /// Resolves `sortBy`.
    ///
    /// # Errors
    ///
    /// `invalidValue` if the type has no such attribute.
    pub fn of(rt: &ResourceType, by: &AttributePath, order: SortOrder) -> Result<Self, Error> {
        Ok(Self {
            sorter: Sorter::new(by, order, rt)?,
        })
    }

    /// Where a resource stands in it.
    pub fn key(&self, resource: &Resource) -> SortKey {
        self.sorter.key(&resource.0)
    }

    /// The attribute, in the schema's spelling.
    pub fn attribute(&self) -> &AttributePath {
        self.sorter.path()
    }
}

/// Takes rows one by one and keeps those that the answer needs.
pub struct Collector<'a> {
    matcher: Option<&'a Matcher>,
    /// What the matcher is shown of users' groups; absent: what the rows have.
    grouped: Option<Grouped>,
    order: Option<&'a Order>,
    slice: Slice,
    most_rows: u64,
    seen: u64,
    total: u64,
    kept: Vec<Joined>,
    sorted: Vec<(SortKey, u64, Joined)>,
}

impl<'a> Collector<'a> {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// `tooMany` if an ordered slice lies further back than can be held.
    pub fn new(
        matcher: Option<&'a Matcher>,
        order: Option<&'a Order>,
        slice: Slice,
        limits: &Limits,
    ) -> Result<Self, Error> {
        if order.is_some() {
            check_depth(slice, limits)?;
        }
        Ok(Self {
            matcher,
            grouped: None,
            order,
            slice,
            most_rows: limits.max_scanned_rows,
            seen: 0,
            total: 0,
            kept: Vec::new(),
            sorted: Vec::new(),
        })
    }

    /// Matches users by the groups that this knows of.
    pub fn with(self, grouped: Option<Grouped>) -> Self {
        Self { grouped, ..self }
    }

    /// Takes a row.
    ///
    /// # Errors
    ///
    /// `tooMany` once more rows were looked at than allowed.
    pub fn take(&mut self, mut row: Joined) -> Result<(), Error> {
        self.seen += 1;
        check_seen(self.seen, self.most_rows)?;
        if let Some(grouped) = &self.grouped {
            grouped.show(&mut row.resource);
        }
        if self
            .matcher
            .is_some_and(|matcher| !matcher.matches(&row.resource.0))
        {
            return Ok(());
        }
        if let Some(grouped) = &self.grouped {
            grouped.hide(&mut row.resource);
        }
        let position = self.total;
        self.total += 1;
        match self.order {
            Some(order) => self.insert(order, position, row),
            None if position >= self.slice.skip && (self.kept.len() as u64) < self.slice.take => {
                self.kept.push(row)
            }
            None => {}
        }
        Ok(())
    }

    /// Takes note of rows that were looked at elsewhere and do not match.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    pub fn pass_over(&mut self, rows: usize) -> Result<(), Error> {
        self.seen += rows as u64;
        check_seen(self.seen, self.most_rows)
    }

    /// Keeps the row among the first `skip + take`, cutting now and then.
    fn insert(&mut self, order: &Order, position: u64, row: Joined) {
        let bound = usize::try_from(self.slice.skip + self.slice.take).unwrap_or(usize::MAX);
        let key = order.key(&row.resource);
        self.sorted.push((key, position, row));
        if self.sorted.len() >= 2 * bound + CUT_SLACK {
            self.sort();
            self.sorted.truncate(bound);
        }
    }

    fn sort(&mut self) {
        self.sorted.sort_by(|a, b| match a.0.cmp(&b.0) {
            Ordering::Equal => a.1.cmp(&b.1),
            unequal => unequal,
        });
    }

    /// Whether no row was wanted so far.
    pub fn has_none(&self) -> bool {
        self.total == 0
    }

    /// The slice and the total.
    pub fn finish(mut self) -> Part {
        if self.order.is_none() {
            return Part {
                rows: self.kept,
                total: self.total,
            };
        }
        self.sort();
        let skip = usize::try_from(self.slice.skip).unwrap_or(usize::MAX);
        let take = usize::try_from(self.slice.take).unwrap_or(usize::MAX);
        let rows = self
            .sorted
            .into_iter()
            .skip(skip)
            .take(take)
            .map(|(_, _, row)| row)
            .collect();
        Part {
            rows,
            total: self.total,
        }
    }
}

/// Refuses to look at more resources than allowed.
pub fn check_seen(seen: u64, most: u64) -> Result<(), Error> {
    if seen <= most {
        return Ok(());
    }
    Err(Error::of(
        ScimType::TooMany,
        format!(
            "More than {most} resources would have to be looked at; use a filter that the application can answer."
        ),
    ))
}

/// Refuses an ordered slice that lies further back than can be held.
pub fn check_depth(slice: Slice, limits: &Limits) -> Result<(), Error> {
    if slice.skip.saturating_add(slice.take) <= limits.max_sorted_rows {
        return Ok(());
    }
    Err(Error::of(
        ScimType::TooMany,
        format!(
            "Only the first {} resources of a sorted result can be paged; filter it further.",
            limits.max_sorted_rows
        ),
    ))
}

/// So many rows more than needed are held before the next cut, so that small pages are not cut all the time.
const CUT_SLACK: usize = 64;
