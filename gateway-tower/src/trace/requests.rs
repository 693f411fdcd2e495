//! Spans of requests, from outside of a gateway.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::traces::{Open, Traces, method};
use crate::connection::Connection;
use crate::outcome::Outcome;

/// Makes a span for each request of a connection, around a whole [`Gateway`](crate::Gateway).
#[derive(Clone, Debug)]
pub struct RequestsLayer {
    traces: Traces,
    connection: Arc<Connection>,
}

/// Makes a span for each request.
#[derive(Clone, Debug)]
pub struct Requests<S> {
    inner: S,
    traces: Traces,
    connection: Arc<Connection>,
}

/// The span of the request, in its extensions, for those of its attempts.
#[derive(Clone, Debug)]
pub(super) struct Parent(pub(super) opentelemetry::Context);

pin_project! {
    /// The answer to a request that has a span.
    #[derive(Debug)]
    pub struct RequestsFuture<F> {
        #[pin]
        inner: F,
        open: Option<Open>,
    }
}

pin_project! {
    /// The body of an answer, whose end is the end of the span.
    #[derive(Debug)]
    pub struct RequestsBody<B> {
        #[pin]
        body: B,
        open: Option<Open>,
    }
}

// === impl RequestsLayer ===

impl Traces {
    /// Makes spans for requests that come in on `connection`.
    pub fn requests(&self, connection: Arc<Connection>) -> RequestsLayer {
        RequestsLayer { traces: self.clone(), connection }
    }
}

impl<S> Layer<S> for RequestsLayer {
    type Service = Requests<S>;

    fn layer(&self, inner: S) -> Requests<S> {
        Requests { inner, traces: self.traces.clone(), connection: Arc::clone(&self.connection) }
    }
}

// === impl Requests ===

impl<S, B, RB> Service<Request<B>> for Requests<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
{
    type Response = Response<RequestsBody<RB>>;
    type Error = S::Error;
    type Future = RequestsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let open = self.traces.begin(request.headers(), || span(&request, &self.connection));
        if let Some(open) = &open {
            request.extensions_mut().insert(Parent(open.context.clone()));
        }
        RequestsFuture { inner: self.inner.call(request), open }
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

// === impl RequestsFuture ===

impl<F, RB, E> Future for RequestsFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<RequestsBody<RB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let mut open = this.open.take();
        if let Some(open) = &mut open {
            open.is_answered = true;
            if open.context.span().is_recording() {
                describe(open, &response);
            }
        }
        Poll::Ready(Ok(response.map(|body| RequestsBody { body, open })))
    }
}

/// Says of a request what is known when its answer begins.
fn describe<RB>(open: &Open, response: &Response<RB>) {
    let span = open.context.span();
    let status = response.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if let Some(outcome) = response.extensions().get::<Outcome>() {
        if let Some(listener) = outcome.listener() {
            span.set_attribute(KeyValue::new("gateway.name", listener.gateway.to_string()));
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

// === impl RequestsBody ===

impl<B: Body> Body for RequestsBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || this.body.is_end_stream() {
            *this.open = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
