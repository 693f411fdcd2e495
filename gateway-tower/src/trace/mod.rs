//! Spans of requests and of attempts, for OpenTelemetry; and the trace that they are part of, passed on to backends.
//!
//! A request has a span, and each attempt at a backend one within. The backend is told of the latter, in `traceparent` and
//! `tracestate`, so that its own spans are found beneath. Names and attributes are those of the convention of OpenTelemetry for HTTP;
//! of our own are:
//!
//! | attribute | span | is |
//! | --- | --- | --- |
//! | `gateway.name` `gateway.listener` | request | the Gateway and the listener that took it |
//! | `gateway.rule` | request | the rule that served it, with the kind of its Route |
//! | `gateway.retries` | request | attempts after the first |
//! | `gateway.backend` | attempt | the Service and its port |
//!
//! Which spans are kept, and where they go, is the program's: it brings a tracer. Without these layers a gateway passes
//! the two headers on as they came, and is not seen in the trace.
//!
//! For a Gateway of whose traces an XTelemetryPolicy says something, that is so, whatever the program has chosen, if it
//! [lets policies count](Traces::by_policy): of which requests there are spans, what these say besides, and what backends are told of
//! that. Of a request that has none, nothing is made but the header that tells the backend so, where it does not say so already.
//!
//! The surprising case: a request that is not sampled has its span told to backends all the same, with the flag that says so.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::trace::Traces;
//! use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use opentelemetry::trace::TracerProvider;
//! use opentelemetry_sdk::propagation::TraceContextPropagator;
//! use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! # let client = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
//! let exporter = InMemorySpanExporter::default();
//! let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
//! let traces = Traces::new(provider.tracer("gateway"), TraceContextPropagator::new());
//!
//! // The table has one rule, for paths under `/shop`.
//! let gateway = Gateway::builder(TableHandle::new(table)).traces(&traces).client(client);
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let traced = traces.requests(connection.clone()).layer(gateway.on(connection));
//!
//! let request = Request::get("/shop/cart").header("host", "example.com").body(Full::<Bytes>::default()).unwrap();
//! let Ok(answer) = traced.oneshot(request).await;
//! drop(answer);
//! let [attempt, request] = &exporter.get_finished_spans().unwrap()[..] else { panic!("two spans") };
//! assert_eq!(attempt.parent_span_id, request.span_context.span_id());
//! # }
//! ```
//!
//! # Spec
//! W3C Trace Context; [TEL-04](gateway_core::spec#TEL-04), [TEL-05](gateway_core::spec#TEL-05).

mod headers;
mod trace_parent;
mod method;
mod attributes;
mod traces;
mod requests;
mod attempts;

pub use self::attempts::TracedAttempt;
#[cfg(feature = "otlp")]
pub(crate) use self::attributes::cut;
pub use self::requests::{TraceRequests, TracedRequest};
pub use self::traces::{PolicySpan, RecordSpans, Traces};
