//! The edge toward the application: calls are sent, and the answers judged.

mod auth;
mod breaker;
mod budget;
mod connections;
mod connector;
mod error;
mod journey;
mod line;
mod record;

pub use connections::Connections;
pub use error::TargetError;
pub use journey::{Done, Journey};
