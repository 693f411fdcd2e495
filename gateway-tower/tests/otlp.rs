//! The spans that policies ask for, from requests to what their providers are sent.

#![cfg(feature = "otlp")]

#[path = "gateway/scene.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod scene;

use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::Share;
use gateway_core::rule::BackendProtocol;
use gateway_core::table::{AttributeSource, KnownAttribute, Sampling, SpanAttribute, Spans};
use gateway_tower::balance::Random;
use gateway_tower::otlp::Outbox;
use gateway_tower::trace::Traces;
use gateway_tower::upstream::Upstream;
use gateway_tower::{BoxError, Gateway, RequestBody, TableHandle};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use opentelemetry::trace::TracerProvider;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::{Layer, ServiceExt, service_fn};

use self::scene::{Scene, answer, connection, endpoint, get};

type Body = Full<Bytes>;

/// A span of the client's, as W3C writes it, sampled.
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// The same, not sampled.
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// All requests, whatever a client says of them.
const ALL: Sampling = Sampling { of_new: Share::all(), of_parents: None };

fn share(numerator: i32) -> Share {
    Share::fraction(numerator, 100).unwrap()
}

/// What came of a request.
#[derive(Debug, Default)]
struct Seen {
    /// The spans that the provider was told of, those that end first before others.
    spans: Vec<Span>,
    /// What the provider was sent, by path and headers.
    exports: Vec<(String, HeaderMap)>,
    /// The name of the service in it.
    service_name: Option<String>,
    /// What the backend was told of the trace.
    told: HeaderMap,
    /// The spans of the program's own tracer.
    own: usize,
}

impl Seen {
    fn trace_parent(&self) -> Option<&str> {
        self.told.get("traceparent").map(|value| value.to_str().unwrap())
    }
}

/// What a policy wants; `change` says what besides all spans.
fn spans(scene: &mut Scene, protocol: BackendProtocol, change: impl FnOnce(&mut Spans)) {
    let provider = scene.table_backend("collector", [endpoint(9)], protocol);
    let mut spans = Spans {
        provider,
        headers: [].into(),
        sampling: ALL,
        service_name: None,
        name: None,
        attributes: [].into(),
    };
    change(&mut spans);
    scene.tracing(Some(spans));
}

/// Sends a request through a gateway whose policy is that of the scene, and reads what the provider is sent.
async fn send(scene: Scene, request: Request<Body>) -> Seen {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let tables = TableHandle::new(scene.table());
    let (outbox, exporter) = Outbox::new(tables.clone(), "gateway");
    let own = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(own.clone()).build();
    let traces = Traces::new(provider.tracer("own"), TraceContextPropagator::new())
        .by_policy(tables.clone(), outbox.clone());

    let keep = Arc::clone(&seen);
    let backend = service_fn(move |request: Request<RequestBody<Body>>| {
        keep.lock().unwrap().told = request.headers().clone();
        let mut answer = answer(200, "body");
        answer.headers_mut().insert("x-answer", HeaderValue::from_static("yes"));
        ready(Ok::<_, BoxError>(answer))
    });
    let keep = Arc::clone(&seen);
    let collector = service_fn(move |request: Request<RequestBody<Empty<Bytes>>>| {
        let keep = Arc::clone(&keep);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let is_grpc = parts.headers["content-type"] == "application/grpc";
            let message = if is_grpc { &body[5..] } else { &body[..] };
            let message = ExportTraceServiceRequest::decode(message)?;
            let mut seen = keep.lock().unwrap();
            seen.exports.push((parts.uri.to_string(), parts.headers));
            for resource in message.resource_spans {
                let attributes = resource.resource.unwrap().attributes;
                seen.service_name =
                    attributes.into_iter().find_map(|attribute| text(attribute.value?.value?));
                seen.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
            let mut answer = Response::new(Full::<Bytes>::default());
            if is_grpc {
                answer.headers_mut().insert("grpc-status", HeaderValue::from_static("0"));
            }
            Ok::<_, BoxError>(answer)
        }
    });
    let gateway = Gateway::builder(tables).traces(&traces).client(backend).on(connection());
    let Ok(answer) = traces.requests(connection()).layer(gateway).oneshot(request).await;
    answer.into_body().collect().await.unwrap();
    outbox.close();
    tokio::time::timeout(Duration::from_secs(10), exporter.run(collector, Arc::new(Random))).await.unwrap();
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.own = own.get_finished_spans().unwrap().len();
    seen
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        Value::ArrayValue(all) => {
            let all = all.values.into_iter().filter_map(|value| text(value.value?));
            Some(format!("[{}]", all.collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|attribute| attribute.key == key);
    let value = found.next()?.value.clone()?.value.and_then(text);
    assert!(found.next().is_none(), "{key} is there once");
    value
}

fn with(mut request: Request<Body>, headers: &[(&'static str, &'static str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    request
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// TEL-03, TEL-04
#[tokio::test]
async fn the_provider_is_told_of_request_and_attempt_over_what_its_port_speaks() {
    for (protocol, path) in [
        (
            BackendProtocol::H2c,
            "http://10.0.0.9:8080/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        ),
        (BackendProtocol::Http1, "http://10.0.0.9:8080/v1/traces"),
    ] {
        let mut scene = Scene::with_backend();
        spans(&mut scene, protocol, |spans| {
            spans.headers =
                [(HeaderName::from_static("authorization"), HeaderValue::from_static("Bearer x"))].into();
        });
        let seen =
            send(scene, with(get("/a?secret"), &[("traceparent", PARENT), ("tracestate", "a=1")])).await;
        let [(to, headers)] = &seen.exports[..] else { panic!("one batch: {seen:?}") };
        assert_eq!(to, path);
        assert_eq!(
            (&headers["host"], &headers["authorization"]),
            (&"collector.default:80".parse().unwrap(), &"Bearer x".parse().unwrap())
        );
        let [attempt, request] = &seen.spans[..] else { panic!("two spans: {seen:?}") };
        assert_eq!(hex(&request.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
        assert_eq!((&attempt.trace_id, &attempt.parent_span_id), (&request.trace_id, &request.span_id));
        assert_eq!((&*request.name, &*request.trace_state), ("GET", "a=1"));
        assert!(request.end_time_unix_nano >= request.start_time_unix_nano);
        let told = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", hex(&attempt.span_id));
        assert_eq!((seen.trace_parent(), &seen.told["tracestate"]), (Some(&*told), &"a=1".parse().unwrap()));
        for (key, value) in [
            ("http.request.method", "GET"),
            ("url.path", "/a"),
            ("http.response.status_code", "200"),
            ("gateway.rule", "HTTPRoute default/route/0"),
        ] {
            assert_eq!(attribute(request, key).as_deref(), Some(value), "{key}");
        }
        assert_eq!(attribute(attempt, "server.address").as_deref(), Some("10.0.0.1"));
        assert!(!format!("{:?}", seen.spans).contains("secret"));
        assert_eq!((seen.service_name.as_deref(), seen.own), (Some("gateway"), 0));
    }
}

/// Sends on what it is told.
struct Collector {
    told: UnboundedSender<tonic::Request<ExportTraceServiceRequest>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.told.send(request).map_err(|_| tonic::Status::unavailable("the test is over"))?;
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector on a socket, by the official service.
async fn collector() -> (SocketAddr, UnboundedReceiver<tonic::Request<ExportTraceServiceRequest>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, received) = unbounded_channel();
    let service = TraceServiceServer::new(Collector { told });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            let serving = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(serving.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, received)
}

// TEL-03, TEL-04
#[tokio::test]
async fn a_collector_on_a_socket_takes_spans_by_the_official_service() {
    let (address, mut received) = collector().await;
    let mut scene = Scene::with_backend();
    let provider = scene.table_backend("collector", [address], BackendProtocol::H2c);
    let bearer = (HeaderName::from_static("authorization"), HeaderValue::from_static("Bearer x"));
    scene.tracing(Some(Spans {
        provider,
        headers: [bearer].into(),
        sampling: ALL,
        service_name: Some("shop".into()),
        name: None,
        attributes: [].into(),
    }));
    let tables = TableHandle::new(scene.table());
    let (outbox, exporter) = Outbox::new(tables.clone(), "gateway");
    let exporting = tokio::spawn(exporter.run(Upstream::default(), Arc::new(Random)));
    let traces = Traces::disabled().by_policy(tables.clone(), outbox.clone());
    let backend = service_fn(|_: Request<RequestBody<Body>>| ready(Ok::<_, BoxError>(answer(200, "body"))));
    let gateway = Gateway::builder(tables).traces(&traces).client(backend).on(connection());
    let gateway = traces.requests(connection()).layer(gateway);
    for path in ["/a", "/b"] {
        let Ok(answer) = gateway.clone().oneshot(get(path)).await;
        answer.into_body().collect().await.unwrap();
    }
    outbox.close();
    tokio::time::timeout(Duration::from_secs(10), exporting).await.expect("all is sent").unwrap();
    let mut paths = Vec::new();
    while let Ok(request) = received.try_recv() {
        assert_eq!(request.metadata().get("authorization").unwrap(), "Bearer x");
        for resource in request.into_inner().resource_spans {
            let mut attributes = resource.resource.unwrap().attributes.into_iter();
            let name = attributes.find(|attribute| attribute.key == "service.name").unwrap();
            assert_eq!(name.value.unwrap().value.and_then(text).as_deref(), Some("shop"));
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            // Those of requests, and not those of their attempts.
            paths.extend(spans.filter_map(|span| {
                span.parent_span_id.is_empty().then(|| attribute(&span, "url.path").unwrap())
            }));
        }
    }
    paths.sort();
    assert_eq!(paths, ["/a", "/b"]);
}

// TEL-04
#[tokio::test]
async fn what_a_policy_has_decided_is_told_to_the_backend() {
    let new = |of_new, of_parents| Sampling { of_new: share(of_new), of_parents };
    let all = Some(Share::all());
    for (sampling, parent, sampled) in [
        (new(100, all), None, true),
        (new(0, all), None, false),
        (new(0, all), Some(PARENT), true),
        (new(100, all), Some(UNSAMPLED), false),
        (new(100, Some(share(0))), Some(PARENT), false),
        (new(0, None), Some(PARENT), false),
        (new(100, None), Some(UNSAMPLED), true),
        (new(100, all), Some("nonsense"), true),
        (new(0, all), Some("nonsense"), false),
    ] {
        let mut scene = Scene::with_backend();
        spans(&mut scene, BackendProtocol::H2c, |spans| spans.sampling = sampling);
        let headers: Vec<_> = parent.map(|parent| ("traceparent", parent)).into_iter().collect();
        let seen = send(scene, with(get("/"), &headers)).await;
        let what = format!("{sampling:?} {parent:?} {seen:?}");
        assert_eq!(seen.spans.len(), if sampled { 2 } else { 0 }, "{what}");
        let told = seen.trace_parent().expect("the backend is told");
        assert!(told.len() == 55 && told.ends_with(if sampled { "-01" } else { "-00" }), "{what}");
        let same = parent.is_some_and(|parent| parent.get(..36) == told.get(..36));
        assert_eq!(same, parent.is_some_and(|parent| parent.len() == 55), "{what}");
        assert_eq!(seen.own, 0, "{what}");
    }
}

// TEL-04: which requests have spans follows from the numbers of their traces.
#[tokio::test]
async fn the_number_of_a_new_trace_decides_about_it() {
    let (mut sampled, sampling) = (0, Sampling { of_new: share(50), of_parents: None });
    for _ in 0..60 {
        let mut scene = Scene::with_backend();
        spans(&mut scene, BackendProtocol::H2c, |spans| spans.sampling = sampling);
        let seen = send(scene, get("/")).await;
        let number = u128::from_str_radix(&seen.trace_parent().unwrap()[3..35], 16).unwrap();
        assert_eq!(seen.spans.len(), if sampling.samples(number, None) { 2 } else { 0 });
        sampled += seen.spans.len() / 2;
    }
    assert!((5..=55).contains(&sampled), "{sampled} of 60");
}

// TEL-04
#[tokio::test]
async fn a_policy_without_spans_lets_all_pass_and_one_that_is_not_there_leaves_it_to_the_program() {
    let mut disabled = Scene::with_backend();
    disabled.tracing(None);
    let seen = send(disabled, with(get("/"), &[("traceparent", PARENT), ("tracestate", "a=1")])).await;
    assert_eq!((seen.trace_parent(), seen.own, seen.spans.len()), (Some(PARENT), 0, 0));
    let seen = send(Scene::with_backend(), with(get("/"), &[("traceparent", PARENT)])).await;
    assert_eq!((seen.own, seen.spans.len(), seen.exports.len()), (2, 0, 0));
}

// TEL-05
#[tokio::test]
async fn spans_say_what_the_policy_has_them_say() {
    let header = HeaderName::from_static;
    let known = AttributeSource::Known;
    let all = [
        ("env", AttributeSource::Literal("prod".into())),
        ("tenant", AttributeSource::Header(header("x-tenant"))),
        ("answer", AttributeSource::Header(header("x-answer"))),
        ("none", AttributeSource::Header(header("x-none"))),
        ("method", known(KnownAttribute::RequestMethod)),
        ("url.path", known(KnownAttribute::UrlFull)),
        ("query", known(KnownAttribute::UrlQuery)),
        ("status", known(KnownAttribute::ResponseStatusCode)),
        ("route", known(KnownAttribute::Route)),
        ("tenants", known(KnownAttribute::RequestHeader(header("x-tenant")))),
        ("answers", known(KnownAttribute::ResponseHeader(header("x-answer")))),
        ("host", known(KnownAttribute::ServerAddress)),
        ("port", known(KnownAttribute::ServerPort)),
        ("version", known(KnownAttribute::ProtocolVersion)),
        ("error", known(KnownAttribute::ErrorType)),
        ("fragment", known(KnownAttribute::UrlFragment)),
    ];
    let mut scene = Scene::with_backend();
    spans(&mut scene, BackendProtocol::H2c, |spans| {
        let attribute = |(name, source): (&str, AttributeSource)| SpanAttribute { name: name.into(), source };
        spans.attributes = all.map(attribute).into();
        spans.name = Some("edge".into());
        spans.service_name = Some("shop".into());
    });
    let seen = send(scene, with(get("/a?b=c"), &[("x-tenant", "red"), ("x-tenant", "blue")])).await;
    let [attempt, request] = &seen.spans[..] else { panic!("two spans: {seen:?}") };
    assert_eq!((&*request.name, &*attempt.name, seen.service_name.as_deref()), ("edge", "GET", Some("shop")));
    for span in [attempt, request] {
        for (key, value) in [
            ("env", Some("prod")),
            ("tenant", Some("red, blue")),
            ("none", None),
            ("method", Some("GET")),
            ("url.path", Some("http://example.com/a?b=c")),
            ("query", Some("b=c")),
            ("status", Some("200")),
            ("tenants", Some("[red, blue]")),
            ("host", Some("example.com")),
            ("port", Some("80")),
            ("version", Some("1.1")),
            ("error", None),
            ("fragment", None),
        ] {
            assert_eq!(attribute(span, key).as_deref(), value, "{key}");
        }
    }
    for (key, value) in [("answer", "yes"), ("answers", "[yes]"), ("route", "/")] {
        assert_eq!(attribute(request, key).as_deref(), Some(value), "{key}");
    }
}

// TEL-05
#[tokio::test]
async fn what_goes_wrong_is_said_under_the_name_of_the_policy_too() {
    let mut scene = Scene::new();
    scene.backend("backend", 1, []);
    spans(&mut scene, BackendProtocol::Http1, |spans| {
        let source = AttributeSource::Known(KnownAttribute::ErrorType);
        spans.attributes = [SpanAttribute { name: "why".into(), source }].into();
    });
    let seen = send(scene, get("/")).await;
    let [request] = &seen.spans[..] else { panic!("one span: {seen:?}") };
    let why = attribute(request, "error.type");
    assert!(why.is_some());
    assert_eq!(attribute(request, "why"), why);
}
