//! Allocations of the gateway for a request, beyond those of its client.

#[path = "gateway/scene.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod scene;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{HeaderModifier, HttpFilter, PathModifier, UrlRewrite};
use gateway_core::rule::{Retry, Timeouts};
use gateway_tower::balance::{ConsistentHash, LeastRequests, Pick, RoundRobin};
use gateway_tower::{BoxError, Gateway, RequestBody, TableHandle};
use http::{Request, Response};
use http_body_util::Full;
use tower::util::ServiceFn;
use tower::{Service, service_fn};

use self::scene::{Scene, get};

type Body = Full<Bytes>;

type Client = ServiceFn<fn(Request<RequestBody<Body>>) -> Ready<Result<Response<Body>, BoxError>>>;

/// A client that allocates nothing.
fn client() -> Client {
    service_fn(|_| ready(Ok(Response::new(Body::default()))))
}

/// How often a request allocates.
fn allocations(scene: Scene) -> u64 {
    allocations_of(scene.gateway(client()))
}

fn allocations_of<S, RB>(mut gateway: S) -> u64
where
    S: Service<Request<Body>, Response = Response<RB>, Error = Infallible>,
{
    let mut count = |request| {
        let info = allocation_counter::measure(|| {
            let mut context = Context::from_waker(Waker::noop());
            assert!(gateway.poll_ready(&mut context).is_ready());
            let mut future = pin!(gateway.call(request));
            match future.as_mut().poll(&mut context) {
                Poll::Ready(Ok(response)) => assert_eq!(response.status(), 200),
                Poll::Pending => panic!("the client answers at once"),
            }
        });
        info.count_total
    };
    // The first request of a connection finds its port.
    count(get("/a/b?c"));
    count(get("/a/b?c"))
}

/// The extensions of request and of answer, each a map, its table and an entry; and the headers of the request, which
/// outgrow their place when those about the client are added.
const LEAST: u64 = 3 + 3 + 1;

#[test]
fn a_request_costs_its_extensions() {
    assert_eq!(allocations(Scene::with_backend()), LEAST);
}

#[test]
fn filters_cost_what_waits_for_the_answer() {
    let set = HeaderModifier::new([("x", "y")], [], []).unwrap();
    let mut scene = Scene::with_backend();
    scene.filters.push(HttpFilter::RequestHeaderModifier(set));
    assert_eq!(allocations(scene), LEAST + 1);
}

#[test]
fn filters_that_must_know_the_request_as_it_came_keep_it_once() {
    let path = Some(PathModifier::replace_full_path("/new").unwrap());
    let rewrite = || HttpFilter::UrlRewrite(Box::new(UrlRewrite { hostname: None, path: path.clone() }));
    let mut scene = Scene::with_backend();
    scene.filters.push(rewrite());
    // The old target is shared from then on, and the new one is written; that takes three.
    assert_eq!(allocations(scene), LEAST + 1 + 1 + 3);
}

#[test]
fn whoever_chooses_endpoints_allocates_nothing() {
    fn picked_by(picker: impl Pick) -> u64 {
        let tables = TableHandle::new(Scene::with_backend().table());
        allocations_of(Gateway::builder(tables).picker(picker).client(client()).on(scene::connection()))
    }
    assert_eq!(picked_by(RoundRobin::new()), LEAST);
    assert_eq!(picked_by(LeastRequests::new()), LEAST);
    assert_eq!(picked_by(ConsistentHash::by_header(http::header::HOST)), LEAST);
}

#[cfg(feature = "metrics")]
#[test]
fn counting_allocates_nothing() {
    use gateway_tower::metrics::Metrics;
    use tower::Layer;

    let tables = TableHandle::new(Scene::with_backend().table());
    let metrics = Metrics::new(tables.clone());
    let gateway = Gateway::builder(tables).metrics(&metrics).client(client()).on(scene::connection());
    assert_eq!(allocations_of(metrics.requests(scene::connection()).layer(gateway)), LEAST);
}

#[tokio::test]
async fn a_timeout_costs_its_timer_and_that_of_all_attempts_where_these_say_how_far_they_are() {
    let second = Some(Duration::from_secs(1));
    for (timeouts, expected) in [(Timeouts::new(None, second), 1), (Timeouts::new(second, None), 2)] {
        let mut scene = Scene::with_backend();
        scene.timeouts = timeouts;
        assert_eq!(allocations(scene), LEAST + expected, "{timeouts:?}");
    }
}

#[test]
fn a_retry_costs_a_copy_of_the_head() {
    let mut scene = Scene::with_backend();
    scene.retry = Some(Retry { codes: Box::default(), attempts: 1, backoff: Duration::ZERO });
    assert_eq!(allocations(scene), LEAST + 7);
}
