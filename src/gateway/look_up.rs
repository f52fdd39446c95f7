//! Tables of the application (`[values.NAME]`) are read before something is translated by them.
//!
//! A table is read when a value must be looked up in it, and remembered for the time its mapping says. A value that it
//! does not have is asked for once more, since it may be new; not again and again, since a client may send nonsense.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::{
    mapping::{
        expression::text_of,
        look_up::{self, Wanted},
        model::{LookUp, Pairs, TypeMapping},
    },
    scim::{AttributePath, Error, Resource, ScimType},
    target::ScanSource,
};

use super::context::Context;

/// Sees to it that a resource can be written: the tables it needs are known.
///
/// `changed` are the attributes that are to change; absent: all.
///
/// # Errors
///
/// 400 `invalidValue` for a changed value that the application does not have, with some of those that it has; what reading
/// a table failed with.
pub async fn before_writing(
    ctx: &Context,
    t: &TypeMapping,
    resource: &Resource,
    changed: Option<&[AttributePath]>,
) -> Result<(), Error> {
    if look_up::of_type(t).next().is_none() {
        return Ok(());
    }
    let wanted = look_up::in_resource(t, resource, &ctx.names());
    know(ctx, &wanted, Side::Scim).await?;
    let is_asked = |path: &AttributePath| {
        changed.is_none_or(|changed| changed.iter().any(|one| one.is_same_attribute(path)))
    };
    let refused = wanted
        .iter()
        .find(|one| one.is_refused && is_asked(&one.attribute) && !is_known(one, Side::Scim));
    match refused {
        None => Ok(()),
        Some(one) => Err(unknown(one)),
    }
}

/// Sees to it that objects can be read.
///
/// # Errors
///
/// What reading a table failed with.
pub async fn before_reading(
    ctx: &Context,
    t: &TypeMapping,
    objects: &[Value],
) -> Result<(), Error> {
    if objects.is_empty() || look_up::of_type(t).next().is_none() {
        return Ok(());
    }
    let settings = &ctx.mapping().settings;
    let wanted: Vec<Wanted<'_>> = objects
        .iter()
        .flat_map(|object| look_up::in_object(t, object, settings))
        .collect();
    know(ctx, &wanted, Side::Field).await
}

/// Sees to it that a table knows a value of SCIM's, if it is there.
///
/// # Errors
///
/// What reading the table failed with.
pub async fn before_asking(ctx: &Context, table: &Arc<LookUp>, value: &Value) -> Result<(), Error> {
    let wanted = Wanted {
        table,
        value: value.clone(),
        attribute: AttributePath::default(),
        is_refused: false,
    };
    know(ctx, &[wanted], Side::Scim).await
}

/// From which side of a table a value is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Scim,
    Field,
}

async fn know(ctx: &Context, wanted: &[Wanted<'_>], side: Side) -> Result<(), Error> {
    let mut tables: Vec<&Arc<LookUp>> = Vec::new();
    for one in wanted {
        if !tables.iter().any(|table| Arc::ptr_eq(table, one.table)) {
            tables.push(one.table);
        }
    }
    for table in tables {
        let mut own = wanted.iter().filter(|one| Arc::ptr_eq(one.table, table));
        let has_all = own.all(|one| is_known(one, side));
        refresh(ctx, table, has_all).await?;
    }
    Ok(())
}

/// Reads a table if it is too old, or lacks something and was not read just now. Of several requests one reads it.
async fn refresh(ctx: &Context, table: &Arc<LookUp>, has_all: bool) -> Result<(), Error> {
    let Some(read_at) = ctx.tenant.look_ups.table(table.index) else {
        return Ok(());
    };
    let asked = Instant::now();
    let Ok(mut read_at) = timeout_at(ctx.journey.deadline, read_at.lock()).await else {
        return Err(Error::new(504, "The application did not answer in time."));
    };
    let must_read = match *read_at {
        None => true,
        // Another request has read it while this one waited.
        Some(at) if at >= asked => false,
        Some(at) => {
            let age = at.elapsed();
            age >= table.remember || !has_all && age >= UNKNOWN_AGAIN_AFTER
        }
    };
    if !must_read {
        return Ok(());
    }
    match read(ctx, table).await {
        Ok(pairs) => {
            table.put(pairs);
            *read_at = Some(Instant::now());
            Ok(())
        }
        // What was read before does as long as it has what is needed.
        Err(error) if has_all && table.known().is_some() => {
            let (tenant, status) = (ctx.id().as_str(), error.status);
            tracing::warn!(tenant, table = %table.name, status, "a table of the application could not be read again; what was read before is used");
            let spared = table.remember.saturating_sub(UNKNOWN_AGAIN_AFTER);
            *read_at = Instant::now().checked_sub(spared);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn read(ctx: &Context, table: &LookUp) -> Result<Pairs, Error> {
    let names = ctx.names();
    let lists = std::slice::from_ref(&table.list);
    let mut scan = ctx.driver().scan(ScanSource::Lists(lists), &names);
    let mut pairs = Vec::new();
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        let settings = &ctx.mapping().settings;
        pairs.extend(
            page.items
                .iter()
                .filter_map(|row| table.pair(row, settings)),
        );
        if pairs.len() > table.most {
            let (tenant, most) = (ctx.id().as_str(), table.most);
            tracing::error!(tenant, table = %table.name, most, "a table of the application has more rows than `most` allows");
            return Err(Error::new(
                502,
                format!(
                    "The application's table `{}` has more than {most} rows; its operator must raise `most`.",
                    table.name
                ),
            ));
        }
    }
    let pairs = Pairs::new(pairs);
    let ambiguous = pairs.ambiguous();
    if ambiguous > 0 {
        let tenant = ctx.id().as_str();
        tracing::warn!(tenant, table = %table.name, ambiguous, "a table of the application has rows of the same name; the first of each is written");
    }
    Ok(pairs)
}

fn is_known(one: &Wanted<'_>, side: Side) -> bool {
    one.table.known().is_some_and(|known| match side {
        Side::Scim => known.field_of(&one.value).is_some(),
        Side::Field => known.scim_of(&one.value).is_some(),
    })
}

/// Says what the application has, as far as it is short.
fn unknown(one: &Wanted<'_>) -> Error {
    let known = one.table.known().unwrap_or_default();
    let mut names = known.scim_values().filter_map(text_of);
    let mut shown: Vec<String> = Vec::new();
    for name in names.by_ref().take(MOST_SHOWN) {
        shown.push(format!(
            "`{}`",
            name.chars().take(MOST_CHARACTERS).collect::<String>()
        ));
    }
    let rest = match names.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let has = match shown.is_empty() {
        true => "none at all".to_owned(),
        false => format!("{}{rest}", shown.join(", ")),
    };
    let detail = format!(
        "The application does not know this value of `{}`; it has {has}.",
        one.attribute
    );
    Error::of(ScimType::InvalidValue, detail)
}

/// A value that a table lacks makes it be read again, but not sooner than this after the last time.
const UNKNOWN_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Names of the application in the refusal of one that it does not know, and characters of each.
const MOST_SHOWN: usize = 10;
const MOST_CHARACTERS: usize = 40;
