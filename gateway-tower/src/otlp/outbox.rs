//! The outbox, in which spans wait until they are sent.

use std::sync::Arc;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, InstrumentationScope};

use super::exporter::Exporter;
use super::recorded::Recorded;
use super::shared::Shared;
use crate::handle::TableHandle;
use crate::trace::{PolicySpan, RecordSpans};

/// Keeps spans until an [`Exporter`] sends them. Clones keep them together.
#[derive(Clone, Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
    scope: InstrumentationScope,
}

// === impl Outbox ===

impl Outbox {
    /// An outbox, and what sends its spans to the providers that the tables name. `service_name` is that of Gateways whose policies give
    /// none.
    pub fn new(tables: TableHandle, service_name: &str) -> (Self, Exporter) {
        let shared = Arc::<Shared>::default();
        let exporter = Exporter::new(Arc::clone(&shared), tables, service_name);
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        (Self { shared, scope }, exporter)
    }

    /// Lets the exporter end once all that waits is sent.
    pub fn close(&self) {
        self.shared.close();
    }
}

impl RecordSpans for Outbox {
    fn begin(&self, span: PolicySpan<'_>) -> Context {
        let recorded = Recorded::new(span, self.scope.clone(), Arc::clone(&self.shared));
        Context::new().with_span(recorded)
    }
}
