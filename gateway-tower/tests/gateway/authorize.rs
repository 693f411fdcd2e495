//! Authorization services.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Iter, iter};
use gateway_core::filter::{
    AuthProtocol, AuthTerms, ExternalAuth, GrpcAuth, HttpAuth, HttpFilter, ListenerFilter, RequestMirror,
    Share,
};
use gateway_core::rule::{BackendProtocol, Retry, Timeouts};
use gateway_tower::authorize::{MAX_ANSWER, TIME_LIMIT};
use gateway_tower::client::ConnectError;
use gateway_tower::outcome::{AnsweredBy, Reason};
use gateway_tower::{BoxError, RequestBody};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, request};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, sleep};
use tower::{Service, service_fn};

use crate::scene::{Scene, answer, endpoint, get, post, send};

/// The endpoints of the service.
const SERVICE: [u8; 4] = [11, 12, 13, 14];

/// A body of frames that are there.
type Frames = StreamBody<Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

fn frames(frames: Vec<Frame<Bytes>>) -> Frames {
    let frames: Vec<_> = frames.into_iter().map(Ok).collect();
    StreamBody::new(iter(frames))
}

fn plain(status: u16, body: &'static str) -> Response<Frames> {
    answer(status, body).map(|_| frames(vec![Frame::data(Bytes::from(body))]))
}

/// A request that came to the service or to a backend.
#[derive(Clone, Debug)]
struct Received {
    to: SocketAddr,
    parts: request::Parts,
    body: Bytes,
}

type Log = Arc<Mutex<Vec<Received>>>;

/// A client for which `serve` answers in the place of the service, and that notes what comes.
fn client<F, R>(
    serve: F,
) -> (
    Log,
    impl Service<Request<RequestBody<Full<Bytes>>>, Response = Response<Frames>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + 'static,
)
where
    F: Fn(Received) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Response<Frames>, BoxError>> + Send + 'static,
{
    let log = Log::default();
    let noted = Arc::clone(&log);
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let (noted, serve) = (Arc::clone(&noted), serve.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let to: SocketAddr = parts.uri.authority().unwrap().as_str().parse()?;
            let received = Received { to, parts, body };
            noted.lock().unwrap().push(received.clone());
            match SERVICE.iter().any(|last| endpoint(*last) == to) {
                true => serve(received).await,
                false => Ok(plain(200, "of the backend")),
            }
        }
    });
    (log, client)
}

fn http(max_body: u32) -> AuthTerms {
    let http =
        HttpAuth { prefix: "/check".into(), allowed_headers: [].into(), allowed_response_headers: [].into() };
    AuthTerms { protocol: AuthProtocol::Http(http), max_body }
}

fn grpc(max_body: u32) -> AuthTerms {
    AuthTerms { protocol: AuthProtocol::Grpc(GrpcAuth::default()), max_body }
}

/// A rule that asks the service in these terms.
fn asking(terms: AuthTerms) -> Scene {
    let mut scene = Scene::with_backend();
    let auth = service(&mut scene, terms, &SERVICE[..1]);
    scene.filters.push(HttpFilter::ExternalAuth(auth));
    scene
}

fn service(scene: &mut Scene, terms: AuthTerms, endpoints: &[u8]) -> Arc<ExternalAuth> {
    let protocol = match terms.protocol {
        AuthProtocol::Http(_) => BackendProtocol::Http1,
        AuthProtocol::Grpc(_) => BackendProtocol::H2c,
    };
    let endpoints = endpoints.iter().map(|last| endpoint(*last));
    Arc::new(ExternalAuth { backend: scene.table_backend("auth", endpoints, protocol), terms })
}

async fn permit(_: Received) -> Result<Response<Frames>, BoxError> {
    Ok(plain(200, ""))
}

fn received(log: &Log) -> Vec<(u8, String)> {
    let last = |to: SocketAddr| to.to_string().rsplit(['.', ':']).nth(1).unwrap().parse().unwrap();
    log.lock()
        .unwrap()
        .iter()
        .map(|it| (last(it.to), String::from_utf8_lossy(&it.body).into_owned()))
        .collect()
}

// FEA-01, FEA-08, FMR-03, RTY-01: to the service, to each attempt, and to mirrors.
#[tokio::test]
async fn a_body_that_is_sent_along_goes_on_whole() {
    let mut scene = asking(http(8));
    let backend = scene.table_backend("mirror", [endpoint(9)], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    let codes = [StatusCode::OK].into();
    scene.retry = Some(Retry { codes, attempts: 1, backoff: Duration::ZERO });
    let (log, client) = client(permit);
    let answer = send(&scene.gateway(client), post("/", "12345678")).await;
    assert_eq!((answer.status, answer.outcome.retries), (200, 1));
    tokio::task::yield_now().await;
    let mut received = received(&log);
    assert_eq!(received.remove(0), (11, "12345678".to_owned()));
    received.sort();
    let body = || "12345678".to_owned();
    assert_eq!(received, [(1, body()), (1, body()), (9, body())]);
    let asked = &log.lock().unwrap()[0].parts;
    assert_eq!((asked.uri.path(), &asked.headers["content-length"]), ("/check/", &HeaderValue::from(8)));
}

// FEA-08, CON-13
#[tokio::test]
async fn a_body_that_is_too_long_is_not_asked_about() {
    let (log, client) = client(permit);
    let answer = send(&asking(http(7)).gateway(client), post("/", "12345678")).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.outcome.refusal().unwrap().reason(), Reason::BodyTooLong);
    assert!(received(&log).is_empty());
}

// FEA-04: nothing of the client but what is always sent.
#[tokio::test]
async fn the_service_gets_no_header_that_it_may_not_have() {
    let (log, client) = client(permit);
    let mut request = post("/cart?item=1", "a body");
    for name in ["authorization", "cookie", "x-secret"] {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
    }
    send(&asking(http(0)).gateway(client), request).await;
    let asked = log.lock().unwrap()[0].clone();
    let mut names: Vec<_> = asked.parts.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "content-length", "host"]);
    assert_eq!(
        (asked.parts.uri.path_and_query().unwrap().as_str(), asked.body.len()),
        ("/check/cart?item=1", 0)
    );
    assert_eq!(
        (asked.parts.method.as_str(), &asked.parts.headers["host"]),
        ("POST", &HeaderValue::from_static("example.com"))
    );
}

// FEA-01: where an endpoint cannot have seen the question another is asked, and none is asked for ever.
#[tokio::test]
async fn a_service_that_is_not_reached_is_asked_elsewhere() {
    for (reached_at, status, expected) in [(2, 200, 3), (9, 503, 3)] {
        let mut scene = Scene::with_backend();
        let auth = service(&mut scene, http(0), &SERVICE);
        scene.filters.push(HttpFilter::ExternalAuth(auth));
        let attempts = Arc::new(Mutex::new(Vec::new()));
        let counted = Arc::clone(&attempts);
        let (_, client) = client(move |received| {
            counted.lock().unwrap().push(received.to);
            let reached = counted.lock().unwrap().len() > reached_at;
            async move {
                match reached {
                    true => permit(received).await,
                    false => Err(ConnectError { endpoint: received.to, cause: "refused".into() }.into()),
                }
            }
        });
        let answer = send(&scene.gateway(client), get("/")).await;
        let mut attempts = attempts.lock().unwrap().clone();
        assert_eq!((answer.status, attempts.len()), (status, expected));
        attempts.sort();
        attempts.dedup();
        assert_eq!(attempts.len(), expected, "each at another endpoint");
    }
}

// FEA-01: everything that is not an answer lets nothing pass.
#[tokio::test(start_paused = true)]
async fn a_service_without_a_proper_answer_lets_nothing_pass() {
    let breaks = |_| async { Err::<Response<Frames>, BoxError>("reset".into()) };
    let is_silent = |_| async {
        sleep(TIME_LIMIT * 2).await;
        Ok(plain(200, ""))
    };
    let never_ends = |_| async {
        let long = Bytes::from(vec![b'a'; MAX_ANSWER + 1]);
        Ok(Response::new(frames(vec![Frame::data(long)])))
    };
    let is_no_call = |_| async { Ok(plain(200, "hello")) };
    async fn refused<F, R>(terms: AuthTerms, serve: F)
    where
        F: Fn(Received) -> R + Clone + Send + 'static,
        R: Future<Output = Result<Response<Frames>, BoxError>> + Send + 'static,
    {
        let (log, client) = client(serve);
        let answer = send(&asking(terms).gateway(client), get("/")).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.outcome.refusal().unwrap().reason(), Reason::NotAuthorized);
        assert_eq!(answer.outcome.answered_by, AnsweredBy::Gateway);
        assert_eq!(received(&log).len(), 1, "it was asked once, and nothing passed");
    }
    refused(http(0), breaks).await;
    refused(http(0), is_silent).await;
    refused(http(0), never_ends).await;
    refused(grpc(0), is_no_call).await;

    let mut scene = Scene::with_backend();
    let auth = service(&mut scene, http(0), &[]);
    scene.filters.push(HttpFilter::ExternalAuth(auth));
    let (log, client) = client(permit);
    assert_eq!(send(&scene.gateway(client), get("/")).await.status, 503, "there is nobody to be asked");
    assert!(received(&log).is_empty());
}

// FEA-01, TMO-01: the time of asking is that of the request.
#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_request_covers_asking() {
    let slow = |limit: u64, asking_takes: u64, backend_takes: u64| async move {
        let mut scene = asking(http(0));
        scene.timeouts = Timeouts::new(Some(Duration::from_millis(limit)), None);
        let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| async move {
            let is_service = request.uri().path().starts_with("/check");
            sleep(Duration::from_millis(if is_service { asking_takes } else { backend_takes })).await;
            Ok::<_, BoxError>(answer(200, ""))
        });
        let began = Instant::now();
        let answer = send(&scene.gateway(client), get("/")).await;
        (answer.status, began.elapsed().as_millis())
    };
    assert_eq!(slow(1_000, 400, 500).await, (200, 900));
    assert_eq!(slow(1_000, 1_100, 0).await, (504, 1_000));
    assert_eq!(slow(1_000, 700, 500).await, (504, 1_000));
}

// FEA-02, FEA-07
#[tokio::test]
async fn a_service_is_called_as_envoy_calls_it() {
    /// `CheckResponse`: status `code`, and for 0 the header `x-user: ann` to be set.
    fn checked(code: u8) -> Response<Frames> {
        let header = [&[0x0a, 6][..], b"x-user", &[0x12, 3], b"ann"].concat();
        let option = [&[0x0a, header.len() as u8][..], &header].concat();
        let ok = [&[0x12, option.len() as u8][..], &option].concat();
        let message = match code {
            0 => [&[0x1a, ok.len() as u8][..], &ok].concat(),
            code => vec![0x0a, 2, 0x08, code],
        };
        let framed = [&[0, 0, 0, 0, message.len() as u8][..], &message].concat();
        let trailers =
            HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
        let mut response = Response::new(frames(vec![Frame::data(framed.into()), Frame::trailers(trailers)]));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        response
    }
    let (log, permits) = client(|_| async { Ok(checked(0)) });
    let mut request = get("/cart");
    request.headers_mut().insert("x-user", HeaderValue::from_static("root"));
    assert_eq!(send(&asking(grpc(0)).gateway(permits), request).await.status, 200);
    let log = log.lock().unwrap().clone();
    let call = &log[0].parts;
    assert_eq!(call.uri.path(), "/envoy.service.auth.v3.Authorization/Check");
    assert_eq!((call.method.as_str(), call.version), ("POST", Version::HTTP_2));
    assert_eq!(
        (&call.headers["content-type"], &call.headers["te"]),
        (&"application/grpc".parse().unwrap(), &"trailers".parse().unwrap())
    );
    assert_eq!(call.headers["host"], "auth.default:80");
    assert!(log[0].body.windows(5).any(|bytes| bytes == b"/cart"), "the path is told");
    assert_eq!(log[1].parts.headers["x-user"], "ann");

    let (log, denies) = client(|_| async { Ok(checked(7)) });
    assert_eq!(send(&asking(grpc(0)).gateway(denies), get("/")).await.status, 403);
    assert_eq!(received(&log).len(), 1);
}

// PRF-01, PRF-05, FEA-02, FEA-08: asked before a rule is looked for, with the body; and then the rule asks again.
#[tokio::test]
async fn a_listener_asks_and_then_a_rule() {
    let scene = || {
        let mut scene = asking(http(4));
        let auth = service(&mut scene, http(4), &SERVICE[1..2]);
        scene.listener_filters.push(ListenerFilter::ExternalAuth(auth));
        scene
    };
    let (log, permits) = client(permit);
    assert_eq!(send(&scene().gateway(permits), post("/", "body")).await.status, 200);
    let body = || "body".to_owned();
    assert_eq!(received(&log), [(12, body()), (11, body()), (1, body())]);

    for (denied_by, expected) in [(12, 1), (11, 2)] {
        let (log, denies) = client(move |received| async move {
            match received.to == endpoint(denied_by) {
                true => Ok(plain(401, "who?")),
                false => permit(received).await,
            }
        });
        let answer = send(&scene().gateway(denies), post("/", "body")).await;
        assert_eq!((answer.status, &answer.body[..]), (401, &b"who?"[..]));
        assert_eq!(answer.outcome.answered_by, AnsweredBy::Filter);
        assert_eq!(received(&log).len(), expected);
        assert_eq!(answer.outcome.routed.is_some(), denied_by == 11, "a rule was found");
    }
    let (_, permits) = client(permit);
    let answer = send(&scene().gateway(permits), post("/", "12345")).await;
    assert_eq!((answer.status, answer.outcome.listener().is_some()), (413, false));
}
