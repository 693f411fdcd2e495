//! Traces: the spans of requests and attempts, and what backends are told of them.

#![cfg(feature = "trace")]

#[path = "gateway/scene.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod scene;

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use gateway_core::rule::Retry;
use gateway_tower::client::ConnectError;
use gateway_tower::trace::Traces;
use gateway_tower::{BoxError, Gateway, RequestBody, TableHandle};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use tower::{Layer, Service, ServiceExt, service_fn};

use self::scene::{Scene, answer, connection, endpoint, get};

type Body = Full<Bytes>;

/// A span of the client's, as W3C writes it, sampled.
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A gateway whose requests have spans, and what became of these.
struct Traced {
    scene: Scene,
    exporter: InMemorySpanExporter,
    traces: Traces,
}

impl Traced {
    fn new(scene: Scene, sampler: Sampler) -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider =
            SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(exporter.clone());
        let tracer = provider.build().tracer("gateway");
        Self { scene, exporter, traces: Traces::new(tracer, TraceContextPropagator::new()) }
    }

    /// Sends one request through a gateway over this client, and reads the answer to its end.
    async fn send<C>(self, client: C, request: Request<Body>) -> Vec<SpanData>
    where
        C: Service<Request<RequestBody<Body>>, Response = Response<Body>, Error = BoxError, Future: Send>
            + Clone
            + Send
            + 'static,
    {
        let tables = TableHandle::new(self.scene.table());
        let gateway = Gateway::builder(tables).traces(&self.traces).client(client).on(connection());
        let Ok(answer) = self.traces.requests(connection()).layer(gateway).oneshot(request).await;
        let _broken_off = answer.into_body().collect().await;
        self.exporter.get_finished_spans().unwrap()
    }
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.as_str().into_owned())
}

fn with_parent(state: &'static str) -> Request<Body> {
    let mut request = get("/a?secret");
    request.headers_mut().insert("traceparent", PARENT.parse().unwrap());
    request.headers_mut().insert("tracestate", state.parse().unwrap());
    request
}

/// What a backend was told of a trace.
fn told(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    (value("traceparent"), value("tracestate"))
}

#[tokio::test]
async fn a_backend_is_told_of_the_attempt_within_the_request_within_the_trace_of_the_client() {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let client = service_fn(move |request: Request<RequestBody<Body>>| {
        *keep.lock().unwrap() = Some(told(request.headers()));
        ready(Ok::<_, BoxError>(answer(200, "body")))
    });
    let spans = Traced::new(Scene::with_backend(), Sampler::AlwaysOn).send(client, with_parent("a=1")).await;
    let [attempt, request] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(request.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(request.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(attempt.parent_span_id, request.span_context.span_id());
    let parent = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", attempt.span_context.span_id());
    assert_eq!(seen.lock().unwrap().take(), Some((Some(parent), Some("a=1".to_owned()))));

    assert_eq!((&request.span_kind, &attempt.span_kind), (&SpanKind::Server, &SpanKind::Client));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/a"),
        ("url.scheme", "http"),
        ("server.address", "example.com"),
        ("http.response.status_code", "200"),
        ("gateway.listener", "default/gateway/http"),
        ("gateway.rule", "HTTPRoute default/route/0"),
    ] {
        assert_eq!(attribute(request, key).as_deref(), Some(value), "{key}");
    }
    for (key, value) in [
        ("gateway.backend", "default/backend:80"),
        ("server.address", "10.0.0.1"),
        ("server.port", "8080"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(attribute(attempt, key).as_deref(), Some(value), "{key}");
    }
    assert!(!format!("{spans:?}").contains("secret"), "a query may hold what nobody else is to read");
}

#[tokio::test]
async fn each_attempt_has_a_span_and_failures_say_why() {
    let mut scene = Scene::with_backend();
    scene.retry = Some(Retry { codes: Box::default(), attempts: 1, backoff: std::time::Duration::ZERO });
    let client = service_fn(|_: Request<RequestBody<Body>>| {
        ready(Err(ConnectError { endpoint: endpoint(1), cause: "refused".into() }.into()))
    });
    let spans = Traced::new(scene, Sampler::AlwaysOn).send(client, get("/")).await;
    let [first, second, request] = &spans[..] else { panic!("{spans:?}") };
    for attempt in [first, second] {
        assert_eq!(attempt.parent_span_id, request.span_context.span_id());
        assert_eq!(attribute(attempt, "error.type").as_deref(), Some("unreachable"));
    }
    assert_eq!(attribute(first, "http.request.resend_count"), None);
    assert_eq!(attribute(second, "http.request.resend_count").as_deref(), Some("1"));
    assert_eq!(attribute(request, "error.type").as_deref(), Some("unreachable"));
    assert_eq!(attribute(request, "gateway.retries").as_deref(), Some("1"));
    assert_eq!(request.status, Status::error(""));
}

#[tokio::test]
async fn what_is_not_sampled_is_told_to_backends_and_not_kept() {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let client = service_fn(move |request: Request<RequestBody<Body>>| {
        *keep.lock().unwrap() = told(request.headers()).0;
        ready(Ok::<_, BoxError>(answer(200, "")))
    });
    let spans = Traced::new(Scene::with_backend(), Sampler::AlwaysOff).send(client, with_parent("a=1")).await;
    assert!(spans.is_empty(), "{spans:?}");
    let parent = seen.lock().unwrap().take().unwrap();
    assert!(
        parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && parent.ends_with("-00"),
        "{parent}"
    );
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_its_spans() {
    let never = service_fn(|_: Request<RequestBody<Body>>| pending::<Result<Response<Body>, BoxError>>());
    let traced = Traced::new(Scene::with_backend(), Sampler::AlwaysOn);
    // With the last tracer go the spans that it exported.
    let (exporter, _traces) = (traced.exporter.clone(), traced.traces.clone());
    assert!(traced.send(never, get("/")).now_or_never().is_none());
    let spans = exporter.get_finished_spans().unwrap();
    let errors: Vec<_> = spans.iter().map(|span| attribute(span, "error.type")).collect();
    assert_eq!(errors, [Some("given_up".to_owned()), Some("given_up".to_owned())]);
}

#[tokio::test]
async fn without_a_tracer_what_came_is_passed_on() {
    let client = service_fn(|request: Request<RequestBody<Body>>| {
        let (parent, state) = told(request.headers());
        assert_eq!((parent.as_deref(), state.as_deref()), (Some(PARENT), Some("a=1")));
        ready(Ok::<_, BoxError>(answer(200, "")))
    });
    let traced = Traced::new(Scene::with_backend(), Sampler::AlwaysOn);
    let spans = Traced { traces: Traces::disabled(), ..traced }.send(client, with_parent("a=1")).await;
    assert!(spans.is_empty(), "{spans:?}");
}
