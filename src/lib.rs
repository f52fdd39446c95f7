//! scimgate gives an application SCIM 2.0 without a change to the application.
//!
//! The modules stand in the order in which a request meets them:
//!
//! ```text
//!  client ──TLS──▶ server ─▶ tenant ─▶ dialect ─▶ gateway ─▶ target ──HTTP──▶ the application
//!                  accept    who,      habits →   decide,     auth, budget,
//!                  limits    rules     strict     do, answer  paging, retry
//!                                                  │ │ │
//!                                         scim ────┘ │ └──── store
//!                                         schema     │       links, shadow attributes,
//!                                         filter   mapping   intents, keys
//!                                         patch    calls ⇄ resources
//!                                                              observe reads the finished exchange
//! ```
//!
//! `scim`, `dialect`, `mapping`, `exchange` and `diagnostic` are pure: no clock, no randomness, no I/O, no panic.

pub mod cli;
pub mod diagnostic;
pub mod dialect;
pub mod exchange;
pub mod gateway;
pub mod mapping;
pub mod observe;
pub mod scim;
pub mod server;
pub mod store;
pub mod target;
pub mod tenant;

#[cfg(all(test, feature = "postgres"))]
#[path = "../tests/support/postgres.rs"]
mod test_postgres;
