//! Spans of requests and attempts, exported by OTLP: built with the feature `otlp`, and asked for with `--otlp`, or for single
//! Gateways by XTelemetryPolicies.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use gateway_tower::balance::Random;
use gateway_tower::gateway::GatewayBuilder;
use gateway_tower::observe::{AttemptsLayer, Requests};
use gateway_tower::otlp::{Exporter, Outbox};
use gateway_tower::trace::{TraceRequests, Traces};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, TableHandle};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::task::JoinHandle;
use tokio::time;
use tower::Layer;
use tower::layer::util::Stack;

/// Makes the spans of requests.
#[derive(Clone, Debug)]
pub(crate) struct Spans(Traces);

/// How long the last spans may take at the end.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// What makes spans and sends them.
#[derive(Debug)]
pub(crate) struct Exporting {
    /// Of all Gateways without a policy; nothing where they were not asked for.
    provider: Option<SdkTracerProvider>,
    traces: Traces,
    outbox: Outbox,
    exporter: Option<Exporter>,
    exporting: Option<JoinHandle<()>>,
}

// === impl Exporting ===

impl Exporting {
    /// Whether the spans are made that policies ask for.
    pub(crate) const BY_POLICY: bool = true;

    /// Sends spans to this collector; which of them, and under which name, the variables of OpenTelemetry say
    /// (`OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`). Those of Gateways with a policy go where that says.
    pub(crate) fn new(endpoint: Option<&str>, tables: &TableHandle) -> io::Result<Self> {
        let service_name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "gateway".to_owned());
        let (outbox, exporter) = Outbox::new(tables.clone(), &service_name);
        let provider = endpoint.map(|endpoint| provider(endpoint, service_name)).transpose()?;
        let own = provider.as_ref().map_or(const { Traces::disabled() }, |provider| {
            Traces::new(provider.tracer("gateway-tower"), TraceContextPropagator::new())
        });
        let traces = own.by_policy(tables.clone(), outbox.clone());
        Ok(Self { provider, traces, outbox, exporter: Some(exporter), exporting: None })
    }

    /// Has each attempt of a gateway make a span.
    pub(crate) fn attempts<R, F, A>(
        &self,
        builder: GatewayBuilder<R, F, A>,
    ) -> GatewayBuilder<R, F, Stack<AttemptsLayer<Traces>, A>> {
        builder.traces(&self.traces)
    }

    /// What makes the spans of requests.
    pub(crate) fn spans(&self) -> Spans {
        Spans(self.traces.clone())
    }

    /// Sends spans to the providers of policies, through a client of these options: one of their own, so that they take nothing from
    /// requests.
    pub(crate) fn start(&mut self, options: UpstreamOptions) {
        let client = Upstream::new(options);
        self.exporting =
            self.exporter.take().map(|exporter| tokio::spawn(exporter.run(client, Arc::new(Random))));
    }

    /// Sends what is left.
    pub(crate) async fn finish(self) {
        self.outbox.close();
        if let Some(exporting) = self.exporting
            && time::timeout(LAST_SPANS, exporting).await.is_err()
        {
            tracing::warn!(
                "the last spans of Gateways with a policy are lost: their providers take too long"
            );
        }
        let Some(provider) = self.provider else { return };
        // It waits for the collector.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!("the last spans may be lost: {error}");
        }
    }
}

// === impl Spans ===

impl Spans {
    /// Has each request of a connection make a span.
    pub(crate) fn requests<S>(&self, connection: Arc<Connection>, service: S) -> Requests<TraceRequests, S> {
        self.0.requests(connection).layer(service)
    }
}

/// What sends the spans of Gateways without a policy.
fn provider(endpoint: &str, service_name: String) -> io::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
    let exporter = exporter.map_err(|error| io::Error::other(format!("--otlp {endpoint}: {error}")))?;
    let resource = Resource::builder().with_service_name(service_name).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
