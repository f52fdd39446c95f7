//! Rows of the application answered as text: for reads that ask nothing of the answer but the resources.
//!
//! In: rows, as text where the target could leave them so. Out: the same resources that [`join`](super::join) makes, written. A row
//! for which something is kept here, or that [`splice`](crate::mapping::splice) finds odd, goes the long way by itself.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    mapping::{
        model::TypeMapping,
        read,
        reply::Row,
        splice::{Fields, Splice, Spliced},
    },
    scim::{Error, Projection},
    store::{Record, TargetId},
};

use super::{
    context::{Context, location},
    identity::unidentified,
    join::{Kept, join_known},
    list::Sieve,
    taste::{self, season},
};

/// The quick way for one type.
pub struct Quick<'c> {
    ctx: &'c Context,
    t: &'c TypeMapping,
    splice: &'c Splice,
    projection: &'c Projection,
    /// Locations without the id at their end.
    locations: String,
}

/// Resources as text.
#[derive(Debug, Default)]
pub struct Written {
    /// One after the other, with commas between.
    pub text: Vec<u8>,
    /// How many.
    pub count: usize,
}

/// A row on its way.
struct Passing<'r> {
    target_id: TargetId,
    row: &'r Row,
    /// Absent: the row goes the long way.
    fields: Option<Fields<'r>>,
}

impl<'c> Quick<'c> {
    /// Absent if any row might need more than itself: a projection, members, objects that are not shown, a client with wishes.
    pub fn of(ctx: &'c Context, t: &'c TypeMapping, projection: &'c Projection) -> Option<Self> {
        let is_shown = t.scope.is_none() && t.hide.is_none() && t.gone.is_none();
        let is_plain = is_shown && ctx.mapping().policy.protected.is_empty();
        let is_possible = is_plain && !projection.is_explicit() && !taste::adds(ctx, t);
        t.splice
            .as_ref()
            .filter(|_| is_possible)
            .map(|splice| Self {
                ctx,
                t,
                splice,
                projection,
                locations: ctx.locations(t),
            })
    }

    /// Writes the rows of a page, with one look at the store: all of them, or those that a sieve lets through.
    ///
    /// # Errors
    ///
    /// 502 for a row that cannot be read at all; what [`join_known`] and the sieve fail with.
    pub async fn page(
        &self,
        rows: &[Row],
        mut sieve: Option<&mut Sieve<'_>>,
        written: &mut Written,
    ) -> Result<(), Error> {
        let mut passing = Vec::with_capacity(rows.len());
        for row in rows {
            match self.passing(row)? {
                Some(row) if sieve.as_mut().is_some_and(|s| s.knows(&row.target_id)) => {}
                Some(row) => passing.push(row),
                None if read::is_nobody(&tree(row)?) => {}
                None => return Err(unidentified(self.t)),
            }
        }
        let ids: Vec<TargetId> = passing.iter().map(|row| row.target_id.clone()).collect();
        let name = &self.t.resource_type.name;
        let records = self
            .ctx
            .store
            .records_by_target(self.ctx.id(), name, &ids)
            .await?;
        let mut by_target: HashMap<String, Record> = records
            .into_iter()
            .filter_map(|record| Some((record.target_id.as_ref()?.as_str().to_owned(), record)))
            .collect();
        written.text.reserve(rows.len() * RESOURCE_BYTES);
        for row in passing {
            let record = by_target.remove(row.target_id.as_str());
            if record.as_ref().is_some_and(|record| record.is_deleted) {
                continue;
            }
            let before = written.text.len();
            if written.count > 0 {
                written.text.push(b',');
            }
            let begin = written.text.len();
            let is_shown = self.write(&row, record, &mut written.text).await?;
            let resource = written.text.get(begin..).unwrap_or_default();
            let is_wanted = match &mut sieve {
                Some(sieve) if is_shown => sieve.lets_through(resource)?,
                _ => is_shown,
            };
            match is_wanted {
                true => written.count += 1,
                false => written.text.truncate(before),
            }
        }
        Ok(())
    }

    /// Writes one row, if nothing but itself is needed for it; absent if it must go the long way.
    pub fn one(&self, row: &Row, record: Option<&Record>) -> Option<(Vec<u8>, Spliced, TargetId)> {
        let passing = self.passing(row).ok().flatten()?;
        let mut text = Vec::with_capacity(RESOURCE_BYTES);
        let spliced = self.splice(&passing, record, &mut text)?;
        Some((text, spliced, passing.target_id))
    }

    /// Absent if the row has no id.
    fn passing<'r>(&self, row: &'r Row) -> Result<Option<Passing<'r>>, Error> {
        if let Row::Text(text) = row
            && let Ok(text) = std::str::from_utf8(text)
            && let Ok(fields) = self.splice.read(text)
            && let Ok(id) = self.splice.target_id(&fields)
        {
            return Ok(id.map(|id| Passing {
                target_id: TargetId::new(id),
                row,
                fields: Some(fields),
            }));
        }
        let id = read::target_id(self.t, &tree(row)?);
        Ok(id.map(|id| Passing {
            target_id: TargetId::new(id),
            row,
            fields: None,
        }))
    }

    /// Whether a resource was written: an object may not be the tenant's.
    async fn write(
        &self,
        row: &Passing<'_>,
        record: Option<Record>,
        text: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        if self.splice(row, record.as_ref(), text).is_some() {
            return Ok(true);
        }
        let joined = Box::pin(join_known(self.ctx, self.t, tree(row.row)?, record)).await?;
        let Some(mut joined) = joined else {
            return Ok(false);
        };
        season(self.ctx, self.t, &mut joined.resource);
        let shown = self
            .projection
            .apply(&self.t.resource_type, joined.resource.0);
        // Writing a tree of JSON to memory cannot fail.
        let _ = serde_json::to_writer(text, &shown);
        Ok(true)
    }

    fn splice(
        &self,
        row: &Passing<'_>,
        record: Option<&Record>,
        text: &mut Vec<u8>,
    ) -> Option<Spliced> {
        let fields = row.fields.as_ref()?;
        let target_id = row.target_id.as_str();
        let made;
        let id = match record {
            Some(record) if !record.shadow.is_empty() => return None,
            Some(record) => record.scim_id.as_str(),
            // A link must be made.
            None if !self.t.id.is_stable => return None,
            None if self.t.id.prefix.is_empty() => target_id,
            None => {
                made = self.t.id.to_scim(target_id);
                &made
            }
        };
        let location = location(&self.locations, id);
        let kept = Kept::of(self.t, record);
        let settings = &self.ctx.mapping().settings;
        let frame = kept.frame(id, &location);
        self.splice
            .write(self.t, settings, fields, &frame, text)
            .ok()
    }
}

/// The row as a tree.
pub fn tree(row: &Row) -> Result<Value, Error> {
    row.clone().into_tree().ok_or_else(unreadable)
}

/// The error for an object that no tree can hold.
pub fn unreadable() -> Error {
    Error::new(
        502,
        "The application sent an object that cannot be read: nested too deeply, or with too large a number.",
    )
}

/// Room for a resource of ordinary size.
const RESOURCE_BYTES: usize = 768;
