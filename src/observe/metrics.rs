//! Prometheus metrics, in the OpenMetrics text format.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use super::{
    admin::TenantStatus,
    exchange_log::{Finished, method_name},
    labels::Capped,
};

const MAX_TENANTS: usize = 1000;
const MAX_OPERATIONS: usize = 200;

/// Seconds. The last one is the hard limit of an answer.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 55.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    tenant: Arc<str>,
    route: &'static str,
    method: &'static str,
    status_class: &'static str,
}

// Without the tenant: a histogram has sixteen series for each of its label sets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    route: &'static str,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    tenant: Arc<str>,
    operation: Arc<str>,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TenantLabels {
    tenant: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuirkLabels {
    tenant: Arc<str>,
    quirk: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// All metrics of the process. Cheap to record into from many threads.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    tenant_names: Capped,
    operation_names: Capped,
    requests: Family<RequestLabels, Counter>,
    request_duration: Family<DurationLabels, Histogram>,
    target_calls: Family<CallLabels, Counter>,
    target_call_duration: Family<TenantLabels, Histogram>,
    quirks: Family<QuirkLabels, Counter>,
    tenants: Family<StateLabels, Gauge>,
    probe_accepted: Family<TenantLabels, Gauge>,
    deactivations_paused: Family<TenantLabels, Gauge>,
    held_references: Family<TenantLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    /// Registers all metrics, each named `scimgate_…`.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("scimgate")),
            tenant_names: Capped::new(MAX_TENANTS),
            operation_names: Capped::new(MAX_OPERATIONS),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(histogram),
            target_calls: Family::default(),
            target_call_duration: Family::new_with_constructor(histogram),
            quirks: Family::default(),
            tenants: Family::default(),
            probe_accepted: Family::default(),
            deactivations_paused: Family::default(),
            held_references: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.lock();
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to its answer",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        registry.register(
            "target_calls",
            "Calls to targets",
            self.target_calls.clone(),
        );
        registry.register_with_unit(
            "target_call_duration",
            "Time from sending a call to the end of its reply",
            Unit::Seconds,
            self.target_call_duration.clone(),
        );
        registry.register(
            "quirks",
            "Habits of clients that were mended",
            self.quirks.clone(),
        );
        registry.register("tenants", "Tenants by their state", self.tenants.clone());
        registry.register(
            "probe_accepted",
            "Whether the application accepts the gateway's credential, where that was asked",
            self.probe_accepted.clone(),
        );
        registry.register(
            "deactivations_paused",
            "Whether deactivations are refused because there were too many",
            self.deactivations_paused.clone(),
        );
        registry.register(
            "held_references",
            "References that wait for a resource which does not exist yet",
            self.held_references.clone(),
        );
    }

    /// Counts a finished exchange.
    pub fn record(&self, finished: &Finished) {
        let tenant = self.tenant_names.label(&finished.tenant);
        let route = finished.route;
        let method = method_name(&finished.method);
        let labels = RequestLabels {
            tenant: Arc::clone(&tenant),
            route,
            method,
            status_class: class(finished.status.as_u16()),
        };
        self.requests.get_or_create(&labels).inc();
        self.request_duration
            .get_or_create(&DurationLabels { route, method })
            .observe(finished.duration.as_secs_f64());
        for call in finished
            .exchange
            .calls
            .iter()
            .filter(|call| !call.is_planned_only)
        {
            self.target_calls
                .get_or_create(&CallLabels {
                    tenant: Arc::clone(&tenant),
                    operation: self.operation_names.label(&call.operation),
                    outcome: call.status.map_or("no-answer", class),
                })
                .inc();
            self.target_call_duration
                .get_or_create(&TenantLabels {
                    tenant: Arc::clone(&tenant),
                })
                .observe(call.duration.as_secs_f64());
        }
        for note in &finished.exchange.notes.0 {
            let tenant = Arc::clone(&tenant);
            let quirk = note.quirk;
            self.quirks
                .get_or_create(&QuirkLabels { tenant, quirk })
                .inc();
        }
    }

    /// Says how many tenants are in each state. States left out have none.
    pub fn set_tenants(&self, states: impl IntoIterator<Item = (&'static str, i64)>) {
        self.tenants.clear();
        for (state, count) in states {
            self.tenants
                .get_or_create(&StateLabels { state })
                .set(count);
        }
    }

    /// Says what is known of each tenant. Tenants left out have no line.
    pub fn set_each_tenant(&self, tenants: &[TenantStatus]) {
        self.probe_accepted.clear();
        self.deactivations_paused.clear();
        self.held_references.clear();
        for status in tenants {
            let labels = TenantLabels {
                tenant: self.tenant_names.label(&status.tenant),
            };
            if let Some(probe) = status.probe {
                let is_accepted = i64::from(probe == "accepted");
                self.probe_accepted.get_or_create(&labels).set(is_accepted);
            }
            let held = i64::try_from(status.held_references).unwrap_or(i64::MAX);
            self.held_references.get_or_create(&labels).set(held);
            let is_paused = i64::from(status.are_deactivations_paused);
            self.deactivations_paused
                .get_or_create(&labels)
                .set(is_paused);
        }
    }

    /// Adds a gauge that is read when metrics are asked for, such as `connections`. No line if it has no value.
    pub fn watch_gauge<F>(&self, name: &'static str, help: &'static str, read: F)
    where
        F: Fn() -> Option<i64> + Send + Sync + 'static,
    {
        let read = Box::new(read);
        let watched = Watched {
            name,
            help,
            read,
            kind: MetricType::Gauge,
        };
        self.lock().register_collector(Box::new(watched));
    }

    /// Adds a counter that is kept elsewhere and read when metrics are asked for. The name has no `_total`.
    pub fn watch_counter<F>(&self, name: &'static str, help: &'static str, read: F)
    where
        F: Fn() -> u64 + Send + Sync + 'static,
    {
        let read = Box::new(move || i64::try_from(read()).ok());
        let watched = Watched {
            name,
            help,
            read,
            kind: MetricType::Counter,
        };
        self.lock().register_collector(Box::new(watched));
    }

    /// All metrics as text of the type [`MEDIA_TYPE`].
    pub fn encode(&self) -> String {
        let mut out = String::new();
        // Writing to a string fails only if a collector of ours does, which then has left nothing out but itself.
        if text::encode(&mut out, &self.lock()).is_err() {
            tracing::error!("metrics could not be written");
        }
        out
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The media type of [`Metrics::encode`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

struct Watched {
    name: &'static str,
    help: &'static str,
    read: Box<dyn Fn() -> Option<i64> + Send + Sync>,
    kind: MetricType,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some(value) = (self.read)() else {
            return Ok(());
        };
        let metric = encoder.encode_descriptor(self.name, self.help, None, self.kind)?;
        match self.kind {
            MetricType::Counter => {
                ConstCounter::new(u64::try_from(value).unwrap_or(0)).encode(metric)
            }
            _ => ConstGauge::new(value).encode(metric),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::observe::exchange_log::tests::finished;

    use super::*;

    fn series(text: &str) -> usize {
        text.lines().filter(|line| !line.starts_with('#')).count()
    }

    #[test]
    fn an_exchange_is_counted_once_in_each_metric() {
        let metrics = Metrics::new();
        metrics.record(&finished(200));
        let text = metrics.encode();
        for line in [
            r#"scimgate_requests_total{tenant="acme",route="/Users/{id}",method="PATCH",status_class="2xx"} 1"#,
            r#"scimgate_request_duration_seconds_count{route="/Users/{id}",method="PATCH"} 1"#,
            r#"scimgate_target_calls_total{tenant="acme",operation="user.update",outcome="2xx"} 2"#,
            r#"scimgate_target_call_duration_seconds_count{tenant="acme"} 2"#,
            r#"scimgate_quirks_total{tenant="acme",quirk="ENTRA-10"} 1"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn watched_values_are_read_when_asked_for() {
        let metrics = Metrics::new();
        metrics.watch_gauge("connections", "Open connections", || Some(7));
        metrics.watch_gauge("tls_certificate_not_after_seconds", "Expiry", || None);
        metrics.watch_counter("handler_panics", "Panics", || 3);
        metrics.set_tenants([("ready", 2), ("broken", 1)]);
        metrics.set_tenants([("ready", 3)]);
        let text = metrics.encode();
        assert!(text.contains("scimgate_connections 7\n"), "{text}");
        assert!(text.contains("scimgate_handler_panics_total 3\n"), "{text}");
        assert!(!text.contains("not_after"), "{text}");
        assert!(
            text.contains("scimgate_tenants{state=\"ready\"} 3\n"),
            "{text}"
        );
        assert!(!text.contains("broken"), "{text}");
    }

    #[test]
    fn s20_what_clients_make_up_adds_no_series() {
        let metrics = Metrics::new();
        let mut exchange = finished(200);
        exchange.exchange.calls.clear();
        exchange.method = http::Method::from_bytes(b"MADE-UP").unwrap();
        metrics.record(&exchange);
        let before = series(&metrics.encode());
        for n in 0..1000 {
            exchange.method = http::Method::from_bytes(format!("M{n}").as_bytes()).unwrap();
            metrics.record(&exchange);
        }
        assert_eq!(series(&metrics.encode()), before);
    }

    #[test]
    fn s20_tenants_beyond_the_cap_share_one_series() {
        let metrics = Metrics::new();
        let mut exchange = finished(200);
        exchange.exchange = Default::default();
        for n in 0..MAX_TENANTS + 500 {
            exchange.tenant = format!("t{n}").into();
            metrics.record(&exchange);
        }
        let text = metrics.encode();
        assert_eq!(
            text.matches("scimgate_requests_total{").count(),
            MAX_TENANTS + 1
        );
        assert!(text.contains(
            r#"{tenant="other",route="/Users/{id}",method="PATCH",status_class="2xx"} 500"#
        ));
    }
}
