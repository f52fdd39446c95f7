//! The edge toward the application: calls are sent, lists are read, operations are carried out.
//!
//! In: operations, calls and lists of a tenant's mapping, with the names they speak of. Out: objects, ids, meanings, or a
//! precise error that says whether anything may have happened. Knows nothing of SCIM's rules, of clients or of stores.
//!
//! ```text
//!  driver    an operation: steps, what they take, polling           version   its If-Match
//!  scan      a list from beginning to end        window   a part of it by index
//!  conduct   one call: login, renewal, the few repetitions that are allowed
//!  line      one attempt: breaker, budget, deadline, the bytes, the verdict
//!  memory    what look-ups were answered a short while ago
//! ```
//!
//! No byte of a write is sent twice unless the mapping says that it may be, the target said that it did not look at it, or
//! the connection was never there (promise R2). Redirects are never followed, credentials stay with the base URL's origin.

mod auth;
mod breaker;
mod budget;
mod conduct;
mod connections;
mod connector;
mod driver;
mod each;
mod error;
mod journey;
mod line;
mod memory;
mod pages;
mod progress;
mod record;
mod request;
mod rows;
mod scan;
mod status;
mod version;
mod window;

pub use auth::LoginFailure;
pub use connections::Connections;
pub use driver::Driver;
pub use error::TargetError;
pub use journey::{Done, Journey};
pub(crate) use request::ACCEPT_JSON;
pub use scan::{Scan, ScanPage, ScanSource};
pub use status::TargetStatus;
pub use version::Version;
pub use window::{Span, Window};
