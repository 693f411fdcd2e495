//! The answers that the gateway gives by itself, and what it says about them.

use std::error::Error;
use std::future::ready;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::exchange;
use gateway_core::filter::{Extension, HttpFilter, ListenerFilter, Verdict};
use gateway_core::hostname::Hostname;
use gateway_core::matching::{HttpMatch, PathMatch};
use gateway_core::rule::BackendTarget;
use gateway_core::table::{Certificate, Listener, ListenerProtocol, ListenerTls, NoMatch, RouteTable};
use gateway_tower::client::ConnectError;
use gateway_tower::outcome::{AnsweredBy, Refusal};
use gateway_tower::tunnel::Joined;
use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
use http::{HeaderValue, Request, Response, Uri, request};
use http_body::Body as _;
use http_body_util::Full;
use tower::{Service, ServiceExt, service_fn};

use crate::scene::{Scene, answer, connection, endpoint, gateway_name, get, read, send};

type Body = Full<Bytes>;

/// A client that must not be called.
fn nobody()
-> impl Service<Request<RequestBody<Body>>, Response = Response<Body>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(async |_| -> Result<Response<Body>, BoxError> { panic!("no backend is to be contacted") })
}

/// A client that answers each request with the endpoint it is for.
fn echo()
-> impl Service<Request<RequestBody<Body>>, Response = Response<Body>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(async |request: Request<RequestBody<Body>>| {
        let authority = request.uri().authority().expect("an endpoint").to_string();
        Ok(Response::new(Full::from(authority)))
    })
}

// HRM-16
#[tokio::test]
async fn a_request_that_no_rule_matches_is_not_found() {
    let mut scene = Scene::with_backend();
    scene.matches = HttpMatch { path: PathMatch::exact("/here"), ..HttpMatch::default() };
    let answer = send(&scene.gateway(nobody()), get("/elsewhere")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body, "404: no route matches the request\n");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    let outcome = answer.outcome;
    assert!(matches!(
        outcome.refusal(),
        Some(Refusal::Undecided(exchange::Refusal::Unmatched(NoMatch::NoRule(_))))
    ));
    assert_eq!(outcome.listener().unwrap().to_string(), "default/gateway/http");
    assert_eq!(outcome.table().unwrap().generation(), 1);
}

/// Answers requests without a key, and sends the others elsewhere.
#[derive(Debug)]
struct Key;

impl Extension for Key {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        if parts.headers.contains_key("x-key") {
            parts.uri = Uri::from_static("/here");
            return Verdict::Continue;
        }
        Verdict::Respond(Box::new(answer(401, "no key").map(|_| Bytes::from_static(b"no key"))))
    }
}

// PRF-01, PRF-05
#[tokio::test]
async fn a_filter_of_the_listener_answers_before_a_rule_is_looked_for() {
    let mut scene = Scene::with_backend();
    scene.matches = HttpMatch { path: PathMatch::exact("/here"), ..HttpMatch::default() };
    scene.listener_filters = vec![ListenerFilter::Extension(Arc::new(Key))];
    let gateway = scene.gateway(echo());
    for path in ["/here", "/elsewhere"] {
        let denied = send(&gateway, get(path)).await;
        assert_eq!(denied.status, 401);
        assert_eq!(denied.body, "no key");
        assert_eq!(denied.outcome.answered_by, AnsweredBy::Filter);
        assert!(denied.outcome.routed.is_none());
        assert_eq!(denied.outcome.table().unwrap().generation(), 1);

        let mut request = get(path);
        request.headers_mut().insert("x-key", HeaderValue::from_static("1"));
        assert_eq!(send(&gateway, request).await.status, 200, "{path}");
    }
}

// PRF-07
#[tokio::test]
async fn a_filter_of_the_listener_that_leads_nowhere_fails_requests() {
    let mut scene = Scene::with_backend();
    scene.listener_filters = vec![ListenerFilter::Unresolved];
    let answer = send(&scene.gateway(nobody()), get("/")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body, "500: a filter of the listener cannot be carried out\n");
    let refusal = answer.outcome.refusal();
    assert!(matches!(refusal, Some(Refusal::Undecided(exchange::Refusal::ListenerFilter))));
}

// HST-10
#[tokio::test]
async fn a_port_without_listeners_serves_nothing() {
    let connection = Arc::new(Connection::new(gateway_name(), 81));
    let gateway = Scene::with_backend().gateway(nobody()).on(connection);
    let answer = send(&gateway, get("/")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.outcome.listener().is_none());
}

// AMB-16
#[tokio::test]
async fn a_request_without_a_host_is_malformed() {
    let gateway = Scene::with_backend().gateway(nobody());
    let answer = send(&gateway, Request::get("/").body(Body::default()).unwrap()).await;
    assert_eq!(answer.status, 400);
}

// HST-20, AMB-42
#[tokio::test]
async fn a_request_for_the_host_of_another_listener_is_misdirected() {
    let mut table = RouteTable::builder(7);
    for hostname in ["a.example", "b.example"] {
        let certificate =
            Certificate::new(vec![], rustls_pki_types::PrivatePkcs8KeyDer::from(&b"key"[..]).into());
        let tls = ListenerTls { certificates: [certificate].into(), clients: None };
        table.listener(Listener {
            hostname: Some(hostname.parse::<Hostname>().unwrap()),
            ..Listener::new(gateway_name(), hostname, 443, ListenerProtocol::Https(tls))
        });
    }
    let mut connection = Connection::new(gateway_name(), 443);
    connection.server_name = Some("a.example".into());
    let gateway = Gateway::new(TableHandle::new(table.build()), nobody()).on(Arc::new(connection));
    let request = Request::get("/").header("host", "b.example").body(Body::default()).unwrap();
    let answer = send(&gateway, request).await;
    assert_eq!(answer.status, 421);
    assert_eq!(answer.outcome.listener().unwrap().to_string(), "default/gateway/b.example");
}

// HRB-11, HRB-13, AMB-20
#[tokio::test]
async fn a_rule_without_a_backend_that_has_a_weight_fails() {
    let mut weightless = Scene::new();
    weightless.backend("a", 0, [endpoint(1)]);
    weightless.backend("b", 0, [endpoint(2)]);
    for scene in [Scene::new(), weightless] {
        let answer = send(&scene.gateway(nobody()), get("/")).await;
        assert_eq!(answer.status, 500);
        assert!(matches!(answer.outcome.refusal(), Some(Refusal::Undecided(exchange::Refusal::NoBackend))));
        assert_eq!(answer.outcome.routed.unwrap().rule().id.to_string(), "default/route/0");
    }
}

// HRB-10
#[tokio::test]
async fn an_invalid_reference_fails_its_requests() {
    let mut scene = Scene::new();
    scene.target(BackendTarget::Unresolved, 1);
    assert_eq!(send(&scene.gateway(nobody()), get("/")).await.status, 500);
}

// HRB-12
#[tokio::test]
async fn a_backend_without_endpoints_is_unavailable() {
    let mut scene = Scene::new();
    scene.backend("empty", 1, []);
    let answer = send(&scene.gateway(nobody()), get("/")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(&*answer.outcome.routed.unwrap().backend().unwrap().service.name, "empty");
}

// HRB-03, HRB-04, HRB-12, AMB-21
#[tokio::test]
async fn every_reference_keeps_its_share_whatever_becomes_of_it() {
    let mut scene = Scene::new();
    scene.backend("good", 2, [endpoint(1)]);
    scene.target(BackendTarget::Unresolved, 1);
    scene.backend("empty", 1, []);
    scene.backend("unused", 0, [endpoint(2)]);
    let gateway = scene.gateway(echo());
    let mut counts = [0u32; 3];
    for _ in 0..4000 {
        let answer = send(&gateway, get("/")).await;
        match (answer.status, &*answer.body) {
            (200, b"10.0.0.1:8080") => counts[0] += 1,
            (500, _) => counts[1] += 1,
            (503, _) => counts[2] += 1,
            other => panic!("{other:?}"),
        }
    }
    // More than six standard deviations.
    assert!(counts[0].abs_diff(2000) < 200, "{counts:?}");
    assert!(counts[1].abs_diff(1000) < 200, "{counts:?}");
}

// FLT-05, FEX-02
#[tokio::test]
async fn a_filter_that_cannot_be_resolved_fails_the_request() {
    let mut rule = Scene::with_backend();
    rule.filters.push(HttpFilter::Unresolved);
    let mut backend = Scene::new();
    backend.backend("backend", 1, [endpoint(1)]).filters = [HttpFilter::Unresolved].into();
    for scene in [rule, backend] {
        let answer = send(&scene.gateway(nobody()), get("/")).await;
        assert_eq!(answer.status, 500);
        assert!(matches!(answer.outcome.refusal(), Some(Refusal::Undecided(exchange::Refusal::Filter))));
    }
}

/// A call of gRPC.
fn call(path: &str) -> Request<Body> {
    let request = Request::post(path).header("host", "example.com");
    request.header("content-type", "application/grpc+proto").body(Body::default()).unwrap()
}

// AMB-64, GRP-10, GRP-11, GRP-12, HST-10
#[tokio::test]
async fn a_client_of_grpc_is_refused_with_a_code() {
    let mut unmatched = Scene::with_backend();
    unmatched.matches = HttpMatch { path: PathMatch::exact("/shop.Cart/Add"), ..HttpMatch::default() };
    let mut unresolved = Scene::new();
    unresolved.target(BackendTarget::Unresolved, 1);
    let mut empty = Scene::new();
    empty.backend("empty", 1, []);
    for (scene, code, message) in [
        (unmatched, "12", "404: no route matches the request"),
        (Scene::new(), "12", "500: the route has no backend"),
        (unresolved, "14", "500: the backend of the route is invalid"),
        (empty, "14", "503: the backend has no ready endpoints"),
    ] {
        let gateway = scene.gateway(nobody());
        let Ok(response) = gateway.clone().oneshot(call("/shop.Cart/Remove")).await;
        // The head is all there is: over HTTP/2 it ends the stream, as gRPC demands of an answer without messages.
        assert!(response.body().is_end_stream());
        let answer = read(response).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b""[..]));
        assert_eq!(answer.headers["content-type"], "application/grpc+proto");
        assert_eq!(answer.headers["grpc-status"], code);
        assert_eq!(answer.headers["grpc-message"], message);
        assert_eq!(answer.outcome.answered_by, AnsweredBy::Gateway);
        assert!(send(&gateway, get("/shop.Cart/Remove")).await.status >= 400, "to others it is HTTP");
    }
}

// HRB-22
#[tokio::test]
async fn a_backend_that_fails_gives_502_and_one_that_cannot_be_reached_503() {
    let failing = |error: fn() -> BoxError| {
        let client =
            service_fn(move |_: Request<RequestBody<Body>>| ready(Err::<Response<Body>, _>(error())));
        Scene::with_backend().gateway(client)
    };
    let broken = send(&failing(|| io::Error::from(io::ErrorKind::ConnectionReset).into()), get("/")).await;
    assert_eq!((broken.status, broken.outcome.endpoint()), (502, Some(endpoint(1))));
    let refusal = broken.outcome.refusal().expect("the gateway answered");
    assert_eq!(refusal.source().unwrap().to_string(), "connection reset");

    let unreachable =
        failing(|| ConnectError { endpoint: endpoint(1), cause: "connection refused".into() }.into());
    let unreachable = send(&unreachable, get("/")).await;
    assert_eq!(unreachable.status, 503);
    assert_eq!(unreachable.body, "503: the backend cannot be reached\n");
}

#[tokio::test]
async fn the_answer_of_a_backend_says_where_it_came_from() {
    let answer = send(&Scene::with_backend().gateway(echo()), get("/")).await;
    let outcome = answer.outcome;
    assert!(matches!(outcome.answered_by, AnsweredBy::Backend));
    assert_eq!((outcome.endpoint(), outcome.retries), (Some(endpoint(1)), 0));
    let routed = outcome.routed.unwrap();
    assert_eq!(routed.rule().id.to_string(), "default/route/0");
    assert_eq!(&*routed.backend().unwrap().service.name, "backend");
}

#[tokio::test]
async fn a_request_keeps_the_table_that_it_started_with() {
    let tables = TableHandle::new(Scene::with_backend().table());
    let swap = tables.clone();
    let client = service_fn(move |_: Request<RequestBody<Body>>| {
        let swap = swap.clone();
        async move {
            // The rule of the request is not in the new table.
            swap.store(RouteTable::builder(2).build());
            Ok::<_, BoxError>(answer(200, "old"))
        }
    });
    let gateway = Gateway::new(tables, client).on(connection());
    let first = send(&gateway, get("/")).await;
    assert_eq!((first.status, first.outcome.table().unwrap().generation()), (200, 1));
    let second = send(&gateway, get("/")).await;
    assert_eq!((second.status, second.outcome.table().unwrap().generation()), (404, 2));
}

#[tokio::test]
async fn the_connection_in_the_extensions_goes_before_the_default() {
    let gateway = Scene::with_backend().gateway(echo());
    let mut request = get("/");
    request.extensions_mut().insert(Arc::new(Connection::new(gateway_name(), 81)));
    assert_eq!(send(&gateway, request).await.status, 404);
    let nowhere = Gateway::new(TableHandle::new(Scene::with_backend().table()), nobody());
    let answer = send(&nowhere, get("/")).await;
    assert_eq!(answer.status, 500);
    assert!(matches!(answer.outcome.refusal(), Some(Refusal::NoConnection)));
}

// MSG-07; RFC 9110 sections 7.8 and 15.2
#[tokio::test]
async fn an_answer_ends_the_exchange_as_it_was_asked_for_or_is_none() {
    for (asked, status, switched_to, joined, expected) in [
        (None, 101, Some("websocket"), true, 502),
        (Some("websocket"), 101, Some("foo"), true, 502),
        (Some("websocket"), 101, None, true, 502),
        (Some("websocket"), 101, Some("WebSocket"), true, 101),
        (Some("websocket"), 101, Some("WebSocket"), false, 502),
        (Some("websocket"), 103, None, false, 502),
        (None, 103, None, false, 502),
        (None, 200, None, false, 200),
    ] {
        let client = service_fn(move |_: Request<RequestBody<Body>>| {
            let mut response = Response::builder().status(status);
            if joined {
                response = response.extension(Joined);
            }
            if let Some(protocol) = switched_to {
                response = response.header("upgrade", protocol);
            }
            ready(Ok::<_, BoxError>(response.body(Full::<Bytes>::default()).unwrap()))
        });
        let mut request = get("/");
        if let Some(protocol) = asked {
            request.headers_mut().insert("connection", "upgrade".parse().unwrap());
            request.headers_mut().insert("upgrade", protocol.parse().unwrap());
        }
        let answer = send(&Scene::with_backend().gateway(client), request).await;
        assert_eq!(answer.status, expected, "{asked:?} {status} {switched_to:?} {joined}");
    }
}

// RFC 9110 section 9.3.2
#[tokio::test]
async fn an_answer_to_head_has_no_body_whoever_gives_it() {
    let mut head = get("/");
    *head.method_mut() = http::Method::HEAD;
    let refused = service_fn(async |_: Request<RequestBody<Body>>| {
        let cause = io::Error::from(io::ErrorKind::ConnectionRefused).into();
        Err::<Response<Body>, BoxError>(ConnectError { endpoint: endpoint(1), cause }.into())
    });
    let answer = send(&Scene::with_backend().gateway(refused), head).await;
    assert_eq!((answer.status, &answer.body[..]), (503, &b""[..]));
    assert_eq!(answer.headers["content-length"], "35");
}
