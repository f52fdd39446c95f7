//! When the tables of the application (`[values.NAME]`) were read.

use tokio::{sync::Mutex, time::Instant};

/// One for each table of the mapping. Who holds one reads the table; the others wait, and find it read.
#[derive(Debug, Default)]
pub struct LookUps {
    tables: Vec<Mutex<Option<Instant>>>,
}

impl LookUps {
    /// So many tables, none of them read.
    pub fn new(count: usize) -> Self {
        let tables = std::iter::repeat_with(Mutex::default).take(count);
        Self {
            tables: tables.collect(),
        }
    }

    /// When the table at a position was read; absent if it was not, or has no position here.
    pub fn table(&self, index: usize) -> Option<&Mutex<Option<Instant>>> {
        self.tables.get(index)
    }
}
