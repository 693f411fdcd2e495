//! A decision allocates nothing: counted, whatever the request looks like and whatever it meets.

mod by_hand;

use std::net::SocketAddr;
use std::sync::Arc;

use allocation_counter::measure;
use gateway_core::exchange::{Arrival, Exchange};
use gateway_core::hostname::Host;
use gateway_core::matching::{GrpcMatch, GrpcMethodMatch, RequestHead, ValueMatch};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName};
use gateway_core::table::ListenerProtocol;
use http::Response;

use self::by_hand::{ByHand, ask_on, entry, port, request};

/// AMB-14, HRM-16, HST-08: lower-casing, the ways to match and the ways not to.
#[test]
fn reading_the_head_and_finding_the_rule_allocate_nothing() {
    let mut table = ByHand::new();
    let http = table.http("http", 80, "");
    let https = table.https("https", 443, "*.example.com");
    let tenants: Vec<String> = (0..1000).map(|i| format!("/tenants tenant:t{i}")).collect();
    let tenants: Vec<(String, [&str; 1])> =
        tenants.iter().enumerate().map(|(i, words)| (format!("t{i}"), [words.as_str()])).collect();
    let tenants: Vec<(&str, &[&str])> =
        tenants.iter().map(|(name, words)| (name.as_str(), words.as_slice())).collect();
    let plain: &[(&str, &[&str])] = &[
        ("exact", &["=/exact"]),
        ("prefix", &["/prefix", "/prefix/deep/deeper"]),
        ("pattern", &["~/v[0-9]+/.*"]),
        ("methods", &["/methods PATCH"]),
        ("header", &["/header version:one", "/header version:~o.*"]),
        ("query", &["/query animal=whale", "/query animal=~d.*"]),
    ];
    for listener in [http, https] {
        table.serve(listener, "exact-host", &["a.example.com"], plain);
        table.serve(listener, "wildcard-host", &["*.wild.example.com"], plain);
        table.serve(listener, "tenants", &["tenants.example.com"], &tenants);
    }
    let table = table.build();

    for (words, expected) in [
        ("http://a.example.com/exact", "exact"),
        ("http://a.example.com/prefix", "prefix"),
        ("http://a.example.com/prefix/deep/and/more?x=1", "prefix"),
        ("http://a.example.com:8080/prefix", "prefix"),
        ("http://a.example.com./prefix", "prefix"),
        ("http://A.Example.COM/prefix", "prefix"),
        ("http://a.b.c.wild.example.com/prefix", "prefix"),
        ("http://a.example.com/v12/anything", "pattern"),
        ("PATCH http://a.example.com/methods", "methods"),
        ("http://a.example.com/header version:one", "header"),
        ("http://a.example.com/header version:two version:other", "header"),
        ("http://a.example.com/query?b=1&animal=whale", "query"),
        ("http://a.example.com/query?animal=d%6Flphin", "query"),
        ("http://a.example.com/query?%61nimal=wh%61le", "query"),
        ("http://tenants.example.com/tenants/x tenant:t0 tenant:t999", "t0"),
        ("http://tenants.example.com/tenants/x tenant:t999", "t999"),
        ("http://tenants.example.com/tenants/x tenant:t1000", "404"),
        ("http://a.example.com/nothing/here", "404"),
        ("http://a.example.com/header version:nine", "404"),
        ("http://unknown.example.com/", "404"),
        ("http://unknown.example.org/", "404"),
    ] {
        let request = request(words);
        for (number, server_name) in [(80, None), (443, Some("a.example.com"))] {
            // The first time, the regular expressions make room for their work.
            assert_eq!(ask_on(&table, number, server_name, words), expected, "{words}");
            let port = port(&table, number);
            let allocations = measure(|| {
                let server_name = server_name.map(|name| Host::from_name(name).expect("a name"));
                let head = RequestHead::new(request.method(), request.uri(), request.headers());
                let _decision = table.find(port, server_name.as_ref(), &head.expect("a host"));
            });
            assert_eq!(allocations.count_total, 0, "{words} on port {number}");
        }
    }
}

/// GRP-03, GRP-07, AMB-40
#[test]
fn finding_the_rule_of_a_call_allocates_nothing() {
    let (mut table, listener) = ByHand::with_listener();
    let part = |text: &str| match text.strip_prefix('~') {
        Some(pattern) => ValueMatch::Regex(pattern.parse().expect("an expression")),
        None => ValueMatch::exact(text),
    };
    let entry = |service: &str, method: &str| GrpcMatch {
        method: GrpcMethodMatch::new(Some(part(service)), Some(part(method))),
        ..GrpcMatch::default()
    };
    let name = ObjectName::new("default", "calls");
    let route = RouteKey::new(RouteKind::Grpc, name.clone()).into();
    let matches =
        [entry("shop.Cart", "Add"), entry("shop.Order", ""), entry("", "Check"), entry("~bank[.].*", "")];
    let rule = HttpRule::new(RuleName { route, index: 0, name: None });
    let route = table.builder.grpc_route(Age::new(None, &name), [(matches.into(), rule)]);
    table.attach(route, listener, &["*.example.com"]);
    let table = table.build();
    for (path, expected) in [
        ("/shop.Cart/Add", Some(0)),
        ("/shop.Order/Any", Some(1)),
        ("/any.Service/Check", Some(2)),
        ("/bank.Account/Close", Some(3)),
        ("/shop.Cart/Remove", None),
        ("/none", None),
    ] {
        let mut request = request(&format!("http://a.example.com{path} content-type:application/grpc"));
        *request.method_mut() = http::Method::POST;
        let port = port(&table, 80);
        let find = || {
            let head = RequestHead::new(request.method(), request.uri(), request.headers());
            table.find(port, None, &head.expect("a host")).ok().map(|matched| matched.entry)
        };
        // The first time, the regular expression makes room for its work.
        assert_eq!(find(), expected, "{path}");
        assert_eq!(measure(|| _ = find()).count_total, 0, "{path}");
    }
}

// AMB-01, AMB-02
#[test]
fn only_a_path_that_is_not_in_its_normal_form_is_copied() {
    let count = |target: &str| {
        let request = request(target);
        measure(|| {
            let head = RequestHead::new(request.method(), request.uri(), request.headers());
            head.expect("a host");
        })
        .count_total
    };
    assert_eq!(count("http://a.example.com/a/b.c/.d/e..f/..."), 0);
    assert_eq!(count("http://a.example.com/a//b;c=d"), 0);
    assert_eq!(count("http://a.example.com/caf%C3%A9"), 0, "an escape in its normal form stays as it is");
    assert!(count("http://a.example.com/a/../b") > 0);
    assert!(count("http://a.example.com/%61") > 0);
}

// TLR-05, TLR-06, TCR-07
#[test]
fn finding_the_rule_and_the_backend_of_a_stream_allocates_nothing() {
    let mut table = ByHand::new();
    let backend = table.builder.backend(Backend {
        service: ObjectName::new("default", "database"),
        port: 5432,
        protocol: BackendProtocol::default(),
        endpoints: [SocketAddr::from(([10, 0, 0, 7], 5432)).into()].into(),
        ..Backend::default()
    });
    let to = || [BackendRef { target: BackendTarget::Backend(backend), weight: 1 }; 2];
    let listener = table.listener("tls", 443, "*.example.com", ListenerProtocol::TlsPassthrough);
    for (name, hostname) in [("exact", "a.example.com"), ("wildcard", "*.wild.example.com")] {
        table.stream(listener, (RouteKind::Tls, name, None), &[hostname], to());
    }
    let table = table.build();
    let port = port(&table, 443);
    for (name, expected) in [
        (Some("a.example.com"), true),
        (Some("A.Example.COM"), true),
        (Some("a.b.wild.example.com"), true),
        (Some("b.example.com"), false),
        (Some("example.org"), false),
        (None, false),
    ] {
        let mut found = false;
        let allocations = measure(|| {
            let name = name.map(|name| Host::from_name(name).expect("a name"));
            let matched = table.find_stream(port, name.as_ref());
            found = matched.and_then(|matched| table.stream_backend(matched, u64::MAX / 3)).is_ok();
        });
        assert_eq!((found, allocations.count_total), (expected, 0), "{name:?}");
    }
}

#[test]
fn the_steps_of_a_request_without_filters_allocate_nothing() {
    let (mut table, listener) = ByHand::with_listener();
    let backend = table.builder.backend(Backend {
        service: ObjectName::new("default", "shop"),
        port: 80,
        protocol: BackendProtocol::Http1,
        endpoints: [SocketAddr::from(([10, 0, 0, 7], 8080)).into()].into(),
        ..Backend::default()
    });
    let name = ObjectName::new("default", "shop");
    let rule = HttpRule {
        backends: Backends::new([BackendRef { target: BackendTarget::Backend(backend), weight: 1 }]),
        ..HttpRule::new(RuleName {
            route: RouteKey::new(RouteKind::Http, name.clone()).into(),
            index: 0,
            name: None,
        })
    };
    let route = table.builder.http_route(Age::new(None, &name), [([entry("/shop")].into(), rule)]);
    table.attach(route, listener, &[]);
    let table = Arc::new(table.build());
    let gateway = ObjectName::new("default", "gateway");
    let arrival = Arrival::new(&gateway, 80);
    // A target that names the host has it written into a header.
    let mut request = request("host:a.example.com accept:text/html");
    *request.uri_mut() = "/shop/cart".parse().expect("a path");
    let (mut answer, ()) = Response::new(()).into_parts();
    let allocations = measure(|| {
        let mut exchange = Exchange::begin(&table, &arrival, &mut request).expect("a rule serves it");
        let (mut parts, ()) = std::mem::take(&mut request).into_parts();
        exchange.run(&mut parts, &mut || 0).expect("the rule has a backend");
        exchange.finish(&mut answer);
    });
    assert_eq!(allocations.count_total, 0);
}
