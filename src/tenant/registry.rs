//! All tenants of this process, and their reloading.
//!
//! A file that does not compile takes only its own tenant down, and only at the start: later, what was running goes on
//! and the complaint is logged and shown (promise R13).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::{
    diagnostic::{Diagnostic, Severity, SourceFile},
    dialect::{Dialect, Idp},
    mapping::{
        load::{self, Environment, MissingValues, Sources},
        model::Mapping,
    },
    store::{Store, StoreError, TenantId},
    target::{Connections, Driver},
};

use super::{
    LookUps, Tenant,
    authenticate::{Authenticated, Key, Keys, Presented, Refusal},
    secret_files::{self, Seen, Watched},
};

/// Where the registry finds things.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// The directory with `<tenant>.toml` and `apps/<app>.toml`.
    pub mappings: PathBuf,
}

/// The tenants, replaced as a whole at a reload.
pub struct Registry {
    settings: RegistrySettings,
    environment: Arc<dyn Environment + Send + Sync>,
    store: Arc<dyn Store>,
    connections: Arc<Connections>,
    /// Who the client is where a tenant's file leaves that open.
    played: Option<Idp>,
    current: ArcSwap<Snapshot>,
}

/// One state of all tenants: a request sees one from start to end (promise R14).
#[derive(Default)]
struct Snapshot {
    entries: BTreeMap<Arc<str>, Entry>,
    keys: Keys,
}

/// One tenant's files and what became of them.
#[derive(Clone)]
struct Entry {
    texts: Vec<Arc<SourceFile>>,
    /// The secret files that were read for it.
    secrets: Seen,
    tenant: Option<Arc<Tenant>>,
    diagnostics: Vec<Diagnostic>,
}

/// How a tenant stands, for `/status` and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantStatus {
    /// Its name.
    pub name: Arc<str>,
    /// Whether requests are served.
    pub is_serving: bool,
    /// Errors in its files as they are now; it may still serve an older state.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Registry {
    /// Loads all tenants. Broken ones are there, and down.
    ///
    /// # Errors
    ///
    /// If the directory or the store cannot be read.
    pub async fn open(
        settings: RegistrySettings,
        environment: Arc<dyn Environment + Send + Sync>,
        store: Arc<dyn Store>,
        connections: Arc<Connections>,
    ) -> Result<Self, RegistryError> {
        Self::open_as(settings, environment, store, connections, None).await
    }

    /// As [`open`](Self::open), for a client that is known: where a tenant's file leaves open who that is, it is `played`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_as(
        settings: RegistrySettings,
        environment: Arc<dyn Environment + Send + Sync>,
        store: Arc<dyn Store>,
        connections: Arc<Connections>,
        played: Option<Idp>,
    ) -> Result<Self, RegistryError> {
        let registry = Self {
            played,
            settings,
            environment,
            store,
            connections,
            current: ArcSwap::default(),
        };
        registry.reload().await?;
        Ok(registry)
    }

    /// The tenant that a credential opens.
    pub fn authenticate(&self, presented: &Presented<'_>, now: Timestamp) -> Authenticated {
        let snapshot = self.current.load();
        let name = snapshot.keys.tenant_of(presented, now)?;
        let entry = snapshot
            .entries
            .get(name)
            .ok_or(Refusal::NotAuthenticated)?;
        let tenant = entry.tenant.clone().ok_or(Refusal::TenantDown)?;
        match presented.is_bare() && !tenant.dialect.bare_token() {
            true => Err(Refusal::NotAuthenticated),
            false => Ok(tenant),
        }
    }

    /// A tenant by name: for commands, never for requests.
    pub fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.current.load().entries.get(name)?.tenant.clone()
    }

    /// The tenants that are served, in the order of their names.
    pub fn serving(&self) -> Vec<Arc<Tenant>> {
        let snapshot = self.current.load();
        let entries = snapshot.entries.values();
        entries.filter_map(|entry| entry.tenant.clone()).collect()
    }

    /// What is wrong with each tenant's files.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.current
            .load()
            .entries
            .values()
            .flat_map(|entry| entry.diagnostics.clone())
            .collect()
    }

    /// What is wrong with one tenant's files.
    pub fn diagnostics_of(&self, name: &str) -> Vec<Diagnostic> {
        let snapshot = self.current.load();
        let entry = snapshot.entries.get(name);
        entry.map_or_else(Vec::new, |entry| entry.diagnostics.clone())
    }

    /// How each tenant stands.
    pub fn status(&self) -> Vec<TenantStatus> {
        let count = |entry: &Entry, severity| {
            entry
                .diagnostics
                .iter()
                .filter(|d| d.severity == severity)
                .count()
        };
        let snapshot = self.current.load();
        let status = |(name, entry): (&Arc<str>, &Entry)| TenantStatus {
            name: Arc::clone(name),
            is_serving: entry.tenant.is_some(),
            errors: count(entry, Severity::Error),
            warnings: count(entry, Severity::Warning),
        };
        snapshot.entries.iter().map(status).collect()
    }

    /// Reads all files, secrets and keys again; gives the names of tenants whose files or secrets changed.
    ///
    /// # Errors
    ///
    /// If the directory or the store cannot be read; everything stays as it was then.
    pub async fn reload(&self) -> Result<Vec<Arc<str>>, RegistryError> {
        let stored = self.store.all_keys().await.map_err(RegistryError::Store)?;
        let before = self.current.load_full();
        let mut entries = BTreeMap::new();
        let mut changed = Vec::new();
        for (name, texts) in self.read_files()? {
            let old = before.entries.get(&name);
            let is_same = |old: &&Entry| {
                old.texts == texts && secret_files::are_same(&old.secrets, &*self.environment)
            };
            match old.filter(is_same) {
                Some(same) => entries.insert(name, same.clone()),
                None => {
                    changed.push(Arc::clone(&name));
                    let entry = self.compile(&name, texts, old);
                    entries.insert(name, entry)
                }
            };
        }
        changed.extend(
            before
                .entries
                .keys()
                .filter(|name| !entries.contains_key(*name))
                .cloned(),
        );
        let keys = keys(&entries, &stored);
        self.current.store(Arc::new(Snapshot { entries, keys }));
        Ok(changed)
    }

    /// The texts of each tenant: its own file, then its application's.
    fn read_files(&self) -> Result<Vec<Texts>, RegistryError> {
        let directory = &self.settings.mappings;
        let unreadable = |source| RegistryError::Directory {
            path: directory.clone(),
            source,
        };
        let mut paths = BTreeSet::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
                && path.is_file()
            {
                paths.insert(path);
            }
        }
        let files = paths.into_iter().filter_map(|path| {
            let name: Arc<str> = path.file_stem()?.to_str()?.into();
            let tenant = read(&path);
            let app = load::app_name(&tenant)
                .map(|app| directory.join("apps").join(format!("{app}.toml")))
                // What is not there is told as that, not as a file that lacks everything.
                .filter(|path| path.exists())
                .map(|path| read(&path));
            Some((name, [Some(tenant), app].into_iter().flatten().collect()))
        });
        Ok(files.collect())
    }

    fn compile(&self, name: &Arc<str>, texts: Vec<Arc<SourceFile>>, old: Option<&Entry>) -> Entry {
        let environment = Watched::new(&*self.environment);
        let (tenant, diagnostics) = match self.tenant_of(name, &texts, &environment, old) {
            Ok((tenant, warnings)) => (Some(tenant), warnings),
            Err(diagnostics) => (old.and_then(|old| old.tenant.clone()), diagnostics),
        };
        Entry {
            texts,
            secrets: environment.seen(),
            tenant,
            diagnostics,
        }
    }

    fn dialect_of(&self, mapping: &Mapping) -> Dialect {
        let dialect = Dialect::new(&mapping.client.dialect);
        match self.played {
            Some(idp) if dialect.idp().is_none() && !dialect.is_strict() => {
                dialect.recognised_as(idp)
            }
            _ => dialect,
        }
    }

    fn tenant_of(
        &self,
        name: &Arc<str>,
        texts: &[Arc<SourceFile>],
        environment: &dyn Environment,
        old: Option<&Entry>,
    ) -> Result<(Arc<Tenant>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let Some(own) = texts.first() else {
            return Err(Vec::new());
        };
        let sources = Sources {
            tenant: Arc::clone(own),
            app: texts.get(1).cloned(),
        };
        let (mapping, warnings) = load::tenant(&sources, environment, MissingValues::AreErrors)?;
        let mapping = Arc::new(mapping);
        let driver =
            Driver::new(Arc::clone(&mapping), Arc::clone(&self.connections)).map_err(|error| {
                vec![Diagnostic::error(
                    "tenant::unusable-target",
                    format!("The target of `{name}` cannot be used: {error}."),
                )]
            })?;
        let before = old.and_then(|old| old.tenant.as_ref());
        let locks = before.map_or_else(Arc::default, |tenant| Arc::clone(&tenant.locks));
        let habits = before.map_or_else(Arc::default, |tenant| Arc::clone(&tenant.habits));
        let answered = before.map_or_else(Arc::default, |tenant| Arc::clone(&tenant.answered));
        let pace = before.map_or_else(Arc::default, |tenant| Arc::clone(&tenant.pace));
        pace.reconsider();
        let tenant = Tenant {
            answered,
            pace,
            id: TenantId::new(&**name),
            dialect: self.dialect_of(&mapping),
            driver,
            locks,
            habits,
            held: before.map_or_else(Arc::default, |tenant| Arc::clone(&tenant.held)),
            probed: Mutex::default(),
            probe_reply: Mutex::default(),
            look_ups: LookUps::new(mapping.look_ups.len()),
            files: texts.iter().map(|text| text.path.clone()).collect(),
            mapping,
        };
        Ok((Arc::new(tenant), warnings))
    }
}

/// A tenant's name, and its own file and its application's.
type Texts = (Arc<str>, Vec<Arc<SourceFile>>);

/// Every live credential of files and store.
fn keys(entries: &BTreeMap<Arc<str>, Entry>, stored: &[crate::store::KeyRecord]) -> Keys {
    let mut keys = Keys::default();
    let mut add = |hash, key: &str, tenant: &Arc<str>, expires| {
        let credential = Key {
            tenant: Arc::clone(tenant),
            expires,
        };
        if let Err(other) = keys.add(hash, credential) {
            tracing::error!(
                %tenant,
                key,
                %other,
                "a key is one of the other tenant's already and is ignored: whoever uses it speaks to that one; `scimgate keys` makes a new one"
            );
        }
    };
    for (name, entry) in entries {
        let file_keys = entry
            .tenant
            .iter()
            .flat_map(|tenant| &tenant.mapping.client.keys);
        file_keys.for_each(|key| add(key.sha256, &key.name, name, key.expires));
        if entry.tenant.is_none() {
            hashes_in(entry).for_each(|hash| add(hash, "", name, None));
        }
    }
    for key in stored.iter().filter(|key| key.revoked.is_none()) {
        if let Some((name, _)) = entries.get_key_value(key.tenant.as_str()) {
            add(key.sha256, &key.name, name, key.expires);
        }
    }
    keys
}

/// What looks like the hash of a key in the file of a tenant that is down. It opens nothing: it tells its client 503
/// instead of 401, upon which some clients give up for good (promise R25).
fn hashes_in(entry: &Entry) -> impl Iterator<Item = [u8; 32]> {
    let own = entry.texts.first().map(|file| file.text.as_str());
    own.unwrap_or_default()
        .split(['"', '\''])
        .filter_map(|word| {
            let mut hash = [0; 32];
            if word.len() != 64 || !word.is_ascii() {
                return None;
            }
            for (byte, digits) in hash.iter_mut().zip(word.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            }
            Some(hash)
        })
}

/// A file's text; one that cannot be read is empty, and found wanting.
fn read(path: &Path) -> Arc<SourceFile> {
    let file = std::fs::read(path)
        .ok()
        .and_then(|bytes| SourceFile::from_bytes(path, bytes).ok());
    Arc::new(file.unwrap_or_else(|| SourceFile {
        path: path.to_owned(),
        text: String::new(),
    }))
}

/// What keeps all tenants from being loaded.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The directory of mappings cannot be read.
    #[error("the mappings in `{}` cannot be read; `mappings` of the configuration (`--config`, without it `./scimgate.toml`) names another folder", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The keys cannot be read.
    #[error("the keys cannot be read from the store")]
    Store(#[source] StoreError),
}

/// The process's environment and its secret files.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn secret_file(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(path)
            .ok()
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            // A file that is just being written.
            .filter(|text| !text.is_empty())
    }
}
