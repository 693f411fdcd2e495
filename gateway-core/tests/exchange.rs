//! A request and its answer, step by step and in one call.

mod by_hand;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::exchange::forwarded::{self, Client, Trust};
use gateway_core::exchange::{self, Arrival, Decision, Exchange, Form, Forward, Refusal, Stopped};
use gateway_core::filter::{
    Cors, CorsPolicy, Extension, HeaderModifier, HttpFilter, ListenerFilter, PathModifier, RequestMirror,
    Share, UrlRewrite, Verdict,
};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{
    Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName, Timeouts,
};
use gateway_core::table::RouteTable;
use http::{Request, Response, StatusCode, Version, request, response};

use self::by_hand::{ByHand, entry, request};

/// One rule, for `/shop` unless told otherwise, and the backends that it may have.
struct Scene<'a> {
    table: ByHand,
    /// What the match asks for.
    path: &'a str,
    hostnames: &'a [&'a str],
    filters: Vec<HttpFilter>,
    backends: Vec<(BackendRef, Box<[HttpFilter]>)>,
}

impl<'a> Scene<'a> {
    fn new(filters: impl Into<Vec<HttpFilter>>) -> Self {
        Self {
            table: ByHand::new(),
            path: "/shop",
            hostnames: &["*.example"],
            filters: filters.into(),
            backends: Vec::new(),
        }
    }

    /// The same with a backend.
    fn with(mut self, backend: BackendTarget, weight: u32, filters: impl Into<Box<[HttpFilter]>>) -> Self {
        self.backends.push((BackendRef { target: backend, weight }, filters.into()));
        self
    }

    /// The same with a backend that has an endpoint.
    fn with_backend(mut self, filters: impl Into<Box<[HttpFilter]>>) -> Self {
        let backend = self.backend("shop", &[([10, 0, 0, 7], 8080).into()]);
        self.with(backend, 1, filters)
    }

    fn backend(&mut self, name: &str, endpoints: &[SocketAddr]) -> BackendTarget {
        BackendTarget::Backend(self.table.builder.backend(Backend {
            service: ObjectName::new("default", name),
            port: 80,
            protocol: BackendProtocol::Http1,
            endpoints: endpoints.iter().copied().map(Into::into).collect(),
            ..Backend::default()
        }))
    }

    fn table(mut self) -> Arc<RouteTable> {
        let name = ObjectName::new("default", "shop");
        let (refs, backend_filters): (Vec<_>, Vec<_>) = self.backends.into_iter().unzip();
        let rule = HttpRule {
            id: RuleName { route: RouteKey::new(RouteKind::Http, name.clone()).into(), index: 0, name: None },
            filters: self.filters.into(),
            backends: Backends::new(refs),
            backend_filters: backend_filters.into_iter().collect(),
            timeouts: Timeouts::default(),
            retry: None,
            sessions: None,
            data: None,
        };
        let listener = self.table.http("http", 80, "");
        let matches = [entry(self.path)];
        let route = self.table.builder.http_route(Age::new(None, &name), [(matches.into(), rule)]);
        self.table.attach(route, listener, self.hostnames);
        Arc::new(self.table.build())
    }

    /// Begins an exchange.
    fn begin(self, words: &str) -> (Exchange, request::Parts) {
        let (table, mut request) = (self.table(), request(words));
        let exchange = Exchange::begin(&table, &Arrival::new(&gateway(), 80), &mut request);
        (exchange.expect(words), request.into_parts().0)
    }

    fn decide(self, words: &str) -> Decision {
        self.table().decide(&Arrival::new(&gateway(), 80), request(words).into_parts().0, &mut || 0)
    }

    fn forward(self, words: &str) -> Box<Forward> {
        match self.decide(words) {
            Decision::Forward(forward) => forward,
            other => panic!("{words}: {other:?}"),
        }
    }

    fn answer(self, words: &str) -> Response<Bytes> {
        match self.decide(words) {
            Decision::Answer(answer) => answer,
            other => panic!("{words}: {other:?}"),
        }
    }
}

fn gateway() -> ObjectName {
    ObjectName::new("default", "gateway")
}

fn appends(name: &str, value: &str) -> HeaderModifier {
    HeaderModifier::new([], [(name, value)], []).unwrap()
}

/// Says on the request and on the answer that this list has run.
fn signs(list: &str) -> [HttpFilter; 2] {
    [
        HttpFilter::RequestHeaderModifier(appends("x-list", list)),
        HttpFilter::ResponseHeaderModifier(appends("x-list", list)),
    ]
}

fn rewrites(prefix: &str) -> HttpFilter {
    let path = Some(PathModifier::replace_prefix_match(prefix).unwrap());
    HttpFilter::UrlRewrite(Box::new(UrlRewrite { hostname: None, path }))
}

fn mirror(share: Share) -> HttpFilter {
    // The first backend of every table has the same id.
    let nowhere = Backend {
        service: ObjectName::new("default", "nowhere"),
        port: 80,
        protocol: BackendProtocol::Http1,
        ..Backend::default()
    };
    let backend = RouteTable::builder(1).backend(nowhere);
    HttpFilter::RequestMirror(RequestMirror { backend, share })
}

fn cors() -> HttpFilter {
    let policy = CorsPolicy { allow_origins: vec!["https://ok.example"], ..Default::default() };
    HttpFilter::Cors(Box::new(Cors::new(&policy).unwrap()))
}

/// Answers by itself.
#[derive(Debug)]
struct Teapot;

impl Extension for Teapot {
    fn on_request(&self, _parts: &mut request::Parts) -> Verdict {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        Verdict::Respond(Box::new(response))
    }
}

fn teapot() -> HttpFilter {
    HttpFilter::Extension(Arc::new(Teapot))
}

fn values<'h>(headers: &'h http::HeaderMap, name: &str) -> Vec<&'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn of_backend(headers: &[(&str, &str)]) -> response::Parts {
    let answer =
        headers.iter().fold(Response::builder(), |answer, (name, value)| answer.header(*name, *value));
    answer.body(()).unwrap().into_parts().0
}

// === what the backend gets ===

// AMB-01
#[test]
fn what_was_matched_is_what_is_forwarded() {
    for (target, expected) in [
        ("http://a.example/shop/cart?x=/../y", "/shop/cart?x=/../y"),
        ("http://a.example/shop/../shop/./%63art?", "/shop/cart?"),
        ("http://a.example/admin/%2e%2e/shop", "/shop"),
    ] {
        assert_eq!(Scene::new([]).with_backend([]).forward(target).request_parts().uri, expected, "{target}");
    }
    // A rewrite replaces what was matched.
    let rewritten = Scene::new([rewrites("/new")]).with_backend([]).forward("http://a.example/x/../shop/a");
    assert_eq!(rewritten.request_parts().uri, "/new/a");
}

// FLT-01, FLT-08, FLT-11, HRB-18
#[test]
fn the_rules_filters_are_outside_of_those_of_the_backend() {
    let rule = signs("rule").into_iter().chain([rewrites("/rule")]).collect::<Vec<_>>();
    let backend = signs("backend").into_iter().chain([rewrites("/backend")]).collect::<Vec<_>>();
    let forward = Scene::new(rule).with_backend(backend).forward("http://a.example/shop/a");
    let sent = forward.request_parts();
    assert_eq!(values(&sent.headers, "x-list"), ["rule", "backend"]);
    assert_eq!(sent.uri, "/backend/a", "each starts from the path that was matched");
    let mut answer = of_backend(&[]);
    forward.finish(&mut answer);
    assert_eq!(values(&answer.headers, "x-list"), ["backend", "rule"]);
}

// MSG-01
#[test]
fn a_target_is_forwarded_in_one_form_or_refused() {
    let get = |target: &str, host: &str| {
        let mut parts = request(&format!("host:{host}")).into_parts().0;
        parts.uri = target.parse().expect(target);
        parts
    };
    let everything = || {
        let mut scene = Scene::new([rewrites("/new")]);
        scene.path = "/";
        scene.with_backend([]).table()
    };
    for (target, expected) in [
        ("http://a.example?x=1", "/new/?x=1"),
        ("http://a.example", "/new/"),
        ("/gr\u{fc}n|", "/new/gr%C3%BCn%7C"),
    ] {
        let decision =
            everything().decide(&Arrival::new(&gateway(), 80), get(target, "a.example"), &mut || 0);
        let Decision::Forward(forward) = decision else { panic!("{target}: {decision:?}") };
        let sent = forward.request_parts().uri.path_and_query().map(|sent| sent.as_str());
        assert_eq!(sent, Some(expected), "{target}");
    }
    // Without a rewrite too.
    let mut scene = Scene::new([]);
    scene.path = "/";
    let table = scene.with_backend([]).table();
    let decision = table.decide(&Arrival::new(&gateway(), 80), get("http://a.example?x", "a"), &mut || 0);
    let Decision::Forward(forward) = decision else { panic!("{decision:?}") };
    assert_eq!(forward.request_parts().uri.path_and_query().unwrap().as_str(), "/?x");
    for target in ["a.example:80", "*", "ftp://a.example/shop"] {
        let decision =
            everything().decide(&Arrival::new(&gateway(), 80), get(target, "a.example"), &mut || 0);
        let Decision::Answer(answer) = decision else { panic!("{target}: {decision:?}") };
        assert_eq!((answer.status().as_u16(), &answer.body()[..3]), (400, &b"400"[..]), "{target}");
    }
}

// MSG-02, FRW-07
#[test]
fn what_the_backend_does_not_see_decides_nothing() {
    for (condition, words) in [
        ("x-user:admin", "connection:x-user x-user:admin"),
        ("x-forwarded-proto:https", "x-forwarded-proto:https"),
        ("x_forwarded_for:10.0.0.1", "x_forwarded_for:10.0.0.1"),
        ("keep-alive:5", "keep-alive:5"),
        ("upgrade:foo", "connection:upgrade upgrade:foo"),
        ("host:b.example", "host:b.example"),
    ] {
        let mut scene = Scene::new([]);
        let path = format!("/shop {condition}");
        scene.path = &path;
        let answer = scene.with_backend([]).answer(&format!("http://a.example/shop {words}"));
        assert_eq!(answer.status(), 404, "{words}");
    }
    let mut scene = Scene::new([]);
    scene.path = "/shop upgrade:websocket x-user:admin";
    scene.with_backend([]).forward("http://a.example/shop connection:upgrade upgrade:websocket x-user:admin");
    // HTTP/2 names the host in the target alone.
    let mut scene = Scene::new([]);
    scene.path = "/shop host:a.example";
    scene.with_backend([]).forward("http://a.example/shop");
}

// MSG-03
#[test]
fn a_length_is_said_once() {
    let sent = |words: &str| {
        let forward = Scene::new([]).with_backend([]).forward(&format!("http://a.example/shop {words}"));
        forward.request_parts().headers.clone()
    };
    let twice = sent("content-length:2 content-length:2 connection:content-length");
    assert_eq!(values(&twice, "content-length"), ["2"]);
    let chunked = sent("transfer-encoding:Chunked content-length:2 connection:transfer-encoding");
    assert_eq!(values(&chunked, "transfer-encoding"), ["chunked"]);
    assert_eq!(values(&chunked, "content-length"), [""; 0]);
    for lengths in ["content-length:2 content-length:3", "content-length:x", "content-length:2,3"] {
        let answer = Scene::new([]).with_backend([]).answer(&format!("http://a.example/shop {lengths}"));
        assert_eq!(answer.status(), 400, "{lengths}");
    }
}

// MSG-02
#[test]
fn a_value_that_another_version_of_http_would_read_differently_is_refused() {
    let table = Scene::new([]).with_backend([]).table();
    for (value, version, expected) in [
        (" admin", Version::HTTP_2, false),
        ("admin\t", Version::HTTP_2, false),
        (" ", Version::HTTP_2, false),
        ("ad min", Version::HTTP_2, true),
        ("", Version::HTTP_2, true),
        // Its parsers take white space off.
        (" admin", Version::HTTP_11, true),
    ] {
        let mut parts = request("http://a.example/shop").into_parts().0;
        parts.headers.insert("x-user", http::HeaderValue::from_static(value));
        parts.version = version;
        let decision = table.decide(&Arrival::new(&gateway(), 80), parts, &mut || 0);
        assert_eq!(matches!(decision, Decision::Forward(_)), expected, "{value:?} {version:?}: {decision:?}");
    }
}

// MSG-04
#[test]
fn a_request_of_http_1_0_without_host_is_for_whoever_serves_all_hosts() {
    let mut scene = Scene::new([]);
    scene.hostnames = &[];
    let table = scene.with_backend([]).table();
    let ask = |table: &Arc<RouteTable>, version| {
        let mut parts = request("").into_parts().0;
        (parts.uri, parts.version) = ("/shop".parse().unwrap(), version);
        table.decide(&Arrival::new(&gateway(), 80), parts, &mut || 0)
    };
    let Decision::Forward(forward) = ask(&table, Version::HTTP_10) else { panic!("all hosts are served") };
    assert_eq!(values(&forward.request_parts().headers, "host"), [""]);
    assert!(!forward.request_parts().headers.contains_key("x-forwarded-host"));
    let status = |decision| match decision {
        Decision::Answer(answer) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(ask(&table, Version::HTTP_11)), 400);
    let some_hosts = Scene::new([]).with_backend([]).table();
    assert_eq!(status(ask(&some_hosts, Version::HTTP_10)), 404);
}

// MSG-06
#[test]
fn a_request_that_may_not_be_forwarded_is_answered_here() {
    for (method, left, expected) in [
        ("OPTIONS", "0", Err(200)),
        ("TRACE", "0", Err(501)),
        ("OPTIONS", "3", Ok("2")),
        ("TRACE", "1", Ok("0")),
        ("GET", "0", Ok("0")),
        ("OPTIONS", "many", Ok("many")),
    ] {
        let words = format!("{method} http://a.example/shop max-forwards:{left}");
        match (Scene::new([]).with_backend([]).decide(&words), expected) {
            (Decision::Forward(forward), Ok(left)) => {
                assert_eq!(values(&forward.request_parts().headers, "max-forwards"), [left], "{words}");
            }
            (Decision::Answer(answer), Err(status)) => assert_eq!(answer.status(), status, "{words}"),
            (decision, _) => panic!("{words}: {decision:?}"),
        }
    }
}

// HRB-03, HRB-18
#[test]
fn only_the_filters_of_the_chosen_backend_run() {
    for (random, expected) in [(0, "a"), (u64::MAX, "b")] {
        let mut scene = Scene::new([]);
        for name in ["a", "b"] {
            let backend = scene.backend(name, &[([10, 0, 0, 1], 80).into()]);
            scene = scene.with(backend, 1, signs(name));
        }
        let (mut exchange, mut parts) = scene.begin("http://a.example/shop");
        exchange.run(&mut parts, &mut || random).unwrap();
        assert_eq!(&*exchange.backend().unwrap().service.name, expected);
        assert_eq!(values(&parts.headers, "x-list"), [expected]);
        let mut answer = of_backend(&[]);
        exchange.finish(&mut answer);
        assert_eq!(values(&answer.headers, "x-list"), [expected]);
    }
}

// FMR-04, HRB-03
#[test]
fn random_numbers_are_drawn_in_the_order_of_the_steps() {
    let half = Share::percent(50).unwrap();
    let (mut exchange, mut parts) =
        Scene::new([mirror(half), mirror(half)]).with_backend([mirror(half)]).begin("http://a.example/shop");
    let mut numbers = [10, 60, 0, 20].into_iter();
    exchange.run(&mut parts, &mut || numbers.next().unwrap()).unwrap();
    assert_eq!((exchange.mirrors().len(), numbers.next()), (2, None));
}

// FRW-07
#[test]
fn the_backend_is_told_about_the_client_before_the_filters_run() {
    let gateway = gateway();
    let address = forwarded::address([192, 0, 2, 7].into());
    let arrival = Arrival {
        client: Client { address: Some(&address), secure: true },
        trust: Trust::Edge,
        ..Arrival::new(&gateway, 80)
    };
    let hides = HeaderModifier::new([], [], ["x-forwarded-host"]).unwrap();
    let table = Scene::new([HttpFilter::RequestHeaderModifier(hides)]).with_backend([]).table();
    let claims =
        "http://a.example/shop connection:x-forwarded-for,x-mine x-forwarded-for:10.0.0.1 x-mine:1 te:gzip";
    let Decision::Forward(forward) = table.decide(&arrival, request(claims).into_parts().0, &mut || 0) else {
        panic!("the rule has a backend")
    };
    let headers = &forward.request_parts().headers;
    assert_eq!(values(headers, "x-forwarded-for"), ["192.0.2.7"], "the client's own list went with its hop");
    assert_eq!(values(headers, "x-forwarded-proto"), ["https"]);
    for gone in ["connection", "x-mine", "te", "x-forwarded-host"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
}

// AMB-43, FRW-08
#[test]
fn the_host_that_the_backend_sees_is_always_in_the_host_header() {
    let both = Scene::new([mirror(Share::all())])
        .with_backend([])
        .forward("http://a.example:81/shop host:b.example");
    let copy = &both.mirrors()[0];
    assert_eq!(&*both.mirror_backend(copy).service.name, "shop");
    for parts in [both.request_parts(), &copy.parts] {
        assert_eq!(
            (parts.uri.to_string().as_str(), values(&parts.headers, "host")),
            ("/shop", vec!["a.example:81"])
        );
    }
    let hostname = Some("b.example".parse().unwrap());
    let rewrite = HttpFilter::UrlRewrite(Box::new(UrlRewrite { hostname, path: None }));
    let rewritten = Scene::new([rewrite]).with_backend([]).forward("http://a.example/shop");
    assert_eq!(values(&rewritten.request_parts().headers, "host"), ["b.example"]);
}

// === what the client gets ===

// RFC 9110 section 7.6.1; BPR-04
#[test]
fn what_a_backend_says_about_its_connection_stays_behind() {
    let said =
        [("connection", "x-hop, upgrade"), ("x-hop", "1"), ("upgrade", "websocket"), ("etag", "\"1\"")];
    for (words, status, upgraded) in [
        ("http://a.example/shop connection:upgrade upgrade:websocket", 101, true),
        ("http://a.example/shop connection:upgrade upgrade:websocket", 200, false),
        ("http://a.example/shop", 101, false),
    ] {
        let forward = Scene::new([]).with_backend([]).forward(words);
        assert_eq!(
            forward.request_parts().headers.contains_key("upgrade"),
            words.contains("websocket"),
            "{words}"
        );
        let mut answer = of_backend(&said);
        answer.status = StatusCode::from_u16(status).unwrap();
        forward.finish(&mut answer);
        assert!(answer.headers.contains_key("etag") && !answer.headers.contains_key("x-hop"), "{words}");
        assert_eq!(answer.headers.contains_key("upgrade"), upgraded, "{words}: {status}");
    }
}

// FHM-11, FCO-02
#[test]
fn answers_of_the_gateways_own_pass_only_the_filters_that_are_for_such() {
    let filters = || [cors(), HttpFilter::ResponseHeaderModifier(appends("x-list", "rule"))];
    let words = "http://a.example/shop origin:https://ok.example";
    let mut unreachable = of_backend(&[]);
    Scene::new(filters()).with_backend(signs("backend")).forward(words).finish_local(&mut unreachable);
    let (refused, _) = Scene::new(filters()).answer(words).into_parts();
    for answer in [unreachable, refused] {
        assert_eq!(answer.headers["access-control-allow-origin"], "https://ok.example");
        assert!(!answer.headers.contains_key("x-list"));
    }
}

// FRD-11, FEX-01, HRB-18
#[test]
fn the_answer_of_a_filter_passes_the_lists_that_have_run() {
    let of_rule = Scene::new(signs("rule").into_iter().chain([teapot()]).collect::<Vec<_>>())
        .with_backend(signs("backend"))
        .answer("http://a.example/shop");
    assert_eq!((of_rule.status().as_u16(), values(of_rule.headers(), "x-list")), (418, vec!["rule"]));
    assert_eq!(of_rule.extensions().get::<Refusal>(), None);
    let of_backend = Scene::new(signs("rule"))
        .with_backend(signs("backend").into_iter().chain([teapot()]).collect::<Vec<_>>())
        .answer("http://a.example/shop");
    assert_eq!(
        (of_backend.status().as_u16(), values(of_backend.headers(), "x-list")),
        (418, vec!["backend", "rule"])
    );
}

// AMB-16, HRM-16, HST-10, FLT-05, HRB-10, HRB-11, HRB-12, HRB-13, AMB-20
#[test]
fn what_cannot_be_forwarded_is_answered() {
    let unresolved = || Scene::new([]).with(BackendTarget::Unresolved, 1, []);
    let mut empty = Scene::new([]);
    let without_endpoints = empty.backend("empty", &[]);
    for (scene, words, expected) in [
        (Scene::new([]), "http://a.example/other", 404),
        (Scene::new([]), "http://elsewhere.test/shop", 404),
        (Scene::new([]), "host:a.example host:b.example", 400),
        (Scene::new([HttpFilter::Unresolved]).with_backend([]), "http://a.example/shop", 500),
        (Scene::new([]).with_backend([HttpFilter::Unresolved]), "http://a.example/shop", 500),
        (Scene::new([]), "http://a.example/shop", 500),
        (Scene::new([]).with(BackendTarget::Unresolved, 0, []), "http://a.example/shop", 500),
        (unresolved(), "http://a.example/shop", 500),
        (empty.with(without_endpoints, 1, []), "http://a.example/shop", 503),
    ] {
        let answer = scene.answer(words);
        assert_eq!(answer.status(), expected, "{words}");
        let refusal = answer.extensions().get::<Refusal>().expect("the answer is the gateway's own");
        assert_eq!(answer.body(), refusal.text(), "{words}");
    }
    let other = ObjectName::new("default", "other");
    let mut get = request("http://a.example/shop");
    let refused = Exchange::begin(&Scene::new([]).table(), &Arrival::new(&other, 80), &mut get);
    assert_eq!(refused.unwrap_err().into_response(Form::Http).status(), 404, "no listener is there");
}

// === the filters of listeners ===

/// A filter that is a function.
struct Before<F>(F);

impl<F> fmt::Debug for Before<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before")
    }
}

impl<F: Fn(&mut request::Parts) -> Verdict + Send + Sync + 'static> Extension for Before<F> {
    fn on_request(&self, parts: &mut request::Parts) -> Verdict {
        (self.0)(parts)
    }
}

fn before(edit: impl Fn(&mut request::Parts) -> Verdict + Send + Sync + 'static) -> ListenerFilter {
    ListenerFilter::Extension(Arc::new(Before(edit)))
}

/// Listeners for `a.example`, with these filters, and `b.example`, with rules of the same names in both.
fn two_listeners(filters: Vec<ListenerFilter>) -> RouteTable {
    let mut table = ByHand::new();
    for name in ["a", "b"] {
        let listener = table.http(name, 80, &format!("{name}.example"));
        let rules: [(&str, &[&str]); 3] =
            [("shop", &["/shop"]), ("post", &["=/post POST"]), ("user", &["=/user x-user:root"])];
        table.serve(listener, name, &[], &rules);
        if name == "a" {
            table.builder.listener_filters(listener, filters.clone());
        }
    }
    table.build()
}

fn found(table: &RouteTable, words: &str) -> (String, Request<()>) {
    let mut request = request(words);
    let told = match exchange::find(table, &Arrival::new(&gateway(), 80), &mut request) {
        Ok(matched) => table.rule(matched.rule).id.to_string(),
        Err(Stopped::Answered(answer)) => format!("answered {}", answer.status().as_u16()),
        Err(Stopped::Refused(refusal)) => refusal.status().as_u16().to_string(),
        Err(Stopped::Asks(auth)) => panic!("nobody asks: {auth:?}"),
    };
    (told, request)
}

// PRF-01, PRF-02, PRF-03, PRF-04
#[test]
fn what_the_filters_of_a_listener_leave_decides_the_rule_and_never_the_listener() {
    let table = two_listeners(vec![
        before(|parts| {
            // As no client would write it.
            parts.uri = http::Uri::from_static("http://b.example/other/../us%65r?x");
            parts.headers.insert("host", http::HeaderValue::from_static("b.example"));
            Verdict::Continue
        }),
        before(|parts| {
            assert_eq!(parts.headers["host"], "a.example", "the filter before changed nothing of it");
            parts.headers.insert("x-user", http::HeaderValue::from_static("root"));
            Verdict::Continue
        }),
    ]);
    let (told, request) = found(&table, "http://a.example/shop");
    assert_eq!(told, "default/a/user");
    assert_eq!(request.uri(), "http://a.example/user?x", "in the form that was matched");
    assert_eq!(request.headers()["host"], "a.example");
    let (told, request) = found(&table, "http://b.example/shop");
    assert_eq!((&*told, request.uri().path()), ("default/b/shop", "/shop"), "that listener has none");
}

// PRF-02: also the method.
#[test]
fn a_filter_of_a_listener_may_change_the_method() {
    let table = two_listeners(vec![before(|parts| {
        parts.method = http::Method::POST;
        Verdict::Continue
    })]);
    assert_eq!(found(&table, "http://a.example/post").0, "default/a/post");
    assert_eq!(found(&table, "http://b.example/post").0, "404");
}

// PRF-05, PRF-08
#[test]
fn a_filter_of_a_listener_answers_whatever_rules_there_are() {
    let denied = || {
        before(|parts| match parts.headers.contains_key("x-key") {
            true => Verdict::Continue,
            false => {
                let mut answer = Response::new(Bytes::from_static(b"no key"));
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
                Verdict::Respond(Box::new(answer))
            }
        })
    };
    let counted = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&counted);
    let after = before(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Verdict::Continue
    });
    let table = two_listeners(vec![denied(), after]);
    for (words, told, ran) in [
        ("http://a.example/shop", "answered 401", 0),
        ("http://a.example/nothing", "answered 401", 0),
        ("http://a.example/shop x-key:1", "default/a/shop", 1),
        ("http://a.example/nothing x-key:1", "404", 2),
        ("http://b.example/shop", "default/b/shop", 2),
    ] {
        assert_eq!(found(&table, words).0, told, "{words}");
        assert_eq!(counted.load(std::sync::atomic::Ordering::Relaxed), ran, "{words}");
    }
    let Decision::Answer(answer) = Arc::new(table).decide(
        &Arrival::new(&gateway(), 80),
        request("http://a.example/shop").into_parts().0,
        &mut || 0,
    ) else {
        panic!("the filter answers")
    };
    assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::UNAUTHORIZED, &b"no key"[..]));
}

// PRF-07
#[test]
fn a_filter_of_a_listener_that_cannot_be_carried_out_fails_all_requests() {
    let breaks = |target: &'static str| {
        before(move |parts| {
            parts.uri = http::Uri::from_static(target);
            Verdict::Continue
        })
    };
    for filters in [vec![ListenerFilter::Unresolved], vec![before(|_| Verdict::Fail)], vec![breaks("*")]] {
        let table = two_listeners(filters);
        assert_eq!(found(&table, "http://a.example/shop").0, "500");
        assert_eq!(found(&table, "http://a.example/nothing").0, "500");
        assert_eq!(found(&table, "http://b.example/shop").0, "default/b/shop");
    }
}

// === the order of the steps ===

// RTY-01: the filters run once for a request, not for an attempt
#[test]
fn a_step_taken_again_changes_nothing() {
    let (mut exchange, mut parts) = Scene::new([mirror(Share::all()), signs("rule")[0].clone()])
        .with_backend(signs("backend"))
        .begin("http://a.example/shop");
    let backend = exchange.run(&mut parts, &mut || 0).unwrap();
    let sent = parts.headers.clone();
    let again = exchange.run(&mut parts, &mut || u64::MAX).unwrap();
    assert_eq!((again, &parts.headers, exchange.mirrors().len()), (backend, &sent, 1));
}

// FLT-05
#[test]
fn no_step_leads_around_the_filters() {
    let words = "http://a.example/shop";
    let (mut exchange, _) = Scene::new([teapot()]).with_backend([]).begin(words);
    assert_eq!(exchange.choose_backend(0), Err(Refusal::Filter));

    let (mut exchange, mut parts) = Scene::new([]).with_backend([teapot()]).begin(words);
    let early = exchange.on_backend_request(&mut parts, &mut || 0);
    assert!(matches!(early, Err(Stopped::Refused(Refusal::NoBackend))), "{early:?}");

    let (mut exchange, mut parts) = Scene::new([teapot()]).with_backend([]).begin(words);
    assert!(matches!(exchange.on_request(&mut parts, &mut || 0), Err(Stopped::Answered(_))));
    let again = exchange.run(&mut parts, &mut || 0);
    assert!(matches!(again, Err(Stopped::Refused(Refusal::Filter))), "{again:?}");
    assert_eq!(exchange.choose_backend(0), Err(Refusal::Filter));
    assert!(exchange.on_backend_request(&mut parts, &mut || 0).is_err());
}

// AMB-51, FMR-03
#[test]
fn copies_are_made_only_of_what_is_attempted_and_are_taken_once() {
    let mirrored = || Scene::new([mirror(Share::all())]);
    let words = "http://a.example/shop";
    let (mut exchange, mut parts) = mirrored().with_backend([teapot()]).begin(words);
    assert!(exchange.run(&mut parts, &mut || 0).is_err());
    assert!(exchange.mirrors().is_empty(), "a filter of the backend has answered");

    let (mut exchange, mut parts) = mirrored().with_backend([]).begin(words);
    exchange.run(&mut parts, &mut || 0).unwrap();
    assert!(exchange.clone().mirrors().is_empty());
    assert_eq!(exchange.take_mirrors().len(), 1);
    assert!(exchange.mirrors().is_empty());
}

// HRB-18, FHM-11
#[test]
fn layers_can_run_the_two_lists_at_two_places() {
    let (mut exchange, mut parts) =
        Scene::new(signs("rule")).with_backend(signs("backend")).begin("http://a.example/shop");
    exchange.on_request(&mut parts, &mut || 0).unwrap();
    let outer = exchange.clone();
    exchange.choose_backend(0).unwrap();
    let mut refused = of_backend(&[]);
    exchange.on_backend_response(&mut refused);
    assert!(refused.headers.is_empty(), "the filters of the backend have not run");
    exchange.on_backend_request(&mut parts, &mut || 0).unwrap();
    let mut answer = of_backend(&[]);
    exchange.on_backend_response(&mut answer);
    assert_eq!(values(&answer.headers, "x-list"), ["backend"]);
    outer.on_response(&mut answer);
    assert_eq!(values(&answer.headers, "x-list"), ["backend", "rule"]);
    outer.on_backend_response(&mut answer);
    assert_eq!(values(&answer.headers, "x-list").len(), 2);
}

#[test]
fn a_decision_lives_as_long_as_it_is_needed() {
    fn is_sent_anywhere<T: Send + Sync + 'static>(_: &T) {}
    let table = Scene::new([]).with_backend([]).table();
    let decision = table.decide(
        &Arrival::new(&gateway(), 80),
        request("http://a.example/shop").into_parts().0,
        &mut || 0,
    );
    is_sent_anywhere(&decision);
    drop(table);
    let Decision::Forward(forward) = decision else { panic!("the rule has a backend") };
    assert_eq!(forward.backend().endpoints.len(), 1);

    // Whatever leads to a table will do.
    let table = RouteTable::default();
    let mut get: Request<()> = request("http://a.example/shop");
    let refused = Exchange::begin(&&table, &Arrival::new(&gateway(), 80), &mut get);
    assert_eq!(refused.unwrap_err().into_response(Form::Http).status(), 404);
}
