//! Retries.

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::exchange;
use gateway_core::rule::{Retry, RetryBudget, RetryRate, Timeouts};
use gateway_tower::client::{ConnectError, NotProcessed};
use gateway_tower::outcome::Refusal;
use gateway_tower::{BoxError, RequestBody};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, sleep};
use tower::{Service, service_fn};

use crate::scene::{Answer, Scene, answer, endpoint, get, post, send};

type Body = Full<Bytes>;

/// What a backend does with an attempt.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answer(u16),
    Fail,
    RefuseToConnect,
    /// Says that it has not taken the request.
    RefuseStream,
    /// Answers a call of gRPC with this status, and nothing else.
    Grpc(&'static str),
    Hang,
    /// Answers with 200 after all this time.
    AnswerAfter(Duration),
}

/// What was seen of an attempt.
#[derive(Debug)]
struct Attempt {
    at: Instant,
    endpoint: String,
    body: Result<Bytes, String>,
    trailers: Option<HeaderMap>,
}

type Attempts = Arc<Mutex<Vec<Attempt>>>;

/// A client that reads the request's body and then does what comes next; the last is repeated.
fn script<B>(
    script: &'static [Does],
) -> (
    Attempts,
    impl Service<Request<RequestBody<B>>, Response = Response<Body>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + 'static,
)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let attempts = Attempts::default();
    let log = Arc::clone(&attempts);
    let client = service_fn(move |request: Request<RequestBody<B>>| {
        let log = Arc::clone(&log);
        async move {
            let at = Instant::now();
            let endpoint = request.uri().authority().expect("an endpoint").to_string();
            let body = request.into_body().collect().await;
            let trailers = body.as_ref().ok().and_then(|body| body.trailers().cloned());
            let body = body.map(|body| body.to_bytes()).map_err(|error| error.to_string());
            let number = {
                let mut log = log.lock().unwrap();
                log.push(Attempt { at, endpoint, body, trailers });
                log.len() - 1
            };
            match script[number.min(script.len() - 1)] {
                Does::Answer(status) => Ok(answer(status, "")),
                Does::Fail => Err("broken".into()),
                Does::RefuseToConnect => {
                    Err(ConnectError { endpoint: crate::scene::endpoint(1), cause: "refused".into() }.into())
                }
                Does::RefuseStream => {
                    Err(NotProcessed { endpoint: crate::scene::endpoint(1), cause: "REFUSED_STREAM".into() }
                        .into())
                }
                Does::Grpc(status) => {
                    let mut answer = answer(200, "");
                    answer.headers_mut().insert("grpc-status", HeaderValue::from_static(status));
                    Ok(answer)
                }
                Does::Hang => pending().await,
                Does::AnswerAfter(time) => {
                    sleep(time).await;
                    Ok(answer(200, ""))
                }
            }
        }
    });
    (attempts, client)
}

fn retry(attempts: u32, codes: &[u16]) -> Option<Retry> {
    let codes = codes.iter().map(|code| StatusCode::from_u16(*code).unwrap()).collect();
    Some(Retry { codes, attempts, backoff: Duration::from_millis(100) })
}

/// A scene with four endpoints.
fn scene(retry: Option<Retry>) -> Scene {
    let mut scene = Scene::new();
    scene.backend("backend", 1, [1, 2, 3, 4].map(endpoint));
    scene.retry = retry;
    scene
}

async fn run(retry: Option<Retry>, does: &'static [Does]) -> (Answer, Vec<Attempt>) {
    let (attempts, client) = script(does);
    let answer = send(&scene(retry).gateway(client), get("/")).await;
    let attempts = std::mem::take(&mut *attempts.lock().unwrap());
    (answer, attempts)
}

// RTY-01, RTY-02, RTY-03, RTY-04
#[tokio::test(start_paused = true)]
async fn listed_codes_are_retried_and_the_last_answer_counts() {
    use Does::Answer;
    for (attempts, codes, does, status, made) in [
        // The vectors of the conformance test.
        (3, &[500][..], &[Answer(500), Answer(500), Answer(200)][..], 200, 3),
        (3, &[500], &[Answer(500)], 500, 4),
        (3, &[500], &[Answer(503), Answer(503), Answer(200)], 503, 1),
        (2, &[500, 502, 503, 504], &[Answer(502), Answer(200)], 200, 2),
        (2, &[500, 502, 503, 504], &[Answer(504)], 504, 3),
        (2, &[500, 503], &[Answer(500), Answer(503), Answer(500)], 500, 3),
        (2, &[429], &[Answer(429), Answer(200)], 200, 2),
        (2, &[500], &[Answer(500), Answer(404), Answer(200)], 404, 2),
    ] {
        let (answer, log) = run(retry(attempts, codes), does).await;
        assert_eq!((answer.status, log.len()), (status, made), "{attempts} {codes:?} {does:?}");
        assert_eq!(answer.outcome.retries as usize, made - 1);
    }
}

// RTY-08
#[tokio::test(start_paused = true)]
async fn what_no_backend_has_processed_is_retried_without_being_listed() {
    use Does::{Answer, Grpc, RefuseStream, RefuseToConnect};
    let (answer, log) = run(retry(3, &[]), &[RefuseStream, RefuseToConnect, Answer(200)]).await;
    assert_eq!((answer.status, log.len()), (200, 3));
    let (answer, log) = run(retry(2, &[]), &[RefuseStream, RefuseStream, RefuseToConnect]).await;
    assert_eq!((answer.status, log.len()), (503, 3));
    let (answer, log) = run(None, &[RefuseToConnect, Answer(200)]).await;
    assert_eq!((answer.status, log.len(), answer.outcome.retries), (503, 1, 0));
    let (_, log) = run(retry(3, &[]), &[Grpc("14"), Grpc("0")]).await;
    assert_eq!(log.len(), 2, "UNAVAILABLE");
    let (_, log) = run(retry(3, &[]), &[Grpc("13"), Grpc("0")]).await;
    assert_eq!(log.len(), 1, "INTERNAL");
}

// RTY-11
#[tokio::test(start_paused = true)]
async fn what_a_backend_may_have_processed_is_not_retried() {
    for codes in [&[][..], &[500, 502, 503, 504]] {
        let (answer, log) = run(retry(3, codes), &[Does::Fail, Does::Answer(200)]).await;
        assert_eq!((answer.status, log.len(), answer.outcome.retries), (502, 1, 0));
    }
}

// RTY-05
#[tokio::test(start_paused = true)]
async fn the_pause_is_at_least_the_backoff_and_doubles() {
    for _ in 0..20 {
        let (_, log) = run(retry(3, &[500]), &[Does::Answer(500)]).await;
        for (attempts, least) in log.windows(2).zip([100, 200, 400]) {
            let pause = (attempts[1].at - attempts[0].at).as_millis();
            // The timer counts whole milliseconds.
            assert!((least..=least + least / 4 + 1).contains(&pause), "{pause} after {least}");
        }
    }
}

// RTY-06
#[tokio::test(start_paused = true)]
async fn all_attempts_together_keep_to_the_request_timeout() {
    let (attempts, client) = script(&[Does::Answer(500)]);
    let mut scene = scene(retry(100, &[500]));
    scene.timeouts = Timeouts::new(Some(Duration::from_secs(1)), None);
    let start = Instant::now();
    let answer = send(&scene.gateway(client), get("/")).await;
    assert_eq!((answer.status, start.elapsed().as_secs()), (504, 1));
    // Pauses of 100, 200 and 400 ms leave no time for the one of 800 ms.
    assert_eq!(attempts.lock().unwrap().len(), 4);
}

// RTY-06
#[tokio::test(start_paused = true)]
async fn who_is_given_up_between_attempts_is_at_no_endpoint_and_within_one_at_that() {
    for (does, hangs) in [(&[Does::Answer(500)][..], false), (&[Does::Answer(500), Does::Hang], true)] {
        let (attempts, client) = script(does);
        let mut scene = scene(retry(100, &[500]));
        scene.timeouts = Timeouts::new(Some(Duration::from_secs(1)), None);
        let outcome = send(&scene.gateway(client), get("/")).await.outcome;
        let log = attempts.lock().unwrap();
        assert_eq!(outcome.retries as usize, log.len() - 1, "{does:?}");
        let last = log.last().unwrap().endpoint.clone();
        assert_eq!(
            outcome.endpoint().map(|endpoint| endpoint.to_string()),
            hangs.then_some(last),
            "{does:?}"
        );
        let backend = outcome.routed.as_ref().and_then(|routed| routed.backend()).expect("it was chosen");
        assert_eq!(&*backend.service.name, "backend");
    }
}

// RTY-07, TMO-02
#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_retried() {
    for (does, status) in [(&[Does::Hang, Does::Hang, Does::Answer(200)][..], 200), (&[Does::Hang], 504)] {
        let (attempts, client) = script(does);
        let mut scene = scene(retry(2, &[]));
        scene.timeouts = Timeouts::new(None, Some(Duration::from_secs(1)));
        let answer = send(&scene.gateway(client), get("/")).await;
        let log = attempts.lock().unwrap();
        assert_eq!((answer.status, log.len()), (status, 3));
        assert!((log[1].at - log[0].at).as_millis() >= 1100, "the timeout and then the pause");
    }
}

// RTY-10
#[tokio::test(start_paused = true)]
async fn an_attempt_without_a_timeout_takes_the_time_that_the_backend_takes() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let start = Instant::now();
    let (answer, log) = run(retry(3, &[504]), &[Does::AnswerAfter(DAY), Does::Answer(500)]).await;
    assert_eq!((answer.status, log.len()), (200, 1));
    assert!(start.elapsed() >= DAY);
}

// RTY-07, RTY-11: it may have been processed, so that it is repeated only where that does no harm.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_retried_if_its_method_may_be_repeated() {
    for (method, status, made) in
        [("GET", 200, 2), ("PUT", 200, 2), ("DELETE", 200, 2), ("POST", 504, 1), ("PATCH", 504, 1)]
    {
        let (attempts, client) = script(&[Does::Hang, Does::Answer(200)]);
        let mut scene = scene(retry(2, &[504]));
        scene.timeouts = Timeouts::new(None, Some(Duration::from_secs(1)));
        let mut request = get("/");
        *request.method_mut() = method.parse().unwrap();
        let answer = send(&scene.gateway(client), request).await;
        assert_eq!((answer.status, attempts.lock().unwrap().len()), (status, made), "{method}");
    }
}

// RTY-09
#[tokio::test(start_paused = true)]
async fn every_attempt_goes_to_another_endpoint_as_long_as_there_is_one() {
    for _ in 0..20 {
        let (_, log) = run(retry(4, &[500]), &[Does::Answer(500)]).await;
        let mut endpoints: Vec<_> = log.iter().map(|attempt| &*attempt.endpoint).collect();
        assert_eq!(endpoints.len(), 5);
        assert_eq!(endpoints[4], endpoints[0], "there are four");
        endpoints.sort_unstable();
        endpoints.dedup();
        assert_eq!(endpoints.len(), 4);
    }
}

// RTY-09
#[tokio::test(start_paused = true)]
async fn a_short_body_is_sent_again_and_a_long_one_is_not() {
    for (length, made) in [(1, 3), (64 << 10, 3), ((64 << 10) + 1, 1)] {
        let (attempts, client) = script(&[Does::RefuseStream]);
        let body = Bytes::from(vec![b'x'; length]);
        let answer = send(&scene(retry(2, &[])).gateway(client), post("/", body.clone())).await;
        assert_eq!(answer.status, 503);
        let log = attempts.lock().unwrap();
        assert_eq!(log.len(), made, "{length}");
        assert!(log.iter().all(|attempt| attempt.body.as_ref() == Ok(&body)));
    }
}

// RTY-09
#[tokio::test(start_paused = true)]
async fn a_body_in_pieces_is_sent_again_with_its_trailers() {
    let (attempts, client) = script(&[Does::Answer(500), Does::Answer(200)]);
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("1"));
    let frames = [
        Frame::data(Bytes::from_static(b"one ")),
        Frame::data(Bytes::from_static(b"two")),
        Frame::trailers(trailers.clone()),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, BoxError>)));
    let answer = send(&scene(retry(2, &[500])).gateway(client), get("/").map(|_| body)).await;
    assert_eq!(answer.status, 200);
    let log = attempts.lock().unwrap();
    assert_eq!(log.len(), 2);
    for attempt in &*log {
        assert_eq!(
            (attempt.body.as_deref(), &attempt.trailers),
            (Ok(&b"one two"[..]), &Some(trailers.clone()))
        );
    }
}

// RTY-09
#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_not_sent_again() {
    let (attempts, client) = script(&[Does::RefuseStream]);
    let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err(BoxError::from("the client left"))];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    send(&scene(retry(2, &[])).gateway(client), get("/").map(|_| body)).await;
    let log = attempts.lock().unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].body, Err("the client left".to_owned()));
}

// RTY-08, AMB-55
#[tokio::test(start_paused = true)]
async fn a_request_to_upgrade_is_tried_once() {
    let (attempts, client) = script(&[Does::Answer(500)]);
    let mut request = get("/");
    request.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
    request.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
    send(&scene(retry(2, &[500])).gateway(client), request).await;
    assert_eq!(attempts.lock().unwrap().len(), 1);
}

/// A budget with this share, and so many retries in any case.
fn budget(percent: u32, count: u32) -> Arc<RetryBudget> {
    let least = RetryRate { count, interval: Duration::from_secs(3_600) };
    Arc::new(RetryBudget::new(percent, Duration::from_secs(3_600), least))
}

async fn run_within(
    budget: &Arc<RetryBudget>,
    retry: Option<Retry>,
    does: &'static [Does],
) -> (Answer, Vec<Attempt>) {
    let (attempts, client) = script(does);
    let mut scene = scene_within(budget);
    scene.retry = retry;
    let answer = send(&scene.gateway(client), get("/")).await;
    let attempts = std::mem::take(&mut *attempts.lock().unwrap());
    (answer, attempts)
}

/// A scene whose backend has this budget.
fn scene_within(budget: &Arc<RetryBudget>) -> Scene {
    let mut scene = Scene::new();
    scene.retry_budget = Some(budget.clone());
    scene.backend("backend", 1, [1, 2, 3, 4].map(endpoint));
    scene
}

// RTB-02, RTB-03
#[tokio::test(start_paused = true)]
async fn without_a_retry_in_its_budget_a_backend_gets_none_and_the_client_503() {
    use Does::{Answer, RefuseToConnect};
    let budget = budget(0, 2);
    let (answer, log) = run_within(&budget, retry(9, &[500]), &[Answer(500), Answer(500), Answer(200)]).await;
    assert_eq!((answer.status, log.len()), (200, 3), "two in any case");
    for does in [&[Answer(500), Answer(200)][..], &[RefuseToConnect, Answer(200)]] {
        let (answer, log) = run_within(&budget, retry(9, &[500]), does).await;
        assert_eq!((answer.status, log.len(), answer.outcome.retries), (503, 1, 0), "{does:?}");
        assert!(matches!(answer.outcome.refusal(), Some(Refusal::RetriesUsedUp)));
        assert!(answer.outcome.endpoint().is_some(), "it is known where it failed");
    }
    // What needs no retry is answered as ever.
    let (answer, _) = run_within(&budget, retry(9, &[500]), &[Answer(404)]).await;
    assert_eq!(answer.status, 404);
    let (answer, _) = run_within(&budget, retry(1, &[500]), &[Answer(503)]).await;
    assert_eq!(answer.status, 503);
    assert!(answer.outcome.refusal().is_none(), "it is the backend's");
}

// RTB-01
#[tokio::test(start_paused = true)]
async fn requests_of_all_rules_and_each_retry_count() {
    use Does::Answer;
    let budget = budget(20, 0);
    for _ in 0..9 {
        let (answer, _) = run_within(&budget, None, &[Answer(200)]).await;
        assert_eq!(answer.status, 200);
    }
    let (answer, log) = run_within(&budget, retry(9, &[500]), &[Answer(500)]).await;
    assert_eq!((answer.status, log.len()), (503, 3), "two of ten, of one request");
    assert_eq!(answer.outcome.retries, 2);
}

// RTB-04
#[tokio::test(start_paused = true)]
async fn a_budget_alone_has_nothing_tried_again() {
    use Does::{Answer, RefuseToConnect};
    let budget = budget(100, 9);
    for (does, status) in [(&[Answer(500), Answer(200)][..], 500), (&[RefuseToConnect, Answer(200)], 503)] {
        let (answer, log) = run_within(&budget, None, does).await;
        assert_eq!((answer.status, log.len()), (status, 1));
        assert!(!matches!(answer.outcome.refusal(), Some(Refusal::RetriesUsedUp)));
    }
}

// HRB-12, RTY-08
#[tokio::test(start_paused = true)]
async fn what_the_gateway_refuses_is_not_retried() {
    let mut scene = Scene::new();
    scene.backend("empty", 1, []);
    scene.retry = retry(2, &[500, 503]);
    let client =
        service_fn(|_: Request<RequestBody<Body>>| ready(Err::<Response<Body>, BoxError>("called".into())));
    let answer = send(&scene.gateway(client), get("/")).await;
    assert!(matches!(answer.outcome.refusal(), Some(Refusal::Undecided(exchange::Refusal::NoEndpoints))));
    assert_eq!(answer.outcome.retries, 0);
}
