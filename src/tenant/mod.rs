//! (placeholder)
pub mod secret;
