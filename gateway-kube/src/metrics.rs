//! Metrics of a controller, for Prometheus.
//!
//! | metric | type | labels | counts |
//! | --- | --- | --- | --- |
//! | `gateway_reconcile_duration_seconds` | histogram | | from the start of a translation to its table and statuses |
//! | `gateway_watch_restarts_total` | counter | `kind` `cause` | watches that began again |
//! | `gateway_status_writes_total` | counter | `kind` `result` | requests to write a status, or the finalizer of a class |
//! | `gateway_leader` | gauge | | 1 where this replica writes statuses, else 0 |
//!
//! `kind` is a kind as the API spells it; `cause` is one of [`RestartCause`], `result` one of [`WriteResult`].
//!
//! ```
//! use std::sync::Arc;
//! use gateway_kube::controller::ControllerOptions;
//! use gateway_kube::metrics::Metrics;
//! use gateway_kube::metrics::prometheus_client::encoding::text::encode;
//! use gateway_kube::metrics::prometheus_client::registry::Registry;
//! use gateway_kube::observe::Observe;
//!
//! let mut registry = Registry::default();
//! let metrics = Metrics::new(&mut registry);
//! let options = ControllerOptions { observer: Some(Arc::new(metrics.clone())), ..ControllerOptions::default() };
//! # drop(options);
//! // What a controller with these options does.
//! metrics.leading(true);
//!
//! let mut text = String::new();
//! encode(&mut text, &registry)?;
//! assert!(text.contains("\ngateway_leader 1\n"));
//! # Ok::<(), std::fmt::Error>(())
//! ```
//!
//! # Alerts
//! No replica, or more than one, writes statuses:
//!
//! ```yaml
//! - alert: GatewayHasNoLeader
//!   expr: sum(gateway_leader) != 1
//!   for: 1m
//! - alert: GatewayStatusesAreNotWritten
//!   expr: sum by (kind) (rate(gateway_status_writes_total{result=~"failed|contended"}[5m])) > 0
//!   for: 10m
//! ```

use std::time::Duration;

use gateway_core::api::Kind;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::observe::{Observe, RestartCause, WriteResult};

pub use prometheus_client;

/// All that a controller counts. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    reconciled: Histogram,
    restarts: Family<Labels, Counter>,
    writes: Family<Labels, Counter>,
    leader: Gauge,
}

/// A kind, and what happened.
type Labels = [(&'static str, &'static str); 2];

/// From what a change among a few objects takes to what ten thousand Routes do, in seconds.
const BOUNDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

// === impl Metrics ===

impl Metrics {
    /// Nothing counted yet; `registry` shows what will be.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciled: Histogram::new(BOUNDS),
            restarts: Family::default(),
            writes: Family::default(),
            leader: Gauge::default(),
        };
        let Self { reconciled, restarts, writes, leader } = metrics.clone();
        let help = "From the start of a translation to its table and statuses";
        registry.register_with_unit("gateway_reconcile_duration", help, Unit::Seconds, reconciled);
        registry.register("gateway_watch_restarts", "Watches that began again, by kind and cause", restarts);
        let help = "Requests to write a status or the finalizer of a class, by kind and result";
        registry.register("gateway_status_writes", help, writes);
        registry.register("gateway_leader", "Whether this replica writes statuses", leader);
        metrics
    }
}

impl Observe for Metrics {
    fn reconciled(&self, took: Duration) {
        self.reconciled.observe(took.as_secs_f64());
    }

    fn watch_restarted(&self, kind: Kind, cause: RestartCause) {
        self.restarts.get_or_create(&[("kind", kind.as_str()), ("cause", cause.as_str())]).inc();
    }

    fn status_written(&self, kind: Kind, result: WriteResult) {
        self.writes.get_or_create(&[("kind", kind.as_str()), ("result", result.as_str())]).inc();
    }

    fn leading(&self, is_leading: bool) {
        self.leader.set(is_leading.into());
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn what_is_told_is_counted_by_kind_and_word() {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        metrics.reconciled(Duration::from_millis(2));
        for cause in [RestartCause::Expired, RestartCause::Failed, RestartCause::Failed] {
            metrics.watch_restarted(Kind::HttpRoute, cause);
        }
        metrics.status_written(Kind::Gateway, WriteResult::Written);
        metrics.leading(true);
        metrics.leading(false);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "gateway_reconcile_duration_seconds_bucket{le=\"0.001\"} 0",
            "gateway_reconcile_duration_seconds_bucket{le=\"0.0025\"} 1",
            "gateway_reconcile_duration_seconds_sum 0.002",
            "gateway_watch_restarts_total{kind=\"HTTPRoute\",cause=\"expired\"} 1",
            "gateway_watch_restarts_total{kind=\"HTTPRoute\",cause=\"failed\"} 2",
            "gateway_status_writes_total{kind=\"Gateway\",result=\"written\"} 1",
            "gateway_leader 0",
        ] {
            assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
        }
    }
}
