//! The traces of a gateway: where spans go, and how a trace is passed on.

use std::fmt;
use std::sync::Arc;

use gateway_core::name::ObjectName;
use gateway_core::table::{KnownAttribute, Spans, Tracing};
use http::HeaderMap;
use opentelemetry::global::{BoxedSpan, BoxedTracer, ObjectSafeTracer};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanBuilder, SpanContext, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value};

use super::attributes::names_of;
use super::headers::{Received, Sent};
use crate::connection::Connection;
use crate::handle::TableHandle;

/// Makes the spans of a gateway. Clones make them together.
#[derive(Clone)]
pub struct Traces {
    own: Option<Arc<Own>>,
    policies: Option<Arc<Policies>>,
}

/// What the program has chosen.
struct Own {
    tracer: BoxedTracer,
    propagator: Box<dyn TextMapPropagator + Send + Sync>,
}

struct Policies {
    tables: TableHandle,
    recorder: Box<dyn RecordSpans>,
}

/// Takes the spans of Gateways whose traces a [policy](Tracing) says something of.
///
/// Whether there is a span is decided before; each that is begun here is to be kept.
pub trait RecordSpans: fmt::Debug + Send + Sync + 'static {
    /// Begins a span, and gives the context in which it is the one that goes on.
    fn begin(&self, span: PolicySpan<'_>) -> Context;
}

/// A span of a Gateway whose traces a policy says something of.
#[derive(Debug)]
#[non_exhaustive]
pub struct PolicySpan<'a> {
    /// The Gateway.
    pub gateway: &'a ObjectName,
    /// The name and the kind, with what is known from the start.
    pub builder: SpanBuilder,
    /// Which it is.
    pub context: SpanContext,
    /// The one that it is within; not a valid one for the first of a trace.
    pub parent: &'a SpanContext,
}

/// A span that has not ended. What is dropped without an answer was given up.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) context: Context,
    pub(super) is_answered: bool,
    /// The policy by which it is made, if one is.
    pub(super) policy: Option<Arc<Tracing>>,
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
        Self { own: Some(Arc::new(Own { tracer, propagator })), policies: None }
    }

    /// Makes no spans, and lets pass what came: for a program that decides at its start.
    pub const fn disabled() -> Self {
        Self { own: None, policies: None }
    }

    /// Does for Gateways of whose traces a policy says something as that says, and gives their spans to `recorder`. `tables` are those
    /// of the gateway.
    ///
    /// # Spec
    /// [TEL-01](gateway_core::spec#TEL-01), [TEL-04](gateway_core::spec#TEL-04), [TEL-05](gateway_core::spec#TEL-05).
    pub fn by_policy(self, tables: TableHandle, recorder: impl RecordSpans) -> Self {
        Self { policies: Some(Arc::new(Policies { tables, recorder: Box::new(recorder) })), ..self }
    }

    /// Begins the span of a request, in the trace that its headers name.
    pub(super) fn begin(&self, headers: &HeaderMap, span: impl FnOnce() -> SpanBuilder) -> Option<Open> {
        let Own { tracer, propagator } = self.own.as_deref()?;
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
        let Own { tracer, propagator } = self.own.as_deref()?;
        let open = Open::new(tracer, span, parent);
        propagator.inject_context(&open.context, &mut Sent(headers));
        Some(open)
    }

    /// What a policy says of the traces of the Gateway that a connection came to, if one does.
    #[inline]
    pub(super) fn policy(&self, connection: &Connection) -> Option<Arc<Tracing>> {
        let Policies { tables, .. } = self.policies.as_deref()?;
        tables.snapshot(connection.shard).tracing(connection.owner.gateway()?).cloned()
    }

    /// Begins a span that a policy wants.
    pub(super) fn record(&self, policy: &Arc<Tracing>, span: PolicySpan<'_>) -> Option<Open> {
        let context = self.policies.as_deref()?.recorder.begin(span);
        Some(Open { context, is_answered: false, policy: Some(Arc::clone(policy)) })
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let propagator = self.own.as_ref().map(|own| &own.propagator);
        let recorder = self.policies.as_ref().map(|policies| &policies.recorder);
        f.debug_struct("Traces")
            .field("propagator", &propagator)
            .field("recorder", &recorder)
            .finish_non_exhaustive()
    }
}

// === impl Open ===

impl Open {
    fn new(tracer: &BoxedTracer, span: SpanBuilder, parent: &Context) -> Self {
        let span: BoxedSpan = tracer.build_with_context(span, parent);
        Self { context: parent.with_span(span), is_answered: false, policy: None }
    }

    /// The spans of the policy by which it is made.
    pub(super) fn spans(&self) -> Option<&Spans> {
        self.policy.as_ref()?.spans.as_ref()
    }

    /// Says something, unless a policy says another thing by this name.
    pub(super) fn say(&self, key: &'static str, value: impl Into<Value>) {
        if self.spans().is_none_or(|spans| !has_name(spans, key)) {
            self.context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// Says something of the dictionary, under the names that the policy has for it.
    pub(super) fn say_known(&self, known: &KnownAttribute, value: impl Into<Value>) {
        let Some(spans) = self.spans() else { return };
        let (span, value) = (self.context.span(), value.into());
        names_of(spans, known).for_each(|name| span.set_attribute(KeyValue::new(name, value.clone())));
    }

    /// Says that something went wrong, by one word.
    pub(super) fn set_error(&self, error: impl Into<Value>) {
        let error = error.into();
        self.say_known(&KnownAttribute::ErrorType, error.clone());
        self.say("error.type", error);
        self.context.span().set_status(Status::error(""));
    }
}

/// Whether a policy has an attribute of this name.
pub(super) fn has_name(spans: &Spans, name: &str) -> bool {
    spans.attributes.iter().any(|attribute| *attribute.name == *name)
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.is_answered {
            self.set_error("given_up");
        }
        self.context.span().end();
    }
}
