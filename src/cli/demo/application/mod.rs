//! Staffbook: the application of the demo. It has users and groups and a REST API that is not SCIM.
//!
//! In: HTTP/1.1 requests on a loopback address. Out: JSON of its own kind, described in `docs/demo-application.md`.
//! Knows nothing of SCIM or of the gateway, on purpose: it stands for an application somebody else wrote.
//!
//! It runs as its own process, keeps everything in memory, and ends when its parent does.

mod api;
mod fields;
mod groups;
mod inspect;
mod labels;
mod paging;
mod serve;
mod staff;
mod users;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use serve::run;

/// How the application is started.
#[derive(Debug, Clone)]
pub struct ApplicationSettings {
    /// Where it listens; a loopback address. Port 0 takes any free one.
    pub address: SocketAddr,
    /// How many users it has at the start. They are made up, the same ones every time.
    pub users: u64,
    /// What callers send as `X-Api-Key`.
    pub api_key: String,
    /// When it ends.
    pub lifetime: Lifetime,
}

/// When the application ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// When standard input ends, which it does when the parent is gone, and no request has come for `linger`
    /// since; a gateway that is restarted within that time finds its application again.
    WithParent {
        /// Zero ends it at once.
        linger: Duration,
    },
    /// When it is killed.
    UntilKilled,
}

/// Why the application does not run.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// It has a credential that everybody knows, so it is not offered to other machines.
    #[error("`{0}` is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Standard output is closed: nobody would learn the address.
    #[error("cannot print the address")]
    Print(#[source] io::Error),
}

/// The `X-Api-Key` that examples use.
pub const EXAMPLE_API_KEY: &str = "staffbook-example-key";
