//! Where spans go, and how a trace is passed on.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method};
use opentelemetry::global::{BoxedSpan, BoxedTracer, ObjectSafeTracer};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanBuilder, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::headers::{Received, Sent};

/// Makes the spans of a gateway. Clones make them together.
#[derive(Clone)]
pub struct Traces(Option<Arc<Shared>>);

struct Shared {
    tracer: BoxedTracer,
    propagator: Box<dyn TextMapPropagator + Send + Sync>,
}

/// A span that has not ended. What is dropped without an answer was given up.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) context: Context,
    pub(super) is_answered: bool,
}

// === impl Traces ===

impl Traces {
    /// Makes spans with `tracer`, whose exporter and sampler the program has chosen. `propagator` reads from requests which trace they
    /// are part of, and writes it into those to backends: the one of `opentelemetry_sdk` for W3C Trace Context, in most cases.
    pub fn new(
        tracer: impl ObjectSafeTracer + Send + Sync + 'static,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        let (tracer, propagator) = (BoxedTracer::new(Box::new(tracer)), Box::new(propagator));
        Self(Some(Arc::new(Shared { tracer, propagator })))
    }

    /// Makes no spans, and lets pass what came: for a program that decides at its start.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// Begins the span of a request, in the trace that its headers name.
    pub(super) fn begin(&self, headers: &HeaderMap, span: impl FnOnce() -> SpanBuilder) -> Option<Open> {
        let Shared { tracer, propagator } = self.0.as_deref()?;
        let parent = propagator.extract_with_context(&Context::new(), &Received::new(headers));
        Some(Open::new(tracer, span(), &parent))
    }

    /// Begins the span of an attempt within that of its request, and names it in the headers that go to the backend.
    pub(super) fn begin_within(
        &self,
        parent: &Context,
        span: SpanBuilder,
        headers: &mut HeaderMap,
    ) -> Option<Open> {
        let Shared { tracer, propagator } = self.0.as_deref()?;
        let open = Open::new(tracer, span, parent);
        propagator.inject_context(&open.context, &mut Sent(headers));
        Some(open)
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let propagator = self.0.as_ref().map(|shared| &shared.propagator);
        f.debug_struct("Traces").field("propagator", &propagator).finish_non_exhaustive()
    }
}

/// The attributes for a method: one that the convention does not know is another, and stands beside.
pub(super) fn method(method: &Method) -> (&'static str, Vec<KeyValue>) {
    let known = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => {
            let original = KeyValue::new("http.request.method_original", method.as_str().to_owned());
            return ("HTTP", vec![KeyValue::new("http.request.method", "_OTHER"), original]);
        }
    };
    (known, vec![KeyValue::new("http.request.method", known)])
}

// === impl Open ===

impl Open {
    fn new(tracer: &BoxedTracer, span: SpanBuilder, parent: &Context) -> Self {
        let span: BoxedSpan = tracer.build_with_context(span, parent);
        Self { context: parent.with_span(span), is_answered: false }
    }

    /// Says that something went wrong, by one word.
    pub(super) fn set_error(&self, error: impl Into<opentelemetry::Value>) {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("error.type", error));
        span.set_status(Status::error(""));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.is_answered {
            self.set_error("given_up");
        }
        self.context.span().end();
    }
}
