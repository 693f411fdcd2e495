//! The kinds of Routes that a listener takes, and the namespaces they may come from.

use gateway_core::feature::Feature;
use gateway_core::options::Options;

use crate::fixture::{expect, expect_with, gateway, gateway_with, with_features, world};

fn route(namespace: &str, name: &str, gateway: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{namespace: {namespace}, name: {name}}}
spec: {{parentRefs: [{{namespace: default, name: {gateway}}}]}}
"
    )
}

fn http(allowed: &str) -> String {
    gateway("g", &format!("{{name: http, port: 80, protocol: HTTP, allowedRoutes: {{{allowed}}}}}"))
}

// GWK-01, GWK-02, GWK-03, GWK-04, GWK-05, AMB-59, CND-58, CND-28
#[test]
fn the_supported_kinds_are_the_known_ones_that_fit_in_the_order_written() {
    let cases = [
        ("none written: all that fit", "", "ok", "[HTTPRoute GRPCRoute]: ok"),
        ("the one there is", "kinds: [{kind: HTTPRoute}]", "ok", "[HTTPRoute]: ok"),
        ("twice the same", "kinds: [{kind: HTTPRoute}, {kind: HTTPRoute}]", "ok", "[HTTPRoute]: ok"),
        (
            "a kind that does not exist beside one that does: that one is served",
            "kinds: [{kind: InvalidRoute}, {kind: HTTPRoute}]",
            "ResolvedRefs=False/ListenersNotResolved",
            "[HTTPRoute]: ResolvedRefs=False/InvalidRouteKinds",
        ),
        (
            "a kind that exists, but not for this protocol",
            "kinds: [{kind: TCPRoute}, {kind: HTTPRoute}]",
            "ResolvedRefs=False/ListenersNotResolved",
            "[HTTPRoute]: ResolvedRefs=False/InvalidRouteKinds",
        ),
        (
            "both, in the order written",
            "kinds: [{kind: GRPCRoute}, {kind: HTTPRoute}]",
            "ok",
            "[GRPCRoute HTTPRoute]: ok",
        ),
        (
            "a kind of that name in another group",
            "kinds: [{group: example.com, kind: HTTPRoute}, {kind: HTTPRoute}]",
            "ResolvedRefs=False/ListenersNotResolved",
            "[HTTPRoute]: ResolvedRefs=False/InvalidRouteKinds",
        ),
        (
            "only kinds that do not exist: nothing can ever attach",
            "kinds: [{kind: InvalidRoute}]",
            "Accepted=True/ListenersNotValid Programmed=False/Invalid ResolvedRefs=False/ListenersNotResolved",
            "[]: Programmed=False/Invalid ResolvedRefs=False/InvalidRouteKinds",
        ),
    ];
    for (name, allowed, of_gateway, of_listener) in cases {
        expect(name, &http(allowed), &format!("Gateway default/g: {of_gateway}\nhttp {of_listener}"));
    }
    let mut options = Options::default();
    options.features.remove(&Feature::GrpcRoute);
    expect_with(
        "a kind that is not supported",
        &world(&http("kinds: [{kind: HTTPRoute}, {kind: GRPCRoute}]")),
        &options,
        "Gateway default/g: ResolvedRefs=False/ListenersNotResolved\n\
         http [HTTPRoute]: ResolvedRefs=False/InvalidRouteKinds",
    );
}

// GWK-01, GWK-02
#[test]
fn what_the_data_plane_can_do_decides_which_kinds_there_are() {
    let features = [
        Feature::GrpcRoute,
        Feature::TlsRoute,
        Feature::TlsRouteModeTerminate,
        Feature::TcpRoute,
        Feature::UdpRoute,
    ];
    let listeners = "
        {name: http, port: 80, protocol: HTTP},
        {name: grpc, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}},
        {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}},
        {name: tcp, port: 9000, protocol: TCP},
        {name: udp, port: 9000, protocol: UDP}";
    expect_with(
        "all kinds; GWL-05: TCP and UDP have ports of their own",
        &world(&gateway("g", listeners)),
        &with_features(&features),
        "Gateway default/g: ok
           http [HTTPRoute GRPCRoute]: ok
           grpc [GRPCRoute]: ok
           tls [TLSRoute]: ok
           tcp [TCPRoute]: ok
           udp [UDPRoute]: ok",
    );
    let tls = "{name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}, allowedRoutes: {kinds: [{kind: HTTPRoute}]}}";
    expect_with(
        "GWK-04: an HTTPRoute does not fit a TLS listener",
        &world(&gateway("g", tls)),
        &with_features(&features),
        "Gateway default/g: Accepted=True/ListenersNotValid Programmed=False/Invalid ResolvedRefs=False/ListenersNotResolved
           tls []: Programmed=False/Invalid ResolvedRefs=False/InvalidRouteKinds",
    );
}

// GWK-07, GWK-08, GWK-09, GWK-11, AMB-58
#[test]
fn routes_are_counted_from_the_namespaces_that_are_allowed() {
    let routes =
        route("default", "own", "g") + &route("other", "red", "g") + &route("unknown", "nowhere", "g");
    let cases = [
        ("Same is what an absent field means", "", 1),
        ("Same", "namespaces: {from: Same}", 1),
        ("All, with or without a Namespace object", "namespaces: {from: All}", 3),
        (
            "a selector is for Selector only",
            "namespaces: {from: All, selector: {matchLabels: {team: blue}}}",
            3,
        ),
        ("by label", "namespaces: {from: Selector, selector: {matchLabels: {team: red}}}", 1),
        (
            "by the label that every namespace has",
            "namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: default}}}",
            1,
        ),
        (
            "also on a namespace without an object",
            "namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: unknown}}}",
            1,
        ),
        (
            "of which nothing else is known",
            "namespaces: {from: Selector, selector: {matchExpressions: [
               {key: kubernetes.io/metadata.name, operator: NotIn, values: [default]},
               {key: team, operator: NotIn, values: [blue]}]}}",
            1,
        ),
        ("an empty selector picks every namespace", "namespaces: {from: Selector, selector: {}}", 3),
        (
            "In",
            "namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: In, values: [blue, red]}]}}",
            1,
        ),
        (
            "NotIn also where the label is missing",
            "namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}}",
            1,
        ),
        (
            "Exists",
            "namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: Exists}]}}",
            1,
        ),
        (
            "DoesNotExist",
            "namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}",
            1,
        ),
        (
            "all requirements must hold",
            "namespaces: {from: Selector, selector: {matchLabels: {team: red}, matchExpressions: [{key: team, operator: NotIn, values: [red]}]}}",
            0,
        ),
        ("a missing selector picks nothing", "namespaces: {from: Selector}", 0),
    ];
    for (name, allowed, count) in cases {
        let count = if count > 0 { format!(" {count}") } else { String::new() };
        let expected = format!("Gateway default/g: ok\nhttp [HTTPRoute GRPCRoute]{count}: ok");
        expect(name, &(http(allowed) + &routes), &expected);
    }
}

// GWK-09, GWK-10, GWK-12, LST-15, CON-31
#[test]
fn routes_are_counted_on_listeners_that_are_not_served_too() {
    let listeners = "{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: missing}]}},
                     {name: b, port: 80, protocol: HTTP, hostname: b.example}";
    let twice = route("default", "twice", "g").replace("name: g}", "name: g}, {name: g, sectionName: a}");
    let elsewhere = route("default", "elsewhere", "g").replace("]}", "], hostnames: [c.example]}");
    expect(
        "once for each listener; GWK-11: a route that is not accepted is not counted",
        &(gateway("g", listeners) + &twice + &elsewhere.replace("name: g}", "name: g, sectionName: b}")),
        "Gateway default/g: Accepted=True/ListenersNotValid ResolvedRefs=False/ListenersNotResolved
           a [HTTPRoute GRPCRoute] 1: Programmed=False/Invalid ResolvedRefs=False/InvalidCertificateRef
           b [HTTPRoute GRPCRoute] 1: ok",
    );
}

// LST-21, GWK-07
#[test]
fn for_the_listeners_of_a_set_same_means_the_namespace_of_the_set() {
    let yaml = gateway_with(
        "g",
        "{name: http, port: 80, protocol: HTTP}",
        ", allowedListeners: {namespaces: {from: All}}",
    ) + &crate::fixture::listener_set(
        "other",
        "set",
        "2026-01-01T00:00:00Z",
        "g",
        "{name: a, port: 81, protocol: HTTP}",
    ) + &route("other", "inside", "g")
        .replace("namespace: default, name: g", "kind: ListenerSet, name: set")
        + &route("default", "outside", "g")
            .replace("namespace: default, name: g", "kind: ListenerSet, namespace: other, name: set");
    expect(
        "one of two; LST-17: and none on the Gateway's own listener",
        &yaml,
        "Gateway default/g with 1: ok
           http [HTTPRoute GRPCRoute]: ok
         ListenerSet other/set: ok
           a [HTTPRoute GRPCRoute] 1: ok",
    );
}
