//! Mappings: one application's API tied to SCIM, as data.
//!
//! In: TOML files. Out: a compiled [`model::Mapping`], and pure functions that turn resources into calls and replies
//! into resources. Knows nothing of sockets, stores, clients' habits, or the clock.

pub mod address;
pub mod body;
pub mod call;
pub mod check;
pub mod expression;
#[cfg(test)]
pub(crate) mod fixture;
pub mod frame;
pub mod load;
pub(crate) mod location;
pub mod look_up;
pub mod model;
pub mod names;
pub mod page;
pub mod path;
pub mod plan;
pub mod read;
pub mod reply;
pub mod served;
pub mod sought;
pub mod splice;
pub mod template;
pub mod value;
pub mod write;
