//! Where the pages of lists begin: remembered for a while, so that an import by pages costs the target each page once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use crate::mapping::{
    page::{Pager, Position},
    reply::Row,
};

const LIFE: Duration = Duration::from_secs(300);
const MOST_LISTS: usize = 64;
const MOST_POSITIONS: usize = 4096;
/// Of all rows kept, about.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What is known about the lists of one target. Nothing here is needed for a right answer, only for a cheap one.
#[derive(Debug, Default)]
pub(super) struct Pages {
    lists: Mutex<HashMap<String, List>>,
}

#[derive(Debug, Default)]
struct List {
    /// By the index of the page's first object.
    pages: BTreeMap<u64, Known>,
    length: Option<(u64, Instant)>,
    largest_page: u64,
    cap: Option<u64>,
}

/// A page that can be entered directly.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The index of its first object.
    pub index: u64,
    pub position: Position,
    /// The page size it was read with.
    pub size: Option<u64>,
    /// Its rows, if only some of them were asked for when it was read.
    pub rows: Option<Arc<Vec<Row>>>,
    bytes: usize,
    until: Instant,
}

impl Pages {
    /// The last known page that begins at or before an index.
    pub fn nearest(&self, key: &str, index: u64) -> Option<Known> {
        let now = Instant::now();
        let lists = self.lock();
        let before = lists.get(key)?.pages.range(..=index).rev();
        before
            .map(|(_, known)| known)
            .find(|known| known.until > now)
            .cloned()
    }

    /// Notes where a page begins. Rows already kept for it stay.
    pub fn keep(&self, key: &str, index: u64, position: Position, size: Option<u64>) {
        self.put(
            key,
            Known {
                index,
                position,
                size,
                rows: None,
                bytes: 0,
                until: Instant::now() + LIFE,
            },
        );
    }

    /// Keeps a page's rows, unless they are too many.
    pub fn keep_rows(
        &self,
        key: &str,
        index: u64,
        position: Position,
        size: Option<u64>,
        rows: &[Row],
    ) {
        let bytes = rows.iter().map(bytes_of_row).sum();
        if bytes > MOST_BYTES / 2 {
            return self.keep(key, index, position, size);
        }
        self.put(
            key,
            Known {
                index,
                position,
                size,
                rows: Some(Arc::new(rows.iter().map(Row::detached).collect())),
                bytes,
                until: Instant::now() + LIFE,
            },
        );
    }

    fn put(&self, key: &str, known: Known) {
        let mut lists = self.lock();
        let kept: usize = lists
            .values()
            .flat_map(|list| list.pages.values())
            .map(|page| page.bytes)
            .sum();
        if kept + known.bytes > MOST_BYTES {
            lists.values_mut().for_each(List::drop_rows);
        }
        let list = entry(&mut lists, key);
        if list.pages.len() >= MOST_POSITIONS {
            list.pages.clear();
        }
        list.pages.insert(known.index, known);
    }

    /// A list's length, if it was seen a short while ago.
    pub fn length(&self, key: &str) -> Option<u64> {
        let lists = self.lock();
        let (length, until) = lists.get(key)?.length?;
        (until > Instant::now()).then_some(length)
    }

    /// Notes a list's length.
    pub fn keep_length(&self, key: &str, length: u64) {
        entry(&mut self.lock(), key).length = Some((length, Instant::now() + LIFE));
    }

    /// The largest page this list has given, and the application's own limit if it was noticed.
    pub fn learned(&self, key: &str) -> (u64, Option<u64>) {
        let lists = self.lock();
        lists
            .get(key)
            .map_or((0, None), |list| (list.largest_page, list.cap))
    }

    /// Notes what a pager has seen of the application's page sizes.
    pub fn learn(&self, key: &str, pager: &Pager<'_>, cap: Option<u64>) {
        let mut lists = self.lock();
        let list = entry(&mut lists, key);
        list.largest_page = list.largest_page.max(pager.largest_page());
        // A page larger than the limit contradicts it: rows were deleted meanwhile.
        let largest_page = list.largest_page;
        list.cap = cap
            .or(pager.cap())
            .or(list.cap)
            .filter(|cap| *cap >= largest_page);
    }

    /// Forgets rows, which a write may have made untrue; positions stay.
    pub fn forget_rows(&self) {
        self.lock().values_mut().for_each(List::drop_rows);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn drop_rows(&mut self) {
        for page in self.pages.values_mut() {
            page.rows = None;
            page.bytes = 0;
        }
    }
}

fn entry<'l>(lists: &'l mut HashMap<String, List>, key: &str) -> &'l mut List {
    if !lists.contains_key(key) && lists.len() >= MOST_LISTS {
        lists.clear();
    }
    lists.entry(key.to_owned()).or_default()
}

fn bytes_of_row(row: &Row) -> usize {
    match row {
        Row::Text(text) => size_of::<Row>() + text.len(),
        Row::Tree(tree) => bytes_of(tree),
    }
}

/// About what a value takes in memory.
fn bytes_of(value: &Value) -> usize {
    let own = size_of::<Value>();
    own + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes_of).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| 32 + name.len() + bytes_of(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_nearest_page_before_an_index_is_found() {
        let pages = Pages::default();
        for index in [100, 200] {
            pages.keep(
                "user/0",
                index,
                Position::Cursor(index.to_string()),
                Some(100),
            );
        }
        assert!(pages.nearest("user/0", 99).is_none());
        assert_eq!(pages.nearest("user/0", 199).unwrap().index, 100);
        assert_eq!(pages.nearest("user/0", 5000).unwrap().index, 200);
        assert!(pages.nearest("group/0", 150).is_none());
    }

    #[test]
    fn a_write_makes_rows_go_and_positions_stay() {
        let pages = Pages::default();
        pages.keep_rows(
            "user/0",
            0,
            Position::Start,
            None,
            &[Row::Tree(json!({"id": 1}))],
        );
        assert!(pages.nearest("user/0", 5).unwrap().rows.is_some());
        pages.forget_rows();
        assert!(pages.nearest("user/0", 5).unwrap().rows.is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let pages = Pages::default();
        let row = Row::Tree(json!("x".repeat(1024 * 1024)));
        for index in 0..64 {
            pages.keep_rows(
                "user/0",
                index,
                Position::Start,
                None,
                std::slice::from_ref(&row),
            );
        }
        let kept: usize = pages
            .lock()
            .values()
            .flat_map(|list| list.pages.values())
            .map(|page| page.bytes)
            .sum();
        assert!(kept <= MOST_BYTES, "{kept}");
        let huge = vec![row; 9];
        pages.keep_rows("user/1", 0, Position::Start, None, &huge);
        assert!(pages.nearest("user/1", 0).unwrap().rows.is_none());
        for number in 0..1000 {
            pages.keep(&format!("l/{number}"), 0, Position::Start, None);
        }
        assert!(pages.lock().len() <= MOST_LISTS);
        for index in 0..10_000 {
            pages.keep("l", index, Position::Start, None);
        }
        assert!(pages.lock()["l"].pages.len() <= MOST_POSITIONS);
    }
}
