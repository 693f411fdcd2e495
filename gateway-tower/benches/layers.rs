//! The cost of the layers, next to a client that answers at once.
//!
//! The rows are to be compared within one run; all of them make the request too. A pass-through on hyper takes about 10 us a request, most of it in the
//! kernel; what is added here should be lost in that.

#[path = "../tests/gateway/scene.rs"]
#[allow(dead_code, reason = "the benchmark needs little of it")]
mod scene;

use std::future::ready;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use gateway_core::filter::{HeaderModifier, HttpFilter};
use gateway_core::rule::{Retry, Timeouts};
use gateway_tower::{BoxError, RequestBody};
#[cfg(feature = "metrics")]
use gateway_tower::{Gateway, TableHandle, metrics::Metrics};
use http::{Request, Response};
use http_body_util::Full;
#[cfg(feature = "metrics")]
use tower::Layer;
use tower::{Service, service_fn};

#[cfg(feature = "metrics")]
use self::scene::connection;
use self::scene::{Scene, endpoint, get};

type Body = Full<Bytes>;

/// Runs a future that is ready at once, and drops what it gives.
fn run<S, R>(service: &mut S, request: R)
where
    S: Service<R>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let mut future = pin!(service.call(request));
    let Poll::Ready(answer) = future.as_mut().poll(&mut context) else {
        panic!("the client answers at once")
    };
    drop(black_box(answer));
}

fn layers(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _timers = runtime.enter();
    let mut group = criterion.benchmark_group("a request");
    let client = || {
        service_fn(|_: Request<RequestBody<Body>>| ready(Ok::<_, BoxError>(Response::new(Body::default()))))
    };
    group.bench_function("client alone", |bencher| {
        let mut client = client();
        let request = || get("/a/b?c").map(RequestBody::new);
        bencher.iter(|| run(&mut client, request()));
    });
    let set =
        || HttpFilter::RequestHeaderModifier(HeaderModifier::new([("x", "y")], [], []).expect("a header"));
    let mut filter = Scene::with_backend();
    filter.filters.push(set());
    let mut backends = Scene::new();
    for number in 1..=3 {
        backends.backend("backend", 1, [number, 100 + number].map(endpoint));
    }
    let mut timeout = Scene::with_backend();
    timeout.timeouts = Timeouts::new(Some(Duration::from_secs(1)), None);
    let mut retry = Scene::with_backend();
    retry.retry = Some(Retry { codes: Box::default(), attempts: 1, backoff: Duration::ZERO });
    for (name, scene) in [
        ("gateway", Scene::with_backend()),
        ("gateway, three backends with two endpoints", backends),
        ("gateway, a header set", filter),
        ("gateway, a timeout", timeout),
        ("gateway, a retry not used", retry),
    ] {
        let mut gateway = scene.gateway(client());
        group.bench_function(name, |bencher| {
            bencher.iter(|| run(&mut gateway, get("/a/b?c")));
        });
    }
    #[cfg(feature = "metrics")]
    {
        let tables = TableHandle::new(Scene::with_backend().table());
        let metrics = Metrics::new(tables.clone());
        let gateway = Gateway::builder(tables).metrics(&metrics).client(client()).on(connection());
        let mut counted = metrics.requests(connection()).layer(gateway);
        group.bench_function("gateway, counted", |bencher| {
            bencher.iter(|| run(&mut counted, get("/a/b?c")));
        });
    }
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
