//! Spans of requests, from outside of a gateway.

use std::sync::Arc;

use http::{Request, Response, header};
use http_body::Body;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};

use super::traces::{Open, Traces, method};
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
pub struct TracedRequest(Option<Open>);

/// The span of the request, in its extensions, for those of its attempts.
#[derive(Clone, Debug)]
pub(super) struct Parent(pub(super) opentelemetry::Context);

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
        let open = self.traces.begin(request.headers(), || span(request, &self.connection));
        if let Some(open) = &open {
            request.extensions_mut().insert(Parent(open.context.clone()));
        }
        TracedRequest(open)
    }
}

/// What a span says from the start.
fn span<B>(request: &Request<B>, connection: &Connection) -> SpanBuilder {
    let (name, mut attributes) = method(request.method());
    attributes.push(KeyValue::new("url.path", request.uri().path().to_owned()));
    attributes.push(KeyValue::new("url.scheme", if connection.secure { "https" } else { "http" }));
    if let Some(host) = host(request) {
        attributes.push(KeyValue::new("server.address", host));
    }
    if let Some(peer) = connection.peer {
        attributes.push(KeyValue::new("network.peer.address", peer.ip().to_string()));
    }
    SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes)
}

/// The host that a request names, without a port.
fn host<B>(request: &Request<B>) -> Option<String> {
    if let Some(host) = request.uri().host() {
        return Some(host.to_owned());
    }
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    let authority: http::uri::Authority = host.parse().ok()?;
    Some(authority.host().to_owned())
}

// === impl TracedRequest ===

impl ObserveRequest for TracedRequest {
    fn answered<B: Body>(&mut self, response: &Response<B>) {
        if let Some(open) = &mut self.0 {
            open.is_answered = true;
            if open.context.span().is_recording() {
                describe(open, response);
            }
        }
    }

    fn end(self, _: bool) {}
}

/// Says of a request what is known when its answer begins.
fn describe<RB>(open: &Open, response: &Response<RB>) {
    let span = open.context.span();
    let status = response.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if let Some(outcome) = response.extensions().get::<Outcome>() {
        if let Some(listener) = outcome.listener() {
            span.set_attribute(KeyValue::new("gateway.name", listener.frontend.name().to_string()));
            span.set_attribute(KeyValue::new("gateway.listener", listener.to_string()));
        }
        if let Some(routed) = &outcome.routed {
            span.set_attribute(KeyValue::new("gateway.rule", format!("{:#}", routed.rule().id)));
        }
        if outcome.retries > 0 {
            span.set_attribute(KeyValue::new("gateway.retries", i64::from(outcome.retries)));
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
