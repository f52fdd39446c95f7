//! A running gateway, put together: store, tenants, listeners. What `serve` and `demo` have in common.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    diagnostic::{Diagnostic, Severity},
    dialect::Idp,
    gateway::{Gateway, GatewaySettings, Sink},
    mapping::{load::Environment, model::Mode},
    observe::{
        Admin, AdminCredential, AdminState, Finished, Metrics, Observed, Readiness, TenantStatus,
        admin, log_exchange,
    },
    server::{self, BoundServer},
    store::{self, Store, StoreError},
    target::Connections,
    tenant::{Probed, Registry, RegistryError, RegistrySettings, Tenant},
};

use super::{
    Failure,
    settings::{Settings, secret},
};

/// The parts of a gateway that is about to serve.
pub struct Process {
    /// The tenants.
    pub registry: Arc<Registry>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// What answers requests.
    pub gateway: Arc<Gateway>,
    metrics: Arc<Metrics>,
    settings: Settings,
}

impl Process {
    /// Opens the store and loads the tenants.
    ///
    /// # Errors
    ///
    /// If the store cannot be used or the mappings' directory cannot be read. A broken tenant is no error here.
    pub async fn open(
        settings: &Settings,
        environment: Arc<dyn Environment + Send + Sync>,
        sinks: Vec<Arc<dyn Sink>>,
    ) -> Result<Self, Failure> {
        Self::open_as(settings, environment, sinks, None).await
    }

    /// As [`open`](Self::open), with the provider that is played where a tenant leaves open who its client is.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_as(
        settings: &Settings,
        environment: Arc<dyn Environment + Send + Sync>,
        sinks: Vec<Arc<dyn Sink>>,
        played: Option<Idp>,
    ) -> Result<Self, Failure> {
        let store = store::open(&settings.store()).await?;
        let connections = Arc::new(Connections::new());
        let mappings = RegistrySettings {
            mappings: settings.mappings.clone(),
        };
        let registry = Registry::open_as(
            mappings,
            environment,
            Arc::clone(&store),
            connections,
            played,
        )
        .await?;
        let registry = Arc::new(registry);
        let metrics = Arc::new(Metrics::new());
        let mut all_sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(Observe {
            metrics: Arc::clone(&metrics),
        })];
        all_sinks.extend(sinks);
        let gateway = Gateway::new(GatewaySettings {
            registry: Arc::clone(&registry),
            store: Arc::clone(&store),
            limits: settings.gateway_limits(),
            base_path: settings.base_path.trim_end_matches('/').to_owned(),
            max_body_bytes: settings.limits.body,
            sinks: all_sinks,
        });
        Ok(Self {
            registry,
            store,
            gateway: Arc::new(gateway),
            metrics,
            settings: settings.clone(),
        })
    }

    /// Counts what is held for each tenant since before the start, for `/status`.
    async fn count_held(&self) {
        for status in self.registry.status() {
            let Some(tenant) = self.registry.tenant(&status.name) else {
                continue;
            };
            if let Ok(count) = self.store.held_count(&tenant.id, Timestamp::MIN).await {
                tenant.held.store(count, Ordering::Relaxed);
            }
        }
    }

    /// Takes the addresses.
    ///
    /// # Errors
    ///
    /// If an address is taken, the certificate cannot be used, or another process serves from the same store.
    pub async fn bind(self) -> Result<Serving, Failure> {
        let alone = store::serve_alone(&self.settings.store())?;
        let mut listener = self.settings.server().map_err(Failure::configuration)?;
        let wanted = listener.limits.max_connections;
        listener.limits.max_connections = server::open_files::room_for(wanted);
        if listener.limits.max_connections < wanted {
            tracing::warn!(
                connections = listener.limits.max_connections,
                wanted,
                "the process may not open more files: raise it (`LimitNOFILE=` of systemd, `ulimit -n`), or lower `connections`"
            );
        }
        let edge = server::bind(listener).await?;
        self.metrics.watch_server(&edge);
        let observed = Arc::new(Watch {
            registry: Arc::clone(&self.registry),
            store: Arc::clone(&self.store),
        });
        let credential = self
            .settings
            .admin
            .as_ref()
            .and_then(|admin| admin.token.as_deref());
        let credential =
            credential.map(|token| AdminCredential::from_token(secret(token).expose()));
        let state = Arc::new(AdminState::new(
            Arc::clone(&self.metrics),
            observed,
            credential,
        ));
        let admin = match &self.settings.admin {
            Some(settings) => Some(server::bind(admin::settings(settings.address)).await?),
            None => None,
        };
        Ok(Serving {
            process: self,
            _alone: alone,
            edge,
            admin,
            state,
        })
    }
}

/// A gateway whose addresses are taken.
pub struct Serving {
    /// The parts.
    pub process: Process,
    /// The place of the one process that serves from a store that only one may serve from.
    _alone: Option<std::fs::File>,
    edge: BoundServer,
    admin: Option<BoundServer>,
    state: Arc<AdminState>,
}

impl Serving {
    /// Where clients connect.
    pub fn address(&self) -> Option<SocketAddr> {
        self.edge.local_addrs().first().copied()
    }

    /// Where operators connect.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addrs().first().copied()
    }

    /// Serves until `stop` is ready, then finishes what is under way.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let (edge_stop, admin_stop) = (
            Arc::new(tokio::sync::Notify::new()),
            Arc::new(tokio::sync::Notify::new()),
        );
        let registry = &self.process.registry;
        self.process.count_held().await;
        registry.ask_probes(registry.status().into_iter().map(|status| status.name));
        let reloading = tokio::spawn(reload_for_ever(Arc::clone(&self.process.registry)));
        let admin = self.admin.map(|admin| {
            let stop = Arc::clone(&admin_stop);
            tokio::spawn(
                admin.run(Arc::new(Admin(Arc::clone(&self.state))), async move {
                    stop.notified().await
                }),
            )
        });
        let waiting = tokio::spawn({
            let (state, edge_stop) = (Arc::clone(&self.state), Arc::clone(&edge_stop));
            async move {
                stop.await;
                state.start_draining();
                edge_stop.notify_one();
            }
        });
        let gateway = Arc::clone(&self.process.gateway);
        self.edge
            .run(gateway, async move { edge_stop.notified().await })
            .await;
        waiting.abort();
        reloading.abort();
        admin_stop.notify_one();
        if let Some(admin) = admin {
            let _ = admin.await;
        }
    }
}

/// Looks for changed files and keys again and again; SIGHUP makes it look at once.
async fn reload_for_ever(registry: Arc<Registry>) {
    let mut hangup = hangup();
    loop {
        tokio::select! {
            () = tokio::time::sleep(RELOAD_EVERY) => {}
            () = hangup() => {}
        }
        match registry.reload().await {
            Ok(changed) if changed.is_empty() => {}
            Ok(changed) => {
                registry.ask_probes(changed.iter().cloned());
                for status in registry
                    .status()
                    .iter()
                    .filter(|status| changed.contains(&status.name))
                {
                    let (tenant, errors) = (&status.name, status.errors);
                    match (errors, status.is_serving) {
                        (0, _) => tracing::info!(%tenant, "the tenant's files were loaded"),
                        (_, true) => {
                            tracing::error!(%tenant, errors, "the tenant's files are broken; what was loaded before goes on")
                        }
                        (_, false) => {
                            tracing::error!(%tenant, errors, "the tenant's files are broken, and nothing was loaded before: it is down")
                        }
                    }
                    log_errors(tenant, &registry.diagnostics_of(tenant));
                }
            }
            // It was said when it went.
            Err(RegistryError::Store(StoreError::Away { .. })) => {}
            Err(error) => {
                tracing::error!(error = %error, "mappings and keys could not be read again")
            }
        }
    }
}

/// The first errors of a tenant's files, each a line with its code and its place.
fn log_errors(tenant: &str, diagnostics: &[Diagnostic]) {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error);
    for error in errors.take(MOST_LOGGED_ERRORS) {
        let place = error.place.as_ref().map(|place| {
            let (line, _) = place.file.line_and_column(place.span.start);
            format!("{}:{line}", place.file.path.display())
        });
        tracing::error!(tenant, code = error.code, place, error = %error.sentence, "error in a file; `scimgate check` shows all");
    }
}

#[cfg(unix)]
fn hangup() -> impl FnMut() -> Pin<Box<dyn Future<Output = ()> + Send>> {
    use tokio::signal::unix::{SignalKind, signal};
    let received = Arc::new(tokio::sync::Notify::new());
    if let Ok(mut hangups) = signal(SignalKind::hangup()) {
        let received = Arc::clone(&received);
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                received.notify_one();
            }
        });
    }
    move || {
        let received = Arc::clone(&received);
        Box::pin(async move { received.notified().await })
    }
}

/// Ready at SIGTERM or Ctrl-C; a second one ends the process at once.
pub async fn stop_signal() {
    wait_for_signal().await;
    tracing::info!("stopping: requests under way are finished");
    tokio::spawn(async {
        wait_for_signal().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Log line and metrics of each exchange.
struct Observe {
    metrics: Arc<Metrics>,
}

impl Sink for Observe {
    fn finished(&self, finished: &Finished) {
        self.metrics.record(finished);
        log_exchange(finished);
    }
}

/// What the admin listener asks.
struct Watch {
    registry: Arc<Registry>,
    store: Arc<dyn Store>,
}

impl Observed for Watch {
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Readiness> + Send + '_>> {
        Box::pin(async {
            let mut readiness = Readiness::default();
            if self.store.health().await.is_err() {
                readiness.reasons.push("The store does not answer.".into());
            }
            let tenants = self.registry.status();
            if !tenants.iter().any(|tenant| tenant.is_serving) {
                readiness.reasons.push("No tenant is loaded.".into());
            }
            let broken = tenants.iter().filter(|tenant| tenant.errors > 0);
            readiness.warnings.extend(
                broken.map(|tenant| format!("The files of `{}` have errors.", tenant.name)),
            );
            // An application that is down is not this process being unfit: every replica would leave the rotation.
            let left_alone = self.registry.serving().into_iter();
            let left_alone = left_alone.filter(|tenant| tenant.driver.is_circuit_open());
            readiness.warnings.extend(left_alone.map(|tenant| {
                format!(
                    "The application of `{}` does not answer; calls to it are stopped.",
                    tenant.id.as_str()
                )
            }));
            readiness
        })
    }

    fn tenants(&self) -> Vec<TenantStatus> {
        self.registry
            .status()
            .into_iter()
            .map(|status| self.shown(status))
            .collect()
    }
}

impl Watch {
    fn shown(&self, status: crate::tenant::TenantStatus) -> TenantStatus {
        let tenant = self.registry.tenant(&status.name);
        let mode = tenant.as_ref().map(|tenant| tenant.mapping.mode);
        let state = match (mode, status.is_serving) {
            (_, false) => "broken",
            (Some(Mode::Paused), _) => "paused",
            (Some(Mode::Shadow), _) => "shadow",
            _ => "ready",
        };
        TenantStatus {
            tenant: status.name.to_string(),
            state,
            target: tenant.as_ref().map(|tenant| tenant.driver.status()),
            app: tenant.as_ref().map(|tenant| tenant.mapping.app.clone()),
            errors: status.errors,
            warnings: status.warnings,
            probe: tenant
                .as_ref()
                .and_then(|tenant| tenant.probed())
                .map(Probed::word),
            are_deactivations_paused: tenant
                .as_ref()
                .is_some_and(|tenant| tenant.pace.is_paused(Timestamp::now())),
            held_references: tenant
                .as_ref()
                .map_or(0, |tenant| tenant.held.load(Ordering::Relaxed)),
            detail: detail(&status, tenant.as_deref()),
        }
    }
}

/// What an operator should do first, in one sentence.
fn detail(status: &crate::tenant::TenantStatus, tenant: Option<&Tenant>) -> Option<String> {
    let tenant = tenant?;
    let sentence = match () {
        () if status.errors > 0 => {
            "The files on disk have errors; the state before them is served."
        }
        () if tenant.probed() == Some(Probed::Refused) => {
            "The application does not accept the gateway's credential."
        }
        () if tenant.probed() == Some(Probed::Untrusted) => {
            "The certificate that the application shows is not trusted: see `ca` in `[target]`."
        }
        () if tenant.pace.is_paused(Timestamp::now()) => {
            "Deactivations and deletions are paused: there were more than `most-changes` allows."
        }
        () => return None,
    };
    Some(sentence.to_owned())
}

/// Errors of one tenant's files that are logged at a reload; `check` shows the rest.
const MOST_LOGGED_ERRORS: usize = 5;

/// How often files and keys are looked at: a revoked key is refused within five seconds (promise S8).
const RELOAD_EVERY: Duration = Duration::from_secs(2);
