//! Spans of requests, from outside of a gateway.

use std::sync::Arc;

use gateway_core::table::{Spans, Tracing};
use http::{Request, Response};
use http_body::Body;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanContext, SpanKind, TraceContextExt};

use super::attributes::{Begun, answered, authority, code, scheme};
use super::method::method;
use super::trace_parent::{TraceParent, Unsampled, new_span_id, new_trace_id};
use super::traces::{Open, PolicySpan, Traces, has_name};
use crate::connection::Connection;
use crate::observe::{ObserveRequest, ObserveRequests, RequestsLayer};
use crate::outcome::Outcome;

/// Makes a span for each request of a connection.
#[derive(Clone, Debug)]
pub struct TraceRequests {
    traces: Traces,
    connection: Arc<Connection>,
}

/// A request that has a span, if spans are made at all.
#[derive(Debug)]
pub struct TracedRequest {
    open: Option<Open>,
    /// What a policy wants to know of the answer.
    asked: Asked,
}

/// What a policy wants to know of an answer.
#[derive(Debug, Default)]
struct Asked {
    positions: Vec<u8>,
    path: Option<Box<str>>,
}

/// The span of the request, in its extensions, for those of its attempts.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    pub(super) context: opentelemetry::Context,
    pub(super) policy: Option<ParentByPolicy>,
}

/// What a policy has all spans of a request say.
#[derive(Clone, Debug)]
pub(super) struct ParentByPolicy {
    pub(super) tracing: Arc<Tracing>,
    pub(super) attributes: Arc<[KeyValue]>,
    /// Whether the trace begins here.
    pub(super) is_new: bool,
}

// === impl TraceRequests ===

impl Traces {
    /// Makes spans for requests that come in on `connection`, around a whole [`Gateway`](crate::Gateway).
    pub fn requests(&self, connection: Arc<Connection>) -> RequestsLayer<TraceRequests> {
        RequestsLayer::new(TraceRequests { traces: self.clone(), connection })
    }
}

impl ObserveRequests for TraceRequests {
    type Request = TracedRequest;

    fn begin<B>(&self, request: &mut Request<B>) -> TracedRequest {
        if let Some(tracing) = self.traces.policy(&self.connection) {
            let spans = tracing.spans.as_ref();
            let traced = spans.and_then(|spans| self.begin_by_policy(&tracing, spans, request));
            return traced.unwrap_or_else(|| TracedRequest { open: None, asked: Asked::default() });
        }
        let open = self.traces.begin(request.headers(), || span(request, &self.connection));
        if let Some(open) = &open {
            request.extensions_mut().insert(Parent { context: open.context.clone(), policy: None });
        }
        TracedRequest { open, asked: Asked::default() }
    }
}

impl TraceRequests {
    /// Begins the span of a request, if the policy wants one.
    ///
    /// # Spec
    /// TEL-04, TEL-05.
    fn begin_by_policy<B>(
        &self,
        tracing: &Arc<Tracing>,
        spans: &Spans,
        request: &mut Request<B>,
    ) -> Option<TracedRequest> {
        let parent = TraceParent::read(request.headers());
        let trace_id = parent.map_or_else(new_trace_id, |parent| parent.trace_id());
        let number = u128::from_be_bytes(trace_id.to_bytes());
        if !spans.sampling.samples(number, parent.map(|parent| parent.is_sampled())) {
            if let Some(unsampled) = Unsampled::new(trace_id, parent) {
                request.extensions_mut().insert(unsampled);
            }
            return None;
        }
        let Begun { known, open: positions, path } = Begun::new(spans, request, &self.connection);
        let mut builder = span(request, &self.connection);
        if let Some(name) = &spans.name {
            builder.name = name.to_string().into();
        }
        let gateway = self.connection.owner.gateway()?;
        builder = with(known.clone(), builder, spans);
        let remote = parent.map_or(SpanContext::NONE, |parent| parent.remote(request.headers()));
        let flags = remote.trace_flags().with_sampled(true);
        let state = remote.trace_state().clone();
        let context = SpanContext::new(trace_id, new_span_id(), flags, false, state);
        let span = PolicySpan { gateway, builder, context, parent: &remote };
        let open = self.traces.record(tracing, span)?;
        request.extensions_mut().insert(Parent {
            context: open.context.clone(),
            policy: Some(ParentByPolicy {
                tracing: Arc::clone(tracing),
                attributes: known.into(),
                is_new: parent.is_none(),
            }),
        });
        Some(TracedRequest { open: Some(open), asked: Asked { positions, path } })
    }
}

/// A span that says what a policy wants, and of what it says by itself what goes by other names.
pub(super) fn with(known: Vec<KeyValue>, builder: SpanBuilder, spans: &Spans) -> SpanBuilder {
    let mut attributes = known;
    let own = builder.attributes.unwrap_or_default();
    attributes.extend(own.into_iter().filter(|attribute| !has_name(spans, attribute.key.as_str())));
    SpanBuilder { attributes: Some(attributes), ..builder }
}

/// What a span says from the start.
fn span<B>(request: &Request<B>, connection: &Connection) -> SpanBuilder {
    let (name, mut attributes) = method(request.method());
    attributes.push(KeyValue::new("url.path", request.uri().path().to_owned()));
    attributes.push(KeyValue::new("url.scheme", scheme(connection)));
    if let Some(authority) = authority(request) {
        attributes.push(KeyValue::new("server.address", authority.host().to_owned()));
    }
    if let Some(peer) = connection.peer {
        attributes.push(KeyValue::new("network.peer.address", peer.ip().to_string()));
    }
    SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes)
}

// === impl TracedRequest ===

impl ObserveRequest for TracedRequest {
    fn answered<B: Body>(&mut self, response: &Response<B>) {
        let Self { open, asked } = self;
        if let Some(open) = open {
            open.is_answered = true;
            if open.context.span().is_recording() {
                if let Some(spans) = open.spans() {
                    let attributes = answered(spans, &asked.positions, asked.path.as_deref(), response);
                    attributes.for_each(|attribute| open.context.span().set_attribute(attribute));
                }
                describe(open, response);
            }
        }
    }

    fn end(self, _: bool) {}
}

/// Says of a request what is known when its answer begins.
fn describe<RB>(open: &Open, response: &Response<RB>) {
    let status = response.status();
    open.say("http.response.status_code", code(status));
    if let Some(outcome) = response.extensions().get::<Outcome>() {
        if let Some(listener) = outcome.listener() {
            open.say("gateway.name", listener.frontend.name().to_string());
            open.say("gateway.listener", listener.to_string());
        }
        if let Some(routed) = &outcome.routed {
            open.say("gateway.rule", format!("{:#}", routed.rule().id));
        }
        if outcome.retries > 0 {
            open.say("gateway.retries", i64::from(outcome.retries));
        }
    }
    if status.is_server_error() {
        let refusal = response.extensions().get::<Outcome>().and_then(Outcome::refusal);
        match refusal {
            Some(refusal) => open.set_error(refusal.reason().as_str()),
            None => open.set_error(status.as_str().to_owned()),
        }
    }
}
