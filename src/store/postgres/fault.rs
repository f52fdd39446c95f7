//! PostgreSQL's errors, and what they mean for the store.
//!
//! Of a statement's error only the SQLSTATE is kept: its details quote rows.

use std::fmt;

use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// What went wrong inside a transaction, before it is named.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server refused a statement.
    Refused(SqlState, Option<String>),
    /// The connection broke, or the server took too long: whether it was done is not known.
    Lost(&'static str),
    /// A rule of the store said so.
    Rule(StoreError),
}

impl Fault {
    /// A row that this version cannot have written.
    pub(super) fn damaged_row(table: &str) -> Self {
        Self::Rule(StoreError::damaged(format!(
            "a row of `{table}` is not as it was written."
        )))
    }

    /// Another transaction was in the way; the same one again can succeed.
    pub(super) fn is_passing(&self) -> bool {
        let passing = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        matches!(self, Self::Refused(state, _) if passing.contains(state))
    }

    /// Whether the connection is of no use any more.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            // Shut down, failed over to a standby, or recovering.
            Self::Refused(state, _) => {
                matches!(state.code().get(..2), Some("08" | "57"))
                    || *state == SqlState::READ_ONLY_SQL_TRANSACTION
            }
            Self::Rule(_) => false,
        }
    }

    /// The store's error, saying what could not be done.
    pub(super) fn named(self, what: &'static str) -> StoreError {
        match self {
            Self::Rule(error) => error,
            Self::Lost(why) => StoreError::unavailable(what, Why(why.to_owned())),
            Self::Refused(state, constraint) => refused(&state, constraint.as_deref(), what),
        }
    }
}

fn refused(state: &SqlState, constraint: Option<&str>, what: &'static str) -> StoreError {
    match *state {
        SqlState::UNIQUE_VIOLATION => StoreError::Conflict {
            what: match constraint {
                Some("record_by_target") => "target id",
                Some("client_key_id") => "key id",
                Some("client_key_sha256") => "key hash",
                _ => "key",
            },
        },
        SqlState::DISK_FULL => StoreError::Full { what },
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            StoreError::damaged("PostgreSQL finds its own files corrupted.")
        }
        _ => StoreError::unavailable(
            what,
            Why(format!("PostgreSQL refused with SQLSTATE {}", state.code())),
        ),
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(told) => Self::Refused(told.code().clone(), told.constraint().map(str::to_owned)),
            None => Self::Lost("the connection to PostgreSQL broke"),
        }
    }
}

/// Why there is no connection, in the server's or the system's words: nobody's rows are in them.
pub(super) fn why_no_connection(error: &tokio_postgres::Error) -> Why {
    use std::error::Error as _;
    Why(match (error.as_db_error(), error.source()) {
        (Some(told), _) => format!("{} (SQLSTATE {})", told.message(), told.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    })
}

/// A cause in words.
#[derive(Debug, Clone)]
pub(super) struct Why(pub(super) String);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Why {}
