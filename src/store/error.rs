//! What can go wrong with a store.

use std::error::Error;
use std::sync::Arc;

/// A store that could not do what it was asked. Names what failed; never holds an id or a value of anybody.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Something that must be unique is taken, named here: the caller's view is out of date. Nothing was written.
    #[error("The store has another entry with this {what}.")]
    Conflict {
        /// What is taken, such as `target id`.
        what: &'static str,
    },
    /// The store cannot be reached or used now; trying later can help.
    #[error("The store could not {what}.")]
    Unavailable {
        /// What it could not do, such as `write the record`.
        what: &'static str,
        /// Why; for the log.
        #[source]
        cause: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// The store's server is away, which the log has said when it went; trying later can help. Nothing was written.
    #[error("The store could not {what}: its server cannot be reached.")]
    Away {
        /// What it could not do.
        what: &'static str,
    },
    /// Another process has what is asked for, and kept it until the request's time was over. Nothing was written.
    #[error("The store could not {what} in time.")]
    Busy {
        /// What it could not do.
        what: &'static str,
    },
    /// No space is left for a write. Nothing was written; reads go on.
    #[error("The store could not {what}: no space is left.")]
    Full {
        /// What it could not do.
        what: &'static str,
    },
    /// What is stored is not what was written. It is not used; restore the last backup.
    #[error("The store is damaged: {what}")]
    Damaged {
        /// A sentence that says where, without any stored value.
        what: String,
    },
    /// The store's file is unusable as it stands: another program's, or made by a version that this one cannot read.
    #[error("The store cannot be used: {what}")]
    Unusable {
        /// A sentence that says why and what to do.
        what: String,
    },
}

impl StoreError {
    /// `Unavailable` with its cause.
    pub(super) fn unavailable(
        what: &'static str,
        cause: impl Error + Send + Sync + 'static,
    ) -> Self {
        let cause: Arc<dyn Error + Send + Sync> = Arc::new(cause);
        Self::Unavailable {
            what,
            cause: Some(cause),
        }
    }

    /// `Damaged`, with the sentence.
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}
