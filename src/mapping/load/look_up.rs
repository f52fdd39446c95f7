//! `[values.NAME]`: value tables that are read from the application.

use std::{sync::Arc, time::Duration};

use crate::mapping::model::{ListOperation, LookUp, Rows};

use super::{
    call::{self, CALL},
    list::{ITEMS, PAGE_KEY},
    page,
    reader::Reader,
    shape::{Kind, Shape, key},
    syntax,
    tree::Entry,
};

/// `[values.NAME]`.
pub(super) static LOOK_UP: Shape = Shape {
    name: "`[values.NAME]`",
    about: "A value table that the application has: rows with the client's spelling and the application's value, for lines \
            that say `values = \"NAME\"`. It is read when a value has to be translated, and remembered; once more if a \
            value is not in it, but at most every 10 seconds.",
    keys: &[
        ITEMS,
        key(
            "scim",
            Kind::OneOf(&[Kind::Path, Kind::Template]),
            "required",
            "The client's spelling within a row.",
            "'$.name'",
        ),
        key(
            "value",
            Kind::OneOf(&[Kind::Path, Kind::Template]),
            "required",
            "The application's value within a row.",
            "'$.id'",
        ),
        PAGE_KEY,
        key(
            "remember",
            Kind::Duration,
            "5m",
            "Read again after this time, 1s to 1d.",
            "\"1h\"",
        ),
        key(
            "most",
            Kind::Count,
            "1000",
            "Rows at most, 1 to 100000: if the application has more, requests that need the table are refused.",
            "5000",
        ),
    ],
    base: Some(&CALL),
    others: None,
};

/// The tables of a file, known to the lines that are read after them.
pub(super) fn look_ups(root: &Reader<'_>) -> Vec<Arc<LookUp>> {
    let entries = root.named("values").iter();
    let mut tables = Vec::new();
    for entry in entries.filter(|entry| !entry.node.is_false()) {
        let index = tables.len();
        tables.extend(look_up(root, entry, index).map(Arc::new));
    }
    root.context.look_ups.replace(tables.clone());
    tables
}

fn look_up(root: &Reader<'_>, entry: &Entry, index: usize) -> Option<LookUp> {
    let context = root.context;
    let reader = Reader::new(context, &entry.node, &LOOK_UP)?;
    let mut call = call::from_table(&reader, None);
    // It is said of the table and not of its call.
    let remember = call.as_mut().and_then(|call| call.remember.take());
    let items = match reader.node("items") {
        Some(node) => syntax::path(context, node),
        None => call::root_path(),
    };
    let page = page::page(&reader, None);
    let side = |key: &str| {
        if !reader.has(key) {
            reader.missing(key);
        }
        syntax::read_at(&reader, key)
    };
    let (scim, value) = (side("scim"), side("value"));
    let most = reader.count("most", 1, 100_000).unwrap_or(USUAL_ROWS);
    let list = ListOperation {
        name: format!("values.{}", entry.key),
        call: call?,
        items: items?,
        keyed_by: None,
        page,
        set: Vec::new(),
        rows: Rows::Complete,
    };
    Some(LookUp::new(
        entry.key.clone(),
        index,
        list,
        scim?,
        value?,
        remember.unwrap_or(USUAL_LIFE),
        usize::try_from(most).ok()?,
        entry.place.clone(),
    ))
}

const USUAL_LIFE: Duration = Duration::from_secs(300);
const USUAL_ROWS: u64 = 1000;
