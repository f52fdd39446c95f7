//! Who is calling, and under which rules.
//!
//! In: the credential of a request; the operator's files. Out: the [`Tenant`] it belongs to, compiled and ready.
//! Knows nothing of SCIM's operations. The credential alone decides the tenant: never Host, path, header or body.

mod answered;
mod authenticate;
mod habits;
pub mod key;
mod look_ups;
mod pace;
mod probe;
mod registry;
pub mod secret;
mod secret_files;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicU64},
};

pub use answered::Answered;
pub use authenticate::{Authenticated, Presented, Refusal};
pub use habits::Habits;
pub use look_ups::LookUps;
pub use pace::Pace;
pub use probe::{ProbeReply, Probed};
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
    /// When the application's tables of values were read.
    pub look_ups: LookUps,
    /// How many references wait for what they name, as far as it was counted.
    pub held: Arc<AtomicU64>,
    /// What the probe of its application has shown.
    probed: Mutex<Option<Probed>>,
    /// What it said to a probe that it did not accept.
    probe_reply: Mutex<Option<ProbeReply>>,
    /// The files it was made of.
    pub files: Vec<PathBuf>,
}
