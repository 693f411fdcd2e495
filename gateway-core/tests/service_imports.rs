//! ServiceImports as backends: endpoints of several clusters, beside Services of one.

mod common;

use gateway_core::api::{Kind, Resources};
use gateway_core::condition::ConditionType;
use gateway_core::filter::HttpFilter;
use gateway_core::name::{ObjectName, RouteKey, RouteKind};
use gateway_core::options::Options;
use gateway_core::rule::{Backend, BackendKind, BackendProtocol, BackendTarget, Sessions};
use gateway_core::table::RouteTable;
use gateway_core::translate::{Translation, Translator, translate};
use gateway_core::{lint, manifest};

use self::common::resources;

/// A Gateway, and a ServiceImport `shop` with endpoints in two clusters beside a Service of the same name.
const BASE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: class}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: class, listeners: [
  {name: http, port: 80, protocol: HTTP}, {name: tcp, port: 81, protocol: TCP}, {name: udp, port: 82, protocol: UDP},
  {name: tls, port: 83, protocol: TLS, tls: {mode: Passthrough}}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{name: web, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shop-local, labels: {kubernetes.io/service-name: shop}}
addressType: IPv4
ports: [{name: web, port: 8080}]
endpoints: [{addresses: [10.1.0.1]}]
---
apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: shop}
spec: {type: ClusterSetIP, ips: [10.9.9.9], ports: [{name: web, port: 80}, {name: dns, port: 53, protocol: UDP}]}
";

/// A slice of the ServiceImport, in a cluster.
fn slice(cluster: &str, more_labels: &str, endpoints: &str) -> String {
    format!(
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: shop-{cluster}, labels: \
         {{multicluster.kubernetes.io/service-name: shop, multicluster.kubernetes.io/source-cluster: {cluster}{more_labels}}}}}\n\
         addressType: IPv4\nports: [{{name: web, port: 8080}}, {{name: dns, port: 5353, protocol: UDP}}]\n\
         endpoints: [{endpoints}]\n"
    )
}

fn east() -> String {
    slice("east", "", "{addresses: [10.1.0.1], zone: a}, {addresses: [10.1.0.2], conditions: {ready: false}}")
}

fn west() -> String {
    slice("west", "", "{addresses: [10.2.0.1]}")
}

/// An object of a version; its name, and the rest.
fn object(kind: &str, version: &str, name: &str, rest: &str) -> String {
    format!("---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\n{rest}\n")
}

const V1: &str = "gateway.networking.k8s.io/v1";

/// A reference to the ServiceImport at a port, with more fields.
fn import(port: u16, more: &str) -> String {
    format!("{{group: multicluster.x-k8s.io, kind: ServiceImport, name: shop, port: {port}{more}}}")
}

fn route(kind: &str, more: &str, rules: &str) -> String {
    object(kind, V1, "r", &format!("spec: {{parentRefs: [{{name: gw}}], {more}rules: [{rules}]}}"))
}

/// An HTTPRoute to these backends.
fn to(references: &[String]) -> String {
    route("HTTPRoute", "", &format!("{{backendRefs: [{}]}}", references.join(", ")))
}

fn with(more: &[String]) -> Resources {
    resources(&format!("{BASE}{}", more.concat()))
}

fn translated(more: &[String]) -> Translation {
    translate(&with(more), &Options::default())
}

fn addresses(backend: &Backend) -> Vec<String> {
    backend.endpoints.iter().map(|endpoint| endpoint.address().to_string()).collect()
}

/// Every backend that is a ServiceImport.
fn imports(table: &RouteTable) -> Vec<&Backend> {
    table.backends().filter(|backend| backend.kind == BackendKind::ServiceImport).collect()
}

/// The addresses of the one backend, a ServiceImport.
fn endpoints(table: &RouteTable) -> Vec<String> {
    let [backend] = imports(table)[..] else { panic!("one backend: {:?}", imports(table)) };
    addresses(backend)
}

/// The conditions of the Route that are not as they should be, with their messages.
fn refused(translation: &Translation, kind: RouteKind) -> Vec<String> {
    let status = &translation.statuses.routes[&RouteKey::new(kind, ObjectName::new("default", "r"))];
    let conditions = status.parents.iter().flat_map(|parent| &parent.conditions);
    let refs = conditions.filter(|condition| condition.kind == ConditionType::ResolvedRefs);
    let bad = refs.filter(|condition| condition.reason.to_string() != "ResolvedRefs");
    bad.map(|condition| format!("{}: {}", condition.reason, condition.message)).collect()
}

// HRB-17, GRP-17, TLR-12
#[test]
fn every_kind_of_route_leads_to_the_endpoints_of_all_clusters() {
    let both = ["10.1.0.1:8080", "10.2.0.1:8080"];
    let backends = format!("{{backendRefs: [{}]}}", import(80, ""));
    let udp = format!("{{backendRefs: [{}]}}", import(53, ""));
    for (kind, route_kind, more, rules, protocol, expected) in [
        ("HTTPRoute", RouteKind::Http, "", &backends, BackendProtocol::Http1, both),
        ("GRPCRoute", RouteKind::Grpc, "", &backends, BackendProtocol::H2c, both),
        ("TCPRoute", RouteKind::Tcp, "", &backends, BackendProtocol::Http1, both),
        ("TLSRoute", RouteKind::Tls, "hostnames: [a.example], ", &backends, BackendProtocol::Http1, both),
        ("UDPRoute", RouteKind::Udp, "", &udp, BackendProtocol::Http1, ["10.1.0.1:5353", "10.2.0.1:5353"]),
    ] {
        let translation = translated(&[east(), west(), route(kind, more, rules)]);
        assert_eq!(endpoints(&translation.table), expected, "{kind}");
        assert_eq!(refused(&translation, route_kind), [""; 0], "{kind}");
        let backend = imports(&translation.table)[0];
        assert_eq!(backend.protocol, protocol, "{kind}");
        let port = if kind == "UDPRoute" { 53 } else { 80 };
        assert_eq!(backend.to_string(), format!("ServiceImport default/shop:{port}"));
        let places = backend.endpoints.iter().map(|endpoint| {
            let locality = endpoint.locality().unwrap();
            (locality.cluster.as_deref(), locality.zone.as_deref())
        });
        assert_eq!(places.collect::<Vec<_>>(), [(Some("east"), Some("a")), (Some("west"), None)], "{kind}");
    }
}

// HRB-17, FMR-01, FEA-01
#[test]
fn copies_and_questions_go_there_too() {
    let filters = format!(
        "{{filters: [{{type: RequestMirror, requestMirror: {{backendRef: {0}}}}}, {{type: ExternalAuth, externalAuth: \
         {{protocol: HTTP, http: {{}}, backendRef: {0}}}}}], backendRefs: [{{name: shop, port: 80}}]}}",
        import(80, "")
    );
    let translation = translated(&[east(), west(), route("HTTPRoute", "", &filters)]);
    assert_eq!(refused(&translation, RouteKind::Http), [""; 0]);
    let rule = translation.table.rules().next().unwrap();
    let asked = rule.filters.iter().map(|filter| match filter {
        HttpFilter::RequestMirror(mirror) => translation.table.backend(mirror.backend),
        HttpFilter::ExternalAuth(auth) => translation.table.backend(auth.backend),
        other => panic!("{other:?}"),
    });
    for backend in asked {
        assert_eq!(backend.kind, BackendKind::ServiceImport);
        assert_eq!(addresses(backend), ["10.1.0.1:8080", "10.2.0.1:8080"]);
    }
}

// HRB-17: a Service is endpoints of this cluster, whatever has its name.
#[test]
fn a_service_and_a_service_import_of_one_name_are_two_backends() {
    let service = "{name: shop, port: 80, weight: 9}".to_owned();
    // Slices as they are where a Service is made for every ServiceImport, here with the name of the one that is exported.
    let derived = slice("west", ", kubernetes.io/service-name: shop", "{addresses: [10.2.0.1]}");
    let translation = translated(&[east(), derived, to(&[service, import(80, "")])]);
    let rule = translation.table.rules().next().unwrap();
    let found = rule.backends.refs().iter().map(|reference| {
        let BackendTarget::Backend(id) = reference.target else { panic!("{reference:?}") };
        let backend = translation.table.backend(id);
        (backend.to_string(), reference.weight, addresses(backend))
    });
    let [local, other] = ["10.1.0.1:8080", "10.2.0.1:8080"].map(str::to_owned);
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("default/shop:80".to_owned(), 9, vec![local.clone()]),
            ("ServiceImport default/shop:80".to_owned(), 1, vec![local, other]),
        ]
    );
}

// HRB-17, HRB-12
#[test]
fn when_the_endpoints_of_one_cluster_go_the_others_serve() {
    let mut translator = Translator::new(Options::default());
    translator.update(&with(&[east(), west(), to(&[import(80, "")])]));
    let now = |translator: &mut Translator| endpoints(&translator.translate().table);
    assert_eq!(now(&mut translator), ["10.1.0.1:8080", "10.2.0.1:8080"]);

    let set = |translator: &mut Translator, text: String| {
        let read = manifest::read(&text, "slice.yaml");
        read.objects.into_iter().for_each(|(object, _)| translator.insert(object));
    };
    set(&mut translator, slice("east", "", "{addresses: [10.1.0.1], conditions: {ready: false}}"));
    assert_eq!(now(&mut translator), ["10.2.0.1:8080"], "not ready any more");
    set(&mut translator, east());
    translator.remove(Kind::EndpointSlice, &ObjectName::new("default", "shop-west"));
    assert_eq!(now(&mut translator), ["10.1.0.1:8080"], "the slice is gone");
    translator.remove(Kind::EndpointSlice, &ObjectName::new("default", "shop-east"));
    assert_eq!(now(&mut translator), [""; 0], "none is left, and the Service's own are none of it");
    assert_eq!(refused(translator.translation(), RouteKind::Http), [""; 0], "it is there nevertheless");
    let terminating = "{addresses: [10.2.0.1], conditions: {ready: false, serving: true, terminating: true}}";
    set(&mut translator, slice("west", "", terminating));
    assert_eq!(now(&mut translator), ["10.2.0.1:8080"]);
}

// HRB-05 to HRB-08, HRB-17
#[test]
fn a_reference_that_leads_nowhere_says_why() {
    let missing = "BackendNotFound: there is no ServiceImport default/store; export the Service from a cluster, or name another";
    for (name, reference, expected) in [
        ("not there", import(80, "").replace("name: shop", "name: store"), missing),
        (
            "a port that it does not have",
            import(8080, ""),
            "BackendNotFound: ServiceImport default/shop has no port 8080; it has 80, 53",
        ),
        (
            "no port",
            import(80, "").replace(", port: 80", ""),
            "BackendNotFound: the reference to ServiceImport default/shop names no port",
        ),
        (
            "a port of another transport",
            import(53, ""),
            "UnsupportedProtocol: port 53 of ServiceImport default/shop is UDP, HTTP needs TCP",
        ),
        (
            "another namespace",
            import(80, ", namespace: other"),
            "RefNotPermitted: ServiceImport other/shop is in another namespace",
        ),
        (
            "another group",
            "{kind: ServiceImport, name: shop, port: 80}".to_owned(),
            "InvalidKind: ServiceImport of group \"\" is not supported",
        ),
    ] {
        let found = refused(&translated(&[east(), to(&[reference])]), RouteKind::Http);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{name}: {found:?}");
    }
    let mut translator = Translator::new(Options::default());
    translator.update(&with(&[to(&[import(80, "").replace("name: shop", "name: late")])]));
    translator.translate();
    assert_eq!(refused(translator.translation(), RouteKind::Http).len(), 1);
    let late = object(
        "ServiceImport",
        "multicluster.x-k8s.io/v1alpha1",
        "late",
        "spec: {type: Headless, ports: [{port: 80}]}",
    );
    manifest::read(&late, "late.yaml").objects.into_iter().for_each(|(late, _)| translator.insert(late));
    assert_eq!(refused(translator.translate(), RouteKind::Http), [""; 0], "one that appears is found");
    translator.remove(Kind::ServiceImport, &ObjectName::new("default", "late"));
    assert_eq!(refused(translator.translate(), RouteKind::Http).len(), 1);
}

// RGR-01, RGR-02, HRB-17
#[test]
fn a_grant_for_services_is_none_for_service_imports() {
    let elsewhere = "---\napiVersion: multicluster.x-k8s.io/v1beta1\nkind: ServiceImport\nmetadata: {name: shop, namespace: other}\n\
                     spec: {type: ClusterSetIP, ports: [{port: 80}]}\n";
    let grant = |to: &str| {
        format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {{name: g, namespace: other}}\n\
             spec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}}], to: [{to}]}}\n"
        )
    };
    for (to_kind, is_permitted) in [
        ("{group: multicluster.x-k8s.io, kind: ServiceImport}", true),
        ("{group: '', kind: Service}", false),
        ("{group: '', kind: ServiceImport}", false),
    ] {
        let translation =
            translated(&[elsewhere.to_owned(), grant(to_kind), to(&[import(80, ", namespace: other")])]);
        assert_eq!(refused(&translation, RouteKind::Http).is_empty(), is_permitted, "{to_kind}");
    }
}

// BPR-02, BPR-03, HRB-17
#[test]
fn what_is_spoken_is_said_by_the_port_of_the_import() {
    let with_protocol = |protocol: &str| {
        BASE.replace(
            "ports: [{name: web, port: 80}, {name: dns",
            &format!("ports: [{{name: web, port: 80, appProtocol: {protocol}}}, {{name: dns"),
        )
    };
    let translation = |protocol: &str| {
        let text = [with_protocol(protocol), east(), to(&[import(80, "")])].concat();
        translate(&resources(&text), &Options::default())
    };
    let spoken = |protocol: &str| imports(&translation(protocol).table)[0].protocol;
    assert_eq!(spoken("kubernetes.io/h2c"), BackendProtocol::H2c);
    assert_eq!(spoken("kubernetes.io/ws"), BackendProtocol::WebSocket);
    assert_eq!(spoken("example.com/other"), BackendProtocol::Http1);
    let refused = refused(&translation("kubernetes.io/wss"), RouteKind::Http);
    assert!(
        refused[0].starts_with("UnsupportedProtocol: port 80 of ServiceImport default/shop"),
        "{refused:?}"
    );
}

fn policy(kind: &str, version: &str, name: &str, target_kind: &str, more: &str, spec: &str) -> String {
    let group = if target_kind == "Service" { "''" } else { "multicluster.x-k8s.io" };
    let target = format!("{{group: {group}, kind: {target_kind}, name: shop{more}}}");
    object(kind, version, name, &format!("spec: {{targetRefs: [{target}], {spec}}}"))
}

// BTP-02, BTP-05, HRB-17
#[test]
fn a_policy_for_tls_is_for_the_one_of_the_two_that_it_names() {
    let tls = |name: &str, kind: &str, more: &str| {
        let spec = format!("validation: {{hostname: {name}.example, wellKnownCACertificates: System}}");
        policy("BackendTLSPolicy", V1, name, kind, more, &spec)
    };
    let route = || to(&["{name: shop, port: 80}".to_owned(), import(80, "")]);
    let spoken = |policies: &[String]| {
        let translation = translated(&[policies, &[east(), route()]].concat());
        let mut all: Vec<_> = translation.table.backends().collect();
        all.sort_by_key(|backend| backend.kind);
        let names = all.iter().map(|backend| {
            backend.tls.as_ref().map_or("plain".to_owned(), |tls| tls.server_name.to_string())
        });
        let accepted = translation.statuses.backend_tls_policies.values().flat_map(|status| {
            status.ancestors.iter().map(|ancestor| ancestor.conditions[0].reason.to_string())
        });
        (names.collect::<Vec<_>>(), accepted.collect::<Vec<_>>())
    };
    let accepted = || vec!["Accepted".to_owned()];
    let (names, reasons) = spoken(&[tls("a", "ServiceImport", "")]);
    assert_eq!((names, reasons), (vec!["plain".to_owned(), "a.example".to_owned()], accepted()));
    let (names, reasons) = spoken(&[tls("a", "Service", "")]);
    assert_eq!((names, reasons), (vec!["a.example".to_owned(), "plain".to_owned()], accepted()));
    let (names, _) =
        spoken(&[tls("a", "ServiceImport", ""), tls("b", "ServiceImport", ", sectionName: web")]);
    assert_eq!(names[1], "b.example", "the one for the port goes first");
    let (names, reasons) = spoken(&[tls("a", "ServiceImport", ", sectionName: nothing")]);
    assert_eq!((&*names[1], &*reasons[0]), ("plain", "TargetNotFound"));
    // What is asked to go within TLS never goes without.
    let (names, _) = spoken(&[tls("a", "ServiceImport", "").replace("System", "example.com/odd")]);
    assert_eq!(names, ["plain"], "the Service alone is left");
}

// RTB-05, SES-01, SES-11
#[test]
fn a_policy_for_traffic_is_for_the_one_of_the_two_that_it_names() {
    const EXPERIMENTAL: &str = "gateway.networking.x-k8s.io/v1alpha1";
    let spec = "retryConstraint: {budget: {percent: 7}}, sessionPersistence: {type: Header, header: {name: x-session}}";
    let traffic = policy("XBackendTrafficPolicy", EXPERIMENTAL, "p", "ServiceImport", "", spec);
    let route = || to(&["{name: shop, port: 80}".to_owned(), import(80, "")]);
    let of = |text: &str| {
        let translation = translate(&resources(text), &Options::default());
        let rule = translation.table.rules().next().unwrap();
        let budgets = rule.backends.refs().iter().map(|reference| {
            let BackendTarget::Backend(id) = reference.target else { panic!("{reference:?}") };
            translation.table.backend(id).retry_budget.as_ref().map(|budget| budget.percent())
        });
        let with_session = |position| {
            let sessions = rule.sessions.as_deref();
            matches!(sessions, Some(Sessions::OfBackends(_)))
                && sessions.and_then(|sessions| sessions.of_backend(position)).is_some()
        };
        let status = &translation.statuses.backend_traffic_policies[&ObjectName::new("default", "p")];
        let accepted = &status.ancestors[0].conditions[0];
        let accepted = format!("{}: {}", accepted.reason, accepted.message);
        (budgets.collect::<Vec<_>>(), [with_session(0), with_session(1)], accepted)
    };
    let all = [BASE.to_owned(), east(), route(), traffic].concat();
    let (budgets, sessions, accepted) = of(&all);
    assert_eq!((budgets, sessions), (vec![None, Some(7)], [false, true]), "{accepted}");

    // SES-11: an affinity of its own, which a headless one has not.
    for (kind, is_refused) in [("ClusterSetIP", true), ("Headless", false)] {
        let with_affinity = format!("type: {kind}, sessionAffinity: ClientIP");
        let (_, sessions, accepted) = of(&all.replace("type: ClusterSetIP", &with_affinity));
        assert_eq!(sessions[1], !is_refused, "{kind}");
        let said = accepted.contains("sessionAffinity of ServiceImport default/shop");
        assert_eq!(said, is_refused, "{accepted}");
    }
}

/// Everything that is said of what is given and not served.
fn said(more: &[String]) -> Vec<String> {
    let (resources, options) = (with(more), Options::default());
    let translation = translate(&resources, &options);
    let unserved = lint::unserved(&resources, &translation.statuses, &options);
    translation.diagnostics.iter().chain(&unserved).map(ToString::to_string).collect()
}

#[track_caller]
fn expect(name: &str, more: &[String], expected: &[&str]) {
    let found = said(more);
    assert_eq!(found.len(), expected.len(), "{name}: {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn what_gets_no_requests_is_said() {
    let route = || to(&[import(80, "")]);
    expect("all good", &[east(), west(), route()], &[]);
    expect(
        "another name",
        &[east(), west().replace("service-name: shop", "service-name: sohp"), route()],
        &[
            "EndpointSlice default/shop-west: metadata.labels[\"multicluster.kubernetes.io/service-name\"]: there is no \
           ServiceImport default/sohp, so that the endpoints get no requests",
        ],
    );
    expect(
        "another port",
        &[east(), west().replace("name: web", "name: http"), route()],
        &[
            "EndpointSlice default/shop-west: ports[0].name: ServiceImport default/shop has no port named \"http\" (TCP)",
        ],
    );
    expect(
        "no slice",
        &[route()],
        &[
            "ServiceImport default/shop: no EndpointSlice has its endpoints, so that its requests are answered with 503; write one, \
           with the label multicluster.kubernetes.io/service-name: shop",
        ],
    );
    let in_mesh = route().replace(
        "[{name: gw}]",
        "[{name: gw}, {group: multicluster.x-k8s.io, kind: ServiceImport, name: shop}]",
    );
    expect(
        "a parent",
        &[east(), in_mesh],
        &[
            "HTTPRoute default/r: spec.parentRefs[1]: no route can be attached to a ServiceImport here, and what is sent to its \
           addresses goes on as if there were none; name a Service, or a Gateway with the ServiceImport as a backend",
        ],
    );
    let target = policy(
        "BackendTLSPolicy",
        V1,
        "p",
        "ServiceImport",
        "",
        "validation: {hostname: a.example, wellKnownCACertificates: System}",
    );
    expect(
        "a policy for one that is not there",
        &[east(), route(), target.replace("name: shop", "name: sohp")],
        &["BackendTLSPolicy default/p: spec.targetRefs[0].name: there is no ServiceImport default/sohp"],
    );
    let grant = |to: &str| {
        object(
            "ReferenceGrant",
            V1,
            "g",
            &format!(
                "spec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: other}}], to: [{to}]}}"
            ),
        )
    };
    let good = grant("{group: multicluster.x-k8s.io, kind: ServiceImport}");
    expect("a grant", &[east(), route(), good], &[]);
    expect(
        "a grant for another group",
        &[east(), route(), grant("{group: '', kind: ServiceImport}")],
        &[
            "ReferenceGrant default/g: spec.to[0]: permits nothing: no references lead to ServiceImport of group \"\", but to Service, \
           Secret, ConfigMap, ServiceImport of group \"multicluster.x-k8s.io\", XBackend of group \"gateway.networking.x-k8s.io\"",
        ],
    );
}

// MSH-05: what is in another cluster may have the address of a pod in this one.
#[test]
fn endpoints_of_other_clusters_are_no_clients_of_this_mesh() {
    let options = || {
        let features =
            gateway_core::feature::SUPPORTED.iter().chain(gateway_core::feature::SUPPORTED_IN_MESHES);
        Options { features: features.copied().collect(), ..Options::default() }
    };
    let table = translate(&with(&[slice("west", "", "{addresses: [10.2.0.1]}")]), &options()).table;
    let known = |address: &str| table.namespace_of(address.parse().unwrap()).map(|name| name.to_string());
    assert_eq!(known("10.1.0.1").as_deref(), Some("default"));
    assert_eq!(known("10.2.0.1"), None);
}

// VAL-ST-03, VAL-ST-04, VAL-ST-06
#[test]
fn a_service_import_is_read_as_its_definition_has_it() {
    let text = |spec: &str| {
        format!(
            "{{apiVersion: multicluster.x-k8s.io/v1alpha1, kind: ServiceImport, metadata: {{name: shop}}, spec: {{{spec}}}}}"
        )
    };
    let problems = |spec: &str| -> Vec<String> {
        let read = manifest::read(&text(spec), "import.yaml");
        let mut found: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        for (object, _) in read.objects {
            let problems = gateway_core::validate::problems(&object);
            found.extend(problems.iter().map(|problem| format!("{} {}", problem.rule, problem.field)));
        }
        found
    };
    let all = "type: ClusterSetIP, ips: [10.9.9.9], ports: [{name: web, port: 80, protocol: TCP, appProtocol: http}], \
               sessionAffinity: None, sessionAffinityConfig: {clientIP: {timeoutSeconds: 10}}, ipFamilies: [IPv4], \
               internalTrafficPolicy: Cluster, trafficDistribution: PreferClose}, status: {clusters: [{cluster: east}]";
    assert_eq!(problems(all), [""; 0]);
    assert_eq!(problems("type: Headless, ports: [{port: 0}]"), ["VAL-ST-06 spec.ports[0].port"]);
    assert_eq!(problems("type: ClusterIP, ports: []"), ["VAL-ST-04 spec.type"]);
    for (spec, field) in [("ports: []", "type"), ("type: Headless", "ports")] {
        let found = problems(spec);
        assert!(found.len() == 1 && found[0].contains(field), "{found:?}");
    }
    let found = problems("type: Headless, ports: [{port: 80, targetPort: 8080}]");
    assert!(found.len() == 1 && found[0].contains("targetPort"), "{found:?}");
}
