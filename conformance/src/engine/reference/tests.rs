//! What the reference says about small sets of objects, with the rules that say so.

use gateway_core::api::Resources;
use gateway_core::manifest::{self, Severity};
use gateway_core::name::ObjectName;
use http::{Request, Response};

use super::{Arrival, Decision, Effect, Reference};
use crate::engine::{
    Authorities, ClientValidation, Headers, Identity, MeshArrival, StreamArrival, StreamOutcome, Transport,
};

/// A class, a Gateway with these fields of its spec, three Services in its namespace with an endpoint each, and these
/// objects, each written on one line.
fn resources(gateway: &str, objects: &[&str]) -> Resources {
    let mut text = format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {{name: ours}}, \
          spec: {{controllerName: example.com/ours}}}}\n---\n\
         {{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: gw, namespace: infra}}, \
          spec: {{gatewayClassName: ours, {gateway}}}}}\n---\n{}",
        namespace("infra")
    );
    for name in ["one", "two", "three"] {
        text += &format!("---\n{}", service(name, "infra"));
    }
    for object in objects {
        text += &format!("---\n{object}\n");
    }
    let manifest = manifest::read(&text, "test.yaml");
    let problems = manifest.problems.iter().filter(|problem| problem.severity != Severity::Info);
    let problems: Vec<String> = problems.map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    manifest.objects.into_iter().map(|(object, _)| object).collect()
}

fn namespace(name: &str) -> String {
    format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{team: {name}}}}}}}\n")
}

fn service(name: &str, namespace: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, \
         spec: {{ports: [{{name: web, port: 80}}, {{name: more, port: 81}}, \
         {{name: packets, port: 80, protocol: UDP}}]}}}}\n---\n\
         {{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, \
         metadata: {{name: {name}, namespace: {namespace}, labels: {{kubernetes.io/service-name: {name}}}}}, \
         ports: [{{name: web, port: 8080}}, {{name: more, port: 8081}}, \
         {{name: packets, port: 8080, protocol: UDP}}], endpoints: [{{addresses: [10.0.0.1]}}]}}\n"
    )
}

/// A route of this kind whose one rule has these fields.
fn route(kind: &str, name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap_or(("infra", name));
    // All are of one age, so that the name decides.
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: {kind}, \
         metadata: {{name: {name}, namespace: {namespace}, creationTimestamp: \"2026-01-01T00:00:00Z\"}}, \
         spec: {{{spec}}}}}"
    )
}

fn reference(resources: &Resources) -> Reference<'_> {
    Reference { resources, controller_name: "example.com/ours", hostname_fall_through: true }
}

fn gateway() -> ObjectName {
    ObjectName::new("infra", "gw")
}

/// The route that serves a request to port 80; the status without one.
fn served(resources: &Resources, host: &str, path: &str, headers: &[(&str, &str)]) -> String {
    match reference(resources).decide(&arrival(host, path, headers)) {
        Decision::Served { route, .. } => route.name.to_string(),
        Decision::Refused(status) => status.as_u16().to_string(),
    }
}

fn effect(resources: &Resources, host: &str, path: &str, headers: &[(&str, &str)]) -> Effect {
    reference(resources).answer(&arrival(host, path, headers)).effect
}

fn arrival(host: &str, path: &str, headers: &[(&str, &str)]) -> Arrival {
    Arrival {
        gateway: gateway(),
        port: 80,
        server_name: None,
        request: request(host, path, headers),
        randoms: vec![0],
        answer: Response::new(()),
    }
}

fn request(host: &str, path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// Where a stream goes: the Service, and whether TLS ends at the gateway.
fn stream(
    resources: &Resources,
    port: u16,
    transport: Transport,
    server_name: Option<&str>,
) -> Option<(String, bool)> {
    let server_name = server_name.map(str::to_owned);
    let arrival = StreamArrival { gateway: gateway(), port, transport, server_name, random: 0 };
    match reference(resources).decide_stream(&arrival) {
        StreamOutcome::Forwarded { to, terminated, .. } => Some((to.service.name.to_string(), terminated)),
        StreamOutcome::Rejected => None,
    }
}

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

const HTTP: &str = "listeners: [{name: http, port: 80, protocol: HTTP}]";

// === ListenerSets ===

const SETS: &str = "allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {team: app}}}}, \
    listeners: [{name: own, port: 80, protocol: HTTP, hostname: own.test}]";

fn set(name: &str, created: &str, listeners: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap_or(("app", name));
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, \
         metadata: {{name: {name}, namespace: {namespace}, creationTimestamp: \"{created}\"}}, \
         spec: {{parentRef: {{name: gw, namespace: infra}}, listeners: [{listeners}]}}}}"
    )
}

fn of_set(name: &str, set: &str) -> String {
    let backends = "rules: [{backendRefs: [{name: one, namespace: infra, port: 80}]}]";
    route("HTTPRoute", name, &format!("parentRefs: [{{kind: ListenerSet, name: {set}}}], {backends}"))
}

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-01T00:00:01Z";

#[test]
fn a_gateway_has_the_listeners_of_the_sets_that_it_allows() {
    let a = set("a", EARLY, "{name: l, port: 80, protocol: HTTP, hostname: a.test}");
    let foreign = set("other/b", EARLY, "{name: l, port: 80, protocol: HTTP, hostname: b.test}");
    let objects = [
        &namespace("app"),
        &namespace("other"),
        &a,
        &foreign,
        &of_set("app/ra", "a"),
        &of_set("other/rb", "b"),
    ];
    let objects = objects.map(String::as_str);
    let allowed = resources(SETS, &objects);
    // LST-01, LST-03
    assert_eq!(served(&allowed, "a.test", "/", &[]), "ra");
    assert_eq!(served(&allowed, "b.test", "/", &[]), "404");
    // LST-02: who says nothing allows none.
    let silent =
        resources("listeners: [{name: own, port: 80, protocol: HTTP, hostname: own.test}]", &objects);
    assert_eq!(served(&silent, "a.test", "/", &[]), "404");
}

#[test]
fn a_parent_is_a_gateway_or_a_set_and_never_both() {
    let a = set("a", EARLY, "{name: own, port: 80, protocol: HTTP, hostname: a.test}");
    let spec = "parentRefs: [{name: gw, sectionName: own}], rules: [{backendRefs: [{name: one, port: 80}]}]";
    let objects = [&namespace("app"), &a, &of_set("app/ra", "a"), &route("HTTPRoute", "rg", spec)];
    let resources = resources(SETS, &objects.map(String::as_str));
    // LST-08, LST-16, LST-17: the listeners have the same name.
    assert_eq!(served(&resources, "own.test", "/", &[]), "rg");
    assert_eq!(served(&resources, "a.test", "/", &[]), "ra");
}

#[test]
fn the_earlier_object_has_the_place_and_within_one_nobody_has() {
    let host = |name: &str, host: &str, protocol: &str| {
        format!("{{name: {name}, port: 80, protocol: {protocol}, hostname: {host}}}")
    };
    let tcp = "{name: tcp, port: 80, protocol: TCP}";
    let taken = [host("x", "own.test", "HTTP"), host("w", "shared.test", "HTTP"), tcp.to_owned()].join(", ");
    let later = [host("x", "shared.test", "HTTP"), host("w", "later.test", "HTTP")].join(", ");
    // The older set is the last one by name.
    let sets = [set("z", EARLY, &taken), set("a", LATE, &later)];
    let objects = [&namespace("app"), &sets[0], &sets[1], &of_set("app/rz", "z"), &of_set("app/ra", "a")];
    let resources = resources(SETS, &objects.map(String::as_str));
    // LST-09: the host of the Gateway is not of the set.
    assert_eq!(served(&resources, "own.test", "/", &[]), "404");
    // LST-07: of two sets the older one has the host. LST-28: its TCP listener is out before it can disturb.
    assert_eq!(served(&resources, "shared.test", "/", &[]), "rz");
    assert_eq!(served(&resources, "later.test", "/", &[]), "ra");
    // GWL-04, GWL-08: within one object both are out.
    let both = "listeners: [{name: http, port: 80, protocol: HTTP}, {name: tcp, port: 80, protocol: TCP}]";
    let spec = "parentRefs: [{name: gw}], rules: [{backendRefs: [{name: one, port: 80}]}]";
    let routes = [route("HTTPRoute", "h", spec), route("TCPRoute", "t", spec)];
    let both = self::resources(both, &[&routes[0], &routes[1]]);
    assert_eq!(served(&both, "any.test", "/", &[]), "404");
    assert_eq!(stream(&both, 80, Transport::Tcp, None), None);
}

#[test]
fn a_gateway_that_is_not_accepted_serves_no_set() {
    let gateway = "allowedListeners: {namespaces: {from: All}}, \
        listeners: [{name: http, port: 80, protocol: HTTP}, {name: tcp, port: 80, protocol: TCP}]";
    let a = set("a", EARLY, "{name: l, port: 80, protocol: HTTP, hostname: a.test}");
    let objects = [&namespace("app"), &a, &of_set("app/ra", "a")];
    let objects = objects.map(String::as_str);
    // GWL-10, LST-05
    assert_eq!(served(&resources(gateway, &objects), "a.test", "/", &[]), "404");
    let accepted =
        gateway.replace(", {name: tcp, port: 80, protocol: TCP}", "").replace("port: 80", "port: 81");
    assert_eq!(served(&resources(&accepted, &objects), "a.test", "/", &[]), "ra");
}

// === GRPCRoutes ===

fn grpc_route(name: &str, rules: &str) -> String {
    route("GRPCRoute", name, &format!("parentRefs: [{{name: gw}}], rules: [{rules}]"))
}

const ONE: &str = "backendRefs: [{name: one, port: 80}]";

#[test]
fn the_most_specific_method_serves_a_call() {
    let rule = |entry: &str| format!("{{matches: [{entry}], {ONE}}}");
    let objects = [
        grpc_route("any", &format!("{{{ONE}}}")),
        grpc_route("service", &rule("{method: {service: shop.Cart}}")),
        grpc_route("method", &rule("{method: {method: Add}}")),
        grpc_route("both", &rule("{method: {service: shop.Cart, method: Add}}")),
        grpc_route(
            "header",
            &rule("{method: {service: shop.Cart, method: Add}, headers: [{name: x, value: one}]}"),
        ),
        grpc_route("expression", &rule("{method: {type: RegularExpression, service: \"bank[.].*\"}}")),
        grpc_route(
            "unknown",
            &rule("{method: {service: shop.Cart}, headers: [{type: Odd, name: x, value: one}]}"),
        ),
    ];
    let resources = resources(HTTP, &objects.each_ref().map(String::as_str));
    let rows: [(&str, &str, &str); 7] = [
        // GRP-07: (3) service, (4) method, (5) headers.
        ("/shop.Cart/Add", "two", "both"),
        ("/shop.Cart/Add", "one", "header"),
        ("/shop.Cart/Remove", "two", "service"),
        ("/shop.Order/Add", "two", "method"),
        // GRP-02
        ("/shop.Order/Remove", "two", "any"),
        ("/bank.Money/Move", "two", "expression"),
        // GRP-03: case matters.
        ("/shop.cart/add", "two", "any"),
    ];
    for (path, x, expected) in rows {
        assert_eq!(served(&resources, "any.test", path, &[GRPC, ("x", x)]), expected, "{path} {x}");
    }
    // GRP-13: what is no call is not for GRPCRoutes. GRP-16: `unknown` has served nothing above.
    assert_eq!(served(&resources, "any.test", "/shop.Cart/Add", &[]), "404");
}

#[test]
fn calls_that_nobody_serves_get_a_status_of_grpc() {
    let method = |method: &str| format!("matches: [{{method: {{method: {method}}}}}]");
    let rules = [
        format!("{{{}, backendRefs: [{{name: missing, port: 80}}]}}", method("Invalid")),
        format!("{{{}}}", method("None")),
    ];
    let http = "parentRefs: [{name: gw}], rules: [{matches: [{path: {value: /shop.Cart/Http}}], \
        backendRefs: [{name: one, port: 80}]}]";
    let objects = [grpc_route("calls", &rules.join(", ")), route("HTTPRoute", "web", http)];
    let resources = resources(HTTP, &objects.each_ref().map(String::as_str));
    let status = |path: &str| match effect(&resources, "any.test", path, &[GRPC]) {
        Effect::Answered(reply) => (reply.status.as_u16(), reply.headers["grpc-status"].concat()),
        Effect::Forwarded(forwarded) => (0, forwarded.to.service.name.to_string()),
    };
    // GRP-11, GRP-12, GRP-10 with AMB-64, AMB-40.
    assert_eq!(status("/shop.Cart/Invalid"), (200, "14".to_owned()));
    assert_eq!(status("/shop.Cart/None"), (200, "12".to_owned()));
    assert_eq!(status("/shop.Cart/Other"), (200, "12".to_owned()));
    assert_eq!(status("/shop.Cart/Http"), (0, "one".to_owned()));
}

// === BackendTLSPolicies ===

const AUTHORITY: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: ca, namespace: infra}, \
    data: {ca.crt: \"-----BEGIN CERTIFICATE-----\"}}";

fn policy(name: &str, target: &str, hostname: &str, more: &str) -> String {
    format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, \
         metadata: {{name: {name}, namespace: infra, creationTimestamp: \"{EARLY}\"}}, \
         spec: {{targetRefs: [{{group: '', kind: Service, {target}}}], \
         validation: {{hostname: {hostname}, {more}}}}}}}"
    )
}

const CA: &str = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";

fn to_port(port: u16) -> String {
    let rules = format!("rules: [{{backendRefs: [{{name: one, port: {port}}}]}}]");
    route("HTTPRoute", "web", &format!("parentRefs: [{{name: gw}}], {rules}"))
}

#[test]
fn the_policy_for_the_port_goes_first_and_then_the_oldest() {
    let server_name = |port: u16, policies: &[String]| {
        let to_port = to_port(port);
        let mut objects = vec![AUTHORITY, &to_port];
        objects.extend(policies.iter().map(String::as_str));
        match effect(&resources(HTTP, &objects), "any.test", "/", &[]) {
            Effect::Forwarded(forwarded) => {
                forwarded.to.tls.map_or("plain".to_owned(), |tls| tls.server_name)
            }
            Effect::Answered(reply) => reply.status.to_string(),
        }
    };
    let whole = policy("b", "name: one", "whole.test", CA);
    let of_port = policy("z", "name: one, sectionName: web", "port.test", CA);
    let both = [whole.clone(), of_port];
    // BTP-05
    assert_eq!(server_name(80, &both), "port.test");
    assert_eq!(server_name(81, &both), "whole.test");
    // BTP-06: as old as the other, so the name decides.
    let conflict = [whole, policy("a", "name: one", "first.test", CA)];
    assert_eq!(server_name(80, &conflict), "first.test");
    // BTP-01, BTP-04
    assert_eq!(server_name(80, &[policy("a", "name: one, sectionName: nobody", "a.test", CA)]), "plain");
    assert_eq!(server_name(80, &[]), "plain");
    // BTP-12 to BTP-15: never without TLS.
    let broken = [
        "caCertificateRefs: [{group: '', kind: ConfigMap, name: missing}]",
        "caCertificateRefs: [{group: example.com, kind: Odd, name: ca}]",
        "wellKnownCACertificates: Odd",
    ];
    for broken in broken {
        let status = server_name(80, &[policy("a", "name: one", "a.test", broken)]);
        assert_eq!(status, "500 Internal Server Error", "{broken}");
    }
}

#[test]
fn names_that_are_listed_replace_the_hostname() {
    let tls = |more: &str| {
        let objects = [AUTHORITY, &to_port(80), &policy("a", "name: one", "a.test", more)];
        match effect(&resources(HTTP, &objects), "any.test", "/", &[]) {
            Effect::Forwarded(forwarded) => forwarded.to.tls.unwrap(),
            Effect::Answered(reply) => panic!("{reply:?}"),
        }
    };
    // BTP-16, BTP-17
    let alone = tls(CA);
    assert_eq!(alone.identities, [Identity::Hostname("a.test".to_owned())]);
    assert_eq!(alone.authorities, Authorities::Pem(vec!["-----BEGIN CERTIFICATE-----".to_owned()]));
    let listed = "wellKnownCACertificates: System, \
        subjectAltNames: [{type: Hostname, hostname: b.test}, {type: URI, uri: \"spiffe://b.test/x\"}]";
    let listed = tls(listed);
    let names = [Identity::Hostname("b.test".to_owned()), Identity::Uri("spiffe://b.test/x".to_owned())];
    assert_eq!((listed.server_name.as_str(), &listed.identities[..]), ("a.test", &names[..]));
    assert_eq!(listed.authorities, Authorities::System);
}

// === TLS with clients ===

#[test]
fn what_is_said_for_a_port_replaces_what_is_said_for_all() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: cert, namespace: infra}, \
        type: kubernetes.io/tls}";
    let tls = "tls: {certificateRefs: [{name: cert}]}";
    let validation = |ca: &str, mode: &str| {
        format!(
            "{{validation: {{caCertificateRefs: [{{group: '', kind: ConfigMap, name: {ca}}}], mode: {mode}}}}}"
        )
    };
    let gateway = format!(
        "tls: {{frontend: {{default: {}, perPort: [{{port: 444, tls: {}}}, {{port: 445, tls: {}}}, \
         {{port: 446, tls: {{}}}}]}}}}, listeners: [{}]",
        validation("ca", "AllowValidOnly"),
        validation("ca", "AllowInsecureFallback"),
        validation("missing", "AllowInsecureFallback"),
        [443, 444, 445, 446]
            .map(|port| format!("{{name: l{port}, port: {port}, protocol: HTTPS, {tls}}}"))
            .join(", ")
    );
    let resources = resources(&gateway, &[secret, AUTHORITY]);
    let clients = |port: u16| reference(&resources).handshake(&self::gateway(), port, Some("a.test"));
    let authorities = vec!["-----BEGIN CERTIFICATE-----".to_owned()];
    // GWF-02, GWF-09
    let strict = ClientValidation { authorities: authorities.clone(), any_client: false };
    let lenient = ClientValidation { authorities, any_client: true };
    assert_eq!(clients(443).unwrap().clients, Some(strict));
    assert_eq!(clients(444).unwrap().clients, Some(lenient));
    // GWF-07, GWF-08: only this listener is not served.
    assert_eq!(clients(445), None);
    assert_eq!(clients(446).unwrap().clients, None);
}

// === TLSRoutes, TCPRoutes, UDPRoutes ===

fn stream_route(kind: &str, name: &str, more: &str, service: &str) -> String {
    let rules = format!("rules: [{{backendRefs: [{{name: {service}, port: 80}}]}}]");
    route(kind, name, &format!("parentRefs: [{{name: gw}}], {more} {rules}"))
}

#[test]
fn the_server_name_picks_the_listener_and_then_the_route() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: cert, namespace: infra}, \
        type: kubernetes.io/tls}";
    let gateway = "listeners: [\
        {name: a, port: 443, protocol: TLS, hostname: \"*.example.com\", tls: {mode: Passthrough}}, \
        {name: b, port: 443, protocol: TLS, hostname: end.example.com, \
         tls: {mode: Terminate, certificateRefs: [{name: cert}]}}]";
    let objects = [
        stream_route("TLSRoute", "wide", "hostnames: [\"*.com\"],", "one"),
        stream_route("TLSRoute", "narrow", "hostnames: [x.example.com],", "two"),
        stream_route("TLSRoute", "wildcard", "hostnames: [\"*.example.com\"],", "three"),
    ];
    let mut all = vec![secret];
    all.extend(objects.iter().map(String::as_str));
    let resources = resources(gateway, &all);
    let tls = |server_name| stream(&resources, 443, Transport::Tcp, server_name);
    // TLR-05: the exact name first.
    assert_eq!(tls(Some("x.example.com")), Some(("two".to_owned(), false)));
    // TLR-05, HST-03: both are narrowed to `*.example.com`, so that the names of the routes decide.
    assert_eq!(tls(Some("y.example.com")), Some(("one".to_owned(), false)));
    // TLR-11, TLR-08
    assert_eq!(tls(Some("end.example.com")), Some(("one".to_owned(), true)));
    // TLR-06
    assert_eq!(tls(Some("x.example.org")), None);
    assert_eq!(tls(None), None);
}

#[test]
fn tls_begins_anew_only_where_it_ended() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: cert, namespace: infra}, \
        type: kubernetes.io/tls}";
    let gateway = "listeners: [{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}, \
        {name: b, port: 444, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}]";
    let objects = [
        secret,
        AUTHORITY,
        &policy("a", "name: one", "backend.test", CA),
        &stream_route("TLSRoute", "web", "hostnames: [a.test],", "one"),
    ];
    let resources = resources(gateway, &objects);
    let server_name = |port: u16| {
        let server_name = Some("a.test".to_owned());
        let (gateway, transport) = (self::gateway(), Transport::Tcp);
        let arrival = StreamArrival { gateway, port, transport, server_name, random: 0 };
        match reference(&resources).decide_stream(&arrival) {
            StreamOutcome::Forwarded { to, .. } => to.tls.map(|tls| tls.server_name),
            StreamOutcome::Rejected => panic!("port {port} rejects"),
        }
    };
    // BTP-21, TLR-08
    assert_eq!(server_name(443), None);
    assert_eq!(server_name(444), Some("backend.test".to_owned()));
}

#[test]
fn the_oldest_route_has_all_connections() {
    let gateway = "listeners: [{name: t, port: 80, protocol: TCP}, {name: u, port: 80, protocol: UDP}]";
    let objects = [
        stream_route("TCPRoute", "b", "", "two"),
        stream_route("TCPRoute", "a", "", "one"),
        stream_route("UDPRoute", "d", "", "one"),
        stream_route("UDPRoute", "c", "", "three"),
    ];
    let resources = resources(gateway, &objects.each_ref().map(String::as_str));
    // TCR-03, UDR-03; GWL-05.
    assert_eq!(stream(&resources, 80, Transport::Tcp, None), Some(("one".to_owned(), false)));
    assert_eq!(stream(&resources, 80, Transport::Udp, None), Some(("three".to_owned(), false)));
    // TCR-06: also if that one leads nowhere.
    let broken = [objects[0].clone(), stream_route("TCPRoute", "a", "", "missing")];
    let broken = self::resources(gateway, &broken.each_ref().map(String::as_str));
    assert_eq!(stream(&broken, 80, Transport::Tcp, None), None);
    assert_eq!(stream(&broken, 80, Transport::Udp, None), None);
}

// === Mesh ===

/// Who gets a request to port 80 of the Service `one`, and the header that a route has set.
fn mesh(resources: &Resources, client_namespace: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let arrival = MeshArrival {
        client_namespace: client_namespace.to_owned(),
        service: ObjectName::new("infra", "one"),
        port: 80,
        request: request("any.test", path, headers),
        randoms: vec![0],
        answer: Response::new(()),
    };
    let set = |headers: &Headers| headers.get("by").map_or("nobody".to_owned(), |lines| lines.concat());
    match reference(resources).answer_in_mesh(&arrival) {
        Some(Effect::Forwarded(forwarded)) => {
            format!("{} by {}", forwarded.to.service, set(&forwarded.sent.headers))
        }
        Some(Effect::Answered(reply)) => reply.status.as_u16().to_string(),
        None => "nothing".to_owned(),
    }
}

fn bound(kind: &str, name: &str, port: &str, backend: &str) -> String {
    let by = name.replace('/', "-");
    let filter = format!(
        "filters: [{{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: by, value: {by}}}]}}}}]"
    );
    let path = match kind {
        "HTTPRoute" => "matches: [{path: {value: /a}}], ",
        _ => "",
    };
    let rules = format!("rules: [{{{path}{filter}, backendRefs: [{{{backend}}}]}}]");
    let parent = format!("{{group: '', kind: Service, name: one, namespace: infra{port}}}");
    route(kind, name, &format!("parentRefs: [{parent}], hostnames: [other.test], {rules}"))
}

#[test]
fn routes_of_a_service_are_for_its_clients() {
    let two = "name: two, namespace: infra, port: 80";
    // MSH-08
    let nothing = resources(HTTP, &[]);
    assert_eq!(mesh(&nothing, "infra", "/", &[]), "infra/one by nobody");
    let producer = bound("HTTPRoute", "producer", "", two);
    let one = resources(HTTP, &[&producer]);
    // MSH-04, MSH-10; MSH-08: what no rule matches is refused.
    assert_eq!(mesh(&one, "app", "/a", &[]), "infra/two by producer");
    assert_eq!(mesh(&one, "app", "/b", &[]), "404");
    // MSH-05, MSH-06, MSH-12: the route of the client's namespace alone, without a grant.
    let consumer = bound("HTTPRoute", "app/consumer", "", two);
    let both = resources(HTTP, &[&producer, &consumer, &namespace("app")]);
    assert_eq!(mesh(&both, "app", "/a", &[]), "infra/two by app-consumer");
    assert_eq!(mesh(&both, "infra", "/a", &[]), "infra/two by producer");
    // MSH-03
    let elsewhere = resources(HTTP, &[&bound("HTTPRoute", "producer", ", port: 81", two)]);
    assert_eq!(mesh(&elsewhere, "app", "/a", &[]), "infra/one by nobody");
    let named = resources(HTTP, &[&bound("HTTPRoute", "producer", ", sectionName: web", two)]);
    assert_eq!(mesh(&named, "app", "/a", &[]), "infra/two by producer");
    // MSH-09
    let kinds = resources(HTTP, &[&producer, &bound("GRPCRoute", "calls", "", two)]);
    assert_eq!(mesh(&kinds, "app", "/a", &[]), "404");
    assert_eq!(mesh(&kinds, "app", "/a/b", &[GRPC]), "infra/two by calls");
    // HRB-10: an invalid backend, as on a Gateway.
    let invalid = resources(HTTP, &[&bound("HTTPRoute", "producer", "", "name: missing, port: 80")]);
    assert_eq!(mesh(&invalid, "app", "/a", &[]), "500");
}
