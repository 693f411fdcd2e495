//! Mirrors.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{HeaderModifier, HttpFilter, RequestMirror, Share};
use gateway_core::rule::{BackendProtocol, Retry};
use gateway_tower::mirror::{MAX_MIRRORS, TIME_LIMIT};
use gateway_tower::{BoxError, RequestBody};
use http::{HeaderValue, Request, Response, request};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tower::{Service, ServiceExt, service_fn};

use crate::scene::{Scene, answer, endpoint, get, post, read, send};

/// The mirror's endpoint.
const MIRROR: &str = "10.0.0.9:8080";

/// What a backend received.
#[derive(Debug)]
struct Received {
    parts: request::Parts,
    body: Result<Bytes, String>,
}

impl Received {
    fn is_mirror(&self) -> bool {
        self.parts.uri.authority().unwrap() == MIRROR
    }
}

/// What backends received, as it comes.
type Log = mpsc::UnboundedReceiver<Received>;

/// A client that reports what it receives and answers with 200.
fn backends<B>() -> (
    Log,
    impl Service<Request<RequestBody<B>>, Response = Response<Full<Bytes>>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + 'static,
)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (log, received) = mpsc::unbounded_channel();
    let client = service_fn(move |request: Request<RequestBody<B>>| {
        let log = log.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).map_err(|error| error.to_string());
            let _test_is_over = log.send(Received { parts, body });
            Ok::<_, BoxError>(answer(200, "primary"))
        }
    });
    (received, client)
}

/// A rule with a mirror to one of two endpoints.
fn scene(share: Share) -> Scene {
    let mut scene = Scene::with_backend();
    add_mirror(&mut scene, share);
    scene
}

fn add_mirror(scene: &mut Scene, share: Share) {
    let backend = scene.table_backend("mirror", [endpoint(9)], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share }));
}

/// All that was received, after everything that can happen has happened.
async fn drain(log: &mut Log) -> Vec<Received> {
    sleep(Duration::from_secs(1)).await;
    std::iter::from_fn(|| log.try_recv().ok()).collect()
}

// FMR-01, FMR-05, FMR-08, AMB-50
#[tokio::test(start_paused = true)]
async fn a_mirror_gets_the_request_with_its_body() {
    let (mut log, client) = backends();
    let mut scene = Scene::with_backend();
    let set = |value| HttpFilter::RequestHeaderModifier(HeaderModifier::new([("x", value)], [], []).unwrap());
    scene.filters.push(set("before"));
    add_mirror(&mut scene, Share::all());
    scene.filters.push(set("after"));
    let answer = send(&scene.gateway(client), post("/p?q", "body")).await;
    assert_eq!(answer.body, "primary");
    let mut received = drain(&mut log).await;
    received.sort_by_key(Received::is_mirror);
    let [primary, mirror] = &received[..] else { panic!("{received:?}") };
    assert_eq!(primary.parts.headers["x"], "after");
    assert_eq!(mirror.parts.headers["x"], "before");
    assert_eq!(mirror.parts.uri, "http://10.0.0.9:8080/p?q");
    for received in [primary, mirror] {
        assert_eq!(received.parts.headers["host"], "example.com");
        assert_eq!(received.body.as_deref(), Ok(&b"body"[..]));
    }
}

// FMR-02, FMR-03
#[tokio::test(start_paused = true)]
async fn every_mirror_gets_one_copy() {
    let (mut log, client) = backends();
    let mut scene = Scene::with_backend();
    for first in [20, 30] {
        let endpoints = [first, first + 1, first + 2].map(endpoint);
        let backend = scene.table_backend("mirror", endpoints, BackendProtocol::Http1);
        scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    }
    send(&scene.gateway(client), post("/", "body")).await;
    let received = drain(&mut log).await;
    let mut tens: Vec<_> =
        received.iter().map(|received| received.parts.uri.host().unwrap().as_bytes()[7]).collect();
    tens.sort_unstable();
    assert_eq!(tens, [b'1', b'2', b'3']);
    assert!(received.iter().all(|received| received.body.as_deref() == Ok(b"body")));
}

// FMR-04
#[tokio::test(start_paused = true)]
async fn a_share_of_the_requests_is_mirrored() {
    let (mut log, client) = backends();
    let gateway = scene(Share::fraction(1, 4).unwrap()).gateway(client);
    for _ in 0..2000 {
        send(&gateway, get("/")).await;
    }
    let mirrored = drain(&mut log).await.iter().filter(|received| received.is_mirror()).count();
    // More than six standard deviations.
    assert!(mirrored.abs_diff(500) < 120, "{mirrored}");
}

// FMR-01
#[tokio::test(start_paused = true)]
async fn a_mirror_that_fails_or_hangs_does_no_harm() {
    for hang in [false, true] {
        let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| async move {
            match request.uri().authority().unwrap() == MIRROR {
                true if hang => std::future::pending().await,
                true => Err(BoxError::from("broken")),
                false => Ok(answer(200, "primary")),
            }
        });
        let answer = send(&scene(Share::all()).gateway(client), post("/", "body")).await;
        assert_eq!((answer.status, &*answer.body, answer.outcome.retries), (200, &b"primary"[..], 0));
    }
}

// FMR-02
#[tokio::test(start_paused = true)]
async fn a_mirror_without_endpoints_is_not_sent() {
    let (mut log, client) = backends();
    let mut scene = Scene::with_backend();
    let backend = scene.table_backend("mirror", [], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    assert_eq!(send(&scene.gateway(client), get("/")).await.status, 200);
    assert_eq!(drain(&mut log).await.len(), 1);
}

// AMB-51
#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_attempted_is_not_mirrored() {
    let mut redirected = scene(Share::all());
    redirected.filters.push(HttpFilter::RequestRedirect(Box::default()));
    let mut unavailable = Scene::new();
    add_mirror(&mut unavailable, Share::all());
    unavailable.backend("empty", 1, []);
    let mut failing = Scene::new();
    add_mirror(&mut failing, Share::all());
    failing.backend("backend", 1, [endpoint(1)]).filters = [HttpFilter::Unresolved].into();
    for (scene, status) in [(redirected, 302), (unavailable, 503), (failing, 500)] {
        let (mut log, client) = backends();
        assert_eq!(send(&scene.gateway(client), get("/")).await.status, status);
        assert!(drain(&mut log).await.is_empty());
    }
}

// AMB-52
#[tokio::test(start_paused = true)]
async fn a_request_that_is_retried_is_mirrored_once() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let log = Arc::clone(&log);
        async move {
            let authority = request.uri().authority().unwrap().to_string();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            log.lock().unwrap().push((authority, body));
            Ok::<_, BoxError>(answer(500, ""))
        }
    });
    let mut scene = scene(Share::all());
    let codes = [http::StatusCode::INTERNAL_SERVER_ERROR].into();
    scene.retry = Some(Retry { codes, attempts: 2, backoff: Duration::from_millis(1) });
    send(&scene.gateway(client), post("/", "body")).await;
    sleep(Duration::from_secs(1)).await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|(authority, _)| authority == MIRROR).count(), 1);
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|(_, body)| body == "body"));
}

// FMR-08
#[tokio::test(start_paused = true)]
async fn a_mirror_of_a_backend_filter_is_sent_after_the_ones_of_the_rule() {
    let (mut log, client) = backends();
    let mut scene = Scene::new();
    add_mirror(&mut scene, Share::all());
    let backend = scene.table_backend("other", [endpoint(8)], BackendProtocol::Http1);
    scene.backend("backend", 1, [endpoint(1)]).filters =
        [HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() })].into();
    send(&scene.gateway(client), post("/", "body")).await;
    assert_eq!(drain(&mut log).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_to_upgrade_is_not_mirrored() {
    let (mut log, client) = backends();
    let mut request = get("/");
    request.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
    request.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
    send(&scene(Share::all()).gateway(client), request).await;
    assert_eq!(drain(&mut log).await.len(), 1);
}

// FMR-08
#[tokio::test(start_paused = true)]
async fn a_mirror_that_does_not_read_never_slows_the_request() {
    let (gone, mirror_body) = oneshot::channel();
    let gone = Arc::new(Mutex::new(Some(gone)));
    let client = service_fn(move |request: Request<RequestBody<_>>| {
        let gone = Arc::clone(&gone);
        async move {
            let mirror = request.uri().authority().unwrap() == MIRROR;
            let body = request.into_body();
            if mirror {
                // Starts to read long after the request is done.
                sleep(Duration::from_secs(10)).await;
                let error =
                    body.collect().await.map(|body| body.to_bytes().len()).map_err(|error| error.to_string());
                let _ = gone.lock().unwrap().take().unwrap().send(error);
                return Ok::<_, BoxError>(Response::new(Full::default()));
            }
            let length = body.collect().await?.to_bytes().len();
            Ok(Response::new(Full::from(length.to_string())))
        }
    });
    let frames = (0..64).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![0; 64 << 10]))));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let gateway = scene(Share::all()).gateway(client);
    let Ok(response) = gateway.oneshot(get("/").map(|_| body)).await;
    assert_eq!(read(response).await.unwrap().body, (4 << 20).to_string());
    assert_eq!(mirror_body.await.unwrap(), Err("the copy of the request's body is not complete".to_owned()));
}

// FMR-08
#[tokio::test(start_paused = true)]
async fn a_copy_of_a_body_that_breaks_does_not_look_complete() {
    let (mut log, client) = backends();
    let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err(BoxError::from("the client left"))];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let gateway = scene(Share::all()).gateway(client);
    let Ok(_) = gateway.oneshot(get("/").map(|_| body)).await;
    for received in drain(&mut log).await {
        assert!(received.body.is_err(), "{received:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn mirrors_are_limited_in_number_and_time() {
    let open = Arc::new(Mutex::new(0));
    let count = Arc::clone(&open);
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let count = Arc::clone(&count);
        async move {
            if request.uri().authority().unwrap() == MIRROR {
                *count.lock().unwrap() += 1;
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(answer(200, ""))
        }
    });
    let gateway = scene(Share::all()).gateway(client);
    for _ in 0..MAX_MIRRORS + 10 {
        send(&gateway, get("/")).await;
    }
    sleep(Duration::from_millis(1)).await;
    assert_eq!(*open.lock().unwrap(), MAX_MIRRORS / 2, "the other half is for other mirrors");
    sleep(TIME_LIMIT).await;
    send(&gateway, get("/")).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(*open.lock().unwrap(), MAX_MIRRORS / 2 + 1, "those that took too long have made room");
}

#[tokio::test(start_paused = true)]
async fn a_mirror_that_hangs_takes_no_copy_from_another() {
    const REQUESTS: usize = 1_100;
    let healthy = Arc::new(Mutex::new(0));
    let count = Arc::clone(&healthy);
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let count = Arc::clone(&count);
        async move {
            match request.uri().host() {
                Some("10.0.0.9") => std::future::pending().await,
                Some("10.0.0.8") => *count.lock().unwrap() += 1,
                _ => {}
            }
            Ok::<_, BoxError>(answer(200, ""))
        }
    });
    let mut scene = scene(Share::all());
    let backend = scene.table_backend("healthy", [endpoint(8)], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    let gateway = scene.gateway(client);
    for _ in 0..REQUESTS {
        send(&gateway, get("/")).await;
        // Time for a copy to arrive, far below what all of them may take.
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(*healthy.lock().unwrap(), REQUESTS);
}
