//! (placeholder)

pub mod breaker;
pub mod budget;
mod auth;
