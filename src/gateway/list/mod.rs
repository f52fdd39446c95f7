//! Queries (RFC 7644 §3.4.2, RFC 9865): filter, sort, page.
//!
//! In: a type and a [`Query`]. Out: a page. What the target can answer is asked of it; the rest is decided here on what
//! comes back, page by page in bounded memory. A result that cannot be complete is an error, never a short list.

mod collect;
pub mod cursor;
mod grouped;
mod plan;
mod sieve;
mod source;
mod steps;
mod whole;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    mapping::{model::TypeMapping, reply::Row},
    scim::{
        AttributePath, Error, Filter,
        filter::Matcher,
        query::{Query, SortKey, SortOrder},
    },
    store::TargetId,
    target::Span,
};

use self::{
    collect::{Collector, Order},
    grouped::Grouped,
};
use super::{
    answer::{Answer, Meta},
    context::Context,
    get::{Want, with_parts},
    join::{Joined, join_all},
    parallel::in_order,
    quick::{Written, tree},
    taste::season,
};

pub use plan::Plan;
pub use sieve::Sieve;
pub use source::{object_with_id, raw_with, raw_with_name};
pub use whole::{must_read, whole_row};

/// Which resources of the whole result are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Resources in front of it.
    pub skip: u64,
    /// Resources at most.
    pub take: u64,
}

/// A part of a result, and how much there is in all.
#[derive(Debug, Default)]
pub struct Part {
    /// The resources of the slice.
    pub rows: Vec<Joined>,
    /// All that match.
    pub total: u64,
}

/// Answers a query on one type.
pub async fn list(ctx: &Context, t: &TypeMapping, query: &Query) -> Result<Answer, Error> {
    let plan = Plan::of(ctx, t, query, &[])?;
    let page = cursor::Page::of(ctx, &t.resource_type.endpoint, query)?;
    let part = Box::pin(part(ctx, t, &plan, page.slice)).await;
    match part.map_err(of_list)? {
        Found::Text(written, total) => {
            let text = page.text(ctx, total, &written);
            Ok(Answer::text(text, Meta::default()))
        }
        Found::Trees(part) => {
            let resources = Box::pin(finish(ctx, t, &plan, part.rows)).await;
            let resources = resources.map_err(of_list)?;
            Ok(Answer::document(page.response(ctx, part.total, resources)))
        }
    }
}

/// What a query finds, and how many there are in all.
enum Found {
    /// As text.
    Text(Written, u64),
    /// As trees, not yet projected.
    Trees(Part),
}

/// The slice of a query's result: as text where rows need nothing but themselves, otherwise as trees.
async fn part(ctx: &Context, t: &TypeMapping, plan: &Plan, slice: Slice) -> Result<Found, Error> {
    let Some(quick) = plan.quick(ctx, t) else {
        return Ok(Found::Trees(Box::pin(rows(ctx, t, plan, slice)).await?));
    };
    let mut written = Written::default();
    if plan.filter.is_none() {
        let window = Box::pin(window(ctx, t, slice, true)).await?;
        if let Some((rows, total)) = window {
            quick.page(&rows, None, &mut written).await?;
            return Ok(Found::Text(written, total));
        }
    }
    let grouped = Box::pin(Grouped::of(ctx, t, plan)).await?;
    let source = plan.source(ctx, t, grouped.as_ref()).await?;
    if let Some((_, matcher)) = &plan.filter
        && let Some(mut sieve) = Sieve::of(t, matcher, slice, ctx.limits.max_scanned_rows)
        && let source::Source::Find(find, value) = &source
        && !find.else_list
        && !whole::must_read(t, &find.rows, |path| plan.needs(path))
    {
        sieve::sift(ctx, find, value, &quick, &mut sieve, &mut written).await?;
        return Ok(Found::Text(written, sieve.total));
    }
    let part = Box::pin(collected(ctx, t, plan, (source, grouped), slice)).await?;
    Ok(Found::Trees(part))
}

/// A list is always there: 404 for a part of it (a group's members) is the application's fault, and would make Entra
/// quarantine the customer (promise R7). Leaving the row out would be a short list.
fn of_list(error: Error) -> Error {
    match error.status {
        404 => Error::new(
            502,
            "The application did not find a part of an object that it has listed.",
        ),
        _ => error,
    }
}

/// Answers a query on the root: all types in the mapping's order, one after the other, or all in the order asked for.
///
/// # Errors
///
/// `invalidFilter` if no type has the attributes that the filter names, `invalidValue` if none has that of `sortBy`.
pub async fn list_all(ctx: &Context, query: &Query) -> Result<Answer, Error> {
    let page = cursor::Page::of(ctx, "/", query)?;
    let plans = plans_of_all(ctx, query)?;
    let result = match query.sort_by {
        None => in_turn(ctx, &plans, page.slice).await,
        Some(_) => in_one_order(ctx, &plans, query.sort_order, page.slice).await,
    };
    let (total, resources) = result.map_err(of_list)?;
    Ok(Answer::document(page.response(ctx, total, resources)))
}

async fn in_turn(
    ctx: &Context,
    plans: &[(&TypeMapping, Plan)],
    mut slice: Slice,
) -> Result<(u64, Vec<Value>), Error> {
    let (mut total, mut resources) = (0, Vec::new());
    for (t, plan) in plans {
        let part = rows(ctx, t, plan, slice).await?;
        total += part.total;
        slice.skip = slice.skip.saturating_sub(part.total);
        slice.take = slice.take.saturating_sub(part.rows.len() as u64);
        resources.extend(finish(ctx, t, plan, part.rows).await?);
    }
    Ok((total, resources))
}

/// Resources of all types in one order (RFC 7644 §3.4.2.3). Those whose type has no such attribute have no value.
async fn in_one_order(
    ctx: &Context,
    plans: &[(&TypeMapping, Plan)],
    order: SortOrder,
    slice: Slice,
) -> Result<(u64, Vec<Value>), Error> {
    collect::check_depth(slice, &ctx.limits)?;
    // Whatever the others hold, no more than so many of one type can come in front.
    let front = Slice {
        skip: 0,
        take: slice.skip.saturating_add(slice.take),
    };
    let (mut total, mut found) = (0, Vec::new());
    for (t, plan) in plans {
        let part = rows(ctx, t, plan, front).await?;
        total += part.total;
        found.extend(part.rows.into_iter().map(|row| {
            let key = plan.order.as_ref().map(|order| order.key(&row.resource));
            (key.unwrap_or(SortKey::absent(order)), *t, plan, row)
        }));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (skip, take) = (
        usize::try_from(slice.skip).unwrap_or(usize::MAX),
        usize::try_from(slice.take).unwrap_or(usize::MAX),
    );
    let page = found.into_iter().skip(skip).take(take);
    let finished = page.map(|(_, t, plan, row)| finish(ctx, t, plan, vec![row]));
    let resources = in_order(finished.collect(), PARALLEL_ROWS).await?;
    Ok((total, resources.into_iter().flatten().collect()))
}

/// The query compiled for each type that can match: an attribute that a type lacks has no value there (RFC 7644 §3.4.2.1).
/// A type without the attribute to sort by is not sorted.
fn plans_of_all<'c>(
    ctx: &'c Context,
    query: &Query,
) -> Result<Vec<(&'c TypeMapping, Plan)>, Error> {
    let mut plans = Vec::new();
    let unsorted = Query {
        sort_by: None,
        ..query.clone()
    };
    let mut cannot_sort = None;
    let mut is_refused = true;
    let types: Vec<_> = ctx
        .mapping()
        .types
        .iter()
        .map(|t| t.resource_type.as_ref())
        .collect();
    for t in &ctx.mapping().types {
        let order = query
            .sort_by
            .as_ref()
            .map(|by| Order::of(&t.resource_type, by, query.sort_order));
        let own = if let Some(Err(error)) = order {
            cannot_sort = Some(error);
            &unsorted
        } else {
            query
        };
        let plan = Plan::of(ctx, t, own, &types)?;
        is_refused &= plan.order.is_none();
        if !plan
            .filter
            .as_ref()
            .is_some_and(|(_, matcher)| matcher.is_never())
        {
            plans.push((t, plan));
        }
    }
    match cannot_sort {
        Some(error) if is_refused => Err(error),
        _ => Ok(plans),
    }
}

/// The rows of a slice, joined, and the total.
pub async fn rows(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan,
    slice: Slice,
) -> Result<Part, Error> {
    if plan.is_plain(ctx, t)
        && let Some((rows, total)) = Box::pin(window(ctx, t, slice, false)).await?
    {
        let items = rows.iter().map(tree).collect::<Result<_, _>>()?;
        let needs = |path: &AttributePath| plan.needs(path);
        let items = whole::whole_rows(ctx, t, &t.lists[0].rows, items, needs).await?;
        let rows = join_all(ctx, t, items).await?;
        return Ok(Part { rows, total });
    }
    let grouped = Box::pin(Grouped::of(ctx, t, plan)).await?;
    let source = plan.source(ctx, t, grouped.as_ref()).await?;
    collected(ctx, t, plan, (source, grouped), slice).await
}

/// The rows of a slice from wherever they are, looked at one by one.
async fn collected(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan,
    (source, grouped): (source::Source<'_>, Option<Grouped>),
    slice: Slice,
) -> Result<Part, Error> {
    let mut want = plan.want_to_match();
    want.groups &= grouped.is_none();
    let mut collector = Collector::new(
        plan.filter.as_ref().map(|(_, matcher)| matcher),
        plan.order.as_ref(),
        slice,
        &ctx.limits,
    )?
    .with(grouped);
    Box::pin(source::feed(ctx, t, plan, source, want, &mut collector)).await?;
    Ok(collector.finish())
}

/// The slice straight from the target's own paging, and the total; absent if the target cannot say how many there are.
async fn window(
    ctx: &Context,
    t: &TypeMapping,
    Slice { skip, take }: Slice,
    is_text: bool,
) -> Result<Option<(Vec<Row>, u64)>, Error> {
    let names = ctx.names();
    let span = Span {
        skip,
        take,
        is_text,
    };
    let window = ctx
        .driver()
        .window(&ctx.journey, &t.lists, &t.section, &names, span)
        .await?;
    Ok(window.total.map(|total| (window.items, total)))
}

/// Reads what the answer needs besides, and projects; in parallel, in order.
async fn finish(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan,
    rows: Vec<Joined>,
) -> Result<Vec<Value>, Error> {
    let want = plan.want(t);
    let rows = if want == Want::NEITHER {
        rows
    } else {
        in_order(
            rows.into_iter()
                .map(|row| with_parts(ctx, t, row, want))
                .collect(),
            PARALLEL_ROWS,
        )
        .await?
    };
    let shown = |mut row: Joined| {
        season(ctx, t, &mut row.resource);
        Value::Object(plan.projection.apply(&t.resource_type, row.resource.0))
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// The resources that have a value in the match attribute, compared without regard to case: at most two are looked for.
pub async fn with_name(ctx: &Context, t: &TypeMapping, name: &str) -> Result<Vec<Joined>, Error> {
    let filter = Filter::Compare(
        t.match_attribute.clone(),
        crate::scim::CompareOp::Eq,
        json!(name),
    );
    let matcher = Matcher::compile(&filter, &t.resource_type)?;
    let plan = Plan {
        filter: Some((filter, matcher)),
        order: None,
        projection: Arc::clone(&t.usual),
        wants_groups: false,
    };
    Ok(rows(ctx, t, &plan, Slice { skip: 0, take: 2 }).await?.rows)
}

/// A target id in a message or a set.
fn key(id: &TargetId) -> String {
    id.as_str().to_owned()
}

/// Rows whose parts are read at the same time; the target's budget bounds the calls further.
pub const PARALLEL_ROWS: usize = 8;
