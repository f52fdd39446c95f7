//! (placeholder)
pub mod aws_sigv4;
pub mod cookies;
