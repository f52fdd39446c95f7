//! What every operation has at hand: the tenant, its time, its way to the target, and where to write notes down.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::{Notify, OnceCell, OwnedMutexGuard};

use crate::{
    dialect::Dialect,
    exchange::{Exchange, Notes},
    mapping::{
        model::{Mapping, TypeMapping},
        names::Names,
    },
    scim::Error,
    store::{Store, StoreLock, TargetId, TenantId},
    target::{Driver, Journey},
    tenant::Tenant,
};

use super::{Limits, memberships::Memberships, shown_groups::Listed};

/// One request's surroundings. Made by the edge; operations take it and read no clock and no randomness of their own.
pub struct Context {
    /// Whose request it is.
    pub tenant: Arc<Tenant>,
    /// The habits of the client that is speaking.
    pub dialect: Dialect,
    /// Links, shadow attributes, intents. In a dry run: reads only.
    pub store: Arc<dyn Store>,
    /// The journey of this request's calls: deadline, dry run, records.
    pub journey: Journey,
    /// `https://host/scim/v2`, no slash at the end: for locations.
    pub base_url: String,
    /// When the request was taken in.
    pub now: Timestamp,
    /// Random characters for templates, fresh for each request that asks for some.
    pub random: LazyLock<String>,
    /// The named limits.
    pub limits: Arc<Limits>,
    /// The application's ids of protected users, once somebody had to know them: see [`identity`](super::identity).
    pub protected_ids: OnceCell<HashSet<TargetId>>,
    /// The groups that the client may see, once somebody had to know them.
    pub shown_groups: OnceCell<Listed>,
    /// Who is in which groups, where somebody had to work it out from the groups.
    pub memberships: Memberships,
    /// SCIM ids of members that the request named and nobody has: left out of what is written, and of what is answered.
    pub left_out: Mutex<HashSet<String>>,
    /// Told when a lock that the request holds is lost: it must stop then.
    pub lock_lost: Arc<Notify>,
}

/// One writer of a name at a time, in this process and over all replicas, until it is dropped.
#[must_use]
pub struct Lock {
    // The replicas' lock goes first: who waits in this process finds it free.
    _of_replicas: StoreLock,
    _here: OwnedMutexGuard<()>,
}

impl Context {
    /// The proof of whom the request belongs to.
    pub fn id(&self) -> &TenantId {
        &self.tenant.id
    }

    /// Waits for the lock of a name, such as `User/7`.
    ///
    /// # Errors
    ///
    /// 503 if another replica has it until the request's time is over, or if the store cannot be reached.
    pub async fn lock(&self, name: String) -> Result<Lock, Error> {
        let here = self.tenant.locks.hold(name.clone()).await;
        let deadline = self.journey.deadline;
        let of_replicas = self.store.lock(self.id(), &name, deadline).await?;
        of_replicas.tell_loss(&self.lock_lost);
        Ok(Lock {
            _of_replicas: of_replicas,
            _here: here,
        })
    }

    /// The tenant's mapping.
    pub fn mapping(&self) -> &Mapping {
        &self.tenant.mapping
    }

    /// The way to the application.
    pub fn driver(&self) -> &Driver {
        &self.tenant.driver
    }

    /// The type with this resource type name, such as `User`.
    pub fn type_named(&self, name: &str) -> Option<&TypeMapping> {
        self.mapping()
            .types
            .iter()
            .find(|t| t.resource_type.name == name)
    }

    /// The names every template may use.
    pub fn names(&self) -> Names<'_> {
        let mut names = Names::new();
        names.settings(&self.mapping().settings);
        names.random_if_asked(&self.random).at(self.now);
        names
    }

    /// Writes into the exchange.
    pub fn record(&self, write: impl FnOnce(&mut Exchange)) {
        let mut exchange = self
            .journey
            .exchange
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        write(&mut exchange);
    }

    /// Lets `work` note what it mends, and keeps the notes whatever comes of it.
    pub fn noting<T>(&self, work: impl FnOnce(&mut Notes) -> Result<T, Error>) -> Result<T, Error> {
        let mut notes = Notes::default();
        let result = work(&mut notes);
        self.record(|exchange| exchange.notes.0.append(&mut notes.0));
        result
    }

    /// Writes down whether a member that the request named is left out because nobody has that id.
    pub fn leave_out(&self, member: &str, is_left_out: bool) {
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        match is_left_out {
            true => drop(left_out.insert(member.to_owned())),
            // An operation of a bulk request may have made it meanwhile.
            false => drop(left_out.remove(member)),
        }
    }

    /// Whether a member that the request named is left out.
    pub fn is_left_out(&self, member: &str) -> bool {
        let left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        left_out.contains(member)
    }

    /// Adds one note.
    pub fn note(&self, quirk: &'static str, message: impl Into<String>) {
        self.record(|exchange| exchange.notes.add(quirk, message));
    }

    /// The locations of a type's resources without the id at their end.
    pub fn locations(&self, t: &TypeMapping) -> String {
        [&self.base_url, t.resource_type.endpoint.as_str(), "/"].concat()
    }

    /// The location of a resource.
    pub fn location(&self, t: &TypeMapping, id: &str) -> String {
        location(&self.locations(t), id)
    }
}

/// The location of a resource below that of its type, which ends with a slash.
pub fn location(of_type: &str, id: &str) -> String {
    let mut location = String::with_capacity(of_type.len() + id.len());
    location.push_str(of_type);
    location.extend(percent_encoding::utf8_percent_encode(id, SEGMENT));
    location
}

/// What stays as it is in a path segment: RFC 3986 unreserved characters, and `@` and `:` for readability.
const SEGMENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b':');
