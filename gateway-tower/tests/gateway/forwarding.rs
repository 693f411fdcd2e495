//! The request that a backend is sent.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use gateway_core::filter::{HttpFilter, PathModifier, UrlRewrite};
use gateway_core::matching::{HttpMatch, PathMatch};
use gateway_core::rule::{BackendProtocol, BackendTarget};
use gateway_tower::client::UpstreamTarget;
use gateway_tower::{BoxError, Connection, RequestBody};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, request};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use tower::service_fn;

use crate::scene::{Scene, capture, endpoint, gateway_name, get, send};

async fn forwarded(scene: Scene, request: Request<Full<Bytes>>) -> request::Parts {
    let captured = capture(scene, request).await;
    assert_eq!(captured.answer.status, 200);
    captured.request.expect("the request was forwarded")
}

// FRW-08
#[tokio::test]
async fn the_endpoint_is_in_the_target_and_the_host_of_the_client_in_the_header() {
    let parts = forwarded(Scene::with_backend(), get("/a/b?c=d")).await;
    assert_eq!(parts.uri, "http://10.0.0.1:8080/a/b?c=d");
    assert_eq!(parts.headers["host"], "example.com");
    let target = UpstreamTarget::from_extensions(&parts.extensions).expect("a target");
    assert_eq!(target.endpoint().address(), endpoint(1));
    assert_eq!(target.protocol(), BackendProtocol::Http1);
    assert_eq!(&*target.backend().service.name, "backend");
}

// FRW-07
#[tokio::test]
async fn a_client_cannot_have_the_gateways_headers_removed() {
    let mut connection = Connection::new(gateway_name(), 80);
    connection.peer = Some(([192, 0, 2, 7], 1).into());
    let mut request = get("/");
    request.extensions_mut().insert(Arc::new(connection));
    for (name, value) in [("connection", "close, x-forwarded-for"), ("x-forwarded-for", "10.0.0.1")] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let parts = forwarded(Scene::with_backend(), request).await;
    assert_eq!(parts.headers["x-forwarded-for"], "192.0.2.7");
}

// AMB-43
#[tokio::test]
async fn the_authority_of_the_target_becomes_the_host() {
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let request = Request::get("http://example.com:81/").version(version).body(Full::default()).unwrap();
        let parts = forwarded(Scene::with_backend(), request).await;
        assert_eq!(
            (&parts.headers["host"], parts.version),
            (&"example.com:81".parse().unwrap(), Version::HTTP_11)
        );
    }
    let mut request = get("http://real.example/");
    request.headers_mut().insert("host", "other.example".parse().unwrap());
    assert_eq!(forwarded(Scene::with_backend(), request).await.headers["host"], "real.example");
}

// AMB-01, AMB-02
#[tokio::test]
async fn what_was_matched_is_what_is_forwarded() {
    let mut scene = Scene::with_backend();
    scene.matches = HttpMatch { path: PathMatch::exact("/shop/cart"), ..HttpMatch::default() };
    let parts = forwarded(scene, get("/x/..//../%73hop/./cart?q=/../")).await;
    assert_eq!(parts.uri, "http://10.0.0.1:8080/shop/cart?q=/../");
    let parts = forwarded(Scene::with_backend(), get("http://example.com/x/../y")).await;
    assert_eq!(parts.uri, "http://10.0.0.1:8080/y");
}

// AMB-05
#[tokio::test]
async fn a_request_without_a_path_can_be_forwarded() {
    let connect =
        Request::builder().method(Method::CONNECT).uri("example.com:443").body(Full::default()).unwrap();
    let parts = forwarded(Scene::with_backend(), connect).await;
    assert_eq!(
        (parts.uri.authority().unwrap().as_str(), &parts.headers["host"]),
        ("10.0.0.1:8080", &"example.com:443".parse().unwrap())
    );
    let mut asterisk = get("*");
    *asterisk.method_mut() = Method::OPTIONS;
    assert_eq!(forwarded(Scene::with_backend(), asterisk).await.uri.path(), "*");
}

// FRW-01, FRW-08
#[tokio::test]
async fn a_rewrite_changes_host_and_path_but_not_the_endpoint() {
    for uri in ["/old/x?y=z", "http://example.com/old/x?y=z"] {
        let mut scene = Scene::with_backend();
        scene.matches = HttpMatch { path: PathMatch::prefix("/old"), ..HttpMatch::default() };
        scene.filters.push(HttpFilter::UrlRewrite(Box::new(UrlRewrite {
            hostname: Some("new.example".parse().unwrap()),
            path: Some(PathModifier::replace_prefix_match("/new").unwrap()),
        })));
        let parts = forwarded(scene, get(uri)).await;
        assert_eq!(parts.uri, "http://10.0.0.1:8080/new/x?y=z");
        assert_eq!(parts.headers["host"], "new.example");
    }
}

// BPR-01
#[tokio::test]
async fn a_backend_with_http_2_gets_http_2() {
    let mut scene = Scene::new();
    let backend = scene.table_backend("h2c", [endpoint(1)], BackendProtocol::H2c);
    scene.target(BackendTarget::Backend(backend), 1);
    assert_eq!(forwarded(scene, get("/")).await.version, Version::HTTP_2);
}

// HRB-21
#[tokio::test]
async fn all_endpoints_of_a_backend_are_used() {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let mut scene = Scene::new();
        scene.backend("backend", 1, [1, 2, 3].map(endpoint));
        seen.insert(forwarded(scene, get("/")).await.uri.authority().unwrap().to_string());
    }
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn bodies_and_their_trailers_pass_both_ways() {
    let client = service_fn(async |request: Request<RequestBody<StreamBody<_>>>| {
        // Sends back what came.
        Ok::<_, BoxError>(Response::new(request.into_body()))
    });
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("1"));
    let frames = [Frame::data(Bytes::from_static(b"body")), Frame::trailers(trailers.clone())];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, BoxError>)));
    let answer = send(&Scene::with_backend().gateway(client), get("/").map(|_| body)).await;
    assert_eq!((&*answer.body, answer.trailers), (&b"body"[..], Some(trailers)));
}

#[tokio::test]
async fn the_trace_of_the_client_goes_on_as_it_came() {
    let headers = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "a=1,b=2"),
        ("tracestate", "c=3"),
    ];
    let mut request = get("/");
    for (name, value) in headers {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    let parts = forwarded(Scene::with_backend(), request).await;
    let sent = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let sent: Vec<_> = sent.filter(|(name, _)| name.starts_with("trace")).collect();
    assert_eq!(sent, headers);
}
