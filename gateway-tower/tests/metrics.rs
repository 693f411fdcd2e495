//! Counts of metrics and their names; the metrics of a server on real sockets are in `tests/sockets`.

#![cfg(feature = "metrics")]

#[path = "gateway/scene.rs"]
#[allow(dead_code, reason = "these tests need little of it")]
mod scene;

use std::collections::BTreeMap;
use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use gateway_core::filter::{HttpFilter, RequestMirror, Share};
use gateway_core::matching::{HttpMatch, PathMatch};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{
    Backend, BackendKind, BackendProtocol, BackendTarget, HttpRule, Retry, RuleName, Timeouts,
};
use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
use gateway_tower::client::ConnectError;
use gateway_tower::metrics::Metrics;
use gateway_tower::metrics::prometheus_client::encoding::text::encode;
use gateway_tower::metrics::prometheus_client::registry::Registry;
use gateway_tower::names::{Found, Lookup, LookupFuture, NameOptions, Names};
use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use self::scene::{Scene, answer, connection, endpoint, gateway_name, get, post};

type Body = Full<Bytes>;

/// A gateway whose requests are counted, and what they are counted by.
struct Counted {
    tables: TableHandle,
    metrics: Metrics,
    registry: Registry,
    connection: Arc<Connection>,
}

impl Counted {
    fn new(table: RouteTable) -> Self {
        let tables = TableHandle::new(table);
        let metrics = Metrics::new(tables.clone());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(metrics.clone()));
        Self { tables, metrics, registry, connection: connection() }
    }

    /// Sends requests through a gateway over this client, and reads the answers to their ends.
    async fn send<C>(&self, client: C, requests: impl IntoIterator<Item = Request<Body>>)
    where
        C: Service<Request<RequestBody<Body>>, Response = Response<Body>, Error = BoxError, Future: Send>
            + Clone
            + Send
            + 'static,
    {
        let gateway = Gateway::builder(self.tables.clone()).metrics(&self.metrics).client(client);
        let gateway = gateway.on(Arc::clone(&self.connection));
        let counted = self.metrics.requests(Arc::clone(&self.connection)).layer(gateway);
        for request in requests {
            let Ok(answer) = counted.clone().oneshot(request).await;
            let _broken_off = answer.into_body().collect().await;
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text
    }

    /// The numbers of series whose names start so. Durations are not looked at, but how many there were.
    fn numbers(&self, name: &str) -> BTreeMap<String, u64> {
        let text = self.text();
        let lines = text
            .lines()
            .filter(|line| line.starts_with(name) && !line.contains("_bucket{") && !line.contains("_sum"));
        let number = |line: &str| {
            let (series, number) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), number.parse().unwrap())
        };
        lines.map(number).collect()
    }

    fn series(&self) -> usize {
        self.text().lines().filter(|line| !line.starts_with('#')).count()
    }
}

fn numbers<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected.into_iter().map(|(series, number)| (series.to_owned(), number)).collect()
}

/// A client that answers with the status that the path names.
fn statuses(request: Request<RequestBody<Body>>) -> std::future::Ready<Result<Response<Body>, BoxError>> {
    let status = request.uri().path().trim_start_matches('/').parse().unwrap_or(200);
    ready(Ok(answer(status, "body")))
}

const RULE: &str =
    r#"gateway="default/gateway",listener="http",route_kind="HTTPRoute",route="default/route",rule="0""#;

#[tokio::test]
async fn requests_and_attempts_are_counted_by_the_rule_that_served_them() {
    let counted = Counted::new(Scene::with_backend().table());
    let brew =
        Request::builder().method("BREW").uri("/200").header("host", "a").body(Body::default()).unwrap();
    let requests = [get("/200"), get("/204"), post("/404", "x"), get("/503"), brew];
    counted.send(service_fn(statuses), requests).await;
    let of_rule = |method: &str, class: &str| {
        format!(
            r#"http_server_requests_total{{{RULE},http_request_method="{method}",http_response_status_class="{class}"}}"#
        )
    };
    assert_eq!(
        counted.numbers("http_server_requests"),
        numbers([
            (&of_rule("GET", "2xx"), 2),
            (&of_rule("_OTHER", "2xx"), 1),
            (&of_rule("POST", "4xx"), 1),
            (&of_rule("GET", "5xx"), 1),
        ])
    );
    let duration = |side: &str, labels: &str, class: &str| {
        format!(
            r#"http_{side}_request_duration_seconds_count{{{RULE}{labels},http_response_status_class="{class}"}}"#
        )
    };
    assert_eq!(
        counted.numbers("http_server_request_duration"),
        numbers([
            (&duration("server", "", "2xx"), 3),
            (&duration("server", "", "4xx"), 1),
            (&duration("server", "", "5xx"), 1),
        ])
    );
    let backend = r#",backend="default/backend:80""#;
    assert_eq!(
        counted.numbers("http_client_request_duration"),
        numbers([
            (&duration("client", backend, "2xx"), 3),
            (&duration("client", backend, "4xx"), 1),
            (&duration("client", backend, "5xx"), 1),
        ])
    );
    assert!(counted.text().ends_with("# EOF\n"));
}

#[tokio::test(start_paused = true)]
async fn own_answers_are_counted_by_reason_and_failed_attempts_by_error() {
    let mut scene = Scene::with_backend();
    scene.matches.path = PathMatch::prefix("/a");
    scene.timeouts = Timeouts::new(None, Some(Duration::from_secs(1)));
    scene.retry = Some(Retry { codes: Box::default(), attempts: 2, backoff: Duration::ZERO });
    let counted = Counted::new(scene.table());
    let client = service_fn(|request: Request<RequestBody<Body>>| async move {
        match request.uri().path() {
            "/a/hang" => pending().await,
            "/a/break" => Err("it broke off".into()),
            _ => Err(ConnectError { endpoint: endpoint(1), cause: "refused".into() }.into()),
        }
    });
    let no_host = Request::get("/a").body(Body::default()).unwrap();
    counted.send(client, [get("/a"), post("/a/hang", ""), get("/a/break"), get("/b"), no_host]).await;

    let refused = |labels: &str, reason: &str| {
        format!(r#"gateway_refused_requests_total{{{labels},reason="{reason}"}}"#)
    };
    let listener = r#"gateway="default/gateway",listener="http""#;
    assert_eq!(
        counted.numbers("gateway_refused_requests"),
        numbers([
            (&refused(RULE, "unreachable"), 1),
            (&refused(RULE, "backend_failed"), 1),
            (&refused(RULE, "backend_request_timeout"), 1),
            (&refused(listener, "no_rule"), 1),
            (&refused(r#"gateway="default/gateway""#, "malformed"), 1),
        ])
    );
    assert_eq!(
        counted.numbers("gateway_retries"),
        numbers([(&format!("gateway_retries_total{{{RULE}}}"), 2)])
    );
    let attempts = |error: &str| {
        format!(
            "http_client_request_duration_seconds_count{{{RULE},backend=\"default/backend:80\",\
             http_response_status_class=\"none\",error_type=\"{error}\"}}"
        )
    };
    assert_eq!(
        counted.numbers("http_client_request_duration"),
        numbers([
            (&attempts("unreachable"), 3),
            (&attempts("backend_failed"), 1),
            (&attempts("timed_out"), 1)
        ])
    );
}

// HRB-10
#[tokio::test]
async fn requests_to_an_invalid_reference_are_counted_with_what_it_is_to() {
    let table = |unresolved: &[&'static str], weights: [u32; 3]| {
        let mut scene = Scene::new();
        scene.unresolved = unresolved.to_vec();
        scene.target(BackendTarget::Unresolved, weights[0]);
        scene.target(BackendTarget::Unresolved, weights[1]);
        scene.backend("backend", weights[2], [endpoint(1)]);
        scene.table()
    };
    let names = ["default/gone:80", "Foo other/odd"];
    let counted = Counted::new(table(&names, [1, 0, 0]));
    for (weights, times) in [([1, 0, 0], 2), ([0, 1, 0], 1), ([0, 0, 1], 1)] {
        counted.tables.store(table(&names, weights));
        counted.send(service_fn(statuses), (0..times).map(|_| get("/"))).await;
    }
    let refused = |backend: &str| {
        format!(r#"gateway_refused_requests_total{{{RULE},backend="{backend}",reason="unresolved_backend"}}"#)
    };
    let [gone, odd] = names.map(refused);
    assert_eq!(counted.numbers("gateway_refused_requests"), numbers([(&gone, 2), (&odd, 1)]));
    let requests = |class: &str| {
        format!(
            r#"http_server_requests_total{{{RULE},http_request_method="GET",http_response_status_class="{class}"}}"#
        )
    };
    let all = numbers([(&requests("2xx"), 1), (&requests("5xx"), 3)]);
    assert_eq!(counted.numbers("http_server_requests"), all);
    // A counter that has gone must not make another one jump.
    counted.tables.store(table(&names[..1], [1, 0, 0]));
    assert_eq!(counted.numbers("gateway_refused_requests"), numbers([(&gone, 2)]));
    assert_eq!(counted.numbers("http_server_requests"), all);
}

#[tokio::test]
async fn a_request_that_is_given_up_is_counted_without_an_answer() {
    let counted = Counted::new(Scene::with_backend().table());
    let never = service_fn(|_: Request<RequestBody<Body>>| pending::<Result<Response<Body>, BoxError>>());
    assert!(counted.send(never, [get("/")]).now_or_never().is_none());
    let requests = r#"http_server_requests_total{gateway="default/gateway",http_request_method="GET",http_response_status_class="none"}"#;
    assert_eq!(counted.numbers("http_server_requests"), numbers([(requests, 1)]));
    let attempt = format!(
        "http_client_request_duration_seconds_count{{{RULE},backend=\"default/backend:80\",\
         http_response_status_class=\"none\",error_type=\"given_up\"}}"
    );
    assert_eq!(counted.numbers("http_client_request_duration"), numbers([(&attempt, 1)]));
}

#[tokio::test]
async fn copies_are_counted_for_the_mirror_and_dropped_ones_too() {
    let mut scene = Scene::with_backend();
    let backend = scene.table_backend("mirror", [endpoint(9)], BackendProtocol::Http1);
    scene.filters.push(HttpFilter::RequestMirror(RequestMirror { backend, share: Share::all() }));
    let counted = Counted::new(scene.table());
    let client = service_fn(async |request: Request<RequestBody<Body>>| {
        if request.uri().host() == Some("10.0.0.9") {
            pending::<()>().await;
        }
        Ok::<_, BoxError>(answer(200, ""))
    });
    // A backend that hangs gets half of all the room.
    let half = gateway_tower::mirror::MAX_MIRRORS / 2;
    counted.send(client, (0..half + 3).map(|_| get("/"))).await;
    let mirrored = |result: &str| {
        format!(r#"gateway_mirrored_requests_total{{{RULE},backend="default/mirror:80",result="{result}"}}"#)
    };
    assert_eq!(
        counted.numbers("gateway_mirrored"),
        numbers([(&mirrored("sent"), half as u64), (&mirrored("dropped"), 3)])
    );
}

#[tokio::test]
async fn what_clients_make_up_adds_no_series() {
    let counted = Counted::new(Scene::with_backend().table());
    let made_up = |number: u32| {
        let random = fastrand_of(number);
        let method = Method::from_bytes(format!("M{random:x}").as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(format!("/{random:x}?{random}"));
        request
            .header("host", format!("{random:x}.example"))
            .header("x", random)
            .body(Body::default())
            .unwrap()
    };
    let client = service_fn(|_: Request<RequestBody<Body>>| ready(Ok::<_, BoxError>(answer(200, ""))));
    counted.send(client, [made_up(0)]).await;
    let before = counted.series();
    counted.send(client, (1..1_000_000).map(made_up)).await;
    assert_eq!(counted.series(), before);
    let all = format!(
        r#"http_server_requests_total{{{RULE},http_request_method="_OTHER",http_response_status_class="2xx"}}"#
    );
    assert_eq!(counted.numbers("http_server_requests"), numbers([(&all, 1_000_000)]));
}

/// Spreads numbers, the same in every run.
fn fastrand_of(number: u32) -> u64 {
    fastrand::Rng::with_seed(number.into()).u64(..)
}

#[tokio::test]
async fn counters_outlive_a_table_and_go_with_their_route() {
    let counted = Counted::new(Scene::with_backend().table());
    let client = service_fn(statuses);
    counted.send(client, [get("/")]).await;
    // The same rule, compiled anew, with another backend besides.
    let mut scene = Scene::new();
    scene.table_backend("other", [endpoint(7)], BackendProtocol::Http1);
    scene.backend("backend", 1, [endpoint(1)]);
    counted.tables.store(scene.table());
    counted.send(client, [get("/")]).await;
    let count = format!(
        r#"http_client_request_duration_seconds_count{{{RULE},backend="default/backend:80",http_response_status_class="2xx"}}"#
    );
    assert_eq!(counted.numbers("http_client_request_duration"), numbers([(&count, 2)]));
    counted.tables.store(RouteTable::builder(1).build());
    let left: Vec<_> =
        counted.text().lines().filter(|line| line.contains("gateway=")).map(str::to_owned).collect();
    assert_eq!(left, [""; 0]);
    // What comes back begins anew.
    counted.tables.store(Scene::with_backend().table());
    counted.send(client, [get("/")]).await;
    assert_eq!(counted.numbers("http_client_request_duration"), numbers([(&count, 1)]));
}

#[tokio::test]
async fn a_number_that_is_another_rule_s_in_the_next_table_counts_for_that() {
    let counted = Counted::new(two_routes(["a", "b"]));
    let client = service_fn(statuses);
    counted.send(client, [get("/a"), get("/b"), get("/b")]).await;
    // What had the first number has the second, and the other way round.
    counted.tables.store(two_routes(["b", "a"]));
    counted.send(client, [get("/a"), get("/b"), get("/b")]).await;
    let requests = |route: &str| {
        format!(
            "http_server_requests_total{{gateway=\"default/gateway\",listener=\"http\",route_kind=\"HTTPRoute\",\
             route=\"default/{route}\",rule=\"0\",rule_name=\"{route}\",http_request_method=\"GET\",\
             http_response_status_class=\"5xx\"}}"
        )
    };
    assert_eq!(counted.numbers("http_server_requests"), numbers([(&requests("a"), 2), (&requests("b"), 4)]));
}

/// Two routes, each for the path of its name, in this order; their rules have no backends.
fn two_routes(names: [&str; 2]) -> RouteTable {
    let mut table = RouteTable::builder(1);
    let listener = table.listener(Listener::new(gateway_name(), "http", 80, ListenerProtocol::Http));
    for name in names {
        let key = ObjectName::new("default", name);
        let rule = RuleName {
            route: Arc::new(RouteKey::new(RouteKind::Http, key.clone())),
            index: 0,
            name: Some(name.into()),
        };
        let matches =
            HttpMatch { path: PathMatch::prefix(format!("/{name}").as_str()), ..HttpMatch::default() };
        let route = table.http_route(Age::new(None, &key), [([matches].into(), HttpRule::new(rule))]);
        table.attach(route, listener, &[]);
    }
    table.build()
}

// XBK-05
#[tokio::test]
async fn look_ups_of_names_are_counted_by_backend_and_what_they_came_to() {
    #[derive(Debug)]
    struct Book;

    impl Lookup for Book {
        fn lookup(&self, name: &str) -> LookupFuture {
            let addresses = match name {
                "pay.example" => vec![[192, 0, 2, 7].into()],
                "local.example" => vec![[127, 0, 0, 1].into()],
                _ => Vec::new(),
            };
            Box::pin(ready(Ok(Found { addresses, good_for: None })))
        }
    }

    let mut table = RouteTable::builder(1);
    for (name, protocol) in [
        ("pay", BackendProtocol::Http1),
        ("pay", BackendProtocol::H2c),
        ("local", BackendProtocol::Http1),
        ("none", BackendProtocol::Http1),
    ] {
        table.backend(Backend {
            service: ObjectName::new("shop", name),
            kind: BackendKind::XBackend,
            port: 443,
            hostname: Some(format!("{name}.example").into()),
            protocol,
            ..Backend::default()
        });
    }
    let counted = Counted::new(table.build());
    let names = Names::start(&counted.tables, NameOptions { retry: Duration::MAX, ..NameOptions::new(Book) });
    counted.metrics.follow_names(&names);
    names.looked_up().await;
    assert_eq!(
        counted.numbers("gateway_name_lookups_total"),
        numbers([
            (r#"gateway_name_lookups_total{backend="XBackend shop/local:443",result="refused"}"#, 1),
            (r#"gateway_name_lookups_total{backend="XBackend shop/none:443",result="no_address"}"#, 1),
            (r#"gateway_name_lookups_total{backend="XBackend shop/pay:443",result="found"}"#, 1),
        ])
    );
}
