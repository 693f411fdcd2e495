//! Routes of every kind: where they attach, what they refer to, and what their statuses say.
//!
//! HTTPRoutes have much more in `tests/http_routes.rs`; they are here as one kind among five.

use gateway_core::api::{AnyObject, Resources, Timestamp};
use gateway_core::condition::{Condition, ConditionType};
use gateway_core::feature::Feature;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::status::merge;
use gateway_core::translate::{Translation, Translator};

use crate::fixture::{
    certificate, conditions_of, expect_with, gateway, gateway_with, listener_set, translated, with_features,
    world,
};

use RouteKind::{Grpc, Http, Tcp, Tls, Udp};

/// A data plane with every kind of Route.
fn every_kind() -> Options {
    with_features(&[
        Feature::GrpcRoute,
        Feature::TcpRoute,
        Feature::TlsRoute,
        Feature::TlsRouteModeTerminate,
        Feature::UdpRoute,
    ])
}

/// A Route in namespace `default` with these parents, in flow style, and one rule with this backend.
fn route(kind: RouteKind, name: &str, parents: &str, backend: &str) -> String {
    let hostnames = if kind == Tls { ", hostnames: [a.example.com]" } else { "" };
    route_with(kind, name, parents, &format!("{hostnames}, rules: [{{backendRefs: [{backend}]}}]"))
}

/// A Route with more in its specification, with a leading comma.
fn route_with(kind: RouteKind, name: &str, parents: &str, more: &str) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}}}
spec: {{parentRefs: [{parents}]{more}}}
"
    )
}

/// The first port of Service `default/web` that fits the kind.
fn web(kind: RouteKind) -> &'static str {
    match kind {
        Http | Grpc | Tls | Tcp => "{name: web, port: 80}",
        Udp => "{name: web, port: 53}",
    }
}

/// Services `default/web` and `other/web`, and one that is somewhere else.
const SERVICES: &str = "
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports:
  - {name: tcp, port: 80}
  - {name: udp, port: 53, protocol: UDP}
  - {name: both-tcp, port: 54}
  - {name: both-udp, port: 54, protocol: UDP}
  - {name: wss, port: 83, appProtocol: kubernetes.io/wss}
---
apiVersion: v1
kind: Service
metadata: {namespace: other, name: web}
spec: {ports: [{name: tcp, port: 80}, {name: udp, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {type: ExternalName, externalName: example.org, ports: [{name: tcp, port: 80}, {name: udp, port: 53, protocol: UDP}]}
";

/// A listener of every sort.
const LISTENERS: &str = "
    {name: http, port: 80, protocol: HTTP},
    {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}},
    {name: passthrough, port: 8443, protocol: TLS, tls: {mode: Passthrough}},
    {name: terminate, port: 8444, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}},
    {name: tcp, port: 9000, protocol: TCP},
    {name: udp, port: 9000, protocol: UDP}";

/// What `default/g` with a listener of every sort and these documents come to.
fn at_every_listener(yaml: &str) -> Translation {
    translated(&resources(yaml), &every_kind())
}

fn resources(yaml: &str) -> Resources {
    with_certificate(world(&(gateway("g", LISTENERS) + SERVICES + yaml)))
}

/// The same with the certificate that listeners here name.
fn with_certificate(mut resources: Resources) -> Resources {
    resources.insert(certificate("default", "cert"));
    resources
}

/// The number of routes of each listener of Gateway `default/g`.
fn counts(translation: &Translation) -> Vec<usize> {
    let gateway = &translation.statuses.gateways[&ObjectName::new("default", "g")];
    gateway.listeners.iter().map(|listener| listener.attached_routes).collect()
}

/// A condition of the Route for its first parent.
fn condition(translation: &Translation, kind: RouteKind, name: &str, of: ConditionType) -> Condition {
    let status = &translation.statuses.routes[&RouteKey::new(kind, ObjectName::new("default", name))];
    let found = status.parents[0].conditions.iter().find(|condition| condition.kind == of);
    found.expect("it is there").clone()
}

// === where they attach ===

// RTE-05, RTE-07, RTE-08, RTE-13, GRP-01, TLR-01, TLR-04, TCR-02, UDR-02, CND-80, CND-81
#[test]
fn a_route_attaches_where_its_kind_fits_the_protocol() {
    const SECTIONS: [&str; 6] = ["http", "https", "passthrough", "terminate", "tcp", "udp"];
    for (kind, fitting) in [
        (Http, &["http", "https"][..]),
        (Grpc, &["http", "https"]),
        (Tls, &["passthrough", "terminate"]),
        (Tcp, &["tcp"]),
        (Udp, &["udp"]),
    ] {
        for section in SECTIONS {
            let yaml = route(kind, "r", &format!("{{name: g, sectionName: {section}}}"), web(kind));
            let translation = at_every_listener(&yaml);
            let fits = fitting.contains(&section);
            let expected = if fits { "ok" } else { "Accepted=False/NotAllowedByListeners" };
            assert_eq!(conditions_of(&translation, kind, "r"), [format!("{section}: {expected}")], "{kind}");
            let expected = SECTIONS.map(|it| usize::from(fits && it == section));
            assert_eq!(counts(&translation), expected, "{kind} at {section}");
        }
        // TCR-04, UDR-05: without a section it attaches to every listener that fits, and to no other.
        let translation = at_every_listener(&route(kind, "r", "{name: g}", web(kind)));
        assert_eq!(conditions_of(&translation, kind, "r"), [": ok"], "{kind}");
        assert_eq!(counts(&translation), SECTIONS.map(|it| usize::from(fitting.contains(&it))), "{kind}");
    }
}

// LST-01, LST-04, RTE-06, RTE-07
#[test]
fn a_route_on_a_set_that_may_not_attach_waits_with_it() {
    let gateway = |more: &str| gateway_with("g", "{name: http, port: 80, protocol: HTTP}", more);
    let yaml = gateway("")
        + &listener_set("default", "set", "2026-01-01T00:00:00Z", "g", "{name: a, port: 81, protocol: HTTP}")
        + &route(Http, "r", "{kind: ListenerSet, name: set}", web(Http))
        + SERVICES;
    let mut translator = Translator::new(Options::default());
    world(&yaml).iter().for_each(|object| translator.insert(object));
    let mut expect = |more: &str, expected: &str, count: usize| {
        world(&gateway(more)).iter().for_each(|object| translator.insert(object));
        let translation = translator.translate();
        assert_eq!(conditions_of(translation, Http, "r"), [format!(": {expected}")]);
        let set = &translation.statuses.listener_sets[&ObjectName::new("default", "set")];
        assert_eq!(set.listeners[0].attached_routes, count);
    };
    expect("", "Accepted=False/NotAllowedByListeners", 0);
    expect(", allowedListeners: {namespaces: {from: Same}}", "ok", 1);
    expect(", allowedListeners: {namespaces: {from: None}}", "Accepted=False/NotAllowedByListeners", 0);
}

// RTE-08, GWK-01
#[test]
fn a_kind_that_the_data_plane_does_not_have_is_allowed_nowhere() {
    let yaml = gateway("g", "{name: http, port: 80, protocol: HTTP}") + SERVICES;
    let mut options = Options::default();
    options.features.remove(&Feature::GrpcRoute);
    for kind in [Grpc, Tls, Tcp, Udp] {
        let resources = world(&(yaml.clone() + &route(kind, "r", "{name: g}", web(kind))));
        let translation = translated(&resources, &options);
        let expected = [": Accepted=False/NotAllowedByListeners"];
        assert_eq!(conditions_of(&translation, kind, "r"), expected, "{kind}");
    }
}

// RTE-05, RTE-07, GWK-03, CND-81
#[test]
fn a_listener_may_take_fewer_kinds_than_fit() {
    let yaml = gateway(
        "g",
        "{name: grpc, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}},
         {name: none, port: 9000, protocol: TCP, allowedRoutes: {kinds: [{kind: UDPRoute}]}}",
    ) + &[Http, Grpc, Tcp].map(|kind| route(kind, "r", "{name: g}", web(kind))).concat()
        + SERVICES;
    let translation = translated(&world(&yaml), &every_kind());
    assert_eq!(conditions_of(&translation, Http, "r"), [": Accepted=False/NotAllowedByListeners"]);
    assert_eq!(conditions_of(&translation, Grpc, "r"), [": ok"]);
    assert_eq!(conditions_of(&translation, Tcp, "r"), [": Accepted=False/NotAllowedByListeners"]);
    assert_eq!(counts(&translation), [1, 0]);
}

// RTE-03, RTE-04, RTE-12, RTE-33, TCR-05, UDR-05, CND-83
#[test]
fn a_parent_ref_names_a_section_a_port_or_both() {
    for (kind, protocol) in [(Grpc, "HTTP"), (Tls, "TLS"), (Tcp, "TCP"), (Udp, "UDP")] {
        let tls = if kind == Tls { ", tls: {mode: Passthrough}" } else { "" };
        let listener = |name, port| format!("{{name: {name}, port: {port}, protocol: {protocol}{tls}}}");
        let listeners = format!("{}, {}", listener("a", 1000), listener("b", 1001));
        for (narrowed, expected, attached) in [
            ("", "ok", [1, 1]),
            (", sectionName: a", "ok", [1, 0]),
            (", port: 1001", "ok", [0, 1]),
            (", sectionName: b, port: 1001", "ok", [0, 1]),
            (", sectionName: a, port: 1001", "Accepted=False/NoMatchingParent", [0, 0]),
            (", sectionName: c", "Accepted=False/NoMatchingParent", [0, 0]),
            (", port: 1002", "Accepted=False/NoMatchingParent", [0, 0]),
        ] {
            let yaml = gateway("g", &listeners)
                + SERVICES
                + &route(kind, "r", &format!("{{name: g{narrowed}}}"), web(kind));
            let translation = translated(&world(&yaml), &every_kind());
            let found = conditions_of(&translation, kind, "r");
            assert!(found.len() == 1 && found[0].ends_with(expected), "{kind} {narrowed}: {found:?}");
            assert_eq!(counts(&translation), attached, "{kind} {narrowed}");
        }
        // One entry for each, and one that fails is no harm to the other.
        let parents = "{name: g, sectionName: b}, {name: g, sectionName: c}";
        let yaml = gateway("g", &listeners) + SERVICES + &route(kind, "r", parents, web(kind));
        let found = conditions_of(&translated(&world(&yaml), &every_kind()), kind, "r");
        assert_eq!(found, ["b: ok", "c: Accepted=False/NoMatchingParent"], "{kind}");
    }
}

// RTE-05, RTE-07, TLR-03, GRP-01, HST-03, HST-06, CND-82
#[test]
fn hostnames_intersect_with_those_of_the_listener() {
    for (kind, protocol) in [(Grpc, "protocol: HTTP"), (Tls, "protocol: TLS, tls: {mode: Passthrough}")] {
        for (listener, route, is_met) in [
            ("a.example.com", "a.example.com", true),
            ("a.example.com", "b.example.com", false),
            ("a.example.com", "'*.example.com'", true),
            ("'*.example.com'", "a.b.example.com", true),
            ("'*.example.com'", "example.com", false),
            ("'*.example.com'", "'*.com'", true),
            ("'*.example.com'", "'*.example.org'", false),
            ("'*.example.com'", "x.org, a.example.com", true),
        ] {
            let rules = format!(", hostnames: [{route}], rules: [{{backendRefs: [{}]}}]", web(kind));
            let yaml = gateway("g", &format!("{{name: l, port: 443, {protocol}, hostname: {listener}}}"))
                + SERVICES
                + &route_with(kind, "r", "{name: g}", &rules);
            let translation = translated(&world(&yaml), &every_kind());
            let expected = if is_met { "ok" } else { "Accepted=False/NoMatchingListenerHostname" };
            let name = format!("{kind} for {route} at {listener}");
            assert_eq!(conditions_of(&translation, kind, "r"), [format!(": {expected}")], "{name}");
            assert_eq!(counts(&translation), [usize::from(is_met)], "{name}");
        }
    }
}

// TLR-01, TLR-09, TLR-10, TLR-11, GWL-07, GWL-19, GWK-02
#[test]
fn a_tls_listener_has_the_modes_that_the_data_plane_has() {
    let listeners = |terminating: u16| {
        let certificate = "certificateRefs: [{name: cert}]";
        let yaml = gateway(
            "g",
            &format!(
                "{{name: passthrough, port: 8443, protocol: TLS, hostname: p.example.com, tls: {{mode: Passthrough}}}}, \
                 {{name: terminate, port: {terminating}, protocol: TLS, hostname: '*.example.com', \
                 tls: {{mode: Terminate, {certificate}}}}}"
            ),
        ) + SERVICES
            + &route(Tls, "r", "{name: g, sectionName: terminate}", web(Tls));
        with_certificate(world(&yaml))
    };
    let mut features = vec![Feature::TlsRoute];
    expect_with(
        "no Terminate",
        &listeners(8444),
        &with_features(&features),
        "Gateway default/g: Accepted=True/ListenersNotValid
           passthrough [TLSRoute]: ok
           terminate []: Accepted=False/UnsupportedValue Programmed=False/Invalid",
    );
    features.push(Feature::TlsRouteModeTerminate);
    expect_with(
        "two ports",
        &listeners(8444),
        &with_features(&features),
        "Gateway default/g: ok
           passthrough [TLSRoute]: ok
           terminate [TLSRoute] 1: ok",
    );
    expect_with("one port", &listeners(8443), &with_features(&features), "Gateway default/g: Accepted=False/ListenersNotValid Programmed=False/Invalid
           passthrough []: Accepted=False/ProtocolConflict Programmed=False/ProtocolConflict Conflicted=True/ProtocolConflict
           terminate []: Accepted=False/ProtocolConflict Programmed=False/ProtocolConflict Conflicted=True/ProtocolConflict");
    features.push(Feature::TlsRouteModeMixed);
    expect_with(
        "one port, mixed",
        &listeners(8443),
        &with_features(&features),
        "Gateway default/g: ok
           passthrough [TLSRoute]: ok
           terminate [TLSRoute] 1: ok",
    );
}

// LST-16, LST-17, RTE-02, RTE-11
#[test]
fn routes_of_every_kind_attach_to_listener_sets() {
    let listeners = "{name: grpc, port: 81, protocol: HTTP}, {name: tls, port: 8443, protocol: TLS, tls: {mode: Passthrough}}, \
                     {name: tcp, port: 9000, protocol: TCP}, {name: udp, port: 9000, protocol: UDP}";
    let yaml = gateway_with(
        "g",
        "{name: http, port: 80, protocol: HTTP}",
        ", allowedListeners: {namespaces: {from: All}}",
    ) + &listener_set("default", "set", "2026-01-01T00:00:00Z", "g", listeners)
        + &[Grpc, Tls, Tcp, Udp]
            .map(|kind| route(kind, "r", "{kind: ListenerSet, name: set}", web(kind)))
            .concat()
        + SERVICES;
    expect_with(
        "one at each, and none at the Gateway's own listener",
        &world(&yaml),
        &every_kind(),
        "Gateway default/g with 1: ok
           http [HTTPRoute GRPCRoute]: ok
         ListenerSet default/set: ok
           grpc [HTTPRoute GRPCRoute] 1: ok
           tls [TLSRoute] 1: ok
           tcp [TCPRoute] 1: ok
           udp [UDPRoute] 1: ok",
    );
}

// === what is counted ===

// GWK-09, GWK-11, GWK-13, GRP-09, AMB-39
#[test]
fn every_accepted_route_is_counted_whatever_its_kind_and_whoever_has_the_traffic() {
    let routes = [Http, Grpc, Tls, Tcp, Udp].map(|kind| {
        let section = match kind {
            Http | Grpc => "http",
            Tls => "passthrough",
            Tcp => "tcp",
            Udp => "udp",
        };
        let parent = format!("{{name: g, sectionName: {section}}}");
        route(kind, "older", &parent, web(kind)) + &route(kind, "newer", &parent, "{name: missing, port: 80}")
    });
    let refused = route(Tcp, "refused", "{name: g, sectionName: udp}", web(Tcp));
    let translation = at_every_listener(&(routes.concat() + &refused));
    assert_eq!(counts(&translation), [4, 0, 2, 0, 2, 2], "HTTPRoutes and GRPCRoutes are counted together");
    for kind in [Http, Grpc, Tls, Tcp, Udp] {
        // Two of one kind at one listener, and two of two kinds for the same hosts, are all accepted.
        let of = |name| conditions_of(&translation, kind, name)[0].split_once(": ").unwrap().1.to_owned();
        assert_eq!([of("older"), of("newer")], ["ok", "ResolvedRefs=False/BackendNotFound"], "{kind}");
    }
}

// GWL-02, GWL-07, TCR-09, GWK-10, LST-15
#[test]
fn two_tcp_listeners_on_one_port_conflict_and_count_all_the_same() {
    let yaml = gateway_with(
        "g",
        "{name: a, port: 9000, protocol: TCP}, {name: c, port: 9001, protocol: TCP}",
        ", allowedListeners: {namespaces: {from: All}}",
    ) + &listener_set(
        "default",
        "set",
        "2026-01-01T00:00:00Z",
        "g",
        "{name: b, port: 9000, protocol: TCP}, {name: udp, port: 9000, protocol: UDP}",
    ) + SERVICES
        + &route(Tcp, "first", "{name: g, sectionName: a}", web(Tcp))
        + &route(Tcp, "second", "{kind: ListenerSet, name: set, sectionName: b}", web(Tcp));
    expect_with(
        "GWL-05: UDP has ports of its own",
        &world(&yaml),
        &every_kind(),
        "Gateway default/g with 1: ok
           a [TCPRoute] 1: ok
           c [TCPRoute]: ok
         ListenerSet default/set: Accepted=True/ListenersNotValid
           b [TCPRoute] 1: Accepted=False/HostnameConflict Programmed=False/HostnameConflict Conflicted=True/HostnameConflict
           udp [UDPRoute]: ok",
    );
}

// GRP-02, RTE-18
#[test]
fn a_grpc_route_without_rules_is_accepted_and_takes_no_call() {
    let translation = at_every_listener(&route_with(Grpc, "r", "{name: g, sectionName: http}", ""));
    assert_eq!(conditions_of(&translation, Grpc, "r"), ["http: ok"]);
    assert_eq!(counts(&translation), [1, 0, 0, 0, 0, 0]);
    assert_eq!(translation.table.rules().count(), 0);
}

// === what they refer to ===

/// A grant in namespace `other` for Routes of this kind from `default` to Services.
fn grant(kind: RouteKind) -> String {
    format!(
        "
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {{namespace: other, name: for-{}}}
spec:
  from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: default}}]
  to: [{{group: '', kind: Service}}]
",
        kind.as_str().to_lowercase()
    )
}

// RGR-01, RGR-02, RGR-04, RGR-06, GRP-17, TLR-07, TCR-06, TCR-08, UDR-04, UDR-07, HRB-07, CND-88, CND-89
#[test]
fn a_grant_is_for_the_kinds_that_it_names() {
    for kind in RouteKind::ALL {
        let there = web(kind).replace("name: web", "namespace: other, name: web");
        let yaml = route(kind, "r", "{name: g}", &there);
        let permitted = at_every_listener(&(yaml.clone() + &grant(kind)));
        assert_eq!(conditions_of(&permitted, kind, "r"), [": ok"], "{kind}");

        let others = RouteKind::ALL.into_iter().filter(|other| *other != kind);
        let others: String = others.map(grant).collect();
        let refused = at_every_listener(&(yaml + &others));
        let expected = [": ResolvedRefs=False/RefNotPermitted"];
        assert_eq!(conditions_of(&refused, kind, "r"), expected, "RTE-15: {kind} stays accepted");
        assert_eq!(counts(&refused), counts(&permitted), "GWK-11: and is counted");
        let message = condition(&refused, kind, "r", ConditionType::ResolvedRefs).message;
        assert!(message.contains(kind.as_str()), "it says which kind a grant has to name: {message}");

        // RGR-08: without a grant nothing is told about what is there.
        let absent = "{namespace: other, name: absent, port: 80}";
        let refused = at_every_listener(&route(kind, "r", "{name: g}", absent));
        assert_eq!(conditions_of(&refused, kind, "r"), expected, "{kind}");
    }
}

// RTE-15, RTE-16, HRB-05, HRB-06, HRB-08, HRB-16, GRP-17, TLR-07, TCR-06, UDR-04, CND-88, CND-90, CND-91, CND-92
#[test]
fn a_backend_must_be_there_and_speak_what_the_kind_needs() {
    const TCP: [RouteKind; 4] = [Http, Grpc, Tls, Tcp];
    for (kinds, backend, reason) in [
        (&TCP[..], "{name: web, port: 80}", ""),
        (&TCP, "{name: web, port: 53}", "UnsupportedProtocol"),
        (&[Udp], "{name: web, port: 53}", ""),
        (&[Udp], "{name: web, port: 80}", "UnsupportedProtocol"),
        // The number stands for two ports, of which each kind takes its own.
        (&RouteKind::ALL, "{name: web, port: 54}", ""),
        // A hint about HTTP is none for what does not look into the stream.
        (&[Http, Grpc], "{name: web, port: 83}", "UnsupportedProtocol"),
        (&[Tls, Tcp], "{name: web, port: 83}", ""),
        (&RouteKind::ALL, "{name: web, port: 99}", "BackendNotFound"),
        (&RouteKind::ALL, "{name: absent, port: 80}", "BackendNotFound"),
        (&RouteKind::ALL, "{name: elsewhere, port: 80}", "InvalidKind"),
        (&RouteKind::ALL, "{kind: Deployment, name: web, port: 80}", "InvalidKind"),
        (&RouteKind::ALL, "{group: example.com, kind: Thing, name: web}", "InvalidKind"),
        // One that is bad suffices, and permission goes before all else.
        (&TCP, "{name: web, port: 80}, {name: absent, port: 80}", "BackendNotFound"),
        (&RouteKind::ALL, "{name: absent, port: 80}, {kind: Thing, name: x}", "InvalidKind"),
        (
            &RouteKind::ALL,
            "{kind: Thing, name: x}, {namespace: other, name: web, port: 80}",
            "RefNotPermitted",
        ),
    ] {
        for kind in kinds {
            let translation = at_every_listener(&route(*kind, "r", "{name: g}", backend));
            let expected = match reason {
                "" => ": ok".to_owned(),
                reason => format!(": ResolvedRefs=False/{reason}"),
            };
            assert_eq!(conditions_of(&translation, *kind, "r"), [expected], "{kind} to {backend}");
        }
    }
}

// RTE-13, TLR-07
#[test]
fn references_are_judged_where_the_route_is_not_accepted_too() {
    for kind in [Grpc, Tls, Tcp, Udp] {
        let yaml = route(kind, "r", "{name: g, sectionName: none}", "{name: absent, port: 80}");
        let expected = ["none: Accepted=False/NoMatchingParent ResolvedRefs=False/BackendNotFound"];
        assert_eq!(conditions_of(&at_every_listener(&yaml), kind, "r"), expected, "{kind}");
    }
}

// === rules of GRPCRoutes ===

// GEN-14, RTE-18, RTE-19, RTE-20, RTE-25, RTE-30, RTE-31, GRP-03, GRP-06, GRP-14, GRP-16, CND-84, CND-85, CND-93
#[test]
fn a_grpc_rule_that_cannot_be_carried_out_is_dropped() {
    let modifier = "requestHeaderModifier: {set: [{name: a, value: b}], remove: [A]}";
    let good = "{matches: [{method: {service: good.Service}}]}";
    for (bad, place, reason) in [
        ("matches: [{method: {type: Glob, service: x}}]", "matches[0].", "UnsupportedValue"),
        ("matches: [{method: {type: RegularExpression, method: '('}}]", "matches[0].", "UnsupportedValue"),
        ("matches: [{headers: [{type: Glob, name: x, value: z}]}]", "matches[0].", "UnsupportedValue"),
        (
            "matches: [{}, {headers: [{type: RegularExpression, name: x, value: '['}]}]",
            "matches[1].",
            "UnsupportedValue",
        ),
        ("filters: [{type: Unheard}]", "filters[0]", "UnsupportedValue"),
        (
            &format!("filters: [{{type: RequestHeaderModifier, {modifier}}}]"),
            "filters[0]",
            "IncompatibleFilters",
        ),
        (
            "backendRefs: [{name: web, port: 80, filters: [{type: Unheard}]}]",
            "backendRefs[0].filters[0]",
            "UnsupportedValue",
        ),
    ] {
        let rules = |rules: &str| {
            at_every_listener(&route_with(
                Grpc,
                "r",
                "{name: g, sectionName: http}",
                &format!(", rules: [{rules}]"),
            ))
        };
        let alone = rules(&format!("{{{bad}}}"));
        assert_eq!(conditions_of(&alone, Grpc, "r"), [format!("http: Accepted=False/{reason}")], "{bad}");
        assert_eq!(counts(&alone)[0], 0, "{bad}: not accepted, not counted");

        let both = rules(&format!("{good}, {{{bad}}}"));
        assert_eq!(
            conditions_of(&both, Grpc, "r"),
            [format!("http: PartiallyInvalid=True/{reason}")],
            "{bad}"
        );
        assert_eq!(counts(&both)[0], 1, "{bad}");
        let message = condition(&both, Grpc, "r", ConditionType::PartiallyInvalid).message;
        assert!(message.starts_with("Dropped Rule"), "{message}");
        assert!(message.contains(&format!("rules[1].{place}")), "{message}");
    }
}

// GRP-03, GRP-04, GRP-06, GRP-14, RTE-32
#[test]
fn what_a_grpc_rule_may_ask_for() {
    for rule in [
        "{}",
        "{name: one, matches: [{}]}",
        "{matches: [{method: {service: a.b.C, method: Do}}, {method: {method: Do}}, {method: {service: C}}]}",
        "{matches: [{method: {type: RegularExpression, service: '', method: Do}}]}",
        "{matches: [{method: {type: RegularExpression, service: 'a\\..*'}, headers: [{type: RegularExpression, name: x, value: y+}]}]}",
        "{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]}",
        "{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: a, value: b}]}}]}",
    ] {
        let yaml = route_with(Grpc, "r", "{name: g, sectionName: http}", &format!(", rules: [{rule}]"));
        assert_eq!(conditions_of(&at_every_listener(&yaml), Grpc, "r"), ["http: ok"], "{rule}");
    }
}

// RTE-17, GRP-15, FMR-06, FEX-02
#[test]
fn references_of_filters_count_for_grpc_routes() {
    let mirror = "{type: RequestMirror, requestMirror: {backendRef: {name: absent, port: 80}}}";
    let extension = "{type: ExtensionRef, extensionRef: {group: example.com, kind: Auth, name: x}}";
    for (rule, reason) in [
        (format!("filters: [{mirror}]"), "BackendNotFound"),
        (format!("filters: [{extension}]"), "InvalidKind"),
        (format!("backendRefs: [{{name: web, port: 80, filters: [{mirror}]}}]"), "BackendNotFound"),
        (format!("backendRefs: [{{name: web, port: 80, filters: [{extension}]}}]"), "InvalidKind"),
    ] {
        let yaml = route_with(Grpc, "r", "{name: g, sectionName: http}", &format!(", rules: [{{{rule}}}]"));
        let expected = [format!("http: ResolvedRefs=False/{reason}")];
        assert_eq!(conditions_of(&at_every_listener(&yaml), Grpc, "r"), expected, "{rule}");
    }
}

// SES-01, SES-02, AMB-54: where the data plane keeps none, the status says so.
#[test]
fn sessions_of_calls_are_kept_or_the_status_says_that_they_are_not() {
    let rule = ", rules: [{sessionPersistence: {cookie: {name: s}}}]";
    let route = route_with(Grpc, "r", "{name: g, sectionName: http}", rule);
    for session_persistence in [true, false] {
        let options = Options { session_persistence, ..every_kind() };
        let translation = translated(&resources(&route), &options);
        assert_eq!(conditions_of(&translation, Grpc, "r"), ["http: ok"]);
        let message = condition(&translation, Grpc, "r", ConditionType::Accepted).message;
        assert_eq!(message.contains("rules[0].sessionPersistence"), !session_persistence, "{message}");
        let rule = translation.table.rules().next().unwrap();
        assert_eq!(rule.sessions.is_some(), session_persistence);
    }
}

// === one status each ===

// RTE-10, RTE-11, GEN-03, GEN-12
#[test]
fn routes_of_all_kinds_with_one_name_have_a_status_each() {
    let foreign = "
status:
  parents:
  - {parentRef: {name: g}, controllerName: example.com/another, conditions: []}
";
    let mut yaml = String::new();
    for (generation, kind) in (1..).zip(RouteKind::ALL) {
        let written = route(kind, "same", "{name: g, sectionName: tcp}", web(kind));
        yaml += &written.replace("name: same", &format!("name: same, generation: {generation}"));
        yaml += foreign.trim_start();
    }
    let resources = resources(&yaml);
    let translation = translated(&resources, &every_kind());
    assert_eq!(translation.statuses.routes.len(), RouteKind::ALL.len());
    for kind in RouteKind::ALL {
        let expected = if kind == Tcp { "tcp: ok" } else { "tcp: Accepted=False/NotAllowedByListeners" };
        assert_eq!(conditions_of(&translation, kind, "same"), [expected], "{kind}");
    }

    let now = Timestamp::from_unix_seconds(0);
    let written = merge::all(&resources, &translation.statuses, "gateway-api.rs/controller", &now);
    let statuses: Vec<_> = written
        .filter_map(|object| {
            let status = match &object {
                AnyObject::HttpRoute(route) => &route.status,
                AnyObject::GrpcRoute(route) => &route.status,
                AnyObject::TlsRoute(route) => &route.status,
                AnyObject::TcpRoute(route) => &route.status,
                AnyObject::UdpRoute(route) => &route.status,
                _ => return None,
            };
            let controllers: Vec<_> = status.parents.iter().map(|it| it.controller_name.as_str()).collect();
            let accepted = &status.parents.last().expect("one is ours").conditions[0];
            let generation = accepted.observed_generation;
            Some(format!(
                "{} {} {:?} {}",
                object.kind(),
                accepted.status.as_str(),
                generation,
                controllers.join(" ")
            ))
        })
        .collect();
    let both = "example.com/another gateway-api.rs/controller";
    let line = |kind, status, generation| format!("{kind} {status} Some({generation}) {both}");
    let mut expected = vec![
        line(Http, "False", 1),
        line(Grpc, "False", 2),
        line(Tls, "False", 3),
        line(Tcp, "True", 4),
        line(Udp, "False", 5),
    ];
    expected.sort_unstable();
    let mut found = statuses;
    found.sort_unstable();
    assert_eq!(found, expected);
}
