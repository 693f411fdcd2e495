//! Timeouts, on a clock that jumps to the next timer as soon as nothing else is left to do.

use std::future::{pending, ready};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{Cors, CorsPolicy, HttpFilter};
use gateway_core::rule::Timeouts;
use gateway_tower::outcome::Refusal;
use gateway_tower::timeouts::Limit;
use gateway_tower::timeouts::TimedOut;
use gateway_tower::tunnel::Joined;
use gateway_tower::{BoxError, RequestBody};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, sleep};
use tower::{ServiceExt, service_fn};

use crate::scene::{Scene, answer, get, read, send};

type Body = Full<Bytes>;

const SECOND: Duration = Duration::from_secs(1);

fn scene(request: Option<Duration>, backend_request: Option<Duration>) -> Scene {
    let mut scene = Scene::with_backend();
    scene.timeouts = Timeouts::new(request, backend_request);
    scene
}

// TMO-01, TMO-02
#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_begin_in_time_becomes_504() {
    let client = service_fn(|_: Request<RequestBody<Body>>| pending::<Result<Response<Body>, BoxError>>());
    for (request, backend_request, limit) in [
        (Some(SECOND), None, Limit::Request),
        (Some(SECOND), Some(2 * SECOND), Limit::Request),
        (None, Some(SECOND), Limit::BackendRequest),
        (Some(2 * SECOND), Some(SECOND), Limit::BackendRequest),
    ] {
        let start = Instant::now();
        let answer = send(&scene(request, backend_request).gateway(client), get("/")).await;
        assert_eq!(answer.status, 504);
        assert_eq!(start.elapsed().as_secs(), 1);
        assert!(matches!(answer.outcome.refusal(), Some(Refusal::TimedOut(expired)) if *expired == limit));
        assert!(answer.outcome.routed.is_some());
        // The endpoint that was too slow is known, whichever time was over.
        assert!(answer.outcome.endpoint().is_some(), "{limit:?}");
    }
}

// TMO-03, TMO-06
#[tokio::test(start_paused = true)]
async fn without_a_timeout_a_backend_may_take_its_time() {
    let client = service_fn(async |_: Request<RequestBody<Body>>| {
        sleep(3600 * SECOND).await;
        Ok::<_, BoxError>(answer(200, "at last"))
    });
    assert_eq!(send(&scene(None, None).gateway(client), get("/")).await.body, "at last");
    assert_eq!(send(&scene(Some(2 * 3600 * SECOND), None).gateway(client), get("/")).await.status, 200);
}

// TMO-01, TMO-02, TMO-09
#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_end_in_time_is_broken_off() {
    for (request, backend_request, limit) in [
        (Some(SECOND), Some(2 * SECOND), Limit::Request),
        (Some(2 * SECOND), Some(SECOND), Limit::BackendRequest),
    ] {
        let client = service_fn(|_: Request<RequestBody<Body>>| {
            let frames = futures_util::stream::unfold((), async |()| {
                sleep(SECOND / 4).await;
                Some((Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"more"))), ()))
            });
            ready(Ok::<_, BoxError>(Response::new(StreamBody::new(Box::pin(frames)))))
        });
        let start = Instant::now();
        let gateway = scene(request, backend_request).gateway(client);
        let Ok(response) = gateway.oneshot(get("/")).await;
        assert_eq!(response.status(), StatusCode::OK);
        let error = read(response).await.expect_err("the body has no end");
        assert_eq!(error.downcast_ref(), Some(&TimedOut(limit)));
        assert_eq!(start.elapsed().as_secs(), 1);
    }
}

// TMO-09
#[tokio::test(start_paused = true)]
async fn a_backend_that_always_has_more_is_broken_off_too() {
    let client = service_fn(|_: Request<RequestBody<Body>>| {
        let frames =
            futures_util::stream::repeat_with(|| Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"x"))));
        ready(Ok::<_, BoxError>(Response::new(StreamBody::new(frames))))
    });
    let Ok(response) = scene(Some(SECOND), None).gateway(client).oneshot(get("/")).await;
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    tokio::time::advance(SECOND).await;
    let mut frames = 0;
    while body.frame().await.unwrap().is_ok() {
        frames += 1;
        assert!(frames < 1000, "the time is over");
        tokio::task::yield_now().await;
    }
    assert!(body.frame().await.is_none(), "nothing follows the error");
}

// AMB-55
#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_may_last() {
    let slow = |status: u16| {
        service_fn(move |_: Request<RequestBody<Body>>| {
            let frames = futures_util::stream::once(async {
                sleep(60 * SECOND).await;
                Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"hello")))
            });
            let mut response = Response::new(StreamBody::new(Box::pin(frames)));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
            response.extensions_mut().insert(Joined);
            ready(Ok::<_, BoxError>(response))
        })
    };
    let both = || scene(Some(SECOND), Some(SECOND));
    let mut upgrade = get("/");
    upgrade.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
    upgrade.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
    assert_eq!(send(&both().gateway(slow(101)), upgrade).await.body, "hello");
    let mut connect = get("http://example.com/");
    *connect.method_mut() = Method::CONNECT;
    assert_eq!(send(&both().gateway(slow(200)), connect).await.body, "hello");
    let Ok(response) = both().gateway(slow(200)).oneshot(get("/")).await;
    assert!(read(response).await.is_err(), "an answer that upgrades nothing is limited");
}

// TMO-01, FCO-02
#[tokio::test(start_paused = true)]
async fn a_script_may_read_that_its_request_timed_out() {
    let client = service_fn(|_: Request<RequestBody<Body>>| pending::<Result<Response<Body>, BoxError>>());
    let policy = CorsPolicy { allow_origins: vec!["https://shop.example"], ..CorsPolicy::default() };
    let mut scene = scene(Some(SECOND), None);
    scene.filters.push(HttpFilter::Cors(Box::new(Cors::new(&policy).unwrap())));
    let mut request = get("/");
    request.headers_mut().insert("origin", "https://shop.example".parse().unwrap());
    let answer = send(&scene.gateway(client), request).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
}
