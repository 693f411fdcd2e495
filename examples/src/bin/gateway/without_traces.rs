//! The stand-in for traces where the program is built without the feature `otlp`.

use std::io;
use std::sync::Arc;

use gateway_tower::gateway::GatewayBuilder;
use gateway_tower::upstream::UpstreamOptions;
use gateway_tower::{Connection, TableHandle};

/// Sends no spans.
#[derive(Debug)]
pub(crate) struct Exporting;

/// Makes no spans.
#[derive(Clone, Debug)]
pub(crate) struct Spans;

// === impl Exporting ===

impl Exporting {
    /// Whether the spans are made that policies ask for.
    pub(crate) const BY_POLICY: bool = false;

    pub(crate) fn new(_: Option<&str>, _: &TableHandle) -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn attempts<R, F, A>(&self, builder: GatewayBuilder<R, F, A>) -> GatewayBuilder<R, F, A> {
        builder
    }

    pub(crate) fn spans(&self) -> Spans {
        Spans
    }

    pub(crate) fn start(&mut self, _: UpstreamOptions) {}

    pub(crate) async fn finish(self) {}
}

// === impl Spans ===

impl Spans {
    pub(crate) fn requests<S>(&self, _: Arc<Connection>, service: S) -> S {
        service
    }
}
