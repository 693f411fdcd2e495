//! The choice of an endpoint for each attempt.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::exchange;
use gateway_core::rule::Retry;
use gateway_tower::balance::{Attempt, ConsistentHash, LeastRequests, Pick, Picked, Random, RoundRobin};
use gateway_tower::client::ConnectError;
use gateway_tower::outcome::{Outcome, Refusal};
use gateway_tower::{BoxError, Connection, Gateway, RequestBody, ResponseBody, TableHandle};
use http::header::{COOKIE, HeaderName};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::util::ServiceFn;
use tower::{ServiceExt, service_fn};

use crate::scene::{Scene, answer, connection, endpoint, gateway_name, get};

type Body = Full<Bytes>;
type Client = ServiceFn<fn(Request<RequestBody<Body>>) -> Ready<Result<Response<Body>, BoxError>>>;

/// The backend with these endpoints.
fn scene(endpoints: impl IntoIterator<Item = u8>) -> Scene {
    let mut scene = Scene::new();
    scene.backend("backend", 1, endpoints.into_iter().map(endpoint));
    scene
}

/// A gateway whose endpoints all answer 200, and the tables that it decides by.
fn gateway(endpoints: impl IntoIterator<Item = u8>, picker: impl Pick) -> (Gateway<Client>, TableHandle) {
    let tables = TableHandle::new(scene(endpoints).table());
    let client: Client = service_fn(|_| ready(Ok(answer(200, "hello"))));
    (Gateway::builder(tables.clone()).picker(picker).client(client).on(connection()), tables)
}

async fn send(gateway: &Gateway<Client>, request: Request<Body>) -> (u8, Response<ResponseBody<Body>>) {
    let Ok::<_, Infallible>(response) = gateway.clone().oneshot(request).await;
    assert_eq!(response.status(), 200);
    let endpoint = response.extensions().get::<Outcome>().unwrap().endpoint();
    let Some(SocketAddr::V4(address)) = endpoint else { panic!("{endpoint:?}") };
    (address.ip().octets()[3], response)
}

async fn endpoint_of(gateway: &Gateway<Client>, request: Request<Body>) -> u8 {
    send(gateway, request).await.0
}

fn with(name: HeaderName, value: &str) -> Request<Body> {
    let mut request = get("/");
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn in_turn_and_whatever_table_is_in_use() {
    let (gateway, tables) = gateway([1, 2, 3], RoundRobin::new());
    let mut seen = Vec::new();
    for i in 0..9 {
        seen.push(endpoint_of(&gateway, get("/")).await);
        if i == 4 {
            tables.store(scene([1, 2, 3]).table());
        }
    }
    for turns in seen.windows(2) {
        assert_eq!(turns[1], turns[0] % 3 + 1, "{seen:?}");
    }
}

#[tokio::test]
async fn the_less_busy_of_two_until_the_body_of_an_answer_has_ended() {
    let (gateway, tables) = gateway([1, 2], LeastRequests::new());
    let mut busy: BTreeMap<u8, Vec<_>> = BTreeMap::new();
    for _ in 0..10 {
        let (endpoint, response) = send(&gateway, get("/")).await;
        busy.entry(endpoint).or_default().push(response);
    }
    assert_eq!([busy[&1].len(), busy[&2].len()], [5, 5], "none of them is over");

    // They are known in the next table, too.
    tables.store(scene([1, 2]).table());
    for mut response in busy.remove(&2).unwrap() {
        // Read to its end, and still there.
        response.body_mut().frame().await.unwrap().unwrap();
        busy.entry(2).or_default().push(response);
    }
    for _ in 0..5 {
        let (endpoint, response) = send(&gateway, get("/")).await;
        assert_eq!(endpoint, 2);
        busy.entry(2).or_default().push(response);
    }
    drop(busy.remove(&1));
    for _ in 0..5 {
        let (endpoint, response) = send(&gateway, get("/")).await;
        assert_eq!(endpoint, 1);
        busy.entry(1).or_default().push(response);
    }
}

#[tokio::test]
async fn an_attempt_that_fails_or_is_given_up_is_not_under_way() {
    let tables = TableHandle::new(scene([1, 2]).table());
    let client = service_fn(|request: Request<RequestBody<Body>>| async move {
        match request.headers().get("x").map(HeaderValue::as_bytes) {
            Some(b"hang") => std::future::pending().await,
            Some(_) => Err(BoxError::from("broken")),
            None => Ok(answer(200, "hello")),
        }
    });
    let gateway = Gateway::builder(tables).picker(LeastRequests::new()).client(client).on(connection());
    let x = || HeaderName::from_static("x");
    for _ in 0..50 {
        let Ok(response) = gateway.clone().oneshot(with(x(), "fail")).await;
        assert_eq!(response.status(), 502);
        let mut given_up = Box::pin(gateway.clone().oneshot(with(x(), "hang")));
        let mut context = Context::from_waker(Waker::noop());
        assert!(given_up.as_mut().poll(&mut context).is_pending());
    }
    let mut counts = [0; 2];
    let mut held = Vec::new();
    for _ in 0..10 {
        let Ok(response) = gateway.clone().oneshot(get("/")).await;
        let endpoint = response.extensions().get::<Outcome>().unwrap().endpoint();
        counts[usize::from(endpoint == Some(crate::scene::endpoint(2)))] += 1;
        held.push(response);
    }
    assert_eq!(counts, [5, 5]);
}

#[tokio::test]
async fn the_same_value_leads_to_the_same_endpoint() {
    let user = || HeaderName::from_static("x-user");
    let (gateway, tables) = gateway(1..=5, ConsistentHash::by_header(user()));
    let (other, _) = self::gateway(1..=5, ConsistentHash::by_header(user()));
    let mut before = Vec::new();
    let mut counts = [0; 5];
    for i in 0..1000 {
        let chosen = endpoint_of(&gateway, with(user(), &i.to_string())).await;
        assert_eq!(
            endpoint_of(&other, with(user(), &i.to_string())).await,
            chosen,
            "of another gateway, too"
        );
        counts[usize::from(chosen) - 1] += 1;
        before.push(chosen);
    }
    // More than five standard deviations.
    assert!(counts.iter().all(|count: &i32| count.abs_diff(200) < 65), "{counts:?}");

    // The list is another, and the third endpoint is gone.
    tables.store(scene([5, 4, 2, 1, 6]).table());
    for (i, before) in before.into_iter().enumerate() {
        let now = endpoint_of(&gateway, with(user(), &i.to_string())).await;
        assert!(now == before || before == 3 || now == 6, "{before} became {now}");
    }
}

#[tokio::test]
async fn a_client_is_known_by_its_cookie_or_address() {
    let (by_cookie, _) = gateway(1..=9, ConsistentHash::by_cookie("session"));
    let first = endpoint_of(&by_cookie, with(COOKIE, "a=1; session=x")).await;
    for _ in 0..20 {
        assert_eq!(endpoint_of(&by_cookie, with(COOKIE, "session=x; a=2")).await, first);
    }

    let (by_address, _) = gateway(1..=9, ConsistentHash::by_client_address());
    let from = |address: &str| {
        let mut connection = Connection::new(gateway_name(), 80);
        connection.peer = Some(address.parse().unwrap());
        by_address.clone().on(Arc::new(connection))
    };
    let first = endpoint_of(&from("192.0.2.7:1"), get("/")).await;
    for port in 2..20 {
        assert_eq!(endpoint_of(&from(&format!("192.0.2.7:{port}")), get("/")).await, first);
        assert_eq!(endpoint_of(&from(&format!("[::ffff:192.0.2.7]:{port}")), get("/")).await, first);
    }

    // Without what it is known by, it goes anywhere.
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        seen.insert(endpoint_of(&by_cookie, get("/")).await);
    }
    assert!(seen.len() > 4, "{seen:?}");
}

// RTY-09
#[tokio::test(start_paused = true)]
async fn whoever_chooses_a_retry_goes_elsewhere_as_long_as_there_is_somewhere() {
    async fn run(picker: impl Pick) {
        let log = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        let client = service_fn(move |request: Request<RequestBody<Body>>| {
            seen.lock().unwrap().push(request.uri().authority().unwrap().to_string());
            let refused = ConnectError { endpoint: endpoint(1), cause: "refused".into() };
            ready(Err::<Response<Body>, BoxError>(refused.into()))
        });
        let mut scene = scene([1, 2, 3, 4]);
        scene.retry = Some(Retry { codes: Box::default(), attempts: 5, backoff: Duration::from_millis(1) });
        let name = format!("{picker:?}");
        let tables = TableHandle::new(scene.table());
        let gateway = Gateway::builder(tables).picker(picker).client(client).on(connection());
        for _ in 0..20 {
            let Ok(response) = gateway.clone().oneshot(with(HeaderName::from_static("x"), "y")).await;
            assert_eq!(response.extensions().get::<Outcome>().unwrap().retries, 5);
            let log = std::mem::take(&mut *log.lock().unwrap());
            assert_eq!(log.len(), 6);
            let distinct: std::collections::BTreeSet<_> = log[..4].iter().collect();
            assert_eq!(distinct.len(), 4, "{name}: {log:?}");
        }
    }
    run(Random).await;
    run(RoundRobin::new()).await;
    run(LeastRequests::new()).await;
    run(ConsistentHash::by_header(HeaderName::from_static("x"))).await;
    run(ConsistentHash::by_cookie("absent")).await;
}

// HRB-12
#[tokio::test]
async fn an_endpoint_that_is_not_there_is_none() {
    #[derive(Debug)]
    struct Wrong(Option<usize>);
    impl Pick for Wrong {
        fn pick(&self, _: &Attempt<'_>) -> Option<Picked> {
            self.0.map(Picked::new)
        }
    }
    for wrong in [None, Some(2)] {
        let (gateway, _) = gateway([1, 2], Wrong(wrong));
        let Ok(response) = gateway.oneshot(get("/")).await;
        assert_eq!(response.status(), 503);
        let refusal = response.extensions().get::<Outcome>().unwrap().refusal();
        assert!(matches!(refusal, Some(Refusal::Undecided(exchange::Refusal::NoEndpoints))));
    }
}
