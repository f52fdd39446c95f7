//! What is seen of a running gateway: logs, metrics, health.
//!
//! In: finished exchanges, and questions from operators. Out: log lines, metrics, answers on the admin listener.
//! Knows nothing of how requests are answered, and never sees a value of an attribute.

pub mod admin;
pub mod exchange_log;
mod json_line;
mod labels;
pub mod log;
pub mod metrics;
mod server_metrics;

pub use admin::{Admin, AdminCredential, AdminState, Observed, Readiness, TenantStatus};
pub use exchange_log::{Finished, log_exchange};
pub use log::{LogFormat, LogSettings};
pub use metrics::Metrics;
