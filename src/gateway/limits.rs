//! The gateway's own limits: named, bounded, configurable (`[limits]` of `scimgate.toml`).

use std::time::Duration;

use crate::tenant::secret::Secret;

/// The limits of what one request may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Resources on a page when the client does not say. Okta and Entra count in hundreds.
    pub default_page_size: u64,
    /// Resources on a page at most; a larger `count` is cut to it.
    pub max_page_size: u64,
    /// Rows looked at for one query before it is refused with `tooMany`.
    pub max_scanned_rows: u64,
    /// How deep a sorted result can be paged.
    pub max_sorted_rows: u64,
    /// Operations of one bulk request.
    pub max_bulk_operations: usize,
    /// Bytes of a bulk request's body.
    pub max_bulk_bytes: usize,
    /// How long a cursor may be used.
    pub cursor_life: Duration,
    /// What cursors are signed with, together with the tenant's name; the same on all replicas.
    pub cursor_secret: Secret,
    /// Time for one request, all calls together; the target's own deadline may be shorter. Entra waits 60 s.
    pub request_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_page_size: 100,
            max_page_size: 1000,
            max_scanned_rows: 200_000,
            max_sorted_rows: 20_000,
            max_bulk_operations: 1000,
            max_bulk_bytes: 1024 * 1024,
            cursor_life: Duration::from_secs(3600),
            cursor_secret: Secret::new(String::new()),
            request_deadline: Duration::from_secs(30),
        }
    }
}
