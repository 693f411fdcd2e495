//! Spans of attempts at backends, from within a gateway.

use http::{Request, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};
use tower_layer::Stack;

use super::requests::Parent;
use super::traces::{Open, Traces, method};
use crate::balance::Tried;
use crate::gateway::GatewayBuilder;
use crate::observe::{AttemptsLayer, ObserveAttempt, ObserveAttempts};
use crate::outcome::Refusal;
use crate::routed::Routed;

/// An attempt that has a span.
#[derive(Debug)]
pub struct TracedAttempt(Open);

// === impl Traces ===

impl<R, F, A> GatewayBuilder<R, F, A> {
    /// Makes a span for each attempt, and tells backends of it. The spans of requests are made [around](Traces::requests) the
    /// gateway; a request that has none is passed on as it is.
    pub fn traces(self, traces: &Traces) -> GatewayBuilder<R, F, Stack<AttemptsLayer<Traces>, A>> {
        self.observe_attempts(traces.clone())
    }
}

impl ObserveAttempts for Traces {
    type Attempt = TracedAttempt;

    fn begin<B>(&self, request: &mut Request<B>) -> Option<TracedAttempt> {
        let Parent(parent) = request.extensions().get().cloned()?;
        let span = span(request);
        self.begin_within(&parent, span, request.headers_mut()).map(TracedAttempt)
    }
}

/// What a span says from the start.
fn span<B>(request: &Request<B>) -> SpanBuilder {
    let (name, mut attributes) = method(request.method());
    if let Some(routed) = request.extensions().get::<Routed>() {
        if let Some(backend) = routed.backend() {
            attributes.push(KeyValue::new("gateway.backend", backend.to_string()));
        }
        if let Some(endpoint) = routed.endpoint().map(|endpoint| endpoint.address()) {
            attributes.push(KeyValue::new("server.address", endpoint.ip().to_string()));
            attributes.push(KeyValue::new("server.port", i64::from(endpoint.port())));
        }
    }
    if let Some(Tried(tried)) = request.extensions().get() {
        attributes.push(KeyValue::new("http.request.resend_count", tried.len() as i64));
    }
    SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_attributes(attributes)
}

// === impl TracedAttempt ===

impl ObserveAttempt for TracedAttempt {
    fn end(self, result: Result<StatusCode, &Refusal>) {
        let Self(mut open) = self;
        open.is_answered = true;
        match result {
            Ok(status) => {
                let code = KeyValue::new("http.response.status_code", i64::from(status.as_u16()));
                open.context.span().set_attribute(code);
                // To a client, what is wrong with its request is an error too.
                if status.is_client_error() || status.is_server_error() {
                    open.set_error(status.as_str().to_owned());
                }
            }
            Err(refusal) => open.set_error(refusal.reason().as_str()),
        }
    }
}
