//! The parts of messages that go through unchanged, and those that do not, in both versions of HTTP.

use bytes::Bytes;
use gateway_core::rule::BackendProtocol;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::net::TcpListener;

use crate::world::{Body, Client, Table, World, backend, echo, exchange, full, get, get2};

// GWL-18, FRW-07, FRW-08
#[tokio::test]
async fn http_1_goes_through_with_its_host_and_word_of_the_client() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let request = Request::post("/a/b?c=d")
        .header("host", "Example.com:8080")
        .header("connection", "keep-alive, x-hop")
        .header("x-hop", "1")
        .header("x-forwarded-proto", "https")
        .body(full("body"))
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(
        answer.text(),
        "POST /a/b?c=d HTTP/1.1\ncontent-length: 4\nhost: Example.com:8080\nx-forwarded-for: 127.0.0.1\n\
         x-forwarded-host: Example.com:8080\nx-forwarded-proto: http\n\nbody"
    );
}

// GWL-18
#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let mut client = Client::http1(world.connect().await).await;
    for path in ["/1", "/2", "/3"] {
        assert!(client.send(get(path)).await.text().starts_with(&format!("GET {path} ")));
    }
}

// GWL-18, GRP-18, BPR-07
#[tokio::test]
async fn http_2_is_understood_without_tls_by_its_preface() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let mut client = Client::http2(world.connect().await).await;
    let mut request = get2("example.com", "/path");
    request.headers_mut().append("cookie", HeaderValue::from_static("a=1"));
    request.headers_mut().append("cookie", HeaderValue::from_static("b=2"));
    assert_eq!(
        client.send(request).await.text(),
        "GET /path HTTP/1.1\ncookie: a=1; b=2\nhost: example.com\nx-forwarded-for: 127.0.0.1\n\
         x-forwarded-host: example.com\nx-forwarded-proto: http\n\n"
    );
}

// BPR-01, FRW-08
#[tokio::test]
async fn a_backend_of_h2c_gets_http_2_whatever_the_client_speaks() {
    let table = Table::new(1, echo().await).protocol(BackendProtocol::H2c);
    let world = World::start(&table).await;
    let mut http1 = Client::http1(world.connect().await).await;
    let mut http2 = Client::http2(world.connect().await).await;
    for (client, request) in [(&mut http1, get("/")), (&mut http2, get2("example.com", "/"))] {
        assert_eq!(
            client.send(request).await.text(),
            "GET http://example.com/ HTTP/2.0\nx-forwarded-for: 127.0.0.1\nx-forwarded-host: example.com\n\
             x-forwarded-proto: http\n\n"
        );
    }
}

/// A body of one chunk and a trailer.
fn with_trailers() -> Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("7"));
    let frames = [Ok(Frame::data(Bytes::from_static(b"body"))), Ok(Frame::trailers(trailers))];
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let backend = backend(|request| async move {
        let body = request.into_body().collect().await.unwrap();
        let received = body.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
        let mut response = Response::new(with_trailers());
        response.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
        if let Some(received) = received {
            response.headers_mut().insert("x-received", received);
        }
        response
    })
    .await;
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, backend).protocol(protocol)).await;
        let mut http1 = Client::http1(world.connect().await).await;
        let mut http2 = Client::http2(world.connect().await).await;
        let request = |target: &str| {
            // Over HTTP/1.1, trailers are sent when they are announced, and to those who say that they want them.
            let request = Request::post(target).header("te", "trailers").header("trailer", "x-sum");
            request.body(with_trailers()).unwrap()
        };
        let mut request1 = request("/");
        request1.headers_mut().insert("host", HeaderValue::from_static("example.com"));
        for (client, request) in [(&mut http1, request1), (&mut http2, request("http://example.com/"))] {
            let answer = client.send(request).await;
            assert_eq!((answer.status, answer.text()), (StatusCode::OK, "body"));
            assert_eq!(answer.headers["x-received"], "7", "{protocol:?}");
            assert_eq!(answer.trailers.expect("trailers")["x-sum"], "7", "{protocol:?}");
        }
    }
}

#[tokio::test]
async fn a_get_with_a_body_of_unknown_length_keeps_it() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let mut client = Client::http2(world.connect().await).await;
    let frames = [Ok(Frame::data(Bytes::from_static(b"body")))];
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
    let answer = client.send(get2("example.com", "/").map(|_| body)).await;
    assert!(answer.text().ends_with("\n\nbody"), "{}", answer.text());
}

#[tokio::test]
async fn an_answer_to_head_has_the_length_of_one_to_get() {
    let world = World::start(&Table::new(1, echo().await)).await;
    let mut client = Client::http1(world.connect().await).await;
    let mut request = get("/");
    *request.method_mut() = http::Method::HEAD;
    let answer = client.send(request).await;
    assert_eq!(answer.body, "");
    assert_ne!(answer.headers["content-length"], "0");
    assert_eq!(client.send(get("/")).await.status, StatusCode::OK);
}

// HRB-22
#[tokio::test]
async fn a_backend_that_refuses_connections_gives_503() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, closed).protocol(protocol)).await;
        assert_eq!(world.send(get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE, "{protocol:?}");
    }
}

// MSG-04
#[tokio::test]
async fn a_client_of_http_1_0_gets_an_answer_that_ends_with_the_connection() {
    let backend = backend(|_| async { Response::new(with_trailers()) }).await;
    let world = World::start(&Table::new(1, backend)).await;
    let answer = exchange(world.address(80), b"GET / HTTP/1.0\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nbody"), "{answer}");
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let world = World::start(&Table::new(1, echo().await).protocol(protocol)).await;
        let answer = exchange(world.address(80), b"GET /a HTTP/1.0\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{protocol:?}: {answer}");
    }
}
