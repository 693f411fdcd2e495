//! Layers of one's own, in each of the places for them.

use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::filter::{Cors, CorsPolicy, HeaderModifier, HttpFilter, RequestMirror, Share};
use gateway_core::rule::{BackendProtocol, Retry};
use gateway_tower::adapt::AdaptLayer;
use gateway_tower::client::AnyBody;
use gateway_tower::gateway::GatewayBuilder;
use gateway_tower::outcome::{AnsweredBy, CustomRefusal, GrpcCode, Outcome, Refusal, Refused};
use gateway_tower::upstream::Upstream;
use gateway_tower::{BoxError, Gateway, RequestBody, ResponseBody, Routed, TableHandle};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tower::filter::FilterLayer;
use tower::util::MapRequestLayer;
use tower::{Service, ServiceExt, service_fn};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::scene::{Answer, Scene, answer, connection, endpoint, get, post, read};
use crate::sockets::{backend, text};

type Body = Full<Bytes>;
type Log = Arc<Mutex<Vec<String>>>;

/// A client that answers 200 and counts.
fn client<B: Send + 'static>(
    log: &Log,
) -> impl Service<Request<RequestBody<B>>, Response = Response<Body>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    let log = Arc::clone(log);
    service_fn(move |_: Request<RequestBody<B>>| {
        log.lock().unwrap().push("client".to_owned());
        ready(Ok(answer(200, "hello")))
    })
}

fn builder(scene: Scene) -> GatewayBuilder {
    Gateway::builder(TableHandle::new(scene.table()))
}

async fn send<S, RB>(gateway: S, request: Request<Body>) -> Answer
where
    S: Service<Request<Body>, Response = Response<ResponseBody<RB>>, Error = Infallible>,
    RB: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let Ok(response) = gateway.oneshot(request).await;
    read(response).await.expect("the body is whole")
}

/// A layer that writes down what it sees, under a name.
fn watch<B>(
    log: &Log,
    name: &'static str,
) -> MapRequestLayer<impl Fn(Request<B>) -> Request<B> + Clone + Send + 'static> {
    let log = Arc::clone(log);
    MapRequestLayer::new(move |request: Request<B>| {
        let routed: &Routed = request.extensions().get().expect("the place is within the route layer");
        let backend = routed.backend().map_or("-", |backend| &*backend.service.name);
        let endpoint = routed.endpoint().map_or("-".to_owned(), |endpoint| endpoint.address().to_string());
        let header = |name| request.headers().get(name).map_or("-", |value| value.to_str().unwrap());
        log.lock().unwrap().push(format!(
            "{name}: {} {} {} {backend} {endpoint}",
            routed.rule().id,
            header("x-forwarded-proto"),
            header("x-filter")
        ));
        request
    })
}

/// A layer that refuses every request like this. It is one of tower's, whose errors are `BoxError`.
fn refuse<B>(
    refused: impl Into<BoxError> + Clone + Send + 'static,
) -> FilterLayer<impl Fn(Request<B>) -> Result<Request<B>, BoxError> + Clone + Send + 'static> {
    FilterLayer::new(move |_: Request<B>| Err(refused.clone().into()))
}

fn denied() -> Refused {
    let refusal = CustomRefusal::new("auth", StatusCode::FORBIDDEN)
        .text("403: not you\n")
        .grpc_code(GrpcCode::Unauthenticated)
        .cause("the token has expired");
    Refused::from(refusal).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

#[tokio::test]
async fn each_place_sees_what_has_been_decided_until_there() {
    let log = Log::default();
    let mut scene = Scene::with_backend();
    let set = HeaderModifier::new([("x-filter", "rule")], [], []).unwrap();
    scene.filters.push(HttpFilter::RequestHeaderModifier(set));
    let gateway = builder(scene)
        .after_route(watch(&log, "first"))
        .after_route(watch(&log, "second"))
        .after_filters(watch(&log, "filtered"))
        .per_attempt(watch(&log, "attempt"))
        .client(client(&log))
        .on(connection());
    assert_eq!(send(gateway, get("/")).await.body, "hello");
    assert_eq!(
        *log.lock().unwrap(),
        [
            "first: default/route/0 - - - -",
            "second: default/route/0 - - - -",
            "filtered: default/route/0 http rule backend -",
            "attempt: default/route/0 http rule backend 10.0.0.1:8080",
            "client",
        ]
    );
}

// FCO-02, AMB-51
#[tokio::test]
async fn what_a_layer_refuses_is_neither_attempted_nor_mirrored_and_passes_the_filters() {
    let log = Log::default();
    let mut scene = Scene::with_backend();
    let mirror = scene.table_backend("mirror", [endpoint(9)], BackendProtocol::Http1);
    let policy = CorsPolicy { allow_origins: vec!["https://shop.example"], ..CorsPolicy::default() };
    scene.filters = vec![
        HttpFilter::RequestMirror(RequestMirror { backend: mirror, share: Share::all() }),
        HttpFilter::Cors(Box::new(Cors::new(&policy).unwrap())),
    ];
    let gateway = builder(scene).after_filters(refuse(denied())).client(client(&log)).on(connection());
    let mut request = get("/");
    request.headers_mut().insert("origin", HeaderValue::from_static("https://shop.example"));
    let answer = send(gateway.clone(), request.clone()).await;
    assert_eq!((answer.status, &*answer.body), (403, &b"403: not you\n"[..]));
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(answer.outcome.answered_by, AnsweredBy::Layer("auth"));
    let refusal = answer.outcome.refusal().unwrap();
    assert_eq!(refusal.to_string(), "refused by auth");
    assert_eq!(refusal.source().unwrap().to_string(), "the token has expired");
    assert_eq!(&*answer.outcome.routed.unwrap().rule().id.to_string(), "default/route/0");

    *request.method_mut() = Method::POST;
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let answer = send(gateway, request).await;
    assert_eq!((answer.status, &answer.headers["grpc-status"]), (200, &HeaderValue::from_static("16")));
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
    tokio::task::yield_now().await;
    assert!(log.lock().unwrap().is_empty(), "neither the backend nor the mirror was asked");
}

#[tokio::test]
async fn an_error_that_is_no_refusal_becomes_one() {
    let log = Log::default();
    let broken = || refuse::<RequestBody<Body>>("the cache is broken");
    let answers = [
        send(
            builder(Scene::with_backend()).after_route(broken()).client(client(&log)).on(connection()),
            get("/"),
        )
        .await,
        send(
            builder(Scene::with_backend()).after_filters(broken()).client(client(&log)).on(connection()),
            get("/"),
        )
        .await,
        send(
            builder(Scene::with_backend()).per_attempt(broken()).client(client(&log)).on(connection()),
            get("/"),
        )
        .await,
    ];
    for answer in answers {
        assert_eq!((answer.status, &*answer.body), (500, &b"500: the gateway failed\n"[..]));
        assert_eq!(answer.outcome.answered_by, AnsweredBy::Gateway);
        let Some(Refusal::LayerFailed(cause)) = answer.outcome.refusal() else {
            panic!("{:?}", answer.outcome)
        };
        assert_eq!(cause.to_string(), "the cache is broken");
    }
}

// RTY-08
#[tokio::test(start_paused = true)]
async fn a_layer_of_each_attempt_can_send_a_request_elsewhere() {
    for (refusal, attempts) in [
        (CustomRefusal::new("rest", StatusCode::SERVICE_UNAVAILABLE).failed_attempt(), 3),
        (CustomRefusal::new("rest", StatusCode::SERVICE_UNAVAILABLE), 1),
    ] {
        let log = Log::default();
        let mut scene = Scene::new();
        scene.backend("backend", 1, [1, 2, 3].map(endpoint));
        scene.retry = Some(Retry { codes: Box::default(), attempts: 2, backoff: Duration::from_millis(1) });
        let gateway = builder(scene)
            .per_attempt(watch(&log, "attempt"))
            .per_attempt(refuse(Refused::from(refusal)))
            .client(client(&log))
            .on(connection());
        let answer = send(gateway, get("/")).await;
        assert_eq!((answer.status, answer.outcome.retries), (503, attempts - 1));
        assert!(
            answer.outcome.endpoint().is_some(),
            "the attempt was made, as far as the balance layer knows"
        );
        let mut seen = log.lock().unwrap().clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len() as u32, attempts, "each attempt has another endpoint: {seen:?}");
    }
}

#[tokio::test]
async fn layers_of_tower_http_fit_in_every_place() {
    let name = |place| {
        let value = HeaderValue::from_static(place);
        SetResponseHeaderLayer::<_>::appending(header::VIA, value)
    };
    let echo =
        backend(async |request| text(200, request.into_body().collect().await.unwrap().to_bytes())).await;
    let mut scene = Scene::new();
    scene.backend("echo", 1, [echo]);
    let gateway = builder(scene)
        .after_route(name("route"))
        .after_route(AdaptLayer::new(RequestBodyLimitLayer::new(3000)))
        .after_filters(AdaptLayer::new(RequestBodyLimitLayer::new(2000)))
        .after_filters(name("filters"))
        .per_attempt(name("attempt"))
        .client(AnyBody::new(Upstream::default()))
        .on(connection());
    let answer = send(gateway.clone(), post("/", vec![b'x'; 1000])).await;
    assert_eq!((answer.status, &*answer.body), (200, &[b'x'; 1000][..]));
    let via: Vec<_> = answer.headers.get_all("via").iter().collect();
    assert_eq!(via, ["attempt", "filters", "route"]);

    let mut long = post("/", vec![b'x'; 2500]);
    long.headers_mut().insert("content-length", HeaderValue::from_static("2500"));
    let answer = send(gateway, long).await;
    assert_eq!(answer.status, 413, "the layer answers by itself");
    assert_eq!(answer.headers["via"], "route");
}

#[test]
fn an_answer_says_which_layer_has_made_it() {
    let mut response = Response::new(());
    Outcome::answered_by_layer(&mut response, "cache");
    let outcome = response.extensions().get::<Outcome>().unwrap();
    assert_eq!((outcome.answered_by.as_str(), outcome.refusal().is_none()), ("cache", true));
}

#[tokio::test]
async fn what_the_last_attempt_notes_is_there_when_the_request_is_answered() {
    use std::any::Any;
    use std::sync::atomic::{AtomicU32, Ordering};

    use gateway_tower::observe::{ObserveAttempt, ObserveAttempts};

    /// Notes its number.
    struct Numbered(u32);

    #[derive(Clone, Default)]
    struct Numbers(Arc<AtomicU32>);

    impl ObserveAttempts for Numbers {
        type Attempt = Numbered;

        fn begin<B>(&self, _: &mut Request<B>) -> Option<Numbered> {
            Some(Numbered(self.0.fetch_add(1, Ordering::Relaxed)))
        }
    }

    impl ObserveAttempt for Numbered {
        fn note(&self) -> Option<Arc<dyn Any + Send + Sync>> {
            Some(Arc::new(self.0))
        }

        fn end(self, _: Result<StatusCode, &Refusal>) {}
    }

    for status in [200, 503] {
        let mut scene = Scene::with_backend();
        scene.retry = Some(Retry { codes: Box::default(), attempts: 2, backoff: Duration::ZERO });
        let client = service_fn(move |_: Request<RequestBody<Body>>| {
            ready(if status == 503 { Err(BoxError::from("broken")) } else { Ok(answer(status, "hello")) })
        });
        let gateway = builder(scene).observe_attempts(Numbers::default()).client(client);
        let Ok(response) = gateway.on(connection()).oneshot(get("/")).await;
        let outcome = response.extensions().get::<Outcome>().unwrap();
        assert_eq!(outcome.note::<u32>().as_deref(), Some(&outcome.retries), "{status}");
        assert!(outcome.note::<u64>().is_none(), "it is of another type");
    }
}
