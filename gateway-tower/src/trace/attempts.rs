//! Spans of attempts at backends, from within a gateway.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};
use pin_project_lite::pin_project;
use tower_layer::{Layer, Stack};
use tower_service::Service;

use super::requests::Parent;
use super::traces::{Open, Traces, method};
use crate::balance::Tried;
use crate::gateway::GatewayBuilder;
use crate::outcome::{IntoRefused, Refused};
use crate::routed::Routed;

/// Makes a span for each attempt, where a gateway has the layers [for each](GatewayBuilder::per_attempt).
#[derive(Clone, Debug)]
pub struct AttemptsLayer {
    traces: Traces,
}

/// Makes a span for each attempt, and tells the backend of it.
///
/// A request that has no span is passed on as it is.
#[derive(Clone, Debug)]
pub struct Attempts<S> {
    inner: S,
    traces: Traces,
}

pin_project! {
    /// The end of an attempt that has a span.
    #[derive(Debug)]
    pub struct AttemptsFuture<F> {
        #[pin]
        inner: F,
        open: Option<Open>,
    }
}

// === impl AttemptsLayer ===

impl Traces {
    /// Makes spans for the attempts of a gateway at its backends.
    pub fn attempts(&self) -> AttemptsLayer {
        AttemptsLayer { traces: self.clone() }
    }
}

impl<R, F, A> GatewayBuilder<R, F, A> {
    /// Makes a span for each attempt, and tells backends of it. The spans of requests are made [around](Traces::requests) the
    /// gateway.
    pub fn traces(self, traces: &Traces) -> GatewayBuilder<R, F, Stack<AttemptsLayer, A>> {
        self.per_attempt(traces.attempts())
    }
}

impl<S> Layer<S> for AttemptsLayer {
    type Service = Attempts<S>;

    fn layer(&self, inner: S) -> Attempts<S> {
        Attempts { inner, traces: self.traces.clone() }
    }
}

// === impl Attempts ===

impl<S, B, RB> Service<Request<B>> for Attempts<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = AttemptsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let parent = request.extensions().get::<Parent>().cloned();
        let open = parent.and_then(|Parent(parent)| {
            let span = span(&request);
            self.traces.begin_within(&parent, span, request.headers_mut())
        });
        AttemptsFuture { inner: self.inner.call(request), open }
    }
}

/// What a span says from the start.
fn span<B>(request: &Request<B>) -> SpanBuilder {
    let (name, mut attributes) = method(request.method());
    if let Some(routed) = request.extensions().get::<Routed>() {
        if let Some(backend) = routed.backend() {
            let name = format!("{}:{}", backend.service, backend.port);
            attributes.push(KeyValue::new("gateway.backend", name));
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

// === impl AttemptsFuture ===

impl<F, RB, E> Future for AttemptsFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
    E: IntoRefused,
{
    type Output = Result<Response<RB>, Refused>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(E::refuse(this.inner.poll(cx)));
        if let Some(mut open) = this.open.take() {
            open.is_answered = true;
            match &result {
                Ok(response) => {
                    let status = response.status();
                    let code = KeyValue::new("http.response.status_code", i64::from(status.as_u16()));
                    open.context.span().set_attribute(code);
                    // To a client, what is wrong with its request is an error too.
                    if status.is_client_error() || status.is_server_error() {
                        open.set_error(status.as_str().to_owned());
                    }
                }
                Err(refused) => open.set_error(refused.refusal().reason().as_str()),
            }
        }
        Poll::Ready(result)
    }
}
