//! Spans of attempts at backends, from within a gateway.

use gateway_core::table::KnownAttribute;
use http::{Request, StatusCode};
use opentelemetry::trace::{SpanBuilder, SpanContext, SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use tower_layer::Stack;

use super::attributes::code;
use super::method::method;
use super::requests::{Parent, ParentByPolicy, with};
use super::trace_parent::{Unsampled, new_span_id, tell};
use super::traces::{Open, PolicySpan, Traces};
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
        let Some(Parent { context, policy }) = request.extensions().get().cloned() else {
            // TEL-04: a policy has decided so.
            if let Some(unsampled) = request.extensions().get::<Unsampled>().copied() {
                unsampled.tell(request.headers_mut());
            }
            return None;
        };
        let span = span(request);
        match policy {
            None => self.begin_within(&context, span, request.headers_mut()).map(TracedAttempt),
            Some(policy) => self.begin_by_policy(&context, policy, span, request).map(TracedAttempt),
        }
    }
}

impl Traces {
    /// Begins the span of an attempt within that of its request, as a policy wants it, and names it to the backend.
    fn begin_by_policy<B>(
        &self,
        parent: &Context,
        policy: ParentByPolicy,
        builder: SpanBuilder,
        request: &mut Request<B>,
    ) -> Option<Open> {
        let ParentByPolicy { tracing, attributes, is_new } = policy;
        let parent = parent.span().span_context().clone();
        let builder = with(attributes.to_vec(), builder, tracing.spans.as_ref()?);
        let (flags, state) = (parent.trace_flags(), parent.trace_state().clone());
        let context = SpanContext::new(parent.trace_id(), new_span_id(), flags, false, state);
        tell(&context, is_new, request.headers_mut());
        let gateway = request.extensions().get::<Routed>()?.connection().owner.gateway()?.clone();
        self.record(&tracing, PolicySpan { gateway: &gateway, builder, context, parent: &parent })
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
                open.say_known(&KnownAttribute::ResponseStatusCode, code(status));
                open.say("http.response.status_code", code(status));
                // To a client, what is wrong with its request is an error too.
                if status.is_client_error() || status.is_server_error() {
                    open.set_error(status.as_str().to_owned());
                }
            }
            Err(refusal) => open.set_error(refusal.reason().as_str()),
        }
    }
}
