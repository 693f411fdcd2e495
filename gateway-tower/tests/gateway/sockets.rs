//! Timeouts, retries and mirrors between real sockets, where bodies are under way while things go wrong.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{HttpFilter, RequestMirror, Share};
use gateway_core::rule::{BackendProtocol, Retry, Timeouts};
use gateway_tower::RequestBody;
use gateway_tower::upstream::Upstream;
use gateway_tower::{BoxError, Gateway};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tower::Service;

use crate::scene::{Scene, get, post};

type Answer = UnsyncBoxBody<Bytes, BoxError>;

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A backend of HTTP/1.1 that answers with `handle`.
pub(crate) async fn backend<F, R>(handle: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Answer>> + Send + 'static,
{
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let handle = handle.clone();
            let service = service_fn(move |request| {
                let answer = handle(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// An address at which no socket listens.
async fn nobody() -> SocketAddr {
    listener().await.1
}

pub(crate) fn text(status: u16, text: impl Into<Bytes>) -> Response<Answer> {
    let body = Full::new(text.into()).map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(status).body(body).expect("an answer")
}

/// Serves `gateway`, and connects to it.
async fn client<C, RB, B>(gateway: Gateway<C>) -> http1::SendRequest<B>
where
    C: Service<Request<RequestBody<Incoming>>, Response = Response<RB>> + Clone + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
    RB: Body<Data = Bytes> + Send + 'static,
    RB::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(gateway.clone());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    let stream = TcpStream::connect(address).await.expect("the gateway accepts");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(connection);
    sender
}

async fn read(response: Response<Incoming>) -> (StatusCode, Bytes) {
    let (parts, body) = response.into_parts();
    (parts.status, body.collect().await.expect("the body is whole").to_bytes())
}

fn retry(codes: &[u16]) -> Option<Retry> {
    let codes = codes.iter().map(|code| StatusCode::from_u16(*code).unwrap()).collect();
    Some(Retry { codes, attempts: 1, backoff: Duration::from_millis(1) })
}

/// A POST whose body is sent piece by piece.
fn streaming(length: Option<usize>) -> (Sender<Bytes, BoxError>, Request<Channel<Bytes, BoxError>>) {
    let (sender, body) = Channel::new(1);
    let request = post("/", "").map(|_| body);
    let (mut parts, body) = request.into_parts();
    if let Some(length) = length {
        parts.headers.insert("content-length", length.into());
    }
    (sender, Request::from_parts(parts, body))
}

async fn send(sender: &mut Sender<Bytes, BoxError>, piece: &'static [u8]) {
    sender.send(Frame::data(Bytes::from_static(piece))).await.expect("somebody reads");
}

// TMO-09
#[tokio::test]
async fn a_client_sees_that_an_answer_was_broken_off() {
    let slow = backend(async |_| {
        let (mut sender, body) = Channel::<Bytes, BoxError>::new(1);
        tokio::spawn(async move {
            send(&mut sender, b"begun").await;
            std::future::pending::<()>().await;
        });
        Response::new(body.boxed_unsync())
    })
    .await;
    let mut scene = Scene::new();
    scene.backend("slow", 1, [slow]);
    scene.timeouts = Timeouts::new(Some(Duration::from_secs(1)), None);
    let mut client = client(scene.gateway(Upstream::default())).await;
    let response = client.send_request(get("/")).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "begun");
    let end = body.frame().await.expect("the end is not regular").unwrap_err();
    assert_eq!(end.to_string(), "error reading a body from connection");
    assert!(body.frame().await.is_none());
}

// TMO-01
#[tokio::test]
async fn a_request_whose_body_does_not_come_times_out() {
    let patient =
        backend(async |request| text(200, request.into_body().collect().await.unwrap().to_bytes())).await;
    let mut scene = Scene::new();
    scene.backend("patient", 1, [patient]);
    scene.timeouts = Timeouts::new(Some(Duration::from_millis(100)), None);
    let mut client = client(scene.gateway(Upstream::default())).await;
    let (mut body, request) = streaming(Some(10));
    send(&mut body, b"half").await;
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 504);
}

// RTY-08, RTY-09
#[tokio::test]
async fn a_retry_finds_the_endpoint_that_works() {
    let works =
        backend(async |request| text(200, request.into_body().collect().await.unwrap().to_bytes())).await;
    let mut scene = Scene::new();
    scene.backend("half", 1, [nobody().await, works]);
    scene.retry = retry(&[]);
    let mut client = client(scene.gateway(Upstream::default())).await;
    for _ in 0..20 {
        client.ready().await.unwrap();
        assert_eq!(
            read(client.send_request(post("/", "body")).await.unwrap()).await,
            (StatusCode::OK, "body".into())
        );
    }
}

// RTY-11: what becomes of a request that a backend was sent before it closed the connection is not known.
#[tokio::test]
async fn a_request_that_a_backend_got_is_sent_once() {
    let (listener, closes) = listener().await;
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        // Takes connections and closes them without a word.
        while let Ok(connection) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            drop(connection);
        }
    });
    let mut scene = Scene::new();
    scene.backend("closes", 1, [closes]);
    scene.retry = retry(&[502]);
    let mut client = client(scene.gateway(Upstream::default())).await;
    assert_eq!(read(client.send_request(post("/", "body")).await.unwrap()).await.0, 502);
    assert_eq!(accepted.load(Ordering::Relaxed), 1);
}

// HRB-22, RTY-08
#[tokio::test]
async fn any_client_will_do() {
    let works = backend(async |_| text(200, "works")).await;
    for (endpoints, retries, status) in [
        (vec![works], None, 200),
        (vec![nobody().await], None, 503),
        (vec![nobody().await, works], retry(&[]), 200),
    ] {
        let mut scene = Scene::new();
        scene.backend("backend", 1, endpoints);
        scene.retry = retries;
        let hyper = legacy::Client::builder(TokioExecutor::new()).build_http::<RequestBody<Incoming>>();
        let mut client = client(scene.gateway(hyper)).await;
        assert_eq!(client.send_request(get("/")).await.unwrap().status(), status);
    }
}

// RTY-09
#[tokio::test]
async fn a_body_goes_on_with_the_next_attempt_where_the_first_was_given_up() {
    let (failed, mut failures) = mpsc::unbounded_channel();
    let fails = backend(move |_| {
        // Answers before the body is there.
        failed.send(()).unwrap();
        async { text(503, "") }
    })
    .await;
    let works =
        backend(async |request| text(200, request.into_body().collect().await.unwrap().to_bytes())).await;
    // Half of the requests meet the one that fails first.
    for _ in 0..20 {
        let mut scene = Scene::new();
        scene.backend("half", 1, [fails, works]);
        scene.retry = retry(&[503]);
        let mut client = client(scene.gateway(Upstream::default())).await;
        let (mut body, request) = streaming(None);
        send(&mut body, b"one ").await;
        let response = tokio::spawn(client.send_request(request));
        let failed = tokio::time::timeout(Duration::from_millis(50), failures.recv()).await.is_ok();
        send(&mut body, b"two ").await;
        send(&mut body, b"three").await;
        drop(body);
        assert_eq!(read(response.await.unwrap().unwrap()).await, (StatusCode::OK, "one two three".into()));
        if failed {
            return;
        }
    }
    panic!("none of twenty requests met the backend that fails");
}

// FMR-01, FMR-02, FMR-08
#[tokio::test]
async fn a_mirror_gets_the_body_piece_by_piece() {
    let (pieces, mut mirrored) = mpsc::unbounded_channel();
    let mirror = backend(move |request| {
        let pieces = pieces.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                let _ = pieces.send(frame.map(|frame| frame.into_data().unwrap()).map_err(|_| ()));
            }
            text(500, "nobody reads this")
        }
    })
    .await;
    let primary =
        backend(async |request| text(200, request.into_body().collect().await.unwrap().to_bytes())).await;
    let mut scene = Scene::new();
    scene.backend("primary", 1, [primary]);
    let backend = scene.table_backend("mirror", [mirror], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    let gateway = scene.gateway(Upstream::default());
    for length in [None, Some(8)] {
        let mut client = client(gateway.clone()).await;
        let (mut body, request) = streaming(length);
        let response = tokio::spawn(client.send_request(request));
        send(&mut body, b"one ").await;
        assert_eq!(mirrored.recv().await, Some(Ok("one ".into())), "before the request is whole");
        send(&mut body, b"two ").await;
        drop(body);
        assert_eq!(read(response.await.unwrap().unwrap()).await, (StatusCode::OK, "one two ".into()));
        assert_eq!(mirrored.recv().await, Some(Ok("two ".into())));
    }
    // A client that leaves in the middle.
    let mut client = client(gateway).await;
    let (mut body, request) = streaming(None);
    let response = tokio::spawn(client.send_request(request));
    send(&mut body, b"half").await;
    assert_eq!(mirrored.recv().await, Some(Ok("half".into())));
    body.abort("the client leaves".into());
    assert!(response.await.unwrap().is_err());
    assert_eq!(mirrored.recv().await, Some(Err(())), "the copy does not look complete");
}

// FMR-01
#[tokio::test]
async fn a_mirror_that_cannot_be_reached_does_no_harm() {
    let primary =
        backend(async |request| text(200, request.into_body().collect().await.unwrap().to_bytes())).await;
    let mut scene = Scene::new();
    scene.backend("primary", 1, [primary]);
    let backend = scene.table_backend("mirror", [nobody().await], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    let mut client = client(scene.gateway(Upstream::default())).await;
    let large = Bytes::from(vec![b'x'; 4 << 20]);
    assert_eq!(
        read(client.send_request(post("/", large.clone())).await.unwrap()).await,
        (StatusCode::OK, large)
    );
}
