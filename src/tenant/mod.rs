//! (placeholder)

pub mod key;
pub mod secret;
