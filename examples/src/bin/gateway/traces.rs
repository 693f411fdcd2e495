//! Spans of requests and attempts, exported by OTLP: built with the feature `otlp`, and asked for with `--otlp`.

use std::io;
use std::sync::Arc;

use gateway_tower::observe::{AttemptsLayer, Requests};
use gateway_tower::trace::{TraceRequests, Traces};
use gateway_tower::{Connection, GatewayBuilder};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tower::Layer;
use tower::layer::util::Stack;

/// What makes spans and sends them; nothing where nobody asked for them.
#[derive(Clone, Debug)]
pub(crate) struct Exporting {
    provider: Option<SdkTracerProvider>,
    traces: Traces,
}

// === impl Exporting ===

impl Exporting {
    /// Sends spans to this collector; which of them, and under which name, the variables of OpenTelemetry say
    /// (`OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`).
    pub(crate) fn new(endpoint: Option<&str>) -> io::Result<Self> {
        let Some(endpoint) = endpoint else { return Ok(Self { provider: None, traces: Traces::disabled() }) };
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
        let exporter = exporter.map_err(|error| io::Error::other(format!("--otlp {endpoint}: {error}")))?;
        let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
            Some(_) => Resource::builder().build(),
            None => Resource::builder().with_service_name("gateway").build(),
        };
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let traces = Traces::new(provider.tracer("gateway-tower"), TraceContextPropagator::new());
        Ok(Self { provider: Some(provider), traces })
    }

    /// Has each attempt of a gateway make a span.
    pub(crate) fn attempts<R, F, A>(
        &self,
        builder: GatewayBuilder<R, F, A>,
    ) -> GatewayBuilder<R, F, Stack<AttemptsLayer<Traces>, A>> {
        builder.traces(&self.traces)
    }

    /// Has each request of a connection make a span.
    pub(crate) fn requests<S>(&self, connection: Arc<Connection>, service: S) -> Requests<TraceRequests, S> {
        self.traces.requests(connection).layer(service)
    }

    /// Sends what is left.
    pub(crate) async fn finish(self) {
        let Some(provider) = self.provider else { return };
        // It waits for the collector.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!("the last spans may be lost: {error}");
        }
    }
}
