//! Who is calling, and under which rules.
//!
//! In: the credential of a request; the operator's files. Out: the [`Tenant`] it belongs to, compiled and ready.
//! Knows nothing of SCIM's operations. The credential alone decides the tenant: never Host, path, header or body.

mod answered;
mod authenticate;
mod habits;
pub mod key;
mod pace;
mod registry;
pub mod secret;

use std::{path::PathBuf, sync::Arc};

pub use answered::Answered;
pub use authenticate::{Authenticated, Presented, Refusal};
pub use habits::Habits;
pub use pace::Pace;
pub use registry::{Registry, RegistryError, RegistrySettings, SystemEnvironment, TenantStatus};

use crate::{
    dialect::Dialect, gateway::lock::Locks, mapping::model::Mapping, store::TenantId,
    target::Driver,
};

/// One customer, ready to serve.
pub struct Tenant {
    /// Proof of whom requests belong to.
    pub id: TenantId,
    /// The compiled mapping.
    pub mapping: Arc<Mapping>,
    /// The way to the application.
    pub driver: Driver,
    /// The client's habits.
    pub dialect: Dialect,
    /// What its clients' habits have told about them; kept over reloads.
    pub habits: Arc<Habits>,
    /// One lock per resource; kept over reloads.
    pub locks: Arc<Locks>,
    /// Creates whose answer has left, until the store knows; kept over reloads.
    pub answered: Arc<Answered>,
    /// Deactivations and deletions of late; kept over reloads.
    pub pace: Arc<Pace>,
    /// The files it was made of.
    pub files: Vec<PathBuf>,
}
