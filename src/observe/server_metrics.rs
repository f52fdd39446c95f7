//! The metrics of a listener: what it counts is read when metrics are asked for.

use crate::server::{BoundServer, ServerStats};

use super::metrics::Metrics;

type Read = fn(&ServerStats) -> u64;

const GAUGES: [(&str, &str, Read); 4] = [
    (
        "connections",
        "Open connections of clients",
        ServerStats::connections,
    ),
    (
        "requests_in_flight",
        "Requests being answered",
        ServerStats::requests_in_flight,
    ),
    (
        "request_body_bytes",
        "Bytes of request bodies held",
        ServerStats::body_bytes,
    ),
    (
        "answer_bytes",
        "Bytes of answers that clients have not taken yet",
        ServerStats::answer_bytes,
    ),
];

const COUNTERS: [(&str, &str, Read); 8] = [
    (
        "connections_accepted",
        "Connections accepted",
        ServerStats::accepted,
    ),
    (
        "connections_turned_away",
        "Connections closed at once because a limit was reached",
        ServerStats::turned_away,
    ),
    (
        "connections_evicted",
        "Idle connections closed to make room",
        ServerStats::evicted,
    ),
    (
        "connections_timed_out",
        "Connections closed because the client was too slow",
        ServerStats::timed_out,
    ),
    (
        "connections_flooded",
        "Connections cut because hardly anything on them was a request",
        ServerStats::flooded,
    ),
    (
        "tls_handshakes_failed",
        "TLS handshakes that failed or took too long",
        ServerStats::failed_handshakes,
    ),
    (
        "requests_refused",
        "Requests refused before they were handled",
        ServerStats::refused_requests,
    ),
    (
        "handler_panics",
        "Requests whose handler panicked",
        ServerStats::panics,
    ),
];

impl Metrics {
    /// Adds the metrics of the clients' listener. To be called once, before the server runs.
    pub fn watch_server(&self, server: &BoundServer) {
        for (name, help, read) in GAUGES {
            let stats = server.stats();
            self.watch_gauge(name, help, move || i64::try_from(read(&stats)).ok());
        }
        for (name, help, read) in COUNTERS {
            let stats = server.stats();
            self.watch_counter(name, help, move || read(&stats));
        }
        if let Some(certificates) = server.certificates() {
            self.watch_gauge(
                "tls_certificate_not_after_seconds",
                "When the certificate in use expires, in seconds since 1970",
                move || certificates.not_after(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::server::{ServerSettings, bind, dev_certificate};

    use super::*;

    #[tokio::test]
    async fn a_listener_shows_its_connections_and_the_end_of_its_certificate() {
        let directory = tempfile::tempdir().unwrap();
        let tls = dev_certificate::ensure(directory.path()).unwrap().tls;
        let settings = ServerSettings::new(([127, 0, 0, 1], 0).into(), Some(tls));
        let server = bind(settings).await.unwrap();
        let metrics = Metrics::new();
        metrics.watch_server(&server);
        let text = metrics.encode();
        assert!(text.contains("scimgate_connections 0\n"), "{text}");
        let not_after = server.certificates().unwrap().not_after().unwrap();
        let line = format!("scimgate_tls_certificate_not_after_seconds {not_after}\n");
        assert!(text.contains(&line), "{text}");
    }
}
