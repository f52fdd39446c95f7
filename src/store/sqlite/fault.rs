//! SQLite's errors, and what they mean for the store.

use jiff::Timestamp;
use rusqlite::{ErrorCode, Row, RowIndex, ffi};

use crate::store::StoreError;

/// What went wrong inside an operation, before it is named.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said so.
    Sqlite(rusqlite::Error),
    /// A rule of the store said so, or a row that is not as it was written.
    Refused(StoreError),
}

impl Fault {
    /// A row that is not as it was written.
    pub(super) fn damaged_row(table: &str) -> Self {
        Self::Refused(StoreError::damaged(format!(
            "a row of `{table}` is not as it was written."
        )))
    }

    pub(super) fn conflict(what: &'static str) -> Self {
        Self::Refused(StoreError::Conflict { what })
    }

    /// The store's error, saying what could not be done.
    pub(super) fn named(self, what: &'static str) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(error) => Self::name_sqlite(error, what),
        }
    }

    fn name_sqlite(error: rusqlite::Error, what: &'static str) -> StoreError {
        let code = error.sqlite_error().map(|inner| inner.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { what },
            Some(ErrorCode::DatabaseCorrupt) => {
                StoreError::damaged("SQLite finds the file malformed.")
            }
            Some(ErrorCode::NotADatabase) => StoreError::damaged(
                "the file is not an SQLite database, or its first page is overwritten.",
            ),
            Some(ErrorCode::ConstraintViolation)
                if code == Some(ffi::SQLITE_CONSTRAINT_UNIQUE)
                    || code == Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) =>
            {
                StoreError::Conflict { what: "key" }
            }
            _ if is_unreadable_value(&error) => {
                StoreError::damaged("a column holds a value of another kind.")
            }
            _ => StoreError::unavailable(what, error),
        }
    }
}

fn is_unreadable_value(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Reads a column of microseconds.
pub(super) fn time(row: &Row<'_>, index: impl RowIndex, table: &str) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(row.get(index)?).map_err(|_| Fault::damaged_row(table))
}

/// Reads a column of microseconds that may be NULL.
pub(super) fn optional_time(
    row: &Row<'_>,
    index: impl RowIndex,
    table: &str,
) -> Result<Option<Timestamp>, Fault> {
    let number: Option<i64> = row.get(index)?;
    let time = number.map(Timestamp::from_microsecond).transpose();
    time.map_err(|_| Fault::damaged_row(table))
}
