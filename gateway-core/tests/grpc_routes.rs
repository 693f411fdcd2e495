//! GRPCRoutes from manifests: which of them serves a call, what stands beside them, and what the caller gets otherwise.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::exchange::{Arrival, Decision};
use gateway_core::matching::RequestHead;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::rule::BackendProtocol;
use gateway_core::table::{CandidateOutcome, FrontendOwner, RouteTable, TieBreaker, Transport};
use gateway_core::translate::{Translation, translate};
use http::Request;

use self::common::resources;

/// A Gateway with one listener, and a Service with a port of each protocol.
const BASE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  ports:
  - {name: plain, port: 80}
  - {name: h2c, port: 81, appProtocol: kubernetes.io/h2c}
  - {name: ws, port: 82, appProtocol: kubernetes.io/ws}
  - {name: hint, port: 84, appProtocol: grpc}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shop-1, labels: {kubernetes.io/service-name: shop}}
addressType: IPv4
ports: [{name: plain, port: 9000}, {name: h2c, port: 9001}, {name: hint, port: 9004}]
endpoints: [{addresses: [10.0.0.1]}]
";

fn route(kind: &str, name: &str, hostnames: &str, rules: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
         spec: {{parentRefs: [{{name: gw}}], hostnames: [{hostnames}], rules: [{rules}]}}\n"
    )
}

/// Rules for calls, by their names and matches.
fn rules(rules: &[(&str, &str)]) -> String {
    let rule = |(name, matches): &(&str, &str)| format!("{{name: {name}, matches: [{matches}]}}");
    rules.iter().map(rule).collect::<Vec<_>>().join(", ")
}

fn translated(routes: &[String]) -> Translation {
    let resources = resources(&format!("{BASE}{}", routes.concat()));
    translate(&resources, &Options { any_class: true, ..Options::default() })
}

/// A call: `http://host/service/method name:value …`
fn call(words: &str) -> Request<()> {
    let mut words = words.split(' ');
    let mut call = Request::post(words.next().unwrap()).header("content-type", "application/grpc");
    for (name, value) in words.filter_map(|word| word.split_once(':')) {
        call = call.header(name, value);
    }
    call.body(()).unwrap()
}

/// The name of the rule that serves a request, or `none`.
fn served(table: &RouteTable, request: &Request<()>) -> String {
    let gateway = ObjectName::new("default", "gw");
    let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80).unwrap();
    let head = RequestHead::from_request(request).unwrap();
    let explained = table.explain(frontend, None, &head);
    let found = table.find(frontend, None, &head);
    assert_eq!(found, explained.decision);
    found.map_or("none".to_owned(), |matched| {
        let id = &table.rule(matched.rule).id;
        id.name.as_deref().map_or_else(|| id.to_string(), str::to_owned)
    })
}

#[track_caller]
fn expect(routes: &[String], rows: &[(&str, &str)]) {
    let translation = translated(routes);
    for (words, expected) in rows {
        assert_eq!(served(&translation.table, &call(words)), *expected, "{words}");
    }
}

// GRP-02, GRP-03, GRP-06, GRP-07
#[test]
fn the_longer_service_goes_first_then_the_longer_method_then_more_headers() {
    let all = rules(&[
        ("any", ""),
        ("header", "{headers: [{name: x, value: '1'}]}"),
        ("method", "{method: {method: Add}}"),
        ("service", "{method: {service: shop.Cart}}"),
        ("service-header", "{method: {service: shop.Cart}, headers: [{name: x, value: '1'}]}"),
        ("both", "{method: {service: shop.Cart, method: Add}}"),
        ("both-header", "{method: {service: shop.Cart, method: Add}, headers: [{name: x, value: '1'}]}"),
        ("alternatives", "{method: {service: a.B}}, {method: {service: b.C, method: D}}"),
    ]);
    expect(
        &[route("GRPCRoute", "r", "", &all)],
        &[
            ("http://a/shop.Cart/Add", "both"),
            ("http://a/shop.Cart/Add x:1", "both-header"),
            ("http://a/shop.Cart/Remove", "service"),
            ("http://a/shop.Cart/Remove x:1", "service-header"),
            ("http://a/shop.Order/Add", "method"),
            ("http://a/shop.Order/Add x:1", "method"),
            ("http://a/shop.Order/Remove x:1", "header"),
            ("http://a/shop.Order/Remove", "any"),
            ("http://a/shop.cart/add", "any"),
            ("http://a/shop.Cart/", "service"),
            ("http://a/a.B/Any", "alternatives"),
            ("http://a/b.C/D", "alternatives"),
            ("http://a/b.C/E", "any"),
            ("http://a/shop.Cart", "none"),
            ("http://a/", "none"),
        ],
    );
}

// GRP-07: characters count, whether an expression is written with them or a name.
#[test]
fn expressions_stand_between_names_by_their_length() {
    let expression = |part: &str| format!("{{method: {{type: RegularExpression, {part}}}}}");
    let all = rules(&[
        ("nine", "{method: {service: shop.Cart}}"),
        ("six", &expression("service: 'shop.*'")),
        ("ten", &expression("service: 'shop[.](Order|Cart)'")),
        ("short-method", &expression("service: 'a[.]B', method: '.*'")),
        ("long-method", "{method: {service: bb.BB, method: Add}}"),
        ("same", &expression("service: 'bb[.]BB'")),
        ("tie-expression", &expression("service: 'cc.C', method: 'A.d'")),
        ("tie-name", "{method: {service: cc.C, method: Add}}"),
        ("only-method", &expression("method: '(?i)add'")),
        ("dropped", &expression("service: 'shop[.](Order|Cart|('")),
    ]);
    let translation = translated(&[route("GRPCRoute", "r", "", &all)]);
    for (words, expected) in [
        ("http://a/shop.Cart/Add", "ten"),
        ("http://a/shop.Order/Add", "ten"),
        ("http://a/shop.Other/Add", "six"),
        ("http://a/a.B/x", "short-method"),
        // 5 characters against 7.
        ("http://a/bb.BB/Add", "same"),
        // As long as each other: the first rule.
        ("http://a/cc.C/Add", "tie-expression"),
        ("http://a/z.Z/ADD", "only-method"),
        ("http://a/z.Z/x", "none"),
    ] {
        assert_eq!(served(&translation.table, &call(words)), expected, "{words}");
    }
    // RTE-22: the rule with the broken expression is said.
    let causes: Vec<_> = translation.statuses.causes().map(|(_, _, cause)| cause.to_string()).collect();
    assert!(causes.iter().any(|cause| cause.contains("rules[9].matches[0].method")), "{causes:#?}");
}

// GRP-04, GEN-14: what a type would have asked for that is not known is not known either.
#[test]
fn a_match_of_an_unknown_type_takes_no_call_whatever_it_says() {
    for written in ["service: a.B", "service: ''", "method: ''"] {
        let odd = format!("{{method: {{type: Glob, {written}}}}}");
        let all = rules(&[("odd", &odd), ("good", "{method: {service: a.B}}")]);
        let rows = [("http://a/a.B/C", "good"), ("http://a/x.Y/Z", "none")];
        expect(&[route("GRPCRoute", "r", "", &all)], &rows);
    }
}

// GRP-01, GRP-07 (1) and (2), HST-14
#[test]
fn the_more_specific_hostname_goes_before_all_that() {
    let method = "{method: {service: a.B, method: C}}";
    expect(
        &[
            route("GRPCRoute", "exact", "a.example.com", &rules(&[("exact", "{method: {service: a.B}}")])),
            route("GRPCRoute", "wildcard", "'*.example.com'", &rules(&[("wildcard", method)])),
            route("GRPCRoute", "all", "", &rules(&[("all", method), ("rest", "")])),
        ],
        &[
            ("http://a.example.com/a.B/C", "exact"),
            ("http://b.example.com/a.B/C", "wildcard"),
            ("http://b.example.com/a.B/D", "rest"),
            ("http://a.example.org/a.B/C", "all"),
        ],
    );
}

// GRP-08, GRP-09, GRP-13, AMB-39, AMB-40
#[test]
fn calls_are_for_grpc_routes_first_and_nothing_else_is() {
    let translation = translated(&[
        route(
            "HTTPRoute",
            "web",
            "a.example.com",
            "{name: exact, matches: [{path: {type: Exact, value: /a.B/C}}]}, {name: web}",
        ),
        route("GRPCRoute", "web", "", &rules(&[("call", "{method: {service: a.B}}")])),
    ]);
    assert!(translation.statuses.causes().next().is_none(), "both are accepted");
    for (words, expected) in [
        // However specific the hostname and the path of the HTTPRoute are.
        ("http://a.example.com/a.B/C", "call"),
        ("http://a.example.com/b.C/D", "web"),
        ("http://b.example.com/b.C/D", "none"),
    ] {
        assert_eq!(served(&translation.table, &call(words)), expected, "{words}");
    }
    for (content_type, expected) in
        [("application/grpc+proto", "call"), ("application/grpc-web", "call"), ("application/json", "exact")]
    {
        let request = Request::post("http://a.example.com/a.B/C").header("content-type", content_type);
        assert_eq!(served(&translation.table, &request.body(()).unwrap()), expected, "{content_type}");
    }
    let plain = Request::get("http://b.example.com/a.B/C").body(()).unwrap();
    assert_eq!(served(&translation.table, &plain), "none");
}

// GRP-07, AMB-40
#[test]
fn an_explanation_names_the_criterion_that_decided() {
    let all = rules(&[
        ("chosen", "{method: {service: a.B, method: C}, headers: [{name: x, value: '1'}]}"),
        ("headers", "{method: {service: a.B, method: C}}"),
        ("method", "{method: {service: a.B}}"),
        ("expression", "{method: {type: RegularExpression, service: 'a..'}}"),
        ("unmet", "{method: {service: a.B}, headers: [{name: x, value: '2'}]}"),
        ("service", "{method: {method: C}}"),
    ]);
    let table = translated(&[
        route("GRPCRoute", "calls", "a.example", &all),
        route("GRPCRoute", "others", "", &rules(&[("hostname", "{method: {service: a.B, method: C}}")])),
        route("HTTPRoute", "web", "a.example", "{name: kind}"),
    ])
    .table;
    let gateway = ObjectName::new("default", "gw");
    let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80).unwrap();
    let request = call("http://a.example/a.B/C x:1");
    let explanation = table.explain(frontend, None, &RequestHead::from_request(&request).unwrap());
    let seen = explanation.candidates.iter().map(|seen| {
        let rule = table.rule(seen.rule).id.name.as_deref().unwrap();
        (rule, seen.path.as_str(), seen.outcome.clone())
    });
    let outranked = CandidateOutcome::Outranked;
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            ("chosen", "Exact a.B/C", CandidateOutcome::Chosen),
            ("headers", "Exact a.B/C", outranked(TieBreaker::Headers)),
            ("unmet", "Exact a.B/*", CandidateOutcome::Unmet("header x is \"2\"".to_owned())),
            ("method", "Exact a.B/*", outranked(TieBreaker::GrpcMethod)),
            ("expression", "RegularExpression a../*", outranked(TieBreaker::GrpcMethod)),
            ("service", "Exact */C", outranked(TieBreaker::Service)),
            ("hostname", "Exact a.B/C", outranked(TieBreaker::Hostname)),
            ("kind", "PathPrefix /", outranked(TieBreaker::Kind)),
        ]
    );
}

fn decide(routes: &[String], call: Request<()>) -> Decision {
    let table = Arc::new(translated(routes).table);
    let gateway = ObjectName::new("default", "gw");
    let (parts, ()) = call.into_parts();
    table.decide(&Arrival::new(&gateway, 80), parts, &mut || 7)
}

// BPR-03, BPR-04, BPR-06
#[test]
fn backends_of_calls_speak_http_2_unless_they_cannot() {
    for (port, expected) in [(80, Some(9000)), (81, Some(9001)), (84, Some(9004)), (82, None)] {
        let rule = format!("{{backendRefs: [{{name: shop, port: {port}}}]}}");
        match (decide(&[route("GRPCRoute", "r", "", &rule)], call("http://a/a.B/C")), expected) {
            (Decision::Forward(forward), Some(number)) => {
                assert_eq!(forward.backend().protocol, BackendProtocol::H2c, "{port}");
                let endpoint = SocketAddr::from(([10, 0, 0, 1], number));
                assert_eq!(forward.backend().endpoints[0].address(), endpoint);
            }
            (Decision::Answer(answer), None) => assert_eq!(answer.headers()["grpc-status"], "14"),
            (other, expected) => panic!("{port}: {other:?}, {expected:?}"),
        }
    }
    // The same port is HTTP/1.1 to an HTTPRoute that stands beside.
    let http = route("HTTPRoute", "r", "", "{backendRefs: [{name: shop, port: 80}]}");
    let grpc = route("GRPCRoute", "r", "", "{backendRefs: [{name: shop, port: 80}]}");
    let request = Request::get("http://a/").body(()).unwrap();
    let Decision::Forward(forward) = decide(&[http, grpc], request) else { panic!("it is served") };
    assert_eq!(forward.backend().protocol, BackendProtocol::Http1);
}

// GRP-10 to GRP-12, GRP-15, AMB-64
#[test]
fn what_is_not_carried_on_is_answered_in_the_form_of_grpc() {
    let method = |name: &str, rest: &str| format!("{{matches: [{{method: {{method: {name}}}}}], {rest}}}");
    let extension = "{type: ExtensionRef, extensionRef: {group: example.com, kind: Odd, name: odd}}";
    let all = [
        method("None", "backendRefs: []"),
        method("Zero", "backendRefs: [{name: shop, port: 80, weight: 0}]"),
        method("Missing", "backendRefs: [{name: missing, port: 80}]"),
        method("Filter", &format!("filters: [{extension}], backendRefs: [{{name: shop, port: 80}}]")),
    ];
    for (name, expected) in
        [("None", "12"), ("Zero", "12"), ("Missing", "14"), ("Filter", "13"), ("Other", "12")]
    {
        let call = call(&format!("http://a/a.B/{name}"));
        let Decision::Answer(answer) = decide(&[route("GRPCRoute", "r", "", &all.join(", "))], call) else {
            panic!("{name} is not forwarded");
        };
        assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0), "{name}");
        assert_eq!(answer.headers()["content-type"], "application/grpc", "{name}");
        assert_eq!(answer.headers()["grpc-status"], expected, "{name}");
        assert!(answer.headers().contains_key("grpc-message"), "{name}");
    }
}

#[test]
fn a_call_says_how_long_it_may_take_where_the_route_cannot() {
    let limit = |kind: &str, timeout: &str| {
        let rule = "{backendRefs: [{name: shop, port: 81}]}";
        let call = call(&format!("http://a/a.B/C grpc-timeout:{timeout}"));
        let Decision::Forward(forward) = decide(&[route(kind, "r", "", rule)], call) else {
            panic!("it is served");
        };
        assert_eq!(forward.request_parts().headers["grpc-timeout"], timeout, "the backend hears it too");
        forward.timeouts().request()
    };
    assert_eq!(limit("GRPCRoute", "250m"), Some(Duration::from_millis(250)));
    assert_eq!(limit("GRPCRoute", "soon"), None);
    assert_eq!(limit("HTTPRoute", "250m"), None, "it has timeouts of its own");
}
