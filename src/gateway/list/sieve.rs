//! The filter on rows that are answered as text: what [`Collector`](super::collect::Collector) does with trees, in the target's order.

use std::{borrow::Cow, collections::HashSet};

use serde_json::Value;

use crate::{
    gateway::{
        context::Context,
        quick::{Quick, Written, unreadable},
    },
    mapping::{
        model::{Find, TypeMapping},
        splice::Sift,
    },
    scim::{Error, filter::Matcher},
    store::TargetId,
    target::ScanSource,
};

use super::{
    Slice,
    collect::check_seen,
    steps::{first_steps, give},
};

/// Matches, counts and cuts resources that are text.
pub struct Sieve<'a> {
    sift: Sift<'a>,
    slice: Slice,
    most_rows: u64,
    known: HashSet<TargetId>,
    seen: u64,
    /// All that matched so far.
    pub total: u64,
}

impl<'a> Sieve<'a> {
    /// Absent if the filter needs more of a resource than its text, see [`Sift::of`].
    pub fn of(t: &TypeMapping, matcher: &'a Matcher, slice: Slice, most_rows: u64) -> Option<Self> {
        Some(Self {
            sift: Sift::of(t, matcher)?,
            slice,
            most_rows,
            known: HashSet::new(),
            seen: 0,
            total: 0,
        })
    }

    /// Whether an object came before: a list that moves while it is read may give one twice.
    pub fn knows(&mut self, id: &TargetId) -> bool {
        !self.known.insert(id.clone())
    }

    /// Whether a resource matches and is in the slice.
    ///
    /// # Errors
    ///
    /// `tooMany` once more rows were looked at than allowed.
    pub fn lets_through(&mut self, resource: &[u8]) -> Result<bool, Error> {
        self.seen += 1;
        check_seen(self.seen, self.most_rows)?;
        if !self.sift.matches(resource).map_err(|_| unreadable())? {
            return Ok(false);
        }
        let position = self.total;
        self.total += 1;
        let Slice { skip, take } = self.slice;
        Ok(position >= skip && position - skip < take)
    }
}

/// Writes what a find gives, as far as the sieve lets it through.
pub async fn sift(
    ctx: &Context,
    find: &Find,
    value: &Value,
    quick: &Quick<'_>,
    sieve: &mut Sieve<'_>,
    written: &mut Written,
) -> Result<(), Error> {
    let mut names = ctx.names();
    names.with("value", Cow::Borrowed(value));
    if !find.before.is_empty() {
        let Some(known) = Box::pin(first_steps(ctx, find, &names)).await? else {
            return Ok(());
        };
        give(&mut names, known);
    }
    let mut scan = ctx.driver().scan(ScanSource::Find(find), &names).as_text();
    while let Some((rows, _)) = scan.next_rows(&ctx.journey).await? {
        quick.page(&rows, Some(sieve), written).await?;
    }
    Ok(())
}
